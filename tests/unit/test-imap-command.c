/*
 * test-imap-command: what is written is what a strict server reads, and
 * nothing of an argument can become anything else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/random.h"
#include "daemon/wire/imap/command.h"
#include "tests/lib/imap-reader.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))
#define COMMAND_AUTO                                                           \
	__attribute__((cleanup(imap_command_done))) struct imap_command

static void
check_text(const char *name, const struct imap_command *command,
    struct span wanted, bool valid)
{
	if (span_equal(buf_span(&command->text), wanted) &&
	    command->invalid == !valid)
		return;
	print_error("case: %s: %s'%s'\n", name,
	    command->invalid ? "invalid " : "", buf_str(&command->text));
	fail();
}

static const struct {
	const char *name;
	struct span in;
	struct span wait, plus; /* the text without and with LITERAL+ */
} strings[] = {
    {"word", SPAN_INIT("abc"), SPAN_INIT("X \"abc\""), SPAN_INIT("X \"abc\"")},
    {"empty", SPAN_INIT(""), SPAN_INIT("X \"\""), SPAN_INIT("X \"\"")},
    {"quotes", SPAN_INIT("a\"\\b"), SPAN_INIT("X \"a\\\"\\\\b\""),
	SPAN_INIT("X \"a\\\"\\\\b\"")},
    {"looks like a literal", SPAN_INIT("{5}"), SPAN_INIT("X \"{5}\""),
	SPAN_INIT("X \"{5}\"")},
    {"controls", SPAN_INIT("\x01\t\x7f"), SPAN_INIT("X \"\x01\t\x7f\""),
	SPAN_INIT("X \"\x01\t\x7f\"")},
    {"8 bits", SPAN_INIT("\xc3\xa9"), SPAN_INIT("X {2}\r\n\xc3\xa9"),
	SPAN_INIT("X {2+}\r\n\xc3\xa9")},
    {"injection", SPAN_INIT("a\r\na2 DELETE b"),
	SPAN_INIT("X {14}\r\na\r\na2 DELETE b"),
	SPAN_INIT("X {14+}\r\na\r\na2 DELETE b")},
    {"CR", SPAN_INIT("\r"), SPAN_INIT("X {1}\r\n\r"),
	SPAN_INIT("X {1+}\r\n\r")},
    {"LF", SPAN_INIT("\n"), SPAN_INIT("X {1}\r\n\n"),
	SPAN_INIT("X {1+}\r\n\n")},
};

static void
test_strings(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(strings); i++) {
		COMMAND_AUTO wait, plus;

		imap_command_init(&wait, "X");
		imap_command_string(&wait, strings[i].in);
		check_text(strings[i].name, &wait, strings[i].wait, true);

		imap_command_init(&plus, "X");
		plus.literal_plus = true;
		imap_command_string(&plus, strings[i].in);
		check_text(strings[i].name, &plus, strings[i].plus, true);
		assert_int_equal(plus.cut_count, 0);
	}
}

static void
test_nul_is_refused(void **state)
{
	COMMAND_AUTO command;

	(void)state;
	imap_command_init(&command, "X");
	imap_command_string(&command, SPAN("a\0b"));
	check_text("NUL", &command, SPAN("X"), false);
}

/* The blanks, and where each literal is cut. */
static void
test_whole_commands(void **state)
{
	COMMAND_AUTO fetch, append;
	__attribute__((cleanup(imap_seqset_done))) struct imap_seqset set =
	    IMAP_SEQSET_INIT;
	STRV_AUTO names = STRV_INIT;

	(void)state;
	imap_seqset_add(&set, 3);
	imap_seqset_add(&set, 4);
	strv_add(&names, "To");
	strv_add(&names, "List-Id");
	imap_command_init(&fetch, "UID FETCH");
	imap_command_seqset(&fetch, &set);
	imap_command_raw(&fetch, "(UID FLAGS");
	imap_command_raw(&fetch, "BODY.PEEK[HEADER.FIELDS");
	imap_command_header_fields(&fetch, &names);
	imap_command_raw(&fetch, "])");
	check_text("fetch", &fetch,
	    SPAN("UID FETCH 3:4 (UID FLAGS BODY.PEEK[HEADER.FIELDS (To "
		 "List-Id)])"),
	    true);

	imap_command_init(&append, "X");
	imap_command_raw(&append, "(");
	imap_command_string(&append, SPAN("\xe9("));
	imap_command_number(&append, UINT64_MAX);
	imap_command_string(&append, SPAN("\n"));
	imap_command_raw(&append, ")");
	check_text("literals", &append,
	    SPAN("X ({2}\r\n\xe9( 18446744073709551615 {1}\r\n\n)"), true);
	assert_int_equal(append.cut_count, 2);
	assert_int_equal(append.cuts[0], strlen("X ({2}\r\n"));
	assert_int_equal(append.cuts[1], append.text.len - strlen("\n)"));
}

static const struct {
	struct span name, text;
} mailboxes[] = {
    {SPAN_INIT("inbox"), SPAN_INIT("X INBOX")},
    {SPAN_INIT("InBoX"), SPAN_INIT("X INBOX")},
    {SPAN_INIT("INBOX/a"), SPAN_INIT("X \"INBOX/a\"")},
    {SPAN_INIT("INBOX "), SPAN_INIT("X \"INBOX \"")},
    {SPAN_INIT(""), SPAN_INIT("X \"\"")},
    {SPAN_INIT("Entw&APw-rfe"), SPAN_INIT("X \"Entw&APw-rfe\"")},
    {SPAN_INIT("a\\b%*"), SPAN_INIT("X \"a\\\\b%*\"")},
    {SPAN_INIT("\xfc"), SPAN_INIT("X {1}\r\n\xfc")},
};

static void
test_mailboxes(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(mailboxes); i++) {
		COMMAND_AUTO command;

		imap_command_init(&command, "X");
		imap_command_mailbox(&command, mailboxes[i].name);
		check_text(
		    mailboxes[i].name.data, &command, mailboxes[i].text, true);
	}
}

static const struct {
	const char *word;
	bool flag, field;
} words[] = {
    {"Seen", true, true},
    {"\\Seen", true, false},
    {"$Junk", true, true},
    {"List-Id", true, true},
    {"a:b", true, false},
    {"[a", true, true},
    {"a}", true, true},
    {"", false, false},
    {"\\", false, false},
    {"\\\\a", false, false},
    {"\\*", false, false},
    {"a b", false, false},
    {"a)", false, false},
    {"(a", false, false},
    {"{5}", false, false},
    {"a%", false, false},
    {"a*", false, false},
    {"a]", false, false},
    {"a\"", false, false},
    {"a\\b", false, false},
    {"a\r\nb", false, false},
    {"a\t", false, false},
    {"\x7f", false, false},
    {"\xc3\xa9", false, false},
};

static void
test_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(words); i++) {
		COMMAND_AUTO flags, fields;
		STRV_AUTO list = STRV_INIT;

		strv_add(&list, words[i].word);
		imap_command_init(&flags, "X");
		imap_command_flags(&flags, &list);
		imap_command_init(&fields, "X");
		imap_command_header_fields(&fields, &list);
		if (flags.invalid != words[i].flag &&
		    fields.invalid != words[i].field)
			continue;
		print_error("case: '%s'\n", words[i].word);
		fail();
	}
}

static void
test_empty_lists(void **state)
{
	COMMAND_AUTO flags, fields, uids;
	static const struct strv none = STRV_INIT;
	static const struct imap_seqset empty = IMAP_SEQSET_INIT;

	(void)state;
	imap_command_init(&flags, "X");
	imap_command_flags(&flags, &none);
	check_text("no flags", &flags, SPAN("X ()"), true);
	imap_command_init(&fields, "X");
	imap_command_header_fields(&fields, &none);
	assert_true(fields.invalid);
	imap_command_init(&uids, "X");
	imap_command_seqset(&uids, &empty);
	assert_true(uids.invalid);
}

static void
test_keywords(void **state)
{
	char longest[130];

	(void)state;
	memset(longest, 'k', sizeof(longest));
	assert_true(imap_is_keyword(SPAN("$Forwarded")));
	assert_false(imap_is_keyword(SPAN("\\Seen")));
	assert_false(imap_is_keyword(SPAN("")));
	assert_false(imap_is_keyword(SPAN("a\0b")));
	assert_true(imap_is_keyword(span_from(longest, 128)));
	assert_false(imap_is_keyword(span_from(longest, 129)));
}

static void
add_long_string(struct imap_command *command, size_t len, char c)
{
	BUF_AUTO text = BUF_INIT;

	while (len-- > 0)
		buf_add_char(&text, c);
	imap_command_string(command, buf_span(&text));
}

static void
test_limits(void **state)
{
	COMMAND_AUTO fits, longer, literals, big;

	(void)state;
	imap_command_init(&fits, "X");
	add_long_string(&fits, IMAP_COMMAND_LINE_MAX - 4, 'a');
	assert_false(fits.invalid);
	imap_command_init(&longer, "X");
	add_long_string(&longer, IMAP_COMMAND_LINE_MAX - 3, 'a');
	assert_true(longer.invalid);

	imap_command_init(&literals, "X");
	for (int i = 0; i < IMAP_COMMAND_PARTS_MAX; i++)
		add_long_string(&literals, 10000, '\n');
	assert_false(literals.invalid);
	add_long_string(&literals, 1, '\n');
	assert_true(literals.invalid);

	/* LITERAL- lets 4096 bytes pass without waiting, and no more. */
	imap_command_init(&big, "X");
	big.literal_plus = true;
	add_long_string(&big, 4096, '\n');
	assert_int_equal(big.cut_count, 0);
	add_long_string(&big, 4097, '\n');
	assert_int_equal(big.cut_count, 1);
	assert_int_equal(big.cuts[0], big.text.len - 4097);
}

/* Strings out of the bytes that matter, mixed with brackets. */
static void
test_read_back_at_random(void **state)
{
	static const char bytes[] = "ab \"\\(){}[]%*+~\r\n5&\x7f\x80\xff";
	struct random random;

	(void)state;
	random_init(&random, 3);
	for (int round = 0; round < 20000; round++) {
		COMMAND_AUTO command;
		STRV_AUTO wanted = STRV_INIT, got = STRV_INIT;

		imap_command_init(&command, "X");
		command.literal_plus = round % 2 == 0;
		strv_add(&wanted, "=X");
		imap_command_raw(&command, "(");
		strv_add(&wanted, "(");
		for (uint64_t n = random_below(&random, 6); n > 0; n--) {
			char text[16] = "'";
			size_t len = (size_t)random_below(&random, 14);

			for (size_t i = 1; i <= len; i++)
				text[i] = bytes[random_below(
				    &random, sizeof(bytes) - 1)];
			imap_command_string(&command, span_from(text + 1, len));
			strv_add_span(&wanted, span_from(text, len + 1));
		}
		imap_command_raw(&command, ")");
		strv_add(&wanted, ")");
		assert_false(command.invalid);
		if (!imap_read_command(&command, &got) ||
		    !strv_equal(&got, &wanted)) {
			print_error("case: %s\n", buf_str(&command.text));
			fail();
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_strings),
	    cmocka_unit_test(test_nul_is_refused),
	    cmocka_unit_test(test_whole_commands),
	    cmocka_unit_test(test_mailboxes),
	    cmocka_unit_test(test_words),
	    cmocka_unit_test(test_empty_lists),
	    cmocka_unit_test(test_keywords),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_read_back_at_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
