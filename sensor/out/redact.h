/* out/redact.h - how a secret is written, and how it is kept out of all other
 * text of its record (detections.md 3). Everything that an encoder writes of the
 * wire goes through here or is a number. */
#ifndef OUT_REDACT_H
#define OUT_REDACT_H

#include "out/text.h"
#include "signatures/finding.h"

enum { REDACT_SECRETS = EVIDENCE_MAX + 4, REDACT_MASK = 6, REDACT_HMAC = 64 };

struct redact {
    const uint8_t *key; /* of the keyed hash; n_key == 0: none is written */
    size_t n_key;
    struct bytes secret[REDACT_SECRETS]; /* of the record that is being written; views */
    unsigned n;
    struct text scratch, url;
};

/* Starts a record: learns the secrets of the message and its causes and of the finding (may
 * be NULL). A secret that equals the user's name is not taken for one in other text: the
 * record must name the user (guest with the password guest). */
void redact_begin(struct redact *r, const struct msg *m, const struct finding *f);
void redact_free(struct redact *r); /* its buffer; the key is the caller's */

/* The text with each secret of this record in it replaced by ***; a secret below 4 bytes only
 * where it is the whole text. So are passwords in URLs. The view is good until the next call. */
struct bytes redact_text(struct redact *r, struct bytes text);
/* The URLs alone: names of queues, keys and channels are whatever somebody gave for one. */
struct bytes redact_urls(struct redact *r, struct bytes text);
static inline bool redact_may_be_url(struct bytes text)
{
    return text.len > 8 && memchr(text.at, '@', text.len) && bytes_find(text, "://");
}

/* "ab***", or "***" for what is shorter than 8 bytes or not printable ASCII. */
void redact_mask(struct bytes secret, char mask[REDACT_MASK]);
/* HMAC-SHA-256 in hexadecimal and a NUL; false: no key, or the library failed. */
bool redact_hmac(const struct redact *r, struct bytes secret, char hex[REDACT_HMAC + 1]);

#endif
