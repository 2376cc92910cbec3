/* signatures/saferepr.h - a JSON value beside the text that Celery makes of it for people. */
#ifndef SIGNATURES_SAFEREPR_H
#define SIGNATURES_SAFEREPR_H

#include "base/bytes.h"

/* `text` is certainly not what celery:utils/saferepr.py:saferepr makes of the value that was
 * written as `json`. Doubt (shortened text, other types behind the same JSON, what is no ASCII)
 * counts for the writer. Time linear in the shorter one; no memory. */
bool saferepr_contradicts(struct bytes json, struct bytes text);

#endif
