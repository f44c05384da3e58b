/*
 * wiring/gate: how many connections begin at once.
 *
 * When a server restarts or a network comes back, all accounts want to
 * connect in the same moment. At most GATE_FLIGHT_MAX are on their way (from
 * the name to the end of the handshake), and to one host GATE_HOST_BURST at
 * once and then one every GATE_HOST_USEC; the others wait in a row, in their
 * order. A place that becomes free goes to a host with the fewest in flight, so
 * that a thousand accounts of a dead host do not keep the others waiting. The
 * pace is that of one server's logins: a thousand accounts of one host are back
 * after 200 seconds, which a server that was just started can bear.
 */
#ifndef BELFRY_WIRING_GATE_H
#define BELFRY_WIRING_GATE_H

#include "daemon/base/list.h"
#include "daemon/loop/loop.h"

#define GATE_FLIGHT_MAX 50
#define GATE_HOST_BURST 5
#define GATE_HOST_USEC (200 * USEC_MSEC)

struct gate;

/* Part of whoever wants to connect; zeroed at first. */
struct gate_pass {
	struct list_link link; /* in the row, while it waits */
	enum {
		GATE_OUTSIDE,
		GATE_WAITING,
		GATE_IN_FLIGHT
	} place;
	struct gate *gate;
	const char *host; /* borrowed until gate_leave */
	loop_fn *fn;
	void *ctx;
};

struct gate *gate_new(struct loop *loop);
void gate_free(struct gate **gate);
/* Calls `fn` once it may begin: at once, or later from the loop. */
void gate_enter(struct gate *gate, struct gate_pass *pass, const char *host,
    loop_fn *fn, void *ctx);
/* It is connected, or has given up. Harmless from outside. */
void gate_leave(struct gate_pass *pass);

#endif
