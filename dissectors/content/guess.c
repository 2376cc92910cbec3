/* content/guess.c - content_guess(): what bytes look like. JSON is by far the most common, and is
 * decided by its first two characters. */
#include "dissectors/content/auth.h"
#include "dissectors/content/content.h"
#include "dissectors/content/msgpack_walk.h"
#include "dissectors/content/reader.h"
#include "dissectors/content/yaml_tag.h"

enum { LOOK = 4096, WORD = 64 };

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static size_t skip_blanks(struct bytes b, size_t at)
{
    while (at < b.len && is_blank(b.at[at]))
        at++;
    return at;
}

/* The word in the declared type, at any place and in any case: "application/x-yaml", "text/yaml".
 */
static bool declares(struct bytes type, const char *word)
{
    size_t n = strlen(word);
    for (size_t at = 0; type.len >= n && at <= type.len - n; at++) {
        size_t i = 0;
        while (i < n && (type.at[at + i] | 0x20) == word[i])
            i++;
        if (i == n)
            return true;
    }
    return false;
}

/* A document of one short scalar: a number, true, null... */
static bool is_json_word(struct bytes b)
{
    struct reader r;
    struct token t;
    if (b.len > WORD)
        return false;
    reader_begin(&r, WHAT_JSON, b, false, NULL);
    while (reader_next(&r, &t))
        ;
    return r.end == READER_WHOLE && r.rest.len == 0;
}

/* A string from the first byte to the last, or to where the bytes end. */
static bool is_json_string(struct bytes b)
{
    struct reader r;
    struct token t;
    reader_begin(&r, WHAT_JSON, b, true, NULL);
    bool string = reader_next(&r, &t);
    return string && (t.cut || skip_blanks(r.rest, 0) == r.rest.len);
}

static bool begins_value(uint8_t c)
{
    return c == '"' || c == '{' || c == '[' || c == ']' || c == '-' || (c >= '0' && c <= '9') ||
           c == 't' || c == 'f' || c == 'n' || c == 'N' || c == 'I';
}

static bool looks_json(struct bytes b)
{
    size_t at = skip_blanks(b, 0), next = skip_blanks(b, at < b.len ? at + 1 : at);
    if (at == b.len)
        return false;
    uint8_t c = next < b.len ? b.at[next] : 0;
    switch (b.at[at]) {
    case '{': return next == b.len || c == '"' || c == '}';
    case '[': return next == b.len || begins_value(c);
    case '"': return is_json_string(b);
    default: return begins_value(b.at[at]) && is_json_word(b);
    }
}

/* Undeclared MessagePack: a map or a list that is well formed to its last byte, or for LOOK bytes
 * and more; and a map's first key is text. Short lists of bytes are anything. */
static bool looks_msgpack(struct bytes b, bool declared)
{
    struct mp_head h = {.kind = MP_BAD}, key;
    struct bytes left = b;
    if (!mp_head(b, &h) || (h.kind != MP_MAP && h.kind != MP_ARRAY))
        return declared && b.len > 0 && h.kind != MP_BAD;
    if (declared)
        return true;
    bytes_cut(&left, h.size);
    if (h.count == 0 || b.len < 4 || !mp_head(left, &key) ||
        (h.kind == MP_MAP && key.kind != MP_STR))
        return false;
    left = b;
    enum mp_walk end = mp_walk(&left, 1);
    return (end == MP_WALK_DONE && left.len == 0) ||
           (end == MP_WALK_ENDED && b.len - left.len >= LOOK);
}

/* No control characters but those of text, in the first LOOK bytes; above ASCII anything that could
 * be UTF-8. */
static bool looks_text(struct bytes b)
{
    for (size_t i = 0; i < b.len && i < LOOK; i++) {
        uint8_t c = b.at[i];
        if ((c < ' ' && !is_blank(c) && c != '\f' && c != 0x1b) || c == 0x7f || c >= 0xf8 ||
            c == 0xc0 || c == 0xc1)
            return false;
    }
    return true;
}

static bool may_be_auth(struct bytes type)
{
    return type.len == 0 || bytes_eq(type, "application/data");
}

enum content_what content_guess(struct bytes inner, struct bytes type)
{
    if (inner.len == 0)
        return WHAT_EMPTY;
    bool json = bytes_eq(type, "application/json"); /* the usual case costs no search */
    bool yaml = !json && declares(type, "yaml");    /* which JSON is, too, to its reader */
    if (yaml && yaml_is_utf16(inner)) /* JSON's and Python's other readers take UTF-8 alone */
        return WHAT_YAML;
    if (!yaml && looks_json(inner))
        return WHAT_JSON;
    if (may_be_auth(type) && auth_looks(inner))
        return WHAT_AUTH;
    if (looks_msgpack(inner, declares(type, "msgpack")))
        return WHAT_MSGPACK;
    if (!looks_text(inner))
        return WHAT_BINARY;
    return yaml ? WHAT_YAML : WHAT_TEXT;
}
