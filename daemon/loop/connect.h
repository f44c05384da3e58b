/*
 * loop/connect: from host and port to a connected socket.
 *
 * getaddrinfo runs on a small pool of threads; addresses are raced (RFC
 * 8305: 250 ms apart, at most 8, families alternating). Sockets are
 * non-blocking, close-on-exec, with keepalive and TCP_USER_TIMEOUT both.
 */
#ifndef BELFRY_LOOP_CONNECT_H
#define BELFRY_LOOP_CONNECT_H

#include "daemon/base/error.h"
#include "daemon/loop/loop.h"

#define CONNECT_USEC (20 * USEC_SEC)
#define CONNECT_RACE_USEC (250 * USEC_MSEC)
#define CONNECT_ADDRESSES_MAX 8

struct connect;

/* `fd` >= 0: connected, yours; or -1 and the error (FAULT_RETRY). Called
 * once, from the loop; the connect is freed after it. */
typedef void connect_fn(void *ctx, int fd, const struct error *error);

struct connect *connect_start(struct loop *loop, const char *host,
    unsigned port, connect_fn *fn, void *ctx);
/* Forgets it; `fn` is not called any more. NULL-safe. */
void connect_cancel(struct connect **connect);

#endif
