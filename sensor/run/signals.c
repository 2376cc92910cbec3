/* run/signals.c - handlers that set a flag. */
#include "run/signals.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t stop_asked;
static atomic_bool stats_asked, reopen_asked;

static void on_stop(int number)
{
    if (stop_asked)
        _exit(128 + number);
    stop_asked = 1;
}

static void on_ask(int number)
{
    atomic_store(number == SIGHUP ? &reopen_asked : &stats_asked, true);
}

static void install(int number, void (*handler)(int))
{
    struct sigaction a;

    memset(&a, 0, sizeof a);
    a.sa_handler = handler;
    sigemptyset(&a.sa_mask);
    a.sa_flags = handler == on_ask ? SA_RESTART : 0;
    sigaction(number, &a, NULL);
}

void signals_install(void)
{
    install(SIGINT, on_stop);
    install(SIGTERM, on_stop);
    install(SIGUSR1, on_ask);
    install(SIGHUP, on_ask);
    install(SIGPIPE, SIG_IGN);
}

const volatile sig_atomic_t *signals_stop(void)
{
    return &stop_asked;
}

bool signals_take_stats(void)
{
    return atomic_exchange(&stats_asked, false);
}

bool signals_take_reopen(void)
{
    return atomic_exchange(&reopen_asked, false);
}
