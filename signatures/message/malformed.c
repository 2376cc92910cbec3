/* signatures/message/malformed.c - a peer that breaks the protocol it speaks:
 * protocol-malformed. The worker hands on one anomaly a connection. */
#include "base/hash.h"
#include "signatures/message/message.h"

static void check(const struct msg *m, const struct detect_out *out)
{
    struct finding f;
    struct bytes what = msg_text(m, F_ANOMALY);

    finding_init(&f, RULE_PROTOCOL_MALFORMED, SEV_LOW);
    finding_reason(&f, "%s: %.*s", m->conn->proto, (int)(what.len < 100 ? what.len : 100),
                   (const char *)what.at);
    finding_text(&f, "what", what);
    finding_num(&f, "offset", msg_num(m, F_ANOMALY_OFFSET, 0));
    f.fold_class = hash_bytes(what, 0);
    out->emit(out->ctx, m, &f);
}

const struct message_detector malformed_detector = {
    .name = "malformed",
    .wants = MSG_ANOMALY,
    .check = check,
};
