#include "tests/out/support/sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct bytes sample_bytes(const char *text)
{
    return bytes_of(text, strlen(text));
}

static void connect(struct sample *s, uint16_t port, const char *proto)
{
    memset(&s->conn, 0, sizeof s->conn);
    memcpy(s->conn.id.client.ip, "\x0a\x00\x00\x01", 4);
    memcpy(s->conn.id.server.ip, "\x0a\x00\x00\x02", 4);
    s->conn.id.client.family = s->conn.id.server.family = 4;
    s->conn.id.client.port = 40000;
    s->conn.id.server.port = port;
    s->conn.id.serial = 3;
    s->conn.proto = proto;
}

void sample_task(struct sample *s)
{
    static uint8_t names[64];
    size_t used = 0;

    connect(s, 5672, "amqp");
    msg_init(&s->command, MSG_COMMAND, "basic.publish");
    s->command.at = (struct stamp){1767323045678901234, 40, 42, 0};
    s->command.offset = 1234;
    s->command.conn = &s->conn;
    fields_str(&s->command.fields, F_AMQP_METHOD, "basic.publish");
    fields_str(&s->command.fields, F_AMQP_VHOST, "/");
    fields_num(&s->command.fields, F_AMQP_CHANNEL, 1);
    fields_str(&s->command.fields, F_AMQP_EXCHANGE, "");
    fields_str(&s->command.fields, F_AMQP_ROUTING_KEY, "celery");
    msg_from(&s->envelope, &s->command, MSG_ENVELOPE, "published");
    s->envelope.op = OP_PUBLISH;
    fields_str(&s->envelope.fields, F_CONTENT_TYPE, "application/json");
    msg_from(&s->task, &s->envelope, MSG_TASK, "published");
    fields_str(&s->task.fields, F_TASK_ID, "0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f0");
    fields_str(&s->task.fields, F_TASK_NAME, "shop.add");
    fields_num(&s->task.fields, F_TASK_PROTOCOL, 2);
    fields_str(&s->task.fields, F_TASK_ORIGIN, "gen1@web1");
    fields_str(&s->task.fields, F_TASK_QUEUE, "celery");
    fields_num(&s->task.fields, F_TASK_RETRIES, 0);
    fields_num(&s->task.fields, F_TASK_SIGNED, 0);
    fields_str(&s->task.fields, F_APP, "celery");
    fields_num(&s->task.fields, F_BODY_DIGEST, 77);
    for (unsigned i = 0; i < 2; i++) {
        const char *name = i ? "shop.c" : "shop.b";
        uint32_t n = 6;
        memcpy(names + used, &n, 4);
        memcpy(names + used + 4, name, n);
        used += 4 + n;
    }
    fields_text(&s->task.fields, F_TASK_SUBTASKS, bytes_of(names, used));
}

void sample_login(struct sample *s, const char *user, const char *secret)
{
    connect(s, 6379, "redis");
    msg_init(&s->task, MSG_LOGIN, "login");
    s->task.at = (struct stamp){1767323045678901234, 40, 42, 0};
    s->task.dir = TO_CLIENT;
    s->task.conn = &s->conn;
    fields_str(&s->task.fields, F_OUTCOME, "success");
    fields_str(&s->task.fields, F_REDIS_COMMAND, "AUTH");
    fields_str(&s->task.fields, F_USER, user);
    fields_str(&s->task.fields, F_AUTH_KIND, "login");
    fields_str(&s->task.fields, F_AUTH_SECRET, secret);
}

static const char *input_name(void *ctx, uint32_t input)
{
    (void)ctx;
    return input == 0 ? "some.pcap" : NULL;
}

struct encoder *sample_encoder(bool live, const char *key)
{
    struct encode_conf conf = {.observer_name = "sensor-1", .live = live, .input_name = input_name};

    if (key) {
        conf.n_hmac_key = strlen(key);
        memcpy(conf.hmac_key, key, conf.n_hmac_key);
    }
    struct encoder *e = encoder_new(&conf);
    assert_non_null(e);
    return e;
}

json_t *sample_parse(const struct record *r)
{
    json_error_t error;
    json_t *j = json_loadb((const char *)r->text.at, r->text.len,
                           JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);

    if (!j)
        fail_msg("%s at %d in %.*s", error.text, error.position, (int)r->text.len,
                 (const char *)r->text.at);
    assert_null(memchr(r->text.at, '\n', r->text.len));
    return j;
}

json_t *sample_find(json_t *record, const char *path)
{
    while (record && path) {
        const char *dot = strchr(path, '.');
        record = json_object_getn(record, path, dot ? (size_t)(dot - path) : strlen(path));
        path = dot ? dot + 1 : NULL;
    }
    return record;
}

json_t *sample_at(json_t *record, const char *path)
{
    json_t *found = sample_find(record, path);

    if (!found)
        fail_msg("no %s in the record", path);
    return found;
}

const char *sample_str(json_t *record, const char *path)
{
    json_t *found = sample_at(record, path);

    if (!json_is_string(found))
        fail_msg("%s is not a string", path);
    return json_string_value(found);
}
