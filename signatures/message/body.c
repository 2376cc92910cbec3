/* signatures/message/body.c - bodies that cost or do more than they say: YAML with Python
 * tags, compression bombs: yaml-python-tag, decompression-bomb. */
#include "base/hash.h"
#include "dissectors/content/reader.h"
#include "signatures/message/message.h"

/* PyYAML's constructors that import and call: !!python/object*, !!python/name, !!python/module, and
 * the form with the tag written out (PyYAML:lib/yaml/constructor.py:UnsafeConstructor). */
static bool runs_code(struct bytes tag)
{
    static const char *const starts[] = {"!!python/", "tag:yaml.org,2002:python/"};
    static const char *const kinds[] = {"object", "name", "module"};

    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        size_t n = strlen(starts[i]);

        if (tag.len < n || memcmp(tag.at, starts[i], n) != 0)
            continue;
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
            if (tag.len - n >= strlen(kinds[k]) &&
                memcmp(tag.at + n, kinds[k], strlen(kinds[k])) == 0)
                return true;
    }
    return false;
}

static void python_tag(const struct msg *m, const struct token *t, const struct detect_out *out)
{
    struct finding f;

    finding_init(&f, RULE_YAML_PYTHON_TAG, SEV_CRITICAL);
    finding_reason(&f, "a YAML body asks its reader to make Python objects");
    finding_text(&f, "tag", t->tag);
    finding_num(&f, "offset", (int64_t)t->offset);
    f.fold_class = hash_bytes(t->tag, 0);
    f.once_a_task = true;
    out->emit(out->ctx, m, &f);
}

/* The tag is of the document's own syntax: the same text inside a quoted scalar is none. */
static void yaml(const struct msg *m, const struct detect_out *out)
{
    struct bytes inner = content_inner(m->content);
    struct reader r;
    bool found = false;

    if (!memmem(inner.at, inner.len, "python/", 7))
        return;
    reader_begin(&r, WHAT_YAML, inner, m->content->clipped, out->arena);
    for (struct token t; !found && reader_next(&r, &t);)
        if (runs_code(t.tag)) {
            found = true;
            python_tag(m, &t, out);
        }
    reader_end(&r);
}

static void bomb(const struct msg *m, const struct detect_out *out)
{
    const struct content *c = m->content;
    struct finding f;

    finding_init(&f, RULE_DECOMPRESSION_BOMB, SEV_HIGH);
    finding_reason(&f, "a compressed body expands far beyond its size");
    finding_num(&f, "size", (int64_t)c->wire_len);
    finding_num(&f, "expanded", (int64_t)c->out_len);
    f.once_a_task = true;
    out->emit(out->ctx, m, &f);
}

static void check(const struct msg *m, const struct detect_out *out)
{
    if (!m->content)
        return;
    if (m->content->what == WHAT_YAML)
        yaml(m, out);
    if (m->content->bomb)
        bomb(m, out);
}

const struct message_detector body_detector = {
    .name = "body",
    .wants = MSG_TASK | MSG_RESULT | MSG_WORKER | MSG_CONTROL | MSG_STORED,
    .check = check,
};
