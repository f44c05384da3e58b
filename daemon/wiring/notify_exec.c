/*
 * wiring: a command for each notification.
 */
#include "daemon/wiring/notify.h"

static void
on_command_end(void *ctx, const struct child_result *result)
{
	struct notifier *notifier = ctx;
	uint64_t id = notifier->busy_id;
	BUF_AUTO words = BUF_INIT;

	notifier->child = NULL;
	notifier->busy_id = 0;
	if (result->started && !result->timed_out && result->status == 0) {
		notifier_answer(notifier, id, NOTIFIER_SHOWN, NULL);
	} else {
		buf_addf(&words, "the command failed (%d): ", result->status);
		str_sanitize(&words,
		    result->started ? result->errors
				    : span_from_str(result->error.text),
		    200);
		notifier_answer(notifier, id, NOTIFIER_FAILED, buf_str(&words));
	}
	notifier_give_turn(notifier);
}

static void
add_variable(struct strv *environment, const char *name, const char *value)
{
	strv_take(environment, xasprintf("BELFRY_%s=%s", name, value));
}

void
exec_show(struct notifier *notifier, const struct notifier_line *line)
{
	STRV_AUTO environment = STRV_INIT;
	BUF_AUTO input = BUF_INIT;
	const struct notification *n = &line->n;
	STR_AUTO uid = xasprintf("%u", n->uid);
	static const char *const urgencies[] = {"low", "normal", "critical"};

	buf_addf(&input, "%s\n%s\n", n->title, n->body);
	add_variable(&environment, "ACCOUNT", n->account);
	add_variable(&environment, "MAILBOX", n->mailbox);
	add_variable(&environment, "UID", uid);
	add_variable(&environment, "TITLE", n->title);
	add_variable(&environment, "TEXT", n->body);
	add_variable(&environment, "URGENCY", urgencies[n->urgency]);
	add_variable(&environment, "MESSAGE_ID", n->message_id);
	const struct child_config config = {
	    .argv = &notifier->command,
	    .environment = &environment,
	    .input = buf_span(&input),
	    .limit = notifier->timeout,
	};
	notifier->busy_id = n->id;
	notifier->child = child_run(
	    notifier->notify->belfry->loop, &config, on_command_end, notifier);
}
