/* signatures/message/registry.c - the message detectors, in the order they are asked. */
#include "signatures/message/message.h"

const struct message_detector *const message_detectors[] = {
    &credentials_detector, &cleartext_detector, &origin_detector,    &serializer_detector,
    &pickle_detector,      &body_detector,      &exception_detector, &signing_detector,
    &malformed_detector,   &refused_detector,   &lua_detector,       NULL,
};
