/*
 * desktop/service: the notification service.
 *
 * Traps that this avoids, each seen with libnotify 0.8.1 and GLib 2.74:
 *
 * - GDBus ends the process with SIGTERM when the session bus goes. The
 *   connection is therefore ours, with exit-on-close off, and held for as long
 *   as libnotify uses it: without a reference a new one would be made, with
 *   exit-on-close on.
 * - After the bus is back, libnotify says "The connection is closed" for ever
 *   unless every notification and the connection were released before
 *   notify_uninit.
 * - Looking for a bus where there is none may start one (dbus-x11), which
 *   nobody else would use: only an address that is there is used.
 * - Signals are lost unless the thread's context was pushed before the first
 *   call.
 */
#include "notifiers/desktop/service.h"

#include <libnotify/notify.h>
#include <string.h>

#include "daemon/base/xalloc.h"
#include "notifiers/desktop/lines.h"
#include "notifiers/desktop/popups.h"

#define APP_NAME "Belfry"
#define NAME "org.freedesktop.Notifications"
#define PATH "/org/freedesktop/Notifications"

enum state {
	NO_BUS,
	NO_SERVICE,
	CROWDED,
	READY
};

struct service {
	/* Of both threads, under the mutex. */
	GMutex mutex;
	unsigned requests;
	gint64 busy_since; /* the thread is inside a call that blocks; or 0 */
	bool is_stalled;   /* `unavailable` was said because of that */
	/* Of the thread alone. */
	GMainContext *context;
	enum state state;
	GDBusConnection *bus;
	guint watch;
	bool can_start;		/* the bus can start the service */
	GCancellable *question; /* of the last probe */
	bool is_told_away;	/* `unavailable` was the last that was said, */
	bool is_told_kept;	/* and that what was shown stays */
	bool keeps;		/* what was shown may be there still */
	GSource *timer;
	unsigned probe_again; /* seconds */
	unsigned singles;     /* that it shows well; 0: many */
	struct popups *popups;
};

struct request {
	struct service *service;
	struct notifier_line line;
};

static gboolean on_timer(void *data);
static void probe(struct service *service);

static void
tell_unavailable(bool keeps, const char *reason)
{
	struct notifier_line line = {
	    .verb = NOTIFIER_UNAVAILABLE, .keeps = keeps};

	line.reason = xstrdup(reason);
	lines_say(&line);
	notifier_line_done(&line);
}

static void
tell_ready(const struct service *service, const char *capabilities)
{
	struct notifier_line line = {.verb = NOTIFIER_READY};

	line.capabilities = xstrdup(capabilities);
	line.place = popups_places(service->popups);
	line.singles = service->singles;
	lines_say(&line);
	notifier_line_done(&line);
}

/* ---- Calls that block ---- */

static void
begin_call(struct service *service)
{
	g_mutex_lock(&service->mutex);
	service->busy_since = g_get_monotonic_time();
	g_mutex_unlock(&service->mutex);
}

/* False: the daemon was told in the meantime that the service is away. */
static bool
end_call(struct service *service)
{
	bool was_stalled;

	g_mutex_lock(&service->mutex);
	was_stalled = service->is_stalled;
	service->busy_since = 0;
	service->is_stalled = false;
	g_mutex_unlock(&service->mutex);
	return !was_stalled;
}

void
service_check(struct service *service)
{
	g_mutex_lock(&service->mutex);
	if (service->busy_since != 0 && !service->is_stalled &&
	    g_get_monotonic_time() - service->busy_since >
		(gint64)SERVICE_STALL_USEC) {
		service->is_stalled = true;
		tell_unavailable(
		    true, "the notification service does not answer");
	}
	g_mutex_unlock(&service->mutex);
}

/* ---- The state ---- */

static void
set_timer(struct service *service, unsigned seconds)
{
	if (service->timer != NULL) {
		g_source_destroy(service->timer);
		g_source_unref(service->timer);
		service->timer = NULL;
	}
	if (seconds == 0)
		return;
	service->timer = g_timeout_source_new_seconds(seconds);
	g_source_set_callback(service->timer, on_timer, service, NULL);
	g_source_attach(service->timer, service->context);
}

static void
enter_no_bus(struct service *service)
{
	service->keeps = false;
	set_timer(service, SERVICE_BUS_AGAIN_SEC);
}

static void
enter_no_service(struct service *service)
{
	popups_forget(service->popups);
	service->keeps = false;
	set_timer(service, service->probe_again);
	service->probe_again *= 2;
	if (service->probe_again > SERVICE_PROBE_AGAIN_MAX_SEC)
		service->probe_again = SERVICE_PROBE_AGAIN_MAX_SEC;
}

static void
enter_crowded(struct service *service)
{
	service->keeps = true;
	set_timer(service, SERVICE_CROWDED_SEC);
}

static void
enter_ready(struct service *service)
{
	service->keeps = true;
	service->probe_again = SERVICE_PROBE_AGAIN_SEC;
	set_timer(service, 0);
}

static void (*const enters[])(struct service *) = {
    [NO_BUS] = enter_no_bus,
    [NO_SERVICE] = enter_no_service,
    [CROWDED] = enter_crowded,
    [READY] = enter_ready,
};

/* The one place that assigns the state, and says it: the capabilities, or why
 * it is not READY. */
static void
enter(struct service *service, enum state state, const char *text)
{
	bool was_told = service->is_told_away;

	service->state = state;
	service->is_told_away = state != READY;
	enters[state](service);
	if (state == READY)
		tell_ready(service, text);
	else if (!was_told || (service->is_told_kept && !service->keeps))
		tell_unavailable(service->keeps, text);
	service->is_told_kept = service->is_told_away && service->keeps;
}

/* The daemon was told by service_check. It asks again for what it thinks was
 * lost; the same id then replaces what is shown by now. */
static void
recover(struct service *service)
{
	service->state = NO_SERVICE;
	service->is_told_away = service->is_told_kept = true;
	probe(service);
}

/* ---- The service's name ---- */

/* One that the bus has started for our call answers before its name appears
 * here. */
static void
learn_owner(struct service *service)
{
	g_autoptr(GVariant) reply = NULL;
	const char *owner;

	if (popups_have_service(service->popups))
		return;
	reply =
	    g_dbus_connection_call_sync(service->bus, "org.freedesktop.DBus",
		"/org/freedesktop/DBus", "org.freedesktop.DBus", "GetNameOwner",
		g_variant_new("(s)", NAME), G_VARIANT_TYPE("(s)"),
		G_DBUS_CALL_FLAGS_NONE, SERVICE_PROBE_TIMEOUT_MSEC, NULL, NULL);
	if (reply == NULL)
		return;
	g_variant_get(reply, "(&s)", &owner);
	popups_set_service(
	    service->popups, g_dbus_connection_get_guid(service->bus), owner);
}

/* GNOME Shell keeps three notifications of a program, and shows one that was
 * replaced without its buttons (seen with 43). */
#define GNOME "gnome-shell"
#define GNOME_SINGLES 2 /* and a summary */

static bool
is_gnome(const struct service *service)
{
	g_autoptr(GVariant) reply = g_dbus_connection_call_sync(service->bus,
	    NAME, PATH, NAME, "GetServerInformation", NULL,
	    G_VARIANT_TYPE("(ssss)"), G_DBUS_CALL_FLAGS_NO_AUTO_START,
	    SERVICE_PROBE_TIMEOUT_MSEC, NULL, NULL);
	const char *name;

	if (reply == NULL)
		return false;
	g_variant_get(reply, "(&s&s&s&s)", &name, NULL, NULL, NULL);
	return g_ascii_strcasecmp(name, GNOME) == 0;
}

static void
take_capabilities(struct service *service, GVariant *reply)
{
	g_autofree const char **names = NULL;
	g_autofree char *joined = NULL;
	struct popups_can can = {0};

	g_variant_get(reply, "(^a&s)", &names);
	joined = g_strjoinv(",", (char **)(uintptr_t)names);
	can.body = g_strv_contains(names, "body");
	can.markup = g_strv_contains(names, "body-markup");
	can.actions = g_strv_contains(names, "actions");
	can.loses_buttons = is_gnome(service);
	service->singles = can.loses_buttons ? GNOME_SINGLES : 0;
	popups_set_can(service->popups, can);
	learn_owner(service);
	enter(service, READY, joined);
}

static void
on_capabilities(GObject *source, GAsyncResult *result, void *data)
{
	struct service *service = data;
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply = g_dbus_connection_call_finish(
	    G_DBUS_CONNECTION(source), result, &error);

	if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
		return;
	if (reply != NULL) {
		take_capabilities(service, reply);
		return;
	}
	if (g_error_matches(
		error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN)) {
		enter(service, NO_SERVICE, "there is no notification service");
		return;
	}
	g_dbus_error_strip_remote_error(error);
	enter(service, NO_SERVICE, error->message);
}

static void
forget_question(struct service *service)
{
	if (service->question != NULL)
		g_cancellable_cancel(service->question);
	g_clear_object(&service->question);
}

/* Asks what it can do, which starts it if the bus knows how. */
static void
probe(struct service *service)
{
	forget_question(service);
	service->question = g_cancellable_new();
	g_dbus_connection_call(service->bus, NAME, PATH, NAME,
	    "GetCapabilities", NULL, G_VARIANT_TYPE("(as)"),
	    G_DBUS_CALL_FLAGS_NONE, SERVICE_PROBE_TIMEOUT_MSEC,
	    service->question, on_capabilities, service);
}

static void
on_name_appeared(
    GDBusConnection *bus, const char *name, const char *owner, void *data)
{
	struct service *service = data;

	(void)name;
	popups_set_service(
	    service->popups, g_dbus_connection_get_guid(bus), owner);
	/* Another one may be able to do other things. */
	service->probe_again = SERVICE_PROBE_AGAIN_SEC;
	probe(service);
}

/* A service that the bus starts on demand may end whenever it is idle; when it
 * had something to show it has not ended for that. */
static void
on_name_vanished(GDBusConnection *bus, const char *name, void *data)
{
	struct service *service = data;

	(void)name;
	popups_set_service(service->popups, NULL, NULL);
	if (bus == NULL || service->state != READY)
		return;
	if (service->can_start && !popups_are_shown(service->popups)) {
		popups_forget(service->popups); /* its numbers begin anew */
		return;
	}
	enter(service, NO_SERVICE, "the notification service has gone");
	if (service->can_start)
		probe(service);
}

static void
on_startable(GObject *source, GAsyncResult *result, void *data)
{
	struct service *service = data;
	g_autofree const char **names = NULL;
	g_autoptr(GVariant) reply = g_dbus_connection_call_finish(
	    G_DBUS_CONNECTION(source), result, NULL);

	if (reply == NULL)
		return;
	g_variant_get(reply, "(^a&s)", &names);
	service->can_start = g_strv_contains(names, NAME);
}

/* ---- The bus ---- */

static bool
is_bus_there(void)
{
	const char *address = g_getenv("DBUS_SESSION_BUS_ADDRESS");
	g_autofree char *path = NULL;

	if (address != NULL && address[0] != '\0')
		return true;
	path = g_build_filename(g_get_user_runtime_dir(), "bus", NULL);
	return g_file_test(path, G_FILE_TEST_EXISTS);
}

static void
release_bus(struct service *service)
{
	forget_question(service);
	g_bus_unwatch_name(service->watch);
	service->watch = 0;
	popups_forget(service->popups);
	popups_set_service(service->popups, NULL, NULL);
	notify_uninit();
	g_clear_object(&service->bus);
}

/* From the loop, not from inside the connection's signal. */
static gboolean
on_bus_lost(void *data)
{
	struct service *service = data;

	if (service->bus != NULL && g_dbus_connection_is_closed(service->bus)) {
		release_bus(service);
		enter(service, NO_BUS, "the session bus has gone");
	}
	return G_SOURCE_REMOVE;
}

static void
on_bus_closed(GDBusConnection *bus, gboolean by_peer, GError *error, void *data)
{
	struct service *service = data;
	GSource *source = g_idle_source_new();

	(void)bus;
	(void)by_peer;
	(void)error;
	g_source_set_callback(source, on_bus_lost, service, NULL);
	g_source_attach(source, service->context);
	g_source_unref(source);
}

static void
use_bus(struct service *service)
{
	g_dbus_connection_set_exit_on_close(service->bus, FALSE);
	g_signal_connect(
	    service->bus, "closed", G_CALLBACK(on_bus_closed), service);
	service->can_start = false;
	service->probe_again = SERVICE_PROBE_AGAIN_SEC;
	notify_init(APP_NAME);
	g_dbus_connection_call(service->bus, "org.freedesktop.DBus",
	    "/org/freedesktop/DBus", "org.freedesktop.DBus",
	    "ListActivatableNames", NULL, G_VARIANT_TYPE("(as)"),
	    G_DBUS_CALL_FLAGS_NONE, SERVICE_PROBE_TIMEOUT_MSEC, NULL,
	    on_startable, service);
	service->state = NO_SERVICE; /* not said before it has answered */
	service->watch = g_bus_watch_name_on_connection(service->bus, NAME,
	    G_BUS_NAME_WATCHER_FLAGS_NONE, on_name_appeared, on_name_vanished,
	    service, NULL);
	probe(service);
}

static void
look_for_bus(struct service *service)
{
	g_autoptr(GError) error = NULL;

	if (!is_bus_there()) {
		enter(service, NO_BUS, "there is no session bus");
		return;
	}
	begin_call(service);
	service->bus = g_bus_get_sync(G_BUS_TYPE_SESSION, NULL, &error);
	end_call(service);
	if (service->bus == NULL) {
		enter(service, NO_BUS, error->message);
		return;
	}
	use_bus(service);
}

static gboolean
on_timer(void *data)
{
	struct service *service = data;

	set_timer(service, 0);
	if (service->state == NO_BUS)
		look_for_bus(service);
	else
		probe(service);
	return G_SOURCE_REMOVE;
}

/* ---- Requests ---- */

static void
tell_shown(struct service *service, uint64_t id)
{
	struct notifier_line line = {.verb = NOTIFIER_SHOWN};

	line.n.id = id;
	learn_owner(service);
	line.place = popups_place(service->popups, id);
	lines_say(&line);
	notifier_line_done(&line);
}

static void
show(struct service *service, const struct notification *n)
{
	STR_AUTO reason = NULL;
	enum popup_result result;

	begin_call(service);
	result = popups_show(service->popups, n, &reason);
	if (!end_call(service)) {
		recover(service);
		return;
	}
	if (result == POPUP_AWAY)
		enter(service, NO_SERVICE, reason);
	else if (result == POPUP_CROWDED)
		enter(service, CROWDED, reason);
	else if (result == POPUP_SHOWN)
		tell_shown(service, n->id);
	else
		lines_tell(NOTIFIER_FAILED, n->id, reason);
}

static void
close_one(struct service *service, const struct notifier_line *line)
{
	begin_call(service);
	popups_close(service->popups, line->n.id, line->place);
	if (!end_call(service))
		recover(service);
}

static void
do_request(struct service *service, const struct notifier_line *line)
{
	if (line->verb == NOTIFIER_CLOSE) {
		close_one(service, line);
		return;
	}
	if (service->state == READY)
		show(service, &line->n);
	else
		tell_unavailable(
		    service->keeps, "the notification service is not there");
}

static gboolean
on_request(void *data)
{
	struct request *request = data;

	g_mutex_lock(&request->service->mutex);
	request->service->requests--;
	g_mutex_unlock(&request->service->mutex);
	do_request(request->service, &request->line);
	return G_SOURCE_REMOVE;
}

static void
free_request(void *data)
{
	struct request *request = data;

	notifier_line_done(&request->line);
	free(request);
}

static bool
has_room(struct service *service)
{
	bool is_room;

	g_mutex_lock(&service->mutex);
	is_room = service->requests < SERVICE_REQUESTS_MAX;
	if (is_room)
		service->requests++;
	g_mutex_unlock(&service->mutex);
	return is_room;
}

void
service_take(struct service *service, struct notifier_line *line)
{
	struct request *request;

	if (!has_room(service)) {
		if (line->verb == NOTIFIER_NOTIFY)
			lines_tell(NOTIFIER_FAILED, line->n.id,
			    "too many requests at once");
		notifier_line_done(line);
		return;
	}
	request = NEW(struct request);
	request->service = service;
	request->line = *line;
	*line = (struct notifier_line){0};
	g_main_context_invoke_full(service->context, G_PRIORITY_DEFAULT,
	    on_request, request, free_request);
}

/* ---- The thread ---- */

static void *
run(void *data)
{
	struct service *service = data;
	GMainLoop *loop = g_main_loop_new(service->context, FALSE);

	g_main_context_push_thread_default(service->context);
	look_for_bus(service);
	g_main_loop_run(loop);
	return NULL;
}

struct service *
service_start(void)
{
	struct service *service = NEW(struct service);

	g_mutex_init(&service->mutex);
	service->context = g_main_context_new();
	service->popups = popups_new();
	g_thread_unref(g_thread_new("service", run, service));
	return service;
}
