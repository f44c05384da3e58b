/*
 * Where the daemon listens. Of the configuration only [daemon] is read, and
 * whatever is wrong with the rest is passed over: a daemon that runs on the
 * old configuration must be found while the new one is being mended.
 */
#include <unistd.h>

#include "daemon/base/xalloc.h"
#include "daemon/config/files.h"
#include "daemon/config/paths.h"
#include "daemon/config/reader.h"
#include "daemon/config/value.h"
#include "daemon/control/ctl.h"

static void
read_daemon(struct document *document, struct config_daemon *daemon,
    struct rule_problems *problems)
{
	for (size_t i = 0; i < document->count; i++) {
		struct document_section *section = &document->sections[i];
		if (strcmp(section->kind, section_kind_name(SECTION_DAEMON)) !=
		    0)
			continue;
		document_fold(section, SECTION_DAEMON, problems);
		for (size_t j = 0; j < section->thing_count; j++)
			value_parse(&section->things[j], daemon, problems);
	}
}

static void
read_file(const char *path, struct config *config)
{
	DOCUMENT_AUTO document = DOCUMENT_INIT;
	struct rule_problems problems = {0};

	files_read(&config->files, path, &problems);
	for (size_t i = 0; i < config->files.count; i++)
		reader_parse(config->files.items[i]->path,
		    buf_span(&config->files.items[i]->text), &document,
		    &problems);
	read_daemon(&document, &config->daemon, &problems);
	rule_problems_done(&problems);
}

/* The system's own daemon (contrib/systemd/system) has its RUNTIME_DIRECTORY
 * from systemd; belfryctl has not. Root may have started one by hand. */
static bool
is_system(const char *file, const struct config *config)
{
	STR_AUTO other = config_control_path(config);

	if (file == NULL || config->daemon.control_socket != NULL ||
	    !span_starts(span_from_str(file), BELFRY_SYSCONFDIR "/belfry/"))
		return false;
	return access(CTL_SYSTEM_SOCKET, F_OK) == 0 ||
	       (geteuid() == 0 && access(other, F_OK) != 0);
}

char *
ctl_socket_path(const struct ctl *ctl)
{
	struct config *config = NEW(struct config);
	STR_AUTO file = config_find_path(ctl->config, NULL);
	char *path;

	if (file != NULL)
		read_file(file, config);
	if (ctl->socket != NULL)
		path = xstrdup(ctl->socket);
	else if (is_system(file, config))
		path = xstrdup(CTL_SYSTEM_SOCKET);
	else
		path = config_control_path(config);
	config_free(&config);
	return path;
}
