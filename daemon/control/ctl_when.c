/* Times that a person wrote behind an option. */
#include "daemon/base/xalloc.h"
#include "daemon/control/ctl.h"

static const char forms[] =
    "such as 2h or 3d (ago), today, yesterday, 2026-11-21 or "
    "\"2026-11-21 10:30\"";

int
ctl_get_time(const struct ctl *ctl, const char *option, int64_t *unix_r)
{
	const char *text = ctl_get(ctl, option);
	int64_t when;

	if (text == NULL)
		return EX_OK;
	if (ctl_parse_since(text, ctl_now_unix(), &when) && when > 0) {
		*unix_r = when;
		return EX_OK;
	}
	STR_AUTO name = xasprintf("--%s", option);
	return ctl_fail_time(ctl, name, text, forms);
}

static int
refuse_order(const struct ctl *ctl, int64_t since, int64_t until)
{
	if (since > ctl_now_unix())
		return ctl_fail(ctl, EX_USAGE, forms,
		    "--since: %s is in the future", ctl_get(ctl, "since"));
	if (since >= until)
		return ctl_fail(ctl, EX_USAGE,
		    "--since says the beginning, --until the end",
		    "--until: %s is not after %s", ctl_get(ctl, "until"),
		    ctl_get(ctl, "since"));
	return EX_OK;
}

int
ctl_set_times(const struct ctl *ctl, struct json *request)
{
	int64_t since = INT64_MIN, until = INT64_MAX;
	int code = ctl_get_time(ctl, "since", &since);

	if (code == EX_OK)
		code = ctl_get_time(ctl, "until", &until);
	if (code == EX_OK)
		code = refuse_order(ctl, since, until);
	if (code != EX_OK)
		return code;
	if (since != INT64_MIN)
		json_set_int(request, "since", since);
	if (until != INT64_MAX)
		json_set_int(request, "until", until);
	return EX_OK;
}
