/* signatures/message/lua.c - a Redis script that reaches out of its sandbox (CVE-2022-0543 and
 * those like it): redis-lua-escape. */
#include "signatures/lua.h"
#include "base/hash.h"
#include "signatures/message/message.h"

/* What Redis takes out of Lua's environment, and scripts therefore never name. */
static const char *const outside[] = {"loadlib",   "luaopen_",   "io.popen",
                                      "io.open",   "os.execute", "os.remove",
                                      "os.rename", "os.getenv",  "debug.getregistry"};

static bool carries_script(const struct msg *m)
{
    struct bytes command = msg_text(m, F_REDIS_COMMAND);

    return bytes_eq(command, "EVAL") || bytes_eq(command, "EVAL_RO") ||
           bytes_eq(command, "SCRIPT LOAD") || bytes_eq(command, "FUNCTION LOAD") ||
           bytes_eq(command, "FUNCTION RESTORE");
}

static bool is_eval(const struct msg *m)
{
    return msg_is(m, F_REDIS_COMMAND, "EVAL") || msg_is(m, F_REDIS_COMMAND, "EVAL_RO");
}

static bool is_name(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* As a name of its own: "audio.open" and "io.opened" are not "io.open". */
static const char *reaches(struct bytes script)
{
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        struct bytes left = script;
        const uint8_t *at;

        while ((at = bytes_find(left, outside[i])) != NULL) {
            size_t before = (size_t)(at - left.at), end = before + strlen(outside[i]);
            bool whole = end == left.len || !is_name(left.at[end]) || left.at[end - 1] == '_';
            if (whole && (before == 0 || !is_name(left.at[before - 1])))
                return outside[i];
            bytes_cut(&left, before + 1);
        }
    }
    return NULL;
}

/* Libraries that are outside, or of which Redis leaves a part, and what in them is. `any`: the part
 * alone tells, wherever the library was named (local o = os; o.execute(..)); the others are words
 * of other meaning too. */
static const struct outer {
    const char *library, *name, *says;
    bool any;
} parts[] = {
    {"io", "popen", "io.popen", true},
    {"io", "open", "io.open", false},
    {"io", "lines", "io.lines", false},
    {"os", "execute", "os.execute", true},
    {"os", "getenv", "os.getenv", true},
    {"os", "remove", "os.remove", false},
    {"os", "rename", "os.rename", false},
    {"os", "exit", "os.exit", false},
    {"debug", "getregistry", "debug.getregistry", true},
};

#define PARTS (sizeof parts / sizeof *parts)

/* What was read of a script. */
struct seen {
    struct bytes library; /* the name of one, just now: what follows may be its part */
    uint8_t held[16];
    unsigned libraries, names; /* of parts[], by index: at any place */
};

static bool is_part(const struct seen *s, const struct lua_word *w, size_t i)
{
    return s->library.len > 0 && bytes_eq(s->library, parts[i].library) &&
           bytes_eq(w->text, parts[i].name);
}

/* A name or text. What it says of reaching out; NULL: nothing. */
static const char *note(struct seen *s, const struct lua_word *w, bool member)
{
    const char *says = NULL;
    bool library = false;

    if (w->cut)
        return NULL;
    if (bytes_eq(w->text, "loadlib"))
        return "loadlib";
    if (w->text.len >= 8 && memcmp(w->text.at, "luaopen_", 8) == 0)
        return "luaopen_";
    if (w->kind == LUA_NAME && !member && bytes_eq(w->text, "loadfile"))
        return "loadfile";
    if (w->kind == LUA_NAME && !member && bytes_eq(w->text, "dofile"))
        return "dofile";
    for (size_t i = 0; i < PARTS && !says; i++) {
        if (member && is_part(s, w, i))
            says = parts[i].says;
        if (bytes_eq(w->text, parts[i].library)) {
            s->libraries |= 1u << i;
            library = true;
        } else if (parts[i].any && member && bytes_eq(w->text, parts[i].name)) {
            s->names |= 1u << i;
        }
    }
    s->library = bytes_of(s->held, library ? w->text.len : 0);
    if (library)
        memcpy(s->held, w->text.at, w->text.len);
    return says;
}

/* The same by the script's words: names in other forms, put together, kept in a variable. */
static const char *reaches_by_words(struct bytes script)
{
    struct seen s = {0};
    struct lua_reader r;
    struct lua_word w;
    bool member = false;

    lua_begin(&r, script);
    while ((w = lua_next(&r)).kind != LUA_END) {
        if (w.kind == LUA_MARK) {
            member = *w.text.at == '.' || *w.text.at == '[' || *w.text.at == ':';
            if (!member && *w.text.at != ']')
                s.library.len = 0;
            continue;
        }
        const char *says = note(&s, &w, member);
        if (says)
            return says;
        member = false;
    }
    for (size_t i = 0; i < PARTS; i++)
        if ((s.libraries & s.names) >> i & 1u)
            return parts[i].says;
    return NULL;
}

static void check(const struct msg *m, const struct detect_out *out)
{
    const char *what = NULL;
    struct finding f;

    if (!m->args || !carries_script(m))
        return;
    /* Behind the script of EVAL are keys and data. */
    size_t first = is_eval(m) ? 1 : 2, end = first == 1 ? 2 : m->args->n;
    for (size_t i = first; i < end && i < m->args->n && !what; i++) {
        what = reaches(m->args->at[i]);
        what = what ? what : reaches_by_words(m->args->at[i]);
    }
    if (!what)
        return;
    finding_init(&f, RULE_REDIS_LUA_ESCAPE, SEV_CRITICAL);
    finding_reason(&f, "a script reaches out of the sandbox of the Redis server");
    finding_str(&f, "names", what);
    f.fold_class = hash_bytes(bytes_of(what, strlen(what)), 0);
    out->emit(out->ctx, m, &f);
}

const struct message_detector lua_detector = {
    .name = "lua",
    .wants = MSG_COMMAND,
    .check = check,
};
