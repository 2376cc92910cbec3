/* tests/cluster/support/scene.h - messages of a story, given to one detector one after the other,
 * and what it finds. */
#ifndef TESTS_CLUSTER_SCENE_H
#define TESTS_CLUSTER_SCENE_H

#include "signatures/cluster/cluster.h"

#define SECOND INT64_C(1000000000)

struct scene {
    const struct cluster_detector *detector;
    void *self;
    struct policy policy;
    struct msg m; /* the one that scene_say() will give */
    struct conn_info conn;
    int64_t now;
    char found[4096]; /* "rule/severity@client " each */
    unsigned ids;     /* made up so far, the last of them below */
    char id[16];
    uint8_t list[1024];
    size_t used;
};

void scene_open(struct scene *s, const struct cluster_detector *detector);
void scene_close(struct scene *s);

/* Begins a message of client 10.0.0.<host> on connection `conn`, to the broker 10.0.0.100. */
void scene_amqp(struct scene *s, unsigned host, unsigned conn, enum msg_kind kind,
                const char *action);
void scene_redis(struct scene *s, unsigned host, unsigned conn, enum msg_kind kind,
                 const char *action);
void scene_set(struct scene *s, enum field_id id, const char *text);
void scene_num(struct scene *s, enum field_id id, int64_t num);
/* "a,b,c"; one list a message. */
void scene_list(struct scene *s, enum field_id id, const char *items);
void scene_say(struct scene *s);
/* Packet time goes on, with a tick each second. */
void scene_wait(struct scene *s, unsigned seconds);
void scene_finish(struct scene *s);

/* Whole messages. */
void scene_publish(struct scene *s, unsigned host, const char *id); /* AMQP, queue celery */
void scene_deliver(struct scene *s, unsigned host, unsigned conn, const char *id);
void scene_result(struct scene *s, unsigned host, const char *id, const char *status);
void scene_command(struct scene *s, unsigned host, unsigned conn, const char *method,
                   const char *queue); /* an AMQP method */
void scene_event(struct scene *s, unsigned host, unsigned conn, const char *type, const char *node);
void scene_lost(struct scene *s, unsigned host); /* bytes of what the broker sent it */
void scene_closed(struct scene *s, unsigned host, unsigned conn);

/* What was found since the last call is exactly this. */
#define scene_expect(s, text) scene_expect_at(s, text, __FILE__, __LINE__)
void scene_expect_at(struct scene *s, const char *text, const char *file, int line);

#endif
