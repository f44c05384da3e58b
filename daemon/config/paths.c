#include "daemon/config/paths.h"

#include <stdlib.h>
#include <unistd.h>

#include "daemon/base/xalloc.h"

#ifndef BELFRY_SYSCONFDIR
#define BELFRY_SYSCONFDIR "/etc"
#endif

/* A variable that names an absolute path; systemd may give several, divided
 * by colons: the first is ours. NULL when there is none. */
static char *
directory_of(const char *variable)
{
	struct span rest = span_from_str(getenv(variable)), first;

	if (!span_split(&rest, ':', &first) || !span_starts(first, "/"))
		return NULL;
	return xstrdup_span(first);
}

/* `base`/`rest`, or NULL without a base. */
static char *
below(const char *variable, const char *rest)
{
	STR_AUTO base = directory_of(variable);

	return base != NULL ? xasprintf("%s/%s", base, rest) : NULL;
}

char *
config_state_directory(const struct config *config)
{
	char *path;

	if (config->daemon.state_directory != NULL)
		return xstrdup(config->daemon.state_directory);
	if ((path = directory_of("STATE_DIRECTORY")) != NULL)
		return path;
	if ((path = below("XDG_STATE_HOME", "belfry")) != NULL)
		return path;
	if ((path = below("HOME", ".local/state/belfry")) != NULL)
		return path;
	return xstrdup("/var/lib/belfry");
}

char *
config_control_path(const struct config *config)
{
	char *path;

	if (config->daemon.control_socket != NULL)
		return xstrdup(config->daemon.control_socket);
	if ((path = below("RUNTIME_DIRECTORY", "control")) != NULL)
		return path;
	if ((path = below("XDG_RUNTIME_DIR", "belfry/control")) != NULL)
		return path;
	STR_AUTO state = config_state_directory(config);
	return xasprintf("%s/control", state);
}

/* In the order in which they are tried. */
static void
add_places(struct strv *places)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (xdg != NULL && *xdg == '/')
		strv_take(places, xasprintf("%s/belfry/belfry.conf", xdg));
	if (home != NULL && *home != '\0')
		strv_take(
		    places, xasprintf("%s/.config/belfry/belfry.conf", home));
	strv_add(places, BELFRY_SYSCONFDIR "/belfry/belfry.conf");
	if (!strv_has(places, "/etc/belfry/belfry.conf"))
		strv_add(places, "/etc/belfry/belfry.conf");
}

char *
config_own_path(void)
{
	STRV_AUTO places = STRV_INIT;

	add_places(&places);
	return strncmp(places.items[0], BELFRY_SYSCONFDIR,
		   strlen(BELFRY_SYSCONFDIR)) == 0
		   ? NULL
		   : xstrdup(places.items[0]);
}

char *
config_find_path(const char *argument, struct error *error_r)
{
	STRV_AUTO places = STRV_INIT;

	if (argument != NULL)
		return xstrdup(argument);
	add_places(&places);
	for (size_t i = 0; i < places.len; i++)
		if (access(places.items[i], F_OK) == 0)
			return xstrdup(places.items[i]);
	STR_AUTO list = strv_join(&places, ", ");
	error_set(error_r, FAULT_CONFIG,
	    "no configuration: looked for %s; `belfryctl setup ADDRESS` "
	    "makes one",
	    list);
	return NULL;
}
