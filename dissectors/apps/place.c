/* dissectors/apps/place.c - see place.h. */
#include "dissectors/apps/place.h"

#include "dissectors/apps/text.h"

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Behind the first "/<digits>."; the whole channel if there is none (fanout_prefix off). */
static struct bytes without_database(struct bytes channel)
{
    struct bytes left = channel;

    for (;;) {
        size_t slash = text_find(left, "/"), n = slash + 1;

        if (slash == left.len)
            return channel;
        while (n < left.len && is_digit(left.at[n]))
            n++;
        if (n > slash + 1 && n < left.len && left.at[n] == '.')
            return text_after(left, n + 1);
        left = text_after(left, slash + 1);
    }
}

struct bytes place_exchange(struct bytes channel)
{
    struct bytes rest = without_database(channel);

    return bytes_head(rest, text_find(rest, "/"));
}

struct bytes place_queue(struct bytes key)
{
    size_t n = key.len;

    while (n > 0 && is_digit(key.at[n - 1]))
        n--;
    if (n == key.len || n < 2 || key.at[n - 2] != 0x06 || key.at[n - 1] != 0x16)
        return key;
    return bytes_head(key, n - 2);
}

static bool is_word(uint8_t c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}

struct bytes place_queue_of(struct bytes key, struct bytes queue, int64_t priority)
{
    size_t n = key.len, end;
    int64_t step = 0;

    while (n > 0 && is_digit(key.at[n - 1]))
        n--;
    for (size_t i = n; i < key.len && step <= priority; i++)
        step = step * 10 + (key.at[i] - '0');
    for (end = n; end > 0 && !is_word(key.at[end - 1]);)
        end--;
    if (n == key.len || end == n || step == 0 || step > priority || queue.len == 0 ||
        end < queue.len || memcmp(key.at + end - queue.len, queue.at, queue.len) != 0)
        return place_queue(key);
    return bytes_head(key, end);
}

static enum place place_of_mailbox(struct bytes name)
{
    bool reply = text_starts(name, "reply.") || text_find(name, ".reply.") < name.len;

    return reply ? PLACE_REPLY : PLACE_CONTROL;
}

static enum place place_of_name(struct bytes name, bool exchange)
{
    if (text_ends(name, ".pidbox"))
        return place_of_mailbox(name);
    if (exchange ? text_ends(name, "celeryev") : text_starts(name, "celeryev."))
        return PLACE_EVENTS;
    return PLACE_ANY;
}

/* The keys of a header CC or BCC; NULL: it is another one. */
static const struct header *keys_in(const struct header *h)
{
    return header_has_copies(h) ? h->child : NULL;
}

static unsigned places_of_copies(const struct headers *in)
{
    unsigned places = PLACE_ANY;

    for (const struct header *h = in->first; h; h = h->next)
        for (const struct header *key = keys_in(h); key; key = key->next)
            places |= place_of_name(header_text(key), false);
    return places;
}

static unsigned place_of_exchange(struct bytes name)
{
    unsigned place = place_of_name(name, true);

    if (place != PLACE_ANY && (bytes_eq(name, "celeryev") || bytes_eq(name, "celery.pidbox")))
        place |= PLACE_USUAL;
    return place;
}

static unsigned places_of_amqp(const struct msg *m, struct bytes exchange)
{
    unsigned places = exchange.len > 0 ? place_of_exchange(exchange)
                                       : place_of_name(msg_text(m, F_AMQP_ROUTING_KEY), false);

    if (m->op == OP_DELIVER && places == PLACE_ANY)
        places = place_of_name(msg_text(m, F_AMQP_QUEUE), false);
    if (m->headers && m->headers->copies)
        places = (places | places_of_copies(m->headers)) & ~(unsigned)PLACE_USUAL;
    return places;
}

unsigned places_of(const struct msg *m)
{
    const union field_value *exchange = msg_find(m, F_AMQP_EXCHANGE);
    unsigned place;

    if (exchange)
        return places_of_amqp(m, exchange->text);
    if (!msg_has(m, F_REDIS_CHANNEL))
        return place_of_name(place_queue(msg_text(m, F_REDIS_KEY)), false);
    place = place_of_name(place_exchange(msg_text(m, F_REDIS_CHANNEL)), true);
    return place == PLACE_ANY ? PLACE_ANY : place | PLACE_USUAL;
}

/* A dead letter goes by the exchange that its queue was declared with. */
bool place_is_astray(const struct msg *m)
{
    struct bytes queue = msg_text(m, F_AMQP_QUEUE), exchange = msg_text(m, F_AMQP_EXCHANGE);
    struct bytes key = msg_text(m, F_AMQP_ROUTING_KEY);

    bool named = exchange.len > 0, kombus = named && place_of_name(exchange, true) == PLACE_CONTROL;

    if (m->op != OP_DELIVER)
        return false;
    if (kombus)
        return headers_find(m->headers, "x-death") != NULL;
    return place_of_name(queue, false) == PLACE_CONTROL && (named || !text_same(key, queue));
}

/* Has a queue that it is put into, or taken from, such a name? */
static bool is_queue(const struct msg *m, bool (*test)(struct bytes name))
{
    if (m->headers && m->headers->copies && place_is_amqp(m))
        for (const struct header *h = m->headers->first; h; h = h->next)
            for (const struct header *key = keys_in(h); key; key = key->next)
                if (test(header_text(key)))
                    return true;
    return test(msg_text(m, F_AMQP_ROUTING_KEY)) || test(msg_text(m, F_AMQP_QUEUE)) ||
           test(place_queue(msg_text(m, F_REDIS_KEY)));
}

static bool is_default(struct bytes name)
{
    return bytes_eq(name, "celery");
}

static bool is_uuid(struct bytes name)
{
    bool like = name.len == 36;

    for (size_t i = 0; i < name.len && like; i++) {
        uint8_t c = name.at[i];
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        like = dash ? c == '-' : is_digit(c) || (c >= 'a' && c <= 'f');
    }
    return like;
}

bool place_has_tasks(const struct msg *m)
{
    return is_queue(m, is_default);
}

bool place_has_results(const struct msg *m)
{
    return is_queue(m, is_uuid);
}
