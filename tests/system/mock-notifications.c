/*
 * mock-notifications: a notification service that notes what it is told.
 *
 * Owns org.freedesktop.Notifications on the session bus and writes to
 * standard output, a line for each:
 *
 *	owned
 *	Notify ID REPLACES APP|ICON|SUMMARY|BODY|ACTIONS|HINTS
 *	Close ID
 *
 * ACTIONS are joined by commas, HINTS are NAME=VALUE in GVariant's text form,
 * sorted, joined by semicolons; LF is written as "/". How it behaves, by
 * environment:
 *
 *	MOCK_CAPS=a,b	its capabilities (default body,body-markup,actions)
 *	MOCK_NAME=TEXT	what it is called (default mock)
 *	MOCK_DELAY=MS	answers Notify so much later
 *	MOCK_LATE=N	only the first N
 *	MOCK_NOREPLY=N	never answers the first N times
 *	MOCK_ERROR=TEXT	answers with an error
 *	MOCK_EXCESS=N	the first N times with the one of Plasma: too many
 *	MOCK_DIE=1	ends instead of an answer
 *	MOCK_ACTION=KEY	invokes that action of each
 *	MOCK_TOKEN=TEXT	with this activation token
 *	MOCK_CLOSE=N	closes each, for reason N
 */
#include <gio/gio.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "org.freedesktop.Notifications"
#define PATH "/org/freedesktop/Notifications"

static const char interface_xml[] =
    "<node><interface name='" NAME "'>"
    "<method name='GetCapabilities'>"
    "<arg type='as' direction='out'/></method>"
    "<method name='GetServerInformation'>"
    "<arg type='s' direction='out'/><arg type='s' direction='out'/>"
    "<arg type='s' direction='out'/><arg type='s' direction='out'/></method>"
    "<method name='Notify'>"
    "<arg type='s' direction='in'/><arg type='u' direction='in'/>"
    "<arg type='s' direction='in'/><arg type='s' direction='in'/>"
    "<arg type='s' direction='in'/><arg type='as' direction='in'/>"
    "<arg type='a{sv}' direction='in'/><arg type='i' direction='in'/>"
    "<arg type='u' direction='out'/></method>"
    "<method name='CloseNotification'>"
    "<arg type='u' direction='in'/></method>"
    "<signal name='NotificationClosed'><arg type='u'/><arg type='u'/></signal>"
    "<signal name='ActivationToken'><arg type='u'/><arg type='s'/></signal>"
    "<signal name='ActionInvoked'><arg type='u'/><arg type='s'/></signal>"
    "</interface></node>";

static guint last_id;
static long noreply_left, excess_left, late_left = LONG_MAX;

struct answer {
	GDBusMethodInvocation *invocation;
	guint id;
};

static long
number(const char *name)
{
	const char *value = getenv(name);

	return value != NULL ? strtol(value, NULL, 10) : 0;
}

/* ---- What it notes ---- */

static void
note(const char *text)
{
	for (; *text != '\0'; text++)
		putchar(*text == '\n' ? '/' : *text);
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *
list_hints(GVariant *hints)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
	GVariantIter iter;
	const char *name;
	GVariant *value;

	g_variant_iter_init(&iter, hints);
	while (g_variant_iter_loop(&iter, "{&sv}", &name, &value)) {
		g_autofree char *text = g_variant_print(value, TRUE);

		if (strcmp(name, "sender-pid") != 0)
			g_ptr_array_add(
			    words, g_strdup_printf("%s=%s", name, text));
	}
	g_ptr_array_sort(words, compare);
	g_ptr_array_add(words, NULL);
	return g_strjoinv(";", (char **)words->pdata);
}

static guint
note_notify(GVariant *parameters)
{
	const char *app, *icon, *summary, *body;
	g_autofree const char **actions = NULL;
	g_autoptr(GVariant) hints = NULL;
	g_autofree char *joined = NULL;
	g_autofree char *hint_text = NULL;
	guint replaces, id;
	gint timeout;

	g_variant_get(parameters, "(&su&s&s&s^a&s@a{sv}i)", &app, &replaces,
	    &icon, &summary, &body, &actions, &hints, &timeout);
	joined = g_strjoinv(",", (char **)(guintptr)actions);
	hint_text = list_hints(hints);
	id = replaces != 0 ? replaces : ++last_id;
	printf("Notify %u %u %s|%s|", id, replaces, app, icon);
	note(summary);
	putchar('|');
	note(body);
	printf("|%s|%s\n", joined, hint_text);
	fflush(stdout);
	return id;
}

/* ---- How it answers ---- */

static void
send_signal(
    GDBusMethodInvocation *invocation, const char *name, GVariant *parameters)
{
	/* To the sender alone, as dunst and GNOME do. */
	g_dbus_connection_emit_signal(
	    g_dbus_method_invocation_get_connection(invocation),
	    g_dbus_method_invocation_get_sender(invocation), PATH, NAME, name,
	    parameters, NULL);
}

static gboolean
answer_notify(void *data)
{
	struct answer *answer = data;
	GDBusMethodInvocation *invocation = g_object_ref(answer->invocation);
	const char *action = getenv("MOCK_ACTION");

	g_dbus_method_invocation_return_value(
	    invocation, g_variant_new("(u)", answer->id));
	if (action != NULL && getenv("MOCK_TOKEN") != NULL)
		send_signal(invocation, "ActivationToken",
		    g_variant_new("(us)", answer->id, getenv("MOCK_TOKEN")));
	if (action != NULL)
		send_signal(invocation, "ActionInvoked",
		    g_variant_new("(us)", answer->id, action));
	if (number("MOCK_CLOSE") != 0)
		send_signal(invocation, "NotificationClosed",
		    g_variant_new(
			"(uu)", answer->id, (guint)number("MOCK_CLOSE")));
	g_object_unref(invocation);
	g_free(answer);
	return G_SOURCE_REMOVE;
}

static void
on_notify(GDBusMethodInvocation *invocation, GVariant *parameters)
{
	struct answer *answer;
	guint id = note_notify(parameters);

	if (getenv("MOCK_DIE") != NULL)
		exit(0);
	if (noreply_left > 0) {
		noreply_left--;
		return;
	}
	if (excess_left > 0) {
		excess_left--;
		g_dbus_method_invocation_return_dbus_error(invocation,
		    NAME ".Error.ExcessNotificationGeneration", "Too many");
		return;
	}
	if (getenv("MOCK_ERROR") != NULL) {
		g_dbus_method_invocation_return_dbus_error(
		    invocation, NAME ".Error.Refused", getenv("MOCK_ERROR"));
		return;
	}
	answer = g_new0(struct answer, 1);
	answer->invocation = invocation;
	answer->id = id;
	g_timeout_add(late_left > 0 ? (guint)number("MOCK_DELAY") : 0,
	    answer_notify, answer);
	late_left--;
}

static void
on_close(GDBusMethodInvocation *invocation, GVariant *parameters)
{
	guint id;

	g_variant_get(parameters, "(u)", &id);
	printf("Close %u\n", id);
	fflush(stdout);
	send_signal(
	    invocation, "NotificationClosed", g_variant_new("(uu)", id, 3));
	g_dbus_method_invocation_return_value(invocation, NULL);
}

static void
on_capabilities(GDBusMethodInvocation *invocation, GVariant *parameters)
{
	const char *names = getenv("MOCK_CAPS");
	g_auto(GStrv) split = g_strsplit(
	    names != NULL ? names : "body,body-markup,actions", ",", 0);

	(void)parameters;
	g_dbus_method_invocation_return_value(
	    invocation, g_variant_new("(^as)", split));
}

static void
on_information(GDBusMethodInvocation *invocation, GVariant *parameters)
{
	const char *name = getenv("MOCK_NAME");

	(void)parameters;
	g_dbus_method_invocation_return_value(
	    invocation, g_variant_new("(ssss)", name != NULL ? name : "mock",
			    "belfry", "0", "1.2"));
}

static const struct {
	const char *name;
	void (*answer)(GDBusMethodInvocation *, GVariant *);
} methods[] = {
    {"GetCapabilities", on_capabilities},
    {"GetServerInformation", on_information},
    {"Notify", on_notify},
    {"CloseNotification", on_close},
};

static void
on_call(GDBusConnection *bus, const char *sender, const char *path,
    const char *interface, const char *method, GVariant *parameters,
    GDBusMethodInvocation *invocation, void *data)
{
	(void)bus;
	(void)sender;
	(void)path;
	(void)interface;
	(void)data;
	for (size_t i = 0; i < G_N_ELEMENTS(methods); i++)
		if (strcmp(method, methods[i].name) == 0)
			methods[i].answer(invocation, parameters);
}

/* ---- Beginning ---- */

static void
on_bus(GDBusConnection *bus, const char *name, void *data)
{
	static const GDBusInterfaceVTable vtable = {.method_call = on_call};
	GDBusNodeInfo *node = g_dbus_node_info_new_for_xml(interface_xml, NULL);

	(void)name;
	(void)data;
	g_dbus_connection_register_object(
	    bus, PATH, node->interfaces[0], &vtable, NULL, NULL, NULL);
}

static void
on_owned(GDBusConnection *bus, const char *name, void *data)
{
	(void)bus;
	(void)name;
	(void)data;
	puts("owned");
	fflush(stdout);
}

static void
on_lost(GDBusConnection *bus, const char *name, void *data)
{
	(void)bus;
	(void)name;
	(void)data;
	exit(1);
}

int
main(void)
{
	noreply_left = number("MOCK_NOREPLY");
	if (number("MOCK_LATE") != 0)
		late_left = number("MOCK_LATE");
	excess_left = number("MOCK_EXCESS");
	g_bus_own_name(G_BUS_TYPE_SESSION, NAME, G_BUS_NAME_OWNER_FLAGS_NONE,
	    on_bus, on_owned, on_lost, NULL, NULL);
	g_main_loop_run(g_main_loop_new(NULL, FALSE));
	return 0;
}
