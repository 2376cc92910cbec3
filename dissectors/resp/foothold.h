/* dissectors/resp/foothold.h - could a value begin here? For finding the way back
 * into a stream, and for telling a stream of Redis from others. */
#ifndef DISSECTORS_RESP_FOOTHOLD_H
#define DISSECTORS_RESP_FOOTHOLD_H

#include "base/bytes.h"

enum foothold { FOOTHOLD_NO, FOOTHOLD_MORE, FOOTHOLD_YES };

/* A client's unit: `*<n>\r\n$<len>\r\n`, or an inline command that is known. Decides
 * within RESP_CANDIDATE bytes. */
enum foothold foothold_client(struct bytes b);
/* The array form alone. */
enum foothold foothold_request(struct bytes b);
/* A server's value: a header line that is strictly right, and for aggregates the type
 * byte of the first element. Decides within RESP_CANDIDATE bytes. */
enum foothold foothold_server(struct bytes b);

/* What MONITOR shows of somebody's command, behind the `+`: `1339518083.107412 [0 127.0.0.1:60866]
 * "keys" "*"` (redis:src/replication.c:replicationFeedMonitors). */
enum foothold foothold_monitor(struct bytes text);

/* A decimal number as Redis reads it (redis:src/util.c:string2ll): no sign but '-', no
 * leading zero, no space. false: it is none, or above 10^18. */
bool resp_number(struct bytes text, int64_t *num);

#endif
