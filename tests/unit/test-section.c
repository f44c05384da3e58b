/* One section of a configuration, changed as text: the rest stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/setup/section.h"

struct case_of {
	const char *name, *before;
	struct section_change changes[4]; /* ended by a NULL key */
	const char *after;
};

static const struct case_of cases[] = {
    {"into nothing", "", {{"email", "a@b.example"}, {"keyring", "yes"}},
	"[account home]\nemail = a@b.example\nkeyring = yes\n"},
    {"a new section stands at the end", "# mine\n[daemon]\nlog_level = info\n",
	{{"email", "a@b.example"}},
	"# mine\n[daemon]\nlog_level = info\n\n"
	"[account home]\nemail = a@b.example\n"},
    {"the last line had no end", "[daemon]\nlog_level = info",
	{{"email", "a@b.example"}},
	"[daemon]\nlog_level = info\n\n[account home]\nemail = a@b.example\n"},
    {"a value in its place",
	"[account home]\n# who\nemail=x@b.example\n\n# why\nkeyring = yes\n",
	{{"email", "a@b.example"}},
	"[account home]\n# who\nemail = a@b.example\n\n# why\nkeyring = yes\n"},
    {"the same value stays as it was written",
	"[account home]\nemail=  a@b.example  \n", {{"email", "a@b.example"}},
	"[account home]\nemail=  a@b.example  \n"},
    {"a new key stands behind the last one, not behind the comments",
	"[account home]\nemail = a@b.example\n\n# of work\n[account work]\n"
	"email = w@b.example\n",
	{{"keyring", "yes"}},
	"[account home]\nemail = a@b.example\nkeyring = yes\n\n# of work\n"
	"[account work]\nemail = w@b.example\n"},
    {"a new key at the end of a file without an end of line",
	"[account home]\nemail = a@b.example", {{"keyring", "yes"}},
	"[account home]\nemail = a@b.example\nkeyring = yes\n"},
    {"a key goes", "[account home]\npassword = x\nemail = a@b.example\n",
	{{"password", NULL}, {"keyring", "yes"}},
	"[account home]\nemail = a@b.example\nkeyring = yes\n"},
    {"a key goes with its continuation, comments stay",
	"[account home]\npassword_command = a\n# between\n  b\n\n\tc\n"
	"email = a@b.example\n",
	{{"password_command", NULL}},
	"[account home]\n# between\n\nemail = a@b.example\n"},
    {"a key is replaced with its continuation",
	"[account home]\nwatch = INBOX\n  Lists/*\nemail = a@b.example\n",
	{{"watch", "INBOX"}},
	"[account home]\nwatch = INBOX\nemail = a@b.example\n"},
    {"a continuation of another key stays",
	"[account home]\nemail = x@b.example\nwatch = INBOX\n  Lists/*\n",
	{{"email", "a@b.example"}},
	"[account home]\nemail = a@b.example\nwatch = INBOX\n  Lists/*\n"},
    {"repeated keys become one",
	"[account home]\nidentity = a@b.example\nidentity = c@b.example\n",
	{{"identity", "d@b.example"}},
	"[account home]\nidentity = d@b.example\n"},
    {"keys of other sections stay",
	"[account work]\nemail = w@b.example\n[ account  home ]\n"
	"email = x@b.example\n[account home2]\nemail = 2@b.example\n",
	{{"email", "a@b.example"}},
	"[account work]\nemail = w@b.example\n[ account  home ]\n"
	"email = a@b.example\n[account home2]\nemail = 2@b.example\n"},
    {"a key that only begins like it",
	"[account home]\nsmtp_user = x\nuser = y\n",
	{{"user", "z"}, {"smtp", "smtps://s.example"}},
	"[account home]\nsmtp_user = x\nuser = z\nsmtp = smtps://s.example\n"},
    {"a commented key is a comment", "[account home]\n#email = c@b.example\n",
	{{"email", "a@b.example"}},
	"[account home]\nemail = a@b.example\n#email = c@b.example\n"},
    {"Windows line ends", "[account home]\r\nemail = x@b.example\r\n# c\r\n",
	{{"email", "a@b.example"}, {"keyring", "yes"}},
	"[account home]\r\nemail = a@b.example\r\nkeyring = yes\r\n# c\r\n"},
    {"a mark at the beginning",
	"\xef\xbb\xbf[account home]\nemail = x@b.example\n",
	{{"email", "a@b.example"}},
	"\xef\xbb\xbf[account home]\nemail = a@b.example\n"},
    {"nothing to change", "; c\n[account home]\nemail = a@b.example\n\n\n",
	{{"password", NULL}}, "; c\n[account home]\nemail = a@b.example\n\n\n"},
};

static size_t
count_changes(const struct case_of *c)
{
	size_t count = 0;

	while (count < 4 && c->changes[count].key != NULL)
		count++;
	return count;
}

static void
test_set(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct case_of *c = &cases[i];
		BUF_AUTO out = BUF_INIT, twice = BUF_INIT;

		section_set(&out, span_from_str(c->before), "account", "home",
		    c->changes, count_changes(c));
		if (strcmp(buf_str(&out), c->after) != 0) {
			print_error("%s:\n%s\nnot:\n%s\n", c->name,
			    buf_str(&out), c->after);
			fail();
		}
		/* Once more changes nothing. */
		section_set(&twice, buf_span(&out), "account", "home",
		    c->changes, count_changes(c));
		if (strcmp(buf_str(&twice), c->after) != 0) {
			print_error(
			    "%s, twice:\n%s\n", c->name, buf_str(&twice));
			fail();
		}
	}
}

static void
test_find(void **state)
{
	static const char text[] = "[account homes]\na = b\n# c\n"
				   "[account home]\nemail = x\n  y\n\n# of d\n"
				   "[daemon]\n";

	(void)state;
	assert_true(span_is(section_find(SPAN(text), "account", "home"),
	    "[account home]\nemail = x\n  y\n"));
	assert_true(span_is(section_find(SPAN(text), "account", "homes"),
	    "[account homes]\na = b\n"));
	assert_int_equal(section_find(SPAN(text), "account", "hom").len, 0);
	assert_int_equal(section_find(SPAN(text), "rule", "home").len, 0);
	assert_int_equal(section_find(SPAN_EMPTY, "account", "home").len, 0);
}

/* Cut anywhere, nothing that was there is lost: each line of the old text is a
 * line of the new one, in order. */
static void
test_keeps_all(void **state)
{
	static const char text[] =
	    "# one\n\n[daemon]\nlog_level = info\n; two\n[account home]\n"
	    "# three\nemail = x@b.example\nwatch = INBOX\n  L/*\n\n# four\n"
	    "[rule r]\nwhen = all\n# five";
	static const struct section_change changes[] = {{"keyring", "yes"}};

	(void)state;
	for (size_t len = 0; len < sizeof(text); len++) {
		struct span rest = span_from(text, len), line;
		BUF_AUTO out = BUF_INIT;
		section_set(
		    &out, span_from(text, len), "account", "home", changes, 1);
		struct span left = buf_span(&out);
		while (span_split(&rest, '\n', &line)) {
			size_t at = span_find_span(left, line, 0);
			assert_true(at != SIZE_MAX || line.len == 0);
			left =
			    span_skip(left, at == SIZE_MAX ? 0 : at + line.len);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_set),
	    cmocka_unit_test(test_find),
	    cmocka_unit_test(test_keeps_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
