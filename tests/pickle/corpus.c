/* Public test pickles (../shared/pickles beside the source tree; never loaded): malicious ones at
 * least dangerous, benign ones at most objects-unknown, the same at every cut, no crash when cut
 * short. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "signatures/pickle/pickle.h"

#define FOLDER   SOURCE_DIR "/../shared/pickles/"
#define FILE_MAX (4u << 20)

struct exception {
    const char *path, *why;
};

/* Judged otherwise than their projects expect. */
static const struct exception exceptions[] = {
    {"picklescan/data__malicious6.pkl", "the payload is behind STOP, where Celery never reads"},
    {"picklescan/data__pytorch_model.bin", "several streams in one file, which is never a message"},
    {"cpython/exception_pickle.pkl", "imports exceptions.?, and no class has that name"},
    {"cpython/test_large_32b_binbytes8-0.pkl", "declares 4 GiB and has none: length-bomb"},
    {"cpython/test_large_32b_bytearray8-0.pkl", "declares 4 GiB and has none: length-bomb"},
    {"cpython/test_large_32b_binunicode8-0.pkl", "declares 4 GiB and has none: length-bomb"},
    {"cpython/test_get-0.pkl", "a memo index of 100000 for one entry: memo-bomb"},
    {"fickling/"
     "test_expansion_attack_analysis.TestExpansionAttackAnalysis.test_check_safety_catches_"
     "resource_"
     "exhaustion-0.pkl",
     "an expansion bomb alone"},
    {"fickling/"
     "test_expansion_attack_analysis.TestExpansionAttackAnalysis.test_memo_expansion_detection-0."
     "pkl",
     "an expansion bomb alone"},
};

static const char *excused(const char *path)
{
    for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++)
        if (strcmp(exceptions[i].path, path) == 0)
            return exceptions[i].why;
    return NULL;
}

static struct bytes read_file(const char *path, uint8_t *room)
{
    char full[1024];
    FILE *f;

    snprintf(full, sizeof full, FOLDER "%s", path);
    f = fopen(full, "rb");
    if (!f)
        return bytes_of(room, 0);
    size_t n = fread(room, 1, FILE_MAX, f);
    fclose(f);
    return bytes_of(room, n);
}

/* Files that are containers load nothing as they are: the classifier refuses them. So does an
 * import of getattr that nobody calls. */
static bool loads_nothing(const struct pickle_result *r)
{
    return r->verdict == PICKLE_NOT || (r->verdict == PICKLE_OBJECTS_KNOWN && r->all_calls == 0);
}

static bool as_expected(const char *expected, const struct pickle_result *r)
{
    if (strncmp(expected, "malicious", 9) == 0)
        return r->verdict >= PICKLE_DANGEROUS || loads_nothing(r);
    if (strncmp(expected, "benign", 6) == 0)
        return r->verdict <= PICKLE_OBJECTS_UNKNOWN;
    if (strcmp(expected, "dos") == 0)
        return (r->flags & PICKLE_ANY_BOMB) != 0;
    return expected[0] != 'n' || r->verdict == PICKLE_NOT;
}

struct summary {
    enum pickle_verdict verdict;
    uint64_t flags, imports, calls, end_at;
};

static struct summary sum(const struct pickle_result *r)
{
    return (struct summary){r->verdict, r->flags, r->all_imports, r->all_calls, r->end_at};
}

static bool same(struct summary a, struct summary b)
{
    return a.verdict == b.verdict && a.flags == b.flags && a.imports == b.imports &&
           a.calls == b.calls && a.end_at == b.end_at;
}

/* In two pieces, cut at every byte of a small file, at some of a large one. */
static void every_cut(struct pickle *p, struct bytes all, const char *path)
{
    struct summary whole = sum(pickle_judge(p, all, PICKLE_DECLARED, PICKLE_WHOLE));
    size_t step = all.len / 400 + 1;

    for (size_t n = 0; n <= all.len; n += step) {
        struct bytes rest = all;
        pickle_reset(p, PICKLE_DECLARED);
        pickle_feed(p, bytes_cut(&rest, n));
        pickle_feed(p, rest);
        if (!same(whole, sum(pickle_end(p, PICKLE_WHOLE))))
            fail_msg("%s: another result when cut at %zu", path, n);
    }
}

/* What has been imported is not undone by what follows. (Data may turn out to be no pickle.) */
static void every_prefix(struct pickle *p, struct bytes all, const char *path)
{
    enum pickle_verdict before = PICKLE_NOT;
    size_t step = all.len / 400 + 1;

    for (size_t n = 0; n <= all.len; n += step) {
        const struct pickle_result *r =
            pickle_judge(p, bytes_head(all, n), PICKLE_DECLARED, PICKLE_CLIPPED);
        if (r->verdict < before)
            fail_msg("%s: %s at %zu after %s", path, pickle_verdict_name(r->verdict), n,
                     pickle_verdict_name(before));
        before = r->all_imports > 0 ? r->verdict : PICKLE_NOT;
    }
}

static unsigned one_file(struct pickle *p, const char *path, const char *expected, uint8_t *room)
{
    struct bytes all = read_file(path, room);
    const struct pickle_result *r = pickle_judge(p, all, PICKLE_SEEN, PICKLE_WHOLE);
    bool wrong = !as_expected(expected, r) && !excused(path);

    if (wrong)
        fprintf(stderr, "%s: expected %s, is %s (%s)\n", path, expected,
                pickle_verdict_name(r->verdict), r->ground);
    every_cut(p, all, path);
    every_prefix(p, all, path);
    assert_true(pickle_memory(p) <= PICKLE_MEMORY_MAX);
    return wrong;
}

static void test_manifest(void **state)
{
    FILE *f = fopen(FOLDER "MANIFEST.tsv", "r");
    uint8_t *room = malloc(FILE_MAX);
    struct pickle *p = pickle_new(NULL);
    char line[2048];
    unsigned wrong = 0, files = 0;

    (void)state;
    assert_non_null(fgets(line, sizeof line, f));
    while (fgets(line, sizeof line, f)) {
        char *rest = line, *path = strsep(&rest, "\t"), *expected = strsep(&rest, "\t");
        wrong += one_file(p, path, expected, room);
        files++;
    }
    printf("%u files\n", files);
    fclose(f);
    free(room);
    pickle_free(p);
    assert_true(sizeof exceptions / sizeof *exceptions <= 10);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_manifest)};
    FILE *f = fopen(FOLDER "MANIFEST.tsv", "r");

    if (!f) {
        printf("SKIP: no ../shared/pickles\n");
        return 77;
    }
    fclose(f);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
