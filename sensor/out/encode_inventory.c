/* out/encode_inventory.c - see encode_inventory.h. */
#include "out/encode_inventory.h"

#include "out/encoder.h"
#include "out/tree.h"

struct state {
    struct tree tree;
    struct encoder *e;
    const struct encode_inventory *in;
    json_t *clipped; /* paths of lists that were cut; NULL: none */
};

/* What tells this thing from all others; no text of a user stands in it as it is. */
static void put_key(const struct encode_inventory *in, struct text *key)
{
    char ip[INET6_ADDRSTRLEN];
    struct bytes address = in->has_name ? bytes_of("", 0) : in->addresses;

    flow_text_ip(&in->server, ip);
    text_str(key, ip);
    TEXT_LITERAL(key, " ");
    text_u64(key, in->server.port);
    TEXT_LITERAL(key, " ");
    text_u64(key, in->network);
    TEXT_LITERAL(key, " ");
    text_hex(key, in->place);
    TEXT_LITERAL(key, " ");
    text_hex(key, in->name);
    TEXT_LITERAL(key, " ");
    text_hex(key, address);
    text_put(key, "", 1);
}

static void put_event(struct state *s)
{
    const struct encode_inventory *in = s->in;
    const char *dataset = emit_dataset(EMIT_INVENTORY);
    struct tree *t = &s->tree;
    struct text key = {0};
    char id[33];

    put_key(in, &key);
    t->bad |= key.bad;
    encode_digest(s->e, dataset, in->what, in->at_ns, key.bad ? "" : key.at, "", 0, 0, id);
    text_free(&key);
    tree_time(t, "@timestamp", &s->e->clock, in->at_ns);
    tree_str(t, "ecs.version", ECS_VERSION);
    tree_str(t, "event.kind", "state");
    tree_words(t, "event.category", "network");
    tree_words(t, "event.type", "info");
    tree_str(t, "event.id", id);
    tree_str(t, "event.action", in->what);
    tree_str(t, "event.dataset", dataset);
    tree_time(t, "event.start", &s->e->clock, in->first_ns);
    tree_time(t, "event.end", &s->e->clock, in->last_ns);
}

static void put_text(struct state *s, const char *path, struct bytes text)
{
    bool cut = false;

    text = redact_urls(&s->e->redact, text);
    tree_text(&s->tree, path, text_clip(text, s->e->conf.max_text, &cut));
}

static void put_list(struct state *s, const char *path, struct bytes list)
{
    json_t *out, *count;
    struct bytes item;
    size_t n = 0;
    char path_of_count[96];

    if (list.len == 0)
        return;
    out = json_array();
    while (list_next(&list, &item))
        if (n++ < ENCODE_LIST_MAX &&
            json_array_append_new(out, tree_string(&s->tree, redact_urls(&s->e->redact, item))) !=
                0)
            s->tree.bad = true;
    tree_put(&s->tree, path, out);
    if (n <= ENCODE_LIST_MAX)
        return;
    snprintf(path_of_count, sizeof path_of_count, "%s_count", path);
    count = json_integer((json_int_t)n);
    tree_put(&s->tree, path_of_count, count);
    if (!s->clipped)
        s->clipped = json_array();
    json_array_append_new(s->clipped, json_string_nocheck(path));
}

static void put_place(struct state *s)
{
    const struct encode_inventory *in = s->in;
    struct tree *t = &s->tree;
    char ip[INET6_ADDRSTRLEN];

    flow_text_ip(&in->server, ip);
    tree_str(t, "server.ip", ip);
    tree_num(t, "server.port", in->server.port);
    tree_str(t, "network.transport", "tcp");
    tree_str(t, "network.protocol", in->proto);
    if (strcmp(in->what, "worker") == 0 && in->name.len > 0)
        put_text(s, "celery.worker.hostname", in->name);
    if (in->place.len > 0 && strcmp(in->proto, "amqp") == 0)
        put_text(s, "amqp.vhost", in->place);
    else if (in->place.len > 0 && in->place.len < 12) {
        char number[12] = "";

        memcpy(number, in->place.at, in->place.len);
        tree_num(t, "redis.database", strtoll(number, NULL, 10));
    }
}

static void put_coverage(struct state *s)
{
    json_t *list = json_array();

    if (s->in->coverage == COVER_COMPLETE)
        json_array_append_new(list, json_string("complete"));
    for (unsigned bit = COVER_CLIPPED; bit <= COVER_ONE_WAY; bit <<= 1)
        if (s->in->coverage & bit)
            json_array_append_new(list, json_string(encode_coverage_name(bit)));
    tree_put(&s->tree, "celeriac.coverage", list);
}

static void put_thing(struct state *s)
{
    const struct encode_inventory *in = s->in;

    tree_str(&s->tree, "celeriac.inventory.what", in->what);
    if (in->has_name)
        put_text(s, "celeriac.inventory.name", in->name);
    put_list(s, "celeriac.inventory.addresses", in->addresses);
    put_list(s, "celeriac.inventory.users", in->users);
    put_list(s, "celeriac.inventory.tasks", in->tasks);
    put_list(s, "celeriac.inventory.queues", in->queues);
    put_list(s, "celeriac.inventory.commands", in->commands);
    put_list(s, "celeriac.inventory.modules", in->modules);
    put_list(s, "celeriac.inventory.versions", in->versions);
    put_list(s, "celeriac.inventory.places", in->places);
    tree_u64(&s->tree, "celeriac.inventory.messages", in->count);
    put_coverage(s);
    if (s->clipped)
        tree_put(&s->tree, "celeriac.clipped", s->clipped);
}

bool encode_inventory(struct encoder *e, const struct encode_inventory *in, struct record *out)
{
    struct state s = {.e = e, .in = in};

    tree_begin(&s.tree, &e->scratch);
    put_event(&s);
    put_place(&s);
    tree_observer(&s.tree, e->conf.observer_name);
    put_thing(&s);
    *out = (struct record){.kind = EMIT_INVENTORY};
    if (!tree_end(&s.tree, &e->out))
        return false;
    out->text = text_view(&e->out);
    return true;
}
