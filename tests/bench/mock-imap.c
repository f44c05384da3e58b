/*
 * mock-imap CERTIFICATE KEY [PORT]: a small, fast IMAP server over TLS for the
 * benches: one process, one thread, epoll; any user with any password; folders
 * that live as long as it does.
 *
 * It prints "port N" and then obeys lines on standard input, each answered by
 * one line:
 *
 *	push FIRST LAST	   a message into INBOX of users uFIRST to uLAST, and
 *			   EXISTS to those who watch: "pushed NSEC", the
 *			   monotonic time just before the first byte
 *	fill USER COUNT	   as many messages at once, one EXISTS
 *	folders USER COUNT Folder0 and so on ("folders COUNT")
 *	expect MOVED FLAGGED
 *			   "settled NSEC" when as many were moved and flagged
 *			   (since `reset`), answered then; nothing else is
 *			   obeyed meanwhile
 *	idling COUNT	   answered ("idling") when as many connections idle
 *	keepalive SECONDS  "* OK Still here" to each who idles, so often; 0:
 *			   never
 *	delay MSEC	   each chunk of commands is read so much later: the
 *			   round trip
 *	stats		   connections, handshakes, resumed, lines, bytes in
 *			   and out, keepalives, commands with their counts
 *	reset		   counts from zero
 *
 * What it does not know is BAD; what a bench does not need is not there.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "daemon/base/base64.h"
#include "daemon/base/buf.h"
#include "daemon/base/span.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"

#define CHUNK_SIZE (64 * 1024)
#define EVENTS_MAX 256
#define HOSTS 8
#define COMMANDS_MAX 24
#define FOLDERS_MAX 64
#define UIDS_MAX 100000
#define MSEC_NSEC 1000000
#define CAPABILITIES                                                           \
	"IMAP4rev1 LITERAL+ SASL-IR AUTH=PLAIN IDLE UIDPLUS MOVE NAMESPACE "   \
	"SPECIAL-USE ID ENABLE CONDSTORE"

struct message {
	uint32_t uid, serial;
	bool flagged;
};

struct folder {
	char *name;
	uint32_t uidnext;
};

struct user {
	char *name;
	struct message *messages; /* INBOX, in order */
	size_t count, cap;
	uint32_t uidnext;
	struct folder folders[FOLDERS_MAX];
	size_t folder_count;
};

struct chunk {
	struct chunk *next;
	int64_t due;
	size_t len;
	char data[];
};

struct connection {
	int fd;
	size_t index;
	SSL *ssl;
	struct user *user; /* NULL before login */
	struct buf in, out;
	size_t written;		    /* of `out` */
	size_t told;		    /* messages that this client was told of */
	struct chunk *first, *last; /* delayed */
	bool is_shaken, is_idling, is_leaving;
	char idle_tag[32];
	uint32_t interest;
};

static struct connection **connections;
static size_t connection_count, connection_cap;
static struct user **users;
static size_t user_count;
static int epoll_fd;
static SSL_CTX *context;
static int64_t delay_nsec, keepalive_nsec, keepalive_due;
static size_t idling_wanted, idling_count;
static size_t moved_wanted, flagged_wanted;
static uint32_t serials;

static struct {
	size_t handshakes, resumed, lines, in, out, keepalives, moved, flagged;
	struct {
		char name[16];
		size_t count;
	} commands[COMMANDS_MAX];
} stats;

static int64_t
now_nsec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void
answer(const char *word, int64_t nsec)
{
	printf("%s %lld\n", word, (long long)nsec);
	fflush(stdout);
}

/* ---- users and their messages ---- */

static struct user *
find_user(const char *name)
{
	for (size_t i = 0; i < user_count; i++)
		if (strcmp(users[i]->name, name) == 0)
			return users[i];
	struct user *user = NEW(struct user);
	users = xreallocarray(users, user_count + 1, sizeof(struct user *));
	users[user_count++] = user;
	user->name = xstrdup(name);
	user->uidnext = 1;
	return user;
}

static struct folder *
find_folder(struct user *user, struct span name, bool create)
{
	for (size_t i = 0; i < user->folder_count; i++)
		if (span_is(name, user->folders[i].name))
			return &user->folders[i];
	if (!create || user->folder_count == FOLDERS_MAX)
		return NULL;
	struct folder *folder = &user->folders[user->folder_count++];
	folder->name = xstrdup_span(name);
	folder->uidnext = 1;
	return folder;
}

static void
add_message(struct user *user)
{
	if (user->count == user->cap) {
		user->cap = user->cap == 0 ? 16 : user->cap * 2;
		user->messages = xreallocarray(
		    user->messages, user->cap, sizeof(struct message));
	}
	user->messages[user->count++] =
	    (struct message){.uid = user->uidnext++, .serial = serials++};
}

/* What rules look at varies with the serial number; the rest is as long as in
 * mail that a big provider delivers. */
static void
make_header(const struct message *message, struct buf *buf)
{
	static const char trace[] =
	    "from mx.example.net (mx.example.net [192.0.2.7])\r\n"
	    "\tby in.example.org (Postfix) with ESMTPS id 4XyZabcdefG\r\n"
	    "\tfor <ann@example.org>; Sat, 21 Nov 2026 10:00:00 +0000\r\n";
	static const char key[] =
	    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRPyhYSNHt8qWlSp0FZZ\r\n\t"
	    "r9Ll5nVhTtz8kQxwE5p8yWqz9wzWgJgQ9Xw8w0y6jH3rXj5oW4i0Ap7cQXcx\r\n"
	    "\t";
	unsigned n = message->serial;

	for (int hop = 0; hop < 4; hop++)
		buf_addf(buf, "Received: %s", trace);
	buf_addf(buf,
	    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
	    "\td=host%u.example; s=s1; "
	    "h=from:to:subject:date;\r\n\tb=%s%s%s\r\n",
	    n % 500, key, key, key);
	buf_addf(buf,
	    "ARC-Seal: i=1; a=rsa-sha256; cv=none; "
	    "d=mx.example;\r\n\tb=%s%s\r\n",
	    key, key);
	buf_addf(buf,
	    "From: \"User %u\" <user%u@host%u.example>\r\n"
	    "To: Ann Example <ann@example.org>\r\n"
	    "Subject: [project-%u] weekly status report and what comes next\r\n"
	    "Date: Sat, 21 Nov 2026 10:%02u:00 +0000\r\n"
	    "Message-ID: <%u.bench@host%u.example>\r\n"
	    "List-Id: List %u <list%u.lists.example.org>\r\n"
	    "X-Mailer: Agent %u\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=UTF-8\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n",
	    n % 500, n % 500, n % 500, n % 3000, n % 60, n, n % 500, n % 100,
	    n % 100, n % 7);
}

/* ---- output ---- */

static void arm(struct connection *c);

static void
flush_out(struct connection *c)
{
	size_t written = 0;

	while (c->is_shaken && c->written < c->out.len) {
		int rc = SSL_write_ex(c->ssl, buf_str(&c->out) + c->written,
		    c->out.len - c->written, &written);
		if (rc != 1)
			break;
		stats.out += written;
		c->written += written;
	}
	if (c->written == c->out.len) {
		buf_done(&c->out);
		c->written = 0;
	}
	arm(c);
}

static void
arm(struct connection *c)
{
	uint32_t interest = EPOLLIN | (c->out.len > 0 ? EPOLLOUT : 0u);
	struct epoll_event event = {.events = interest, .data.ptr = c};

	if (interest != c->interest)
		epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &event);
	c->interest = interest;
}

static void
tell_news(struct connection *c)
{
	if (c->user != NULL && c->told != c->user->count)
		buf_addf(&c->out, "* %zu EXISTS\r\n", c->user->count);
	if (c->user != NULL)
		c->told = c->user->count;
}

static void
tag_ok(struct connection *c, struct span tag, const char *words)
{
	buf_add_span(&c->out, tag);
	buf_addf(&c->out, " OK %s\r\n", words);
}

static void
tag_no(struct connection *c, struct span tag, const char *words)
{
	buf_add_span(&c->out, tag);
	buf_addf(&c->out, " %s\r\n", words);
}

/* ---- reading commands ---- */

static struct span
next_word(struct span *rest)
{
	struct span word = *rest;
	size_t len = 0;

	if (word.len > 1 && word.data[0] == '"') {
		for (len = 1; len < word.len && word.data[len] != '"';)
			len++;
		struct span text = span_slice(word, 1, len - 1);
		*rest = span_skip(word, len + 1 < word.len ? len + 2 : len + 1);
		return text;
	}
	while (len < word.len && word.data[len] != ' ')
		len++;
	*rest = span_skip(word, len < word.len ? len + 1 : len);
	return span_slice(word, 0, len);
}

static uint32_t
read_number(struct span *text, uint32_t star)
{
	uint32_t number = 0;

	if (text->len > 0 && text->data[0] == '*') {
		*text = span_skip(*text, 1);
		return star;
	}
	while (text->len > 0 && char_is_digit(text->data[0])) {
		number = number * 10 + (uint32_t)(text->data[0] - '0');
		*text = span_skip(*text, 1);
	}
	return number;
}

/* One bit per UID. */
static unsigned char chosen[UIDS_MAX / 8 + 1];

static void
choose(struct span set, uint32_t star)
{
	memset(chosen, 0, sizeof(chosen));
	while (set.len > 0) {
		uint32_t first = read_number(&set, star), last = first;
		if (set.len > 0 && set.data[0] == ':') {
			set = span_skip(set, 1);
			last = read_number(&set, star);
		}
		if (first > last) {
			uint32_t swap = first;
			first = last;
			last = swap;
		}
		for (uint32_t uid = first; uid <= last && uid < UIDS_MAX; uid++)
			chosen[uid / 8] |= (unsigned char)(1 << uid % 8);
		set = span_skip(set, set.len > 0 ? 1 : 0);
	}
}

static bool
is_chosen(uint32_t uid)
{
	return uid < UIDS_MAX && chosen[uid / 8] & 1 << uid % 8;
}

/* ---- commands ---- */

static bool
log_in(struct connection *c, struct span tag, const char *name)
{
	c->user = find_user(name);
	tag_ok(c, tag, "[CAPABILITY " CAPABILITIES "] welcome");
	return true;
}

static bool
do_authenticate(struct connection *c, struct span tag, struct span rest)
{
	BUF_AUTO plain = BUF_INIT;

	next_word(&rest);
	if (!base64_decode(&plain, rest) || plain.len < 3)
		return false;
	const char *user = buf_str(&plain);
	return log_in(c, tag, user + strlen(user) + 1);
}

static bool
do_login(struct connection *c, struct span tag, struct span rest)
{
	char *name = xstrdup_span(next_word(&rest));

	log_in(c, tag, name);
	free(name);
	return true;
}

static bool
do_capability(struct connection *c, struct span tag, struct span rest)
{
	(void)rest;
	buf_add_str(&c->out, "* CAPABILITY " CAPABILITIES "\r\n");
	tag_ok(c, tag, "done");
	return true;
}

static bool
do_nothing(struct connection *c, struct span tag, struct span rest)
{
	(void)rest;
	tell_news(c);
	tag_ok(c, tag, "done");
	return true;
}

static bool
do_namespace(struct connection *c, struct span tag, struct span rest)
{
	(void)rest;
	buf_add_str(&c->out, "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
	tag_ok(c, tag, "done");
	return true;
}

static bool
do_list(struct connection *c, struct span tag, struct span rest)
{
	(void)rest;
	buf_add_str(&c->out,
	    "* LIST (\\HasNoChildren) \"/\" INBOX\r\n"
	    "* LIST (\\HasNoChildren \\Trash) \"/\" Trash\r\n");
	for (size_t i = 0; i < c->user->folder_count; i++)
		buf_addf(&c->out, "* LIST (\\HasNoChildren) \"/\" \"%s\"\r\n",
		    c->user->folders[i].name);
	tag_ok(c, tag, "done");
	return true;
}

static bool
do_create(struct connection *c, struct span tag, struct span rest)
{
	find_folder(c->user, next_word(&rest), true);
	tag_ok(c, tag, "done");
	return true;
}

static bool
do_select(struct connection *c, struct span tag, struct span rest)
{
	(void)rest;
	c->told = c->user->count;
	buf_addf(&c->out,
	    "* %zu EXISTS\r\n* 0 RECENT\r\n"
	    "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n"
	    "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen "
	    "\\Draft \\*)] kept\r\n* OK [UIDVALIDITY 1] valid\r\n"
	    "* OK [UIDNEXT %u] next\r\n* OK [HIGHESTMODSEQ 1] highest\r\n",
	    c->user->count, c->user->uidnext);
	tag_ok(c, tag, "[READ-WRITE] done");
	return true;
}

static bool
do_status(struct connection *c, struct span tag, struct span rest)
{
	struct span name = next_word(&rest);
	struct folder *folder = find_folder(c->user, name, false);

	buf_add_str(&c->out, "* STATUS \"");
	buf_add_span(&c->out, name);
	buf_addf(&c->out, "\" (MESSAGES 0 UIDNEXT %u UIDVALIDITY 1)\r\n",
	    folder != NULL ? folder->uidnext : 1);
	tag_ok(c, tag, "done");
	return true;
}

static bool
do_idle(struct connection *c, struct span tag, struct span rest)
{
	(void)rest;
	snprintf(
	    c->idle_tag, sizeof(c->idle_tag), "%.*s", (int)tag.len, tag.data);
	c->is_idling = true;
	idling_count++;
	buf_add_str(&c->out, "+ idling\r\n");
	tell_news(c);
	return true;
}

static bool
do_logout(struct connection *c, struct span tag, struct span rest)
{
	(void)rest;
	buf_add_str(&c->out, "* BYE\r\n");
	tag_ok(c, tag, "done");
	c->is_leaving = true;
	return true;
}

/* The fields of the list between the parentheses; without one: all. */
static void
add_fields(const struct buf *header, struct span names, struct buf *fields)
{
	struct span rest = buf_span(header);

	while (rest.len > 0) {
		size_t end = 0, colon = 0;
		do {
			while (rest.data[end] != '\n')
				end++;
			end++;
		} while (end < rest.len && rest.data[end] == '\t');
		while (rest.data[colon] != ':')
			colon++;
		struct span name = span_slice(rest, 0, colon), list = names;
		bool is_wanted = names.len == 0;
		while (!is_wanted && list.len > 0)
			is_wanted = span_equal_nocase(next_word(&list), name);
		if (is_wanted)
			buf_add_span(fields, span_slice(rest, 0, end));
		rest = span_skip(rest, end);
	}
	buf_add_str(fields, "\r\n");
}

/* What stands between the words, or nothing. */
static struct span
between(struct span text, const char *from, char to)
{
	const char *begin = memmem(text.data, text.len, from, strlen(from));

	if (begin == NULL)
		return SPAN_EMPTY;
	struct span rest =
	    span_skip(text, (size_t)(begin - text.data) + strlen(from));
	const char *end = memchr(rest.data, to, rest.len);
	return end == NULL ? rest
			   : span_slice(rest, 0, (size_t)(end - rest.data));
}

static void
fetch_one(
    struct connection *c, size_t seq, struct span items, struct span names)
{
	const struct message *message = &c->user->messages[seq - 1];
	bool has_header = memmem(items.data, items.len, "HEADER", 6) != NULL;
	BUF_AUTO header = BUF_INIT, fields = BUF_INIT;

	buf_addf(&c->out, "* %zu FETCH (UID %u FLAGS (%s)", seq, message->uid,
	    message->flagged ? "\\Flagged" : "");
	if (memmem(items.data, items.len, "INTERNALDATE", 12) != NULL)
		buf_add_str(&c->out,
		    " INTERNALDATE \"21-Nov-2026 10:00:00 +0000\" "
		    "RFC822.SIZE 5000");
	if (has_header) {
		make_header(message, &header);
		add_fields(&header, names, &fields);
		buf_add_str(&c->out,
		    names.len > 0 ? " BODY[HEADER.FIELDS (" : " BODY[HEADER");
		buf_add_span(&c->out, names);
		buf_addf(&c->out, "%s] {%zu}\r\n", names.len > 0 ? ")" : "",
		    fields.len);
		buf_add_span(&c->out, buf_span(&fields));
	}
	buf_add_str(&c->out, ")\r\n");
}

static bool
do_fetch(struct connection *c, struct span tag, struct span rest)
{
	struct span set = next_word(&rest);
	struct span names = between(rest, "HEADER.FIELDS (", ')');
	struct user *user = c->user;

	tell_news(c);
	choose(set, user->count > 0 ? user->messages[user->count - 1].uid : 0);
	for (size_t i = 0; i < user->count; i++)
		if (is_chosen(user->messages[i].uid))
			fetch_one(c, i + 1, rest, names);
	tag_ok(c, tag, "done");
	return true;
}

static void
look_settled(void)
{
	if (moved_wanted + flagged_wanted == 0 || stats.moved < moved_wanted ||
	    stats.flagged < flagged_wanted)
		return;
	moved_wanted = flagged_wanted = 0;
	answer("settled", now_nsec());
}

static bool
do_store(struct connection *c, struct span tag, struct span rest)
{
	struct user *user = c->user;

	choose(next_word(&rest), 0);
	for (size_t i = 0; i < user->count; i++) {
		struct message *message = &user->messages[i];
		if (!is_chosen(message->uid) || message->flagged)
			continue;
		message->flagged = true;
		stats.flagged++;
	}
	tag_ok(c, tag, "done");
	look_settled();
	return true;
}

static void
add_uids(struct buf *buf, const uint32_t *uids, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_addf(buf, "%s%u", i > 0 ? "," : "", uids[i]);
}

static void
take_away(struct connection *c, const uint32_t *uids, size_t count,
    struct folder *folder)
{
	struct user *user = c->user;
	size_t kept = 0;

	buf_add_str(&c->out, "* OK [COPYUID 1 ");
	add_uids(&c->out, uids, count);
	buf_addf(&c->out, " %u:%u] moved\r\n", folder->uidnext,
	    folder->uidnext + (uint32_t)count - 1);
	folder->uidnext += (uint32_t)count;
	for (size_t i = 0; i < user->count; i++) {
		if (is_chosen(user->messages[i].uid))
			buf_addf(&c->out, "* %zu EXPUNGE\r\n", kept + 1);
		else
			user->messages[kept++] = user->messages[i];
	}
	c->told -= user->count - kept;
	user->count = kept;
	stats.moved += count;
}

static bool
do_move(struct connection *c, struct span tag, struct span rest)
{
	struct user *user = c->user;
	size_t count = 0;

	choose(next_word(&rest), 0);
	struct folder *folder = find_folder(user, next_word(&rest), false);
	if (folder == NULL) {
		tag_no(c, tag, "NO [TRYCREATE] no such folder");
		return true;
	}
	tell_news(c);
	uint32_t *uids = xcalloc(user->count + 1, sizeof(*uids));
	for (size_t i = 0; i < user->count; i++)
		if (is_chosen(user->messages[i].uid))
			uids[count++] = user->messages[i].uid;
	if (count > 0)
		take_away(c, uids, count, folder);
	free(uids);
	tag_ok(c, tag, "done");
	look_settled();
	return true;
}

static const struct {
	const char *name;
	bool (*run)(struct connection *c, struct span tag, struct span rest);
	bool before_login;
} commands[] = {
    {"AUTHENTICATE", do_authenticate, true},
    {"LOGIN", do_login, true},
    {"CAPABILITY", do_capability, true},
    {"ID", do_nothing, true},
    {"NOOP", do_nothing, true},
    {"ENABLE", do_nothing, false},
    {"NAMESPACE", do_namespace, false},
    {"LIST", do_list, false},
    {"CREATE", do_create, false},
    {"SELECT", do_select, false},
    {"EXAMINE", do_select, false},
    {"STATUS", do_status, false},
    {"IDLE", do_idle, false},
    {"LOGOUT", do_logout, true},
    {"UID FETCH", do_fetch, false},
    {"UID STORE", do_store, false},
    {"UID MOVE", do_move, false},
};

static void
count_command(size_t index)
{
	_Static_assert(sizeof(commands) / sizeof(commands[0]) <= COMMANDS_MAX,
	    "a counter each");
	snprintf(stats.commands[index].name, sizeof(stats.commands[0].name),
	    "%s", commands[index].name);
	stats.commands[index].count++;
}

static void
on_line(struct connection *c, struct span line)
{
	struct span tag;
	size_t i = 0;

	stats.lines++;
	if (c->is_idling) {
		c->is_idling = false;
		idling_count--;
		tag_ok(c, span_from_str(c->idle_tag), "idled");
		return;
	}
	tag = next_word(&line);
	for (; i < sizeof(commands) / sizeof(commands[0]); i++) {
		size_t len = strlen(commands[i].name);
		struct span name = span_slice(line, 0, len);
		if (line.len < len || !span_is_nocase(name, commands[i].name) ||
		    (line.len > len && line.data[len] != ' ') ||
		    (c->user == NULL && !commands[i].before_login))
			continue;
		count_command(i);
		struct span rest =
		    span_skip(line, line.len > len ? len + 1 : len);
		if (commands[i].run(c, tag, rest))
			return;
		break;
	}
	tag_no(c, tag, "BAD what?");
}

static void
take_lines(struct connection *c)
{
	struct span rest = buf_span(&c->in);
	const char *end;

	while (
	    rest.len > 0 && (end = memchr(rest.data, '\n', rest.len)) != NULL) {
		size_t len = (size_t)(end - rest.data);
		size_t cut = len > 0 && rest.data[len - 1] == '\r' ? 1 : 0;
		on_line(c, span_slice(rest, 0, len - cut));
		rest = span_skip(rest, len + 1);
	}
	buf_consume(&c->in, c->in.len - rest.len);
	if (c->in.len == 0)
		buf_done(&c->in);
	flush_out(c);
	if (idling_wanted > 0 && idling_count >= idling_wanted) {
		idling_wanted = 0;
		answer("idling", now_nsec());
	}
}

/* ---- connections ---- */

static void
accept_one(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	int on = 1;

	if (fd < 0)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	struct connection *c = NEW(struct connection);
	c->fd = fd;
	c->ssl = SSL_new(context);
	SSL_set_fd(c->ssl, fd);
	SSL_set_accept_state(c->ssl);
	c->interest = EPOLLIN;
	buf_add_str(&c->out, "* OK [CAPABILITY " CAPABILITIES "] ready\r\n");
	if (connection_count == connection_cap) {
		connection_cap = connection_cap * 2 + 64;
		connections = xreallocarray(
		    connections, connection_cap, sizeof(struct connection *));
	}
	c->index = connection_count;
	connections[connection_count++] = c;
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static void
drop(struct connection *c)
{
	connections[c->index] = connections[--connection_count];
	connections[c->index]->index = c->index;
	if (c->is_idling)
		idling_count--;
	while (c->first != NULL) {
		struct chunk *chunk = c->first;
		c->first = chunk->next;
		free(chunk);
	}
	SSL_free(c->ssl);
	close(c->fd);
	buf_done(&c->in);
	buf_done(&c->out);
	free(c);
}

static void
put_off(struct connection *c, const char *data, size_t len)
{
	struct chunk *chunk = xmalloc(sizeof(*chunk) + len);

	chunk->next = NULL;
	chunk->due = now_nsec() + delay_nsec;
	chunk->len = len;
	memcpy(chunk->data, data, len);
	if (c->first == NULL)
		c->first = chunk;
	else
		c->last->next = chunk;
	c->last = chunk;
}

/* False: it is gone. */
static bool
shake(struct connection *c)
{
	int rc = c->is_shaken ? 1 : SSL_do_handshake(c->ssl);

	if (rc != 1) {
		int why = SSL_get_error(c->ssl, rc);
		return why == SSL_ERROR_WANT_READ ||
		       why == SSL_ERROR_WANT_WRITE;
	}
	if (!c->is_shaken) {
		c->is_shaken = true;
		stats.handshakes++;
		stats.resumed += (size_t)SSL_session_reused(c->ssl);
	}
	return true;
}

static void
on_ready(struct connection *c)
{
	static char data[CHUNK_SIZE];
	size_t len = 0;

	if (!shake(c)) {
		drop(c);
		return;
	}
	while (c->is_shaken) {
		int rc = SSL_read_ex(c->ssl, data, sizeof(data), &len);
		if (rc != 1) {
			if (SSL_get_error(c->ssl, rc) == SSL_ERROR_WANT_READ)
				break;
			drop(c);
			return;
		}
		stats.in += len;
		if (delay_nsec > 0)
			put_off(c, data, len);
		else
			buf_add_span(&c->in, span_from(data, len));
	}
	if (delay_nsec == 0 || !c->is_shaken)
		take_lines(c);
	if (c->is_leaving && c->out.len == 0)
		drop(c);
}

/* ---- time ---- */

static int
wait_msec(void)
{
	int64_t next = keepalive_nsec > 0 ? keepalive_due : INT64_MAX, left;

	for (size_t i = 0; delay_nsec > 0 && i < connection_count; i++)
		if (connections[i]->first != NULL &&
		    connections[i]->first->due < next)
			next = connections[i]->first->due;
	if (next == INT64_MAX)
		return -1;
	left = next - now_nsec();
	return left <= 0 ? 0 : (int)((left + MSEC_NSEC - 1) / MSEC_NSEC);
}

static void
take_due(struct connection *c)
{
	int64_t now = now_nsec();

	while (c->first != NULL && c->first->due <= now) {
		struct chunk *chunk = c->first;
		c->first = chunk->next;
		buf_add_span(&c->in, span_from(chunk->data, chunk->len));
		free(chunk);
		take_lines(c);
	}
}

static void
keep_alive(void)
{
	if (keepalive_nsec == 0 || now_nsec() < keepalive_due)
		return;
	keepalive_due += keepalive_nsec;
	for (size_t i = 0; i < connection_count; i++) {
		if (!connections[i]->is_idling)
			continue;
		buf_add_str(&connections[i]->out, "* OK Still here\r\n");
		flush_out(connections[i]);
		stats.keepalives++;
	}
}

/* ---- orders ---- */

static void
tell_all(void)
{
	for (size_t i = 0; i < connection_count; i++) {
		struct connection *c = connections[i];
		if (!c->is_idling || c->told == c->user->count)
			continue;
		tell_news(c);
		flush_out(c);
	}
}

static void
order_push(unsigned first, unsigned last)
{
	char name[32];

	for (unsigned n = first; n <= last; n++) {
		snprintf(name, sizeof(name), "u%u", n);
		add_message(find_user(name));
	}
	int64_t now = now_nsec();
	tell_all();
	answer("pushed", now);
}

static void
order_fill(const char *name, unsigned count)
{
	struct user *user = find_user(name);

	for (unsigned i = 0; i < count; i++)
		add_message(user);
	int64_t now = now_nsec();
	tell_all();
	answer("filled", now);
}

static void
order_folders(const char *user, unsigned count)
{
	char name[32];

	for (unsigned i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "Folder%u", i);
		find_folder(find_user(user), span_from_str(name), true);
	}
	answer("folders", count);
}

static void
order_stats(void)
{
	size_t count = 0;

	printf("connections=%zu handshakes=%zu resumed=%zu lines=%zu in=%zu "
	       "out=%zu keepalives=%zu moved=%zu flagged=%zu",
	    connection_count, stats.handshakes, stats.resumed, stats.lines,
	    stats.in, stats.out, stats.keepalives, stats.moved, stats.flagged);
	for (size_t i = 0; i < COMMANDS_MAX; i++) {
		count += stats.commands[i].count;
		if (stats.commands[i].count == 0)
			continue;
		for (char *p = stats.commands[i].name; *p != '\0'; p++)
			*p = *p == ' ' ? '_' : *p;
		printf(
		    " %s=%zu", stats.commands[i].name, stats.commands[i].count);
	}
	printf(" commands=%zu\n", count);
	fflush(stdout);
}

static void
obey(char *line)
{
	unsigned a = 0, b = 0;
	char name[64];

	if (sscanf(line, "push %u %u", &a, &b) == 2) {
		order_push(a, b);
	} else if (sscanf(line, "fill %63s %u", name, &a) == 2) {
		order_fill(name, a);
	} else if (sscanf(line, "folders %63s %u", name, &a) == 2) {
		order_folders(name, a);
	} else if (sscanf(line, "expect %u %u", &a, &b) == 2) {
		moved_wanted = a;
		flagged_wanted = b;
		look_settled();
	} else if (sscanf(line, "idling %u", &a) == 1) {
		idling_wanted = idling_count >= a ? 0 : a;
		if (idling_wanted == 0)
			answer("idling", now_nsec());
	} else if (sscanf(line, "keepalive %u", &a) == 1) {
		keepalive_nsec = a * INT64_C(1000000000);
		keepalive_due = now_nsec() + keepalive_nsec;
		answer("keepalive", a);
	} else if (sscanf(line, "delay %u", &a) == 1) {
		delay_nsec = a * (int64_t)MSEC_NSEC;
		answer("delay", a);
	} else if (strcmp(line, "stats") == 0) {
		order_stats();
	} else if (strcmp(line, "reset") == 0) {
		memset(&stats, 0, sizeof(stats));
		answer("reset", 0);
	} else {
		puts("what?");
		fflush(stdout);
	}
}

/* False: standard input has ended. */
static bool
read_orders(void)
{
	static struct buf in = BUF_INIT;
	char data[4096];
	ssize_t len = read(0, data, sizeof(data));
	const char *end;

	if (len <= 0)
		return false;
	buf_add_span(&in, span_from(data, (size_t)len));
	while (
	    in.len > 0 && (end = memchr(buf_str(&in), '\n', in.len)) != NULL) {
		size_t line = (size_t)(end - buf_str(&in));
		char *text = xstrdup_span(span_slice(buf_span(&in), 0, line));
		obey(text);
		free(text);
		buf_consume(&in, line + 1);
	}
	return true;
}

/* ---- beginning ---- */

/* 127.0.0.1, .2 and so on, all with the port of the first. */
static void
listen_on_loopback(int *listeners, uint16_t port)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_port = htons(port)};
	socklen_t len = sizeof(address);
	int yes = 1;

	for (uint32_t i = 0; i < HOSTS; i++) {
		address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + i);
		int fd = socket(
		    AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
		if (bind(fd, (struct sockaddr *)&address, len) != 0 ||
		    listen(fd, 4096) != 0 ||
		    getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
			perror("mock-imap");
			exit(1);
		}
		listeners[i] = fd;
	}
	printf("port %u\n", ntohs(address.sin_port));
	fflush(stdout);
}

static bool
prepare(char **argv)
{
	struct rlimit files;

	signal(SIGPIPE, SIG_IGN);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	context = SSL_CTX_new(TLS_server_method());
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS |
				      SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_id_context(
	    context, (const unsigned char *)"bench", 5);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return SSL_CTX_use_certificate_chain_file(context, argv[1]) == 1 &&
	       SSL_CTX_use_PrivateKey_file(
		   context, argv[2], SSL_FILETYPE_PEM) == 1;
}

static void
watch(int fd, void *ptr)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = ptr};

	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static void
serve(int *listeners)
{
	static char ordering;
	struct epoll_event events[EVENTS_MAX];

	for (int i = 0; i < HOSTS; i++)
		watch(listeners[i], &listeners[i]);
	watch(0, &ordering);
	for (;;) {
		int n = epoll_wait(epoll_fd, events, EVENTS_MAX, wait_msec());
		for (int i = 0; i < n; i++) {
			void *ptr = events[i].data.ptr;
			if ((int *)ptr >= listeners &&
			    (int *)ptr < listeners + HOSTS) {
				accept_one(*(int *)ptr);
			} else if (ptr == &ordering) {
				if (!read_orders())
					return;
			} else {
				if (events[i].events & EPOLLOUT)
					flush_out(ptr);
				on_ready(ptr);
			}
		}
		for (size_t i = connection_count; delay_nsec > 0 && i-- > 0;)
			take_due(connections[i]);
		keep_alive();
	}
}

int
main(int argc, char **argv)
{
	int listeners[HOSTS];

	if (argc != 3 && argc != 4) {
		fputs("usage: mock-imap CERTIFICATE KEY [PORT]\n", stderr);
		return 64;
	}
	if (!prepare(argv)) {
		fputs("mock-imap: no certificate\n", stderr);
		return 1;
	}
	listen_on_loopback(listeners, argc == 4 ? (uint16_t)atoi(argv[3]) : 0);
	serve(listeners);
	return 0;
}
