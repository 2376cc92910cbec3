#include "run/pickle_text.h"

#include <string.h>

#include "signatures/pickle/disasm.h"
#include "signatures/pickle/mask.h"

#define LINES_MAX  2000u /* of the disassembly */
#define ARG_SHOWN  120u
#define NAME_SHOWN 200u

static void write_masked(FILE *out, struct bytes b, size_t max)
{
    char room[ARG_SHOWN * 4 + 64];
    struct text_out o = {.at = room, .room = sizeof room};

    put_masked(&o, b, max);
    fwrite(room, 1, o.used, out);
}

static void write_name(FILE *out, struct bytes module, struct bytes name)
{
    char room[NAME_SHOWN * 8 + 64];
    struct text_out o = {.at = room, .room = sizeof room};

    put_escaped(&o, module, NAME_SHOWN);
    put_text(&o, ".");
    put_escaped(&o, name, NAME_SHOWN);
    fwrite(room, 1, o.used, out);
}

static void write_flags(FILE *out, uint64_t flags)
{
    bool first = true;

    for (unsigned i = 0; i < PICKLE_BIT_COUNT; i++) {
        if (!(flags >> i & 1))
            continue;
        fprintf(out, "%s%s", first ? "  flags: " : ", ", pickle_flag_name((enum pickle_flag_bit)i));
        first = false;
    }
    if (!first)
        fputc('\n', out);
}

static void write_import(FILE *out, const struct pickle_import *in)
{
    fputs("  import ", out);
    write_name(out, in->module, in->name);
    if (in->orig_module.at != in->module.at && in->orig_module.len > 0) {
        fputs(" (written as ", out);
        write_name(out, in->orig_module, in->orig_name);
        fputc(')', out);
    }
    fprintf(out, "  %s/%s", pickle_class_name(in->kind), pickle_severity_name(in->severity));
    fprintf(out, "  at %llu %s%s%s\n", (unsigned long long)in->offset,
            pickle_opcode_name(in->opcode) ? pickle_opcode_name(in->opcode) : "",
            in->depth ? ", in a nested pickle" : "", in->trailing ? ", behind the first STOP" : "");
    if (in->source)
        fprintf(out, "         listed by %s\n", in->source);
}

static void write_call(FILE *out, const struct pickle_call *c)
{
    fprintf(out, "  call   %.*s\n", (int)c->text.len, (const char *)c->text.at);
    fprintf(out, "         %s: %s, at %llu %s%s\n", pickle_verdict_name(c->level), c->why,
            (unsigned long long)c->offset,
            pickle_opcode_name(c->opcode) ? pickle_opcode_name(c->opcode) : "",
            c->depth ? ", in a nested pickle" : "");
}

static void write_note(FILE *out, const struct pickle_result *r, size_t at)
{
    for (unsigned i = 0; i < r->n_imports; i++)
        if (r->imports[i].offset == at && r->imports[i].depth == 0 &&
            r->imports[i].severity > PICKLE_SEV_NONE)
            fprintf(out, "   <- %s %s", pickle_severity_name(r->imports[i].severity),
                    pickle_class_name(r->imports[i].kind));
    for (unsigned i = 0; i < r->n_calls; i++)
        if (r->calls[i].offset == at && r->calls[i].depth == 0)
            fprintf(out, "   <- %.*s", (int)r->calls[i].text.len,
                    (const char *)r->calls[i].text.at);
}

static void write_arg(FILE *out, const struct disasm *d)
{
    switch (d->kind) {
    case DISASM_NO_ARG: break;
    case DISASM_NUMBER: fprintf(out, " %lld", (long long)d->number); break;
    case DISASM_FLOAT: fprintf(out, " %.17g", d->real); break;
    case DISASM_TEXT:
        fputs(" '", out);
        write_masked(out, d->text, ARG_SHOWN);
        fputc('\'', out);
        break;
    case DISASM_TWO_TEXTS:
        fputc(' ', out);
        write_name(out, d->text, d->second);
        break;
    }
    if (d->cut)
        fputs(" (cut short)", out);
}

static void write_disassembly(FILE *out, const struct pickle_report *r)
{
    struct disasm d;
    size_t at = 0;

    for (unsigned n = 0; n < LINES_MAX; n++) {
        bool more = disasm_next(r->pickle, &at, &d);
        if (!d.name) {
            if (d.at < r->pickle.len)
                fprintf(out, "  %6zu: %02x not an opcode\n", d.at, d.opcode);
            return;
        }
        fprintf(out, "  %6zu: %02x %-16s", d.at, d.opcode, d.name);
        write_arg(out, &d);
        write_note(out, r->result, d.at);
        fputc('\n', out);
        if (!more || d.opcode == '.')
            return;
    }
    fputs("  ...\n", out);
}

void pickle_write_text(FILE *out, const struct pickle_report *r)
{
    const struct pickle_result *p = r->result;

    fputs("", out);
    write_masked(out, bytes_of(r->file, strlen(r->file)), ARG_SHOWN);
    fprintf(out, ": %s (%s)\n", pickle_verdict_name(p->verdict), p->ground);
    if (r->path[0])
        fprintf(out, "  unwrapped: %s\n", r->path);
    write_flags(out, p->flags);
    if (!p->is_pickle)
        return;
    fprintf(out, "  protocol %d, %llu opcodes, %llu bytes, %u stream%s, ends: %s at %llu\n",
            p->protocol, (unsigned long long)p->opcodes, (unsigned long long)p->size, p->streams,
            p->streams == 1 ? "" : "s", pickle_end_name(p->end), (unsigned long long)p->end_at);
    if (p->file_reader_only)
        fputs("  only load() from a file does this (Python up to 3.13.14 and 3.14.6)\n", out);
    for (unsigned i = 0; i < p->n_imports; i++)
        write_import(out, &p->imports[i]);
    for (unsigned i = 0; i < p->n_calls; i++)
        write_call(out, &p->calls[i]);
    write_disassembly(out, r);
}
