/*
 * test-escalation: what rings later, and what does not.
 *
 * A script is words; the trace is what comes out, with the second:
 *
 *	aUID=N rUID=N	adds one due in N seconds: always, unless read
 *	read=UID	the message was read
 *	drop=UID	forgets it
 *	+N		N seconds pass; what is due comes out
 *	at		writes in how many seconds something is due
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/buf.h"
#include "notifiers/escalation.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))
#define UIDS 10

struct play {
	struct escalations *escalations;
	usec_t now;
	struct buf trace;
	char contexts[UIDS];
};

static const struct {
	const char *name, *script, *trace;
} cases[] = {
    {"looks, and rings", "r1=600 at +594 +1 at +4 +1 at",
	"595 s, 595: look 1, 5 s, 600: ring 1, never, "},
    {"not when it was read before", "r1=600 read=1 at +0 +600",
	"0 s, 0: cancelled 1, "},
    {"not when the look found it read", "r1=600 +595 read=1 +0 +5",
	"595: look 1, 595: cancelled 1, "},
    {"read after it rang", "r1=60 +60 +5 read=1 +1",
	"60: look 1, 65: ring 1, "},
    {"without `unless read` it rings in any case", "a1=60 read=1 +59 +1",
	"60: ring 1, "},
    {"of several each has its time", "r1=60 r2=30 a3=40 +25 +5 +10 +15 +5",
	"25: look 2, 30: ring 2, 40: ring 3, 55: look 1, 60: ring 1, "},
    {"two of one message are both cancelled", "r1=60 r1=90 read=1 +0",
	"0: cancelled 1, 0: cancelled 1, "},
    {"only the one that was read", "r1=60 r2=60 read=2 +55 +5",
	"55: look 1, 55: cancelled 2, 60: ring 1, "},
    {"due while the machine slept: it looks first", "r1=60 +3600 +4 +1",
	"3600: look 1, 3605: ring 1, "},
    {"due before it was added: it looks first", "r1=0 +0 +4 +1",
	"0: look 1, 5: ring 1, "},
    {"forgotten", "r1=60 r2=60 drop=1 drop=3 +55 +5",
	"55: look 2, 60: ring 2, "},
};

static void
pull(struct play *play)
{
	static const char *const names[] = {"look", "ring", "cancelled"};
	struct escalation_event event;

	while (escalations_next(play->escalations, play->now, &event))
		buf_addf(&play->trace, "%d: %s %d, ",
		    (int)(play->now / USEC_SEC) - 1000, names[event.step],
		    (int)((char *)event.ctx - play->contexts));
}

static struct escalation_message
message_of(unsigned uid)
{
	return (struct escalation_message){"work", "INBOX", 9, uid};
}

static void
do_at(struct play *play)
{
	usec_t deadline = escalations_deadline(play->escalations);

	if (deadline == USEC_NEVER)
		buf_add_str(&play->trace, "never, ");
	else
		buf_addf(&play->trace, "%d s, ",
		    (int)(usec_since(play->now, deadline) / USEC_SEC));
}

static void
do_word(struct play *play, const char *word)
{
	unsigned uid, number;
	char kind;

	if (strcmp(word, "at") == 0) {
		do_at(play);
	} else if (sscanf(word, "+%u", &number) == 1) {
		play->now += number * USEC_SEC;
		pull(play);
	} else if (sscanf(word, "read=%u", &uid) == 1) {
		struct escalation_message message = message_of(uid);
		escalations_withdraw(play->escalations, &message);
	} else if (sscanf(word, "drop=%u", &uid) == 1) {
		escalations_forget(play->escalations, &play->contexts[uid]);
	} else {
		assert_int_equal(
		    sscanf(word, "%c%u=%u", &kind, &uid, &number), 3);
		struct escalation_message message = message_of(uid);
		assert_true(escalations_add(play->escalations, &message,
		    play->now + number * USEC_SEC, kind == 'r',
		    &play->contexts[uid], play->now));
	}
}

static void
test_scripts(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct play play = {.now = 1000 * USEC_SEC};
		struct span rest = span_from_str(cases[i].script), word;

		play.escalations = escalations_new();
		while (span_split(&rest, ' ', &word)) {
			char text[32];

			snprintf(text, sizeof(text), "%.*s", SPAN_FMT(word));
			do_word(&play, text);
		}
		if (strcmp(buf_str(&play.trace), cases[i].trace) != 0) {
			print_error(
			    "%s: %s\n", cases[i].name, buf_str(&play.trace));
			fail();
		}
		buf_done(&play.trace);
		escalations_free(&play.escalations);
	}
}

/* Of another account, mailbox or UIDVALIDITY. */
static void
test_other_messages(void **state)
{
	struct escalations *escalations = escalations_new();
	const struct escalation_message mine = {"work", "INBOX", 9, 1};
	const struct escalation_message others[] = {{"home", "INBOX", 9, 1},
	    {"work", "Inbox2", 9, 1}, {"work", "INBOX", 8, 1},
	    {"work", "INBOX", 9, 2}};
	struct escalation_event event;

	(void)state;
	assert_true(escalations_add(
	    escalations, &mine, 100 * USEC_SEC, true, escalations, 0));
	for (size_t i = 0; i < LENGTH(others); i++)
		escalations_withdraw(escalations, &others[i]);
	assert_false(escalations_next(escalations, 0, &event));
	escalations_withdraw(escalations, &mine);
	assert_true(escalations_next(escalations, 0, &event));
	assert_int_equal(event.step, ESCALATION_CANCELLED);
	assert_int_equal(escalations_count(escalations), 0);
	escalations_free(&escalations);
}

static void
test_bound(void **state)
{
	struct escalations *escalations = escalations_new();
	const struct escalation_message message = {"work", "INBOX", 9, 1};

	(void)state;
	for (size_t i = 0; i < ESCALATIONS_MAX; i++)
		assert_true(escalations_add(
		    escalations, &message, 1, true, escalations, 0));
	assert_false(
	    escalations_add(escalations, &message, 1, true, escalations, 0));
	escalations_forget(escalations, escalations);
	assert_int_equal(escalations_count(escalations), 0);
	escalations_free(&escalations);
	escalations_free(&escalations);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_scripts),
	    cmocka_unit_test(test_other_messages),
	    cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
