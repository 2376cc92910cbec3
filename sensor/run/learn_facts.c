/* run/learn_facts.c - what of the facts a baseline is made of. What was seen on its way to a
 * consumer has no sender: it counts unless only accused addresses were seen to send the like. */
#include <stdlib.h>

#include "base/log.h"
#include "run/facts_index.h"
#include "run/learn.h"
#include "signatures/cluster/deployment.h"
#include "signatures/learn.h"

struct walk {
    struct learner *to;
    const struct accused *accused;
    struct facts_index index;
    /* Sets of hashes: (host, task) and host that a clean address, an accused one published; (host,
     * address) of workers; queues that carry tasks; addresses with a node. */
    struct lru *clean, *dirty, *hosts, *queues, *named;
    size_t strange_commands;
};

static bool put(struct lru *set, uint64_t key)
{
    bool fresh;

    return lru_put(set, key, &fresh) != NULL;
}

static bool has(struct lru *set, uint64_t key)
{
    return lru_get(set, key) != NULL;
}

static uint64_t task_key(const struct fact *f)
{
    return hash_mix(hash_bytes(f->name, 1), hash_bytes(f->item, 2));
}

static uint64_t origin_key(struct bytes host)
{
    return hash_bytes(host, 3);
}

static struct bytes host_of(struct bytes node)
{
    const uint8_t *at = node.len > 0 ? memchr(node.at, '@', node.len) : NULL;

    if (at)
        bytes_cut(&node, (size_t)(at - node.at) + 1);
    return node;
}

static struct bytes user_of(const struct walk *w, const struct fact *f)
{
    return accused_user(w->accused, f->user) ? bytes_of("", 0) : f->user;
}

static bool is_accused(const struct walk *w, const struct fact *f)
{
    return f->who.family != 0 && accused_is(w->accused, &f->who);
}

/* --- producers and tasks --------------------------------------------------------- */

static bool sort_publishers(struct walk *w)
{
    bool good = true;

    FACTS_EACH(&w->index, f, FACT_PRODUCER)
    {
        struct lru *to = is_accused(w, f) ? w->dirty : w->clean;

        if (f->who.family != 0)
            good &= put(to, task_key(f)) && put(to, origin_key(f->name));
    }
    return good;
}

static bool is_tainted(const struct walk *w, const struct fact *f)
{
    if (f->who.family != 0)
        return is_accused(w, f);
    if (has(w->dirty, task_key(f)))
        return !has(w->clean, task_key(f));
    return (has(w->dirty, origin_key(f->name)) || accused_origin(w->accused, f->name)) &&
           !has(w->clean, origin_key(f->name));
}

/* A worker's own entry makes its host an origin. */
static bool is_worker(const struct walk *w, const struct fact *f)
{
    uint64_t host = origin_key(f->name);

    return f->name.len > 0 &&
           has(w->hosts, f->who.family != 0 ? hash_mix(host, facts_host(&f->who)) : host);
}

static void producers(struct walk *w)
{
    FACTS_EACH(&w->index, f, FACT_PRODUCER)
    {
        if (is_tainted(w, f))
            continue;
        learner_task(w->to, f->item);
        if (!is_worker(w, f))
            learner_producer(w->to, f->name, f->who.family != 0 ? &f->who : NULL, user_of(w, f),
                             f->item);
    }
}

/* --- workers --------------------------------------------------------------------- */

static uint64_t queue_key(const struct fact *f)
{
    return hash_mix(facts_scope(f), hash_bytes(f->name, 5));
}

static bool sort_workers(struct walk *w)
{
    bool good = true;

    FACTS_EACH(&w->index, f, FACT_NODE)
    {
        uint64_t host = origin_key(host_of(f->name));

        good &= put(w->named, facts_at(f));
        if (!is_accused(w, f))
            good &= put(w->hosts, hash_mix(host, facts_host(&f->who))) && put(w->hosts, host);
    }
    FACTS_EACH(&w->index, f, FACT_QUEUE)
    {
        good &= put(w->queues, queue_key(f));
    }
    return good;
}

static void worker(struct walk *w, const struct fact *node)
{
    size_t n;
    struct fact **queues = facts_consumed(&w->index, node, &n);

    for (size_t i = 0; i < n; i++)
        learner_worker(w->to, node->name, &node->who,
                       user_of(w, node->user.len > 0 ? node : queues[i]), queues[i]->name);
    if (n == 0)
        learner_worker(w->to, node->name, &node->who, user_of(w, node), bytes_of("", 0));
}

/* Nobody at this address said a name: only queues that are known to carry tasks. */
static void silent(struct walk *w, const struct fact *c)
{
    if (has(w->queues, queue_key(c)) && !has(w->named, facts_at(c)))
        learner_worker(w->to, bytes_of("", 0), &c->who, user_of(w, c), c->name);
}

static void workers(struct walk *w)
{
    FACTS_EACH(&w->index, f, FACT_NODE)
    {
        if (!is_accused(w, f))
            worker(w, f);
    }
    FACTS_EACH(&w->index, f, FACT_CONSUMER)
    {
        if (!is_accused(w, f))
            silent(w, f);
    }
}

/* --- the others ------------------------------------------------------------------ */

static void controllers(struct walk *w)
{
    FACTS_EACH(&w->index, f, FACT_CONTROLLER)
    {
        if (is_accused(w, f))
            continue;
        if (control_only_asks(f->item))
            learner_controller(w->to, &f->who, f->item);
        else
            w->strange_commands++;
    }
    if (w->strange_commands > 0)
        log_warn("--learn: commands that change workers are not learnt (%zu senders and commands): "
                 "who may send them is listed under controllers by hand",
                 w->strange_commands);
}

static void others(struct walk *w)
{
    FACTS_EACH(&w->index, f, FACT_IMPORT)
    {
        if (!is_accused(w, f))
            learner_import(w->to, f->name, f->item);
    }
    FACTS_EACH(&w->index, f, FACT_SCHEDULER)
    {
        if (!is_accused(w, f))
            learner_address(w->to, BASELINE_SCHEDULERS, &f->who);
    }
    FACTS_EACH(&w->index, f, FACT_LISTENER)
    {
        if (!is_accused(w, f) && !facts_takes(&w->index, f))
            learner_address(w->to, BASELINE_MONITORS, &f->who);
    }
}

/* Who sends tasks, or is a worker, may revoke some. */
static void pardon(const struct facts_index *index, struct accused *accused)
{
    FACTS_EACH(index, p, FACT_PRODUCER)
    {
        accused_pardon(accused, &p->who);
    }
    FACTS_EACH(index, n, FACT_NODE)
    {
        accused_pardon(accused, &n->who);
    }
}

static bool open_walk(struct walk *w, const struct facts *facts)
{
    size_t room;

    if (!facts_index_open(&w->index, facts))
        return false;
    room = 2 * w->index.n + 2;
    w->clean = lru_new(room, 1, NULL, NULL);
    w->dirty = lru_new(room, 1, NULL, NULL);
    w->hosts = lru_new(room, 1, NULL, NULL);
    w->queues = lru_new(room, 1, NULL, NULL);
    w->named = lru_new(room, 1, NULL, NULL);
    return w->clean && w->dirty && w->hosts && w->queues && w->named;
}

static void close_walk(struct walk *w)
{
    struct lru *const sets[] = {w->clean, w->dirty, w->hosts, w->queues, w->named};

    for (unsigned i = 0; i < sizeof sets / sizeof *sets; i++)
        if (sets[i])
            lru_free(sets[i]);
    facts_index_close(&w->index);
}

bool learn_facts(struct learner *to, const struct facts *facts, struct accused *accused)
{
    struct walk w = {.to = to, .accused = accused};
    bool good = open_walk(&w, facts);

    if (good)
        pardon(&w.index, accused);
    good = good && sort_publishers(&w) && sort_workers(&w);

    if (good) {
        workers(&w);
        producers(&w);
        controllers(&w);
        others(&w);
    }
    close_walk(&w);
    return good;
}
