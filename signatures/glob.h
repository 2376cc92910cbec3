/* signatures/glob.h - patterns of names, as the operator writes them in a configuration or a
 * baseline. Pure. */
#ifndef SIGNATURES_GLOB_H
#define SIGNATURES_GLOB_H

#include "base/bytes.h"

/* A name off the wire, whole, against '*', '?', '[...]' ('!' or '^' first: none of these; '-'
 * between two: a range), and '\' before what stands for itself: bytes, no locale, time bounded by
 * the product of the lengths. A '[' that nothing closes stands for itself. */
bool glob_match(const char *glob, struct bytes name);
/* It holds none of the above: it matches itself only, as it is written. */
bool glob_is_literal(const char *glob);

#endif
