/* run/second_opinion.h - nDPI behind a door: one question about one packet. Its answer is a
 * second opinion only (ident.h). */
#ifndef RUN_SECOND_OPINION_H
#define RUN_SECOND_OPINION_H

#include "net/packet.h"

struct second_opinion;

/* Never NULL unless memory is out; the module itself is made now, or at the first question. */
struct second_opinion *second_opinion_new(bool now);
/* Does nDPI, seeing this packet and nothing before it, call it by that name ("AMQP", "Redis")? The
 * memory that it needs for the flow is freed in the call. */
bool second_opinion_says(struct second_opinion *n, const struct packet *p, const char *name);
void second_opinion_free(struct second_opinion *n);

#endif
