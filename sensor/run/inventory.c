/* run/inventory.c - see inventory.h. One thing is what facts of the same kind say of one name (or,
 * where there is none, address) on one broker and place; a worker takes its queues and its software
 * from facts of other kinds. */
#include "run/inventory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out/encode_inventory.h"
#include "out/flow_text.h"
#include "run/facts_index.h"

static const char *const whats[FACT_KINDS] = {
    [FACT_BROKER] = "broker",       [FACT_CLIENT] = "client",     [FACT_USER] = "user",
    [FACT_QUEUE] = "queue",         [FACT_IMPORT] = "import",     [FACT_PRODUCER] = "producer",
    [FACT_NODE] = "worker",         [FACT_CONSUMER] = "consumer", [FACT_CONTROLLER] = "controller",
    [FACT_SCHEDULER] = "scheduler", [FACT_LISTENER] = "monitor",
};

/* Texts that become a packed list. */
struct words {
    struct bytes *at;
    size_t n, room;
    uint8_t *packed;
    size_t packed_room;
};

enum { ADDRESSES, USERS, ITEMS, QUEUES, VERSIONS, PLACES, LISTS };

struct scribe {
    struct facts_index index;
    int64_t now;
    struct encoder *encoder;
    struct outputs *outputs;
    struct words lists[LISTS];
    char (*ips)[INET6_ADDRSTRLEN]; /* of each fact */
};

static void add(struct words *w, struct bytes text)
{
    if (text.len == 0)
        return;
    if (w->n == w->room) {
        size_t room = w->room > 0 ? 2 * w->room : 64;
        struct bytes *more = realloc(w->at, room * sizeof *more);

        if (!more)
            return;
        w->at = more;
        w->room = room;
    }
    w->at[w->n++] = text;
}

static int order_text(const void *x, const void *y)
{
    const struct bytes *a = x, *b = y;
    size_t n = a->len < b->len ? a->len : b->len;
    int order = n > 0 ? memcmp(a->at, b->at, n) : 0;

    return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

static bool room_for(struct words *w)
{
    size_t need = 0;
    uint8_t *more;

    for (size_t i = 0; i < w->n; i++)
        need += sizeof(uint32_t) + w->at[i].len;
    if (need <= w->packed_room)
        return true;
    more = realloc(w->packed, need);
    if (!more)
        return false;
    w->packed = more;
    w->packed_room = need;
    return true;
}

/* Sorted, each once; the words are gone then. */
static struct bytes pack(struct words *w)
{
    size_t used = 0;

    if (w->n > 1)
        qsort(w->at, w->n, sizeof *w->at, order_text);
    for (size_t i = 0; room_for(w) && i < w->n; i++) {
        uint32_t len = (uint32_t)w->at[i].len;

        if (i > 0 && order_text(&w->at[i - 1], &w->at[i]) == 0)
            continue;
        memcpy(w->packed + used, &len, sizeof len);
        memcpy(w->packed + used + sizeof len, w->at[i].at, len);
        used += sizeof len + len;
    }
    w->n = 0;
    return bytes_of(w->packed, used);
}

static bool same_text(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* Neither the vhosts of a broker nor the addresses of a name make two things of one. */
static bool same_thing(const struct fact *a, const struct fact *b)
{
    bool broker = a->kind == FACT_BROKER;

    if (a->kind != b->kind || !endpoint_same_host(&a->server, &b->server) ||
        a->server.port != b->server.port || a->network != b->network)
        return false;
    if (broker)
        return true;
    if (!same_text(a->place, b->place) || !same_text(a->name, b->name))
        return false;
    return a->kind == FACT_PRODUCER || a->name.len > 0 || endpoint_same_host(&a->who, &b->who);
}

static void add_address(struct scribe *s, const struct fact *f)
{
    char *ip = s->ips[f - s->index.all];

    if (f->who.family == 0)
        return;
    flow_text_ip(&f->who, ip);
    add(&s->lists[ADDRESSES], bytes_of(ip, strlen(ip)));
}

static void add_fact(struct scribe *s, struct encode_inventory *e, const struct fact *f)
{
    add_address(s, f);
    add(&s->lists[USERS], f->user);
    if (f->kind == FACT_BROKER || f->kind == FACT_CLIENT)
        add(&s->lists[VERSIONS], f->item);
    else
        add(&s->lists[ITEMS], f->item);
    if (f->kind == FACT_BROKER)
        add(&s->lists[PLACES], f->place);
    if (f->kind == FACT_BROKER && f->name.len > 0 && !e->has_name) {
        e->name = f->name;
        e->has_name = true;
    }
    e->first_ns = f->first_ns < e->first_ns ? f->first_ns : e->first_ns;
    e->last_ns = f->last_ns > e->last_ns ? f->last_ns : e->last_ns;
    e->count += f->count;
    e->coverage |= f->coverage;
}

static void add_worker(struct scribe *s, const struct fact *first, const struct fact *end)
{
    size_t n;
    const struct fact *runs = facts_software(&s->index, first, &n);

    for (size_t i = 0; i < n; i++)
        add(&s->lists[VERSIONS], runs[i].item);
    for (; first < end; first++) {
        struct fact **queues = facts_consumed(&s->index, first, &n);

        for (size_t i = 0; i < n; i++)
            add(&s->lists[QUEUES], queues[i]->name);
    }
}

static void take_lists(struct scribe *s, struct encode_inventory *e, enum fact_kind kind)
{
    struct bytes items = pack(&s->lists[ITEMS]);

    e->addresses = pack(&s->lists[ADDRESSES]);
    e->users = pack(&s->lists[USERS]);
    e->queues = pack(&s->lists[QUEUES]);
    e->versions = pack(&s->lists[VERSIONS]);
    e->places = pack(&s->lists[PLACES]);
    if (kind == FACT_PRODUCER)
        e->tasks = items;
    else if (kind == FACT_CONTROLLER)
        e->commands = items;
    else if (kind == FACT_IMPORT)
        e->modules = items;
}

static void write_thing(struct scribe *s, const struct fact *first, const struct fact *end)
{
    struct encode_inventory e = {.at_ns = s->now,
                                 .what = whats[first->kind],
                                 .proto = first->proto,
                                 .server = first->server,
                                 .network = first->network,
                                 .first_ns = first->first_ns,
                                 .last_ns = first->last_ns};
    struct record r;

    if (first->kind != FACT_BROKER) {
        e.place = first->place;
        e.name = first->name;
        e.has_name = first->kind == FACT_PRODUCER || first->name.len > 0;
    }
    if (first->kind == FACT_LISTENER && facts_takes(&s->index, first))
        return; /* workers listen to each other */
    for (const struct fact *f = first; f < end; f++)
        add_fact(s, &e, f);
    if (first->kind == FACT_NODE)
        add_worker(s, first, end);
    take_lists(s, &e, first->kind);
    if (encode_inventory(s->encoder, &e, &r))
        outputs_write(s->outputs, &r);
}

static void write_all(struct scribe *s)
{
    const struct fact *all = s->index.all;

    for (size_t i = 0, end = 0; i < s->index.n; i = end) {
        for (end = i + 1; end < s->index.n && same_thing(&all[i], &all[end]); end++)
            ;
        if (all[i].kind != FACT_SOFTWARE)
            write_thing(s, &all[i], all + end);
    }
}

void inventory_write(const struct facts *facts, int64_t now, struct encoder *encoder,
                     struct outputs *outputs)
{
    struct scribe s = {.now = now, .encoder = encoder, .outputs = outputs};

    if (facts_index_open(&s.index, facts)) {
        s.ips = calloc(s.index.n + 1, sizeof *s.ips);
        if (s.ips)
            write_all(&s);
    }
    for (unsigned i = 0; i < LISTS; i++) {
        free(s.lists[i].at);
        free(s.lists[i].packed);
    }
    free(s.ips);
    facts_index_close(&s.index);
}
