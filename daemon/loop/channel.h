/*
 * loop/channel: moves bytes between a socket or TLS session and an engine,
 * and knows neither.
 *
 * After everything that it tells the engine (bytes, end, tick) it calls
 * `pump`, in which the owner pulls the engine's events; then it sends the
 * output and arms the timer at the deadline. After any call of its own on the
 * engine, outside of these callbacks, the owner pulls the events itself and
 * calls channel_kick.
 *
 * All three callbacks come from the loop, never from inside a call on the
 * channel; in each of them the owner may call the engine and the channel, and
 * may free the channel. The engine belongs to the owner and must live as long
 * as the channel.
 *
 * When the other side closes, the engine is told eof and what it still has to
 * say is sent; then the channel only keeps the engine's time until it is
 * freed. When the transport fails, `failed` is called with the reason, so that
 * the owner can give the engine the true words; then the engine is told eof,
 * and `pump` follows.
 */
#ifndef BELFRY_LOOP_CHANNEL_H
#define BELFRY_LOOP_CHANNEL_H

#include "daemon/base/error.h"
#include "daemon/loop/loop.h"
#include "daemon/loop/netwatch.h"
#include "daemon/loop/tls.h"
#include "daemon/wire/engine.h"

/* The whole handshake, however its bytes trickle in. */
#define CHANNEL_HANDSHAKE_USEC (30 * USEC_SEC)
/* One read. */
#define CHANNEL_READ_SIZE (64 * 1024)
/* Reads in a row before other descriptors get their turn. */
#define CHANNEL_READS_MAX 16

struct channel;

struct channel_config {
	struct loop *loop;
	const struct engine_class *class;
	void *engine;
	void (*pump)(void *ctx);
	/* The transport failed: the reason. The engine is told eof next. May be
	 * NULL. */
	void (*failed)(void *ctx, const struct error *error);
	/* A handshake asked for with channel_start_tls succeeded. May be
	 * NULL where none is asked for. */
	void (*tls_started)(void *ctx);
	void *ctx;
	/* 0: CHANNEL_HANDSHAKE_USEC. */
	usec_t handshake_usec;
};

/* Takes the connected, non-blocking socket. The config is copied. */
struct channel *channel_new(const struct channel_config *config, int fd);
/* Sends close_notify and closes the socket. NULL-safe. */
void channel_free(struct channel **channel);
/* Begins the handshake on the same socket: at once for implicit TLS, or when
 * the engine asked (STARTTLS). `host` is checked against the certificate.
 * Until it is done nothing else is sent. Once per channel. `tls` may be freed
 * before the channel. */
void channel_start_tls(
    struct channel *channel, struct tls *tls, const char *host);
/* The owner called the engine, and pulled its events: new output is sent
 * soon, the timer is set to the deadline. In a callback of the channel it does
 * nothing: both happen when that is done. Does not lead to a `pump` unless
 * there is output, so owners may kick more than they must. */
void channel_kick(struct channel *channel);
/* Another engine of the same class takes the conversation over. Also in a
 * callback. */
void channel_set_engine(struct channel *channel, void *engine);
/* After so much silence TCP asks whether the connection lives; a kernel that
 * cannot asks as connect.h says. */
void channel_set_keepalive(struct channel *channel, usec_t idle);
/* Whether the address of this machine that it uses is gone: nothing can come
 * any more. */
bool channel_is_stranded(
    const struct channel *channel, const struct netwatch *netwatch);
bool channel_is_secure(const struct channel *channel);
/* For logs and `doctor`: NULL without TLS. Borrowed. */
struct tls_session *channel_tls(struct channel *channel);

#endif
