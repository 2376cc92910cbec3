#include "run/pickle_text.h"

#include <jansson.h>
#include <string.h>

#include "signatures/pickle/mask.h"

#define NAME_SHOWN 255u

/* Printable ASCII of what came off the wire. */
static json_t *escaped(struct bytes b)
{
    char room[NAME_SHOWN * 4 + 8];
    struct text_out o = {.at = room, .room = sizeof room};

    put_escaped(&o, b, NAME_SHOWN);
    return json_stringn(room, o.used);
}

static json_t *dotted(struct bytes module, struct bytes name)
{
    char room[NAME_SHOWN * 8 + 16];
    struct text_out o = {.at = room, .room = sizeof room};

    put_escaped(&o, module, NAME_SHOWN);
    put_text(&o, ".");
    put_escaped(&o, name, NAME_SHOWN);
    return json_stringn(room, o.used);
}

static const char *opcode_text(uint8_t opcode)
{
    const char *name = pickle_opcode_name(opcode);
    return name ? name : "";
}

static json_t *import_json(const struct pickle_import *in)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:s, s:s, s:s?, s:I, s:s, s:i, s:b}", "import",
                     dotted(in->module, in->name), "module", escaped(in->module), "name",
                     escaped(in->name), "written", dotted(in->orig_module, in->orig_name), "class",
                     pickle_class_name(in->kind), "severity", pickle_severity_name(in->severity),
                     "source", in->source, "offset", (json_int_t)in->offset, "opcode",
                     opcode_text(in->opcode), "depth", (int)in->depth, "trailing",
                     (int)in->trailing);
}

static json_t *call_json(const struct pickle_call *c)
{
    return json_pack("{s:s%, s:s, s:s, s:I, s:s, s:i, s:b}", "call", (const char *)c->text.at,
                     c->text.len, "level", pickle_verdict_name(c->level), "why", c->why, "offset",
                     (json_int_t)c->offset, "opcode", opcode_text(c->opcode), "depth",
                     (int)c->depth, "trailing", (int)c->trailing);
}

static json_t *flags_json(uint64_t flags)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < PICKLE_BIT_COUNT; i++)
        if (flags >> i & 1)
            json_array_append_new(list, json_string(pickle_flag_name((enum pickle_flag_bit)i)));
    return list;
}

static json_t *report_json(const struct pickle_report *r)
{
    const struct pickle_result *p = r->result;
    json_t *imports = json_array(), *calls = json_array();

    for (unsigned i = 0; i < p->n_imports; i++)
        json_array_append_new(imports, import_json(&p->imports[i]));
    for (unsigned i = 0; i < p->n_calls; i++)
        json_array_append_new(calls, call_json(&p->calls[i]));
    return json_pack(
        "{s:o, s:s, s:s, s:o, s:o, s:o, s:s, s:i, s:I, s:I, s:s, s:I, s:i, s:b}", "file",
        escaped(bytes_of(r->file, strlen(r->file))), "verdict", pickle_verdict_name(p->verdict),
        "ground", p->ground, "flags", flags_json(p->flags), "imports", imports, "calls", calls,
        "unwrapped", r->path, "protocol", p->protocol, "opcodes", (json_int_t)p->opcodes, "size",
        (json_int_t)p->size, "end", pickle_end_name(p->end), "end_at", (json_int_t)p->end_at,
        "streams", (int)p->streams, "file_reader_only", (int)p->file_reader_only);
}

bool pickle_write_json(FILE *out, const struct pickle_report *r)
{
    json_t *object = report_json(r);
    bool ok = object && json_dumpf(object, out, JSON_COMPACT) == 0 && fputc('\n', out) != EOF;

    json_decref(object);
    return ok;
}
