/* Pickles inside literals, and the codings that they travel in. */
#include "signatures/pickle/machine.h"

#include <stdlib.h>

#include "dissectors/content/base64.h"
#include "dissectors/content/codecs.h"
#include "dissectors/content/unwrap_stream.h"
#include "signatures/pickle/runs.h"

#define LAYERS 4u

static bool between(uint8_t c, uint8_t low, uint8_t high)
{
    return c >= low && c <= high;
}

/* Text of a protocol 0 pickle: cos\nsystem\n, (lp0\n, ... */
static bool smells_old(struct bytes b)
{
    struct bytes head = bytes_head(b, 128);

    if (b.at[0] == 'c')
        return memchr(head.at, '\n', head.len) != NULL;
    return b.at[0] == '(' && strchr("cdiltSVIK(", b.at[1]) && memchr(head.at, '\n', head.len);
}

static bool alphabet(struct bytes b, bool hex)
{
    for (size_t i = 0; i < b.len; i++) {
        uint8_t c = b.at[i], low = c | 0x20;
        bool ok = between(c, '0', '9') || between(low, 'a', hex ? 'f' : 'z') ||
                  (!hex && (c == '+' || c == '/' || c == '-' || c == '_' || c == '='));
        if (!ok && c != '\n' && c != '\r')
            return false;
    }
    return true;
}

/* The base64 of what a pickle or a compressed stream begins with (reference 1.1). */
static bool smells_base64(struct bytes b)
{
    uint8_t c = b.at[1], d = b.at[2];
    bool may = false;

    switch (b.at[0]) {
    case 'g': may = c == 'A' && between(d, 'A', 'X'); break;
    case 'Y': may = between(c, '0', '3'); break;
    case 'K': may = between(c, 'A', 'P'); break;
    case 'e': may = c == 'J' || c == 'N' || c == 'F' || c == 'A'; break;
    case 'H': may = c == '4' && d == 's'; break;
    case 'Q': may = c == 'l' && d == 'p'; break;
    case '/': may = c == 'T' && d == 'd'; break;
    default: break;
    }
    return (may || (b.at[0] == 'K' && c == 'L' && d == 'U')) && b.len >= 16 &&
           alphabet(bytes_head(b, 32), false);
}

static bool smells_hex(struct bytes b)
{
    bool may = (b.at[0] == '8' && b.at[1] == '0') || (b.at[0] == '7' && b.at[1] == '8') ||
               (b.at[0] == '1' && (b.at[1] | 0x20) == 'f') || (b.at[0] == '6' && b.at[1] == '3') ||
               (b.at[0] == '2' && b.at[1] == '8');
    return may && b.len >= 16 && alphabet(bytes_head(b, 32), true);
}

static bool smells_url(struct bytes b)
{
    return b.len > 13 && memcmp(b.at, "data:", 5) == 0;
}

static bool smells_packed(struct bytes b)
{
    return coding_by_magic(b) != CODING_NONE;
}

bool nested_smells(struct bytes b)
{
    if (b.len < 8)
        return false;
    switch (b.at[0]) {
    case 0x80: return b.at[1] <= 5;
    case 'c':
    case '(': return smells_old(b) || (b.at[0] == '(' && smells_packed(b));
    case '2':
    case '1':
    case '6':
    case '7':
    case '8': return smells_hex(b);
    case 'd': return smells_url(b);
    case 'g':
    case 'Y':
    case 'K':
    case 'e':
    case 'H':
    case 'Q':
    case '/': return smells_base64(b);
    case 'x':
    case 0x1f:
    case 'B':
    case 0xfd:
    case ']': return smells_packed(b);
    default: return false;
    }
}

struct sink {
    uint8_t *out;
    size_t used, room;
};

static bool take(void *ctx, struct bytes piece)
{
    struct sink *s = ctx;
    struct bytes head = bytes_head(piece, s->room - s->used);
    if (head.len > 0)
        memcpy(s->out + s->used, head.at, head.len);
    s->used += head.len;
    return s->used < s->room;
}

/* As much as 64 times the input, and 16 KiB: more says nothing more. */
static bool inflate_to(struct pickle *m, struct bytes in, enum coding coding, uint8_t *out,
                       struct bytes *result)
{
    struct unwrap_stream *u = unwrap_stream_new(coding, NULL);
    uint64_t room = in.len * UINT64_C(64) + (16u << 10);
    struct sink s = {.out = out, .room = room < DECODED_MAX ? (size_t)room : DECODED_MAX};

    m->starved |= !u;
    if (!u)
        return false;
    m->starved |= unwrap_stream_feed(u, in, take, &s) == UNWRAP_LIMIT;
    unwrap_stream_free(u);
    *result = bytes_of(out, s.used);
    return s.used > 0;
}

static int hex(uint8_t c)
{
    uint8_t low = c | 0x20;
    return between(c, '0', '9') ? c - '0' : between(low, 'a', 'f') ? low - 'a' + 10 : -1;
}

static bool from_hex(struct bytes in, uint8_t *out, struct bytes *result)
{
    size_t n = 0;

    for (size_t i = 0; i + 1 < in.len && n < DECODED_MAX;) {
        if (in.at[i] == ' ' || in.at[i] == '\n') {
            i++;
            continue;
        }
        int high = hex(in.at[i]), low = hex(in.at[i + 1]);
        if (high < 0 || low < 0)
            break;
        out[n++] = (uint8_t)(high << 4 | low);
        i += 2;
    }
    *result = bytes_of(out, n);
    return n > 0;
}

static bool from_base64(struct bytes in, bool urlsafe, uint8_t *out, struct bytes *result)
{
    struct base64 b = {.urlsafe = urlsafe};

    in = bytes_head(in, (DECODED_MAX - 64) / 3 * 4);
    *result = bytes_of(out, base64_step(&b, in, out));
    return result->len > 0;
}

bool decode_layer(struct pickle *m, enum special how, struct bytes in, unsigned which,
                  struct bytes *out)
{
    if (!m->decoded[which])
        m->decoded[which] = malloc(DECODED_MAX);
    m->starved |= !m->decoded[which];
    uint8_t *to = m->decoded[which];
    if (!to || in.len == 0)
        return false;
    switch (how) {
    case SPECIAL_FROMHEX: return from_hex(in, to, out);
    case SPECIAL_B64DECODE: return from_base64(in, false, to, out);
    case SPECIAL_B64URL: return from_base64(in, true, to, out);
    case SPECIAL_DECOMPRESS: {
        enum coding coding = coding_by_magic(in);
        return coding != CODING_NONE && inflate_to(m, in, coding, to, out);
    }
    default: return false;
    }
}

static bool url_data(struct bytes *b)
{
    const uint8_t *comma = memchr(b->at, ',', b->len < 256 ? b->len : 256);
    if (!comma)
        return false;
    bytes_cut(b, (size_t)(comma - b->at) + 1);
    return b->len >= 8;
}

/* Whether the front of it is the hex, or base64, of something that is encoded itself. */
static bool encodes_coded(struct bytes b, bool hex)
{
    enum { FRONT = 32 }; /* what the next layer is known by */
    uint8_t out[FRONT + 4];
    struct bytes front = bytes_head(b, hex ? FRONT * 2 : FRONT / 3 * 4), inner;

    return front.len >= FRONT && alphabet(front, hex) &&
           (hex ? from_hex(front, out, &inner) : from_base64(front, true, out, &inner)) &&
           inner.len >= 16 && (smells_base64(inner) || smells_hex(inner));
}

bool nested_smells_twice(struct bytes b)
{
    return b.len >= RUN_MIN && run_begins_twice(b.at) &&
           encodes_coded(b, between(b.at[0], '0', '9'));
}

static const char *layer_of(struct bytes b, enum special *how)
{
    if (smells_packed(b)) {
        *how = SPECIAL_DECOMPRESS;
        return coding_name(coding_by_magic(b));
    }
    if (smells_hex(b) || encodes_coded(b, true)) {
        *how = SPECIAL_FROMHEX;
        return "hex";
    }
    *how = SPECIAL_B64URL; /* takes both alphabets */
    return smells_base64(b) || encodes_coded(b, false) ? "base64" : NULL;
}

static void add_path(char *path, const char *step)
{
    size_t n = strlen(path), len = strlen(step);

    if (n + len + 5 > PATH_MAX_TEXT)
        return;
    if (n > 0) {
        memcpy(path + n, " -> ", 4);
        n += 4;
    }
    memcpy(path + n, step, len + 1);
}

static bool is_pickle_head(struct bytes b)
{
    return b.len >= 2 && ((b.at[0] == 0x80 && b.at[1] <= 5) || (b.len >= 8 && smells_old(b)));
}

bool peel(struct pickle *m, struct bytes in, struct bytes *out, bool *cut, char *path)
{
    path[0] = '\0';
    *cut = false;
    for (unsigned layer = 0; layer <= LAYERS && in.len >= 8; layer++) {
        enum special how;
        if (is_pickle_head(in)) {
            *out = in;
            return true;
        }
        if (smells_url(in) && !url_data(&in))
            return false;
        const char *name = layer < LAYERS ? layer_of(in, &how) : NULL;
        if (!name || !decode_layer(m, how, in, layer % 2, &in))
            return false;
        add_path(path, name);
        *cut |= how == SPECIAL_DECOMPRESS && in.len >= (16u << 10);
    }
    return false;
}

struct pickle *nested_machine(struct pickle *m)
{
    if (m->depth >= NESTED_DEPTH)
        return NULL;
    if (!m->child)
        m->child = pickle_new(NULL);
    if (!m->child) {
        m->starved = true;
        return NULL;
    }
    m->child->depth = m->depth + 1;
    m->child->options = m->options; /* the list stays ours */
    m->child->options.allow = NULL;
    m->child->borrowed = m->allow;
    return m->child;
}

static const struct pickle_result *judge_child(struct pickle *m, struct pickle *child,
                                               struct bytes text, enum pickle_context context,
                                               enum pickle_extent extent)
{
    const struct pickle_result *r = pickle_judge(child, text, context, extent);

    m->starved |= is_starved(child);
    return r;
}

static unsigned *tries_of(const struct vm *vm)
{
    return &vm->m->nested_tries[vm->reader == READER_FILE];
}

static const struct pickle_result *judge_inner(struct vm *vm, struct bytes text)
{
    struct pickle *m = vm->m;
    struct bytes inner;
    bool cut;
    char path[PATH_MAX_TEXT];
    struct pickle *child;

    if (*tries_of(vm) >= NESTED_TRIES || !peel(m, text, &inner, &cut, path))
        return NULL;
    ++*tries_of(vm);
    child = nested_machine(m);
    if (!child)
        return NULL;
    const struct pickle_result *r =
        judge_child(m, child, inner, PICKLE_SEEN, cut ? PICKLE_CLIPPED : PICKLE_WHOLE);
    return r->is_pickle ? r : NULL;
}

void nested_literal(struct vm *vm, struct bytes text)
{
    const struct pickle_result *r = judge_inner(vm, text);

    if (!r)
        return;
    vm->flags |= PICKLE_FLAG(NESTED_PICKLE_DATA);
    if (r->verdict >= PICKLE_OBJECTS_UNKNOWN && r->all_imports > 0)
        vm_raise(vm, PICKLE_SUSPICIOUS, "a pickle is carried as data");
}

static void adopt(struct vm *vm, const struct pickle_result *r)
{
    struct pickle *m = vm->m;

    for (unsigned i = 0; i < r->n_imports; i++) {
        struct pickle_import in = r->imports[i];
        if (m->result.n_imports == PICKLE_IMPORTS)
            break;
        in.module = pool_copy(m, in.module, 255);
        in.name = pool_copy(m, in.name, 255);
        in.orig_module = pool_copy(m, in.orig_module, 255);
        in.orig_name = pool_copy(m, in.orig_name, 255);
        in.trailing = m->trailing;
        m->imports[m->result.n_imports++] = in;
    }
    for (unsigned i = 0; i < r->n_calls && m->result.n_calls < PICKLE_CALLS; i++) {
        struct pickle_call c = r->calls[i];
        c.text = pool_copy(m, c.text, PICKLE_CALL_TEXT);
        c.trailing = m->trailing;
        m->call[m->result.n_calls++] = c;
    }
    count_imports(m, r->all_imports);
    count_calls(m, r->all_calls);
}

void nested_loads(struct vm *vm, struct bytes text)
{
    struct pickle *child = nested_machine(vm->m);

    vm->flags |= PICKLE_FLAG(NESTED_PICKLE);
    if (!child || *tries_of(vm) >= NESTED_TRIES)
        return;
    ++*tries_of(vm);
    const struct pickle_result *r = judge_child(vm->m, child, text, PICKLE_DECLARED, PICKLE_WHOLE);
    vm_raise(vm, r->verdict, r->ground);
    vm->flags |= r->flags & ~PICKLE_FLAG(DECLARED_NOT);
    adopt(vm, r);
}
