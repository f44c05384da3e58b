/*
 * loop/pipes: our end of a child's pipes.
 */
#ifndef BELFRY_LOOP_PIPES_H
#define BELFRY_LOOP_PIPES_H

#include "daemon/base/buf.h"
#include "daemon/base/error.h"

enum pipe_result {
	PIPE_MORE,
	PIPE_WAIT,
	PIPE_END
};

/* A pipe, close-on-exec, its end `ours` (0 or 1) non-blocking. FAULT_RETRY
 * when there are no more descriptors; then both are -1. */
bool pipe_open(int fds_r[2], int ours, struct error *error_r);
/* Closes and sets to -1; harmless on -1. */
void pipe_close(int *fd);
/* Reads once, appends what fits under `max` and drops the rest. */
enum pipe_result pipe_read(int fd, struct buf *buf, size_t max);
/* Writes once from the front of `queue` and consumes it. PIPE_END: nobody
 * reads any more. PIPE_MORE also when the queue is empty. */
enum pipe_result pipe_write(int fd, struct buf *queue);

#endif
