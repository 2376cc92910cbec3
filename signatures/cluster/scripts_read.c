/* signatures/cluster/scripts_read.c - what a command that runs or loads a script says of it: the
 * SHA-1 by which Redis knows it, the keys and arguments that it is given, and the texts that it is
 * written with. Lua is not parsed: texts in quotes, and what stands next to them. */
#include <openssl/sha.h>

#include "signatures/cluster/names.h"
#include "signatures/cluster/scripts.h"

#define NAME_MAX_BYTES 128u /* of a key, an argument, a text: longer ones name no queue */
#define ITEMS_MAX      32u  /* of keys and arguments, and as many of texts again */
#define ARGS_CUT       256u /* of a command with too many arguments: see struct args */
#define ARGS_CUT_N     64u

/* Changing a list is what a script does to a queue, wherever the word stands. */
static const char *const pushes[] = {
    "lpush", "rpush",  "lpushx",    "rpushx",     "linsert", "lset",
    "lmove", "blmove", "rpoplpush", "brpoplpush", "ltrim",   "lrem",
};
/* These are words of other meaning too: where they are called. */
static const char *const changes[] = {
    "lpop", "rpop", "lmpop", "del",  "unlink", "rename", "renamenx", "move",    "set",
    "hset", "hdel", "hmset", "zadd", "zrem",   "sadd",   "srem",     "restore", "copy",
};

struct script {
    struct msg *m;
    struct arena *arena;
    struct bytes names, args;
    int64_t signs;
    char id[SCRIPT_HEX + 1];
};

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 0x20) : c;
}

static bool is_word(struct bytes text, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(words[i]), k = 0;

        if (text.len != len)
            continue;
        while (k < len && lower(text.at[k]) == (uint8_t)words[i][k])
            k++;
        if (k == len)
            return true;
    }
    return false;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool follows_paren(struct bytes before)
{
    while (before.len > 0 && is_space(before.at[before.len - 1]))
        before.len--;
    return before.len > 0 && before.at[before.len - 1] == '(';
}

/* `, ARGV[1]` */
static bool has_argv(struct bytes after)
{
    bool comma = false;

    while (after.len > 0 && (is_space(*after.at) || (*after.at == ',' && !comma))) {
        comma |= *after.at == ',';
        bytes_cut(&after, 1);
    }
    return comma && name_starts(after, "ARGV");
}

static void add(struct script *s, struct bytes *list, struct bytes text)
{
    if (text.len > 0 && text.len <= NAME_MAX_BYTES)
        list_add(s->arena, list, text);
}

/* One text in quotes, with what is before and behind it. True: not a command. */
static bool note_text(struct script *s, struct bytes before, struct bytes text, struct bytes after)
{
    bool is_push = is_word(text, pushes, sizeof pushes / sizeof *pushes);
    bool is_change = is_word(text, changes, sizeof changes / sizeof *changes);

    if (!is_push && !(is_change && follows_paren(before)))
        return !is_push && !is_change;
    s->signs |= SCRIPT_WRITES;
    if (has_argv(after))
        s->signs |= SCRIPT_WRITES_ARGV;
    return false;
}

/* The end of a text that begins behind `quote`; none on the line: it is an apostrophe. */
static size_t text_ends(struct bytes left, uint8_t quote)
{
    struct bytes line = bytes_head(left, NAME_MAX_BYTES + 1);
    const uint8_t *end = line.len > 0 ? memchr(line.at, quote, line.len) : NULL;
    size_t n = end ? (size_t)(end - line.at) : 0;

    return end && !(n > 0 && memchr(line.at, '\n', n)) ? n : SIZE_MAX;
}

static void read_text(struct script *s, struct bytes script)
{
    unsigned kept = 0;

    s->signs |= SCRIPT_TEXT;
    for (size_t i = 0; i < script.len; i++) {
        uint8_t c = script.at[i];
        struct bytes left = bytes_of(script.at + i + 1, script.len - i - 1), text;
        size_t n = c == '\'' || c == '"' ? text_ends(left, c) : SIZE_MAX;

        if (n == SIZE_MAX)
            continue;
        text = bytes_cut(&left, n);
        bytes_cut(&left, 1);
        if (note_text(s, bytes_head(script, i), text, left) && text.len > 2 && kept < ITEMS_MAX) {
            add(s, &s->names, text);
            kept++;
        }
        i += n + 1;
    }
}

static void set_id(struct script *s, const uint8_t digest[SHA_DIGEST_LENGTH])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < SHA_DIGEST_LENGTH; i++) {
        s->id[2 * i] = digits[digest[i] >> 4];
        s->id[2 * i + 1] = digits[digest[i] & 15];
    }
}

/* false: it is known, or was not seen whole. */
static bool take_text(struct script *s, struct bytes script)
{
    uint8_t digest[SHA_DIGEST_LENGTH];

    if ((s->m->coverage & (COVER_GAP | COVER_CLIPPED)) ||
        (s->m->args->n >= ARGS_CUT_N && script.len >= ARGS_CUT))
        return false;
    SHA1(script.at, script.len, digest);
    set_id(s, digest);
    if (script_is_known(s->id))
        return false;
    read_text(s, script);
    return true;
}

static bool take_sha(struct script *s, struct bytes sha)
{
    if (sha.len != SCRIPT_HEX)
        return false;
    for (size_t i = 0; i < SCRIPT_HEX; i++) {
        uint8_t c = lower(sha.at[i]);

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        s->id[i] = (char)c;
    }
    return !script_is_known(s->id);
}

static size_t number_of_keys(struct bytes text)
{
    size_t n = 0;

    if (text.len == 0 || text.len > 4)
        return 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return 0;
        n = n * 10 + (size_t)(text.at[i] - '0');
    }
    return n;
}

/* EVAL script numkeys key... arg... */
static void take_keys(struct script *s)
{
    const struct args *a = s->m->args;
    size_t keys = a->n > 2 ? number_of_keys(a->at[2]) : 0;

    for (size_t i = 3; i < a->n && i < 3 + ITEMS_MAX; i++)
        add(s, i - 3 < keys ? &s->names : &s->args, a->at[i]);
}

static void put(struct script *s, struct bytes id)
{
    struct fields *f = &s->m->fields;

    fields_text(f, F_SCRIPT, id);
    fields_num(f, F_SCRIPT_SIGNS, s->signs);
    if (s->names.len > 0)
        fields_text(f, F_SCRIPT_NAMES, s->names);
    if (s->args.len > 0)
        fields_text(f, F_SCRIPT_ARGS, s->args);
}

/* Its text, its SHA-1, or the name of a function is the second word. */
static bool take(struct script *s, struct bytes command, struct bytes *id)
{
    const struct args *a = s->m->args;

    *id = bytes_of(s->id, SCRIPT_HEX);
    if (bytes_eq(command, "EVAL") || bytes_eq(command, "EVAL_RO"))
        return take_text(s, a->at[1]);
    if (bytes_eq(command, "EVALSHA") || bytes_eq(command, "EVALSHA_RO"))
        return take_sha(s, a->at[1]);
    if (bytes_eq(command, "SCRIPT LOAD")) {
        s->signs |= SCRIPT_LOADED;
        return a->n > 2 && take_text(s, a->at[2]);
    }
    s->signs |= SCRIPT_FUNCTION;
    *id = bytes_head(a->at[1], NAME_MAX_BYTES);
    return (bytes_eq(command, "FCALL") || bytes_eq(command, "FCALL_RO")) && id->len > 0;
}

void scripts_read(struct msg *m, struct arena *arena)
{
    struct bytes command = msg_text(m, F_REDIS_COMMAND), id;
    struct script s = {.m = m, .arena = arena};

    if (!m->args || m->args->n < 2 || command.len < 4 || !memchr("EFS", command.at[0], 3) ||
        !take(&s, command, &id))
        return;
    if (!(s.signs & SCRIPT_LOADED))
        take_keys(&s);
    id = arena_copy(arena, id);
    if (id.at)
        put(&s, id);
}
