/*
 * account/mailbox: what arrived while it was away is judged in bounded memory,
 * however much it is. Memory is counted by the allocator, not the kernel.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <malloc.h>
#include <stdio.h>

#include "daemon/account/mailbox.h"
#include "daemon/base/xalloc.h"
#include "tests/lib/rules_text.h"

#define FEW 10000
#define MANY 100000
/* Of a window of messages with their plans. */
#define PEAK_MAX (16 * 1024 * 1024)
#define SENDERS 100

#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
#define CAN_COUNT 1
static size_t
allocated(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}
#else
#define CAN_COUNT 0
static size_t
allocated(void)
{
	return 0;
}
#endif

/* A mailbox of `count` messages, its client, and what both came to. */
struct world {
	struct mailbox *mailbox;
	struct buf line; /* of the client's, not yet ended */
	uint32_t count, fetched, marked, judged;
	bool idles, was_rebuilt; /* since it was met */
	char *told;		 /* the last warning */
	usec_t now;
	size_t base, peak;
};

static void pull(struct world *w);

static void
say(struct world *w, struct span text)
{
	mailbox_feed(w->mailbox, text, w->now);
	pull(w);
	size_t used = allocated();
	if (used > w->base && used - w->base > w->peak)
		w->peak = used - w->base;
}

static void
say_ok(struct world *w, struct span tag)
{
	BUF_AUTO text = BUF_INIT;

	buf_add_span(&text, tag);
	buf_add_str(
	    &text, " OK [CAPABILITY IMAP4rev1 IDLE MOVE UIDPLUS] ok\r\n");
	say(w, buf_span(&text));
}

static void
say_message(struct world *w, uint32_t uid)
{
	BUF_AUTO header = BUF_INIT, text = BUF_INIT;

	buf_addf(&header,
	    "From: Somebody <s%u@example.com>\r\n"
	    "Subject: %s number %u, with a subject of some length\r\n"
	    "Message-ID: <%u.abcdefghijklmnopqrstuvwxyz@example.com>\r\n\r\n",
	    uid % SENDERS, uid % 100 == 0 ? "hello" : "message", uid, uid);
	buf_addf(&text,
	    "* %u FETCH (UID %u FLAGS () INTERNALDATE "
	    "\"17-Nov-2026 10:00:00 +0000\" RFC822.SIZE 300 "
	    "BODY[HEADER.FIELDS (\"From\")] {%zu}\r\n",
	    uid, uid, header.len);
	buf_add_span(&text, buf_span(&header));
	buf_add_str(&text, ")\r\n");
	w->fetched++;
	say(w, buf_span(&text));
}

static void
on_fetch(struct world *w, struct span tag, struct span set)
{
	struct imap_seqset uids = IMAP_SEQSET_INIT;

	if (imap_seqset_parse(set, &uids))
		for (uint32_t uid = uids.ranges[0].first;
		     uid <= uids.ranges[0].last && uid <= w->count; uid++)
			say_message(w, uid);
	imap_seqset_done(&uids);
	say_ok(w, tag);
}

static void
on_select(struct world *w, struct span tag)
{
	BUF_AUTO text = BUF_INIT;

	buf_addf(&text,
	    "* %u EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT %u] x\r\n",
	    w->count, w->count + 1);
	say(w, buf_span(&text));
	say_ok(w, tag);
}

static struct span
take_word(struct span *text)
{
	struct span word;

	return span_split(text, ' ', &word) ? word : SPAN_EMPTY;
}

static void
on_line(struct world *w, struct span line)
{
	struct span tag = take_word(&line), name = take_word(&line);

	if (span_is(name, "UID")) {
		name = take_word(&line);
		if (span_is(name, "FETCH")) {
			on_fetch(w, tag, take_word(&line));
		} else if (span_is(name, "SEARCH")) {
			BUF_AUTO text = BUF_INIT;
			buf_addf(&text, "%.*s BAD what?\r\n", SPAN_FMT(tag));
			say(w, buf_span(&text));
		} else {
			w->marked++;
			say_ok(w, tag);
		}
	} else if (span_is(name, "LIST")) {
		say(w, SPAN("* LIST () \"/\" INBOX\r\n"));
		say_ok(w, tag);
	} else if (span_is(name, "SELECT")) {
		on_select(w, tag);
	} else if (span_is(name, "IDLE")) {
		w->idles = true;
	} else {
		say_ok(w, tag);
	}
}

static bool
take_line(struct world *w)
{
	struct span output = mailbox_output(w->mailbox);
	size_t end = span_find(output, '\n');

	if (end == SIZE_MAX)
		return false;
	buf_clear(&w->line);
	buf_add_span(&w->line, span_trim(span_slice(output, 0, end)));
	mailbox_sent(w->mailbox, end + 1);
	return true;
}

/* Of all only one is known, which was judged long before the others came. */
static void
answer_recall(struct world *w)
{
	struct recall *recall = recall_new();

	recall_note(recall,
	    &(struct store_message){.message_id = "<x@example.com>",
		.from = "x",
		.subject = "x",
		.judged_unix = 1000000},
	    true);
	mailbox_recalled(w->mailbox, &recall, w->now);
}

static void
answer(struct world *w, const struct mailbox_event *event)
{
	if (event->kind == MAILBOX_LOAD) {
		const struct store_cursor cursor = {.account = "work",
		    .mailbox = "INBOX",
		    .uidvalidity = w->was_rebuilt ? 6 : 7,
		    .next_uid = 1};
		mailbox_loaded(w->mailbox, &cursor, w->now);
	} else if (event->kind == MAILBOX_CONNECT) {
		mailbox_connected(w->mailbox, w->now);
		mailbox_feed(w->mailbox,
		    SPAN(
			"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] x\r\n"),
		    w->now);
	} else if (event->kind == MAILBOX_SECRET) {
		mailbox_secret(w->mailbox, SPAN("secret"), w->now);
	} else if (event->kind == MAILBOX_RECALL) {
		answer_recall(w);
	} else if (event->kind == MAILBOX_COMMIT) {
		mailbox_committed(w->mailbox, true, NULL, w->now);
	} else if (event->kind == MAILBOX_REPORT) {
		w->judged += event->report->kind == REPORT_JUDGED;
		if (event->report->kind == REPORT_WARNING) {
			free(w->told);
			w->told = xstrdup(event->report->text);
		}
	}
}

static void
pull(struct world *w)
{
	struct mailbox_event event;

	while (mailbox_next_event(w->mailbox, &event, w->now)) {
		answer(w, &event);
		mailbox_event_done(&event);
	}
}

/* Until it watches. The caller frees `told`. */
static void
play(struct world *w)
{
	struct rule_problems problems = {0};
	struct rules *rules = rules_from_text(
	    "[rule a]\nwhen = subject has hello\nmark = flagged\n", &problems);
	struct limits *limits = limits_new();
	struct strv none = STRV_INIT;
	const struct mailbox_config config = {.account = "work",
	    .imap = {.security = IMAP_SECURITY_TLS,
		.user = "ann",
		.host = "mail.example.org"},
	    .identities = &none,
	    .authserv = &none,
	    .email = "ann@example.org"};

	w->now = USEC_HOUR;
	w->mailbox = mailbox_new(&config,
	    &(struct mailbox_which){.name = "INBOX"}, rules, limits, w->now);
	w->base = allocated();
	mailbox_start(w->mailbox, w->now);
	pull(w);
	while (!w->idles && take_line(w)) {
		BUF_AUTO line = BUF_INIT;
		buf_add_span(&line, buf_span(&w->line));
		on_line(w, buf_span(&line));
	}
	assert_true(w->idles);
	mailbox_free(&w->mailbox);
	limits_free(&limits);
	rules_free(&rules);
	buf_done(&w->line);
}

/* The peak of memory above what the idle mailbox has. */
static size_t
catch_up(uint32_t count)
{
	struct world w = {.count = count, .line = BUF_INIT};

	play(&w);
	assert_int_equal(w.judged, count);
	assert_int_equal(w.fetched, count);
	assert_true(w.marked >= 1);
	free(w.told);
	return w.peak;
}

/* A mailbox that was rebuilt: who is not known is judged, but not a multitude,
 * which cannot be news. */
static void
test_too_many(void **state)
{
	struct world few = {
	    .count = 5000, .was_rebuilt = true, .line = BUF_INIT};
	struct world many = {
	    .count = 5001, .was_rebuilt = true, .line = BUF_INIT};

	(void)state;
	play(&few);
	assert_int_equal(few.judged, 5000);
	assert_int_equal(few.fetched, 10000); /* compared, then judged */
	assert_non_null(strstr(few.told, "5000 messages came before"));
	play(&many);
	assert_int_equal(many.judged, 0);
	assert_non_null(strstr(many.told, "5001 messages in it are not known"));
	if (CAN_COUNT)
		assert_true(few.peak <= PEAK_MAX && many.peak <= PEAK_MAX);
	free(few.told);
	free(many.told);
}

static void
test_bounded(void **state)
{
	(void)state;
	size_t few = catch_up(FEW), many = catch_up(MANY);

	printf("%d messages: %zu kB, %d messages: %zu kB\n", FEW, few / 1024,
	    MANY, many / 1024);
	if (!CAN_COUNT)
		skip();
	assert_true(many <= PEAK_MAX);
	/* Ten times as many take no more room. */
	assert_true(many <= few + few / 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bounded),
	    cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
