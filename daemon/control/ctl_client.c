/*
 * The client of the control socket: one request, one answer or a stream of
 * lines, each within a deadline (session.h has the protocol). The daemon is
 * not believed either: lines are bounded, and what is no JSON ends it.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "daemon/base/xalloc.h"
#include "daemon/control/ctl.h"
#include "daemon/control/session.h"

#define ANSWER_USEC (30 * USEC_SEC)
#define ANSWER_MAX (CONTROL_OUTPUT_MAX + JSON_LINE_MAX)

struct client {
	const struct ctl *ctl;
	char *path;
	int fd;
	struct buf input;
	size_t searched; /* bytes of input without a line end */
	usec_t deadline;
	bool is_stream; /* somebody reads as it comes */
};

static void
client_done(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	buf_done(&client->input);
	free(client->path);
}

static usec_t
now_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (usec_t)now.tv_sec * USEC_SEC + (usec_t)now.tv_nsec / 1000;
}

static void
set_deadline(struct client *client)
{
	usec_t wait =
	    client->ctl->timeout != 0 ? client->ctl->timeout : ANSWER_USEC;

	client->deadline = usec_add(now_usec(), wait);
}

/* ---- connecting ---- */

static int
fail_not_running(const struct client *client, int error)
{
	bool is_system = strcmp(client->path, CTL_SYSTEM_SOCKET) == 0;

	return ctl_fail(client->ctl, EX_UNAVAILABLE,
	    is_system
		? "start it with `systemctl start belfry`;\n"
		  "if it listens elsewhere, name the place with --socket or -c"
		: "start it with `systemctl --user start belfry` or "
		  "`belfryd`;\n"
		  "if it listens elsewhere, name the place with --socket or -c",
	    error == ECONNREFUSED
		? "belfryd does not run: nobody listens at %s"
		: "belfryd does not run: there is no socket %s",
	    client->path);
}

static int
fail_connect(const struct client *client, int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
	case ECONNREFUSED:
		return fail_not_running(client, error);
	case EACCES:
	case EPERM:
		return ctl_fail(client->ctl, EX_NOPERM,
		    "the daemon serves only its own user and root",
		    "%s may not be opened: %s", client->path, strerror(error));
	case EAGAIN:
		return ctl_fail(client->ctl, EX_TEMPFAIL, NULL,
		    "belfryd is busy: its socket %s takes nobody in",
		    client->path);
	default:
		return ctl_fail(client->ctl, EX_UNAVAILABLE, NULL, "%s: %s",
		    client->path, strerror(error));
	}
}

static int
client_connect(struct client *client)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(client->path);

	if (len == 0)
		return ctl_fail(client->ctl, EX_USAGE,
		    "without --socket it is looked for where belfryd makes it",
		    "the path of the control socket is empty");
	if (len >= sizeof(address.sun_path))
		return ctl_fail(client->ctl, EX_USAGE,
		    "set `control_socket` in [daemon], or $XDG_RUNTIME_DIR, "
		    "to something shorter",
		    "the path of the control socket may have at most %zu "
		    "bytes: %s",
		    sizeof(address.sun_path) - 1, client->path);
	memcpy(address.sun_path, client->path, len);
	client->fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (client->fd < 0)
		return ctl_fail(
		    client->ctl, EX_OSERR, NULL, "socket: %s", strerror(errno));
	if (connect(client->fd, (const struct sockaddr *)&address,
		sizeof(address)) < 0)
		return fail_connect(client, errno);
	return EX_OK;
}

/* ---- bytes ---- */

/* Who read standard output has gone: as if we had written to it. */
static int
end_unread(void)
{
	raise(SIGPIPE);
	return EX_IOERR;
}

/* EX_OK: ready. */
static int
wait_for(const struct client *client, short events)
{
	struct pollfd both[] = {
	    {.fd = client->fd, .events = events},
	    {.fd = STDOUT_FILENO}, /* of a stream: CTL_UNREAD */
	};
	nfds_t watched = client->is_stream ? 2 : 1;

	for (;;) {
		usec_t left = usec_since(now_usec(), client->deadline);
		int wait = client->deadline == USEC_NEVER
			       ? -1
			       : (int)((left + 999) / 1000);
		int count = poll(both, watched, wait);
		if (count > 0 && (both[1].revents & CTL_UNREAD) != 0)
			return end_unread();
		if (count > 0 && both[0].revents != 0)
			return EX_OK;
		if (count > 0)
			watched = 1; /* it is none that can be watched */
		if (count == 0)
			break;
		if (count < 0 && errno != EINTR)
			return ctl_fail(client->ctl, EX_OSERR, NULL, "poll: %s",
			    strerror(errno));
	}
	return ctl_fail(client->ctl, EX_TEMPFAIL,
	    "its log says more: journalctl --user -u belfry",
	    "belfryd does not answer (socket %s)", client->path);
}

static int
fail_broken(const struct client *client)
{
	return ctl_fail(client->ctl, EX_UNAVAILABLE,
	    "it serves only its own user and root; or it just ended",
	    "belfryd closed the connection (socket %s)", client->path);
}

static int
client_send(struct client *client, struct span rest)
{
	while (rest.len > 0) {
		ssize_t count =
		    send(client->fd, rest.data, rest.len, MSG_NOSIGNAL);
		if (count >= 0) {
			rest = span_skip(rest, (size_t)count);
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return fail_broken(client);
		int code = wait_for(client, POLLOUT);
		if (code != EX_OK)
			return code;
	}
	return EX_OK;
}

/* Reads what is there. *is_end_r: the daemon has closed. */
static int
client_fill(struct client *client, bool *is_end_r)
{
	char piece[16 * 1024];
	int code = wait_for(client, POLLIN);

	if (code != EX_OK)
		return code;
	ssize_t count = recv(client->fd, piece, sizeof(piece), 0);
	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return EX_OK;
	*is_end_r = count <= 0;
	if (count > 0)
		buf_add(&client->input, piece, (size_t)count);
	if (client->input.len > ANSWER_MAX)
		return ctl_fail(client->ctl, EX_PROTOCOL, NULL,
		    "belfryd answers with more than %d bytes", ANSWER_MAX);
	return EX_OK;
}

/* ---- lines ---- */

static int
take_line(struct client *client, size_t end, struct json **line_r)
{
	struct error error = ERROR_INIT;
	struct span text = span_slice(buf_span(&client->input), 0, end);
	struct json *line = json_parse(text, &error);

	buf_consume(&client->input, end + 1);
	client->searched = 0;
	if (line == NULL)
		return ctl_fail(client->ctl, EX_PROTOCOL,
		    "is another program listening there?",
		    "the answer from %s is not understood: %s", client->path,
		    error.text);
	*line_r = line;
	return EX_OK;
}

/* The next line; *line_r stays NULL when the daemon closed in good order. */
static int
client_read(struct client *client, struct json **line_r)
{
	bool is_end = false;

	for (;;) {
		struct span fresh =
		    span_skip(buf_span(&client->input), client->searched);
		size_t end = span_find(fresh, '\n');
		if (end != SIZE_MAX)
			return take_line(
			    client, client->searched + end, line_r);
		client->searched = client->input.len;
		if (is_end)
			return client->input.len == 0 ? EX_OK
						      : fail_broken(client);
		int code = client_fill(client, &is_end);
		if (code != EX_OK)
			return code;
	}
}

static int
refused(const struct ctl *ctl, const struct json *answer)
{
	const char *text = json_get_str(answer, "error");

	return ctl_fail(ctl, CTL_EXIT_TROUBLE, json_get_str(answer, "hint"),
	    "%s", text != NULL ? text : "belfryd refused without a reason");
}

/* ---- the whole exchange ---- */

struct json *
ctl_request(const struct ctl *ctl)
{
	struct json *request = json_new_object();

	json_set_int(request, "version", CONTROL_VERSION);
	json_set_str(request, "command", ctl->command->name);
	return request;
}

/* With -c a certain daemon is meant, and no other one may be asked because of
 * a slip. */
static int
need_config(const struct ctl *ctl)
{
	if (ctl->config == NULL || ctl->socket != NULL ||
	    access(ctl->config, R_OK) == 0)
		return EX_OK;
	return ctl_fail(ctl, EX_CONFIG,
	    "it says where the daemon listens; --socket does, too", "%s: %s",
	    ctl->config, strerror(errno));
}

static int
begin(struct client *client, struct json *request)
{
	BUF_AUTO text = BUF_INIT;

	json_print(request, &text, false);
	json_free(&request);
	buf_add_char(&text, '\n');
	if (text.len > JSON_LINE_MAX)
		return ctl_fail(client->ctl, EX_USAGE, NULL,
		    "the arguments are too long: at most %d bytes",
		    JSON_LINE_MAX);
	int code = need_config(client->ctl);
	if (code != EX_OK)
		return code;
	client->path = ctl_socket_path(client->ctl);
	set_deadline(client);
	code = client_connect(client);
	return code == EX_OK ? client_send(client, buf_span(&text)) : code;
}

/* The first line, which says whether the daemon agrees. */
static int
first_line(struct client *client, struct json **answer_r)
{
	struct json *answer = NULL;
	int code = client_read(client, &answer);

	if (code != EX_OK)
		return code;
	if (answer == NULL)
		return fail_broken(client);
	if (!json_get_bool(answer, "ok")) {
		code = refused(client->ctl, answer);
		json_free(&answer);
		return code;
	}
	*answer_r = answer;
	return EX_OK;
}

int
ctl_ask(const struct ctl *ctl, struct json *request, struct json **answer_r)
{
	struct client client = {.ctl = ctl, .fd = -1};
	int code = begin(&client, request);

	if (code == EX_OK)
		code = first_line(&client, answer_r);
	client_done(&client);
	return code;
}

/* Hands out lines until there are no more. */
static int
follow(struct client *client, struct json *line, ctl_line_fn *fn, void *ctx)
{
	while (line != NULL) {
		int code = fn(ctx, line);
		json_free(&line);
		if (code >= 0)
			return code;
		client->deadline =
		    client->ctl->silence != 0
			? usec_add(now_usec(), client->ctl->silence)
			: USEC_NEVER;
		code = client_read(client, &line);
		if (code != EX_OK)
			return code;
	}
	return ctl_fail(client->ctl, EX_UNAVAILABLE,
	    "`belfryctl status` tells when it is back; then call this again",
	    "belfryd has ended, or cut the line");
}

int
ctl_follow(
    const struct ctl *ctl, struct json *request, ctl_line_fn *fn, void *ctx)
{
	struct client client = {.ctl = ctl, .fd = -1, .is_stream = true};
	struct json *line = NULL;
	int code = begin(&client, request);

	if (code == EX_OK)
		code = first_line(&client, &line);
	if (code == EX_OK)
		code = follow(&client, line, fn, ctx);
	client_done(&client);
	return code;
}
