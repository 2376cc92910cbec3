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

/* The first n bytes, 1 to 8, the rest zero. */
static uint64_t load(const uint8_t *at, size_t n)
{
    uint64_t x = 0;
    uint32_t low, high;

    if (n == 8) {
        memcpy(&x, at, 8);
        return le64toh(x);
    }
    if (n >= 4) {
        memcpy(&low, at, 4);
        memcpy(&high, at + n - 4, 4);
        return (uint64_t)le32toh(high) << (8 * (n - 4)) | le32toh(low);
    }
    x = at[0];
    x |= (uint64_t)at[n / 2] << (8 * (n / 2));
    return x | (uint64_t)at[n - 1] << (8 * (n - 1));
}

static const struct command *row_of(uint64_t x)
{
    uint64_t at;

    x ^= x >> 32;
    at = (x >> 8) + index_shift[x % sizeof index_shift] * ((x >> 20) | 1);
    return &command_table[index_slot[at % (sizeof index_slot / sizeof *index_slot)]];
}

/* Of a name of up to eight bytes. */
static const struct command *find_short(uint64_t word, uint64_t multiply)
{
    const struct command *c = row_of(word * multiply);

    return load((const uint8_t *)c->name, 8) == word && c->name[8] == 0 ? c : NULL;
}

/* The row whose name, padded with zeros, is name in upper case, or NULL. The hash is
 * command_index.py:mixed(). */
const struct command *command_find(struct bytes name)
{
    static const uint64_t multiply[WORDS] = {0x9E3779B97F4A7C15u, 0xC2B2AE3D27D4EB4Fu,
                                             0x165667B19E3779F9u, 0x85EBCA77C2B2AE63u,
                                             0x27D4EB2F165667C5u};
    uint64_t w[WORDS], x = 0, differ = 0;
    size_t words = (name.len + 7) / 8;
    const struct command *c;

    if (name.len == 0 || name.len >= COMMAND_NAME_MAX || name.at[name.len - 1] == 0)
        return NULL;
    if (words == 1)
        return find_short(upper(load(name.at, name.len)), multiply[0]);
    for (size_t i = 0; i < words; i++) {
        w[i] = upper(load(name.at + 8 * i, i + 1 < words ? 8 : name.len - 8 * i));
        x ^= w[i] * multiply[i];
    }
    c = row_of(x);
    for (size_t i = 0; i < words; i++)
        differ |= load((const uint8_t *)c->name + 8 * i, 8) ^ w[i];
    return differ == 0 && (words == WORDS || c->name[8 * words] == 0) ? c : NULL;
}

/* The row of the first `words` arguments as one name; NULL: none. */
static const struct command *find_words(const struct bytes *args, uint32_t words)
{
    uint8_t full[COMMAND_NAME_MAX];
    size_t n = 0;

    for (uint32_t i = 0; i < words; i++) {
        if (args[i].len == 0 || n + 1 + args[i].len >= sizeof full)
            return NULL;
        if (i > 0)
            full[n++] = ' ';
        memcpy(full + n, args[i].at, args[i].len);
        n += args[i].len;
    }
    return command_find(bytes_of(full, n));
}

const struct command *command_of(const struct bytes *args, uint32_t n)
{
    const struct command *c = command_find(args[0]), *sub;

    if (!c)
        return &command_table[command_is_modules(args[0]) ? COMMAND_MODULE : COMMAND_UNKNOWN];
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
