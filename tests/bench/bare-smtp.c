/*
 * bare-smtp PORT FILE COUNT: the floor of bench-forward.py.
 *
 * Sends the message in FILE (CRLF, no line begins with a dot) COUNT times over
 * one connection to 127.0.0.1, as fast as a client may that needs each answer:
 * the envelope of the next message goes together with the dot of the one
 * before (PIPELINING), and the text as soon as it is asked for. No journal, no
 * retries, no parsing beyond the first digit of a reply.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENVELOPE                                                               \
	"MAIL FROM:<ann@example.org> BODY=8BITMIME\r\n"                        \
	"RCPT TO:<to@example.net>\r\nDATA\r\n"

static char input[4096];
static size_t input_len;

static void
send_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);
		if (n <= 0)
			err(1, "write");
		bytes += n;
		len -= (size_t)n;
	}
}

/* Reads until the last line of one reply; its code's first digit. */
static char
read_reply(int fd)
{
	for (;;) {
		char *end = memchr(input, '\n', input_len);
		if (end != NULL) {
			bool last = input[3] != '-';
			char digit = input[0];
			size_t used = (size_t)(end + 1 - input);
			memmove(input, end + 1, input_len - used);
			input_len -= used;
			if (last)
				return digit;
			continue;
		}
		ssize_t n =
		    read(fd, input + input_len, sizeof(input) - 1 - input_len);
		if (n <= 0)
			errx(1, "the server hung up");
		input_len += (size_t)n;
	}
}

static void
want(int fd, char digit)
{
	if (read_reply(fd) != digit)
		errx(1, "an odd answer");
}

static int
connect_to(unsigned port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		err(1, "connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static char *
read_file(const char *path, size_t *len_r)
{
	FILE *file = fopen(path, "rb");
	char *text = malloc(10 * 1024 * 1024);

	if (file == NULL || text == NULL)
		err(1, "%s", path);
	*len_r = fread(text, 1, 10 * 1024 * 1024, file);
	fclose(file);
	return text;
}

int
main(int argc, char **argv)
{
	static const char next[] = ".\r\n" ENVELOPE;
	static const char hello[] = "EHLO bare.example\r\n",
			  auth[] = "AUTH PLAIN AGFubgBzZWNyZXQ=\r\n";
	size_t len;

	if (argc != 4)
		errx(64, "usage: bare-smtp PORT FILE COUNT");
	char *text = read_file(argv[2], &len);
	int fd = connect_to((unsigned)atoi(argv[1]));
	want(fd, '2');
	send_all(fd, hello, sizeof(hello) - 1);
	want(fd, '2');
	send_all(fd, auth, sizeof(auth) - 1);
	want(fd, '2');
	send_all(fd, ENVELOPE, sizeof(ENVELOPE) - 1);
	for (int left = atoi(argv[3]); left > 0; left--) {
		want(fd, '2');
		want(fd, '2');
		want(fd, '3');
		send_all(fd, text, len);
		if (left > 1)
			send_all(fd, next, sizeof(next) - 1);
		else
			send_all(fd, ".\r\n", 3);
		want(fd, '2');
	}
	send_all(fd, "QUIT\r\n", 6);
	want(fd, '2');
	free(text);
	return 0;
}
