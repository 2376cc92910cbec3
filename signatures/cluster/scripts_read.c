/* signatures/cluster/scripts_read.c - what a command that runs or loads a script says of it: the
 * SHA-1 by which Redis knows it, the keys and arguments that it is given, and the texts that it is
 * written with. Lua is not parsed: texts, and what stands next to them. What a script calls by a
 * name that it is given is among its keys and arguments. */
#include <openssl/sha.h>

#include "signatures/cluster/names.h"
#include "signatures/cluster/scripts.h"
#include "signatures/lua.h"

#define NAME_MAX_BYTES 128u /* of a key, an argument, a text: longer ones name no queue */
#define ITEMS_MAX      32u  /* of keys and arguments, and as many of texts again */
#define ARGS_CUT       256u /* of a command with too many arguments: see struct args */
#define ARGS_CUT_N     64u

/* Changing a list is what a script does to a queue, wherever the word stands. */
static const char *const pushes[] = {
    "lpush", "rpush",  "lpushx",    "rpushx",     "linsert", "lset",
    "lmove", "blmove", "rpoplpush", "brpoplpush", "ltrim",   "lrem",
};
/* The others are words of other meaning too: where they are called. */
static const char *const changes[] = {
    "lpop",   "rpop",    "lmpop",   "del",      "unlink",    "rename",   "renamenx",
    "move",   "set",     "hset",    "hdel",     "hmset",     "zadd",     "zrem",
    "sadd",   "srem",    "restore", "copy",     "setnx",     "append",   "getset",
    "expire", "pexpire", "spop",    "expireat", "hexpire",   "zpopmin",  "zincrby",
    "incr",   "zpopmax", "hgetdel", "setrange", "pexpireat", "hpexpire",
};

static const char *const wipes[] = {"flushall", "swapdb"};
static const char *const empties[] = {"flushdb"};
static const char *const publishes[] = {"publish", "spublish"};

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

static bool is_one_of(struct bytes text, const char *const *words, size_t n)
{
    const struct lua_word w = {.kind = LUA_TEXT, .text = text};

    for (size_t i = 0; i < n; i++)
        if (lua_is(&w, words[i]))
            return true;
    return false;
}

#define IS_ONE_OF(text, words) is_one_of(text, words, sizeof(words) / sizeof *(words))

static void add(struct script *s, struct bytes *list, struct bytes text)
{
    if (text.len > 0 && text.len <= NAME_MAX_BYTES)
        list_add(s->arena, list, text);
}

/* What a script does that calls a command of this name. */
static int64_t signs_of(struct bytes name)
{
    if (IS_ONE_OF(name, pushes) || IS_ONE_OF(name, changes))
        return SCRIPT_WRITES;
    if (IS_ONE_OF(name, wipes))
        return SCRIPT_WIPES;
    if (IS_ONE_OF(name, publishes))
        return SCRIPT_PUBLISHES;
    return IS_ONE_OF(name, empties) ? SCRIPT_EMPTIES : 0;
}

/* Where reading a script is. */
struct place {
    bool calls;  /* behind `call`, in whichever form, up to its `(` */
    bool called; /* behind a `(`, or such a `call` */
    bool given;  /* what is called comes next */
    bool wrote;  /* behind the name of a command that writes */
    bool comma;  /* and one comma */
    unsigned kept;
};

/* A text: the name of a command, or one that may be a key's. */
static void note_text(struct script *s, struct place *p, const struct lua_word *w)
{
    int64_t signs = w->cut ? 0 : signs_of(w->text);
    bool called = p->called || IS_ONE_OF(w->text, pushes);
    size_t shortest = s->signs & SCRIPT_FUNCTION ? 0 : 2; /* any may be a function's name */

    p->wrote = called && (signs & SCRIPT_WRITES);
    if (called)
        s->signs |= signs;
    if (signs || w->cut || w->text.len <= shortest || p->kept == ITEMS_MAX)
        return;
    add(s, &s->names, w->text);
    p->kept++;
}

static bool is_mark(const struct lua_word *w, char c)
{
    return w->kind == LUA_MARK && w->text.len == 1 && *w->text.at == (uint8_t)c;
}

/* redis.call(..), redis["pcall"](..), local f = redis.call: of the last it is not known what is
 * called. */
static void note_call(struct script *s, struct place *p, const struct lua_word *w)
{
    bool call = w->kind != LUA_MARK && (lua_is(w, "call") || lua_is(w, "pcall"));

    if (p->given && w->kind != LUA_TEXT)
        s->signs |= SCRIPT_CALLS_GIVEN;
    p->given = p->calls && is_mark(w, '(');
    if (p->calls && !p->given && !is_mark(w, ']') && w->kind != LUA_TEXT)
        s->signs |= SCRIPT_CALLS_GIVEN;
    p->called = is_mark(w, '(') || (p->calls && w->kind != LUA_TEXT);
    p->calls = call || (p->calls && is_mark(w, ']'));
}

/* `, ARGV` behind the name of a command. */
static void note_key(struct script *s, struct place *p, const struct lua_word *w)
{
    if (p->wrote && p->comma && w->kind == LUA_NAME && bytes_eq(w->text, "ARGV"))
        s->signs |= SCRIPT_WRITES_ARGV;
    p->comma = p->wrote && !p->comma && is_mark(w, ',');
    p->wrote = p->comma;
}

static void read_text(struct script *s, struct bytes script)
{
    struct lua_reader r;
    struct lua_word w;
    struct place p = {0};

    s->signs |= SCRIPT_TEXT;
    lua_begin(&r, script);
    while ((w = lua_next(&r)).kind != LUA_END) {
        p.called |= p.calls;
        if (w.kind == LUA_TEXT)
            note_text(s, &p, &w);
        else
            note_key(s, &p, &w);
        note_call(s, &p, &w);
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

    for (size_t i = 3; i < a->n && i < 3 + ITEMS_MAX; i++) {
        add(s, i - 3 < keys ? &s->names : &s->args, a->at[i]);
        s->signs |= signs_of(a->at[i]) * SCRIPT_GIVEN;
    }
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
    if (bytes_eq(command, "FUNCTION LOAD")) {
        s->signs |= SCRIPT_LOADED;
        return a->n > 2 && take_text(s, a->at[a->n - 1]);
    }
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
