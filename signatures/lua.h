/* signatures/lua.h - the words of a Lua 5.1 script, as Redis loads it: names, texts, marks. Nothing
 * is run and nothing is parsed: what stands next to what is for the caller to see. Comments are
 * passed over, escapes are undone, and texts that `..` joins are one. Pure; as much work as the
 * script is long. */
#ifndef SIGNATURES_LUA_H
#define SIGNATURES_LUA_H

#include "base/bytes.h"

#define LUA_TEXT_MAX 128u /* of a text: longer ones name no command and no queue */

enum lua_kind { LUA_END, LUA_NAME, LUA_TEXT, LUA_MARK };

struct lua_word {
    enum lua_kind kind;
    struct bytes
        text; /* of a text its first LUA_TEXT_MAX bytes; good until the next word is read */
    bool cut; /* it is longer */
};

struct lua_reader {
    struct bytes left;
    size_t n;
    bool cut;
    uint8_t text[LUA_TEXT_MAX];
};

void lua_begin(struct lua_reader *r, struct bytes script);
struct lua_word lua_next(struct lua_reader *r);

/* Whether it is that word, which is given in small letters, in any case. */
bool lua_is(const struct lua_word *w, const char *small);

#endif
