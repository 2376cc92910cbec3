/* signatures/message/message.h - the detectors of this folder, for the registry.
 * To add one: a file with one `const struct message_detector`, a line here, a
 * line in registry.c, its rules in ../rules.tsv. */
#ifndef SIGNATURES_MESSAGE_MESSAGE_H
#define SIGNATURES_MESSAGE_MESSAGE_H

#include "signatures/detector.h"

extern const struct message_detector credentials_detector;
extern const struct message_detector origin_detector;
extern const struct message_detector serializer_detector;
extern const struct message_detector cleartext_detector;
extern const struct message_detector malformed_detector;
extern const struct message_detector pickle_detector;
extern const struct message_detector exception_detector;
extern const struct message_detector body_detector;
extern const struct message_detector signing_detector;
extern const struct message_detector refused_detector;
extern const struct message_detector lua_detector;

#endif
