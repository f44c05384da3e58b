/*
 * The configuration as a whole: values, defaults, hints, and what an account
 * makes of little.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/xalloc.h"
#include "daemon/config/config.h"
#include "daemon/config/problem.h"
#include "daemon/config/settings.h"

/* What an account needs besides what a case is about. */
#define TWO                                                                    \
	"[account a]\nemail = ann@a.example\nimap = imaps://a.example\n"       \
	"smtp = smtps://a.example\npassword_command = x\n"                     \
	"[account b]\nemail = bob@b.example\nidentity = other@b.example\n"     \
	"imap = imaps://b.example\nsmtp = smtps://b.example\n"                 \
	"password_command = x\n"
#define ACCOUNT "[account a]\nemail = ann@gmail.com\npassword_command = x\n"
#define SIGN_IN "[account a]\nemail = ann@gmail.com\noauth2_client_id = x\n"
#define ACCOUNT_LINES 3
#define PIN "sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define NINE_PINS                                                              \
	PIN "," PIN "," PIN "," PIN "," PIN "," PIN "," PIN "," PIN "," PIN
#define BARE "[account a]\nemail = ann@own.example\npassword_command = x\n"
#define REDIRECT "[rule r]\nwhen = all\nforward = x@y.example\nas = redirect\n"

static struct config *
parse(const char *text, struct config_report *report_r)
{
	return config_parse("f", span_from_str(text), report_r);
}

static char *
print(const struct config_report *report)
{
	BUF_AUTO buf = BUF_INIT;

	config_print_problems(report, &buf);
	return buf_take_str(&buf);
}

static struct config *
must_parse(const char *name, const char *text)
{
	struct config_report report;
	struct config *config = parse(text, &report);

	if (config == NULL) {
		STR_AUTO problems = print(&report);
		print_error("%s: %s\n", name, problems);
		fail();
	}
	config_report_done(&report);
	return config;
}

/* ---- errors ---- */

struct error_case {
	const char *name;
	const char *text;
	unsigned line, column;
	const char *message; /* of the first problem */
	const char *hint;    /* NULL: none */
};

static const struct error_case error_cases[] = {
#include "tests/unit/config-errors.inc"
};

static bool
is_hint(const char *got, const char *want)
{
	if (want == NULL || got == NULL)
		return want == got;
	return strcmp(got, want) == 0;
}

static void
test_errors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(error_cases) / sizeof(error_cases[0]);
	     i++) {
		const struct error_case *c = &error_cases[i];
		struct config_report report;
		struct config *config = parse(c->text, &report);
		STR_AUTO problems = print(&report);
		const struct rule_problem *first = report.problems.items;
		if (config != NULL || report.problems.count == 0 ||
		    first->place.line != c->line ||
		    first->place.column != c->column ||
		    strcmp(first->text, c->message) != 0 ||
		    !is_hint(first->hint, c->hint)) {
			print_error("%s: got %s\n", c->name, problems);
			fail();
		}
		config_report_done(&report);
		config_free(&config);
	}
}

static void
test_all_errors_are_reported_in_order(void **state)
{
	struct config_report report;

	(void)state;
	assert_null(parse(BARE "imap = imaps://a b\nidle_renew = 5min\n\n"
			       "[notifier n]\ntyp = exec\n",
	    &report));
	STR_AUTO problems = print(&report);
	assert_string_equal(problems,
	    "f:4:17: error: this character is not allowed in a host name\n"
	    "    imap = imaps://a b\n"
	    "                    ^\n"
	    "f:5:14: error: `idle_renew` is a duration, 1m to 28m\n"
	    "    idle_renew = 5min\n"
	    "                 ^\n"
	    "    the unit of minutes is `m`, as in 15m\n"
	    "f:7:1: error: notifier n has no `type`\n"
	    "    [notifier n]\n"
	    "    ^\n"
	    "    add `type = desktop`, exec, program, webhook or journal\n"
	    "f:8:1: error: unknown key `typ` in a section [notifier]\n"
	    "    typ …\n"
	    "    ^\n"
	    "    did you mean `type`?\n");
	config_report_done(&report);
}

/* ---- secrets stay secret ---- */

#define CANARY "hunter2canary"

static const char *const canary_cases[] = {
    ACCOUNT "passwrod = " CANARY "\n",
    ACCOUNT "password: " CANARY "\n",
    ACCOUNT "password " CANARY "\n",
    ACCOUNT "password = " CANARY "\npassword = " CANARY "\n",
    ACCOUNT "password = \n  " CANARY "\n  #" CANARY "\n",
    ACCOUNT "password = " CANARY "\x01\n",
    ACCOUNT CANARY "\n",
    ACCOUNT "imap = imaps://ann:" CANARY "@h.example\n",
    ACCOUNT "#password = " CANARY "\xff\n",
    ACCOUNT "[notifier n]\ntype = webhook\nurl = ftp://" CANARY "\n",
    ACCOUNT "[notifier n]\ntype = webhook\nurl = https://h.example/" CANARY
	    " x\n",
    ACCOUNT "[notifier n]\ntype = webhook\nheader = A " CANARY "\n",
    /* Where a hidden key has no business. */
    ACCOUNT " password = " CANARY "\n",
    ACCOUNT "user = ann password=" CANARY "\nidle_renew = 5\n user = a\n",
    "[account w]\nemail = a@h.example password = " CANARY "\n",
    "[account w] password = " CANARY "\nemail = a@h.example\n",
    ACCOUNT "oauth2_client_id = c\n\toauth2_client_secret\t=" CANARY "\n",
    ACCOUNT "[notifier n]\ntype = webhook\nformat = json\n url = https://"
	    "h.example/" CANARY "\n",
    /* A URL without its scheme. */
    ACCOUNT "imap = ann:" CANARY "@h.example\n",
    ACCOUNT "imap =\n  ann:" CANARY "@h.example\n",
    ACCOUNT "smtp = //ann:" CANARY "@h.example\n",
};

static void
test_no_error_shows_a_secret(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(canary_cases) / sizeof(canary_cases[0]);
	     i++) {
		struct config_report report;
		struct config *config = parse(canary_cases[i], &report);
		STR_AUTO problems = print(&report);
		if (config != NULL || strstr(problems, CANARY) != NULL) {
			print_error("case %zu: %s\n", i, problems);
			fail();
		}
		config_report_done(&report);
		config_free(&config);
	}
}

/* ---- accounts ---- */

static void
test_email_and_secret_are_enough(void **state)
{
	struct config *c = must_parse("icloud",
	    "[account home]\nemail = Ann@iCloud.com\npassword_command = pass "
	    "show 'my mail'\n");
	const struct config_account *a = &c->accounts[0];

	(void)state;
	assert_string_equal(a->name, "home");
	assert_string_equal(a->domain, "icloud.com");
	assert_string_equal(a->preset->id, "icloud");
	assert_string_equal(a->other_user, "Ann");
	assert_string_equal(a->imap.host, "imap.mail.me.com");
	assert_int_equal(a->imap.port, 993);
	assert_int_equal(a->imap.tls, SERVER_TLS);
	assert_string_equal(a->smtp.host, "smtp.mail.me.com");
	assert_int_equal(a->smtp.port, 587);
	assert_int_equal(a->smtp.tls, SERVER_STARTTLS);
	assert_string_equal(a->user, "Ann@iCloud.com");
	assert_string_equal(a->from, "Ann@iCloud.com");
	assert_int_equal(a->auth, CONFIG_AUTH_PASSWORD);
	assert_int_equal(a->secret.kind, SECRET_COMMAND);
	assert_int_equal(a->secret.argv.len, 3);
	assert_string_equal(a->secret.argv.items[2], "my mail");
	assert_int_equal(a->watch.len, 1);
	assert_string_equal(a->watch.items[0], "INBOX");
	assert_true(a->idle_renew == 540 * USEC_SEC);
	assert_int_equal(a->connections, 3);
	assert_int_equal(a->forward_limit.hour, 20);
	assert_int_equal(a->forward_limit.day, 100);
	assert_null(a->oauth2);
	assert_null(a->written);
	assert_int_equal(a->identity.len, 1);
	assert_string_equal(config_tls_version(a), "1.2");
	assert_true(a->enabled);
	config_free(&c);
	assert_null(c);
}

static void
test_account_of_ones_own(void **state)
{
	struct config *c = must_parse("own",
	    "[account work]\nemail = ann@example.org\n"
	    "imap = imap://[2001:db8::1]:1143/\nsmtp = "
	    "smtps://M\xc3\xbcller.example.org"
	    "\nuser = ann\ntoken_command = oama access ann\n"
	    "watch = INBOX, Lists/*\n  \\Junk\nidentity = a@b.example,\n"
	    "  ANN@example.org\nforward_limit = 5/hour\nconnections = 1\n"
	    "idle_renew = 4m\nnotify = rules-only\ntls_min = 1.3\n"
	    "authserv = mx.example.org\nfrom = x@example.org\n");
	const struct config_account *a = config_find_account(c, "work");

	(void)state;
	assert_null(a->preset);
	assert_string_equal(a->imap.host, "2001:db8::1");
	assert_string_equal(a->smtp.host, "xn--mller-kva.example.org");
	assert_int_equal(a->imap.port, 1143);
	assert_int_equal(a->imap.tls, SERVER_STARTTLS);
	assert_int_equal(a->smtp.port, 465);
	assert_int_equal(a->smtp.tls, SERVER_TLS);
	assert_string_equal(a->smtp_user, "ann");
	assert_null(a->other_user); /* no preset says that */
	assert_int_equal(a->auth, CONFIG_AUTH_OAUTH2);
	assert_int_equal(a->watch.len, 3);
	assert_string_equal(a->watch.items[1], "Lists/*");
	assert_string_equal(a->watch.items[2], "\\Junk");
	assert_int_equal(a->identity.len, 3); /* `from` is one, too */
	assert_int_equal(a->notify, CONFIG_NOTIFY_RULES_ONLY);
	assert_string_equal(config_tls_version(a), "1.3");
	assert_string_equal(a->from, "x@example.org");
	config_free(&c);
}

static void
test_plaintext_on_loopback(void **state)
{
	struct config *c = must_parse("bridge",
	    "[account b]\nemail = ann@proton.me\npassword_command = x\n"
	    "plaintext = loopback\n");

	(void)state;
	assert_int_equal(c->accounts[0].imap.tls, SERVER_PLAINTEXT);
	assert_int_equal(c->accounts[0].smtp.tls, SERVER_PLAINTEXT);
	config_free(&c);
	c = must_parse("other SMTP",
	    BARE "imap = imap://localhost\nsmtp = submission://h.example\n"
		 "plaintext = loopback\n");
	assert_int_equal(c->accounts[0].imap.tls, SERVER_PLAINTEXT);
	assert_int_equal(c->accounts[0].smtp.tls, SERVER_STARTTLS);
	config_free(&c);
	c = must_parse("not asked for", BARE "imap = imap://127.0.0.1\n");
	assert_int_equal(c->accounts[0].imap.tls, SERVER_STARTTLS);
	config_free(&c);
}

/* Whether the service files what it sends: the preset knows, and the person
 * knows better. */
static void
assert_sent_copy(const char *text, bool wanted)
{
	struct config *c = must_parse("sent", text);

	assert_int_equal(c->accounts[0].sent_copy, wanted);
	config_free(&c);
}

static void
test_user_forms(void **state)
{
	struct config *c = must_parse(
	    "web.de", "[account w]\nemail = ann@web.de\nkeyring = yes\n");

	(void)state;
	assert_string_equal(c->accounts[0].user, "ann");
	assert_int_equal(c->accounts[0].secret.kind, SECRET_KEYRING);
	STR_AUTO argv = strv_join(&c->accounts[0].secret.argv, " ");
	assert_string_equal(
	    argv, "secret-tool lookup service belfry account w");
	config_free(&c);
	assert_sent_copy(ACCOUNT, true);
	assert_sent_copy(ACCOUNT "sent_copy = no\n", false);
	assert_sent_copy(
	    "[account y]\nemail = a@yahoo.com\nkeyring = yes\n", false);
	assert_sent_copy("[account y]\nemail = a@yahoo.com\nkeyring = yes\n"
			 "sent_copy = yes\n",
	    true);
	c = must_parse("yahoo",
	    "[account y]\nemail = ann@yahoo.com\ncredential = mail.pw\n");
	assert_int_equal(c->accounts[0].connections, 1);
	assert_int_equal(c->accounts[0].secret.kind, SECRET_CREDENTIAL);
	assert_string_equal(c->accounts[0].secret.credential, "mail.pw");
	config_free(&c);
}

/* An account that is switched off forwards nothing, and is forwarded nothing
 * to by Belfry that could come back. */
static void
test_no_circle(void **state)
{
	static const char rules[] =
	    "[rule r]\naccounts = a\nwhen = all\nforward = other@b.example\n"
	    "[rule s]\naccounts = b\nwhen = all\nforward = ann@a.example\n";
	STR_AUTO text = xasprintf("%senabled = no\n%s", TWO, rules);
	struct config *c = must_parse("one of two is switched off", text);

	(void)state;
	config_free(&c);
}

/* Accepted, with this one warning. */
static void
must_warn(const char *text, const char *warning)
{
	struct config_report report;
	struct config *c = parse(text, &report);

	assert_non_null(c);
	assert_int_equal(report.problems.count, 1);
	assert_true(report.problems.items[0].is_warning);
	assert_false(config_report_has_errors(&report));
	assert_string_equal(report.problems.items[0].text, warning);
	config_report_done(&report);
	config_free(&c);
}

static void
test_warnings(void **state)
{
	(void)state;
	must_warn(
	    "[account o]\nemail = ann@outlook.com\npassword_command = x\n",
	    "Outlook.com (Hotmail, Live, MSN) takes no passwords, only OAuth");
	must_warn(ACCOUNT "watch = INBOX Lists/*\n",
	    "\"INBOX Lists/*\" is one name with a blank in it");
	must_warn(ACCOUNT "[rule r]\nwhen = auth.dmarc is pass\nquiet = yes\n",
	    "auth.* is never true for account a: it has no `authserv`");
	must_warn(ACCOUNT "[rule r]\nwhen = all\nmove = Lists # mine\n",
	    "this is a part of the value of `move`");
	must_warn(ACCOUNT REDIRECT,
	    "Gmail, which sends for account a, writes your own address in "
	    "From");
	must_warn(TWO "[rule r]\naccounts = a\nwhen = all\n"
		      "forward = ann@a.example\n",
	    "rule r forwards to an address of account a itself: its own mail "
	    "is not forwarded there");
	must_warn(BARE "imap = imaps://h.example:143\n",
	    "port 143 is usually that of imap://");
}

static bool
is_redirect_refused(const char *text)
{
	struct config_report report;
	struct config *config = parse(text, &report);
	bool found = false;

	for (size_t i = 0; config == NULL && i < report.problems.count; i++)
		found = found || strstr(report.problems.items[i].text,
				     "refuses mail from the address of "
				     "somebody else") != NULL;
	config_report_done(&report);
	config_free(&config);
	return found;
}

/* Each provider by its own address: what is known to refuse the address of
 * somebody else is an error, and only that. */
static void
test_redirect_by_provider(void **state)
{
	unsigned failures = 0, refused = 0;

	(void)state;
	for (size_t i = 0; presets_at(i) != NULL; i++) {
		const struct preset *preset = presets_at(i);
		struct span rest = span_from_str(preset->domains), domain;

		if (preset->refusal != NULL || preset->smtp.host == NULL ||
		    !span_split(&rest, ' ', &domain) || domain.len == 0)
			continue;
		bool wanted = preset->from == PRESET_FROM_REFUSED;
		refused += wanted;
		STR_AUTO text = xasprintf(
		    "[account a]\nemail = ann@%.*s\npassword_command = x\n%s",
		    (int)domain.len, domain.data, REDIRECT);
		if (is_redirect_refused(text) != wanted) {
			print_error("%s\n", preset->id);
			failures++;
		}
	}
	assert_int_equal(failures, 0);
	assert_true(refused > 20);
}

/* Those of whom it is known. */
static void
test_redirect_is_known(void **state)
{
	static const char *const refusing[] = {"icloud", "outlook-com",
	    "microsoft-365", "yahoo", "aol", "fastmail", "gmx-net", "gmx-com",
	    "webde", "mailcom", "ionos-de", "ionos-com", "yandex", "qq",
	    "netease-163", "netease-126", "netease-yeah", "zoho-com", "zoho-eu",
	    "mailru", "proton-bridge", "purelymail"};

	(void)state;
	for (size_t i = 0; i < sizeof(refusing) / sizeof(refusing[0]); i++) {
		const struct preset *preset =
		    presets_find(span_from_str(refusing[i]));
		if (preset == NULL || preset->from != PRESET_FROM_REFUSED)
			fail_msg("%s", refusing[i]);
	}
}

/* Nothing is known against these. */
static void
test_redirect_allowed(void **state)
{
	static const char *const texts[] = {
	    BARE "imap = imaps://own.example\nsmtp = smtps://own.example\n",
	    BARE "imap = imaps://own.example\nsmtp = smtps://127.0.0.1:1025\n",
	    /* The address of a provider, a server of one's own. */
	    ("[account a]\nemail = ann@gmx.net\npassword_command = x\n"
	     "imap = imaps://own.example\nsmtp = smtps://own.example\n"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		STR_AUTO text = xasprintf("%s" REDIRECT, texts[i]);
		struct config *c = must_parse(text, text);

		config_free(&c);
	}
}

/* ---- notifiers ---- */

static void
test_notifiers(void **state)
{
	struct config *c = must_parse("two",
	    ACCOUNT "[notifier phone]\ntype = webhook\n"
		    "url = https://ntfy.example/x\nheader = A: b\n"
		    "format = ntfy\n");

	(void)state;
	assert_int_equal(c->notifier_count, 2);
	assert_int_equal(
	    config_find_notifier(c, "desktop")->type, CONFIG_NOTIFIER_DESKTOP);
	assert_true(config_find_notifier(c, "desktop")->enabled);
	assert_int_equal(config_find_notifier(c, "phone")->headers.len, 1);
	config_free(&c);
	c = must_parse("own desktop",
	    ACCOUNT "[notifier d]\ntype = desktop\nenabled = no\n");
	assert_int_equal(c->notifier_count, 1);
	assert_false(c->notifiers[0].enabled);
	config_free(&c);
}

/* ---- files ---- */

static char *
make_folder(void)
{
	char path[] = "/tmp/belfry-config-XXXXXX";

	assert_non_null(mkdtemp(path));
	return xstrdup(path);
}

static char *
write_file(const char *folder, const char *name, const char *text, mode_t mode)
{
	char *path = xasprintf("%s/%s", folder, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
	return path;
}

static void
remove_all(const char *folder)
{
	STR_AUTO command = xasprintf("rm -rf '%s'", folder);

	assert_int_equal(system(command), 0);
}

/* Loads and gives all that was said. */
static char *
load(const char *path, bool *accepted_r)
{
	struct config_report report;
	struct config *config = config_load(path, &report);
	char *said = print(&report);

	*accepted_r = config != NULL;
	config_report_done(&report);
	config_free(&config);
	return said;
}

static void
must_say(const char *path, bool accepted, const char *words)
{
	bool got;
	STR_AUTO said = load(path, &got);

	if (got != accepted || strstr(said, words) == NULL) {
		print_error("%s: want %s, got %s\n", path, words, said);
		fail();
	}
}

static void
test_kinds_of_files(void **state)
{
	STR_AUTO folder = make_folder();
	STR_AUTO missing = xasprintf("%s/none.conf", folder);
	STR_AUTO fifo = xasprintf("%s/fifo", folder);

	(void)state;
	assert_int_equal(mkfifo(fifo, 0600), 0);
	must_say(missing, false, "No such file");
	must_say(folder, false, "is a folder, not a file");
	must_say(fifo, false, "is a FIFO, not a file");
	must_say("/dev/zero", false, "is a device, not a file");
	STR_AUTO open_to_all = write_file(folder, "w.conf", ACCOUNT, 0666);
	must_say(open_to_all, false, "everybody can write the file");
	STR_AUTO empty = write_file(folder, "e.conf", "", 0600);
	must_say(empty, false, "there is no [account NAME] section");
	remove_all(folder);
}

static void
test_password_in_a_file(void **state)
{
	static const char text[] =
	    "[account a]\nemail = a@gmail.com\npassword = " CANARY "\n";
	STR_AUTO folder = make_folder();
	STR_AUTO closed = write_file(folder, "closed.conf", text, 0600);
	STR_AUTO open = write_file(folder, "open.conf", text, 0644);
	bool accepted;

	(void)state;
	must_say(closed, true, "warning: the password lies open in a file");
	must_say(open, false, "chmod 600");
	assert_int_equal(chmod(folder, 0770), 0);
	must_say(closed, false, "in a folder that others can write");
	STR_AUTO said = load(open, &accepted);
	assert_null(strstr(said, CANARY));
	remove_all(folder);
}

static void
test_conf_d(void **state)
{
	STR_AUTO folder = make_folder();
	STR_AUTO conf_d = xasprintf("%s/conf.d", folder);
	STR_AUTO main_file = write_file(folder, "belfry.conf",
	    "[account z]\nemail = z@gmail.com\nkeyring = yes\n", 0600);

	(void)state;
	assert_int_equal(mkdir(conf_d, 0700), 0);
	STR_AUTO b = write_file(conf_d, "20-b.conf",
	    "[account b]\nemail = b@gmail.com\nkeyring = yes\n", 0600);
	STR_AUTO a = write_file(conf_d, "10-a.conf",
	    "[account a]\nemail = a@gmail.com\nkeyring = yes\n", 0600);
	STR_AUTO ignored = write_file(conf_d, "x.conf~", "rubbish", 0600);
	STR_AUTO hidden = write_file(conf_d, ".y.conf", "rubbish", 0600);
	struct config_report report;
	struct config *c = config_load(main_file, &report);
	assert_non_null(c);
	assert_int_equal(c->account_count, 3);
	assert_string_equal(c->accounts[0].name, "z");
	assert_string_equal(c->accounts[1].name, "a");
	assert_string_equal(c->accounts[2].name, "b");
	config_report_done(&report);
	config_free(&c);
	STR_AUTO again = write_file(conf_d, "30-c.conf",
	    "email = x\n[account a]\nemail = a@gmail.com\nkeyring = yes\n",
	    0600);
	must_say(main_file, false, "30-c.conf:1:1: error: a key before the");
	must_say(main_file, false, "10-a.conf:1");
	remove_all(folder);
}

static void
test_find_path(void **state)
{
	STR_AUTO folder = make_folder();
	STR_AUTO belfry = xasprintf("%s/belfry", folder);
	struct error error = ERROR_INIT;

	(void)state;
	assert_int_equal(mkdir(belfry, 0700), 0);
	STR_AUTO file = write_file(belfry, "belfry.conf", "", 0600);
	assert_int_equal(setenv("XDG_CONFIG_HOME", folder, 1), 0);
	STR_AUTO found = config_find_path(NULL, &error);
	assert_string_equal(found, file);
	STR_AUTO given = config_find_path("x.conf", &error);
	assert_string_equal(given, "x.conf");
	assert_int_equal(setenv("XDG_CONFIG_HOME", "/nonexistent", 1), 0);
	assert_int_equal(setenv("HOME", folder, 1), 0);
	char *none = config_find_path(NULL, &error);
	if (none == NULL)
		assert_non_null(strstr(error.text, "/nonexistent/belfry/"));
	free(none);
	remove_all(folder);
}

/* ---- the table ---- */

static void
test_table_is_whole(void **state)
{
	(void)state;
	for (size_t i = 0; settings_at(i) != NULL; i++) {
		const struct setting *s = settings_at(i);
		if (s->key == NULL || s->help == NULL || strlen(s->help) < 10 ||
		    s->help[strlen(s->help) - 1] != '.' ||
		    (s->more != NULL && s->more[strlen(s->more) - 1] != '.') ||
		    settings_find(s->section, span_from_str(s->key)) != s ||
		    (s->type == SETTING_CHOICE) != (s->choices != NULL)) {
			print_error("row %zu: %s\n", i, s->key);
			fail();
		}
	}
	assert_int_equal(settings_count() > 60, true);
	BUF_AUTO listing = BUF_INIT;
	settings_print(&listing);
	assert_non_null(strstr(buf_str(&listing), "  notify = yes, no or "));
}

static void
test_many_rules(void **state)
{
	BUF_AUTO text = BUF_INIT;

	(void)state;
	buf_add_str(&text, ACCOUNT);
	for (int i = 0; i < 10000; i++)
		buf_addf(&text, "[rule r%d]\nwhen = from is a@b.example\n", i);
	struct config *c = must_parse("10,000 rules", buf_str(&text));
	config_free(&c);
}

/* However much is warned of, an error behind it rejects, and nothing else. */
static void
test_warnings_hide_nothing(void **state)
{
	BUF_AUTO text = BUF_INIT;
	struct config_report report;
	struct config *config;

	(void)state;
	buf_add_str(&text, BARE "imap = imaps://mail.example\n");
	for (int i = 0; i < 2 * PROBLEMS_MAX; i++)
		buf_addf(&text, "[rule r%d]\nwhen = from is a@b.example\n", i);
	config = parse(buf_str(&text), &report);
	assert_non_null(config);
	assert_true(report.problems.count > PROBLEMS_MAX);
	config_report_done(&report);
	config_free(&config);
	buf_add_str(&text, "[rule last]\nwhen = subject\n"
			   "forward = x@b.example\n");
	assert_null(parse(buf_str(&text), &report));
	assert_true(problem_has_errors(&report.problems));
	config_report_done(&report);
}

/* ---- the sign-in ---- */

#define OUTLOOK "[account a]\nemail = a@outlook.com\noauth2_client_id = x\n"
#define OWN "[account a]\nemail = a@own.example\noauth2_client_id = x\n"
#define MICROSOFT "https://login.microsoftonline.com/"

static const struct sign_in_case {
	const char *name, *text;
	const char *provider, *authorize_url, *token_url;
	const char *device_url; /* NULL: none */
	const char *scope;	/* how it begins */
} sign_in_cases[] = {
    {"google", SIGN_IN, "google",
	"https://accounts.google.com/o/oauth2/v2/auth",
	"https://oauth2.googleapis.com/token", NULL,
	"https://mail.google.com/"},
    {"outlook", OUTLOOK, "microsoft-consumer",
	MICROSOFT "consumers/oauth2/v2.0/authorize",
	MICROSOFT "consumers/oauth2/v2.0/token",
	MICROSOFT "consumers/oauth2/v2.0/devicecode",
	"https://outlook.office.com/IMAP.AccessAsUser.All "},
    {"tenant", OUTLOOK "oauth2_tenant = own.example\n", "microsoft-consumer",
	MICROSOFT "own.example/oauth2/v2.0/authorize",
	MICROSOFT "own.example/oauth2/v2.0/token",
	MICROSOFT "own.example/oauth2/v2.0/devicecode", "https://outlook."},
    {"a domain of one's own, by its server",
	OWN "imap = imaps://outlook.office365.com\n", "microsoft",
	MICROSOFT "common/oauth2/v2.0/authorize",
	MICROSOFT "common/oauth2/v2.0/token",
	MICROSOFT "common/oauth2/v2.0/devicecode", "https://outlook."},
    {"named", OWN "imap = imaps://own.example\noauth2_provider = Google\n",
	"google", "https://accounts.google.com/o/oauth2/v2/auth",
	"https://oauth2.googleapis.com/token", NULL, "https://mail."},
    {"custom",
	OWN "imap = imaps://own.example\noauth2_scope = imap smtp\n"
	    "oauth2_token_url = https://own.example/t\n"
	    "oauth2_device_url = https://own.example/d\n",
	"custom", NULL, "https://own.example/t", "https://own.example/d",
	"imap smtp"},
    {"overridden",
	OUTLOOK "oauth2_token_url = https://localhost:8443/t\n"
		"oauth2_authorize_url = https://localhost:8443/a\n",
	"microsoft-consumer", "https://localhost:8443/a",
	"https://localhost:8443/t", NULL, "https://outlook."},
};

static bool
same_text(const char *got, const char *expected)
{
	if (got == NULL || expected == NULL)
		return got == expected;
	return strcmp(got, expected) == 0;
}

static void
test_sign_in(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sign_in_cases) / sizeof(*sign_in_cases);
	     i++) {
		const struct sign_in_case *c = &sign_in_cases[i];
		struct config *config = must_parse(c->name, c->text);
		const struct config_account *account = &config->accounts[0];
		const struct config_oauth2 *oauth2 = account->oauth2;
		if (account->auth != CONFIG_AUTH_OAUTH2 ||
		    account->secret.kind != SECRET_SIGN_IN ||
		    strcmp(oauth2->provider->id, c->provider) != 0 ||
		    !same_text(oauth2->authorize_url, c->authorize_url) ||
		    !same_text(oauth2->token_url, c->token_url) ||
		    !same_text(oauth2->device_url, c->device_url) ||
		    !span_starts(span_from_str(oauth2->scope), c->scope)) {
			print_error("%s: %s %s %s %s %s\n", c->name,
			    oauth2->provider->id, oauth2->authorize_url,
			    oauth2->token_url, oauth2->device_url,
			    oauth2->scope);
			fail();
		}
		config_free(&config);
	}
}

/* As long as a token's file keeps it, and no longer. */
static void
test_sign_in_lengths(void **state)
{
	static const char *const forms[] = {
	    "[account a]\nemail = ann@gmail.com\noauth2_client_id = ",
	    SIGN_IN "oauth2_scope = ",
	    SIGN_IN "user = ",
	    SIGN_IN "oauth2_token_url = https://a.example/",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		char value[OAUTH2_KEPT_MAX + 2] = "";
		size_t room = OAUTH2_KEPT_MAX;
		if (strstr(forms[i], "https://") != NULL)
			room -= strlen("https://a.example/");
		struct config_report report;
		BUF_AUTO text = BUF_INIT;
		memset(value, 's', room);
		buf_addf(&text, "%s%s\n", forms[i], value);
		struct config *config = must_parse(forms[i], buf_str(&text));
		config_free(&config);
		value[room] = 's';
		buf_clear(&text);
		buf_addf(&text, "%s%s\n", forms[i], value);
		config = parse(buf_str(&text), &report);
		STR_AUTO problems = print(&report);
		if (config != NULL ||
		    strstr(problems, "has at most 2048 bytes") == NULL)
			fail_msg("%s: %.200s", forms[i], problems);
		config_report_done(&report);
	}
}

/* Whatever a preset names has a row. */
static void
test_sign_in_of_presets(void **state)
{
	(void)state;
	for (size_t i = 0; presets_at(i) != NULL; i++) {
		const char *oauth = presets_at(i)->oauth;
		if (oauth != NULL &&
		    oauth2_providers_find(span_from_str(oauth)) == NULL)
			fail_msg("%s: %s", presets_at(i)->id, oauth);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_errors),
	    cmocka_unit_test(test_all_errors_are_reported_in_order),
	    cmocka_unit_test(test_no_error_shows_a_secret),
	    cmocka_unit_test(test_email_and_secret_are_enough),
	    cmocka_unit_test(test_account_of_ones_own),
	    cmocka_unit_test(test_plaintext_on_loopback),
	    cmocka_unit_test(test_user_forms),
	    cmocka_unit_test(test_no_circle),
	    cmocka_unit_test(test_warnings),
	    cmocka_unit_test(test_redirect_allowed),
	    cmocka_unit_test(test_redirect_by_provider),
	    cmocka_unit_test(test_redirect_is_known),
	    cmocka_unit_test(test_notifiers),
	    cmocka_unit_test(test_kinds_of_files),
	    cmocka_unit_test(test_password_in_a_file),
	    cmocka_unit_test(test_conf_d),
	    cmocka_unit_test(test_find_path),
	    cmocka_unit_test(test_table_is_whole),
	    cmocka_unit_test(test_many_rules),
	    cmocka_unit_test(test_warnings_hide_nothing),
	    cmocka_unit_test(test_sign_in),
	    cmocka_unit_test(test_sign_in_lengths),
	    cmocka_unit_test(test_sign_in_of_presets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
