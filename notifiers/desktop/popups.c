/*
 * desktop/popups: what libnotify shows for us.
 */
#include "notifiers/desktop/popups.h"

#include <libnotify/notify.h>
#include <sys/stat.h>

#include "daemon/base/list.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "notifiers/desktop/lines.h"

#define DESKTOP_ENTRY "belfry"
#define CATEGORY "email.arrived"
#define TITLE_FALLBACK "Belfry"
#define ERROR_EXCESS                                                           \
	"org.freedesktop.Notifications.Error.ExcessNotificationGeneration"

struct popup {
	struct list_link link;
	struct popups *popups;
	uint64_t id;
	NotifyNotification *notification; /* owned; NULL: it expired */
	unsigned number;		  /* what the service calls it */
};

struct popups {
	struct list_link shown; /* struct popup::link, the oldest first */
	size_t count, expired;
	struct popups_can can;
	char *service; /* begins the places of what it shows; NULL: none */
};

struct popups *
popups_new(void)
{
	struct popups *popups = NEW(struct popups);

	list_init(&popups->shown);
	return popups;
}

static void
release(struct popup *popup)
{
	/* Others may still hold it: nothing of it may reach us any more. */
	g_signal_handlers_disconnect_by_data(popup->notification, popup);
	notify_notification_clear_actions(popup->notification);
	g_clear_object(&popup->notification);
}

static void
forget(struct popup *popup)
{
	popup->popups->count--;
	list_remove(&popup->link);
	if (popup->notification != NULL)
		release(popup);
	else
		popup->popups->expired--;
	free(popup);
}

/* It is gone from the screen, but the service may go on listing it. */
static void
expire(struct popup *popup)
{
	release(popup);
	popup->popups->expired++;
}

void
popups_forget(struct popups *popups)
{
	LIST_EACH(pos, &popups->shown)
	forget(LIST_ITEM(pos, struct popup, link));
}

bool
popups_are_shown(const struct popups *popups)
{
	return popups->count > popups->expired;
}

void
popups_free(struct popups **popups)
{
	if (*popups == NULL)
		return;
	popups_forget(*popups);
	free((*popups)->service);
	free(*popups);
	*popups = NULL;
}

void
popups_set_can(struct popups *popups, struct popups_can can)
{
	popups->can = can;
}

static struct popup *
find(struct popups *popups, uint64_t id)
{
	LIST_EACH(pos, &popups->shown)
	{
		struct popup *popup = LIST_ITEM(pos, struct popup, link);

		if (popup->id == id)
			return popup;
	}
	return NULL;
}

/* ---- What the service says ---- */

#define REASON_EXPIRED 1

static const char *
reason_name(int reason)
{
	/* Desktop Notifications Specification, signal NotificationClosed. */
	static const char *const names[] = {
	    NULL, "expired", "dismissed", "closed"};

	if (reason < 1 || (size_t)reason >= G_N_ELEMENTS(names))
		return "undefined";
	return names[reason];
}

static void
on_closed(NotifyNotification *notification, void *data)
{
	struct popup *popup = data;
	int reason = notify_notification_get_closed_reason(notification);

	lines_tell(NOTIFIER_CLOSED, popup->id, reason_name(reason));
	if (reason == REASON_EXPIRED)
		expire(popup);
	else
		forget(popup);
}

static void
on_action(NotifyNotification *notification, char *key, void *data)
{
	struct popup *popup = data;
	struct notifier_line line = {.verb = NOTIFIER_ACTION};

	line.n.id = popup->id;
	line.key = xstrdup(key);
#if NOTIFY_CHECK_VERSION(0, 7, 10)
	line.token =
	    xstrdup(notify_notification_get_activation_token(notification));
#else
	(void)notification;
#endif
	lines_say(&line);
	notifier_line_done(&line);
}

/* ---- What it is told ---- */

static bool
is_icon_name(const char *icon)
{
	for (const char *c = icon; *c != '\0'; c++)
		if (!char_is_alnum(*c) && strchr("-_.+", *c) == NULL)
			return false;
	return icon[0] != '\0';
}

/* Servers open what they are given: no addresses, no devices. */
static const char *
safe_icon(const char *icon)
{
	struct stat status;

	if (is_icon_name(icon))
		return icon;
	if (icon[0] == '/' && stat(icon, &status) == 0 &&
	    S_ISREG(status.st_mode))
		return icon;
	return NOTIFICATION_ICON;
}

/* A title is never empty (libnotify insists), and never markup. */
static char *
title_of(const struct popups *popups, const struct notification *n)
{
	if (n->title[0] == '\0')
		return g_strdup(n->body[0] != '\0' ? n->body : TITLE_FALLBACK);
	if (popups->can.body || n->body[0] == '\0')
		return g_strdup(n->title);
	return g_strdup_printf("%s: %s", n->title, n->body);
}

static char *
body_of(const struct popups *popups, const struct notification *n)
{
	const char *body = n->title[0] != '\0' ? n->body : "";
	bool is_both = body[0] != '\0' && n->preview[0] != '\0';
	g_autofree char *text =
	    g_strdup_printf("%s%s%s", body, is_both ? "\n" : "", n->preview);

	return popups->can.markup ? g_markup_escape_text(text, -1)
				  : g_strdup(text);
}

static void
set_hints(NotifyNotification *notification, const struct notification *n)
{
	static const NotifyUrgency urgencies[] = {
	    [URGENCY_LOW] = NOTIFY_URGENCY_LOW,
	    [URGENCY_NORMAL] = NOTIFY_URGENCY_NORMAL,
	    [URGENCY_CRITICAL] = NOTIFY_URGENCY_CRITICAL,
	};

	notify_notification_clear_hints(notification);
	notify_notification_set_urgency(notification, urgencies[n->urgency]);
	notify_notification_set_category(notification, CATEGORY);
	notify_notification_set_hint(
	    notification, "desktop-entry", g_variant_new_string(DESKTOP_ENTRY));
	if (n->account[0] != '\0')
		notify_notification_set_hint(notification, "x-kde-origin-name",
		    g_variant_new_string(n->account));
	if (is_icon_name(n->sound))
		notify_notification_set_hint(
		    notification, "sound-name", g_variant_new_string(n->sound));
}

static struct popup *
new_popup(struct popups *popups, const struct notification *n)
{
	struct popup *popup = NEW(struct popup);

	popup->popups = popups;
	popup->id = n->id;
	popup->notification = notify_notification_new(TITLE_FALLBACK, "", "");
	g_signal_connect(
	    popup->notification, "closed", G_CALLBACK(on_closed), popup);
	list_add(&popups->shown, &popup->link);
	popups->count++;
	return popup;
}

/* The oldest; of those that expired, if there are any. */
static struct popup *
least_wanted(struct popups *popups)
{
	LIST_EACH(pos, &popups->shown)
	{
		struct popup *popup = LIST_ITEM(pos, struct popup, link);

		if (popup->notification == NULL)
			return popup;
	}
	return LIST_ITEM(popups->shown.next, struct popup, link);
}

static void
forget_above(struct popups *popups, size_t max)
{
	while (popups->count > max)
		forget(least_wanted(popups));
}

/* In the order in which they are shown. */
static const struct {
	const char *key, *label;
} buttons[] = {
    {NOTIFY_OPEN, "Open"},
    {NOTIFY_COPY, "Copy code"},
    {NOTIFY_READ, "Mark read"},
    {NOTIFY_READ_ALL, "Mark all read"},
    {NOTIFY_ARCHIVE, "Archive"},
    {NOTIFY_TRASH, "Trash"},
};

static void
set_buttons(struct popup *popup, const struct notification *n)
{
	notify_notification_clear_actions(popup->notification);
	if (!popup->popups->can.actions)
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(buttons); i++)
		if (notification_offers(n, buttons[i].key))
			notify_notification_add_action(popup->notification,
			    buttons[i].key, buttons[i].label, on_action, popup,
			    NULL);
}

static void
fill(struct popup *popup, const struct notification *n)
{
	g_autofree char *title = title_of(popup->popups, n);
	g_autofree char *body = body_of(popup->popups, n);

	notify_notification_update(
	    popup->notification, title, body, safe_icon(n->icon));
	set_hints(popup->notification, n);
	set_buttons(popup, n);
}

/* ---- Showing ---- */

/* Errors that say more about the service than about this notification. */
static bool
is_away(const GError *error)
{
	static const int codes[] = {G_DBUS_ERROR_SERVICE_UNKNOWN,
	    G_DBUS_ERROR_NAME_HAS_NO_OWNER, G_DBUS_ERROR_NO_REPLY,
	    G_DBUS_ERROR_TIMEOUT, G_DBUS_ERROR_TIMED_OUT,
	    G_DBUS_ERROR_DISCONNECTED, G_DBUS_ERROR_NO_SERVER,
	    G_DBUS_ERROR_SPAWN_EXEC_FAILED, G_DBUS_ERROR_SPAWN_FORK_FAILED,
	    G_DBUS_ERROR_SPAWN_CHILD_EXITED, G_DBUS_ERROR_SPAWN_CHILD_SIGNALED,
	    G_DBUS_ERROR_SPAWN_FAILED, G_DBUS_ERROR_SPAWN_SETUP_FAILED,
	    G_DBUS_ERROR_SPAWN_SERVICE_INVALID,
	    G_DBUS_ERROR_SPAWN_SERVICE_NOT_FOUND};

	if (error->domain == G_IO_ERROR)
		return error->code != G_IO_ERROR_DBUS_ERROR;
	if (error->domain != G_DBUS_ERROR)
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(codes); i++)
		if (error->code == codes[i])
			return true;
	return false;
}

/* Plasma's answer to many of them in a second. */
static bool
is_crowded(const GError *error)
{
	g_autofree char *name = g_dbus_error_get_remote_error(error);

	return g_strcmp0(name, ERROR_EXCESS) == 0;
}

/* A service that drops the buttons of what is replaced gets it as a new one,
 * which the specification leaves open: replaces_id is 0. Nobody is told of the
 * old one's end. */
static struct popup *
take_off(struct popup *popup)
{
	NotifyNotification *old = popup->notification;

	g_signal_handlers_disconnect_by_data(old, popup);
	notify_notification_close(old, NULL);
	forget(popup);
	return NULL;
}

enum popup_result
popups_show(
    struct popups *popups, const struct notification *n, char **reason_r)
{
	struct popup *popup = find(popups, n->id);
	g_autoptr(GError) error = NULL;

	if (popup != NULL && popup->notification == NULL) {
		forget(popup);
		popup = NULL;
	}
	if (popup != NULL && popups->can.loses_buttons && n->actions[0] != '\0')
		popup = take_off(popup);
	if (popup == NULL)
		popup = new_popup(popups, n);
	fill(popup, n);
	if (notify_notification_show(popup->notification, &error)) {
		g_object_get(popup->notification, "id", &popup->number, NULL);
		forget_above(popups, POPUPS_MAX);
		return POPUP_SHOWN;
	}
	forget(popup);
	if (error == NULL) {
		*reason_r = xstrdup("the notification service refused it");
		return POPUP_REFUSED;
	}
	if (is_crowded(error)) {
		*reason_r = xstrdup("it is shown too many at once");
		return POPUP_CROWDED;
	}
	g_dbus_error_strip_remote_error(error);
	*reason_r = xstrdup(error->message);
	return is_away(error) ? POPUP_AWAY : POPUP_REFUSED;
}

/* libnotify does not know it. The connection is that of service.c. */
static void
close_number(unsigned number)
{
	g_autoptr(GDBusConnection) bus =
	    g_bus_get_sync(G_BUS_TYPE_SESSION, NULL, NULL);

	if (bus != NULL)
		g_dbus_connection_call(bus, "org.freedesktop.Notifications",
		    "/org/freedesktop/Notifications",
		    "org.freedesktop.Notifications", "CloseNotification",
		    g_variant_new("(u)", number), NULL,
		    G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, NULL, NULL);
}

/* ---- Places ---- */

/* A bus has a name of its own, and gives no name twice. */
#define BUS_CHARS 8

void
popups_set_service(struct popups *popups, const char *bus, const char *owner)
{
	free(popups->service);
	popups->service = NULL;
	if (bus != NULL && owner != NULL && owner[0] == ':')
		popups->service =
		    xasprintf("%.*s-%s", BUS_CHARS, bus, owner + 1);
}

bool
popups_have_service(const struct popups *popups)
{
	return popups->service != NULL;
}

char *
popups_places(const struct popups *popups)
{
	return popups->service != NULL ? xasprintf("%s-", popups->service)
				       : NULL;
}

char *
popups_place(struct popups *popups, uint64_t id)
{
	const struct popup *popup = find(popups, id);

	if (popup == NULL || popup->number == 0 || popups->service == NULL)
		return NULL;
	return xasprintf("%s-%u", popups->service, popup->number);
}

/* Nothing of another service: there the number is a stranger's. */
static void
close_place(const struct popups *popups, const char *place)
{
	struct span text = span_from_str(place), service;
	size_t len = popups->service != NULL ? strlen(popups->service) : 0;
	uint32_t number;

	service = span_slice(text, 0, len);
	if (len > 0 && text.len > len && text.data[len] == '-' &&
	    span_is(service, popups->service) &&
	    span_to_u32(span_skip(text, len + 1), &number))
		close_number(number);
}

/* Its `closed` comes as a signal; a failure means that it is not there. */
void
popups_close(struct popups *popups, uint64_t id, const char *place)
{
	struct popup *popup = find(popups, id);

	if (popup == NULL) {
		if (place != NULL)
			close_place(popups, place);
		return;
	}
	if (popup->notification != NULL) {
		notify_notification_close(popup->notification, NULL);
		return;
	}
	close_number(popup->number);
	forget(popup);
}
