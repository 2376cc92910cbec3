/* out/text.h - a buffer in which a record grows, and how JSON is spelt in it.
 *
 * The buffer is reused from record to record. Room is asked for once a piece,
 * never a byte; if memory runs out the buffer is `bad` and stays as it is. */
#ifndef OUT_TEXT_H
#define OUT_TEXT_H

#include "base/bytes.h"

struct text {
    char *at;
    size_t len, cap;
    bool bad; /* out of memory: what is there is not whole */
};

/* Room for n bytes behind len; false: no memory. */
bool text_grow(struct text *t, size_t n);
void text_free(struct text *t);

static inline void text_clear(struct text *t)
{
    t->len = 0;
    t->bad = false;
}

static inline bool text_room(struct text *t, size_t n)
{
    return n <= t->cap - t->len || text_grow(t, n);
}

static inline struct bytes text_view(const struct text *t)
{
    return bytes_of(t->at, t->len);
}

static inline void text_put(struct text *t, const char *s, size_t n)
{
    if (n == 0 || !text_room(t, n))
        return;
    memcpy(t->at + t->len, s, n);
    t->len += n;
}

#define TEXT_LITERAL(t, s) text_put((t), (s), sizeof(s) - 1)

static inline void text_str(struct text *t, const char *s)
{
    text_put(t, s, strlen(s));
}

void text_u64(struct text *t, uint64_t n);
void text_i64(struct text *t, int64_t n);
/* Bytes in lower-case hexadecimal. */
void text_hex(struct text *t, struct bytes b);

/* A JSON string with its quotes. Valid UTF-8 stays as it is; a byte that belongs
 * to none becomes \ufffd; what a terminal or a reader's eye would be misled by
 * (controls, DEL, line and paragraph separators, bidirectional and zero-width
 * characters) is written as \uXXXX. */
void text_json(struct text *t, struct bytes s);

/* Bytes as valid UTF-8: what is not becomes U+FFFD. For jansson. */
void text_utf8(struct text *t, struct bytes s);

/* Copies JSON that a library wrote and escapes in it what text_json() escapes. */
void text_escape_hidden(struct text *t, struct bytes json);

/* The longest head of at most `max` bytes that does not end in the midst of a
 * character; *cut is set if something was left out, else untouched. */
struct bytes text_clip(struct bytes s, size_t max, bool *cut);

/* 2024-05-06T07:08:09.123456Z: how a time is written. The text of the last second is
 * kept. One for each thread. */
struct text_clock {
    int64_t second;
    char text[20]; /* up to the seconds */
    bool known;
};
enum { TEXT_TIME = 27 };
void text_time(struct text *t, struct text_clock *clock, int64_t ns);

#endif
