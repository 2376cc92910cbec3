/* dissectors/resp/tell.h - messages of this dissector, filled and emitted. */
#ifndef DISSECTORS_RESP_TELL_H
#define DISSECTORS_RESP_TELL_H

#include "dissectors/resp/conn.h"

/* A message in the unit that is now in progress that way. */
void tell_init(const struct feed *f, struct msg *m, enum msg_kind kind, const char *action,
               enum dir dir);
void tell(const struct feed *f, const struct msg *m);

/* REDIS_DB, and USER if somebody logged in. */
void tell_session(const struct feed *f, struct msg *m, int32_t db);

/* A body as carried. `gap`: it has a hole behind what was kept. */
struct body {
    struct bytes bytes;
    uint64_t wire_len;
    bool gap;
    struct tap *tap; /* or NULL */
};

/* Emits an envelope; m has its fields and its op. Empty bodies are no messages. */
void tell_envelope(const struct feed *f, struct msg *m, enum op op, struct body body);

void tell_broken(const struct feed *f, enum dir dir, enum resp_broken what, uint64_t offset);
void tell_peer(const struct feed *f, enum dir dir, struct bytes name, struct bytes version);
void tell_unread(const struct feed *f, const char *protocol);

/* The name of a command: the table's, or, made in `scratch`, that of a module's command or with its
 * subcommand, in upper case. What is in no table is `<n bytes>`: it may be a secret, typed where a
 * command was asked for. */
struct bytes tell_name(const struct command *c, const struct bytes *args, uint32_t n,
                       char scratch[COMMAND_NAME_MAX]);
/* What of it is not shown; at == NULL: nothing. */
struct bytes tell_hidden_name(const struct command *c, const struct bytes *args, uint32_t n);

#endif
