/*
 * loop/server: the control socket: a UNIX stream socket, mode 0600, that
 * serves the daemon's own uid and root only (SO_PEERCRED, checked before a
 * byte is read). Each client is a channel with an engine of its own.
 */
#ifndef BELFRY_LOOP_SERVER_H
#define BELFRY_LOOP_SERVER_H

#include "daemon/base/error.h"
#include "daemon/loop/loop.h"

/* Further clients are closed at once, unread. */
#define SERVER_CLIENTS_MAX 32

struct server;

/* A client came; `fd` is yours (non-blocking). The server sees by itself when
 * you have closed it. */
typedef void server_fn(void *ctx, int fd);

/* Makes the directory (0700; one level) and the socket. A stale socket is
 * replaced, a live one, or anything else at that path, is FAULT_LOCAL; so is
 * a directory that others may write to. */
struct server *server_new(struct loop *loop, const char *path, server_fn *fn,
    void *ctx, struct error *error_r);
/* Removes the socket, unless another is at that path by now. NULL-safe. */
void server_free(struct server **server);

#endif
