/* dissectors/apps/serializer.c - the names of kombu's serializers. */
#include "dissectors/apps/celery.h"
#include "dissectors/apps/text.h"

static struct bytes name(const char *text)
{
    return bytes_of(text, strlen(text));
}

static struct bytes by_bytes(const struct document *doc)
{
    if (doc->is_signed)
        return name("auth");
    switch (doc->format) {
    case WHAT_JSON: return name("json");
    case WHAT_PICKLE: return name("pickle");
    case WHAT_YAML: return name("yaml");
    case WHAT_MSGPACK: return name("msgpack");
    default: return name("raw");
    }
}

/* kombu compares content types exactly; one that is missing is application/data
 * (kombu:serialization.py:SerializerRegistry.loads). */
struct bytes serializer_of(const struct msg *in, const struct document *doc)
{
    static const struct {
        struct bytes type;
        const char *name;
    } types[] = {
        {TEXT("application/json"), "json"},   {TEXT("application/x-python-serialize"), "pickle"},
        {TEXT("application/x-yaml"), "yaml"}, {TEXT("application/x-msgpack"), "msgpack"},
        {TEXT("text/plain"), "raw"},          {TEXT("application/text"), "raw"},
    };
    const struct content *c = in->content;
    struct bytes type = c->type;

    if (!in->headers && !in->properties)
        return by_bytes(doc);
    if (type.len == 0 || bytes_eq(type, "application/data"))
        return name(doc->is_signed ? "auth" : "raw");
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (text_same(types[i].type, type))
            return name(types[i].name);
    return type;
}
