/* dissectors/amqp/login.h - from start-ok to open-ok: who logs in, with what, and what
 * the server makes of it. The secret is kept until the server has answered, and
 * wiped then. */
#ifndef DISSECTORS_AMQP_LOGIN_H
#define DISSECTORS_AMQP_LOGIN_H

#include "dissectors/amqp/conn.h"
#include "dissectors/amqp/method.h"

static inline struct bytes amqp_login_user(const struct amqp_login *l)
{
    return bytes_of(l->names, l->user_len);
}

static inline struct bytes amqp_login_mechanism(const struct amqp_login *l)
{
    return bytes_of(l->names ? l->names + l->user_len : NULL, l->mechanism_len);
}

static inline struct bytes amqp_login_vhost(const struct amqp_login *l)
{
    return bytes_of(l->names ? l->names + l->user_len + l->mechanism_len : NULL, l->vhost_len);
}

/* A method of class connection, already told as a command. */
void amqp_login_method(struct amqp_feed *f, const struct amqp_method *m, uint64_t offset);
/* The server's stream is over. */
void amqp_login_close(struct amqp_feed *f);
void amqp_login_free(struct amqp_login *l, struct budget *budget);

#endif
