/* run/learn.c - see learn.h: the file, and the run around it. */
#include "run/learn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "run/baseline.h"
#include "signatures/learn.h"

struct learning {
    const struct conf *conf;
    struct baseline before; /* what the file holds */
    struct accused *accused;
    char *scratch; /* path of the file that will take its place; NULL: none */
    int fd;        /* of it; -1 */
};

static int read_before(struct learning *l)
{
    if (access(l->conf->learn_file, F_OK) != 0 && errno == ENOENT)
        return 0;
    return baseline_load(&l->before, l->conf->learn_file);
}

int learning_open(const struct conf *conf, struct learning **out)
{
    struct learning *l = calloc(1, sizeof *l);
    int status;

    if (!l)
        return 1;
    l->conf = conf;
    l->fd = -1;
    l->accused = accused_new();
    status = l->accused ? read_before(l) : 1;
    if (status == 0)
        *out = l;
    else
        learning_free(l);
    return status;
}

/* In the same directory, so that one rename puts it in place. */
int learning_begin(struct learning *l)
{
    const char *file = l->conf->learn_file;

    if (asprintf(&l->scratch, "%s.XXXXXX", file) < 0) {
        l->scratch = NULL;
        return 1;
    }
    l->fd = mkostemp(l->scratch, O_CLOEXEC);
    if (l->fd >= 0)
        return 0;
    log_error("--learn: %s: %s", file, strerror(errno));
    free(l->scratch);
    l->scratch = NULL;
    return 74;
}

static void drop_scratch(struct learning *l)
{
    if (l->fd >= 0)
        close(l->fd);
    if (l->scratch)
        unlink(l->scratch);
    free(l->scratch);
    l->scratch = NULL;
    l->fd = -1;
}

void learning_free(struct learning *l)
{
    if (!l)
        return;
    drop_scratch(l);
    accused_free(l->accused);
    baseline_clear(&l->before);
    free(l);
}

void learning_found(struct learning *l, const struct msg *m, const struct finding *f)
{
    accused_note(l->accused, m, f);
}

static bool write_all(int fd, const char *text, size_t n)
{
    while (n > 0) {
        ssize_t wrote = write(fd, text, n);

        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return false;
        text += wrote;
        n -= (size_t)wrote;
    }
    return true;
}

static int put_in_place(struct learning *l, const char *text, size_t n)
{
    bool good = write_all(l->fd, text, n) && fchmod(l->fd, 0640) == 0 && fsync(l->fd) == 0;

    good = close(l->fd) == 0 && good;
    l->fd = -1;
    good = good && rename(l->scratch, l->conf->learn_file) == 0;
    if (!good)
        log_error("--learn: %s: %s", l->conf->learn_file, strerror(errno));
    if (good) {
        free(l->scratch);
        l->scratch = NULL;
    }
    return good ? 0 : 74;
}

static void say(const struct learning *l, const struct learner *learner, const struct facts *facts)
{
    accused_say(l->accused);
    if (learner_odd(learner) > 0)
        log_warn("--learn: %zu names that are no printable text are not learnt",
                 learner_odd(learner));
    if (learner_bare(learner) > l->conf->learn.glob_after)
        log_warn("--learn: %zu names consist of nothing but what is generated: they stay as they "
                 "are",
                 learner_bare(learner));
    if (facts_evicted(facts) > 0 || facts_lost(facts) > 0)
        log_warn("--learn: more was seen than is remembered: %llu facts were forgotten, %llu not "
                 "kept",
                 (unsigned long long)facts_evicted(facts), (unsigned long long)facts_lost(facts));
}

static int write_learnt(struct learning *l, struct learner *learner)
{
    const struct baseline *b = learner_finish(learner);
    char *text = NULL;
    size_t n = 0;
    int status = 1;

    if (b && baseline_print(b, &text, &n))
        status = put_in_place(l, text, n);
    else
        log_error("--learn: out of memory");
    free(text);
    return status;
}

int learning_end(struct learning *l, const struct facts *facts, const struct baseline *known)
{
    struct learn_conf conf = {l->conf->learn.prefix_v4, l->conf->learn.prefix_v6,
                              l->conf->learn.glob_after};
    struct learner *learner;
    int status = 1;

    if (accused_full(l->accused)) {
        log_error("--learn: too many sources of attacks to tell them from the others: nothing is "
                  "learnt");
        return 1;
    }
    learner = learner_new(&conf, &l->before, known);
    if (learner && learn_facts(learner, facts, l->accused)) {
        say(l, learner, facts);
        status = write_learnt(l, learner);
    } else {
        log_error("--learn: out of memory");
    }
    learner_free(learner);
    return status;
}
