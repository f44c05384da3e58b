/*
 * The configurations and the manual that people read: the example passes its
 * own tests, and the manual has every key.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/base/xalloc.h"
#include "daemon/config/config.h"
#include "daemon/config/files.h"
#include "daemon/config/settings.h"

#define NOW 1795000000 /* November 2026 */

/* Set by automake; "." when run by hand in the source folder. */
static char *
source_path(const char *path)
{
	const char *top = getenv("srcdir");

	return xasprintf("%s/%s", top != NULL ? top : ".", path);
}

static void
read_text(const char *path, struct buf *text)
{
	struct error error = ERROR_INIT;

	if (!files_read_text(path, text, &error)) {
		print_error("%s\n", error.text);
		fail();
	}
}

static void
must_pass(const char *path)
{
	struct config_report report;
	BUF_AUTO text = BUF_INIT;
	BUF_AUTO said = BUF_INIT;

	read_text(path, &text);
	struct config *config = config_parse(path, buf_span(&text), &report);
	if (config != NULL)
		config_run_tests(config, NOW, &report);
	config_print_problems(&report, &said);
	if (config == NULL || report.problems.count > 0) {
		print_error("%s\n", buf_str(&said));
		fail();
	}
	config_report_done(&report);
	config_free(&config);
}

static void
test_example(void **state)
{
	STR_AUTO path = source_path("contrib/examples/belfry.conf");

	(void)state;
	must_pass(path);
}

static void
test_reference(void **state)
{
	STR_AUTO path = source_path("tests/data/config-reference.conf");

	(void)state;
	must_pass(path);
}

struct verdict_case {
	const char *name;
	const char *test;    /* lines of [test t] */
	const char *problem; /* NULL: passes */
};

static const struct verdict_case verdict_cases[] = {
    {"rule", "header = Subject: a\nexpect = a\n", NULL},
    {"rule and actions", "header = Subject: a\nexpect = a, move X, mark read\n",
	NULL},
    {"action only", "header = Subject: a\nexpect = move\n", NULL},
    {"none", "header = Subject: z\nexpect = none\n", NULL},
    {"none, but default notification",
	"header = Subject: z\nexpect = none, notify normal\n", NULL},
    {"observed", "header = Subject: o\nexpect = o\n", NULL},
    {"other mailbox", "header = Subject: b\nmailbox = B\nexpect = b\n", NULL},
    {"not matched", "header = Subject: z\nexpect = a\n",
	"test t: expected a, but no rule matched"},
    {"matched", "header = Subject: a\nexpect = none\n",
	"test t: expected no rule, but a matched"},
    {"other rule", "header = Subject: ab\nexpect = a\n",
	"test t: expected a, but a, ab matched"},
    {"action not done", "header = Subject: a\nexpect = a, move Y\n",
	"test t: `move Y` is not done"},
    {"unknown", "header = Subject: a\nexpect = mvoe\n",
	"test t: `mvoe` is neither a rule nor an action"},
    {"missing file", "message = /nonexistent/x\nexpect = none\n",
	"test t: /nonexistent/x: No such file or directory"},
};

static void
test_verdicts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(verdict_cases) / sizeof(verdict_cases[0]);
	     i++) {
		const struct verdict_case *c = &verdict_cases[i];
		struct config_report report;
		STR_AUTO text = xasprintf(
		    "[account a]\nemail = a@gmail.com\nkeyring = yes\n"
		    "watch = INBOX, B\n"
		    "[rule a]\nwhen = subject ~ /a/\nmove = X\nmark = read\n"
		    "[rule ab]\nwhen = subject is ab\nmark = flagged\n"
		    "[rule b]\nmailboxes = B\nwhen = all\nmark = read\n"
		    "[rule o]\nmode = observe\nwhen = subject is o\ntrash = "
		    "yes\n[test t]\n%s",
		    c->test);
		struct config *config =
		    config_parse("f", span_from_str(text), &report);
		size_t failed =
		    config == NULL ? 9 : config_run_tests(config, NOW, &report);
		const char *got = report.problems.count > 0
				      ? report.problems.items[0].text
				      : "";
		if (failed != (c->problem != NULL) ||
		    strcmp(got, c->problem == NULL ? "" : c->problem) != 0) {
			print_error(
			    "%s: %zu failed: %s\n", c->name, failed, got);
			fail();
		}
		config_report_done(&report);
		config_free(&config);
	}
}

/* BELFRY_CONF_5 names the page that the build has made. */
static void
test_manual_has_every_key(void **state)
{
	const char *path = getenv("BELFRY_CONF_5");
	BUF_AUTO page = BUF_INIT;

	(void)state;
	if (path == NULL)
		path = "daemon/config/belfry.conf.5";
	if (access(path, R_OK) != 0)
		skip();
	read_text(path, &page);
	for (size_t i = 0; settings_at(i) != NULL; i++) {
		STR_AUTO item =
		    xasprintf(".It Ic %s No = Ar ", settings_at(i)->key);
		if (strstr(buf_str(&page), item) == NULL) {
			print_error("%s\n", settings_at(i)->key);
			fail();
		}
	}
	assert_null(strstr(buf_str(&page), "@settings"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_example),
	    cmocka_unit_test(test_reference),
	    cmocka_unit_test(test_verdicts),
	    cmocka_unit_test(test_manual_has_every_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
