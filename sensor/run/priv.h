/* run/priv.h - what the process may do, and what of it may be read by others. */
#ifndef RUN_PRIV_H
#define RUN_PRIV_H

#include <stdbool.h>
#include <sys/types.h>

/* No core dumps, no ptrace by others: they could hold secrets that were seen. */
void priv_no_dumps(void);
/* The user's numbers; false: no such user (or NULL). */
bool priv_user(const char *user, uid_t *uid, gid_t *gid);

/* Becomes the user, with its groups and no others, for good; no program that is started gets more.
 * Returns 0, or 66 (no such user), 77 after a line on standard error. NULL: stays. */
int priv_drop(const char *user);

#endif
