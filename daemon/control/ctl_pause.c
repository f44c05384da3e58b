/* pause, resume: connections of one account, or of all. */
#include "daemon/control/ctl.h"

int
ctl_pause(struct ctl *ctl)
{
	BUF_AUTO out = BUF_INIT;
	struct json *answer = NULL, *request = ctl_request(ctl);
	const char *account = ctl->arguments[0];

	if (account != NULL)
		json_set_str(request, "account", account);
	int code = ctl_ask(ctl, request, &answer);
	if (code != EX_OK)
		return code;
	if (ctl->json)
		return ctl_finish_json(answer, EX_OK);
	json_free(&answer);
	buf_addf(&out, "%sd: ", ctl->command->name);
	ctl_add_clean(
	    &out, account != NULL ? account : "all accounts", CTL_CELL_MAX);
	buf_add_char(&out, '\n');
	return ctl_finish(&out, EX_OK);
}
