/* The needs of the forward queue, answered. */
#include "daemon/base/xalloc.h"
#include "daemon/wiring/belfry.h"

struct sender {
	struct running_account *owner;
	struct outbox_config config;
	struct outbox *outbox;
	struct connect *connect;
	struct channel *channel;
	struct secret_wait *secret;
	struct loop_timer *timer; /* while there is no channel */
	bool told, pumping;
};

static void pump(struct sender *sender);

static void
disconnect(struct sender *sender)
{
	connect_cancel(&sender->connect);
	secret_cancel(&sender->secret);
	channel_free(&sender->channel);
	sender->told = false;
}

static void
on_channel_pump(void *ctx)
{
	pump(ctx);
}

static void
on_channel_failed(void *ctx, const struct error *error)
{
	struct sender *sender = ctx;

	outbox_connect_failed(sender->outbox, error, loop_now());
}

static void
on_tls(void *ctx)
{
	struct sender *sender = ctx;

	if (sender->told) {
		outbox_tls_started(sender->outbox, loop_now());
	} else {
		sender->told = true;
		outbox_connected(sender->outbox, loop_now());
	}
}

static void
on_connected(void *ctx, int fd, const struct error *error)
{
	struct sender *sender = ctx;
	const struct config_server *server = &sender->owner->config->smtp;

	sender->connect = NULL;
	if (fd < 0) {
		outbox_connect_failed(sender->outbox, error, loop_now());
		pump(sender);
		return;
	}
	const struct channel_config config = {
	    .loop = sender->owner->belfry->loop,
	    .class = &outbox_class,
	    .engine = sender->outbox,
	    .pump = on_channel_pump,
	    .failed = on_channel_failed,
	    .tls_started = on_tls,
	    .ctx = sender,
	};
	sender->channel = channel_new(&config, fd);
	if (server->tls == SERVER_TLS) {
		channel_start_tls(
		    sender->channel, sender->owner->tls, server->host);
	} else {
		sender->told = true;
		outbox_connected(sender->outbox, loop_now());
	}
	pump(sender);
}

static void
on_secret_known(
    void *ctx, const struct secret *secret, const struct error *error)
{
	struct sender *sender = ctx;

	sender->secret = NULL;
	if (secret != NULL)
		outbox_secret(sender->outbox, secret_span(secret), loop_now());
	else
		outbox_secret_failed(sender->outbox, error, loop_now());
	pump(sender);
}

/* ---- needs, one function each ---- */

static void
need_load(struct sender *sender, struct outbox_event *event)
{
	struct store_queue_item item;
	struct error error = ERROR_INIT;
	bool found;

	(void)event;
	if (!store_queue_next(sender->owner->belfry->store,
		sender->owner->config->name, &item, &found, &error))
		outbox_load_failed(sender->outbox, &error, loop_now());
	else
		outbox_item(sender->outbox, found ? &item : NULL, loop_now());
}

static void
need_connect(struct sender *sender, struct outbox_event *event)
{
	const struct config_server *server = &sender->owner->config->smtp;

	(void)event;
	disconnect(sender);
	sender->connect = connect_start(sender->owner->belfry->loop,
	    server->host, server->port, on_connected, sender);
}

static void
need_disconnect(struct sender *sender, struct outbox_event *event)
{
	(void)event;
	disconnect(sender);
}

static void
need_starttls(struct sender *sender, struct outbox_event *event)
{
	(void)event;
	if (sender->channel != NULL)
		channel_start_tls(sender->channel, sender->owner->tls,
		    sender->owner->config->smtp.host);
}

static void
need_secret(struct sender *sender, struct outbox_event *event)
{
	(void)event;
	secret_cancel(&sender->secret);
	sender->secret = secret_ask(sender->owner->belfry,
	    sender->owner->config, on_secret_known, sender);
}

static void
need_commit(struct sender *sender, struct outbox_event *event)
{
	struct error error = ERROR_INIT;
	bool ok =
	    store_commit(sender->owner->belfry->store, event->batch, &error);

	outbox_committed(sender->outbox, ok, &error, loop_now());
}

/* A dead letter, and a queue that waits for the person, ring once. */
static void
need_report(struct sender *sender, struct outbox_event *event)
{
	struct running_account *account = sender->owner;

	report_outbox(account, event);
	if (event->report == OUTBOX_FAILED || event->report == OUTBOX_HELD) {
		STR_AUTO title =
		    xasprintf("Belfry: a forward to %s failed", event->target);
		notify_say(account->belfry, account->config->name,
		    URGENCY_NORMAL, title, event->text);
	}
}

static void (*const needs[])(struct sender *, struct outbox_event *) = {
    [OUTBOX_LOAD] = need_load,
    [OUTBOX_CONNECT] = need_connect,
    [OUTBOX_DISCONNECT] = need_disconnect,
    [OUTBOX_STARTTLS] = need_starttls,
    [OUTBOX_SECRET] = need_secret,
    [OUTBOX_COMMIT] = need_commit,
    [OUTBOX_REPORT] = need_report,
};

static void
pump(struct sender *sender)
{
	struct outbox_event event;

	if (sender->pumping)
		return; /* the loop below will see it */
	sender->pumping = true;
	while (outbox_next_event(sender->outbox, &event)) {
		needs[event.kind](sender, &event);
		outbox_event_done(&event);
	}
	sender->pumping = false;
	if (sender->channel != NULL) {
		channel_kick(sender->channel);
		loop_timer_set(sender->timer, USEC_NEVER);
	} else {
		loop_timer_set(sender->timer, outbox_deadline(sender->outbox));
	}
	leave_if_done(sender->owner->belfry);
}

static void
on_timer(void *ctx)
{
	struct sender *sender = ctx;

	outbox_tick(sender->outbox, loop_now());
	pump(sender);
}

/* ---- beginning and ending ---- */

static enum smtp_security
security_of(enum server_tls tls)
{
	static const enum smtp_security securities[] = {
	    [SERVER_TLS] = SMTP_SECURITY_TLS,
	    [SERVER_STARTTLS] = SMTP_SECURITY_STARTTLS,
	    [SERVER_PLAINTEXT] = SMTP_SECURITY_NONE,
	};

	return securities[tls];
}

/* The name to say in EHLO: the domain of the person's own address, which is a
 * name and no literal, and tells nobody about this machine. */
static const char *
ehlo_name(const struct config_account *config)
{
	return config->domain != NULL ? config->domain : "localhost";
}

struct sender *
sender_new(struct running_account *account)
{
	const struct config_account *config = account->config;
	struct sender *sender = NEW(struct sender);

	sender->owner = account;
	sender->config = (struct outbox_config){
	    .account = config->name,
	    .from = config->from,
	    .smtp =
		{
		    .security = security_of(config->smtp.tls),
		    .auth = config->auth == CONFIG_AUTH_OAUTH2
				? SMTP_AUTH_OAUTH2
				: SMTP_AUTH_PASSWORD,
		    .user = config->smtp_user,
		    .host = config->smtp.host,
		    .port = config->smtp.port,
		    .ehlo_name = ehlo_name(config),
		},
	    .seed = account->account_config.mailbox.seed + 1000,
	};
	sender->outbox = outbox_new(&sender->config, loop_now());
	sender->timer = loop_timer_new(account->belfry->loop, on_timer, sender);
	sender_set_clock(sender);
	outbox_start(sender->outbox, loop_now());
	pump(sender);
	return sender;
}

void
sender_free(struct sender **sender)
{
	if (*sender == NULL)
		return;
	disconnect(*sender);
	loop_timer_free(&(*sender)->timer);
	outbox_free(&(*sender)->outbox);
	free(*sender);
	*sender = NULL;
}

void
sender_set_clock(struct sender *sender)
{
	outbox_set_clock(sender->outbox, loop_now_unix(), loop_now());
}

void
sender_kick(struct sender *sender)
{
	outbox_kick(sender->outbox, loop_now());
	pump(sender);
}

void
sender_reload(struct sender *sender)
{
	outbox_reload(sender->outbox, loop_now());
	pump(sender);
}

void
sender_stop(struct sender *sender)
{
	outbox_stop(sender->outbox, loop_now());
	pump(sender);
}

const struct outbox *
sender_outbox(const struct sender *sender)
{
	return sender->outbox;
}
