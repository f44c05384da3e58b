/*
 * Actions that make no sense for a while: the target is full, or is not there,
 * or the server does not allow it. What is full waits, and one try an hour
 * finds out whether it still is; what is not allowed or not there fails at
 * once, with the words that it failed with, until the rules are loaded again,
 * or a day has passed, or an hour for what only has to be made. The person is
 * told when it begins, not with each message.
 */
#include "daemon/account/mailbox_private.h"
#include "daemon/base/xalloc.h"

#define FULL_USEC USEC_HOUR
#define FORBIDDEN_USEC USEC_DAY
#define MISSING_USEC USEC_HOUR

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

/* What is said when it begins; NULL: that is no reason. */
static const char *const begun[IMAP_REFUSAL_KINDS] = {
    [IMAP_REFUSAL_QUOTA] = "waits, and is tried again every hour",
    [IMAP_REFUSAL_RIGHTS] = "is not allowed, and not tried again today",
    [IMAP_REFUSAL_MISSING] = "is not done, and not tried again for an hour",
};

static void
tell(struct mailbox *mb, const struct suspension *suspension,
    enum imap_refusal_kind kind)
{
	BUF_AUTO what = BUF_INIT;

	action_describe(&what, &suspension->action);
	mailbox_report_to_person(
	    mb, "%s %s: %s", buf_str(&what), begun[kind], suspension->words);
}

static usec_t
how_long(struct mailbox *mb, enum imap_refusal_kind kind)
{
	if (kind == IMAP_REFUSAL_QUOTA)
		return random_jitter(&mb->random, FULL_USEC, 20);
	return kind == IMAP_REFUSAL_RIGHTS ? FORBIDDEN_USEC : MISSING_USEC;
}

void
mailbox_suspend(struct mailbox *mb, const struct action *action,
    enum imap_refusal_kind kind, const char *words, usec_t now)
{
	struct suspension *suspension;

	if (begun[kind] == NULL)
		return;
	suspension = find_or_add(mb, action);
	bool is_new = suspension->words == NULL;
	free(suspension->words);
	suspension->words = xstrdup(words);
	suspension->is_forbidden = kind != IMAP_REFUSAL_QUOTA;
	suspension->until = usec_add(now, how_long(mb, kind));
	if (is_new)
		tell(mb, suspension, kind);
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
