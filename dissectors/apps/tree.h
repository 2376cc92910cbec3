/* dissectors/apps/tree.h - a JSON object as the tree of headers.h: what kombu's
 * envelope has under "headers" and "properties". */
#ifndef APPS_TREE_H
#define APPS_TREE_H

#include "dissectors/content/reader.h"
#include "dissectors/headers.h"

/* Beyond this many members of one object only such count as Celery or kombu know by name: an
 * object of millions must not fill the arena, nor hide the few that matter behind it. */
#define TREE_MEMBERS 4096u
#define TREE_DEPTH   32u

/* The object whose TOKEN_MAP was just read from r, up to and with its end. */
void tree_read(struct reader *r, struct headers *out, struct arena *arena);

#endif
