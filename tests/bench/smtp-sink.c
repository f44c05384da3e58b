/*
 * smtp-sink FILE [nosync]: a submission server for bench-forward.py.
 *
 * In clear on a port of 127.0.0.1 that it prints; one connection at a time.
 * Offers PIPELINING, 8BITMIME, SIZE and AUTH PLAIN, and believes everything.
 * As a real one must before it says 250 (RFC 5321 section 4.2.5) it has each
 * message on disk first: appended to FILE, fdatasync. `nosync`: it lies.
 *
 * A line on standard input is answered by one on standard output: how many
 * messages it took, their bytes, and the nanoseconds from the first MAIL to
 * the last 250; and it counts anew.
 */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/base/buf.h"
#include "daemon/base/span.h"

static struct {
	int file;
	bool sync;
	uint64_t messages, bytes, first, last;
} sink;

struct client {
	int fd;
	struct buf in, out;
	bool in_text;
};

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void
say(struct client *c, const char *line)
{
	buf_add_str(&c->out, line);
	buf_add_str(&c->out, "\r\n");
}

static void
flush(struct client *c)
{
	size_t done = 0;

	while (done < c->out.len) {
		ssize_t n =
		    write(c->fd, buf_str(&c->out) + done, c->out.len - done);
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	buf_clear(&c->out);
}

static void
on_command(struct client *c, struct span line)
{
	if (span_starts_nocase(line, "EHLO")) {
		say(c, "250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n"
		       "250-SIZE 50000000\r\n250 AUTH PLAIN");
	} else if (span_starts_nocase(line, "AUTH")) {
		say(c, "235 2.7.0 welcome");
	} else if (span_starts_nocase(line, "MAIL")) {
		if (sink.first == 0)
			sink.first = now_ns();
		say(c, "250 2.1.0 ok");
	} else if (span_starts_nocase(line, "DATA")) {
		c->in_text = true;
		say(c, "354 go ahead");
	} else if (span_starts_nocase(line, "QUIT")) {
		say(c, "221 2.0.0 bye");
	} else {
		say(c, "250 2.0.0 ok");
	}
}

static void
keep(struct span text)
{
	if (write(sink.file, text.data, text.len) != (ssize_t)text.len)
		err(1, "write");
	if (sink.sync && fdatasync(sink.file) != 0)
		err(1, "fdatasync");
	sink.messages++;
	sink.bytes += text.len;
	sink.last = now_ns();
}

/* One command or one text less in the input; false: it is not all there. */
static bool
step(struct client *c)
{
	struct span in = buf_span(&c->in);
	size_t end = span_find_span(
	    in, c->in_text ? SPAN("\r\n.\r\n") : SPAN("\r\n"), 0);

	if (end == SIZE_MAX)
		return false;
	if (c->in_text) {
		flush(c);
		keep(span_slice(in, 0, end + 2));
		say(c, "250 2.0.0 taken");
		c->in_text = false;
		buf_consume(&c->in, end + 5);
	} else {
		on_command(c, span_slice(in, 0, end));
		buf_consume(&c->in, end + 2);
	}
	return true;
}

static void
tell(void)
{
	char line[80];

	if (fgets(line, sizeof(line), stdin) == NULL)
		exit(0);
	printf("%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", sink.messages,
	    sink.bytes, sink.last > sink.first ? sink.last - sink.first : 0);
	fflush(stdout);
	sink.messages = sink.bytes = sink.first = sink.last = 0;
}

static void
serve(int fd)
{
	struct client c = {.fd = fd, .in = BUF_INIT, .out = BUF_INIT};
	char bytes[65536];
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	say(&c, "220 sink ESMTP");
	for (;;) {
		struct pollfd polled[] = {{fd, POLLIN, 0}, {0, POLLIN, 0}};
		flush(&c);
		if (poll(polled, 2, -1) < 0)
			err(1, "poll");
		if (polled[1].revents != 0)
			tell();
		if (polled[0].revents == 0)
			continue;
		ssize_t n = read(fd, bytes, sizeof(bytes));
		if (n <= 0)
			break;
		buf_add(&c.in, bytes, (size_t)n);
		while (step(&c))
			;
	}
	buf_done(&c.in);
	buf_done(&c.out);
	close(fd);
}

static int
listen_somewhere(void)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 ||
	    listen(fd, 8) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) != 0)
		err(1, "listen");
	printf("port %u\n", (unsigned)ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

int
main(int argc, char **argv)
{
	if (argc < 2)
		errx(64, "usage: smtp-sink FILE [nosync]");
	sink.sync = argc < 3 || strcmp(argv[2], "nosync") != 0;
	sink.file = open(argv[1], O_CREAT | O_WRONLY | O_APPEND, 0600);
	if (sink.file < 0)
		err(1, "%s", argv[1]);
	int fd = listen_somewhere();
	for (;;) {
		struct pollfd polled[] = {{fd, POLLIN, 0}, {0, POLLIN, 0}};
		if (poll(polled, 2, -1) < 0)
			err(1, "poll");
		if (polled[1].revents != 0)
			tell();
		if (polled[0].revents != 0)
			serve(accept(fd, NULL, NULL));
	}
}
