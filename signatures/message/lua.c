/* signatures/message/lua.c - a Redis script that reaches out of its sandbox (CVE-2022-0543 and
 * those like it): redis-lua-escape. */
#include "base/hash.h"
#include "signatures/message/message.h"

/* What Redis takes out of Lua's environment, and scripts therefore never name. */
static const struct name {
    const char *table; /* NULL: a name of its own, or its front */
    const char *name, *said;
} outside[] = {
    {NULL, "loadlib", "loadlib"},
    {NULL, "luaopen_", "luaopen_"},
    {NULL, "loadfile", "loadfile"},
    {NULL, "dofile", "dofile"},
    {"io", "popen", "io.popen"},
    {"io", "open", "io.open"},
    {"io", "lines", "io.lines"},
    {"os", "execute", "os.execute"},
    {"os", "remove", "os.remove"},
    {"os", "rename", "os.rename"},
    {"os", "getenv", "os.getenv"},
    {"os", "exit", "os.exit"},
    {"debug", "getregistry", "debug.getregistry"},
};

static bool carries_script(const struct msg *m)
{
    struct bytes command = msg_text(m, F_REDIS_COMMAND);

    return bytes_eq(command, "EVAL") || bytes_eq(command, "EVAL_RO") ||
           bytes_eq(command, "SCRIPT LOAD") || bytes_eq(command, "FUNCTION LOAD");
}

static bool is_eval(const struct msg *m)
{
    return msg_is(m, F_REDIS_COMMAND, "EVAL") || msg_is(m, F_REDIS_COMMAND, "EVAL_RO");
}

static bool is_name(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static size_t skip(struct bytes b, size_t at, const char *set)
{
    while (at < b.len && b.at[at] && strchr(set, b.at[at]))
        at++;
    return at;
}

static bool stands(struct bytes b, size_t at, const char *text)
{
    size_t n = strlen(text);
    return b.len - at >= n && memcmp(b.at + at, text, n) == 0;
}

/* io.open, io . open, io["open"]: whether that is what stands behind the table's name. */
static bool indexes(struct bytes b, size_t at, const char *name)
{
    static const char blanks[] = " \t\r\n";
    size_t to = skip(b, at, blanks), n = strlen(name);

    if (to == b.len || (b.at[to] != '.' && b.at[to] != '['))
        return false;
    to = skip(b, to + 1, b.at[to] == '.' ? blanks : " \t\r\n'\"[");
    return stands(b, to, name) && (to + n == b.len || !is_name(b.at[to + n]));
}

/* As a name of its own: "audio.open" is not "io.open". */
static const char *reaches(struct bytes script)
{
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        const struct name *o = &outside[i];
        const char *first = o->table ? o->table : o->name;
        struct bytes left = script;
        const uint8_t *at;

        while ((at = bytes_find(left, first)) != NULL) {
            size_t before = (size_t)(at - left.at), end = before + strlen(first);
            bool own = before == 0 || !is_name(left.at[before - 1]);
            bool whole = end == left.len || !is_name(left.at[end]) || left.at[end - 1] == '_';
            if (own && (o->table ? indexes(left, end, o->name) : whole))
                return o->said;
            bytes_cut(&left, before + 1);
        }
    }
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
    for (size_t i = first; i < end && i < m->args->n && !what; i++)
        what = reaches(m->args->at[i]);
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
