/* dissectors/apps/cache.c - pickled values that caches, sessions and schedulers keep on
 * Redis, named by the form of their keys; and pickles that nobody knows. So are messages that do
 * harm by being read at all: a worker decodes what it cannot name
 * (celery:worker/consumer/consumer.py:Consumer.create_task_handler). */
#include "dissectors/apps/stored.h"
#include "dissectors/apps/text.h"
#include "dissectors/content/yaml_tag.h"

/* "<prefix>:<version>:<key>" (jazzband/django-redis:django_redis/util.py:default_key_func;
 * django/django:django/core/cache/backends/base.py:default_key_func). */
static bool is_django(struct bytes key)
{
    for (;;) {
        size_t colon = text_find(key, ":"), n;

        if (colon == key.len)
            return false;
        key = text_after(key, colon + 1);
        for (n = 0; n < key.len && key.at[n] >= '0' && key.at[n] <= '9'; n++)
            ;
        if (n > 0 && n < key.len && key.at[n] == ':')
            return true;
    }
}

/* cachelib writes "!" before a pickle (pallets-eco/cachelib:src/cachelib/serializers.py:
 * BaseRedisSerializer.dumps). */
static bool is_marked(const struct msg *in)
{
    return in->content->body.len > 1 && in->content->body.at[0] == '!';
}

static const char *app_of(const struct msg *raw)
{
    struct bytes key = stored_key(raw);

    if (is_marked(raw) || text_starts(key, "flask_cache_"))
        return "flask-caching";
    if (text_starts(key, "session:"))
        return "flask-session";
    if (text_starts(key, "apscheduler."))
        return "apscheduler";
    return is_django(key) ? "django" : "other";
}

/* Decompressed or parsed before anyone asks what it is. */
static bool harms_reader(const struct msg *in, struct arena *arena)
{
    const struct content *c = in->content;
    bool message = in->headers || in->properties || place_is_amqp(in);
    struct yaml_tag tag;

    return message &&
           ((c->bomb && c->compression.len > 0) ||
            (c->what == WHAT_YAML && yaml_python_tag(content_inner(c), c->clipped, arena, &tag)));
}

static bool read(const struct msg *in, const struct interpret_out *out)
{
    const struct msg *raw = in->cause && !in->cause->cause ? in->cause : in;
    struct msg m;

    if (!in->content)
        return false;
    if (in->content->what == WHAT_PICKLE) {
        bool redis = stored_is_raw(raw) && !in->headers && !in->properties;

        stored_begin(&m, in, redis ? app_of(raw) : "other");
        out->emit(out->ctx, &m);
        return true;
    }
    if (harms_reader(in, out->arena)) {
        stored_begin(&m, in, "other");
        out->emit(out->ctx, &m);
        return true;
    }
    if (!stored_is_raw(in) || !is_marked(in))
        return false;
    stored_behind(in, 1, out);
    return true;
}

const struct interpreter cache_interpreter = {
    .name = "cache",
    .reads = MSG_ENVELOPE,
    .read = read,
};
