/* run/priv.c - setuid for good, and no core dumps. */
#include "run/priv.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"

void priv_no_dumps(void)
{
    struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
}

bool priv_user(const char *user, uid_t *uid, gid_t *gid)
{
    const struct passwd *pw = user ? getpwnam(user) : NULL;

    if (!pw)
        return false;
    *uid = pw->pw_uid;
    *gid = pw->pw_gid;
    return true;
}

int priv_drop(const char *user)
{
    const struct passwd *pw;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        log_warn("no_new_privs: %s", strerror(errno));
    if (!user)
        return 0;
    pw = getpwnam(user);
    if (!pw) {
        log_error("-u %s: no such user", user);
        return 66;
    }
    if (getuid() == pw->pw_uid && geteuid() == pw->pw_uid)
        return 0;
    if (initgroups(user, pw->pw_gid) != 0 || setgid(pw->pw_gid) != 0 || setuid(pw->pw_uid) != 0 ||
        (pw->pw_uid != 0 && setuid(0) == 0)) {
        log_error("-u %s: %s", user, errno ? strerror(errno) : "privileges could not be dropped");
        return 77;
    }
    priv_no_dumps(); /* setuid makes the process dumpable again */
    return 0;
}
