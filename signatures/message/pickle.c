/* signatures/message/pickle.c - what a pickle would do if it were loaded: the
 * verdict of the machine as pickle-malicious, -dangerous, -suspicious,
 * -unknown-import, -bomb, and pickle-disguised where nothing says pickle. */
#include "signatures/pickle/pickle.h"
#include "base/hash.h"
#include "signatures/baseline.h"
#include "signatures/message/pickle_story.h"
#include "signatures/route.h"

static void say(const struct msg *m, enum rule_id rule, enum severity severity, const char *reason,
                const struct story *s, uint64_t fold_class, const struct detect_out *out)
{
    struct finding f;

    finding_init(&f, rule, severity);
    finding_reason(&f, "%s", reason);
    story_add(&f, s);
    f.fold_class = fold_class;
    f.once_a_task = true;
    out->emit(out->ctx, m, &f);
}

static uint64_t class_of(const struct story *s)
{
    return hash_mix(hash_bytes(s->imports, 1), hash_bytes(s->calls, 2));
}

static enum severity import_severity(const struct baseline *b, struct bytes queue,
                                     struct bytes module)
{
    if (!baseline_judges(b, BASELINE_IMPORTS))
        return SEV_INFO;
    switch (baseline_import(b, queue, module)) {
    case IMPORT_UNLISTED: return SEV_MEDIUM;
    case IMPORT_UNLEARNT: return SEV_HIGH;
    default: return 0;
    }
}

/* The first import that is on no list is what the rule is about: folded by its module. */
static void unknown_import(const struct msg *m, const struct story *s, const struct detect_out *out)
{
    const struct baseline *b = out->policy->baseline;
    enum severity worst = 0;
    uint64_t module = 0;

    for (unsigned i = s->r->n_imports; i-- > 0;) {
        const struct pickle_import *import = &s->r->imports[i];
        enum severity is;

        if (import->kind != PICKLE_CLASS_UNKNOWN)
            continue;
        is = import_severity(b, route_queue(m), import->module);
        if (is != 0)
            module = hash_bytes(import->module, 3);
        worst = is > worst ? is : worst;
    }
    if (worst != 0)
        say(m, RULE_PICKLE_UNKNOWN_IMPORT, worst,
            worst == SEV_INFO     ? "a pickle loads a class that is on no list"
            : worst == SEV_MEDIUM ? "a pickle loads a class that the baseline does not list"
                                  : "a pickle loads a class that was never learnt for this queue",
            s, module, out);
}

static void verdict(const struct msg *m, const struct story *s, const struct detect_out *out)
{
    switch (s->r->verdict) {
    case PICKLE_MALICIOUS:
        say(m, RULE_PICKLE_MALICIOUS, SEV_CRITICAL, "a pickle runs code when it is loaded", s,
            class_of(s), out);
        break;
    case PICKLE_DANGEROUS:
        say(m, RULE_PICKLE_DANGEROUS, SEV_HIGH, "a pickle reaches for names that can run code", s,
            class_of(s), out);
        break;
    case PICKLE_SUSPICIOUS:
        if (!s->r->only_bomb) /* then pickle-bomb alone says it */
            say(m, RULE_PICKLE_SUSPICIOUS, SEV_MEDIUM, "a pickle hides what it holds", s,
                class_of(s), out);
        break;
    case PICKLE_OBJECTS_UNKNOWN: unknown_import(m, s, out); break;
    default: break;
    }
    if (s->r->flags & PICKLE_ANY_BOMB)
        say(m, RULE_PICKLE_BOMB, SEV_HIGH, "a pickle costs its reader far more than its size", s,
            s->r->flags & PICKLE_ANY_BOMB, out);
}

/* Types compare without case and parameters. */
static bool says_pickle(struct bytes type)
{
    static const char *const names[] = {"application/x-python-serialize", "application/x-pickle",
                                        "application/python-pickle"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t n = strlen(names[i]);

        if (type.len >= n && strncasecmp((const char *)type.at, names[i], n) == 0 &&
            (type.len == n || type.at[n] == ';' || type.at[n] == ' '))
            return true;
    }
    return false;
}

/* Raw Redis values have no place for a content type. */
static bool has_place_for_type(const struct msg *m)
{
    return m->content->type.at != NULL || strcmp(m->conn->proto, "amqp") == 0 ||
           (m->headers != NULL);
}

static void disguised(const struct msg *m, const struct story *s, const struct detect_out *out)
{
    struct finding f;
    bool worse = s->r->verdict >= PICKLE_DANGEROUS;

    if (says_pickle(m->content->type) || !has_place_for_type(m))
        return;
    finding_init(&f, RULE_PICKLE_DISGUISED, worse ? SEV_CRITICAL : SEV_HIGH);
    finding_reason(&f, "%s",
                   m->content->auth
                       ? "a pickle inside a signed body: whoever signs may run code in its reader"
                       : "a body is a pickle, and its content type says otherwise");
    if (m->content->type.len > 0)
        finding_text(&f, "content_type", m->content->type);
    story_add(&f, s);
    f.fold_class = class_of(s);
    f.once_a_task = true;
    out->emit(out->ctx, m, &f);
}

/* RQ calls what the first text of a job names (rq:job.py:Job.func), pickled or as JSON; no import
 * opcode is needed. */
static struct bytes callee_of(const struct msg *m)
{
    if (!m->content || !msg_is(m, F_APP, "rq"))
        return (struct bytes){0};
    return m->pickle && m->content->what == WHAT_PICKLE ? m->pickle->first
                                                        : msg_text(m, F_TASK_NAME);
}

static void job_callee(const struct msg *m, const struct detect_out *out)
{
    struct bytes callee = callee_of(m);
    enum pickle_class kind;
    const char *source;
    struct finding f;

    if (callee.len == 0 || pickle_name_severity(callee, &kind, &source) < PICKLE_SEV_HIGH)
        return;
    finding_init(&f, RULE_RQ_JOB_CALLEE, SEV_HIGH);
    finding_reason(&f, "an RQ job names a function that runs code or commands");
    finding_text(&f, "callee", callee);
    finding_str(&f, "class", pickle_class_name(kind));
    f.fold_class = hash_bytes(callee, 0);
    f.once_a_task = true;
    out->emit(out->ctx, m, &f);
}

/* Nested data: it raises no verdict of its own unless something in the message loads it. */
static void in_text(const struct msg *m, const struct detect_out *out)
{
    const struct pickle_found *found = m->nested;
    struct story s = story_of(m, found->result, false, out->arena);
    struct finding f;

    finding_init(&f, RULE_PICKLE_DISGUISED,
                 found->result->verdict >= PICKLE_DANGEROUS ? SEV_CRITICAL : SEV_HIGH);
    finding_reason(&f, "a text inside a message unwraps to a pickle");
    finding_str(&f, "path", found->path);
    if (found->at != PICKLE_FOUND_SOMEWHERE)
        finding_num(&f, "at", (int64_t)found->at);
    finding_num(&f, "length", (int64_t)found->len);
    story_add(&f, &s);
    f.fold_class = class_of(&s);
    f.once_a_task = true;
    out->emit(out->ctx, m, &f);
}

static void check(const struct msg *m, const struct detect_out *out)
{
    struct story s;

    if (m->nested)
        in_text(m, out);
    if (m->kind == MSG_STORED)
        job_callee(m, out);
    if (!m->pickle || !m->content || m->content->what != WHAT_PICKLE)
        return;
    s = story_of(m, m->pickle, true, out->arena);
    verdict(m, &s, out);
    disguised(m, &s, out);
}

const struct message_detector pickle_detector = {
    .name = "pickle",
    .wants = MSG_TASK | MSG_RESULT | MSG_WORKER | MSG_CONTROL | MSG_STORED,
    .check = check,
};
