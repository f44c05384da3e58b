/*
 * test-span: borrowed bytes, and what is special at length 0.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/span.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

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
	struct span a, b;
	int order; /* as span_compare */
	bool equal_nocase;
} pairs[] = {
    {"both null", {NULL, 0}, {NULL, 0}, 0, true},
    {"null and empty", {NULL, 0}, {"", 0}, 0, true},
    {"null and one", {NULL, 0}, SPAN_INIT("a"), -1, false},
    {"same", SPAN_INIT("abc"), SPAN_INIT("abc"), 0, true},
    {"case differs", SPAN_INIT("ABC"), SPAN_INIT("abc"), -1, true},
    {"prefix first", SPAN_INIT("ab"), SPAN_INIT("abc"), -1, false},
    {"longer but before", SPAN_INIT("aaa"), SPAN_INIT("b"), -1, false},
    {"nul inside", SPAN_INIT("a\0b"), SPAN_INIT("a\0c"), -1, false},
    {"nul inside, case", SPAN_INIT("a\0b"), SPAN_INIT("A\0B"), 1, true},
    {"bytes are unsigned", SPAN_INIT("\x7f"), SPAN_INIT("\x80"), -1, false},
    {"no fold beyond ASCII", SPAN_INIT("\xc4"), SPAN_INIT("\xe4"), -1, false},
    {"@ is not `", SPAN_INIT("@"), SPAN_INIT("`"), -1, false},
    {"[ is not {", SPAN_INIT("["), SPAN_INIT("{"), -1, false},
};

static int
sign(int order)
{
	return (order > 0) - (order < 0);
}

static void
test_compare(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(pairs); i++) {
		struct span a = pairs[i].a, b = pairs[i].b;
		int order = pairs[i].order;

		check(pairs[i].name,
		    sign(span_compare(a, b)) == order &&
			sign(span_compare(b, a)) == -order &&
			span_equal(a, b) == (order == 0) &&
			span_equal_nocase(a, b) == pairs[i].equal_nocase);
	}
}

enum affix {
	IS,
	IS_NOCASE,
	STARTS,
	STARTS_NOCASE,
	ENDS_NOCASE,
};

static bool (*const affix_functions[])(struct span, const char *) = {
    [IS] = span_is,
    [IS_NOCASE] = span_is_nocase,
    [STARTS] = span_starts,
    [STARTS_NOCASE] = span_starts_nocase,
    [ENDS_NOCASE] = span_ends_nocase,
};

static const struct {
	const char *name;
	struct span s;
	const char *affix;
	bool expected[LENGTH(affix_functions)];
} affixes[] = {
    {"whole", SPAN_INIT("Abc"), "Abc", {1, 1, 1, 1, 1}},
    {"whole, case", SPAN_INIT("Abc"), "aBC", {0, 1, 0, 1, 1}},
    {"start", SPAN_INIT("Abc"), "Ab", {0, 0, 1, 1, 0}},
    {"start, case", SPAN_INIT("Abc"), "ab", {0, 0, 0, 1, 0}},
    {"end", SPAN_INIT("Abc"), "BC", {0, 0, 0, 0, 1}},
    {"longer than the span", SPAN_INIT("bc"), "abc", {0, 0, 0, 0, 0}},
    {"empty affix", SPAN_INIT("a"), "", {0, 0, 1, 1, 1}},
    {"null affix", SPAN_INIT("a"), NULL, {0, 0, 1, 1, 1}},
    {"both empty", {NULL, 0}, "", {1, 1, 1, 1, 1}},
    {"empty span", {NULL, 0}, "a", {0, 0, 0, 0, 0}},
};

static void
test_affixes(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(affixes); i++) {
		for (size_t f = 0; f < LENGTH(affix_functions); f++)
			check(affixes[i].name,
			    affix_functions[f](affixes[i].s,
				affixes[i].affix) == affixes[i].expected[f]);
	}
}

static const struct {
	const char *name;
	struct span s, needle;
	size_t from;
	size_t at;
	bool contains_nocase;
} finds[] = {
    {"first", SPAN_INIT("abcabc"), SPAN_INIT("bc"), 0, 1, true},
    {"second", SPAN_INIT("abcabc"), SPAN_INIT("bc"), 2, 4, true},
    {"not after", SPAN_INIT("abcabc"), SPAN_INIT("bc"), 5, SIZE_MAX, true},
    {"from the end", SPAN_INIT("abc"), SPAN_INIT("c"), 3, SIZE_MAX, true},
    {"from behind", SPAN_INIT("abc"), SPAN_INIT("c"), 4, SIZE_MAX, true},
    {"only in other case", SPAN_INIT("aBC"), SPAN_INIT("bc"), 0, SIZE_MAX,
	true},
    {"longer", SPAN_INIT("ab"), SPAN_INIT("abc"), 0, SIZE_MAX, false},
    {"nothing in nothing", {NULL, 0}, {NULL, 0}, 0, 0, true},
    {"nothing at the end", SPAN_INIT("ab"), {NULL, 0}, 2, 2, true},
    {"nothing behind", SPAN_INIT("ab"), {NULL, 0}, 3, SIZE_MAX, true},
    {"something in nothing", {NULL, 0}, SPAN_INIT("a"), 0, SIZE_MAX, false},
    {"over a nul", SPAN_INIT("a\0b"), SPAN_INIT("\0b"), 0, 1, true},
    {"after a false start", SPAN_INIT("aab"), SPAN_INIT("ab"), 0, 1, true},
};

static void
test_find(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(finds); i++) {
		struct span s = finds[i].s, needle = finds[i].needle;

		check(finds[i].name,
		    span_find_span(s, needle, finds[i].from) == finds[i].at);
		check(finds[i].name, span_contains_nocase(s, needle) ==
					 finds[i].contains_nocase);
	}
	assert_int_equal(span_find(SPAN("abcb"), 'b'), 1);
	assert_true(span_find(SPAN("abc"), 'x') == SIZE_MAX);
	assert_true(span_find(SPAN_EMPTY, 'x') == SIZE_MAX);
	assert_int_equal(span_find(SPAN("a\0b"), '\0'), 1);
}

static const struct {
	const char *name;
	struct span s;
	size_t start, len;
	const char *expected;
} slices[] = {
    {"middle", SPAN_INIT("abcd"), 1, 2, "bc"},
    {"to the end", SPAN_INIT("abcd"), 1, SIZE_MAX, "bcd"},
    {"all", SPAN_INIT("abcd"), 0, 4, "abcd"},
    {"none", SPAN_INIT("abcd"), 2, 0, ""},
    {"start behind", SPAN_INIT("abcd"), 9, 1, ""},
    {"start far behind", SPAN_INIT("abcd"), SIZE_MAX, SIZE_MAX, ""},
    {"of nothing", {NULL, 0}, 3, 3, ""},
};

static void
test_slice(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(slices); i++)
		check(slices[i].name,
		    span_is(
			span_slice(slices[i].s, slices[i].start, slices[i].len),
			slices[i].expected));
}

static const struct {
	const char *name;
	struct span s;
	const char *expected;
} trims[] = {
    {"both ends", SPAN_INIT(" \t a b\r\n "), "a b"},
    {"nothing to do", SPAN_INIT("a"), "a"},
    {"only blanks", SPAN_INIT(" \r\n\t"), ""},
    {"empty", {NULL, 0}, ""},
    {"other controls stay", SPAN_INIT("\v a\f"), "\v a\f"},
};

static void
test_trim(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(trims); i++)
		check(trims[i].name,
		    span_is(span_trim(trims[i].s), trims[i].expected));
}

static const struct {
	const char *name;
	struct span s;
	const char *pieces[5]; /* ends with NULL */
} splits[] = {
    {"null", {NULL, 0}, {NULL}},
    {"empty", {"", 0}, {"", NULL}},
    {"one", SPAN_INIT("a"), {"a", NULL}},
    {"three", SPAN_INIT("a,bc,d"), {"a", "bc", "d", NULL}},
    {"empty ends", SPAN_INIT(",a,"), {"", "a", "", NULL}},
    {"only a separator", SPAN_INIT(","), {"", "", NULL}},
};

static void
test_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(splits); i++) {
		struct span rest = splits[i].s, piece;
		size_t n = 0;

		for (; span_split(&rest, ',', &piece); n++)
			check(splits[i].name,
			    splits[i].pieces[n] != NULL &&
				span_is(piece, splits[i].pieces[n]));
		check(splits[i].name, splits[i].pieces[n] == NULL);
		check(splits[i].name, rest.data == NULL);
	}
}

static const struct {
	const char *name;
	struct span s;
	bool fits64, fits32;
	uint64_t value;
} numbers[] = {
    {"zero", SPAN_INIT("0"), true, true, 0},
    {"leading zeros", SPAN_INIT("007"), true, true, 7},
    {"largest of 32", SPAN_INIT("4294967295"), true, true, UINT32_MAX},
    {"above 32", SPAN_INIT("4294967296"), true, false, 4294967296},
    {"largest of 64", SPAN_INIT("18446744073709551615"), true, false,
	UINT64_MAX},
    {"above 64", SPAN_INIT("18446744073709551616"), false, false, 0},
    {"overflow in *10", SPAN_INIT("99999999999999999999"), false, false, 0},
    {"20 digits", SPAN_INIT("00000000000000000001"), true, true, 1},
    {"21 digits", SPAN_INIT("000000000000000000001"), false, false, 0},
    {"empty", {NULL, 0}, false, false, 0},
    {"sign", SPAN_INIT("+1"), false, false, 0},
    {"minus", SPAN_INIT("-1"), false, false, 0},
    {"blank before", SPAN_INIT(" 1"), false, false, 0},
    {"blank behind", SPAN_INIT("1 "), false, false, 0},
    {"hexadecimal", SPAN_INIT("1f"), false, false, 0},
    {"nul behind", SPAN_INIT("1\0"), false, false, 0},
};

static void
test_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(numbers); i++) {
		uint64_t value64 = 42;
		uint32_t value32 = 42;
		bool fits64 = span_to_u64(numbers[i].s, &value64);
		bool fits32 = span_to_u32(numbers[i].s, &value32);

		check(numbers[i].name,
		    fits64 == numbers[i].fits64 && fits32 == numbers[i].fits32);
		check(numbers[i].name,
		    value64 == (fits64 ? numbers[i].value : 42) &&
			value32 == (fits32 ? numbers[i].value : 42));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_compare),
	    cmocka_unit_test(test_affixes),
	    cmocka_unit_test(test_find),
	    cmocka_unit_test(test_slice),
	    cmocka_unit_test(test_trim),
	    cmocka_unit_test(test_split),
	    cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
