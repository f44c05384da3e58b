/*
 * test-error: faults, and texts that gain context and stay within bounds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/base/error.h"
#include "daemon/base/utf8.h"

static void
test_set(void **state)
{
	struct error error = ERROR_INIT;

	(void)state;
	assert_false(error_set(&error, FAULT_AUTH, "login %d: %s", 3, "no"));
	assert_int_equal(error.fault, FAULT_AUTH);
	assert_string_equal(error.text, "login 3: no");
	assert_false(error_set(NULL, FAULT_LOCAL, "nobody %s", "listens"));
}

static void
test_prefix(void **state)
{
	struct error error = ERROR_INIT;

	(void)state;
	error_set(&error, FAULT_RETRY, "timed out");
	error_prefix(&error, "login");
	error_prefix(&error, "account %s", "work");
	assert_string_equal(error.text, "account work: login: timed out");
	assert_int_equal(error.fault, FAULT_RETRY);
	error_prefix(NULL, "account %s", "work");
}

/* Its own text as an argument is a natural thing to write. */
static void
test_own_text(void **state)
{
	struct error error = ERROR_INIT;

	(void)state;
	error_set(&error, FAULT_PEER, "bad");
	error_set(&error, FAULT_PEER, "<%s>", error.text);
	error_prefix(&error, "(%s)", error.text);
	assert_string_equal(error.text, "(<bad>): <bad>");
}

/* For each length of padding, text of 1 to 4 byte characters is cut between
 * them. */
static void
test_cut(void **state)
{
	static const char text[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x94";
	struct error error = ERROR_INIT;
	size_t len, whole;

	(void)state;
	for (int pad = ERROR_TEXT_SIZE - 16; pad < ERROR_TEXT_SIZE + 3; pad++) {
		error_set(&error, FAULT_PEER, "%*s%s", pad, "", text);
		len = strlen(error.text);
		assert_true(len < ERROR_TEXT_SIZE);
		assert_true(utf8_is_valid(span_from_str(error.text)));
		whole = (size_t)pad + sizeof(text) - 1;
		if (whole < ERROR_TEXT_SIZE)
			assert_int_equal(len, whole);
		else
			assert_true(len >= ERROR_TEXT_SIZE - 4);
	}
}

static void
test_cut_by_prefix(void **state)
{
	struct error error = ERROR_INIT;

	(void)state;
	error_set(&error, FAULT_PEER, "%*s", 500, "");
	for (int pad = 0; pad < 24; pad++) {
		error_set(&error, FAULT_PEER, "%*s\xf0\x9f\x94\x94", 490, "");
		error_prefix(&error, "%*s", pad, "");
		assert_true(strlen(error.text) < ERROR_TEXT_SIZE);
		assert_true(utf8_is_valid(span_from_str(error.text)));
	}
	error_prefix(&error, "%*s", 2 * ERROR_TEXT_SIZE, "x");
	assert_int_equal(strlen(error.text), ERROR_TEXT_SIZE - 1);
}

static void
test_fault_names(void **state)
{
	(void)state;
	for (unsigned a = 0; a < FAULT_COUNT; a++) {
		assert_non_null(fault_name(a));
		for (unsigned b = 0; b < a; b++)
			assert_string_not_equal(fault_name(a), fault_name(b));
	}
	assert_string_equal(fault_name(FAULT_RETRY), "retry");
	assert_string_equal(fault_name(FAULT_CONFIG), "config");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_set),
	    cmocka_unit_test(test_prefix),
	    cmocka_unit_test(test_own_text),
	    cmocka_unit_test(test_cut),
	    cmocka_unit_test(test_cut_by_prefix),
	    cmocka_unit_test(test_fault_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
