/* Callables by other names than their own: found in modules that import them, in packages that wrap
 * them, through harmless classes. Assembled as text of protocol 4, inert. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "signatures/pickle/pickle.h"

struct row {
    const char *module, *name, *argument; /* NULL: nothing is called */
    enum pickle_verdict want;
};

static const struct row rows[] = {
    /* names that mean the same wherever they are found */
    {"celery.apps.multi", "Popen", "id", PICKLE_MALICIOUS},
    {"celery.beat", "symbol_by_name", "os:system", PICKLE_MALICIOUS},
    {"celery.local", "import_module", "os", PICKLE_MALICIOUS},
    {"dataclasses", "FunctionType", "x", PICKLE_MALICIOUS},
    {"tokenize", "_builtin_open", "f", PICKLE_DANGEROUS},
    {"shop.tools", "sp.check_output", "id", PICKLE_MALICIOUS},
    {"shop.tools", "attrgetter", "x.y", PICKLE_OBJECTS_KNOWN},
    {"enum", "bltns.eval", "1", PICKLE_DANGEROUS},
    {"concurrent.futures.process", "mp.Queue", NULL, PICKLE_DANGEROUS},
    {"celery.app.log", "WatchedFileHandler", "f", PICKLE_DANGEROUS},
    /* what wraps them */
    {"celery.utils", "instantiate", "os:system", PICKLE_MALICIOUS},
    {"celery.concurrency", "get_implementation", "os:system", PICKLE_MALICIOUS},
    {"kombu.transport", "resolve_transport", "os:system", PICKLE_MALICIOUS},
    {"celery.contrib.rdb", "set_trace", "x", PICKLE_MALICIOUS},
    {"celery.app.routes", "expand_router_string", "os:system", PICKLE_MALICIOUS},
    {"celery.app.base", "Celery", "os:system", PICKLE_DANGEROUS},
    {"celery.app.base", "Celery", "shop.app:thing", PICKLE_OBJECTS_KNOWN},
    {"celery.app.base", "Celery", "redis://h:1/0", PICKLE_OBJECTS_KNOWN},
    {"kombu.utils.json", "register_type", "x", PICKLE_MALICIOUS},
    {"click", "edit", "x", PICKLE_MALICIOUS},
    {"click.termui", "launch", "x", PICKLE_MALICIOUS},
    {"gevent.subprocess", "check_output", "id", PICKLE_MALICIOUS},
    {"eventlet.green.os", "system", "id", PICKLE_MALICIOUS},
    {"setuptools._distutils.spawn", "spawn", "id", PICKLE_MALICIOUS},
    {"six", "exec_", "1", PICKLE_MALICIOUS},
    {"six.moves.builtins", "eval", "1", PICKLE_MALICIOUS},
    {"past.builtins", "execfile", "f", PICKLE_MALICIOUS},
    {"invoke", "run", "id", PICKLE_MALICIOUS},
    {"fabric.operations", "local", "id", PICKLE_MALICIOUS},
    {"plumbum.cmd", "ls", "f", PICKLE_MALICIOUS},
    {"sh", "bash", "f", PICKLE_MALICIOUS},
    {"paramiko", "ProxyCommand", "id", PICKLE_MALICIOUS},
    {"dataclasses", "_create_fn", "x", PICKLE_MALICIOUS},
    {"sympy", "sympify", "x", PICKLE_MALICIOUS},
    {"pathlib", "Path.write_text", "x", PICKLE_MALICIOUS},
    {"pathlib", "PosixPath", "x", PICKLE_OBJECTS_KNOWN},
    {"gzip", "open", "f", PICKLE_DANGEROUS},
    {"faulthandler", "_sigsegv", "x", PICKLE_DANGEROUS},
    /* through a class */
    {"pandas.core.frame", "DataFrame.query", "x", PICKLE_MALICIOUS},
    {"pandas.core.frame", "DataFrame.to_csv", "f", PICKLE_DANGEROUS},
    {"django.db.models.query", "QuerySet.delete", "x", PICKLE_DANGEROUS},
    {"collections", "Counter.most_common", NULL, PICKLE_OBJECTS_KNOWN},
    {"builtins", "str.upper", NULL, PICKLE_OBJECTS_KNOWN},
    /* and values that are none of it */
    {"shop.models", "Order", "x", PICKLE_OBJECTS_UNKNOWN},
    {"shop.jobs", "run", "x", PICKLE_OBJECTS_UNKNOWN},
    {"shop.enums", "CodeType", "x", PICKLE_OBJECTS_UNKNOWN},
    {"shop.models", "ZipFile", "x", PICKLE_OBJECTS_UNKNOWN},
    {"distutils.errors", "CompileError", "x", PICKLE_OBJECTS_KNOWN},
    {"plumbum.commands.processes", "ProcessExecutionError", "x", PICKLE_OBJECTS_UNKNOWN},
    {"sh", "ErrorReturnCode_1", "x", PICKLE_OBJECTS_UNKNOWN},
    {"paramiko.ssh_exception", "SSHException", "x", PICKLE_OBJECTS_UNKNOWN},
    {"inspect", "_ParameterKind", "x", PICKLE_OBJECTS_KNOWN},
    {"pdb", "Restart", "x", PICKLE_OBJECTS_KNOWN},
    {"builtins", "print", NULL, PICKLE_OBJECTS_UNKNOWN},
    {"builtins", "print", "x", PICKLE_SUSPICIOUS},
};

static size_t put_text(char *to, const char *text)
{
    size_t n = strlen(text);

    to[0] = '\x8c';
    to[1] = (char)n;
    memcpy(to + 2, text, n);
    return n + 2;
}

static enum pickle_verdict judged(struct pickle *m, const struct row *r)
{
    char in[256] = "\x80\x04";
    size_t n = 2;

    n += put_text(in + n, r->module);
    n += put_text(in + n, r->name);
    in[n++] = '\x93';
    if (r->argument) {
        n += put_text(in + n, r->argument);
        in[n++] = '\x85';
        in[n++] = 'R';
    }
    in[n++] = '.';
    return pickle_judge(m, bytes_of(in, n), PICKLE_DECLARED, PICKLE_WHOLE)->verdict;
}

static void test_rows(void **state)
{
    struct pickle *m = pickle_new(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum pickle_verdict is = judged(m, &rows[i]);
        if (is != rows[i].want)
            fail_msg("%s.%s: %s", rows[i].module, rows[i].name, pickle_verdict_name(is));
    }
    pickle_free(m);
}

/* A module that the operator allows may name its functions as it likes. */
static void test_allowed(void **state)
{
    struct bytes allow = bytes_of("shop.*", 6);
    struct pickle *m = pickle_new(&(struct pickle_options){.allow = &allow, .n_allow = 1});
    struct row own = {"shop.tools", "import_string", "x", PICKLE_OBJECTS_KNOWN};

    (void)state;
    assert_int_equal(judged(m, &own), own.want);
    pickle_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
