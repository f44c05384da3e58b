/*
 * forward-check: whether a composed forward is what it must be, whatever the
 * original held. Used by the unit test and the fuzz target.
 */
#ifndef BELFRY_TESTS_FORWARD_CHECK_H
#define BELFRY_TESTS_FORWARD_CHECK_H

#include "daemon/base/buf.h"
#include "daemon/base/span.h"

/* The header of the new message holds the wanted fields once each, no others,
 * in lines of visible ASCII; it has two parts, of which the second is the
 * original. NULL, or what is wrong. */
const char *forward_check(
    struct span composed, struct span original, bool eightbit_ok);
/* The header alone; the boundary, and what is behind the header. */
const char *forward_check_header(
    struct span composed, struct span *boundary_r, struct span *body_r);
/* As an inline forward: the header, lines of ASCII within limits, parts that
 * all end. */
const char *forward_check_inline(struct span composed);

#endif
