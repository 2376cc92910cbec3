/* run/unread.h - protocols that brokers of tasks also speak and that the sensor
 * names without reading them: STOMP, MQTT, RabbitMQ streams, TLS. Pure functions of
 * the first bytes. (AMQP 1.0 is named by the AMQP dissector.) */
#ifndef RUN_UNREAD_H
#define RUN_UNREAD_H

#include "base/bytes.h"

/* The client's first bytes: "stomp", "mqtt", "stream", or NULL. */
const char *unread_hello(struct bytes head);
/* Does the server's first answer say that it serves the protocol? (An error answer
 * of the protocol says so too.) */
bool unread_answer(const char *protocol, struct bytes head);
/* A TLS record with a ClientHello or ServerHello in it (RFC 8446 4, 5.1). */
bool unread_is_tls(struct bytes head);

#endif
