/* signatures/cluster/commands.h - what server.c and keys.c share: tables of Redis commands, and
 * findings that name the command, its outcome and the server's error. */
#ifndef CLUSTER_COMMANDS_H
#define CLUSTER_COMMANDS_H

#include "signatures/cluster/cluster.h"

struct command_row {
    struct bytes name; /* one that ends in a space stands for all its subcommands */
    int act;           /* the table's own; 0: none */
};

#define COMMAND_ROW(literal, act)                                     \
    {                                                                 \
        {(const uint8_t *)(literal), sizeof(literal) - 1}, (int)(act) \
    }

/* What the row of the message's F_REDIS_COMMAND does, or that of its family; 0: there is none. The
 * rows are sorted by name, byte by byte. */
int commands_act(const struct command_row *rows, size_t n, const struct msg *m);

/* A finding about the command in `m`, with `why` as its reason, unless the baseline of the policy
 * allows that client to send it. Folded by the command. */
void commands_say(const struct msg *m, enum rule_id rule, enum severity severity, const char *why,
                  const struct detect_out *out);

#endif
