/* run/options.c - the table, and the text forms of its values. */
#include "run/options.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"

#define TEXT_OF(x)  #x
#define STANDARD(x) TEXT_OF(x)
#define AT(field)   offsetof(struct conf, field)
#define SECOND      UINT64_C(1000000000)
#define DAY         (86400 * SECOND)
#define MANY        UINT64_C(1000000000)
#define GIGAS(n)    ((uint64_t)(n) << 30)

const struct option_def option_defs[] = {
    {"observer.name", OPTION_TEXT, AT(observer_name), NULL, 0, 0,
     "name of this sensor in the records; live: the host's name, replays: celeriac"},
    {"fold", OPTION_BOOL, AT(fold), "true", 0, 0,
     "repeats of a finding become one record and a closing one"},
    {"workers", OPTION_UNSIGNED, AT(workers), "0", 0, 64,
     "threads that follow connections; 0: everything in one thread"},
    {"user", OPTION_TEXT, AT(user), NULL, 0, 0,
     "live: who to become once interfaces and outputs are open"},
    {"stats.interval", OPTION_SECONDS, AT(stats_ns), "60s", SECOND, DAY,
     "packet time between two records of statistics"},
    {"capture.checksums", OPTION_BOOL, AT(checksums), "false", 0, 0,
     "count bad TCP checksums too (bad packets are never dropped)"},
    {"policy.signing.required", OPTION_BOOL, AT(policy.signing.required), "false", 0, 0,
     "every task has to be signed"},
    {"policy.signing.certificates", OPTION_TEXT, AT(policy.signing.certificates), NULL, 0, 0,
     "directory of *.pem, *.crt, *.cer"},
    {"policy.signing.digest", OPTION_TEXT, AT(policy.signing.digest), "sha256", 0, 0,
     "digest of the signatures"},
    {"policy.serializers.allowed", OPTION_TEXTS, AT(policy.serializers.allowed), NULL, 0, 0,
     "serializers (json) or content types that may be used; absent: all"},
    {"policy.pickle.allow_imports", OPTION_TEXTS, AT(policy.pickle_allow_imports), NULL, 0, 0,
     "modules whose classes are expected in pickles (myapp.*)"},
    {"policy.decompression.max_ratio", OPTION_UNSIGNED, AT(policy.decompression.max_ratio),
     STANDARD(200), 2, 1000000,
     "output by input of a compressed body, after its first MiB of output"},
    {"policy.decompression.max_total", OPTION_BYTES, AT(policy.decompression.max_total), "1G",
     1 << 20, GIGAS(64), "output of one body"},
    {"policy.logins.bruteforce.failures", OPTION_UNSIGNED, AT(policy.bruteforce.failures), "5", 2,
     100000, "refused credentials of a source"},
    {"policy.logins.bruteforce.window", OPTION_TIME, AT(policy.bruteforce.window_ns), "60s", SECOND,
     DAY, "within this time"},
    {"policy.flood.floor", OPTION_UNSIGNED, AT(policy.flood.floor), "1000", 0, 1000000000,
     "tasks of a producer in a window that may be a flood; 0: never"},
    {"policy.flood.factor", OPTION_UNSIGNED, AT(policy.flood.factor), "10", 2, 1000000,
     "times the most that it sent in a window before"},
    {"policy.flood.window", OPTION_TIME, AT(policy.flood.window_ns), "60s", SECOND, DAY,
     "the window"},
    {"policy.flood.settle", OPTION_TIME, AT(policy.flood.settle_ns), "10m", SECOND, 30 * DAY,
     "a producer's first time, in which its ways are learnt"},
    {"policy.flood.far", OPTION_TIME, AT(policy.flood.far_ns), "1d", SECOND, 365 * DAY,
     "an ETA beyond this is distant"},
    {"policy.flood.far_floor", OPTION_UNSIGNED, AT(policy.flood.far_floor), "100", 0, 1000000000,
     "tasks with a distant ETA in a window that may be a flood; 0: never"},
    {"policy.swallowed.amqp", OPTION_TIME, AT(policy.swallowed.amqp_ns), "30m", SECOND, 30 * DAY,
     "an AMQP consumer answers within this time (RabbitMQ: consumer_timeout)"},
    {"policy.swallowed.redis", OPTION_TIME, AT(policy.swallowed.redis_ns), "1h", SECOND, 30 * DAY,
     "a Redis one (kombu: visibility_timeout)"},
    {"redaction.hash_key_file", OPTION_TEXT, AT(hash_key_file), NULL, 0, 0,
     "key of the HMAC-SHA-256 of secrets; absent: no hash"},
    {"inventory.interval", OPTION_SECONDS, AT(inventory_ns), "1h", SECOND, DAY,
     "packet time between two inventories"},
    {"learn.prefix_v4", OPTION_UNSIGNED, AT(learn.prefix_v4), "24", 8, 32,
     "widest IPv4 network that is learnt"},
    {"learn.prefix_v6", OPTION_UNSIGNED, AT(learn.prefix_v6), "64", 16, 128,
     "widest IPv6 network that is learnt"},
    {"learn.glob_after", OPTION_UNSIGNED, AT(learn.glob_after), "3", 1, 10000,
     "names of one form, or addresses of an entry, before they become a glob or networks"},
    {"limits.fragment_bytes", OPTION_BYTES, AT(limits.frag_bytes), "4M", 65536, GIGAS(4),
     "IP fragments that wait, in all"},
    {"limits.fragment_age", OPTION_TIME, AT(limits.frag_age_ns), "30s", SECOND, DAY,
     "how long a fragment waits"},
    {"limits.flows", OPTION_COUNT, AT(limits.flows), "1000000", 64, MANY, "open connections"},
    {"limits.flow_idle", OPTION_TIME, AT(limits.flow_idle_ns), "1h", SECOND, 30 * DAY,
     "silence after which a connection is forgotten"},
    {"limits.flow_embryonic", OPTION_TIME, AT(limits.flow_embryonic_ns), "30s", SECOND, DAY,
     "the same before it carried data"},
    {"limits.parked_bytes", OPTION_BYTES, AT(limits.parked_total), "256M", 65536, GIGAS(64),
     "TCP segments out of order, in all"},
    {"limits.parked_per_direction", OPTION_BYTES, AT(limits.parked_per_dir), "1M", 4096, GIGAS(1),
     "the same of one direction"},
    {"limits.identify_bytes", OPTION_BYTES, AT(limits.ident_held), "8k", 64, GIGAS(1),
     "held of a direction until its protocol is known"},
    {"limits.item_bytes", OPTION_BYTES, AT(limits.item), "64k", 1024, GIGAS(1),
     "kept of a method, a header, a key"},
    {"limits.body_bytes", OPTION_BYTES, AT(limits.body), "16M", 1024, GIGAS(1),
     "kept of a message body"},
    {"limits.taps", OPTION_COUNT, AT(limits.taps), "16", 1, 4096,
     "larger bodies that are read to their end at once"},
    {"limits.buffer_bytes", OPTION_BYTES, AT(limits.budget), "1G", 1 << 20, GIGAS(64),
     "all buffers of dissectors together"},
    {"limits.channels", OPTION_COUNT, AT(limits.channels), "256", 1, 65535,
     "open AMQP channels of a connection"},
    {"limits.pending_commands", OPTION_COUNT, AT(limits.pending), "65536", 16, MANY,
     "Redis commands that wait for a reply"},
    {"limits.nesting", OPTION_COUNT, AT(limits.nesting), "32", 4, 64, "depth of tables and arrays"},
    {"limits.elements", OPTION_COUNT, AT(limits.elements), "1048576", 64, MANY,
     "elements of one value or table, in all"},
    {"limits.unwrap_depth", OPTION_COUNT, AT(limits.unwrap_depth), "4", 1, 5,
     "codings around a body"},
    {"limits.unwrap_bytes", OPTION_BYTES, AT(limits.unwrap_kept), "8M", 65536, GIGAS(1),
     "kept of an unwrapped body"},
    {"limits.message_bytes", OPTION_BYTES, AT(limits.arena), "48M", 1 << 20, GIGAS(4),
     "working memory of one message"},
    {"limits.evidence_bytes", OPTION_BYTES, AT(limits.evidence), "512", 32, 65536,
     "of one text in a record"},
    {"limits.tasks_remembered", OPTION_COUNT, AT(limits.tasks_remembered), "1000000", 1024, MANY,
     "tasks that are known again"},
    {"limits.folds", OPTION_COUNT, AT(limits.folds), "65536", 64, MANY, "open windows of repeats"},
    {"limits.queue_bytes", OPTION_BYTES, AT(limits.queue_bytes), "64M", 65536, GIGAS(16),
     "live: what may wait for an output"},
};

const size_t option_count = sizeof option_defs / sizeof *option_defs;

const struct option_def *option_find(const char *path)
{
    for (size_t i = 0; i < option_count; i++)
        if (strcmp(option_defs[i].path, path) == 0)
            return &option_defs[i];
    return NULL;
}

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit byte_units[] = {
    {"", 1}, {"k", 1u << 10}, {"M", 1u << 20}, {"G", 1u << 30}, {NULL, 0}};
static const struct unit time_units[] = {{"ms", 1000000},      {"s", SECOND}, {"m", 60 * SECOND},
                                         {"h", 3600 * SECOND}, {"d", DAY},    {NULL, 0}};
static const struct unit second_units[] = {{"", SECOND},         {"s", SECOND}, {"m", 60 * SECOND},
                                           {"h", 3600 * SECOND}, {"d", DAY},    {NULL, 0}};
static const struct unit no_units[] = {{"", 1}, {NULL, 0}};

static const struct unit *units_of(enum option_type type)
{
    switch (type) {
    case OPTION_BYTES: return byte_units;
    case OPTION_TIME: return time_units;
    case OPTION_SECONDS: return second_units;
    default: return no_units;
    }
}

/* Digits and one unit of the type; the product must not overflow. */
static bool number(const char *text, enum option_type type, uint64_t *out)
{
    char *end;
    uint64_t n;

    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    n = strtoull(text, &end, 10);
    for (const struct unit *u = units_of(type); u->name; u++)
        if (strcmp(end, u->name) == 0) {
            *out = n * u->factor;
            return errno == 0 && n <= UINT64_MAX / u->factor;
        }
    return false;
}

static const char *what_is_expected(enum option_type type)
{
    switch (type) {
    case OPTION_BOOL: return "true or false";
    case OPTION_BYTES: return "a number of bytes, with k, M or G";
    case OPTION_TIME: return "a time with ms, s, m, h or d";
    case OPTION_SECONDS: return "a number of seconds, or a time with s, m, h or d";
    case OPTION_COUNT:
    case OPTION_UNSIGNED: return "a whole number";
    default: return "a text";
    }
}

/* The shortest text with a unit that says exactly n. */
static void number_text(enum option_type type, uint64_t n, char *text, size_t len)
{
    const struct unit *best = units_of(type);

    for (const struct unit *u = best; u->name; u++)
        if (n % u->factor == 0 && u->factor >= best->factor && (n > 0 || u == best))
            best = u;
    snprintf(text, len, "%" PRIu64 "%s", n / best->factor, best->name);
}

static void *field(const struct conf *conf, const struct option_def *o)
{
    return (char *)(uintptr_t)conf + o->offset;
}

static bool set_number(struct conf *conf, const struct option_def *o, const char *text, char *error,
                       size_t len)
{
    uint64_t n;
    char low[32], high[32];

    if (!number(text, o->type, &n)) {
        snprintf(error, len, "expected %s", what_is_expected(o->type));
        return false;
    }
    if (n < o->min || n > o->max) {
        number_text(o->type, o->min, low, sizeof low);
        number_text(o->type, o->max, high, sizeof high);
        snprintf(error, len, "out of range: expected %s to %s", low, high);
        return false;
    }
    if (o->type == OPTION_UNSIGNED)
        *(unsigned *)field(conf, o) = (unsigned)n;
    else if (o->type == OPTION_TIME || o->type == OPTION_SECONDS)
        *(int64_t *)field(conf, o) = (int64_t)n;
    else
        *(uint64_t *)field(conf, o) = n;
    return true;
}

static bool set_bool(struct conf *conf, const struct option_def *o, const char *text, char *error,
                     size_t len)
{
    bool yes = strcmp(text, "true") == 0 || strcmp(text, "yes") == 0 || strcmp(text, "on") == 0;

    if (!yes && strcmp(text, "false") != 0 && strcmp(text, "no") != 0 && strcmp(text, "off") != 0) {
        snprintf(error, len, "expected true or false");
        return false;
    }
    *(bool *)field(conf, o) = yes;
    return true;
}

bool option_set(struct conf *conf, const struct option_def *o, const char *text, char *error,
                size_t error_len)
{
    char **to;

    switch (o->type) {
    case OPTION_BOOL: return set_bool(conf, o, text, error, error_len);
    case OPTION_TEXT:
        to = field(conf, o);
        free(*to);
        *to = strdup(text);
        return *to != NULL;
    case OPTION_TEXTS: return option_add(conf, o, text);
    default: return set_number(conf, o, text, error, error_len);
    }
}

bool option_add(struct conf *conf, const struct option_def *o, const char *text)
{
    return text_list_add(field(conf, o), text);
}

void option_defaults(struct conf *conf)
{
    char error[128];

    for (size_t i = 0; i < option_count; i++)
        if (option_defs[i].standard)
            option_set(conf, &option_defs[i], option_defs[i].standard, error, sizeof error);
}

void option_free(struct conf *conf)
{
    for (size_t i = 0; i < option_count; i++) {
        if (option_defs[i].type == OPTION_TEXT)
            free(*(char **)field(conf, &option_defs[i]));
        else if (option_defs[i].type == OPTION_TEXTS)
            text_list_free(field(conf, &option_defs[i]));
    }
}

void option_text(const struct conf *conf, const struct option_def *o, char *text, size_t len)
{
    const void *at = field(conf, o);

    switch (o->type) {
    case OPTION_BOOL: snprintf(text, len, "%s", *(const bool *)at ? "true" : "false"); break;
    case OPTION_UNSIGNED: number_text(o->type, *(const unsigned *)at, text, len); break;
    case OPTION_TIME:
    case OPTION_SECONDS: number_text(o->type, (uint64_t) * (const int64_t *)at, text, len); break;
    case OPTION_TEXT:
        snprintf(text, len, "%s", *(char *const *)at ? *(char *const *)at : "");
        break;
    case OPTION_TEXTS: text[0] = '\0'; break;
    default: number_text(o->type, *(const uint64_t *)at, text, len); break;
    }
}

bool text_list_add(struct text_list *list, const char *text)
{
    char **more = realloc(list->at, (list->n + 1) * sizeof *more);

    if (!more)
        return false;
    list->at = more;
    more[list->n] = strdup(text);
    if (!more[list->n])
        return false;
    list->n++;
    return true;
}

void text_list_free(struct text_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->at[i]);
    free(list->at);
    *list = (struct text_list){0};
}
