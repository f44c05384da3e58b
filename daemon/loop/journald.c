#include "daemon/loop/journald.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/base/buf.h"

static void
add_length(struct buf *buf, uint64_t length)
{
	for (unsigned i = 0; i < 8; i++)
		buf_add_char(buf, (char)(length >> (8 * i) & 0xff));
}

static void
add_field(struct buf *buf, const char *name, const char *value)
{
	if (value == NULL || *value == '\0')
		return;
	buf_add_str(buf, name);
	if (strchr(value, '\n') != NULL) {
		buf_add_char(buf, '\n');
		add_length(buf, strlen(value));
	} else {
		buf_add_char(buf, '=');
	}
	buf_add_str(buf, value);
	buf_add_char(buf, '\n');
}

static bool
send_datagram(const char *path, struct span bytes, struct error *error_r)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;
	bool ok;

	if (strlen(path) >= sizeof(address.sun_path))
		return error_set(
		    error_r, FAULT_CONFIG, "the path %s is too long", path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set(
		    error_r, FAULT_LOCAL, "socket: %s", strerror(errno));
	ok = sendto(fd, bytes.data, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL,
		 (const struct sockaddr *)&address, sizeof(address)) >= 0;
	if (!ok)
		error_set(
		    error_r, FAULT_RETRY, "%s: %s", path, strerror(errno));
	close(fd);
	return ok;
}

bool
journald_send(const char *path, const struct journald_field *fields,
    size_t count, struct error *error_r)
{
	BUF_AUTO entry = BUF_INIT;

	for (size_t i = 0; i < count; i++)
		add_field(&entry, fields[i].name, fields[i].value);
	return send_datagram(
	    path != NULL ? path : JOURNALD_SOCKET, buf_span(&entry), error_r);
}

bool
syslog_send(
    const char *path, int priority, const char *text, struct error *error_r)
{
	BUF_AUTO line = BUF_INIT;

	buf_addf(&line, "<%d>belfry: %s", priority, text);
	return send_datagram(
	    path != NULL ? path : SYSLOG_SOCKET, buf_span(&line), error_r);
}
