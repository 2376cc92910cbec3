/* out/flow_text.h - who talks to whom, as a record says it: made once for each
 * connection and kept for the last few thousand of them. */
#ifndef OUT_FLOW_TEXT_H
#define OUT_FLOW_TEXT_H

#include <netinet/in.h>

#include "base/community_id.h"
#include "dissectors/msg.h"
#include "out/text.h"

enum { FLOW_TEXTS = 2048, FLOW_TEXT_JSON = 480 };

struct flow_text {
    struct flow_id id;
    const char *proto;            /* NULL: the slot is empty */
    char ip[2][INET6_ADDRSTRLEN]; /* by enum dir of what that side sends: client, server */
    char community[COMMUNITY_ID_SIZE];
    const char *type;         /* ipv4, ipv6 */
    const char *direction[2]; /* of what client, server send: internal, outbound, ... */
    /* "source":{...},"destination":{...},"network":{...} of what client, server send */
    char json[2][FLOW_TEXT_JSON];
    uint16_t json_len[2];
};

/* An address as text. */
void flow_text_ip(const struct endpoint *e, char to[INET6_ADDRSTRLEN]);

/* The entry of a connection in a table of FLOW_TEXTS; good until the next call. */
const struct flow_text *flow_text_of(struct flow_text *table, const struct conn_info *conn);

#endif
