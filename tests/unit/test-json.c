/* The door to jansson: what is refused, what is made fit, and that whatever
 * was built reads back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"
#include "daemon/control/json.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- parsing ---- */

#define DEEP_16 "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]"

static const struct parse_case {
	const char *name;
	struct span text;
	enum fault fault; /* FAULT_NONE: it is read, and printed as */
	const char *printed;
} parse_cases[] = {
    {"object", SPAN_INIT("{\"a\": 1, \"b\": [true, null]}"), FAULT_NONE,
	"{\"a\":1,\"b\":[true,null]}"},
    {"order is kept", SPAN_INIT("{\"z\":1,\"a\":2}"), FAULT_NONE,
	"{\"z\":1,\"a\":2}"},
    {"blanks around", SPAN_INIT(" \t[1]\r "), FAULT_NONE, "[1]"},
    {"depth 16", SPAN_INIT(DEEP_16), FAULT_NONE, DEEP_16},
    {"depth 17", SPAN_INIT("[" DEEP_16 "]"), FAULT_LIMIT, NULL},
    {"depth 17 without an end", SPAN_INIT("[[[[[[[[[[[[[[[[{"), FAULT_LIMIT,
	NULL},
    {"brackets in a string", SPAN_INIT("[\"[[[[[[[[[[[[[[[[[[[[[\"]"),
	FAULT_NONE, "[\"[[[[[[[[[[[[[[[[[[[[[\"]"},
    {"brackets behind an escaped quote",
	SPAN_INIT("[\"\\\"[[[[[[[[[[[[[[[[[[[[[\"]"), FAULT_NONE,
	"[\"\\\"[[[[[[[[[[[[[[[[[[[[[\"]"},
    {"more brackets in turn",
	SPAN_INIT("[[],[],[],[],[],[],[],[],[],[],[],[],"
		  "[],[],[],[],[],[],[],[]]"),
	FAULT_NONE,
	"[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]"},
    {"empty", SPAN_INIT(""), FAULT_PEER, NULL},
    {"no bytes", {NULL, 0}, FAULT_PEER, NULL},
    {"only a string", SPAN_INIT("\"a\""), FAULT_PEER, NULL},
    {"only a number", SPAN_INIT("1"), FAULT_PEER, NULL},
    {"twice the same name", SPAN_INIT("{\"a\":1,\"a\":2}"), FAULT_PEER, NULL},
    {"rubbish behind", SPAN_INIT("{} x"), FAULT_PEER, NULL},
    {"second document", SPAN_INIT("{}{}"), FAULT_PEER, NULL},
    {"cut", SPAN_INIT("{\"a\": "), FAULT_PEER, NULL},
    {"NUL byte", SPAN_INIT("{\"a\": \"\0\"}"), FAULT_PEER, NULL},
    {"NUL written", SPAN_INIT("{\"a\": \"\\u0000\"}"), FAULT_PEER, NULL},
    {"invalid UTF-8", SPAN_INIT("{\"a\": \"\xff\"}"), FAULT_PEER, NULL},
    {"overlong UTF-8", SPAN_INIT("{\"a\": \"\xc0\x80\"}"), FAULT_PEER, NULL},
    {"lone surrogate", SPAN_INIT("{\"a\": \"\\ud800\"}"), FAULT_PEER, NULL},
    {"too large a number", SPAN_INIT("[99999999999999999999]"), FAULT_PEER,
	NULL},
    {"comment", SPAN_INIT("[1] // no"), FAULT_PEER, NULL},
};

static bool
parses_as(const struct parse_case *c)
{
	struct error error = ERROR_INIT;
	struct json *json = json_parse(c->text, &error);
	BUF_AUTO printed = BUF_INIT;

	if ((json != NULL) != (c->fault == FAULT_NONE) ||
	    error.fault != c->fault)
		return false;
	if (json == NULL)
		return utf8_is_valid(span_from_str(error.text));
	json_print(json, &printed, false);
	json_free(&json);
	return strcmp(buf_str(&printed), c->printed) == 0;
}

static void
test_parse(void **state)
{
	bool ok = true;

	(void)state;
	for (size_t i = 0; i < COUNT(parse_cases); i++) {
		if (!parses_as(&parse_cases[i])) {
			print_error("%s\n", parse_cases[i].name);
			ok = false;
		}
	}
	assert_true(ok);
}

static void
test_error_is_clean(void **state)
{
	struct error error = ERROR_INIT;

	(void)state;
	assert_null(json_parse(SPAN("{\"a\": \033[31m\n}"), &error));
	assert_null(strpbrk(error.text, "\033\n"));
	assert_null(json_parse(SPAN("{"), NULL));
}

/* ---- strings ---- */

static const struct string_case {
	const char *name;
	struct span text;
	const char *printed;
} string_cases[] = {
    {"plain", SPAN_INIT("abc"), "abc"},
    {"UTF-8 stays", SPAN_INIT("L\xc3\xb6hne \xe2\x82\xac"),
	"L\xc3\xb6hne \xe2\x82\xac"},
    {"quote", SPAN_INIT("a\"b\\"), "a\\\"b\\\\"},
    {"escape sequence", SPAN_INIT("\033[31m"), "\\u001B[31m"},
    {"line end", SPAN_INIT("a\r\nb"), "a\\r\\nb"},
    {"NUL", SPAN_INIT("a\0b"),
	"a\xef\xbf\xbd"
	"b"},
    {"NUL at the ends", SPAN_INIT("\0\0"), "\xef\xbf\xbd\xef\xbf\xbd"},
    {"invalid UTF-8", SPAN_INIT("a\xff"), "a\xef\xbf\xbd"},
    {"DEL", SPAN_INIT("\x7f"), "\\u007f"},
    {"CSI of 8 bits",
	SPAN_INIT("\xc2\x9b"
		  "31m"),
	"\\u009b31m"},
    {"direction",
	SPAN_INIT("\xe2\x80\xae"
		  "cod.exe"),
	"\\u202ecod.exe"},
    {"line separator", SPAN_INIT("\xe2\x80\xa8"), "\\u2028"},
    {"tags", SPAN_INIT("\xf3\xa0\x81\x81"), "\\udb40\\udc41"},
    {"astral", SPAN_INIT("\xf0\x9f\x98\x80"), "\xf0\x9f\x98\x80"},
    {"empty", SPAN_INIT(""), ""},
};

/* Printed, read and printed again it is the same. */
static bool
is_stable(const char *printed)
{
	struct json *json = json_parse(span_from_str(printed), NULL);
	BUF_AUTO again = BUF_INIT;

	if (json == NULL)
		return false;
	json_print(json, &again, false);
	json_free(&json);
	return strcmp(buf_str(&again), printed) == 0;
}

static bool
prints_as(const struct string_case *c)
{
	struct json *json = json_new_object();
	BUF_AUTO printed = BUF_INIT;
	STR_AUTO wanted = xasprintf("{\"s\":\"%s\"}", c->printed);

	json_set_span(json, "s", c->text);
	json_print(json, &printed, false);
	json_free(&json);
	return strcmp(buf_str(&printed), wanted) == 0 && is_stable(wanted);
}

static void
test_strings(void **state)
{
	bool ok = true;

	(void)state;
	for (size_t i = 0; i < COUNT(string_cases); i++) {
		if (!prints_as(&string_cases[i])) {
			print_error("%s\n", string_cases[i].name);
			ok = false;
		}
	}
	assert_true(ok);
}

/* ---- building and reading ---- */

static struct json *
build(void)
{
	struct json *json = json_new_object(), *list = json_new_array();
	STRV_AUTO words = STRV_INIT;

	strv_add(&words, "x");
	strv_add(&words, "y");
	json_set_str(json, "str", "s");
	json_set_str(json, "null", NULL);
	json_set_int(json, "int", INT64_MIN);
	json_set_bool(json, "bool", true);
	json_set_time(json, "time", 86400);
	json_set_time(json, "never", 0);
	json_set_strv(json, "words", &words);
	json_add_str(list, "z");
	json_add(list, json_new_object());
	json_set(json, "list", list);
	return json;
}

static void
test_build(void **state)
{
	struct json *json = build();
	BUF_AUTO out = BUF_INIT;

	(void)state;
	json_print(json, &out, false);
	assert_string_equal(buf_str(&out),
	    "{\"str\":\"s\",\"null\":null,\"int\":-9223372036854775808,"
	    "\"bool\":true,\"time\":\"1970-01-02T00:00:00Z\",\"never\":null,"
	    "\"words\":[\"x\",\"y\"],\"list\":[\"z\",{}]}");
	buf_clear(&out);
	json_print(json_get(json, "words"), &out, true);
	assert_string_equal(buf_str(&out), "[\n  \"x\",\n  \"y\"\n]");
	json_free(&json);
	assert_null(json);
	json_free(&json);
}

/* In the order of setting; a copy lives on when its document goes. */
static void
check_members(void)
{
	struct json *json = json_new_object(), *copy;
	const char *name = NULL;

	json_set_str(json, "z", "1");
	json_set_str(json, "a", NULL);
	assert_string_equal(json_str(json_member(json, 0, &name)), "1");
	assert_string_equal(name, "z");
	assert_true(json_is_nothing(json_member(json, 1, &name)));
	assert_string_equal(name, "a");
	assert_null(json_member(json, 2, &name));
	copy = json_copy_of(json);
	json_free(&json);
	assert_string_equal(json_get_str(copy, "z"), "1");
	json_free(&copy);
}

static void
test_read(void **state)
{
	struct json *json = build();

	(void)state;
	assert_string_equal(json_get_str(json, "str"), "s");
	assert_null(json_get_str(json, "null"));
	assert_null(json_get_str(json, "int"));
	assert_null(json_get_str(json, "missing"));
	assert_true(json_get_int(json, "int", 0) == INT64_MIN);
	assert_int_equal(json_get_int(json, "str", 7), 7);
	assert_true(json_get_bool(json, "bool"));
	assert_string_equal(
	    json_str(json_get(json, "str")), json_get_str(json, "str"));
	assert_null(json_str(json_get(json, "bool")));
	assert_null(json_str(NULL));
	assert_false(json_is_nothing(json_get(json, "str")));
	check_members();
	assert_false(json_get_bool(json, "str"));
	assert_int_equal(json_count(json_get(json, "words")), 2);
	assert_int_equal(json_count(json_get(json, "missing")), 0);
	assert_null(json_get(json_get(json, "words"), "a"));
	assert_null(json_at(json_get(json, "words"), 2));
	json_free(&json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parse),
	    cmocka_unit_test(test_error_is_clean),
	    cmocka_unit_test(test_strings),
	    cmocka_unit_test(test_build),
	    cmocka_unit_test(test_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
