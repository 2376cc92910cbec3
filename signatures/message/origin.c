/* signatures/message/origin.c - a protocol 2 task that does not say who sent it:
 * task-origin-missing. */
#include "signatures/origin.h"
#include "dissectors/headers.h"
#include "signatures/baseline.h"
#include "signatures/message/message.h"

/* Without a baseline a client in another language is told apart by `lang` alone; one that is in it
 * is listed by what it writes, or under "". */
static bool other_language(const struct msg *m)
{
    return msg_has(m, F_TASK_LANG) && msg_text(m, F_TASK_LANG).len > 0 &&
           !msg_is(m, F_TASK_LANG, "py");
}

static bool is_listed(const struct baseline *b, const struct msg *m)
{
    const struct endpoint *who = m->dir == TO_SERVER ? &m->conn->id.client : NULL;
    struct bytes user = who ? msg_text(m, F_USER) : (struct bytes){0};

    return baseline_origin(b, msg_text(m, F_TASK_ORIGIN), who, user) == ORIGIN_KNOWN ||
           baseline_origin(b, (struct bytes){0}, who, user) == ORIGIN_KNOWN;
}

/* Headers that were clipped or lie behind a gap may have said so: unseen is not absent. */
static bool may_be_unseen(const struct msg *m)
{
    if (msg_has(m, F_TASK_ORIGIN))
        return false;
    return m->headers ? m->headers->cut : (m->coverage & (COVER_CLIPPED | COVER_GAP)) != 0;
}

static void check(const struct msg *m, const struct detect_out *out)
{
    struct finding f;
    struct bytes origin = msg_text(m, F_TASK_ORIGIN);
    bool foreign = other_language(m);
    struct origin parts;

    if (msg_num(m, F_TASK_PROTOCOL, 0) != 2 || origin_parse(origin, &parts) || may_be_unseen(m))
        return;
    if (foreign && baseline_judges(out->policy->baseline, BASELINE_PRODUCERS)) {
        if (is_listed(out->policy->baseline, m))
            return;
        foreign = false;
    }
    finding_init(&f, RULE_TASK_ORIGIN_MISSING, foreign ? SEV_LOW : SEV_HIGH);
    if (foreign) {
        f.fold = FOLD_CLIENT;
        f.fold_seconds = 86400;
    }
    if (msg_has(m, F_TASK_ORIGIN)) {
        finding_reason(&f, "a task names an origin that no Celery client writes");
        finding_text(&f, "origin", origin);
    } else {
        finding_reason(&f, "a protocol 2 task does not say who sent it");
    }
    if (msg_has(m, F_TASK_LANG))
        finding_text(&f, "lang", msg_text(m, F_TASK_LANG));
    f.once_a_task = true;
    out->emit(out->ctx, m, &f);
}

const struct message_detector origin_detector = {
    .name = "origin",
    .wants = MSG_TASK,
    .check = check,
};
