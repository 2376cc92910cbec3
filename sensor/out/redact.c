/* out/redact.c - see redact.h. */
#include "out/redact.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

enum { MASK_WHOLE_BELOW = 8, SEARCH_FROM = 4 };

static bool same(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static void learn(struct redact *r, struct bytes secret, struct bytes user)
{
    if (secret.len > 0 && !same(secret, user) && r->n < REDACT_SECRETS)
        r->secret[r->n++] = secret;
}

void redact_begin(struct redact *r, const struct msg *m, const struct finding *f)
{
    r->n = 0;
    struct bytes user = msg_text(m, F_USER);
    for (; m; m = m->cause)
        if (fields_have(&m->fields, F_AUTH_SECRET))
            learn(r, m->fields.at[F_AUTH_SECRET].text, user);
    for (unsigned i = 0; f && i < f->n_evidence; i++)
        if (f->evidence[i].type == FIELD_SECRET)
            learn(r, f->evidence[i].value.text, user);
}

void redact_free(struct redact *r)
{
    text_free(&r->scratch);
    text_free(&r->url);
}

/* The longest secret that stands at the front of the text; 0: none. */
static size_t secret_at(const struct redact *r, struct bytes text)
{
    size_t longest = 0;

    for (unsigned i = 0; i < r->n; i++) {
        struct bytes s = r->secret[i];
        if (s.len >= SEARCH_FROM && s.len > longest && s.len <= text.len &&
            memcmp(text.at, s.at, s.len) == 0)
            longest = s.len;
    }
    return longest;
}

static bool holds_secret(const struct redact *r, struct bytes text, bool *whole)
{
    for (unsigned i = 0; i < r->n; i++) {
        struct bytes s = r->secret[i];
        if (same(s, text)) {
            *whole = true;
            return true;
        }
    }
    *whole = false;
    for (unsigned i = 0; i < r->n; i++) {
        struct bytes s = r->secret[i];
        if (s.len >= SEARCH_FROM && s.len <= text.len &&
            memmem(text.at, text.len, s.at, s.len) != NULL)
            return true;
    }
    return false;
}

/* The password in the first URL behind `from`: user:password@; empty: there is none, and from is
 * moved to where the next one may be, NULL at the end. */
static struct bytes url_password(struct bytes text, size_t *from)
{
    struct bytes rest = bytes_of(text.at + *from, text.len - *from), password = {0};
    const uint8_t *at = bytes_find(rest, "://"), *colon;
    size_t n = 0, end = 0;

    *from = text.len;
    if (!at)
        return password;
    rest = bytes_of(at + 3, text.len - (size_t)(at + 3 - text.at));
    for (; n < rest.len && !memchr("/?#'\" \t\r\n", rest.at[n], 9); n++)
        if (rest.at[n] == '@')
            end = n;
    *from = (size_t)(rest.at - text.at) + end;
    colon = end > 0 ? memchr(rest.at, ':', end) : NULL;
    if (colon)
        password = bytes_of(colon + 1, end - (size_t)(colon + 1 - rest.at));
    return password;
}

struct bytes redact_urls(struct redact *r, struct bytes text)
{
    size_t from = 0, done = 0;

    if (!redact_may_be_url(text))
        return text;
    text_clear(&r->url);
    while (from < text.len) {
        struct bytes password = url_password(text, &from);
        size_t at = (size_t)(password.at - text.at);

        if (password.len == 0)
            continue;
        text_put(&r->url, (const char *)text.at + done, at - done);
        TEXT_LITERAL(&r->url, "***");
        done = at + password.len;
    }
    if (done == 0)
        return text;
    text_put(&r->url, (const char *)text.at + done, text.len - done);
    return r->url.bad ? bytes_of("***", 3) : text_view(&r->url);
}

struct bytes redact_text(struct redact *r, struct bytes text)
{
    static const char STARS[] = "***";
    struct bytes stars = bytes_of(STARS, 3);
    bool whole;

    text = redact_urls(r, text);
    if (r->n == 0 || text.len == 0 || !holds_secret(r, text, &whole))
        return text;
    if (whole)
        return stars;
    text_clear(&r->scratch);
    while (text.len > 0) {
        size_t n = secret_at(r, text);
        struct bytes taken = bytes_cut(&text, n > 0 ? n : 1);
        if (n > 0)
            TEXT_LITERAL(&r->scratch, "***");
        else
            text_put(&r->scratch, (const char *)taken.at, 1);
    }
    return r->scratch.bad ? stars : text_view(&r->scratch);
}

void redact_mask(struct bytes secret, char mask[REDACT_MASK])
{
    bool plain = secret.len >= MASK_WHOLE_BELOW;

    for (size_t i = 0; plain && i < secret.len; i++)
        plain = secret.at[i] >= 0x20 && secret.at[i] < 0x7f;
    if (plain)
        memcpy(mask, secret.at, 2);
    memcpy(mask + (plain ? 2 : 0), "***", 4);
}

bool redact_hmac(const struct redact *r, struct bytes secret, char hex[REDACT_HMAC + 1])
{
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    static const unsigned char NOTHING[1] = {0};
    const unsigned char *data = secret.len > 0 ? secret.at : NOTHING;

    if (r->n_key == 0 || !HMAC(EVP_sha256(), r->key, (int)r->n_key, data, secret.len, out, &n) ||
        2 * n != REDACT_HMAC)
        return false;
    for (unsigned i = 0; i < n; i++) {
        static const char HEX[] = "0123456789abcdef";
        hex[2 * i] = HEX[out[i] >> 4];
        hex[2 * i + 1] = HEX[out[i] & 15];
    }
    hex[REDACT_HMAC] = '\0';
    return true;
}
