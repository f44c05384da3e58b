#include "daemon/config/paths.h"

#include <stdlib.h>

#include "daemon/base/xalloc.h"

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
