/*
 * splitter: the first law of engines and parsers, as a test.
 *
 * An input must give the same trace however it is cut: whole, in two pieces
 * at every place, byte by byte, and cut at random with empty pieces between.
 * Each piece lies in a block of its own of just its size, so that the
 * sanitizer sees a read behind its end.
 *
 * Random cuts come from a seed that a failure prints. The environment
 * variable SPLIT_SEED replaces the first one; with it the printed cut is
 * played again as the first random run.
 */
#ifndef BELFRY_TESTS_SPLITTER_H
#define BELFRY_TESTS_SPLITTER_H

#include "daemon/base/buf.h"
#include "daemon/base/span.h"

/* Longer inputs are not cut in two at every place, for time's sake. */
#define SPLIT_EVERYWHERE_MAX 2048

/*
 * Plays the chunks, in order, to a fresh parser or engine and appends to
 * `trace` whatever came out (events, output, the error), best one line each.
 * The chunks live until it returns.
 */
typedef void split_play(
    void *ctx, const struct span *chunks, size_t count, struct buf *trace);

/*
 * Compares all traces with that of the whole input. False after the first
 * that differs; then name, cut, seed and the first differing line stand on
 * standard error.
 */
bool split_run(const char *name, struct span input, unsigned random_runs,
    split_play *play, void *ctx);

#endif
