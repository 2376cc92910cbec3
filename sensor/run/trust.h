/* run/trust.h - the certificates of policy.signing.certificates, which can be replaced
 * while the sensor runs: one thread loads them anew, each worker picks them up at its
 * next tick. */
#ifndef RUN_TRUST_H
#define RUN_TRUST_H

#include "signatures/policy.h"
#include "signatures/signing/store.h"

struct trust;

/* 0, and *out: NULL where no directory is configured, else the caller's; 78 after one line on
 * standard error: the directory cannot be read, or the digest is none. The strings of the policy
 * outlive the result. */
int trust_open(const struct policy *policy, struct trust **out);
void trust_free(struct trust *t); /* when nobody can ask any more */

/* Reads the directory again. If that fails the certificates stay as they are, and one line says so.
 * Any one thread. NULL is fine. */
void trust_reload(struct trust *t);

/* A reference to the certificates of now, if they are others than at *generation (0: none yet),
 * which is brought up to date; else NULL. Any thread. */
struct cert_store *trust_take(struct trust *t, unsigned *generation);

#endif
