/*
 * wiring/errand: one command, run to its end while everything else waits: for
 * belfryctl. No shell; see loop/child.h.
 */
#ifndef BELFRY_WIRING_ERRAND_H
#define BELFRY_WIRING_ERRAND_H

#include "daemon/base/buf.h"
#include "daemon/base/error.h"
#include "daemon/base/strv.h"
#include "daemon/base/usec.h"

/* Its standard output into `output_r` (may be NULL; wipe it where it is a
 * secret). False: it could not be run, took too long, or ended with another
 * status than 0; the error has what it complained about. */
bool errand_run(const struct strv *argv, struct span input, usec_t limit,
    struct buf *output_r, struct error *error_r);

#endif
