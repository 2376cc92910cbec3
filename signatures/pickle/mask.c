#include "signatures/pickle/mask.h"

#include <strings.h>

void put_bytes(struct text_out *o, struct bytes b)
{
    if (b.len > o->room - o->used) {
        b.len = o->room - o->used;
        o->full = true;
    }
    if (b.len > 0)
        memcpy(o->at + o->used, b.at, b.len);
    o->used += b.len;
}

void put_text(struct text_out *o, const char *text)
{
    put_bytes(o, bytes_of(text, strlen(text)));
}

static void put_one(struct text_out *o, uint8_t c)
{
    static const char digits[] = "0123456789abcdef";
    char hex[4] = {'\\', 'x', digits[c >> 4], digits[c & 15]};
    const char *known = c == '\n'   ? "\\n"
                        : c == '\t' ? "\\t"
                        : c == '\r' ? "\\r"
                        : c == '\\' ? "\\\\"
                        : c == '\'' ? "\\'"
                                    : NULL;

    if (known)
        put_text(o, known);
    else if (c >= 0x20 && c < 0x7f)
        put_bytes(o, bytes_of(&c, 1));
    else if (o->room - o->used >= sizeof hex)
        put_bytes(o, bytes_of(hex, sizeof hex));
    else
        o->full = true;
}

void put_escaped(struct text_out *o, struct bytes b, size_t max)
{
    bool cut = b.len > max;

    b = bytes_head(b, max);
    for (size_t i = 0; i < b.len && !o->full; i++)
        put_one(o, b.at[i]);
    if (cut)
        put_text(o, "...");
}

static bool starts(struct bytes b, const char *text)
{
    size_t n = strlen(text);
    return b.len >= n && strncasecmp((const char *)b.at, text, n) == 0;
}

enum { PASSWORDS = 4 }; /* the first of the words: a space before the value is enough */

static const char *const secret_words[] = {
    "password",    "passwd",        "passphrase",    "pwd",        "secret",
    "token",       "api_key",       "apikey",        "api-key",    "access_key",
    "private_key", "client_secret", "authorization", "credential",
};

bool names_secret(struct bytes key)
{
    for (size_t at = 0; at < key.len && at < 128; at++)
        for (size_t i = 0; i < sizeof secret_words / sizeof *secret_words; i++)
            if (starts(bytes_of(key.at + at, key.len - at), secret_words[i]))
                return true;
    return false;
}

static size_t skip(struct bytes b, size_t at, const char *set)
{
    while (at < b.len && b.at[at] && strchr(set, b.at[at]))
        at++;
    return at;
}

static size_t until(struct bytes b, size_t at, const char *set)
{
    while (at < b.len && !(b.at[at] && strchr(set, b.at[at])))
        at++;
    return at;
}

static bool is_letter(uint8_t c)
{
    c |= 0x20;
    return c >= 'a' && c <= 'z';
}

/* Where the value of the word that ends at `key` is; 0: it has none. `plain`: a space is enough. */
static size_t value_of(struct bytes b, size_t key, bool plain)
{
    size_t to = skip(b, key, "'\" \t");

    if (to == b.len)
        return 0;
    if (!strchr("=:,", b.at[to]))
        return plain && to > key && (is_letter(b.at[to]) || strchr("0123456789", b.at[to])) ? to
                                                                                            : 0;
    to = skip(b, to, "=>:, \t'\"");
    struct bytes rest = bytes_of(b.at + to, b.len - to);
    if (starts(rest, "bearer ") || starts(rest, "basic "))
        to = skip(b, until(b, to, " "), " ");
    return to;
}

/* password=X, "token": X, Authorization: Bearer X, password X: where X is; 0: not here. */
static size_t after_word(struct bytes b, size_t at)
{
    static const char *const whole[] = {"pass", "pw", "sid", "cookie"};
    struct bytes here = bytes_of(b.at + at, b.len - at);

    for (size_t i = 0; i < sizeof secret_words / sizeof *secret_words; i++)
        if (starts(here, secret_words[i]))
            return value_of(b, at + strlen(secret_words[i]), i < PASSWORDS);
    if (starts(here, "?key=") || starts(here, "&key="))
        return at + strlen("?key=");
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (starts(here, whole[i]) && (at == 0 || !is_letter(b.at[at - 1])))
            return value_of(b, at + strlen(whole[i]), false);
    return 0;
}

/* Options that take a password, by program; of user:password what follows the colon. */
static const struct {
    const char *program, *option;
    bool user;
} options[] = {
    {"curl", "-u", true},        {"curl", "--user", true}, {"sshpass", "-p", false},
    {"mysql", "-p", false},      {"mariadb", "-p", false}, {"redis-cli", "-a", false},
    {"valkey-cli", "-a", false}, {"ldap", "-w", false},
};

/* Apart, for short texts lie in their value, and gcc 12 warns of longer ones that do not. */
__attribute__((noinline)) bool option_of_secret(struct bytes program, struct bytes option)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (bytes_eq(option, options[i].option) && bytes_find(program, options[i].program))
            return true;
    return bytes_eq(option, "--password") || bytes_eq(option, "--pass");
}

enum { COMMAND_MAX = 256 }; /* how far behind its program an option is looked for */

/* mysql -pX, curl -u user:X: where X is; 0: not here. */
static size_t after_option(struct bytes b, size_t at)
{
    struct bytes here = bytes_of(b.at + at, b.len - at);
    size_t back = at < COMMAND_MAX ? at : COMMAND_MAX;

    if (at == 0 || b.at[at] != '-' || !strchr(" \t'\"", b.at[at - 1]))
        return 0;
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (!starts(here, options[i].option) ||
            !bytes_find(bytes_of(here.at - back, back), options[i].program))
            continue;
        size_t to = skip(b, at + strlen(options[i].option), " \t='\"");
        size_t colon = until(b, to, ": \t'\"");
        if (!options[i].user)
            return to;
        return colon < b.len && b.at[colon] == ':' ? colon + 1 : 0;
    }
    return 0;
}

static size_t token_prefix(struct bytes here)
{
    static const char *const known[] = {
        "AKIA",   "ASIA",  "ghp_",  "gho_",  "ghs_",     "github_pat_",
        "glpat-", "xoxb-", "xoxp-", "xoxa-", "sk_live_", "rk_live_",
        "SG.",    "npm_",  "pypi-", "eyJ",   "AIza",     "-----BEGIN",
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t n = strlen(known[i]);
        if (here.len >= n + 8 && memcmp(here.at, known[i], n) == 0)
            return n;
    }
    return 0;
}

/* The password of scheme://user:password@host, when b begins with "://". */
static bool url_password(struct bytes b, size_t at, size_t *from, size_t *to)
{
    if (b.len - at < 4 || memcmp(b.at + at, "://", 3) != 0)
        return false;
    size_t end = until(b, at + 3, "/ \t'\"\n?#"), last = end;
    while (last > at + 3 && b.at[last - 1] != '@')
        last--;
    size_t colon = until(b, at + 3, ":@");
    if (last <= at + 3 || colon >= last - 1 || b.at[colon] != ':')
        return false;
    *from = colon + 1;
    *to = last - 1;
    return true;
}

/* The next secret at or after `at`. */
static bool next_secret(struct bytes b, size_t at, size_t *from, size_t *to)
{
    for (; at < b.len; at++) {
        size_t to_value = after_word(b, at);

        if (to_value == 0)
            to_value = after_option(b, at);
        if (to_value > 0 && to_value < b.len) {
            *from = to_value;
            *to = until(b, to_value, " \t\r\n'\"&,;");
            return *to > *from;
        }
        if (token_prefix(bytes_of(b.at + at, b.len - at)) > 0) {
            *from = at;
            *to = b.at[at] == '-' ? b.len : until(b, at, " \t\r\n'\"&,;:|");
            return true;
        }
        if (b.at[at] == ':' && url_password(b, at, from, to))
            return true;
    }
    return false;
}

void put_masked(struct text_out *o, struct bytes b, size_t max)
{
    size_t at = 0, from, to, before = o->used;

    while (at < b.len && o->used - before < max && next_secret(b, at, &from, &to)) {
        put_escaped(o, bytes_of(b.at + at, from - at), max);
        put_escaped(o, bytes_of(b.at + from, to - from >= 8 ? 2 : 0), 2);
        put_text(o, "***");
        at = to;
    }
    if (at < b.len && o->used - before < max)
        put_escaped(o, bytes_of(b.at + at, b.len - at), max - (o->used - before));
}
