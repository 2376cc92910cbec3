/* signatures/cluster/belongs.c - clients that take tasks and are not in the baseline's workers:
 * worker-unknown. Address, user and queue are known at once; a node's name when it shows itself
 * (celery-on-the-wire 5.4), which may be on another connection, and before or after. */
#include <stdlib.h>

#include "base/hash.h"
#include "signatures/baseline.h"
#include "signatures/cluster/deployment.h"
#include "signatures/cluster/names.h"
#include "signatures/cluster/topology.h"
#include "signatures/flat.h"

#define GUESTS_MAX 65536u
#define MEMO       4096u                        /* answers; a power of two */
#define WINDOW_NS  (3600 * INT64_C(1000000000)) /* then it is told again, if it is still there */
#define NAME_KEPT  118u

enum stranger { NO_STRANGER, BY_ADDRESS, BY_USER, BY_QUEUE, BY_NAME };

/* What is known of an address on one broker and vhost or database. */
struct guest {
    int64_t told; /* when its address was; 0: not yet */
    void *node;   /* flat: an unknown node that showed itself where no task was taken yet */
    uint8_t name_len;
    char name[NAME_KEPT]; /* of the node that showed itself last */
};

struct belongs {
    struct lru *guests;
    struct lru *others; /* unknown nodes, queues and users of an address: when they were told */
    struct memo {
        uint64_t key;
        enum stranger answer;
    } memo[MEMO];
    const struct baseline *baseline; /* that the memo is of */
    unsigned generation;
};

static void gone(void *ctx, uint64_t key, void *value)
{
    struct guest *g = value;

    (void)ctx, (void)key;
    free(g->node);
}

struct belongs *belongs_new(void)
{
    struct belongs *b = calloc(1, sizeof *b);

    if (!b)
        return NULL;
    b->guests = lru_new(GUESTS_MAX, sizeof(struct guest), gone, NULL);
    b->others = lru_new(GUESTS_MAX, sizeof(int64_t), NULL, NULL);
    if (b->guests && b->others)
        return b;
    belongs_free(b);
    return NULL;
}

void belongs_free(struct belongs *b)
{
    if (!b)
        return;
    if (b->guests)
        lru_free(b->guests);
    if (b->others)
        lru_free(b->others);
    free(b);
}

static struct guest *guest_of(struct belongs *all, const struct msg *m)
{
    bool fresh;

    return lru_put(all->guests, hash_mix(topology_scope(m), crew_host_id(m)), &fresh);
}

/* --- the baseline's answers ------------------------------------------------------ */

static enum stranger stranger(const struct baseline *b, const struct endpoint *who,
                              struct bytes queue, struct bytes user)
{
    static const struct bytes any = {0};

    if (baseline_worker(b, any, who, queue, user))
        return NO_STRANGER;
    if (!baseline_worker(b, any, who, any, any))
        return BY_ADDRESS;
    return baseline_worker(b, any, who, any, user) ? BY_QUEUE : BY_USER;
}

/* The place of an answer; empty, if its key is another. */
static struct memo *memo_of(struct belongs *all, const struct baseline *b, uint64_t key)
{
    if (all->baseline != b || all->generation != b->generation) {
        memset(all->memo, 0, sizeof all->memo);
        all->baseline = b;
        all->generation = b->generation;
    }
    return &all->memo[key & (MEMO - 1)];
}

static enum stranger ask(struct belongs *all, const struct baseline *b, const struct msg *m,
                         struct bytes queue)
{
    struct bytes user = msg_text(m, F_USER);
    uint64_t key = hash_mix(crew_host_id(m), hash_mix(hash_bytes(queue, 1), hash_bytes(user, 2)));
    struct memo *a = memo_of(all, b, key);

    if (a->key != key) {
        a->key = key;
        a->answer = stranger(b, &m->conn->id.client, queue, user);
    }
    return a->answer;
}

/* Of a foreign address the address is said, whatever its nodes are called. */
static bool is_foreign_node(struct belongs *all, const struct baseline *b, const struct msg *m,
                            struct bytes node)
{
    static const struct bytes any = {0};
    const struct endpoint *who = &m->conn->id.client;
    uint64_t key = hash_mix(crew_host_id(m), hash_bytes(node, 4));
    struct memo *a = memo_of(all, b, key);

    if (a->key != key) {
        a->key = key;
        a->answer =
            !baseline_worker(b, node, who, any, any) && baseline_worker(b, any, who, any, any)
                ? BY_NAME
                : NO_STRANGER;
    }
    return a->answer == BY_NAME;
}

/* --- findings --------------------------------------------------------------------- */

static const char *reason_of(enum stranger by)
{
    switch (by) {
    case BY_ADDRESS: return "a client takes tasks whose address is no worker's in the baseline";
    case BY_USER:
        return "a client takes tasks from a worker's address, as a user that the baseline does not "
               "list";
    case BY_QUEUE:
        return "a worker takes tasks from a queue that the baseline does not list for it";
    default: return "a worker takes tasks whose node name the baseline does not list there";
    }
}

static void say(const struct msg *m, enum stranger by, struct bytes queue, struct bytes node,
                const struct detect_out *out)
{
    static const char *const what[] = {"", "address", "user", "queue", "node"};
    struct finding f;
    struct msg more;

    finding_init(&f, RULE_WORKER_UNKNOWN, SEV_HIGH);
    finding_reason(&f, "%s", reason_of(by));
    finding_str(&f, "unknown", what[by]);
    if (queue.len > 0)
        finding_text(&f, "queue", queue);
    if (node.len > 0)
        finding_text(&f, "node", node);
    if (msg_has(m, F_USER))
        finding_text(&f, "user", msg_text(m, F_USER));
    f.fold_class = hash_mix(by, by == BY_NAME ? hash_bytes(node, 0) : 0);
    if (node.len > 0 && !msg_has(m, F_WORKER_HOSTNAME)) {
        msg_from(&more, m, m->kind, m->action);
        more.index = m->index;
        fields_text(&more.fields, F_WORKER_HOSTNAME, node);
        m = &more;
    }
    out->emit(out->ctx, m, &f);
}

static bool is_due(int64_t *told, int64_t now)
{
    if (*told != 0 && now - *told < WINDOW_NS)
        return false;
    *told = now;
    return true;
}

static void say_node(struct belongs *all, const struct msg *m, struct bytes node,
                     const struct detect_out *out)
{
    uint64_t at = hash_mix(topology_scope(m), crew_host_id(m));
    bool fresh;
    int64_t *told = lru_put(all->others, hash_mix(at, hash_bytes(node, 3)), &fresh);

    if (told && is_due(told, m->at.ns))
        say(m, BY_NAME, (struct bytes){0}, node, out);
}

/* --- who takes tasks, and who shows a name ------------------------------------------- */

/* Where it takes tasks from; false: it takes none. */
static bool takes(struct deployment *d, const struct msg *m, const struct baseline *b,
                  struct bytes *queue)
{
    *queue = name_without_priority(crew_queue_of(m));
    if (m->kind == MSG_TASK)
        return m->op == OP_DELIVER && m->dir == TO_CLIENT && name_use(*queue) == NAME_TASKS;
    return m->kind == MSG_COMMAND && consumers_asks(m) &&
           (crew_is_task_queue(&d->crew, m, *queue) || baseline_queue(b, *queue));
}

/* An address is told of once, its other queues and users one by one. */
static bool is_news(struct belongs *all, struct guest *g, const struct msg *m, enum stranger by,
                    struct bytes queue)
{
    struct bytes what = by == BY_QUEUE ? queue : msg_text(m, F_USER);
    uint64_t at = hash_mix(topology_scope(m), crew_host_id(m));
    bool fresh;
    int64_t *told;

    if (by == BY_ADDRESS)
        return is_due(&g->told, m->at.ns);
    told = lru_put(all->others, hash_mix(at, hash_bytes(what, 4 + (uint64_t)by)), &fresh);
    return told && is_due(told, m->at.ns);
}

static void taker(struct deployment *d, const struct msg *m, struct bytes queue,
                  const struct detect_out *out)
{
    const struct baseline *b = out->policy->baseline;
    enum stranger by = ask(d->belongs, b, m, queue);
    struct guest *g = guest_of(d->belongs, m);

    /* Of what is cut short nobody knows whether that number is its priority. */
    if (by == BY_QUEUE && (m->coverage & (COVER_CLIPPED | COVER_GAP)))
        by = ask(d->belongs, b, m, name_without_number(queue));

    if (!g || (by != NO_STRANGER && baseline_lists(b, BASELINE_RELAYS, &m->conn->id.client)))
        return;
    if (by != NO_STRANGER && is_news(d->belongs, g, m, by, queue))
        say(m, by, queue, bytes_of(g->name, g->name_len), out);
    if (by == NO_STRANGER && g->node) {
        struct flat_view v;

        flat_read(g->node, &v);
        say_node(d->belongs, &v.m, bytes_of(g->name, g->name_len), out);
        free(g->node);
        g->node = NULL;
    }
}

static struct bytes shown(const struct msg *m)
{
    if (m->kind == MSG_CONTROL && m->dir == TO_SERVER && m->op == OP_PUBLISH &&
        msg_is(m, F_CONTROL_METHOD, "hello"))
        return msg_text(m, F_CONTROL_FROM_NODE);
    return nodes_shown(m);
}

static void keep(struct guest *g, const struct msg *m)
{
    if (!g->node)
        g->node = flat_keep(m);
}

static void named(struct deployment *d, const struct msg *m, struct bytes node,
                  const struct detect_out *out)
{
    struct guest *g = guest_of(d->belongs, m);
    const struct host *h = crew_find(&d->crew, m, crew_host_id(m));

    if (!g)
        return;
    if (!g->node) { /* else that one's is kept */
        g->name_len = (uint8_t)bytes_head(node, sizeof g->name).len;
        memcpy(g->name, node.at, g->name_len);
    }
    if (!is_foreign_node(d->belongs, out->policy->baseline, m, node))
        return;
    if (h && h->consumes != 0)
        say_node(d->belongs, m, node, out);
    else
        keep(g, m);
}

void belongs_note(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    const struct baseline *b = out->policy->baseline;
    struct bytes queue, node;

    if (!baseline_judges(b, BASELINE_WORKERS) || m->kind == MSG_CLOSED)
        return;
    if (takes(d, m, b, &queue)) {
        taker(d, m, queue, out);
        return;
    }
    node = shown(m);
    if (node.len > 0)
        named(d, m, node, out);
}
