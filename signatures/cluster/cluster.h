/* signatures/cluster/cluster.h - the detectors of this folder, for the registry. */
#ifndef SIGNATURES_CLUSTER_CLUSTER_H
#define SIGNATURES_CLUSTER_CLUSTER_H

#include "signatures/detector.h"

extern const struct cluster_detector queues_detector;
extern const struct cluster_detector broker_detector;
extern const struct cluster_detector replays_detector;
extern const struct cluster_detector deployment_detector;
extern const struct cluster_detector logins_detector;

#endif
