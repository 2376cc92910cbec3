/* dissectors/apps/document.h - a body as a document that can be read: the
 * innermost part of a content, or what is inside the signature of a signed one. */
#ifndef APPS_DOCUMENT_H
#define APPS_DOCUMENT_H

#include "dissectors/content/reader.h"

struct document {
    enum content_what format; /* of `bytes` */
    bool clipped;             /* bytes are the head of a longer document */
    struct bytes bytes;
    /* of a pickle: see content.h */
    const struct top_pair *top;
    unsigned n_top;
    struct bytes sketch; /* the same as JSON, where it may name tasks */
    /* of a signed body (celery:security/serialization.py:SecureSerializer) */
    bool is_signed;
    struct bytes signer, signature; /* views into the content */
};

/* `content` is unwrapped and classified; views into it. */
struct document document_of(const struct content *content);

/* JSON, MessagePack, YAML: what a reader can read. */
static inline bool document_readable(const struct document *d)
{
    return d->format == WHAT_JSON || d->format == WHAT_MSGPACK || d->format == WHAT_YAML;
}

/* The value whose first token was just read, as written; for YAML's block style indented as it
 * stands there, so that it can be read by itself (a copy in the arena). */
struct bytes document_raw(struct reader *r, const struct token *t, struct arena *arena);

#endif
