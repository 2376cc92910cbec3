/* tests/fuzz/apps/apps.c - an envelope of either broker through unwrapping and all
 * interpreters. The first four bytes say how it travelled:
 *
 *     0   bit 0: AMQP; bits 1-3: what happens to it; bit 4: it is clipped
 *     1   where: exchange, or key and command, out of a table
 *     2   AMQP: the declared content type, out of a table
 *     3   AMQP: length of the headers, as JSON, times four; the body follows them */
#include "dissectors/apps/tree.h"
#include "tests/apps/door.h"
#include "tests/apps/same_tree.h"

static const char *const types[] = {
    "application/json",   "application/x-python-serialize",
    "application/x-yaml", "application/x-msgpack",
    "application/data",   "",
};

static const char *const exchanges[] = {
    "", "celery", "celeryev", "celery.pidbox", "reply.celery.pidbox", "celery_delayed_27",
};

static const struct {
    const char *command, *key;
} keys[] = {
    {"LPUSH", "celery"},
    {"HSET", "unacked"},
    {"SETEX", "celery-task-meta-1db90e87-0000-4000-8000-000000000001"},
    {"ZADD", "celery-taskset-meta-g.j"},
    {"BRPOP", "oid.reply.celery.pidbox\x06\x16"
              "3"},
    {"HSET", "rq:job:1"},
    {"ZADD", "huey.redis.x"},
    {"EVALSHA", "dramatiq"},
    {"PSETEX", "arq:job:1"},
    {"SET", ":1:flask_cache_"},
};

#define PICK(table, n) (table)[(n) % (sizeof(table) / sizeof((table)[0]))]

static struct bytes text(const char *s)
{
    return bytes_of(s, strlen(s));
}

static void read_headers(struct headers *out, struct bytes json, struct arena *arena)
{
    struct reader r;
    struct token t;

    *out = (struct headers){0};
    reader_begin(&r, WHAT_JSON, json, true, arena);
    if (reader_next(&r, &t) && t.kind == TOKEN_MAP)
        tree_read(&r, out, arena);
}

static void enter_amqp(struct door *d, struct msg *m, const uint8_t *how, struct bytes in)
{
    struct bytes json = bytes_cut(&in, (size_t)how[3] * 4);
    struct headers headers;

    read_headers(&headers, json, d->arena);
    fields_num(&m->fields, F_AMQP_CHANNEL, 1);
    fields_str(&m->fields, F_AMQP_METHOD, "basic.publish");
    fields_str(&m->fields, F_AMQP_EXCHANGE, PICK(exchanges, how[1]));
    fields_str(&m->fields, F_AMQP_ROUTING_KEY, "celery");
    m->headers = m->properties = &headers;
    m->content->type = text(PICK(types, how[2]));
    m->content->compression = header_text(headers_find(&headers, "compression"));
    m->content->body = in;
    door_enter(d, m);
}

/* The quick way over an object must not differ from the reader. */
static void compare(struct arena *arena, struct bytes in)
{
    bool accepted;

    if (in.len > 0 && !same_tree(bytes_of(in.at + 1, in.len - 1), arena, &accepted))
        abort();
}

static void enter_redis(struct door *d, struct msg *m, const uint8_t *how, struct bytes in)
{
    bool channel = m->op == OP_PUBLISH && (how[1] & 0x80);

    fields_str(&m->fields, F_REDIS_COMMAND, channel ? "PUBLISH" : PICK(keys, how[1]).command);
    fields_str(&m->fields, channel ? F_REDIS_CHANNEL : F_REDIS_KEY,
               how[1] == 0xff ? "/0.celery.pidbox"
               : channel      ? "/0.celeryev/worker.heartbeat"
                              : PICK(keys, how[1]).key);
    fields_str(&m->fields, F_REDIS_FIELD, "data");
    m->content->body = in;
    compare(d->arena, in);
    door_enter(d, m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct top_pair top[] = {
        {.key = {(const uint8_t *)"task", 4}, .value = {(const uint8_t *)"lab.add", 7}},
        {.key = {(const uint8_t *)"id", 2}, .value = {(const uint8_t *)"17", 2}},
        {.key = {(const uint8_t *)"method", 6}, .value = {(const uint8_t *)"ping", 4}},
        {.key = {(const uint8_t *)"status", 6}, .value = {(const uint8_t *)"FAILURE", 7}},
    };
    struct door d = {.arena = arena_new(8u << 20), .top = top, .n_top = size & 3};
    struct content content = {0};
    struct msg m;

    if (size < 4 || !d.arena)
        goto end;
    msg_init(&m, MSG_ENVELOPE, "published");
    m.op = (enum op)(data[0] >> 1 & 7);
    m.content = &content;
    content.clipped = data[0] >> 4 & 1;
    content.wire_len = size - 4;
    if (data[0] & 1)
        enter_amqp(&d, &m, data, bytes_of(data + 4, size - 4));
    else
        enter_redis(&d, &m, data, bytes_of(data + 4, size - 4));
end:
    arena_free(d.arena);
    return 0;
}
