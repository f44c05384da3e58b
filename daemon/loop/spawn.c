#include "daemon/loop/spawn.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

#include "daemon/base/buf.h"
#include "daemon/base/xalloc.h"

#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"
#define COMMAND_SHOWN_MAX 120

/* All that comes over from our own environment. */
static const char *const inherited_names[] = {
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "USER",
    "LOGNAME",
    "TZ",
    "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "SSH_AUTH_SOCK",
    "GNUPGHOME",
    "PASSWORD_STORE_DIR",
    NULL,
};

/* Everything the child needs between fork and exec, made before: there it may
 * neither allocate nor lock. */
struct plan {
	const char *path;
	char *const *argv;
	char *const *environment;
	const char *directory;
	const int *fds;
	int report_fd; /* errno of a failed step goes here */
	int gate;      /* -1: none */
	int fd_limit;
};

/* The environment. */

static const char *
our_path(void)
{
	const char *path = getenv("PATH");

	return path != NULL && path[0] != '\0' ? path : DEFAULT_PATH;
}

static struct span
name_of(const char *assignment)
{
	struct span text = span_from_str(assignment);

	return span_slice(text, 0, span_find(text, '='));
}

static void
remove_name(struct strv *environment, struct span name)
{
	for (size_t i = 0; i < environment->len; i++) {
		if (!span_equal(name_of(environment->items[i]), name))
			continue;
		free(environment->items[i]);
		environment->items[i] = environment->items[--environment->len];
		environment->items[environment->len] = NULL;
		return;
	}
}

/* A cut must not leave half a character. */
static size_t
cut_point(struct span value)
{
	size_t len = SPAWN_ENV_VALUE_MAX;

	while (len > 0 && ((unsigned char)value.data[len] & 0xc0) == 0x80)
		len--;
	return len;
}

static bool
add_assignment(struct strv *environment, const char *assignment)
{
	struct span name = name_of(assignment);
	struct span value = span_skip(span_from_str(assignment), name.len + 1);
	bool cut = value.len > SPAWN_ENV_VALUE_MAX;
	BUF_AUTO text = BUF_INIT;

	if (name.len == 0 || assignment[name.len] != '=')
		return false;
	remove_name(environment, name);
	buf_add_span(&text, name);
	buf_add_char(&text, '=');
	/* Shellshock, CVE-2014-6271: mail headers were one of its ways in. */
	if (span_starts(value, "() {"))
		buf_add_char(&text, ' ');
	if (cut)
		value = span_slice(value, 0, cut_point(value));
	buf_add_span(&text, value);
	strv_take(environment, buf_take_str(&text));
	return cut;
}

void
spawn_environment(struct strv *environment, const struct strv *additional)
{
	bool cut = false;

	strv_take(environment, xasprintf("PATH=%s", our_path()));
	for (size_t i = 0; inherited_names[i] != NULL; i++) {
		const char *value = getenv(inherited_names[i]);

		if (value != NULL && strlen(value) <= SPAWN_ENV_VALUE_MAX)
			strv_take(environment,
			    xasprintf("%s=%s", inherited_names[i], value));
	}
	for (size_t i = 0; additional != NULL && i < additional->len; i++)
		cut |= add_assignment(environment, additional->items[i]);
	if (cut)
		strv_add(environment, "BELFRY_TRUNCATED=1");
}

/* The command. */

static bool
is_program(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 && S_ISREG(info.st_mode) &&
	       access(path, X_OK) == 0;
}

/* The command's path, malloc'ed, or NULL. */
static char *
find_in_path(const char *command)
{
	struct span rest = span_from_str(our_path());
	struct span dir;

	while (span_split(&rest, ':', &dir)) {
		STR_AUTO path = NULL;

		/* "." in PATH, or an empty part, means whatever directory we
		 * are in: not ours to trust. */
		if (!span_starts(dir, "/"))
			continue;
		path = xasprintf("%.*s/%s", SPAN_FMT(dir), command);
		if (is_program(path))
			return xstrdup(path);
	}
	return NULL;
}

bool
spawn_finds(const char *command)
{
	STR_AUTO path = find_in_path(command);

	return path != NULL;
}

static bool
check_size(const struct strv *strings, size_t *total, struct error *error_r)
{
	for (size_t i = 0; i < strings->len; i++) {
		size_t len = strlen(strings->items[i]) + 1;

		*total += len;
		if (len > SPAWN_STRING_MAX)
			return error_set(error_r, FAULT_LIMIT,
			    "an argument has %zu bytes, more than %d", len,
			    SPAWN_STRING_MAX);
		if (*total > SPAWN_TOTAL_MAX)
			return error_set(error_r, FAULT_LIMIT,
			    "the arguments have more than %d bytes together",
			    SPAWN_TOTAL_MAX);
	}
	return true;
}

static bool
set_exec_error(const char *command, int number, struct error *error_r)
{
	bool is_short = number == EAGAIN || number == ENOMEM ||
			number == EMFILE || number == ENFILE ||
			number == ECANCELED;
	enum fault fault = is_short ? FAULT_RETRY : FAULT_CONFIG;
	const char *reason = strerror(number);

	if (number == ENOEXEC)
		reason = "is neither a program nor a script that begins with "
			 "#!";
	return error_set(error_r, fault, "command \"%.*s\": %s",
	    COMMAND_SHOWN_MAX, command, reason);
}

static char *
find_command(const char *command, struct error *error_r)
{
	char *path;

	if (strchr(command, '/') != NULL)
		return xstrdup(command);
	path = command[0] == '\0' ? NULL : find_in_path(command);
	if (path == NULL)
		error_set(error_r, FAULT_CONFIG,
		    "command \"%.*s\" was not found in PATH (%.*s)",
		    COMMAND_SHOWN_MAX, command, COMMAND_SHOWN_MAX, our_path());
	return path;
}

/* In the child: async-signal-safe calls only, and no writes to memory that
 * the parent shares, errno apart. */

static void
close_from(int first, int limit)
{
#ifdef SYS_close_range
	if (syscall(SYS_close_range, first, ~0U, 0) == 0)
		return;
#endif
	for (int fd = first; fd < limit; fd++)
		close(fd);
}

static void
reset_signals(void)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		sigaction(number, &action, NULL); /* KILL and STOP refuse */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Where they are put, and nothing else is left. */
enum {
	REPORT_FD = 3,
	GATE_FD,
	FDS
};

static bool
place_fds(const struct plan *plan, int *report_fd)
{
	const int from[FDS] = {plan->fds[0], plan->fds[1], plan->fds[2],
	    plan->report_fd, plan->gate};
	int count = plan->gate >= 0 ? FDS : GATE_FD;
	int fds[FDS];

	/* Above all of them first: a source may be another's target. */
	for (int i = 0; i < count; i++) {
		fds[i] = fcntl(from[i], F_DUPFD, FDS);
		if (fds[i] < 0)
			return false;
	}
	for (int i = 0; i < count; i++)
		if (dup2(fds[i], i) < 0)
			return false;
	*report_fd = REPORT_FD;
	close_from(count, plan->fd_limit);
	for (int i = REPORT_FD; i < count; i++)
		if (fcntl(i, F_SETFD, FD_CLOEXEC) != 0)
			return false;
	return true;
}

/* False: it was closed, by whoever does not want the program any more, or by
 * our end. */
static bool
pass_gate(const struct plan *plan)
{
	ssize_t len = 1;
	char go;

	if (plan->gate >= 0)
		do
			len = read(GATE_FD, &go, 1);
		while (len < 0 && errno == EINTR);
	if (len == 0)
		errno = ECANCELED;
	return len == 1;
}

static void __attribute__((noreturn)) become(const struct plan *plan)
{
	int report_fd = plan->report_fd;
	int number;

	setsid();
	umask(077);
	if (place_fds(plan, &report_fd)) {
		if (chdir(plan->directory) != 0 && chdir("/") != 0)
			_exit(127);
		reset_signals();
		if (pass_gate(plan))
			execve(plan->path, plan->argv, plan->environment);
	}
	number = errno;
	while (write(report_fd, &number, sizeof(number)) < 0 && errno == EINTR)
		continue;
	_exit(127);
}

/* In the parent. */

/*
 * vfork does not copy page tables, so that a command costs the same however
 * much memory the daemon has. The child shares our memory until it has
 * exec'ed, so no signal handler of ours may run in it: all signals are blocked
 * around it.
 */
static pid_t
fork_into(const struct plan *plan)
{
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
#ifdef __linux__
	pid = vfork();
#else
	pid = fork();
#endif
	if (pid == 0)
		become(plan);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return pid;
}

static int
fd_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
	    limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > 65536)
		return 65536;
	return (int)limit.rlim_cur;
}

/* Starts the child and waits for its exec: 0, or errno of what failed. */
static int
run_plan(struct plan *plan, pid_t *pid_r)
{
	int report[2];
	int number = 0;
	ssize_t len;

	if (pipe2(report, O_CLOEXEC) != 0)
		return errno;
	plan->report_fd = report[1];
	*pid_r = fork_into(plan);
	if (*pid_r < 0)
		number = errno;
	close(report[1]);
	if (*pid_r > 0) {
		do
			len = read(report[0], &number, sizeof(number));
		while (len < 0 && errno == EINTR);
	}
	close(report[0]);
	return number;
}

bool
spawn_start(const struct spawn *spawn, pid_t *pid_r, struct error *error_r)
{
	STRV_AUTO environment = STRV_INIT;
	STR_AUTO path = NULL;
	const char *home = getenv("HOME");
	struct plan plan = {
	    .fds = spawn->fds, .gate = spawn->gate, .fd_limit = fd_limit()};
	size_t total = 0;
	pid_t pid = -1;
	int number;

	assert(spawn->argv->len > 0);
	spawn_environment(&environment, spawn->environment);
	if (!check_size(spawn->argv, &total, error_r) ||
	    !check_size(&environment, &total, error_r))
		return false;
	path = find_command(spawn->argv->items[0], error_r);
	if (path == NULL)
		return false;
	plan.path = path;
	plan.argv = spawn->argv->items;
	plan.environment = environment.items;
	plan.directory = home != NULL && home[0] == '/' ? home : "/";
	number = run_plan(&plan, &pid);
	if (number == 0) {
		*pid_r = pid;
		return true;
	}
	if (pid > 0)
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	return set_exec_error(spawn->argv->items[0], number, error_r);
}
