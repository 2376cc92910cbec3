/* run/signals.h - what the operator asks for by signal. The one mutable state at file
 * scope of the sensor: a signal handler can reach nothing else. */
#ifndef RUN_SIGNALS_H
#define RUN_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/* SIGINT, SIGTERM: stop (a second one ends the process at once); SIGUSR1: statistics; SIGHUP:
 * outputs, certificates and baseline anew; SIGPIPE is ignored. */
void signals_install(void);
/* Set once a stop is asked for. */
const volatile sig_atomic_t *signals_stop(void);
/* true once for each time it was asked. */
bool signals_take_stats(void);
bool signals_take_reopen(void);

#endif
