/* signatures/cluster/commands.c - Redis commands by name, what a baseline allows of them, and the
 * findings about them. */
#include "signatures/cluster/commands.h"

#include <stdlib.h>

#include "base/hash.h"
#include "signatures/baseline.h"

static int compare(const void *key, const void *of)
{
    const struct bytes *command = key;
    const struct bytes *name = &((const struct command_row *)of)->name;
    int order = memcmp(command->at, name->at, command->len < name->len ? command->len : name->len);

    return order != 0 ? order : (command->len > name->len) - (command->len < name->len);
}

int commands_act(const struct command_row *rows, size_t n, const struct msg *m)
{
    struct bytes command = msg_text(m, F_REDIS_COMMAND);
    const struct command_row *row =
        command.len > 0 ? bsearch(&command, rows, n, sizeof *rows, compare) : NULL;
    const uint8_t *space;

    if (row || command.len == 0)
        return row ? row->act : 0;
    space = memchr(command.at, ' ', command.len);
    command = bytes_head(command, space ? (size_t)(space - command.at) + 1 : 0);
    row = space ? bsearch(&command, rows, n, sizeof *rows, compare) : NULL;
    return row ? row->act : 0;
}

/* What a replica, or a migration that is under way, sends. */
static bool is_replication(struct bytes command)
{
    static const char *const names[] = {"SYNC",    "PSYNC",          "FAILOVER",
                                        "RESTORE", "RESTORE-ASKING", "MIGRATE"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (bytes_eq(command, names[i]))
            return true;
    return false;
}

/* By the baseline. No policy excuses what takes the server over, or a queue apart. */
static bool is_allowed(const struct msg *m, enum rule_id rule, const struct baseline *b)
{
    const struct endpoint *who = &m->conn->id.client;
    struct bytes command = msg_text(m, F_REDIS_COMMAND);

    switch (rule) {
    case RULE_REDIS_RECON: return baseline_lists(b, BASELINE_MONITORS, who);
    case RULE_REDIS_DESTRUCTIVE: return baseline_controls(b, who, command);
    case RULE_REDIS_ADMIN:
        return baseline_controls(b, who, command) ||
               (is_replication(command) && baseline_lists(b, BASELINE_RELAYS, who));
    default: return false;
    }
}

void commands_say(const struct msg *m, enum rule_id rule, enum severity severity, const char *why,
                  const struct detect_out *out)
{
    struct finding f;

    if (is_allowed(m, rule, out->policy->baseline))
        return;
    finding_init(&f, rule, severity);
    finding_reason(&f, "%s", why);
    if (msg_has(m, F_REDIS_COMMAND))
        finding_text(&f, "command", msg_text(m, F_REDIS_COMMAND));
    if (msg_has(m, F_OUTCOME))
        finding_text(&f, "outcome", msg_text(m, F_OUTCOME));
    if (msg_has(m, F_REDIS_ERROR))
        finding_text(&f, "error", msg_text(m, F_REDIS_ERROR));
    f.fold_class = hash_bytes(msg_text(m, F_REDIS_COMMAND), 0);
    out->emit(out->ctx, m, &f);
}
