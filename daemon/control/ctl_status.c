/* status: how is everything? */
#include <inttypes.h>

#include "daemon/base/xalloc.h"
#include "daemon/control/ctl_bar.h"
#include "daemon/control/ctl_queue.h"
#include "daemon/control/ctl_status.h"
#include "daemon/control/ctl_table.h"

/* Forwards that somebody has to look at. */
static const char *const bad_forwards[] = {"failed", "held"};
static const char *const open_forwards[] = {
    "waiting", "sending", "failed", "held"};

#define JOURNAL_MAX 400 /* bytes; of a line of its own */
#define FEW_ACCOUNTS 10 /* a person sees at once how all of them are */
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* ---- is something in trouble? ---- */

/* Whether the person has to sign in: belfryctl login. */
static bool
wants_sign_in(const struct json *account)
{
	const char *state = json_get_str(json_get(account, "sign_in"), "state");

	return state != NULL && strcmp(state, "login-needed") == 0;
}

bool
ctl_status_is_trouble(const struct json *account)
{
	const struct json *mailboxes = json_get(account, "mailboxes");
	const struct json *forwards = json_get(account, "forwards");

	if (json_get_str(account, "locked_out") != NULL ||
	    json_get_str(account, "not_started") != NULL ||
	    wants_sign_in(account))
		return true;
	for (size_t i = 0; i < json_count(mailboxes); i++)
		if (json_get_str(json_at(mailboxes, i), "trouble") != NULL)
			return true;
	for (size_t i = 0; i < COUNT(bad_forwards); i++)
		if (json_get_int(forwards, bad_forwards[i], 0) > 0)
			return true;
	return json_get_str(forwards, "trouble") != NULL &&
	       json_get_int(forwards, "waiting", 0) > 0;
}

bool
ctl_status_is_bad(const struct json *answer)
{
	const struct json *accounts = json_get(answer, "accounts");

	if (json_get_str(answer, "journal") != NULL)
		return true;
	for (size_t i = 0; i < json_count(accounts); i++)
		if (ctl_status_is_trouble(json_at(accounts, i)))
			return true;
	return false;
}

/* "INBOX: no route", or what the forwards wait for. */
void
ctl_status_add_trouble(struct buf *out, const struct json *account)
{
	const struct json *mailboxes = json_get(account, "mailboxes");
	const struct json *forwards = json_get(account, "forwards");
	const char *text = json_get_str(account, "locked_out");

	if (text == NULL)
		text = json_get_str(account, "not_started");
	if (wants_sign_in(account))
		text = json_get_str(json_get(account, "sign_in"), "trouble");
	for (size_t i = 0; i < json_count(mailboxes) && text == NULL; i++) {
		text = json_get_str(json_at(mailboxes, i), "trouble");
		if (text == NULL)
			continue;
		ctl_add_clean(out,
		    json_get_str(json_at(mailboxes, i), "mailbox"),
		    CTL_CELL_MAX);
		buf_add_str(out, ": ");
	}
	if (text == NULL)
		text = json_get_str(forwards, "trouble");
	if (text == NULL && ctl_status_is_trouble(account))
		text = "a forward failed or is held";
	ctl_add_clean(out, text, CTL_CELL_MAX);
}

/* ---- for people ---- */

static void
add_header(struct buf *out, const struct json *answer, int64_t now)
{
	buf_add_str(out, "belfryd ");
	ctl_add_clean(out, json_get_str(answer, "version"), CTL_CELL_MAX);
	buf_addf(
	    out, ", pid %" PRId64 ", started ", json_get_int(answer, "pid", 0));
	ctl_add_ago(out, ctl_parse_time(json_get_str(answer, "started")), now);
	buf_add_str(out, ", ");
	ctl_add_count(out, (size_t)json_get_int(answer, "rules", 0), "rule");
	buf_add_str(out, " of ");
	ctl_add_clean(out, json_get_str(answer, "config"), CTL_CELL_MAX);
	if (json_get_bool(answer, "dry_run"))
		buf_add_str(out, ", dry run: nothing is changed");
	buf_add_char(out, '\n');
	if (json_get_str(answer, "journal") != NULL) {
		buf_add_str(out, "journal: ");
		ctl_add_clean(
		    out, json_get_str(answer, "journal"), JOURNAL_MAX);
		buf_add_char(out, '\n');
	}
}

/* Blank until the person's eye is wanted. */
static void
add_trouble(struct ctl_table *table, const struct json *mailbox)
{
	BUF_AUTO cell = BUF_INIT;
	const char *trouble = json_get_str(mailbox, "trouble");
	int64_t next = json_get_int(mailbox, "next_try_in_s", -1);

	ctl_add_clean(&cell, trouble, CTL_CELL_MAX);
	if (next >= 0 && trouble != NULL) {
		buf_add_str(&cell, "; next try in ");
		usec_format(&cell, (usec_t)next * USEC_SEC);
	}
	strv_add(&table->cells, buf_str(&cell));
}

static void
add_next_proof(struct ctl_table *table, const struct json *mailbox)
{
	BUF_AUTO cell = BUF_INIT;
	int64_t next = json_get_int(mailbox, "next_proof_in_s", -1);

	if (next >= 0) {
		buf_add_str(&cell, "in ");
		usec_format(&cell, (usec_t)next * USEC_SEC);
	}
	strv_add(&table->cells, buf_str(&cell));
}

/* What was learned about its server and the way there. */
static void
add_lessons(struct buf *out, const struct json *mailbox)
{
	int64_t renew = json_get_int(mailbox, "renew_s", 0);
	int64_t missed = json_get_int(mailbox, "missed_pushes", 0);

	if (renew > 0 && renew < json_get_int(mailbox, "renew_set_s", 0)) {
		buf_add_str(out, "    ");
		ctl_add_clean(
		    out, json_get_str(mailbox, "mailbox"), CTL_CELL_MAX);
		buf_add_str(out, ": renewed every ");
		usec_format(out, (usec_t)renew * USEC_SEC);
		buf_add_str(out, ", since connections died in silence\n");
	}
	if (missed > 0) {
		buf_add_str(out, "    ");
		ctl_add_clean(
		    out, json_get_str(mailbox, "mailbox"), CTL_CELL_MAX);
		buf_addf(out,
		    ": new mail was not pushed %" PRId64 " time%s%s\n", missed,
		    missed == 1 ? "" : "s",
		    json_get_bool(mailbox, "polled_too")
			? ", so the server is asked besides"
			: "");
	}
}

/* "watching, asked every 2 min": what is not pushed says how it is heard of. */
static void
add_state(struct ctl_table *table, const struct json *mailbox)
{
	BUF_AUTO cell = BUF_INIT;
	int64_t every = json_get_int(mailbox, "asked_every_s", 0);

	ctl_add_clean(&cell, json_get_str(mailbox, "state"), CTL_CELL_MAX);
	if (every > 0) {
		buf_add_str(&cell, ", asked every ");
		usec_format(&cell, (usec_t)every * USEC_SEC);
	}
	strv_add(&table->cells, buf_str(&cell));
}

static void
add_mailbox(struct ctl_table *table, const struct json *mailbox, int64_t now)
{
	BUF_AUTO proven = BUF_INIT;
	int64_t uid = json_get_int(mailbox, "next_uid", 0);

	ctl_add_ago(
	    &proven, ctl_parse_time(json_get_str(mailbox, "proven")), now);
	ctl_table_add(table, json_get_str(mailbox, "mailbox"));
	add_state(table, mailbox);
	ctl_table_add(table, buf_str(&proven));
	add_next_proof(table, mailbox);
	if (uid > 0)
		ctl_table_add_int(table, uid);
	else
		ctl_table_add(table, NULL);
	ctl_table_add_int(table, json_get_int(mailbox, "open", 0));
	add_trouble(table, mailbox);
}

static void
add_mailboxes(struct buf *out, const struct json *mailboxes, int64_t now)
{
	static const char *const heads[] = {"MAILBOX", "STATE", "PROVEN",
	    "NEXT PROOF", "NEXT UID", "OPEN", "TROUBLE"};
	struct ctl_table table;

	ctl_table_init(&table, COUNT(heads));
	table.has_heads = true;
	for (size_t i = 0; i < COUNT(heads); i++)
		ctl_table_add(&table, heads[i]);
	for (size_t i = 0; i < json_count(mailboxes); i++)
		add_mailbox(&table, json_at(mailboxes, i), now);
	ctl_table_print(&table, out, "    ");
	ctl_table_done(&table);
	for (size_t i = 0; i < json_count(mailboxes); i++)
		add_lessons(out, json_at(mailboxes, i));
}

static void
add_forwards(
    const struct ctl *ctl, struct buf *out, const struct json *forwards)
{
	const char *joint = "    forwards: ";
	const char *trouble = json_get_str(forwards, "trouble");

	for (size_t i = 0; i < COUNT(open_forwards); i++) {
		int64_t count = json_get_int(forwards, open_forwards[i], 0);
		if (count <= 0)
			continue;
		buf_addf(
		    out, "%s%" PRId64 " %s", joint, count, open_forwards[i]);
		joint = ", ";
	}
	if (*joint != ',')
		return;
	buf_add_str(out, " (belfryctl queue lists them)\n");
	if (trouble == NULL || json_get_int(forwards, "waiting", 0) == 0)
		return;
	buf_add_str(out, "    forwards ");
	ctl_queue_add_wait(ctl, out, forwards);
}

/* The circuit breaker (account/breaker.h). */
static void
add_stopped(struct buf *out, const struct json *forwards, const char *account)
{
	int64_t count = json_get_int(forwards, "stopped", 0);
	int64_t wait = json_get_int(forwards, "stopped_for_s", 0);

	if (count <= 0)
		return;
	buf_addf(out,
	    "    forwards of %" PRId64
	    " subject%s are stopped, as too many had the same: for ",
	    count, count == 1 ? "" : "s");
	usec_format(out, (usec_t)wait * USEC_SEC);
	buf_add_str(out, "; to go on: belfryctl queue resume ");
	ctl_add_clean(out, account, CTL_CELL_MAX);
	buf_add_char(out, '\n');
}

/* Who acts, where it is not simply this machine. */
static void
add_machines(struct buf *out, const struct json *account)
{
	const char *machines = json_get_str(account, "machines");

	if (machines == NULL || strcmp(machines, "no other machine") == 0)
		return;
	buf_add_str(out, "    machines: ");
	ctl_add_clean(out, machines, CTL_TEXT_MAX);
	buf_add_char(out, '\n');
}

/* In mailboxes that nobody watches (wiring/left_open.c). */
static void
add_left_open(struct buf *out, const struct json *left)
{
	for (size_t i = 0; i < json_count(left); i++) {
		const struct json *one = json_at(left, i);
		buf_add_str(out, "    left open: ");
		ctl_add_count(
		    out, (size_t)json_get_int(one, "actions", 0), "action");
		buf_add_str(out, " in ");
		ctl_add_clean(out, json_get_str(one, "mailbox"), CTL_CELL_MAX);
		buf_add_str(out, ", which ");
		ctl_add_clean(out, json_get_str(one, "what"), CTL_CELL_MAX);
		buf_add_char(out, '\n');
	}
}

static void
add_pause(struct buf *out, const struct json *account)
{
	const char *until = json_get_str(account, "paused_until");

	if (!json_get_bool(account, "paused"))
		return;
	buf_add_str(out, "    paused ");
	if (until != NULL) {
		buf_add_str(out, "until ");
		ctl_add_time(out, ctl_parse_time(until));
	} else {
		buf_add_str(out, "by you");
	}
	buf_add_str(out, "; to go on: belfryctl resume ");
	ctl_add_clean(out, json_get_str(account, "account"), CTL_CELL_MAX);
	buf_add_char(out, '\n');
}

/* Those that end soon. */
static void
add_certificates(struct buf *out, const struct json *certificates)
{
	for (size_t i = 0; i < json_count(certificates); i++) {
		const char *warning =
		    json_get_str(json_at(certificates, i), "warning");
		if (warning == NULL)
			continue;
		buf_add_str(out, "    ");
		ctl_add_clean(out, warning, CTL_TEXT_MAX);
		buf_add_char(out, '\n');
	}
}

/* Only what is not well. */
static void
add_sign_in(struct buf *out, const struct json *sign_in)
{
	const char *trouble =
	    sign_in != NULL ? json_get_str(sign_in, "trouble") : NULL;

	if (trouble == NULL)
		return;
	buf_add_str(out, "    sign-in: ");
	ctl_add_clean(out, trouble, CTL_TEXT_MAX);
	buf_add_char(out, '\n');
}

static void
add_account(const struct ctl *ctl, struct buf *out, const struct json *account,
    int64_t now)
{
	const char *locked_out = json_get_str(account, "locked_out");
	BUF_AUTO name = BUF_INIT;

	ctl_add_clean(&name, json_get_str(account, "account"), CTL_CELL_MAX);
	buf_add_str(out, "\naccount ");
	ctl_add_colored(ctl, out,
	    ctl_status_is_trouble(account) ? CTL_BAD : CTL_GOOD,
	    buf_str(&name));
	buf_add_str(out, ": ");
	ctl_add_clean(out, json_get_str(account, "email"), CTL_CELL_MAX);
	buf_add_str(out, " at ");
	ctl_add_clean(out, json_get_str(account, "server"), CTL_CELL_MAX);
	buf_add_char(out, '\n');
	add_sign_in(out, json_get(account, "sign_in"));
	if (locked_out != NULL && !wants_sign_in(account)) {
		buf_add_str(out, "    locked out: ");
		ctl_add_clean(out, locked_out, CTL_TEXT_MAX);
		buf_add_str(
		    out, "\n    put it right, then: belfryctl reload\n");
	}
	if (json_get_str(account, "not_started") != NULL) {
		buf_add_str(out, "    not started: ");
		ctl_add_clean(
		    out, json_get_str(account, "not_started"), CTL_TEXT_MAX);
		buf_add_str(out, "; tried again every 30 s\n");
		return;
	}
	add_pause(out, account);
	add_certificates(out, json_get(account, "certificates"));
	add_mailboxes(out, json_get(account, "mailboxes"), now);
	add_machines(out, account);
	add_left_open(out, json_get(account, "left_open"));
	add_forwards(ctl, out, json_get(account, "forwards"));
	add_stopped(out, json_get(account, "forwards"),
	    json_get_str(account, "account"));
}

static size_t
add_accounts_if(const struct ctl *ctl, struct buf *out,
    const struct json *accounts, bool in_trouble, int64_t now)
{
	size_t count = 0;

	for (size_t i = 0; i < json_count(accounts); i++) {
		const struct json *account = json_at(accounts, i);
		if (ctl_status_is_trouble(account) != in_trouble)
			continue;
		add_account(ctl, out, account, now);
		count++;
	}
	return count;
}

/* Of many those in trouble stand last, where they are seen. */
static void
add_many_accounts(const struct ctl *ctl, struct buf *out,
    const struct json *accounts, int64_t now)
{
	size_t well = add_accounts_if(ctl, out, accounts, false, now);
	size_t bad = add_accounts_if(ctl, out, accounts, true, now);

	buf_addf(out, "\n%zu accounts: ", well + bad);
	if (bad == 0)
		buf_add_str(out, "all are well\n");
	else
		buf_addf(out, "%zu in trouble, %zu well\n", bad, well);
}

static void
add_accounts(const struct ctl *ctl, struct buf *out,
    const struct json *accounts, int64_t now)
{
	if (json_count(accounts) > FEW_ACCOUNTS) {
		add_many_accounts(ctl, out, accounts, now);
		return;
	}
	for (size_t i = 0; i < json_count(accounts); i++)
		add_account(ctl, out, json_at(accounts, i), now);
	if (json_count(accounts) == 0)
		buf_add_str(out, "no account runs\n");
}

static void
add_escalations(struct buf *out, int64_t count)
{
	if (count <= 0)
		return;
	buf_add_char(out, '\n');
	ctl_add_count(out, (size_t)count, "notification");
	buf_add_str(out, count == 1 ? " waits to be escalated\n"
				    : " wait to be escalated\n");
}

static void
add_notifier(struct buf *out, const struct json *notifier)
{
	const char *state = json_get_str(notifier, "state");
	int64_t until = ctl_parse_time(json_get_str(notifier, "quiet_until"));
	int64_t waiting = json_get_int(notifier, "waiting", 0);

	if (state == NULL || (strcmp(state, "ready") == 0 && waiting == 0))
		return;
	buf_add_str(out, "\nnotifier ");
	ctl_add_clean(out, json_get_str(notifier, "notifier"), CTL_CELL_MAX);
	buf_add_str(out, ": ");
	ctl_add_clean(out, state, CTL_CELL_MAX);
	if (until > 0) {
		buf_add_str(out, " until ");
		ctl_add_time(out, until);
	}
	if (waiting > 0) {
		buf_add_str(out, ", ");
		ctl_add_count(out, (size_t)waiting, "notification");
		buf_add_str(out, waiting == 1 ? " waits" : " wait");
	}
	buf_add_char(out, '\n');
}

void
ctl_status_print(
    const struct ctl *ctl, struct buf *out, const struct json *answer)
{
	int64_t now = ctl_now_unix();

	add_header(out, answer, now);
	add_accounts(ctl, out, json_get(answer, "accounts"), now);
	const struct json *notifiers = json_get(answer, "notifiers");
	for (size_t i = 0; i < json_count(notifiers); i++)
		add_notifier(out, json_at(notifiers, i));
	add_escalations(out, json_get_int(answer, "escalations", 0));
	ctl_fold(out, ctl_columns());
}

static int
print_bar(struct ctl *ctl, const struct ctl_bar *bar)
{
	BUF_AUTO out = BUF_INIT;
	BUF_AUTO why = BUF_INIT;
	struct json *answer = NULL;

	ctl->mute = true;
	ctl->said = &why;
	ctl_ask(ctl, ctl_request(ctl), &answer);
	ctl->said = NULL;
	ctl_bar_add(bar, &out, answer, buf_str(&why));
	json_free(&answer);
	return ctl_finish(&out, EX_OK);
}

int
ctl_status(struct ctl *ctl)
{
	const char *format = ctl_get(ctl, "format");
	const struct ctl_bar *bar = NULL;
	BUF_AUTO out = BUF_INIT;
	struct json *answer = NULL;

	if (format != NULL && (bar = ctl_bar_find(format)) == NULL)
		return ctl_fail(ctl, EX_USAGE, ctl_bar_names,
		    "--format: there is none called %s", format);
	if (ctl_has(ctl, "follow"))
		return ctl_status_follow(ctl, bar);
	if (bar != NULL)
		return print_bar(ctl, bar);
	int code = ctl_ask(ctl, ctl_request(ctl), &answer);
	if (code != EX_OK)
		return code;
	code = ctl_status_is_bad(answer) ? CTL_EXIT_TROUBLE : EX_OK;
	if (ctl->json)
		return ctl_finish_json(answer, code);
	ctl_status_print(ctl, &out, answer);
	json_free(&answer);
	return ctl_finish(&out, code);
}
