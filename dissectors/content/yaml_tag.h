/* content/yaml_tag.h - tags that make PyYAML's unsafe loaders import and call. */
#ifndef CONTENT_YAML_TAG_H
#define CONTENT_YAML_TAG_H

#include "dissectors/content/content.h"

struct yaml_tag {
    struct bytes
        text; /* "tag:yaml.org,2002:python/object/apply:os.system"; or as written, "!!python/..." */
    size_t offset; /* in the document */
};

/* The first tag of Python's that imports or calls (tag:yaml.org,2002:python/object*, name, module)
 * on any node, keys and what is in them, all depths and all documents of the stream included; text
 * in comments and quotes does not count. What cannot be parsed, or is beyond the bounds of
 * reader.h, is searched for the text of such a tag, so that neither damage nor padding hides one.
 * `text` is in the arena or in the document. */
bool yaml_python_tag(struct bytes document, bool clipped, struct arena *arena,
                     struct yaml_tag *found);

/* By its mark, as the parsers tell it (PyYAML:lib/yaml/reader.py:Reader.determine_encoding). */
static inline bool yaml_is_utf16(struct bytes b)
{
    return b.len >= 2 && (memcmp(b.at, "\xff\xfe", 2) == 0 || memcmp(b.at, "\xfe\xff", 2) == 0);
}

/* Whether there can be one at all: cheap to say no. */
bool yaml_may_tag(struct bytes document);

/* Whether this tag, all of it, is one of those. */
bool yaml_tag_imports(struct bytes tag);

/* The first one in the text as it is written, from `from` on. */
bool yaml_tag_in_text(struct bytes document, size_t from, struct arena *arena,
                      struct yaml_tag *found);

#endif
