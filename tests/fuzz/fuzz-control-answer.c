/*
 * fuzz-control-answer: whatever answers on the control socket, belfryctl shows
 * nothing that would move a terminal, and ends.
 *
 * The first byte of the input chooses a command and how it prints, the rest is
 * what the "daemon" says, to each question anew. All of belfryctl is in here,
 * its connection, too.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"
#include "daemon/control/ctl.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

/* ---- the daemon ---- */

static struct sockaddr_un address = {.sun_family = AF_UNIX};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct buf answer; /* under the lock */

static void
say(int fd, struct span text)
{
	while (text.len > 0) {
		ssize_t put = send(fd, text.data, text.len, MSG_NOSIGNAL);
		if (put <= 0)
			return;
		text = span_skip(text, (size_t)put);
	}
}

static void *
serve(void *ctx)
{
	int server = *(int *)ctx;

	for (;;) {
		char request[4096] = "";
		int fd = accept(server, NULL, NULL);
		if (fd < 0)
			continue;
		ssize_t got = recv(fd, request, sizeof(request), 0);
		BUF_AUTO text = BUF_INIT;
		pthread_mutex_lock(&lock);
		buf_add_span(&text, buf_span(&answer));
		pthread_mutex_unlock(&lock);
		if (got > 0)
			say(fd, buf_span(&text));
		close(fd);
	}
	return NULL;
}

static void
start_daemon(void)
{
	static int server;
	const char *base = getenv("TMPDIR");
	char *path = address.sun_path;
	pthread_t thread;

	/* run-all.sh removes it. */
	snprintf(path, sizeof(address.sun_path) - 2, "%s/answer.XXXXXX",
	    base != NULL ? base : "/tmp");
	require(mkdtemp(path) != NULL);
	strcat(path, "/s");
	server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	require(bind(server, (const struct sockaddr *)&address,
		    sizeof(address)) == 0 &&
		listen(server, 64) == 0 &&
		pthread_create(&thread, NULL, serve, &server) == 0);
}

/* ---- what is asked ---- */

static const struct question {
	const char *command, *option, *arguments[3];
} questions[] = {
    {"status", NULL, {NULL}},
    {"status", "waybar", {NULL}},
    {"status", "follow", {NULL}},
    {"mailboxes", NULL, {NULL}},
    {"watch", NULL, {NULL}},
    {"history", NULL, {NULL}},
    {"report", NULL, {"-", NULL}},
    {"queue", NULL, {NULL}},
    {"queue", NULL, {"show", "1", NULL}},
    {"queue", NULL, {"retry", "all", NULL}},
    {"queue", NULL, {"resume", NULL}},
    {"reload", NULL, {NULL}},
    {"notify", NULL, {NULL}},
    {"apply", "dry-run", {"a/b", NULL}},
    {"apply", "yes", {"a/b", NULL}},
    {"pause", NULL, {"a", NULL}},
    {"probe", NULL, {"a", NULL}},
    {"explain", NULL, {"a/b/1", NULL}},
    {"completions", NULL, {"places", NULL}},
    {"completions", NULL, {"forwards", NULL}},
};
#define QUESTIONS (sizeof(questions) / sizeof(questions[0]))

static const struct ctl_command *
find_command(const char *name)
{
	const struct ctl_command *command = ctl_commands;

	while (command->name != NULL && strcmp(command->name, name) != 0)
		command++;
	return command;
}

static void
set_option(struct ctl *ctl, const char *name, const char *value)
{
	const struct ctl_option *options = ctl->command->options;

	for (size_t i = 0; options != NULL && options[i].name != NULL; i++)
		if (strcmp(options[i].name, name) == 0)
			ctl->values[i] = value;
}

static void
ask(const struct question *question, bool json)
{
	struct ctl ctl = {
	    .command = find_command(question->command),
	    .socket = address.sun_path,
	    .json = json,
	    .mute = true,
	    .arguments = (char **)(uintptr_t)question->arguments,
	};

	while (ctl.arguments[ctl.argument_count] != NULL)
		ctl.argument_count++;
	set_option(&ctl, "no-reconnect", "");
	if (question->option != NULL && strcmp(question->option, "waybar") == 0)
		set_option(&ctl, "format", question->option);
	else if (question->option != NULL)
		set_option(&ctl, question->option, "");
	ctl.command->run(&ctl);
}

/* ---- what is shown ---- */

static int shown; /* standard output */

static void
check_shown(void)
{
	struct stat st;

	fflush(stdout);
	require(fstat(shown, &st) == 0);
	size_t len = (size_t)st.st_size;
	char *text = xmalloc(len);
	require(pread(shown, text, len, 0) == (ssize_t)len);
	require(utf8_is_valid(span_from(text, len)));
	for (size_t i = 0; i < len; i++)
		require((unsigned char)text[i] >= ' ' || text[i] == '\n');
	free(text);
	require(ftruncate(shown, 0) == 0 && lseek(shown, 0, SEEK_SET) == 0);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	shown = memfd_create("shown", MFD_CLOEXEC);
	require(shown >= 0 && dup2(shown, STDOUT_FILENO) >= 0 &&
		freopen("/dev/null", "r", stdin) != NULL);
	/* The fuzzer holds its own; belfryctl's words would fill its log. */
	stderr = fopen("/dev/null", "w");
	require(stderr != NULL);
	/* No configuration of whoever runs this. */
	setenv("HOME", "/nonexistent", 1);
	unsetenv("XDG_CONFIG_HOME");
	start_daemon();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	pthread_mutex_lock(&lock);
	buf_clear(&answer);
	buf_add(&answer, data + 1, size - 1);
	pthread_mutex_unlock(&lock);
	ask(&questions[(data[0] & 0x7f) % QUESTIONS], (data[0] & 0x80) != 0);
	check_shown();
	return 0;
}
