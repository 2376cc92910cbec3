/* signatures/message/signing.c - what the verifier says of a signed message:
 * task-signature-invalid, task-signer-unknown, task-signer-expired. */
#include "base/hash.h"
#include "dissectors/content/auth.h"
#include "signatures/message/message.h"
#include "signatures/signing/signature.h"

static const char *noun(const struct msg *m)
{
    return m->kind == MSG_CONTROL ? "control message" : "task";
}

static void say(const struct msg *m, struct finding *f, const struct detect_out *out)
{
    const struct auth_parts *parts = m->content ? m->content->auth : NULL;

    if (parts) {
        finding_text(f, "signer", parts->signer);
        finding_str(f, "layout", parts->layout == AUTH_NEW ? "5.5 and later" : "up to 5.4");
        finding_num(f, "signature_length", (int64_t)parts->signature.len);
        if (parts->type.len > 0)
            finding_text(f, "content_type", parts->type);
        f->fold_class = hash_bytes(parts->signer, f->rule);
    }
    f->once_a_task = true;
    out->emit(out->ctx, m, f);
}

static void check(const struct msg *m, const struct detect_out *out)
{
    struct finding f;

    switch ((enum signature_state)msg_num(m, F_SIGNATURE_STATE, SIGNATURE_NONE)) {
    case SIGNATURE_INVALID:
        finding_init(&f, RULE_TASK_SIGNATURE_INVALID, SEV_CRITICAL);
        finding_reason(&f, "the signature of a %s does not verify with its signer's certificate",
                       noun(m));
        break;
    case SIGNATURE_MALFORMED:
        finding_init(&f, RULE_TASK_SIGNATURE_INVALID, SEV_CRITICAL);
        finding_reason(&f, "a %s says that it is signed, and its signature is broken or missing",
                       noun(m));
        break;
    case SIGNATURE_SIGNER_UNKNOWN:
        finding_init(&f, RULE_TASK_SIGNER_UNKNOWN, SEV_HIGH);
        finding_reason(&f, "a %s is signed by somebody who has no certificate here", noun(m));
        break;
    case SIGNATURE_SIGNER_EXPIRED:
        finding_init(&f, RULE_TASK_SIGNER_EXPIRED, SEV_MEDIUM);
        finding_reason(&f, "a %s is signed with a certificate that is not valid now", noun(m));
        break;
    default: return;
    }
    say(m, &f, out);
}

const struct message_detector signing_detector = {
    .name = "signing",
    .wants = MSG_TASK | MSG_CONTROL,
    .check = check,
};
