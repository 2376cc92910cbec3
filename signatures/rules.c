/* signatures/rules.c - the rows of rules.tsv. */
#include "signatures/rules.h"

const struct rule rules[] = {
#include "rule_table.inc"
};
_Static_assert(sizeof rules / sizeof rules[0] == RULE_COUNT, "a row for each rule");
