#include "daemon/wiring/transport.h"

#include "daemon/base/xalloc.h"
#include "daemon/loop/connect.h"
#include "daemon/loop/shunned.h"
#include "daemon/wiring/gate.h"
#include "daemon/wiring/login.h"

struct transport {
	struct running_account *account;
	const struct config_server *server;
	struct transport_owner owner;
	struct gate_pass pass;
	struct connect *connect;
	struct channel *channel;
	struct secret_wait *secret;
	struct loop_timer *timer;    /* while there is no channel */
	bool told;		     /* the engine knows that it is connected */
	struct resolve_address peer; /* until it is of use; family 0: none */
	usec_t keepalive;	     /* 0: that of loop/connect.h */
};

static void
on_timer(void *ctx)
{
	struct transport *transport = ctx;

	transport->owner.class->tick(transport->owner.engine, loop_now());
	transport->owner.pump(transport->owner.ctx);
}

struct transport *
transport_new(struct running_account *account,
    const struct config_server *server, const struct transport_owner *owner)
{
	struct transport *transport = NEW(struct transport);

	transport->account = account;
	transport->server = server;
	transport->owner = *owner;
	transport->timer =
	    loop_timer_new(account->belfry->loop, on_timer, transport);
	return transport;
}

/* The server talks: whatever ends this is no reason to try another address. */
static void
note_use(struct transport *transport)
{
	shunned_forget(&transport->peer);
	transport->peer.family = 0;
}

void
transport_disconnect(struct transport *transport)
{
	shunned_add(&transport->peer, loop_now());
	transport->peer.family = 0;
	gate_leave(&transport->pass);
	connect_cancel(&transport->connect);
	secret_cancel(&transport->secret);
	channel_free(&transport->channel);
	transport->told = false;
}

void
transport_free(struct transport **transport)
{
	if (*transport == NULL)
		return;
	transport_disconnect(*transport);
	loop_timer_free(&(*transport)->timer);
	free(*transport);
	*transport = NULL;
}

void
transport_set_owner(struct transport *transport, void *engine, void *ctx)
{
	transport->owner.engine = engine;
	transport->owner.ctx = ctx;
	if (transport->channel != NULL)
		channel_set_engine(transport->channel, engine);
}

/* ---- connecting ---- */

static void
on_channel_failed(void *ctx, const struct error *error)
{
	struct transport *transport = ctx;

	transport->owner.failed(transport->owner.ctx, error);
}

static void
on_channel_pump(void *ctx)
{
	struct transport *transport = ctx;

	transport->owner.pump(transport->owner.ctx);
}

static void
tell_connected(struct transport *transport)
{
	gate_leave(&transport->pass);
	transport->told = true;
	if (transport->account->config->auth == CONFIG_AUTH_EXTERNAL)
		note_use(transport); /* nothing is asked for later */
	transport->owner.connected(transport->owner.ctx);
}

static void
on_tls(void *ctx)
{
	struct transport *transport = ctx;

	certificates_seen(transport->account, transport->server,
	    channel_tls(transport->channel));
	if (transport->told)
		transport->owner.tls_started(transport->owner.ctx);
	else
		tell_connected(transport);
}

static void
open_channel(struct transport *transport, int fd)
{
	const struct channel_config config = {
	    .loop = transport->account->belfry->loop,
	    .class = transport->owner.class,
	    .engine = transport->owner.engine,
	    .pump = on_channel_pump,
	    .failed = on_channel_failed,
	    .tls_started = on_tls,
	    .ctx = transport,
	};

	shunned_peer(fd, &transport->peer);
	transport->channel = channel_new(&config, fd);
	if (transport->keepalive != 0)
		channel_set_keepalive(transport->channel, transport->keepalive);
	if (transport->server->tls == SERVER_TLS)
		transport_start_tls(transport);
	else
		tell_connected(transport);
}

static void
on_connected(void *ctx, int fd, const struct error *error)
{
	struct transport *transport = ctx;

	transport->connect = NULL;
	if (fd < 0)
		gate_leave(&transport->pass);
	if (fd < 0)
		transport->owner.failed(transport->owner.ctx, error);
	else
		open_channel(transport, fd);
	transport->owner.pump(transport->owner.ctx);
}

/* Through the gate. */
static void
begin(void *ctx)
{
	struct transport *transport = ctx;

	transport->connect = connect_start(transport->account->belfry->loop,
	    transport->server->host, transport->server->port, on_connected,
	    transport);
	if (transport->owner.waits != NULL)
		transport->owner.waits(transport->owner.ctx, false);
}

void
transport_connect(struct transport *transport)
{
	if (transport->pass.place != GATE_WAITING) {
		transport_disconnect(transport);
		gate_enter(transport->account->belfry->gate, &transport->pass,
		    transport->server->host, begin, transport);
	}
	if (transport->pass.place == GATE_WAITING &&
	    transport->owner.waits != NULL)
		transport->owner.waits(transport->owner.ctx, true);
}

void
transport_start_tls(struct transport *transport)
{
	if (transport->channel != NULL)
		channel_start_tls(transport->channel, transport->account->tls,
		    transport->server->host);
}

/* ---- secrets ---- */

static void
give_secret(struct transport *transport, struct span secret)
{
	struct login_once once;

	login_once_init(&once, transport->channel != NULL
				   ? channel_tls(transport->channel)
				   : NULL);
	transport->owner.secret(transport->owner.ctx, secret, &once.once);
	login_once_done(&once);
}

static void
on_secret(void *ctx, const struct secret *secret, const struct error *error)
{
	struct transport *transport = ctx;

	transport->secret = NULL;
	if (secret != NULL)
		give_secret(transport, secret_span(secret));
	else
		transport->owner.secret_failed(transport->owner.ctx, error);
	transport->owner.pump(transport->owner.ctx);
}

void
transport_ask_secret(struct transport *transport)
{
	note_use(transport);
	secret_cancel(&transport->secret);
	transport->secret = secret_ask(transport->account->belfry,
	    transport->account->config, on_secret, transport);
}

/* ---- its turn ---- */

void
transport_set_keepalive(struct transport *transport, usec_t idle)
{
	if (transport->keepalive == idle)
		return;
	transport->keepalive = idle;
	if (transport->channel != NULL)
		channel_set_keepalive(transport->channel, idle);
}

void
transport_heed_addresses(
    struct transport *transport, const struct netwatch *netwatch)
{
	struct error error = ERROR_INIT;

	if (transport->channel == NULL ||
	    !channel_is_stranded(transport->channel, netwatch))
		return;
	error_set(&error, FAULT_RETRY,
	    "this machine has another address now: the connection to %s is "
	    "of no use any more",
	    transport->server->host);
	transport->owner.failed(transport->owner.ctx, &error);
}

/* The channel has a timer of its own. */
void
transport_arm(struct transport *transport)
{
	const struct transport_owner *owner = &transport->owner;

	if (transport->channel != NULL) {
		channel_kick(transport->channel);
		loop_timer_set(transport->timer, USEC_NEVER);
	} else {
		loop_timer_set(
		    transport->timer, owner->class->deadline(owner->engine));
	}
}
