/* signatures/learn_label.h - what is generated in one label of a host's name (what stands between
 * two dots, see learn_shape.h): its parts between '-' and '_'. Pure. */
#ifndef SIGNATURES_LEARN_LABEL_H
#define SIGNATURES_LEARN_LABEL_H

#include "base/bytes.h"

#define LABEL_PARTS_MAX 32u /* of one label; a name with more is its own shape */

enum part_is {
    PART_KEPT,
    PART_MADE,     /* generated as a whole */
    PART_NUMBERED, /* a number stands behind it */
};

struct part {
    struct bytes text;
    enum part_is is;
};

struct label {
    struct part parts[LABEL_PARTS_MAX];
    unsigned n;
};

bool label_is_digit(uint8_t c);
size_t label_count(struct bytes text, bool (*is)(uint8_t c));
/* All of it, and it is not empty. */
bool label_all(struct bytes text, bool (*is)(uint8_t c));
bool label_is_uuid(struct bytes text);
bool label_is_id(struct bytes text);

/* The parts of a label, and which of them are generated. false: too many, or it ends in a
 * separator. */
bool label_read(struct bytes label, struct label *out);
/* What is not generated has a letter in it. */
bool label_holds_name(const struct label *l);
bool label_holds_made(const struct label *l);

#endif
