/* Tests of out/encode.h: the order of keys, what every alert has, that the message log and
 * alerts agree, and that ids depend on what they should. */
#include "out/encode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/out/support/sample.h"

static struct record alert(struct encoder *e, const struct msg *m, const struct finding *f,
                           const struct fold_state *fold)
{
    struct record r;

    assert_true(encode_alert(e, m, f, fold, &r));
    assert_int_equal(r.kind, EMIT_ALERTS);
    assert_int_equal(r.severity, f->severity);
    return r;
}

static struct record line(struct encoder *e, enum emit_kind kind, const struct msg *m)
{
    struct record r;

    assert_true(encode_log(e, kind, m, &r));
    assert_int_equal(r.kind, kind);
    assert_int_equal(r.severity, 0);
    return r;
}

static void is_text(const struct record *r, const char *want)
{
    char *got = strndup((const char *)r->text.at, r->text.len);

    assert_string_equal(got, want);
    free(got);
}

/* The whole record, so that a change of anything is seen. */
static void a_log_record(void **state)
{
    struct encoder *e = sample_encoder(false, NULL);
    struct sample s;

    (void)state;
    sample_task(&s);
    struct record r = line(e, EMIT_TASKS, &s.task);
    is_text(&r,
            "{\"@timestamp\":\"2026-01-02T03:04:05.678901Z\",\"ecs\":{\"version\":\"9.0.0\"},"
            "\"event\":{\"kind\":\"event\",\"category\":[\"network\"],\"type\":[\"info\"],"
            "\"id\":\"29c07ec10eb1acdb2ebc6cb1ac4d0daf\",\"action\":\"published\","
            "\"dataset\":\"celeriac.task\"},"
            "\"source\":{\"ip\":\"10.0.0.1\",\"port\":40000},"
            "\"destination\":{\"ip\":\"10.0.0.2\",\"port\":5672},"
            "\"network\":{\"transport\":\"tcp\",\"type\":\"ipv4\",\"protocol\":\"amqp\","
            "\"community_id\":\"1:cp7jn4FwO7DtKCJa/X46qN/S3NE=\",\"direction\":\"internal\"},"
            "\"celery\":{\"task\":{\"id\":\"0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f0\","
            "\"name\":\"shop.add\",\"protocol\":2,\"origin\":\"gen1@web1\",\"queue\":\"celery\","
            "\"retries\":0,\"signed\":false,\"subtasks\":[\"shop.b\",\"shop.c\"]}},"
            "\"amqp\":{\"method\":\"basic.publish\",\"vhost\":\"/\",\"channel\":1,"
            "\"exchange\":\"\",\"routing_key\":\"celery\"},"
            "\"observer\":{\"name\":\"sensor-1\",\"product\":\"celeriac\",\"vendor\":\"Celeriac\","
            "\"version\":\"" CELERIAC_VERSION "\",\"type\":\"sensor\"},"
            "\"celeriac\":{\"app\":\"celery\",\"content\":{\"type\":\"application/json\"},"
            "\"packet\":42,\"capture\":\"some.pcap\",\"coverage\":[\"complete\"]}}");
    assert_int_equal(r.key.len, 30);
    assert_memory_equal(r.key.at, "1:cp7jn4FwO7DtKCJa/X46qN/S3NE=", 30);
    encoder_free(e);
}

static void an_alert(void **state)
{
    struct encoder *e = sample_encoder(false, NULL);
    struct sample s;
    struct finding f;

    (void)state;
    sample_task(&s);
    finding_init(&f, RULE_PICKLE_SERIALIZER, SEV_MEDIUM);
    finding_reason(&f, "task is pickled");
    finding_str(&f, "serializer", "pickle");
    finding_num(&f, "at.offset", 3);
    finding_bool(&f, "at.inner", true);
    struct fold_state fold = {.count = 3,
                              .first_ns = s.task.at.ns,
                              .last_ns = s.task.at.ns + 1000000000,
                              .final = true,
                              .sources = bytes_of("\x08\0\0\0"
                                                  "10.0.0.1\x02\0\0\0::",
                                                  18)};
    struct record r = alert(e, &s.task, &f, &fold);
    is_text(
        &r,
        "{\"@timestamp\":\"2026-01-02T03:04:05.678901Z\",\"ecs\":{\"version\":\"9.0.0\"},"
        "\"event\":{\"kind\":\"alert\",\"category\":[\"intrusion_detection\",\"network\"],"
        "\"type\":[\"info\"],\"id\":\"21189776de30ce05bb33f8765d8610ae\","
        "\"action\":\"published\",\"severity\":3,\"risk_score\":50,"
        "\"reason\":\"task is pickled\",\"dataset\":\"celeriac.alert\"},"
        "\"rule\":{\"id\":\"pickle-serializer\",\"name\":\"Pickle in use on the broker\","
        "\"category\":\"deserialization\","
        "\"reference\":[\"https://cwe.mitre.org/data/definitions/502.html\"],"
        "\"version\":\"1\"},"
        "\"threat\":{\"framework\":\"MITRE ATT&CK\",\"technique\":{\"id\":[\"T1203\",\"T1210\"]}},"
        "\"source\":{\"ip\":\"10.0.0.1\",\"port\":40000},"
        "\"destination\":{\"ip\":\"10.0.0.2\",\"port\":5672},"
        "\"network\":{\"transport\":\"tcp\",\"type\":\"ipv4\",\"protocol\":\"amqp\","
        "\"community_id\":\"1:cp7jn4FwO7DtKCJa/X46qN/S3NE=\",\"direction\":\"internal\"},"
        "\"celery\":{\"task\":{\"id\":\"0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f0\","
        "\"name\":\"shop.add\",\"protocol\":2,\"origin\":\"gen1@web1\",\"queue\":\"celery\","
        "\"retries\":0,\"signed\":false,\"subtasks\":[\"shop.b\",\"shop.c\"]}},"
        "\"amqp\":{\"method\":\"basic.publish\",\"vhost\":\"/\",\"channel\":1,"
        "\"exchange\":\"\",\"routing_key\":\"celery\"},"
        "\"observer\":{\"name\":\"sensor-1\",\"product\":\"celeriac\",\"vendor\":\"Celeriac\","
        "\"version\":\"" CELERIAC_VERSION "\",\"type\":\"sensor\"},"
        "\"celeriac\":{\"app\":\"celery\",\"content\":{\"type\":\"application/json\"},"
        "\"evidence\":{\"serializer\":\"pickle\",\"at\":{\"offset\":3,\"inner\":true}},"
        "\"packet\":42,\"capture\":\"some.pcap\",\"coverage\":[\"complete\"],"
        "\"fold\":{\"count\":3,\"first\":\"2026-01-02T03:04:05.678901Z\","
        "\"last\":\"2026-01-02T03:04:06.678901Z\",\"final\":true,"
        "\"sources\":[\"10.0.0.1\",\"::\"]}}}");
    encoder_free(e);
}

/* What the contract promises of every alert, for every rule. */
static void every_alert_has(void **state)
{
    static const char *const ALWAYS[] = {
        "@timestamp",       "ecs.version",       "event.kind",       "event.category",
        "event.type",       "event.id",          "event.dataset",    "event.severity",
        "event.risk_score", "event.reason",      "rule.id",          "rule.name",
        "rule.category",    "source.ip",         "source.port",      "destination.ip",
        "destination.port", "network.transport", "network.protocol", "network.community_id",
        "observer.name",    "observer.version",  "celeriac.packet",  "celeriac.coverage",
    };
    struct encoder *e = sample_encoder(false, NULL);
    struct sample s;

    (void)state;
    sample_task(&s);
    fields_init(&s.task.fields);
    s.task.cause = NULL;
    s.task.action = NULL;
    for (unsigned i = 0; i < RULE_COUNT; i++) {
        struct finding f;
        finding_init(&f, (enum rule_id)i, rules[i].severity);
        struct record r = alert(e, &s.task, &f, NULL);
        json_t *j = sample_parse(&r);
        for (size_t k = 0; k < sizeof ALWAYS / sizeof ALWAYS[0]; k++)
            assert_non_null(sample_at(j, ALWAYS[k]));
        assert_string_equal(sample_str(j, "rule.id"), rules[i].id);
        assert_string_equal(sample_str(j, "event.reason"), rules[i].name);
        assert_int_equal(json_integer_value(sample_at(j, "event.severity")), rules[i].severity);
        json_decref(j);
    }
    encoder_free(e);
}

/* Keys of `part` stand in `whole` in the same order, with the same values. */
static void within(json_t *part, json_t *whole, const char *but)
{
    void *at = json_object_iter(whole);
    const char *key;
    json_t *value;

    json_object_foreach(part, key, value)
    {
        if (strstr(but, key)) /* of event: what a log record says otherwise */
            continue;
        while (at && strcmp(json_object_iter_key(at), key) != 0)
            at = json_object_iter_next(whole, at);
        if (!at)
            fail_msg("%s is missing or out of order", key);
        json_t *other = json_object_iter_value(at);
        if (json_is_object(value))
            within(value, other, strcmp(key, "event") == 0 ? "kind category type id dataset" : "");
        else if (!json_equal(value, other))
            fail_msg("%s differs", key);
    }
}

/* Fills every field there is. */
static void fill_all(struct msg *m)
{
    static const uint8_t LIST[] = "\x03\0\0\0one\x03\0\0\0two";

    for (unsigned i = 0; i < F_COUNT; i++) {
        enum field_id id = (enum field_id)i;
        switch (field_defs[i].type) {
        case FIELD_TEXT: fields_str(&m->fields, id, "text \xc3\xa9 \"of\" a\tfield"); break;
        case FIELD_LIST: fields_text(&m->fields, id, bytes_of(LIST, 14)); break;
        case FIELD_SECRET: fields_str(&m->fields, id, "zq"); break;
        case FIELD_BOOL: fields_num(&m->fields, id, 1); break;
        case FIELD_INT:
        case FIELD_TIME: fields_num(&m->fields, id, 1000000000 * (int64_t)i); break;
        }
    }
}

static void log_and_alert_agree(void **state)
{
    struct encoder *e = sample_encoder(false, "key");
    struct sample s;
    struct finding f;

    (void)state;
    sample_task(&s);
    fill_all(&s.task);
    finding_init(&f, RULE_TASK_UNSIGNED, SEV_INFO);
    struct record r = line(e, EMIT_TASKS, &s.task);
    json_t *log = sample_parse(&r);
    r = alert(e, &s.task, &f, NULL);
    json_t *full = sample_parse(&r);
    within(log, full, "");
    for (unsigned i = 0; i < F_COUNT; i++)
        if (field_defs[i].path)
            assert_non_null(sample_at(log, field_defs[i].path));
    json_decref(log);
    json_decref(full);
    encoder_free(e);
}

/* Any subset of the fields, spread over message and causes in any way, is one record. */
static void any_fields(void **state)
{
    struct encoder *e = sample_encoder(true, NULL);
    uint32_t seed = 5;

    (void)state;
    for (unsigned round = 0; round < 3000; round++) {
        struct sample s;
        struct msg all;
        struct finding f;
        sample_task(&s);
        msg_init(&all, MSG_TASK, NULL);
        fill_all(&all);
        struct msg *m[3] = {&s.command, &s.envelope, &s.task};
        for (unsigned i = 0; i < 3; i++)
            fields_init(&m[i]->fields);
        for (unsigned i = 0; i < F_COUNT; i++) {
            seed = seed * 1664525u + 1013904223u;
            if (seed >> 16 & 3) {
                struct fields *to = &m[(seed >> 20) % 3]->fields;
                to->has[i >> 6] |= (uint64_t)1 << (i & 63);
                to->at[i] = all.fields.at[i];
            }
        }
        finding_init(&f, RULE_TASK_UNSIGNED, SEV_INFO);
        struct record r = line(e, EMIT_TASKS, &s.task);
        json_t *log = sample_parse(&r);
        r = alert(e, &s.task, &f, NULL);
        json_t *full = sample_parse(&r);
        within(log, full, "");
        for (unsigned i = 0; i < F_COUNT; i++)
            if (field_defs[i].path)
                assert_int_equal(sample_find(log, field_defs[i].path) != NULL,
                                 msg_has(&s.task, (enum field_id)i));
        json_decref(log);
        json_decref(full);
    }
    encoder_free(e);
}

static void source_follows_sender_or_rule(void **state)
{
    struct encoder *e = sample_encoder(false, NULL);
    struct sample s;
    struct finding f;

    (void)state;
    sample_task(&s);
    s.task.dir = TO_CLIENT;
    finding_init(&f, RULE_TASK_UNSIGNED, SEV_INFO);
    struct record r = alert(e, &s.task, &f, NULL);
    json_t *j = sample_parse(&r);
    assert_string_equal(sample_str(j, "source.ip"), "10.0.0.2");
    assert_string_equal(sample_str(j, "destination.ip"), "10.0.0.1");
    json_decref(j);
    finding_init(&f, RULE_BROKER_NO_AUTH, SEV_MEDIUM);
    r = alert(e, &s.task, &f, NULL);
    j = sample_parse(&r);
    assert_string_equal(sample_str(j, "source.ip"), "10.0.0.1");
    json_decref(j);
    r = line(e, EMIT_TASKS, &s.task);
    j = sample_parse(&r);
    assert_string_equal(sample_str(j, "source.ip"), "10.0.0.2");
    json_decref(j);
    s.task.kind = MSG_REPLY; /* a command, known by its reply */
    r = line(e, EMIT_COMMANDS, &s.task);
    j = sample_parse(&r);
    assert_string_equal(sample_str(j, "source.ip"), "10.0.0.1");
    json_decref(j);
    encoder_free(e);
}

static void ids(struct encoder *e, const struct msg *m, unsigned index, char id[33])
{
    encode_id(e, "celeriac.alert", "task-unsigned", m, index, id);
    assert_int_equal(strlen(id), 32);
    assert_int_equal(strspn(id, "0123456789abcdef"), 32);
}

static void ids_say_what_they_should(void **state)
{
    struct encoder *e = sample_encoder(false, NULL), *live = sample_encoder(true, NULL);
    struct sample s;
    char first[33], id[33];

    (void)state;
    sample_task(&s);
    ids(e, &s.task, 0, first);
    s.task.at.ordinal = s.task.at.number = 9; /* never an ordinal, a file, a serial */
    s.task.at.input = 7;
    s.conn.id.serial = 1000;
    ids(e, &s.task, 0, id);
    assert_string_equal(id, first);
    ids(e, &s.task, 1, id);
    assert_string_not_equal(id, first);
    ids(live, &s.task, 0, id);
    assert_string_not_equal(id, first);
    s.task.at.ns++;
    ids(e, &s.task, 0, id);
    assert_string_not_equal(id, first);
    s.task.at.ns--;
    s.task.offset++;
    ids(e, &s.task, 0, id);
    assert_string_not_equal(id, first);
    s.task.offset--;
    s.task.dir = TO_CLIENT;
    ids(e, &s.task, 0, id);
    assert_string_not_equal(id, first);
    s.task.dir = TO_SERVER;
    s.conn.id.client.port++;
    s.conn.id.serial++;
    ids(e, &s.task, 0, id);
    assert_string_not_equal(id, first);
    encoder_free(e);
    encoder_free(live);
}

/* SHA-256 of the text that encode.h describes, made with sha256sum. */
static void id_of_the_description(void **state)
{
    struct encoder *e = sample_encoder(false, NULL);
    struct sample s;
    char id[33];

    (void)state;
    sample_task(&s);
    encode_id(e, "celeriac.task", "published", &s.task, 0, id);
    assert_string_equal(id, "29c07ec10eb1acdb2ebc6cb1ac4d0daf");
    encoder_free(e);
}

static void coverage_and_input(void **state)
{
    struct encoder *e = sample_encoder(true, NULL);
    struct sample s;
    struct finding f;

    (void)state;
    sample_task(&s);
    s.task.coverage = COVER_CLIPPED | COVER_GAP | COVER_MIDSTREAM | COVER_ONE_WAY;
    s.conn.id.vlan = 12;
    finding_init(&f, RULE_TASK_UNSIGNED, SEV_INFO);
    for (unsigned i = 0; i < 2; i++) {
        struct record r = i ? alert(e, &s.task, &f, NULL) : line(e, EMIT_TASKS, &s.task);
        json_t *j = sample_parse(&r);
        json_t *want = json_pack("[s,s,s,s]", "clipped", "gap", "midstream", "one-way");
        assert_true(json_equal(sample_at(j, "celeriac.coverage"), want));
        assert_string_equal(sample_str(j, "observer.ingress.interface.name"), "some.pcap");
        assert_string_equal(sample_str(j, "network.vlan.id"), "12");
        assert_null(sample_find(j, "celeriac.capture"));
        json_decref(want);
        json_decref(j);
    }
    encoder_free(e);
}

static void long_values_are_cut_and_named(void **state)
{
    struct encoder *e = sample_encoder(false, NULL);
    struct sample s;
    struct finding f;
    char big[2000];

    (void)state;
    sample_task(&s);
    memset(big, 'n', sizeof big);
    memcpy(big + 511, "\xc3\xa9", 2);
    fields_text(&s.task.fields, F_TASK_NAME, bytes_of(big, sizeof big));
    finding_init(&f, RULE_TASK_UNSIGNED, SEV_INFO);
    finding_text(&f, "where", bytes_of(big, sizeof big));
    for (unsigned i = 0; i < 2; i++) {
        struct record r = i ? alert(e, &s.task, &f, NULL) : line(e, EMIT_TASKS, &s.task);
        json_t *j = sample_parse(&r);
        json_t *want = i ? json_pack("[s,s]", "celery.task.name", "celeriac.evidence.where")
                         : json_pack("[s]", "celery.task.name");
        assert_int_equal(strlen(sample_str(j, "celery.task.name")), 511);
        assert_true(json_equal(sample_at(j, "celeriac.clipped"), want));
        json_decref(want);
        json_decref(j);
    }
    encoder_free(e);
}

static void sub_techniques(void **state)
{
    struct encoder *e = sample_encoder(false, NULL);
    struct sample s;
    struct finding f;

    (void)state;
    sample_task(&s);
    finding_init(&f, RULE_BROKER_LOGIN_BRUTEFORCE, SEV_HIGH);
    struct record r = alert(e, &s.task, &f, NULL);
    json_t *j = sample_parse(&r);
    json_t *want = json_pack("{s:[s],s:{s:[s,s]}}", "id", "T1110", "subtechnique", "id",
                             "T1110.001", "T1110.004");
    assert_true(json_equal(sample_at(j, "threat.technique"), want));
    json_decref(want);
    json_decref(j);
    encoder_free(e);
}

/* More connections than are kept: each record still names its own. */
static void many_connections(void **state)
{
    struct encoder *e = sample_encoder(false, NULL);
    struct sample s;

    (void)state;
    sample_task(&s);
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < 5000; i++) {
            s.conn.id.serial = i;
            s.conn.id.client.port = (uint16_t)(10000 + i);
            struct record r = line(e, EMIT_TASKS, &s.task);
            char want[40];
            snprintf(want, sizeof want, "\"ip\":\"10.0.0.1\",\"port\":%u}", 10000 + i);
            assert_non_null(memmem(r.text.at, r.text.len, want, strlen(want)));
        }
    encoder_free(e);
}

static void ipv6(void **state)
{
    struct encoder *e = sample_encoder(false, NULL);
    struct sample s;

    (void)state;
    sample_task(&s);
    s.conn.id.client = (struct endpoint){.ip = {[15] = 1}, .port = 60761, .family = 6};
    s.conn.id.server = (struct endpoint){.ip = {[15] = 1}, .port = 6379, .family = 6};
    struct record r = line(e, EMIT_TASKS, &s.task);
    json_t *j = sample_parse(&r);
    assert_string_equal(sample_str(j, "source.ip"), "::1");
    assert_string_equal(sample_str(j, "network.type"), "ipv6");
    assert_string_equal(sample_str(j, "network.community_id"), "1:JjY/qv41mC8/OqMYqq7W3gWBWeA=");
    json_decref(j);
    encoder_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_record),
        cmocka_unit_test(an_alert),
        cmocka_unit_test(every_alert_has),
        cmocka_unit_test(log_and_alert_agree),
        cmocka_unit_test(any_fields),
        cmocka_unit_test(source_follows_sender_or_rule),
        cmocka_unit_test(ids_say_what_they_should),
        cmocka_unit_test(id_of_the_description),
        cmocka_unit_test(coverage_and_input),
        cmocka_unit_test(long_values_are_cut_and_named),
        cmocka_unit_test(sub_techniques),
        cmocka_unit_test(many_connections),
        cmocka_unit_test(ipv6),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
