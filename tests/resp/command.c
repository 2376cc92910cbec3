/* command.c - the table of commands: for each, how the arguments of a request lie, and
 * when it is told. The keys are those of COMMAND GETKEYS of a real server, 7.0.15, where it has the
 * command. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dissectors/resp/command.h"

/* clang-format off */
enum told { NO, KOMBU, OTHER, NAMED, SENT, ALWAYS };

/* K key, V value, F field of the next value, N a name that is shown, S a secret, . anything else. */
static const struct {
    const char *request, *name, *roles;
    enum told told;
} rows[] = {
    {"APPEND k v", "APPEND", "KV", NAMED},
    {"DECR k", "DECR", "K", NAMED},
    {"DECRBY k 5", "DECRBY", "K.", NAMED},
    {"DELEX k IFEQ v", "DELEX", "KVV", ALWAYS},
    {"DIGEST k", "DIGEST", "K", NO},
    {"GET k", "GET", "K", NO},
    {"GETDEL k", "GETDEL", "K", NO},
    {"GETEX k EX 10", "GETEX", "K..", NO},
    {"GETRANGE k 0 5", "GETRANGE", "K..", NO},
    {"GETSET k v", "GETSET", "KV", NAMED},
    {"INCR k", "INCR", "K", NAMED},
    {"INCRBY k 5", "INCRBY", "K.", NAMED},
    {"INCRBYFLOAT k 1.5", "INCRBYFLOAT", "K.", NAMED},
    {"LCS a b IDX", "LCS", "KK.", NO},
    {"MGET a b c", "MGET", "KKK", NO},
    {"MSET a 1 b 2", "MSET", "KVKV", NAMED},
    {"MSETEX 2 a v b w EX 5", "MSETEX", ".KVKV..", NAMED},
    {"MSETNX a 1 b 2", "MSETNX", "KVKV", NAMED},
    {"PSETEX k 10 v", "PSETEX", "K.V", NAMED},
    {"SET k v EX 10 NX", "SET", "KV...", NAMED},
    {"SET k v IFEQ w GET", "SET", "KV.V.", NAMED},
    {"SET k v IFDNE d EX 10", "SET", "KV.V..", NAMED},
    {"SETEX k 10 v", "SETEX", "K.V", NAMED},
    {"SETNX k v", "SETNX", "KV", NAMED},
    {"SETRANGE k 5 v", "SETRANGE", "K.V", NAMED},
    {"STRLEN k", "STRLEN", "K", NO},
    {"SUBSTR k 0 5", "SUBSTR", "K..", NO},
    {"BITCOUNT k 0 5", "BITCOUNT", "K..", NO},
    {"BITFIELD k GET u8 0", "BITFIELD", "KVVV", NAMED},
    {"BITFIELD_RO k GET u8 0", "BITFIELD_RO", "K...", NO},
    {"BITOP AND d a b", "BITOP", ".KKK", NAMED},
    {"BITPOS k 1", "BITPOS", "K.", NO},
    {"GETBIT k 5", "GETBIT", "K.", NO},
    {"SETBIT k 5 1", "SETBIT", "K..", NAMED},
    {"COPY a b DB 1", "COPY", "KK..", ALWAYS},
    {"DEL a b", "DEL", "KK", ALWAYS},
    {"DUMP k", "DUMP", "K", ALWAYS},
    {"EXISTS a b", "EXISTS", "KK", NO},
    {"EXPIRE k 10 NX", "EXPIRE", "K..", NAMED},
    {"EXPIREAT k 10", "EXPIREAT", "K.", NAMED},
    {"EXPIRETIME k", "EXPIRETIME", "K", NO},
    {"KEYS *", "KEYS", ".", ALWAYS},
    {"MIGRATE h 6379 k 0 5000 COPY AUTH pw", "MIGRATE", "..K....S", ALWAYS},
    {"MIGRATE h 6379 \"\" 0 5000 AUTH2 u pw KEYS a b", "MIGRATE", "......SSSKK", ALWAYS},
    {"MOVE k 1", "MOVE", "K.", ALWAYS},
    {"PERSIST k", "PERSIST", "K", NO},
    {"PEXPIRE k 10", "PEXPIRE", "K.", NAMED},
    {"PEXPIREAT k 10", "PEXPIREAT", "K.", NAMED},
    {"PEXPIRETIME k", "PEXPIRETIME", "K", NO},
    {"PTTL k", "PTTL", "K", NO},
    {"RANDOMKEY", "RANDOMKEY", "", ALWAYS},
    {"RENAME a b", "RENAME", "KK", ALWAYS},
    {"RENAMENX a b", "RENAMENX", "KK", ALWAYS},
    {"RESTORE k 0 blob REPLACE", "RESTORE", "K.V.", ALWAYS},
    {"RESTORE-ASKING k 0 blob", "RESTORE-ASKING", "K.V", ALWAYS},
    {"SCAN 0 MATCH x", "SCAN", "...", ALWAYS},
    {"SORT k BY w LIMIT 0 1 GET p STORE d", "SORT", "KVVVVVVVVK", ALWAYS},
    {"SORT_RO k DESC", "SORT_RO", "KV", ALWAYS},
    {"TOUCH a b", "TOUCH", "KK", NO},
    {"TTL k", "TTL", "K", NO},
    {"TYPE k", "TYPE", "K", NO},
    {"UNLINK a b", "UNLINK", "KK", ALWAYS},
    {"OBJECT ENCODING k", "OBJECT ENCODING", "NK", NO},
    {"OBJECT FREQ k", "OBJECT FREQ", "NK", NO},
    {"OBJECT IDLETIME k", "OBJECT IDLETIME", "NK", NO},
    {"OBJECT REFCOUNT k", "OBJECT REFCOUNT", "NK", NO},
    {"BLMOVE a b LEFT RIGHT 0", "BLMOVE", "KK...", ALWAYS},
    {"BLMPOP 0 2 a b LEFT COUNT 2", "BLMPOP", "..KK...", ALWAYS},
    {"BLPOP a b 0", "BLPOP", "KK.", SENT},
    {"BRPOP a b 0", "BRPOP", "KK.", SENT},
    {"BRPOPLPUSH a b 0", "BRPOPLPUSH", "KK.", ALWAYS},
    {"LINDEX k 0", "LINDEX", "K.", ALWAYS},
    {"LINSERT k BEFORE p v", "LINSERT", "K.VV", ALWAYS},
    {"LLEN k", "LLEN", "K", NO},
    {"LMOVE a b LEFT RIGHT", "LMOVE", "KK..", ALWAYS},
    {"LMPOP 2 a b LEFT", "LMPOP", ".KK.", ALWAYS},
    {"LPOP k 2", "LPOP", "K.", ALWAYS},
    {"LPOS k v", "LPOS", "KV", NO},
    {"LPUSH k v w", "LPUSH", "KVV", NO},
    {"LPUSHX k v w", "LPUSHX", "KVV", NO},
    {"LRANGE k 0 9", "LRANGE", "K..", ALWAYS},
    {"LREM k 0 v", "LREM", "K.V", ALWAYS},
    {"LSET k 0 v", "LSET", "K.V", ALWAYS},
    {"LTRIM k 0 9", "LTRIM", "K..", ALWAYS},
    {"RPOP k", "RPOP", "K", SENT},
    {"RPOPLPUSH a b", "RPOPLPUSH", "KK", ALWAYS},
    {"RPUSH k v w", "RPUSH", "KVV", NO},
    {"RPUSHX k v", "RPUSHX", "KV", NO},
    {"HDEL k f g", "HDEL", "KVV", NO},
    {"HEXISTS k f", "HEXISTS", "KV", NO},
    {"HEXPIRE k 10 FIELDS 1 f", "HEXPIRE", "KVVVV", KOMBU},
    {"HEXPIREAT k 10 FIELDS 1 f", "HEXPIREAT", "KVVVV", KOMBU},
    {"HEXPIRETIME k FIELDS 1 f", "HEXPIRETIME", "KVVV", NO},
    {"HGET k f", "HGET", "KV", NO},
    {"HGETALL k", "HGETALL", "K", KOMBU},
    {"HGETDEL k FIELDS 1 f", "HGETDEL", "KVVV", KOMBU},
    {"HGETEX k EX 5 FIELDS 1 f", "HGETEX", "KVVVVV", KOMBU},
    {"HINCRBY k f 1", "HINCRBY", "KVV", NAMED},
    {"HINCRBYFLOAT k f 1.5", "HINCRBYFLOAT", "KVV", NAMED},
    {"HKEYS k", "HKEYS", "K", NO},
    {"HLEN k", "HLEN", "K", NO},
    {"HMGET k f g", "HMGET", "KVV", NO},
    {"HMSET k f v g w", "HMSET", "KFVFV", OTHER},
    {"HPERSIST k FIELDS 1 f", "HPERSIST", "KVVV", NO},
    {"HPEXPIRE k 10 FIELDS 1 f", "HPEXPIRE", "KVVVV", KOMBU},
    {"HPEXPIREAT k 10 FIELDS 1 f", "HPEXPIREAT", "KVVVV", KOMBU},
    {"HPEXPIRETIME k FIELDS 1 f", "HPEXPIRETIME", "KVVV", NO},
    {"HPTTL k FIELDS 1 f", "HPTTL", "KVVV", NO},
    {"HRANDFIELD k 1 WITHVALUES", "HRANDFIELD", "K..", KOMBU},
    {"HSCAN k 0 MATCH x", "HSCAN", "K...", KOMBU},
    {"HSET k f v g w", "HSET", "KFVFV", OTHER},
    {"HSETEX k FNX EX 5 FIELDS 2 f v g w", "HSETEX", "K.....FVFV", OTHER},
    {"HSETNX k f v", "HSETNX", "KFV", OTHER},
    {"HSTRLEN k f", "HSTRLEN", "KV", NO},
    {"HTTL k FIELDS 1 f", "HTTL", "KVVV", NO},
    {"HVALS k", "HVALS", "K", KOMBU},
    {"SADD k v w", "SADD", "KVV", KOMBU},
    {"SCARD k", "SCARD", "K", NO},
    {"SDIFF a b", "SDIFF", "KK", NO},
    {"SDIFFSTORE d a b", "SDIFFSTORE", "KKK", NAMED},
    {"SINTER a b", "SINTER", "KK", NO},
    {"SINTERCARD 2 a b LIMIT 5", "SINTERCARD", ".KK..", NO},
    {"SINTERSTORE d a b", "SINTERSTORE", "KKK", NAMED},
    {"SISMEMBER k v", "SISMEMBER", "KV", NO},
    {"SMEMBERS k", "SMEMBERS", "K", NO},
    {"SMISMEMBER k v w", "SMISMEMBER", "KVV", NO},
    {"SMOVE a b v", "SMOVE", "KKV", ALWAYS},
    {"SPOP k 1", "SPOP", "K.", KOMBU},
    {"SRANDMEMBER k 1", "SRANDMEMBER", "K.", NO},
    {"SREM k v w", "SREM", "KVV", KOMBU},
    {"SSCAN k 0", "SSCAN", "K.", NO},
    {"SUNION a b", "SUNION", "KK", NO},
    {"SUNIONSTORE d a b", "SUNIONSTORE", "KKK", NAMED},
    {"BZMPOP 0 2 a b MIN", "BZMPOP", "..KK.", ALWAYS},
    {"BZPOPMAX a b 0", "BZPOPMAX", "KK.", ALWAYS},
    {"BZPOPMIN a b 0", "BZPOPMIN", "KK.", ALWAYS},
    {"ZADD k NX GT CH 1 v 2 w", "ZADD", "K....V.V", OTHER},
    {"ZADD k 1 NX", "ZADD", "K.V", OTHER},
    {"ZCARD k", "ZCARD", "K", NO},
    {"ZCOUNT k 0 9", "ZCOUNT", "K..", NO},
    {"ZDIFF 2 a b WITHSCORES", "ZDIFF", ".KK.", NO},
    {"ZDIFFSTORE d 2 a b", "ZDIFFSTORE", "K.KK", NAMED},
    {"ZINCRBY k 1 v", "ZINCRBY", "K.V", NAMED},
    {"ZINTER 2 a b WEIGHTS 1 2", "ZINTER", ".KK...", NO},
    {"ZINTERCARD 2 a b LIMIT 1", "ZINTERCARD", ".KK..", NO},
    {"ZINTERSTORE d 2 a b AGGREGATE MIN", "ZINTERSTORE", "K.KK..", NAMED},
    {"ZLEXCOUNT k - +", "ZLEXCOUNT", "K..", NO},
    {"ZMPOP 1 a MIN", "ZMPOP", ".K.", ALWAYS},
    {"ZMSCORE k v w", "ZMSCORE", "KVV", NO},
    {"ZPOPMAX k 1", "ZPOPMAX", "K.", KOMBU},
    {"ZPOPMIN k", "ZPOPMIN", "K", KOMBU},
    {"ZRANDMEMBER k 1 WITHSCORES", "ZRANDMEMBER", "K..", NO},
    {"ZRANGE k 0 9 WITHSCORES", "ZRANGE", "K...", NO},
    {"ZRANGEBYLEX k - +", "ZRANGEBYLEX", "K..", NO},
    {"ZRANGEBYSCORE k 0 9", "ZRANGEBYSCORE", "K..", NO},
    {"ZRANGESTORE d k 0 9", "ZRANGESTORE", "KK..", NAMED},
    {"ZRANK k v", "ZRANK", "KV", NO},
    {"ZREM k v w", "ZREM", "KVV", NO},
    {"ZREMRANGEBYLEX k - +", "ZREMRANGEBYLEX", "K..", KOMBU},
    {"ZREMRANGEBYRANK k 0 9", "ZREMRANGEBYRANK", "K..", KOMBU},
    {"ZREMRANGEBYSCORE k 0 9", "ZREMRANGEBYSCORE", "K..", KOMBU},
    {"ZREVRANGE k 0 9", "ZREVRANGE", "K..", NO},
    {"ZREVRANGEBYLEX k + -", "ZREVRANGEBYLEX", "K..", NO},
    {"ZREVRANGEBYSCORE k 9 0", "ZREVRANGEBYSCORE", "K..", NO},
    {"ZREVRANK k v", "ZREVRANK", "KV", NO},
    {"ZSCAN k 0", "ZSCAN", "K.", NO},
    {"ZSCORE k v", "ZSCORE", "KV", NO},
    {"ZUNION 2 a b", "ZUNION", ".KK", NO},
    {"ZUNIONSTORE d 2 a b", "ZUNIONSTORE", "K.KK", NAMED},
    {"XACK k g 1-1", "XACK", "K..", NO},
    {"XACKDEL k g KEEPREF IDS 1 1-1", "XACKDEL", "K.....", NO},
    {"XADD k * f v g w", "XADD", "K.FVFV", NAMED},
    {"XADD k NOMKSTREAM MAXLEN ~ 100 LIMIT 5 1-1 f v", "XADD", "K.......FV", NAMED},
    {"XADD k MINLEN = 5 * f v", "XADD", "K....FV", NAMED},
    {"XAUTOCLAIM k g c 0 0 COUNT 5", "XAUTOCLAIM", "K......", NO},
    {"XCLAIM k g c 0 1-1", "XCLAIM", "K....", NO},
    {"XDEL k 1-1", "XDEL", "K.", NO},
    {"XDELEX k KEEPREF IDS 1 1-1", "XDELEX", "K....", NO},
    {"XGROUP CREATE k g 0", "XGROUP CREATE", "NKVV", NAMED},
    {"XGROUP CREATECONSUMER k g c", "XGROUP CREATECONSUMER", "NKVV", NO},
    {"XGROUP DELCONSUMER k g c", "XGROUP DELCONSUMER", "NKVV", NO},
    {"XGROUP DESTROY k g", "XGROUP DESTROY", "NKV", NO},
    {"XGROUP SETID k g 0", "XGROUP SETID", "NKVV", NO},
    {"XINFO CONSUMERS k g", "XINFO CONSUMERS", "NK.", NO},
    {"XINFO GROUPS k", "XINFO GROUPS", "NK", NO},
    {"XINFO STREAM k", "XINFO STREAM", "NK", NO},
    {"XLEN k", "XLEN", "K", NO},
    {"XPENDING k g", "XPENDING", "K.", NO},
    {"XRANGE k - +", "XRANGE", "K..", NO},
    {"XREAD COUNT 2 BLOCK 0 STREAMS a b 0 0", "XREAD", ".....KK..", NO},
    {"XREADGROUP GROUP g c COUNT 1 STREAMS a b > >", "XREADGROUP", "......KK..", SENT},
    {"XREVRANGE k + -", "XREVRANGE", "K..", NO},
    {"XSETID k 1-1", "XSETID", "K.", NO},
    {"XTRIM k MAXLEN 5", "XTRIM", "K..", NO},
    {"GEOADD k NX 1.0 2.0 v 3.0 4.0 w", "GEOADD", "K...V..V", NAMED},
    {"GEODIST k a b", "GEODIST", "KVV", NO},
    {"GEOHASH k a", "GEOHASH", "KV", NO},
    {"GEOPOS k a", "GEOPOS", "KV", NO},
    {"GEORADIUS k 1 2 3 m STORE d", "GEORADIUS", "K.....K", NAMED},
    {"GEORADIUSBYMEMBER k a 3 m STOREDIST d", "GEORADIUSBYMEMBER", "KVVVVK", NAMED},
    {"GEORADIUSBYMEMBER_RO k a 3 m", "GEORADIUSBYMEMBER_RO", "KVVV", NO},
    {"GEORADIUS_RO k 1 2 3 m", "GEORADIUS_RO", "K....", NO},
    {"GEOSEARCH k FROMMEMBER a BYRADIUS 1 m", "GEOSEARCH", "KVVVVV", NO},
    {"GEOSEARCHSTORE d k FROMMEMBER a BYRADIUS 1 m", "GEOSEARCHSTORE", "KK.....", NAMED},
    {"PFADD k v w", "PFADD", "KVV", NAMED},
    {"PFCOUNT a b", "PFCOUNT", "KK", NO},
    {"PFDEBUG GETREG k", "PFDEBUG", ".K", ALWAYS},
    {"PFMERGE d a b", "PFMERGE", "KKK", NAMED},
    {"VADD k VALUES 1 1.0 e", "VADD", "KVVVV", NAMED},
    {"VCARD k", "VCARD", "K", NO},
    {"VDIM k", "VDIM", "K", NO},
    {"VEMB k e", "VEMB", "KV", NO},
    {"VGETATTR k e", "VGETATTR", "KV", NO},
    {"VINFO k", "VINFO", "K", NO},
    {"VISMEMBER k e", "VISMEMBER", "KV", NO},
    {"VLINKS k e", "VLINKS", "KV", NO},
    {"VRANDMEMBER k 2", "VRANDMEMBER", "K.", NO},
    {"VREM k e", "VREM", "KV", NO},
    {"VSETATTR k e v", "VSETATTR", "KVV", NO},
    {"VSIM k ELE e", "VSIM", "KVV", NO},
    {"JSON.ARRAPPEND k $.a v", "JSON.ARRAPPEND", "K.V", NO},
    {"JSON.DEL k", "JSON.DEL", "K", NO},
    {"JSON.GET k $.a", "JSON.GET", "K.", NO},
    {"JSON.MERGE k $ v", "JSON.MERGE", "K.V", NAMED},
    {"JSON.MGET a b $.a", "JSON.MGET", "KK.", NO},
    {"JSON.SET k $ v NX", "JSON.SET", "K.V.", NAMED},
    {"PSUBSCRIBE p q", "PSUBSCRIBE", "NN", ALWAYS},
    {"PUBLISH c v", "PUBLISH", "NV", NO},
    {"PUBSUB CHANNELS x", "PUBSUB CHANNELS", "N.", ALWAYS},
    {"PUNSUBSCRIBE p", "PUNSUBSCRIBE", "N", NO},
    {"SPUBLISH c v", "SPUBLISH", "NV", NO},
    {"SSUBSCRIBE c", "SSUBSCRIBE", "N", ALWAYS},
    {"SUBSCRIBE c d", "SUBSCRIBE", "NN", ALWAYS},
    {"SUNSUBSCRIBE c", "SUNSUBSCRIBE", "N", NO},
    {"UNSUBSCRIBE", "UNSUBSCRIBE", "", NO},
    {"EVAL s 2 a b v w", "EVAL", "..KKVV", ALWAYS},
    {"EVAL s 0 v", "EVAL", "..V", ALWAYS},
    {"EVALSHA s 1 a v", "EVALSHA", "..KV", ALWAYS},
    {"EVALSHA_RO s 1 a v", "EVALSHA_RO", "..KV", ALWAYS},
    {"EVAL_RO s 1 a v", "EVAL_RO", "..KV", ALWAYS},
    {"FCALL f 1 a v", "FCALL", "..KV", ALWAYS},
    {"FCALL_RO f 1 a v", "FCALL_RO", "..KV", ALWAYS},
    {"FUNCTION LOAD REPLACE code", "FUNCTION LOAD", "NVV", ALWAYS},
    {"SCRIPT LOAD code", "SCRIPT LOAD", "NV", ALWAYS},
    {"WATCH a b", "WATCH", "KK", NO},
    {"AUTH pw", "AUTH", "S", ALWAYS},
    {"AUTH u pw", "AUTH", "SS", ALWAYS},
    {"HELLO 3 AUTH u pw SETNAME n", "HELLO", ".SSSSS", ALWAYS},
    {"CLIENT SETNAME n", "CLIENT SETNAME", "NS", NO},
    {"CLIENT KILL ID 5", "CLIENT KILL", "N..", ALWAYS},
    {"SELECT 3", "SELECT", ".", NO},
    {"ECHO v", "ECHO", "V", NO},
    {"ACL SETUSER u on >pw", "ACL SETUSER", "NSSS", ALWAYS},
    {"ACL GETUSER u", "ACL GETUSER", "N.", ALWAYS},
    {"CLUSTER MEET h 6379", "CLUSTER MEET", "N..", ALWAYS},
    {"COMMAND DOCS x", "COMMAND DOCS", "N.", ALWAYS},
    {"CONFIG GET dir save", "CONFIG GET", "NNN", ALWAYS},
    {"CONFIG SET dir /tmp requirepass 1234 maxclients 9", "CONFIG SET", "NN.NSSS", ALWAYS},
    {"DEBUG OBJECT k", "DEBUG OBJECT", "NK", ALWAYS},
    {"DEBUG SLEEP 1", "DEBUG", "N.", ALWAYS},
    {"FLUSHALL ASYNC", "FLUSHALL", ".", ALWAYS},
    {"INFO server", "INFO", ".", NO},
    {"MEMORY USAGE k", "MEMORY USAGE", "NK", NO},
    {"MEMORY DOCTOR", "MEMORY", "N", ALWAYS},
    {"MODULE LOAD /x.so a", "MODULE LOAD", "NVV", ALWAYS},
    {"REPLICAOF h 6379", "REPLICAOF", "..", ALWAYS},
    {"SENTINEL SET m auth-pass pw quorum 2", "SENTINEL SET", "N.NSSS", ALWAYS},
    {"SENTINEL CONFIG SET sentinel-pass pw", "SENTINEL CONFIG SET", "NNNS", ALWAYS},
    {"SENTINEL MONITOR m h 6379 2", "SENTINEL MONITOR", "N....", ALWAYS},
    {"SLAVEOF NO ONE", "SLAVEOF", "..", ALWAYS},
    {"SWAPDB 0 1", "SWAPDB", "..", ALWAYS},
    {"WAIT 1 0", "WAIT", "..", NO},
    {"nosuch a b 5", "", "SSS", ALWAYS},
    {"FT.SEARCH i q", "", "KV", NO},
    {"TS.ADD k 1 2.0", "", "KVV", NO},
    {"system.exec id", "", "S", ALWAYS},
};
/* clang-format on */

/* Splits at spaces; "" is an empty argument. */
static uint32_t split(const char *request, struct bytes args[64])
{
    uint32_t n = 0;

    for (const char *at = request; *at;) {
        size_t len = strcspn(at, " ");
        args[n++] = len == 2 && memcmp(at, "\"\"", 2) == 0 ? bytes_of(at, 0) : bytes_of(at, len);
        at += len + (at[len] == ' ');
    }
    return n;
}

static const char *roles_of(const struct command *c, const struct bytes *args, uint32_t n)
{
    static char roles[64];
    struct command_layout l;

    command_lay_out(c, args, n, n, &l);
    for (uint32_t i = 1; i < n; i++)
        roles[i - 1] = ".KVFNS"[command_role(c, &l, args, n, i)];
    roles[n - 1] = 0;
    return roles;
}

static void each_command_has_its_keys_and_values(void **state)
{
    struct bytes args[64];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t n = split(rows[i].request, args);
        const struct command *c = command_of(args, n);

        if (strcmp(c->name, rows[i].name) != 0 || strcmp(roles_of(c, args, n), rows[i].roles) != 0)
            fail_msg("%s: %s %s", rows[i].request, c->name, roles_of(c, args, n));
        assert_true(c->arity < 0 ? (int)n >= -c->arity : (int)n == c->arity);
    }
}

static void each_command_is_told_when_a_detector_asks_for_it(void **state)
{
    struct bytes args[64];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t n = split(rows[i].request, args);
        unsigned flags = command_of(args, n)->flags;
        enum told told = flags & COMMAND_WATCH         ? ALWAYS
                         : flags & COMMAND_TOLD        ? SENT
                         : flags & COMMAND_KEY_WATCH   ? KOMBU
                         : flags & COMMAND_NAME_WATCH  ? NAMED
                         : flags & COMMAND_OTHER_WATCH ? OTHER
                                                       : NO;
        if (told != rows[i].told)
            fail_msg("%s: told %d", rows[i].request, told);
    }
}

static void every_name_is_found_in_any_case_and_nothing_else_is(void **state)
{
    char name[COMMAND_NAME_MAX + 1];

    (void)state;
    for (unsigned i = 2; i < command_count; i++) {
        size_t n = strlen(command_table[i].name);
        assert_in_range(n, 3, COMMAND_NAME_MAX - 1);
        memcpy(name, command_table[i].name, n + 1);
        assert_ptr_equal(command_find(bytes_of(name, n)), &command_table[i]);
        for (size_t k = 0; k < n; k += 2)
            if (name[k] >= 'A' && name[k] <= 'Z')
                name[k] = (char)(name[k] + 0x20);
        assert_ptr_equal(command_find(bytes_of(name, n)), &command_table[i]);
        name[n] = 0;
        assert_null(command_find(bytes_of(name, n + 1)));
        name[n] = 'X';
        const struct command *longer = command_find(bytes_of(name, n + 1));
        assert_true(!longer || strlen(longer->name) == n + 1);
        name[n - 1] = (char)(name[n - 1] + (char)0x80);
        assert_null(command_find(bytes_of(name, n)));
    }
    assert_null(command_find(bytes_of("", 0)));
    assert_null(command_find(bytes_of("@ET", 3)));
    assert_null(command_find(bytes_of("`et", 3)));
    assert_null(command_find(bytes_of("a very long name that is no command at all", 42)));
}

static void letters_around_a_to_z_are_left_alone(void **state)
{
    (void)state;
    assert_non_null(command_find(bytes_of("sort_ro", 7)));
    assert_non_null(command_find(bytes_of("RESTORE-asking", 14)));
    assert_null(command_find(bytes_of("sort\x7fro", 7)));
    assert_null(command_find(bytes_of("SORT?RO", 7)));
}

static void what_is_cut_short_has_no_values_behind_its_end(void **state)
{
    struct bytes args[64];
    struct command_layout l;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t total = split(rows[i].request, args);
        for (uint32_t n = 1; n <= total; n++) {
            const struct command *c = command_of(args, n);
            command_lay_out(c, args, n, n, &l);
            assert_true(l.keys_end <= n && l.values_end <= n && l.key_extra <= n);
            assert_true(l.keys_from <= l.keys_end && l.values_from <= l.values_end);
            for (uint32_t k = 1; k < n; k++)
                (void)command_role(c, &l, args, n, k);
        }
    }
}

static void counts_that_lie_do_not_reach_beyond_the_request(void **state)
{
    static const char *const requests[] = {"EVAL s 99999999999 a",
                                           "EVAL s -1 a",
                                           "EVAL s x a",
                                           "LMPOP 4294967297 a LEFT",
                                           "ZUNIONSTORE d 100 a",
                                           "HSETEX k FIELDS 999999999999999999 f v",
                                           "MSETEX 999999999999999999 a b",
                                           "XREAD STREAMS",
                                           "MIGRATE h 1",
                                           "XADD k MAXLEN",
                                           "ZADD k NX XX",
                                           "GEOADD k NX",
                                           "SORT k STORE"};
    struct bytes args[64];
    struct command_layout l;

    (void)state;
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        uint32_t n = split(requests[i], args);
        command_lay_out(command_of(args, n), args, n, n, &l);
        assert_true(l.keys_end <= n && l.values_end <= n && l.key_extra < n);
    }
}

static void the_index_is_that_of_the_table(void **state)
{
    (void)state;
    if (system("python3 -c '' 2>/dev/null") != 0) {
        printf("SKIP: no python3\n");
        skip();
    }
    assert_int_equal(system("python3 " SOURCE_DIR "/dissectors/resp/command_index.py --check"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_command_has_its_keys_and_values),
        cmocka_unit_test(each_command_is_told_when_a_detector_asks_for_it),
        cmocka_unit_test(every_name_is_found_in_any_case_and_nothing_else_is),
        cmocka_unit_test(letters_around_a_to_z_are_left_alone),
        cmocka_unit_test(what_is_cut_short_has_no_values_behind_its_end),
        cmocka_unit_test(counts_that_lie_do_not_reach_beyond_the_request),
        cmocka_unit_test(the_index_is_that_of_the_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
