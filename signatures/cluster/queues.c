/* signatures/cluster/queues.c - what else travels on the queue of a task: whether
 * unsigned tasks stand beside signed ones, protocol 1 beside protocol 2:
 * task-unsigned, task-protocol-1. */
#include <stdlib.h>

#include "base/lru.h"
#include "signatures/cluster/cluster.h"
#include "signatures/cluster/topology.h"
#include "signatures/signing/signature.h"

#define QUEUES_MAX 65536u

enum { SEEN_SIGNED = 1u, SEEN_PROTOCOL_2 = 2u };

struct queues {
    bool signing_required;
    struct lru *seen; /* queue identity -> mask */
};

static void *open_queues(const struct policy *policy)
{
    struct queues *q = calloc(1, sizeof *q);

    if (!q)
        return NULL;
    q->signing_required = policy->signing.required;
    q->seen = lru_new(QUEUES_MAX, sizeof(unsigned), NULL, NULL);
    if (!q->seen) {
        free(q);
        return NULL;
    }
    return q;
}

static void close_queues(void *self)
{
    struct queues *q = self;

    lru_free(q->seen);
    free(q);
}

static void unsigned_task(const struct queues *q, const struct msg *m, unsigned seen,
                          const struct detect_out *out)
{
    struct finding f;
    bool beside = (seen & SEEN_SIGNED) != 0;
    bool high = q->signing_required || beside;

    finding_init(&f, RULE_TASK_UNSIGNED, high ? SEV_HIGH : SEV_INFO);
    if (q->signing_required)
        finding_reason(&f, "the policy demands signed tasks, and this one is not signed");
    else if (beside)
        finding_reason(&f, "an unsigned task on a queue that also carries signed tasks");
    else
        finding_reason(
            &f, "tasks on this queue are not signed: anybody who reaches the broker can send them");
    finding_bool(&f, "signed", false);
    if (high)
        f.fold = FOLD_DEFAULT, f.fold_seconds = 60;
    else
        f.fold = FOLD_BROKER | FOLD_SCOPE | FOLD_QUEUE, f.fold_seconds = 86400;
    f.once_a_task = true;
    out->emit(out->ctx, m, &f);
}

static void old_protocol(const struct msg *m, unsigned seen, const struct detect_out *out)
{
    struct finding f;
    bool beside = (seen & SEEN_PROTOCOL_2) != 0;

    finding_init(&f, RULE_TASK_PROTOCOL_1, beside ? SEV_MEDIUM : SEV_LOW);
    finding_reason(
        &f, beside ? "a task of message protocol 1 on a queue that also carries protocol 2"
                   : "a task of message protocol 1: Celery 3, or somebody who avoids headers");
    finding_num(&f, "protocol", 1);
    f.once_a_task = true;
    out->emit(out->ctx, m, &f);
}

static void note(void *self, const struct msg *m, const struct detect_out *out)
{
    struct queues *q = self;
    uint64_t id = topology_identity(m);
    bool fresh, is_signed = msg_num(m, F_TASK_SIGNED, 0) != 0;
    unsigned none = 0, *seen = id ? lru_put(q->seen, id, &fresh) : NULL;

    if (!seen)
        seen = &none;
    if (is_signed)
        *seen |= SEEN_SIGNED;
    else if (msg_num(m, F_SIGNATURE_STATE, SIGNATURE_NONE) == SIGNATURE_NONE)
        unsigned_task(q, m, *seen, out); /* else it says that it is signed */
    if (msg_num(m, F_TASK_PROTOCOL, 0) == 2)
        *seen |= SEEN_PROTOCOL_2;
    else if (msg_num(m, F_TASK_PROTOCOL, 0) == 1)
        old_protocol(m, *seen, out);
}

const struct cluster_detector queues_detector = {
    .name = "queues",
    .wants = MSG_TASK,
    .open = open_queues,
    .note = note,
    .close = close_queues,
};
