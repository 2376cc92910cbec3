/* run/signed.h - whose signature a message bears, and whether it verifies: joins
 * dissectors/content with signatures/signing, as classify.h does with the pickle
 * machine. One a worker. */
#ifndef RUN_SIGNED_H
#define RUN_SIGNED_H

#include "base/arena.h"
#include "dissectors/msg.h"
#include "run/trust.h"

struct signed_bodies;

/* trust: NULL where no certificates are configured; outlives the result. NULL: no memory. */
struct signed_bodies *signed_new(const struct policy *policy, struct trust *trust);
void signed_free(struct signed_bodies *s);

/* Picks up certificates that were replaced; what was remembered is forgotten then. */
void signed_tick(struct signed_bodies *s);

/* A content that is unwrapped: a body of the old layout is opened by the length of the signer's
 * key, if it is known, as its reader does. */
void signed_open(const struct signed_bodies *s, struct content *c, struct arena *arena);

/* A MSG_TASK or MSG_CONTROL: sets F_SIGNATURE_STATE, and with certificates F_TASK_SIGNATURE and
 * F_TASK_SIGNATURE_SCHEME, if it is signed or says so. */
void signed_judge(struct signed_bodies *s, struct msg *m, struct tally *tally);

#endif
