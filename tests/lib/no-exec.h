/*
 * no-exec: a process that may not make memory executable any more, as under
 * systemd's MemoryDenyWriteExecute or SELinux's execmem.
 */
#ifndef BELFRY_TESTS_LIB_NO_EXEC_H
#define BELFRY_TESTS_LIB_NO_EXEC_H

#include <stdbool.h>

/* For this process, for good, over exec, too. By the kernel's own switch
 * (PR_SET_MDWE, Linux 6.3) or else by a seccomp filter; `by_filter` takes that
 * at once. False: neither can be had here. */
bool no_exec_deny(bool by_filter);
/* Whether memory that was written can still become code. */
bool no_exec_is_allowed(void);

#endif
