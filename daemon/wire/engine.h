/*
 * engine: the shape every engine has.
 *
 * An engine thinks and does not move: bytes and time go in; bytes, events
 * and one deadline come out. It opens no socket, reads no clock, logs
 * nothing and calls nobody back. The laws, each a test for every engine:
 *
 *  1. Split-blind: any way of cutting the input gives the same events and
 *     the same output.
 *  2. The output span is valid until the next call on the engine.
 *  3. After any call that takes `now`: pull events until there is none, send
 *     the output, set one timer to the deadline.
 *  4. Time only comes in. `now` never goes back; a late tick is harmless;
 *     USEC_NEVER means no timer.
 *  5. Dead is quiet. The first error closes the engine and yields one FAILED
 *     event; after it every call is accepted and does nothing.
 *  6. Bounded: each limit is a named constant in the engine's header, and a
 *     breach is FAULT_LIMIT.
 *  7. Needs are events: "I need TLS", "I need the secret". The engine waits
 *     for the matching call. Bytes that arrive between a STARTTLS reply and
 *     the handshake are FAULT_PEER, never kept.
 */
#ifndef BELFRY_WIRE_ENGINE_H
#define BELFRY_WIRE_ENGINE_H

#include "daemon/base/span.h"
#include "daemon/base/usec.h"

/* What a driver (loop/channel, the simulator, a test) needs of any engine
 * that talks over one connection. Events are pulled through the engine's own
 * typed function by whoever owns it. */
struct engine_class {
	const char *name;
	/* Bytes in; any length, also 0. */
	void (*feed)(void *engine, struct span bytes, usec_t now);
	/* The other side closed, or the transport broke. */
	void (*eof)(void *engine, usec_t now);
	/* Bytes out: peek ... */
	struct span (*output)(const void *engine);
	/* ... and consume the first `len` of them. */
	void (*sent)(void *engine, size_t len);
	usec_t (*deadline)(const void *engine);
	void (*tick)(void *engine, usec_t now);
};

/*
 * Defines `PREFIX_class` by the functions PREFIX_feed, PREFIX_eof and so on,
 * which take a `struct PREFIX *`. In the engine's source, once.
 */
#define ENGINE_CLASS(prefix, label)                                            \
	static void prefix##_class_feed(                                       \
	    void *engine, struct span bytes, usec_t now)                       \
	{                                                                      \
		prefix##_feed(engine, bytes, now);                             \
	}                                                                      \
	static void prefix##_class_eof(void *engine, usec_t now)               \
	{                                                                      \
		prefix##_eof(engine, now);                                     \
	}                                                                      \
	static struct span prefix##_class_output(const void *engine)           \
	{                                                                      \
		return prefix##_output(engine);                                \
	}                                                                      \
	static void prefix##_class_sent(void *engine, size_t len)              \
	{                                                                      \
		prefix##_sent(engine, len);                                    \
	}                                                                      \
	static usec_t prefix##_class_deadline(const void *engine)              \
	{                                                                      \
		return prefix##_deadline(engine);                              \
	}                                                                      \
	static void prefix##_class_tick(void *engine, usec_t now)              \
	{                                                                      \
		prefix##_tick(engine, now);                                    \
	}                                                                      \
	const struct engine_class prefix##_class = {                           \
	    .name = (label),                                                   \
	    .feed = prefix##_class_feed,                                       \
	    .eof = prefix##_class_eof,                                         \
	    .output = prefix##_class_output,                                   \
	    .sent = prefix##_class_sent,                                       \
	    .deadline = prefix##_class_deadline,                               \
	    .tick = prefix##_class_tick,                                       \
	}

#endif
