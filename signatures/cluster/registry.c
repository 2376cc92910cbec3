/* signatures/cluster/registry.c - the cluster detectors, in the order they are asked. */
#include "signatures/cluster/cluster.h"

const struct cluster_detector *const cluster_detectors[] = {&broker_detector,  &queues_detector,
                                                            &replays_detector, &deployment_detector,
                                                            &logins_detector,  NULL};
