/* support/stream_script.c - reads the text of stream_script.h. Trusted input:
 * what is wrong is said, with its line, and the test fails. */
#include "tests/dissectors/support/stream_script.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEFINES 200
#define MAX_NESTING 16

struct reader {
    const char *path;
    int line;
    struct stream_script *into;
    struct stream_case common; /* of the lines before the first case */
    struct stream_case *now;
    char *names[MAX_DEFINES], *values[MAX_DEFINES];
    size_t n_defines;
    bool expecting;
    char *packet; /* the text of one that may go on */
};

struct octets {
    uint8_t *at;
    size_t len, cap;
};

static bool wrong(const struct reader *r, const char *what, const char *at)
{
    fprintf(stderr, "%s:%d: %s: %.40s\n", r->path, r->line, what, at);
    return false;
}

static void put(struct octets *o, const void *from, size_t n)
{
    if (o->len + n > o->cap) {
        o->cap = (o->len + n) * 2;
        o->at = realloc(o->at, o->cap);
    }
    memcpy(o->at + o->len, from, n);
    o->len += n;
}

static void put_repeated(struct octets *o, size_t from, unsigned long times)
{
    size_t n = o->len - from;

    if (times == 0)
        o->len = from;
    for (unsigned long i = 1; i < times; i++) {
        uint8_t *copy = malloc(n ? n : 1);
        memcpy(copy, o->at + from, n);
        put(o, copy, n);
        free(copy);
    }
}

static int hex(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = tolower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool escape(const char **p, uint8_t *out)
{
    static const char names[] = "rnt0\\\"", octets[] = "\r\n\t\0\\\"";
    const char *hit;

    (*p)++;
    if (**p == 'x' && hex((*p)[1]) >= 0 && hex((*p)[2]) >= 0) {
        *out = (uint8_t)(hex((*p)[1]) << 4 | hex((*p)[2]));
        *p += 2;
        return true;
    }
    if (!**p || !(hit = strchr(names, **p)))
        return false;
    *out = (uint8_t)octets[hit - names];
    return true;
}

static bool quoted(struct reader *r, const char **p, struct octets *o)
{
    for ((*p)++; **p != '"'; (*p)++) {
        uint8_t c = (uint8_t) * *p;

        if (c == 0 || (c == '\\' && !escape(p, &c)))
            return wrong(r, "bad string", *p);
        put(o, &c, 1);
    }
    (*p)++;
    return true;
}

static bool digits(struct reader *r, const char **p, struct octets *o)
{
    while (hex(**p) >= 0) {
        if (hex((*p)[1]) < 0)
            return wrong(r, "odd number of hex digits", *p);
        uint8_t c = (uint8_t)(hex((*p)[0]) << 4 | hex((*p)[1]));
        put(o, &c, 1);
        *p += 2;
    }
    return true;
}

static const char *defined(const struct reader *r, const char **p)
{
    const char *name = ++*p;

    while (isalnum((unsigned char)**p) || **p == '_')
        (*p)++;
    for (size_t i = r->n_defines; i-- > 0;)
        if (strlen(r->names[i]) == (size_t)(*p - name) &&
            strncmp(r->names[i], name, (size_t)(*p - name)) == 0)
            return r->values[i];
    return NULL;
}

/* What a ( began: its length goes where it was left open. */
struct open_length {
    size_t at, width;
};

static void close_length(struct octets *o, struct open_length l)
{
    uint64_t n = o->len - l.at - l.width;

    for (size_t i = 0; i < l.width; i++)
        o->at[l.at + i] = (uint8_t)(n >> 8 * (l.width - 1 - i));
}

static bool items(struct reader *r, const char *text, struct octets *o, unsigned depth);

/* One item at *p; false with `wrong` said. */
static bool item(struct reader *r, const char **p, struct octets *o, unsigned depth)
{
    if (**p == '"')
        return quoted(r, p, o);
    if (**p == '$') {
        const char *value = defined(r, p);
        return value && depth < MAX_NESTING ? items(r, value, o, depth + 1)
                                            : wrong(r, "no such name", *p);
    }
    return hex(**p) >= 0 ? digits(r, p, o) : wrong(r, "neither hex, text nor $name", *p);
}

static bool open_length(struct reader *r, const char **p, struct octets *o, struct open_length *l)
{
    static const uint8_t zeros[8];
    char *end;
    unsigned long width = strtoul(*p + 1, &end, 10);

    if (*end != ':' || width == 0 || width > 8)
        return wrong(r, "a length is (N: with N from 1 to 8", *p);
    *l = (struct open_length){.at = o->len, .width = width};
    put(o, zeros, width);
    *p = end + 1;
    return true;
}

static bool items(struct reader *r, const char *text, struct octets *o, unsigned depth)
{
    struct open_length open[MAX_NESTING];
    unsigned n_open = 0;
    size_t from = o->len;

    for (const char *p = text; *p && *p != '#';) {
        if (isspace((unsigned char)*p)) {
            p++;
        } else if (*p == '(') {
            if (n_open == MAX_NESTING || !open_length(r, &p, o, &open[n_open++]))
                return wrong(r, "length", p);
        } else if (*p == ')') {
            if (n_open == 0)
                return wrong(r, "nothing to close", p);
            from = open[--n_open].at;
            close_length(o, open[n_open]);
            p++;
        } else if (*p == '*') {
            put_repeated(o, from, strtoul(p + 1, (char **)&p, 10));
        } else {
            from = o->len;
            if (!item(r, &p, o, depth))
                return false;
        }
    }
    return n_open == 0 || wrong(r, "( without )", text);
}

static struct stream_event *new_event(struct reader *r, enum chunk_kind kind, enum dir dir)
{
    struct stream_case *c = r->now;

    c->events = realloc(c->events, (c->n_events + 1) * sizeof *c->events);
    c->events[c->n_events] = (struct stream_event){.kind = kind, .dir = dir};
    return &c->events[c->n_events++];
}

/* A packet may go on over several lines: it is read when the last is there. */
static bool packet_done(struct reader *r)
{
    char *text = r->packet;

    if (!text)
        return true;
    r->packet = NULL;
    struct stream_event *e = new_event(r, CHUNK_DATA, *text == '<' ? TO_CLIENT : TO_SERVER);
    struct octets o = {0};
    bool ok = items(r, text + (text[1] == 'x' ? 2 : 1), &o, 0);
    e->data = o.at;
    e->len = o.len;
    free(text);
    return ok;
}

static bool traffic(struct reader *r, const char *line)
{
    size_t n = strlen(line), have = r->packet ? strlen(r->packet) : 0;

    if (*line != '+') {
        r->packet = strdup(line);
        return true;
    }
    if (!r->packet)
        return wrong(r, "+ continues nothing", line);
    r->packet = realloc(r->packet, have + n + 1);
    r->packet[have] = ' ';
    memcpy(r->packet + have + 1, line + 1, n);
    return true;
}

static bool set(struct reader *r, const char *key, const char *value)
{
    struct dissect_conf *c = &r->now->conf;
    unsigned long n = strcmp(value, "true") == 0 ? 1 : strtoul(value, NULL, 10);

    if (strcmp(key, "commands") == 0)
        c->commands = n > 0;
    else if (strcmp(key, "max_body") == 0)
        c->max_body = n;
    else if (strcmp(key, "max_item") == 0)
        c->max_item = n;
    else if (strcmp(key, "max_depth") == 0)
        c->max_depth = (unsigned)n;
    else if (strcmp(key, "max_open") == 0)
        c->max_open = (unsigned)n;
    else if (strcmp(key, "max_pending") == 0)
        c->max_pending = (unsigned)n;
    else if (strcmp(key, "max_elements") == 0)
        c->max_elements = n;
    else
        return wrong(r, "no such setting", key);
    return true;
}

static bool define(struct reader *r, const char *name, const char *line)
{
    if (r->n_defines == MAX_DEFINES)
        return wrong(r, "too many definitions", name);
    const char *value = strstr(line, name) + strlen(name);
    r->names[r->n_defines] = strdup(name);
    r->values[r->n_defines++] = strdup(value);
    return true;
}

static void new_case(struct reader *r, const char *name)
{
    struct stream_script *s = r->into;

    s->cases = realloc(s->cases, (s->n + 1) * sizeof *s->cases);
    r->now = &s->cases[s->n++];
    *r->now = r->common;
    snprintf(r->now->name, sizeof r->now->name, "%s", name);
    r->now->expected = strdup("");
    r->expecting = false;
}

static bool directive(struct reader *r, const char *line)
{
    char word[32] = "", first[64] = "", second[64] = "";
    int n = sscanf(line, "%31s %63s %63s", word, first, second);

    if (strcmp(word, "case") == 0)
        return new_case(r, line + 4 + (line[4] == ' ')), true;
    if (strcmp(word, "dissector") == 0 && n == 2)
        return snprintf(r->now->dissector, sizeof r->now->dissector, "%.15s", first) > 0;
    if (strcmp(word, "define") == 0 && n >= 2)
        return define(r, first, line + 6);
    if (strcmp(word, "set") == 0 && n == 3)
        return set(r, first, second);
    if (strcmp(word, "midstream") == 0)
        return r->now->midstream = true;
    if (strcmp(word, "gap") == 0 && n == 3) {
        struct stream_event *e = new_event(r, CHUNK_GAP, *first == '<' ? TO_CLIENT : TO_SERVER);
        e->missing = strtoull(second, NULL, 10);
        return true;
    }
    if (strcmp(word, "close") == 0 && n == 2)
        return new_event(r, CHUNK_CLOSE, *first == '<' ? TO_CLIENT : TO_SERVER) != NULL;
    return wrong(r, "not understood", line);
}

static void expect(struct reader *r, const char *line)
{
    size_t have = strlen(r->now->expected), n = strlen(line);

    r->now->expected = realloc(r->now->expected, have + n + 2);
    snprintf(r->now->expected + have, n + 2, "%s\n", line);
}

static bool read_line(struct reader *r, const char *line, long next)
{
    if (*line == 0 || *line == '#')
        return true;
    if (*line != '+' && !packet_done(r))
        return false;
    if (strcmp(line, "---") == 0) {
        if (r->now == &r->common)
            new_case(r, r->path);
        r->now->expected_from = r->now->expected_to = next;
        return r->expecting = true;
    }
    if (r->expecting && strncmp(line, "case ", 5) != 0) {
        expect(r, line);
        r->now->expected_to = next;
        return true;
    }
    bool is_traffic = *line == '>' || *line == '<' || *line == '+';
    return is_traffic ? traffic(r, line) : directive(r, line);
}

bool stream_script_read(struct stream_script *s, const char *path)
{
    struct reader r = {.path = path, .into = s};
    char *line = NULL;
    size_t cap = 0;
    bool ok = true;
    FILE *f = fopen(path, "r");

    memset(s, 0, sizeof *s);
    if (!f)
        return perror(path), false;
    r.common.conf = (struct dissect_conf){.max_body = 1 << 20,
                                          .max_item = 1 << 16,
                                          .max_depth = 32,
                                          .max_open = 16,
                                          .max_pending = 1024,
                                          .max_elements = 100000,
                                          .commands = true};
    r.now = &r.common;
    while (ok && getline(&line, &cap, f) >= 0) {
        r.line++;
        line[strcspn(line, "\n")] = 0;
        ok = read_line(&r, line, ftell(f));
    }
    ok = packet_done(&r) && ok;
    for (size_t i = 0; i < r.n_defines; i++)
        free(r.names[i]), free(r.values[i]);
    free(line);
    fclose(f);
    return ok && (s->n > 0 || wrong(&r, "no case", path));
}

void stream_script_free(struct stream_script *s)
{
    for (size_t i = 0; i < s->n; i++) {
        for (size_t k = 0; k < s->cases[i].n_events; k++)
            free(s->cases[i].events[k].data);
        free(s->cases[i].events);
        free(s->cases[i].expected);
    }
    free(s->cases);
}
