/* tests/cluster/support/known.c - see known.h. */
#include "known.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void add_address(struct baseline_entry *e, const char *text)
{
    struct network n = {.ip = {10, 0, 0}, .family = 4, .prefix = 32};
    char *end;

    n.ip[3] = (uint8_t)strtoul(text, &end, 10);
    if (*end == '/')
        n.prefix = (unsigned)strtoul(end + 1, NULL, 10);
    assert_true(baseline_add_address(e, &n));
}

void known(struct baseline *b, enum baseline_section s, const char *name, const char *addresses,
           const char *list, const char *user)
{
    struct baseline_entry *e = baseline_add(b, s, name);
    char text[256], *save = NULL;

    assert_non_null(e);
    if (user)
        e->user = strdup(user);
    snprintf(text, sizeof text, "%s", addresses ? addresses : "");
    for (char *t = strtok_r(text, ",", &save); t; t = strtok_r(NULL, ",", &save))
        add_address(e, t);
    snprintf(text, sizeof text, "%s", list ? list : "");
    for (char *t = strtok_r(text, ",", &save); t; t = strtok_r(NULL, ",", &save))
        assert_true(baseline_add_text(e, t));
    assert_true(baseline_index(b));
    b->generation++;
}

void known_none(struct baseline *b, enum baseline_section s)
{
    b->sections[s].present = true;
    b->generation++;
}
