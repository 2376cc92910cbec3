/* dissectors/resp/resp.h - the Redis dissector: resp_dissector, named "redis". What it says, beside
 * dissectors/msg.h:
 *
 * MSG_COMMAND, when a request is complete: REDIS_COMMAND, REDIS_DB, REDIS_KEY (the first),
 * REDIS_CHANNEL, USER; m->args has all arguments. Without conf.commands only for commands outside
 * the traffic of queues and caches (command_table.c: WATCH, TOLD, KEY_WATCH).
 *
 * MSG_REPLY, when its reply is: besides OUTCOME, START, REDIS_ARGS, REDIS_REPLY, REDIS_ERROR. One a
 * request (of those that are told, and of those refused with -NOPERM), OUTCOME unknown where the
 * reply was never seen. The first data commands of a connection have one too, until one of them
 * succeeds; NEVER_LOGGED_IN says that no login went before it.
 *
 * Of a watched command with more keys than REDIS_ARGS has room for, the others come before that, in
 * MSG_REPLYs of their own: ARGS_MORE, OUTCOME unknown. They are no records.
 *
 * MSG_ENVELOPE, one a value written, published, delivered or read. REDIS_COMMAND of a pub/sub
 * message is MESSAGE or PMESSAGE; absent when the command is not known. MEMBER: of SADD.
 *
 * MSG_CREDENTIAL, MSG_LOGIN: see credential.h.
 *
 * MSG_PEER: of HELLO's and INFO's reply (redis, valkey); of CLIENT SETINFO (dir TO_SERVER).
 *
 * MSG_UNREAD, "redis-replication": from here on the server sends its own log to a replica. That is
 * no second protocol of the broker.
 *
 * MSG_ANOMALY, once a connection and kind. */
#ifndef DISSECTORS_RESP_RESP_H
#define DISSECTORS_RESP_RESP_H

#include "dissectors/dissector.h"

/* redis:src/server.c:securityWarningCommand: POST and Host: end the connection at once, and with it
 * whatever was to be answered before. */
bool resp_hangs_up(struct bytes head);

enum probe resp_probe(struct bytes head, enum dir dir, bool start);

#endif
