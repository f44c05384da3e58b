/*
 * What the mailbox says to its owner.
 */
#include <assert.h>
#include <stdarg.h>

#include "daemon/account/mailbox_private.h"
#include "daemon/base/xalloc.h"

static const char *const report_names[REPORT_KINDS] = {
    [REPORT_CONNECTED] = "connected",
    [REPORT_WATCHING] = "watching",
    [REPORT_FIRST_CONTACT] = "first-contact",
    [REPORT_JUDGED] = "judged",
    [REPORT_KNOWN] = "known",
    [REPORT_DONE] = "done",
    [REPORT_REFUSED] = "refused",
    [REPORT_TROUBLE] = "trouble",
    [REPORT_WARNING] = "warning",
    [REPORT_ALERT] = "alert",
};

const char *
report_kind_name(enum report_kind kind)
{
	assert(kind < REPORT_KINDS);
	return report_names[kind];
}

void
mailbox_emit(struct mailbox *mb, struct mailbox_event event)
{
	struct queued_event *queued = NEW(struct queued_event);

	queued->event = event;
	list_add(&mb->events, &queued->link);
}

static void report(struct mailbox *mb, enum report_kind kind, uint32_t uid,
    const char *format, va_list args) __attribute__((format(printf, 4, 0)));

static void
report(struct mailbox *mb, enum report_kind kind, uint32_t uid,
    const char *format, va_list args)
{
	struct mailbox_report *made = NEW(struct mailbox_report);
	BUF_AUTO text = BUF_INIT;

	buf_vaddf(&text, format, args);
	made->kind = kind;
	made->uid = uid;
	made->text = buf_take_str(&text);
	made->retry_in = USEC_NEVER;
	mailbox_emit(
	    mb, (struct mailbox_event){.kind = MAILBOX_REPORT, .report = made});
}

void
mailbox_report(struct mailbox *mb, enum report_kind kind, uint32_t uid,
    const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report(mb, kind, uid, format, args);
	va_end(args);
}

void
mailbox_report_to_person(struct mailbox *mb, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report(mb, REPORT_WARNING, 0, format, args);
	va_end(args);
	LIST_ITEM(mb->events.prev, struct queued_event, link)
	    ->event.report->for_person = true;
}

void
mailbox_report_refusal(
    struct mailbox *mb, uint32_t uid, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report(mb, REPORT_REFUSED, uid, format, args);
	va_end(args);
	LIST_ITEM(mb->events.prev, struct queued_event, link)
	    ->event.report->for_person = true;
}

void
mailbox_warn(struct mailbox *mb, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report(mb, REPORT_WARNING, 0, format, args);
	va_end(args);
}

static void
report_free(struct mailbox_report *old)
{
	if (old == NULL)
		return;
	free(old->text);
	free(old->from);
	free(old->subject);
	free(old->rules);
	free(old);
}

static void
task_content_free(struct mailbox_task *task)
{
	if (task == NULL)
		return;
	action_done(&task->action);
	buf_done(&task->input);
	strv_done(&task->environment);
	free(task->from);
	free(task->subject);
	free(task->message_id);
	free(task->moved_to);
	free(task->preview);
	free(task->text);
	free(task);
}

void
mailbox_event_done(struct mailbox_event *event)
{
	task_content_free(event->task);
	report_free(event->report);
	mailbox_explained_free(&event->explained);
	mailbox_found_free(&event->found);
	mailbox_previewed_free(&event->previewed);
	free(event->name);
	*event = (struct mailbox_event){0};
}

void
mailbox_emit_need(struct mailbox *mb, enum mailbox_event_kind kind)
{
	mailbox_emit(mb, (struct mailbox_event){.kind = kind});
}
