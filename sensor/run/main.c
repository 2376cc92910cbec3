/* run/main.c - the program: what is asked for, and who does it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "net/capture.h"
#include "run/baseline.h"
#include "run/conf.h"
#include "run/pickle_command.h"
#include "run/priv.h"
#include "run/session.h"
#include "signatures/rules.h"

static const char *severity_name(enum severity s)
{
    static const char *const names[] = {"", "info", "low", "medium", "high", "critical"};

    return names[s];
}

static int list_rules(void)
{
    for (unsigned i = 0; i < RULE_COUNT; i++)
        printf("%-28s %-9s %-18s %s%s\n", rules[i].id, severity_name(rules[i].severity),
               rules[i].category, rules[i].name, rules[i].built ? "" : " (not built yet)");
    return fflush(stdout) == 0 ? 0 : 74;
}

static int list_interfaces(void)
{
    char error[256];
    int code = capture_exit_code(capture_list_interfaces(stdout, error, sizeof error));

    if (code != 0)
        log_error("%s", error);
    return code;
}

static int test(const struct conf *conf)
{
    if (conf->policy.baseline)
        baseline_log(conf->policy.baseline, conf->baseline_file);
    log_info("configuration and signatures are well formed");
    return 0;
}

static int act(const struct conf *conf)
{
    switch (conf->mode) {
    case MODE_TEST: return test(conf);
    case MODE_DUMP: return conf_dump(conf, STDOUT_FILENO) ? 0 : 74;
    case MODE_DUMP_SCHEMA: return conf_dump_schema(STDOUT_FILENO) ? 0 : 74;
    case MODE_DUMP_BASELINE: return baseline_dump_schema(STDOUT_FILENO) ? 0 : 74;
    case MODE_LIST_RULES: return list_rules();
    case MODE_LIST_INTERFACES: return list_interfaces();
    case MODE_VERSION:
        return puts("celeriac " CELERIAC_VERSION) >= 0 && fflush(stdout) == 0 ? 0 : 74;
    case MODE_HELP: conf_usage(STDOUT_FILENO); return 0;
    default: return session_run(conf);
    }
}

int main(int argc, char **argv)
{
    static const enum log_level levels[] = {LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG};
    struct conf conf;
    int status;

    priv_no_dumps();
    if (argc > 1 && strcmp(argv[1], "pickle") == 0)
        return pickle_command(argc - 1, argv + 1);
    status = conf_load(&conf, argc, argv);
    log_set_level(levels[conf.verbosity + 1]);
    if (status == 0)
        status = act(&conf);
    conf_free(&conf);
    return status;
}
