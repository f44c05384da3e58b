/* probe ACCOUNT: how long does a message take? */
#include <inttypes.h>

#include "daemon/control/ctl.h"

/* The daemon's own limits are shorter, and it has words for them. */
#define ANSWER_USEC (180 * USEC_SEC)

static void
add_steps(struct buf *out, const struct json *steps)
{
	for (size_t i = 0; i < json_count(steps); i++) {
		const struct json *step = json_at(steps, i);
		buf_addf(out, "%8" PRId64 " ms  ", json_get_int(step, "ms", 0));
		ctl_add_clean(out, json_get_str(step, "what"), CTL_TEXT_MAX);
		buf_add_char(out, '\n');
	}
}

static void
add_words(const struct ctl *ctl, struct buf *out, const struct json *answer)
{
	const char *trouble = json_get_str(answer, "trouble");

	if (trouble != NULL) {
		ctl_add_colored(ctl, out, CTL_BAD, "trouble: ");
		ctl_add_clean(out, trouble, CTL_TEXT_MAX);
		buf_add_char(out, '\n');
	} else if (!json_get_bool(answer, "idle")) {
		buf_add_str(out, "the server has no IDLE: it was asked\n");
	}
	if (json_get_bool(answer, "remains")) {
		buf_add_str(out, "the mailbox ");
		ctl_add_clean(
		    out, json_get_str(answer, "mailbox"), CTL_CELL_MAX);
		buf_add_str(
		    out, " may be there still: it can be deleted by hand\n");
	}
}

int
ctl_probe(struct ctl *ctl)
{
	BUF_AUTO out = BUF_INIT;
	struct json *answer = NULL, *request = ctl_request(ctl);

	json_set_str(request, "account", ctl->arguments[0]);
	if (ctl_get(ctl, "mailbox") != NULL)
		json_set_str(request, "mailbox", ctl_get(ctl, "mailbox"));
	if (ctl->timeout == 0)
		ctl->timeout = ANSWER_USEC;
	int code = ctl_ask(ctl, request, &answer);
	if (code != EX_OK)
		return code;
	code =
	    json_get_str(answer, "trouble") != NULL ? CTL_EXIT_TROUBLE : EX_OK;
	if (ctl->json)
		return ctl_finish_json(answer, code);
	add_steps(&out, json_get(answer, "steps"));
	add_words(ctl, &out, answer);
	json_free(&answer);
	return ctl_finish(&out, code);
}
