/* tests/cluster/support/scene.c - see scene.h. */
#include "scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void found(void *ctx, const struct msg *m, struct finding *f)
{
    struct scene *s = ctx;
    size_t n = strlen(s->found);

    assert_true(f->reason[0] != '\0');
    snprintf(s->found + n, sizeof s->found - n, "%s/%u@%u ", rules[f->rule].id, f->severity,
             m->conn->id.client.ip[3]);
}

void scene_open(struct scene *s, const struct cluster_detector *detector)
{
    memset(s, 0, sizeof *s);
    s->detector = detector;
    s->now = 1000 * SECOND;
    s->policy.bruteforce.failures = 5;
    s->policy.bruteforce.window_ns = 60 * SECOND;
    s->policy.flood.floor = 100;
    s->policy.flood.far_floor = 20;
    s->policy.flood.factor = 10;
    s->policy.flood.window_ns = 60 * SECOND;
    s->policy.flood.settle_ns = 600 * SECOND;
    s->policy.flood.far_ns = 86400 * SECOND;
    s->policy.swallowed.amqp_ns = 1800 * SECOND;
    s->policy.swallowed.redis_ns = 3600 * SECOND;
    s->self = detector->open(&s->policy);
    assert_non_null(s->self);
}

void scene_close(struct scene *s)
{
    s->detector->close(s->self);
}

static void begin(struct scene *s, unsigned host, unsigned conn, enum msg_kind kind,
                  const char *action)
{
    msg_init(&s->m, kind, action);
    memset(&s->conn, 0, sizeof s->conn);
    memcpy(s->conn.id.client.ip, "\x0a\x00\x00", 3);
    s->conn.id.client.ip[3] = (uint8_t)host;
    memcpy(s->conn.id.server.ip, "\x0a\x00\x00\x64", 4);
    s->conn.id.client.family = s->conn.id.server.family = 4;
    s->conn.id.serial = conn;
    s->m.conn = &s->conn;
    s->m.at.ns = s->now;
    s->used = 0;
}

void scene_amqp(struct scene *s, unsigned host, unsigned conn, enum msg_kind kind,
                const char *action)
{
    begin(s, host, conn, kind, action);
    s->conn.proto = "amqp";
    s->conn.id.server.port = 5672;
    fields_str(&s->m.fields, F_AMQP_VHOST, "/");
}

void scene_redis(struct scene *s, unsigned host, unsigned conn, enum msg_kind kind,
                 const char *action)
{
    begin(s, host, conn, kind, action);
    s->conn.proto = "redis";
    s->conn.id.server.port = 6379;
    fields_num(&s->m.fields, F_REDIS_DB, 0);
}

void scene_set(struct scene *s, enum field_id id, const char *text)
{
    fields_str(&s->m.fields, id, text);
}

void scene_num(struct scene *s, enum field_id id, int64_t num)
{
    fields_num(&s->m.fields, id, num);
}

void scene_list(struct scene *s, enum field_id id, const char *items)
{
    size_t from = s->used;

    while (*items) {
        const char *comma = strchr(items, ',');
        uint32_t n = (uint32_t)(comma ? (size_t)(comma - items) : strlen(items));
        assert_true(s->used + 4 + n <= sizeof s->list);
        memcpy(s->list + s->used, &n, 4);
        memcpy(s->list + s->used + 4, items, n);
        s->used += 4 + n;
        items += comma ? n + 1 : n;
    }
    fields_text(&s->m.fields, id, bytes_of(s->list + from, s->used - from));
}

static struct detect_out out_of(struct scene *s)
{
    return (struct detect_out){.policy = &s->policy, .emit = found, .ctx = s};
}

void scene_say(struct scene *s)
{
    struct detect_out out = out_of(s);

    s->m.at.ns = s->now;
    if (s->detector->wants & s->m.kind)
        s->detector->note(s->self, &s->m, &out);
}

void scene_wait(struct scene *s, unsigned seconds)
{
    struct detect_out out = out_of(s);

    for (; seconds > 0; seconds--) {
        s->now += SECOND;
        if (s->detector->tick)
            s->detector->tick(s->self, (struct stamp){.ns = s->now}, &out);
    }
}

void scene_finish(struct scene *s)
{
    struct detect_out out = out_of(s);

    if (s->detector->finish)
        s->detector->finish(s->self, (struct stamp){.ns = s->now}, &out);
}

void scene_publish(struct scene *s, unsigned host, const char *id)
{
    scene_amqp(s, host, host * 100, MSG_TASK, "published");
    s->m.op = OP_PUBLISH;
    scene_set(s, F_TASK_ID, id);
    scene_set(s, F_TASK_QUEUE, "celery");
    scene_say(s);
}

void scene_deliver(struct scene *s, unsigned host, unsigned conn, const char *id)
{
    scene_amqp(s, host, conn, MSG_TASK, "delivered");
    s->m.op = OP_DELIVER;
    s->m.dir = TO_CLIENT;
    scene_set(s, F_TASK_ID, id);
    scene_set(s, F_TASK_QUEUE, "celery");
    scene_say(s);
}

void scene_result(struct scene *s, unsigned host, const char *id, const char *status)
{
    scene_amqp(s, host, host * 100 + 1, MSG_RESULT, "published");
    s->m.op = OP_PUBLISH;
    scene_set(s, F_TASK_ID, id);
    scene_set(s, F_RESULT_STATUS, status);
    scene_say(s);
}

void scene_command(struct scene *s, unsigned host, unsigned conn, const char *method,
                   const char *queue)
{
    scene_amqp(s, host, conn, MSG_COMMAND, method);
    scene_set(s, F_AMQP_METHOD, method);
    scene_set(s, F_AMQP_QUEUE, queue);
    scene_say(s);
}

void scene_event(struct scene *s, unsigned host, unsigned conn, const char *type, const char *node)
{
    scene_amqp(s, host, conn, MSG_WORKER, type);
    s->m.op = OP_PUBLISH;
    scene_set(s, F_WORKER_EVENT, type);
    scene_set(s, F_WORKER_HOSTNAME, node);
    scene_say(s);
}

void scene_lost(struct scene *s, unsigned host)
{
    scene_amqp(s, host, host, MSG_LOST, "lost");
    s->m.dir = TO_CLIENT;
    s->m.fields.has[0] = s->m.fields.has[1] = 0; /* it has none */
    scene_say(s);
}

void scene_closed(struct scene *s, unsigned host, unsigned conn)
{
    scene_amqp(s, host, conn, MSG_CLOSED, "closed");
    s->m.fields.has[0] = s->m.fields.has[1] = 0; /* it has none */
    scene_say(s);
}

void scene_expect_at(struct scene *s, const char *text, const char *file, int line)
{
    if (strcmp(s->found, text) != 0) {
        print_error("%s:%d: \"%s\" instead of \"%s\"\n", file, line, s->found, text);
        fail();
    }
    s->found[0] = '\0';
}
