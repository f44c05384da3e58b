#include "tests/lib/no-exec.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/prctl.h of Linux 6.3; older ones have neither. */
#define SET_MDWE 65
#define REFUSE_EXEC_GAIN 1ul

#define PAGE_SIZE_MAX ((size_t)65536)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The third argument's lower half, PROT_*; little-endian machines only: on
 * others the upper half is zero and nothing is refused, which the caller
 * notices. */
#define PROT_OFFSET offsetof(struct seccomp_data, args[2])

/* mmap and mprotect with PROT_EXEC: EPERM. All else is allowed, mappings of
 * files, too, were they made before; exec needs them, so that this is not for
 * a process that starts another. */
static bool
filter(void)
{
	struct sock_filter code[] = {
	    BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 1, 0),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 0, 3),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, PROT_OFFSET),
	    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {
	    .len = (unsigned short)COUNT(code), .filter = code};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

bool
no_exec_deny(bool by_filter)
{
	if (!by_filter && prctl(SET_MDWE, REFUSE_EXEC_GAIN, 0ul, 0ul, 0ul) == 0)
		return true;
	return filter();
}

bool
no_exec_is_allowed(void)
{
	const int both = PROT_READ | PROT_WRITE | PROT_EXEC;
	void *at =
	    mmap(NULL, PAGE_SIZE_MAX, both, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool is_allowed = at != MAP_FAILED;

	if (is_allowed)
		munmap(at, PAGE_SIZE_MAX);
	at = mmap(NULL, PAGE_SIZE_MAX, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		return true;
	is_allowed = is_allowed ||
		     mprotect(at, PAGE_SIZE_MAX, PROT_READ | PROT_EXEC) == 0;
	munmap(at, PAGE_SIZE_MAX);
	return is_allowed;
}
