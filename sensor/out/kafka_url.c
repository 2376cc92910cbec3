/* out/kafka_url.c - see kafka_url.h. */
#include "out/kafka_url.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "out/text.h"

enum {
    TOPIC_MAX = 249, /* kafka:clients/src/main/java/org/apache/kafka/common/internals/Topic.java */
    DATASET_MAX = 32,
    SECRET_FILE_MAX = 64 << 10,
    LEAK_FROM = 4, /* a value shorter than this is found in any text */
};
#define DEFAULT_PORT ":9092"

struct fault {
    char *err;
    size_t err_len;
};

__attribute__((format(printf, 3, 4))) static enum sink_error fail(const struct fault *f,
                                                                  enum sink_error why,
                                                                  const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(f->err, f->err_len, format, args);
    va_end(args);
    return why;
}

static char *text_take(struct text *t)
{
    text_put(t, "", 1);
    if (t->bad) {
        text_free(t);
        return NULL;
    }
    return t->at;
}

static bool all_of(const char *s, size_t n, const char *allowed)
{
    for (size_t i = 0; i < n; i++)
        if (s[i] == '\0' || !strchr(allowed, s[i]))
            return false;
    return true;
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

static bool is_port(const char *s, size_t n)
{
    return n > 0 && n <= 5 && all_of(s, n, DIGITS) && strtol(s, NULL, 10) > 0 &&
           strtol(s, NULL, 10) <= 65535;
}

/* One HOST, HOST:PORT, [IPV6] or [IPV6]:PORT of n bytes. */
static bool add_broker(struct text *to, const char *s, size_t n)
{
    size_t host = s[0] == '[' ? strcspn(s, "]") + 1 : strcspn(s, ":,/?");

    if (host > n || host == 0)
        return false;
    bool named = s[0] == '[' ? host > 2 && all_of(s + 1, host - 2, DIGITS LETTERS ":.%_-")
                             : all_of(s, host, DIGITS LETTERS ".-_");
    if (!named)
        return false;
    if (to->len > 0)
        TEXT_LITERAL(to, ",");
    text_put(to, s, n);
    if (host == n)
        TEXT_LITERAL(to, DEFAULT_PORT);
    return host == n || (s[host] == ':' && is_port(s + host + 1, n - host - 1));
}

static enum sink_error read_brokers(struct kafka_url *u, const char *s, size_t n,
                                    const struct fault *f)
{
    struct text list = {0};

    for (;;) {
        size_t one = strcspn(s, ",");
        bool last = one >= n;
        if (last)
            one = n;
        if (!add_broker(&list, s, one)) {
            text_free(&list);
            if (memchr(s, '@', one)) /* not to be repeated */
                return fail(f, SINK_USAGE,
                            "kafka: no credentials before the host: write "
                            "?sasl.username=NAME&sasl.password=@FILE after HOST[:PORT]");
            return fail(f, SINK_USAGE, "kafka: '%.*s' is not HOST[:PORT]",
                        (int)(one < 64 ? one : 64), s);
        }
        if (last)
            break;
        s += one + 1;
        n -= one + 1;
    }
    u->brokers = text_take(&list);
    return u->brokers ? SINK_OK : fail(f, SINK_CANNOT_WRITE, "out of memory");
}

static enum sink_error read_prefix(struct kafka_url *u, const char *s, size_t n,
                                   const struct fault *f)
{
    if (n > TOPIC_MAX - DATASET_MAX || !all_of(s, n, DIGITS LETTERS "._-"))
        return fail(f, SINK_USAGE,
                    "kafka: a prefix of topics has letters, digits, '.', '_' and '-' only");
    u->prefix = strndup(s, n);
    return u->prefix ? SINK_OK : fail(f, SINK_CANNOT_WRITE, "out of memory");
}

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* NULL: no memory, or a % that two digits do not follow, or a NUL. */
static char *decode(const char *s, size_t n)
{
    char *out = malloc(n + 1), *to = out;

    for (size_t i = 0; out && i < n; i++) {
        int high = -1, low = -1;
        if (s[i] != '%') {
            *to++ = s[i];
            continue;
        }
        if (n - i > 2) {
            high = hex(s[i + 1]);
            low = hex(s[i + 2]);
        }
        if (high < 0 || low < 0 || high + low == 0) {
            free(out);
            return NULL;
        }
        *to++ = (char)(high << 4 | low);
        i += 2;
    }
    if (out)
        *to = '\0';
    return out;
}

static void wipe(char *s)
{
    if (s)
        explicit_bzero(s, strlen(s));
    free(s);
}

/* The text of a file without the end of its last line. */
static enum sink_error read_file(char **to, const char *name, const char *path,
                                 const struct fault *f)
{
    FILE *in = fopen(path, "re");
    char *text = in ? malloc(SECRET_FILE_MAX + 1) : NULL;

    if (!text) {
        enum sink_error why = errno == EACCES ? SINK_DENIED : SINK_USAGE;
        fail(f, why, "kafka: %s: %s: %s", name, path, strerror(errno));
        if (in)
            fclose(in);
        return why;
    }
    size_t n = fread(text, 1, SECRET_FILE_MAX + 1, in);
    bool bad = ferror(in) || n > SECRET_FILE_MAX || memchr(text, '\0', n) != NULL;
    fclose(in);
    while (!bad && n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
        n--;
    text[bad ? 0 : n] = '\0';
    *to = text;
    return bad ? fail(f, SINK_USAGE, "kafka: %s: %s: cannot be read, too large, or no text", name,
                      path)
               : SINK_OK;
}

static bool sounds_secret(const char *name)
{
    static const char *const WORDS[] = {"password",           "secret",  "jaas",
                                        "oauthbearer.config", "key.pem", "token"};

    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++)
        if (strcasestr(name, WORDS[i]))
            return true;
    return false;
}

static enum sink_error read_property(struct kafka_property *p, const char *s, size_t n,
                                     const struct fault *f)
{
    size_t name = strcspn(s, "=");

    *p = (struct kafka_property){0};
    if (name == 0 || name >= n)
        return fail(f, SINK_USAGE, "kafka: what follows '?' is property=value, joined by '&'");
    p->name = decode(s, name);
    bool from_file = name + 1 < n && s[name + 1] == '@';
    char *value = decode(s + name + 1 + from_file, n - name - 1 - from_file);
    if (!p->name || !value) {
        wipe(value);
        return fail(f, SINK_USAGE,
                    "kafka: %s: '%%' needs two hexadecimal digits, and 00 is not allowed",
                    p->name ? p->name : "a property");
    }
    p->secret = from_file || sounds_secret(p->name);
    if (!from_file) {
        p->value = value;
        return SINK_OK;
    }
    enum sink_error why = read_file(&p->value, p->name, value, f);
    free(value);
    return why;
}

static enum sink_error read_properties(struct kafka_url *u, const char *s, const struct fault *f)
{
    for (bool more = *s != '\0'; more;) {
        size_t n = strcspn(s, "&");
        struct kafka_property *bigger = realloc(u->properties, (u->n + 1) * sizeof *bigger);
        if (!bigger)
            return fail(f, SINK_CANNOT_WRITE, "out of memory");
        u->properties = bigger;
        enum sink_error why = read_property(&bigger[u->n++], s, n, f);
        if (why != SINK_OK)
            return why;
        more = s[n] != '\0';
        s += n + more;
    }
    return SINK_OK;
}

enum sink_error kafka_url_parse(struct kafka_url *u, const char *url, char *err, size_t err_len)
{
    struct fault f = {err, err_len};

    *u = (struct kafka_url){0};
    if (strncmp(url, "//", 2) == 0) /* as in kafka://host, which many will write */
        url += 2;
    size_t all = strcspn(url, "?"), hosts = strcspn(url, "/?");
    size_t slash = hosts < all; /* before the prefix */
    enum sink_error why = read_brokers(u, url, hosts, &f);
    if (why == SINK_OK)
        why = read_prefix(u, url + hosts + slash, all - hosts - slash, &f);
    if (why == SINK_OK)
        why = read_properties(u, url[all] ? url + all + 1 : "", &f);
    if (why != SINK_OK)
        kafka_url_free(u);
    return why;
}

void kafka_url_free(struct kafka_url *u)
{
    free(u->brokers);
    free(u->prefix);
    for (size_t i = 0; i < u->n; i++) {
        free(u->properties[i].name);
        wipe(u->properties[i].value);
    }
    free(u->properties);
    *u = (struct kafka_url){0};
}

bool kafka_url_leaks(const struct kafka_url *u, const char *text)
{
    for (size_t i = 0; i < u->n; i++) {
        const struct kafka_property *p = &u->properties[i];
        if (p->secret && strlen(p->value) >= LEAK_FROM && strstr(text, p->value))
            return true;
    }
    return false;
}
