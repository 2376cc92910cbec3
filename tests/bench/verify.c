/* bench/verify.c - signatures verified a second on one core: the first time a body is seen, and
 * when it crosses the wire again. Processor time of this thread, so that a shared machine does not
 * count. */
#include <time.h>

#include "signatures/signing/verify.h"
#include "tests/signing/keys.h"

#define DIFFERENT 256u /* signed bodies, so that caches are not all there is to see */

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct cert_store *store_of(EVP_PKEY *key)
{
    char directory[64], error[256];
    X509 *c = keys_plain(key, "1");
    struct cert_store *s;

    keys_directory(directory);
    keys_write(directory, "one.pem", c, "w");
    X509_free(c);
    s = cert_store_load(directory, error, sizeof error);
    keys_remove(directory);
    keys_must(s != NULL);
    return s;
}

/* Verifications a second; `remember`: of all of them, or of none. */
static double rate(struct cert_store *store, const struct signed_parts *parts, size_t remember)
{
    struct verifier *v = verifier_new("sha256", remember);
    double began, now;
    unsigned long n = 0;

    keys_must(v && verifier_use(v, store));
    for (unsigned i = 0; i < DIFFERENT; i++)
        keys_must(verifier_judge(v, &parts[i], KEYS_NOW).state == SIGNATURE_VALID);
    began = now = seconds();
    while (now - began < 1) {
        for (unsigned i = 0; i < DIFFERENT; i++)
            keys_must(verifier_judge(v, &parts[i], KEYS_NOW).verified == (remember < DIFFERENT));
        n += DIFFERENT;
        now = seconds();
    }
    verifier_free(v);
    return (double)n / (now - began);
}

static void measure(unsigned bits, size_t body_len)
{
    EVP_PKEY *key = EVP_RSA_gen(bits);
    struct cert_store *store = store_of(key);
    struct signed_parts parts[DIFFERENT];
    uint8_t *body = calloc(1, body_len);

    for (unsigned i = 0; i < DIFFERENT; i++) {
        struct bytes b = bytes_of(body, body_len);

        parts[i] =
            (struct signed_parts){bytes_of("Lab CA one 1", 12), keys_sign_pss(key, b), b, b, false};
    }
    printf("RSA %u, %zu bytes: %.0f verified, %.0f known again\n", bits, body_len,
           rate(store, parts, DIFFERENT / 2), rate(store, parts, DIFFERENT));
    for (unsigned i = 0; i < DIFFERENT; i++)
        keys_free(parts[i].signature);
    free(body);
    cert_store_drop(store);
    EVP_PKEY_free(key);
}

int main(void)
{
    measure(2048, 100);
    measure(2048, 10000);
    measure(4096, 100);
    return 0;
}
