/* setup: at the end, Belfry itself. */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/base/xalloc.h"
#include "daemon/control/ctl_setup.h"
#include "daemon/wiring/errand.h"

#define SYSTEMCTL_USEC (30 * USEC_SEC)

/* Without a word when there is none. */
static bool
is_running(const struct ctl *ctl)
{
	STR_AUTO path = ctl_socket_path(ctl);
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (path == NULL || strlen(path) >= sizeof(address.sun_path))
		return false;
	strcpy(address.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	/* EAGAIN: it runs, and takes nobody in just now. */
	bool ok = connect(fd, (const struct sockaddr *)&address,
		      sizeof(address)) == 0 ||
		  errno == EAGAIN;
	close(fd);
	return ok;
}

static bool
systemctl(const char *verb, const char *option, struct error *error_r)
{
	STRV_AUTO argv = STRV_INIT;

	strv_add(&argv, "systemctl");
	strv_add(&argv, "--user");
	strv_add(&argv, verb);
	if (option != NULL)
		strv_add(&argv, option);
	strv_add(&argv, "belfry.service");
	return errand_run(&argv, SPAN_EMPTY, SYSTEMCTL_USEC, NULL, error_r);
}

static const char *
reload(struct setup *setup)
{
	struct json *answer = NULL;
	struct ctl as_reload = *setup->ctl;
	bool is_done;

	if (!setup_agree(setup,
		"Belfry is running: let it read the configuration (belfryctl "
		"reload)?",
		true))
		return NULL;
	for (size_t i = 0; ctl_commands[i].name != NULL; i++)
		if (ctl_commands[i].run == ctl_reload)
			as_reload.command = &ctl_commands[i];
	/* Setup's document is the only one. */
	as_reload.json = false;
	if (ctl_ask(&as_reload, ctl_request(&as_reload), &answer) != EX_OK)
		return NULL;
	is_done = json_get_bool(answer, "reloaded");
	json_free(&answer);
	setup_say(setup,
	    is_done ? "Belfry watches %s now."
		    : "It refused it: `belfryctl reload` says "
		      "why it does not watch %s yet.",
	    setup->email);
	return is_done ? "reloaded" : NULL;
}

static const char *
start(struct setup *setup)
{
	struct error error = ERROR_INIT;

	if (!ctl_has(setup->ctl, "start") &&
	    (ctl_has(setup->ctl, "yes") || !setup->is_terminal ||
		!setup_agree(setup,
		    "Start Belfry now and at each login (systemctl --user "
		    "enable --now belfry)?",
		    true))) {
		setup_say(
		    setup, "To start it: systemctl --user enable --now belfry");
		return NULL;
	}
	if (!systemctl("enable", "--now", &error)) {
		setup_say(setup, "That failed: %s", error.text);
		return NULL;
	}
	setup_say(setup, "Belfry runs; `belfryctl status` says how it is.");
	return "started";
}

const char *
setup_start(struct setup *setup)
{
	if (is_running(setup->ctl))
		return reload(setup);
	if (systemctl("cat", NULL, NULL))
		return start(setup);
	setup_say(setup, "To start it: belfryd");
	return NULL;
}
