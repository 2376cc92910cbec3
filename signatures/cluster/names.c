/* signatures/cluster/names.c - see names.h. */
#include "signatures/cluster/names.h"

struct bytes name_without_priority(struct bytes key)
{
    size_t n = key.len;

    while (n > 0 && key.at[n - 1] >= '0' && key.at[n - 1] <= '9')
        n--;
    if (n == key.len || n < 2 || key.at[n - 2] != 0x06 || key.at[n - 1] != 0x16)
        return key;
    return bytes_head(key, n - 2);
}

static bool is_uuid(struct bytes name)
{
    if (name.len != 36)
        return false;
    for (size_t i = 0; i < 36; i++) {
        uint8_t c = name.at[i];
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');

        if (dash ? c != '-' : !hex)
            return false;
    }
    return true;
}

enum name_use name_use(struct bytes name)
{
    name = name_without_priority(name);
    if (name_ends(name, ".pidbox"))
        return name_starts(name, "reply.") || bytes_find(name, ".reply.") ? NAME_REPLIES
                                                                          : NAME_MAILBOX;
    if (name_ends(name, "celeryev") || name_starts(name, "celeryev."))
        return NAME_EVENTS;
    if (is_uuid(name))
        return NAME_REPLIES;
    if (bytes_find(name, "_kombu.binding") || name_ends(name, "unacked") ||
        name_ends(name, "unacked_index") || name_ends(name, "unacked_mutex"))
        return NAME_KOMBU;
    if (bytes_find(name, "celery-task-meta-") || bytes_find(name, "celery-taskset-meta-"))
        return NAME_RESULTS;
    return NAME_TASKS;
}

struct bytes name_node(struct bytes mailbox)
{
    struct bytes none = {0};
    size_t n;

    if (name_use(mailbox) != NAME_MAILBOX)
        return none;
    for (n = mailbox.len - strlen(".pidbox"); n > 0 && mailbox.at[n - 1] != '.'; n--)
        ;
    return n > 1 ? bytes_head(mailbox, n - 1) : none;
}
