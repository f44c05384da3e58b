/* Commands that give secrets: how they are split, what is taken of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "daemon/base/xalloc.h"
#include "daemon/config/secrets.h"

struct split_case {
	const char *text;
	const char *argv; /* joined by '|'; NULL: refused */
	size_t offset;
};

static const struct split_case split_cases[] = {
    {"pass", "pass", 0},
    {"  pass \t show  x ", "pass|show|x", 0},
    {"a 'b c' \"d e\"", "a|b c|d e", 0},
    {"a b'c d'e", "a|bc de", 0},
    {"a '' \"\"", "a||", 0},
    {"a \"x\\\"y\\\\z\\n\"", "a|x\"y\\z\\n", 0},
    {"a 'x\\'", "a|x\\", 0},
    {"a \\ b", "a|\\|b", 0},
    {"a $HOME `x` ; | > *", "a|$HOME|`x`|;|||>|*", 0},
    {"a 'b", NULL, 2},
    {"a b\"c", NULL, 3},
    {"", NULL, 0},
    {"'' x", NULL, 0},
};

static void
test_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(split_cases) / sizeof(split_cases[0]);
	     i++) {
		const struct split_case *c = &split_cases[i];
		STRV_AUTO argv = STRV_INIT;
		size_t offset = 99;
		bool done =
		    argv_split(span_from_str(c->text), &argv, &offset, NULL);
		STR_AUTO joined = strv_join(&argv, "|");
		if (done != (c->argv != NULL) ||
		    (done && strcmp(joined, c->argv) != 0) ||
		    (!done && (offset != c->offset || argv.len != 0))) {
			print_error(
			    "%s: got %s at %zu\n", c->text, joined, offset);
			fail();
		}
	}
}

static void
test_split_is_bounded(void **state)
{
	BUF_AUTO text = BUF_INIT;
	STRV_AUTO argv = STRV_INIT;
	size_t offset;

	(void)state;
	for (int i = 0; i <= SECRET_ARGV_MAX; i++)
		buf_add_str(&text, "x ");
	assert_false(argv_split(buf_span(&text), &argv, &offset, NULL));
	assert_int_equal(offset, 2 * SECRET_ARGV_MAX);
}

struct output_case {
	const char *name;
	int status;
	bool timed_out;
	struct span output, errors;
	const char *secret; /* NULL: refused */
	const char *message;
};

static const struct output_case output_cases[] = {
    {"line", 0, false, SPAN_INIT("pw\n"), SPAN_INIT(""), "pw", ""},
    {"no newline", 0, false, SPAN_INIT("pw"), SPAN_INIT(""), "pw", ""},
    {"CRLF", 0, false, SPAN_INIT("pw\r\n"), SPAN_INIT(""), "pw", ""},
    {"empty lines behind", 0, false, SPAN_INIT("pw\n\n \n"), SPAN_INIT(""),
	"pw", ""},
    {"blanks belong to it", 0, false, SPAN_INIT(" p w \n"), SPAN_INIT(""),
	" p w ", ""},
    {"complaint but success", 0, false, SPAN_INIT("pw\n"), SPAN_INIT("hm\n"),
	"pw", ""},
    {"nothing", 0, false, SPAN_INIT(""), SPAN_INIT(""), NULL, "c gave nothing"},
    {"empty line", 0, false, SPAN_INIT("\n"), SPAN_INIT("no entry\n"), NULL,
	"c printed nothing: no entry"},
    {"two lines", 0, false, SPAN_INIT("pw\nuser: x\n"), SPAN_INIT(""), NULL,
	"c printed more than one line"},
    {"failed after printing", 1, false, SPAN_INIT("pw\n"),
	SPAN_INIT("locked\nreally\n"), NULL,
	"c failed with status 1: locked really"},
    {"timed out", 137, true, SPAN_INIT("pw\n"), SPAN_INIT(""), NULL,
	"c did not end within 30 s and was stopped (nobody can answer what it "
	"asks: run it yourself, unlock what it needs, then belfryctl reload)"},
    {"NUL", 0, false, SPAN_INIT("p\0w\n"), SPAN_INIT(""), NULL,
	"c gave a control character"},
    {"CR inside", 0, false, SPAN_INIT("p\rw\n"), SPAN_INIT(""), NULL,
	"c gave a control character"},
    {"escape in the complaint", 1, false, SPAN_INIT(""),
	SPAN_INIT("\033[31mred"), NULL, "c failed with status 1: [31mred"},
};

static void
test_output(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(output_cases) / sizeof(output_cases[0]);
	     i++) {
		const struct output_case *c = &output_cases[i];
		struct secret secret = SECRET_INIT;
		struct error error = ERROR_INIT;
		bool done = secret_from_output("c", c->status, c->timed_out,
		    c->output, c->errors, &secret, &error);
		struct span want = span_from_str(c->secret);
		if (done != (c->secret != NULL) ||
		    !span_equal(secret_span(&secret), want) ||
		    strcmp(error.text, c->message) != 0 ||
		    (!done && error.fault != FAULT_AUTH)) {
			print_error("%s: %s\n", c->name, error.text);
			fail();
		}
		secret_wipe(&secret);
	}
}

static void
test_output_is_bounded(void **state)
{
	BUF_AUTO text = BUF_INIT;
	struct secret secret = SECRET_INIT;

	(void)state;
	while (text.len < SECRET_MAX)
		buf_add_char(&text, 'x');
	assert_true(secret_from_output(
	    "c", 0, false, buf_span(&text), SPAN_EMPTY, &secret, NULL));
	assert_int_equal(secret.len, SECRET_MAX);
	secret_wipe(&secret);
	buf_add_char(&text, 'x');
	assert_false(secret_from_output(
	    "c", 0, false, buf_span(&text), SPAN_EMPTY, &secret, NULL));
}

static void
test_token(void **state)
{
	static const struct {
		const char *token, *error; /* NULL: it may be one */
	} cases[] = {
	    {"ya29.a0Af-_~+/x=", NULL},
	    {"{\"access_token\":\"x\"}",
		"c printed a JSON document, and not a token: let it print the "
		"value of access_token alone"},
	    {" [1]", "c printed a JSON document, and not a token: let it print "
		     "the value of access_token alone"},
	    {"Bearer x", "c printed several words, and not a token alone"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct error error = ERROR_INIT;
		bool ok = secret_check_token(
		    "c", span_from_str(cases[i].token), &error);
		assert_int_equal(ok, cases[i].error == NULL);
		if (!ok)
			assert_string_equal(error.text, cases[i].error);
	}
}

static void
test_credential(void **state)
{
	char folder[] = "/tmp/belfry-credential-XXXXXX";
	struct secret secret = SECRET_INIT;
	struct error error = ERROR_INIT;

	(void)state;
	assert_non_null(mkdtemp(folder));
	STR_AUTO path = xasprintf("%s/mail", folder);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs("pw\n", file);
	fclose(file);
	assert_true(secret_from_credential(folder, "mail", &secret, &error));
	assert_true(span_is(secret_span(&secret), "pw"));
	secret_wipe(&secret);
	assert_false(secret_from_credential(NULL, "mail", &secret, &error));
	assert_non_null(strstr(error.text, "LoadCredential=mail"));
	assert_false(secret_from_credential(folder, "none", &secret, &error));
	assert_false(secret_from_credential(folder, ".", &secret, &error));
	remove(path);
	remove(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_split),
	    cmocka_unit_test(test_split_is_bounded),
	    cmocka_unit_test(test_output),
	    cmocka_unit_test(test_output_is_bounded),
	    cmocka_unit_test(test_token),
	    cmocka_unit_test(test_credential),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
