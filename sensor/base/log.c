/* base/log.c - see log.h. A line is built first and written with one write(2),
 * so that lines of several threads do not mix. */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LOG_LINE = 2048 };

/* Set once at start; atomic only so that a reader in another thread is clean. */
static _Atomic int max_level = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&max_level, (int)level, memory_order_relaxed);
}

static void write_all(const char *text, size_t n)
{
    while (n > 0) {
        ssize_t done = write(STDERR_FILENO, text, n);
        if (done <= 0)
            return;
        text += done;
        n -= (size_t)done;
    }
}

/* Names of files may hold anything; one message stays one line. */
static void make_plain(char *text)
{
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
}

__attribute__((format(printf, 3, 0))) static void log_line(enum log_level level, const char *word,
                                                           const char *format, va_list args)
{
    if ((int)level > atomic_load_explicit(&max_level, memory_order_relaxed))
        return;
    char line[LOG_LINE];
    int head = snprintf(line, sizeof line, "celeriac: %s", word);
    size_t at = head > 0 ? (size_t)head : 0;
    if (vsnprintf(line + at, sizeof line - at - 1, format, args) < 0)
        return;
    make_plain(line);
    size_t n = strlen(line);
    line[n] = '\n';
    write_all(line, n + 1);
}

#define LOG_FUNCTION(name, level, word)      \
    void name(const char *format, ...)       \
    {                                        \
        va_list args;                        \
        va_start(args, format);              \
        log_line(level, word, format, args); \
        va_end(args);                        \
    }

LOG_FUNCTION(log_error, LOG_LEVEL_ERROR, "error: ")
LOG_FUNCTION(log_warn, LOG_LEVEL_WARN, "warning: ")
LOG_FUNCTION(log_info, LOG_LEVEL_INFO, "")
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG, "debug: ")
