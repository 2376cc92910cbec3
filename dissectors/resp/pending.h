/* dissectors/resp/pending.h - from a request to an entry of the queue of those that wait. */
#ifndef DISSECTORS_RESP_PENDING_H
#define DISSECTORS_RESP_PENDING_H

#include "dissectors/resp/request.h"

struct pending_plan {
    bool later;  /* MSG_REPLY is wanted */
    bool record; /* something has to be kept anyway */
    int32_t db;
};

/* Numbers that the connection depends on, into record->num; true: there is one. */
bool pending_num(const struct resp_conn *conn, const struct request *r, struct pair_record *record);
/* The request waits for its reply, or is told as never answered when none can be told apart.
 * *record has what credential_asked() and pending_num() put there; the rest is filled here. */
void pending_wait(struct feed *f, const struct request *r, const struct pending_plan *plan,
                  struct pair_record *record);

#endif
