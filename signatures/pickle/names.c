#include "signatures/pickle/pickle.h"

#define FLAG_TEXT(name, text) [PICKLE_BIT_##name] = text,

const char *pickle_flag_name(enum pickle_flag_bit bit)
{
    static const char *const names[] = {PICKLE_FLAGS(FLAG_TEXT)};
    return (unsigned)bit < PICKLE_BIT_COUNT ? names[bit] : "";
}

const char *pickle_verdict_name(enum pickle_verdict v)
{
    static const char *const names[] = {"not-pickle",      "data",       "objects-known",
                                        "objects-unknown", "suspicious", "dangerous",
                                        "malicious"};
    return names[v];
}

const char *pickle_class_name(enum pickle_class c)
{
    static const char *const names[] = {"unknown", "allowed", "benign",      "known-ml",
                                        "exec",    "process", "deserialize", "import",
                                        "attr",    "network", "file"};
    return names[c];
}

const char *pickle_severity_name(enum pickle_severity s)
{
    static const char *const names[] = {"none", "low", "medium", "high", "critical"};
    return names[s];
}

const char *pickle_end_name(enum pickle_end_state e)
{
    static const char *const names[] = {
        "stop",       "no-stop",    "capture-end",    "error:opcode", "error:stack",
        "error:memo", "error:text", "error:protocol", "error:type",   "error:length",
    };
    return names[e];
}
