/*
 * desktop/service: the notification service: whether it is there, and what it
 * is asked for.
 *
 * Runs in a thread of its own, since libnotify blocks: the caller's thread
 * goes on reading. The answers go straight to standard output. The service is
 *
 *   NO_BUS      there is no session bus; looked for every few seconds
 *   NO_SERVICE  nobody shows notifications on it, or does not answer; asked
 *               again when the name appears, and now and then
 *   CROWDED     it has been shown too many at once, and wants a pause
 *   READY       the last question was answered
 *
 * `ready` and `unavailable` are said when that changes, and `unavailable`
 * also for every request that comes while it is not READY; with `keeps` as long
 * as nothing says that what was shown has gone.
 */
#ifndef BELFRY_NOTIFIERS_DESKTOP_SERVICE_H
#define BELFRY_NOTIFIERS_DESKTOP_SERVICE_H

#include "notifiers/notifier.h"

/* Requests that wait for the thread; more are refused. */
#define SERVICE_REQUESTS_MAX 64
/* A service that takes longer is called unavailable, until it answers. */
#define SERVICE_STALL_USEC (5 * USEC_SEC)
#define SERVICE_PROBE_TIMEOUT_MSEC 5000
#define SERVICE_BUS_AGAIN_SEC 3
#define SERVICE_CROWDED_SEC 5
/* Asking also starts it, if the bus can: twice as long after each failure. */
#define SERVICE_PROBE_AGAIN_SEC 10
#define SERVICE_PROBE_AGAIN_MAX_SEC 600

struct service;

/* Starts the thread, which ends with the process only. */
struct service *service_start(void);
/* Takes a notify or close, and what the line holds. */
void service_take(struct service *service, struct notifier_line *line);
/* To be called once a second: says so when the service stalls. */
void service_check(struct service *service);

#endif
