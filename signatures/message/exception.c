/* signatures/message/exception.c - a failed result whose exception is the name of
 * something to call: result-exception-exec (CVE-2021-23727). A reader before Celery
 * 5.2.2 looks the name up in sys.modules and calls it with exc_message
 * (celery:backends/base.py:exception_to_python). */
#include <ctype.h>

#include "base/hash.h"
#include "signatures/message/message.h"
#include "signatures/pickle/pickle.h"

/* Classes that do something when they are called, beside all that begins in lower case. */
static const char *const callables[] = {
    "Popen",
    "CDLL",
    "PyDLL",
    "WinDLL",
    "OleDLL",
    "InteractiveConsole",
    "InteractiveInterpreter",
    "Timer",
    "Unpickler",
    "FunctionType",
    "CodeType",
    "Thread",
    "Process",
    "Pool",
    "SourceLoader",
    "Template",
    "FileType",
    "Pdb",
    "Bdb",
    "ZipFile",
    "TarFile",
};

/* How the names of exception classes end, those of libraries that write them small too
 * (socket.timeout, zlib.error, pywintypes.com_error). */
static const char *const endings[] = {"error",     "exception", "warning", "timeout", "exit",
                                      "interrupt", "herror",    "abort",   "expired"};

static bool ends_like_exception(struct bytes name)
{
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t n = strlen(endings[i]);

        if (name.len >= n && strncasecmp((const char *)name.at + name.len - n, endings[i], n) == 0)
            return true;
    }
    return false;
}

static bool is_callable_class(struct bytes name)
{
    for (size_t i = 0; i < sizeof callables / sizeof *callables; i++)
        if (bytes_eq(name, callables[i]))
            return true;
    return false;
}

/* The part behind the last dot: exc_type is a qualified name (Order.DoesNotExist). */
static struct bytes last_part(struct bytes name)
{
    for (size_t i = name.len; i > 0; i--)
        if (name.at[i - 1] == '.')
            return bytes_of(name.at + i, name.len - i);
    return name;
}

static bool begins_dunder(struct bytes name)
{
    return bytes_find(name, "__");
}

/* By the tables of pickles: os._execvpe, logging.FileHandler. What they have of a whole module says
 * little of its classes, which may be exceptions. */
static bool is_listed(struct bytes module, struct bytes type)
{
    bool exact, small = type.len > 1 && type.at[0] == '_' && islower(type.at[1]);
    bool grave = pickle_pair_severity(module, type, &exact) >= PICKLE_SEV_HIGH;

    return grave && (exact || small) && !ends_like_exception(type);
}

static bool names_a_callable(struct bytes module, struct bytes type)
{
    struct bytes name = last_part(type);

    if (name.len == 0)
        return false;
    if (is_listed(module, type))
        return true;
    if (begins_dunder(type) || is_callable_class(name))
        return true;
    return !isupper(name.at[0]) && name.at[0] < 0x80 && name.at[0] != '_' &&
           !ends_like_exception(name);
}

static bool has_failed(const struct msg *m)
{
    return msg_is(m, F_RESULT_STATUS, "FAILURE") || msg_is(m, F_RESULT_STATUS, "RETRY") ||
           msg_is(m, F_RESULT_STATUS, "REVOKED");
}

static void check(const struct msg *m, const struct detect_out *out)
{
    struct finding f;
    struct bytes type = msg_text(m, F_RESULT_EXC_TYPE), module = msg_text(m, F_RESULT_EXC_MODULE);

    if (!has_failed(m) || module.len == 0 || !names_a_callable(module, type))
        return;
    finding_init(&f, RULE_RESULT_EXCEPTION_EXEC, SEV_CRITICAL);
    finding_reason(&f, "a result names a function where its exception should be: an old reader "
                       "calls it (CVE-2021-23727)");
    finding_text(&f, "exc_module", module);
    finding_text(&f, "exc_type", type);
    f.fold_class = hash_mix(hash_bytes(module, 1), hash_bytes(type, 2));
    f.once_a_task = true;
    out->emit(out->ctx, m, &f);
}

const struct message_detector exception_detector = {
    .name = "exception",
    .wants = MSG_RESULT,
    .check = check,
};
