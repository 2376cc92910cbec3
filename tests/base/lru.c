/* tests/base/lru.c - the bounded map against a plain array of the same calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/lru.h"

#define MAX 50u

struct model {
    uint64_t key[MAX], value[MAX], used[MAX];
    unsigned n;
};

static unsigned gone_calls;

static void gone(void *ctx, uint64_t key, void *value)
{
    (void)ctx, (void)key, (void)value;
    gone_calls++;
}

static unsigned place(struct model *m, uint64_t key)
{
    for (unsigned i = 0; i < m->n; i++)
        if (m->key[i] == key)
            return i;
    return MAX;
}

static unsigned oldest(const struct model *m)
{
    unsigned at = 0;

    for (unsigned i = 1; i < m->n; i++)
        if (m->used[i] < m->used[at])
            at = i;
    return at;
}

static void test_like_a_model(void **state)
{
    struct lru *l = lru_new(MAX, sizeof(uint64_t), gone, NULL);
    struct model m = {.n = 0};
    unsigned seed = 7, evictions = 0;

    (void)state;
    gone_calls = 0;
    for (uint64_t now = 1; now < 20000; now++) {
        seed = seed * 1103515245u + 12345u;
        uint64_t key = (seed >> 16) % 90;
        bool fresh;
        uint64_t *v = lru_put(l, key, &fresh);
        unsigned i = place(&m, key);

        assert_int_equal(fresh, i == MAX);
        if (i == MAX) {
            evictions += m.n == MAX;
            i = m.n < MAX ? m.n++ : oldest(&m);
            m.key[i] = key;
            m.value[i] = 0;
        }
        assert_int_equal(*v, m.value[i]);
        *v = m.value[i] = now;
        m.used[i] = now;
    }
    for (unsigned i = 0; i < m.n; i++)
        assert_int_equal(*(uint64_t *)lru_get(l, m.key[i]), m.value[i]);
    assert_null(lru_get(l, 1000));
    assert_int_equal(lru_evicted(l), evictions);
    lru_free(l);
    assert_int_equal(gone_calls, evictions + m.n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_like_a_model)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
