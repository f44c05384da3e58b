/*
 * One-time codes: the store, which people keep for months, has none of them.
 *
 * Of a subject, of what a rule says of the message in a notification, and of
 * the arguments of its command, what is kept has asterisks for the digits of a
 * code. The true words live as long as the job; one that is loaded again has
 * not got them. A command then has them of the header block that it is given,
 * and for a notification the subject is fetched anew (PREVIEW_ANEW).
 *
 * Messages are compared by the subject as it is kept, so that they are the same
 * before and after a restart.
 */
#include "daemon/account/mailbox_private.h"
#include "daemon/base/xalloc.h"
#include "daemon/mail/code.h"

char *
mailbox_subject(struct message *message, char **clear_r)
{
	char *subject = mailbox_decoded(message, "Subject");
	BUF_AUTO masked = BUF_INIT;

	code_mask(span_from_str(subject), &masked);
	*clear_r = NULL;
	if (strcmp(buf_str(&masked), subject) == 0)
		return subject;
	*clear_r = subject;
	return buf_take_str(&masked);
}

/* One of before codes were hidden has it still. */
void
mailbox_job_keep_subject(struct job *job, const char *subject)
{
	BUF_AUTO masked = BUF_INIT;

	code_mask(span_from_str(subject), &masked);
	if (strcmp(buf_str(&masked), subject) != 0)
		job->clear_subject = xstrdup(subject);
	job->subject = buf_take_str(&masked);
}

const char *
mailbox_job_subject(const struct job *job)
{
	return job->clear_subject != NULL ? job->clear_subject : job->subject;
}

char *
mailbox_job_hide(const struct job *job, const char *text)
{
	BUF_AUTO hidden = BUF_INIT;

	code_hide(span_from_str(text), &job->codes, &hidden);
	return buf_take_str(&hidden);
}

static void
hide(const struct job *job, char **text)
{
	char *old = *text;

	if (old == NULL)
		return;
	*text = mailbox_job_hide(job, old);
	free(old);
}

/* In what people read, and what commands are given; never in names, by which
 * things are found again. */
void
mailbox_job_format(
    const struct job *job, const struct action *action, struct buf *out)
{
	struct action kept = {.kind = action->kind};

	if (job->codes.len == 0) {
		action_format(out, action);
		return;
	}
	action_copy(&kept, action);
	hide(job, &kept.title);
	hide(job, &kept.text);
	for (size_t i = 1; i < kept.argv.len; i++)
		hide(job, &kept.argv.items[i]);
	action_format(out, &kept);
	action_done(&kept);
}

void
mailbox_job_note_codes(struct job *job, struct span text)
{
	if (job->clear_subject != NULL || text.len > 0)
		code_list(
		    span_from_str(mailbox_job_subject(job)), text, &job->codes);
}

/* ---- showing them again ---- */

static bool
hides(const char *text)
{
	return text != NULL && code_is_hidden(text);
}

bool
mailbox_job_is_hidden(const struct job *job, const struct action *action)
{
	bool hidden =
	    hides(job->subject) || hides(action->title) || hides(action->text);

	for (size_t i = 1; i < action->argv.len; i++)
		hidden = hidden || hides(action->argv.items[i]);
	return hidden && !job->is_fresh && job->clear_subject == NULL;
}

void
mailbox_task_show_codes(struct mailbox_task *task, struct span content)
{
	struct message *message = message_new(content);
	STR_AUTO subject = mailbox_decoded(message, "Subject");
	STRV_AUTO codes = STRV_INIT;

	message_free(&message);
	code_list(span_from_str(subject), SPAN_EMPTY, &codes);
	code_show(&task->subject, &codes);
	for (size_t i = 1; i < task->action.argv.len; i++)
		code_show(&task->action.argv.items[i], &codes);
}
