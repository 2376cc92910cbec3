/* out/tree.c - see tree.h. */
#include "out/tree.h"

void tree_begin(struct tree *t, struct text *scratch)
{
    t->root = json_object();
    t->scratch = scratch;
    t->bad = t->root == NULL;
}

static int add_chunk(const char *chunk, size_t n, void *to)
{
    text_put(to, chunk, n);
    return ((struct text *)to)->bad ? -1 : 0;
}

bool tree_end(struct tree *t, struct text *out)
{
    text_clear(t->scratch);
    text_clear(out);
    if (!t->bad && json_dump_callback(t->root, add_chunk, t->scratch, JSON_COMPACT) != 0)
        t->bad = true;
    json_decref(t->root);
    t->root = NULL;
    if (!t->bad)
        text_escape_hidden(out, text_view(t->scratch));
    return !t->bad && !out->bad;
}

/* The object that is the member `name` of `in`, made if it is not there. */
static json_t *member(json_t *in, const char *name, size_t n)
{
    json_t *found = json_object_getn(in, name, n);

    if (!found && json_object_setn_new_nocheck(in, name, n, json_object()) == 0)
        found = json_object_getn(in, name, n);
    return found;
}

void tree_put(struct tree *t, const char *path, json_t *value)
{
    json_t *in = t->bad ? NULL : t->root;

    for (const char *dot; in && (dot = strchr(path, '.')) != NULL; path = dot + 1)
        in = member(in, path, (size_t)(dot - path));
    /* also takes a value of NULL, and frees the value when it fails */
    if (!in) {
        json_decref(value);
        t->bad = true;
    } else if (json_object_set_new_nocheck(in, path, value) != 0) {
        t->bad = true;
    }
}

json_t *tree_string(struct tree *t, struct bytes value)
{
    text_clear(t->scratch);
    text_utf8(t->scratch, value);
    if (t->scratch->bad)
        return NULL;
    return json_stringn_nocheck(value.len > 0 ? t->scratch->at : "", t->scratch->len);
}

void tree_str(struct tree *t, const char *path, const char *value)
{
    tree_put(t, path, json_string_nocheck(value));
}

void tree_text(struct tree *t, const char *path, struct bytes value)
{
    tree_put(t, path, tree_string(t, value));
}

void tree_num(struct tree *t, const char *path, int64_t value)
{
    tree_put(t, path, json_integer(value));
}

void tree_u64(struct tree *t, const char *path, uint64_t value)
{
    tree_num(t, path, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

void tree_bool(struct tree *t, const char *path, bool value)
{
    tree_put(t, path, json_boolean(value));
}

void tree_time(struct tree *t, const char *path, struct text_clock *clock, int64_t ns)
{
    text_clear(t->scratch);
    text_time(t->scratch, clock, ns);
    if (t->scratch->bad)
        t->bad = true;
    else
        tree_put(t, path, json_stringn_nocheck(t->scratch->at, t->scratch->len));
}

void tree_words(struct tree *t, const char *path, const char *words)
{
    json_t *list = json_array();

    while (*words) {
        size_t n = strcspn(words, " ");
        if (n > 0 && json_array_append_new(list, json_stringn_nocheck(words, n)) != 0)
            t->bad = true;
        words += n + (words[n] == ' ');
    }
    tree_put(t, path, list);
}

void tree_observer(struct tree *t, const char *name)
{
    tree_text(t, "observer.name", bytes_of(name, strlen(name)));
    tree_str(t, "observer.product", "celeriac");
    tree_str(t, "observer.vendor", "Celeriac");
    tree_str(t, "observer.version", CELERIAC_VERSION);
    tree_str(t, "observer.type", "sensor");
}
