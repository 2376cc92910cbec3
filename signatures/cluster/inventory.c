/* signatures/cluster/inventory.c - see inventory.h. */
#include "signatures/cluster/inventory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/lru.h"
#include "signatures/cluster/names.h"
#include "signatures/cluster/nodes.h"
#include "signatures/route.h"

#define TAKEN_MAX 262144u /* tasks and who took them */

struct inventory {
    struct facts *facts;
    struct lru *taken; /* (task, client) that took it: what it publishes again keeps its origin */
};

/* A fact that this message gives rise to, and whose sixteenth it is. */
struct seen {
    struct inventory *v;
    const struct msg *m;
    struct fact fact;
    char number[24];
};

struct inventory *inventory_new(void)
{
    struct inventory *v = calloc(1, sizeof *v);

    if (!v)
        return NULL;
    v->facts = facts_new(FACTS_MAX);
    v->taken = lru_new(TAKEN_MAX, 1, NULL, NULL);
    if (v->facts && v->taken)
        return v;
    inventory_free(v);
    return NULL;
}

void inventory_free(struct inventory *v)
{
    if (!v)
        return;
    facts_free(v->facts);
    if (v->taken)
        lru_free(v->taken);
    free(v);
}

const struct facts *inventory_facts(const struct inventory *v)
{
    return v->facts;
}

static uint64_t client_hash(const struct msg *m)
{
    const struct endpoint *e = &m->conn->id.client;

    return hash_mix(hash_bytes(bytes_of(e->ip, sizeof e->ip), e->family), m->conn->id.network);
}

static struct bytes place_of(struct seen *s)
{
    const struct msg *m = s->m;
    int wrote;

    if (msg_has(m, F_AMQP_VHOST))
        return msg_text(m, F_AMQP_VHOST);
    if (!msg_has(m, F_REDIS_DB))
        return (struct bytes){0};
    wrote = snprintf(s->number, sizeof s->number, "%" PRId64, msg_num(m, F_REDIS_DB, 0));
    return bytes_of(s->number, wrote > 0 ? (size_t)wrote : 0);
}

static void begin(struct seen *s, struct inventory *v, const struct msg *m)
{
    s->v = v;
    s->m = m;
    s->fact = (struct fact){.proto = m->conn->proto,
                            .server = m->conn->id.server,
                            .network = m->conn->id.network,
                            .who = m->conn->id.client,
                            .user = msg_text(m, F_USER),
                            .coverage = m->coverage};
    s->fact.who.port = 0;
    s->fact.place = place_of(s);
}

static void note(struct seen *s, enum fact_kind kind, struct bytes name, struct bytes item)
{
    s->fact.kind = kind;
    s->fact.name = name;
    s->fact.item = item;
    facts_note(s->v->facts, &s->fact, client_hash(s->m), s->m->at.ns);
}

/* Of the server itself, whoever asked. */
static void note_broker(struct seen *s, struct bytes name, struct bytes version)
{
    struct fact kept = s->fact;

    s->fact.who = (struct endpoint){0};
    s->fact.user = (struct bytes){0};
    note(s, FACT_BROKER, name, version);
    s->fact = kept;
}

static void peer(struct seen *s)
{
    struct bytes name = msg_text(s->m, F_PACKAGE_NAME), version = msg_text(s->m, F_PACKAGE_VERSION);

    if (s->m->dir == TO_CLIENT)
        note_broker(s, name, version);
    else
        note(s, FACT_CLIENT, name, version);
}

static void login(struct seen *s)
{
    if (msg_is(s->m, F_OUTCOME, "success") && s->fact.user.len > 0)
        note(s, FACT_USER, s->fact.user, bytes_of("", 0));
}

/* gen<pid>@<host>: the host; what no Celery client writes: empty. */
static struct bytes origin_host(struct bytes origin)
{
    size_t digits = 3;

    if (!name_starts(origin, "gen"))
        return (struct bytes){0};
    while (digits < origin.len && origin.at[digits] >= '0' && origin.at[digits] <= '9')
        digits++;
    if (digits == 3 || digits >= origin.len || origin.at[digits] != '@')
        return (struct bytes){0};
    bytes_cut(&origin, digits + 1);
    return origin;
}

static uint64_t taken_key(const struct msg *m)
{
    return hash_mix(client_hash(m), hash_bytes(msg_text(m, F_TASK_ID), 6));
}

static void take(struct seen *s, struct bytes queue)
{
    bool fresh;

    lru_put(s->v->taken, taken_key(s->m), &fresh);
    if (queue.len > 0)
        note(s, FACT_CONSUMER, queue, bytes_of("", 0));
}

/* A retry, a replacement, a requeue: the origin is that of who sent the task first. */
static bool sends_on(const struct seen *s)
{
    return msg_num(s->m, F_TASK_RETRIES, 0) > 0 || lru_get(s->v->taken, taken_key(s->m)) ||
           bytes_eq(bytes_of(s->m->action, strlen(s->m->action)), "restored");
}

static void producer(struct seen *s)
{
    const struct msg *m = s->m;
    struct bytes host = origin_host(msg_text(m, F_TASK_ORIGIN)), name = msg_text(m, F_TASK_NAME);
    struct bytes inside = msg_text(m, F_TASK_SUBTASKS);
    bool published = m->op == OP_PUBLISH && m->dir == TO_SERVER;
    struct fact kept = s->fact;

    if (host.len == 0 && (m->coverage & (COVER_CLIPPED | COVER_GAP)))
        return; /* unseen is not absent */
    if (published && sends_on(s))
        return;
    if (!published) { /* by whom is not known */
        s->fact.who = (struct endpoint){0};
        s->fact.user = (struct bytes){0};
    }
    note(s, FACT_PRODUCER, host, name);
    while (list_next(&inside, &name))
        note(s, FACT_PRODUCER, host, name);
    s->fact = kept;
}

static void task(struct seen *s)
{
    const struct msg *m = s->m;
    struct bytes queue = name_without_priority(msg_text(m, F_TASK_QUEUE));

    note_broker(s, bytes_of("", 0), bytes_of("", 0));
    producer(s);
    if (m->op == OP_DELIVER && m->dir == TO_CLIENT)
        take(s, queue);
    if (queue.len > 0 && name_use(queue) == NAME_TASKS) {
        s->fact.who = (struct endpoint){0};
        s->fact.user = (struct bytes){0};
        note(s, FACT_QUEUE, queue, bytes_of("", 0));
    }
}

/* Modules that the worker listed because no list knows them; of the queue that they are judged by.
 */
static void imports(struct seen *s)
{
    struct bytes list = msg_text(s->m, F_IMPORTS), module;
    struct bytes queue = name_without_priority(route_queue(s->m));
    bool from_client = s->m->dir == TO_SERVER;
    struct fact kept = s->fact;

    if (!from_client)
        s->fact.who = (struct endpoint){0};
    s->fact.user = (struct bytes){0};
    while (list_next(&list, &module))
        note(s, FACT_IMPORT, queue, module);
    s->fact = kept;
}

#define PART_MAX 80u /* of what a worker says it runs */

static void software(struct seen *s, struct bytes node)
{
    static const enum field_id parts[] = {F_WORKER_SW_IDENT, F_WORKER_SW_VER, F_WORKER_SW_SYS};
    char text[3 * (PART_MAX + 1)];
    size_t n = 0;

    for (unsigned i = 0; i < 3; i++) {
        struct bytes part = bytes_head(msg_text(s->m, parts[i]), PART_MAX);

        if (part.len == 0)
            continue;
        if (n > 0)
            text[n++] = ' ';
        memcpy(text + n, part.at, part.len);
        n += part.len;
    }
    if (n > 0)
        note(s, FACT_SOFTWARE, node, bytes_of(text, n));
}

static void node(struct seen *s)
{
    struct bytes name = nodes_shown(s->m);

    if (name.len == 0)
        return;
    note(s, FACT_NODE, name, bytes_of("", 0));
    if (s->m->kind == MSG_WORKER)
        software(s, name);
}

/* hello and ping say nothing of who controls whom: every worker says hello. */
static void control(struct seen *s)
{
    struct bytes method = msg_text(s->m, F_CONTROL_METHOD);

    if (s->m->dir == TO_SERVER && method.len > 0 && !bytes_eq(method, "hello"))
        note(s, FACT_CONTROLLER, bytes_of("", 0), method);
}

static void consumes(struct seen *s, struct bytes queue)
{
    queue = name_without_priority(queue);
    if (queue.len > 0 && name_use(queue) == NAME_TASKS)
        note(s, FACT_CONSUMER, queue, bytes_of("", 0));
    else if (queue.len > 0 && name_use(queue) == NAME_EVENTS)
        note(s, FACT_LISTENER, bytes_of("", 0), bytes_of("", 0));
}

static void command(struct seen *s)
{
    const struct msg *m = s->m;
    struct bytes name = msg_text(m, F_REDIS_COMMAND), channel = msg_text(m, F_REDIS_CHANNEL);

    if (m->dir != TO_SERVER)
        return;
    if (msg_is(m, F_AMQP_METHOD, "basic.consume") || msg_is(m, F_AMQP_METHOD, "basic.get"))
        consumes(s, msg_text(m, F_AMQP_QUEUE));
    else if (bytes_eq(name, "BRPOP") || bytes_eq(name, "BLPOP") || bytes_eq(name, "RPOP"))
        consumes(s, msg_text(m, F_REDIS_KEY));
    else if ((bytes_eq(name, "PSUBSCRIBE") || bytes_eq(name, "SUBSCRIBE")) &&
             bytes_find(channel, "celeryev"))
        note(s, FACT_LISTENER, bytes_of("", 0), bytes_of("", 0));
}

bool inventory_wants_envelope(const struct msg *m)
{
    struct bytes key = msg_text(m, F_REDIS_KEY);

    return (m->op == OP_STORE || m->op == OP_PUBLISH) && m->dir == TO_SERVER &&
           bytes_find(key, "redbeat:");
}

void inventory_note(struct inventory *v, const struct msg *m)
{
    struct seen s;

    begin(&s, v, m);
    if (msg_has(m, F_IMPORTS))
        imports(&s);
    node(&s);
    switch (m->kind) {
    case MSG_PEER: peer(&s); break;
    case MSG_LOGIN: login(&s); break;
    case MSG_TASK: task(&s); break;
    case MSG_CONTROL: control(&s); break;
    case MSG_COMMAND: command(&s); break;
    case MSG_ENVELOPE:
        if (inventory_wants_envelope(m))
            note(&s, FACT_SCHEDULER, bytes_of("", 0), bytes_of("", 0));
        break;
    default: break;
    }
}
