/* setup: what is asked at a terminal. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/select.h>
#include <termios.h>
#include <unistd.h>

#include "daemon/base/str.h"
#include "daemon/control/ctl_setup.h"

/* One that is typed without an echo must not end with the terminal mute. */
static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
#define SIGNALS (sizeof(signals) / sizeof(*signals))

static volatile sig_atomic_t caught;

static void
on_signal(int number)
{
	caught = number;
}

/* While they are held: what they are when they are not. A signal that comes
 * before a read would else be seen behind it. */
static const sigset_t *open_signals;

/* False: a signal came, or there is an error. */
static bool
wait_for_input(void)
{
	fd_set fds;

	if (open_signals == NULL)
		return true;
	do {
		FD_ZERO(&fds);
		FD_SET(STDIN_FILENO, &fds);
	} while (pselect(STDIN_FILENO + 1, &fds, NULL, NULL, NULL,
		     open_signals) < 0 &&
		 errno == EINTR && caught == 0);
	return caught == 0;
}

/* Byte by byte, so that what follows is left for others. */
bool
setup_read_line(struct buf *line_r)
{
	for (;;) {
		char c;
		if (!wait_for_input())
			return false;
		ssize_t got = read(STDIN_FILENO, &c, 1);
		if (got < 0 && errno == EINTR && caught == 0)
			continue;
		if (got <= 0)
			return got == 0 && line_r->len > 0;
		if (c == '\n')
			break;
		if (line_r->len >= SECRET_MAX)
			return false;
		buf_add_char(line_r, c);
	}
	if (line_r->len > 0 && line_r->data[line_r->len - 1] == '\r')
		buf_truncate(line_r, line_r->len - 1);
	return true;
}

bool
setup_ask(const char *question, struct buf *answer_r)
{
	fputs(question, stdout);
	fflush(stdout);
	return setup_read_line(answer_r);
}

/* ---- without an echo ---- */

struct held {
	struct sigaction actions[SIGNALS];
	sigset_t mask;
};

static void
hold_signals(struct held *old_r)
{
	struct sigaction action = {.sa_handler = on_signal};
	sigset_t set;

	sigemptyset(&action.sa_mask);
	sigemptyset(&set);
	caught = 0;
	for (size_t i = 0; i < SIGNALS; i++) {
		sigaddset(&set, signals[i]);
		sigaction(signals[i], &action, &old_r->actions[i]);
	}
	sigprocmask(SIG_BLOCK, &set, &old_r->mask);
	open_signals = &old_r->mask;
}

static void
release_signals(const struct held *old)
{
	open_signals = NULL;
	sigprocmask(SIG_SETMASK, &old->mask, NULL);
	for (size_t i = 0; i < SIGNALS; i++)
		sigaction(signals[i], &old->actions[i], NULL);
}

/* One try; a signal came: the terminal is as it was, and the signal does what
 * it does. */
static bool
read_mute(struct buf *line)
{
	struct held old;
	struct termios normal, mute;

	if (tcgetattr(STDIN_FILENO, &normal) != 0)
		return setup_read_line(line);
	mute = normal;
	mute.c_lflag &= ~(tcflag_t)ECHO;
	mute.c_lflag |= ECHONL;
	hold_signals(&old);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &mute);
	bool ok = setup_read_line(line);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &normal);
	release_signals(&old);
	return ok;
}

bool
setup_ask_secret(const char *question, struct secret *answer_r)
{
	bool ok;

	for (;;) {
		struct buf line = BUF_INIT;
		fputs(question, stdout);
		fflush(stdout);
		ok = read_mute(&line);
		if (ok)
			secret_set(answer_r, buf_span(&line));
		buf_wipe(&line);
		buf_done(&line);
		int number = caught;
		caught = 0;
		if (number == 0)
			break;
		raise(number);
		/* Stopped and gone on: asked again. */
	}
	return ok;
}

/* ---- yes or no ---- */

bool
setup_agree(const struct setup *setup, const char *question, bool standard)
{
	BUF_AUTO answer = BUF_INIT;

	if (ctl_has(setup->ctl, "yes") || !setup->is_terminal)
		return standard;
	fputs(question, stdout);
	if (!setup_ask(standard ? " [Y/n] " : " [y/N] ", &answer)) {
		putchar('\n');
		return false;
	}
	struct span word = span_trim(buf_span(&answer));
	if (word.len == 0)
		return standard;
	return char_to_lower(word.data[0]) == 'y';
}

void
setup_say(struct setup *setup, const char *format, ...)
{
	va_list args;

	if (setup->ctl->json)
		return;
	if (setup->is_line_open)
		putchar('\n');
	setup->is_line_open = false;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}
