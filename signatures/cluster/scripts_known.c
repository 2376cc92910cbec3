/* signatures/cluster/scripts_known.c - the scripts of Celery, kombu and of others' clients that
 * share a Redis with them, by the SHA-1 of their text. Each was computed from the source that is
 * named with it; global_keyprefix changes keys and no text. */
#include <stdlib.h>
#include <string.h>

#include "signatures/cluster/scripts.h"

/* Sorted. */
static const char known[][SCRIPT_HEX + 1] = {
    "10808fbebdc9b5ffafa2b7f5f2ce29a5bc6a1e07", /* rq:scripts.py:UNIQUE_SCHEDULE_SCRIPT 3.0 */
    "1cac51482acf5858da00f6d685d68f886cd6b6b2", /* redis-py:lock.py:LUA_REACQUIRE_SCRIPT 3.5 to 8.1
                                                 */
    "249269d94f90c85be8630a56564ef51c1b3b851b", /* KEDA:pkg/scalers/redis_scaler.go:NewRedisScaler
                                                   2.0 to 2.17: it asks how long a queue is */
    "278660b4d8ddac79ba2d92e01aec72cec171f4b2", /* huey:storage.py:SCHEDULE_POP_LUA 2.5 */
    "411b7c153e0ab3ba59d6d1e36cc7858ebd76f2c5", /* redbeat:schedulers.py:LUA_EXTEND_TO_SCRIPT 2.0
                                                   to 2.4 */
    "4227fa753143e6f652e2e185d254964b3a7413a5", /* rq:scripts.py:ACQUIRE_OR_REFRESH_LOCK_SCRIPT 3.0
                                                 */
    "4a484ac024e9b025224cd9f8e1d59dbf3c15d00d", /* redis-py:lock.py:LUA_EXTEND_SCRIPT 2.10 */
    "4ce96f07c3f3cca3ca58da6fbeb7d07ebf1e23d4", /* rq:rate_limit.py:RELEASE_STALE_AND_ENQUEUE_SCRIPT 3.0
                                                 */
    "4d15273b16b10c15e1d9202cbe93c959ab7d250b", /* django-redis:client/default.py:DefaultClient._incr
                                                   4.12 to 7.0, whether it is there or not */
    "4f30a2b0c2d7759adb15efd0d270a583531c67e2", /* huey:storage.py:SCHEDULE_POP_LUA 3.3 to 3.5 */
    "5248a0e34777b7cdd5d790c028b47e9061dc5fa0", /* rq:queue.py:Queue.empty 1.16 to 2.3 */
    "5688a2541c9edd77746bcd2385e65ff3639a664f", /* redis-py:lock.py:LUA_ACQUIRE_SCRIPT 2.10 */
    "59d7aab41242d82196947ba8926cab712416da4f", /* celery:backends/redis.py:CHORD_CLEANUP_LUA 5.7 */
    "5b83f28203fe8c5d659dad4a4d9cb09dddab19fe", /* rq:rate_limit.py:ACQUIRE_AND_ENQUEUE_SCRIPT 3.0
                                                 */
    "5cee5213d2ee93f19f93badbfc1c8abbccde5baf", /* rq:scripts.py:UNIQUE_ENQUEUE_SCRIPT 3.0 */
    "63a257ff9edcee2888529b5d51c86f83444f91e4", /* dramatiq:brokers/redis/maxstack.lua 1.17 to 2.2
                                                 */
    "7fa455bebd62656de6babbbc824b8d61d51651b4", /* huey:contrib/helpers.py:RENEW_LUA 3.5 */
    "88e0ad130d43a138d9a49c94534e6295326e3bbc", /* huey:contrib/helpers.py:ACQUIRE_LUA 3.5 */
    "976fb89fbb3c404c8c7bed59060c56521eb9ba69", /* dramatiq:brokers/redis/dispatch.lua 1.17 */
    "9a2b966a0a2d2d0e36ec32bc30fc89342b94a4bf", /* kombu:transport/redis.py:SWEEP_BINDINGS 5.7 */
    "a08640cb6d2244b627dffdfd70c3f445d8c9cf2c", /* huey:storage.py:SCHEDULE_POP_LUA 1.11 to 2.4 */
    "a4e8783852e6b949f9ef3a97212805108459a890", /* redis-py:lock.py:LUA_EXTEND_SCRIPT 3.5 to 8.1 */
    "a716b92c4190e42558ccd53d80fe6b942719be32", /* rq:rate_limit.py:RELEASE_AND_ENQUEUE_SCRIPT 3.0
                                                 */
    "b3ee5dcfdd9c987f22a7271c7eea4d326e2f58d6", /* rq:queue.py:Queue.empty 3.0 */
    "b8fc152c83a7e634103ccebd49dcd3146a8f4366", /* celery:backends/redis.py:CHORD_PART_RETURN_LUA 5.7
                                                 */
    "c3f8721cbb97f72bc19e972846bd7aaf91901658", /* redis-py:lock.py:LUA_RELEASE_SCRIPT 2.10 to 8.1
                                                 */
    "cfc2f03eedca3549565274b1b2452765456ea38c", /* rq:rate_limit.py:CLEANUP_REGISTRY_SCRIPT 3.0 */
    "d44df6e1a0e76df1009084a91af26cc23ac035a9", /* rq:scripts.py:RELEASE_LOCK_SCRIPT 3.0 */
    "dc87180d6bcb7f73c7275eb0fe7a70baf0a8b7c7", /* celery:backends/redis.py:CHORD_CLAIM_EXTEND_LUA 5.7
                                                 */
    "ef7a9e205fbaf46bf959e1522ff796622fc676c7", /* kombu:transport/redis.py:REFRESH_BINDING 5.7 */
    "f4a7da3e5d8ea3b46642af08427151cae0190400", /* django-redis:client/default.py:DefaultClient._incr
                                                   4.12 to 7.0 */
    "fdacc359c79a5adc3b8eeb53ff5772d7c42144e3", /* dramatiq:brokers/redis/dispatch.lua 2.2 */
};

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, SCRIPT_HEX);
}

bool script_is_known(const char hex[SCRIPT_HEX])
{
    return bsearch(hex, known, sizeof known / sizeof *known, sizeof *known, compare) != NULL;
}
