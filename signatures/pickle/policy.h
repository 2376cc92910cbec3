/* pickle/policy.h - what the tables say of an imported name. */
#ifndef PICKLE_POLICY_H
#define PICKLE_POLICY_H

#include "signatures/pickle/pickle.h"

/* Callables whose arguments decide, or that the machine can see through (special.tsv). */
enum special {
    SPECIAL_NONE,
    SPECIAL_IMPORT,      /* (module name) -> module */
    SPECIAL_LOCATE,      /* ("module.attr" or "module:attr") -> object */
    SPECIAL_LOCATE_CALL, /* as LOCATE, and calls it with the other arguments */
    SPECIAL_GETATTR,
    SPECIAL_ATTRGETTER,
    SPECIAL_ITEMGETTER,
    SPECIAL_METHODCALLER,
    SPECIAL_CALL, /* calls its first argument with the others */
    SPECIAL_ADD,
    SPECIAL_GETITEM,
    SPECIAL_PARTIAL,
    SPECIAL_REDUCE,
    SPECIAL_MAP,
    SPECIAL_MAP2, /* the callable is the second argument */
    SPECIAL_STARMAP,
    SPECIAL_APPLY,
    SPECIAL_TYPE,
    SPECIAL_JOIN,
    SPECIAL_FORMAT,
    SPECIAL_BYTES_DECODE,
    SPECIAL_FROMHEX,
    SPECIAL_DICT_GET,
    SPECIAL_BYTES,
    SPECIAL_DEFAULTDICT,
    SPECIAL_RECONSTRUCTOR,
    SPECIAL_NEWOBJ,
    SPECIAL_CODECS_ENCODE,
    SPECIAL_CODECS_DECODE,
    SPECIAL_B64DECODE,
    SPECIAL_B64URL,
    SPECIAL_DECOMPRESS,
    SPECIAL_LOADS,
    SPECIAL_CALL_CLASS, /* calls its first argument, ordinarily a class of celery or kombu */
    SPECIAL_APP,        /* a Celery app: imports what it is given the names of */
    SPECIAL_APPATTR,
    SPECIAL_TASK_V2,
    SPECIAL_LAZY_PROXY,
    SPECIAL_PATH_KEY,
    SPECIAL_DEFER, /* calls its second argument later */
};

struct policy_row {
    const char *module, *name;
    uint16_t module_len, name_len;
    enum pickle_class kind;
    enum pickle_severity severity;
    enum special special;
    bool conditional; /* harmless with its ordinary arguments */
    const char *source;
};

struct policy_alias {
    const char *old_module, *old_name, *module, *name;
};

/* Exactly this pair; NULL: no row. */
const struct policy_row *policy_exact(struct bytes module, struct bytes name);

/* The pair, the head of a dotted name, the module's wildcard, the wildcards of its parents, in
 * this order; NULL: on no list. */
const struct policy_row *policy_find(struct bytes module, struct bytes name);

/* The wildcard of a module or of one of its parents. */
const struct policy_row *policy_module(struct bytes module);

/* Python 2's name for something (CPython Lib/_compat_pickle.py NAME_MAPPING, then
 * IMPORT_MAPPING): changes what it finds, and says whether it did. */
bool policy_alias(struct bytes *module, struct bytes *name);

/* A word of the tables: a module, a name, or a part of one. Such text is never given up under
 * memory pressure. */
bool policy_word(struct bytes text);

/* Attributes under which modules carry the modules that an attacker wants: os, _os, sys... */
bool names_module(struct bytes part);

/* Parts of dotted names. */
struct bytes last_part(struct bytes dotted);
struct bytes no_underscore(struct bytes name); /* in front */
/* Takes a part off the front of a.b.c; false: there is none left. */
bool next_part(struct bytes *rest, struct bytes *part);

#endif
