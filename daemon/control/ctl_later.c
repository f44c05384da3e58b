/* What belfryctl will do some day, and says so. */
#include "daemon/control/ctl.h"

int
ctl_later(struct ctl *ctl)
{
	return ctl_fail(ctl, EX_UNAVAILABLE, NULL, "%s: not supported yet",
	    ctl->command->name);
}
