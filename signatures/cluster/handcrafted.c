/* signatures/cluster/handcrafted.c - envelopes that no release of Celery writes: task-handcrafted.
 * What is wrong with one was found where its headers were read (signatures/form.h); whose the queue
 * is that it wants its answer in, only the collector knows. */
#include "base/hash.h"
#include "signatures/cluster/deployment.h"
#include "signatures/cluster/topology.h"
#include "signatures/form.h"

#define ANSWERS_MAX 65536u
#define HIGH_FROM   3u /* signs */
#define LIST_ROOM   640u

struct lru *handcrafted_new(void)
{
    return lru_new(ANSWERS_MAX, sizeof(uint64_t), NULL, NULL);
}

static bool is_publish(const struct msg *m)
{
    return m->op == OP_PUBLISH && m->dir == TO_SERVER;
}

/* Celery gives each thread of a client a reply_to of its own
 * (celery:app/base.py:Celery.thread_oid). Who takes tasks sends retries, and what follows in a
 * chain, under the first sender's. */
static bool answers_another(struct deployment *d, const struct msg *m)
{
    struct bytes reply_to = msg_text(m, F_TASK_REPLY_TO);
    uint64_t host = crew_host_id(m), *owner;
    const struct host *h;
    bool fresh;

    if (reply_to.len == 0 || !is_publish(m))
        return false;
    owner = lru_put(d->answers, hash_mix(topology_scope(m), hash_bytes(reply_to, 12)), &fresh);
    if (!owner)
        return false;
    if (fresh)
        *owner = host;
    h = crew_find(&d->crew, m, host);
    return *owner != host && h && !h->consumes && !h->partial;
}

/* Names of the signs, packed as list_add() does. */
static struct bytes names(uint32_t signs, uint8_t room[LIST_ROOM])
{
    size_t used = 0;

    for (unsigned i = 0; i < SIGNS; i++) {
        const char *name = task_sign_name((enum task_sign)i);
        uint32_t n = (uint32_t)strlen(name);

        if (!(signs >> i & 1u) || used + sizeof n + n > LIST_ROOM)
            continue;
        memcpy(room + used, &n, sizeof n);
        memcpy(room + used + sizeof n, name, n);
        used += sizeof n + n;
    }
    return bytes_of(room, used);
}

static void say(const struct msg *m, uint32_t signs, const struct detect_out *out)
{
    unsigned n = (unsigned)__builtin_popcount(signs);
    uint8_t room[LIST_ROOM];
    struct finding f;

    finding_init(&f, RULE_TASK_HANDCRAFTED, n >= HIGH_FROM ? SEV_HIGH : SEV_MEDIUM);
    finding_reason(&f, "the envelope of a task is not what any release of Celery writes");
    finding_list(&f, "signs", names(signs, room));
    if (msg_has(m, F_TASK_LANG))
        finding_text(&f, "lang", msg_text(m, F_TASK_LANG));
    f.fold_class = signs;
    f.once_a_task = true;
    out->emit(out->ctx, m, &f);
}

void handcrafted_note(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    uint32_t signs;

    if (m->kind != MSG_TASK)
        return;
    signs = (uint32_t)msg_num(m, F_TASK_SIGNS, 0);
    if (answers_another(d, m))
        signs |= 1u << SIGN_REPLY_FOREIGN;
    if (signs & ~SIGNS_OF_CALLERS)
        say(m, signs, out);
}
