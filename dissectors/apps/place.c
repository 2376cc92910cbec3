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

enum place place_of(const struct msg *m)
{
    const union field_value *exchange = msg_find(m, F_AMQP_EXCHANGE);

    if (exchange && exchange->text.len > 0)
        return place_of_name(exchange->text, true);
    if (exchange)
        return place_of_name(msg_text(m, F_AMQP_ROUTING_KEY), false);
    if (msg_has(m, F_REDIS_CHANNEL))
        return place_of_name(place_exchange(msg_text(m, F_REDIS_CHANNEL)), true);
    return place_of_name(place_queue(msg_text(m, F_REDIS_KEY)), false);
}
