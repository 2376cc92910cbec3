/* signatures/finding.h - what a detector has to say of a message. */
#ifndef SIGNATURES_FINDING_H
#define SIGNATURES_FINDING_H

#include "dissectors/msg.h"
#include "signatures/rules.h"

/* One thing found: celeriac.evidence.<name>. TEXT is escaped and cut to the limit,
 * SECRET is written as length, mask and keyed hash only. */
struct evidence {
    const char *name; /* a literal; dots nest */
    enum field_type type;
    union field_value value;
};

#define EVIDENCE_MAX 26u

/* Plain data about one message; views good until the callback returns. */
struct finding {
    enum rule_id rule;
    enum severity severity;
    uint16_t
        index; /* among the findings of this rule in this unit; filled by the caller of detectors */
    /* 0: the rule's own fold. */
    unsigned fold, fold_seconds;
    uint64_t fold_class; /* hash of the evidence class */
    bool once_a_task;    /* published, delivered, kept: one finding (rule, task id, body digest) */
    char reason[160]; /* one sentence for a person; no text off the wire but what is escaped and not
                         secret */
    struct evidence evidence[EVIDENCE_MAX];
    unsigned n_evidence;
};

void finding_init(struct finding *f, enum rule_id rule, enum severity severity);
__attribute__((format(printf, 2, 3))) void finding_reason(struct finding *f, const char *format,
                                                          ...);
void finding_text(struct finding *f, const char *name, struct bytes value);
void finding_str(struct finding *f, const char *name, const char *value);
void finding_num(struct finding *f, const char *name, int64_t value);
void finding_bool(struct finding *f, const char *name, bool value);
void finding_list(struct finding *f, const char *name,
                  struct bytes packed); /* as list_add() does */
void finding_secret(struct finding *f, const char *name, struct bytes value);

/* Whatever concerns a signed message says what the signature is worth: the caller of detectors adds
 * it to each finding (F_SIGNATURE_STATE), but for those about what a client did. */
void finding_signature(struct finding *f, const struct msg *m);

/* Takes a finding about `m` (copied by the callee as far as it is kept). */
typedef void finding_fn(void *ctx, const struct msg *m, struct finding *f);

#endif
