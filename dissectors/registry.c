/* dissectors/registry.c - the protocols and the applications that the sensor reads. */
#include "dissectors/dissector.h"
#include "dissectors/interpreter.h"

const struct dissector *const dissectors[] = {&amqp_dissector, &resp_dissector, NULL};

const struct interpreter *const interpreters[] = {
    &kombu_interpreter,    &celery_interpreter, &rq_interpreter,    &huey_interpreter,
    &dramatiq_interpreter, &arq_interpreter,    &cache_interpreter, NULL,
};
