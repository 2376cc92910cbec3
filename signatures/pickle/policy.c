#include "signatures/pickle/policy.h"

struct bytes last_part(struct bytes b)
{
    const uint8_t *dot = memrchr(b.at, '.', b.len);
    if (dot)
        bytes_cut(&b, (size_t)(dot - b.at) + 1);
    return b;
}

struct bytes no_underscore(struct bytes b)
{
    while (b.len > 1 && b.at[0] == '_')
        bytes_cut(&b, 1);
    return b;
}

bool next_part(struct bytes *rest, struct bytes *part)
{
    if (rest->len == 0)
        return false;
    const uint8_t *dot = memchr(rest->at, '.', rest->len);
    *part = bytes_cut(rest, dot ? (size_t)(dot - rest->at) : rest->len);
    if (dot)
        bytes_cut(rest, 1);
    return true;
}

bool names_module(struct bytes part)
{
    static const struct bytes wanted[] = {
        {(const uint8_t *)"os", 2},          {(const uint8_t *)"sys", 3},
        {(const uint8_t *)"subprocess", 10}, {(const uint8_t *)"builtins", 8},
        {(const uint8_t *)"builtins__", 10}, {(const uint8_t *)"posix", 5},
        {(const uint8_t *)"nt", 2},          {(const uint8_t *)"importlib", 9},
        {(const uint8_t *)"ctypes", 6},      {(const uint8_t *)"mp", 2}, /* multiprocessing */
        {(const uint8_t *)"bltns", 5},                                   /* enum's builtins */
    };

    part = no_underscore(part);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (part.len == wanted[i].len && part.at[0] == wanted[i].at[0] &&
            memcmp(part.at, wanted[i].at, part.len) == 0)
            return true;
    return false;
}

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

static const struct policy_row *worse(const struct policy_row *a, const struct policy_row *b)
{
    return b && (!a || b->severity > a->severity) ? b : a;
}

/* app.jobs.os.system: an attribute of a module may be another module. Only what is listed by that
 * very name counts, for modules of an application may be called like those of Python. */
static const struct policy_row *row_behind(struct bytes module, struct bytes name)
{
    struct bytes part = no_underscore(last_part(module));
    return names_module(part) ? policy_exact(part, name) : NULL;
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
        worst = worse(worst, policy_find(module, rest));
        worst = worse(worst, row_behind(module, rest));
    }
    if (!memchr(dotted.at, '.', dotted.len)) /* RQ looks it up among the builtins */
        worst = worse(worst, policy_exact(bytes_of("builtins", 8), dotted));
    *kind = worst ? worst->kind : PICKLE_CLASS_UNKNOWN;
    *source = worst ? worst->source : NULL;
    return worst ? worst->severity : PICKLE_SEV_NONE;
}

enum pickle_severity pickle_pair_severity(struct bytes module, struct bytes name, bool *exact)
{
    const struct policy_row *row = policy_find(module, name);

    *exact = row && row->name_len == name.len && memcmp(row->name, name.at, name.len) == 0;
    return row ? row->severity : PICKLE_SEV_NONE;
}
