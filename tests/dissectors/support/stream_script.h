/* support/stream_script.h - text in which a person writes down what crosses a
 * connection, and what the sensor must say to it.
 *
 *     # a comment
 *     dissector amqp
 *     define frame_end  ce
 *     case a heartbeat and a queue
 *     set commands true              max_body N, max_item N, max_open N, max_pending N, max_depth
 * N, midstream                      max_elements N, both directions were joined in the middle > 08
 * 0000 00000000 $frame_end  the client's packet: hex digits, $names, and the forms below < "OK\r\n"
 * "x"*70000           the server's: text with \r \n \t \0 \\ \" \xNN, repeated
 *     + (4: 0032 (1:"celery"))       more of the same packet; its length in 4 (1, 2, 8) bytes, then
 * it gap > 100                      100 bytes of the client were lost close < the server will say
 * nothing more
 *     ---
 *     command queue.declare-ok < @0 #1 ...
 *
 * What stands before the first `case` holds for all cases of the file. The
 * lines after --- are the message log (msg_log.h); blank lines and comments
 * there do not count. #N in it is the number of the line of traffic, from 1. */
#ifndef TESTS_STREAM_SCRIPT_H
#define TESTS_STREAM_SCRIPT_H

#include <stdio.h>

#include "dissectors/dissector.h"

struct stream_event {
    enum chunk_kind kind;
    enum dir dir;
    uint64_t missing;
    uint8_t *data;
    size_t len;
};

struct stream_case {
    char name[120];
    char dissector[16];
    struct dissect_conf conf; /* budget is NULL */
    bool midstream;
    struct stream_event *events;
    size_t n_events;
    char *expected;                  /* lines, each with its newline */
    long expected_from, expected_to; /* where they stand in the file */
};

struct stream_script {
    struct stream_case *cases;
    size_t n;
};

/* false: what is wrong, with its line, is on standard error. */
bool stream_script_read(struct stream_script *s, const char *path);
void stream_script_free(struct stream_script *s);

#endif
