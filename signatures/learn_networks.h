/* signatures/learn_networks.h - addresses of one entry, and when they become networks. Pure. */
#ifndef SIGNATURES_LEARN_NETWORKS_H
#define SIGNATURES_LEARN_NETWORKS_H

#include "signatures/baseline.h"

struct learn_conf {
    unsigned prefix_v4, prefix_v6; /* no network is learnt that is wider */
    unsigned glob_after;           /* more names or addresses than this are told by their form */
};

/* Whatever lies in the second lies in the first. */
bool network_holds(const struct network *outer, const struct network *inner);
/* Adds all of `from`. false: no memory. */
bool networks_copy(struct network_list *to, const struct network_list *from);
/* An address by itself. */
struct network network_of(const struct endpoint *e);
/* Sorts, and drops what another one holds. */
void networks_tidy(struct network_list *l);
/* The same; then, if there are more than glob_after, or networks already, those that lie in one
 * network of prefix_v4 or prefix_v6 become the smallest network that holds them. What comes out
 * does not depend on the order in which addresses came, nor on earlier calls. */
void networks_widen(struct network_list *l, const struct learn_conf *conf);

#endif
