/* signatures/message/cleartext.c - tasks that anybody between two hosts can read:
 * broker-cleartext. */
#include "signatures/message/message.h"

static void check(const struct msg *m, const struct detect_out *out)
{
    const struct flow_id *id = &m->conn->id;
    struct finding f;

    if (endpoint_same_host(&id->client, &id->server) || endpoint_is_loopback(&id->server))
        return;
    finding_init(&f, RULE_BROKER_CLEARTEXT, SEV_LOW);
    finding_reason(&f, "task messages cross the network between two hosts without TLS");
    out->emit(out->ctx, m, &f);
}

const struct message_detector cleartext_detector = {
    .name = "cleartext",
    .wants = MSG_TASK,
    .check = check,
};
