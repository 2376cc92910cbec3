#include "signatures/pickle/policy.h"

static struct bytes before_dot(struct bytes b)
{
    const uint8_t *dot = memrchr(b.at, '.', b.len);
    return dot ? bytes_head(b, (size_t)(dot - b.at)) : bytes_of(b.at, 0);
}

const struct policy_row *policy_module(struct bytes module)
{
    while (module.len > 0) {
        const struct policy_row *row = policy_exact(module, bytes_of("*", 1));
        if (row)
            return row;
        module = before_dot(module);
    }
    return NULL;
}

const struct policy_row *policy_find(struct bytes module, struct bytes name)
{
    for (struct bytes head = name; head.len > 0; head = before_dot(head)) {
        const struct policy_row *row = policy_exact(module, head);
        if (row)
            return row;
    }
    return policy_module(module);
}

enum pickle_severity pickle_name_severity(struct bytes dotted, enum pickle_class *kind,
                                          const char **source)
{
    const struct policy_row *worst = NULL;

    for (size_t i = 1; i + 1 < dotted.len; i++) {
        if (dotted.at[i] != '.' && dotted.at[i] != ':')
            continue;
        struct bytes rest = dotted, module = bytes_cut(&rest, i);
        bytes_cut(&rest, 1);
        const struct policy_row *row = policy_find(module, rest);
        if (row && (!worst || row->severity > worst->severity))
            worst = row;
    }
    *kind = worst ? worst->kind : PICKLE_CLASS_UNKNOWN;
    *source = worst ? worst->source : NULL;
    return worst ? worst->severity : PICKLE_SEV_NONE;
}
