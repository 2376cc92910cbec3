/* dissectors/amqp/amqp.h - what the AMQP dissector says, and when.
 *
 * MSG_COMMAND: each method, when its frame is complete; action: its name. AMQP_METHOD,
 * AMQP_CHANNEL, AMQP_VHOST and USER once known, and its arguments. AMQP_QUEUE is the queue that is
 * meant: the one declared last when the method names none, the one behind a consumer tag or a get.
 * Without conf.commands only methods with METHOD_ALWAYS (methods.h).
 *
 * MSG_ENVELOPE: each message, when its body is complete, after the method's MSG_COMMAND; offset: of
 * the method frame. op OP_PUBLISH "published", OP_DELIVER "delivered" or "redelivered" (deliver,
 * get-ok), OP_RETURN "returned". Headers and properties are in msg.headers and msg.properties. A
 * message that the capture lost the end of is told as far as its header and body were seen
 * (COVER_GAP, or COVER_CLIPPED at the end of the connection). After lost bytes a content header
 * without its method is told too: op by the direction alone, no exchange.
 *
 * MSG_PEER "identified": the server by connection.start, the client by start-ok.
 *
 * MSG_CREDENTIAL "login": start-ok (secure-ok where the mechanism goes on), update-secret
 * (AUTH_KIND says which).
 *
 * MSG_LOGIN "login": OUTCOME success by connection.tune; failure by connection.close 403 before
 * tune, by 402, 403 or 530 between tune and open-ok (AMQP_REPLY_CODE), or by a server that closes
 * the stream after start-ok without a word. AUTH_SECRET is repeated before tune only. A refusal
 * behind tune follows a success: the credential itself was right.
 *
 * MSG_ANOMALY "malformed": once a connection and kind; offset of the frame. Never about what lost
 * bytes or a late start explain.
 *
 * MSG_UNREAD "unread": the server agreed to AMQP 1.0 or 0-10; the connection is left. */
#ifndef DISSECTORS_AMQP_AMQP_H
#define DISSECTORS_AMQP_AMQP_H

#include "dissectors/dissector.h"

/* The probe of amqp_dissector, see dissector.h. */
enum probe amqp_probe(struct bytes head, enum dir dir, bool start);

#endif
