/* run/mail.h - records through a ring, whatever their size: what does not fit
 * travels as a pointer to a block of its own. Waiting is the caller's affair. */
#ifndef RUN_MAIL_H
#define RUN_MAIL_H

#include "base/ring.h"

/* Room for a record of n bytes. `own` is NULL when it lies in the ring, else the block that
 * will be sent in its place. NULL: the ring is full now (or, with *no_memory, for good). */
void *mail_reserve(struct ring *r, size_t n, void **own, bool *no_memory);
void mail_commit(struct ring *r, void *own);
/* The oldest record; mail_drop() frees it, in the ring or not. */
bool mail_peek(struct ring *r, struct bytes *record);
void mail_drop(struct ring *r);
/* As the two, for up to MAIL_BATCH records at once. */
#define MAIL_BATCH 16u
size_t mail_peek_many(struct ring *r, struct bytes records[MAIL_BATCH]);
void mail_drop_many(struct ring *r, size_t n);
/* A short sleep for who finds nothing to do, longer the more often in a row. */
void mail_wait(unsigned *times);

#endif
