/* pickle/disasm.h - the opcodes of a stream as they are written, one after the other; what they
 * do is the machine's affair. Frames are not followed (the linear reader's view). */
#ifndef PICKLE_DISASM_H
#define PICKLE_DISASM_H

#include "base/bytes.h"

enum disasm_arg { DISASM_NO_ARG, DISASM_NUMBER, DISASM_FLOAT, DISASM_TEXT, DISASM_TWO_TEXTS };

struct disasm {
    size_t at; /* of the opcode */
    uint8_t opcode;
    const char *name; /* NULL: not an opcode, and the end */
    enum disasm_arg kind;
    int64_t number;
    double real;
    struct bytes text, second; /* views, as written */
    bool cut;                  /* the argument goes on beyond the end */
};

/* The opcode at *at, which moves behind it. false: the end, or a byte that is no opcode (then
 * d->name is NULL and d->at < all.len), or an argument that is not all there (d->cut). */
bool disasm_next(struct bytes all, size_t *at, struct disasm *d);

#endif
