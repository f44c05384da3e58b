/*
 * loop/sd_notify: tells systemd how the daemon is: the protocol documented in
 * sd_notify(3), over the datagram socket named by $NOTIFY_SOCKET. Without
 * that variable every call does nothing. Never blocks.
 */
#ifndef BELFRY_LOOP_SD_NOTIFY_H
#define BELFRY_LOOP_SD_NOTIFY_H

#include "daemon/base/usec.h"

void sd_notify_ready(void);
/* One line for `systemctl status`. */
void sd_notify_status(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
/* A reload begins; sd_notify_ready ends it. */
void sd_notify_reloading(void);
void sd_notify_stopping(void);
void sd_notify_watchdog(void);
/* How often sd_notify_watchdog is to be called (half of what systemd waits);
 * USEC_NEVER: not wanted. */
usec_t sd_notify_watchdog_interval(void);

#endif
