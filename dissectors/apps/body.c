/* dissectors/apps/body.c - see body.h. */
#include "dissectors/apps/body.h"

#include "dissectors/apps/text.h"

const struct bytes body_names[BODY_MEMBERS] = {
    TEXT("task"),        TEXT("id"),         TEXT("args"),      TEXT("kwargs"),  TEXT("group"),
    TEXT("group_index"), TEXT("retries"),    TEXT("eta"),       TEXT("expires"), TEXT("utc"),
    TEXT("callbacks"),   TEXT("errbacks"),   TEXT("timelimit"), TEXT("taskset"), TEXT("chord"),
    TEXT("lang"),        TEXT("root_id"),    TEXT("parent_id"), TEXT("shadow"),  TEXT("origin"),
    TEXT("argsrepr"),    TEXT("kwargsrepr"), TEXT("meth"),
};

static void read_triple(struct reader *r, struct task_body *to, struct arena *arena)
{
    struct bytes *part[] = {&to->args, &to->kwargs, &to->embed};
    struct token t;

    for (unsigned i = 0; i < 3 && reader_next(r, &t) && t.kind != TOKEN_LIST_END; i++)
        *part[i] = document_raw(r, &t, arena);
}

static void read_mapping(struct reader *r, struct body *out, struct arena *arena)
{
    out->members = members_of(r, body_names, BODY_MEMBERS, out->member, arena);
    out->views.args = out->member[BODY_ARGS].text;
    out->views.kwargs = out->member[BODY_KWARGS].text;
}

enum { QUICK_ARGS = 256 };

/* One list without containers in it, and without escapes. */
static bool is_flat(struct bytes list)
{
    bool quoted = false;

    for (size_t i = 1; i + 1 < list.len; i++) {
        uint8_t c = list.at[i];

        quoted ^= c == '"';
        if (c == '\\' || (!quoted && (c == '[' || c == ']' || c == '{' || c == '}')))
            return false;
    }
    return !quoted && list.at[list.len - 1] == ']';
}

/* "[args, {}, embed]" with nothing embedded, as most tasks are: needs no reading, since the end
 * leaves one way only how what is before it can be split. A list that does not begin and end with
 * the brackets of its own is left to the reader. */
static bool quick_triple(const struct document *doc, struct task_body *to)
{
    struct bytes b = doc->bytes, args;

    if (doc->clipped || !text_ends(b, ", {}, " BODY_NOTHING "]") || b.at[0] != '[')
        return false;
    args = bytes_of(b.at + 1, b.len - sizeof ", {}, " BODY_NOTHING "]");
    if (args.len < 2 || args.at[0] != '[' || args.len > QUICK_ARGS || !is_flat(args))
        return false;
    to->args = args;
    to->kwargs = bytes_of(args.at + args.len + 2, 2);
    to->embed = bytes_of(args.at + args.len + 6, sizeof BODY_NOTHING - 1);
    return true;
}

void body_read(const struct document *doc, struct body *out, struct arena *arena)
{
    struct reader r;
    struct token t;

    out->shape = BODY_UNREAD;
    out->member[BODY_ARGS].seen = false;
    out->views = (struct task_body){.format = doc->format};
    if (doc->format == WHAT_PICKLE && doc->n_top > 0) {
        out->shape = BODY_MAPPING;
        out->members = members_read(doc, body_names, BODY_MEMBERS, out->member, arena);
    }
    if (!document_readable(doc))
        return;
    if (doc->format == WHAT_JSON && quick_triple(doc, &out->views)) {
        out->shape = BODY_TRIPLE;
        return;
    }
    reader_begin(&r, doc->format, doc->bytes, doc->clipped, arena);
    if (!reader_next(&r, &t)) {
        out->shape = BODY_UNREAD;
    } else if (t.kind == TOKEN_LIST) {
        out->shape = BODY_TRIPLE;
        read_triple(&r, &out->views, arena);
    } else if (t.kind == TOKEN_MAP) {
        out->shape = BODY_MAPPING;
        read_mapping(&r, out, arena);
    }
    reader_end(&r);
}
