/*
 * wiring/transport: what mailbox and outbox have in common: a connection to
 * an account's server that is made, secured, asked a secret for, lost, and
 * made again, and one timer while there is none.
 */
#ifndef BELFRY_WIRING_TRANSPORT_H
#define BELFRY_WIRING_TRANSPORT_H

#include "daemon/wiring/belfry.h"

struct transport;

/* The engine's side; all functions get `ctx`. After each of them the
 * transport calls `pump`, in which the owner pulls the engine's events and
 * then calls transport_arm. */
struct transport_owner {
	const struct engine_class *class;
	void *engine;
	/* Connected, and secured where the server wants TLS from the first
	 * byte. */
	void (*connected)(void *ctx);
	void (*failed)(void *ctx, const struct error *error);
	/* Too many connect at once: it waits for its turn; or it came. May be
	 * called in transport_connect; the owner arms the transport itself
	 * otherwise, no `pump` follows. NULL: does not matter. */
	void (*waits)(void *ctx, bool waits);
	void (*tls_started)(void *ctx);
	/* `once` is good for this connection's login. */
	void (*secret)(
	    void *ctx, struct span secret, const struct sasl_once *once);
	void (*secret_failed)(void *ctx, const struct error *error);
	void (*pump)(void *ctx);
	void *ctx;
};

/* `account` gives belfry, the TLS policy and the secret; `server` the way.
 * All borrowed until transport_free. */
struct transport *transport_new(struct running_account *account,
    const struct config_server *server, const struct transport_owner *owner);
void transport_free(struct transport **transport);

/* What it is connected to speaks with another engine of the same class from
 * now on. */
void transport_set_owner(struct transport *transport, void *engine, void *ctx);
void transport_connect(struct transport *transport);
void transport_disconnect(struct transport *transport);
/* Does nothing without a connection. */
void transport_start_tls(struct transport *transport);
void transport_ask_secret(struct transport *transport);
/* As channel_set_keepalive; also of a connection to come. */
void transport_set_keepalive(struct transport *transport, usec_t idle);
/* Gives a connection up whose address of this machine is gone; the owner pumps
 * then. */
void transport_heed_addresses(
    struct transport *transport, const struct netwatch *netwatch);
/* Sends the engine's output, and wakes it at its deadline. */
void transport_arm(struct transport *transport);

#endif
