/*
 * test-width: how many columns of a terminal a text takes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/width.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

static const struct {
	const char *name;
	struct span text;
	size_t columns;
} texts[] = {
    {"nothing", SPAN_INIT(""), 0},
    {"ascii", SPAN_INIT("Lunch?"), 6},
    {"one column each", SPAN_INIT("T\u00e4glich \u20ac \u2026"), 11},
    {"chinese", SPAN_INIT("\u4f60\u597d"), 4},
    {"japanese", SPAN_INIT("\u3053\u3093\u306b\u3061\u306f"), 10},
    {"halfwidth kana", SPAN_INIT("\uff76\uff85"), 2},
    {"fullwidth latin", SPAN_INIT("\uff21\uff22"), 4},
    {"korean", SPAN_INIT("\ud55c\uad6d"), 4},
    {"korean, in pieces", SPAN_INIT("\u1112\u1161\u11ab"), 2},
    {"emoji", SPAN_INIT("\U0001f600!"), 3},
    {"emoji, with a skin", SPAN_INIT("\U0001f44d\U0001f3fd"), 4},
    {"a heart, as an emoji", SPAN_INIT("\u2764\ufe0f"), 1},
    {"combining", SPAN_INIT("a\u0300\u0301b"), 2},
    {"hebrew with points", SPAN_INIT("\u05e9\u05b8\u05dc"), 2},
    {"thai", SPAN_INIT("\u0e17\u0e35\u0e48"), 1},
    {"format characters", SPAN_INIT("a\u200b\u200d\ufeff"), 1},
    {"of the last plane", SPAN_INIT("\U00020000"), 2},
    {"malformed", SPAN_INIT("\xff\xc3"), 2},
};

static void
test_widths(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(texts); i++) {
		size_t columns = width_of(texts[i].text);
		if (columns == texts[i].columns)
			continue;
		print_error("case: %s: %zu\n", texts[i].name, columns);
		fail();
	}
}

static const struct {
	const char *name;
	struct span text;
	size_t columns, bytes;
} cuts[] = {
    {"all of it", SPAN_INIT("abc"), 3, 3},
    {"ascii", SPAN_INIT("abc"), 2, 2},
    {"no half of a wide one", SPAN_INIT("a\u4f60"), 2, 1},
    {"a whole wide one", SPAN_INIT("a\u4f60"), 3, 4},
    {"with what combines", SPAN_INIT("a\u0300b"), 1, 3},
    {"nothing", SPAN_INIT("\u4f60"), 1, 0},
};

static void
test_cuts(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(cuts); i++) {
		size_t bytes = width_cut(cuts[i].text, cuts[i].columns);
		if (bytes == cuts[i].bytes)
			continue;
		print_error("case: %s: %zu\n", cuts[i].name, bytes);
		fail();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_widths),
	    cmocka_unit_test(test_cuts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
