/* One section of a configuration, changed as text: the rest stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/random.h"
#include "daemon/config/reader.h"
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

/* ---- any file at all ---- */

/* Whatever the reader takes, put together at random. */
static const char *const palette[] = {"# of mine", ";x = y", "", " ", "\t",
    "[account home]", "[ account \t home ]  ", "[account work]", "[daemon]",
    "[account home2]", "[rule home]", "email = a@b.example",
    "email=", "email  =  x = y ; z # w", "watch = INBOX", "keyring = yes",
    "password = # [no section]", "password_command = sh -c 'x=1'", "emails = x",
    "  # no comment", "\t[account home]", " email = more", "  Lists/*",
    "#[account home]", "when = subject ~ /[a", "  b]/"};
static const struct section_change wanted[] = {{"email", "new@b.example"},
    {"keyring", "yes"}, {"password", NULL}, {"watch", "INBOX"}};
#define WANTED (sizeof(wanted) / sizeof(*wanted))
#define LINES_MAX 14
#define FILES 20000

static void
make_file(struct random *random, struct buf *text)
{
	const char *end = random_below(random, 3) == 0 ? "\r\n" : "\n";
	uint64_t lines = random_below(random, LINES_MAX);

	if (random_below(random, 8) == 0)
		buf_add_str(text, "\xef\xbb\xbf");
	for (uint64_t i = 0; i < lines; i++) {
		buf_add_str(text, palette[random_below(random,
				      sizeof(palette) / sizeof(*palette))]);
		if (i + 1 < lines || random_below(random, 4) != 0)
			buf_add_str(text, end);
	}
}

/* Each entry of the file on a line, but for those that were to change; and of
 * these what the section has now. */
static bool
describe(struct span text, struct buf *others, struct buf *ours)
{
	DOCUMENT_AUTO document = DOCUMENT_INIT;
	struct rule_problems problems = {0};
	bool is_first = true, is_dropping = false;

	reader_parse("f", text, &document, &problems);
	bool ok = problems.count == 0;
	rule_problems_done(&problems);
	for (size_t i = 0; i < document.count; i++) {
		const struct document_section *s = &document.sections[i];
		bool is_ours = is_first && strcmp(s->kind, "account") == 0 &&
			       strcmp(s->name, "home") == 0;
		is_first = is_first && !is_ours;
		if (!is_ours || s->entry_count > 0)
			buf_addf(others, "[%s %s]\n", s->kind, s->name);
		for (size_t k = 0; k < s->entry_count; k++) {
			const struct document_entry *e = &s->entries[k];
			if (!e->is_continuation) {
				is_dropping = false;
				for (size_t w = 0; is_ours && w < WANTED; w++)
					is_dropping =
					    is_dropping ||
					    strcmp(e->key, wanted[w].key) == 0;
			}
			buf_addf(is_dropping ? ours : others, "%s = %s\n",
			    e->is_continuation ? "" : e->key, e->value);
		}
	}
	return ok;
}

/* Lines that begin so, in their order. */
static void
add_comments(struct span text, struct buf *out)
{
	struct span line;

	while (span_split(&text, '\n', &line))
		if (line.len > 0 && strchr("#;", line.data[0]) != NULL)
			buf_addf(
			    out, "%.*s\n", (int)span_trim(line).len, line.data);
}

static bool
check_file(struct span before)
{
	BUF_AUTO after = BUF_INIT, twice = BUF_INIT, ours = BUF_INIT;
	BUF_AUTO old = BUF_INIT, now = BUF_INIT, none = BUF_INIT;
	BUF_AUTO said = BUF_INIT, kept = BUF_INIT;

	if (!describe(before, &old, &none))
		return false; /* not one that setup would begin with */
	section_set(&after, before, "account", "home", wanted, WANTED);
	section_set(
	    &twice, buf_span(&after), "account", "home", wanted, WANTED);
	add_comments(before, &said);
	add_comments(buf_span(&after), &kept);
	bool ok = describe(buf_span(&after), &now, &ours);
	struct span section = section_find(buf_span(&after), "account", "home");
	/* A section that was empty, or is new, is seen now. */
	BUF_AUTO with = BUF_INIT;
	buf_add_span(&with, buf_span(&old));
	buf_add_str(&with, "[account home]\n");
	ok =
	    ok && section.len > 0 &&
	    span_equal(buf_span(&after), buf_span(&twice)) &&
	    span_equal(buf_span(&said), buf_span(&kept)) &&
	    (span_equal(buf_span(&old), buf_span(&now)) || now.len == with.len);
	/* Each of them once, whatever their order. */
	ok = ok && ours.len == strlen("email = new@b.example\nkeyring = yes\n"
				      "watch = INBOX\n");
	if (ok)
		return true;
	print_error("---- before:\n%s\n---- after:\n%s\n---- entries:\n%s"
		    "---- were:\n%s---- ours:\n%s",
	    before.data, buf_str(&after), buf_str(&now), buf_str(&old),
	    buf_str(&ours));
	fail();
	return false;
}

static void
test_any_file(void **state)
{
	struct random random;
	unsigned checked = 0;

	(void)state;
	random_init(&random, 7);
	for (int i = 0; i < FILES; i++) {
		BUF_AUTO text = BUF_INIT;
		make_file(&random, &text);
		(void)buf_str(&text);
		checked += check_file(buf_span(&text));
	}
	assert_true(checked > FILES / 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_set),
	    cmocka_unit_test(test_find),
	    cmocka_unit_test(test_keeps_all),
	    cmocka_unit_test(test_any_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
