/* dissectors/resp/layout.c - which arguments of a request are keys and values. */
#include "dissectors/resp/command.h"
#include "dissectors/resp/foothold.h"

/* The count that stands at argument i; -1: none. */
static int64_t number_at(const struct bytes *args, uint32_t n, uint32_t i)
{
    int64_t v;

    return i < n && resp_number(args[i], &v) && v >= 0 ? v : -1;
}

static bool word_at(const struct bytes *args, uint32_t n, uint32_t i, const char *word)
{
    return i < n && bytes_eq_case(args[i], word);
}

static bool one_of(const struct bytes *args, uint32_t n, uint32_t i, const char *const words[])
{
    for (; *words; words++)
        if (word_at(args, n, i, *words))
            return true;
    return false;
}

/* Where the word stands, from `from` on; 0: nowhere. */
static uint32_t find_word(const struct bytes *args, uint32_t n, uint32_t from, const char *word)
{
    for (uint32_t i = from; i < n; i++)
        if (bytes_eq_case(args[i], word))
            return i;
    return 0;
}

static void set_keys(struct command_layout *l, uint32_t from, uint64_t end, uint32_t total)
{
    l->keys_from = from;
    l->keys_end = end < total ? (uint32_t)end : total;
    if (l->keys_end <= l->keys_from)
        l->keys_from = l->keys_end = 0;
}

static void counted(const struct bytes *args, uint32_t n, uint32_t total, uint32_t at,
                    struct command_layout *l)
{
    int64_t count = number_at(args, n, at);

    if (count > 0)
        set_keys(l, at + 1, at + 1 + (uint64_t)count, total);
}

static void range(const struct command *c, uint32_t total, struct command_layout *l)
{
    int64_t last = c->last < 0 ? (int64_t)total + c->last : c->last;

    if (last >= c->first)
        set_keys(l, c->first, (uint64_t)last + 1, total);
}

static void streams(const struct command *c, const struct bytes *args, uint32_t n, uint32_t total,
                    struct command_layout *l)
{
    uint32_t at = find_word(args, n, c->first, "STREAMS");

    if (at > 0)
        set_keys(l, at + 1, at + 1 + (total - at - 1) / 2, total);
}

/* MIGRATE host port key|"" database timeout [COPY] [REPLACE] [AUTH ..] [KEYS key ...] */
static void migrate(const struct bytes *args, uint32_t n, uint32_t total, struct command_layout *l)
{
    uint32_t at = n > 3 && args[3].len == 0 ? find_word(args, n, 6, "KEYS") : 0;

    if (at > 0)
        set_keys(l, at + 1, total, total);
    else
        set_keys(l, 3, 4, total);
}

static void store(const struct bytes *args, uint32_t n, uint32_t total, struct command_layout *l)
{
    uint32_t at = find_word(args, n, 2, "STORE");

    if (at == 0)
        at = find_word(args, n, 2, "STOREDIST");
    set_keys(l, 1, 2, total);
    l->key_extra = at > 0 && at + 1 < total ? at + 1 : 0;
}

/* The ways in which keys stand that are not fixed. */
static void lay_out_keys(const struct command *c, const struct bytes *args, uint32_t n,
                         uint32_t total, struct command_layout *l)
{
    switch (c->keys) {
    case KEYS_COUNTED: counted(args, n, total, c->first, l); break;
    case KEYS_DEST_COUNTED:
        counted(args, n, total, c->first, l);
        l->key_extra = total > 1 ? 1 : 0;
        break;
    case KEYS_STREAMS: streams(c, args, n, total, l); break;
    case KEYS_MIGRATE: migrate(args, n, total, l); break;
    case KEYS_STORE: store(args, n, total, l); break;
    default: break;
    }
}

static void set_values(struct command_layout *l, uint32_t from, uint64_t end, uint8_t step,
                       uint32_t total)
{
    l->values_from = from;
    l->values_end = end < total ? (uint32_t)end : total;
    l->values_step = step;
    if (l->values_end <= from)
        l->values_from = l->values_end = 0;
}

/* Past the options at the front. */
static uint32_t past(const struct bytes *args, uint32_t n, uint32_t from, const char *const words[])
{
    while (one_of(args, n, from, words))
        from++;
    return from;
}

/* redis:src/t_stream.c:streamParseAddOrTrimArgsOrReply */
static uint32_t past_trimming(const struct bytes *args, uint32_t n, uint32_t i)
{
    static const char *const alone[] = {"NOMKSTREAM", "KEEPREF", "DELREF", "ACKED", NULL};
    static const char *const trim[] = {"MAXLEN", "MINLEN", NULL};

    for (;;) {
        if (one_of(args, n, i, alone))
            i++;
        else if (one_of(args, n, i, trim))
            i += word_at(args, n, i + 1, "=") || word_at(args, n, i + 1, "~") ? 3 : 2;
        else if (word_at(args, n, i, "LIMIT"))
            i += 2;
        else
            return i;
    }
}

/* `FIELDS n field value ...`, behind options. */
static void hsetex(const struct bytes *args, uint32_t n, uint32_t total, struct command_layout *l)
{
    uint32_t at = find_word(args, n, 2, "FIELDS");
    int64_t count = at > 0 ? number_at(args, n, at + 1) : -1;

    if (count > 0)
        set_values(l, at + 2, at + 2 + 2 * (uint64_t)count, 2, total);
}

static void msetex(const struct bytes *args, uint32_t n, uint32_t total, struct command_layout *l)
{
    int64_t count = number_at(args, n, 1);

    if (count <= 0)
        return;
    set_values(l, 2, 2 + 2 * (uint64_t)count, 2, total);
    set_keys(l, 2, 2 + 2 * (uint64_t)count, total);
    l->keys_step = 2;
}

/* And values that are not one, or all from one on. */
static void lay_out_values(const struct command *c, const struct bytes *args, uint32_t n,
                           uint32_t total, struct command_layout *l)
{
    static const char *const zadd[] = {"NX", "XX", "GT", "LT", "CH", "INCR", NULL};
    static const char *const geoadd[] = {"NX", "XX", "CH", NULL};

    switch (c->values) {
    case VALUES_FIELDS:
    case VALUES_MSET: set_values(l, c->at, total, 2, total); break;
    case VALUES_ZADD: set_values(l, past(args, n, c->at, zadd), total, 2, total); break;
    case VALUES_XADD: set_values(l, past_trimming(args, n, c->at) + 1, total, 2, total); break;
    case VALUES_GEOADD: set_values(l, past(args, n, c->at, geoadd), total, 3, total); break;
    case VALUES_SCRIPT: set_values(l, l->keys_end > 0 ? l->keys_end : 3, total, 1, total); break;
    case VALUES_HSETEX: hsetex(args, n, total, l); break;
    case VALUES_MSETEX: msetex(args, n, total, l); break;
    default: break;
    }
}

void command_lay_out(const struct command *c, const struct bytes *args, uint32_t n, uint32_t total,
                     struct command_layout *l)
{
    l->keys_from = l->keys_end = l->key_extra = l->values_from = l->values_end = 0;
    l->keys_step = c->step > 0 ? c->step : 1;
    l->values_step = 1;
    if (c->keys == KEYS_RANGE)
        range(c, total, l);
    else if (c->keys != KEYS_NONE)
        lay_out_keys(c, args, n, total, l);
    if (c->values == VALUES_AT)
        set_values(l, c->at, c->at + 1u, 1, total);
    else if (c->values == VALUES_FROM)
        set_values(l, c->at, total, 1, total);
    else if (c->values != VALUES_NONE)
        lay_out_values(c, args, n, total, l);
}

static bool is_key(const struct command_layout *l, uint32_t i)
{
    if (i >= l->keys_from && i < l->keys_end && (i - l->keys_from) % l->keys_step == 0)
        return true;
    return l->key_extra > 0 && i == l->key_extra;
}

/* Of a setting at argument `first`, `first` + 2, ...: its name is shown, and its value, if it is
 * a number. Nothing is behind the name of a credential: what reads like the next name may be the
 * rest of a password with blanks in it. */
static enum command_role setting_role(const struct bytes *args, uint32_t n, uint32_t first,
                                      uint32_t i)
{
    if (i < first)
        return ROLE_OTHER;
    for (uint32_t name = first; name < i && name < n; name += 2)
        if (command_setting_is_secret(args[name]))
            return ROLE_SECRET;
    return (i - first) % 2 == 0 ? ROLE_NAME : ROLE_OTHER;
}

/* SET key value IFEQ value: it is compared with what is there, or with a digest of it. */
static bool is_compared(const struct bytes *args, uint32_t n, uint32_t i)
{
    static const char *const words[] = {"IFEQ", "IFNE", "IFDEQ", "IFDNE", NULL};

    return i > 3 && one_of(args, n, i - 1, words);
}

static enum command_role special_role(const struct command *c, const struct bytes *args, uint32_t n,
                                      uint32_t i)
{
    uint32_t at;

    switch (c->act) {
    case ACT_CONFIG_SET: return setting_role(args, n, 2, i);
    case ACT_SENTINEL_SET:
    case ACT_SENTINEL_CONFIG_SET: return setting_role(args, n, 3, i);
    case ACT_HELLO: return i == 1 ? ROLE_OTHER : ROLE_SECRET;
    case ACT_MIGRATE:
        at = find_word(args, n, 6, "AUTH");
        at = at > 0 ? at : find_word(args, n, 6, "AUTH2");
        return at > 0 && i > at ? ROLE_SECRET : ROLE_OTHER;
    default: break;
    }
    if (c->flags & COMMAND_SECRET)
        return ROLE_SECRET;
    return c->reply == REPLY_CONFIG ? ROLE_NAME : ROLE_OTHER;
}

/* How many words of its name are arguments: `CONFIG SET` 1, `SENTINEL CONFIG SET` 2. */
static uint32_t name_words(const struct command *c)
{
    uint32_t n = c->flags & COMMAND_CONTAINER ? 1 : 0;

    for (const char *at = c->name; (at = strchr(at, ' ')); at++)
        n++;
    return n;
}

enum command_role command_role(const struct command *c, const struct command_layout *l,
                               const struct bytes *args, uint32_t n, uint32_t i)
{
    if (c == &command_table[COMMAND_UNKNOWN])
        return ROLE_SECRET;
    if (is_key(l, i))
        return ROLE_KEY;
    if (i >= l->values_from && i < l->values_end) {
        bool last = (i - l->values_from) % l->values_step == l->values_step - 1u;
        bool named =
            c->values == VALUES_FIELDS || c->values == VALUES_XADD || c->values == VALUES_HSETEX;
        return last ? ROLE_VALUE : named ? ROLE_FIELD : ROLE_OTHER;
    }
    if ((c->data > 0 && i >= c->data) || (c->values == VALUES_AT && is_compared(args, n, i)))
        return ROLE_VALUE;
    if (c->channels == CHANNELS_ALL || (c->channels == CHANNELS_FIRST && i == 1))
        return ROLE_NAME;
    if (i <= name_words(c) && c->name[0])
        return (c->flags & COMMAND_CONTAINER) && i < n && !command_has_word(c, args[i])
                   ? ROLE_SECRET
                   : ROLE_NAME;
    return special_role(c, args, n, i);
}
