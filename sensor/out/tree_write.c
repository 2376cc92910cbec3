/* out/tree_write.c - see tree_write.h. */
#include "out/tree_write.h"

enum { DEEP = 16 };

/* A list or an object that is being written. */
struct open {
    json_t *value;
    void *member; /* of an object: the next one */
    size_t index; /* of a list */
    size_t written;
};

static int add_chunk(const char *chunk, size_t n, void *to)
{
    text_put(to, chunk, n);
    return ((struct text *)to)->bad ? -1 : 0;
}

static bool by_jansson(struct text *out, json_t *value)
{
    return json_dump_callback(value, add_chunk, out, JSON_COMPACT | JSON_ENCODE_ANY) == 0;
}

/* Printable ASCII, and nothing that JSON escapes. */
static bool is_plain(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c < 0x20 || c > 0x7e || c == '"' || c == '\\')
            return false;
    }
    return true;
}

static void put_plain(struct text *out, const char *s, size_t n)
{
    TEXT_LITERAL(out, "\"");
    text_put(out, s, n);
    TEXT_LITERAL(out, "\"");
}

static bool put_key(struct text *out, void *member)
{
    const char *key = json_object_iter_key(member);
    size_t n = json_object_iter_key_len(member);

    if (is_plain(key, n)) {
        put_plain(out, key, n);
    } else {
        json_t *text = json_stringn_nocheck(key, n);
        bool ok = text && by_jansson(out, text);

        json_decref(text);
        if (!ok)
            return false;
    }
    TEXT_LITERAL(out, ":");
    return true;
}

static bool put_scalar(struct text *out, json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        if (!is_plain(json_string_value(value), json_string_length(value)))
            return by_jansson(out, value);
        put_plain(out, json_string_value(value), json_string_length(value));
        return true;
    case JSON_INTEGER: text_i64(out, json_integer_value(value)); return true;
    case JSON_TRUE: TEXT_LITERAL(out, "true"); return true;
    case JSON_FALSE: TEXT_LITERAL(out, "false"); return true;
    default: return by_jansson(out, value);
    }
}

/* The next value in it, its key written; NULL: there is none, or it cannot be written. */
static json_t *next(struct text *out, struct open *o, bool *ok)
{
    json_t *value;

    if (json_is_array(o->value)) {
        value = json_array_get(o->value, o->index++);
        if (value && o->written++ > 0)
            TEXT_LITERAL(out, ",");
        return value;
    }
    if (!o->member)
        return NULL;
    if (o->written++ > 0)
        TEXT_LITERAL(out, ",");
    *ok = put_key(out, o->member);
    value = json_object_iter_value(o->member);
    o->member = json_object_iter_next(o->value, o->member);
    return *ok ? value : NULL;
}

static bool holds(const json_t *value)
{
    return json_is_array(value) || json_is_object(value);
}

static void open_value(struct text *out, struct open *o, json_t *value)
{
    *o = (struct open){.value = value, .member = json_object_iter(value)};
    text_put(out, json_is_array(value) ? "[" : "{", 1);
}

static void close_value(struct text *out, const struct open *o)
{
    text_put(out, json_is_array(o->value) ? "]" : "}", 1);
}

bool tree_write(struct text *out, json_t *root)
{
    struct open open[DEEP];
    size_t depth = 1;
    bool ok = true;

    if (!holds(root))
        return root && put_scalar(out, root) && !out->bad;
    open_value(out, &open[0], root);
    while (ok && depth > 0) {
        json_t *value = next(out, &open[depth - 1], &ok);

        if (!value)
            close_value(out, &open[--depth]);
        else if (holds(value) && depth < DEEP)
            open_value(out, &open[depth++], value);
        else
            ok = holds(value) ? by_jansson(out, value) : put_scalar(out, value);
    }
    return ok && !out->bad;
}
