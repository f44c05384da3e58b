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
	{W("from is x and and bulk"), "2:22: ", "expected here, not `and`"},
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
	{A("forward = a@bu\xcc\x88.example"), "3:13: ", "combining mark"},
	{A("forward = a\xe2\x80\xae@b.example"), "3:11: ", "one plain address"},
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

/* What a new user writes, and all that is said of it. */
#define V(condition) "[list vip]\nmember = a@b.example\n[rule a]\nwhen = " \
	condition "\nmove = X\n"
#define B(lines) "[account home]\n[notifier phone]\n[rule a]\nwhen = bulk\n" \
	lines "\n"

static const struct bad_case whole[] = {
	{V("form is x@y.example"), NULL,
	    "4:8: unknown field `form` (did you mean `from`?)\n"},
	{V("from.nmae is x"), NULL,
	    "4:8: unknown field `from.nmae` (did you mean "
	    "`from.name`?)\n"},
	{V("form.name is x"), NULL,
	    "4:8: unknown field `form.name` (did you mean "
	    "`from.name`?)\n"},
	{V("sujbect has x"), NULL,
	    "4:8: unknown field `sujbect` (did you mean `subject`?)\n"},
	{V("Subject: has x"), NULL,
	    "4:15: unknown operator `:` (write `has` or `is`; fields "
	    "have no colon)\n"},
	{V("subject: x"), NULL,
	    "4:15: unknown operator `:` (write `has` or `is`; fields "
	    "have no colon)\n"},
	{V("header(List-Id: x)"), NULL,
	    "4:15: a header's name is expected here, as in "
	    "header(X-Spam)\n"},
	{V("header[\"X-Spam\"] is yes"), NULL,
	    "4:8: `header` needs the header's name, as in "
	    "header(X-Spam)\n"},
	{V("headers(X-Spam) is yes"), NULL,
	    "4:8: unknown field `headers` (write `header`)\n"},
	{V("header X-Spam is yes"), NULL,
	    "4:8: `header` needs the header's name, as in "
	    "header(X-Spam)\n"},
	{V("from iss x@y.example"), NULL,
	    "4:13: unknown operator `iss` after `from`; it is text: ~, "
	    "!~, is, has or in (did you mean `is`?)\n"},
	{V("from == x@y.example"), NULL,
	    "4:13: unknown operator `==` (to compare, write `is`)\n"},
	{V("from=x@y.example"), NULL,
	    "4:12: unknown operator `=` (to compare, write `is`)\n"},
	{V("from=\"x\""), NULL,
	    "4:12: unknown operator `=` (to compare, write `is`)\n"},
	{V("subject=~/x/"), NULL,
	    "4:15: unknown operator `=~` (for a pattern, write `~ "
	    "/.../`)\n"},
	{V("subject ~= /x/"), NULL,
	    "4:17: a pattern is expected here, as in /invoice/; its "
	    "delimiter is one of / # , % ! (the operator is `~` alone)\n"},
	{V("from is x && bulk"), NULL,
	    "4:18: write `and` and `or`, in small letters (if it "
	    "belongs to the value, put the value in quotes)\n"},
	{V("from is x@y.example && subject has y"), NULL,
	    "4:28: write `and` and `or`, in small letters (if it "
	    "belongs to the value, put the value in quotes)\n"},
	{V("bulk && to-me"), NULL,
	    "4:13: `and`, `or` or the end of the line is expected "
	    "here, not `&&`: `bulk` stands alone (write `and`)\n"},
	{V("bulk || to-me"), NULL,
	    "4:13: `and`, `or` or the end of the line is expected "
	    "here, not `||`: `bulk` stands alone (write `or`)\n"},
	{V("bulk AND to-me"), NULL,
	    "4:13: `and`, `or` or the end of the line is expected "
	    "here, not `AND`: `bulk` stands alone (write `and`)\n"},
	{V("bulk & to-me"), NULL,
	    "4:13: `and`, `or` or the end of the line is expected "
	    "here, not `&`: `bulk` stands alone (write `and`)\n"},
	{V("bulk, to-me"), NULL,
	    "4:12: `and`, `or` or the end of the line is expected "
	    "here, not `,`: `bulk` stands alone (join conditions by "
	    "`and` or `or`)\n"},
	{V("!bulk"), NULL,
	    "4:8: a field is expected here, as in: from is "
	    "ann@example.org (write `not` before it)\n"},
	{V("! bulk"), NULL,
	    "4:8: a field is expected here, as in: from is "
	    "ann@example.org (write `not` before it)\n"},
	{V("NOT bulk"), NULL,
	    "4:8: unknown field `NOT` (write `not`, in small letters)\n"},
	{V("not(bulk"), NULL,
	    "4:11: this parenthesis is not closed\n"},
	{V("(bulk and to-me"), NULL,
	    "4:8: this parenthesis is not closed\n"},
	{V("bulk and to-me)"), NULL,
	    "4:22: no parenthesis is open here\n"},
	{V("(bulk) and (to-me"), NULL,
	    "4:19: this parenthesis is not closed\n"},
	{V("bulk and"), NULL,
	    "4:16: a field is expected here, but the line ends\n"},
	{V("and bulk"), NULL,
	    "4:8: a condition is expected here, not `and`\n"},
	{V("bulk or or to-me"), NULL,
	    "4:16: a condition is expected here, not `or`\n"},
	{V("bulk to-me"), NULL,
	    "4:13: `and`, `or` or the end of the line is expected "
	    "here, not `to-me`: `bulk` stands alone\n"},
	{V("from is x or y or z"), NULL,
	    "4:21: unknown field `y` (each test begins with a field, "
	    "as in: from is a, b; a value that has ` and ` or ` or ` "
	    "in it must be in double quotes)\n"},
	{V("from is a and not b"), NULL,
	    "4:26: unknown field `b` (each test begins with a field, "
	    "as in: from is a, b; a value that has ` and ` or ` or ` "
	    "in it must be in double quotes)\n"},
	{V("subject contains invoice"), NULL,
	    "4:16: unknown operator `contains` (write `has`)\n"},
	{V("subject matches /x/"), NULL,
	    "4:16: unknown operator `matches` (for a pattern, write `~ "
	    "/.../`)\n"},
	{V("subject matches \"*invoice*\""), NULL,
	    "4:16: unknown operator `matches` (for a pattern, write `~ "
	    "/.../`)\n"},
	{V("subject like %x%"), NULL,
	    "4:16: unknown operator `like` (for a pattern, write `~ "
	    "/.../`)\n"},
	{V("subject startswith re"), NULL,
	    "4:16: unknown operator `startswith` (write `~ /^.../`)\n"},
	{V("subject starts with re"), NULL,
	    "4:16: unknown operator `starts` (write `~ /^.../`)\n"},
	{V("subject ends with x"), NULL,
	    "4:16: unknown operator `ends` (write `~ /...$/`)\n"},
	{V("subject is not x"), NULL,
	    "4:19: write `not` before the field: not subject is ... "
	    "(if the value begins with `not`, put it in quotes)\n"},
	{V("subject isn't x"), NULL,
	    "4:16: unknown operator `isn't` (write `not` before the "
	    "field and `is` behind it)\n"},
	{V("subject has not x"), NULL,
	    "4:20: write `not` before the field: not subject is ... "
	    "(if the value begins with `not`, put it in quotes)\n"},
	{V("subject not has x"), NULL,
	    "4:16: unknown operator `not` (write `not` before the "
	    "field)\n"},
	{V("subject does not contain x"), NULL,
	    "4:16: unknown operator `does` (write `not` before the "
	    "field and `has` behind it)\n"},
	{V("subject has \"x"), NULL,
	    "4:20: the quotes are not closed\n"},
	{V("subject has “x”"), NULL,
	    "4:20: warning: these quotes are a part of the value "
	    "(write straight double quotes: \"...\")\n"},
	{V("subject ~ x"), NULL,
	    "4:18: a pattern is expected here, as in /invoice/; its "
	    "delimiter is one of / # , % ! (put it between two "
	    "slashes: /.../)\n"},
	{V("subject ~ \"x\""), NULL,
	    "4:18: a pattern is expected here, as in /invoice/; its "
	    "delimiter is one of / # , % ! (write slashes instead of "
	    "the quotes)\n"},
	{V("subject ~ /x"), NULL,
	    "4:18: the pattern has no end: `/` is missing\n"},
	{V("subject ~ x/"), NULL,
	    "4:18: a pattern is expected here, as in /invoice/; its "
	    "delimiter is one of / # , % ! (put it between two "
	    "slashes: /.../)\n"},
	{V("subject ~ m/x/"), NULL,
	    "4:18: a pattern is expected here, as in /invoice/; its "
	    "delimiter is one of / # , % ! (put it between two "
	    "slashes: /.../)\n"},
	{V("subject ~ /x/gi"), NULL,
	    "4:21: there is no flag `g` (leave it out)\n"},
	{V("subject ~ /x/I"), NULL,
	    "4:21: patterns ignore case anyway; there is no flag `I` "
	    "(leave it out)\n"},
	{V("subject ~ /(x/"), NULL,
	    "4:21: in the pattern: missing closing parenthesis\n"},
	{V("subject ~ /x)/"), NULL,
	    "4:20: in the pattern: unmatched closing parenthesis\n"},
	{V("subject ~ /[x/"), NULL,
	    "4:21: in the pattern: missing terminating ] for character "
	    "class\n"},
	{V("subject ~ /x{2,1}/"), NULL,
	    "4:24: in the pattern: numbers out of order in {} "
	    "quantifier\n"},
	{V("subject ~ /*x/"), NULL,
	    "4:19: in the pattern: quantifier does not follow a "
	    "repeatable item\n"},
	{V("subject ~ /(?<a-b>x)/"), NULL,
	    "4:23: in the pattern: syntax error in subpattern name "
	    "(missing terminator?)\n"},
	{V("subject ~ /(?P<n>x/"), NULL,
	    "4:26: in the pattern: missing closing parenthesis\n"},
	{V("subject ~ /\\p{Foo}/"), NULL,
	    "4:26: in the pattern: unknown property after \\P or \\p\n"},
	{V("subject ~ /a/b/"), NULL,
	    "4:21: the pattern ends before this; its flags are c, s, m "
	    "and x (inside a pattern, write its delimiter with a "
	    "backslash)\n"},
	{V("subject ~ /a/ and"), NULL,
	    "4:25: a field is expected here, but the line ends\n"},
	{V("subject ~ /a/and bulk"), NULL,
	    "4:21: a blank is missing before `and`\n"},
	{V("subject ~ |x|"), NULL,
	    "4:18: a pattern is expected here, as in /invoice/; its "
	    "delimiter is one of / # , % ! (put it between two "
	    "slashes: /.../)\n"},
	{V("subject ~ #a#b"), NULL,
	    "4:21: the pattern ends before this; its flags are c, s, m "
	    "and x (inside a pattern, write its delimiter with a "
	    "backslash)\n"},
	{V("size > 10MB"), NULL,
	    "4:15: `size` is compared with a size: a whole number and "
	    "K, M, G or nothing, as in 10M, not with `10MB` (did you "
	    "mean `10M`?)\n"},
	{V("size > 10 megabytes"), NULL,
	    "4:15: `size` is compared with a size: a whole number and "
	    "K, M, G or nothing, as in 10M, not with `10 megabytes` "
	    "(did you mean `10M`?)\n"},
	{V("size > 1.5M"), NULL,
	    "4:15: `size` is compared with a size: a whole number and "
	    "K, M, G or nothing, as in 10M, not with `1.5M`\n"},
	{V("size > -1"), NULL,
	    "4:15: `size` is compared with a size: a whole number and "
	    "K, M, G or nothing, as in 10M, not with `-1`\n"},
	{V("size > ten"), NULL,
	    "4:15: `size` is compared with a size: a whole number and "
	    "K, M, G or nothing, as in 10M, not with `ten`\n"},
	{V("size >"), NULL,
	    "4:14: a value is expected here\n"},
	{V("size > > 1"), NULL,
	    "4:15: `size` is compared with a size: a whole number and "
	    "K, M, G or nothing, as in 10M, not with `> 1` (one "
	    "operator is enough)\n"},
	{V("size => 1"), NULL,
	    "4:13: unknown operator `=>` (write `>=`)\n"},
	{V("size =< 1"), NULL,
	    "4:13: unknown operator `=<` (write `<=`)\n"},
	{V("size == 1"), NULL,
	    "4:13: unknown operator `==` (to compare, write `is`)\n"},
	{V("size is > 5"), NULL,
	    "4:16: `size` is compared with a size: a whole number and "
	    "K, M, G or nothing, as in 10M, not with `> 5` (one "
	    "operator is enough)\n"},
	{V("size larger than 5M"), NULL,
	    "4:13: unknown operator `larger` (write `>`)\n"},
	{V("size bigger 5M"), NULL,
	    "4:13: unknown operator `bigger` (write `>`)\n"},
	{V("size 5M"), NULL,
	    "4:13: unknown operator `5M` (write an operator before the "
	    "number, as in: size > 5M)\n"},
	{V("age > 3 days"), NULL,
	    "4:14: `age` is compared with a time: a whole number and "
	    "s, m, h, d or w, as in 2d, not with `3 days` (did you "
	    "mean `3d`?)\n"},
	{V("age > 2months"), NULL,
	    "4:14: `age` is compared with a time: a whole number and "
	    "s, m, h, d or w, as in 2d, not with `2months` (write "
	    "`60d`)\n"},
	{V("age > 1y"), NULL,
	    "4:14: `age` is compared with a time: a whole number and "
	    "s, m, h, d or w, as in 2d, not with `1y` (write `365d`)\n"},
	{V("age > 99999999y"), NULL,
	    "4:14: `age` is compared with a time: a whole number and "
	    "s, m, h, d or w, as in 2d, not with `99999999y`\n"},
	{V("age older than 2d"), NULL,
	    "4:12: unknown operator `older` (write `>`)\n"},
	{V("age > yesterday"), NULL,
	    "4:14: `age` is compared with a time: a whole number and "
	    "s, m, h, d or w, as in 2d, not with `yesterday`\n"},
	{V("hour > 24"), NULL,
	    "4:15: `hour` is compared with an hour from 0 to 23, not "
	    "with `24`\n"},
	{V("hour is 5pm"), NULL,
	    "4:16: `hour` is compared with an hour from 0 to 23, not "
	    "with `5pm` (did you mean `17`?)\n"},
	{V("hour is 20:00"), NULL,
	    "4:16: `hour` is compared with an hour from 0 to 23, not "
	    "with `20:00` (did you mean `20`?)\n"},
	{V("hour in 8-17"), NULL,
	    "4:13: `in` cannot be asked of `hour`; it is a number: is, "
	    ">, >=, < or <= (write `is`)\n"},
	{V("hour is 8-17"), NULL,
	    "4:16: `hour` is compared with an hour from 0 to 23, not "
	    "with `8-17` (write `hour >= 8 and hour <= ...`)\n"},
	{V("weekday is Monday"), NULL,
	    "4:19: `weekday` is compared with a day: mon, tue, wed, "
	    "thu, fri, sat or sun, not with `Monday` (did you mean "
	    "`mon`?)\n"},
	{V("weekday is weekend"), NULL,
	    "4:19: `weekday` is compared with a day: mon, tue, wed, "
	    "thu, fri, sat or sun, not with `weekend` (write `sat, "
	    "sun`)\n"},
	{V("weekday is Mon-Fri"), NULL,
	    "4:19: `weekday` is compared with a day: mon, tue, wed, "
	    "thu, fri, sat or sun, not with `Mon-Fri` (write `weekday "
	    "<= fri`)\n"},
	{V("weekday is sat - sun"), NULL,
	    "4:19: `weekday` is compared with a day: mon, tue, wed, "
	    "thu, fri, sat or sun, not with `sat - sun` (write "
	    "`weekday >= sat`)\n"},
	{V("weekday is tue-thu"), NULL,
	    "4:19: `weekday` is compared with a day: mon, tue, wed, "
	    "thu, fri, sat or sun, not with `tue-thu` (write `weekday "
	    ">= tue and weekday <= thu`)\n"},
	{V("header(X-Spam:) is x"), NULL,
	    "4:15: a header's name is expected here, as in "
	    "header(X-Spam) (leave out the colon)\n"},
	{V("from.host is x"), NULL,
	    "4:8: unknown field `from.host` (write `from.domain`)\n"},
	{V("weekday in sat, sun"), NULL,
	    "4:16: `in` cannot be asked of `weekday`; it is a number: "
	    "is, >, >=, < or <= (write `is`)\n"},
	{V("flag is seen"), NULL,
	    "4:16: `flag` is read, flagged, answered, draft or "
	    "deleted, never `seen` (write `read`)\n"},
	{V("flag is unread"), NULL,
	    "4:16: `flag` is read, flagged, answered, draft or "
	    "deleted, never `unread` (write `not flag is read`)\n"},
	{V("flag is \\Seen"), NULL,
	    "4:16: `flag` is read, flagged, answered, draft or "
	    "deleted, never `\\Seen` (write `read`)\n"},
	{V("flag = read"), NULL,
	    "4:13: unknown operator `=` (to compare, write `is`)\n"},
	{V("read"), NULL,
	    "4:8: unknown field `read` (write `flag is read`)\n"},
	{V("unread"), NULL,
	    "4:8: unknown field `unread` (write `not flag is read`)\n"},
	{V("seen"), NULL,
	    "4:8: unknown field `seen` (write `flag is read`)\n"},
	{V("is read"), NULL,
	    "4:8: unknown field `is` (the field comes first, as in: "
	    "flag is read)\n"},
	{V("spf is pass"), NULL,
	    "4:8: unknown field `spf` (write `auth.spf`)\n"},
	{V("auth.spf pass"), NULL,
	    "4:17: unknown operator `pass` after `auth.spf`; it is "
	    "text: ~, !~, is, has or in\n"},
	{V("auth.spf is passed"), NULL,
	    "4:20: `auth.spf` is pass, fail, none, neutral, policy, "
	    "softfail, temperror, permerror or bestguesspass, never "
	    "`passed` (did you mean `pass`?)\n"},
	{V("dmarc = fail"), NULL,
	    "4:8: unknown field `dmarc` (write `auth.dmarc`)\n"},
	{V("auth is pass"), NULL,
	    "4:8: unknown field `auth` (write `auth.dmarc`, "
	    "`auth.dkim` or `auth.spf`)\n"},
	{V("to_me"), NULL,
	    "4:8: unknown field `to_me` (did you mean `to-me`?)\n"},
	{V("tome"), NULL,
	    "4:8: unknown field `tome` (did you mean `to-me`?)\n"},
	{V("me in to"), NULL,
	    "4:8: unknown field `me` (write `to-me` or `cc-me`)\n"},
	{V("new_sender"), NULL,
	    "4:8: unknown field `new_sender` (did you mean "
	    "`new-sender`?)\n"},
	{V("attachments"), NULL,
	    "4:8: unknown field `attachments` (did you mean "
	    "`attachment`?)\n"},
	{V("has attachment"), NULL,
	    "4:8: unknown field `has` (the field comes first, as in: "
	    "subject has invoice)\n"},
	{V("attachment is yes"), NULL,
	    "4:19: `is` cannot be asked of `attachment`; it is true or "
	    "false and stands alone (write it alone, or with `not` "
	    "before it)\n"},
	{V("attachment.ext is pdf"), NULL,
	    "4:8: unknown field `attachment.ext` (write a pattern, as "
	    "in: attachment.name ~ /\\.pdf$/)\n"},
	{V("attachment.mime is x"), NULL,
	    "4:8: unknown field `attachment.mime` (write "
	    "`attachment.type`)\n"},
	{V("attachment has pdf"), NULL,
	    "4:19: `has` cannot be asked of `attachment`; it is true "
	    "or false and stands alone (write `attachment.name` or "
	    "`attachment.type`)\n"},
	{V("attachment.count is many"), NULL,
	    "4:28: `attachment.count` is compared with a whole number, "
	    "not with `many`\n"},
	{V("body contains unsubscribe"), NULL,
	    "4:13: unknown operator `contains` (write `has`)\n"},
	{V("text has x"), NULL,
	    "4:8: unknown field `text` (write `body`)\n"},
	{V("content has x"), NULL,
	    "4:8: unknown field `content` (write `body`)\n"},
	{V("body.text has x"), NULL,
	    "4:8: unknown field `body.text` (write `body`)\n"},
	{V("any"), NULL,
	    "4:8: unknown field `any` (write `all` for every message)\n"},
	{V("true"), NULL,
	    "4:8: unknown field `true` (write `all` for every message)\n"},
	{V("always"), NULL,
	    "4:8: unknown field `always` (write `all` for every "
	    "message)\n"},
	{V("everything"), NULL,
	    "4:8: unknown field `everything` (write `all` for every "
	    "message)\n"},
	{V("*"), NULL,
	    "4:8: a field is expected here, as in: from is "
	    "ann@example.org (write `all` for every message)\n"},
	{V("all messages"), NULL,
	    "4:12: `and`, `or` or the end of the line is expected "
	    "here, not `messages`\n"},
	{V("from in vip"), NULL,
	    "4:16: `in` is followed by a list, as in @vip or "
	    "@file:/etc/belfry/vip (before the list's name stands an "
	    "`@`)\n"},
	{V("from in @vpi"), NULL,
	    "4:17: there is no section [list vpi] (did you mean "
	    "`vip`?)\n"},
	{V("from in @"), NULL,
	    "4:16: `in` is followed by a list, as in @vip or "
	    "@file:/etc/belfry/vip (to compare with values, write "
	    "`is`)\n"},
	{V("from in [vip]"), NULL,
	    "4:16: `in` is followed by a list, as in @vip or "
	    "@file:/etc/belfry/vip (to compare with values, write "
	    "`is`)\n"},
	{V("from in list vip"), NULL,
	    "4:16: `in` is followed by a list, as in @vip or "
	    "@file:/etc/belfry/vip (to compare with values, write "
	    "`is`)\n"},
	{V("from in @file:etc/x"), NULL,
	    "4:16: the file of a list needs a path that begins with /, "
	    "as in @file:/etc/belfry/vip\n"},
	{V("from in /etc/x"), NULL,
	    "4:16: `in` is followed by a list, as in @vip or "
	    "@file:/etc/belfry/vip (before the path of a file stands "
	    "`@file:`)\n"},
	{V("from in @vip @other"), NULL,
	    "4:17: there is no section [list vip @other]\n"},
	{V("mailbox in INBOX"), NULL,
	    "4:19: `in` is followed by a list, as in @vip or "
	    "@file:/etc/belfry/vip (to compare with values, write "
	    "`is`)\n"},
	{V("address :is \"from\" \"x@y\""), NULL,
	    "4:8: unknown field `address` (write `from`, `to` or "
	    "`rcpt`)\n"},
	{V("header :contains \"subject\" \"x\""), NULL,
	    "4:8: `header` needs the header's name, as in "
	    "header(X-Spam) (a test of Sieve is written as in: subject "
	    "has invoice)\n"},
	{V("if header :contains \"subject\" \"x\" { fileinto \"X\"; }"), NULL,
	    "4:8: unknown field `if` (leave it out: the line is the "
	    "condition)\n"},
	{V("allof (bulk, to-me)"), NULL,
	    "4:8: unknown field `allof` (join conditions by `and`)\n"},
	{V("anyof(bulk, to-me)"), NULL,
	    "4:8: a field is expected here, as in: from is "
	    "ann@example.org (join conditions by `or`)\n"},
	{V("exists \"x\""), NULL,
	    "4:8: unknown field `exists` (write the field alone)\n"},
	{V("* ^Subject:.*x"), NULL,
	    "4:8: a field is expected here, as in: from is "
	    "ann@example.org (a recipe of procmail is written as in: "
	    "subject ~ /invoice/)\n"},
	{V("^From:.*x"), NULL,
	    "4:8: a field is expected here, as in: from is "
	    "ann@example.org (write the field first, as in: subject ~ "
	    "/^invoice/)\n"},
	{V("from:x@y.example"), NULL,
	    "4:12: unknown operator `:` (write `has` or `is`; fields "
	    "have no colon)\n"},
	{V("from: x@y.example"), NULL,
	    "4:12: unknown operator `:` (write `has` or `is`; fields "
	    "have no colon)\n"},
	{V("subject:\"x\""), NULL,
	    "4:15: unknown operator `:` (write `has` or `is`; fields "
	    "have no colon)\n"},
	{V("is:unread"), NULL,
	    "4:8: unknown field `is` (the field comes first, as in: "
	    "flag is read)\n"},
	{V("messages.contain_subject('x')"), NULL,
	    "4:8: unknown field `messages.contain_subject` (if it is a "
	    "header field, write header(messages.contain_subject))\n"},
	{V("subject has x # comment"), NULL,
	    "4:22: warning: this is a part of the value (a comment "
	    "needs a line of its own; if it is none, put the value in "
	    "quotes)\n"},
	{V("bulk # comment"), NULL,
	    "4:13: `and`, `or` or the end of the line is expected "
	    "here, not `#`: `bulk` stands alone (a comment needs a "
	    "line of its own)\n"},
	{V("bulk ; to-me"), NULL,
	    "4:13: `and`, `or` or the end of the line is expected "
	    "here, not `;`: `bulk` stands alone (a comment needs a "
	    "line of its own)\n"},
	{V("$from is x"), NULL,
	    "4:8: a field is expected here, as in: from is "
	    "ann@example.org (fields have no `$`)\n"},
	{V("${from} is x"), NULL,
	    "4:8: a field is expected here, as in: from is "
	    "ann@example.org (fields have no `$`)\n"},
	{V("from is ${x}"), NULL,
	    "4:16: warning: a condition has no variables: this is "
	    "compared as it is (if it is meant, put the value in "
	    "quotes)\n"},
	{V("domain is x.example"), NULL,
	    "4:8: unknown field `domain` (write `from.domain`)\n"},
	{V("recipient is x"), NULL,
	    "4:8: unknown field `recipient` (write `rcpt`)\n"},
	{V("sender.domain is a@b"), NULL,
	    "4:25: warning: rule a never acts: `sender.domain is a@b` "
	    "can never hold: a domain has no `@` in it (for one "
	    "address, write `sender is a@b`)\n"},
	{V("list is x"), NULL,
	    "4:8: unknown field `list` (write `list-id`, or `bulk` for "
	    "any list)\n"},
	{V("X-Spam is yes"), NULL,
	    "4:8: unknown field `X-Spam` (if it is a header field, "
	    "write header(X-Spam))\n"},
	{V("date > 2d"), NULL,
	    "4:8: unknown field `date` (write `sent` or `age`, as in: "
	    "age > 2d)\n"},
	{V("date.hour > 3"), NULL,
	    "4:8: unknown field `date.hour` (write `hour`, as in: hour "
	    ">= 20)\n"},
	{V("precedence is bulk"), NULL,
	    "4:8: unknown field `precedence` (write `bulk`, or "
	    "header(Precedence))\n"},
	{V("importance is high"), NULL,
	    "4:8: unknown field `importance` (write "
	    "header(Importance))\n"},
	{V("priority is high"), NULL,
	    "4:8: unknown field `priority` (write header(X-Priority))\n"},
	{V("not"), NULL,
	    "4:11: a field is expected here, but the line ends\n"},
	{V("()"), NULL,
	    "4:9: a field is expected here, as in: from is "
	    "ann@example.org\n"},
	{V("(())"), NULL,
	    "4:10: a field is expected here, as in: from is "
	    "ann@example.org\n"},
	{V("not and bulk"), NULL,
	    "4:12: a condition is expected here, not `and`\n"},
	{V("bulk not to-me"), NULL,
	    "4:13: `and`, `or` or the end of the line is expected "
	    "here, not `not`: `bulk` stands alone (write `not` before "
	    "the field)\n"},
	{V("bulk xor to-me"), NULL,
	    "4:13: `and`, `or` or the end of the line is expected "
	    "here, not `xor`: `bulk` stands alone\n"},
	{V("bulk und to-me"), NULL,
	    "4:13: `and`, `or` or the end of the line is expected "
	    "here, not `und`: `bulk` stands alone\n"},
	{V("if bulk"), NULL,
	    "4:8: unknown field `if` (leave it out: the line is the "
	    "condition)\n"},
	{V("when bulk"), NULL,
	    "4:8: unknown field `when` (leave it out: the line is the "
	    "condition)\n"},
	{V("subject ~ /x/ i"), NULL,
	    "4:22: `and`, `or` or the end of the line is expected "
	    "here, not `i`\n"},
	{B("exec = ls\nretry = 3"), NULL,
	    "5:8: the command needs its whole path, as in "
	    "/usr/local/bin/ring\n"},
	{B("notify = loud\ntitle = x"), NULL,
	    "5:10: `notify` is yes, low, normal or critical, not "
	    "`loud`\n"},
	{B("forward = x\nas = redirect"), NULL,
	    "5:11: one plain address is expected, as in "
	    "ann@example.org\n"},
	{B("exec = /bin/x\nretry = many"), NULL,
	    "6:9: a number from 0 to 20 is expected\n"},
	{B("forward = a@b.example\nas = redirct"), NULL,
	    "6:6: `as` is attach, redirect or inline, not `redirct` "
	    "(did you mean `redirect`?)\n"},
	{B("forward = a@b.example\nunknown = retry"), NULL,
	    "6:11: `unknown` is resend, hold or drop, not `retry`\n"},
	{B("notify = low\nurgency = low"), NULL,
	    "6:11: `notify = low` has said the urgency already (leave "
	    "one of them out)\n"},
	{B("notify = yes\nvia = fone"), NULL,
	    "6:7: there is no section [notifier fone]\n"},
	{B("notify = phone"), NULL,
	    "5:10: `notify` is yes, low, normal or critical, not "
	    "`phone` (write `notify = yes`, and `via` with its name)\n"},
	{B("notify = urgent"), NULL,
	    "5:10: `notify` is yes, low, normal or critical, not "
	    "`urgent` (write `critical`)\n"},
	{B("mark = read not flagged"), NULL,
	    "5:13: `not` is no mark: there are read, unread, flagged, "
	    "answered and keywords (to remove a mark, write `-` before "
	    "it: -flagged)\n"},
	{B("mark = no"), NULL,
	    "5:8: `no` is no mark: there are read, unread, flagged, "
	    "answered and keywords (leave the line out if it is not "
	    "wanted)\n"},
	{B("when = subject ~ /(?<p>x/\nmove = ${p}"), NULL,
	    "5:25: in the pattern: missing closing parenthesis\n"},
	{B("when = form is x\nmove = ${pp}"), NULL,
	    "5:8: unknown field `form` (did you mean `from`?)\n"
	    "6:10: unknown variable `pp`\n"},
	{B("when = subject ~ /(?<p>x)/ and form is y\nmove = CI/${p}"), NULL,
	    "5:32: unknown field `form` (did you mean `from`?)\n"},
	{B("unless = form is x\nmove = ${from.user}"), NULL,
	    "5:10: unknown field `form` (did you mean `from`?)\n"},
	{B("copy = A//\ncreate = yes\nmove = B"), NULL,
	    "5:8: a level of the folder's name is empty; names have no "
	    "/ at their ends and no two in a row\n"},
	{B("notify = yes\ntitle = ${subjct}"), NULL,
	    "6:11: unknown variable `subjct` (did you mean `subject`?)\n"},
	{B("move = X\nmove = Y"), NULL,
	    "6:8: `move` stands here for the second time\n"},
	{B("move = X\narchive = yes"), NULL,
	    "6:11: a rule cannot have both `move` and `archive`\n"},
	{B("stop = true"), NULL,
	    "5:8: `stop` is yes or no, not `true` (write `yes`)\n"},
	{B("archive = true"), NULL,
	    "5:11: `archive` is yes, not `true` (write `yes`)\n"},
	{B("mode = dry"), NULL,
	    "5:8: `mode` is live or observe, not `dry`\n"},
	{B("accounts = hom"), NULL,
	    "5:12: there is no section [account hom] (did you mean "
	    "`home`?)\n"},
	{B("limit = 5 per day"), NULL,
	    "5:9: a number from 1 to 1000 and /hour or /day is "
	    "expected, as in 20/day\n"},
	{B("label = \\Starred"), NULL,
	    "5:9: a label is a plain name or \\Important (`mark = "
	    "flagged` sets the star, `move` files it)\n"},
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
test_whole(void **state)
{
	(void)state;
	failures = 0;
	for (size_t i = 0; i < sizeof(whole) / sizeof(*whole); i++) {
		struct rule_problems problems = {0};
		struct rules *rules =
		    rules_from_text(whole[i].rules, &problems);
		BUF_AUTO shown = BUF_INIT;

		rules_problems_show(&shown, &problems);
		if (strcmp(buf_str(&shown), whole[i].part) != 0)
			FAIL("%s: says\n%sand not\n%s", whole[i].rules,
			    buf_str(&shown), whole[i].part);
		rules_free(&rules);
		rule_problems_done(&problems);
	}
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
	    cmocka_unit_test(test_whole),
	    cmocka_unit_test(test_clean),
	    cmocka_unit_test(test_nesting),
	    cmocka_unit_test(test_many_captures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
