/* Tests of message/exception.c: results whose exception is something to call, and exceptions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "signatures/message/message.h"

static unsigned n_found;

static void found(void *ctx, const struct msg *m, struct finding *f)
{
    (void)ctx, (void)m;
    assert_int_equal(f->rule, RULE_RESULT_EXCEPTION_EXEC);
    assert_int_equal(f->severity, SEV_CRITICAL);
    n_found++;
}

static bool check(const char *status, const char *module, const char *type)
{
    struct detect_out out = {.emit = found};
    struct msg m;

    msg_init(&m, MSG_RESULT, "stored");
    fields_str(&m.fields, F_RESULT_STATUS, status);
    fields_str(&m.fields, F_RESULT_EXC_MODULE, module);
    fields_str(&m.fields, F_RESULT_EXC_TYPE, type);
    n_found = 0;
    exception_detector.check(&m, &out);
    return n_found > 0;
}

static void callables(void **state)
{
    static const char *const rows[][2] = {
        {"os", "system"},
        {"os", "_execvpe"},
        {"pty", "_spawn"},
        {"subprocess", "Popen"},
        {"uuid", "_popen"},
        {"logging", "FileHandler"},
        {"shop.errors", "__init__"},
        {"io", "FileIO"},
        {"builtins", "eval"},
        {"celery.utils", "instantiate"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!check("FAILURE", rows[i][0], rows[i][1]))
            fail_msg("%s.%s", rows[i][0], rows[i][1]);
}

static void exceptions(void **state)
{
    static const char *const rows[][2] = {
        {"builtins", "ValueError"},
        {"socket", "timeout"},
        {"zlib", "error"},
        {"subprocess", "CalledProcessError"},
        {"requests.exceptions", "TooManyRedirects"},
        {"requests.exceptions", "MissingSchema"},
        {"http.client", "BadStatusLine"},
        {"aiohttp.client_exceptions", "ContentTypeError"},
        {"multiprocessing.context", "BufferTooShort"},
        {"shop.models", "Order.DoesNotExist"},
        {"shop.errors", "_Stop"},
        {"asyncio.queues", "QueueFull"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (check("FAILURE", rows[i][0], rows[i][1]))
            fail_msg("%s.%s", rows[i][0], rows[i][1]);
    assert_false(check("SUCCESS", "os", "system"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(callables), cmocka_unit_test(exceptions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
