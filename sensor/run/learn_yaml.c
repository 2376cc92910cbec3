/* run/learn_yaml.c - a baseline as text: one entry a line, the same for the same baseline. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "run/learn.h"
#include "signatures/baseline.h"

/* What YAML 1.1 or 1.2 would read as something else than a text. */
static bool is_word(const char *text)
{
    static const char *const words[] = {"null", "true", "false", "yes", "no",  "on",
                                        "off",  "y",    "n",     "~",   "nan", "inf"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(text, words[i]) == 0)
            return true;
    return false;
}

static bool is_plain(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    static const char others[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789./-";

    return *text && strchr(letters, *text) && text[strspn(text, others)] == '\0' && !is_word(text);
}

static void put_text(FILE *out, const char *text)
{
    if (is_plain(text)) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            fprintf(out, "\\x%02x", (unsigned char)*text);
        else
            fputc(*text, out);
    }
    fputc('"', out);
}

static void put_network(FILE *out, const struct network *n)
{
    char text[INET6_ADDRSTRLEN] = "";
    bool whole = n->prefix == (n->family == 4 ? 32u : 128u);

    inet_ntop(n->family == 4 ? AF_INET : AF_INET6, n->ip, text, sizeof text);
    if (n->family == 6)
        fputc('"', out);
    fputs(text, out);
    if (!whole)
        fprintf(out, "/%u", n->prefix);
    if (n->family == 6)
        fputc('"', out);
}

static void begin_key(FILE *out, const char *key, bool *any)
{
    fprintf(out, "%s%s: ", *any ? ", " : "", key);
    *any = true;
}

static void put_addresses(FILE *out, const struct network_list *l)
{
    fputc('[', out);
    for (size_t i = 0; i < l->n; i++) {
        fputs(i > 0 ? ", " : "", out);
        put_network(out, &l->at[i]);
    }
    fputc(']', out);
}

static void put_list(FILE *out, const struct text_list *l)
{
    fputc('[', out);
    for (size_t i = 0; i < l->n; i++) {
        fputs(i > 0 ? ", " : "", out);
        put_text(out, l->at[i]);
    }
    fputc(']', out);
}

static void put_entry(FILE *out, const struct baseline_keys *k, const struct baseline_entry *e)
{
    bool any = false;

    fputs("  - { ", out);
    if (k->name) {
        begin_key(out, k->name, &any);
        put_text(out, e->name);
    }
    if (k->addresses && e->has_addresses) {
        begin_key(out, k->addresses, &any);
        put_addresses(out, &e->addresses);
    }
    if (k->list && e->has_list) {
        begin_key(out, k->list, &any);
        put_list(out, &e->list);
    }
    if (k->user && e->user) {
        begin_key(out, k->user, &any);
        put_text(out, e->user);
    }
    fputs(" }\n", out);
}

static void put_section(FILE *out, const struct baseline_keys *k, const struct baseline_part *p)
{
    if (!p->present)
        return;
    fprintf(out, "%s:%s\n", k->section, p->n == 0 ? " []" : "");
    for (size_t i = 0; i < p->n; i++) {
        if (k->name || k->addresses) {
            put_entry(out, k, &p->at[i]);
            continue;
        }
        fputs("  - ", out);
        put_text(out, p->at[i].name);
        fputc('\n', out);
    }
}

bool baseline_print(const struct baseline *b, char **text, size_t *len)
{
    FILE *out = open_memstream(text, len);
    bool good;

    if (!out)
        return false;
    fputs("version: 1\n", out);
    for (unsigned s = 0; s < BASELINE_SECTIONS; s++)
        put_section(out, &baseline_keys[s], &b->sections[s]);
    good = !ferror(out);
    return fclose(out) == 0 && good;
}
