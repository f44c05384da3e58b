#include "daemon/loop/pipes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PIPE_READ_SIZE (16 * 1024)

bool
pipe_open(int fds_r[2], int ours, struct error *error_r)
{
	if (pipe2(fds_r, O_CLOEXEC) != 0) {
		fds_r[0] = fds_r[1] = -1;
		return error_set(
		    error_r, FAULT_RETRY, "pipe: %s", strerror(errno));
	}
	fcntl(fds_r[ours], F_SETFL, O_NONBLOCK);
	return true;
}

void
pipe_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static enum pipe_result
failed(void)
{
	return errno == EAGAIN || errno == EINTR ? PIPE_WAIT : PIPE_END;
}

enum pipe_result
pipe_read(int fd, struct buf *buf, size_t max)
{
	char data[PIPE_READ_SIZE];
	ssize_t got = read(fd, data, sizeof(data));
	size_t room = max > buf->len ? max - buf->len : 0;

	if (got > 0) {
		size_t len = (size_t)got;

		buf_add(buf, data, len < room ? len : room);
		explicit_bzero(data, len); /* it may be a password */
		return PIPE_MORE;
	}
	return got == 0 ? PIPE_END : failed();
}

enum pipe_result
pipe_write(int fd, struct buf *queue)
{
	ssize_t put;

	if (queue->len == 0)
		return PIPE_MORE;
	put = write(fd, queue->data, queue->len);
	if (put < 0)
		return failed();
	buf_consume(queue, (size_t)put);
	return PIPE_MORE;
}
