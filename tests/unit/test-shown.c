/*
 * test-shown: what was shown, as a text for the store.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/random.h"
#include "daemon/base/xalloc.h"
#include "notifiers/shown.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

static const struct {
	const char *name, *text, *wanted;
} cases[] = {
    {"nothing", "", "0"},
    {"no item", "7", "7"},
    {"all forms", "7 12.0 13.2=m 14.0=m:501", "7 12.0 13.2=m 14.0=m:501"},
    {"a summary's key", "7 12.0=belfry-0af 13.0=belfry-0af",
	"7 12.0=belfry-0af 13.0=belfry-0af"},
    {"the later of two", "7 12.0=a 13.0 12.0=b", "7 13.0 12.0=b"},
    {"what is no item is passed over",
	"7 x 0.1 12 .1 12. 13.1 14.1=", "7 13.1 14.1"},
    {"a key that is none", "7 12.1=a/b 13.1=a:b/c", "7 12.1 13.1=a"},
    {"an id without a key", "7 12.1=:5", "7 12.1"},
    {"no UIDVALIDITY", "x 12.1", "0"},
    {"zero", "0 12.1", "0"},
    {"a number that is too large", "4294967296 12.1", "0"},
};

static char *
formatted(const struct shown *shown)
{
	struct buf text = BUF_INIT;

	shown_format(shown, &text);
	return buf_take_str(&text);
}

static void
test_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct shown shown = {0};

		shown_parse(span_from_str(cases[i].text), &shown);
		STR_AUTO got = formatted(&shown);
		if (strcmp(got, cases[i].wanted) != 0) {
			print_error("%s: %s\n", cases[i].name, got);
			fail();
		}
		shown_done(&shown);
	}
}

static void
test_add_and_remove(void **state)
{
	struct shown shown = {0};

	(void)state;
	assert_false(shown_has(&shown, 7, 12, 0));
	shown_add(&shown, 7, 12, 0, NULL, NULL);
	shown_add(&shown, 7, 12, 1, "m", "501");
	assert_true(shown_has(&shown, 7, 12, 0));
	assert_false(shown_has(&shown, 8, 12, 0));
	assert_false(shown_has(&shown, 7, 12, 2));
	/* It was posted anew meanwhile. */
	assert_false(shown_remove(&shown, 7, 12, 1, "m", "500"));
	assert_false(shown_remove(&shown, 7, 12, 1, "m", NULL));
	assert_true(shown_remove(&shown, 7, 12, 1, "m", "501"));
	assert_false(shown_has(&shown, 7, 12, 1));
	/* The mailbox was made anew. */
	shown_add(&shown, 8, 1, 0, "m", NULL);
	assert_false(shown_has(&shown, 7, 12, 0));
	assert_int_equal(shown.count, 1);
	shown_done(&shown);
}

/* The newest stay, in memory and in the text; and what was written is read. */
static void
test_bounds(void **state)
{
	struct shown shown = {0}, again = {0};
	struct random random;

	(void)state;
	random_init(&random, 1);
	for (uint32_t uid = 1; uid <= 1000; uid++) {
		unsigned kind = (unsigned)(random_below(&random, 3));
		shown_add(&shown, 7, 4294960000U + uid, 0,
		    kind > 0 ? "belfry-0123456789abcdef0123456789abcdef" : NULL,
		    kind > 1 ? "4711" : NULL);
	}
	assert_int_equal(shown.count, SHOWN_ITEMS_MAX);
	STR_AUTO text = formatted(&shown);
	assert_true(strlen(text) <= SHOWN_TEXT_MAX);
	shown_parse(span_from_str(text), &again);
	assert_true(shown_has(&again, 7, 4294961000U, 0));
	assert_true(again.count > 40);
	STR_AUTO same = formatted(&again);
	assert_string_equal(same, text);
	shown_done(&shown);
	shown_done(&again);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_add_and_remove),
	    cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
