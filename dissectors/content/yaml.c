/* content/yaml.c - YAML on libyaml's event parser. Events are copied into the arena and freed at
 * once; nothing is composed, so an alias costs nothing.
 *
 * A clipped document is read up to its last whole line, and a scalar that reaches its end is not
 * given: in YAML the next line may go on with it, or make a key of it. */
#include <yaml.h>

#include "dissectors/content/reader_formats.h"
#include "dissectors/content/yaml_scalar.h"
#include "dissectors/content/yaml_tag.h"

/* What a document can make libyaml do out of proportion to its size: tag prefixes are copied for
 * each node, directives compared with all before them, levels looked at for each token. */
#define MAX_TAG_BYTES  (4u << 20)
#define MAX_DIRECTIVES 256u
#define MAX_ANCHORS    16u        /* that are remembered */
#define MAX_LOOKS      (1u << 22) /* at open levels: it goes over all of them for each token */

/* A scalar that an alias may stand for. */
struct anchor {
    struct bytes name;
    struct token scalar;
};

struct yaml {
    yaml_parser_t parser;
    struct arena *arena;
    struct bytes text, unread; /* what is parsed; what of it the parser has not asked for */
    bool ended;                /* the parser has asked for more than there is */
    bool clipped;              /* text is not the whole document */
    bool utf16;
    size_t marked_char, marked_byte; /* libyaml counts characters: the last place that was found */
    size_t tag_bytes;
    struct anchor anchors[MAX_ANCHORS]; /* the latest of a name counts */
    unsigned n_anchors;
    unsigned events, levels;
    uint64_t looks;
};

static int give_input(void *ctx, unsigned char *to, size_t room, size_t *given)
{
    struct yaml *y = ctx;
    struct bytes piece = bytes_cut(&y->unread, room);
    if (piece.len > 0)
        memcpy(to, piece.at, piece.len);
    else
        y->ended = true;
    *given = piece.len;
    return 1;
}

static struct bytes up_to_last_line(struct bytes text)
{
    const uint8_t *end = text.len > 0 ? memrchr(text.at, '\n', text.len) : NULL;
    return bytes_head(text, end ? (size_t)(end - text.at) + 1 : 0);
}

static bool too_many_directives(struct bytes text)
{
    unsigned n = 0;
    for (const uint8_t *at; (at = bytes_find(text, "%TAG")) != NULL; n++)
        bytes_cut(&text, (size_t)(at - text.at) + 4);
    return n > MAX_DIRECTIVES;
}

void yaml_begin(struct reader *r, struct arena *arena)
{
    struct yaml *y = arena_get(arena, sizeof *y);
    if (!y || !yaml_parser_initialize(&y->parser)) {
        reader_stop(r, READER_CLIPPED, 0);
        return;
    }
    r->more = y;
    y->arena = arena;
    y->clipped = r->clipped || r->all.len > READER_YAML_BYTES;
    y->text = bytes_head(r->all, READER_YAML_BYTES);
    if (y->clipped)
        y->text = up_to_last_line(y->text);
    y->unread = y->text;
    y->utf16 = yaml_is_utf16(y->text);
    if (y->text.len >= 3 && memcmp(y->text.at, "\xef\xbb\xbf", 3) == 0)
        y->marked_byte = 3; /* libyaml does not count the mark */
    yaml_parser_set_input(&y->parser, give_input, y);
    if (too_many_directives(y->text))
        reader_stop(r, READER_BROKEN, 0);
}

void yaml_end(struct reader *r)
{
    struct yaml *y = r->more;
    if (y)
        yaml_parser_delete(&y->parser);
    r->more = NULL;
}

static bool continues(uint8_t c)
{
    return (c & 0xc0) == 0x80;
}

/* The byte that a character begins at. Marks mostly rise, so the walk is short. */
static size_t byte_of(struct yaml *y, size_t character)
{
    struct bytes t = y->text;
    size_t at = y->marked_byte, n = y->marked_char;
    if (y->utf16)
        return character * 2 + 2 < t.len ? character * 2 + 2 : t.len;
    for (; n < character && at < t.len; n++)
        for (at++; at < t.len && continues(t.at[at]);)
            at++;
    for (; n > character && at > 0; n--)
        for (at--; at > 0 && continues(t.at[at]);)
            at--;
    y->marked_char = n;
    y->marked_byte = at;
    return at;
}

static bool reaches_end(struct yaml *y, size_t at)
{
    while (at < y->text.len && (y->text.at[at] <= ' '))
        at++;
    return at >= y->text.len;
}

static bool clipped_here(struct reader *r)
{
    return reader_stop(r, READER_CLIPPED, r->all.len);
}

static bool opens(const yaml_event_t *e)
{
    return e->type == YAML_MAPPING_START_EVENT || e->type == YAML_SEQUENCE_START_EVENT;
}

static bool closes(const yaml_event_t *e)
{
    return e->type == YAML_MAPPING_END_EVENT || e->type == YAML_SEQUENCE_END_EVENT;
}

/* The next event; false: there is none that is good, and r->end says why. */
static bool pull(struct reader *r, struct yaml *y, yaml_event_t *e)
{
    y->looks += y->levels;
    if (++y->events > READER_YAML_EVENTS || y->tag_bytes > MAX_TAG_BYTES || y->looks > MAX_LOOKS)
        return clipped_here(r);
    if (yaml_parser_parse(&y->parser, e)) {
        y->levels += opens(e);
        y->levels -= closes(e);
        return true;
    }
    if (y->clipped && y->ended)
        return clipped_here(r);
    size_t at = y->parser.error == YAML_READER_ERROR ? y->parser.problem_offset
                                                     : byte_of(y, y->parser.problem_mark.index);
    return reader_stop(r, READER_BROKEN, at);
}

/* A copy that lives as long as the arena. */
static bool copied(struct yaml *y, const void *at, size_t n, struct bytes *to)
{
    *to = arena_copy(y->arena, bytes_of(at, n));
    return to->len == n;
}

static const yaml_char_t *tag_of(const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_SCALAR_EVENT: return e->data.scalar.tag;
    case YAML_MAPPING_START_EVENT: return e->data.mapping_start.tag;
    case YAML_SEQUENCE_START_EVENT: return e->data.sequence_start.tag;
    default: return NULL;
    }
}

static bool copy_tag(struct yaml *y, const yaml_event_t *e, struct token *t)
{
    const yaml_char_t *tag = tag_of(e);
    size_t n = tag ? strlen((const char *)tag) : 0;
    y->tag_bytes += n;
    return copied(y, tag, n, &t->tag);
}

static bool is_key(const struct reader *r)
{
    return reader_in_map(r) && r->left[r->depth - 1] % 2 == 0;
}

static void count_node(struct reader *r)
{
    if (r->depth > 0)
        r->left[r->depth - 1]++;
}

/* The end of a container that is only the end of what was kept of the document. */
static bool false_end(struct yaml *y, const yaml_event_t *e)
{
    bool end = closes(e) || e->type == YAML_DOCUMENT_END_EVENT || e->type == YAML_STREAM_END_EVENT;
    return end && y->clipped && y->ended && reaches_end(y, byte_of(y, e->start_mark.index));
}

static void move_to(struct reader *r, struct yaml *y, size_t character)
{
    size_t at = byte_of(y, character);
    if (at > reader_at(r))
        bytes_cut(&r->rest, at - reader_at(r));
}

/* Past containers until `levels` of them, the innermost open ones, are closed. */
static bool pass_over(struct reader *r, struct yaml *y, unsigned levels)
{
    uint64_t open = levels;
    while (open > 0) {
        yaml_event_t e;
        if (!pull(r, y, &e))
            return false;
        bool end = false_end(y, &e);
        r->aliases += e.type == YAML_ALIAS_EVENT;
        open += opens(&e);
        open -= closes(&e);
        if (!end)
            move_to(r, y, e.end_mark.index);
        y->tag_bytes += tag_of(&e) ? strlen((const char *)tag_of(&e)) : 0;
        yaml_event_delete(&e);
        if (end)
            return clipped_here(r);
    }
    return true;
}

static bool on_open(struct reader *r, struct yaml *y, struct token *t, bool map)
{
    if (is_key(r)) {
        t->kind = TOKEN_KEY;
    } else if (r->depth == READER_DEPTH) {
        t->kind = TOKEN_NULL;
        r->too_deep++;
    } else {
        t->kind = map ? TOKEN_MAP : TOKEN_LIST;
        count_node(r);
        r->left[r->depth] = 0;
        reader_push(r, map);
        return true;
    }
    count_node(r);
    return pass_over(r, y, 1);
}

static bool on_close(struct reader *r, struct token *t)
{
    t->kind = reader_in_map(r) ? TOKEN_MAP_END : TOKEN_LIST_END;
    t->depth = --r->depth;
    return true;
}

static struct anchor *anchor_named(struct yaml *y, const yaml_char_t *name)
{
    for (unsigned i = y->n_anchors; i-- > 0;)
        if (bytes_eq(y->anchors[i].name, (const char *)name))
            return &y->anchors[i];
    return NULL;
}

/* `t`: the scalar; NULL: something else, which is not remembered. */
static void note_anchor(struct yaml *y, const yaml_char_t *name, const struct token *t)
{
    struct anchor *a = name ? anchor_named(y, name) : NULL;

    if (a)
        *a = (struct anchor){0};
    if (!name || !t)
        return;
    if (!a && y->n_anchors < MAX_ANCHORS)
        a = &y->anchors[y->n_anchors++];
    if (a && copied(y, name, strlen((const char *)name), &a->name))
        a->scalar = *t;
}

static bool on_scalar(struct reader *r, struct yaml *y, const yaml_event_t *e, struct token *t)
{
    bool key = is_key(r);
    if (y->clipped && reaches_end(y, byte_of(y, e->end_mark.index)))
        return clipped_here(r);
    if (!copied(y, e->data.scalar.value, e->data.scalar.length, &t->text))
        return clipped_here(r);
    yaml_scalar(t, e->data.scalar.plain_implicit);
    note_anchor(y, e->data.scalar.anchor, t);
    if (key)
        t->kind = TOKEN_KEY;
    count_node(r);
    return true;
}

/* A scalar is given again; what else it may be, is not. */
static bool on_alias(struct reader *r, struct yaml *y, const yaml_event_t *e, struct token *t)
{
    const struct anchor *a = anchor_named(y, e->data.alias.anchor);
    struct token at = *t;

    if (a)
        *t = a->scalar;
    t->depth = at.depth;
    t->offset = at.offset;
    if (!a || is_key(r))
        t->kind = is_key(r) ? TOKEN_KEY : TOKEN_NULL;
    r->aliases++;
    count_node(r);
    return true;
}

/* The end of the document, or of a stream without one. */
static bool on_end(struct reader *r)
{
    while (r->rest.len > 0 && r->rest.at[0] <= ' ')
        bytes_cut(&r->rest, 1);
    return reader_stop(r, READER_WHOLE, 0);
}

static bool on_event(struct reader *r, struct yaml *y, const yaml_event_t *e, struct token *t)
{
    token_init(r, t, byte_of(y, e->start_mark.index));
    if (false_end(y, e) || !copy_tag(y, e, t))
        return clipped_here(r);
    move_to(r, y, e->end_mark.index);
    switch (e->type) {
    case YAML_SCALAR_EVENT: return on_scalar(r, y, e, t);
    case YAML_ALIAS_EVENT: return on_alias(r, y, e, t);
    case YAML_MAPPING_START_EVENT:
        note_anchor(y, e->data.mapping_start.anchor, NULL);
        return on_open(r, y, t, true);
    case YAML_SEQUENCE_START_EVENT:
        note_anchor(y, e->data.sequence_start.anchor, NULL);
        return on_open(r, y, t, false);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT: return on_close(r, t);
    default: return on_end(r);
    }
}

bool yaml_next(struct reader *r, struct token *t)
{
    struct yaml *y = r->more;
    yaml_event_t e;
    for (;;) {
        if (!pull(r, y, &e))
            return false;
        bool start = e.type == YAML_STREAM_START_EVENT || e.type == YAML_DOCUMENT_START_EVENT;
        bool given = !start && on_event(r, y, &e, t);
        yaml_event_delete(&e);
        if (!start)
            return given;
    }
}

/* The first such tag, from the events. */
static bool find_tag(struct reader *r, struct yaml *y, struct yaml_tag *found)
{
    yaml_event_t e;
    bool more = true;
    while (more && pull(r, y, &e)) {
        struct token t = {0};
        const char *tag = (const char *)tag_of(&e);
        more = e.type != YAML_STREAM_END_EVENT;
        if (tag && yaml_tag_imports(bytes_of(tag, strlen(tag))) && copy_tag(y, &e, &t)) {
            *found = (struct yaml_tag){.text = t.tag, .offset = byte_of(y, e.start_mark.index)};
            more = false;
        }
        y->tag_bytes += tag ? strlen(tag) : 0;
        move_to(r, y, e.end_mark.index);
        yaml_event_delete(&e);
    }
    return found->text.len > 0;
}

bool yaml_python_tag(struct bytes document, bool clipped, struct arena *arena,
                     struct yaml_tag *found)
{
    struct reader r;
    *found = (struct yaml_tag){0};
    if (!yaml_may_tag(document))
        return false;
    reader_begin(&r, WHAT_YAML, document, clipped, arena);
    bool yes = r.end == READER_GOING && find_tag(&r, r.more, found);
    /* What was not parsed: behind an error or a bound, or behind what is given to libyaml. */
    size_t from = r.end == READER_GOING ? ((struct yaml *)r.more)->text.len : reader_at(&r);
    reader_end(&r);
    return yes || yaml_tag_in_text(document, from, arena, found);
}

void yaml_skip(struct reader *r)
{
    if (pass_over(r, r->more, 1))
        r->depth--;
}
