/* dissectors/resp/pair.c - see pair.h. Entries lie one behind the other in a block that
 * is wiped whenever something in it moves or goes: records may hold a password. */
#include "dissectors/resp/pair.h"

#include <stddef.h>
#include <stdlib.h>

#define HAS_RECORD 0x8000u
#define DEAD       0x4000u /* answered out of its turn, among queued ones */
#define KEPT       128u    /* a block of this size may stay while nothing waits */

/* What stands behind the code. */
struct stored {
    uint32_t size; /* of all of the record */
    int32_t db, num;
    int64_t start;
    uint64_t offset;
    uint32_t len[PAIR_TEXTS];
    uint8_t has, coverage, login, never_logged_in;
};

void pair_init(struct pair *p)
{
    memset(p, 0, sizeof *p);
    p->at = p->small;
    p->cap = sizeof p->small;
}

static uint16_t code_at(const struct pair *p, uint32_t at)
{
    uint16_t code;

    memcpy(&code, p->at + at, sizeof code);
    return code;
}

static uint32_t entry_size(const struct pair *p, uint32_t at)
{
    uint32_t size = 0;

    if (code_at(p, at) & HAS_RECORD)
        memcpy(&size, p->at + at + sizeof(uint16_t), sizeof size);
    return (uint32_t)sizeof(uint16_t) + size;
}

static void drop_block(struct pair *p, struct budget *budget)
{
    if (p->at != p->small) {
        free(p->at);
        if (budget)
            budget->used -= p->cap;
    }
    p->at = p->small;
    p->cap = sizeof p->small;
}

void pair_free(struct pair *p, struct budget *budget)
{
    explicit_bzero(p->at, p->end);
    drop_block(p, budget);
    pair_init(p);
}

/* Moves what is in use to the front of `to`. */
static void move(struct pair *p, uint8_t *to)
{
    uint32_t used = p->end - p->head;

    memmove(to, p->at + p->head, used);
    if (to == p->at)
        explicit_bzero(p->at + used, p->end - used);
    p->mid -= p->head;
    p->end = used;
    p->head = 0;
}

static bool grow(struct pair *p, size_t need, size_t max_bytes, struct budget *budget)
{
    size_t cap = p->cap < 64 ? 64 : p->cap;

    while (cap < need)
        cap *= 2;
    if (cap > UINT32_MAX / 2 || need > max_bytes ||
        (budget && cap - p->cap > budget->limit - (budget->used < budget->limit ? budget->used
                                                                                : budget->limit)))
        return false;
    uint8_t *block = malloc(cap);
    if (!block)
        return false;
    uint32_t old = p->end;
    uint8_t *was = p->at;
    move(p, block);
    explicit_bzero(was, old);
    if (was != p->small)
        free(was);
    if (budget)
        budget->used += cap - (was != p->small ? p->cap : 0);
    p->at = block;
    p->cap = (uint32_t)cap;
    return true;
}

static bool make_room(struct pair *p, size_t more, size_t max_bytes, struct budget *budget)
{
    size_t used = p->end - p->head;

    if (more <= p->cap - p->end)
        return true;
    if (more <= p->cap - used && p->head >= used) {
        move(p, p->at);
        return true;
    }
    return grow(p, used + more, max_bytes, budget);
}

static size_t stored_size(const struct pair_record *r)
{
    size_t n = sizeof(struct stored);

    for (unsigned i = 0; i < PAIR_TEXTS; i++)
        n += r->text[i].len;
    return n + n % 2; /* see pair_pop_waiting() */
}

static void store(uint8_t *to, const struct pair_record *r, size_t size)
{
    struct stored s = {.size = (uint32_t)size,
                       .db = r->db,
                       .num = r->num,
                       .start = r->start,
                       .offset = r->offset,
                       .coverage = r->coverage,
                       .login = r->login,
                       .never_logged_in = r->never_logged_in};
    uint8_t *at = to + sizeof s;

    for (unsigned i = 0; i < PAIR_TEXTS; i++) {
        s.len[i] = (uint32_t)r->text[i].len;
        s.has = (uint8_t)((unsigned)s.has | (r->text[i].at ? 1u << i : 0));
        if (s.len[i] > 0)
            memcpy(at, r->text[i].at, s.len[i]);
        at += s.len[i];
    }
    memcpy(to, &s, sizeof s);
}

bool pair_add(struct pair *p, uint16_t code, uint8_t flags, const struct pair_record *record,
              size_t max_bytes, struct budget *budget)
{
    size_t size = record ? stored_size(record) : 0;
    uint16_t stamped =
        (uint16_t)(code | (unsigned)flags << PAIR_FLAG_SHIFT | (record ? HAS_RECORD : 0));

    if (size > max_bytes || !make_room(p, sizeof code + size, max_bytes, budget))
        return false;
    memcpy(p->at + p->end, &stamped, sizeof stamped);
    if (record)
        store(p->at + p->end + sizeof stamped, record, size);
    p->end += (uint32_t)(sizeof stamped + size);
    p->waiting++;
    return true;
}

static void load(const uint8_t *from, struct pair_record *r)
{
    struct stored s;

    memcpy(&s, from, sizeof s);
    r->start = s.start;
    r->offset = s.offset;
    r->db = s.db;
    r->num = s.num;
    r->coverage = s.coverage;
    r->login = s.login;
    r->never_logged_in = s.never_logged_in;
    from += sizeof s;
    for (unsigned i = 0; i < PAIR_TEXTS; i++) {
        r->text[i] = bytes_of((unsigned)s.has >> i & 1u ? from : NULL, s.len[i]);
        from += s.len[i];
    }
}

static const struct pair_record nothing;

static void entry_at(const struct pair *p, uint32_t at, struct pair_entry *e)
{
    uint16_t code = code_at(p, at);

    e->code = code & PAIR_CODE_MAX;
    e->flags = (uint8_t)((unsigned)code >> PAIR_FLAG_SHIFT & 3u);
    e->has_record = code & HAS_RECORD;
    e->record = e->has_record ? &e->loaded : &nothing;
    if (e->has_record)
        load(p->at + at + sizeof code, &e->loaded);
}

bool pair_first_waiting(const struct pair *p, struct pair_entry *e)
{
    if (p->waiting == 0)
        return false;
    entry_at(p, p->mid, e);
    return true;
}

bool pair_first_queued(const struct pair *p, struct pair_entry *e)
{
    if (p->queued == 0)
        return false;
    entry_at(p, p->head, e);
    return true;
}

static void set_num(struct pair *p, uint32_t at, int32_t num)
{
    if (code_at(p, at) & HAS_RECORD)
        memcpy(p->at + at + sizeof(uint16_t) + offsetof(struct stored, num), &num, sizeof num);
}

void pair_set_num(struct pair *p, int32_t num)
{
    if (p->waiting > 0)
        set_num(p, p->mid, num);
}

void pair_set_queued_num(struct pair *p, int32_t num)
{
    if (p->queued > 0)
        set_num(p, p->head, num);
}

uint32_t pair_queued_more(const struct pair *p, bool (*counts)(uint16_t code))
{
    uint32_t more = 0;
    int32_t num;

    for (uint32_t at = p->head; at < p->mid; at += entry_size(p, at)) {
        if (!(code_at(p, at) & HAS_RECORD) || !counts(code_at(p, at) & PAIR_CODE_MAX))
            continue;
        memcpy(&num, p->at + at + sizeof(uint16_t) + offsetof(struct stored, num), sizeof num);
        more += num > 1 ? (uint32_t)num - 1 : 0;
    }
    return more;
}

/* Nothing is in use any more. */
static void settle(struct pair *p, struct budget *budget)
{
    if (p->head < p->end)
        return;
    p->head = p->mid = p->end = 0;
    if (p->cap > KEPT)
        drop_block(p, budget);
}

/* Wipes the entry at `at`; its place. */
static uint32_t wipe(struct pair *p, uint32_t at)
{
    uint32_t size = entry_size(p, at);

    if (size > sizeof(uint16_t))
        explicit_bzero(p->at + at + sizeof(uint16_t), size - sizeof(uint16_t));
    return size;
}

/* Past dead entries at the front of the queued ones. */
static void skip_dead(struct pair *p)
{
    while (p->head < p->mid && code_at(p, p->head) & DEAD)
        p->head += (uint32_t)sizeof(uint16_t);
}

void pair_pop_waiting(struct pair *p, struct budget *budget)
{
    uint32_t size;

    if (p->waiting == 0)
        return;
    size = wipe(p, p->mid);
    p->waiting--;
    if (p->head == p->mid) {
        p->head = p->mid = p->mid + size;
        settle(p, budget);
        return;
    }
    /* Queued ones before it: it becomes a row of dead entries of two bytes. */
    for (uint32_t at = p->mid; at + sizeof(uint16_t) <= p->mid + size; at += 2) {
        uint16_t dead = DEAD;
        memcpy(p->at + at, &dead, sizeof dead);
    }
    p->mid += size;
}

bool pair_first_plain(const struct pair *p, uint16_t *code)
{
    if (p->waiting == 0 || p->head != p->mid || p->cap > KEPT)
        return false;
    *code = code_at(p, p->mid);
    return *code <= PAIR_CODE_MAX;
}

bool pair_pop_plain(struct pair *p, uint16_t *code)
{
    if (!pair_first_plain(p, code))
        return false;
    p->waiting--;
    p->head = p->mid = p->mid + (uint32_t)sizeof *code;
    if (p->head == p->end)
        p->head = p->mid = p->end = 0;
    return true;
}

bool pair_queue_plain(struct pair *p)
{
    if (p->waiting == 0 || !((unsigned)code_at(p, p->mid) >> PAIR_FLAG_SHIFT & PAIR_IN_MULTI))
        return false;
    pair_queue(p);
    return true;
}

bool pair_row_is_plain(const struct pair *p)
{
    unsigned more = HAS_RECORD | DEAD | (unsigned)PAIR_TOLD << PAIR_FLAG_SHIFT, any = 0;

    if (p->waiting == 0 || p->mid - p->head != p->queued * sizeof(uint16_t) || p->cap > KEPT)
        return false;
    for (uint32_t at = p->head; at <= p->mid; at += (uint32_t)sizeof(uint16_t))
        any |= code_at(p, at);
    return !(any & more);
}

uint16_t pair_row_code(const struct pair *p, uint32_t i)
{
    return code_at(p, p->head + i * (uint32_t)sizeof(uint16_t)) & PAIR_CODE_MAX;
}

void pair_pop_row(struct pair *p)
{
    p->queued = 0;
    p->waiting--;
    p->head = p->mid = p->mid + (uint32_t)sizeof(uint16_t);
    if (p->head == p->end)
        p->head = p->mid = p->end = 0;
}

void pair_queue(struct pair *p)
{
    if (p->waiting == 0)
        return;
    p->mid += entry_size(p, p->mid);
    p->waiting--;
    p->queued++;
}

void pair_pop_queued(struct pair *p, struct budget *budget)
{
    if (p->queued == 0)
        return;
    p->head += wipe(p, p->head);
    p->queued--;
    skip_dead(p);
    settle(p, budget);
}
