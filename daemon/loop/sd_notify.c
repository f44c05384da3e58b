#include "daemon/loop/sd_notify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "daemon/base/str.h"

#define STATUS_CHARS_MAX 200

static void
notify(struct span state)
{
	union {
		struct sockaddr any;
		struct sockaddr_un un;
	} address;
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path == NULL ? 0 : strlen(path);
	int fd;

	if (len < 2 || len >= sizeof(address.un.sun_path) ||
	    (path[0] != '/' && path[0] != '@'))
		return;
	memset(&address, 0, sizeof(address));
	address.un.sun_family = AF_UNIX;
	memcpy(address.un.sun_path, path, len);
	if (path[0] == '@') /* Linux' abstract names begin with NUL */
		address.un.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	/* Whoever listens may be gone: then nobody wants to know. */
	if (sendto(fd, state.data, state.len, MSG_NOSIGNAL, &address.any,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		errno = 0;
	close(fd);
}

void
sd_notify_ready(void)
{
	notify(SPAN("READY=1"));
}

void
sd_notify_status(const char *format, ...)
{
	BUF_AUTO text = BUF_INIT;
	BUF_AUTO state = BUF_INIT;
	va_list args;

	va_start(args, format);
	buf_vaddf(&text, format, args);
	va_end(args);
	buf_add_str(&state, "STATUS=");
	str_sanitize(&state, buf_span(&text), STATUS_CHARS_MAX);
	notify(buf_span(&state));
}

/* Type=notify-reload wants the time by CLOCK_MONOTONIC. */
void
sd_notify_reloading(void)
{
	BUF_AUTO state = BUF_INIT;
	struct timespec now = {0, 0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	buf_addf(&state, "RELOADING=1\nMONOTONIC_USEC=%llu",
	    (unsigned long long)now.tv_sec * 1000000 +
		(unsigned long long)now.tv_nsec / 1000);
	notify(buf_span(&state));
}

void
sd_notify_stopping(void)
{
	notify(SPAN("STOPPING=1"));
}

void
sd_notify_watchdog(void)
{
	notify(SPAN("WATCHDOG=1"));
}

usec_t
sd_notify_watchdog_interval(void)
{
	struct span usec = span_from_str(getenv("WATCHDOG_USEC"));
	struct span pid = span_from_str(getenv("WATCHDOG_PID"));
	uint64_t value;

	if (pid.len > 0 &&
	    (!span_to_u64(pid, &value) || value != (uint64_t)getpid()))
		return USEC_NEVER;
	if (!span_to_u64(usec, &value) || value < 2)
		return USEC_NEVER;
	return value / 2;
}
