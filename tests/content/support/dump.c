/* tests/content/support/dump.c - see dump.h. */
#include "tests/content/support/dump.h"

#include <stdlib.h>

static const char *const kinds[] = {
    [TOKEN_MAP] = "{",       [TOKEN_MAP_END] = "}",   [TOKEN_LIST] = "[",
    [TOKEN_LIST_END] = "]",  [TOKEN_KEY] = "key",     [TOKEN_STRING] = "str",
    [TOKEN_BYTES] = "bytes", [TOKEN_INT] = "int",     [TOKEN_FLOAT] = "float",
    [TOKEN_TRUE] = "true",   [TOKEN_FALSE] = "false", [TOKEN_NULL] = "null",
};

static void put_text(FILE *to, struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.at[i];
        if (c > ' ' && c < 0x7f && c != '\\')
            fputc(c, to);
        else
            fprintf(to, "\\x%02x", c);
    }
}

void dump_token(FILE *to, const struct token *t, struct arena *arena)
{
    fprintf(to, "%u %s", t->depth, kinds[t->kind]);
    if (t->kind == TOKEN_KEY || t->kind == TOKEN_STRING || t->kind == TOKEN_BYTES) {
        fputc(' ', to);
        put_text(to, token_text(t, arena));
    }
    if (t->kind == TOKEN_INT)
        fprintf(to, " %lld", (long long)t->num);
    if (t->kind == TOKEN_FLOAT)
        fprintf(to, " %.17g", t->real);
    if (t->tag.len > 0) {
        fputs(" <", to);
        put_text(to, t->tag);
        fputc('>', to);
    }
    fputs(t->cut ? " cut\n" : "\n", to);
}

static void dump_end(FILE *to, const struct reader *r)
{
    static const char *const ends[] = {"going", "whole", "clipped", "broken"};
    fputs(ends[r->end], to);
    if (r->end == READER_BROKEN)
        fprintf(to, "@%zu", r->broken_at);
    if (r->end == READER_WHOLE && r->rest.len > 0) {
        fputs(" rest ", to);
        put_text(to, r->rest);
    }
    if (r->too_deep > 0)
        fprintf(to, " deep %u", r->too_deep);
    if (r->aliases > 0)
        fprintf(to, " aliases %u", r->aliases);
    fputc('\n', to);
}

char *dump_document(enum content_what format, struct bytes document, bool clipped)
{
    char *log = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&log, &size);
    struct arena *arena = arena_new(64 << 20);
    struct reader r;
    struct token t;
    reader_begin(&r, format, document, clipped, arena);
    while (reader_next(&r, &t))
        dump_token(to, &t, arena);
    dump_end(to, &r);
    reader_end(&r);
    arena_free(arena);
    fclose(to);
    return log;
}

static bool same_line(const char *head, size_t n, const char *all)
{
    static const char cut[] = " cut\n";
    size_t tail = sizeof cut - 1;
    if (strncmp(head, all, n) == 0)
        return true;
    if (n < tail || strncmp(head + n - tail, cut, tail) != 0)
        return false;
    if (strncmp(head, all, n - tail) == 0)
        return true;
    /* a number or a word that is cut may become another kind of one: only the depth counts */
    return strncmp(head, all, strcspn(head, " ") + 1) == 0 &&
           (strstr(head, " int") || strstr(head, " float"));
}

bool dump_is_prefix(const char *head, const char *all)
{
    for (;;) {
        size_t n = strcspn(head, "\n") + 1;
        if (head[n] == '\0') /* the line for the end */
            return true;
        if (!same_line(head, n, all))
            return false;
        head += n;
        all += strcspn(all, "\n") + 1;
    }
}
