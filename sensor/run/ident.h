/* run/ident.h - which dissector, if any. Weighs three opinions, best first: a
 * dissector's own probe of the first in-order bytes, nDPI, a port. Holds the
 * first bytes of both directions, within a limit, until it is settled. */
#ifndef RUN_IDENT_H
#define RUN_IDENT_H

#include "base/tally.h"
#include "dissectors/dissector.h"
#include "net/packet.h"

struct ident_engine; /* one per worker */
struct ident_held;

struct ident {
    struct ident_held *held; /* NULL: nothing held */
};

enum ident_verdict {
    IDENT_WAIT,
    IDENT_FOUND,  /* *found says whose it is */
    IDENT_UNREAD, /* *unread names a protocol that is known and not read: stomp, mqtt, stream, tls
                   */
    IDENT_NONE,
};

struct ident_answer {
    const struct dissector *found;
    const char *unread;
    bool reversed; /* what was taken for the client is the server */
};

/* max_held: bytes a direction. ndpi_now: make the nDPI module at once (before threads start), else
 * at the first question. */
struct ident_engine *ident_engine_new(size_t max_held, bool ndpi_now, struct tally *tally);
void ident_engine_free(struct ident_engine *e);

/* One chunk of a flow that is not identified yet. `pkt` is the packet that brought it (nDPI looks
 * at it), or NULL. On IDENT_WAIT the chunk is held. Anything else is final: the caller then calls
 * ident_release(), which hands on what is held, this chunk last. */
enum ident_verdict ident_chunk(struct ident_engine *e, struct ident *id, const struct flow_id *flow,
                               const struct chunk *c, const struct packet *pkt,
                               struct ident_answer *answer);
/* The held chunks in the order they came, then `last`; then lets go of everything. fn == NULL: only
 * lets go. false: fn said that it wants no more. */
bool ident_release(struct ident_engine *e, struct ident *id, const struct chunk *last, chunk_fn *fn,
                   void *ctx);

#endif
