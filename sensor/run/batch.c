/* run/batch.c - see batch.h. */
#include "run/batch.h"

void batch_flush(struct batch *b, struct worker *w)
{
    uint64_t hash[BATCH_PACKETS];

    for (unsigned i = 0; i < b->n; i++)
        hash[i] = b->packets[i].hash;
    worker_prefetch(w, hash, b->n);
    for (unsigned i = 0; i < b->n; i++)
        worker_packet(w, &b->packets[i]);
    b->n = 0;
    b->used = 0;
}

/* Its bytes from the IP header on, if there is anything to dissect. */
static void keep(struct batch *b, const struct packet *p)
{
    struct packet *own = &b->packets[b->n++];
    uint8_t *to = b->bytes + b->used;

    *own = *p;
    if (p->payload.len == 0)
        return;
    memcpy(to, p->l3.at, p->l3.len);
    own->l3.at = to;
    own->payload.at = to + (p->payload.at - p->l3.at);
    b->used += p->l3.len;
}

void batch_packet(struct batch *b, struct worker *w, const struct packet *p)
{
    size_t len = p->payload.len > 0 ? p->l3.len : 0;

    if (b->n > 0 && len > BATCH_BYTES - b->used)
        batch_flush(b, w);
    if (len > BATCH_BYTES || (b->n == 0 && !worker_prefetch_pays(w))) {
        worker_packet(w, p);
        return;
    }
    keep(b, p);
    if (b->n == BATCH_PACKETS)
        batch_flush(b, w);
}
