/* dissectors/resp/command.c - finding a command by name. */
#include "dissectors/resp/command.h"

#include <endian.h>

#include "dissectors/resp/command_index.h"

#define WORDS (COMMAND_NAME_MAX / 8)

/* Eight bytes, a to z made A to Z. */
static uint64_t upper(uint64_t x)
{
    const uint64_t ones = 0x0101010101010101u, high = ones * 0x80;
    uint64_t low = x & ~high;
    uint64_t from_a = low + ones * (0x80 - 'a'), above_z = low + ones * (0x80 - 'z' - 1);

    return x - (((from_a & ~above_z & ~x & high) >> 7) * 0x20);
}

/* command_index.py:mixed() */
static uint64_t mixed(const uint64_t w[WORDS])
{
    static const uint64_t multiply[WORDS] = {0x9E3779B97F4A7C15u, 0xC2B2AE3D27D4EB4Fu,
                                             0x165667B19E3779F9u, 0x85EBCA77C2B2AE63u,
                                             0x27D4EB2F165667C5u};
    uint64_t x = w[0] * multiply[0];

    for (unsigned i = 1; i < WORDS && w[i]; i++)
        x ^= w[i] * multiply[i];
    return x ^ x >> 32;
}

/* Upper-cased, padded with zeros; false: longer than any name, or with a zero in it. */
static bool pad(struct bytes name, uint64_t w[WORDS])
{
    if (name.len == 0 || name.len >= COMMAND_NAME_MAX || memchr(name.at, 0, name.len))
        return false;
    memset(w, 0, WORDS * sizeof *w);
    memcpy(w, name.at, name.len);
    for (unsigned i = 0; i * 8 < name.len; i++)
        w[i] = upper(w[i]);
    return true;
}

static const struct command *find(uint64_t w[WORDS])
{
    uint64_t le[WORDS];

    for (unsigned i = 0; i < WORDS; i++)
        le[i] = le64toh(w[i]);
    uint64_t x = mixed(le);
    unsigned slots = sizeof index_slot / sizeof *index_slot;
    uint64_t at = (x >> 8) + index_shift[x % sizeof index_shift] * ((x >> 20) | 1);
    const struct command *c = &command_table[index_slot[at % slots]];

    return c != command_table && memcmp(c->name, w, COMMAND_NAME_MAX) == 0 ? c : NULL;
}

const struct command *command_find(struct bytes name)
{
    uint64_t w[WORDS];

    return pad(name, w) ? find(w) : NULL;
}

/* The row of the first `words` arguments as one name; NULL: none. */
static const struct command *find_words(const struct bytes *args, uint32_t words)
{
    uint8_t full[COMMAND_NAME_MAX];
    uint64_t w[WORDS];
    size_t n = 0;

    for (uint32_t i = 0; i < words; i++) {
        if (args[i].len == 0 || n + 1 + args[i].len >= sizeof full)
            return NULL;
        if (i > 0)
            full[n++] = ' ';
        memcpy(full + n, args[i].at, args[i].len);
        n += args[i].len;
    }
    return pad(bytes_of(full, n), w) ? find(w) : NULL;
}

/* Commands of modules that are no threat by themselves. */
static bool of_known_module(struct bytes name)
{
    static const char *const families[] = {"JSON.", "FT.",  "TS.",      "BF.",
                                           "CF.",   "CMS.", "TDIGEST.", "TOPK."};

    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (name.len > strlen(families[i]) &&
            bytes_eq_case(bytes_head(name, strlen(families[i])), families[i]))
            return true;
    return false;
}

const struct command *command_of(const struct bytes *args, uint32_t n)
{
    const struct command *c = command_find(args[0]), *sub;

    if (!c)
        return &command_table[of_known_module(args[0]) ? COMMAND_MODULE : COMMAND_UNKNOWN];
    if (!(c->flags & COMMAND_CONTAINER))
        return c;
    for (uint32_t words = 2; words <= 3 && words <= n; words++)
        if ((sub = find_words(args, words)))
            return sub;
    return c;
}

bool bytes_eq_case(struct bytes b, const char *text)
{
    size_t n = strlen(text);

    if (b.len != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = b.at[i];
        if ((c >= 'a' && c <= 'z' ? c - 0x20 : c) != (uint8_t)text[i])
            return false;
    }
    return true;
}

bool command_setting_is_secret(struct bytes name)
{
    static const char *const secret[] = {"REQUIREPASS",
                                         "MASTERAUTH",
                                         "MASTERUSER",
                                         "PRIMARYAUTH",
                                         "PRIMARYUSER",
                                         "TLS-KEY-FILE-PASS",
                                         "TLS-CLIENT-KEY-FILE-PASS",
                                         "SENTINEL-PASS",
                                         "SENTINEL-USER",
                                         "AUTH-PASS",
                                         "AUTH-USER"};

    for (size_t i = 0; i < sizeof secret / sizeof *secret; i++)
        if (bytes_eq_case(name, secret[i]))
            return true;
    return false;
}
