/* Tests of message/refused.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "signatures/message/message.h"

static unsigned n_found;

static void found(void *ctx, const struct msg *m, struct finding *f)
{
    (void)ctx, (void)m;
    assert_int_equal(f->rule, RULE_BROKER_ACCESS_REFUSED);
    assert_int_equal(f->severity, SEV_MEDIUM);
    n_found++;
}

static unsigned check(const struct msg *m)
{
    struct detect_out out = {.emit = found};

    n_found = 0;
    refused_detector.check(m, &out);
    return n_found;
}

static unsigned closes(const char *method, enum dir dir, int64_t code)
{
    struct msg m;

    msg_init(&m, MSG_COMMAND, method);
    m.dir = dir;
    fields_str(&m.fields, F_AMQP_METHOD, method);
    fields_num(&m.fields, F_AMQP_REPLY_CODE, code);
    return check(&m);
}

static void amqp(void **state)
{
    (void)state;
    assert_int_equal(closes("channel.close", TO_CLIENT, 403), 1);
    assert_int_equal(closes("channel.close", TO_CLIENT, 404), 0);
    assert_int_equal(closes("channel.close", TO_SERVER, 403), 0);
    assert_int_equal(closes("connection.close", TO_CLIENT, 403), 0); /* a login, refused */
}

static void redis(void **state)
{
    static const char *const errors[] = {"NOPERM", "NOAUTH", "ERR"};
    struct msg m;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        msg_init(&m, MSG_REPLY, "command");
        m.dir = TO_CLIENT;
        fields_str(&m.fields, F_REDIS_ERROR, errors[i]);
        assert_int_equal(check(&m), i == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(amqp), cmocka_unit_test(redis)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
