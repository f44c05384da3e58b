/*
 * imap-trace: what the response lexer gives, as text to compare.
 *
 * A line for each response:
 *
 *   + text
 *   a1 NO [LIMIT 5] text
 *   * OK [PERMANENTFLAGS (\Seen \*)] text
 *   * 12 FETCH (UID 5 BODY[] "Hello\x0d\x0a" X NIL)
 *
 * Strings stand in quotes, however they came; bytes that cannot be printed are
 * written \xNN, as are quotes and backslashes in strings. Missing codes and
 * texts are left out. At the end follow lines for what else there is:
 *
 *   skipped 2
 *   rest
 *   limit: literal of 9 bytes, more than the limit of 8
 */
#ifndef BELFRY_TESTS_IMAP_TRACE_H
#define BELFRY_TESTS_IMAP_TRACE_H

#include "daemon/base/buf.h"
#include "daemon/wire/imap/response.h"

void imap_trace_response(
    struct buf *trace, const struct imap_response *response);
/* A split_play (tests/lib/splitter.h): a new lexer over all chunks. `ctx` is
 * NULL or a size_t, the limit for literals. */
void imap_trace_play(
    void *ctx, const struct span *chunks, size_t count, struct buf *trace);

#endif
