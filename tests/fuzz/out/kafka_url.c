/* Fuzz target: the URL of a Kafka output; what is refused holds nothing, what is taken is whole. */
#include <stdlib.h>

#include "out/kafka_url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *url = malloc(size + 1), err[200];
    struct kafka_url u;

    if (!url)
        return 0;
    memcpy(url, data, size);
    url[size] = '\0';
    bool file = strstr(url, "=@") != NULL; /* not the machine's files */
    if (!file && kafka_url_parse(&u, url, err, sizeof err) == SINK_OK) {
        if (!u.brokers[0] || !u.prefix)
            abort();
        kafka_url_leaks(&u, url);
        kafka_url_free(&u);
    } else if (!file && (u.brokers || u.n)) {
        abort();
    }
    free(url);
    return 0;
}
