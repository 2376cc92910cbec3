/* Tests of signatures/flat.h: what goes in comes out, and the block has exactly the size that was
 * announced (each is its own malloc, so AddressSanitizer sees a byte too far). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "signatures/flat.h"

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static bool is_num(enum field_type type)
{
    return type == FIELD_INT || type == FIELD_BOOL || type == FIELD_TIME;
}

static const uint8_t TEXT[] = "once upon a time there was a queue, and nobody read it, ever since";

static void fill(struct msg *m, uint32_t *seed)
{
    for (unsigned id = 0; id < F_COUNT; id++) {
        if (next(seed) % 3)
            continue;
        if (is_num(field_defs[id].type))
            fields_num(&m->fields, (enum field_id)id, (int64_t)next(seed) - (1 << 20));
        else
            fields_text(&m->fields, (enum field_id)id,
                        bytes_of(TEXT + next(seed) % 16, next(seed) % 40));
    }
}

static void same_fields(const struct msg *a, const struct msg *b)
{
    for (unsigned i = 0; i < F_COUNT; i++) {
        enum field_id id = (enum field_id)i;
        assert_int_equal(msg_has(a, id), msg_has(b, id));
        if (!msg_has(a, id))
            continue;
        if (is_num(field_defs[i].type)) {
            assert_int_equal(msg_num(a, id, 0), msg_num(b, id, 1));
        } else {
            assert_int_equal(msg_text(a, id).len, msg_text(b, id).len);
            assert_memory_equal(msg_text(a, id).at, msg_text(b, id).at, msg_text(a, id).len);
        }
    }
}

static void same_finding(const struct finding *a, const struct finding *b)
{
    assert_int_equal(a->rule, b->rule);
    assert_int_equal(a->severity, b->severity);
    assert_int_equal(a->index, b->index);
    assert_int_equal(a->fold, b->fold);
    assert_int_equal(a->fold_seconds, b->fold_seconds);
    assert_true(a->fold_class == b->fold_class);
    assert_int_equal(a->once_a_task, b->once_a_task);
    assert_string_equal(a->reason, b->reason);
    assert_int_equal(a->n_evidence, b->n_evidence);
    for (unsigned i = 0; i < a->n_evidence; i++) {
        assert_string_equal(a->evidence[i].name, b->evidence[i].name);
        assert_int_equal(a->evidence[i].type, b->evidence[i].type);
        if (is_num(a->evidence[i].type)) {
            assert_true(a->evidence[i].value.num == b->evidence[i].value.num);
        } else {
            assert_int_equal(a->evidence[i].value.text.len, b->evidence[i].value.text.len);
            assert_memory_equal(a->evidence[i].value.text.at, b->evidence[i].value.text.at,
                                a->evidence[i].value.text.len);
        }
    }
}

static void make_finding(struct finding *f, uint32_t *seed)
{
    finding_init(f, (enum rule_id)(next(seed) % RULE_COUNT), SEV_HIGH);
    f->index = (uint16_t)next(seed);
    f->fold = next(seed) % 512;
    f->fold_seconds = next(seed) % 86400;
    f->fold_class = (uint64_t)next(seed) << 40;
    f->once_a_task = next(seed) % 2;
    finding_reason(f, "user %.*s did it", (int)(next(seed) % 60), (const char *)TEXT);
    for (unsigned n = next(seed) % 16; n > 0; n--) /* more than fit, at times */
        switch (next(seed) % 4) {
        case 0: finding_num(f, "count", -(int64_t)next(seed)); break;
        case 1: finding_bool(f, "refused", true); break;
        case 2: finding_secret(f, "secret", bytes_of(TEXT, next(seed) % 30)); break;
        default: finding_text(f, "where.path", bytes_of(TEXT, next(seed) % 60)); break;
        }
}

static void same_head(const struct msg *a, const struct msg *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->op, b->op);
    assert_ptr_equal(a->action, b->action);
    assert_int_equal(a->dir, b->dir);
    assert_true(a->offset == b->offset);
    assert_memory_equal(&a->at, &b->at, sizeof a->at);
    assert_int_equal(a->coverage, b->coverage);
    assert_int_equal(a->index, b->index);
    assert_int_equal(a->conn != NULL, b->conn != NULL);
    if (a->conn) {
        assert_int_equal(a->conn->id.serial, b->conn->id.serial);
        assert_int_equal(a->conn->id.client.port, b->conn->id.client.port);
        assert_string_equal(a->conn->proto, b->conn->proto);
    }
}

static void one_round(uint32_t seed)
{
    struct conn_info conn = {.id = {.client.port = 40000, .serial = seed}, .proto = "amqp"};
    struct msg m[3];
    struct finding f[3], got;
    struct flat_view view;
    size_t n = next(&seed) % 4;

    for (unsigned i = 0; i < 3; i++) {
        msg_init(&m[i], 1u << (i + 4), "published");
        m[i].cause = i > 0 ? &m[i - 1] : NULL;
        fill(&m[i], &seed);
        make_finding(&f[i], &seed);
    }
    m[2].conn = next(&seed) % 8 ? &conn : NULL;
    m[2].dir = TO_CLIENT;
    m[2].op = OP_READ;
    m[2].offset = (uint64_t)next(&seed) << 32;
    memset(&m[2].at, (int)(next(&seed) & 0x7f), sizeof m[2].at);
    m[2].coverage = COVER_GAP | COVER_ONE_WAY;
    m[2].index = 7;

    size_t size = flat_size(&m[2], f, n);
    void *block = malloc(size);
    flat_write(block, &m[2], f, n);
    flat_read(block, &view);
    same_head(&m[2], &view.m);
    same_fields(&m[2], &view.m);
    assert_null(view.m.cause);
    assert_null(view.m.content);
    assert_int_equal(view.n_findings, n);
    for (size_t i = 0; i < n; i++) {
        assert_true(flat_finding(&view, &got));
        same_finding(&f[i], &got);
    }
    assert_false(flat_finding(&view, &got));
    free(block);
}

static void round_trip(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed < 2000; seed++)
        one_round(seed);
}

/* Flat of flat is the same bytes: the fold keeps what came through a ring. */
static void flat_of_a_view(void **state)
{
    struct msg m;
    struct flat_view view;
    struct finding f;
    uint32_t seed = 99;

    (void)state;
    msg_init(&m, MSG_TASK, "published");
    fill(&m, &seed);
    make_finding(&f, &seed);
    size_t size = flat_size(&m, &f, 1);
    void *one = calloc(1, size), *two = calloc(1, size);
    flat_write(one, &m, &f, 1);
    flat_read(one, &view);
    assert_true(flat_finding(&view, &f));
    assert_int_equal(flat_size(&view.m, &f, 1), size);
    flat_write(two, &view.m, &f, 1);
    assert_memory_equal(one, two, size);
    free(one);
    free(two);
}

static void reason_is_cut_at_a_character(void **state)
{
    struct finding f;
    char text[400] = "";

    (void)state;
    for (unsigned i = 0; i < 199; i++)
        memcpy(text + 2 * i, "\xc3\xa9", 2);
    finding_init(&f, RULE_TASK_UNSIGNED, SEV_INFO);
    finding_reason(&f, "%s", text);
    assert_int_equal(strlen(f.reason), 158); /* not 159, in the midst of one */
    finding_reason(&f, "x%s", text);
    assert_int_equal(strlen(f.reason), 159);
    finding_reason(&f, "short");
    assert_string_equal(f.reason, "short");
}

static void what_is_kept_is_cut(void **state)
{
    static uint8_t text[9000];
    struct msg m, cause;
    struct flat_view v;
    struct bytes list, item;
    uint32_t n = 3000;
    void *block;

    (void)state;
    memset(&m, 0, sizeof m);
    memset(&cause, 0, sizeof cause);
    for (size_t at = 0; at < sizeof text - 3004; at += sizeof n + n) /* 3000 "x", and 3000 more */
        memcpy(text + at, &n, sizeof n);
    m.cause = &cause;
    fields_text(&m.fields, F_TASK_ID, bytes_of("a", 1));
    fields_text(&cause.fields, F_TASK_ID, bytes_of("b", 1));
    fields_text(&cause.fields, F_TASK_NAME, bytes_of(text, sizeof text));
    fields_text(&m.fields, F_TASK_SUBTASKS, bytes_of(text, 2 * (sizeof n + n)));
    fields_num(&cause.fields, F_TASK_RETRIES, 7);
    block = flat_keep(&m);
    assert_non_null(block);
    flat_read(block, &v);
    assert_true(msg_is(&v.m, F_TASK_ID, "a"));
    assert_int_equal(msg_text(&v.m, F_TASK_NAME).len, 4096);
    assert_int_equal(msg_num(&v.m, F_TASK_RETRIES, 0), 7);
    list = msg_text(&v.m, F_TASK_SUBTASKS);
    assert_true(list_next(&list, &item));
    assert_int_equal(item.len, 3000);
    assert_false(list_next(&list, &item));
    free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(what_is_kept_is_cut),
        cmocka_unit_test(flat_of_a_view),
        cmocka_unit_test(reason_is_cut_at_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
