/* run/second_opinion.c - nDPI 4.x as a pure question. Its caches across flows are left out:
 * only what follows from this packet's own bytes counts, so that the answer does
 * not depend on which flows a worker saw before. */
#include "run/second_opinion.h"

#include <stdlib.h>

#include <ndpi/ndpi_api.h>

struct second_opinion {
    struct ndpi_detection_module_struct *module;
    bool tried;
};

static void make(struct second_opinion *n)
{
    NDPI_PROTOCOL_BITMASK all;

    n->tried = true;
    n->module = ndpi_init_detection_module(ndpi_no_prefs);
    if (!n->module)
        return;
    NDPI_BITMASK_SET_ALL(all);
    ndpi_set_protocol_detection_bitmask2(n->module, &all);
    ndpi_finalize_initialization(n->module);
}

struct second_opinion *second_opinion_new(bool now)
{
    struct second_opinion *n = calloc(1, sizeof *n);

    if (n && now)
        make(n);
    return n;
}

static bool named(struct second_opinion *n, u_int16_t id, const char *name)
{
    const char *got = id == NDPI_PROTOCOL_UNKNOWN ? NULL : ndpi_get_proto_name(n->module, id);

    return got && strcmp(got, name) == 0;
}

bool second_opinion_says(struct second_opinion *n, const struct packet *p, const char *name)
{
    struct ndpi_flow_struct *flow;
    ndpi_protocol got;

    if (!n || p->l3.len == 0 || p->l3.len > UINT16_MAX)
        return false;
    if (!n->tried)
        make(n);
    flow = n->module ? ndpi_flow_malloc(SIZEOF_FLOW_STRUCT) : NULL;
    if (!flow)
        return false;
    memset(flow, 0, SIZEOF_FLOW_STRUCT);
    got = ndpi_detection_process_packet(n->module, flow, p->l3.at, (unsigned short)p->l3.len,
                                        (u_int64_t)(p->at.ns / 1000000));
    ndpi_free_flow(flow);
    return named(n, got.app_protocol, name) || named(n, got.master_protocol, name);
}

void second_opinion_free(struct second_opinion *n)
{
    if (n && n->module)
        ndpi_exit_detection_module(n->module);
    free(n);
}
