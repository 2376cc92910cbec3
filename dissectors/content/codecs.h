/* content/codecs.h - which compression a name or the first bytes stand for. */
#ifndef CONTENT_CODECS_H
#define CONTENT_CODECS_H

#include "dissectors/content/content.h"

/* What kombu undoes under this name of its `compression` header, aliases included, compared
 * exactly as kombu does (kombu:compression.py:get_decoder). CODING_NONE: not one of its names. */
enum coding coding_by_name(struct bytes name);

/* What the bytes begin like; brotli has no sign of its own. CODING_NONE: nothing known. */
enum coding coding_by_magic(struct bytes head);

/* "zlib", "base64", ...; a literal. */
const char *coding_name(enum coding coding);

#endif
