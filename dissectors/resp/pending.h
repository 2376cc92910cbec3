/* dissectors/resp/pending.h - from a request to an entry of the queue of those that wait. */
#ifndef DISSECTORS_RESP_PENDING_H
#define DISSECTORS_RESP_PENDING_H

#include "dissectors/resp/request.h"

struct pending_plan {
    bool later;  /* MSG_REPLY is wanted */
    bool record; /* something has to be kept anyway */
    int32_t db;
};

/* The reply is about a key, which has to be kept. */
bool pending_needs_key(uint8_t reply);
/* Each request has a reply of its own, and there is room for more that wait. */
bool pending_is_easy(const struct resp_conn *conn);
/* Then: an ordinary request waits, of which at most the key is kept. It is laid out if `key`. */
void pending_wait_easy(struct feed *f, const struct request *r, bool key, int32_t db);

/* Numbers that the connection depends on, into record->num; true: there is one. */
bool pending_num(const struct resp_conn *conn, const struct request *r, struct pair_record *record);
/* Arguments in slots `from` to `end` - 1 of a request in progress will be dropped: what a detector
 * or the reply needs of them is told, or put into r->owners. It is laid out. */
void pending_dropped(struct feed *f, struct request *r, uint32_t from, uint32_t end);
/* The request waits for its reply, or is told as never answered when none can be told apart.
 * *record has what credential_asked() and pending_num() put there; the rest is filled here. */
void pending_wait(struct feed *f, const struct request *r, const struct pending_plan *plan,
                  struct pair_record *record);

#endif
