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
	STR_AUTO notifiers = source_path("contrib/examples/notifiers.conf");

	(void)state;
	must_pass(path);
	must_pass(notifiers);
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
	"test t: `move Y` is not done; what is: mark read (rule a), move to X "
	"(rule a)"},
    {"observed is not done", "header = Subject: o\nexpect = o, trash\n",
	"test t: `trash` is not done; what is: notify; only observed: o: move "
	"to the trash"},
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

/* ---- what a test can say of its message ---- */

#define H "header = From: Bob <bob@x.example>\n"

static const struct fact_case {
	const char *name, *when, *test;
} fact_cases[] = {
    {"new sender", "new-sender", H "new-sender = yes\n"},
    {"known sender", "not new-sender", H},
    {"flag", "flag is flagged and flag is read", H "flags = read, flagged\n"},
    {"keyword", "keyword is $Work", H "flags = $Work\n"},
    {"no flags", "not flag is read", H},
    {"mailbox", "mailbox is Lists/lkml", H "mailbox = Lists/lkml\n"},
    {"account", "account is b", H "account = b\n"},
    {"age", "age >= 2h and age < 3h", H "received = 2h\n"},
    {"no age", "age < 1s", H},
    {"times", "age is 30m",
	H "received = 2026-11-21 10:00\nnow = 2026-11-21 10:30\n"},
    {"hour", "hour is 10 and weekday is sat", H "now = 2026-11-21 10:30\n"},
    {"hour of a zone", "hour is 8", H "now = 2026-11-21T10:30:00+02:00\n"},
    {"sent", "sent is 90m",
	H "header = Date: Sat, 21 Nov 2026 10:00:00 +0100\n"
	  "now = 2026-11-21 10:30\n"},
    {"body", "body has the second # line",
	H "body = first\nbody = The Second # line\n"},
    {"body, anchored", "body ~ /^second$/m", H "body = first\n second\n"},
    {"no body", "not body", H},
    {"attachment", "attachment and attachment.count is 2",
	H "attachment = a.pdf\nattachment = b.pdf\n"},
    {"no attachment", "not attachment", H "body = x\n"},
    {"name with blanks", "attachment.name is my offer.pdf",
	H "attachment = my offer.pdf application/pdf 200K\n"},
    {"type", "attachment.type is application/pdf",
	H "attachment = a.pdf application/pdf\n"},
    {"no type", "attachment.type is application/octet-stream",
	H "attachment = a.pdf 9\n"},
    {"size", "attachment.size >= 200K and size > 200K",
	H "attachment = a.pdf application/pdf 200K\n"},
    {"authserv", "auth.dmarc is pass",
	H "header = Authentication-Results: mx; dmarc=pass\n"},
    {"from a file",
	"from is ann@example.org and body has gr\u00fc\u00dfe and "
	"attachment.name is x.pdf and attachment.count is 1",
	"message = mail.eml\n"},
    {"flags of a file", "flag is read and new-sender",
	"message = mail.eml\nflags = read\nnew-sender = yes\n"},
};

static const char mail[] =
    "From: ann@example.org\r\nSubject: hello\r\n"
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    "Liebe Gr=C3=BC=C3=9Fe\r\n"
    "--b\r\nContent-Type: application/pdf; name=x.pdf\r\n"
    "Content-Disposition: attachment\r\n\r\nJVBERi0=\r\n--b--\r\n";

static void
write_file(const char *folder, const char *name, const char *text)
{
	STR_AUTO path = xasprintf("%s/%s", folder, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* From a folder, so that a file beside the configuration is found. */
static void
check_fact(const char *folder, const struct fact_case *c)
{
	STR_AUTO path = xasprintf("%s/belfry.conf", folder);
	STR_AUTO text = xasprintf("[account a]\nemail = a@gmail.com\n"
				  "keyring = yes\nauthserv = mx\n"
				  "[account b]\nemail = b@gmail.com\n"
				  "keyring = yes\n"
				  "[rule r]\nwhen = %s\nmark = read\n"
				  "[test t]\n%sexpect = r\n",
	    c->when, c->test);
	struct config_report report;
	BUF_AUTO problems = BUF_INIT;

	write_file(folder, "belfry.conf", text);
	struct config *config = config_load(path, &report);
	if (config == NULL || config_run_tests(config, NOW, &report) != 0) {
		config_print_problems(&report, &problems);
		print_error("%s: %s\n", c->name, buf_str(&problems));
		fail();
	}
	config_report_done(&report);
	config_free(&config);
}

static void
test_facts(void **state)
{
	char folder[] = "/tmp/belfry-facts-XXXXXX";
	static const char *const names[] = {"mail.eml", "belfry.conf"};

	(void)state;
	assert_non_null(mkdtemp(folder));
	write_file(folder, "mail.eml", mail);
	for (size_t i = 0; i < sizeof(fact_cases) / sizeof(fact_cases[0]); i++)
		check_fact(folder, &fact_cases[i]);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		STR_AUTO path = xasprintf("%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
}

/* ---- what a rule may have ---- */

/* Each key, with what it needs beside it; where it may be repeated, twice. */
static const char every_key[] =
    "[account a]\nemail = a@gmail.com\nkeyring = yes\n"
    "[notifier n]\ntype = journal\n"
    "[rule moves]\nwhen = subject\nwhen = from\n"
    "unless = to\nunless = cc\n"
    "accounts = a\nmailboxes = INBOX\nenabled = yes\nmode = observe\n"
    "limit = 2/day\nstop = yes\ncreate = yes\nmove = A\n"
    "copy = B\ncopy = C\nlabel = D\nlabel = E\n"
    "mark = read\nmark = flagged\n"
    "forward = b@x.example\nforward = c@x.example\n"
    "as = inline\nunknown = hold\nallow = list, auto\n"
    "exec = /bin/true\nstdin = message\nretry = 2\nrepeat = safe\n"
    "notify = yes\nurgency = low\ntitle = t\ntext = t\n"
    "sound = bell\nicon = mail\nvia = n\n"
    "escalate = n after 10m unless read\nescalate = n after 1h\n"
    "[rule archive]\nwhen = subject is b\narchive = yes\nquiet = yes\n"
    "[rule trash]\nwhen = subject is c\ntrash = yes\n"
    "[rule junk]\nwhen = subject is d\njunk = yes\n"
    "[rule delete]\nwhen = subject is e\ndelete = forever\n";

static void
test_every_rule_key(void **state)
{
	struct config_report report;
	BUF_AUTO said = BUF_INIT;

	(void)state;
	struct config *config =
	    config_parse("f", span_from_str(every_key), &report);
	config_print_problems(&report, &said);
	if (config == NULL) {
		print_error("%s\n", buf_str(&said));
		fail();
	}
	for (size_t i = 0; settings_at(i) != NULL; i++) {
		STR_AUTO line = xasprintf("\n%s = ", settings_at(i)->key);
		if (settings_at(i)->section == SECTION_RULE &&
		    strstr(every_key, line) == NULL) {
			print_error("%s\n", settings_at(i)->key);
			fail();
		}
	}
	config_report_done(&report);
	config_free(&config);
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
	    cmocka_unit_test(test_facts),
	    cmocka_unit_test(test_every_rule_key),
	    cmocka_unit_test(test_manual_has_every_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
