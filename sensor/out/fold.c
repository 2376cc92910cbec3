/* out/fold.c - see fold.h. Open windows stand in a hash table, by key, and in a
 * heap, by the order in which they close. A window keeps its first message and
 * finding as one flat block, for the record that closes it. */
#include "out/fold.h"

#include <stdlib.h>

#include "base/hash.h"
#include "out/flow_text.h"
#include "out/fold_key.h"
#include "signatures/flat.h"

enum {
    FIRST_BUCKETS = 256,
    FOLD_SOURCES = 32,
    SOURCE_TEXT = 4 + INET6_ADDRSTRLEN,
};
/* All windows together; what is over it closes the window that would end first. */
#define FOLD_BYTES ((size_t)128 << 20)

struct window {
    struct window *chain; /* next of the same bucket */
    uint64_t hash;
    size_t heap_at; /* its place in the heap */
    int64_t end_ns, first_ns, last_ns;
    uint64_t ordinal, serial, number; /* number: of windows opened, so that no two are equal */
    uint64_t count;
    size_t bytes;             /* that it takes in all */
    void *block;              /* flat */
    struct endpoint *sources; /* of a rule with a fold of its own: those seen, in that order */
    unsigned n_sources;
    bool lists_sources;
    size_t key_len;
    uint8_t key[];
};

struct fold {
    struct window **buckets, **heap;
    size_t n_buckets, n, heap_cap, max_keys, bytes;
    uint64_t opened;
    bool off;
    fold_fn *emit;
    void *ctx;
};

struct fold *fold_new(size_t max_keys, bool off, fold_fn *emit, void *ctx)
{
    struct fold *f = calloc(1, sizeof *f);

    if (!f)
        return NULL;
    f->max_keys = max_keys > 0 ? max_keys : 1;
    f->off = off;
    f->emit = emit;
    f->ctx = ctx;
    f->n_buckets = FIRST_BUCKETS;
    f->buckets = calloc(f->n_buckets, sizeof(struct window *));
    if (f->buckets)
        return f;
    free(f);
    return NULL;
}

static void window_free(struct window *w)
{
    free(w->block);
    free(w->sources);
    free(w);
}

void fold_free(struct fold *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->n; i++)
        window_free(f->heap[i]);
    free(f->heap);
    free(f->buckets);
    free(f);
}

/* ---- the heap: which window closes first ---- */

static bool before(const struct window *a, const struct window *b)
{
    if (a->end_ns != b->end_ns)
        return a->end_ns < b->end_ns;
    if (a->ordinal != b->ordinal)
        return a->ordinal < b->ordinal;
    if (a->serial != b->serial)
        return a->serial < b->serial;
    return a->number < b->number;
}

static void heap_set(struct fold *f, size_t at, struct window *w)
{
    f->heap[at] = w;
    w->heap_at = at;
}

static void heap_up(struct fold *f, size_t at, struct window *w)
{
    for (; at > 0 && before(w, f->heap[(at - 1) / 2]); at = (at - 1) / 2)
        heap_set(f, at, f->heap[(at - 1) / 2]);
    heap_set(f, at, w);
}

static void heap_down(struct fold *f, size_t at, struct window *w)
{
    for (size_t child; (child = 2 * at + 1) < f->n; at = child) {
        if (child + 1 < f->n && before(f->heap[child + 1], f->heap[child]))
            child++;
        if (!before(f->heap[child], w))
            break;
        heap_set(f, at, f->heap[child]);
    }
    heap_set(f, at, w);
}

static bool heap_room(struct fold *f)
{
    if (f->n < f->heap_cap)
        return true;
    size_t cap = f->heap_cap ? 2 * f->heap_cap : FIRST_BUCKETS;
    struct window **heap = realloc(f->heap, cap * sizeof(struct window *));
    if (!heap)
        return false;
    f->heap = heap;
    f->heap_cap = cap;
    return true;
}

static void heap_remove(struct fold *f, struct window *w)
{
    struct window *last = f->heap[--f->n];

    if (last == w)
        return;
    heap_down(f, w->heap_at, last);
    heap_up(f, last->heap_at, last);
}

/* ---- the table: which window a finding belongs to ---- */

static struct window **bucket_of(struct fold *f, uint64_t hash)
{
    return &f->buckets[hash & (f->n_buckets - 1)];
}

static struct window *table_find(struct fold *f, const struct fold_key *key, uint64_t hash)
{
    struct window *w = *bucket_of(f, hash);

    while (w &&
           (w->hash != hash || w->key_len != key->len || memcmp(w->key, key->at, key->len) != 0))
        w = w->chain;
    return w;
}

static void table_add(struct fold *f, struct window *w)
{
    struct window **bucket = bucket_of(f, w->hash);

    w->chain = *bucket;
    *bucket = w;
}

static void table_remove(struct fold *f, struct window *w)
{
    struct window **at = bucket_of(f, w->hash);

    while (*at != w)
        at = &(*at)->chain;
    *at = w->chain;
}

/* Without memory the chains get longer, no more. */
static void table_grow(struct fold *f)
{
    if (f->n < f->n_buckets)
        return;
    struct window **bigger = calloc(f->n_buckets * 2, sizeof(struct window *));
    if (!bigger)
        return;
    free(f->buckets);
    f->buckets = bigger;
    f->n_buckets *= 2;
    for (size_t i = 0; i < f->n; i++)
        table_add(f, f->heap[i]);
}

/* ---- windows ---- */

static void pack(uint8_t *list, size_t *len, const char *text)
{
    uint32_t n = (uint32_t)strlen(text);

    memcpy(list + *len, &n, sizeof n);
    memcpy(list + *len + sizeof n, text, n);
    *len += sizeof n + n;
}

static void say(struct fold *f, const struct window *w)
{
    uint8_t list[FOLD_SOURCES * SOURCE_TEXT];
    struct flat_view view;
    struct finding finding;
    size_t len = 0;

    for (unsigned i = 0; i < w->n_sources; i++) {
        char text[INET6_ADDRSTRLEN];
        flow_text_ip(&w->sources[i], text);
        pack(list, &len, text);
    }
    struct fold_state state = {.count = w->count,
                               .first_ns = w->first_ns,
                               .last_ns = w->last_ns,
                               .final = true,
                               .sources = bytes_of(list, len)};
    flat_read(w->block, &view);
    if (flat_finding(&view, &finding))
        f->emit(f->ctx, &view.m, &finding, &state);
}

static void close_window(struct fold *f, struct window *w)
{
    table_remove(f, w);
    heap_remove(f, w);
    f->bytes -= w->bytes;
    if (w->count > 1)
        say(f, w);
    window_free(w);
}

static bool same_address(const struct endpoint *a, const struct endpoint *b)
{
    return a->family == b->family && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

static void note_source(struct fold *f, struct window *w, const struct endpoint *e)
{
    for (unsigned i = 0; i < w->n_sources; i++)
        if (same_address(&w->sources[i], e))
            return;
    if (w->n_sources == FOLD_SOURCES)
        return;
    if ((w->n_sources & (w->n_sources - 1)) == 0) { /* 0, 1, 2, 4, ...: full */
        unsigned cap = w->n_sources ? 2 * w->n_sources : 1;
        struct endpoint *more = realloc(w->sources, cap * sizeof *more);
        if (!more)
            return;
        w->sources = more;
        size_t grown = (cap - w->n_sources) * sizeof *more;
        w->bytes += grown;
        f->bytes += grown;
    }
    w->sources[w->n_sources++] = *e;
}

static struct window *window_new(const struct fold_key *key, const struct msg *m,
                                 const struct finding *finding)
{
    size_t flat = flat_size(m, finding, 1);
    struct window *w = calloc(1, sizeof *w + key->len);

    if (!w)
        return NULL;
    w->block = malloc(flat);
    if (!w->block) {
        free(w);
        return NULL;
    }
    flat_write(w->block, m, finding, 1);
    w->bytes = sizeof *w + key->len + flat;
    w->count = 1;
    w->first_ns = w->last_ns = m->at.ns;
    w->ordinal = m->at.ordinal;
    w->serial = m->conn ? m->conn->id.serial : 0;
    w->key_len = key->len;
    memcpy(w->key, key->at, key->len);
    return w;
}

static int64_t later(int64_t ns, int64_t by)
{
    return ns > INT64_MAX - by ? INT64_MAX : ns + by;
}

/* Without memory the finding is still told; its repeats are then told too. */
static void open_window(struct fold *f, const struct fold_key *key, uint64_t hash,
                        const struct msg *m, const struct finding *finding)
{
    int64_t window_ns;
    unsigned parts = fold_parts(finding, &window_ns);
    struct window *w = window_new(key, m, finding);

    if (!w)
        return;
    while (f->n > 0 && (f->n >= f->max_keys || f->bytes + w->bytes > FOLD_BYTES))
        close_window(f, f->heap[0]);
    if (!heap_room(f)) {
        window_free(w);
        return;
    }
    w->hash = hash;
    w->end_ns = later(m->at.ns, window_ns);
    w->number = f->opened++;
    w->lists_sources = parts != FOLD_DEFAULT;
    table_grow(f);
    table_add(f, w);
    heap_up(f, f->n++, w);
    f->bytes += w->bytes;
    if (w->lists_sources && m->conn)
        note_source(f, w, fold_source(m, finding));
}

static void count_in(struct fold *f, struct window *w, const struct msg *m,
                     const struct finding *finding)
{
    w->count++;
    if (m->at.ns > w->last_ns)
        w->last_ns = m->at.ns;
    if (m->at.ns < w->first_ns)
        w->first_ns = m->at.ns;
    if (w->lists_sources && m->conn)
        note_source(f, w, fold_source(m, finding));
}

bool fold_add(struct fold *f, const struct msg *m, const struct finding *finding)
{
    struct fold_key key;
    int64_t window_ns;

    if (f->off) {
        f->emit(f->ctx, m, finding, NULL);
        return true;
    }
    fold_key_make(&key, m, finding, fold_parts(finding, &window_ns));
    uint64_t hash = hash_bytes(bytes_of(key.at, key.len), 0);
    struct window *w = table_find(f, &key, hash);
    if (w && m->at.ns < w->end_ns) {
        count_in(f, w, m, finding);
        return false;
    }
    if (w)
        close_window(f, w);
    open_window(f, &key, hash, m, finding);
    f->emit(f->ctx, m, finding, NULL);
    return true;
}

void fold_tick(struct fold *f, int64_t now_ns)
{
    while (f->n > 0 && f->heap[0]->end_ns <= now_ns)
        close_window(f, f->heap[0]);
}

void fold_finish(struct fold *f)
{
    fold_tick(f, INT64_MAX);
}
