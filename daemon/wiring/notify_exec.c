/*
 * wiring: a command for each notification, with the message on its standard
 * input. What did not come along with the message is asked for on the
 * connection of its mailbox; the command waits for it, but not for ever, and
 * then gets what is known.
 */
#include "daemon/wiring/notify.h"

/* A connection that is being made again; a large message. */
#define CONTENT_USEC (20 * USEC_SEC)

/* The one that a notifier is about to run, or runs. */
struct command {
	struct notification n;
	char *from, *subject, *rule; /* "": none */
	struct buf header;	     /* as it came along; may be empty */
	struct line *asked; /* whose mailbox fetches it; NULL: nobody does */
	enum mailbox_preview_kind kind;
	struct loop_timer *timer;
};

void
exec_forget(struct notifier *notifier)
{
	struct command *command = notifier->command_now;

	if (command == NULL)
		return;
	notifier->command_now = NULL;
	loop_timer_free(&command->timer);
	notification_done(&command->n);
	buf_done(&command->header);
	free(command->from);
	free(command->subject);
	free(command->rule);
	free(command);
}

/* ---- what it gets ---- */

static void
add_field(struct buf *input, const char *name, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	buf_addf(input, "%s: ", name);
	str_sanitize(input, span_from_str(value), 1000);
	buf_add_str(input, "\r\n");
}

/* In the form of a message, with what is known. */
static void
add_known(struct buf *input, const struct command *command)
{
	bool is_one = command->subject[0] != '\0' || command->from[0] != '\0';

	add_field(input, "From", command->from);
	add_field(
	    input, "Subject", is_one ? command->subject : command->n.title);
	add_field(input, "Message-ID", command->n.message_id);
	buf_add_str(input, "\r\n");
	if (!is_one)
		buf_addf(input, "%s\r\n", command->n.body);
}

static void
fill_input(const struct notifier *notifier, const struct command *command,
    struct span content, struct buf *input)
{
	if (notifier->input == CONFIG_INPUT_TEXT)
		buf_addf(input, "%s\n%s\n", command->n.title, command->n.body);
	else if (content.len > 0)
		buf_add_span(input, content);
	else if (command->header.len > 0)
		buf_add_span(input, buf_span(&command->header));
	else
		add_known(input, command);
}

static void
add_variable(struct strv *environment, const char *name, const char *value)
{
	BUF_AUTO clean = BUF_INIT;

	str_sanitize(&clean, span_from_str(value), NOTIFICATION_BODY_MAX);
	strv_take(
	    environment, xasprintf("BELFRY_%s=%s", name, buf_str(&clean)));
}

static void
fill_environment(const struct command *command, struct strv *environment)
{
	const struct notification *n = &command->n;
	STR_AUTO uid = xasprintf("%u", n->uid);

	add_variable(environment, "ACCOUNT", n->account);
	add_variable(environment, "MAILBOX", n->mailbox);
	add_variable(environment, "UID", uid);
	add_variable(environment, "RULE", command->rule);
	add_variable(environment, "FROM", command->from);
	add_variable(environment, "SUBJECT", command->subject);
	add_variable(environment, "URGENCY", urgency_name(n->urgency));
	add_variable(environment, "MESSAGE_ID", n->message_id);
	add_variable(environment, "URL", n->url);
	add_variable(environment, "TITLE", n->title);
	/* With the line ends of a summary. */
	strv_take(environment, xasprintf("BELFRY_TEXT=%s", n->body));
}

/* ---- running it ---- */

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
run(struct notifier *notifier, struct span content)
{
	STRV_AUTO environment = STRV_INIT;
	BUF_AUTO input = BUF_INIT;

	fill_input(notifier, notifier->command_now, content, &input);
	fill_environment(notifier->command_now, &environment);
	const struct child_config config = {
	    .argv = &notifier->command,
	    .environment = &environment,
	    .input = buf_span(&input),
	    .limit = notifier->timeout,
	};
	notifier->child = child_run(
	    notifier->notify->belfry->loop, &config, on_command_end, notifier);
	exec_forget(notifier);
}

/* ---- what is asked for ---- */

static void
run_without(struct notifier *notifier)
{
	struct command *command = notifier->command_now;

	mailbox_preview_cancel(command->asked->mailbox, command->n.uidvalidity,
	    command->n.uid, command->kind);
	run(notifier, SPAN_EMPTY);
}

static void
on_timer(void *ctx)
{
	run_without(ctx);
}

/* True: an answer will come. */
static bool
ask(struct notifier *notifier, const struct delivery *delivery)
{
	struct command *command = notifier->command_now;
	bool has_enough =
	    notifier->input == CONFIG_INPUT_TEXT ||
	    (notifier->input == CONFIG_INPUT_HEADER && command->header.len > 0);

	if (has_enough || delivery->line == NULL || delivery->n.is_moved)
		return false;
	command->kind = notifier->input == CONFIG_INPUT_HEADER
			    ? PREVIEW_HEADER
			    : PREVIEW_MESSAGE;
	if (!mailbox_preview(delivery->line->mailbox, delivery->uidvalidity,
		delivery->uid, command->kind, loop_now()))
		return false;
	command->asked = delivery->line;
	command->timer =
	    loop_timer_new(notifier->notify->belfry->loop, on_timer, notifier);
	loop_timer_set(command->timer, usec_add(loop_now(), CONTENT_USEC));
	accounts_pump(delivery->line->owner);
	return true;
}

static struct command *
command_new(const struct notifier_line *line, const struct delivery *delivery)
{
	struct command *command = NEW(struct command);

	notification_init(&command->n);
	notification_copy(&command->n, &line->n);
	command->from = xstrdup(delivery != NULL ? delivery->from : "");
	command->subject = xstrdup(delivery != NULL ? delivery->subject : "");
	command->rule = xstrdup(delivery != NULL ? delivery->rule : "");
	if (delivery != NULL)
		buf_add_span(&command->header, buf_span(&delivery->header));
	return command;
}

void
exec_show(struct notifier *notifier, const struct notifier_line *line)
{
	const struct pending *pending = pending_find(notifier, line->n.id);
	/* Of a summary, and of a private one, it is told the number. */
	const struct delivery *delivery =
	    pending != NULL && line->n.uid != 0 ? pending->delivery : NULL;

	notifier->busy_id = line->n.id;
	notifier->command_now = command_new(line, delivery);
	if (delivery == NULL || !ask(notifier, delivery))
		run(notifier, SPAN_EMPTY);
}

void
exec_content(struct line *line, const struct mailbox_previewed *previewed)
{
	LIST_EACH(pos, &line->owner->belfry->notify->notifiers)
	{
		struct notifier *notifier =
		    LIST_ITEM(pos, struct notifier, link);
		const struct command *command = notifier->command_now;
		if (command == NULL || command->asked != line ||
		    command->kind != previewed->kind ||
		    command->n.uid != previewed->uid ||
		    command->n.uidvalidity != previewed->uidvalidity)
			continue;
		run(notifier, buf_span(&previewed->content));
		return;
	}
}

/* It stays in the journal, and whoever has the mailbox next rings. The queue
 * hears of it from the loop, when the line is gone. */
static void
drop(struct notifier *notifier)
{
	struct command *command = notifier->command_now;
	uint64_t id = notifier->busy_id;

	mailbox_preview_cancel(command->asked->mailbox, command->n.uidvalidity,
	    command->n.uid, command->kind);
	exec_forget(notifier);
	notifier->busy_id = 0;
	notifier_answer(
	    notifier, id, NOTIFIER_FAILED, "the account was changed");
	loop_timer_set(notifier->timer, loop_now());
}

void
exec_forget_content(struct notify *notify, const struct line *line)
{
	LIST_EACH(pos, &notify->notifiers)
	{
		struct notifier *notifier =
		    LIST_ITEM(pos, struct notifier, link);
		if (notifier->command_now != NULL &&
		    notifier->command_now->asked == line)
			drop(notifier);
	}
}
