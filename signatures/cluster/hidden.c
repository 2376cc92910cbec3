/* signatures/cluster/hidden.c - tasks under another name than their own: task-hidden-name. Names
 * are known once a task of that name was seen on the broker, or the baseline lists it as it is. */
#include "base/hash.h"
#include "signatures/baseline.h"
#include "signatures/cluster/deployment.h"
#include "signatures/cluster/topology.h"

#define NAMES_MAX 65536u
#define NAMES_OF  4096u /* that one address brings in: the rest is not remembered */
#define LIST_ROOM 1024u

struct lru *hidden_new(void)
{
    return lru_new(NAMES_MAX, sizeof(char), NULL, NULL);
}

static uint64_t key_of(const struct msg *m, struct bytes name)
{
    return hash_mix(topology_server(m->conn), hash_bytes(name, 13));
}

static void learn(struct deployment *d, const struct msg *m, struct bytes name)
{
    uint64_t key = key_of(m, name);
    struct host *h;
    bool fresh;

    if (lru_get(d->names, key))
        return;
    h = crew_host(&d->crew, m);
    if (h && h->names < NAMES_OF && lru_put(d->names, key, &fresh))
        h->names++;
}

static bool same(struct bytes a, struct bytes b)
{
    return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

/* A glob says nothing of a name: shop.* matches shop.add[acme] too. */
static bool is_listed(const struct baseline *b, struct bytes name)
{
    const struct baseline_part *part = b ? &b->sections[BASELINE_TASKS] : NULL;

    for (size_t i = 0; part && i < part->n; i++)
        if (part->at[i].name && bytes_eq(name, part->at[i].name))
            return true;
    return false;
}

static void shadow(struct deployment *d, const struct msg *m, struct bytes name,
                   const struct detect_out *out)
{
    struct bytes alias = msg_text(m, F_TASK_SHADOW);
    struct finding f;

    if (alias.len == 0 || same(alias, name))
        return;
    if (!lru_get(d->names, key_of(m, alias)) && !baseline_is_celerys(alias) &&
        !is_listed(out->policy->baseline, alias))
        return;
    finding_init(&f, RULE_TASK_HIDDEN_NAME, SEV_MEDIUM);
    finding_reason(&f, "a task shows itself under the name of another task");
    finding_text(&f, "shadow", alias);
    f.fold_class = hash_mix(hash_bytes(alias, 0), hash_bytes(name, 0));
    f.once_a_task = true;
    out->emit(out->ctx, m, &f);
}

/* celery.map and its like run what they carry in the worker, without a message of its own; the
 * others publish it in the worker's name (celery:app/builtins.py). */
bool hidden_carries(struct bytes name)
{
    static const char *const builtins[] = {"celery.map",         "celery.starmap", "celery.chunks",
                                           "celery.chord",       "celery.chain",   "celery.group",
                                           "celery.chord_unlock"};

    for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++)
        if (bytes_eq(name, builtins[i]))
            return true;
    return false;
}

static void add(uint8_t room[LIST_ROOM], size_t *used, struct bytes name)
{
    uint32_t n = (uint32_t)name.len;

    if (name.len > LIST_ROOM - sizeof n || *used > LIST_ROOM - sizeof n - name.len)
        return;
    memcpy(room + *used, &n, sizeof n);
    memcpy(room + *used + sizeof n, name.at, n);
    *used += sizeof n + n;
}

static void carried(const struct msg *m, const struct detect_out *out)
{
    struct bytes list = msg_text(m, F_TASK_SUBTASKS), name;
    uint8_t room[LIST_ROOM];
    uint64_t names = 0;
    unsigned n = 0;
    size_t used = 0;
    struct finding f;

    while (list_next(&list, &name)) {
        if (baseline_task(out->policy->baseline, name))
            continue;
        n++;
        names = hash_mix(names, hash_bytes(name, 0));
        add(room, &used, name);
    }
    if (n == 0)
        return;
    finding_init(&f, RULE_TASK_HIDDEN_NAME, SEV_MEDIUM);
    finding_reason(&f,
                   "a task of Celery's own carries another one that the baseline does not know");
    finding_list(&f, "carried", bytes_of(room, used));
    f.fold_class = names;
    f.once_a_task = true;
    out->emit(out->ctx, m, &f);
}

void hidden_note(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    struct bytes name = msg_text(m, F_TASK_NAME);

    if (m->kind != MSG_TASK || name.len == 0)
        return;
    shadow(d, m, name, out);
    if (hidden_carries(name) && baseline_judges(out->policy->baseline, BASELINE_TASKS))
        carried(m, out);
    learn(d, m, name);
}
