/* out/paths.c - see paths.h. */
#include "out/paths.h"

enum { TOP, EVENT, CELERIAC };

/* Writes "name": or "name":{ ; 0: it does not fit. */
static uint8_t write_key(char to[PATHS_KEY], struct bytes name, bool opens)
{
    size_t n = 0;

    if (name.len == 0 || name.len > PATHS_KEY - 4)
        return 0;
    to[n++] = '"';
    memcpy(to + n, name.at, name.len);
    n += name.len;
    to[n++] = '"';
    to[n++] = ':';
    if (opens)
        to[n++] = '{';
    return (uint8_t)n;
}

/* The object `name` in `parent`, made if it is not there; 0: no room. */
static uint8_t object_in(struct paths *p, uint8_t parent, struct bytes name)
{
    struct path_object o = {.parent = parent, .depth = (uint8_t)(p->object[parent].depth + 1)};

    o.open_len = write_key(o.open, name, true);
    for (unsigned i = 1; i < p->n_objects; i++) {
        const struct path_object *old = &p->object[i];
        if (old->parent == parent && old->open_len == o.open_len &&
            memcmp(old->open, o.open, o.open_len) == 0)
            return (uint8_t)i;
    }
    if (o.open_len == 0 || p->n_objects == PATHS_OBJECTS || o.depth >= PATHS_DEPTH)
        return 0;
    p->object[p->n_objects] = o;
    return (uint8_t)p->n_objects++;
}

static bool compile_field(struct paths *p, enum field_id id)
{
    struct bytes path = bytes_of(field_defs[id].path, strlen(field_defs[id].path));
    uint8_t object = TOP, top = TOP;

    for (const uint8_t *dot; (dot = memchr(path.at, '.', path.len)) != NULL;) {
        struct bytes name = bytes_cut(&path, (size_t)(dot - path.at));
        bytes_cut(&path, 1);
        object = object_in(p, object, name);
        if (object == TOP || path.len == 0)
            return false;
        if (top == TOP)
            top = object;
    }
    p->field[id].object = object;
    p->field[id].key_len = write_key(p->field[id].key, path, false);
    enum path_part part = top == EVENT ? PART_EVENT : top == CELERIAC ? PART_CELERIAC : PART_BODY;
    p->part[part][id >> 6] |= (uint64_t)1 << (id & 63);
    return p->field[id].key_len > 0;
}

bool paths_compile(struct paths *p)
{
    *p = (struct paths){.n_objects = 1};
    object_in(p, TOP, bytes_of("event", 5));
    object_in(p, TOP, bytes_of("celeriac", 8));
    for (unsigned id = 0; id < F_COUNT; id++)
        if (field_defs[id].path && !compile_field(p, (enum field_id)id))
            return false;
    return true;
}

uint8_t paths_move(const struct paths *p, struct text *t, uint8_t from, uint8_t to)
{
    uint8_t way[PATHS_DEPTH];
    unsigned n = 0;

    for (uint8_t at = to; from != at;) { /* up on the deeper side until both meet */
        if (p->object[from].depth >= p->object[at].depth && from != TOP) {
            TEXT_LITERAL(t, "}");
            from = p->object[from].parent;
        } else {
            way[n++] = at;
            at = p->object[at].parent;
        }
    }
    while (n > 0) {
        const struct path_object *o = &p->object[way[--n]];
        text_comma(t);
        text_key(t, o->open, o->open_len);
    }
    return to;
}
