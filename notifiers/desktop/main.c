/*
 * belfry-desktop: shows notifications on the desktop.
 *
 * A process of its own, so that neither a hung session bus nor GLib can stop
 * the mail. Speaks the protocol of belfry-notifiers(7) on standard input and
 * output and ends with its input.
 */
#include "config.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "notifiers/desktop/lines.h"
#include "notifiers/desktop/service.h"

#define CHECK_MSEC 1000

static const char usage[] =
    "usage: belfry-desktop [--version | --help]\n"
    "\n"
    "Shows the notifications of belfryd(8) on the desktop. belfryd starts it;\n"
    "requests come on standard input and answers go to standard output, as\n"
    "belfry-notifiers(7) describes. Ends with its input.\n";

/* Returns -1 to go on, else the exit code. */
static int
read_options(int argc, char **argv)
{
	if (argc == 1)
		return -1;
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("belfry-desktop %s\n", PACKAGE_VERSION);
		return EX_OK;
	}
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		fputs(usage, stdout);
		return EX_OK;
	}
	fputs(usage, stderr);
	return EX_USAGE;
}

/* Said once, without the line: mail is nothing for a log. */
static void
complain(void)
{
	static bool has_complained;

	if (!has_complained)
		fputs("belfry-desktop: a line is no request\n", stderr);
	has_complained = true;
}

static void
take_lines(struct lines *lines, struct service *service)
{
	struct notifier_line line;
	struct span text;

	while (lines_next(lines, &text)) {
		if (!notifier_line_parse(text, &line)) {
			complain();
		} else if (line.verb != NOTIFIER_NOTIFY &&
			   line.verb != NOTIFIER_CLOSE) {
			complain();
			notifier_line_done(&line);
		} else {
			service_take(service, &line);
		}
	}
}

static void
serve(struct service *service)
{
	struct lines lines = {0};
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

	for (;;) {
		int ready = poll(&input, 1, CHECK_MSEC);

		service_check(service);
		if (ready <= 0)
			continue;
		if (!lines_fill(&lines, STDIN_FILENO))
			break;
		take_lines(&lines, service);
	}
	lines_done(&lines);
}

int
main(int argc, char **argv)
{
	int status = read_options(argc, argv);

	if (status >= 0)
		return status;
	signal(SIGPIPE, SIG_IGN);
	serve(service_start());
	/* Not exit: the other thread may be inside a call that blocks. */
	_exit(EX_OK);
}
