/*
 * loop/journald: one entry for systemd's journal, by its native protocol
 * (systemd.journal-fields(7)): one datagram to its socket, of fields
 *
 *   NAME=value LF
 *   NAME LF length (64 bits, little-endian) value LF    ; value with LF in it
 *
 * and, where there is no journal, for syslog: "<priority>belfry: text" to its
 * socket. Nothing waits: what cannot be sent at once is not sent.
 */
#ifndef BELFRY_LOOP_JOURNALD_H
#define BELFRY_LOOP_JOURNALD_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/base/error.h"

#define JOURNALD_SOCKET "/run/systemd/journal/socket"
#define SYSLOG_SOCKET "/dev/log"

struct journald_field {
	const char *name;  /* [A-Z][A-Z0-9_]* */
	const char *value; /* NULL, "": the field is left out */
};

/* `path` NULL: JOURNALD_SOCKET. */
bool journald_send(const char *path, const struct journald_field *fields,
    size_t count, struct error *error_r);
/* `path` NULL: SYSLOG_SOCKET. `priority`: facility * 8 + severity. */
bool syslog_send(
    const char *path, int priority, const char *text, struct error *error_r);

#endif
