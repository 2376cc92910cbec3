/* signatures/route.c - see route.h. */
#include "signatures/route.h"

#define DELAY_BITS 28u

static bool is_delay(struct bytes key)
{
    if (key.len <= 2 * DELAY_BITS)
        return false;
    for (size_t i = 0; i < 2 * DELAY_BITS; i += 2)
        if ((key.at[i] != '0' && key.at[i] != '1') || key.at[i + 1] != '.')
            return false;
    return true;
}

struct bytes route_key(const struct msg *m)
{
    struct bytes key = msg_text(m, F_TASK_ROUTING_KEY);

    while (is_delay(key))
        bytes_cut(&key, 2 * DELAY_BITS);
    return key;
}

struct bytes route_queue(const struct msg *m)
{
    struct bytes queue = msg_text(m, F_TASK_QUEUE);

    return queue.len > 0 ? queue : route_key(m);
}
