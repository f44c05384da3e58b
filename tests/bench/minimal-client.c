/*
 * minimal-client PORT CA MODE...: the floor of the benches: the least code
 * that does the same on the wire as belfryd, over the same OpenSSL, with no
 * journal, no rules, no recovery.
 *
 *	idle N [shared]    N connections of u1 to uN, each in IDLE; "shared":
 *			   with the TLS session of the one before
 *	push USER FIELDS [pipelined] COMMAND...
 *			   IDLE; at EXISTS: DONE, UID FETCH of the header
 *			   fields ("all": all of them), COMMAND with them on
 *			   standard input, IDLE;
 *			   "pipelined": DONE and UID FETCH in one write
 *	settle USER FIELDS RULES
 *			   the same, but what came is moved and flagged by its
 *			   List-Id: RULES is a file of "NUMBER FOLDER" or
 *			   "NUMBER \Flagged" lines; all commands in one write.
 *			   HOST is localhost; the password is "secret"
 *
 * With $BENCH_SYNC, `push` appends to that file and has it on disk before the
 * command is started. Prints "ready" when it idles for the first time.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/base/base64.h"
#include "daemon/base/buf.h"
#include "daemon/base/span.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"

#define READ_SIZE (64 * 1024)
#define LISTS 100
#define FOLDERS_MAX 32

extern char **environ;

struct client {
	SSL *ssl;
	struct buf in;
	size_t pos; /* what was read of it */
	unsigned tag;
};

static SSL_CTX *context;
static unsigned port;
static bool shares;
static SSL_SESSION *session;

static void
die(const char *what)
{
	perror(what);
	ERR_print_errors_fp(stderr);
	exit(1);
}

/* ---- the wire ---- */

static int
keep_session(SSL *ssl, SSL_SESSION *ticket)
{
	(void)ssl;
	SSL_SESSION_free(session);
	session = SSL_SESSION_dup(ticket);
	return 0;
}

static void
prepare(const char *ca)
{
	context = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	if (SSL_CTX_load_verify_file(context, ca) != 1)
		die(ca);
	SSL_CTX_set_session_cache_mode(
	    context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	if (shares)
		SSL_CTX_sess_set_new_cb(context, keep_session);
}

static void
open_client(struct client *c)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c->ssl = SSL_new(context);
	SSL_set_fd(c->ssl, fd);
	SSL_set1_host(c->ssl, "localhost");
	SSL_set_tlsext_host_name(c->ssl, "localhost");
	if (session != NULL) {
		SSL_SESSION *copy = SSL_SESSION_dup(session);
		SSL_set_session(c->ssl, copy);
		SSL_SESSION_free(copy);
	}
	if (SSL_connect(c->ssl) != 1)
		die("handshake");
}

static void
say(struct client *c, struct span text)
{
	size_t written;

	if (SSL_write_ex(c->ssl, text.data, text.len, &written) != 1)
		die("write");
}

static void
read_more(struct client *c)
{
	static char data[READ_SIZE];
	size_t len = 0;

	buf_consume(&c->in, c->pos);
	c->pos = 0;
	if (SSL_read_ex(c->ssl, data, sizeof(data), &len) != 1)
		die("read");
	buf_add_span(&c->in, span_from(data, len));
}

static bool
has_line(const struct client *c, size_t from, size_t *end_r)
{
	const char *data = buf_str(&c->in);
	const char *end = memchr(data + from, '\n', c->in.len - from);

	if (end != NULL)
		*end_r = (size_t)(end - data) + 1;
	return end != NULL;
}

/* One response with its literals; borrowed until the next. */
static struct span
read_response(struct client *c)
{
	size_t end = 0, from;

	for (;;) {
		from = c->pos;
		while (has_line(c, from, &end)) {
			const char *line = buf_str(&c->in) + from;
			size_t len = end - from;
			if (len < 5 || line[len - 3] != '}')
				goto complete;
			const char *brace = memrchr(line, '{', len);
			from = end + strtoul(brace + 1, NULL, 10);
			if (from >= c->in.len)
				break;
		}
		read_more(c);
	}
complete:;
	struct span text = span_slice(buf_span(&c->in), c->pos, end - c->pos);
	c->pos = end;
	return text;
}

static bool
is_tagged(struct span text)
{
	return span_starts(text, "a");
}

static void
wait_tagged(struct client *c)
{
	struct span text;

	while (!is_tagged(text = read_response(c)))
		if (span_starts(text, "* BYE"))
			die("BYE");
	if (span_find_span(text, SPAN(" OK"), 0) == SIZE_MAX) {
		fprintf(stderr, "refused: %.*s", SPAN_FMT(text));
		exit(1);
	}
}

static void
command(struct client *c, const char *words)
{
	BUF_AUTO text = BUF_INIT;

	buf_addf(&text, "a%u %s\r\n", ++c->tag, words);
	say(c, buf_span(&text));
}

static void
begin_idle(struct client *c)
{
	command(c, "IDLE");
	while (!span_starts(read_response(c), "+"))
		continue;
}

/* Returns UIDNEXT. */
static unsigned
log_in(struct client *c, const char *user)
{
	STR_AUTO login = xasprintf("LOGIN %s secret", user);
	struct span text;
	unsigned next = 1;

	open_client(c);
	read_response(c);
	command(c, login);
	wait_tagged(c);
	command(c, "SELECT INBOX");
	while (!is_tagged(text = read_response(c))) {
		size_t at = span_find_span(text, SPAN("[UIDNEXT "), 0);
		if (at != SIZE_MAX)
			next = (unsigned)strtoul(text.data + at + 9, NULL, 10);
	}
	return next;
}

static void
ready(void)
{
	puts("ready");
	fflush(stdout);
}

/* ---- idle ---- */

static void
idle(unsigned count)
{
	struct client *clients = xcalloc(count, sizeof(*clients));
	struct rlimit files;
	char name[32];

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	for (unsigned i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "u%u", i + 1);
		log_in(&clients[i], name);
		begin_idle(&clients[i]);
		buf_done(&clients[i].in);
		clients[i].pos = 0;
	}
	ready();
	pause();
}

/* ---- push ---- */

/* With $BENCH_SYNC: what the least journal would cost. */
static void
sync_journal(void)
{
	static int fd = -1;
	const char *path = getenv("BENCH_SYNC");

	if (path == NULL)
		return;
	if (fd < 0)
		fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (write(fd, path, strlen(path)) < 0 || fdatasync(fd) != 0)
		die(path);
}

static void
run(char **argv, struct span input)
{
	posix_spawn_file_actions_t actions;
	int ends[2];
	pid_t pid;

	if (pipe(ends) != 0)
		die("pipe");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[0], 0);
	posix_spawn_file_actions_addclose(&actions, ends[0]);
	posix_spawn_file_actions_addclose(&actions, ends[1]);
	if (posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ) != 0)
		die(argv[0]);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[0]);
	/* It may have ended without reading. */
	ssize_t written = write(ends[1], input.data, input.len);
	(void)written;
	close(ends[1]);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
}

static void
end_idle(struct client *c, unsigned next, const char *fields, bool pipelined)
{
	bool all = strcmp(fields, "all") == 0;
	BUF_AUTO text = BUF_INIT;

	while (span_find_span(read_response(c), SPAN("EXISTS"), 0) == SIZE_MAX)
		continue;
	buf_add_str(&text, "DONE\r\n");
	if (!pipelined) {
		say(c, buf_span(&text));
		wait_tagged(c);
		buf_clear(&text);
	}
	buf_addf(&text,
	    "a%u UID FETCH %u:* (UID FLAGS INTERNALDATE RFC822.SIZE "
	    "BODY.PEEK[HEADER%s%s%s])\r\n",
	    ++c->tag, next, all ? "" : ".FIELDS (", all ? "" : fields,
	    all ? "" : ")");
	say(c, buf_span(&text));
	if (pipelined)
		wait_tagged(c);
}

/* The UID of a FETCH response, and its header; 0: it is none. */
static unsigned
read_fetch(struct span text, struct span *header_r)
{
	size_t uid = span_find_span(text, SPAN("(UID "), 0);
	size_t brace = span_find_span(text, SPAN("] {"), 0);

	if (uid == SIZE_MAX || brace == SIZE_MAX)
		return 0;
	size_t len = strtoul(text.data + brace + 3, NULL, 10);
	size_t begin = span_find_span(text, SPAN("\n"), brace) + 1;
	*header_r = span_slice(text, begin, len);
	return (unsigned)strtoul(text.data + uid + 5, NULL, 10);
}

static void
push(const char *user, char **argv)
{
	struct client c = {.in = BUF_INIT};
	unsigned next = log_in(&c, user);
	const char *fields = *argv++;
	bool pipelined = strcmp(*argv, "pipelined") == 0;

	argv += pipelined;
	begin_idle(&c);
	ready();
	for (;;) {
		struct span text, header = SPAN_EMPTY;
		end_idle(&c, next, fields, pipelined);
		while (!is_tagged(text = read_response(&c))) {
			unsigned uid = read_fetch(text, &header);
			if (uid < next)
				continue;
			sync_journal();
			run(argv, header);
			next = uid + 1;
		}
		begin_idle(&c);
	}
}

/* ---- settle ---- */

struct target {
	char *folder; /* "\Flagged" or a name */
	struct buf uids;
};

static struct target targets[FOLDERS_MAX];
static size_t target_count;
static struct target *of_list[LISTS];

static struct target *
find_target(const char *folder)
{
	for (size_t i = 0; i < target_count; i++)
		if (strcmp(targets[i].folder, folder) == 0)
			return &targets[i];
	targets[target_count].folder = xstrdup(folder);
	return &targets[target_count++];
}

static void
read_rules(const char *path)
{
	FILE *file = fopen(path, "r");
	char folder[64];
	unsigned list;

	if (file == NULL)
		die(path);
	while (fscanf(file, "%u %63s", &list, folder) == 2)
		of_list[list % LISTS] = find_target(folder);
	fclose(file);
}

static void
judge(unsigned uid, struct span header)
{
	size_t at = span_find_span(header, SPAN("<list"), 0);

	if (at == SIZE_MAX)
		return;
	struct target *target =
	    of_list[strtoul(header.data + at + 5, NULL, 10) % LISTS];
	if (target != NULL)
		buf_addf(&target->uids, "%s%u", target->uids.len > 0 ? "," : "",
		    uid);
}

static void
act(struct client *c)
{
	BUF_AUTO text = BUF_INIT;
	size_t sent = 0;

	for (size_t i = 0; i < target_count; i++) {
		struct target *target = &targets[i];
		if (target->uids.len == 0)
			continue;
		if (target->folder[0] == '\\')
			buf_addf(&text,
			    "a%u UID STORE %s +FLAGS.SILENT (\\Flagged)\r\n",
			    ++c->tag, buf_str(&target->uids));
		else
			buf_addf(&text, "a%u UID MOVE %s \"%s\"\r\n", ++c->tag,
			    buf_str(&target->uids), target->folder);
		buf_done(&target->uids);
		sent++;
	}
	if (sent > 0)
		say(c, buf_span(&text));
	while (sent-- > 0)
		wait_tagged(c);
}

static void
settle(const char *user, char **argv)
{
	struct client c = {.in = BUF_INIT};
	unsigned next = log_in(&c, user);

	read_rules(argv[1]);
	begin_idle(&c);
	ready();
	for (;;) {
		struct span text, header = SPAN_EMPTY;
		end_idle(&c, next, argv[0], true);
		while (!is_tagged(text = read_response(&c))) {
			unsigned uid = read_fetch(text, &header);
			if (uid < next)
				continue;
			judge(uid, header);
			next = uid + 1;
		}
		act(&c);
		begin_idle(&c);
	}
}

int
main(int argc, char **argv)
{
	if (argc < 5) {
		fputs("usage: minimal-client PORT CA MODE...\n", stderr);
		return 64;
	}
	signal(SIGPIPE, SIG_IGN);
	port = (unsigned)strtoul(argv[1], NULL, 10);
	shares = argc > 5 && strcmp(argv[5], "shared") == 0;
	prepare(argv[2]);
	if (strcmp(argv[3], "idle") == 0)
		idle((unsigned)strtoul(argv[4], NULL, 10));
	else if (strcmp(argv[3], "push") == 0 && argc > 6)
		push(argv[4], argv + 5);
	else if (strcmp(argv[3], "settle") == 0 && argc == 7)
		settle(argv[4], argv + 5);
	return 64;
}
