/* run/conf_file.h - the configuration file (-c), and text forms of its values. */
#ifndef RUN_CONF_FILE_H
#define RUN_CONF_FILE_H

#include "run/conf.h"

/* 0, 66, 77 or 78. Every fault is one line: file, line, column, what was expected. */
int conf_file_read(struct conf *conf, const char *path);

/* 10.0.0.9, 10.0.0.0/24, 2001:db8::/32. */
bool network_parse(const char *text, struct network *out);
/* 2027-01-01, or with Thh:mm:ssZ: ns since the epoch. */
bool date_parse(const char *text, int64_t *ns);
/* alerts,tasks,...: adds bits of enum emit_kind. false: `bad` is the name that is none. */
bool emit_parse(const char *text, unsigned *mask, char *bad, size_t bad_len);
bool conf_add_output(struct conf *conf, const char *url, unsigned emit);

#endif
