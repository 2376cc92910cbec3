/* signatures/message/refused.c - a client that is logged in and may not do what it asks for:
 * broker-access-refused. */
#include "base/hash.h"
#include "signatures/message/message.h"

#define ACCESS_REFUSED 403 /* AMQP 0-9-1, 1.2: "access to which it has no permissions" */

static bool amqp_refused(const struct msg *m)
{
    return m->kind == MSG_COMMAND && m->dir == TO_CLIENT &&
           msg_is(m, F_AMQP_METHOD, "channel.close") &&
           msg_num(m, F_AMQP_REPLY_CODE, 0) == ACCESS_REFUSED;
}

static void check(const struct msg *m, const struct detect_out *out)
{
    bool redis = m->kind == MSG_REPLY && msg_is(m, F_REDIS_ERROR, "NOPERM");
    struct finding f;

    if (!redis && !amqp_refused(m))
        return;
    finding_init(&f, RULE_BROKER_ACCESS_REFUSED, SEV_MEDIUM);
    finding_reason(&f, "the broker refused an operation that its user has no permission for");
    if (redis)
        finding_text(&f, "error", msg_text(m, F_REDIS_ERROR));
    else
        finding_num(&f, "code", ACCESS_REFUSED);
    f.fold_class = hash_bytes(msg_text(m, redis ? F_REDIS_COMMAND : F_AMQP_METHOD), 0);
    out->emit(out->ctx, m, &f);
}

const struct message_detector refused_detector = {
    .name = "refused",
    .wants = MSG_COMMAND | MSG_REPLY,
    .check = check,
};
