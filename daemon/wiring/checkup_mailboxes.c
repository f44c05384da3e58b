/*
 * Behind the login of a checkup: mailboxes, push, special folders, space.
 * Nothing is changed there: LIST, EXAMINE, FETCH of one date, IDLE.
 */
#include <stdlib.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/wire/imap/fetch.h"
#include "daemon/wiring/checkup_imap.h"

/* Mailboxes that are opened; more are only looked up in the list. */
#define EXAMINE_MAX 20
#define NAMES_SHOWN_MAX 3
/* Per cent of the quota. */
#define SPACE_FULL 100
#define SPACE_NEARLY_FULL 95

/* ---- commands ---- */

static bool
send_command(struct checkup_walk *walk, struct imap_command *command)
{
	walk->answered = false;
	walk->status = IMAP_STATUS_NONE;
	if (imap_session_send(walk->session, command, loop_now()) == 0)
		return false;
	checkup_link_kick(&walk->link);
	if (checkup_link_wait(&walk->link, &walk->answered, &walk->answered))
		return walk->status == IMAP_OK;
	buf_clear(&walk->answer);
	buf_add_str(&walk->answer,
	    walk->failed ? walk->error.text : "no answer in time");
	return false;
}

static bool
send_plain(struct checkup_walk *walk, const char *name)
{
	struct imap_command command;

	imap_session_command(walk->session, &command, name);
	return send_command(walk, &command);
}

static void
list_folders(struct checkup_walk *walk)
{
	uint64_t caps = imap_session_capabilities(walk->session);
	bool special = (caps & IMAP_CAP_SPECIAL_USE) != 0;
	struct imap_command command;

	if (caps & IMAP_CAP_NAMESPACE)
		send_plain(walk, "NAMESPACE");
	imap_session_command(walk->session, &command,
	    !special && (caps & IMAP_CAP_XLIST) ? "XLIST" : "LIST");
	imap_command_string(&command, SPAN(""));
	imap_command_string(&command, SPAN("*"));
	if (special && (caps & IMAP_CAP_LIST_EXTENDED))
		imap_command_raw(&command, "RETURN (SPECIAL-USE)");
	walk->folders.known = send_command(walk, &command);
}

static bool
examine(struct checkup_walk *walk, struct span wire)
{
	struct imap_command command;

	walk->exists = 0;
	imap_session_command(walk->session, &command, "EXAMINE");
	imap_command_mailbox(&command, wire);
	return send_command(walk, &command);
}

/* ---- watched mailboxes ---- */

static const char *
nearest_folder(const struct checkup_walk *walk, const char *name)
{
	const char **names =
	    xreallocarray(NULL, walk->folders.count + 1, sizeof(*names));
	const char *nearest;

	for (size_t i = 0; i < walk->folders.count; i++)
		names[i] = walk->folders.items[i].display;
	names[walk->folders.count] = NULL;
	nearest = str_nearest(span_from_str(name), names);
	free(names);
	return nearest;
}

static void
blame_mailbox(struct checkup_walk *walk, const char *name, const char *text,
    enum imap_refusal_kind refusal, bool is_known)
{
	struct doctor_facts facts =
	    checkup_facts(walk->checkup, DOCTOR_IMAP, DOCTOR_MAILBOXES);

	facts.mailbox = name;
	facts.text = text;
	facts.refusal = refusal;
	if (!is_known)
		facts.nearest = nearest_folder(walk, name);
	checkup_bad(walk->checkup, &facts, name, text);
}

static void
look_at_mailbox(struct checkup_walk *walk, const char *name)
{
	struct error error = ERROR_INIT;
	BUF_AUTO wire = BUF_INIT;
	const struct folder *folder;

	if (!folders_wire_name(&walk->folders, name, &wire, &error)) {
		blame_mailbox(
		    walk, name, error.text, IMAP_REFUSAL_MISSING, true);
		return;
	}
	folder = folders_find(&walk->folders, buf_span(&wire));
	if (folder != NULL && !folder->selectable) {
		blame_mailbox(walk, name, "Noselect", IMAP_REFUSAL_NONE, true);
		return;
	}
	if (!examine(walk, buf_span(&wire))) {
		blame_mailbox(walk, name, buf_str(&walk->answer),
		    folder == NULL && walk->folders.known ? IMAP_REFUSAL_MISSING
							  : walk->answer_kind,
		    folder != NULL || !walk->folders.known);
		return;
	}
	walk->watched++;
	checkup_good(walk->checkup, DOCTOR_IMAP, DOCTOR_MAILBOXES, name,
	    "opens; %llu message%s", (unsigned long long)walk->exists,
	    walk->exists == 1 ? "" : "s");
}

static void
look_at_pattern(struct checkup_walk *walk, const char *pattern)
{
	BUF_AUTO names = BUF_INIT;
	size_t count = 0;

	for (size_t i = 0; i < walk->folders.count; i++) {
		const struct folder *folder = &walk->folders.items[i];
		if (!folder->selectable ||
		    !folder_matches(pattern, folder->display))
			continue;
		if (count++ < NAMES_SHOWN_MAX)
			buf_addf(&names, "%s%s", count > 1 ? ", " : "",
			    folder->display);
	}
	walk->watched += count;
	if (count == 0)
		blame_mailbox(walk, pattern, "no mailbox fits the pattern",
		    IMAP_REFUSAL_NONE, true);
	else
		checkup_good(walk->checkup, DOCTOR_IMAP, DOCTOR_MAILBOXES,
		    pattern, "%zu mailbox%s: %s%s", count,
		    count == 1 ? "" : "es", buf_str(&names),
		    count > NAMES_SHOWN_MAX ? ", …" : "");
}

static bool
is_pattern(const char *name)
{
	return strpbrk(name, "*%") != NULL;
}

static void
look_at_watched(struct checkup_walk *walk)
{
	const struct strv *watch = &walk->checkup->account->watch;
	size_t opened = 0;

	for (size_t i = 0; i < watch->len && !checkup_link_is_over(&walk->link);
	     i++) {
		if (is_pattern(watch->items[i]))
			look_at_pattern(walk, watch->items[i]);
		else if (opened++ < EXAMINE_MAX)
			look_at_mailbox(walk, watch->items[i]);
	}
}

/* ---- the newest message's date is no later than now ---- */

static void
look_at_clock(struct checkup_walk *walk)
{
	struct imap_command command;
	int64_t now = loop_now_unix();

	if (!examine(walk, SPAN("INBOX")) || walk->exists == 0)
		return;
	imap_session_command(walk->session, &command, "UID FETCH");
	imap_command_raw(&command, "*");
	imap_command_raw(&command, "INTERNALDATE");
	if (!send_command(walk, &command) || walk->newest_unix == 0 ||
	    walk->checkup->server_unix != 0)
		return;
	walk->checkup->server_unix = walk->newest_unix;
	walk->checkup->local_unix = now;
	walk->checkup->is_at_least = true;
	walk->checkup->clock_source = xstrdup("the newest message in INBOX");
}

/* ---- push ---- */

static void
blame_push(struct checkup_walk *walk, const char *text)
{
	struct doctor_facts facts =
	    checkup_facts(walk->checkup, DOCTOR_IMAP, DOCTOR_PUSH);

	facts.text = facts.said = text;
	checkup_bad(walk->checkup, &facts, "IDLE", text);
}

static void
add_interval(struct buf *text, const struct checkup_walk *walk)
{
	usec_format(text, walk->checkup->account->poll);
}

static void
tell_push(struct checkup_walk *walk)
{
	uint64_t caps = imap_session_capabilities(walk->session);
	BUF_AUTO poll = BUF_INIT;

	add_interval(&poll, walk);
	if (walk->watched <= 1)
		checkup_good(walk->checkup, DOCTOR_IMAP, DOCTOR_PUSH, "IDLE",
		    "the server tells of new mail at once");
	else if (caps & IMAP_CAP_NOTIFY)
		checkup_good(walk->checkup, DOCTOR_IMAP, DOCTOR_PUSH,
		    "IDLE, NOTIFY",
		    "the server tells of new mail at once, of several "
		    "mailboxes on one connection");
	else
		checkup_good(walk->checkup, DOCTOR_IMAP, DOCTOR_PUSH, "IDLE",
		    "the server tells of new mail at once, of one mailbox for "
		    "each connection (at most %u are used, others are asked "
		    "every %s)",
		    walk->checkup->account->connections, buf_str(&poll));
}

static void
try_push(struct checkup_walk *walk)
{
	if (!(imap_session_capabilities(walk->session) & IMAP_CAP_IDLE)) {
		BUF_AUTO text = BUF_INIT;
		buf_add_str(&text, "not offered; asked every ");
		add_interval(&text, walk);
		blame_push(walk, buf_str(&text));
		return;
	}
	walk->answered = walk->idling = false;
	buf_clear(&walk->answer);
	imap_session_idle(walk->session, loop_now());
	checkup_link_kick(&walk->link);
	checkup_link_wait(&walk->link, &walk->idling, &walk->answered);
	if (!walk->idling) {
		blame_push(walk, walk->answer.len > 0
				     ? buf_str(&walk->answer)
				     : "it was not accepted in time");
		return;
	}
	imap_session_idle_done(walk->session, loop_now());
	checkup_link_kick(&walk->link);
	checkup_link_wait(&walk->link, &walk->answered, &walk->answered);
	tell_push(walk);
}

/* ---- special folders ---- */

static void
look_at_folder(void *ctx, const char *rule, const char *folder)
{
	struct checkup_walk *walk = ctx;
	struct doctor_facts facts =
	    checkup_facts(walk->checkup, DOCTOR_IMAP, DOCTOR_FOLDERS);
	struct error error = ERROR_INIT;
	BUF_AUTO wire = BUF_INIT, name = BUF_INIT;
	STR_AUTO tried = xasprintf("%s, for rule %s", folder, rule);

	if (folders_wire_name(&walk->folders, folder, &wire, &error)) {
		folders_display_name(&walk->folders, buf_span(&wire), &name);
		checkup_good(walk->checkup, DOCTOR_IMAP, DOCTOR_FOLDERS, tried,
		    "is %s", buf_str(&name));
		return;
	}
	facts.mailbox = folder;
	facts.rule = rule;
	facts.text = error.text;
	checkup_bad(walk->checkup, &facts, tried, error.text);
}

/* What there is, for who has no rule that needs one. */
static void
tell_folders(struct checkup_walk *walk)
{
	static const char *const uses[] = {
	    "\\Archive", "\\Junk", "\\Trash", "\\Sent"};
	BUF_AUTO text = BUF_INIT;

	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		BUF_AUTO wire = BUF_INIT;
		struct error error;
		if (!folders_wire_name(&walk->folders, uses[i], &wire, &error))
			continue;
		buf_addf(&text, "%s%s is ", text.len > 0 ? ", " : "", uses[i]);
		folders_display_name(&walk->folders, buf_span(&wire), &text);
	}
	checkup_good(walk->checkup, DOCTOR_IMAP, DOCTOR_FOLDERS, NULL, "%s",
	    text.len > 0 ? buf_str(&text) : "no special ones");
}

/* ---- space ---- */

static void
look_at_space(struct checkup_walk *walk)
{
	struct doctor_facts facts =
	    checkup_facts(walk->checkup, DOCTOR_IMAP, DOCTOR_SPACE);
	struct imap_command command;
	uint64_t percent;

	if (!checkup_link_heard(&walk->link, " QUOTA"))
		return;
	imap_session_command(walk->session, &command, "GETQUOTAROOT");
	imap_command_mailbox(&command, SPAN("INBOX"));
	if (!send_command(walk, &command) || walk->quota_limit == 0)
		return;
	percent = walk->quota_used / (walk->quota_limit / 100 + 1);
	if (walk->quota_used >= walk->quota_limit)
		percent = SPACE_FULL;
	STR_AUTO text = xasprintf("%llu of %llu MB are used, %llu %%%s",
	    (unsigned long long)walk->quota_used / 1024,
	    (unsigned long long)walk->quota_limit / 1024,
	    (unsigned long long)percent, percent >= SPACE_FULL ? ": full" : "");
	facts.text = text;
	if (percent >= SPACE_NEARLY_FULL)
		checkup_bad(walk->checkup, &facts, NULL, text);
	else
		checkup_good(
		    walk->checkup, DOCTOR_IMAP, DOCTOR_SPACE, NULL, "%s", text);
}

/* ---- the whole ---- */

void
checkup_imap_look_around(struct checkup_walk *walk)
{
	const struct config *config = walk->checkup->config->config;
	size_t before;

	list_folders(walk);
	look_at_watched(walk);
	look_at_clock(walk);
	try_push(walk);
	before = walk->checkup->report->count;
	if (config != NULL && !checkup_link_is_over(&walk->link))
		rules_each_special_folder(config->rules,
		    walk->checkup->account->name, look_at_folder, walk);
	if (walk->checkup->report->count == before &&
	    !checkup_link_is_over(&walk->link))
		tell_folders(walk);
	look_at_space(walk);
	imap_session_logout(walk->session, loop_now());
	checkup_link_kick(&walk->link);
	checkup_link_wait(&walk->link, &walk->closed, &walk->closed);
}
