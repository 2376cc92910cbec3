/* Pickles inside text: a whole value, a data URL, or a long run of base64 or hex within it. */
#include "signatures/pickle/machine.h"

#include <stdio.h>

#define RUN_MIN  24u
#define RUNS_MAX 64u

static bool in_run(uint8_t c)
{
    static const uint32_t set[8] = {0, 0x03ffa800 | 1u << 29, 0x87fffffe, 0x07fffffe, 0, 0, 0, 0};
    return set[c >> 5] >> (c & 31) & 1;
}

static bool judge_run(struct pickle *p, struct bytes run, struct pickle_found *found)
{
    struct bytes inner;
    bool cut;

    if (!nested_smells(run) || !peel(p, run, &inner, &cut, found->path))
        return false;
    struct pickle *child = nested_machine(p);
    if (!child || found->path[0] == '\0')
        return false;
    const struct pickle_result *r =
        pickle_judge(child, inner, PICKLE_SEEN, cut ? PICKLE_CLIPPED : PICKLE_WHOLE);
    found->result = r;
    return r->is_pickle && r->all_imports > 0;
}

static bool may_run(uint8_t c)
{
    return in_run(c) || c == '\n';
}

/* The next run of characters that encodings are made of; line breaks count within it. Looks at
 * every RUN_MIN-th character first: where that is none of a run, no run reaches across it. */
static struct bytes next_run(struct bytes text, size_t *at)
{
    while (text.len - *at >= RUN_MIN) {
        size_t from = *at + RUN_MIN - 1, end = from;
        if (!may_run(text.at[from])) {
            *at = from + 1;
            continue;
        }
        while (from > *at && may_run(text.at[from - 1]))
            from--;
        while (from < end && text.at[from] == '\n')
            from++;
        while (end < text.len && may_run(text.at[end]))
            end++;
        *at = end < text.len ? end + 1 : end;
        if (end - from >= RUN_MIN)
            return bytes_of(text.at + from, end - from);
    }
    return bytes_of(text.at, 0);
}

bool pickle_find_in_text(struct pickle *p, struct bytes text, struct pickle_found *found)
{
    size_t at = 0;

    if (text.len < RUN_MIN)
        return false;
    pickle_reset(p, PICKLE_SEEN);
    *found = (struct pickle_found){.at = 0, .len = text.len};
    if (judge_run(p, text, found))
        return true;
    for (unsigned i = 0; i < RUNS_MAX;) {
        struct bytes run = next_run(text, &at);
        if (run.len == 0)
            return false;
        if (!nested_smells(run))
            continue;
        i++;
        found->at = (size_t)(run.at - text.at);
        found->len = run.len;
        if (judge_run(p, run, found))
            return true;
    }
    return false;
}
