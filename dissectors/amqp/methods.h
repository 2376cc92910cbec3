/* dissectors/amqp/methods.h - every method of AMQP 0-9-1 as RabbitMQ speaks it,
 * and of 0-8 where that differs. Data only; method.h gives it names and types.
 *
 * A row: id, class, method, name, who sends it, flags (METHOD_* of method.h), arguments in
 * the order of the wire. Arguments: O octet, H short, W long, X longlong, S short string,
 * L long string, T table, B bit; with a name, the field of a record that they
 * fill (field.h), with _ none. Bits that stand together share octets.
 *
 * Sources: rabbitmq/rabbitmq-codegen:amqp-rabbitmq-0.9.1.json,
 * rabbitmq/rabbitmq-server:deps/rabbitmq_codegen/amqp-rabbitmq-0.8.json. */
#ifndef DISSECTORS_AMQP_METHODS_H
#define DISSECTORS_AMQP_METHODS_H

/* clang-format off */
#define AMQP_METHOD_LIST(M) \
    M(CONNECTION_START,        10, 10, "connection.start",        SERVER, ALWAYS, O(_), O(_), T(_), L(_), L(_)) \
    M(CONNECTION_START_OK,     10, 11, "connection.start-ok",     CLIENT, ALWAYS, T(_), S(AMQP_MECHANISM), L(_), S(_)) \
    M(CONNECTION_SECURE,       10, 20, "connection.secure",       SERVER, ALWAYS, L(_)) \
    M(CONNECTION_SECURE_OK,    10, 21, "connection.secure-ok",    CLIENT, ALWAYS, L(_)) \
    M(CONNECTION_TUNE,         10, 30, "connection.tune",         SERVER, ALWAYS, H(_), W(_), H(_)) \
    M(CONNECTION_TUNE_OK,      10, 31, "connection.tune-ok",      CLIENT, ALWAYS, H(_), W(_), H(_)) \
    M(CONNECTION_OPEN,         10, 40, "connection.open",         CLIENT, ALWAYS, S(AMQP_VHOST), S(_), B(_)) \
    M(CONNECTION_OPEN_OK,      10, 41, "connection.open-ok",      SERVER, ALWAYS, S(_)) \
    M(CONNECTION_CLOSE,        10, 50, "connection.close",        BOTH,   ALWAYS, H(AMQP_REPLY_CODE), S(AMQP_REPLY_TEXT), H(_), H(_)) \
    M(CONNECTION_CLOSE_OK,     10, 51, "connection.close-ok",     BOTH,   ALWAYS, NONE) \
    M(CONNECTION_BLOCKED,      10, 60, "connection.blocked",      SERVER, ALWAYS, S(_)) \
    M(CONNECTION_UNBLOCKED,    10, 61, "connection.unblocked",    SERVER, ALWAYS, NONE) \
    M(CONNECTION_UPDATE_SECRET, 10, 70, "connection.update-secret", CLIENT, ALWAYS, L(_), S(_)) \
    M(CONNECTION_UPDATE_SECRET_OK, 10, 71, "connection.update-secret-ok", SERVER, ALWAYS, NONE) \
    M(CHANNEL_OPEN,            20, 10, "channel.open",            CLIENT, 0,      S(_)) \
    M(CHANNEL_OPEN_OK,         20, 11, "channel.open-ok",         SERVER, 0,      L(_)) \
    M(CHANNEL_FLOW,            20, 20, "channel.flow",            BOTH,   0,      B(_)) \
    M(CHANNEL_FLOW_OK,         20, 21, "channel.flow-ok",         BOTH,   0,      B(_)) \
    M(CHANNEL_CLOSE,           20, 40, "channel.close",           BOTH,   ALWAYS, H(AMQP_REPLY_CODE), S(AMQP_REPLY_TEXT), H(_), H(_)) \
    M(CHANNEL_CLOSE_OK,        20, 41, "channel.close-ok",        BOTH,   0,      NONE) \
    M(ACCESS_REQUEST,          30, 10, "access.request",          CLIENT, 0,      S(_), B(_), B(_), B(_), B(_), B(_)) \
    M(ACCESS_REQUEST_OK,       30, 11, "access.request-ok",       SERVER, 0,      H(_)) \
    M(EXCHANGE_DECLARE,        40, 10, "exchange.declare",        CLIENT, ALWAYS, H(_), S(AMQP_EXCHANGE), S(AMQP_EXCHANGE_TYPE), B(PASSIVE), B(_), B(_), B(_), B(_), T(_)) \
    M(EXCHANGE_DECLARE_OK,     40, 11, "exchange.declare-ok",     SERVER, 0,      NONE) \
    M(EXCHANGE_DELETE,         40, 20, "exchange.delete",         CLIENT, ALWAYS, H(_), S(AMQP_EXCHANGE), B(_), B(_)) \
    M(EXCHANGE_DELETE_OK,      40, 21, "exchange.delete-ok",      SERVER, 0,      NONE) \
    M(EXCHANGE_BIND,           40, 30, "exchange.bind",           CLIENT, ALWAYS, H(_), S(AMQP_DESTINATION), S(AMQP_EXCHANGE), S(AMQP_ROUTING_KEY), B(_), T(_)) \
    M(EXCHANGE_BIND_OK,        40, 31, "exchange.bind-ok",        SERVER, 0,      NONE) \
    M(EXCHANGE_UNBIND,         40, 40, "exchange.unbind",         CLIENT, ALWAYS, H(_), S(AMQP_DESTINATION), S(AMQP_EXCHANGE), S(AMQP_ROUTING_KEY), B(_), T(_)) \
    M(EXCHANGE_UNBIND_OK,      40, 51, "exchange.unbind-ok",      SERVER, 0,      NONE) \
    M(QUEUE_DECLARE,           50, 10, "queue.declare",           CLIENT, ALWAYS | QUEUE, H(_), S(AMQP_QUEUE), B(_), B(_), B(_), B(_), B(_), T(_)) \
    M(QUEUE_DECLARE_OK,        50, 11, "queue.declare-ok",        SERVER, ALWAYS | QUEUE, S(AMQP_QUEUE), W(_), W(_)) \
    M(QUEUE_BIND,              50, 20, "queue.bind",              CLIENT, ALWAYS | QUEUE, H(_), S(AMQP_QUEUE), S(AMQP_EXCHANGE), S(AMQP_ROUTING_KEY), B(_), T(_)) \
    M(QUEUE_BIND_OK,           50, 21, "queue.bind-ok",           SERVER, 0,      NONE) \
    M(QUEUE_PURGE,             50, 30, "queue.purge",             CLIENT, ALWAYS | QUEUE, H(_), S(AMQP_QUEUE), B(_)) \
    M(QUEUE_PURGE_OK,          50, 31, "queue.purge-ok",          SERVER, 0,      W(_)) \
    M(QUEUE_DELETE,            50, 40, "queue.delete",            CLIENT, ALWAYS | QUEUE, H(_), S(AMQP_QUEUE), B(_), B(_), B(_)) \
    M(QUEUE_DELETE_OK,         50, 41, "queue.delete-ok",         SERVER, 0,      W(_)) \
    M(QUEUE_UNBIND,            50, 50, "queue.unbind",            CLIENT, ALWAYS | QUEUE, H(_), S(AMQP_QUEUE), S(AMQP_EXCHANGE), S(AMQP_ROUTING_KEY), T(_)) \
    M(QUEUE_UNBIND_OK,         50, 51, "queue.unbind-ok",         SERVER, 0,      NONE) \
    M(BASIC_QOS,               60, 10, "basic.qos",               CLIENT, 0,      W(_), H(_), B(_)) \
    M(BASIC_QOS_OK,            60, 11, "basic.qos-ok",            SERVER, 0,      NONE) \
    M(BASIC_CONSUME,           60, 20, "basic.consume",           CLIENT, ALWAYS | QUEUE, H(_), S(AMQP_QUEUE), S(AMQP_CONSUMER_TAG), B(_), B(AMQP_NO_ACK), B(_), B(_), T(_)) \
    M(BASIC_CONSUME_OK,        60, 21, "basic.consume-ok",        SERVER, ALWAYS | QUEUE, S(AMQP_CONSUMER_TAG)) \
    M(BASIC_CANCEL,            60, 30, "basic.cancel",            BOTH,   ALWAYS | QUEUE, S(AMQP_CONSUMER_TAG), B(_)) \
    M(BASIC_CANCEL_OK,         60, 31, "basic.cancel-ok",         BOTH,   QUEUE, S(AMQP_CONSUMER_TAG)) \
    M(BASIC_PUBLISH,           60, 40, "basic.publish",           CLIENT, CONTENT, H(_), S(AMQP_EXCHANGE), S(AMQP_ROUTING_KEY), B(_), B(_)) \
    M(BASIC_RETURN,            60, 50, "basic.return",            SERVER, CONTENT, H(AMQP_REPLY_CODE), S(AMQP_REPLY_TEXT), S(AMQP_EXCHANGE), S(AMQP_ROUTING_KEY)) \
    M(BASIC_DELIVER,           60, 60, "basic.deliver",           SERVER, CONTENT | QUEUE, S(AMQP_CONSUMER_TAG), X(AMQP_DELIVERY_TAG), B(AMQP_REDELIVERED), S(AMQP_EXCHANGE), S(AMQP_ROUTING_KEY)) \
    M(BASIC_GET,               60, 70, "basic.get",               CLIENT, ALWAYS | QUEUE, H(_), S(AMQP_QUEUE), B(AMQP_NO_ACK)) \
    M(BASIC_GET_OK,            60, 71, "basic.get-ok",            SERVER, CONTENT | QUEUE, X(AMQP_DELIVERY_TAG), B(AMQP_REDELIVERED), S(AMQP_EXCHANGE), S(AMQP_ROUTING_KEY), W(_)) \
    M(BASIC_GET_EMPTY,         60, 72, "basic.get-empty",         SERVER, QUEUE, S(_)) \
    M(BASIC_ACK,               60, 80, "basic.ack",               BOTH,   0,      X(AMQP_DELIVERY_TAG), B(_)) \
    M(BASIC_REJECT,            60, 90, "basic.reject",            CLIENT, ALWAYS, X(AMQP_DELIVERY_TAG), B(_)) \
    M(BASIC_RECOVER_ASYNC,     60, 100, "basic.recover-async",    CLIENT, 0,      B(_)) \
    M(BASIC_RECOVER,           60, 110, "basic.recover",          CLIENT, 0,      B(_)) \
    M(BASIC_RECOVER_OK,        60, 111, "basic.recover-ok",       SERVER, 0,      NONE) \
    M(BASIC_NACK,              60, 120, "basic.nack",             BOTH,   ALWAYS, X(AMQP_DELIVERY_TAG), B(_), B(_)) \
    M(CONFIRM_SELECT,          85, 10, "confirm.select",          CLIENT, 0,      B(_)) \
    M(CONFIRM_SELECT_OK,       85, 11, "confirm.select-ok",       SERVER, 0,      NONE) \
    M(TX_SELECT,               90, 10, "tx.select",               CLIENT, 0,      NONE) \
    M(TX_SELECT_OK,            90, 11, "tx.select-ok",            SERVER, 0,      NONE) \
    M(TX_COMMIT,               90, 20, "tx.commit",               CLIENT, 0,      NONE) \
    M(TX_COMMIT_OK,            90, 21, "tx.commit-ok",            SERVER, 0,      NONE) \
    M(TX_ROLLBACK,             90, 30, "tx.rollback",             CLIENT, 0,      NONE) \
    M(TX_ROLLBACK_OK,          90, 31, "tx.rollback-ok",          SERVER, 0,      NONE)

/* Where 0-8 differs. An id of the list above: the same meaning with another layout or number. */
#define AMQP_METHOD_LIST_0_8(M) \
    M(CONNECTION_REDIRECT,     10, 50, "connection.redirect",     SERVER, ALWAYS, S(_), S(_)) \
    M(CONNECTION_CLOSE,        10, 60, "connection.close",        BOTH,   ALWAYS, H(AMQP_REPLY_CODE), S(AMQP_REPLY_TEXT), H(_), H(_)) \
    M(CONNECTION_CLOSE_OK,     10, 61, "connection.close-ok",     BOTH,   ALWAYS, NONE) \
    M(CHANNEL_OPEN_OK,         20, 11, "channel.open-ok",         SERVER, 0,      NONE) \
    M(CHANNEL_ALERT,           20, 30, "channel.alert",           SERVER, 0,      H(AMQP_REPLY_CODE), S(AMQP_REPLY_TEXT), T(_)) \
    M(BASIC_CONSUME,           60, 20, "basic.consume",           CLIENT, ALWAYS | QUEUE, H(_), S(AMQP_QUEUE), S(AMQP_CONSUMER_TAG), B(_), B(AMQP_NO_ACK), B(_), B(_))
/* clang-format on */

#endif
