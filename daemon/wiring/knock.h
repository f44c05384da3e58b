/*
 * wiring/knock: is there an IMAP or submission server behind this door, with
 * a certificate for its name? It is greeted, secured and asked what it can,
 * and left before any login: no credential is at hand here.
 */
#ifndef BELFRY_WIRING_KNOCK_H
#define BELFRY_WIRING_KNOCK_H

#include "daemon/config/presets.h"
#include "daemon/loop/loop.h"
#include "daemon/loop/tls.h"

/* From the name to the answer. */
#define KNOCK_USEC (10 * USEC_SEC)

struct knock;

/* Called once, from the loop; the knock is freed after it. */
typedef void knock_fn(void *ctx, bool is_there, const struct error *error);

/* `tls` must outlive it. */
struct knock *knock_start(struct loop *loop, const struct preset_server *server,
    bool is_smtp, struct tls *tls, knock_fn *fn, void *ctx);
/* NULL-safe. */
void knock_cancel(struct knock **knock);

#endif
