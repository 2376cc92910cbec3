/* signatures/learn_lists.h - lists of globs that grow while something is learnt. Pure. */
#ifndef SIGNATURES_LEARN_LISTS_H
#define SIGNATURES_LEARN_LISTS_H

#include "base/bytes.h"
#include "signatures/policy.h"

#define LEARN_TEXT_MAX     255u /* a longer name is not learnt */
#define LEARN_TASKS_LISTED 64u  /* more names of tasks in one list are told by their modules */

/* UTF-8 without anything that cannot be seen: YAML has no place for other bytes, and a person could
 * not review them. At most LEARN_TEXT_MAX bytes. */
bool text_is_printable(struct bytes text);

/* false: no memory. The text is copied. */
bool texts_add(struct text_list *l, const char *text);
bool texts_have(const struct text_list *l, const char *text);
bool texts_copy(struct text_list *to, const struct text_list *from);
void texts_free(struct text_list *l);
/* Sorts, and drops what comes twice and names that a glob of the list covers. */
void texts_tidy(struct text_list *l);

/* The same of names of tasks; while they are more than LEARN_TASKS_LISTED, all of one module with
 * more than `glob_after` become "module.*", from the longest modules to the shortest. Never those
 * of Celery itself (celery.*), never "*". */
void texts_by_module(struct text_list *l, unsigned glob_after);
/* The same of names of queues: more than glob_after of one shape become its glob. */
void texts_by_shape(struct text_list *l, unsigned glob_after);

#endif
