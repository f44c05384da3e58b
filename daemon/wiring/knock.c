#include "daemon/wiring/knock.h"

#include "daemon/base/xalloc.h"
#include "daemon/loop/channel.h"
#include "daemon/loop/connect.h"
#include "daemon/wire/imap/session.h"
#include "daemon/wire/smtp/session.h"

struct knock {
	struct loop *loop;
	char *host;
	unsigned port;
	enum server_tls security;
	bool is_smtp;
	struct tls *tls;
	knock_fn *fn;
	void *ctx;
	struct connect *connect;
	struct channel *channel;
	struct imap_session *imap;
	struct smtp_session *smtp;
	struct loop_timer *timer; /* when to give up, or to end */
	bool is_over, is_there;
	struct error error;
};

/* ---- the end ---- */

static void
release(struct knock *knock)
{
	connect_cancel(&knock->connect);
	channel_free(&knock->channel);
	imap_session_free(&knock->imap);
	smtp_session_free(&knock->smtp);
	loop_timer_free(&knock->timer);
	free(knock->host);
	free(knock);
}

void
knock_cancel(struct knock **knock)
{
	if (*knock == NULL)
		return;
	release(*knock);
	*knock = NULL;
}

/* Soon, as the channel may be what called. */
static void
end(struct knock *knock, bool is_there)
{
	if (knock->is_over)
		return;
	knock->is_over = true;
	knock->is_there = is_there;
	loop_timer_set(knock->timer, loop_now());
}

static void
on_timer(void *ctx)
{
	struct knock *knock = ctx;
	knock_fn *fn = knock->fn;
	void *owner = knock->ctx;
	bool is_there = knock->is_there;
	struct error error = knock->error;

	if (!knock->is_over)
		error_set(&error, FAULT_RETRY, "no answer in time");
	release(knock);
	fn(owner, is_there, is_there ? NULL : &error);
}

/* ---- the conversation ---- */

static void
start_tls(struct knock *knock)
{
	channel_start_tls(knock->channel, knock->tls, knock->host);
}

/* What asks for the secret is a server that one could log in to. */
static void
pump_imap(struct knock *knock)
{
	struct imap_event event;

	while (imap_session_next_event(knock->imap, &event, loop_now())) {
		if (event.kind == IMAP_EVENT_STARTTLS)
			start_tls(knock);
		else if (event.kind == IMAP_EVENT_SECRET)
			end(knock, true);
		else if (event.kind == IMAP_EVENT_FAILED) {
			if (knock->error.fault == FAULT_NONE)
				knock->error = *event.error;
			end(knock, false);
		}
	}
}

static void
pump_smtp(struct knock *knock)
{
	struct smtp_event event;

	while (smtp_session_next_event(knock->smtp, &event)) {
		if (event.kind == SMTP_EVENT_STARTTLS)
			start_tls(knock);
		else if (event.kind == SMTP_EVENT_SECRET)
			end(knock, true);
		else if (event.kind == SMTP_EVENT_FAILED) {
			if (knock->error.fault == FAULT_NONE)
				knock->error = event.error;
			end(knock, false);
		}
	}
}

static void
on_pump(void *ctx)
{
	struct knock *knock = ctx;

	if (knock->imap != NULL)
		pump_imap(knock);
	if (knock->smtp != NULL)
		pump_smtp(knock);
}

static void
on_failed(void *ctx, const struct error *error)
{
	struct knock *knock = ctx;

	knock->error = *error;
	end(knock, false);
}

static void
on_tls(void *ctx)
{
	struct knock *knock = ctx;

	if (knock->security != SERVER_STARTTLS)
		return;
	if (knock->imap != NULL)
		imap_session_tls_started(knock->imap, loop_now());
	if (knock->smtp != NULL)
		smtp_session_tls_started(knock->smtp, loop_now());
}

/* A name has to be said, and none of this machine's. */
static void
make_session(struct knock *knock)
{
	const struct imap_session_config imap = {
	    .security = knock->security == SERVER_TLS ? IMAP_SECURITY_TLS
						      : IMAP_SECURITY_STARTTLS,
	    .auth = IMAP_AUTH_PASSWORD,
	    .user = "nobody",
	    .host = knock->host,
	    .port = knock->port,
	};
	const struct smtp_session_config smtp = {
	    .security = knock->security == SERVER_TLS ? SMTP_SECURITY_TLS
						      : SMTP_SECURITY_STARTTLS,
	    .auth = SMTP_AUTH_PASSWORD,
	    .user = "nobody",
	    .host = knock->host,
	    .port = knock->port,
	    .ehlo_name = "localhost",
	};

	if (knock->is_smtp)
		knock->smtp = smtp_session_new(&smtp, loop_now());
	else
		knock->imap = imap_session_new(&imap, loop_now());
}

static void
on_connected(void *ctx, int fd, const struct error *error)
{
	struct knock *knock = ctx;

	knock->connect = NULL;
	if (fd < 0) {
		on_failed(knock, error);
		return;
	}
	make_session(knock);
	const struct channel_config config = {
	    .loop = knock->loop,
	    .class = knock->is_smtp ? &smtp_session_class : &imap_session_class,
	    .engine = knock->is_smtp ? (void *)knock->smtp : knock->imap,
	    .pump = on_pump,
	    .failed = on_failed,
	    .tls_started = on_tls,
	    .ctx = knock,
	};
	knock->channel = channel_new(&config, fd);
	if (knock->security == SERVER_TLS)
		start_tls(knock);
	channel_kick(knock->channel);
}

struct knock *
knock_start(struct loop *loop, const struct preset_server *server, bool is_smtp,
    struct tls *tls, knock_fn *fn, void *ctx)
{
	struct knock *knock = NEW(struct knock);

	*knock = (struct knock){
	    .loop = loop,
	    .host = xstrdup(server->host),
	    .port = server->port,
	    .security = server->tls,
	    .is_smtp = is_smtp,
	    .tls = tls,
	    .fn = fn,
	    .ctx = ctx,
	};
	knock->timer = loop_timer_new(loop, on_timer, knock);
	loop_timer_set(knock->timer, usec_add(loop_now(), KNOCK_USEC));
	knock->connect =
	    connect_start(loop, knock->host, knock->port, on_connected, knock);
	return knock;
}
