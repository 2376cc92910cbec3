/* Tests of message/lua.c: scripts that reach out of the sandbox, and those that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "signatures/message/message.h"

static unsigned n_found;

static void found(void *ctx, const struct msg *m, struct finding *f)
{
    (void)ctx, (void)m;
    assert_int_equal(f->rule, RULE_REDIS_LUA_ESCAPE);
    assert_int_equal(f->severity, SEV_CRITICAL);
    n_found++;
}

static unsigned check(const char *command, const char *a, const char *b, const char *c)
{
    const char *texts[] = {"x", a, b, c};
    struct bytes at[4];
    struct args args = {at, 0};
    struct detect_out out = {.emit = found};
    struct msg m;

    for (; args.n < 4 && texts[args.n]; args.n++)
        at[args.n] = bytes_of(texts[args.n], strlen(texts[args.n]));
    msg_init(&m, MSG_COMMAND, "command");
    fields_str(&m.fields, F_REDIS_COMMAND, command);
    m.args = &args;
    n_found = 0;
    lua_detector.check(&m, &out);
    return n_found;
}

static void scripts(void **state)
{
    (void)state;
    assert_int_equal(check("EVAL", "local f = package.loadlib('x', 'luaopen_io')", "0", NULL), 1);
    assert_int_equal(check("EVAL_RO", "return io.popen('id'):read()", "0", NULL), 1);
    assert_int_equal(check("SCRIPT LOAD", "LOAD", "os.execute('id')", NULL), 1);
    assert_int_equal(check("FUNCTION LOAD", "LOAD", "REPLACE", "#!lua name=x\nos.execute()"), 1);
    assert_int_equal(check("EVAL", "return io . popen('id')", "0", NULL), 1);
    assert_int_equal(check("EVAL", "return io\n['popen']('id')", "0", NULL), 1);
    assert_int_equal(check("EVAL", "return os[ \"execute\" ]('id')", "0", NULL), 1);
    assert_int_equal(check("EVAL", "return dofile('/etc/passwd')", "0", NULL), 1);
    assert_int_equal(check("EVAL", "return os.clock() + os.time", "0", NULL), 0);
    assert_int_equal(check("EVAL", "io.opened = 1; os", "0", NULL), 0);
    assert_int_equal(check("EVAL", "return redis.call('GET', KEYS[1])", "1", "celery"), 0);
    assert_int_equal(check("EVAL", "return audio.open(studio.popen)", "0", NULL), 0);
    assert_int_equal(check("EVAL", "return 1", "1", "io.popen is but a key"), 0);
    assert_int_equal(check("SET", "k", "os.execute('id')", NULL), 0);
    assert_int_equal(check("EVAL", NULL, NULL, NULL), 0);
}

/* Names in other forms. */
static void evasions(void **state)
{
    static const char *const out[] = {
        "local f = package['\\108oadlib']('/x.so', '\\108uaopen_io')",
        "local f = package['load' .. \"lib\"]('/x.so')",
        "return io['popen']('id')",
        "return os [ [[execute]] ] ('id')",
        "return os . execute('id')",
        "return os.--[[x]]execute('id')",
        "local o = os; return o.execute('id')",
        "return _G['os'].execute('id')",
        "return _G['o' .. 's']['get' .. 'env']('PATH')",
        "local r = debug ; return r:getregistry()",
    };
    static const char *const in[] = {
        "-- os.exit is not called\nlocal t = {} table.remove(t) return os.clock()",
        "return os.clock()",
        "local t = {} t.execute = 1 return t.execute",
        "return redis.call('HGET', 'os', 'execute')",
        "return studio . open",
        "local io = {} return 'popen'",
        "return 'it''s open'",
    };

    (void)state;
    for (size_t i = 0; i < sizeof out / sizeof *out; i++)
        if (check("EVAL", out[i], "0", NULL) != 1)
            fail_msg("%s", out[i]);
    for (size_t i = 0; i < sizeof in / sizeof *in; i++)
        if (check("EVAL", in[i], "0", NULL) != 0)
            fail_msg("%s", in[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(scripts), cmocka_unit_test(evasions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
