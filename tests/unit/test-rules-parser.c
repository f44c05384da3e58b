/* What the language refuses and where it says so; what it warns of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "daemon/base/xalloc.h"
#include "tests/lib/rules_text.h"

static unsigned failures;
#define FAIL(...) (print_error(__VA_ARGS__), print_error("\n"), failures++)

struct bad_case {
	const char *rules;
	const char *place; /* of the first problem, "line:column: " */
	const char *part;  /* of all that is said */
};

/* A condition: the value begins at 2:8. */
#define W(condition) "[rule a]\nwhen = " condition "\nmove = X\n"
/* Lines beside a good condition: their first is line 3. */
#define A(lines) "[rule a]\nwhen = all\n" lines "\n"

/* clang-format off */
static const struct bad_case bad[] = {
	{W(""), "2:8: ", "write `all`"},
	{W("form is x"), "2:8: ", "did you mean `from`?"},
	{W("from.nam is x"), "2:8: ", "did you mean `from.name`?"},
	{W("subject.name is x"), "2:8: ", "unknown field `subject.name`"},
	{W("from iz x"), "2:13: ", "did you mean `is`?"},
	{W("from = x"), "2:13: ", "write `is`"},
	{W("from != x"), "2:13: ", "write `not` before"},
	{W("from contains x"), "2:13: ", "write `has`"},
	{W("from =~ /x/"), "2:13: ", "write `~ /.../`"},
	{W("from is not x"), "2:16: ", "write `not` before the field"},
	{W("from is x AND subject has y"), "2:18: ", "in small letters"},
	{W("from is x || bulk"), "2:18: ", "in small letters"},
	{W("from is"), "2:15: ", "a value is expected"},
	{W("from is a,,b"), "2:18: ", "a value is expected"},
	{W("from is a,"), "2:18: ", "a value is expected"},
	{W("from is \"a"), "2:16: ", "quotes are not closed"},
	{W("from is \"a\"b"), "2:19: ", "after the closing quotes"},
	{W("subject has \"\""), "2:20: ", "empty text"},
	{W("subject has bed and breakfast"), "2:28: ", "double quotes"},
	{W("from is x and"), "2:21: ", "the line ends"},
	{W("from is x or"), "2:20: ", "the line ends"},
	{W("from is x and and bulk"), "2:22: ", "unknown field `and`"},
	{W("not"), "2:11: ", "the line ends"},
	{W("(from is x"), "2:8: ", "not closed"},
	{W("from ~ /x/)"), "2:18: ", "no parenthesis is open"},
	{W("(bulk) bulk"), "2:15: ", "`and`, `or`"},
	{W("()"), "2:9: ", "a field is expected"},
	{W("bulk is yes"), "2:13: ", "stands alone"},
	{W("size is big"), "2:16: ", "as in 10M"},
	{W("size > 10MB"), "2:15: ", "as in 10M"},
	{W("size > 10MB"), "2:15: ", "did you mean `10M`?"},
	{W("size > 10 kib"), "2:15: ", "did you mean `10K`?"},
	{W("age < 5min"), "2:14: ", "did you mean `5m`?"},
	{W("age < 2 days"), "2:14: ", "did you mean `2d`?"},
	{W("size has 1"), "2:13: ", "is a number"},
	{W("size ~ /1/"), "2:13: ", "is a number"},
	{W("age > 2y"), "2:14: ", "as in 2d"},
	{W("from > 3"), "2:13: ", "is text"},
	{W("hour is 24"), "2:16: ", "from 0 to 23"},
	{W("weekday is monday"), "2:19: ", "a day: mon"},
	{W("weekday is Saturday"), "2:19: ", "did you mean `sat`?"},
	{W("flag is red"), "2:16: ", "did you mean `read`?"},
	{W("flag is seen"), "2:16: ", "write `read`"},
	{W("flag is x"), "2:16: ", "answered, draft or deleted, never `x`"},
	{W("X-Spam-Flag is yes"), "2:8: ", "write header(X-Spam-Flag)"},
	{W("date > 2d"), "2:8: ", "as in: age > 2d"},
	{W("unread"), "2:8: ", "write `not flag is read`"},
	{W("all # of them"), "2:12: ", "a line of its own"},
	{W("auth.spf is passed"), "2:20: ", "did you mean `pass`?"},
	{W("header is x"), "2:8: ", "header(X-Spam)"},
	{W("header() is x"), "2:15: ", "header's name"},
	{W("header(X is x"), "2:14: ", "`)` is missing"},
	{W("header(X:) is x"), "2:15: ", "header's name"},
	{W("subject(X) is x"), "2:15: ", "takes no name"},
	{W("date.year is 2026"), "2:8: ", "unknown field"},
	{W("attachment has x"), "2:19: ", "stands alone"},
	{W("attachment.size > 3d"), "2:26: ", "as in 10M"},
	{W("new-sender is yes"), "2:19: ", "stands alone"},
	{W("from in vip"), "2:16: ", "write `is`"},
	{W("from in @vip"), "2:16: ", "no section [list vip]"},
	{"[list vips]\nmember = x\n" W("from in @vip"), "4:17: ",
	    "did you mean `vips`?"},
	{W("from in @file:vip"), "2:16: ", "begins with /"},
	/* Patterns. */
	{W("subject ~ x"), "2:18: ", "a pattern is expected"},
	{W("subject ~ /x"), "2:18: ", "`/` is missing"},
	{W("subject ~ /x/i"), "2:21: ", "ignore case anyway"},
	{W("subject ~ /x/y"), "2:21: ", "c, s, m and x"},
	{W("subject ~ /a/b/"), "2:21: ", "with a backslash"},
	{W("subject ~ /x(/"), "2:21: ", "in the pattern: "},
	{W("subject ~ /\\/\\/(/"), "2:24: ", "in the pattern: "},
	{W("subject ~ /\xc3\xa4\xc3\xb6(/"), "2:22: ", "in the pattern: "},
	{W("subject ~ /\\C/"), "2:21: ", "in the pattern: "},
	{W("subject ~ /(?<n>a)(?<n>b)/"), "2:", "in the pattern: "},
	{W("subject is \xc3\xa4\xc3\xb6, \"x"), "2:23: ", "not closed"},
	{W("subject is \xff"), "2:8: ", "UTF-8"},
	/* Keys. */
	{"[rule a]\nmove = X\n", "1:1: ", "when = all"},
	{"[rule A]\nwhen = all\nmove = X\n", "1:1: ", "no name for a rule"},
	{A("move = X") A("move = Y"), "4:1: ", "[rule a] already"},
	{A("mvoe = X"), "3:8: ", "did you mean `move`?"},
	{A("move = X\nmove = Y"), "4:8: ", "second time"},
	{A("move = X\ntrash = yes"), "4:9: ", "both `move` and `trash`"},
	{A("label = \\Trash"), "3:9: ", "a plain name or \\Important"},
	{A("label = A//B"), "3:9: ", "empty"},
	{A("move = A//B"), "3:8: ", "empty"},
	{A("move = /A"), "3:8: ", "empty"},
	{A("move = A/"), "3:8: ", "empty"},
	{A("move = A/../B"), "3:8: ", "no names of folders"},
	{A("move = 1/2/3/4/5/6/7/8/9/10/11"), "3:8: ", "10 levels"},
	{A("move = \\Trsh"), "3:8: ", "did you mean `\\Trash`?"},
	{A("move = ${bcc}\\Trash"), "3:8: ", "has no \\"},
	{A("move = ${x}"), "3:10: ", "unknown variable `x`"},
	{A("move = ${1}"), "3:10: ", "groups have names here"},
	{A("move = A/${year}"), "3:12: ", "write ${date.year}"},
	{A("move = A/${form.user}"), "3:12: ", "did you mean `from.user`?"},
	{A("move = A${subject"), "3:9: ", "`}` is missing"},
	{A("move = ${bulk}"), "3:10: ", "true or false"},
	{A("move = ${attachment}"), "3:10: ", "true or false"},
	{A("move = ${header}"), "3:10: ", "needs a header's name"},
	{A("move ="), "3:7: ", "a folder's name is expected"},
	{"[rule a]\nwhen = subject ~ /(?<project>x)/\nmove = ${projekt}\n",
	    "3:10: ", "did you mean `project`?"},
	{"[rule a]\nwhen = subject !~ /(?<x>x)/\nmove = ${x}\n", "3:10: ",
	    "negated pattern"},
	{"[rule a]\nwhen = all\nunless = subject ~ /(?<x>x)/\nmove = ${x}\n",
	    "4:10: ", "unknown variable"},
	{A("archive = no"), "3:11: ", "`archive` is yes"},
	{A("delete = yes"), "3:10: ", "delete = forever"},
	{A("forward = ann"), "3:11: ", "one plain address"},
	{A("forward = a@b.example, c@d.example"), "3:22: ", "one address"},
	{A("forward = <a@b.example>"), "3:11: ", "one plain address"},
	{A("forward = ${from}"), "3:11: ", "no mail may choose"},
	{A("forward = a@b.example\nas = atach"), "4:6: ", "`attach`"},
	{A("move = X\nas = attach"), "4:6: ", "goes with `forward`"},
	{A("forward = a@b.example\nunknown = ask"), "4:11: ",
	    "resend, hold or drop"},
	{A("forward = a@b.example\nallow = list, autos"), "4:15: ",
	    "did you mean `auto`?"},
	{A("exec = ls"), "3:8: ", "whole path"},
	{A("exec = /bin/${subject}"), "3:8: ", "written out"},
	{A("exec = /bin/x 'a"), "3:15: ", "quotes are not closed"},
	{A("exec = /bin/x\nretry = 21"), "4:9: ", "0 to 20"},
	{A("exec = /bin/x\nrepeat = yes"), "4:10: ", "`repeat` is safe"},
	{A("exec = /bin/x\nstdin = body"), "4:9: ", "header or message"},
	{A("move = X\nretry = 1"), "4:9: ", "goes with `exec`"},
	{A("mark ="), "3:7: ", "words are expected"},
	{A("mark = read -read"), "3:13: ", "both sets and removes"},
	{A("mark = read\nmark = unread"), "4:8: ", "both sets and removes"},
	{A("mark = flagged deleted"), "3:16: ", "no mark that a rule sets"},
	{A("archive = Old/2026"), "3:11: ", "write `move = Old/2026`"},
	{A("trash = no"), "3:9: ", "leave the line out"},
	{A("mark = a(b"), "3:8: ", "plain characters"},
	{A("mark = $x seen"), "3:11: ", "write `read`"},
	{A("mark = \\Seen"), "3:8: ", "write `read`"},
	{A("notify = no"), "3:10: ", "quiet = yes"},
	{A("notify = loud"), "3:10: ", "yes, low, normal or critical"},
	{A("notify = yes\nquiet = yes"), "1:1: ", "both quiet and notifies"},
	{A("title = x"), "3:9: ", "goes with `notify`"},
	{A("notify = low\nurgency = low"), "4:11: ", "already"},
	{A("notify = yes\nvia = phone"), "4:7: ", "[notifier phone]"},
	{"[notifier phone]\n" A("notify = yes\nvia = fone"), "5:7: ",
	    "[notifier fone]"},
	{A("notify = yes\nicon = ${subject}"), "4:8: ", "no variables"},
	{"[account home]\n" A("accounts = home, hom\nmove = X"), "4:18: ",
	    "did you mean `home`?"},
	{A("move = X\nstop = true"), "4:8: ", "yes or no"},
	{A("move = X\nmode = dry"), "4:8: ", "live or observe"},
	{A("move = X\nlimit = 20"), "4:9: ", "20/day"},
	{A("move = X\nlimit = 0/day"), "4:9: ", "20/day"},
	{A("move = X\nlimit = 5/week"), "4:9: ", "20/day"},
	{A("quiet = yes\ncreate = yes"), "4:10: ", "`copy` or `move`"},
	{A("move = X\ncreate = maybe"), "4:10: ", "yes or no"},
	{A("copy = X\ncopy = Y\n Z//"), "5:2: ", "empty"},
	/* Lists. */
	{"[list a]\nmembr = x\n", "2:9: ", "did you mean `member`?"},
	{"[list a]\nmember = *@x\n", "2:10: ", "leave out the `*`"},
	{"[list a]\nmember = a@x, b@x\n", "2:13: ", "one member a line"},
	{"[list a]\nmember = @file:/x\n", "2:10: ", "a member is no file"},
	{"[list a]\n[list a]\n", "2:1: ", "[list a] already"},
	{"[list B]\n", "1:1: ", "no name for a list"},
	/* All errors at once, in the order of the file. */
	{W("form") "[list b]\nmembr = x\n[rule c]\nwhen = size > x\n"
	    "move = ${z}\n", "2:8: ",
	    "did you mean `member`?)\n7:15: `size` is compared with"},
	{W("form") "[rule c]\nwhen = size > x\nmove = ${z}\n", "2:8: ",
	    "not with `x`\n6:10: unknown variable `z`"},
};

static const struct bad_case warned[] = {
	{A(""), "1:1: ", "does nothing"},
	{W("subject has a, b"), "2:20: ", "takes one text"},
	{W("subject is x) and bulk"), "2:20: ", "no parenthesis is open"},
	{W("subject has /x/"), "2:20: ", "for a pattern, write `~`"},
	{W("subject is 'x'"), "2:19: ", "write double quotes"},
	{W("subject has x # y"), "2:22: ", "a part of the value"},
	{A("mark = flaged"), "3:8: ", "did you mean `flagged`?"},
	{A("stop = yes") "[rule b]\nwhen = bulk\nmove = X\n", "4:1: ",
	    "rule b never runs: rule a stops at every"},
	{A("trash = yes") "[rule b]\nwhen = bulk\nmove = X\n", "4:1: ",
	    "rule b never does its `move`: rule a does `trash`"},
	{"[rule a]\nwhen = subject ~ /(?<x>x)/ or bulk\nmove = ${x}\n",
	    "3:10: ", "may be empty"},
};

static const char *const clean[] = {
	A("stop = yes\nlimit = 1/day") "[rule b]\nwhen = bulk\nmove = X\n",
	A("stop = yes\nmailboxes = A") "[rule b]\nwhen = bulk\nmove = X\n",
	A("trash = yes\nenabled = no") "[rule b]\nwhen = bulk\nmove = X\n",
	W("subject has \"a, b\""),
	W("subject has \":)\" or subject has f(x) or subject has ticket #1"),
	"[rule a]\nwhen = subject ~ /(?<x>x)/ and (bulk or to-me)\n"
	    "move = ${x}\n",
	A("mark = read, flagged $Junk -NonJunk\nquiet = yes"),
	A("forward = a.b+c@d-e.example\nforward = x@y.example\nas = attach\n"
	  "unknown = hold\nallow = list, auto"),
	A("exec = /bin/x\nretry = 3\nrepeat = safe\nstdin = message"),
	A("notify = yes\nurgency = critical\nsound = message\nicon = mail\n"
	  "title = ${from.name}\ntext = ${subject} $5 and $${more}"),
	W("FROM.Name is x and Header( X-Y ) ~ !a\\!b!smxc"),
	W("not(not(not(bulk)))"),
	W("subject is \"a and b\", c or from in @file:/a b/c"),
};
/* clang-format on */

static void
check_problem(const struct bad_case *test, bool want_rules)
{
	struct rule_problems problems = {0};
	struct rules *rules = rules_from_text(test->rules, &problems);
	BUF_AUTO shown = BUF_INIT;

	rules_problems_show(&shown, &problems);
	if ((rules != NULL) != want_rules)
		FAIL("%s: %s: %s", test->rules,
		    rules != NULL ? "taken" : "refused", buf_str(&shown));
	else if (!span_starts(buf_span(&shown), test->place))
		FAIL("%s: not at %s but %s", test->rules, test->place,
		    buf_str(&shown));
	else if (strstr(buf_str(&shown), test->part) == NULL)
		FAIL("%s: says %s", test->rules, buf_str(&shown));
	rules_free(&rules);
	rule_problems_done(&problems);
}

static void
test_bad(void **state)
{
	(void)state;
	failures = 0;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		check_problem(&bad[i], false);
	assert_int_equal(failures, 0);
}

static void
test_warned(void **state)
{
	(void)state;
	failures = 0;
	for (size_t i = 0; i < sizeof(warned) / sizeof(*warned); i++)
		check_problem(&warned[i], true);
	assert_int_equal(failures, 0);
}

static void
test_clean(void **state)
{
	(void)state;
	failures = 0;
	for (size_t i = 0; i < sizeof(clean) / sizeof(*clean); i++) {
		struct rule_problems problems = {0};
		struct rules *rules = rules_from_text(clean[i], &problems);
		BUF_AUTO shown = BUF_INIT;

		rules_problems_show(&shown, &problems);
		if (rules == NULL || problems.count > 0)
			FAIL("%s: %s", clean[i], buf_str(&shown));
		rules_free(&rules);
		rule_problems_done(&problems);
	}
	assert_int_equal(failures, 0);
}

/* `depth` parentheses around a condition. */
static struct rules *
nest(unsigned depth, const char *open, const char *close,
    struct rule_problems *problems_r)
{
	BUF_AUTO text = BUF_INIT;

	buf_add_str(&text, "[rule a]\nwhen = ");
	for (unsigned i = 0; i < depth; i++)
		buf_add_str(&text, open);
	buf_add_str(&text, "bulk");
	for (unsigned i = 0; i < depth; i++)
		buf_add_str(&text, close);
	buf_add_str(&text, "\nmove = X\n");
	return rules_from_text(buf_str(&text), problems_r);
}

static void
test_nesting(void **state)
{
	static const struct {
		const char *open, *close;
	} ways[] = {{"(", ")"}, {"not ", ""}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct rule_problems problems = {0};
		struct rules *rules = nest(
		    RULE_NESTING_MAX, ways[i].open, ways[i].close, &problems);

		assert_non_null(rules);
		rules_free(&rules);
		rules = nest(RULE_NESTING_MAX + 1, ways[i].open, ways[i].close,
		    &problems);
		assert_null(rules);
		assert_non_null(strstr(problems.items[0].text, "32 deep"));
		rules = nest(100000, ways[i].open, ways[i].close, &problems);
		assert_null(rules);
		rule_problems_done(&problems);
	}
}

static void
test_many_captures(void **state)
{
	struct rule_problems problems = {0};
	struct rules *rules;
	BUF_AUTO text = BUF_INIT;

	(void)state;
	buf_add_str(&text, "[rule a]\nmove = X\n");
	for (int i = 0; i < RULE_CAPTURES_MAX; i++)
		buf_addf(&text, "when = subject ~ /(?<n%d>x)/\n", i);
	rules = rules_from_text(buf_str(&text), &problems);
	assert_non_null(rules);
	rules_free(&rules);
	buf_add_str(&text, "when = subject ~ /(?<more>x)/\n");
	rules = rules_from_text(buf_str(&text), &problems);
	assert_null(rules);
	assert_int_equal(problems.items[0].place.line, 53);
	rule_problems_done(&problems);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_warned),
	    cmocka_unit_test(test_clean),
	    cmocka_unit_test(test_nesting),
	    cmocka_unit_test(test_many_captures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
