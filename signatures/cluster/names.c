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

struct bytes name_without_number(struct bytes name)
{
    size_t n = name.len, end;

    while (n > 0 && name.at[n - 1] >= '0' && name.at[n - 1] <= '9')
        n--;
    for (end = n; end > 0 && strchr(":-_./|#", name.at[end - 1]) && name.at[end - 1] != 0;)
        end--;
    return n < name.len && end > 0 && end < n ? bytes_head(name, end) : name;
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

static struct bytes without(struct bytes name, const char *end)
{
    return name_ends(name, end) ? bytes_head(name, name.len - strlen(end)) : name;
}

/* The name before ".pidbox", of a namespace other than Celery's own. */
static struct bytes namespace(struct bytes name)
{
    struct bytes head = without(name, ".pidbox");
    size_t n = head.len;

    if (head.len == name.len)
        return (struct bytes){0};
    while (n > 0 && head.at[n - 1] != '.')
        n--;
    bytes_cut(&head, n);
    return bytes_eq(head, "celery") ? (struct bytes){0} : head;
}

/* Behind the prefix: "/<db>.", and of a mailbox for replies its caller's id. */
static struct bytes prefix_of(struct bytes head)
{
    size_t n;

    head = without(without(head, "reply."), ".");
    n = head.len;
    if (n >= 36 && is_uuid(bytes_of(head.at + n - 36, 36)))
        return bytes_head(head, n - 36);
    while (n > 0 && head.at[n - 1] >= '0' && head.at[n - 1] <= '9')
        n--;
    return without(bytes_head(head, n), "/");
}

/* An exchange with a name of its own: of a channel, without the routing key. */
static struct bytes exchange_of(struct bytes name)
{
    size_t n = name.len;

    while (n > 0 && name.at[n - 1] != '/')
        n--;
    return n > 0 ? bytes_head(name, n - 1) : name;
}

/* What nearly all events have: "celeryev", "/0.celeryev/<routing key>". */
static inline bool is_plain(struct bytes name)
{
    if (name.len == 8)
        return memcmp(name.at, "celeryev", 8) == 0;
    return name.len > 12 && name.at[0] == '/' && name.at[1] >= '0' && name.at[1] <= '9' &&
           name.at[2] == '.' && memcmp(name.at + 3, "celeryev", 8) == 0 && name.at[11] == '/';
}

__attribute__((noinline)) static struct bytes cluster_in(struct bytes name)
{
    static const char *const common[] = {"_kombu.binding.", "celeryev", "celery.pidbox"};
    struct bytes own = namespace(name);

    for (size_t i = 0; own.len == 0 && i < sizeof common / sizeof *common; i++) {
        struct bytes rest = bytes_after(name, common[i]);

        if (rest.at)
            return prefix_of(bytes_head(name, name.len - rest.len - strlen(common[i])));
    }
    return own.len > 0 || name_ends(name, ".pidbox") ? own : exchange_of(name);
}

struct bytes name_cluster(struct bytes name)
{
    return is_plain(name) ? (struct bytes){0} : cluster_in(name);
}
