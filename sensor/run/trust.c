/* run/trust.c - a pointer under a lock, and a number to see without the lock that it is another. */
#include "run/trust.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "signatures/signing/verify.h"

struct trust {
    const char *directory;
    atomic_uint generation; /* of the store; from 1 */
    pthread_mutex_t lock;   /* of the pointer */
    struct cert_store *store;
};

static struct trust *trust_new(const char *directory, struct cert_store *store)
{
    struct trust *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    t->directory = directory;
    t->store = store;
    atomic_init(&t->generation, 1);
    pthread_mutex_init(&t->lock, NULL);
    return t;
}

int trust_open(const struct policy *policy, struct trust **out)
{
    const char *directory = policy->signing.certificates;
    struct cert_store *store;
    char error[512];

    *out = NULL;
    if (!digest_is_known(policy->signing.digest)) {
        log_error(
            "policy.signing.digest: expected a digest (sha256, sha384, sha3_256), not '%.40s'",
            policy->signing.digest);
        return 78;
    }
    if (!directory || !*directory)
        return 0;
    store = cert_store_load(directory, error, sizeof error);
    if (!store) {
        log_error("%s", error);
        return 78;
    }
    *out = trust_new(directory, store);
    if (!*out)
        cert_store_drop(store);
    return *out ? 0 : 1;
}

void trust_free(struct trust *t)
{
    if (!t)
        return;
    cert_store_drop(t->store);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

void trust_reload(struct trust *t)
{
    struct cert_store *store, *old;
    char error[512];

    if (!t)
        return;
    store = cert_store_load(t->directory, error, sizeof error);
    if (!store) {
        log_error("%s: the certificates from before stay in use", error);
        return;
    }
    pthread_mutex_lock(&t->lock);
    old = t->store;
    t->store = store;
    atomic_fetch_add_explicit(&t->generation, 1, memory_order_release);
    pthread_mutex_unlock(&t->lock);
    log_info("policy.signing.certificates: %zu certificates", cert_store_count(store));
    cert_store_drop(old);
}

struct cert_store *trust_take(struct trust *t, unsigned *generation)
{
    struct cert_store *store;

    if (atomic_load_explicit(&t->generation, memory_order_acquire) == *generation)
        return NULL;
    pthread_mutex_lock(&t->lock);
    *generation = atomic_load_explicit(&t->generation, memory_order_relaxed);
    store = cert_store_take(t->store);
    pthread_mutex_unlock(&t->lock);
    return store;
}
