#include "daemon/loop/channel.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/base/xalloc.h"

enum state {
	PLAIN,
	HANDSHAKE, /* nothing goes to or from the engine */
	SECURE,
	ENDING, /* they closed; what is left of the output may go */
	CLOSED, /* the socket is of no use; only time goes on */
};

struct channel {
	struct channel_config config;
	enum state state;
	int fd;
	struct tls_session *tls;
	struct error *bad_host; /* why there is no `tls`; owned */
	struct loop_watch *watch;
	struct loop_timer *timer;
	usec_t handshake_deadline;
	/* Bytes were exchanged before TLS: it is STARTTLS. */
	bool spoke;
	/* What stopped the last write, or read, was want of this. */
	unsigned write_wants;
	unsigned read_wants;
	/* Look again soon: the owner kicked, or there is more to read. */
	bool soon;
	/* A callback of the owner's is running; it may free the channel, whose
	 * memory goes only when the outermost call is done. */
	bool busy;
	bool freed;
};

static const struct error no_error = ERROR_INIT;

static void wake(struct channel *channel);

static void
dispose(struct channel *channel)
{
	assert(channel->freed && !channel->busy);
	free(channel->bad_host);
	free(channel);
}

/* What the socket is watched for, and when time matters next. */
static void
arm(struct channel *channel)
{
	usec_t when = channel->config.class->deadline(channel->config.engine);
	unsigned interest = channel->read_wants | channel->write_wants;

	if (channel->state == HANDSHAKE)
		when = usec_min(when, channel->handshake_deadline);
	if (channel->soon)
		when = 0;
	if (channel->state == CLOSED)
		interest = 0;
	loop_watch_set(channel->watch, interest);
	loop_timer_set(channel->timer, when);
}

/* The only place that changes the state. */
static void
enter(struct channel *channel, enum state state)
{
	channel->state = state;
	channel->write_wants = 0;
	channel->read_wants = state == PLAIN || state == SECURE ? LOOP_READ : 0;
}

static bool
can_write(const struct channel *channel)
{
	return channel->state == PLAIN || channel->state == SECURE ||
	       channel->state == ENDING;
}

/* The three calls to the owner; after each `freed` must be looked at. */

static void
call_pump(struct channel *channel)
{
	channel->config.pump(channel->config.ctx);
}

static void
fail(struct channel *channel, const struct error *error)
{
	const struct channel_config *config = &channel->config;

	enter(channel, CLOSED);
	if (config->failed != NULL)
		config->failed(config->ctx, error);
	if (channel->freed)
		return;
	config->class->eof(config->engine, loop_now());
	call_pump(channel);
}

static void
end(struct channel *channel)
{
	const struct channel_config *config = &channel->config;

	enter(channel, ENDING);
	config->class->eof(config->engine, loop_now());
	call_pump(channel);
}

/* Bytes. */

static enum tls_result
plain_result(enum tls_result want, struct error *error)
{
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
		return want;
	error_set(error, FAULT_RETRY, "connection broke: %s", strerror(errno));
	return TLS_FAILED;
}

static enum tls_result
read_some(
    struct channel *channel, char *data, size_t *len_r, struct error *error)
{
	ssize_t len;

	if (channel->tls != NULL)
		return tls_read(
		    channel->tls, data, CHANNEL_READ_SIZE, len_r, error);
	len = recv(channel->fd, data, CHANNEL_READ_SIZE, 0);
	if (len < 0)
		return plain_result(TLS_WANT_READ, error);
	*len_r = (size_t)len;
	return len == 0 ? TLS_EOF : TLS_DONE;
}

static enum tls_result
write_some(struct channel *channel, struct span bytes, size_t *written_r,
    struct error *error)
{
	ssize_t len;

	if (channel->tls != NULL)
		return tls_write(
		    channel->tls, bytes.data, bytes.len, written_r, error);
	len = send(channel->fd, bytes.data, bytes.len, MSG_NOSIGNAL);
	if (len < 0)
		return plain_result(TLS_WANT_WRITE, error);
	*written_r = (size_t)len;
	return TLS_DONE;
}

static unsigned
wanted(enum tls_result result)
{
	return result == TLS_WANT_WRITE ? LOOP_WRITE : LOOP_READ;
}

static void
send_output(struct channel *channel)
{
	const struct channel_config *config = &channel->config;
	struct error error = no_error;
	enum tls_result result = TLS_DONE;
	size_t written = 0;
	struct span bytes;

	channel->write_wants = 0;
	while (can_write(channel)) {
		bytes = config->class->output(config->engine);
		if (bytes.len == 0)
			break;
		result = write_some(channel, bytes, &written, &error);
		if (result != TLS_DONE)
			break;
		channel->spoke = true;
		config->class->sent(config->engine, written);
	}
	if (result == TLS_WANT_READ || result == TLS_WANT_WRITE)
		channel->write_wants = wanted(result);
	else if (result == TLS_FAILED && channel->state == ENDING)
		enter(channel, CLOSED); /* nobody listens: no news */
	else if (result == TLS_FAILED)
		fail(channel, &error);
	else if (result == TLS_EOF)
		end(channel);
}

/* Whether the socket cannot be trusted to tell of what comes next: OpenSSL
 * holds some, or there was no room for more. */
static bool
has_more(const struct channel *channel, size_t len)
{
	return channel->tls != NULL ? tls_has_pending(channel->tls)
				    : len == CHANNEL_READ_SIZE;
}

/* True: there may be more to read. The room is shared: nobody else reads
 * before the engine has taken what came. */
static bool
receive(struct channel *channel)
{
	static char data[CHANNEL_READ_SIZE];
	const struct channel_config *config = &channel->config;
	struct error error = no_error;
	size_t len = 0;
	bool more;

	switch (read_some(channel, data, &len, &error)) {
	case TLS_DONE:
		channel->spoke = true;
		more = has_more(channel, len);
		config->class->feed(
		    config->engine, span_from(data, len), loop_now());
		call_pump(channel);
		return more;
	case TLS_WANT_READ:
		channel->read_wants = LOOP_READ;
		return false;
	case TLS_WANT_WRITE:
		channel->read_wants = LOOP_READ | LOOP_WRITE;
		return false;
	case TLS_EOF:
		end(channel);
		return false;
	case TLS_FAILED:
		break;
	}
	fail(channel, &error);
	return false;
}

/*
 * Reads until there is nothing left, or others must have their turn: OpenSSL
 * may hold bytes that the socket does not show. The engine's output is sent in
 * between, so that a slow reader of ours cannot make it grow.
 */
static void
receive_all(struct channel *channel)
{
	for (int reads = 0; reads < CHANNEL_READS_MAX; reads++) {
		if (channel->state != PLAIN && channel->state != SECURE)
			return;
		if (!receive(channel) || channel->freed)
			return;
		send_output(channel);
		if (channel->freed)
			return;
	}
	channel->soon = true;
}

/* The handshake. */

static void
handshake_late(struct channel *channel)
{
	struct error error;
	BUF_AUTO limit = BUF_INIT;

	usec_format(&limit, channel->config.handshake_usec);
	error_set(&error, FAULT_RETRY,
	    "TLS handshake: not done after %s, the server is silent or too "
	    "slow",
	    buf_str(&limit));
	fail(channel, &error);
}

static void
handshake(struct channel *channel)
{
	struct error error = no_error;
	enum tls_result result;

	if (channel->tls == NULL) {
		fail(channel, channel->bad_host);
		return;
	}
	if (loop_now() >= channel->handshake_deadline) {
		handshake_late(channel);
		return;
	}
	result = tls_handshake(channel->tls, &error);
	if (result == TLS_DONE) {
		enter(channel, SECURE);
		channel->soon = true; /* bytes may have come along */
		if (channel->config.tls_started != NULL)
			channel->config.tls_started(channel->config.ctx);
		if (!channel->freed)
			call_pump(channel);
	} else if (result == TLS_FAILED) {
		fail(channel, &error);
	} else {
		channel->read_wants = wanted(result);
	}
}

/* From the loop. */

static bool
is_late(const struct channel *channel)
{
	return channel->config.class->deadline(channel->config.engine) <=
	       loop_now();
}

static void
tick(struct channel *channel)
{
	const struct channel_config *config = &channel->config;

	if (is_late(channel))
		config->class->tick(config->engine, loop_now());
	call_pump(channel);
}

/* What was sent may have been what an engine waits for: it need not wait for
 * the loop's next turn. */
static void
tick_after_sending(struct channel *channel)
{
	tick(channel);
	if (!channel->freed)
		send_output(channel);
}

/* Reads before it writes: a server's last words explain why writing fails. */
static void
service(struct channel *channel, bool readable, bool timed)
{
	channel->busy = true;
	if (timed) {
		channel->soon = false;
		tick(channel);
	}
	if (!channel->freed && channel->state == HANDSHAKE)
		handshake(channel);
	else if (!channel->freed && readable)
		receive_all(channel);
	if (!channel->freed)
		send_output(channel);
	if (!channel->freed && is_late(channel))
		tick_after_sending(channel);
	channel->busy = false;
	if (channel->freed)
		dispose(channel);
	else
		arm(channel);
}

static void
on_ready(void *ctx, unsigned ready)
{
	(void)ready;
	service(ctx, true, false);
}

static void
on_timer(void *ctx)
{
	struct channel *channel = ctx;

	service(channel, channel->soon, true);
}

struct channel *
channel_new(const struct channel_config *config, int fd)
{
	struct channel *channel = NEW(struct channel);

	channel->config = *config;
	if (channel->config.handshake_usec == 0)
		channel->config.handshake_usec = CHANNEL_HANDSHAKE_USEC;
	channel->fd = fd;
	channel->watch = loop_watch_new(config->loop, fd, on_ready, channel);
	channel->timer = loop_timer_new(config->loop, on_timer, channel);
	enter(channel, PLAIN);
	wake(channel);
	return channel;
}

void
channel_free(struct channel **channel_ptr)
{
	struct channel *channel = *channel_ptr;

	if (channel == NULL)
		return;
	*channel_ptr = NULL;
	loop_watch_free(&channel->watch);
	loop_timer_free(&channel->timer);
	if (channel->tls != NULL && channel->state != CLOSED)
		tls_close(channel->tls);
	tls_session_free(&channel->tls);
	close(channel->fd);
	channel->freed = true;
	if (!channel->busy)
		dispose(channel);
}

/* The handshake begins from the loop, and fails there for a bad host. */
void
channel_start_tls(struct channel *channel, struct tls *tls, const char *host)
{
	struct error error = no_error;

	assert(channel->state != HANDSHAKE && channel->state != SECURE);
	if (channel->state != PLAIN)
		return; /* closed meanwhile: the engine knows */
	channel->tls = tls_session_new(tls, channel->fd, host, &error);
	if (channel->tls == NULL) {
		channel->bad_host = NEW(struct error);
		*channel->bad_host = error;
	} else if (channel->spoke) {
		tls_session_set_upgrade(channel->tls);
	}
	enter(channel, HANDSHAKE);
	channel->handshake_deadline =
	    usec_add(loop_now(), channel->config.handshake_usec);
	wake(channel);
}

/* Has the loop serve the channel soon. */
static void
wake(struct channel *channel)
{
	channel->soon = true;
	loop_timer_set(channel->timer, 0);
}

/* Owners kick all their channels whenever one engine was given a turn: a
 * channel with nothing to send only looks at its deadline again, so that two
 * of them cannot keep each other awake. */
void
channel_kick(struct channel *channel)
{
	const struct channel_config *config = &channel->config;

	if (channel->busy)
		return; /* it is served now, and sends and arms at the end */
	if (can_write(channel) && channel->write_wants == 0 &&
	    config->class->output(config->engine).len > 0)
		wake(channel);
	else
		arm(channel);
}

void
channel_set_engine(struct channel *channel, void *engine)
{
	channel->config.engine = engine;
}

void
channel_set_keepalive(struct channel *channel, usec_t idle)
{
#ifdef TCP_KEEPIDLE
	int seconds = (int)(idle / USEC_SEC);

	if (channel->fd >= 0)
		setsockopt(channel->fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds,
		    sizeof(seconds));
#else
	(void)channel;
	(void)idle;
#endif
}

bool
channel_is_stranded(
    const struct channel *channel, const struct netwatch *netwatch)
{
	union {
		struct sockaddr any;
		struct sockaddr_storage space;
	} address;
	socklen_t len = sizeof(address);

	return channel->fd >= 0 &&
	       getsockname(channel->fd, &address.any, &len) == 0 &&
	       netwatch_is_gone(netwatch, &address.any);
}

bool
channel_is_secure(const struct channel *channel)
{
	return channel->state == SECURE;
}

struct tls_session *
channel_tls(struct channel *channel)
{
	return channel->tls;
}
