/* dissectors/amqp/sasl.h - who logs in with what, out of a SASL response.
 * Sources: celery/py-amqp:amqp/sasl.py; rabbitmq/rabbitmq-server:deps/rabbit/src/
 * rabbit_auth_mechanism_plain.erl:extract_user_pass, rabbit_auth_mechanism_amqplain.erl,
 * rabbit_auth_mechanism_cr_demo.erl. */
#ifndef DISSECTORS_AMQP_SASL_H
#define DISSECTORS_AMQP_SASL_H

#include "base/bytes.h"

struct amqp_sasl {
    struct bytes user;   /* at == NULL: it names none */
    struct bytes secret; /* at == NULL: it holds none */
};

/* The response of start-ok. Views into it. A response that is broken in form gives what
 * can be read, and what may be a secret is nothing but that. */
struct amqp_sasl amqp_sasl_response(struct bytes mechanism, struct bytes response);

/* The response of secure-ok, the answer to a challenge. */
struct amqp_sasl amqp_sasl_answer(struct bytes mechanism, struct bytes response);

/* The mechanism goes on with a challenge: start-ok alone is no credential. */
bool amqp_sasl_goes_on(struct bytes mechanism);

#endif
