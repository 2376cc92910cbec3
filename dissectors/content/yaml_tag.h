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

#endif
