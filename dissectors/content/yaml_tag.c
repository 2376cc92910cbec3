/* content/yaml_tag.c - Python's tags as text. In tags %6f is an o, and a %TAG directive has any
 * handle stand for any beginning of them (YAML 1.1, 5.3.1 and 7.1.2). */
#include "dissectors/content/yaml_tag.h"

#include "dissectors/content/yaml_scalar.h"

#define MAX_TAG_TEXT 512u

#define PYTHON_TAG YAML_TAG_PREFIX "python/"

static bool begins(struct bytes b, const char *text)
{
    size_t n = strlen(text);
    return b.len >= n && memcmp(b.at, text, n) == 0;
}

/* Of Python's tags these import or call; str, tuple, int and the like only name a type
 * (PyYAML:lib/yaml/constructor.py:FullConstructor, UnsafeConstructor). */
static bool imports(struct bytes kind)
{
    return begins(kind, "object") || begins(kind, "name") || begins(kind, "module");
}

bool yaml_tag_imports(struct bytes tag)
{
    if (!begins(tag, PYTHON_TAG))
        return false;
    bytes_cut(&tag, strlen(PYTHON_TAG));
    return imports(tag);
}

bool yaml_may_tag(struct bytes document)
{
    if (yaml_is_utf16(document))
        return true;
    return document.len > 0 && memchr(document.at, '!', document.len) &&
           (memchr(document.at, '%', document.len) || bytes_find(document, "python/"));
}

static int hex_digit(uint8_t c)
{
    uint8_t low = c | 0x20;
    return c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

static bool escaped(struct bytes rest, uint8_t *c)
{
    int high = rest.len > 2 && *rest.at == '%' ? hex_digit(rest.at[1]) : -1;
    int low = high >= 0 ? hex_digit(rest.at[2]) : -1;

    *c = (uint8_t)((unsigned)high << 4 | (unsigned)low);
    return low >= 0;
}

/* The word at the front of `rest`, its escapes undone; how long it is as written. Flow indicators
 * end it, but for those within !<...>. */
static size_t read_word(struct bytes rest, uint8_t *to, size_t *len)
{
    const char *ends = begins(rest, "!<") ? ">" : ",[]{}>";
    size_t n = 0, used = 0;

    while (n < rest.len && used < MAX_TAG_TEXT && rest.at[n] > ' ' && !strchr(ends, rest.at[n])) {
        bool escape = escaped(bytes_of(rest.at + n, rest.len - n), &to[used]);
        if (!escape)
            to[used] = rest.at[n];
        used++;
        n += escape ? 3 : 1;
    }
    *len = used;
    return n;
}

/* `handles`: there are directives, so that what stands for the front of the tag is not known. */
static bool names_python(struct bytes word, bool handles)
{
    static const char whole[] = "!!python/", full[] = PYTHON_TAG;
    const uint8_t *at = bytes_find(word, whole);
    size_t n = strlen(whole);

    if (!at) {
        at = bytes_find(word, full);
        n = strlen(full);
    }
    if (!at)
        return handles && (bytes_find(word, "object/apply:") || bytes_find(word, "object/new:") ||
                           bytes_find(word, "python/object"));
    bytes_cut(&word, (size_t)(at - word.at) + n);
    return imports(word);
}

/* The characters of UTF-16 that are ASCII, the others as question marks. */
static struct bytes narrowed(struct bytes text, struct arena *arena)
{
    unsigned low = text.at[0] == 0xff ? 0 : 1;
    uint8_t *to = arena_raw(arena, text.len / 2 + 1);
    size_t n = 0;

    for (size_t i = 0; to && i + 1 < text.len; i += 2)
        to[n++] = text.at[i + 1 - low] == 0 && text.at[i + low] < 0x80 ? text.at[i + low] : '?';
    return bytes_of(to, n);
}

bool yaml_tag_in_text(struct bytes document, size_t from, struct arena *arena,
                      struct yaml_tag *found)
{
    unsigned width = yaml_is_utf16(document) ? 2 : 1;
    struct bytes all = width == 2 ? narrowed(document, arena) : document, rest = all;
    bool handles = bytes_find(all, "%TAG") != NULL;
    uint8_t word[MAX_TAG_TEXT];
    size_t len;

    bytes_cut(&rest, from / width);
    for (const uint8_t *at; rest.len > 0 && (at = memchr(rest.at, '!', rest.len)) != NULL;) {
        bytes_cut(&rest, (size_t)(at - rest.at));
        size_t n = read_word(rest, word, &len);
        if (names_python(bytes_of(word, len), handles)) {
            size_t front = begins(rest, "!<") ? 2 : 0;
            struct bytes as_written = bytes_of(rest.at + front, n - front);
            bool plain = width == 1 && len == n;
            found->offset = ((size_t)(at - all.at) + front) * width;
            found->text =
                plain ? as_written : arena_copy(arena, bytes_of(word + front, len - front));
            return true;
        }
        bytes_cut(&rest, n);
    }
    return false;
}
