/* signatures/cluster/junk.c - what is put on a queue of tasks, or into `unacked`, and is no message
 * of kombu's: redis-queue-tamper. A worker that takes it fails before it knows what it took
 * (kombu:transport/redis.py:Channel._brpop_read, virtual/base.py:Message.__init__). */
#include "base/hash.h"
#include "signatures/cluster/deployment.h"
#include "signatures/cluster/names.h"

static bool is_one_of(struct bytes command, const char *const *names)
{
    for (; *names; names++)
        if (bytes_eq(command, *names))
            return true;
    return false;
}

bool junk_wants(const struct msg *m)
{
    static const char *const pushes[] = {"LPUSH", "RPUSH", "LPUSHX", "RPUSHX", NULL};
    static const char *const hashes[] = {"HSET", "HMSET", "HSETNX", "HSETEX", NULL};
    struct bytes command, key;

    if (m->kind != MSG_ENVELOPE || m->cause || m->dir != TO_SERVER || !m->content ||
        m->content->clipped || (m->coverage & (COVER_GAP | COVER_CLIPPED)))
        return false;
    command = msg_text(m, F_REDIS_COMMAND);
    key = msg_text(m, F_REDIS_KEY);
    if (m->op == OP_PUBLISH)
        return is_one_of(command, pushes) &&
               (name_use(key) == NAME_TASKS || name_use(key) == NAME_KOMBU);
    return m->op == OP_STORE && name_ends(key, "unacked") && is_one_of(command, hashes);
}

void junk_note(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    struct bytes key;
    struct finding f;

    if (!msg_has(m, F_JUNK))
        return;
    key = msg_text(m, F_REDIS_KEY);
    if (!(name_use(key) == NAME_KOMBU ? crew_is_celerys(&d->crew, m)
                                      : crew_is_task_queue(&d->crew, m, key)))
        return;
    finding_init(&f, RULE_REDIS_QUEUE_TAMPER, SEV_HIGH);
    finding_reason(&f, name_use(key) == NAME_KOMBU
                           ? "what is put where kombu keeps its own is no message"
                           : "what is put on a queue of tasks is no message: workers fail on it");
    finding_text(&f, "command", msg_text(m, F_REDIS_COMMAND));
    f.fold_class = hash_bytes(msg_text(m, F_REDIS_COMMAND), 0);
    out->emit(out->ctx, m, &f);
}
