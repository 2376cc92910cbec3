/* run/conf_dump.c - the options as a configuration file that reproduces the run,
 * and the words of --help. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "run/conf.h"
#include "run/options.h"

/* A text as a double-quoted scalar. */
static void put_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            fprintf(out, "\\x%02x", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

static void put_list(FILE *out, const struct text_list *list)
{
    fputc('[', out);
    for (size_t i = 0; i < list->n; i++) {
        fputs(i > 0 ? ", " : "", out);
        put_text(out, list->at[i]);
    }
    fputc(']', out);
}

/* Opens the mappings of `path` that `before` (the last one written) is not inside of. */
static void put_parents(FILE *out, const char *before, const char *path)
{
    unsigned depth = 0;

    for (const char *dot = strchr(path, '.'), *from = path; dot;
         from = dot + 1, dot = strchr(from, '.'), depth++) {
        size_t n = (size_t)(dot - path) + 1;

        if (strncmp(before, path, n) != 0)
            fprintf(out, "%*s%.*s:\n", (int)(2 * depth), "", (int)(dot - from), from);
    }
}

static void put_value(FILE *out, const struct conf *conf, const struct option_def *o)
{
    char text[4096];

    option_text(conf, o, text, sizeof text);
    if (o->type == OPTION_TEXTS)
        put_list(out, (const void *)((const char *)conf + o->offset));
    else if (o->type == OPTION_TEXT && text[0] == '\0')
        fputs("null", out);
    else if (o->type == OPTION_TEXT)
        put_text(out, text);
    else
        fputs(text, out);
}

/* A list that is absent means something else than an empty one. */
static bool is_absent(const struct conf *conf, const struct option_def *o)
{
    return strcmp(o->path, "policy.serializers.allowed") == 0 && !conf->policy.serializers.set;
}

static void put_option(FILE *out, const struct conf *conf, const struct option_def *o)
{
    const char *leaf = strrchr(o->path, '.');
    unsigned depth = 0;

    for (const char *p = o->path; *p; p++)
        depth += *p == '.';
    fprintf(out, "%*s# %s\n", (int)(2 * depth), "", o->help);
    fprintf(out, "%*s%s%s: ", (int)(2 * depth), "", is_absent(conf, o) ? "# " : "",
            leaf ? leaf + 1 : o->path);
    put_value(out, conf, o);
    fputc('\n', out);
}

static void put_network(FILE *out, const char *name, const struct network *n)
{
    const uint8_t *b = n->ip;

    fprintf(out, ", %s: \"", name);
    if (n->family == 4)
        fprintf(out, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
    else
        for (unsigned i = 0; i < 16; i += 2)
            fprintf(out, "%s%x", i > 0 ? ":" : "", (unsigned)(b[i] << 8 | b[i + 1]));
    fprintf(out, "/%u\"", n->prefix);
}

static void put_suppress(FILE *out, const struct suppression *s)
{
    char until[32];
    time_t t = (time_t)(s->until_ns / 1000000000);
    struct tm tm;

    fputs("  - { rule: ", out);
    put_text(out, s->rule);
    if (s->has_source)
        put_network(out, "source", &s->source);
    if (s->has_destination)
        put_network(out, "destination", &s->destination);
    if (s->task) {
        fputs(", task: ", out);
        put_text(out, s->task);
    }
    if (s->until_ns != INT64_MAX && gmtime_r(&t, &tm) &&
        strftime(until, sizeof until, "%Y-%m-%dT%H:%M:%SZ", &tm) > 0)
        fprintf(out, ", until: \"%s\"", until);
    if (s->reason) {
        fputs(", reason: ", out);
        put_text(out, s->reason);
    }
    fputs(" }\n", out);
}

static void put_output(FILE *out, const struct conf_output *o)
{
    const char *comma = "";

    fputs("  - { url: ", out);
    put_text(out, o->url);
    fputs(", emit: [", out);
    for (enum emit_kind k = 0; k < EMIT_KINDS; k++)
        if (o->emit & 1u << k) {
            fprintf(out, "%s%s", comma, emit_name(k));
            comma = ", ";
        }
    fputs("] }\n", out);
}

bool conf_dump(const struct conf *conf, int fd)
{
    int copy = dup(fd);
    FILE *out = copy >= 0 ? fdopen(copy, "w") : NULL;
    const char *before = "";

    if (!out)
        return false;
    for (size_t i = 0; i < option_count; i++) {
        put_parents(out, before, option_defs[i].path);
        put_option(out, conf, &option_defs[i]);
        before = option_defs[i].path;
    }
    fputs("outputs:\n", out);
    for (size_t i = 0; i < conf->n_outputs; i++)
        put_output(out, &conf->outputs[i]);
    fputs(conf->policy.n_suppress > 0 ? "suppress:\n" : "suppress: []\n", out);
    for (size_t i = 0; i < conf->policy.n_suppress; i++)
        put_suppress(out, &conf->policy.suppress[i]);
    bool ok = fflush(out) == 0 && !ferror(out);
    return fclose(out) == 0 && ok;
}

void conf_usage(int fd)
{
    dprintf(
        fd,
        "usage: celeriac [-r FILE|DIR|-]... [-i IFACE]... [options] [BPF filter]\n"
        "       celeriac pickle [--json] [FILE|-]...\n\n"
        "  -r FILE|DIR|-        replay captures (pcap, pcapng; gzip, xz, zstd, lz4), merged by "
        "time\n"
        "  -i IFACE             watch an interface (repeatable)\n"
        "  -c, --config FILE    YAML        -T, --test-config  check it and exit    --dump-config\n"
        "  -o, --output URL     stdout: (default), file:PATH, "
        "kafka:HOST[:PORT][,HOST..][/PREFIX][?property=value&..]\n"
        "  --emit KIND[,KIND]   alerts (default; live: alerts,stats), tasks, results, workers, "
        "control, commands, inventory, stats\n"
        "  --format ecs         --no-fold   --stats[=N] also statistics, every N s of packet time\n"
        "  -b, --baseline FILE  judge by a baseline     --list-rules\n"
        "  --learn FILE         write a baseline of what is seen, merged with what FILE holds; "
        "with "
        "-b only what\n"
        "                       is not in that one. Names with generated parts become globs, "
        "addresses networks\n"
        "                       (learn: in the configuration); sources of attacks are left out and "
        "named\n"
        "  -j, --workers N      0 = one thread          -n, --count N packets\n"
        "  -u, --user USER      -q, -v      -D list interfaces      -V version      "
        "--dump-schema\n");
}
