/* run/conf_values.c - text forms of networks, dates and kinds of records. */
#include "run/conf_file.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool prefix_parse(const char *text, unsigned max, unsigned *out)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end || n > max)
        return false;
    *out = (unsigned)n;
    return true;
}

/* Bits behind the prefix have to be zero, so that a slip of the pen is seen. */
static bool host_bits_clear(const struct network *n)
{
    for (unsigned bit = n->prefix; bit < (n->family == 4 ? 32u : 128u); bit++)
        if (n->ip[bit / 8] >> (7 - bit % 8) & 1)
            return false;
    return true;
}

bool network_parse(const char *text, struct network *out)
{
    char address[64];
    const char *slash = strchr(text, '/');
    size_t n = slash ? (size_t)(slash - text) : strlen(text);

    *out = (struct network){0};
    if (n >= sizeof address)
        return false;
    memcpy(address, text, n);
    address[n] = '\0';
    if (inet_pton(AF_INET, address, out->ip) == 1)
        out->family = 4;
    else if (inet_pton(AF_INET6, address, out->ip) == 1)
        out->family = 6;
    else
        return false;
    out->prefix = out->family == 4 ? 32 : 128;
    return (!slash || prefix_parse(slash + 1, out->prefix, &out->prefix)) && host_bits_clear(out);
}

bool date_parse(const char *text, int64_t *ns)
{
    static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S"};

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct tm tm = {0};
        const char *end = strptime(text, forms[i], &tm);

        if (end && *end == '\0') {
            int64_t seconds = (int64_t)timegm(&tm);

            /* Years that ns since the epoch can hold. */
            if (seconds < 0 || seconds > INT64_MAX / 1000000000)
                return false;
            *ns = seconds * 1000000000;
            return true;
        }
    }
    return false;
}

bool emit_parse(const char *text, unsigned *mask, char *bad, size_t bad_len)
{
    while (true) {
        const char *comma = strchr(text, ',');
        size_t n = comma ? (size_t)(comma - text) : strlen(text);
        unsigned kind = 0;

        while (kind < EMIT_KINDS &&
               (strlen(emit_name(kind)) != n || strncmp(emit_name(kind), text, n) != 0))
            kind++;
        if (kind == EMIT_KINDS) {
            snprintf(bad, bad_len, "%.*s", (int)(n < 40 ? n : 40), text);
            return false;
        }
        *mask |= 1u << kind;
        if (!comma)
            return true;
        text = comma + 1;
    }
}

bool conf_add_output(struct conf *conf, const char *url, unsigned emit)
{
    struct conf_output *more = realloc(conf->outputs, (conf->n_outputs + 1) * sizeof *more);

    if (!more)
        return false;
    conf->outputs = more;
    more[conf->n_outputs] = (struct conf_output){strdup(url), emit};
    return more[conf->n_outputs++].url != NULL;
}
