/* dissectors/resp/conn.h - what is known of one connection, and what the files of this
 * dissector pass to each other. Nobody else includes it. */
#ifndef DISSECTORS_RESP_CONN_H
#define DISSECTORS_RESP_CONN_H

#include "dissectors/resp/command.h"
#include "dissectors/resp/pair.h"
#include "dissectors/resp/value.h"

#define ARGS_MAX          1024u /* arguments of one request that are held together */
#define ARGS_FIRST        64u   /* of a larger one, these stay, cut to ARGS_TRIM bytes */
#define ARGS_TRIM         256u
#define LIST_KEYS         (256u << 10) /* bytes of keys or fields that a reply belongs to */
#define PENDING_BYTES_MAX (1u << 20)
#define PENDING_BLIND     256u /* commands that wait while no reply was ever seen */

struct request; /* request.h */

/* What the reply in progress is taken for. */
enum reply_mode {
    MODE_PAIRED,    /* the reply to the first waiting command */
    MODE_UNPAIRED,  /* to a command that is not known */
    MODE_EXEC,      /* its elements are the replies to the queued ones */
    MODE_UNDECIDED, /* its first element says whether it is a message */
    MODE_MESSAGE,   /* channel, payload */
    MODE_PMESSAGE,  /* pattern, channel, payload */
    MODE_CONFIRM,   /* of a subscription */
    MODE_PASS,      /* nothing that matters */
};

#define REPLY_WORD 32u

struct reply {
    struct bytes first, second; /* key or channel; field or pattern: views, or in `saved` */
    uint8_t *saved;   /* both, when a cut of the stream went between them and their value */
    uint32_t list_at; /* how far the record's list was read */
    uint8_t mode;     /* enum reply_mode */
    bool open;
    bool first_held, second_held;   /* they lie in the parser's buffer, and are saved at once */
    bool first_saved, second_saved; /* they are */
    uint32_t commands;              /* MODE_EXEC: elements of the whole */
    /* of the whole reply, or of the element of EXEC */
    uint8_t kind;     /* of the value */
    bool null, gap;   /* gap: bytes of it were lost */
    bool map;         /* RESP3's form of an array of pairs */
    uint8_t word_len; /* first word of an error */
    char word[REPLY_WORD];
    uint64_t size;    /* bytes of a text, elements of an aggregate */
    bool no_password; /* the error says that the server has none */
    bool bad_password;
};

enum quiet { QUIET_NO, QUIET_OFF, QUIET_ONCE };

struct resp_conn {
    const struct dissect_conf *conf;
    struct resp_value way[2];
    struct request *request; /* in progress, when a chunk ended in it */
    struct pair pair;
    struct reply reply;
    char *user;           /* logged in as; NULL: nobody yet */
    char *lib;            /* CLIENT SETINFO LIB-NAME; until LIB-VER */
    uint32_t settled;     /* when HDEL of `unacked` was told last: see watched.c */
    uint32_t indexed;     /* ZADD or ZREM of its index */
    int32_t db, db_multi; /* db_multi: SELECT inside MULTI; -1: none */
    uint32_t ahead;       /* replies that were seen before their requests */
    uint16_t broken;      /* kinds of anomaly that were told */
    uint8_t coverage;     /* COVER_MIDSTREAM, COVER_GAP: of all that follows */
    uint8_t quiet;        /* enum quiet: CLIENT REPLY */
    uint8_t data_asked;
    bool begun[2];
    bool multi : 1;
    bool resp3 : 1;
    bool subscribed : 1;
    bool monitor : 1;
    bool sync : 1;    /* SYNC or PSYNC waits, or did */
    bool replica : 1; /* PSYNC went through: what follows is not answered */
    bool logged_in : 1;
    bool data_done : 1; /* a data command succeeded */
    bool noauth_told : 1;
    bool replied : 1;     /* a reply was seen */
    bool unsure : 1;      /* pairing may be off: bytes were lost, or we came late */
    bool matched : 1;     /* a reply fitted since */
    bool never_whole : 1; /* the start or some bytes were missed: nothing follows from what was not
                             seen */
    bool http : 1;
    bool server_closed : 1;
};

/* One call of feed(). */
struct feed {
    struct resp_conn *conn;
    const struct dissect_out *out;
    const struct chunk *chunk;
    struct request *request; /* the one in progress, or a fresh one */
    struct pair_entry entry; /* that the reply in progress answers */
    bool has_entry;
};

#endif
