/* out/encode_inventory.h - one thing of the inventory, as a record (event.kind state). */
#ifndef OUT_ENCODE_INVENTORY_H
#define OUT_ENCODE_INVENTORY_H

#include "out/encode.h"

/* Lists are packed (field.h), sorted, without doubles; empty: not written. */
struct encode_inventory {
    int64_t at_ns;    /* of the record, packet time */
    const char *what; /* event.action: broker, queue, producer, worker, ... */
    const char *proto;
    struct endpoint server; /* the broker */
    uint32_t network;
    bool has_name;
    struct bytes place, name; /* vhost or database; of the thing */
    struct bytes addresses, users, tasks, queues, commands, modules, versions, places;
    int64_t first_ns, last_ns;
    uint64_t count; /* messages that showed it */
    uint8_t coverage;
};

/* The record's views are good until the next call. */
bool encode_inventory(struct encoder *e, const struct encode_inventory *in, struct record *out);

#endif
