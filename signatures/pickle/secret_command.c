/* See secret_command.h: the manual pages of the programs, the signatures of the functions. */
#include "signatures/pickle/secret_command.h"

enum { COMMAND_MAX = 256 }; /* how far behind its program an option is looked for */

/* Behind `word`, a word of the command of `program` (in which an option's value may follow at
 * once), and `skip` further ones; of user:password what follows the `cut`. */
static const struct rule {
    const char *program, *word;
    unsigned skip;
    char cut;
} rules[] = {
    {"curl", "-u", 0, ':'},
    {"curl", "--user", 0, ':'},
    {"curl", "-U", 0, ':'},
    {"curl", "--proxy-user", 0, ':'},
    {"curl", "-b", 0, 0},
    {"http", "-a", 0, ':'},
    {"", "--auth", 0, ':'},
    {"sshpass", "-p", 0, 0},
    {"login", "-p", 0, 0}, /* of docker, podman, az, helm... */
    {"mysql", "-p", 0, 0},
    {"mariadb", "-p", 0, 0},
    {"mongo", "-p", 0, 0},
    {"cqlsh", "-p", 0, 0},
    {"-cli", "-a", 0, 0}, /* of Redis and its kin */
    {"-cli", "auth", 0, 0},
    {"-cli", "requirepass", 0, 0},
    {"-cli", "masterauth", 0, 0},
    {"sqlcmd", "-P", 0, 0},
    {"isql", "-P", 0, 0},
    {"bcp", "-P", 0, 0},
    {"", "sqlplus", 0, '/'},
    {"", "impdp", 0, '/'},
    {"", "expdp", 0, '/'},
    {"ldap", "-w", 0, 0},
    {"7z", "-p", 0, 0},
    {"rar", "-p", 0, 0},
    {"rar", "-hp", 0, 0},
    {"zip", "-P", 0, 0},
    {"openssl", "-k", 0, 0},
    {"openssl", "-K", 0, 0},
    {"ssh-keygen", "-N", 0, 0},
    {"ssh-keygen", "-P", 0, 0},
    {"mosquitto", "-P", 0, 0},
    {"ipmitool", "-P", 0, 0},
    {"rabbitmqadmin", "-p", 0, 0},
    {"rabbitmqctl", "add_user", 1, 0},
    {"rabbitmqctl", "change_password", 1, 0},
    {"snmp", "-c", 0, 0},
    {"snmp", "-A", 0, 0},
    {"snmp", "-X", 0, 0},
    {"smbclient", "-U", 0, '%'},
    {"rpcclient", "-U", 0, '%'},
    {"winexe", "-U", 0, '%'},
    {"", "smbclient", 1, 0},
    {"smbmap", "-p", 0, 0},
    {"psexec", "-p", 0, 0},
    {"crackmapexec", "-p", 0, 0},
    {"evil-winrm", "-p", 0, 0},
    {"rdesktop", "-p", 0, 0},
    {"freerdp", "/p:", 0, 0},
    {"schtasks", "/rp", 0, 0},
    {"net", "/user:", 1, 0},
    {"net", "\\\\", 1, 0},
    {"net", "user", 1, 0},
    {"useradd", "-p", 0, 0},
    {"usermod", "-p", 0, 0},
    {"twine", "-p", 0, 0},
    {"lftp", "-u", 0, ','},
    {"ncftp", "-p", 0, 0},
    {"vault", "login", 0, 0},
    {"aws", "set", 1, 0},
    {"npm", "set", 1, 0},
    {"", "wpa_passphrase", 1, 0},
    {"htpasswd", "-nb", 1, 0},
    {"htpasswd", "-bn", 1, 0},
    {"htpasswd", "-b", 2, 0},
    {"openssl", "passwd", 1, 0},
    {"expect", "send", 0, 0},
    {"", "ConvertTo-SecureString", 0, 0},
};

static const struct {
    const char *name; /* or what it ends with */
    size_t argument;
} functions[] = {
    {"login", 1},      {"authenticate", 1}, {"auth", 0},         {"pass_", 0},
    {"connect", 2},    {"FTP", 2},          {"FTP_TLS", 2},      {"BasicAuth", 1},
    {"DigestAuth", 1}, {"add_password", 3}, {"set_password", 0},
};

static bool ends(struct bytes b, const char *text)
{
    size_t n = strlen(text);
    return b.len >= n && (n == 0 || strncasecmp((const char *)b.at + b.len - n, text, n) == 0);
}

/* HTTPBasicAuth is a BasicAuth, but oauth() is no auth(). */
static bool is_function(struct bytes callable, const char *name)
{
    size_t n = strlen(name);

    if (callable.len < n || memcmp(callable.at + callable.len - n, name, n) != 0)
        return false;
    return name[0] < 'a' || callable.len == n || !text_letter(callable.at[callable.len - n - 1]);
}

size_t secret_argument(struct bytes callable)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (is_function(callable, functions[i].name))
            return functions[i].argument;
    return SIZE_MAX;
}

/* Behind the word or option that ends at `end`; a quote or the end of an item may be between. */
static size_t behind(struct bytes b, size_t end)
{
    size_t to = text_skip(b, end, " \t=:");

    if (to < b.len && b.at[to] == SECRET_ITEM)
        return to + 1;
    return text_skip(b, to, TEXT_QUOTES);
}

/* The n-th word behind `at`, within the command. */
static size_t skip_words(struct bytes b, size_t at, unsigned n)
{
    while (n-- > 0) {
        size_t end = text_until(b, at, TEXT_BLANKS ";|&'\"");
        at = text_skip(b, end, TEXT_BLANKS TEXT_QUOTES);
        if (end == b.len || strchr(";|&", b.at[end]))
            return b.len;
    }
    return at;
}

/* The value from `from` on, or what of it is behind the `cut`. false: there is none, but one of the
 * characters that none begins with. */
static bool value(struct bytes b, size_t from, char cut, const char *refused, struct span *s)
{
    char ends_user[2] = {cut, 0};

    if (from >= b.len || strchr(refused, b.at[from]))
        return false;
    size_t word = text_until(b, from, TEXT_BLANKS "'\"");
    size_t at = cut ? text_until(bytes_head(b, word), from, ends_user) : from;
    if (cut && at == word)
        return false;
    s->from = cut ? at + 1 : from;
    s->to = text_value_end(b, cut && strchr("'\"" TEXT_ITEM, b.at[from - 1]) ? from : s->from);
    return s->from < s->to;
}

/* In a cluster, too: curl -su user:X. */
static size_t option_here(struct bytes b, size_t at, const char *option)
{
    size_t n = strlen(option), end = at + 1;

    if (b.len - at >= n && memcmp(b.at + at, option, n) == 0)
        return at + n;
    while (n == 2 && end < b.len && text_letter(b.at[end]))
        end++;
    bool last = end > at + 2 && end < b.len && b.at[end - 1] == (uint8_t)option[1] &&
                strchr(TEXT_BLANKS, b.at[end]);
    return last ? end : 0;
}

static size_t word_here(struct bytes b, size_t at, const char *word)
{
    size_t end = at + strlen(word);

    if (word[0] == '-')
        return option_here(b, at, word);
    if (!text_starts(b, at, word))
        return 0;
    bool whole = end < b.len && strchr(TEXT_BLANKS TEXT_QUOTES, b.at[end]);
    return whole || !text_letter((uint8_t)word[strlen(word) - 1]) || word[0] == '/' ? end : 0;
}

static bool by_rule(struct bytes b, size_t at, struct span *s)
{
    size_t back = at < COMMAND_MAX ? at : COMMAND_MAX;
    struct bytes before = bytes_of(b.at + at - back, back);

    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        const struct rule *r = &rules[i];
        if ((b.at[at] | 0x20) != (r->word[0] | 0x20))
            continue;
        size_t end = word_here(b, at, r->word);
        if (end == 0 || (r->program[0] && !bytes_find(before, r->program)))
            continue;
        bool attached = end < b.len && !strchr(TEXT_BLANKS, b.at[end]);
        if (attached && r->skip > 0 && r->word[0] == '-') /* the rest of a cluster */
            end = text_until(b, end, TEXT_BLANKS);
        size_t from = attached && r->skip > 0 && r->word[0] != '-' ? end : behind(b, end);
        if (value(b, skip_words(b, from, r->skip), r->cut,
                  r->skip > 0 ? "-/;|&"
                  : attached  ? ""
                              : "-;|&",
                  s))
            return true;
    }
    return false;
}

/* Any option that is named so: --token X, -storepass X. */
static bool by_name(struct bytes b, size_t at, struct span *s)
{
    static const char *const names[] = {"pass",     "passwd",      "password",   "passphrase",
                                        "pwd",      "-pw",         "secret",     "token",
                                        "api-key",  "apikey",      "access-key", "secret-key",
                                        "auth-key", "account-key", "bearer",     "cookie"};
    size_t end = text_until(b, at, TEXT_ENDS "=:");
    struct bytes name = bytes_of(b.at + at, end - at);

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (ends(name, names[i]))
            return value(b, behind(b, end), 0, end < b.len && b.at[end] == '=' ? "" : "-;|&", s);
    return false;
}

static bool runs(struct bytes command, const char *program)
{
    size_t end = text_until(command, 0, TEXT_BLANKS);
    size_t n = strlen(program);

    return end >= n && memcmp(command.at + end - n, program, n) == 0 &&
           (end == n || command.at[end - n - 1] == '/');
}

/* Programs that take a password from their input, as they are called here. */
static bool reads_secret(struct bytes b, size_t at)
{
    static const struct {
        const char *program, *option;
    } readers[] = {{"sudo", "-S"},     {"su", ""},           {"passwd", ""}, {"chpasswd", ""},
                   {"cryptsetup", ""}, {"smbpasswd", ""},    {"kinit", ""},  {"login", ""},
                   {"gpg", "-fd"},     {"openssl", "stdin"}, {"ssh-add", ""}};
    size_t from = text_skip(b, at, TEXT_BLANKS), end = text_until(b, from, ";|&\n" TEXT_ITEM);
    struct bytes command = bytes_of(b.at + from, end - from);

    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        if (runs(command, readers[i].program) &&
            (!readers[i].option[0] || bytes_find(command, readers[i].option)))
            return true;
    return bytes_find(command, "password-stdin") || bytes_find(command, "--stdin");
}

/* echo X | sudo -S ... */
static bool piped(struct bytes b, size_t at, struct span *s)
{
    size_t end = text_starts(b, at, "echo ")     ? at + strlen("echo ")
                 : text_starts(b, at, "printf ") ? at + strlen("printf ")
                                                 : 0;
    size_t pipe = text_until(bytes_head(b, end + COMMAND_MAX), end, "|;" TEXT_ITEM);

    if (end == 0 || pipe >= b.len || b.at[pipe] != '|' || !reads_secret(b, pipe + 1))
        return false;
    while (end + 2 < pipe && b.at[end] == '-')
        end = text_skip(b, text_until(b, end, " "), " ");
    s->from = text_skip(b, end, " " TEXT_QUOTES);
    while (pipe > s->from && strchr(" \t'\"", b.at[pipe - 1]))
        pipe--;
    s->to = pipe;
    return s->from < s->to;
}

/* sudo -S ... <<< X, passwd ... <<EOF and all that follows */
static bool here_document(struct bytes b, size_t at, struct span *s)
{
    size_t start = at, behind_signs = text_skip(b, at, "<");

    while (start > 0 && at - start < COMMAND_MAX && !strchr(";|&\n" TEXT_ITEM, b.at[start - 1]))
        start--;
    if (behind_signs - at < 2 || !reads_secret(b, start))
        return false;
    if (behind_signs - at == 3)
        return value(b, behind(b, behind_signs), 0, "", s);
    *s = (struct span){text_skip(b, text_until(b, at, "\n"), "\n"), b.len};
    return s->from < s->to;
}

/* login("user", "X") in source code, its parenthesis at `at`. */
static bool called(struct bytes b, size_t at, struct span *s)
{
    enum { NAME_MAX = 32 };
    size_t back = at < NAME_MAX ? at : NAME_MAX, from = at + 1;
    size_t skip = secret_argument(bytes_of(b.at + at - back, back));

    if (skip == SIZE_MAX)
        return false;
    for (; skip > 0 && from < b.len; skip--) {
        from = text_until(b, from, ",)");
        if (from == b.len || b.at[from] == ')')
            return false;
        from++;
    }
    from = text_skip(b, from, " \t");
    s->from = text_skip(b, from + (from < b.len && b.at[from] == 'b'), TEXT_QUOTES);
    if (s->from >= b.len || !strchr(TEXT_QUOTES, b.at[s->from - 1]))
        return false; /* a name, or a number */
    s->to = text_value_end(b, s->from);
    return s->to > s->from;
}

bool command_secret(struct bytes text, size_t at, struct span *secret)
{
    if (text.at[at] == '(')
        return called(text, at, secret);
    if (text.at[at] == '<')
        return here_document(text, at, secret);
    if (at > 0 && !strchr(TEXT_BLANKS "'\"(;|&`", text.at[at - 1]) && text.at[at - 1] != '/')
        return false;
    return by_rule(text, at, secret) || (text.at[at] == '-' && by_name(text, at, secret)) ||
           piped(text, at, secret);
}
