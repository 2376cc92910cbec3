/* dissectors/resp/watched.c - see watched.h. */
#include "dissectors/resp/watched.h"

#define QUEUE_NAME_MAX 128u

/* Keys that kombu and redbeat keep their own state under (kombu:transport/redis.py,
 * redbeat:redbeat/schedulers.py), whatever prefix they have. */
static bool key_is_celerys(struct bytes key)
{
    return bytes_find(key, "unacked") || bytes_find(key, "_kombu.binding") ||
           bytes_find(key, "redbeat:");
}

static bool ends(struct bytes key, const char *end)
{
    size_t n = strlen(end);

    return key.len >= n && memcmp(key.at + key.len - n, end, n) == 0;
}

/* celery-task-meta-, celery-taskset-meta-: there are as many of them as of tasks. */
static bool key_is_result(struct bytes key)
{
    return bytes_find(key, "celery-task") && bytes_find(key, "-meta-");
}

/* The next part of a name, up to a colon, which goes with it. */
static struct bytes next_part(struct bytes *left)
{
    const uint8_t *colon = memchr(left->at, ':', left->len);
    struct bytes part = bytes_head(*left, colon ? (size_t)(colon - left->at) : left->len);

    bytes_cut(left, colon ? part.len + 1 : part.len);
    return part;
}

static bool is_digits(struct bytes part)
{
    size_t n = 0;

    while (n < part.len && part.at[n] >= '0' && part.at[n] <= '9')
        n++;
    return n == part.len && n > 0;
}

/* Results and what caches keep (prefix:version:key, thing:id:part) have longer names; a prefix of
 * kombu's may hold colons. */
static bool key_may_be_queue(struct bytes key)
{
    unsigned parts = 0;
    bool number = false;

    if (key.len == 0 || key.len > QUEUE_NAME_MAX || key.at[key.len - 1] == ':' ||
        key_is_result(key))
        return false;
    for (; key.len > 0; parts++)
        number |= is_digits(next_part(&key));
    return parts <= 2 || !number;
}

/* Whether one of the keys that the command writes is. */
static bool name_is_watched(const struct request *r)
{
    const struct command *c = r->command;
    uint32_t i = c->keys == KEYS_RANGE ? c->first : c->values == VALUES_MSETEX ? 2 : 1;
    struct command_layout l;
    struct bytes key;

    if (c->keys == KEYS_STORE) {
        command_lay_out(c, r->at, r->n, r->total, &l);
        return l.key_extra > 0;
    }
    do {
        key = request_arg(r, i);
        if (key_may_be_queue(key) || key_is_celerys(key))
            return true;
        i += 2;
    } while (command_writes_many(c) && i < r->total);
    return false;
}

/* What kombu and redbeat write in the same way comes first, and with each task. */
static bool other_is_watched(const struct command *c, struct bytes key)
{
    const char *own = c->name[0] == 'H' ? "unacked" : "unacked_index"; /* of ZADD */

    if (c->name[0] != 'S' && ends(key, own))
        return false;
    return (key_may_be_queue(key) || key_is_celerys(key)) && !bytes_find(key, "redbeat:");
}

bool watched_key(const struct request *r)
{
    unsigned flags = r->command->flags;

    if ((flags & COMMAND_KEY_WATCH) && key_is_celerys(request_key(r)))
        return true;
    if ((flags & COMMAND_RESULT_WATCH) && key_is_result(request_arg(r, r->command->first)))
        return true;
    if (flags & COMMAND_NAME_WATCH)
        return name_is_watched(r);
    if ((flags & COMMAND_OTHER_WATCH) && other_is_watched(r->command, request_arg(r, 1)))
        return true;
    return (flags & COMMAND_SETTLES) && bytes_find(request_arg(r, 1), "redbeat:");
}

/* Milliseconds of packet time, for differences; never 0. */
static uint32_t now_of(const struct feed *f)
{
    return (uint32_t)(f->chunk->at.ns / 1000000) | 1u;
}

static bool is_due(uint32_t told, uint32_t now)
{
    return told == 0 || now - told >= SETTLES_NS / 1000000;
}

enum watched_turn watched_turn(const struct feed *f, const struct request *r)
{
    const struct resp_conn *conn = f->conn;
    uint32_t now = now_of(f);
    unsigned flags = r->command->flags;

    if ((flags & COMMAND_SETTLES) && !(flags & COMMAND_INDEXES) && is_due(conn->settled, now)) {
        struct bytes key = request_arg(r, 1);
        return bytes_find(key, "unacked") && !bytes_find(key, "unacked_index") ? TURN_SETTLES
                                                                               : TURN_NONE;
    }
    if ((flags & COMMAND_INDEXES) && is_due(conn->indexed, now) &&
        ends(request_arg(r, 1), "unacked_index"))
        return TURN_INDEXES;
    return TURN_NONE;
}

void watched_told(struct feed *f, enum watched_turn turn)
{
    if (turn == TURN_SETTLES)
        f->conn->settled = now_of(f);
    else if (turn == TURN_INDEXES)
        f->conn->indexed = now_of(f);
}
