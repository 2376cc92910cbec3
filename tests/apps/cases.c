/* tests/apps/cases.c - the texts of tests/apps/cases/: envelopes of either broker, and all that is
 * to be said of them. Real messages by make_cases.py, and made-up ones.
 *
 *     case NAME
 *     redis OP command=.. key=.. field=.. channel=..    how it crossed Redis, or
 *     amqp OP exchange=.. key=.. queue=.. redelivered=1  RabbitMQ
 *     headers {..}   properties {..}                     of AMQP, as JSON
 *     type ..        encoding ..
 *     top KEY VALUE                                      what a pickle holds
 *     value ..       raw ..       base64 ..              the body; with escapes, as it stands,
 * decoded whole only                                         not to be cut short: what is said
 * depends on all expect ..                                          a line of door.h; any number,
 * in order
 *
 * Each value is also cut short at every byte: what is then still said must be what
 * the whole says, or less. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>

#include "dissectors/apps/tree.h"
#include "tests/apps/door.h"

enum { TOP = 16, FIELDS = 8 };

struct subject {
    char name[128];
    bool amqp, whole_only;
    enum op op;
    struct {
        enum field_id id;
        char *text;
    } field[FIELDS];
    unsigned n_fields;
    char *headers, *properties, *type, *encoding;
    struct bytes value;
    struct top_pair top[TOP];
    unsigned n_top;
    char *expect;
};

static unsigned failed;
static struct arena *texts; /* of one case */

static char *keep(const char *text)
{
    size_t n = strlen(text) + 1;
    char *to = arena_raw(texts, n);

    assert_non_null(to);
    memcpy(to, text, n);
    return to;
}

static struct bytes own(const char *text)
{
    return bytes_of(text, strlen(text));
}

static enum op op_of(const char *word)
{
    static const char *const ops[] = {"NONE", "PUBLISH", "DELIVER", "RETURN", "STORE", "READ"};

    for (unsigned i = 0; i < 6; i++)
        if (strcmp(ops[i], word) == 0)
            return (enum op)i;
    fail_msg("no such op: %s", word);
    return OP_NONE;
}

static enum field_id field_of(bool amqp, const char *name)
{
    static const struct {
        const char *name;
        enum field_id redis, amqp;
    } names[] = {
        {"command", F_REDIS_COMMAND, F_AMQP_METHOD},
        {"key", F_REDIS_KEY, F_AMQP_ROUTING_KEY},
        {"field", F_REDIS_FIELD, F_COUNT},
        {"channel", F_REDIS_CHANNEL, F_COUNT},
        {"exchange", F_COUNT, F_AMQP_EXCHANGE},
        {"queue", F_COUNT, F_AMQP_QUEUE},
        {"redelivered", F_COUNT, F_AMQP_REDELIVERED},
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i].name, name) == 0)
            return amqp ? names[i].amqp : names[i].redis;
    fail_msg("no such word: %s", name);
    return F_COUNT;
}

/* "\x06" stands for a byte. */
static char *unescaped(const char *text)
{
    char *to = keep(text), *at = to;

    for (const char *p = text; *p; p++) {
        unsigned byte;
        if (p[0] == '\\' && p[1] == 'x' && sscanf(p + 2, "%2x", &byte) == 1) {
            *at++ = (char)byte;
            p += 3;
        } else {
            *at++ = *p;
        }
    }
    *at = 0;
    return to;
}

static void parse_where(struct subject *s, char *rest)
{
    char *save = NULL;
    char *word = strtok_r(rest, " ", &save);

    s->op = op_of(word);
    while ((word = strtok_r(NULL, " ", &save))) {
        char *value = strchr(word, '=');
        assert_non_null(value);
        *value++ = 0;
        s->field[s->n_fields].id = field_of(s->amqp, word);
        s->field[s->n_fields++].text = unescaped(value);
    }
}

static void parse_top(struct subject *s, char *rest)
{
    char *value = strchr(rest, ' ');

    assert_non_null(value);
    *value++ = 0;
    s->top[s->n_top].key = own(keep(rest));
    s->top[s->n_top++].value = own(keep(value));
}

static void parse_base64(struct subject *s, const char *text)
{
    assert_true(base64_decode(own(text), false, texts, &s->value, NULL));
}

static void parse_line(struct subject *s, char *word, char *rest)
{
    if (strcmp(word, "redis") == 0 || strcmp(word, "amqp") == 0) {
        s->amqp = word[0] == 'a';
        parse_where(s, rest);
    } else if (strcmp(word, "whole") == 0) {
        s->whole_only = true;
    } else if (strcmp(word, "headers") == 0) {
        s->headers = keep(rest);
    } else if (strcmp(word, "properties") == 0) {
        s->properties = keep(rest);
    } else if (strcmp(word, "type") == 0) {
        s->type = keep(rest);
    } else if (strcmp(word, "encoding") == 0) {
        s->encoding = keep(rest);
    } else if (strcmp(word, "top") == 0) {
        parse_top(s, rest);
    } else if (strcmp(word, "value") == 0) {
        s->value = own(unescaped(rest));
    } else if (strcmp(word, "raw") == 0) {
        s->value = own(keep(rest));
    } else if (strcmp(word, "base64") == 0) {
        parse_base64(s, rest);
    } else if (strcmp(word, "expect") == 0) {
        char *both = arena_raw(texts, strlen(s->expect) + strlen(rest) + 2);

        assert_non_null(both);
        sprintf(both, "%s%s\n", s->expect, rest);
        s->expect = both;
    } else {
        fail_msg("no such line: %s", word);
    }
}

static void tree(const char *json, struct headers *out, struct arena *arena)
{
    struct reader r;
    struct token t;

    reader_begin(&r, WHAT_JSON, own(json), false, arena);
    assert_true(reader_next(&r, &t) && t.kind == TOKEN_MAP);
    tree_read(&r, out, arena);
}

static void fill(struct msg *m, const struct subject *s)
{
    if (s->amqp) {
        fields_num(&m->fields, F_AMQP_CHANNEL, 1);
        fields_str(&m->fields, F_AMQP_METHOD,
                   s->op == OP_PUBLISH  ? "basic.publish"
                   : s->op == OP_RETURN ? "basic.return"
                                        : "basic.deliver");
    }
    for (unsigned i = 0; i < s->n_fields; i++)
        if (field_defs[s->field[i].id].type == FIELD_BOOL)
            fields_num(&m->fields, s->field[i].id, 1);
        else
            fields_str(&m->fields, s->field[i].id, s->field[i].text);
}

/* What is said of the first n bytes of the value; the caller frees it. */
static char *said(struct subject *s, struct door *d, size_t n)
{
    struct headers headers, properties;
    uint8_t *copy = malloc(n ? n : 1);
    struct content content = {.wire_len = s->value.len, .clipped = n < s->value.len};
    char *text = NULL;
    size_t size = 0;
    struct msg m;

    memcpy(copy, s->value.at, n);
    content.body = bytes_of(copy, n);
    msg_init(&m, MSG_ENVELOPE, "");
    m.op = s->op;
    fill(&m, s);
    m.content = &content;
    if (s->amqp) {
        tree(s->headers ? s->headers : "{}", &headers, d->arena);
        tree(s->properties ? s->properties : "{}", &properties, d->arena);
        m.headers = &headers;
        m.properties = &properties;
        content.type = s->type ? own(s->type) : (struct bytes){0};
        content.encoding = s->encoding ? own(s->encoding) : (struct bytes){0};
        content.compression = header_text(headers_find(&headers, "compression"));
    }
    d->top = s->top;
    d->n_top = s->n_top;
    d->log = open_memstream(&text, &size);
    door_enter(d, &m);
    fclose(d->log);
    free(copy);
    return text;
}

/* May a cut message say something else here than the whole? Sizes, digests and guesses at the
 * format: yes. Lists: their beginning. */
static bool may_differ(const char *field, const char *whole)
{
    static const char *const loose[] = {
        "TASK_BODY_BYTES=", "BODY_DIGEST=", "CONTENT_WHAT=", "TASK_SERIALIZER=",
        "TASK_SIGNED=",     "TASK_SIGNER=", "SIGNATURE=",    "RESULT_SERIALIZER=",
    };

    for (size_t i = 0; i < sizeof loose / sizeof loose[0]; i++)
        if (strncmp(field, loose[i], strlen(loose[i])) == 0)
            return true;
    if (strncmp(field, "TASK_SUBTASKS=", 14) == 0 || strncmp(field, "CONTROL_TASKS=", 14) == 0 ||
        strncmp(field, "CONTROL_DESTINATION=", 20) == 0)
        return strstr(whole, field) != NULL;
    return false;
}

/* Each word of a line of the cut message stands in a line of the same kind of the whole. */
static bool line_fits(char *line, const char *whole)
{
    char *save = NULL, *kind = strtok_r(line, " ", &save), *word = strtok_r(NULL, " ", &save);
    char start[64];

    if (strcmp(kind, "envelope") == 0)
        return true;
    /* A pickle whose task is not to be seen is told, for its own sake. */
    if (strcmp(kind, "stored") == 0 && strstr(save, "APP=celery") && strstr(save, "WHAT=3"))
        return true;
    snprintf(start, sizeof start, "%s %s", kind, word);
    if (!strstr(whole, start))
        return false;
    while ((word = strtok_r(NULL, " ", &save))) {
        const char *at = strstr(whole, word);
        bool ends = at && (at[strlen(word)] == ' ' || at[strlen(word)] == '\n');

        if (!ends && !may_differ(word, whole)) {
            fprintf(stderr, "  %s\n", word);
            return false;
        }
    }
    return true;
}

static bool fits(char *cut, const char *whole)
{
    char *save = NULL;

    for (char *line = strtok_r(cut, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        if (!line_fits(line, whole))
            return false;
    return true;
}

static void check(struct subject *s, struct door *d)
{
    char *whole;

    if (!s->name[0])
        return;
    whole = said(s, d, s->value.len);
    if (strcmp(whole, s->expect) != 0) {
        fprintf(stderr, "case %s\n--- expected\n%s--- said\n%s\n", s->name, s->expect, whole);
        failed++;
    }
    for (size_t n = 0; n < s->value.len && !s->whole_only; n++) {
        char *cut = said(s, d, n), *kept = strdup(cut);

        if (!fits(cut, whole)) {
            fprintf(stderr, "case %s, cut at %zu\n%s--- whole\n%s\n", s->name, n, kept, whole);
            failed++;
            n = s->value.len;
        }
        free(cut);
        free(kept);
    }
    free(whole);
}

static void run_file(const char *path, struct door *d)
{
    FILE *f = fopen(path, "r");
    struct subject s = {.expect = keep("")};
    char *line = NULL;
    size_t room = 0;
    unsigned n = 0;

    assert_non_null(f);
    while (getline(&line, &room, f) >= 0) {
        char *rest = line + strcspn(line, " \n");

        line[strcspn(line, "\n")] = 0;
        if (!line[0] || line[0] == '#')
            continue;
        if (*rest)
            *rest++ = 0;
        if (strcmp(line, "case") == 0) {
            check(&s, d);
            arena_reset(texts);
            s = (struct subject){.expect = keep("")};
            snprintf(s.name, sizeof s.name, "%s", rest);
            n++;
        } else {
            parse_line(&s, line, rest);
        }
    }
    check(&s, d);
    printf("%s: %u cases\n", path, n);
    assert_true(n > 0);
    free(line);
    fclose(f);
}

static void test_cases(void **state)
{
    static const char folder[] = SOURCE_DIR "/tests/apps/cases";
    struct door d = {.arena = arena_new(16u << 20)};
    DIR *dir = opendir(folder);
    char path[512];

    (void)state;
    texts = arena_new(16u << 20);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        run_file(path, &d);
    }
    closedir(dir);
    arena_free(d.arena);
    arena_free(texts);
    assert_int_equal(failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
