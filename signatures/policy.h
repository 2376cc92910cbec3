/* signatures/policy.h - what the operator wants, as detectors and encoders read
 * it: filled by the configuration, const afterwards. */
#ifndef SIGNATURES_POLICY_H
#define SIGNATURES_POLICY_H

#include "base/wire.h"

struct text_list {
    char **at; /* NUL-terminated */
    size_t n;
};

struct network {
    uint8_t ip[16]; /* as in struct endpoint */
    uint8_t family;
    unsigned prefix; /* bits */
};

/* One entry of `suppress`: every part that is set must match. */
struct suppression {
    char *rule; /* glob; mandatory */
    bool has_source, has_destination;
    struct network source, destination;
    char *task;       /* glob on celery.task.name, or NULL */
    char *reason;     /* for people */
    int64_t until_ns; /* packet time; INT64_MAX: for ever */
};

struct baseline;

struct policy {
    struct {
        bool required;
        char *certificates; /* directory, or NULL */
        char *digest;
    } signing;
    struct {
        bool set;                 /* absent: no serializer-forbidden */
        struct text_list allowed; /* names (json) or content types (application/json) */
    } serializers;
    struct text_list pickle_allow_imports;
    struct {
        unsigned max_ratio;
        uint64_t max_total;
    } decompression;
    struct {
        unsigned failures;
        int64_t window_ns;
    } bruteforce;
    struct {
        unsigned floor, factor; /* tasks of a window, times its highest one; floor 0: never */
        unsigned far_floor;     /* the same of those with an ETA beyond far_ns */
        int64_t window_ns, settle_ns, far_ns;
    } flood;
    struct {
        int64_t amqp_ns, redis_ns; /* how long a consumer may owe its first answer */
    } swallowed;
    struct suppression *suppress;
    size_t n_suppress;
    size_t tasks_remembered;         /* limits.tasks_remembered, for detectors; 0: a small table */
    bool inventory;                  /* facts are kept: --learn, or --emit inventory */
    const struct baseline *baseline; /* signatures/baseline.h; NULL: none */
};

static inline bool network_has(const struct network *n, const struct endpoint *e)
{
    unsigned whole = n->prefix / 8, rest = n->prefix % 8;

    if (n->family != e->family || memcmp(n->ip, e->ip, whole) != 0)
        return false;
    return rest == 0 || ((n->ip[whole] ^ e->ip[whole]) & (0xff00u >> rest) & 0xffu) == 0;
}

#endif
