/*
 * account: one login that failed holds back those of the other mailboxes; and
 * mailboxes come and go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "daemon/account/account.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "tests/lib/rules_text.h"

struct fixture {
	struct strv watch, none;
	struct rules *rules;
	struct limits *limits;
	struct account_config config;
	struct account *account;
	usec_t now;
	unsigned connects, disconnects, secrets, left, ended;
	bool has_work; /* in A, at each LOAD from now on */
};

static int
set_up(void **state)
{
	static struct fixture f;
	struct rule_problems problems = {0};

	f = (struct fixture){.now = USEC_HOUR};
	strv_add(&f.watch, "INBOX");
	strv_add(&f.watch, "A");
	strv_add(&f.watch, "B");
	f.rules = rules_from_text("", &problems);
	f.limits = limits_new();
	f.config = (struct account_config){
	    .mailbox = {.account = "work",
		.imap = {.security = IMAP_SECURITY_TLS,
		    .user = "ann",
		    .host = "mail.example.org"},
		.identities = &f.none,
		.authserv = &f.none,
		.email = "ann@example.org"},
	    .watch = &f.watch,
	};
	f.account = account_new(&f.config, f.rules, f.limits, f.now);
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	account_free(&f->account);
	rules_free(&f->rules);
	limits_free(&f->limits);
	strv_done(&f->watch);
	return 0;
}

static const struct store_cursor cursor = {
    .account = "work", .uidvalidity = 5, .next_uid = 2, .judged = ""};

/* What is planned there for UID 1 is loaded, too. */
static void
load(struct fixture *f, struct mailbox *mailbox)
{
	const struct store_message message = {.key = {"work", "A", 5, 1},
	    .message_id = "",
	    .from = "",
	    .subject = ""};
	const struct store_effect effect = {.key = message.key,
	    .rule = "r",
	    .kind = "mark",
	    .action = "mark rule=r add=\\Seen",
	    .state = EFFECT_PLANNED,
	    .detail = ""};
	bool has_work = f->has_work && strcmp(mailbox_name(mailbox), "A") == 0;

	if (has_work)
		mailbox_load_effect(mailbox, &effect, &message);
	mailbox_loaded(mailbox, f->has_work ? &cursor : NULL, f->now);
}

/* Answers everything but logins, which are counted. */
static void
pull(struct fixture *f)
{
	struct account_event event;

	f->connects = f->disconnects = f->secrets = f->left = f->ended = 0;
	while (account_next_event(f->account, &event, f->now)) {
		if (event.event.kind == MAILBOX_LOAD)
			load(f, event.mailbox);
		f->connects += event.event.kind == MAILBOX_CONNECT;
		f->disconnects += event.event.kind == MAILBOX_DISCONNECT;
		f->secrets += event.event.kind == MAILBOX_SECRET;
		f->left += event.event.kind == MAILBOX_LEFT;
		f->ended += event.event.kind == MAILBOX_PROGRESS;
		if (event.event.kind == MAILBOX_COMMIT)
			mailbox_committed(event.mailbox, true, NULL, f->now);
		mailbox_event_done(&event.event);
	}
}

static void
greet(struct fixture *f, struct mailbox *mailbox)
{
	mailbox_connected(mailbox, f->now);
	mailbox_feed(mailbox,
	    SPAN("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] x\r\n"),
	    f->now);
}

static void
say(struct fixture *f, struct mailbox *mailbox, unsigned tag, const char *words)
{
	BUF_AUTO line = BUF_INIT;
	size_t len = mailbox_output(mailbox).len;

	mailbox_sent(mailbox, len);
	buf_addf(&line, "b%u %s\r\n", tag, words);
	mailbox_feed(mailbox, buf_span(&line), f->now);
	pull(f);
}

/* Connected: up to IDLE. */
static void
open_mailbox(struct fixture *f, struct mailbox *first)
{
	greet(f, first);
	mailbox_secret(first, SPAN("secret"), f->now);
	say(f, first, 1, "OK [CAPABILITY IMAP4rev1 IDLE] in");
	mailbox_feed(first,
	    SPAN("* LIST () \"/\" INBOX\r\n* LIST () \"/\" A\r\n"
		 "* LIST () \"/\" B\r\n"),
	    f->now);
	say(f, first, 2, "OK listed");
	mailbox_feed(first,
	    SPAN("* 0 EXISTS\r\n* OK [UIDVALIDITY 5] x\r\n"
		 "* OK [UIDNEXT 1] x\r\n"),
	    f->now);
	say(f, first, 3, "OK open");
}

/* Up to IDLE in the first one; then the others connect. */
static void
open_first(struct fixture *f)
{
	account_start(f->account, f->now);
	pull(f);
	assert_int_equal(f->connects, 1);
	open_mailbox(f, account_mailbox(f->account, 0));
}

static void
test_one_a_minute(void **state)
{
	struct fixture *f = *state;
	struct mailbox *a = account_mailbox(f->account, 1);
	struct mailbox *b = account_mailbox(f->account, 2);

	open_first(f);
	assert_int_equal(f->connects, 2);
	/* Both are on their way when one of them is refused. */
	greet(f, a);
	greet(f, b);
	mailbox_secret(a, SPAN("secret"), f->now);
	say(f, a, 1, "NO [UNAVAILABLE] Try again later");
	assert_int_equal(f->connects, 0);
	assert_true(mailbox_deadline(b) > f->now);
	/* Nor does the first one, when it loses its connection now. */
	mailbox_feed(
	    account_mailbox(f->account, 0), SPAN("* BYE bye\r\n"), f->now);
	f->now += 10 * USEC_SEC;
	mailbox_tick(account_mailbox(f->account, 0), f->now);
	pull(f);
	assert_int_equal(f->connects, 0);
	/* Not before the minute is over, and then both. */
	f->now += 49 * USEC_SEC;
	mailbox_tick(a, f->now);
	mailbox_tick(b, f->now);
	pull(f);
	assert_int_equal(f->connects, 0);
	f->now += USEC_MINUTE;
	mailbox_tick(a, f->now);
	mailbox_tick(b, f->now);
	pull(f);
	assert_int_equal(f->connects, 2);
	mailbox_tick(account_mailbox(f->account, 0), f->now);
	pull(f);
	assert_int_equal(f->connects, 1);
}

/* The first one's connection ends at once, again and again; how long until it
 * is back. */
static usec_t
lose_and_return(struct fixture *f, unsigned times)
{
	struct mailbox *first = account_mailbox(f->account, 0);
	usec_t begin = f->now;

	for (unsigned i = 0; i < times; i++) {
		mailbox_eof(first, f->now);
		pull(f);
		f->now = mailbox_deadline(first);
		mailbox_tick(first, f->now);
		pull(f);
		assert_true(f->connects > 0);
		open_mailbox(f, first);
	}
	return f->now - begin;
}

/* Who lets in and hangs up is not logged in to every two seconds. */
static void
test_a_few_in_a_row(void **state)
{
	struct fixture *f = *state;
	unsigned few = MAILBOX_LOGIN_BURST - 1;

	open_first(f);
	assert_in_range(lose_and_return(f, few), 0, few * 3 * USEC_SEC);
	assert_in_range(lose_and_return(f, 30), 29 * MAILBOX_LOGIN_USEC,
	    31 * 2 * MAILBOX_LOGIN_USEC);
	/* Some quiet time, and it comes back as fast as before. */
	f->now += MAILBOX_LOGIN_BURST * MAILBOX_LOGIN_USEC;
	assert_in_range(lose_and_return(f, few), 0, few * 3 * USEC_SEC);
}

/* Nor does a network that changes all the time shorten that. */
static void
test_hints_keep_the_pace(void **state)
{
	struct fixture *f = *state;
	struct mailbox *first = account_mailbox(f->account, 0);
	unsigned times = 3 * MAILBOX_LOGIN_BURST;

	open_first(f);
	usec_t begin = f->now;
	for (unsigned i = 0; i < times; i++) {
		mailbox_eof(first, f->now);
		pull(f);
		do {
			account_hint(f->account, f->now);
			f->now = mailbox_deadline(first);
			mailbox_tick(first, f->now);
			pull(f);
		} while (f->connects == 0);
		open_mailbox(f, first);
	}
	assert_true(f->now - begin >=
		    (times - MAILBOX_LOGIN_BURST) * MAILBOX_LOGIN_USEC);
}

/* A server that takes one connection only is believed for a day: the first
 * one's connection serves all. */
static void
test_limit_is_learned(void **state)
{
	struct fixture *f = *state;
	struct mailbox *a = account_mailbox(f->account, 1);
	struct mailbox *b = account_mailbox(f->account, 2);

	account_set_clock(f->account, 1800000000, 0, f->now);
	open_first(f);
	greet(f, a);
	greet(f, b);
	mailbox_secret(a, SPAN("secret"), f->now);
	say(f, a, 1, "NO [LIMIT] Too many connections");
	assert_true(mailbox_is_parked(a) && mailbox_is_parked(b));
	f->now += 2 * USEC_HOUR;
	mailbox_tick(a, f->now);
	mailbox_tick(b, f->now);
	pull(f);
	assert_int_equal(f->connects, 0);
	f->now += USEC_DAY;
	mailbox_tick(a, f->now);
	pull(f);
	assert_int_equal(f->connects, 1);
}

static size_t
count_connected(struct fixture *f)
{
	size_t count = 0;

	for (size_t i = 0; i < account_count(f->account); i++)
		count += mailbox_is_connected(account_mailbox(f->account, i));
	return count;
}

/* The second connection of two was refused to the mailbox that comes next in
 * the order, while a later one has it: it is not hung up, to wait then. */
static void
test_limit_leaves_what_is_there(void **state)
{
	struct fixture *f = *state;
	struct mailbox *a = account_mailbox(f->account, 1);
	struct mailbox *b = account_mailbox(f->account, 2);

	account_set_clock(f->account, 1800000000, 0, f->now);
	open_first(f);
	greet(f, a);
	open_mailbox(f, b);
	assert_int_equal(count_connected(f), 2);
	mailbox_secret(a, SPAN("secret"), f->now);
	say(f, a, 1, "NO [LIMIT] Too many connections");
	assert_int_equal(f->disconnects, 1);
	assert_true(mailbox_is_connected(b) || mailbox_has_left(b));
	f->now += 3 * USEC_SEC; /* longer than LOGOUT takes */
	mailbox_tick(b, f->now);
	pull(f);
	assert_int_equal(f->disconnects, 0);
	assert_true(mailbox_is_connected(a) || mailbox_is_connected(b));
}

/* A later mailbox is locked out: the person starts the account, and the first
 * one tries alone. */
static void
test_start_after_lockout(void **state)
{
	struct fixture *f = *state;
	struct mailbox *a = account_mailbox(f->account, 1);

	open_first(f);
	greet(f, a);
	mailbox_secret(a, SPAN("secret"), f->now);
	say(f, a, 1, "NO [AUTHENTICATIONFAILED] wrong");
	assert_non_null(account_lockout(f->account));
	/* The first one says LOGOUT. */
	f->now += 3 * USEC_SEC;
	mailbox_tick(account_mailbox(f->account, 0), f->now);
	pull(f);
	account_start(f->account, f->now);
	assert_null(account_lockout(f->account));
	pull(f);
	assert_int_equal(f->connects, 1);
	assert_true(mailbox_is_resting(a));
}

/* A refusal without a reason is tried once more, by one for all: the others
 * wait for what comes of it. */
static void
test_one_second_try(void **state)
{
	struct fixture *f = *state;
	struct mailbox *a = account_mailbox(f->account, 1);
	struct mailbox *b = account_mailbox(f->account, 2);

	open_first(f);
	greet(f, a);
	greet(f, b);
	mailbox_secret(a, SPAN("secret"), f->now);
	say(f, a, 1, "NO Login failed.");
	assert_null(account_lockout(f->account));
	for (unsigned i = 0; i < 5; i++) {
		f->now += USEC_MINUTE;
		mailbox_tick(b, f->now);
		pull(f);
		assert_int_equal(f->connects, 0);
	}
	mailbox_tick(a, f->now);
	pull(f);
	assert_int_equal(f->connects, 1);
	greet(f, a);
	mailbox_secret(a, SPAN("secret"), f->now);
	say(f, a, 1, "NO Login failed.");
	assert_non_null(account_lockout(f->account));
	assert_true(mailbox_is_resting(b));
}

static struct mailbox *
apply_old(struct fixture *f, struct error *error)
{
	const struct store_apply apply = {
	    .account = "work",
	    .mailbox = "Old",
	    .run = 1,
	    .rules = "",
	    .detail = "",
	};

	return account_apply(f->account, &apply, false, f->now, error);
}

/* A visitor's login is refused: it goes, its run is not over, and no other
 * comes for an hour, or until the account is started again. */
static void
test_visitor_refused(void **state)
{
	struct fixture *f = *state;
	struct error error = ERROR_INIT;

	open_first(f);
	struct mailbox *visitor = apply_old(f, &error);
	assert_non_null(visitor);
	pull(f);
	greet(f, visitor);
	mailbox_secret(visitor, SPAN("secret"), f->now);
	say(f, visitor, 1, "NO [AUTHENTICATIONFAILED] wrong");
	assert_int_equal(f->left, 1);
	assert_int_equal(f->ended, 0);
	account_let_go(f->account, visitor);
	f->now += USEC_MINUTE;
	assert_null(apply_old(f, &error));
	assert_string_equal(error.text, "the server refused the last login");
	f->now += USEC_HOUR;
	visitor = apply_old(f, &error);
	assert_non_null(visitor);
	pull(f);
	greet(f, visitor);
	mailbox_secret(visitor, SPAN("secret"), f->now);
	say(f, visitor, 1, "NO [AUTHENTICATIONFAILED] wrong");
	account_let_go(f->account, visitor);
	assert_null(apply_old(f, &error));
	account_start(f->account, f->now);
	assert_non_null(apply_old(f, &error));
}

static const char *
state_of(const struct mailbox *mailbox)
{
	struct mailbox_status status;

	mailbox_get_status(mailbox, &status);
	return status.state;
}

/* Other mailboxes are watched: who stays does not notice. */
static void
test_watch_changes(void **state)
{
	struct fixture *f = *state;
	struct mailbox *inbox = account_mailbox(f->account, 0);
	struct mailbox *a = account_mailbox(f->account, 1);
	struct mailbox *b = account_mailbox(f->account, 2);
	struct strv watch = STRV_INIT;

	open_first(f);
	open_mailbox(f, a);
	open_mailbox(f, b);
	strv_add(&watch, "B");
	strv_add(&watch, "C");
	strv_add(&watch, "INBOX");
	mailbox_sent(inbox, mailbox_output(inbox).len);
	mailbox_sent(b, mailbox_output(b).len);
	account_set_watch(f->account, &watch, f->now);
	pull(f);
	assert_int_equal(f->connects, 1); /* C */
	assert_int_equal(f->disconnects, 0);
	assert_string_equal(state_of(a), "logging out");
	assert_string_equal(state_of(b), "watching");
	assert_string_equal(state_of(inbox), "watching");
	assert_int_equal(mailbox_output(b).len, 0);
	assert_int_equal(mailbox_output(inbox).len, 0);
	assert_int_equal(account_count(f->account), 4);
	assert_ptr_equal(account_mailbox(f->account, 0), b);
	assert_string_equal(mailbox_name(account_mailbox(f->account, 1)), "C");
	open_mailbox(f, account_mailbox(f->account, 1));
	/* Who was dropped comes back, also while it says goodbye: the same
	 * one, as it knows what it has handed out. */
	strv_add(&watch, "A");
	account_set_watch(f->account, &watch, f->now);
	pull(f);
	assert_int_equal(account_count(f->account), 4);
	assert_ptr_equal(account_mailbox(f->account, 3), a);
	assert_int_equal(f->left, 0);
	assert_int_equal(f->connects, 1);
	/* A pattern takes up what its name says, and keeps who matches. */
	strv_done(&watch);
	strv_add(&watch, "INBOX");
	strv_add(&watch, "%");
	account_set_watch(f->account, &watch, f->now);
	pull(f);
	assert_string_equal(state_of(b), "watching");
	strv_done(&watch);
}

/* ---- one connection for all of them ---- */

/* What a server says to one line; false: it never answers that. */
static bool
answer(struct span line, struct buf *out, struct buf *idle)
{
	struct span rest = line, tag;

	if (span_starts(line, "DONE")) {
		buf_addf(out, "%s OK done\r\n", buf_str(idle));
		return true;
	}
	span_split(&rest, ' ', &tag);
	if (span_starts(rest, "UID STORE"))
		return false;
	if (span_starts(rest, "IDLE")) {
		buf_clear(idle);
		buf_add_span(idle, tag);
		buf_add_str(out, "+ idling\r\n");
		return true;
	}
	if (span_starts(rest, "SELECT"))
		buf_add_str(out, "* 1 EXISTS\r\n* OK [UIDVALIDITY 5] x\r\n"
				 "* OK [UIDNEXT 2] x\r\n");
	else if (span_starts(rest, "STATUS \"A\""))
		buf_add_str(out, "* STATUS A (UIDVALIDITY 5 UIDNEXT 2)\r\n");
	else if (span_starts(rest, "STATUS \"B\""))
		buf_add_str(out, "* STATUS B (UIDVALIDITY 5 UIDNEXT 2)\r\n");
	else if (span_starts(rest, "LIST"))
		buf_add_str(out,
		    "* LIST () \"/\" INBOX\r\n* LIST () \"/\" A\r\n"
		    "* LIST () \"/\" B\r\n");
	else if (span_starts(rest, "UID FETCH 1 (UID"))
		buf_add_str(out, "* 1 FETCH (UID 1 FLAGS ())\r\n");
	buf_addf(
	    out, "%.*s OK [CAPABILITY IMAP4rev1 IDLE] x\r\n", SPAN_FMT(tag));
	return true;
}

/* Who holds the connection is answered; false: by nothing. */
static bool
serve(struct fixture *f, struct mailbox *mailbox, struct buf *idle)
{
	BUF_AUTO out = BUF_INIT;
	STR_AUTO said = xstrdup_span(mailbox_output(mailbox));
	struct span rest = span_from_str(said), line;
	bool answers = true;

	mailbox_sent(mailbox, strlen(said));
	while (span_split(&rest, '\n', &line))
		if (line.len > 1)
			answers = answer(span_slice(line, 0, line.len - 1),
				      &out, idle) &&
				  answers;
	if (out.len > 0)
		mailbox_feed(mailbox, buf_span(&out), f->now);
	pull(f);
	return answers;
}

/* Half a minute; true: A was told to mark its message. */
static bool
is_a_marked(struct fixture *f)
{
	struct mailbox *a = account_mailbox(f->account, 1);
	BUF_AUTO idle = BUF_INIT;

	for (unsigned i = 0; i < 30; i++) {
		for (unsigned step = 0; step < 20; step++)
			for (size_t m = 0; m < 3; m++)
				if (!serve(f, account_mailbox(f->account, m),
					&idle))
					return mailbox_is_connected(a);
		f->now += USEC_SEC;
		for (size_t m = 0; m < 3; m++)
			mailbox_tick(account_mailbox(f->account, m), f->now);
		pull(f);
	}
	return false;
}

static void
connect_first(struct fixture *f)
{
	struct mailbox *first = account_mailbox(f->account, 0);

	account_start(f->account, f->now);
	pull(f);
	greet(f, first);
	mailbox_secret(first, SPAN("secret"), f->now);
}

/* Who is stopped in the middle of its work, on a connection that it shares,
 * goes on with it, without any news. */
static void
test_work_outlives_a_pause(void **state)
{
	struct fixture *f = *state;

	f->config.connections = 1;
	f->has_work = true;
	account_free(&f->account);
	f->account = account_new(&f->config, f->rules, f->limits, f->now);
	connect_first(f);
	assert_true(is_a_marked(f));
	account_stop(f->account, f->now);
	pull(f);
	connect_first(f);
	assert_true(is_a_marked(f));
}

/* Where IDLE is renewed seldom, what matches a pattern is looked for all the
 * same. */
static void
test_list_is_read_in_time(void **state)
{
	struct fixture *f = *state;
	struct mailbox *first = account_mailbox(f->account, 0);
	struct strv watch = STRV_INIT;
	usec_t latest;

	strv_add(&watch, "INBOX");
	strv_add(&watch, "New/*");
	f->config.mailbox.renew = 25 * USEC_MINUTE;
	account_free(&f->account);
	f->account = account_new(&f->config, f->rules, f->limits, f->now);
	account_set_watch(f->account, &watch, f->now);
	first = account_mailbox(f->account, 0);
	open_first(f);
	mailbox_feed(first, SPAN("+ idling\r\n"), f->now);
	pull(f);
	latest = usec_add(f->now, ACCOUNT_LIST_USEC + ACCOUNT_LIST_LATE_USEC);
	assert_true(mailbox_deadline(first) <= latest);
	f->now = latest;
	mailbox_tick(first, f->now);
	pull(f);
	say(f, first, 4, "OK idle done");
	say(f, first, 5, "OK none");
	assert_true(span_starts(mailbox_output(first), "b6 LIST "));
	strv_done(&watch);
}

/* The first one's IDLE was renewed, and it was asked how the others are. */
static void
be_told_of_a(struct fixture *f, const char *answer)
{
	struct mailbox *first = account_mailbox(f->account, 0);

	f->now += ACCOUNT_LOOK_USEC + USEC_MINUTE;
	mailbox_tick(first, f->now);
	pull(f);
	say(f, first, 4, "OK idle done");
	say(f, first, 5, "OK nothing new");
	mailbox_feed(first, SPAN("+ idling\r\n"), f->now);
	pull(f);
	say(f, first, 6, "OK idle done");
	STR_AUTO asked = xstrdup_span(mailbox_output(first));
	assert_non_null(strstr(asked, "b7 STATUS \"A\" "));
	assert_non_null(strstr(asked, "\r\nb8 STATUS \"B\" "));
	mailbox_feed(first, span_from_str(answer), f->now);
	say(f, first, 7, "OK told");
	say(f, first, 8, "NO it is gone");
}

/* Some servers say nothing to who has a mailbox open that was deleted and made
 * again. */
static void
test_others_hear_of_a_new_life(void **state)
{
	struct fixture *f = *state;
	struct mailbox *a = account_mailbox(f->account, 1);
	struct mailbox *b = account_mailbox(f->account, 2);

	open_first(f);
	open_mailbox(f, a);
	open_mailbox(f, b);
	for (size_t i = 0; i < 3; i++) {
		struct mailbox *mailbox = account_mailbox(f->account, i);
		mailbox_sent(mailbox, mailbox_output(mailbox).len);
		mailbox_feed(mailbox, SPAN("+ idling\r\n"), f->now);
	}
	pull(f);
	be_told_of_a(f, "* STATUS A (UIDNEXT 1 UIDVALIDITY 6 MESSAGES 0)\r\n");
	say(f, a, 4, "OK idle done");
	assert_true(span_starts(mailbox_output(a), "b5 SELECT \"A\""));
	assert_int_equal(mailbox_output(b).len, 0);
}

/* Nor is one opened anew that is as it was. */
static void
test_others_hear_of_the_same_life(void **state)
{
	struct fixture *f = *state;
	struct mailbox *a = account_mailbox(f->account, 1);

	open_first(f);
	open_mailbox(f, a);
	open_mailbox(f, account_mailbox(f->account, 2));
	for (size_t i = 0; i < 3; i++) {
		struct mailbox *mailbox = account_mailbox(f->account, i);
		mailbox_sent(mailbox, mailbox_output(mailbox).len);
		mailbox_feed(mailbox, SPAN("+ idling\r\n"), f->now);
	}
	pull(f);
	be_told_of_a(f, "* STATUS A (UIDNEXT 1 UIDVALIDITY 5 MESSAGES 0)\r\n");
	assert_int_equal(mailbox_output(a).len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_others_hear_of_a_new_life, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_others_hear_of_the_same_life, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_a_few_in_a_row, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_hints_keep_the_pace, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_limit_leaves_what_is_there, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_one_a_minute, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_limit_is_learned, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_start_after_lockout, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_one_second_try, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_visitor_refused, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_watch_changes, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_list_is_read_in_time, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_work_outlives_a_pause, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
