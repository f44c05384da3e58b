/*
 * wiring/redirect: where the browser brings the answer of a sign-in (RFC 8252
 * section 7.3): a port of 127.0.0.1 that takes one answer.
 *
 * Anybody on this machine may connect: what has not our state is refused and
 * changes nothing. After the answer nobody can connect any more.
 */
#ifndef BELFRY_WIRING_REDIRECT_H
#define BELFRY_WIRING_REDIRECT_H

#include "daemon/loop/loop.h"
#include "daemon/oauth2/callback.h"

/* Browsers open connections in advance; the oldest goes when more come. */
#define REDIRECT_CLIENTS_MAX 8

struct redirect;

/* Called once, from the loop, with a code or what the provider says instead;
 * borrowed for the call. The browser waits for redirect_answer. */
typedef void redirect_fn(void *ctx, const struct oauth2_callback *callback);

/* Port 0: any free one. `state` is copied. NULL and FAULT_LOCAL: the port is
 * taken. */
struct redirect *redirect_new(struct loop *loop, unsigned port,
    struct span state, redirect_fn *fn, void *ctx, struct error *error_r);
unsigned redirect_port(const struct redirect *redirect);
/* The page that the browser shows; once, after the answer. */
void redirect_answer(struct redirect *redirect, unsigned status,
    const char *title, const char *text);
/* NULL-safe. */
void redirect_free(struct redirect **redirect);

#endif
