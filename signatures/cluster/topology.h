/* signatures/cluster/topology.h - which queue a message goes to: bindings that
 * were seen being made, by broker and vhost or database. Knowledge of the
 * collector, asked once a message. */
#ifndef SIGNATURES_CLUSTER_TOPOLOGY_H
#define SIGNATURES_CLUSTER_TOPOLOGY_H

#include "dissectors/msg.h"

struct topology;

struct topology *topology_new(size_t max_bindings);
void topology_free(struct topology *t);

/* What the collector has to see: MSG_COMMAND queue.bind, queue.unbind, and SADD of
 * kombu's _kombu.binding.<exchange>. */
bool topology_wants(const struct msg *m);
void topology_note(struct topology *t, const struct msg *m);

/* A key of kombu's bindings ends in this and the name of an exchange. */
#define TOPOLOGY_BINDINGS "_kombu.binding."

/* What SADD puts into one of kombu's tables (kombu:transport/redis.py:Channel._queue_bind: routing
 * key, pattern and queue with 06 16 between them); views into the message. false: it is no such
 * message. */
struct kombu_binding {
    struct bytes exchange, key, pattern, queue;
};
bool topology_member(const struct msg *m, struct kombu_binding *b);

/* The queue of a published task: the routing key on the default exchange, else a
 * binding seen on that vhost; empty: not known. The view is good until the next
 * topology_note(). */
struct bytes topology_queue(struct topology *t, const struct msg *m);

/* An identity for "the same queue" of any task message: broker, vhost or database, and
 * the queue, else exchange and routing key. 0: nothing is known of where it goes. */
uint64_t topology_identity(const struct msg *m);
/* Broker address and port, and vhost or database. */
uint64_t topology_scope(const struct msg *m);
/* Fills client_id and server_id, when the ends of the connection are known. */
void topology_conn(struct conn_info *conn);
/* The client's address, and the server's with its port; never 0. */
uint64_t topology_client(const struct conn_info *conn);
uint64_t topology_server(const struct conn_info *conn);

#endif
