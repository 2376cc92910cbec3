/* dissectors/amqp/method.c - the table of methods, and its reader. */
#include "dissectors/amqp/method.h"

#include <ctype.h>

/* clang-format off */
#define CLIENT  1 << TO_SERVER
#define SERVER  1 << TO_CLIENT
#define BOTH    3
#define ALWAYS  METHOD_ALWAYS
#define CONTENT METHOD_CONTENT
#define QUEUE   METHOD_QUEUE
#define NONE    { ARG_END, 0 }
#define F__     AMQP_NO_FIELD
#define O(f)    { ARG_OCTET, F_##f }
#define H(f)    { ARG_SHORT, F_##f }
#define W(f)    { ARG_LONG, F_##f }
#define X(f)    { ARG_LONGLONG, F_##f }
#define S(f)    { ARG_SHORTSTR, F_##f }
#define L(f)    { ARG_LONGSTR, F_##f }
#define T(f)    { ARG_TABLE, F_##f }
#define B(f)    { ARG_BIT, F_##f }
#define ROW(id, class_, method, name, from, flags, ...) \
    { name, class_, method, M_##id, from, flags, { __VA_ARGS__ } },
/* clang-format on */

static const struct amqp_method_def methods[] = {AMQP_METHOD_LIST(ROW)};
static const struct amqp_method_def methods_0_8[] = {AMQP_METHOD_LIST_0_8(ROW)};

enum { N_CLASSES = 8, N_METHODS = 121 };

#define SLOT(c)      \
    ((c) == 10   ? 0 \
     : (c) == 20 ? 1 \
     : (c) == 30 ? 2 \
     : (c) == 40 ? 3 \
     : (c) == 50 ? 4 \
     : (c) == 60 ? 5 \
     : (c) == 85 ? 6 \
     : (c) == 90 ? 7 \
                 : N_CLASSES)

/* Number of the row, plus one, by class and method. */
static const uint8_t rows[N_CLASSES][N_METHODS] = {
#define AT(id, class_, method, name, from, flags, ...) [SLOT(class_)][method] = M_##id + 1,
    AMQP_METHOD_LIST(AT)
#undef AT
};

const struct amqp_method_def *amqp_method_find(uint16_t class_id, uint16_t method_id, bool v0_8)
{
    unsigned slot = SLOT(class_id);

    for (size_t i = 0; v0_8 && i < sizeof methods_0_8 / sizeof *methods_0_8; i++)
        if (methods_0_8[i].class_id == class_id && methods_0_8[i].method_id == method_id)
            return &methods_0_8[i];
    if (slot == N_CLASSES || method_id >= N_METHODS || rows[slot][method_id] == 0)
        return NULL;
    return &methods[rows[slot][method_id] - 1];
}

/* One argument that is not a bit. */
static inline void read_value(union amqp_value *v, struct cursor *c, uint8_t type)
{
    switch (type) {
    case ARG_SHORTSTR: v->text = cur_take(c, cur_u8(c)); break;
    case ARG_SHORT: v->num = cur_u16(c); break;
    case ARG_LONGLONG: v->num = cur_u64(c); break;
    case ARG_LONG: v->num = cur_u32(c); break;
    case ARG_OCTET: v->num = cur_u8(c); break;
    default: v->text = cur_take(c, cur_u32(c)); break;
    }
}

/* How many arguments there were. */
static unsigned read_args(const struct amqp_arg *arg, union amqp_value *v, struct cursor *in)
{
    struct cursor c = *in;
    unsigned bits = 0, n_bits = 0, n = 0;

    for (; n < AMQP_MAX_ARGS && arg[n].type != ARG_END; n++) {
        if (arg[n].type != ARG_BIT) {
            n_bits = 0;
            read_value(&v[n], &c, arg[n].type);
        } else {
            if (n_bits++ % 8 == 0)
                bits = cur_u8(&c);
            v[n].num = bits & 1u;
            bits >>= 1;
        }
        if (!cur_ok(&c))
            break;
    }
    *in = c;
    return n;
}

bool amqp_method_read(struct amqp_method *m, struct bytes payload, bool v0_8)
{
    struct cursor c = cur_over(payload);

    m->class_id = cur_u16(&c);
    m->method_id = cur_u16(&c);
    m->n = 0;
    m->exact = false;
    m->def = cur_ok(&c) ? amqp_method_find(m->class_id, m->method_id, v0_8) : NULL;
    if (!m->def)
        return cur_ok(&c);
    m->n = read_args(m->def->args, m->args, &c);
    m->exact = cur_ok(&c) && cur_left(&c) == 0;
    return true;
}

static const union amqp_value *find(const struct amqp_method *m, enum amqp_arg_type type,
                                    unsigned skip)
{
    for (unsigned i = 0; m->def && i < m->n; i++)
        if (m->def->args[i].type == type && skip-- == 0)
            return &m->args[i];
    return NULL;
}

struct bytes amqp_method_text(const struct amqp_method *m, enum amqp_arg_type type, unsigned skip)
{
    const union amqp_value *v = find(m, type, skip);

    return v ? v->text : (struct bytes){0};
}

uint64_t amqp_method_num(const struct amqp_method *m, enum amqp_arg_type type, unsigned skip)
{
    const union amqp_value *v = find(m, type, skip);

    return v ? v->num : 0;
}

struct bytes amqp_reply_word(struct bytes text)
{
    size_t n = 0;

    while (n < text.len && (isalpha(text.at[n]) || text.at[n] == '_'))
        n++;
    if (n > 32 || (n < text.len && text.at[n] != ' '))
        n = 0;
    return bytes_head(text, n);
}
