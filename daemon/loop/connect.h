/*
 * loop/connect: from host and port to a connected socket.
 *
 * getaddrinfo runs on a small pool of threads; addresses are raced (RFC
 * 8305: 250 ms apart or as soon as one fails, at most 8, families
 * alternating, the one that won the last race to this host first, those that
 * were of no use last: loop/shunned). Sockets are
 * non-blocking, close-on-exec, without Nagle's delay, with keepalive and
 * TCP_USER_TIMEOUT both: alone neither finds a peer that vanished in every
 * state. A dead idle peer is found in less than three minutes, one that owes us
 * an acknowledgement in one.
 */
#ifndef BELFRY_LOOP_CONNECT_H
#define BELFRY_LOOP_CONNECT_H

#include "daemon/base/error.h"
#include "daemon/loop/loop.h"
#include "daemon/loop/resolve.h"

/* From the name to the connection. */
#define CONNECT_USEC (20 * USEC_SEC)
#define CONNECT_RACE_USEC (250 * USEC_MSEC)
#define CONNECT_ADDRESSES_MAX RESOLVE_ADDRESSES_MAX
/* Hosts whose last winner is known; of the process. */
#define CONNECT_WINNERS_MAX 64

#define CONNECT_KEEPALIVE_IDLE_SEC 60
#define CONNECT_KEEPALIVE_STEP_SEC 20
#define CONNECT_KEEPALIVE_COUNT 4
#define CONNECT_UNACKED_MSEC 60000

struct connect;

/* `fd` >= 0: connected, yours; or -1 and the error (FAULT_RETRY; FAULT_CONFIG
 * for what is no host name). Called once, from the loop; the connect is freed
 * after it. */
typedef void connect_fn(void *ctx, int fd, const struct error *error);

struct connect *connect_start(struct loop *loop, const char *host,
    unsigned port, connect_fn *fn, void *ctx);
/* Without asking a resolver; for tests and for addresses already known. The
 * result is copied; it has at least one address. */
struct connect *connect_start_addresses(struct loop *loop, const char *host,
    unsigned port, const struct resolve_result *addresses, connect_fn *fn,
    void *ctx);
/* Forgets it; `fn` is not called any more. NULL-safe. */
void connect_cancel(struct connect **connect);

#endif
