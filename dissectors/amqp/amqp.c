/* dissectors/amqp/amqp.c - the dissector: bytes to frames (frame.h), frames to what
 * they do to the connection (login.h), its channels (channel.h) and its messages
 * (assemble.h), and to what is said about it (emit.h). */
#include "dissectors/amqp/amqp.h"

#include "dissectors/amqp/assemble.h"
#include "dissectors/amqp/emit.h"
#include "dissectors/amqp/login.h"
#include "dissectors/amqp/props.h"

static const uint16_t ports[] = {5672, 5671, 0};

static void amqp_init(void *state, const struct dissect_conf *conf)
{
    struct amqp *a = state;

    memset(a, 0, sizeof *a);
    a->conf = conf;
    for (int dir = 0; dir < 2; dir++)
        amqp_framer_init(&a->framer[dir], conf->max_item, conf->budget);
}

static void amqp_fini(void *state)
{
    struct amqp *a = state;

    amqp_framer_free(&a->framer[TO_SERVER]);
    amqp_framer_free(&a->framer[TO_CLIENT]);
    amqp_contents_free(a);
    amqp_channels_free(&a->channels, a->conf->budget);
    amqp_login_free(&a->login, a->conf->budget);
}

/* The queue that a method means but may not name, in `room`. */
static struct bytes meant_queue(struct amqp_feed *f, const struct amqp_method *m, uint16_t channel,
                                uint8_t room[UINT8_MAX])
{
    struct amqp_channel *ch = amqp_channel_find(&f->a->channels, channel);
    struct bytes tag = amqp_method_text(m, ARG_SHORTSTR, 0), found = {0};

    switch ((enum amqp_method_id)m->def->id) {
    case M_QUEUE_BIND:
    case M_QUEUE_PURGE:
    case M_QUEUE_DELETE:
    case M_QUEUE_UNBIND:
    case M_BASIC_CONSUME:
    case M_BASIC_GET:
        if (tag.len > 0) /* it is the queue here */
            return tag;
        found = amqp_name_find(ch, NAME_QUEUE, found);
        break;
    case M_BASIC_CONSUME_OK:
        found = amqp_name_find(ch, NAME_CONSUMER, tag);
        if (!found.at)
            found = amqp_name_find(ch, NAME_UNTAGGED, found);
        break;
    case M_BASIC_CANCEL:
    case M_BASIC_CANCEL_OK:
    case M_BASIC_DELIVER: found = amqp_name_find(ch, NAME_CONSUMER, tag); break;
    case M_BASIC_GET_OK:
    case M_BASIC_GET_EMPTY: found = amqp_name_find(ch, NAME_GET, found); break;
    default: break;
    }
    if (found.at && found.len > 0)
        memcpy(room, found.at, found.len);
    return found.at ? bytes_of(room, found.len) : found;
}

/* A name that the channel shall remember. */
static void remember(struct amqp_feed *f, uint16_t channel, enum amqp_name kind, struct bytes first,
                     struct bytes second)
{
    const struct dissect_conf *conf = f->a->conf;
    struct amqp_channel *ch =
        amqp_channel_get(&f->a->channels, channel, conf->max_open, conf->budget);

    if (ch)
        amqp_name_add(ch, kind, first, second, conf->budget);
    else
        tally_add(f->out->tally, TALLY_channel_limit, 1);
}

static void on_consume(struct amqp_feed *f, const struct amqp_method *m, uint16_t channel,
                       struct bytes queue)
{
    struct bytes tag = amqp_method_text(m, ARG_SHORTSTR, 1);

    if (tag.len > 0)
        remember(f, channel, NAME_CONSUMER, tag, queue);
    else
        remember(f, channel, NAME_UNTAGGED, bytes_of("", 0), queue);
}

/* What a method changes for those that follow it. */
static void remember_names(struct amqp_feed *f, const struct amqp_method *m, uint16_t channel,
                           struct bytes queue)
{
    struct amqp_channel *ch = amqp_channel_find(&f->a->channels, channel);
    struct bytes name = amqp_method_text(m, ARG_SHORTSTR, 0), none = bytes_of("", 0);

    switch ((enum amqp_method_id)m->def->id) {
    case M_QUEUE_DECLARE:
    case M_QUEUE_DECLARE_OK:
        if (name.len > 0)
            remember(f, channel, NAME_QUEUE, none, name);
        break;
    case M_BASIC_CONSUME: on_consume(f, m, channel, queue); break;
    case M_BASIC_GET: remember(f, channel, NAME_GET, none, queue); break;
    case M_BASIC_CONSUME_OK:
        if (ch && !amqp_name_find(ch, NAME_CONSUMER, name).at)
            amqp_name_tag(ch, name, f->a->conf->budget);
        break;
    case M_BASIC_CANCEL:
        if (ch && f->c->dir == TO_CLIENT) /* its queue is gone */
            amqp_name_drop(ch, NAME_CONSUMER, name);
        break;
    case M_BASIC_CANCEL_OK:
        if (ch)
            amqp_name_drop(ch, NAME_CONSUMER, name);
        break;
    case M_BASIC_GET_EMPTY:
        if (ch)
            amqp_name_drop(ch, NAME_GET, (struct bytes){0});
        break;
    default: break;
    }
}

static void apply(struct amqp_feed *f, const struct amqp_method *m, const struct amqp_frame *frame,
                  struct bytes queue)
{
    switch ((enum amqp_method_id)m->def->id) {
    case M_CHANNEL_OPEN:
    case M_CHANNEL_CLOSE_OK:
        amqp_contents_reset(f, frame->channel);
        amqp_channel_reset(&f->a->channels, frame->channel, f->a->conf->budget);
        break;
    default:
        if (m->def->class_id == 10)
            amqp_login_method(f, m, frame->start);
        else if (m->def->flags & METHOD_QUEUE)
            remember_names(f, m, frame->channel, queue);
    }
    if (m->def->flags & METHOD_CONTENT)
        amqp_content_begin(f, frame, m);
}

static void check_method(struct amqp_feed *f, const struct amqp_method *m,
                         const struct amqp_frame *frame)
{
    if (!m->def)
        tally_add(f->out->tally, TALLY_amqp_unknown_method, 1);
    if (frame->cut || (m->def && m->exact))
        return;
    amqp_emit_anomaly(f, m->def ? ANOMALY_ARGUMENTS : ANOMALY_METHOD, frame->start);
}

/* A method that may be sent this way, and whose arguments fill its frame. */
static bool fits(const struct amqp_feed *f, const struct amqp_method *m)
{
    return m->def && m->exact && ((unsigned)m->def->from >> f->c->dir & 1u);
}

/* The start was missed, and with it the version: what is right only as AMQP 0-8 has it says that
 * this is 0-8. */
static void try_0_8(struct amqp_feed *f, struct amqp_method *m, struct bytes payload)
{
    struct amqp_method old;

    if (!amqp_method_read(&old, payload, true) || !fits(f, &old))
        return;
    f->a->v0_8 = true;
    *m = old;
}

static void on_method(struct amqp_feed *f, const struct amqp_frame *frame)
{
    struct amqp_content *open = amqp_content_find(f, frame->channel);
    struct amqp_method other, *m;
    uint8_t room[UINT8_MAX];
    struct bytes queue = {0};

    if (open) {
        amqp_emit_anomaly(f, ANOMALY_INTERLEAVED, frame->start);
        amqp_content_drop(f, open);
    }
    m = f->busy ? &other : &f->method; /* that of the content in progress is still needed */
    amqp_method_read(m, frame->payload, f->a->v0_8);
    if (f->a->midstream && !f->a->v0_8 && !frame->cut && !fits(f, m))
        try_0_8(f, m, frame->payload);
    check_method(f, m, frame);
    if (m->def && (m->def->flags & METHOD_QUEUE))
        queue = meant_queue(f, m, frame->channel, room);
    amqp_emit_command(f, m, frame->channel, frame->start, queue);
    if (m->def)
        apply(f, m, frame, queue);
}

/* What was negotiated holds for every frame. RabbitMQ lets 8 bytes more pass. */
static void check_limits(struct amqp_feed *f, const struct amqp_frame *frame)
{
    const struct amqp *a = f->a;

    if (a->frame_max > 0 && frame->size > a->frame_max)
        amqp_emit_anomaly(f, ANOMALY_FRAME_MAX, frame->start);
    if (a->channel_max > 0 && frame->channel > a->channel_max)
        amqp_emit_anomaly(f, ANOMALY_CHANNEL_MAX, frame->start);
    tally_add(f->out->tally, TALLY_amqp_frames, 1);
}

static void on_frame(struct amqp_feed *f, const struct amqp_frame *frame)
{
    check_limits(f, frame);
    if (frame->cut)
        tally_add(f->out->tally, TALLY_item_clipped, 1);
    switch (frame->type) {
    case AMQP_METHOD: on_method(f, frame); break;
    case AMQP_HEADER: amqp_content_header(f, frame); break;
    case AMQP_BODY: amqp_content_body(f, frame, true); break;
    default: tally_add(f->out->tally, TALLY_amqp_heartbeats, 1); break;
    }
}

/* A method of which bytes were lost, told as far as it was seen. What it may have
 * changed is not known; that content follows it is. */
static void on_torn_method(struct amqp_feed *f, const struct amqp_frame *frame)
{
    struct amqp_method m;

    amqp_method_read(&m, frame->payload, f->a->v0_8);
    if (!m.def)
        return;
    amqp_emit_command(f, &m, frame->channel, frame->start, (struct bytes){0});
    if (m.def->flags & METHOD_CONTENT)
        amqp_content_begin(f, frame, &m);
}

static void on_torn(struct amqp_feed *f, const struct amqp_frame *frame)
{
    struct amqp_content *c = amqp_content_find(f, frame->channel);

    tally_add(f->out->tally, TALLY_amqp_frames, 1);
    f->a->unsure[f->c->dir] = true;
    f->cover = COVER_GAP;
    amqp_channels_lost(&f->a->channels);
    if (c && frame->type != AMQP_HEADER) {
        amqp_content_drop(f, c);
        c = NULL;
    }
    if (frame->type == AMQP_METHOD)
        on_torn_method(f, frame);
    else if (frame->type == AMQP_HEADER && frame->payload.len >= AMQP_CONTENT_HEADER_MIN)
        amqp_content_header(f, frame);
    else if (c)
        amqp_content_drop(f, c);
    f->cover = 0;
}

/* Which of the protocols that share the header's first four bytes. NULL: the one that is
 * read here (0-8, 0-9, 0-9-1), or none that is known. */
static const char *other_protocol(const uint8_t v[4])
{
    bool one_zero = v[0] != 1 && v[0] <= 3 && v[1] == 1 && v[2] == 0 && v[3] == 0;

    if (one_zero)
        return "amqp-1.0";
    return v[0] == 1 && v[1] == 1 && v[2] == 0 && v[3] == 10 ? "amqp-0-10" : NULL;
}

static void leave_unread(struct amqp_feed *f, const uint8_t version[4], uint64_t offset)
{
    struct msg m;

    amqp_msg_init(f, &m, MSG_UNREAD, "unread", offset);
    fields_str(&m.fields, F_PROTOCOL_UNREAD, other_protocol(version));
    amqp_emit(f, &m);
    f->a->leave = true;
}

/* The server sends one to refuse the client's, or to agree to a protocol that is not read. */
static void on_protocol(struct amqp_feed *f, const struct amqp_frame *frame)
{
    struct amqp *a = f->a;
    const uint8_t *version = frame->payload.at + 4;
    bool other = other_protocol(version) != NULL;

    if (f->c->dir == TO_SERVER) {
        memcpy(a->version, version, sizeof a->version);
        a->asked = true;
        a->other_protocol = other;
        a->other_answered = false; /* that was to somebody else's question */
    } else if (!a->asked && other) {
        memcpy(a->version, version, sizeof a->version);
        a->other_answered = true;
    } else if (a->other_protocol && memcmp(a->version, version, sizeof a->version) == 0) {
        leave_unread(f, version, frame->start);
    } else {
        a->leave = true;
    }
}

/* Bytes behind a header of another protocol: it is spoken. */
static bool spoken(struct amqp_feed *f, struct bytes in)
{
    const struct amqp *a = f->a;
    bool header = f->c->dir == TO_SERVER ? a->other_protocol : a->other_answered;

    if (header && in.len > 0)
        leave_unread(f, a->version, a->framer[f->c->dir].pos);
    return header;
}

static enum amqp_anomaly framing_anomaly(const char *what)
{
    if (what[0] == 'u')
        return ANOMALY_FRAME_TYPE;
    return what[6] == 'e' ? ANOMALY_FRAME_END : ANOMALY_FRAME_HUGE;
}

/* Not one frame from the start: whatever was thought, it is not AMQP. Otherwise it is
 * AMQP, broken, unless lost bytes brought us out of step. */
static void on_broken(struct amqp_feed *f, const struct amqp_frame *frame)
{
    struct amqp *a = f->a;
    enum dir dir = f->c->dir;

    if (amqp_framer_fresh(&a->framer[dir]) && !a->midstream && !a->gaps && !a->asked) {
        a->leave = true;
        return;
    }
    if (!a->unsure[dir] && !frame->torn)
        amqp_emit_anomaly(f, framing_anomaly(frame->what), frame->start);
    a->unsure[dir] = true;
    amqp_contents_flush(f, 0);
    amqp_channels_lost(&a->channels);
}

static void on_data(struct amqp_feed *f, struct bytes in)
{
    struct amqp_framer *framer = &f->a->framer[f->c->dir];
    struct amqp_frame frame;
    enum amqp_frame_event event;

    while (!f->a->leave && !spoken(f, in) &&
           (event = amqp_framer_next(framer, &in, &frame)) != FRAME_MORE) {
        switch (event) {
        case FRAME_WHOLE: on_frame(f, &frame); break;
        case FRAME_PIECE: amqp_content_body(f, &frame, false); break;
        case FRAME_LAST:
            check_limits(f, &frame);
            amqp_content_body(f, &frame, true);
            break;
        case FRAME_PROTOCOL: on_protocol(f, &frame); break;
        case FRAME_TORN: on_torn(f, &frame); break;
        case FRAME_BROKEN: on_broken(f, &frame); break;
        case FRAME_FOUND: tally_add(f->out->tally, TALLY_dissect_resync, 1); break;
        case FRAME_MORE: break;
        }
    }
}

static void on_gap(struct amqp_feed *f)
{
    struct amqp *a = f->a;
    struct amqp_framer *framer = &a->framer[f->c->dir];
    uint64_t in_body;
    bool in_step = amqp_framer_gap(framer, f->c->missing, &in_body);

    a->gaps = true;
    if (in_body > 0)
        amqp_content_hole(f, framer->channel, in_body);
    on_data(f, (struct bytes){0});
    if (in_step)
        return;
    a->unsure[f->c->dir] = true;
    amqp_contents_flush(f, COVER_GAP);
    amqp_channels_lost(&a->channels);
}

static void on_close(struct amqp_feed *f)
{
    enum dir dir = f->c->dir;

    if (f->a->closed[dir])
        return;
    f->a->closed[dir] = true;
    amqp_contents_flush(f, COVER_CLIPPED);
    if (dir == TO_CLIENT)
        amqp_login_close(f);
}

static enum dissect amqp_feed(void *state, const struct chunk *c, const struct dissect_out *out)
{
    struct amqp *a = state;
    struct amqp_feed f;

    f.a = a;
    f.c = c;
    f.out = out;
    f.busy = false;
    f.cover = 0;
    f.has_method = f.has_props = false;
    if (a->leave)
        return DISSECT_LEAVE;
    if (c->kind != CHUNK_CLOSE) {
        a->seen[c->dir] = true;
        a->midstream |= c->midstream;
        a->unsure[c->dir] |= c->midstream;
    }
    switch (c->kind) {
    case CHUNK_DATA:
        amqp_framer_data(&a->framer[c->dir], c->offset, c->midstream);
        on_data(&f, c->data);
        break;
    case CHUNK_GAP: on_gap(&f); break;
    case CHUNK_CLOSE: on_close(&f); break;
    }
    amqp_content_park(&f);
    if (a->leave)
        return DISSECT_LEAVE;
    return amqp_framer_lost(&a->framer[c->dir]) ? DISSECT_LOST : DISSECT_GO;
}

const struct dissector amqp_dissector = {
    .name = "amqp",
    .ports = ports,
    .ndpi = "AMQP",
    .state_size = sizeof(struct amqp),
    .probe = amqp_probe,
    .init = amqp_init,
    .feed = amqp_feed,
    .fini = amqp_fini,
};
