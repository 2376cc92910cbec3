/* signatures/signing/store.c - see store.h. */
#include "signatures/signing/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "signatures/signing/certificate.h"

#define FILE_MOST (16u << 20) /* the bundle of all public authorities is a hundredth of it */
#define OPTION    "policy.signing.certificates"

struct cert_store {
    atomic_uint refs;
    struct signer *signers; /* by id once loaded */
    size_t n, room;
};

struct loading {
    struct cert_store *store;
    const char *directory;
    unsigned others; /* certificates that are not RSA */
    char first_other[256];
    bool no_memory;
};

static int compare(struct bytes a, struct bytes b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n > 0 ? memcmp(a.at, b.at, n) : 0;

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static struct bytes id_of(const struct signer *s)
{
    return bytes_of(s->id, s->id_len);
}

static int by_id(const void *a, const void *b)
{
    return compare(id_of(a), id_of(b));
}

static int id_against(const void *id, const void *signer)
{
    return compare(*(const struct bytes *)id, id_of(signer));
}

/* The first one stays: the same certificate may be in a bundle and by itself. */
static bool is_known(const struct loading *l, const struct signer *s, const char *file)
{
    for (size_t i = 0; i < l->store->n; i++) {
        const struct signer *old = &l->store->signers[i];

        if (compare(id_of(old), id_of(s)) != 0)
            continue;
        if (EVP_PKEY_eq(old->key, s->key) != 1)
            log_warn("%s: %s/%s: another key for a signer id that is there already: left out",
                     OPTION, l->directory, file);
        return true;
    }
    return false;
}

static bool grow(struct cert_store *s)
{
    size_t room = s->room > 0 ? s->room * 2 : 16;
    struct signer *more = s->n < s->room ? s->signers : realloc(s->signers, room * sizeof *more);

    if (!more)
        return false;
    if (s->n == s->room)
        s->room = room;
    s->signers = more;
    return true;
}

static void add(struct loading *l, X509 *certificate, const char *file)
{
    struct signer s;

    switch (certificate_read(certificate, &s)) {
    case CERTIFICATE_OTHER_KEY:
        if (l->others++ == 0)
            snprintf(l->first_other, sizeof l->first_other, "%s", file);
        return;
    case CERTIFICATE_BAD:
        log_warn("%s: %s/%s: a certificate that cannot be used: left out", OPTION, l->directory,
                 file);
        return;
    case CERTIFICATE_OK: break;
    }
    if (!is_known(l, &s, file) && grow(l->store)) {
        l->store->signers[l->store->n++] = s;
        return;
    }
    l->no_memory |= l->store->n == l->store->room;
    certificate_free(&s);
}

struct sink {
    struct loading *loading;
    const char *file;
};

static void take(void *ctx, X509 *certificate)
{
    struct sink *s = ctx;

    add(s->loading, certificate, s->file);
}

/* A file's bytes; NULL, and errno: not to be had. A device or a pipe is not waited for. */
static uint8_t *slurp(int directory, const char *name, size_t *len)
{
    struct stat st;
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    uint8_t *data = NULL;

    *len = 0;
    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_MOST)
        errno = S_ISREG(st.st_mode) ? EFBIG : EINVAL;
    else
        data = malloc((size_t)st.st_size + 1);
    while (data && *len < (size_t)st.st_size) {
        ssize_t n = read(fd, data + *len, (size_t)st.st_size - *len);

        if (n <= 0)
            break;
        *len += (size_t)n;
    }
    close(fd);
    return data;
}

static void load_file(struct loading *l, int directory, const char *name)
{
    struct sink sink = {l, name};
    size_t len;
    uint8_t *data = slurp(directory, name, &len);

    if (!data)
        log_warn("%s: %s/%s: %s", OPTION, l->directory, name, strerror(errno));
    else if (!certificate_each(bytes_of(data, len), take, &sink))
        log_warn("%s: %s/%s: no certificate in it, or one that is damaged", OPTION, l->directory,
                 name);
    free(data);
}

static int is_certificate(const struct dirent *e)
{
    static const char *const endings[] = {".pem", ".crt", ".cer"};
    size_t n = strlen(e->d_name);

    for (size_t i = 0; e->d_name[0] != '.' && i < sizeof endings / sizeof *endings; i++)
        if (n > 4 && strcasecmp(e->d_name + n - 4, endings[i]) == 0)
            return 1;
    return 0;
}

static bool load_directory(struct loading *l)
{
    struct dirent **entries = NULL;
    int fd = open(l->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int n = fd < 0 ? -1 : scandirat(fd, ".", &entries, is_certificate, alphasort);
    int why = errno;

    for (int i = 0; i < n; i++) {
        load_file(l, fd, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    if (fd >= 0)
        close(fd);
    errno = why;
    return n >= 0;
}

static void finish(struct loading *l)
{
    if (l->store->n > 0)
        qsort(l->store->signers, l->store->n, sizeof *l->store->signers, by_id);
    if (l->others > 0)
        log_warn("%s: %s: only RSA keys sign tasks: %u other certificate%s left out (first in %s)",
                 OPTION, l->directory, l->others, l->others == 1 ? "" : "s", l->first_other);
    if (l->store->n == 0)
        log_warn("%s: %s: no certificates: every signer is unknown", OPTION, l->directory);
}

struct cert_store *cert_store_load(const char *directory, char *error, size_t error_len)
{
    struct loading l = {.store = calloc(1, sizeof *l.store), .directory = directory};
    bool read;

    snprintf(error, error_len, "%s: out of memory", OPTION);
    if (!l.store)
        return NULL;
    atomic_init(&l.store->refs, 1);
    read = load_directory(&l);
    if (!read)
        snprintf(error, error_len, "%s: %s: %s", OPTION, directory, strerror(errno));
    if (!read || l.no_memory) {
        cert_store_drop(l.store);
        return NULL;
    }
    finish(&l);
    return l.store;
}

struct cert_store *cert_store_take(struct cert_store *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void cert_store_drop(struct cert_store *s)
{
    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < s->n; i++)
        certificate_free(&s->signers[i]);
    free(s->signers);
    free(s);
}

size_t cert_store_count(const struct cert_store *s)
{
    return s->n;
}

const struct signer *cert_store_find(const struct cert_store *s, struct bytes id)
{
    return s->n > 0 ? bsearch(&id, s->signers, s->n, sizeof *s->signers, id_against) : NULL;
}

size_t cert_store_index(const struct cert_store *s, const struct signer *signer)
{
    return (size_t)(signer - s->signers);
}
