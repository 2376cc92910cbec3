/* signatures/message/body.c - bodies that cost or do more than they say: YAML with Python
 * tags, compression bombs: yaml-python-tag, decompression-bomb. */
#include "base/hash.h"
#include "dissectors/content/yaml_tag.h"
#include "signatures/message/message.h"

static void yaml(const struct msg *m, const struct detect_out *out)
{
    struct bytes inner = content_inner(m->content);
    struct yaml_tag tag;
    struct finding f;

    if (!yaml_python_tag(inner, m->content->clipped, out->arena, &tag))
        return;
    finding_init(&f, RULE_YAML_PYTHON_TAG, SEV_CRITICAL);
    finding_reason(&f, "a YAML body asks its reader to make Python objects");
    finding_text(&f, "tag", tag.text);
    finding_num(&f, "offset", (int64_t)tag.offset);
    f.fold_class = hash_bytes(tag.text, 0);
    f.once_a_task = true;
    out->emit(out->ctx, m, &f);
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
