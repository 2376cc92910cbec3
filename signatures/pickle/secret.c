/* See secret.h: by the words around it. */
#include "signatures/pickle/secret.h"

#include "signatures/pickle/secret_command.h"
#include "signatures/pickle/secret_text.h"

enum { PASSWORDS = 4 }; /* the first of the words: a space before the value is enough */

static const char *const secret_words[] = {
    "password",    "passwd",        "passphrase",    "pwd",        "secret",
    "token",       "api_key",       "apikey",        "api-key",    "access_key",
    "private_key", "client_secret", "authorization", "credential",
};

bool secret_name(struct bytes key)
{
    for (size_t at = 0; at < key.len && at < 128; at++)
        for (size_t i = 0; i < sizeof secret_words / sizeof *secret_words; i++)
            if (text_starts(key, at, secret_words[i]))
                return true;
    return bytes_eq(key, "auth");
}

/* Where the value of the word that ends at `key` is; 0: it has none. `plain`: a space is enough. */
static size_t value_of(struct bytes b, size_t key, bool plain)
{
    size_t to = text_skip(b, key, TEXT_QUOTES " \t");

    if (to == b.len)
        return 0;
    if (plain && to == key && b.at[to] == SECRET_ITEM)
        return to + 1 < b.len && b.at[to + 1] != '-' ? to + 1 : 0;
    if (!strchr("=:,", b.at[to]))
        return plain && to > key && (text_letter(b.at[to]) || strchr("0123456789", b.at[to])) ? to
                                                                                              : 0;
    return text_skip(b, to, "=>:, \t" TEXT_QUOTES);
}

/* Authorization: Basic X, Cookie: a=X; b=Y: all of it to the end of the quote, but for the scheme.
 */
static bool header(struct bytes b, size_t at, struct span *s)
{
    static const char *const names[] = {"authorization", "cookie"};
    static const char *const schemes[] = {"bearer ", "basic ", "token ", "digest ", "apikey "};
    size_t from = 0;

    for (size_t i = 0; i < sizeof names / sizeof *names && from == 0; i++)
        if (text_starts(b, at, names[i]))
            from = value_of(b, at + strlen(names[i]), false);
    if (from == 0)
        return false;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (text_starts(b, from, schemes[i]))
            from = text_skip(b, from + strlen(schemes[i]), " ");
    *s = (struct span){from, text_until(b, from, "'\"\r\n" TEXT_ITEM)};
    return true;
}

/* password=X, "token": X, password X: where X is; 0: not here. */
static size_t after_word(struct bytes b, size_t at)
{
    static const char *const whole[] = {"pass", "pw", "sid", "auth", "signature", "sig"};
    bool path = at > 0 && b.at[at - 1] == '/', word = at == 0 || !text_letter(b.at[at - 1]);

    for (size_t i = 0; i < sizeof secret_words / sizeof *secret_words; i++) {
        size_t end = at + strlen(secret_words[i]);
        bool item = end < b.len && b.at[end] == SECRET_ITEM;
        if (text_starts(b, at, secret_words[i]))
            return path && end < b.len && !strchr("=:", b.at[end]) /* /etc/passwd */
                       ? 0
                       : value_of(b, end, i < PASSWORDS || item);
    }
    if (text_starts(b, at, "?key=") || text_starts(b, at, "&key="))
        return at + strlen("?key=");
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        size_t end = at + strlen(whole[i]);
        bool item = end < b.len && b.at[end] == SECRET_ITEM, set = end < b.len && b.at[end] == '=';
        if (text_starts(b, at, whole[i]) && (word || (i == 0 && (item || set))))
            return value_of(b, end, item && !path);
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
        if (here.len >= n + 8 && here.at[0] == (uint8_t)known[i][0] &&
            memcmp(here.at, known[i], n) == 0)
            return n;
    }
    return 0;
}

/* The password of scheme://user:password@host, when b begins with "://" at `at`; a user without one
 * is a token if it is so long. */
static bool url_password(struct bytes b, size_t at, struct span *s)
{
    enum { USER_MAX = 16 };
    size_t end = text_until(b, at + 3, "/ \t'\"\n?#" TEXT_ITEM), last = end;

    while (last > at + 3 && b.at[last - 1] != '@')
        last--;
    size_t colon = text_until(b, at + 3, ":@");
    bool user = last > at + 3 && colon == last - 1;
    *s = (struct span){user ? at + 3 : colon + 1, last > 0 ? last - 1 : 0};
    if (user)
        return s->to - s->from > USER_MAX;
    return last > at + 3 && colon < last - 1 && b.at[colon] == ':';
}

/* That of domain/user:password@host, when the colon is at `at`. */
static bool domain_password(struct bytes b, size_t at, struct span *s)
{
    enum { NAME_MAX = 64 };
    size_t end = text_until(b, at + 1, "@/ \t'\"\n" TEXT_ITEM), back = at;

    while (back > 0 && at - back < NAME_MAX && !strchr(" \t\r\n'\"/" TEXT_ITEM, b.at[back - 1]))
        back--;
    if (end == b.len || b.at[end] != '@' || back == 0 || b.at[back - 1] != '/')
        return false;
    *s = (struct span){at + 1, end};
    return true;
}

static bool here(struct bytes b, size_t at, struct span *s)
{
    size_t from;

    if (b.at[at] == ':')
        return text_starts(b, at, "://") ? url_password(b, at, s) : domain_password(b, at, s);
    if (header(b, at, s) || command_secret(b, at, s))
        return true;
    if (token_prefix(bytes_of(b.at + at, b.len - at)) > 0) {
        *s = (struct span){at, b.at[at] == '-' ? b.len : text_until(b, at, TEXT_ENDS "|:")};
        return true;
    }
    from = after_word(b, at);
    if (from == 0)
        return false;
    *s = (struct span){from, text_value_end(b, from)};
    return true;
}

bool secret_next(struct bytes text, size_t *from, size_t *to)
{
    struct span s = {0, 0};

    for (size_t at = *from; at < text.len; at++)
        if (here(text, at, &s) && s.from >= *from && s.to > s.from && s.to <= text.len) {
            *from = s.from;
            *to = s.to;
            return true;
        }
    return false;
}
