/* signatures/cluster/reach.c - see reach.h. A pattern reaches what a name of that kind shows. */
#include "signatures/cluster/reach.h"

#include "signatures/glob.h"

#define PATTERN_MAX 64u /* longer ones are of somebody's own names */

static bool takes(const char *glob, const char *name)
{
    return glob_match(glob, bytes_of(name, strlen(name)));
}

static bool takes_one(const char *glob, const char *const *names)
{
    for (; *names; names++)
        if (takes(glob, *names))
            return true;
    return false;
}

/* As a string; false: it is too long, or no pattern. */
static bool copy(struct bytes pattern, char glob[PATTERN_MAX])
{
    if (pattern.len == 0 || pattern.len >= PATTERN_MAX || memchr(pattern.at, 0, pattern.len))
        return false;
    memcpy(glob, pattern.at, pattern.len);
    glob[pattern.len] = 0;
    return true;
}

static bool takes_all(const char *glob)
{
    return takes(glob, "Q") && takes(glob, "7:z%_") && takes(glob, "~other.name");
}

static enum reach reach_of_keys(struct bytes pattern)
{
    static const char *const names[] = {"celery", "unacked", "_kombu.binding.celery",
                                        "celery-task-meta-75d916e5-cec7-48f1-8809-449c41196fca",
                                        NULL};
    char glob[PATTERN_MAX];

    if (!copy(pattern, glob))
        return REACH_SOME;
    return takes_all(glob) ? REACH_ALL : takes_one(glob, names) ? REACH_CELERYS : REACH_SOME;
}

enum reach reach_of_channels(struct bytes pattern)
{
    static const char *const results[] = {"celery-task-meta-75d916e5-cec7-48f1-8809-449c41196fca",
                                          NULL};
    static const char *const events[] = {"__keyevent@0__:lpush", "__keyspace@0__:celery", NULL};
    char glob[PATTERN_MAX];

    if (!copy(pattern, glob))
        return REACH_SOME;
    if (takes_all(glob))
        return REACH_ALL;
    return takes_one(glob, results) || (*glob == '_' && takes_one(glob, events)) ? REACH_CELERYS
                                                                                 : REACH_SOME;
}

static bool is_word(struct bytes b, const char *small)
{
    size_t n = strlen(small), i = 0;

    if (b.len != n)
        return false;
    while (i < n && (b.at[i] | 0x20) == (uint8_t)small[i])
        i++;
    return i == n;
}

static enum reach of_scan(const struct args *a)
{
    for (uint32_t i = 2; i + 1 < a->n; i++)
        if (is_word(a->at[i], "match") && !bytes_eq(a->at[i + 1], "*"))
            return reach_of_keys(a->at[i + 1]);
    return REACH_SOME;
}

/* BY pattern, GET pattern, GET pattern->field. Of `*` the elements say what is read. */
static enum reach of_sort(const struct args *a)
{
    for (uint32_t i = 2; i + 1 < a->n; i++) {
        struct bytes pattern = a->at[i + 1];
        const uint8_t *field = bytes_find(pattern, "->");

        if (!is_word(a->at[i], "get") && !is_word(a->at[i], "by"))
            continue;
        pattern = bytes_head(pattern, field ? (size_t)(field - pattern.at) : pattern.len);
        if (reach_of_keys(pattern) == REACH_CELERYS)
            return REACH_CELERYS;
    }
    return REACH_SOME;
}

enum reach reach_of_command(const struct msg *m)
{
    struct bytes command;

    if (m->kind != MSG_COMMAND || !m->args)
        return REACH_SOME;
    command = msg_text(m, F_REDIS_COMMAND);
    if (command.len == 0 || *command.at != 'S')
        return REACH_SOME;
    if (bytes_eq(command, "SCAN"))
        return of_scan(m->args);
    return bytes_eq(command, "SORT") || bytes_eq(command, "SORT_RO") ? of_sort(m->args)
                                                                     : REACH_SOME;
}
