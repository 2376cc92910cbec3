/* run/conf.c - the command line; files that it names are read before what follows
 * it overrides them. */
#include "run/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "run/baseline.h"
#include "run/conf_file.h"
#include "run/options.h"
#include "run/trust.h"

enum {
    OPT_DUMP = 256,
    OPT_LIST_RULES,
    OPT_FORMAT,
    OPT_NO_FOLD,
    OPT_STATS,
    OPT_EMIT,
    OPT_LEARN,
    OPT_DUMP_SCHEMA
};

static const char short_options[] = ":r:i:c:TS:o:b:j:n:u:qvDVh";

static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'},
    {"test-config", no_argument, NULL, 'T'},
    {"dump-config", no_argument, NULL, OPT_DUMP},
    {"dump-schema", optional_argument, NULL, OPT_DUMP_SCHEMA},
    {"signatures", required_argument, NULL, 'S'},
    {"list-rules", no_argument, NULL, OPT_LIST_RULES},
    {"output", required_argument, NULL, 'o'},
    {"format", required_argument, NULL, OPT_FORMAT},
    {"no-fold", no_argument, NULL, OPT_NO_FOLD},
    {"stats", optional_argument, NULL, OPT_STATS},
    {"emit", required_argument, NULL, OPT_EMIT},
    {"learn", required_argument, NULL, OPT_LEARN},
    {"baseline", required_argument, NULL, 'b'},
    {"workers", required_argument, NULL, 'j'},
    {"count", required_argument, NULL, 'n'},
    {"user", required_argument, NULL, 'u'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

/* What is being put together from the command line. */
struct line {
    struct conf *conf;
    unsigned emit;     /* before any -o: for all */
    bool file_outputs; /* conf->outputs came from the file: the first -o replaces them */
    bool stats;        /* --stats */
};

static int usage(const char *format, const char *what)
{
    char text[256];

    snprintf(text, sizeof text, format, what);
    log_error("%s (celeriac --help lists the options)", text);
    return 64;
}

static int not_built(const char *what)
{
    log_error("%s is not built yet", what);
    return 64;
}

static void free_outputs(struct conf *conf)
{
    for (size_t i = 0; i < conf->n_outputs; i++)
        free(conf->outputs[i].url);
    free(conf->outputs);
    conf->outputs = NULL;
    conf->n_outputs = 0;
}

static int set(struct conf *conf, const char *path, const char *text, const char *name)
{
    char error[160];

    if (option_set(conf, option_find(path), text, error, sizeof error))
        return 0;
    log_error("%s: %s, not '%.40s'", name, error, text);
    return 64;
}

static int add_output(struct line *l, const char *url)
{
    const char *rest;

    if (!sink_find(url, &rest))
        return usage("-o %.100s: expected stdout:, file:PATH or kafka:HOST", url);
    if (l->file_outputs)
        free_outputs(l->conf);
    l->file_outputs = false;
    return conf_add_output(l->conf, url, 0) ? 0 : 1;
}

static int add_emit(struct line *l, const char *text)
{
    bool own = l->conf->n_outputs > 0 && !l->file_outputs;
    unsigned *mask = own ? &l->conf->outputs[l->conf->n_outputs - 1].emit : &l->emit;
    char bad[64];

    if (!emit_parse(text, mask, bad, sizeof bad))
        return usage("--emit: no kind of record is called '%s'", bad);
    return 0;
}

static int set_format(const char *text)
{
    if (strcmp(text, "ecs") == 0)
        return 0;
    if (strcmp(text, "eve") == 0 || strcmp(text, "ocsf") == 0)
        return not_built(strcmp(text, "eve") == 0 ? "--format eve" : "--format ocsf");
    return usage("--format: expected ecs, eve or ocsf, not '%.40s'", text);
}

static int set_count(struct conf *conf, const char *text)
{
    char *end;

    errno = 0;
    conf->count = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno != 0 || conf->count == 0)
        return usage("-n: expected a number of packets, not '%.40s'", text);
    return 0;
}

static int set_stats(struct line *l, const char *text)
{
    l->stats = true;
    return text ? set(l->conf, "stats.interval", text, "--stats") : 0;
}

static int set_schema(struct conf *conf, const char *of)
{
    conf->mode = of ? MODE_DUMP_BASELINE : MODE_DUMP_SCHEMA;
    if (of && strcmp(of, "baseline") != 0)
        return usage("--dump-schema: expected baseline or nothing, not '%.40s'", of);
    return 0;
}

static int take(struct line *l, int c, char *arg, const char *word)
{
    struct conf *conf = l->conf;

    switch (c) {
    case 'r': return text_list_add(&conf->files, arg) ? 0 : 1;
    case 'i': return text_list_add(&conf->interfaces, arg) ? 0 : 1;
    case 'c': return 0; /* read before */
    case 'T': conf->mode = MODE_TEST; return 0;
    case 'D': conf->mode = MODE_LIST_INTERFACES; return 0;
    case 'V': conf->mode = MODE_VERSION; return 0;
    case 'h': conf->mode = MODE_HELP; return 0;
    case OPT_DUMP: conf->mode = MODE_DUMP; return 0;
    case OPT_DUMP_SCHEMA: return set_schema(conf, arg);
    case OPT_LIST_RULES: conf->mode = MODE_LIST_RULES; return 0;
    case OPT_NO_FOLD: conf->fold = false; return 0;
    case OPT_FORMAT: return set_format(arg);
    case OPT_EMIT: return add_emit(l, arg);
    case OPT_STATS: return set_stats(l, arg);
    case OPT_LEARN: conf->learn_file = arg; return 0;
    case 'S': return not_built("-S, --signatures");
    case 'o': return add_output(l, arg);
    case 'b': conf->baseline_file = arg; return 0;
    case 'j': return set(conf, "workers", arg, "-j");
    case 'n': return set_count(conf, arg);
    case 'u': return set(conf, "user", arg, "-u");
    case 'q': conf->verbosity = -1; return 0;
    case 'v': conf->verbosity = 1; return 0;
    case ':': return usage("%s needs an argument", word);
    default: return usage("unknown option %s", word);
    }
}

/* The configuration file first, wherever it stands, so that options override it. */
static int find_config(struct line *l, int argc, char **argv)
{
    int c;

    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, short_options, long_options, NULL)) != -1)
        if (c == 'c') {
            int status;

            l->conf->config_file = optarg;
            status = conf_file_read(l->conf, optarg);
            if (status != 0)
                return status;
        }
    l->file_outputs = l->conf->n_outputs > 0;
    return 0;
}

static char *join(char **words, int n)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    if (!out)
        return NULL;
    for (int i = 0; i < n; i++)
        fprintf(out, "%s%s", i > 0 ? " " : "", words[i]);
    fclose(out);
    return text;
}

static int read_line(struct line *l, int argc, char **argv)
{
    int c, status;

    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, short_options, long_options, NULL)) != -1) {
        status = take(l, c, optarg, argv[optind - 1]);
        if (status != 0)
            return status;
    }
    if (optind < argc)
        l->conf->filter = join(argv + optind, argc - optind);
    return 0;
}

/* Alerts; live, statistics too. */
static void finish_outputs(struct line *l)
{
    struct conf *conf = l->conf;
    unsigned standard = 1u << EMIT_ALERTS;

    if (conf->interfaces.n > 0 || l->stats)
        standard |= 1u << EMIT_STATS;
    if (l->emit && l->stats)
        l->emit |= 1u << EMIT_STATS;
    if (conf->n_outputs == 0)
        conf_add_output(conf, "stdout:", 0);
    for (size_t i = 0; i < conf->n_outputs; i++) {
        unsigned *mask = &conf->outputs[i].emit;

        if (*mask && l->stats)
            *mask |= 1u << EMIT_STATS;
        if (*mask == 0)
            *mask = l->emit ? l->emit : standard;
        conf->policy.inventory |= (*mask >> EMIT_INVENTORY & 1) != 0;
    }
    conf->policy.inventory |= conf->learn_file != NULL;
}

static int check_inputs(const struct conf *conf)
{
    if (conf->files.n > 0 && conf->interfaces.n > 0)
        return usage("%s", "-r and -i do not go together");
    if (conf->mode == MODE_RUN && conf->files.n == 0 && conf->interfaces.n == 0)
        return usage("%s", "nothing to read: -r FILE or -i INTERFACE");
    return 0;
}

/* The key is the file's bytes as they are, less one line end. */
static int read_key(struct conf *conf)
{
    char buffer[4096];
    ssize_t n;
    int fd;

    if (!conf->hash_key_file)
        return 0;
    fd = open(conf->hash_key_file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        log_error("redaction.hash_key_file: %s: %s", conf->hash_key_file, strerror(errno));
        return errno == EACCES ? 77 : 66;
    }
    n = read(fd, buffer, sizeof buffer);
    close(fd);
    if (n > 0 && buffer[n - 1] == '\n')
        n--;
    if (n < 16 || n > (ssize_t)sizeof conf->hmac_key) {
        log_error("redaction.hash_key_file: %s: expected 16 to %zu bytes", conf->hash_key_file,
                  sizeof conf->hmac_key);
        return 78;
    }
    memcpy(conf->hmac_key, buffer, (size_t)n);
    conf->n_hmac_key = (size_t)n;
    explicit_bzero(buffer, sizeof buffer);
    return 0;
}

int conf_load(struct conf *conf, int argc, char **argv)
{
    struct line l = {.conf = conf};
    int status;

    *conf = (struct conf){0};
    option_defaults(conf);
    status = find_config(&l, argc, argv);
    if (status == 0)
        status = read_line(&l, argc, argv);
    if (status == 0)
        status = check_inputs(conf);
    if (status == 0 && conf->baseline_file)
        status = baselines_open(conf->baseline_file, &conf->baselines);
    baselines_take(conf->baselines, &conf->policy.baseline);
    if (status == 0)
        status = read_key(conf);
    if (status == 0 && (conf->mode == MODE_RUN || conf->mode == MODE_TEST))
        status = trust_open(&conf->policy, &conf->trust);
    conf->policy.tasks_remembered = (size_t)conf->limits.tasks_remembered;
    finish_outputs(&l);
    return status;
}

void conf_free(struct conf *conf)
{
    trust_free(conf->trust);
    baselines_drop(conf->baselines, &conf->policy.baseline);
    baselines_free(conf->baselines);
    free_outputs(conf);
    text_list_free(&conf->files);
    text_list_free(&conf->interfaces);
    free(conf->filter);
    for (size_t i = 0; i < conf->policy.n_suppress; i++) {
        free(conf->policy.suppress[i].rule);
        free(conf->policy.suppress[i].task);
        free(conf->policy.suppress[i].reason);
    }
    free(conf->policy.suppress);
    option_free(conf);
    explicit_bzero(conf->hmac_key, sizeof conf->hmac_key);
}
