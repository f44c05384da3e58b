/*
 * stamp FIFO: the command that the benches have started: writes the monotonic
 * time at which it began to run, in nanoseconds, as one line.
 */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	struct timespec now;
	char line[32];

	clock_gettime(CLOCK_MONOTONIC, &now);
	int fd = argc == 2 ? open(argv[1], O_WRONLY) : -1;
	int len = snprintf(line, sizeof(line), "%lld\n",
	    now.tv_sec * 1000000000LL + now.tv_nsec);
	return fd >= 0 && write(fd, line, (size_t)len) == len ? 0 : 1;
}
