/* Pickles inside text: a whole value, a data URL, or a long run of base64 or hex within it. */
#include "signatures/pickle/machine.h"

#include "signatures/pickle/runs.h"

#define RUNS_MAX 64u

static bool judge_run(struct pickle *p, struct bytes run, struct pickle_found *found)
{
    struct bytes inner;
    bool cut;

    if (!peel(p, run, &inner, &cut, found->path))
        return false;
    struct pickle *child = nested_machine(p);
    if (!child || found->path[0] == '\0')
        return false;
    const struct pickle_result *r =
        pickle_judge(child, inner, PICKLE_SEEN, cut ? PICKLE_CLIPPED : PICKLE_WHOLE);
    found->result = r;
    return r->is_pickle && r->all_imports > 0;
}

bool pickle_find_in_text(struct pickle *p, struct bytes text, struct pickle_found *found)
{
    bool reset = false;
    size_t at = 0;

    if (text.len < RUN_MIN)
        return false;
    found->result = NULL;
    found->path[0] = '\0';
    for (unsigned i = 0; i <= RUNS_MAX;) {
        struct bytes run = i == 0 ? text : runs_next(text, &at);
        if (run.len == 0)
            return false;
        if (!nested_smells(run) && !nested_smells_twice(run)) {
            i += i == 0;
            continue;
        }
        i++;
        if (!reset)
            pickle_reset(p, PICKLE_SEEN);
        reset = true;
        found->at = (size_t)(run.at - text.at);
        found->len = run.len;
        if (judge_run(p, run, found))
            return true;
    }
    return false;
}
