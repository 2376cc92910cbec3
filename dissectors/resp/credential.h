/* dissectors/resp/credential.h - what a request or a reply says about passwords.
 *
 * MSG_CREDENTIAL, AUTH_KIND "login": AUTH_MECHANISM "AUTH" or "HELLO", USER if one is named,
 * AUTH_SECRET. AUTH_KIND "admin": AUTH_NAME the setting (requirepass, masterauth, auth-pass, ...;
 * "setuser" for ACL SETUSER, "migrate" for MIGRATE), AUTH_SECRET, which may be empty, USER where it
 * is one's. AUTH_KIND "admin-read": the same, from the reply of CONFIG GET.
 *
 * AUTH with more than two arguments is no credential: no server was ever able to take it (an error
 * of syntax; redis:src/acl.c:authCommand). They are masked like one.
 *
 * MSG_LOGIN: OUTCOME (unknown: its reply was not seen; then with the offset of the request), USER,
 * AUTH_SECRET, AUTH_MECHANISM. Of a failure REDIS_ERROR, its first word,
 * and AUTH_NAME when it does not mean that the credential is wrong: "nopass" (the server has no
 * password) or "other" (unknown command, wrong number of arguments, loading, ...). A connection's
 * first -NOAUTH to any other command is a MSG_LOGIN too, without credential. */
#ifndef DISSECTORS_RESP_CREDENTIAL_H
#define DISSECTORS_RESP_CREDENTIAL_H

#include "dissectors/resp/request.h"

/* Emits the credentials of a request. What a reply is about goes into *record. */
void credential_asked(const struct feed *f, const struct request *r, const struct command *c,
                      struct pair_record *record);
/* The reply to a command that carried one, or -NOAUTH to any. */
void credential_answered(struct feed *f, const struct command *c, const struct pair_entry *e);
/* Its reply was not seen and will not be. */
void credential_unanswered(const struct feed *f, const struct command *c,
                           const struct pair_entry *e, uint8_t coverage);
/* One pair of CONFIG GET's reply. */
void credential_setting_read(const struct feed *f, struct bytes name, struct bytes value);

#endif
