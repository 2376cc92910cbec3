/* content/json_walk.h - over a JSON container without reading it. */
#ifndef CONTENT_JSON_WALK_H
#define CONTENT_JSON_WALK_H

#include "base/bytes.h"

/* `in` begins inside a container, outside a string: how many bytes to behind the bracket that
 * closes it; SIZE_MAX: it does not close. Counts brackets outside strings, of either shape, and
 * checks nothing else. */
size_t json_walk(struct bytes in);

#endif
