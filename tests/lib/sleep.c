/*
 * A machine that sleeps, for one process: loaded before it (LD_PRELOAD), it
 * makes the clocks that count sleep jump as the kernel does.
 *
 * BELFRY_SLEEP is a folder. In its file `slept`, eight bytes, is how many
 * nanoseconds the machine has slept; a byte written to its FIFO `wake` is what
 * the kernel does at a resume: it cancels the timers on the wall clock that
 * want that (TFD_TIMER_CANCEL_ON_SET), and runs those of CLOCK_BOOTTIME that
 * are due. CLOCK_MONOTONIC does not notice. In tests/live/storm.py, compiled
 * there.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NSEC 1000000000LL

static volatile int64_t *slept; /* nanoseconds; NULL: never */
static int wall_fd = -1, boot_fd = -1;
static struct itimerspec armed; /* boot_fd, as it was wanted */

static int
open_in_folder(const char *name, int how)
{
	char path[4096];
	const char *folder = getenv("BELFRY_SLEEP");

	if (folder == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return open(path, how | O_CLOEXEC);
}

__attribute__((constructor)) static void
begin(void)
{
	int fd = open_in_folder("slept", O_RDONLY);

	if (fd < 0)
		return;
	void *map = mmap(NULL, sizeof(*slept), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (map != MAP_FAILED)
		slept = map;
}

static void
add(struct timespec *time, int64_t nsec)
{
	int64_t sum = time->tv_sec * NSEC + time->tv_nsec + nsec;

	time->tv_sec = sum / NSEC;
	time->tv_nsec = sum % NSEC;
}

int
clock_gettime(clockid_t id, struct timespec *now_r)
{
	if (syscall(SYS_clock_gettime, id, now_r) != 0)
		return -1;
	if (slept != NULL && (id == CLOCK_BOOTTIME || id == CLOCK_REALTIME))
		add(now_r, *slept);
	return 0;
}

time_t
time(time_t *now_r)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now_r != NULL)
		*now_r = now.tv_sec;
	return now.tv_sec;
}

int
timerfd_create(int id, int flags)
{
	if (id == CLOCK_REALTIME && slept != NULL) {
		wall_fd = open_in_folder("wake", O_RDWR | O_NONBLOCK);
		return wall_fd;
	}
	int fd = (int)syscall(SYS_timerfd_create, id, flags);
	if (id == CLOCK_BOOTTIME)
		boot_fd = fd;
	return fd;
}

/* Only absolute times: the daemon sets no others. */
int
timerfd_settime(int fd, int flags, const struct itimerspec *new,
    struct itimerspec *old_r)
{
	struct itimerspec real = *new;

	if (fd == wall_fd && fd >= 0)
		return 0;
	if (fd == boot_fd && slept != NULL) {
		armed = *new;
		if (real.it_value.tv_sec != 0 || real.it_value.tv_nsec != 0)
			add(&real.it_value, -*slept);
		if (real.it_value.tv_sec < 0)
			real.it_value = (struct timespec){0, 1};
	}
	return (int)syscall(SYS_timerfd_settime, fd, flags, &real, old_r);
}

static ssize_t
wake(void *bytes, size_t size)
{
	if (syscall(SYS_read, wall_fd, bytes, size) <= 0)
		return -1;
	timerfd_settime(boot_fd, TFD_TIMER_ABSTIME, &armed, NULL);
	errno = ECANCELED;
	return -1;
}

ssize_t
read(int fd, void *bytes, size_t size)
{
	if (fd == wall_fd && fd >= 0)
		return wake(bytes, size);
	return syscall(SYS_read, fd, bytes, size);
}

ssize_t __read_chk(int fd, void *bytes, size_t size, size_t room);

ssize_t
__read_chk(int fd, void *bytes, size_t size, size_t room)
{
	return read(fd, bytes, size < room ? size : room);
}
