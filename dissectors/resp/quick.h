/* dissectors/resp/quick.h - units that lie in one chunk and are written as every client and
 * server writes them: taken in one pass, past the value machine. They mean what they mean there. */
#ifndef DISSECTORS_RESP_QUICK_H
#define DISSECTORS_RESP_QUICK_H

#include "dissectors/resp/request.h"

/* Takes a request off the front of `in`: see resp_sink.quick. */
size_t quick_request(struct feed *f, struct request_room *room, struct bytes in, uint32_t *args,
                     uint32_t *total);
/* Takes a reply or a push off the front of `in`, which is not empty, and gives how many bytes; 0:
 * it is to be read token by token. */
size_t quick_reply(struct feed *f, struct bytes in);

#endif
