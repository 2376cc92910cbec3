/* run/mail.c - the first word of a record says whether it is here or elsewhere. */
#include "run/mail.h"

#include <stdlib.h>
#include <time.h>

struct envelope {
    void *elsewhere; /* NULL: the record follows */
    uint64_t len;
};

void *mail_reserve(struct ring *r, size_t n, void **own, bool *no_memory)
{
    bool large = n > ring_max_record(r) - sizeof(struct envelope);
    struct envelope *e = ring_reserve(r, sizeof *e + (large ? 0 : n));

    *own = NULL;
    *no_memory = false;
    if (!e)
        return NULL;
    e->elsewhere = NULL;
    e->len = n;
    if (!large)
        return e + 1;
    *own = e->elsewhere = aligned_alloc(16, (n + 15) & ~(size_t)15);
    *no_memory = !*own;
    return *own;
}

void mail_commit(struct ring *r, void *own)
{
    (void)own; /* its address is in the ring already */
    ring_commit(r);
}

static struct envelope head(struct bytes record)
{
    struct envelope e;

    memcpy(&e, record.at, sizeof e);
    return e;
}

static struct bytes open_envelope(struct bytes raw)
{
    struct envelope e = head(raw);

    return e.elsewhere ? bytes_of(e.elsewhere, e.len)
                       : bytes_of(raw.at + sizeof e, raw.len - sizeof e);
}

bool mail_peek(struct ring *r, struct bytes *record)
{
    struct bytes raw;

    if (!ring_peek(r, &raw))
        return false;
    *record = open_envelope(raw);
    return true;
}

void mail_drop(struct ring *r)
{
    struct bytes raw;

    if (ring_peek(r, &raw))
        free(head(raw).elsewhere);
    ring_drop(r);
}

size_t mail_peek_many(struct ring *r, struct bytes records[MAIL_BATCH])
{
    size_t n = ring_peek_many(r, records, MAIL_BATCH);

    for (size_t i = 0; i < n; i++)
        records[i] = open_envelope(records[i]);
    return n;
}

void mail_drop_many(struct ring *r, size_t n)
{
    struct bytes raw[MAIL_BATCH];

    n = ring_peek_many(r, raw, n < MAIL_BATCH ? n : MAIL_BATCH);
    for (size_t i = 0; i < n; i++)
        free(head(raw[i]).elsewhere);
    ring_drop_many(r, n);
}

void mail_wait(unsigned *times)
{
    struct timespec t = {.tv_nsec = *times < 20 ? 2000 : *times < 100 ? 50000 : 1000000};

    ++*times;
    nanosleep(&t, NULL);
}
