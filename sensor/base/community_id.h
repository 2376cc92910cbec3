/* base/community_id.h - Community ID v1 of a TCP or UDP flow
 * (corelight:community-id-spec:README.md): the same text for both directions, the same in
 * every tool. Addresses are the inner ones. */
#ifndef BASE_COMMUNITY_ID_H
#define BASE_COMMUNITY_ID_H

#include "base/wire.h"

#define COMMUNITY_ID_SIZE 31u /* "1:", 28 of base64, NUL */

/* ip_proto without ports (neither TCP, UDP nor SCTP): ports are left out. ICMP is
 * not mapped. Both endpoints are of one family. */
void community_id(const struct endpoint *a, const struct endpoint *b, uint8_t ip_proto,
                  uint16_t seed, char out[COMMUNITY_ID_SIZE]);

#endif
