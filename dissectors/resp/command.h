/* dissectors/resp/command.h - what is known of a command before it is answered: where
 * its keys and values stand, what its reply holds, and what a detector may ask about it.
 * Const data; nothing here knows a connection.
 *
 * Sources: redis:src/commands (7.4, 8), valkey:src/commands (8), RedisJSON's docs. */
#ifndef DISSECTORS_RESP_COMMAND_H
#define DISSECTORS_RESP_COMMAND_H

#include "dissectors/msg.h"

#define COMMAND_NAME_MAX 40u

enum command_keys {
    KEYS_NONE,
    KEYS_RANGE,        /* first, last (negative: from the end), step */
    KEYS_COUNTED,      /* argument `first` is how many follow it */
    KEYS_DEST_COUNTED, /* 1, and those counted by argument `first` */
    KEYS_STREAMS,      /* the first half of what follows STREAMS */
    KEYS_MIGRATE,      /* 3, or what follows KEYS */
    KEYS_STORE,        /* 1, and what follows STORE or STOREDIST */
};

enum command_values {
    VALUES_NONE,
    VALUES_AT,     /* argument `at` */
    VALUES_FROM,   /* all from `at` on */
    VALUES_FIELDS, /* field, value, ... from `at` on */
    VALUES_MSET,   /* key, value, ... from `at` on */
    VALUES_ZADD,   /* [NX|XX|GT|LT|CH|INCR]... score, member, ... */
    VALUES_XADD,   /* [NOMKSTREAM] [trimming] id, field, value, ... */
    VALUES_GEOADD, /* [NX|XX|CH]... longitude, latitude, member, ... */
    VALUES_SCRIPT, /* behind the keys */
    VALUES_HSETEX, /* [options] FIELDS n field, value, ... */
    VALUES_MSETEX, /* n key, value, ... [options] */
};

enum command_channels { CHANNELS_NONE, CHANNELS_FIRST, CHANNELS_ALL };

/* What the reply holds. */
enum command_reply {
    REPLY_META,     /* nothing that was stored: states, counts, names */
    REPLY_VALUES,   /* values of the first key */
    REPLY_FIELD,    /* one value, of argument 2 */
    REPLY_TAKEN,    /* values, which are off the key now */
    REPLY_KEYED,    /* key first, values, which are off it now */
    REPLY_BY_KEY,   /* the n-th value belongs to the n-th key */
    REPLY_BY_FIELD, /* and to the n-th field */
    REPLY_HASH,     /* field, value, ... */
    REPLY_SCAN,     /* cursor; values */
    REPLY_HSCAN,    /* cursor; field, value, ... */
    REPLY_ENTRIES,  /* of a stream: [id, [field, value, ...]], ... */
    REPLY_CLAIMED,  /* cursor; entries; ids */
    REPLY_STREAMS,  /* key, entries */
    REPLY_STREAMS_TAKEN,
    REPLY_ANY, /* whatever a script or an unknown command returns */
    REPLY_CONFIG,
    REPLY_HELLO,
    REPLY_INFO,
    REPLY_EXEC,
    REPLY_SUBSCRIBED,
};

/* What kinds of reply it can have, errors aside: to find the place again after a gap. */
enum command_expect { EXPECT_STATUS = 1, EXPECT_INT = 2, EXPECT_BULK = 4, EXPECT_LIST = 8 };

/* What it does to the connection, or tells about it. */
enum command_act {
    ACT_NONE,
    ACT_AUTH,
    ACT_HELLO,
    ACT_SELECT,
    ACT_MULTI,
    ACT_EXEC,
    ACT_DISCARD,
    ACT_AT_ONCE, /* not queued by MULTI: WATCH, QUIT, ... */
    ACT_RESET,
    ACT_SUBSCRIBE,
    ACT_UNSUBSCRIBE,
    ACT_MONITOR,
    ACT_SYNC,
    ACT_PSYNC,
    ACT_REPLCONF,
    ACT_CLIENT_REPLY,
    ACT_CLIENT_SETINFO,
    ACT_CONFIG_SET,
    ACT_ACL_SETUSER,
    ACT_MIGRATE,
    ACT_SENTINEL_SET,
    ACT_SENTINEL_CONFIG_SET,
};

enum command_flag {
    COMMAND_DATA = 1,          /* reads or writes data */
    COMMAND_WATCH = 2,         /* always told, with its reply */
    COMMAND_TOLD = 4,          /* told when it is sent; its reply is not */
    COMMAND_KEY_WATCH = 8,     /* told when it is sent, if its key is one of kombu's or redbeat's */
    COMMAND_SECRET = 16,       /* its arguments are never shown */
    COMMAND_CONTAINER = 32,    /* its first argument is a subcommand */
    COMMAND_SETTLES = 64,      /* takes a task out of `unacked`: see watched.h; always told, if its
                                * key is redbeat's */
    COMMAND_NAME_WATCH = 128,  /* told when it is sent, if its key might be the name of a queue;
                                * with its reply if it has several such keys */
    COMMAND_OTHER_WATCH = 256, /* makes its key something else than a list; kombu itself sends it,
                                * about a key of its own: told when it is sent, if its key is
                                * another of those, or might be the name of a queue */
    COMMAND_INDEXES = 512,     /* changes `unacked_index` as kombu does: see watched.h */
    COMMAND_RESULT_WATCH = 1024, /* writes what is not among its arguments: told when it is sent, if
                                  * its key is that of a result */
    /* What may be asked of a command that is not laid out. */
    COMMAND_WATCHED_KEYS = COMMAND_SETTLES | COMMAND_NAME_WATCH | COMMAND_OTHER_WATCH,
};

struct command {
    char name[COMMAND_NAME_MAX]; /* upper case; with its subcommand; zeros behind it */
    int8_t arity;                /* as Redis has it: the name counts; negative: at least */
    uint8_t keys, first, step;
    int8_t last;
    uint8_t values, at, op;
    uint8_t channels;
    uint8_t reply, expect, act;
    uint8_t data; /* from this argument on they are of what is stored, like values; 0: none */
    uint16_t flags;
};

/* command_table[0] is a command that is not known, [1] one of a module whose family is. */
#define COMMAND_UNKNOWN 0u
#define COMMAND_MODULE  1u
extern const struct command command_table[];
extern const unsigned command_count;

/* By its name, in any case; NULL: not in the table. For a container, its own row. */
const struct command *command_find(struct bytes name);
/* The row of a request of `n` >= 1 arguments: of its subcommand if it is a container that has it,
 * else the container's own; of what is not known one of the first two. Never NULL. */
const struct command *command_of(const struct bytes *args, uint32_t n);

/* command_words.c: the name of a command of the usual modules; and a subcommand that container `c`
 * has, though no row: both are public. */
bool command_is_modules(struct bytes name);
bool command_has_word(const struct command *c, struct bytes word);

/* Its name in the table; empty for the first two. */
static inline struct bytes command_name(const struct command *c)
{
    uint64_t first;

    memcpy(&first, c->name, sizeof first);
    if (first == 0 || c->name[sizeof first - 1] != 0)
        return bytes_of(c->name, strlen(c->name));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return bytes_of(c->name, sizeof first - (size_t)__builtin_clzll(first) / 8);
#else
    return bytes_of(c->name, strlen(c->name));
#endif
}

/* Nobody asks about it, it does nothing to the connection, and the table has its name: only its
 * values are told. */
static inline bool command_is_ordinary(const struct command *c)
{
    return !(c->flags & ~(unsigned)(COMMAND_DATA | COMMAND_INDEXES | COMMAND_WATCHED_KEYS)) &&
           c->act == ACT_NONE && c->name[0] != 0;
}

/* Whether the key that it writes may be another than the first. */
static inline bool command_writes_many(const struct command *c)
{
    return c->values == VALUES_MSET || c->values == VALUES_MSETEX || c->keys == KEYS_STORE;
}

static inline unsigned command_code(const struct command *c)
{
    return (unsigned)(c - command_table);
}

/* How the arguments of one request lie; made once it is complete, or as far as it came. */
struct command_layout {
    uint32_t keys_from, keys_end; /* index of the first key, of the last one + 1; 0: none */
    uint32_t keys_step;
    uint32_t key_extra; /* one more key: a destination; 0: none */
    uint32_t values_from, values_end;
    uint8_t values_step; /* of `step` arguments the last one is the value */
};

/* `n` arguments of `total`, from args[0], the command itself, on. */
void command_lay_out(const struct command *c, const struct bytes *args, uint32_t n, uint32_t total,
                     struct command_layout *l);

enum command_role {
    ROLE_OTHER,
    ROLE_KEY,
    ROLE_VALUE,
    ROLE_FIELD,
    ROLE_NAME, /* subcommand, channel, setting: shown */
    ROLE_SECRET,
};

/* The role of argument i >= 1. */
enum command_role command_role(const struct command *c, const struct command_layout *l,
                               const struct bytes *args, uint32_t n, uint32_t i);

/* A setting whose value is a credential (redis:src/config.c, SENSITIVE_CONFIG; src/sentinel.c). */
bool command_setting_is_secret(struct bytes name);

bool bytes_eq_case(struct bytes b, const char *upper);

#endif
