/* Tests of cluster/logins.c: guessing, misconfiguration, and what is neither. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/scene.h"

static void login(struct scene *s, const char *user, const char *secret, const char *outcome)
{
    scene_amqp(s, 66, 1, MSG_LOGIN, "login");
    s->m.dir = TO_CLIENT;
    scene_set(s, F_USER, user);
    if (secret)
        scene_set(s, F_AUTH_SECRET, secret);
    scene_set(s, F_OUTCOME, outcome);
    scene_say(s);
    s->now += SECOND;
}

static void guesses(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &logins_detector);
    login(&s, "a", "1", "failure");
    login(&s, "a", "2", "failure");
    login(&s, "a", "3", "failure");
    login(&s, "b", "1", "failure");
    scene_expect(&s, "");
    login(&s, "b", "2", "failure");
    scene_expect(&s, "broker-login-bruteforce/4@66 ");
    login(&s, "b", "3", "success");
    scene_expect(&s, "broker-login-bruteforce/5@66 ");
    login(&s, "b", "3", "success");
    scene_expect(&s, "");
    scene_close(&s);
}

static void misconfigured(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &logins_detector);
    for (unsigned i = 0; i < 5; i++)
        login(&s, "shop", "old", "failure");
    scene_expect(&s, "broker-login-bruteforce/2@66 ");
    login(&s, "shop", "new", "success"); /* repaired */
    scene_expect(&s, "");
    scene_close(&s);
}

static void too_slow(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &logins_detector);
    for (unsigned i = 0; i < 40; i++) {
        login(&s, i % 2 ? "a" : "b", i % 3 ? "x" : "y", "failure");
        s.now += 15 * SECOND;
    }
    scene_expect(&s, "");
    scene_close(&s);
}

/* -NOAUTH offers nothing; a vhost is refused after the login; a server without a password. */
static void no_guesses(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &logins_detector);
    for (unsigned i = 0; i < 10; i++) {
        login(&s, "a", NULL, "failure");
        scene_amqp(&s, 66, 1, MSG_LOGIN, "login");
        scene_set(&s, F_AUTH_SECRET, "x");
        scene_set(&s, F_AUTH_NAME, "nopass");
        scene_set(&s, F_OUTCOME, "failure");
        scene_say(&s);
    }
    scene_expect(&s, "");
    scene_close(&s);
}

/* More failures than times are kept. */
static void many_allowed(void **state)
{
    struct scene s;
    unsigned found;

    (void)state;
    scene_open(&s, &logins_detector);
    scene_close(&s);
    s.policy.bruteforce.failures = 1000;
    s.policy.bruteforce.window_ns = 3600 * SECOND;
    s.self = s.detector->open(&s.policy);
    for (found = 0; found < 1200 && !s.found[0]; found++)
        login(&s, found % 2 ? "a" : "b", found % 3 ? "x" : "y", "failure");
    assert_in_range(found, 990, 1020);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guesses),    cmocka_unit_test(misconfigured), cmocka_unit_test(too_slow),
        cmocka_unit_test(no_guesses), cmocka_unit_test(many_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
