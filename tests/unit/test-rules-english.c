/* Rules as sentences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "daemon/base/xalloc.h"
#include "rules/english.h"
#include "rules/field.h"
#include "tests/lib/rules_text.h"

static unsigned failures;
#define FAIL(...) (print_error(__VA_ARGS__), print_error("\n"), failures++)

struct english_case {
	const char *rule;     /* the condition, or keys beside one */
	const char *sentence; /* without what all have in common */
};

static const char sections[] = "[account home]\n"
			       "[account work]\n"
			       "[notifier phone]\n"
			       "[notifier desk]\n"
			       "[list vip]\n"
			       "member = boss@example.org\n"
			       "member = @family.example\n"
			       "[list big]\n"
			       "member = a\n"
			       "member = b\n"
			       "member = c\n"
			       "member = d\n"
			       "member = e\n";

/* clang-format off */
/* "When " CONDITION ": move it to X." */
static const struct english_case conditions[] = {
	{"all",
	    "any mail arrives"},
	{"from is boss@example.org",
	    "mail arrives that is from boss@example.org"},
	{"from in @vip",
	    "mail arrives that is from boss@example.org or anybody "
	    "at or below family.example (list vip)"},
	{"from in @vip or from is a@b.example",
	    "mail arrives that is from boss@example.org or anybody "
	    "at or below family.example (list vip) or that is from "
	    "a@b.example"},
	{"not from in @vip",
	    "mail arrives that is not from boss@example.org or "
	    "anybody at or below family.example (list vip)"},
	{"from in @big",
	    "mail arrives that is from anybody in the list big"},
	{"from in @file:/etc/friends",
	    "mail arrives that is from anybody in the file "
	    "/etc/friends"},
	{"from.domain in @vip",
	    "mail arrives that is from an address whose domain is in "
	    "the list vip"},
	{"from.name is \"Ann A\", Bob",
	    "mail arrives that is from somebody named \"Ann A\" or "
	    "\"Bob\""},
	{"from.name has ann",
	    "mail arrives that is from somebody whose name contains "
	    "\"ann\""},
	{"from.user is root",
	    "mail arrives that is from an address of the user \"root\""},
	{"from.domain is a.example, b.example, c.example",
	    "mail arrives that is from anybody at a.example, "
	    "b.example or c.example"},
	{"from.domain has exam",
	    "mail arrives that is from an address whose domain "
	    "contains \"exam\""},
	{"from.detail is lists",
	    "mail arrives that is from an address with the +detail "
	    "\"lists\""},
	{"to ~ /x/s",
	    "mail arrives that is addressed to an address that "
	    "matches /x/s"},
	{"to !~ #y#",
	    "mail arrives that is not addressed to an address that "
	    "matches #y#"},
	{"not to.name ~ /x/",
	    "mail arrives that is not addressed to somebody whose "
	    "name matches /x/"},
	{"from.name",
	    "mail arrives that is from somebody with a name"},
	{"from",
	    "mail arrives that is from any address"},
	{"not cc",
	    "mail arrives that is not copied to any address"},
	{"sender is a@b.example",
	    "mail arrives that was sent by a@b.example"},
	{"reply-to is a@b.example",
	    "mail arrives that wants its answers sent to a@b.example"},
	{"bcc is a@b.example",
	    "mail arrives that is blind-copied to a@b.example"},
	{"rcpt has example",
	    "mail arrives that is delivered to an address that "
	    "contains \"example\""},
	{"subject is \"out, of office\", x",
	    "mail arrives whose subject is \"out, of office\" or \"x\""},
	{"not subject has \"a and b\"",
	    "mail arrives whose subject does not contain \"a and b\""},
	{"subject ~ /x y/",
	    "mail arrives whose subject matches /x y/"},
	{"subject",
	    "mail arrives that has a subject"},
	{"not subject",
	    "mail arrives that has no subject"},
	{"subject in @vip",
	    "mail arrives whose subject is in the list vip"},
	{"list-id is x.y",
	    "mail arrives whose List-Id is \"x.y\""},
	{"not list-id",
	    "mail arrives that has no List-Id"},
	{"message-id has foo",
	    "mail arrives whose Message-ID contains \"foo\""},
	{"header(X-Spam) is yes",
	    "mail arrives whose header field X-Spam is \"yes\""},
	{"header(X-Spam)",
	    "mail arrives that has a header field X-Spam"},
	{"raw(X-A) has b",
	    "mail arrives whose undecoded header field X-A contains "
	    "\"b\""},
	{"any-header has z",
	    "mail arrives that has a header field that contains \"z\""},
	{"not any-header ~ /z/",
	    "mail arrives that has no header field that matches /z/"},
	{"body has unsubscribe",
	    "mail arrives whose text contains \"unsubscribe\""},
	{"body",
	    "mail arrives that has a text"},
	{"size > 10M",
	    "mail arrives that is bigger than 10 megabytes"},
	{"size >= 1K and size <= 3",
	    "mail arrives that is at least 1 kilobyte big and that "
	    "is at most 3 bytes big"},
	{"size is 1G, 5",
	    "mail arrives that is exactly 1 gigabyte or 5 bytes big"},
	{"not size < 1",
	    "mail arrives that is not smaller than 1 byte"},
	{"age > 2d",
	    "mail arrives that was received more than 2 days ago"},
	{"age < 90m",
	    "mail arrives that was received less than 90 minutes ago"},
	{"age is 1h",
	    "mail arrives that was received exactly 1 hour ago"},
	{"age >= 1w",
	    "mail arrives that was received at least 1 week ago"},
	{"not age <= 61s",
	    "mail arrives that was not received at most 61 seconds "
	    "ago"},
	{"sent > 2d",
	    "mail arrives that was, by its Date, sent more than 2 "
	    "days ago"},
	{"not sent < 1d",
	    "mail arrives that was not, by its Date, sent less than "
	    "1 day ago"},
	{"sent",
	    "mail arrives that has a Date"},
	{"hour >= 20 or hour < 6",
	    "mail arrives that is judged at 20:00 or later or that "
	    "is judged before 6:00"},
	{"hour > 19",
	    "mail arrives that is judged at 20:00 or later"},
	{"hour <= 5",
	    "mail arrives that is judged before 6:00"},
	{"hour is 5",
	    "mail arrives that is judged in the hour 5"},
	{"not hour is 1, 2, 3",
	    "mail arrives that is not judged in the hours 1, 2 or 3"},
	{"weekday is sat, sun",
	    "mail arrives that is judged on Saturday or Sunday"},
	{"weekday > fri",
	    "mail arrives that is judged later in the week than on "
	    "Friday"},
	{"weekday >= sat",
	    "mail arrives that is judged on Saturday or later in the "
	    "week"},
	{"weekday < tue",
	    "mail arrives that is judged earlier in the week than on "
	    "Tuesday"},
	{"not weekday <= tue",
	    "mail arrives that is not judged on Tuesday or earlier "
	    "in the week"},
	{"attachment",
	    "mail arrives that has an attachment"},
	{"not attachment",
	    "mail arrives that has no attachment"},
	{"attachment.name is a.pdf",
	    "mail arrives that has an attachment named \"a.pdf\""},
	{"attachment.name ~ /\\.pdf$/",
	    "mail arrives that has an attachment whose name matches "
	    "/\\.pdf$/"},
	{"not attachment.name has x",
	    "mail arrives that has no attachment whose name contains "
	    "\"x\""},
	{"attachment.name",
	    "mail arrives that has an attachment with a name"},
	{"attachment.type is application/pdf",
	    "mail arrives that has an attachment of the type "
	    "\"application/pdf\""},
	{"attachment.type has image/",
	    "mail arrives that has an attachment whose type contains "
	    "\"image/\""},
	{"attachment.count > 3",
	    "mail arrives that has more than 3 attachments"},
	{"attachment.count is 1",
	    "mail arrives that has exactly 1 attachment"},
	{"not attachment.count <= 2",
	    "mail arrives that does not have at most 2 attachments"},
	{"attachment.size > 5M",
	    "mail arrives that has an attachment, the largest of "
	    "which is bigger than 5 megabytes"},
	{"not attachment.size >= 5M",
	    "mail arrives that has no attachment, or none the "
	    "largest of which is at least 5 megabytes big"},
	{"flag is read",
	    "mail arrives that is already read"},
	{"not flag is read, draft",
	    "mail arrives that is not yet read or a draft"},
	{"flag",
	    "mail arrives that has a flag"},
	{"flag has rea",
	    "mail arrives that has a flag that contains \"rea\""},
	{"keyword is $Junk",
	    "mail arrives that has the keyword \"$Junk\""},
	{"not keyword is $Junk",
	    "mail arrives that does not have the keyword \"$Junk\""},
	{"keyword has x",
	    "mail arrives that has a keyword that contains \"x\""},
	{"not keyword ~ /x/",
	    "mail arrives that has no keyword that matches /x/"},
	{"keyword",
	    "mail arrives that has a keyword"},
	{"mailbox is INBOX, Lists/a",
	    "mail arrives that is in the mailbox INBOX or Lists/a"},
	{"not mailbox has List",
	    "mail arrives that is not in a mailbox whose name "
	    "contains \"List\""},
	{"account is home",
	    "mail arrives that is on the account home"},
	{"not account ~ /x/",
	    "mail arrives that is not on an account whose name "
	    "matches /x/"},
	{"bulk",
	    "mail arrives that is bulk mail"},
	{"not bulk",
	    "mail arrives that is not bulk mail"},
	{"auto-submitted",
	    "mail arrives that was sent automatically"},
	{"auto-submitted is auto-replied",
	    "mail arrives whose Auto-Submitted keyword is "
	    "\"auto-replied\""},
	{"to-me or cc-me",
	    "mail arrives that is addressed to me or that is copied "
	    "to me"},
	{"not to-me and not cc-me",
	    "mail arrives that is not addressed to me and that is "
	    "not copied to me"},
	{"new-sender",
	    "mail arrives that is from a new sender"},
	{"not new-sender",
	    "mail arrives that is not from a new sender"},
	{"auth.spf is pass",
	    "mail arrives whose SPF result is \"pass\""},
	{"auth.dkim is pass, none",
	    "mail arrives whose DKIM result is \"pass\" or \"none\""},
	{"not auth.dmarc is pass",
	    "mail arrives whose DMARC result is not \"pass\""},
	{"auth.dmarc",
	    "mail arrives that has a DMARC result"},
	{"bulk and (to-me or cc-me)",
	    "mail arrives, if it is bulk mail, and either it is "
	    "addressed to me or it is copied to me"},
	{"bulk or to-me and cc-me",
	    "mail arrives, if it is bulk mail, or both it is "
	    "addressed to me and it is copied to me"},
	{"bulk and to-me or cc-me and attachment",
	    "mail arrives, if both it is bulk mail and it is "
	    "addressed to me, or both it is copied to me and it has "
	    "an attachment"},
	{"bulk and (to-me or cc-me and (attachment or new-sender))",
	    "mail arrives, if it is bulk mail, and either it is "
	    "addressed to me or (both it is copied to me and (either "
	    "it has an attachment or it is from a new sender))"},
	{"not (bulk and to-me)",
	    "mail arrives that is not bulk mail or that is not "
	    "addressed to me"},
	{"not (bulk or to-me)",
	    "mail arrives that is not bulk mail and that is not "
	    "addressed to me"},
	{"bulk and not (to-me or cc-me)",
	    "mail arrives, if it is bulk mail, and both it is not "
	    "addressed to me and it is not copied to me"},
	{"bulk or (to-me and cc-me and attachment)",
	    "mail arrives, if it is bulk mail, or all of: it is "
	    "addressed to me and it is copied to me and it has an "
	    "attachment"},
	{"bulk or not all",
	    "mail arrives that is bulk mail or that is no mail at all"},
};

static const struct english_case actions[] = {
	{"copy = A\ncopy = B/${date.year}\ncreate = yes\nstop = yes",
	    "When mail arrives whose subject matches /(?<n>x)/: copy "
	    "it to A (made if it is missing), copy it to "
	    "B/${date.year} (made if it is missing), and let no "
	    "later rule see it."},
	{"forward = a@b.example\nallow = list",
	    "When mail arrives whose subject matches /(?<n>x)/: "
	    "forward it to a@b.example as an attachment, list mail, "
	    "too."},
	{"forward = a@b.example\nas = redirect\nunknown = hold",
	    "When mail arrives whose subject matches /(?<n>x)/: "
	    "redirect it to a@b.example (held where its outcome is "
	    "unknown)."},
	{"forward = a@b.example\nas = inline\nunknown = drop\nallow = auto, list",
	    "When mail arrives whose subject matches /(?<n>x)/: "
	    "forward it to a@b.example inline, list and automatic "
	    "mail, too (given up where its outcome is unknown)."},
	{"forward = a@b.example\nallow = auto",
	    "When mail arrives whose subject matches /(?<n>x)/: "
	    "forward it to a@b.example as an attachment, automatic "
	    "mail, too."},
	{"exec = /bin/x ${subject} 'a b'",
	    "When mail arrives whose subject matches /(?<n>x)/: run "
	    "`/bin/x ${subject} \"a b\"` on its header."},
	{"exec = /bin/x\nstdin = message\nretry = 3\nrepeat = safe",
	    "When mail arrives whose subject matches /(?<n>x)/: run "
	    "`/bin/x` on the whole message, again up to 3 times "
	    "where it fails (also again where a crash hid its "
	    "outcome)."},
	{"exec = /bin/x\nretry = 1",
	    "When mail arrives whose subject matches /(?<n>x)/: run "
	    "`/bin/x` on its header, again up to 1 time where it "
	    "fails."},
	{"mark = read flagged $Work -answered",
	    "When mail arrives whose subject matches /(?<n>x)/: mark "
	    "it as read, flag it, give it the keyword $Work, and "
	    "mark it as not answered."},
	{"mark = unread -flagged -$Old answered",
	    "When mail arrives whose subject matches /(?<n>x)/: mark "
	    "it as answered, mark it as unread, take its flag off, "
	    "and take the keyword $Old off."},
	{"label = Work/${from.user}",
	    "When mail arrives whose subject matches /(?<n>x)/: "
	    "label it Work/${from.user}."},
	{"label = \\Important",
	    "When mail arrives whose subject matches /(?<n>x)/: "
	    "label it \\Important."},
	{"move = CI/${n}",
	    "When mail arrives whose subject matches /(?<n>x)/: move "
	    "it to CI/${n}."},
	{"move = \\Trash",
	    "When mail arrives whose subject matches /(?<n>x)/: move "
	    "it to the account's Trash folder."},
	{"move = Lists/x\ncreate = yes\nmark = read\nnotify = low",
	    "When mail arrives whose subject matches /(?<n>x)/: mark "
	    "it as read, move it to Lists/x (made if it is missing), "
	    "and notify with low urgency."},
	{"archive = yes",
	    "When mail arrives whose subject matches /(?<n>x)/: move "
	    "it to the archive."},
	{"trash = yes",
	    "When mail arrives whose subject matches /(?<n>x)/: move "
	    "it to the trash."},
	{"junk = yes",
	    "When mail arrives whose subject matches /(?<n>x)/: move "
	    "it to junk."},
	{"delete = forever",
	    "When mail arrives whose subject matches /(?<n>x)/: "
	    "delete it forever."},
	{"notify = yes",
	    "When mail arrives whose subject matches /(?<n>x)/: "
	    "notify."},
	{"notify = critical\nvia = phone, desk",
	    "When mail arrives whose subject matches /(?<n>x)/: "
	    "notify critically through phone and desk."},
	{"notify = normal\ntitle = ${from.name}\ntext = x \"y\"\nsound = ping\nicon = mail",
	    "When mail arrives whose subject matches /(?<n>x)/: "
	    "notify, titled \"${from.name}\", saying \"x \\\"y\\\"\", with "
	    "the sound ping, with the icon mail."},
	{"quiet = yes\nstop = yes",
	    "When mail arrives whose subject matches /(?<n>x)/: give "
	    "no default notification, and let no later rule see it."},
	{"stop = yes",
	    "When mail arrives whose subject matches /(?<n>x)/: let "
	    "no later rule see it."},
	{"limit = 20/day\nmove = X",
	    "When mail arrives whose subject matches /(?<n>x)/, but "
	    "at most 20 times a day: move it to X."},
	{"limit = 1/hour\nmove = X",
	    "When mail arrives whose subject matches /(?<n>x)/, but "
	    "at most once an hour: move it to X."},
	{"mode = observe\nmove = X",
	    "Only noted in the history, not done: when mail arrives "
	    "whose subject matches /(?<n>x)/: move it to X."},
	{"enabled = no\nmove = X\nmode = observe",
	    "Switched off: when mail arrives whose subject matches "
	    "/(?<n>x)/: move it to X."},
	{"accounts = home\nmailboxes = INBOX\nmove = X",
	    "When mail arrives on the account home in the mailbox "
	    "INBOX, if its subject matches /(?<n>x)/: move it to X."},
	{"accounts = home, work\nmailboxes = INBOX, Lists/*, X\nmove = X",
	    "When mail arrives on the accounts home or work in the "
	    "mailboxes INBOX, Lists/* or X, if its subject matches "
	    "/(?<n>x)/: move it to X."},
	{"unless = bulk\nmove = X",
	    "When mail arrives whose subject matches /(?<n>x)/, "
	    "unless it is bulk mail: move it to X."},
	{"unless = bulk\nunless = subject has x and to-me\nmove = X",
	    "When mail arrives whose subject matches /(?<n>x)/, "
	    "unless it is bulk mail, or both its subject contains "
	    "\"x\" and it is addressed to me: move it to X."},
	{"unless = not (bulk or to-me)\nmove = X",
	    "When mail arrives whose subject matches /(?<n>x)/, "
	    "unless it is not bulk mail and it is not addressed to "
	    "me: move it to X."},
	{"unless = from is a@b.example or bulk\nmove = X\nlimit = 2/hour",
	    "When mail arrives whose subject matches /(?<n>x)/, "
	    "unless it is from a@b.example or it is bulk mail, but "
	    "at most 2 times an hour: move it to X."},
	{"when = bulk\nmove = X",
	    "When mail arrives whose subject matches /(?<n>x)/ and "
	    "that is bulk mail: move it to X."},
	{"when = bulk or to-me\nwhen = cc-me\nmove = X",
	    "When mail arrives, if its subject matches /(?<n>x)/, "
	    "and either it is bulk mail or it is addressed to me, "
	    "and it is copied to me: move it to X."},
	{"stop = no",
	    "When mail arrives whose subject matches /(?<n>x)/: do "
	    "nothing."},
};
/* clang-format on */

static void
check_sentence(const char *rule, const char *want)
{
	struct rule_problems problems = {0};
	STR_AUTO text = xasprintf("%s[rule a]\n%s\n", sections, rule);
	struct rules *rules = rules_from_text(text, &problems);
	BUF_AUTO said = BUF_INIT;

	if (rules == NULL) {
		rules_problems_show(&said, &problems);
		FAIL("%s: %s", rule, buf_str(&said));
	} else {
		rule_english(&said, rules, 0);
		if (strcmp(buf_str(&said), want) != 0)
			FAIL(
			    "%s\nsays %s\nnot  %s", rule, buf_str(&said), want);
	}
	rules_free(&rules);
	rule_problems_done(&problems);
}

static void
test_conditions(void **state)
{
	(void)state;
	failures = 0;
	for (size_t i = 0; i < sizeof(conditions) / sizeof(*conditions); i++) {
		STR_AUTO rule =
		    xasprintf("when = %s\nmove = X", conditions[i].rule);
		STR_AUTO want =
		    xasprintf("When %s: move it to X.", conditions[i].sentence);

		check_sentence(rule, want);
	}
	assert_int_equal(failures, 0);
}

static void
test_actions(void **state)
{
	(void)state;
	failures = 0;
	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++) {
		STR_AUTO rule = xasprintf(
		    "when = subject ~ /(?<n>x)/\n%s", actions[i].rule);

		check_sentence(rule, actions[i].sentence);
	}
	assert_int_equal(failures, 0);
}

/* A new field must get its words. */
static void
test_every_field(void **state)
{
	(void)state;
	for (const struct field *field = field_table; field->name != NULL;
	     field++) {
		bool found = field->is_variable_only;

		for (size_t i = 0;
		     i < sizeof(conditions) / sizeof(*conditions) && !found;
		     i++)
			found = strstr(conditions[i].rule, field->name) != NULL;
		if (!found)
			fail_msg("no sentence has the field %s", field->name);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_conditions),
	    cmocka_unit_test(test_actions),
	    cmocka_unit_test(test_every_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
