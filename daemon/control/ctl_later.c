/* What belfryctl will do some day: it says so, and what to do until then. */
#include "daemon/control/ctl.h"

static const struct {
	const char *command, *hint;
} instead[] = {
    {"setup", "write the configuration by hand: belfry.conf(5) shows how, and "
	      "`belfryctl check` says whether it is right"},
};

int
ctl_later(struct ctl *ctl)
{
	const char *hint = NULL;

	for (size_t i = 0; i < sizeof(instead) / sizeof(*instead); i++)
		if (strcmp(instead[i].command, ctl->command->name) == 0)
			hint = instead[i].hint;
	return ctl_fail(ctl, EX_UNAVAILABLE, hint, "%s: not supported yet",
	    ctl->command->name);
}
