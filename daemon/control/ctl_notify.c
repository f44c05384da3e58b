/* notify: a test notification. */
#include "daemon/base/xalloc.h"
#include "daemon/control/ctl.h"

/* Arguments are words of one text, as with echo. */
static char *
join_arguments(const struct ctl *ctl)
{
	STRV_AUTO words = STRV_INIT;

	for (int i = 0; i < ctl->argument_count; i++)
		strv_add(&words, ctl->arguments[i]);
	return strv_join(&words, " ");
}

int
ctl_notify(struct ctl *ctl)
{
	BUF_AUTO out = BUF_INIT;
	struct json *answer = NULL, *request = ctl_request(ctl);
	STR_AUTO text = join_arguments(ctl);

	if (ctl->argument_count > 0)
		json_set_str(request, "text", text);
	int code = ctl_ask(ctl, request, &answer);
	if (code != EX_OK)
		return code;
	if (ctl->json)
		return ctl_finish_json(answer, EX_OK);
	json_free(&answer);
	buf_add_str(&out, "given to every notifier that takes it\n");
	return ctl_finish(&out, EX_OK);
}
