/* run/baselines.c - a pointer under a lock, references counted under it too, and a number to see
 * without the lock that it is another. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "run/baseline.h"

struct shared {
    struct baseline b; /* first: who asks has its address */
    unsigned users;    /* those that took it, and the holder while it is the one in use */
};

struct baselines {
    const char *path;
    atomic_uint generation; /* of the one in use; from 1 */
    pthread_mutex_t lock;   /* of the pointer, and of all users */
    struct shared *now;
};

static int load(const char *path, unsigned generation, struct shared **out)
{
    struct shared *s = calloc(1, sizeof *s);
    int status = s ? baseline_load(&s->b, path) : 1;

    if (status != 0) {
        free(s);
        return status;
    }
    s->b.generation = generation;
    s->users = 1;
    *out = s;
    return 0;
}

static void free_shared(struct shared *s)
{
    baseline_clear(&s->b);
    free(s);
}

int baselines_open(const char *path, struct baselines **out)
{
    struct baselines *h = calloc(1, sizeof *h);
    int status = h ? load(path, 1, &h->now) : 1;

    if (status != 0) {
        free(h);
        return status;
    }
    h->path = path;
    atomic_init(&h->generation, 1);
    pthread_mutex_init(&h->lock, NULL);
    *out = h;
    return 0;
}

void baselines_free(struct baselines *h)
{
    if (!h)
        return;
    free_shared(h->now);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

/* Under the lock. */
static bool is_last(struct shared *s)
{
    return --s->users == 0;
}

void baselines_reload(struct baselines *h)
{
    struct shared *fresh, *old;
    bool last;

    if (!h)
        return;
    if (load(h->path, atomic_load(&h->generation) + 1, &fresh) != 0) {
        log_error("%s: the baseline from before stays in use", h->path);
        return;
    }
    baseline_log(&fresh->b, h->path);
    pthread_mutex_lock(&h->lock);
    old = h->now;
    h->now = fresh;
    last = is_last(old);
    atomic_fetch_add_explicit(&h->generation, 1, memory_order_release);
    pthread_mutex_unlock(&h->lock);
    if (last)
        free_shared(old);
}

void baselines_drop(struct baselines *h, const struct baseline **held)
{
    struct shared *s = (struct shared *)(uintptr_t)*held;
    bool last;

    *held = NULL;
    if (!s)
        return;
    pthread_mutex_lock(&h->lock);
    last = is_last(s);
    pthread_mutex_unlock(&h->lock);
    if (last)
        free_shared(s);
}

void baselines_take(struct baselines *h, const struct baseline **held)
{
    if (!h || (*held &&
               (*held)->generation == atomic_load_explicit(&h->generation, memory_order_acquire)))
        return;
    baselines_drop(h, held);
    pthread_mutex_lock(&h->lock);
    h->now->users++;
    *held = &h->now->b;
    pthread_mutex_unlock(&h->lock);
}
