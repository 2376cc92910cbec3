/* tests/content/differential/answer.c - what the readers and base64 say of documents on standard
 * input, for a comparison with Python's.
 *
 * A request: one letter (j JSON, m MessagePack, y YAML, b base64, u URL-safe base64), the length of
 * the document in decimal, a newline, the document. An answer: lines, then one of "end WORD".
 * Texts and bytes are in hexadecimal; a token is "KIND [TEXT | NUMBER]". */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "dissectors/content/reader.h"

static void put_hex(struct bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        printf("%02x", b.at[i]);
}

static void put_token(const struct token *t, struct arena *arena)
{
    static const char letters[] = "{}[]ksbifTFN";
    putchar(letters[t->kind]);
    putchar(' ');
    if (t->kind == TOKEN_INT)
        printf("%" PRId64, t->num);
    else if (t->kind == TOKEN_FLOAT)
        printf("%.17g", t->real);
    else
        put_hex(token_text(t, arena));
    if (t->tag.len > 0)
        printf(" "), put_hex(t->tag);
    putchar('\n');
}

static void read_document(enum content_what format, struct bytes document, struct arena *arena)
{
    struct reader r;
    struct token t;
    reader_begin(&r, format, document, false, arena);
    while (reader_next(&r, &t))
        put_token(&t, arena);
    if (r.end == READER_WHOLE && (r.rest.len == 0 || format == WHAT_YAML))
        printf("end whole\n");
    else
        printf("end %s\n", r.end == READER_WHOLE ? "extra" : "broken");
    reader_end(&r);
}

static void read_base64(bool urlsafe, struct bytes text, struct arena *arena)
{
    struct bytes out;
    bool complete;
    if (!base64_decode(text, urlsafe, arena, &out, &complete))
        exit(1);
    put_hex(out);
    printf("\nend %s\n", complete ? "whole" : "broken");
}

int main(void)
{
    struct arena *arena = arena_new(256 << 20);
    char what;
    size_t n;
    while (scanf("%c%zu", &what, &n) == 2 && getchar() == '\n') {
        uint8_t *block = malloc(n > 0 ? n : 1);
        if (!block || fread(block, 1, n, stdin) != n)
            return 1;
        struct bytes document = bytes_of(block, n);
        switch (what) {
        case 'j': read_document(WHAT_JSON, document, arena); break;
        case 'm': read_document(WHAT_MSGPACK, document, arena); break;
        case 'y': read_document(WHAT_YAML, document, arena); break;
        default: read_base64(what == 'u', document, arena);
        }
        free(block);
        fflush(stdout);
        arena_reset(arena);
    }
    arena_free(arena);
    return 0;
}
