/* out/sinks.h - the sinks that sinks.c lists. */
#ifndef OUT_SINKS_H
#define OUT_SINKS_H

#include "out/sink.h"

extern const struct sink sink_stdout, sink_file, sink_kafka;

#endif
