/* pause, resume: connections of one account, or of all. */
#include <string.h>

#include "daemon/base/xalloc.h"
#include "daemon/control/ctl.h"

static bool
is_number(const char *text)
{
	return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

/* [ACCOUNT] [TIME]: no account is called like a time, in what the daemon
 * sees; one that is stands before its time. */
static int
read_arguments(const struct ctl *ctl, const char **account_r, usec_t *time_r)
{
	bool can_last =
	    ctl->command->run == ctl_pause && ctl->command->arguments_max > 1;
	const char *last = NULL;

	*account_r = ctl->arguments[0];
	if (!can_last || ctl->argument_count == 0)
		return EX_OK;
	last = ctl->arguments[ctl->argument_count - 1];
	if (!usec_parse(span_from_str(last), time_r)) {
		/* A number alone is no account: it may be one before a time. */
		if (ctl->argument_count == 1 && !is_number(last))
			return EX_OK;
		return ctl_fail_time(ctl, NULL, last, "such as 90m, 2h or 3d");
	}
	if (*time_r < USEC_SEC)
		return ctl_fail(ctl, EX_USAGE,
		    "without a time it lasts until `belfryctl resume`",
		    "%s is no time to pause for", last);
	if (ctl->argument_count == 1)
		*account_r = NULL;
	return EX_OK;
}

int
ctl_pause(struct ctl *ctl)
{
	BUF_AUTO out = BUF_INIT;
	struct json *answer = NULL, *request;
	const char *account;
	usec_t time = 0;
	int code = read_arguments(ctl, &account, &time);

	if (code != EX_OK)
		return code;
	request = ctl_request(ctl);
	if (account != NULL)
		json_set_str(request, "account", account);
	if (time != 0)
		json_set_int(request, "for_s", (int64_t)(time / USEC_SEC));
	code = ctl_ask(ctl, request, &answer);
	if (code != EX_OK)
		return code;
	if (ctl->json)
		return ctl_finish_json(answer, EX_OK);
	buf_addf(&out, "%sd: ", ctl->command->name);
	ctl_add_clean(
	    &out, account != NULL ? account : "all accounts", CTL_CELL_MAX);
	if (json_get_str(answer, "until") != NULL) {
		buf_add_str(&out, ", until ");
		ctl_add_time(
		    &out, ctl_parse_time(json_get_str(answer, "until")));
	}
	buf_add_char(&out, '\n');
	json_free(&answer);
	return ctl_finish(&out, EX_OK);
}
