/* run/unread.c - first bytes of the protocols that are not read. */
#include "run/unread.h"

static bool starts(struct bytes b, const char *text)
{
    size_t n = strlen(text);

    return b.len >= n && memcmp(b.at, text, n) == 0;
}

/* STOMP 1.2, "Client Frames": CONNECT or STOMP, then an end of line. */
static bool stomp_hello(struct bytes b)
{
    return starts(b, "CONNECT\n") || starts(b, "CONNECT\r\n") || starts(b, "STOMP\n") ||
           starts(b, "STOMP\r\n");
}

/* MQTT 3.1.1 and 5.0, section 3.1: fixed header 0x10, remaining length (1 to 4 bytes), protocol
 * name. */
static bool mqtt_hello(struct bytes b)
{
    struct cursor c = cur_over(b);
    unsigned more = 0;

    if (cur_u8(&c) != 0x10)
        return false;
    while (more++ < 4 && (cur_u8(&c) & 0x80))
        ;
    struct bytes name = cur_take(&c, cur_u16(&c));
    return cur_ok(&c) && (bytes_eq(name, "MQTT") || bytes_eq(name, "MQIsdp"));
}

/* rabbitmq_stream PROTOCOL.adoc: size u32, key u16 (0x0011 PeerProperties), version u16 1. */
static bool stream_command(struct bytes b, uint16_t want)
{
    struct cursor c = cur_over(b);
    uint32_t size = cur_u32(&c);
    uint16_t key = cur_u16(&c), version = cur_u16(&c);

    return cur_ok(&c) && size >= 4 && size < 65536 && key == want && version == 1;
}

const char *unread_hello(struct bytes head)
{
    if (stomp_hello(head))
        return "stomp";
    if (mqtt_hello(head))
        return "mqtt";
    if (unread_is_tls(head))
        return "tls";
    return stream_command(head, 0x0011) ? "stream" : NULL;
}

bool unread_answer(const char *protocol, struct bytes head)
{
    if (strcmp(protocol, "stomp") == 0)
        return starts(head, "CONNECTED") || starts(head, "ERROR");
    if (strcmp(protocol, "mqtt") == 0)
        return head.len >= 2 && head.at[0] == 0x20;
    if (strcmp(protocol, "tls") == 0) /* a handshake record or an alert */
        return head.len >= 2 && (head.at[0] == 0x16 || head.at[0] == 0x15) && head.at[1] == 3;
    return stream_command(head, 0x8011);
}

bool unread_is_tls(struct bytes head)
{
    return head.len >= 6 && head.at[0] == 0x16 && head.at[1] == 3 && head.at[2] <= 4 &&
           (head.at[5] == 1 || head.at[5] == 2);
}
