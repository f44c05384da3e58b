/* What the rules say of a message on the server: questions that wait. */
#include "daemon/base/xalloc.h"
#include "daemon/control/trace_json.h"
#include "daemon/wiring/belfry.h"

struct question {
	struct list_link link; /* in belfry::questions */
	struct belfry *belfry;
	struct client *client;
	char *account, *mailbox; /* for words */
	uint32_t uid;
	struct mailbox *asked; /* NULL once it need not be told */
	struct loop_timer *timer;
};

static void
free_question(struct question *question)
{
	list_remove(&question->link);
	loop_timer_free(&question->timer);
	free(question->account);
	free(question->mailbox);
	free(question);
}

/* Nobody waits for the answer any more. */
static void
forget(struct question *question)
{
	if (question->asked != NULL)
		mailbox_explain_cancel(question->asked, question->uid);
	free_question(question);
}

static void
on_leave(void *ctx)
{
	forget(ctx);
}

static void
on_timer(void *ctx)
{
	struct question *question = ctx;
	struct mailbox_status status;

	mailbox_get_status(question->asked, &status);
	control_refuse(question->client, "belfryctl status says more",
	    "%s/%s did not answer within %d s (%s%s%s)", question->account,
	    question->mailbox, (int)(EXPLAIN_USEC / USEC_SEC), status.state,
	    status.trouble[0] != '\0' ? ": " : "", status.trouble);
	forget(question);
}

static size_t
count_questions(const struct belfry *belfry)
{
	size_t count = 0;

	LIST_EACH(pos, &belfry->questions)
	count++;
	return count;
}

static void
wait_for(struct belfry *belfry, struct client *client,
    const struct running_account *account, struct mailbox *mailbox,
    uint32_t uid)
{
	struct question *question = NEW(struct question);

	question->belfry = belfry;
	question->client = client;
	question->account = xstrdup(account->config->name);
	question->mailbox = xstrdup(mailbox_name(mailbox));
	question->uid = uid;
	question->asked = mailbox;
	question->timer = loop_timer_new(belfry->loop, on_timer, question);
	loop_timer_set(question->timer, usec_add(loop_now(), EXPLAIN_USEC));
	list_add(&belfry->questions, &question->link);
	control_on_leave(client, on_leave, question);
}

static const char *
hint_of(const struct error *error)
{
	return error->fault == FAULT_RETRY ? "belfryctl status says more"
					   : NULL;
}

static void
ask(struct belfry *belfry, struct client *client,
    struct running_account *account, const char *name, uint32_t uid)
{
	struct error error = ERROR_INIT;
	struct mailbox *mailbox = NULL;
	BUF_AUTO found = BUF_INIT;

	if (account_find_mailbox(account->account, name, &found, &error))
		mailbox = account_explain(
		    account->account, buf_str(&found), uid, loop_now(), &error);
	if (mailbox == NULL) {
		control_refuse(client, hint_of(&error), "%s: %s",
		    account->config->name, error.text);
		return;
	}
	wait_for(belfry, client, account, mailbox, uid);
	accounts_pump(account);
}

void
explain_ask(
    struct belfry *belfry, struct client *client, const struct json *request)
{
	const char *account = json_get_str(request, "account");
	const char *mailbox = json_get_str(request, "mailbox");
	int64_t uid = json_get_int(request, "uid", 0);
	struct running_account *running;

	if (account == NULL || mailbox == NULL || uid < 1 || uid > UINT32_MAX) {
		control_refuse(client, NULL,
		    "the request names no account, mailbox and UID");
		return;
	}
	running = accounts_find(belfry, account);
	if (running == NULL)
		control_refuse_account(client, account);
	else if (running->paused)
		control_refuse(client, "belfryctl resume connects it again",
		    "the account %s is paused", account);
	else if (count_questions(belfry) >= EXPLAINS_MAX)
		control_refuse(client, "try again in a minute",
		    "%d other questions wait for their answer", EXPLAINS_MAX);
	else
		ask(belfry, client, running, mailbox, (uint32_t)uid);
}

static struct json *
answer_json(
    const struct question *question, const struct mailbox_explained *explained)
{
	STR_AUTO source = xasprintf(
	    "%s/%s/%u", question->account, question->mailbox, explained->uid);
	const struct trace_document document = {
	    .source = source,
	    .index = 1,
	    .account = question->account,
	    .mailbox = question->mailbox,
	    .message = explained->message,
	    .size = explained->size,
	    .received_unix = explained->received_unix,
	    .flags = &explained->flags,
	    .plan = &explained->plan,
	    .trace = &explained->trace,
	};
	struct json *answer = json_new_object();

	json_set(answer, "message", trace_json(&document));
	return answer;
}

static void
answer(struct question *question, const struct mailbox_explained *explained)
{
	if (explained->error.fault != FAULT_NONE)
		control_refuse(question->client, NULL, "%s: %s",
		    question->account, explained->error.text);
	else
		control_reply(
		    question->client, answer_json(question, explained));
	free_question(question);
}

/* The first who asked this: each question is answered by itself. */
void
explain_answer(struct line *line, struct mailbox_explained *explained)
{
	LIST_EACH(pos, &line->owner->belfry->questions)
	{
		struct question *question =
		    LIST_ITEM(pos, struct question, link);
		if (question->asked == line->mailbox &&
		    question->uid == explained->uid) {
			answer(question, explained);
			return;
		}
	}
}

void
explain_forget_line(struct line *line)
{
	LIST_EACH(pos, &line->owner->belfry->questions)
	{
		struct question *question =
		    LIST_ITEM(pos, struct question, link);
		if (question->asked != line->mailbox)
			continue;
		control_refuse(question->client, NULL,
		    "the account %s was stopped, or its settings changed",
		    question->account);
		free_question(question);
	}
}
