/* run/conf.h - all that the operator can set, from one table of options
 * (options.c): configuration file, command line, --dump-config, JSON Schema. */
#ifndef RUN_CONF_H
#define RUN_CONF_H

#include "out/sink.h"
#include "signatures/policy.h"

enum conf_mode {
    MODE_RUN,
    MODE_TEST,            /* -T */
    MODE_DUMP,            /* --dump-config */
    MODE_LIST_RULES,      /* --list-rules */
    MODE_LIST_INTERFACES, /* -D */
    MODE_VERSION,         /* -V */
    MODE_HELP,            /* -h, --help */
    MODE_DUMP_SCHEMA,     /* --dump-schema: the JSON Schema of docs/ */
    MODE_DUMP_BASELINE,   /* --dump-schema=baseline */
};

struct trust;
struct baselines;

struct conf_output {
    char *url;
    unsigned emit; /* mask of 1u << enum emit_kind */
};

struct conf_limits {
    uint64_t frag_bytes, flows, parked_total, parked_per_dir, ident_held, item, body, budget;
    uint64_t taps, channels, pending, nesting, unwrap_depth, unwrap_kept, arena, evidence, elements;
    int64_t frag_age_ns, flow_idle_ns, flow_embryonic_ns;
    uint64_t tasks_remembered, folds, queue_bytes;
};

struct conf {
    enum conf_mode mode;
    struct text_list files;      /* -r */
    struct text_list interfaces; /* -i */
    char *filter;                /* BPF, or NULL */
    uint64_t count;              /* -n; 0: no limit */
    struct conf_output *outputs; /* at least one: stdout */
    size_t n_outputs;
    bool fold;
    int64_t stats_ns; /* 0: none but at the end when the kind is emitted */
    unsigned workers; /* -j */
    char *user;       /* -u */
    int verbosity;    /* -1 quiet, 0, 1 verbose */
    char *observer_name;
    char *hash_key_file;
    uint8_t hmac_key[64];
    size_t n_hmac_key;
    int64_t inventory_ns; /* packet time between two of --emit inventory */
    bool checksums;       /* verify TCP checksums too */
    struct {
        unsigned prefix_v4, prefix_v6, glob_after;
    } learn;
    char *config_file, *baseline_file; /* -c, -b */
    char *learn_file;                  /* --learn */
    struct conf_limits limits;
    struct policy policy;
    struct baselines *baselines; /* baseline.h: of -b; or NULL */
    struct trust *trust;         /* trust.h: policy.signing.certificates, read; or NULL */
};

/* Copies the text. false: no memory. */
bool text_list_add(struct text_list *list, const char *text);
void text_list_free(struct text_list *list);

/* Reads the command line and the files that it names into *conf. Returns 0, or the exit
 * code of detections.md 4 after one clear line on standard error per fault (64 usage,
 * 66 no such file, 77 permission, 78 configuration or baseline: file, line, column, what
 * was expected). Memory: *conf's until conf_free(). */
int conf_load(struct conf *conf, int argc, char **argv);
void conf_free(struct conf *conf);
/* --dump-config: a YAML file that reproduces the run. */
bool conf_dump(const struct conf *conf, int fd);
bool conf_dump_schema(int fd);
void conf_usage(int fd);

#endif
