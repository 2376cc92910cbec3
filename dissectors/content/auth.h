/* content/auth.h - the two layouts of celery's `auth` serializer (celery:security/serialization.py:
 * SecureSerializer; celery-on-the-wire.md 3.1).
 *
 *   since 5.5   base64( b64(signer) 0001 b64(signature) 0001 type 0001 encoding 0001 body )
 *   before      base64(     signer  0001     signature  0001 type 0001 encoding 0001 body )
 *
 * The old signature is raw and may hold 00 01 itself; its length is that of the signer's key. */
#ifndef CONTENT_AUTH_H
#define CONTENT_AUTH_H

#include "dissectors/content/content.h"

enum auth_layout { AUTH_OLD, AUTH_NEW };

struct auth_parts {
    enum auth_layout layout;
    struct bytes signer;         /* "<issuer values> <serial in decimal>" */
    struct bytes signature;      /* raw in either layout */
    struct bytes type, encoding; /* of body */
    struct bytes body;  /* serialized: what the signature is over. In the old layout up to the
                           next 00 01, which is all that such a Celery reads */
    struct bytes after; /* what is behind that */
    bool cut;           /* the capture ended inside; body is a head */
};

enum auth_result { AUTH_OK, AUTH_MALFORMED, AUTH_NO_MEMORY };

/* Splits a body, as it is before the outer base64 is undone. `signature_len`: that of the old
 * layout if the signer's key is known; 0: found by trying the lengths that RSA keys have, then any,
 * until a content type and an encoding follow. `clipped`: text is a head; what it does not reach is
 * empty, and the result is AUTH_OK if the signer is there. All parts are in the arena. */
enum auth_result auth_split(struct bytes text, size_t signature_len, bool clipped,
                            struct arena *arena, struct auth_parts *out);

/* Does the text begin like one? Looks at its first KiB only. */
bool auth_looks(struct bytes text);

#endif
