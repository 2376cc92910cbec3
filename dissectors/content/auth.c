/* content/auth.c - see auth.h. */
#include "dissectors/content/auth.h"

#include "dissectors/content/base64.h"

enum { LOOK = 1024, TYPE_MOST = 128, SIGNER_MOST = 4096 };

/* Up to the next separator, which is taken off too; false: there is none. */
static bool cut_field(struct bytes *in, struct bytes *field)
{
    const uint8_t *at = in->len > 0 ? memmem(in->at, in->len, "\0\1", 2) : NULL;
    if (!at)
        return false;
    *field = bytes_cut(in, (size_t)(at - in->at));
    bytes_cut(in, 2);
    return true;
}

/* Certificate.get_id(): text that ends in a space and a decimal number. */
static bool is_signer(struct bytes text)
{
    size_t digits = 0;
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] < ' ' || text.at[i] == 0x7f)
            return false;
    while (digits < text.len && text.at[text.len - 1 - digits] >= '0' &&
           text.at[text.len - 1 - digits] <= '9')
        digits++;
    return text.len <= SIGNER_MOST && digits > 0 && digits < text.len &&
           text.at[text.len - 1 - digits] == ' ';
}

/* Base64 as Python's b64encode writes it, without anything else in it. */
static bool is_clean_base64(struct bytes text)
{
    size_t pads = 0;
    while (pads < 2 && pads < text.len && text.at[text.len - 1 - pads] == '=')
        pads++;
    return text.len > 0 && text.len % 4 == 0 && base64_is_text(bytes_head(text, text.len - pads));
}

/* Is the field of the new layout's signer one? */
static bool is_packed_signer(struct bytes field)
{
    uint8_t plain[BASE64_ROOM(SIGNER_MOST * 4 / 3)];
    struct base64 b = {0};
    if (!is_clean_base64(field) || field.len > SIGNER_MOST * 4 / 3)
        return false;
    return is_signer(bytes_of(plain, base64_step(&b, field, plain)));
}

/* "application/json", "text/plain": a type, a slash, a subtype. */
static bool is_type(struct bytes text)
{
    size_t slashes = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.at[i], low = c | 0x20;
        bool name = (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '+' ||
                    c == '.' || c == '_';
        if (!name && c != '/')
            return false;
        slashes += c == '/';
    }
    return text.len >= 3 && text.len <= TYPE_MOST && slashes == 1;
}

static bool is_encoding(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] <= ' ' || text.at[i] > '~')
            return false;
    return text.len > 0 && text.len <= TYPE_MOST;
}

/* Type, encoding and body behind a signature of n bytes, if that is where they are. */
static bool split_behind(struct bytes in, size_t n, struct auth_parts *out)
{
    struct bytes signature = bytes_cut(&in, n), empty, type, encoding;
    if (signature.len < n || !cut_field(&in, &empty) || empty.len > 0)
        return false;
    if (!cut_field(&in, &type) || !cut_field(&in, &encoding) || !is_type(type) ||
        !is_encoding(encoding))
        return false;
    out->signature = signature;
    out->type = type;
    out->encoding = encoding;
    out->body = in;
    if (cut_field(&in, &out->body))
        out->after = in;
    return true;
}

/* Any length: each separator may be the one, as long as a type follows. Fields that are too
 * long to be one are not looked at twice, so the search is linear. */
static bool split_anywhere(struct bytes in, struct auth_parts *out)
{
    struct bytes left = in, field;
    for (size_t n = 0; cut_field(&left, &field); n += 2) {
        struct bytes rest = left, type;
        n += field.len;
        rest = bytes_head(rest, TYPE_MOST + 2);
        if (n > 0 && cut_field(&rest, &type) && is_type(type) && split_behind(in, n, out))
            return true;
    }
    return false;
}

static bool split_old(struct bytes in, size_t signature_len, struct auth_parts *out)
{
    /* RSA keys of 512 to 16384 bits, the usual ones first */
    static const size_t lengths[] = {256, 512, 128, 384, 64, 96, 192, 768, 1024, 2048};
    if (signature_len > 0)
        return split_behind(in, signature_len, out);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        if (split_behind(in, lengths[i], out))
            return true;
    return split_anywhere(in, out);
}

/* Behind the signer; true as far as it goes. */
static bool split_new(struct bytes in, struct arena *arena, struct auth_parts *out)
{
    struct bytes packed;
    if (!cut_field(&in, &packed) || !is_clean_base64(packed))
        return false;
    if (!base64_decode(packed, false, arena, &out->signature, NULL))
        return false;
    if (!cut_field(&in, &out->type) || !cut_field(&in, &out->encoding))
        return false;
    out->body = in;
    return true;
}

enum auth_result auth_split(struct bytes text, size_t signature_len, bool clipped,
                            struct arena *arena, struct auth_parts *out)
{
    struct bytes plain, signer;
    *out = (struct auth_parts){.cut = clipped};
    if (!base64_decode(text, false, arena, &plain, NULL))
        return AUTH_NO_MEMORY;
    if (!cut_field(&plain, &signer))
        return AUTH_MALFORMED;
    bool good;
    if (is_packed_signer(signer)) {
        out->layout = AUTH_NEW;
        if (!base64_decode(signer, false, arena, &out->signer, NULL))
            return AUTH_NO_MEMORY;
        good = split_new(plain, arena, out);
    } else {
        out->layout = AUTH_OLD;
        out->signer = signer;
        good = split_old(plain, signature_len, out);
    }
    return good || (clipped && (out->layout == AUTH_NEW || is_signer(signer))) ? AUTH_OK
                                                                               : AUTH_MALFORMED;
}

bool auth_looks(struct bytes text)
{
    uint8_t plain[BASE64_ROOM(LOOK)];
    struct base64 b = {0};
    struct bytes head = bytes_head(text, LOOK), field;
    /* Cheap first: most of what is asked about is no base64 at all. */
    if (text.len < 16 || !base64_is_text(bytes_head(text, 16)))
        return false;
    head = bytes_of(plain, base64_step(&b, head, plain));
    return cut_field(&head, &field) && (is_signer(field) || is_packed_signer(field));
}
