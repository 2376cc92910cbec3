/* run/suppress.h - findings that the operator has said not to be told. */
#ifndef RUN_SUPPRESS_H
#define RUN_SUPPRESS_H

#include "signatures/finding.h"
#include "signatures/policy.h"

/* Does an entry of `suppress` match, at the message's packet time? */
bool suppressed(const struct policy *policy, const struct msg *m, const struct finding *f);

#endif
