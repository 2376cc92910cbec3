/* dissectors/amqp/sasl.c - PLAIN, AMQPLAIN and RABBIT-CR-DEMO; of any other mechanism
 * nothing but its name is known. */
#include "dissectors/amqp/sasl.h"

#include "dissectors/amqp/table.h"

/* Up to the next NUL; the rest stays in *b. at == NULL: there is no NUL, and *b is as it was. */
static struct bytes field(struct bytes *b)
{
    const uint8_t *nul = b->len > 0 ? memchr(b->at, 0, b->len) : NULL;

    if (!nul)
        return (struct bytes){0};
    struct bytes head = bytes_cut(b, (size_t)(nul - b->at));
    bytes_cut(b, 1);
    return head;
}

/* authorization NUL user NUL password (RFC 4616). With one NUL only, a name stands before
 * it or behind it; with none, nobody can tell a name from a secret. */
static struct amqp_sasl plain(struct bytes response)
{
    struct bytes rest = response, first = field(&rest), second = field(&rest);

    if (second.at)
        return (struct amqp_sasl){.user = second, .secret = rest};
    if (first.at && first.len == 0)
        return (struct amqp_sasl){.user = rest};
    if (first.at)
        return (struct amqp_sasl){.user = first, .secret = rest};
    return (struct amqp_sasl){.secret = response};
}

/* A field table without its length. The first of a name counts, as for the broker. */
static struct amqp_sasl amqplain(struct bytes response)
{
    struct amqp_sasl s = {0};
    struct amqp_table t;
    struct header h;

    amqp_table_begin(&t, response, TABLE_DEPTH, response.len, TABLE_RABBIT);
    while (amqp_table_next(&t, &h)) {
        if (t.depth > 0 || t.item != ITEM_VALUE || h.kind != HEADER_TEXT)
            continue;
        if (!s.user.at && bytes_eq(h.name, "LOGIN"))
            s.user = h.text;
        else if (!s.secret.at && bytes_eq(h.name, "PASSWORD"))
            s.secret = h.text;
    }
    return s;
}

static bool is_demo(struct bytes mechanism)
{
    return bytes_eq(mechanism, "RABBIT-CR-DEMO");
}

bool amqp_sasl_goes_on(struct bytes mechanism)
{
    return is_demo(mechanism);
}

struct amqp_sasl amqp_sasl_response(struct bytes mechanism, struct bytes response)
{
    if (bytes_eq(mechanism, "PLAIN"))
        return plain(response);
    if (bytes_eq(mechanism, "AMQPLAIN"))
        return amqplain(response);
    /* Its first answer is a name. With a NUL it is another mechanism's, with a password in it. */
    if (is_demo(mechanism) && !(response.len > 0 && memchr(response.at, 0, response.len)))
        return (struct amqp_sasl){.user = response};
    return (struct amqp_sasl){0};
}

struct amqp_sasl amqp_sasl_answer(struct bytes mechanism, struct bytes response)
{
    static const char prefix[] = "My password is ";
    struct bytes rest = response, head;

    if (!is_demo(mechanism))
        return amqp_sasl_response(mechanism, response);
    head = bytes_cut(&rest, sizeof prefix - 1);
    return (struct amqp_sasl){.secret = bytes_eq(head, prefix) ? rest : response};
}
