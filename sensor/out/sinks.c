/* out/sinks.c - the list of sinks, and what all of them agree on. */
#include "out/sinks.h"

#include <stdio.h>

const struct sink *const sinks[] = {&sink_stdout, &sink_file, &sink_kafka, NULL};

const struct sink *sink_find(const char *url, const char **rest)
{
    size_t n = strcspn(url, ":");

    for (const struct sink *const *s = sinks; *s; s++) {
        if (strlen((*s)->scheme) != n || memcmp((*s)->scheme, url, n) != 0)
            continue;
        if (url[n] == '\0' && *s != &sink_stdout)
            return NULL; /* only stdout may leave the colon out */
        *rest = url[n] ? url + n + 1 : url + n;
        return *s;
    }
    return NULL;
}

unsigned sink_share(const struct record *r)
{
    static const unsigned ALERT[] = {160, 160, 192, 224, 256, 256}; /* by severity */

    if (r->kind == EMIT_ALERTS)
        return ALERT[r->severity <= 5 ? r->severity : 5];
    return r->kind == EMIT_STATS || r->kind == EMIT_INVENTORY ? 192 : 128;
}

bool sink_format(const char *format, char *err, size_t err_len)
{
    if (strcmp(format, "ecs") == 0)
        return true;
    bool later = strcmp(format, "eve") == 0 || strcmp(format, "ocsf") == 0;
    snprintf(err, err_len,
             later ? "format %.32s is not built yet" : "unknown format %.32s (ecs, eve, ocsf)",
             format);
    return false;
}
