/* out/encode.h - the one place where a message or a finding becomes a record,
 * and the one place where a secret is hidden (detections.md 3). */
#ifndef OUT_ENCODE_H
#define OUT_ENCODE_H

#include "base/keep.h"
#include "out/sink.h"
#include "signatures/finding.h"

struct encoder; /* one per collector; its buffers are reused */

struct encode_conf {
    const char *observer_name; /* offline "celeriac" unless configured */
    bool live;                 /* observer.name is part of event.id */
    uint8_t hmac_key[64];      /* redaction.hash_key_file; n_hmac_key == 0: no hash */
    size_t n_hmac_key;
    size_t max_text; /* bytes of one text value; 0: LIMIT_EVIDENCE. What is cut is named in
                        celeriac.clipped */
    /* Base name of the capture file, or of the interface, by stamp.input. */
    const char *(*input_name)(void *ctx, uint32_t input);
    void *ctx;
};

/* conf is copied. NULL: no memory, or the crypto library has no SHA-256. One thread. */
struct encoder *encoder_new(const struct encode_conf *conf);
void encoder_free(struct encoder *e); /* wipes the key; NULL is allowed */

/* The folded state of a finding, for celeriac.fold. */
struct fold_state {
    uint64_t count;
    int64_t first_ns, last_ns;
    bool final;
    struct bytes sources; /* packed list (field.h) of addresses; empty: none */
};

/* An alert, by jansson; fold may be NULL. The record's views are good until the next call. */
bool encode_alert(struct encoder *e, const struct msg *m, const struct finding *f,
                  const struct fold_state *fold, struct record *out);
/* A record of the message log (tasks, results, workers, control, commands), from templates
 * of our own: the fields of the message and of its causes in the table's order. */
bool encode_log(struct encoder *e, enum emit_kind kind, const struct msg *m, struct record *out);

/* event.id of a record: 32 hex digits and a NUL. They are the head of SHA-256 over these, each
 * followed by a NUL: "1", dataset, rule id or action, observer.name (live only, else empty),
 * packet time in ns, Community ID, "client" or "server" (who sent the unit), stream offset of
 * the unit, index; numbers in decimal. */
void encode_id(struct encoder *e, const char *dataset, const char *rule_or_action,
               const struct msg *m, unsigned index, char id[33]);

#endif
