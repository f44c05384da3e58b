/*
 * What stands in a message can leave its folder, argument, line or
 * notification in no way: thousands of hostile messages against rules that
 * put them everywhere. The seed is fixed; SEED in the environment takes
 * another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "daemon/base/base64.h"
#include "daemon/base/random.h"
#include "daemon/base/xalloc.h"
#include "daemon/mail/message.h"
#include "rules/rules.h"
#include "tests/lib/plan-check.h"
#include "tests/lib/rules_text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MESSAGES 40000
#define PIECES_MAX 6
#define LONG_MAX 5000

/* What somebody who wants out would write. */
static const struct span pieces[] = {
    SPAN_INIT(""),
    SPAN_INIT("a"),
    SPAN_INIT("INBOX"),
    SPAN_INIT("inBox"),
    SPAN_INIT("."),
    SPAN_INIT(".."),
    SPAN_INIT("../"),
    SPAN_INIT("../../etc/passwd"),
    SPAN_INIT("/"),
    SPAN_INIT("\\"),
    SPAN_INIT("\\Trash"),
    SPAN_INIT("\\Seen"),
    SPAN_INIT("|"),
    SPAN_INIT("_"),
    SPAN_INIT("^"),
    SPAN_INIT("*"),
    SPAN_INIT("%"),
    SPAN_INIT("%00"),
    SPAN_INIT("%2F"),
    SPAN_INIT("&"),
    SPAN_INIT("&-"),
    SPAN_INIT("&Jjo-"),
    SPAN_INIT("&AC8-"),
    SPAN_INIT("~"),
    SPAN_INIT("~root"),
    SPAN_INIT("#news."),
    SPAN_INIT(" "),
    SPAN_INIT("\t"),
    SPAN_INIT("\r"),
    SPAN_INIT("\n"),
    SPAN_INIT("\r\n"),
    SPAN_INIT("\r\nBcc: evil@x.example\r\n"),
    SPAN_INIT("\r\nA1 DELETE INBOX\r\n"),
    SPAN_INIT("\n\n"),
    SPAN_INIT("\r\n.\r\n"),
    SPAN_INIT("\0"),
    SPAN_INIT("\x1b[31m"),
    SPAN_INIT("\x7f"),
    SPAN_INIT("\b\b\b"),
    SPAN_INIT("-"),
    SPAN_INIT("-rf"),
    SPAN_INIT("--help"),
    SPAN_INIT("'"),
    SPAN_INIT("\""),
    SPAN_INIT("`id`"),
    SPAN_INIT("$(id)"),
    SPAN_INIT("${x}"),
    SPAN_INIT("${y}"),
    SPAN_INIT("$${x}"),
    SPAN_INIT("; rm -rf ~ #"),
    SPAN_INIT("() { :; }; id"),
    SPAN_INIT("<a href=\"http://x.example\">b</a>"),
    SPAN_INIT("<img src=x>&amp;"),
    SPAN_INIT("{10}"),
    SPAN_INIT("{10+}\r\n"),
    SPAN_INIT("\" {1}"),
    SPAN_INIT("(a"),
    SPAN_INIT(")"),
    SPAN_INIT("a=b c=d"),
    SPAN_INIT("=?utf-8?q?=2F=00=0D=0A?="),
    SPAN_INIT("\xe2\x88\x95"),	    /* U+2215, a slash of mathematics */
    SPAN_INIT("\xef\xbc\x8f"),	    /* U+FF0F, a wide slash */
    SPAN_INIT("\xef\xbc\x8e"),	    /* U+FF0E, a wide dot */
    SPAN_INIT("\xe2\x80\xae"),	    /* U+202E, right to left */
    SPAN_INIT("\xe2\x81\xa6"),	    /* U+2066, an isolate */
    SPAN_INIT("\xd8\x9c"),	    /* U+061C */
    SPAN_INIT("\xe2\x80\x8b"),	    /* U+200B, zero width */
    SPAN_INIT("\xe2\x80\xa8"),	    /* U+2028, a line end */
    SPAN_INIT("\xc2\x85"),	    /* U+0085, another */
    SPAN_INIT("\xc2\xa0"),	    /* U+00A0, a blank */
    SPAN_INIT("e\xcc\x81\xcc\x81"), /* combining marks */
    SPAN_INIT("\xef\xbf\xbe"),	    /* U+FFFE */
    SPAN_INIT("\xf3\xa0\x81\x81"),  /* U+E0041, a tag */
    SPAN_INIT("\xf0\x9f\x98\x80"),  /* beyond the first plane */
    SPAN_INIT("\xc3\xa4"),
    SPAN_INIT("\xc3"), /* invalid from here on */
    SPAN_INIT("\x80"),
    SPAN_INIT("\xff"),
    SPAN_INIT("\xc0\xaf"),
    SPAN_INIT("\xed\xa0\x80"),
    SPAN_INIT("\xf4\x90\x80\x80"),
};

/* ---- hostile messages ---------------------------------------------- */

static void
add_text(struct random *random, struct buf *text)
{
	uint64_t count =
	    random_below(random, 1 + random_below(random, PIECES_MAX));

	for (uint64_t i = 0; i < count; i++) {
		struct span piece = pieces[random_below(random, COUNT(pieces))];
		uint64_t times = random_below(random, 100) == 0
				     ? random_below(random, LONG_MAX)
				     : 1;

		for (uint64_t k = 0; k < times; k++)
			buf_add_span(text, piece);
	}
}

/* As it is, folded, or in an encoded word, where each byte arrives. */
static void
add_value(struct random *random, struct buf *out)
{
	BUF_AUTO text = BUF_INIT;

	add_text(random, &text);
	/* An encoded word of nothing is none. */
	switch (text.len == 0 ? 0 : random_below(random, 4)) {
	case 0:
		buf_add_span(out, buf_span(&text));
		break;
	case 1:
		buf_add_str(out, "a\r\n ");
		buf_add_span(out, buf_span(&text));
		break;
	default:
		buf_add_str(out, "=?utf-8?b?");
		base64_encode(out, buf_span(&text));
		buf_add_str(out, "?=");
		break;
	}
}

static void
make_message(struct random *random, struct buf *out)
{
	static const char *const fields[] = {"Subject", "X-Y", "From", "To",
	    "Cc", "Reply-To", "Sender", "List-Id", "Message-ID", "Date",
	    "Auto-Submitted", "Authentication-Results"};

	for (size_t i = 0; i < COUNT(fields); i++) {
		buf_addf(out, "%s: ", fields[i]);
		if (i >= 2 && random_below(random, 2) == 0) {
			buf_add_char(out, '"');
			add_value(random, out);
			buf_add_str(out, "\" <");
			add_value(random, out);
			buf_add_str(out, "@b.example>");
		} else {
			add_value(random, out);
		}
		buf_add_str(out, "\r\n");
	}
	buf_add_str(out, "\r\n");
	add_text(random, out);
}

static void
test_nothing_leaves_its_place(void **state)
{
	struct plan_check *check = plan_check_new();
	const char *seed = getenv("SEED");
	unsigned long acted = 0, failures = 0;
	struct random random;

	(void)state;
	random_init(&random, seed != NULL ? strtoull(seed, NULL, 10) : 1);
	for (size_t i = 0; i < MESSAGES && failures < 5; i++) {
		BUF_AUTO message = BUF_INIT;
		const char *wrong;
		size_t rule;
		bool has_acted;

		make_message(&random, &message);
		rule = i % plan_check_count(check);
		wrong =
		    plan_check_run(check, rule, buf_span(&message), &has_acted);
		acted += has_acted;
		if (wrong == NULL)
			continue;
		print_error("message %zu, rule %zu: %s\n", i, rule, wrong);
		failures++;
	}
	plan_check_free(&check);
	assert_int_equal(failures, 0);
	/* The sieve is not empty. */
	assert_true(acted > MESSAGES * 9 / 10);
}

/* ---- what a few of them come to ------------------------------------- */

static const struct {
	const char *folder, *subject, *y, *result;
} moves[] = {
    {"${x}", "\\Trash", "", "move to Trash"},
    {"${x}", "/etc/passwd", "", "move to etcpasswd"},
    {"${x}", "..", "", "move to _"},
    {"${x}", "inbox", "", "move to _inbox"},
    {"${x}", "/INBOX/", "", "move to _INBOX"},
    {"IN${x}/a", "BOX", "", "move to _INBOX/a"},
    {"${x}/INBOX", "a", "", "move to a/INBOX"},
    {"INBOX/${x}", "INBOX", "", "move to INBOX/INBOX"},
    {"${x} ${y}", "", "~root", "move to _root"},
    {"${x} ${y}", "", "#news", "move to _news"},
    {"Lists/ ${x}", "~root", "", "move to Lists/_root"},
    {"${x}${y}", "%", "~", "move to _"},
    {"${x}.${y}", "", "", "move to _"},
    {"${x}.${y}", "", ".", "move to _"},
    {"${x}", "=?utf-8?q?a=00b=0D=0AA1_NOOP?=", "", "move to a\xef\xbf\xbd""b A1 NOOP"},
};

static void
test_moves(void **state)
{
	unsigned failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(moves); i++) {
		STR_AUTO text =
		    xasprintf("[rule r]\nwhen = subject ~ /(?<x>.*)/\n"
			      "when = header(X-Y) ~ /(?<y>.*)/\nmove = %s\n",
			moves[i].folder);
		STR_AUTO header = xasprintf(
		    "Subject: %s\nX-Y: %s\n\n", moves[i].subject, moves[i].y);
		struct rule_problems problems = {0};
		struct rules *rules = rules_from_text(text, &problems);
		struct facts facts = {.account = "a",
		    .mailbox = "INBOX",
		    .message = message_new(span_from_str(header))};
		struct plan plan;
		BUF_AUTO result = BUF_INIT;

		assert_non_null(rules);
		rules_judge(rules, &facts, &plan);
		rules_plan_show(&result, &plan);
		if (strcmp(buf_str(&result), moves[i].result) != 0) {
			print_error("%s, %s, %s: %s\n", moves[i].folder,
			    moves[i].subject, moves[i].y, buf_str(&result));
			failures++;
		}
		plan_done(&plan);
		message_free(&facts.message);
		rules_free(&rules);
		rule_problems_done(&problems);
	}
	assert_int_equal(failures, 0);
}

/* ---- what the grammar does not take --------------------------------- */

/* Places in which no value may stand at all. */
static const char *const refused[] = {
    "exec = ${x}",
    "exec = ${x} a",
    "exec = /bin/${x}",
    "forward = ${x}",
    "forward = ${x}@example.org",
    "mark = ${x}",
    "move = \\${x}",
    "move = \\Trash/${x}",
    "move = ../${x}",
    "move = ${x}//a",
    "move = a\\${x}",
    "label = \\${x}",
};

static void
test_no_place_for_values(void **state)
{
	unsigned failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		STR_AUTO text = xasprintf("[rule r]\nwhen = subject ~ "
					  "/(?<x>.*)/\n%s\n",
		    refused[i]);
		struct rule_problems problems = {0};
		struct rules *rules = rules_from_text(text, &problems);

		if (rules != NULL || problems.count == 0) {
			print_error("taken: %s\n", refused[i]);
			failures++;
		}
		rules_free(&rules);
		rule_problems_done(&problems);
	}
	assert_int_equal(failures, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nothing_leaves_its_place),
	    cmocka_unit_test(test_moves),
	    cmocka_unit_test(test_no_place_for_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
