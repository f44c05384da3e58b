/* What a hostile message can make of a ${variable}: nothing but a part of one
 * component, or of one argument. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "daemon/base/random.h"
#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"
#include "rules/template.h"

/* A template with one capture, `x`. */
static struct template *
compile(const char *text, enum template_use use, struct slots *slots)
{
	struct rule_problems problems = {0};
	struct captures captures = {.is_certain = {true}};
	struct template_names names = {&captures, slots};
	struct source source = {span_from_str(text), {"test", 1, 1}, &problems};
	struct template *template;

	strv_add(&captures.names, "x");
	template = template_compile(&source, use, &names);
	captures_done(&captures);
	rule_problems_done(&problems);
	return template;
}

static char *
expand(const char *text, enum template_use use, struct span value)
{
	struct slots slots = {0};
	struct facts facts = {.account = "a"};
	struct template *template = compile(text, use, &slots);
	struct view view;
	struct template_values values = {&value, &view};
	char *expanded;

	assert_non_null(template);
	view_init(&view, &slots, &facts);
	expanded = template_expand(template, &values);
	view_done(&view);
	slots_done(&slots);
	template_free(&template);
	return expanded;
}

static const struct {
	const char *text, *value, *expanded;
} folders[] = {
    {"A/${x}", "b", "A/b"},
    {"A/${x}", "", "A/_"},
    {"A/${x}", ".", "A/_"},
    {"A/${x}", "..", "A/_"},
    {"A/${x}/B", "../..", "A/..../B"},
    {"A/${x}", "/", "A/_"},
    {"A/.${x}", ".", "A/_"},
    {"A/${x}", "b/c\\d*e%f", "A/bcdef"},
    {"A/${x}", "a\x01\x7f\xc2\x85z", "A/az"},
    {"A/${x}",
	"a\xe2\x80\xae"
	"b",
	"A/ab"},
    {"A/${x}", " b ", "A/b"},
    {"A/${x}", " \t ", "A/_"},
    {"${x}", "\\Trash", "Trash"},
    {"${x}", "~root", "_root"},
    {"${x}", " ~root", "_root"},
    {"${x}", "/#news", "_news"},
    {"#shared/${x}", "a~", "#shared/a~"},
    {"a${x}", "~", "a~"},
    {"A/${x}", "a.b", "A/a.b"},
    {"A/${x}", "\xff", "A/\xef\xbf\xbd"},
};

static void
test_folders(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		STR_AUTO name = expand(folders[i].text, TEMPLATE_FOLDER,
		    span_from_str(folders[i].value));

		if (strcmp(name, folders[i].expanded) != 0)
			fail_msg("%s with %s: %s", folders[i].text,
			    folders[i].value, name);
	}
}

/* Random bytes, rich in what could do harm. */
static void
random_value(struct random *random, struct buf *value)
{
	static const char *const pieces[] = {"/", "\\", "..", ".", "~", "#",
	    "%", "*", "\r\n", "\t", " ", "${x}", "\"", "'", "-", "\x01",
	    "\xe2\x80\xae", "\xef\xbb\xbf", "\xff", "\xc3\xa4", "abc", "INBOX"};
	uint64_t count = random_below(random, 40);

	for (uint64_t i = 0; i < count; i++)
		buf_add_str(value, pieces[random_below(random,
				       sizeof(pieces) / sizeof(*pieces))]);
}

static size_t
count_char(const char *text, char c)
{
	size_t count = 0;

	for (; *text != '\0'; text++)
		count += *text == c;
	return count;
}

static void
check_component(struct span component)
{
	assert_true(component.len > 0);
	assert_false(span_is(component, "."));
	assert_false(span_is(component, ".."));
}

static void
check_folder(const char *name, const char *text)
{
	struct span rest = span_from_str(name), component;

	assert_true(strlen(name) <= TEMPLATE_FOLDER_MAX);
	assert_true(utf8_is_valid(rest));
	assert_int_equal(count_char(name, '/'), count_char(text, '/'));
	assert_null(strpbrk(name, "\\*%\r\n\t\x01"));
	assert_null(strchr("~#", name[0]));
	while (span_split(&rest, '/', &component))
		check_component(component);
}

static void
test_hostile_folders(void **state)
{
	static const char *const texts[] = {"${x}", "A/${x}", "A/${x}/B",
	    "${x}/${x}", "A/.${x}", "${x}${x}/.", "A/${x}.${x}/C"};
	struct random random;

	(void)state;
	random_init(&random, 1);
	for (int i = 0; i < 4000; i++) {
		const char *text = texts[i % 5 == 0 ? 6 : i % 5];
		BUF_AUTO value = BUF_INIT;
		STR_AUTO name = NULL;

		random_value(&random, &value);
		name = expand(text, TEMPLATE_FOLDER, buf_span(&value));
		check_folder(name, text);
	}
}

static void
test_long_folder(void **state)
{
	BUF_AUTO value = BUF_INIT;
	STR_AUTO name = NULL;

	(void)state;
	for (int i = 0; i < 1000; i++)
		buf_add_str(&value, "\xc3\xa4");
	name = expand("Lists/${x}/${x}/end", TEMPLATE_FOLDER, buf_span(&value));
	check_folder(name, "Lists/${x}/${x}/end");
	assert_true(strlen(name) > 200);
	assert_true(span_ends_nocase(span_from_str(name), "/end"));
}

static struct template **
compile_arguments(const char *text, struct slots *slots, size_t *count_r)
{
	struct rule_problems problems = {0};
	struct captures captures = {.is_certain = {true}};
	struct template_names names = {&captures, slots};
	struct source source = {span_from_str(text), {"test", 1, 1}, &problems};
	struct template **argv = NULL;

	strv_add(&captures.names, "x");
	assert_true(
	    template_compile_arguments(&source, &names, &argv, count_r));
	captures_done(&captures);
	rule_problems_done(&problems);
	return argv;
}

/* The value is in its argument, byte by byte, and there are no more. */
static void
test_hostile_arguments(void **state)
{
	struct slots slots = {0};
	struct facts facts = {.account = "a"};
	struct template **argv;
	struct random random;
	struct view view;
	size_t count;

	(void)state;
	argv =
	    compile_arguments("/bin/x ${x} 'a ${x}' b\"${x}\"", &slots, &count);
	assert_int_equal(count, 4);
	view_init(&view, &slots, &facts);
	random_init(&random, 3);
	for (int i = 0; i < 1000; i++) {
		BUF_AUTO value = BUF_INIT, wanted = BUF_INIT;
		struct span span;
		struct template_values values = {&span, &view};
		STR_AUTO plain = NULL;
		STR_AUTO grouped = NULL;

		random_value(&random, &value);
		span = buf_span(&value);
		plain = template_expand(argv[1], &values);
		grouped = template_expand(argv[2], &values);
		assert_string_equal(plain, buf_str(&value));
		buf_addf(&wanted, "a %s", buf_str(&value));
		assert_string_equal(grouped, buf_str(&wanted));
	}
	view_done(&view);
	for (size_t i = 0; i < count; i++)
		template_free(&argv[i]);
	free(argv);
	slots_done(&slots);
}

static void
test_argument_edges(void **state)
{
	BUF_AUTO big = BUF_INIT;
	STR_AUTO nul = NULL;
	STR_AUTO cut = NULL;

	(void)state;
	nul = expand("${x}", TEMPLATE_ARGUMENT, SPAN("a\0b"));
	assert_string_equal(nul, "ab");
	while (big.len < TEMPLATE_ARGUMENT_MAX + 100)
		buf_add_str(&big, "a\xe2\x82\xac");
	cut = expand("${x}", TEMPLATE_ARGUMENT, buf_span(&big));
	assert_in_range(
	    strlen(cut), TEMPLATE_ARGUMENT_MAX - 4, TEMPLATE_ARGUMENT_MAX);
	assert_true(utf8_is_valid(span_from_str(cut)));
}

static void
test_text(void **state)
{
	STR_AUTO text = expand(
	    "a\t${x}", TEMPLATE_TEXT, SPAN("b\r\nc\x1b[31m\xe2\x80\xae"));

	(void)state;
	assert_null(strpbrk(text + 2, "\r\n\x1b"));
	assert_null(strstr(text, "\xe2\x80\xae"));
}

static void
test_no_room(void **state)
{
	struct slots slots = {0};
	BUF_AUTO text = BUF_INIT;

	(void)state;
	for (int i = 0; i < 250; i++)
		buf_add_char(&text, 'a');
	buf_add_str(&text, "${x}");
	assert_null(compile(buf_str(&text), TEMPLATE_FOLDER, &slots));
	slots_done(&slots);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_folders),
	    cmocka_unit_test(test_hostile_folders),
	    cmocka_unit_test(test_long_folder),
	    cmocka_unit_test(test_hostile_arguments),
	    cmocka_unit_test(test_argument_edges),
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
