/*
 * Actions that make no sense for a while: the target is full, or the server
 * does not allow it. What is full waits, and one try an hour finds out whether
 * it still is; what is not allowed fails at once, with the server's words,
 * until the rules are loaded again or a day has passed. The person is told
 * when it begins, not with each message.
 */
#include "daemon/account/mailbox_private.h"
#include "daemon/base/xalloc.h"

#define FULL_USEC USEC_HOUR
#define FORBIDDEN_USEC USEC_DAY

static struct suspension *
find(struct mailbox *mb, const struct action *action)
{
	for (size_t i = 0; i < mb->suspension_count; i++)
		if (action_equal(&mb->suspensions[i].action, action))
			return &mb->suspensions[i];
	return NULL;
}

static void
remove_at(struct mailbox *mb, size_t index)
{
	action_done(&mb->suspensions[index].action);
	free(mb->suspensions[index].words);
	mb->suspension_count--;
	memmove(&mb->suspensions[index], &mb->suspensions[index + 1],
	    (mb->suspension_count - index) * sizeof(mb->suspensions[0]));
	if (mb->suspension_count > 0)
		return;
	free(mb->suspensions);
	mb->suspensions = NULL;
}

void
mailbox_suspensions_clear(struct mailbox *mb)
{
	while (mb->suspension_count > 0)
		remove_at(mb, mb->suspension_count - 1);
}

static struct suspension *
find_or_add(struct mailbox *mb, const struct action *action)
{
	struct suspension *found = find(mb, action);

	if (found != NULL)
		return found;
	if (mb->suspension_count == MAILBOX_SUSPENDED_MAX)
		remove_at(mb, 0);
	mb->suspensions = xreallocarray(mb->suspensions,
	    mb->suspension_count + 1, sizeof(mb->suspensions[0]));
	found = &mb->suspensions[mb->suspension_count++];
	*found = (struct suspension){.words = NULL};
	action_copy(&found->action, action);
	return found;
}

static void
tell(struct mailbox *mb, const struct suspension *suspension)
{
	BUF_AUTO what = BUF_INIT;

	action_describe(&what, &suspension->action);
	mailbox_report_to_person(mb,
	    suspension->is_forbidden
		? "%s is not allowed, and not tried again today: %s"
		: "%s waits, and is tried again every hour: %s",
	    buf_str(&what), suspension->words);
}

void
mailbox_suspend(struct mailbox *mb, const struct action *action,
    enum imap_refusal_kind kind, const char *words, usec_t now)
{
	struct suspension *suspension;

	if (kind != IMAP_REFUSAL_QUOTA && kind != IMAP_REFUSAL_RIGHTS)
		return;
	suspension = find_or_add(mb, action);
	bool is_new = suspension->words == NULL;
	free(suspension->words);
	suspension->words = xstrdup(words);
	suspension->is_forbidden = kind == IMAP_REFUSAL_RIGHTS;
	suspension->until =
	    usec_add(now, suspension->is_forbidden
			      ? FORBIDDEN_USEC
			      : random_jitter(&mb->random, FULL_USEC, 20));
	if (is_new)
		tell(mb, suspension);
}

void
mailbox_suspension_over(struct mailbox *mb, const struct action *action)
{
	struct suspension *found = find(mb, action);

	if (found != NULL)
		remove_at(mb, (size_t)(found - mb->suspensions));
}

usec_t
mailbox_suspended_until(const struct mailbox *mb, const struct action *action)
{
	const struct suspension *found =
	    find((struct mailbox *)(uintptr_t)mb, action);

	return found != NULL && !found->is_forbidden ? found->until : 0;
}

const char *
mailbox_forbidden(
    const struct mailbox *mb, const struct action *action, usec_t now)
{
	const struct suspension *found =
	    find((struct mailbox *)(uintptr_t)mb, action);

	return found != NULL && found->is_forbidden && now < found->until
		   ? found->words
		   : NULL;
}
