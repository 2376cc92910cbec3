/* signatures/rules.h - the table of rules (rules.tsv), generated at build time:
 * it feeds the records, --list-rules and the documentation. */
#ifndef SIGNATURES_RULES_H
#define SIGNATURES_RULES_H

#include <stddef.h>
#include <stdint.h>

#include "rule_ids.h" /* generated: enum rule_id { RULE_PICKLE_MALICIOUS, ..., RULE_COUNT } */

enum severity { SEV_INFO = 1, SEV_LOW, SEV_MEDIUM, SEV_HIGH, SEV_CRITICAL };

/* What repeats of a finding have in common; rule and severity always. */
enum fold_part {
    FOLD_SOURCE = 1u << 0, /* address, not port */
    FOLD_DESTINATION = 1u << 1,
    FOLD_SCOPE = 1u << 2, /* broker vhost or database */
    FOLD_QUEUE = 1u << 3,
    FOLD_CLASS = 1u << 4,  /* finding.fold_class */
    FOLD_BROKER = 1u << 5, /* server address and port */
    FOLD_USER = 1u << 6,
    FOLD_SOURCE_NET = 1u << 7, /* /24 or /64 of the client */
    FOLD_CLIENT = 1u << 8,     /* the client's address, whichever side sent */
};
#define FOLD_DEFAULT (FOLD_SOURCE | FOLD_DESTINATION | FOLD_SCOPE | FOLD_QUEUE | FOLD_CLASS)

struct rule {
    const char *id, *name, *category;        /* rule.category: deserialization, credentials, ... */
    enum severity severity;                  /* the usual one; a finding carries its own */
    const char *event_category, *event_type; /* ECS, space separated */
    const char *attack;                      /* ATT&CK technique ids, space separated, or "" */
    const char *references;                  /* space separated, or "" */
    unsigned fold;                           /* mask of enum fold_part */
    unsigned fold_seconds;
    uint8_t client_is_source; /* the finding is about what a client did */
    uint8_t version;
    uint8_t built; /* 0: in the catalogue, no detector yet */
};

/* Indexed by enum rule_id; RULE_COUNT rows in the order of the catalogue. */
extern const struct rule rules[];

#endif
