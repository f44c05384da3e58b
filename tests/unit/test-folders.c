/*
 * test-folders: what a person writes, and what stands on the wire.
 *
 * A case is a server, given by the lines it answers to NAMESPACE and LIST,
 * and a name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "daemon/account/folders.h"
#include "daemon/base/random.h"
#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

/* ---- servers ---- */

#define NS(prefix, delimiter)                                                  \
	"* NAMESPACE ((\"" prefix "\" \"" delimiter "\")) NIL NIL\r\n"
#define LIST(attributes, delimiter, name)                                      \
	"* LIST (" attributes ") \"" delimiter "\" \"" name "\"\r\n"

#define SLASH NS("", "/") LIST("", "/", "INBOX")
#define DOT NS("INBOX.", ".") LIST("", ".", "INBOX")
#define FLAT "* LIST () NIL INBOX\r\n* LIST () NIL Old\r\n"
/* NAMESPACE was refused: LIST alone tells the delimiter. */
#define MUTE LIST("", ".", "INBOX") LIST("", ".", "INBOX.Sent")
#define SPECIAL                                                                \
	SLASH LIST("\\HasNoChildren \\Archive", "/", "Alt")                    \
	    LIST("\\Trash", "/", "Weg") LIST("\\Junk", "/", "M&APw-ll")        \
		LIST("\\Sent", "/", "Raus")

static void
read_lines(struct folders *folders, const char *lines)
{
	struct imap_lexer *lexer = imap_lexer_new(IMAP_LITERAL_MAX);
	struct imap_response response;
	struct error error;

	imap_lexer_feed(lexer, span_from_str(lines));
	while (imap_lexer_next(lexer, &response, &error) > 0)
		folders_read(folders, &response);
	imap_lexer_free(&lexer);
	folders->known = true;
}

/* ---- names to the wire ---- */

struct wire_case {
	const char *name;
	const char *server;
	const char *written;
	const char *wire; /* NULL: refused, and `says` is in the words */
	const char *says;
};

static const struct wire_case wire_cases[] = {
    {"plain", SLASH, "Lists", "Lists", NULL},
    {"levels", SLASH, "Lists/lkml/old", "Lists/lkml/old", NULL},
    {"blank and case", SLASH, "My Lists", "My Lists", NULL},
    {"INBOX", SLASH, "INBOX", "INBOX", NULL},
    {"inbox in any case", SLASH, "inBox", "INBOX", NULL},
    {"below INBOX", SLASH, "INBOX/a", "INBOX/a", NULL},
    {"starts like INBOX", SLASH, "INBOXES", "INBOXES", NULL},
    {"delimiter", NS("", "."), "Lists/a", "Lists.a", NULL},
    {"their delimiter in a level", NS("", "."), "Lists/a.b", "Lists.a_b", NULL},
    {"every one of them", NS("", "."), "...", "___", NULL},
    {"dot where slash is theirs", SLASH, "a.b/c.d", "a.b/c.d", NULL},
    {"backslash delimiter", NS("", "\\\\"), "a/b", "a\\b", NULL},
    {"prefix", DOT, "Lists/a", "INBOX.Lists.a", NULL},
    {"prefix written", DOT, "INBOX/Lists/a", "INBOX.Lists.a", NULL},
    {"prefix written in any case", DOT, "inbox/Lists", "INBOX.Lists", NULL},
    {"prefix and INBOX", DOT, "inbox", "INBOX", NULL},
    {"prefix twice", DOT, "INBOX/INBOX/a", "INBOX.INBOX.a", NULL},
    {"prefix that is no INBOX", NS("mail/", "/"), "a", "mail/a", NULL},
    {"prefix without delimiter", NS("~", "/"), "a", "~a", NULL},
    {"no NAMESPACE", MUTE, "Lists/a", "Lists.a", NULL},
    {"NIL delimiter", FLAT, "Old", "Old", NULL},
    {"level where there are none", FLAT, "Old/er", NULL, "no folders inside"},
    {"namespace NIL", "* NAMESPACE NIL NIL NIL\r\n" SLASH, "a/b", "a/b", NULL},
    {"namespace empty", "* NAMESPACE () NIL NIL\r\n", "a/b", "a/b", NULL},
    {"namespace nonsense", "* NAMESPACE ((x)) 5 (\r\n", "a/b", "a/b", NULL},
    {"two personal ones",
	"* NAMESPACE ((\"\" \".\")(\"#mh/\" \"/\")) NIL NIL\r\n", "a/b", "a.b",
	NULL},
    {"umlaut", SLASH, "Entw\xc3\xbcrfe", "Entw&APw-rfe", NULL},
    {"ampersand", SLASH, "R&D", "R&-D", NULL},
    {"umlaut below a prefix", DOT, "\xc3\xa9/\xc3\xa9", "INBOX.&AOk-.&AOk-",
	NULL},
    {"quote and percent", SLASH, "a\"b%*c", "a\"b%*c", NULL},
    {"empty", SLASH, "", NULL, "empty"},
    {"empty level", SLASH, "a//b", NULL, "empty level"},
    {"slash first", SLASH, "/a", NULL, "empty level"},
    {"slash last", SLASH, "a/", NULL, "empty level"},
    {"not UTF-8", SLASH, "a\xff", NULL, "not valid UTF-8"},
    {"line end", SLASH, "a\r\nA1 DELETE x", NULL, "not valid UTF-8"},
    {"special: archive", SPECIAL, "\\Archive", "Alt", NULL},
    {"special: trash", SPECIAL, "\\Trash", "Weg", NULL},
    {"special: junk, as the server wrote it", SPECIAL, "\\Junk", "M&APw-ll",
	NULL},
    {"special in any case", SPECIAL, "\\tRASH", "Weg", NULL},
    {"another word for it", SPECIAL, "\\Spam", "M&APw-ll", NULL},
    {"announced wins over a usual name", SPECIAL LIST("", "/", "Trash"),
	"\\Trash", "Weg", NULL},
    {"XLIST", "* XLIST (\\AllMail) \"/\" \"[Gmail]/All\"\r\n", "\\Archive",
	"[Gmail]/All", NULL},
    {"usual name", SLASH LIST("", "/", "Deleted Items"), "\\Trash",
	"Deleted Items", NULL},
    {"usual name in any case", SLASH LIST("", "/", "SPAM"), "\\Junk", "SPAM",
	NULL},
    {"the better usual name",
	SLASH LIST("", "/", "Papierkorb") LIST("", "/", "Trash"), "\\Trash",
	"Trash", NULL},
    {"usual name below a prefix", DOT LIST("", ".", "INBOX.Trash"), "\\Trash",
	"INBOX.Trash", NULL},
    {"usual name is no last level", SLASH LIST("", "/", "a/Trash"), "\\Trash",
	NULL, "no Trash folder"},
    {"\\Noselect", SLASH LIST("\\Noselect \\Trash", "/", "Weg"), "\\Trash",
	NULL, "no Trash folder"},
    {"\\NonExistent usual name", SLASH LIST("\\NonExistent", "/", "Trash"),
	"\\Trash", NULL, "no Trash folder"},
    {"none at all", SLASH, "\\Junk", NULL, "no Junk folder"},
    {"before any LIST", "", "\\Archive", NULL, "no Archive folder"},
    {"no special use of that name", SPECIAL, "\\Nonsense", NULL,
	"no special folder"},
    {"only a backslash", SPECIAL, "\\", NULL, "folder"},
    {"pipe", NS("", "|"), "Lists/a|b", "Lists|a_b", NULL},
    {"there, with a raw ampersand (Yandex)",
	NS("", "|") LIST("", "|", "R&D") LIST("", "|", "R&D|x"), "R&D/x",
	"R&D|x", NULL},
    {"there, with a correct one, too",
	SLASH LIST("", "/", "R&D") LIST("", "/", "R&-D"), "R&D", "R&-D", NULL},
    {"there, in padded base64", SLASH LIST("", "/", "&AOk=-"), "&AOk=-",
	"&AOk=-", NULL},
    {"there, with half a surrogate", SLASH LIST("", "/", "a&2D0-"), "a&2D0-",
	"a&2D0-", NULL},
    {"there, in plain UTF-8", SLASH LIST("", "/", "Entw\xc3\xbcrfe"),
	"Entw\xc3\xbcrfe", "Entw\xc3\xbcrfe", NULL},
    {"there, in Latin-1", SLASH LIST("", "/", "Entw\xfcrfe"),
	"Entw\xef\xbf\xbdrfe", "Entw\xfcrfe", NULL},
    {"there, outside of the prefix", DOT LIST("", ".", "shared.x"), "shared/x",
	"shared.x", NULL},
    {"there, on both sides of the prefix",
	DOT LIST("", ".", "x") LIST("", ".", "INBOX.x"), "x", "INBOX.x", NULL},
    {"there, though it has an empty level", SLASH LIST("", "/", "a//b"), "a//b",
	"a//b", NULL},
    {"there, and a literal", SLASH "* LIST () \"/\" {3}\r\na&b\r\n", "a&b",
	"a&b", NULL},
    {"not there, and to be made", SLASH LIST("", "/", "R&D"), "R&E", "R&-E",
	NULL},
};

static bool
wire_is(const struct wire_case *c)
{
	struct folders folders;
	struct error error = ERROR_INIT;
	BUF_AUTO wire = BUF_INIT;

	folders_init(&folders);
	read_lines(&folders, c->server);
	bool ok = folders_wire_name(&folders, c->written, &wire, &error);
	bool right =
	    c->wire != NULL
		? ok && strcmp(buf_str(&wire), c->wire) == 0
		: !ok && wire.len == 0 && strstr(error.text, c->says) != NULL;
	if (!right)
		print_error("case: %s: %s \"%s\" %s\n", c->name,
		    ok ? "gives" : "refused", buf_str(&wire), error.text);
	folders_done(&folders);
	return right;
}

static void
test_wire_names(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < LENGTH(wire_cases); i++)
		wrong += !wire_is(&wire_cases[i]);
	assert_int_equal(wrong, 0);
}

/* ---- names from the wire ---- */

static const struct {
	const char *name;
	const char *server;
	const char *wire;
	const char *display;
} display_cases[] = {
    {"plain", SLASH, "Lists/a", "Lists/a"},
    {"INBOX", SLASH, "Inbox", "INBOX"},
    {"delimiter", NS("", "."), "Lists.a", "Lists/a"},
    {"prefix", DOT, "INBOX.Lists.a", "Lists/a"},
    {"outside of the prefix", DOT, "shared.x", "shared/x"},
    {"INBOX before its prefix", DOT, "INBOX", "INBOX"},
    {"umlaut", SLASH, "Entw&APw-rfe", "Entw\xc3\xbcrfe"},
    {"ampersand", SLASH, "R&-D", "R&D"},
    {"not UTF-7: as it stands", SLASH, "R&D", "R&D"},
    {"flat", FLAT, "a/b.c", "a/b.c"},
};

static void
test_display_names(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < LENGTH(display_cases); i++) {
		struct folders folders;
		BUF_AUTO got = BUF_INIT;

		folders_init(&folders);
		read_lines(&folders, display_cases[i].server);
		folders_display_name(
		    &folders, span_from_str(display_cases[i].wire), &got);
		if (strcmp(buf_str(&got), display_cases[i].display) != 0) {
			print_error("case: %s: \"%s\"\n", display_cases[i].name,
			    buf_str(&got));
			wrong++;
		}
		folders_done(&folders);
	}
	assert_int_equal(wrong, 0);
}

/* What is displayed can be written, and is the same mailbox again. */
static void
test_round_trip(void **state)
{
	static const char *const servers[] = {SLASH, DOT, NS("", ".")};
	static const char *const names[] = {"INBOX", "Lists", "Lists/a/b",
	    "Entw\xc3\xbcrfe/R&D", "~", "\xf0\x9f\x98\x80/x y"};

	(void)state;
	for (size_t i = 0; i < LENGTH(servers) * LENGTH(names); i++) {
		const char *name = names[i % LENGTH(names)];
		struct folders folders;
		BUF_AUTO wire = BUF_INIT;
		BUF_AUTO back = BUF_INIT;

		folders_init(&folders);
		read_lines(&folders, servers[i / LENGTH(names)]);
		assert_true(folders_wire_name(&folders, name, &wire, NULL));
		folders_display_name(&folders, buf_span(&wire), &back);
		if (strcmp(buf_str(&back), name) != 0)
			fail_msg(
			    "%s: %s: %s", name, buf_str(&wire), buf_str(&back));
		folders_done(&folders);
	}
}

/* ---- the list ---- */

static void
test_find(void **state)
{
	struct folders folders;

	(void)state;
	folders_init(&folders);
	read_lines(&folders, SPECIAL "* LIST () \"/\" {5}\r\na b c\r\n");
	assert_non_null(folders_find(&folders, SPAN("inbox")));
	assert_non_null(folders_find(&folders, SPAN("a b c")));
	assert_null(folders_find(&folders, SPAN("alt")));
	const struct folder *junk = folders_find(&folders, SPAN("M&APw-ll"));
	assert_non_null(junk);
	assert_string_equal(junk->display, "M\xc3\xbcll");
	assert_int_equal(junk->use, FOLDER_JUNK);
	assert_true(junk->selectable);
	folders_done(&folders);
}

/* A new LIST replaces the old one; what NAMESPACE said stays. */
static void
test_clear(void **state)
{
	struct folders folders;
	BUF_AUTO wire = BUF_INIT;

	(void)state;
	folders_init(&folders);
	read_lines(&folders, DOT LIST("\\Trash", ".", "INBOX.T"));
	folders_clear(&folders);
	assert_false(folders.known);
	assert_null(folders_find(&folders, SPAN("INBOX")));
	assert_false(folders_wire_name(&folders, "\\Trash", &wire, NULL));
	assert_true(folders_wire_name(&folders, "a/b", &wire, NULL));
	assert_string_equal(buf_str(&wire), "INBOX.a.b");
	folders_done(&folders);
}

/* Responses that are no answer to LIST, and nonsense in those that are. */
static void
test_hostile_lists(void **state)
{
	static const char *const lines[] = {"* 5 EXISTS\r\n", "* LIST\r\n",
	    "* LIST () \"/\"\r\n", "* LIST \"/\" a ()\r\n", "* OK [X] y\r\n",
	    "* LIST () \"/\" \"\"\r\n", "* LIST () \"/\" NIL\r\n",
	    "* LIST () (a) b\r\n", "* NAMESPACE\r\n", "* NAMESPACE 1\r\n",
	    "* NAMESPACE (1)\r\n", "* NAMESPACE ((((1))))\r\n",
	    "* NAMESPACE ((\"a\"))\r\n"};
	struct folders folders;
	BUF_AUTO wire = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < LENGTH(lines); i++) {
		folders_init(&folders);
		read_lines(&folders, lines[i]);
		if (folders.count != 0 && folders.items[0].wire[0] == '\0')
			fail_msg("%s: a mailbox without a name", lines[i]);
		buf_clear(&wire);
		assert_true(folders_wire_name(&folders, "a", &wire, NULL));
		folders_done(&folders);
	}
}

static void
test_limits(void **state)
{
	struct folders folders;
	struct imap_list_entry entry = {.delimiter = '/'};
	BUF_AUTO name = BUF_INIT;
	BUF_AUTO wire = BUF_INIT;

	(void)state;
	folders_init(&folders);
	for (unsigned i = 0; i < FOLDERS_MAX + 10; i++) {
		buf_clear(&name);
		buf_addf(&name, "f%u", i);
		entry.name = buf_span(&name);
		folders_add(&folders, &entry);
	}
	assert_int_equal(folders.count, FOLDERS_MAX);
	folders_clear(&folders);
	while (name.len <= FOLDER_NAME_MAX)
		buf_add_char(&name, 'x');
	entry.name = buf_span(&name);
	folders_add(&folders, &entry);
	assert_int_equal(folders.count, 0);
	struct error error = ERROR_INIT;
	assert_false(
	    folders_wire_name(&folders, buf_str(&name), &wire, &error));
	assert_int_equal(error.fault, FAULT_LIMIT);
	folders_done(&folders);
}

/* Each of 10,000 is found by what is shown of it. */
static void
test_many(void **state)
{
	struct folders folders;
	struct imap_list_entry entry = {.delimiter = '.'};

	(void)state;
	folders_init(&folders);
	read_lines(&folders, DOT);
	for (unsigned i = 0; i < 10000; i++) {
		BUF_AUTO name = BUF_INIT;
		buf_addf(&name, i % 2 ? "INBOX.a%u.b&c" : "x%u.&2D0-", i);
		entry.name = buf_span(&name);
		folders_add(&folders, &entry);
	}
	for (size_t i = 0; i < folders.count; i += 7) {
		BUF_AUTO wire = BUF_INIT;
		const struct folder *folder = &folders.items[i];
		assert_true(
		    folders_wire_name(&folders, folder->display, &wire, NULL));
		assert_string_equal(buf_str(&wire), folder->wire);
	}
	folders_done(&folders);
}

/* Random bytes as names: refused, or one valid mailbox name without line
 * ends, in as many levels as were written. */
static void
test_random_names(void **state)
{
	static const char bytes[] =
	    "a./\\&-*%\"{}\xc3\xbc\xe2\x82\xac\xff\r\n ";
	struct random random;
	struct folders folders;

	(void)state;
	random_init(&random, 5);
	folders_init(&folders);
	read_lines(&folders, DOT LIST("\\Trash", ".", "INBOX.T"));
	for (unsigned i = 0; i < 20000; i++) {
		BUF_AUTO name = BUF_INIT;
		BUF_AUTO wire = BUF_INIT;
		size_t len = (size_t)random_below(&random, 9), slashes = 0,
		       dots = 0;

		while (name.len < len)
			buf_add_char(&name,
			    bytes[random_below(&random, sizeof(bytes) - 1)]);
		if (!folders_wire_name(&folders, buf_str(&name), &wire, NULL)) {
			assert_int_equal(wire.len, 0);
			continue;
		}
		assert_int_equal(span_find(buf_span(&wire), '\n'), SIZE_MAX);
		assert_int_equal(span_find(buf_span(&wire), '\r'), SIZE_MAX);
		assert_true(span_starts(buf_span(&wire), "INBOX."));
		for (size_t n = 0; n < name.len; n++)
			slashes += name.data[n] == '/';
		for (size_t n = 0; n < wire.len; n++)
			dots += wire.data[n] == '.';
		if (name.data[0] != '\\')
			assert_int_equal(dots, slashes + 1);
	}
	folders_done(&folders);
}

/* ---- patterns ---- */

static const struct {
	const char *pattern, *display;
	bool matches;
} pattern_cases[] = {
    {"*", "INBOX", true},
    {"%", "INBOX", true},
    {"inbox", "INBOX", true},
    {"IN*", "INBOX", false},
    {"*", "a/b/c", true},
    {"%", "a", true},
    {"%", "a/b", false},
    {"a/%", "a/b", true},
    {"a/%", "a/b/c", false},
    {"a/*", "a/b/c", true},
    {"a/*", "a", false},
    {"%/b", "a/b", true},
    {"%/c", "a/b/c", false},
    {"*/c", "a/b/c", true},
    {"*b%", "a/bcd", true},
    {"*b%", "a/bcd/e", false},
    {"%b*", "ab/e", true},
    {"a%c*e", "abc/d/e", true},
    {"a**b", "ab", true},
    {"a%%b", "axb", true},
    {"", "a", false},
    {"a", "", false},
    {"*", "", true},
    {"Lists", "lists", false},
    {"\xc3\xbc*",
	"\xc3\xbc"
	"1",
	true},
    /* Needs '*' to give way again behind a '%'. */
    {"*/%x", "a/b/cx", true},
    {"*%a", "x/a/ba", true},
    {"%a*b", "aab", true},
    {"*a%b", "a/ab", true},
    {"*a%b", "ac/b/ab", true},
};

static void
test_patterns(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < LENGTH(pattern_cases); i++)
		if (folder_matches(pattern_cases[i].pattern,
			pattern_cases[i].display) != pattern_cases[i].matches) {
			print_error("case: %s against %s\n",
			    pattern_cases[i].pattern, pattern_cases[i].display);
			wrong++;
		}
	assert_int_equal(wrong, 0);
}

/* The definition, word by word: slow and plain. */
static bool
matches_plainly(const char *pattern, const char *text)
{
	if (*pattern == '\0')
		return *text == '\0';
	if (*pattern != '*' && *pattern != '%')
		return *pattern == *text &&
		       matches_plainly(pattern + 1, text + 1);
	for (;; text++) {
		if (matches_plainly(pattern + 1, text))
			return true;
		if (*text == '\0' || (*pattern == '%' && *text == '/'))
			return false;
	}
}

static void
random_word(struct random *random, const char *letters, char *word)
{
	size_t len = (size_t)random_below(random, 8);

	for (size_t i = 0; i < len; i++)
		word[i] = letters[random_below(random, strlen(letters))];
	word[len] = '\0';
}

static void
test_patterns_at_random(void **state)
{
	struct random random;
	char pattern[9], text[9];
	unsigned matched = 0;

	(void)state;
	random_init(&random, 7);
	for (unsigned i = 0; i < 200000; i++) {
		random_word(&random, "ab/*%", pattern);
		random_word(&random, "ab/", text);
		bool right = matches_plainly(pattern, text);
		if (folder_matches(pattern, text) != right)
			fail_msg("\"%s\" against \"%s\" is %d", pattern, text,
			    right);
		matched += right;
	}
	assert_true(matched > 1000);
}

static void
test_uses(void **state)
{
	(void)state;
	assert_int_equal(folder_use_of("\\Archive"), FOLDER_ARCHIVE);
	assert_int_equal(folder_use_of("\\all"), FOLDER_ARCHIVE);
	assert_int_equal(folder_use_of("\\Sent"), FOLDER_SENT);
	assert_int_equal(folder_use_of("Archive"), FOLDER_NONE);
	assert_int_equal(folder_use_of(""), FOLDER_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_wire_names),
	    cmocka_unit_test(test_display_names),
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_find),
	    cmocka_unit_test(test_clear),
	    cmocka_unit_test(test_hostile_lists),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_many),
	    cmocka_unit_test(test_random_names),
	    cmocka_unit_test(test_patterns),
	    cmocka_unit_test(test_patterns_at_random),
	    cmocka_unit_test(test_uses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
