/*
 * test-utf8: every class of malformed sequence, and all that is well formed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))
/* U+FFFD */
#define R "\xef\xbf\xbd"

static void
check(const char *name, bool ok)
{
	if (!ok) {
		print_error("case: %s\n", name);
		fail();
	}
}

static const struct {
	const char *name;
	struct span text;
	uint32_t code;
} characters[] = {
    {"nul", SPAN_INIT("\0"), 0},
    {"last of one", SPAN_INIT("\x7f"), 0x7f},
    {"first of two", SPAN_INIT("\xc2\x80"), 0x80},
    {"last of two", SPAN_INIT("\xdf\xbf"), 0x7ff},
    {"first of three", SPAN_INIT("\xe0\xa0\x80"), 0x800},
    {"before surrogates", SPAN_INIT("\xed\x9f\xbf"), 0xd7ff},
    {"after surrogates", SPAN_INIT("\xee\x80\x80"), 0xe000},
    {"last of three", SPAN_INIT("\xef\xbf\xbf"), 0xffff},
    {"first of four", SPAN_INIT("\xf0\x90\x80\x80"), 0x10000},
    {"bell", SPAN_INIT("\xf0\x9f\x94\x94"), 0x1f514},
    {"last of all", SPAN_INIT("\xf4\x8f\xbf\xbf"), 0x10ffff},
    {"replacement itself", SPAN_INIT(R), 0xfffd},
};

static void
test_characters(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(characters); i++) {
		BUF_AUTO buf = BUF_INIT;
		bool valid = true;
		uint32_t code;
		size_t len = utf8_next(characters[i].text, &code, &valid);

		check(characters[i].name, len == characters[i].text.len &&
					      valid &&
					      code == characters[i].code);
		utf8_add(&buf, code);
		check(characters[i].name,
		    span_equal(buf_span(&buf), characters[i].text));
	}
}

static void
test_all_code_points(void **state)
{
	BUF_AUTO buf = BUF_INIT;
	uint32_t code;

	(void)state;
	for (uint32_t i = 0; i < 0x110000; i++) {
		bool surrogate = i >= 0xd800 && i <= 0xdfff;

		buf_truncate(&buf, 0);
		utf8_add(&buf, i);
		assert_int_equal(
		    utf8_next(buf_span(&buf), &code, NULL), buf.len);
		assert_true(code == (surrogate ? UTF8_REPLACEMENT : i));
	}
}

static const struct {
	const char *name;
	uint32_t code;
} bad_codes[] = {
    {"first surrogate", 0xd800},
    {"last surrogate", 0xdfff},
    {"behind the last", 0x110000},
    {"all bits", UINT32_MAX},
};

static void
test_bad_codes(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(bad_codes); i++) {
		BUF_AUTO buf = BUF_INIT;

		utf8_add(&buf, bad_codes[i].code);
		check(bad_codes[i].name, span_is(buf_span(&buf), R));
	}
}

/* `repaired` follows Unicode's practice of maximal subparts; the rows
 * "table 3-8" to "3-11" are from chapter 3 of its standard. */
static const struct {
	const char *name;
	struct span text;
	const char *repaired;
} malformed[] = {
    {"lone continuation", SPAN_INIT("\x80"), R},
    {"last continuation", SPAN_INIT("a\xbfz"), "a" R "z"},
    {"overlong slash of two", SPAN_INIT("\xc0\xaf"), R R},
    {"overlong of two, last", SPAN_INIT("\xc1\xbf"), R R},
    {"overlong of three", SPAN_INIT("\xe0\x80\xaf"), R R R},
    {"overlong of three, last", SPAN_INIT("\xe0\x9f\xbf"), R R R},
    {"overlong of four", SPAN_INIT("\xf0\x80\x80\xaf"), R R R R},
    {"overlong of four, last", SPAN_INIT("\xf0\x8f\xbf\xbf"), R R R R},
    {"overlong nul", SPAN_INIT("\xc0\x80"), R R},
    {"first surrogate", SPAN_INIT("\xed\xa0\x80"), R R R},
    {"last surrogate", SPAN_INIT("\xed\xbf\xbf"), R R R},
    {"pair of surrogates", SPAN_INIT("\xed\xa0\x81\xed\xb0\x80"), R R R R R R},
    {"above the last", SPAN_INIT("\xf4\x90\x80\x80"), R R R R},
    {"lead F5", SPAN_INIT("\xf5\x80\x80\x80"), R R R R},
    {"of five", SPAN_INIT("\xf8\x88\x80\x80\x80"), R R R R R},
    {"of six", SPAN_INIT("\xfc\x84\x80\x80\x80\x80"), R R R R R R},
    {"FE and FF", SPAN_INIT("\xfe\xff"), R R},
    {"cut after 1 of 2", SPAN_INIT("\xc3"), R},
    {"cut after 1 of 3", SPAN_INIT("\xe2"), R},
    {"cut after 2 of 3", SPAN_INIT("\xe2\x82"), R},
    {"cut after 1 of 4", SPAN_INIT("\xf0"), R},
    {"cut after 2 of 4", SPAN_INIT("\xf0\x9f"), R},
    {"cut after 3 of 4", SPAN_INIT("\xf0\x9f\x94"), R},
    {"letter for continuation", SPAN_INIT("\xc3z"), R "z"},
    {"letter for the second", SPAN_INIT("\xe2\x82z"), R "z"},
    {"lead for continuation", SPAN_INIT("\xc3\xc3\xa4"), R "\xc3\xa4"},
    {"Latin-1",
	SPAN_INIT("Gr\xfc\xdf"
		  "e"),
	"Gr" R R "e"},
    {"table 3-8", SPAN_INIT("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41"),
	R R R R R R R R "A"},
    {"table 3-9", SPAN_INIT("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41"),
	R R R R R R R R "A"},
    {"table 3-10", SPAN_INIT("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42"),
	R R R R R "A" R R "B"},
    {"table 3-11", SPAN_INIT("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41"),
	R R R R "A"},
};

static void
test_malformed(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(malformed); i++) {
		BUF_AUTO buf = BUF_INIT;
		struct span repaired = span_from_str(malformed[i].repaired);

		check(malformed[i].name, !utf8_is_valid(malformed[i].text));
		check(malformed[i].name, utf8_is_valid(repaired));
		utf8_add_valid(&buf, malformed[i].text);
		check(malformed[i].name, span_equal(buf_span(&buf), repaired));
		check(malformed[i].name,
		    utf8_count(malformed[i].text) == utf8_count(repaired));
	}
}

/* In a block of just its size, for the sanitizer's eyes. */
static void
test_reads_nothing_behind(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(malformed); i++) {
		size_t len = malformed[i].text.len;
		char *block = xmalloc(len);

		memcpy(block, malformed[i].text.data, len);
		check(malformed[i].name, utf8_count(span_from(block, len)) ==
					     utf8_count(malformed[i].text));
		free(block);
	}
}

static void
test_valid_flag_collects(void **state)
{
	bool valid = true;
	uint32_t code;

	(void)state;
	assert_int_equal(utf8_next(SPAN("\xff"), &code, &valid), 1);
	assert_false(valid);
	assert_int_equal(utf8_next(SPAN("a"), &code, &valid), 1);
	assert_false(valid);
}

static void
test_empty(void **state)
{
	BUF_AUTO buf = BUF_INIT;
	uint32_t code = 42;
	bool valid = true;

	(void)state;
	assert_int_equal(utf8_next(SPAN_EMPTY, &code, &valid), 0);
	assert_true(code == 42 && valid);
	assert_true(utf8_is_valid(SPAN_EMPTY));
	assert_int_equal(utf8_count(SPAN_EMPTY), 0);
	utf8_add_valid(&buf, SPAN_EMPTY);
	assert_int_equal(buf.len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_characters),
	    cmocka_unit_test(test_all_code_points),
	    cmocka_unit_test(test_bad_codes),
	    cmocka_unit_test(test_malformed),
	    cmocka_unit_test(test_reads_nothing_behind),
	    cmocka_unit_test(test_valid_flag_collects),
	    cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
