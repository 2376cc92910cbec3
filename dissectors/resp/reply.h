/* dissectors/resp/reply.h - what comes from the server: which command it answers, the
 * values in it, and how it ended. */
#ifndef DISSECTORS_RESP_REPLY_H
#define DISSECTORS_RESP_REPLY_H

#include "dissectors/resp/conn.h"

/* Before the first token of a chunk, after the last one, and each token. */
void reply_enter(struct feed *f);
void reply_leave(struct feed *f);
void reply_token(struct feed *f, const struct resp_token *t);
/* The rest of the reply in progress will not be seen. */
void reply_abort(struct feed *f);
void reply_free(struct resp_conn *conn);

/* answered.c: the reply, or the element of EXEC's, that is now complete belongs to e: tells
 * MSG_LOGIN and MSG_REPLY, and does what it does to the connection. */
void reply_answered(struct feed *f, const struct pair_entry *e);
/* The reply was not seen and will not be: MSG_LOGIN if it carried a credential, MSG_REPLY if that
 * is wanted, with OUTCOME unknown. coverage: COVER_GAP, or 0. */
void reply_unknown(struct feed *f, const struct pair_entry *e, uint8_t coverage);
/* The same for all that waits and all that is queued, which are then forgotten. */
void reply_forget_all(struct feed *f, uint8_t coverage);
/* The queued ones were thrown away by DISCARD, or by an EXEC that failed. */
void reply_discard_queued(struct feed *f);

/* values.c: a token of the reply to `e` (NULL: not known), at `depth` in it (0: the reply itself,
 * or the element of EXEC). */
void reply_value(struct feed *f, const struct pair_entry *e, const struct resp_token *t,
                 unsigned depth);
/* Of a pub/sub message. */
void reply_message(struct feed *f, const struct resp_token *t);

#endif
