/* signatures/message/lua.c - a Redis script that reaches out of its sandbox (CVE-2022-0543 and
 * those like it): redis-lua-escape. */
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

/* As a name of its own: "audio.open" is not "io.open". */
static const char *reaches(struct bytes script)
{
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        struct bytes left = script;
        const uint8_t *at;

        while ((at = bytes_find(left, outside[i])) != NULL) {
            size_t before = (size_t)(at - left.at);
            if (before == 0 || !is_name(left.at[before - 1]))
                return outside[i];
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
