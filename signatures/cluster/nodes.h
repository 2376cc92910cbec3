/* signatures/cluster/nodes.h - at which addresses a node name lives: worker-impersonation, and the
 * answer to "is that its own node?". */
#ifndef SIGNATURES_CLUSTER_NODES_H
#define SIGNATURES_CLUSTER_NODES_H

#include "signatures/cluster/crew.h"
#include "signatures/detector.h"

struct nodes;

struct nodes *nodes_new(void);
void nodes_free(struct nodes *n);
void nodes_note(struct nodes *n, const struct crew *c, const struct msg *m,
                const struct detect_out *out);
/* The name of the node that this message shows to live at the client's address; empty: none. Of a
 * worker-offline too. */
struct bytes nodes_shown(const struct msg *m);
/* The node lives at the client's address of m and, as far as was seen, nowhere else. */
bool nodes_is_own(struct nodes *n, const struct msg *m, struct bytes node);
/* When the node was last seen at the client's address of m; 0: never. */
int64_t nodes_seen(struct nodes *n, const struct msg *m, struct bytes node);

#endif
