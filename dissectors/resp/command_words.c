/* dissectors/resp/command_words.c - names that are public, beside those of the table: of the
 * modules' commands, and of subcommands that have no row. Whatever is in neither may be a secret
 * that somebody typed in the place of a command.
 *
 * Sources: redis:src/commands (7.4, 8), src/debug.c, src/sentinel.c; valkey:src/commands (8); the
 * command references of RedisJSON, RediSearch, RedisTimeSeries and RedisBloom. */
#include "dissectors/resp/command.h"

/* By family, or by container; the words in one row, each between blanks. */
struct words {
    const char *of, *words;
};

static const struct words modules[] = {
    {"JSON.", " ARRAPPEND ARRINDEX ARRINSERT ARRLEN ARRPOP ARRTRIM CLEAR DEBUG DEL FORGET GET MERGE"
              " MGET MSET NUMINCRBY NUMMULTBY NUMPOWBY OBJKEYS OBJLEN RESP SET STRAPPEND STRLEN"
              " TOGGLE TYPE "},
    {"FT.", " ADD AGGREGATE ALIASADD ALIASDEL ALIASUPDATE ALTER CONFIG CREATE CURSOR DEBUG DEL"
            " DICTADD DICTDEL DICTDUMP DROP DROPINDEX EXPLAIN EXPLAINCLI GET HYBRID INFO MGET"
            " PROFILE SEARCH SPELLCHECK SUGADD SUGDEL SUGGET SUGLEN SYNADD SYNDUMP SYNUPDATE"
            " TAGVALS _LIST "},
    {"TS.", " ADD ALTER CREATE CREATERULE DECRBY DEL DELETERULE GET INCRBY INFO MADD MGET MRANGE"
            " MREVRANGE QUERYINDEX RANGE REVRANGE "},
    {"BF.", " ADD CARD DEBUG EXISTS INFO INSERT LOADCHUNK MADD MEXISTS RESERVE SCANDUMP "},
    {"CF.", " ADD ADDNX COMPACT COUNT DEBUG DEL EXISTS INFO INSERT INSERTNX LOADCHUNK MEXISTS"
            " RESERVE SCANDUMP "},
    {"CMS.", " INCRBY INFO INITBYDIM INITBYPROB MERGE QUERY "},
    {"TDIGEST.", " ADD BYRANK BYREVRANK CDF CREATE INFO MAX MERGE MIN QUANTILE RANK RESET REVRANK"
                 " TRIMMED_MEAN "},
    {"TOPK.", " ADD COUNT INCRBY INFO LIST QUERY RESERVE "},
};

static const struct words containers[] = {
    {"ACL", " HELP LOG "},
    {"CLIENT", " EVICT HELP "},
    {"CLUSTER", " ADDSLOTS ADDSLOTSRANGE BUMPEPOCH CANCELSLOTMIGRATIONS COUNT-FAILURE-REPORTS"
                " DELSLOTS DELSLOTSRANGE FAILOVER FLUSHSLOTS FORGET GETKEYSINSLOT GETSLOTMIGRATIONS"
                " HELP MIGRATESLOTS MIGRATION REPLICAS REPLICATE RESET SAVECONFIG SET-CONFIG-EPOCH"
                " SLAVES SLOT-STATS SYNCSLOTS "},
    {"COMMANDLOG", " GET HELP LEN RESET "},
    {"DEBUG", " AOF-FLUSH-SLEEP AOFSTAT ASSERT CHANGE-REPL-ID CLIENT-ENFORCE-REPLY-LIST"
              " CLIENT-EVICTION CLUSTERLINK CONFIG-REWRITE-FORCE-ALL CRASH-AND-RECOVER"
              " CRASH-AND-RESTART DICT-RESIZING DICT-STATS DIGEST DIGEST-VALUE DROP-CLUSTER-PACKET-"
              "FILTER ERROR HELP HTSTATS HTSTATS-KEY JMAP LEAK LISTPACK LOADAOF LOG MALLCTL"
              " MALLCTL-STR PANIC POPULATE PROTOCOL PAUSE-CRON QUICKLIST QUICKLIST-PACKED-THRESHOLD"
              " RELOAD REPLICATE REPLYBUFFER RESTART SDSLEN SEGFAULT SET-ACTIVE-EXPIRE"
              " SET-DISABLE-DENY-SCRIPTS SLEEP STRINGMATCH-LEN STRUCTSIZE ZIPLIST "},
    {"LATENCY", " DOCTOR GRAPH HELP HISTOGRAM HISTORY LATEST RESET "},
    {"MEMORY", " DOCTOR HELP MALLOC-STATS PURGE STATS "},
    {"MODULE", " HELP "},
    {"SENTINEL", " DEBUG FLUSHCONFIG HELP INFO-CACHE IS-MASTER-DOWN-BY-ADDR"
                 " IS-PRIMARY-DOWN-BY-ADDR GET-PRIMARY-ADDR-BY-NAME PENDING-SCRIPTS PRIMARIES"
                 " PRIMARY SIMULATE-FAILURE "},
};

/* `word`, in any case, among `words`. */
static bool among(const char *words, struct bytes word)
{
    for (const char *at = words + 1; *at; at++) {
        const char *end = strchr(at, ' ');
        size_t n = (size_t)(end - at);
        char one[COMMAND_NAME_MAX] = {0};

        if (n == word.len && n < sizeof one) {
            memcpy(one, at, n);
            if (bytes_eq_case(word, one))
                return true;
        }
        at = end;
    }
    return false;
}

bool command_is_modules(struct bytes name)
{
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
        struct bytes rest = name, family = bytes_cut(&rest, strlen(modules[i].of));

        if (rest.len < name.len && bytes_eq_case(family, modules[i].of))
            return among(modules[i].words, rest);
    }
    return false;
}

bool command_has_word(const struct command *c, struct bytes word)
{
    for (size_t i = 0; i < sizeof containers / sizeof *containers; i++)
        if (strcmp(containers[i].of, c->name) == 0)
            return among(containers[i].words, word);
    return false;
}
