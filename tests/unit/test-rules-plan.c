/* Actions as text and back, and the table of limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "daemon/base/random.h"
#include "daemon/base/xalloc.h"
#include "rules/rules.h"

/* Lines that are read, and written just so. */
static const char *const lines[] = {
    "copy",
    "copy rule=a target=Lists/lkml",
    "move rule=a target= create=yes",
    "forward target=a@b as=redirect unknown=drop allow-list=yes "
    "allow-auto=yes",
    "exec rule=x-1 arg=/bin/x arg= arg=a%20b%0A%25 stdin-message=yes retry=3 "
    "repeat-safe=yes",
    "mark add=\\Seen add=$Junk remove=\\Flagged",
    "label target=%C3%A4",
    "archive",
    "trash",
    "junk",
    "delete",
    "notify urgency=critical title=T text=X%FFY sound=s icon=i via=a via=b",
    "notify except=a except=b",
    "notify via=a after=600 unless-read=yes",
};

static const char *const refused[] = {
    "",
    "cop",
    "copy ",
    " copy",
    "copy  rule=a",
    "copy target",
    "copy target=a target=b",
    "copy target=%",
    "copy target=%4",
    "copy target=%00",
    "copy target=%zz",
    "copy target=a\nb",
    "copy target=\xc3\xa4",
    "copy create=maybe",
    "copy else=a",
    "exec retry=-1",
    "exec retry=99999999999",
    "notify urgency=loud",
    "copy rule=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
};

static void
test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		BUF_AUTO text = BUF_INIT;
		struct action action;

		if (!action_parse(span_from_str(lines[i]), &action))
			fail_msg("refused: %s", lines[i]);
		action_format(&text, &action);
		assert_string_equal(buf_str(&text), lines[i]);
		action_done(&action);
	}
}

static void
test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		struct action action = {.retry = 77};

		if (action_parse(span_from_str(refused[i]), &action))
			fail_msg("taken: %s", refused[i]);
		assert_int_equal(action.retry, 77);
	}
}

static char *
random_text(struct random *random)
{
	struct buf text = BUF_INIT;
	uint64_t len = random_below(random, 12);

	for (uint64_t i = 0; i < len; i++)
		buf_add_char(&text, (char)(1 + random_below(random, 255)));
	return buf_take_str(&text);
}

static void
random_texts(struct random *random, struct strv *texts)
{
	uint64_t count = random_below(random, 4);

	for (uint64_t i = 0; i < count; i++)
		strv_take(texts, random_text(random));
}

static void
random_action(struct random *random, struct action *action)
{
	action_init(
	    action, (enum action_kind)random_below(random, ACTION_KINDS));
	action->create = random_below(random, 2) == 1;
	action->allow_auto = random_below(random, 2) == 1;
	action->allow_junk = random_below(random, 2) == 1;
	action->mode = (enum forward_mode)random_below(random, 3);
	action->unknown = (enum forward_unknown)random_below(random, 3);
	action->urgency = (enum urgency)random_below(random, 3);
	action->retry = (unsigned)random_next(random);
	if (random_below(random, 2) == 1)
		action->target = random_text(random);
	if (random_below(random, 2) == 1)
		action->title = random_text(random);
	random_texts(random, &action->argv);
	random_texts(random, &action->add);
	random_texts(random, &action->via);
}

/* Any bytes at all survive. */
static void
test_random(void **state)
{
	struct random random;

	(void)state;
	random_init(&random, 7);
	for (int i = 0; i < 2000; i++) {
		BUF_AUTO first = BUF_INIT, second = BUF_INIT;
		struct action action, again, copy;

		random_action(&random, &action);
		action_format(&first, &action);
		for (size_t j = 0; j < first.len; j++)
			assert_in_range(first.data[j], ' ', '~');
		assert_true(action_parse(buf_span(&first), &again));
		assert_true(action_equal(&action, &again));
		action_format(&second, &again);
		assert_string_equal(buf_str(&first), buf_str(&second));
		action_copy(&copy, &action);
		assert_true(action_equal(&copy, &action));
		action_done(&copy);
		action_done(&again);
		action_done(&action);
	}
}

#define NOW 1790000000

static void
test_limits(void **state)
{
	struct limits *limits = limits_new();

	(void)state;
	assert_true(limits_allow(limits, "a", 1, USEC_HOUR, NOW));
	assert_false(limits_allow(limits, "a", 0, USEC_HOUR, NOW));
	limits_note(limits, "b", NOW);
	limits_note(limits, "a", NOW - 3599);
	limits_note(limits, "a", NOW);
	assert_false(limits_allow(limits, "a", 2, USEC_HOUR, NOW));
	assert_true(limits_allow(limits, "a", 3, USEC_HOUR, NOW));
	assert_true(limits_allow(limits, "a", 2, USEC_HOUR, NOW + 1));
	assert_false(limits_allow(limits, "a", 2, USEC_DAY, NOW + 1));
	assert_true(limits_allow(limits, "b", 2, USEC_DAY, NOW));
	/* The clock was set back: by little, by much. */
	assert_false(limits_allow(limits, "a", 1, USEC_HOUR, NOW - 60));
	assert_true(limits_allow(limits, "a", 1, USEC_HOUR, NOW - 9000));
	/* It was years ahead for a while. */
	limits_note(limits, "a", NOW + 100000000);
	assert_true(limits_allow(limits, "a", 2, USEC_DAY, NOW + 100000000));
	assert_false(limits_allow(limits, "a", 2, USEC_HOUR, NOW));
	assert_true(limits_allow(limits, "a", 3, USEC_HOUR, NOW));
	limits_free(&limits);
}

static void
test_take_back(void **state)
{
	struct limits *limits = limits_new();

	(void)state;
	limits_take_back(limits, "a", NOW); /* nothing there */
	limits_note(limits, "a", NOW - 9);
	limits_note(limits, "a", NOW);
	limits_note(limits, "a", NOW);
	limits_take_back(limits, "a", NOW);
	limits_take_back(limits, "b", NOW);
	limits_take_back(limits, "a", NOW - 1);
	assert_true(limits_allow(limits, "a", 3, USEC_HOUR, NOW));
	assert_false(limits_allow(limits, "a", 2, USEC_HOUR, NOW));
	limits_take_back(limits, "a", NOW - 9);
	assert_false(limits_allow(limits, "a", 1, USEC_HOUR, NOW));
	limits_take_back(limits, "a", NOW);
	limits_take_back(limits, "a", NOW);
	assert_true(limits_allow(limits, "a", 1, USEC_HOUR, NOW));
	limits_free(&limits);
}

static void
test_many_notes(void **state)
{
	struct limits *limits = limits_new();

	(void)state;
	for (int i = 0; i < 5000; i++)
		limits_note(limits, "a", NOW);
	assert_false(limits_allow(limits, "a", 1000, USEC_HOUR, NOW));
	limits_note(limits, "a", NOW + 86400);
	assert_true(limits_allow(limits, "a", 2, USEC_DAY, NOW + 86400));
	limits_free(&limits);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lines),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_random),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_take_back),
	    cmocka_unit_test(test_many_notes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
