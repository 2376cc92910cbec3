/* signatures/learn_shape.h - names whose generated part differs from one start of a program to the
 * next: which part that is, and the glob that covers all such names. Pure.
 *
 * Generated are, in the first label of a host's name (and in the part of a node's name before its
 * '@'): numbers between separators (worker-12, ip-10-0-0-12), the two last parts of a pod's name
 * (web-7d9f8b6c5d-x2x9z; kubernetes:apimachinery/pkg/util/rand), hexadecimal digits (of a
 * container, of an instance: eight or more with a digit among them), UUIDs, and parts in which
 * letters and digits take turns. Of a name with a number behind it (web12) the number. Labels right
 * behind the first that are a number (of a dyno, of a slot) or 25 small letters and digits (a
 * Swarm's task), and names that are a link-local address. */
#ifndef SIGNATURES_LEARN_SHAPE_H
#define SIGNATURES_LEARN_SHAPE_H

#include "base/bytes.h"

#define SHAPE_ROOM 1024u /* bytes that a glob may take, with its NUL */

enum shape {
    SHAPE_NONE,    /* nothing is generated: *to is the name itself */
    SHAPE_NAMED,   /* what is not generated names whose it is: web-* */
    SHAPE_GENERIC, /* a form that others have as well: ip-*, twelve hexadecimal digits */
    SHAPE_BARE,    /* nothing else is there: *to is the name itself */
};

/* Writes the glob of a name of at most 255 bytes: special characters in it stand behind '\'. */
enum shape learn_shape(struct bytes name, char to[SHAPE_ROOM]);
/* The glob that matches this name (of at most 255 bytes) only. */
void learn_escape(struct bytes name, char to[SHAPE_ROOM]);
/* The glob of a queue's name (of at most 255 bytes): a UUID in it is made at each start
 * (kombu:common.py:Broadcast), and stands for all. */
void learn_queue(struct bytes name, char to[SHAPE_ROOM]);
/* The name that a literal glob stands for, in place. false: it is no literal. */
bool learn_unescape(char *glob);

#endif
