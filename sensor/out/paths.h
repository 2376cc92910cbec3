/* out/paths.h - the dotted paths of the table of fields (dissectors/field.h) as
 * nested objects, compiled once for each encoder.
 *
 * A record opens and closes objects as it goes through its fields in the table's
 * order: because the members of one object stand together in the table, each
 * object is opened once. */
#ifndef OUT_PATHS_H
#define OUT_PATHS_H

#include "dissectors/field.h"
#include "out/text.h"

enum { PATHS_OBJECTS = 64, PATHS_DEPTH = 8, PATHS_KEY = 32 };

/* Where in the record a field stands: event.* inside the event object, celeriac.* at the end. */
enum path_part { PART_EVENT, PART_BODY, PART_CELERIAC, PART_COUNT };

struct path_object {
    char open[PATHS_KEY]; /* "task":{ */
    uint8_t open_len, depth;
    uint8_t parent; /* index; of itself for the top */
};

struct path_field {
    char key[PATHS_KEY]; /* "retries": */
    uint8_t key_len;
    uint8_t object;
};

struct paths {
    struct path_object object[PATHS_OBJECTS]; /* 0: the record; 1: event, 2: celeriac */
    unsigned n_objects;
    struct path_field field[F_COUNT];
    uint64_t part[PART_COUNT][2]; /* the fields that stand there, as in fields.has */
};

/* false: the table does not fit, which a test finds out. */
bool paths_compile(struct paths *p);

/* Closes and opens objects so that members of `to` can be written; returns `to`. */
uint8_t paths_move(const struct paths *p, struct text *t, uint8_t from, uint8_t to);

/* A key of n bytes out of its block of PATHS_KEY, which is copied whole. */
static inline void text_key(struct text *t, const char key[PATHS_KEY], size_t n)
{
    if (!text_room(t, PATHS_KEY))
        return;
    memcpy(t->at + t->len, key, PATHS_KEY);
    t->len += n;
}

/* A comma, unless an object or list has just been opened. */
static inline void text_comma(struct text *t)
{
    if (t->len > 0 && t->at[t->len - 1] != '{' && t->at[t->len - 1] != '[')
        TEXT_LITERAL(t, ",");
}

#endif
