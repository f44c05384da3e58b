/*
 * test-base64: strict and as mail needs it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/base64.h"
#include "daemon/base/random.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

static void
check(const char *name, const struct buf *buf, struct span expected)
{
	if (!span_equal(buf_span(buf), expected)) {
		print_error(
		    "case: %s: got \"%.*s\"\n", name, SPAN_FMT(buf_span(buf)));
		fail();
	}
}

/* RFC 4648 section 10, and bytes that are no text. */
static const struct {
	struct span bytes;
	const char *text;
} vectors[] = {
    {{NULL, 0}, ""},
    {SPAN_INIT("f"), "Zg=="},
    {SPAN_INIT("fo"), "Zm8="},
    {SPAN_INIT("foo"), "Zm9v"},
    {SPAN_INIT("foob"), "Zm9vYg=="},
    {SPAN_INIT("fooba"), "Zm9vYmE="},
    {SPAN_INIT("foobar"), "Zm9vYmFy"},
    {SPAN_INIT("\0\0\0"), "AAAA"},
    {SPAN_INIT("\xff\xff\xff"), "////"},
    {SPAN_INIT("\xfb\xef\xbe"), "++++"},
    {SPAN_INIT("\0user\0pass"), "AHVzZXIAcGFzcw=="},
};

static void
test_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(vectors); i++) {
		struct span text = span_from_str(vectors[i].text);
		BUF_AUTO encoded = BUF_INIT;
		BUF_AUTO decoded = BUF_INIT;
		BUF_AUTO mail = BUF_INIT;

		base64_encode(&encoded, vectors[i].bytes);
		check(vectors[i].text, &encoded, text);
		assert_true(base64_decode(&decoded, text));
		check(vectors[i].text, &decoded, vectors[i].bytes);
		base64_decode_mail(&mail, text);
		check(vectors[i].text, &mail, vectors[i].bytes);
	}
}

static const struct {
	const char *name;
	struct span text;
} refused[] = {
    {"one digit", SPAN_INIT("Z")},
    {"two digits", SPAN_INIT("Zg")},
    {"missing padding", SPAN_INIT("Zg=")},
    {"padding alone", SPAN_INIT("=")},
    {"four of padding", SPAN_INIT("====")},
    {"three of padding", SPAN_INIT("Z===")},
    {"padding too long", SPAN_INIT("Zm9v====")},
    {"padding inside", SPAN_INIT("Zg==Zg==")},
    {"padding inside a group", SPAN_INIT("Z=g=")},
    {"padding, then a digit", SPAN_INIT("Zg=v")},
    {"blank", SPAN_INIT("Zm 9")},
    {"line end", SPAN_INIT("Zm9v\r\n")},
    {"line end in a group", SPAN_INIT("Zm\r\n")},
    {"nul", SPAN_INIT("Zm\0v")},
    {"URL alphabet", SPAN_INIT("-_-_")},
    {"high byte", SPAN_INIT("Zm9\xff")},
    {"spare bits, one byte", SPAN_INIT("Zh==")},
    {"spare bits, two bytes", SPAN_INIT("Zm9=")},
};

static void
test_strict_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(refused); i++) {
		BUF_AUTO buf = BUF_INIT;

		buf_add_str(&buf, "kept");
		if (base64_decode(&buf, refused[i].text)) {
			print_error("case: %s: accepted\n", refused[i].name);
			fail();
		}
		check(refused[i].name, &buf, SPAN("kept"));
	}
}

static const struct {
	const char *name;
	struct span text, bytes;
} mails[] = {
    {"line ends", SPAN_INIT("Zm9v\r\nYmFy\r\n"), SPAN_INIT("foobar")},
    {"foreign characters", SPAN_INIT("Z*m-9 v!"), SPAN_INIT("foo")},
    {"high bytes and nul", SPAN_INIT("Zm\xff\0009v"), SPAN_INIT("foo")},
    {"missing padding", SPAN_INIT("Zm8"), SPAN_INIT("fo")},
    {"half of the padding", SPAN_INIT("Zg="), SPAN_INIT("f")},
    {"too much padding", SPAN_INIT("Zg====="), SPAN_INIT("f")},
    {"padding only", SPAN_INIT("===="), {NULL, 0}},
    {"a lone digit", SPAN_INIT("Z"), {NULL, 0}},
    {"a lone digit at the end", SPAN_INIT("Zm9vZ"), SPAN_INIT("foo")},
    {"a lone digit, padded", SPAN_INIT("Z==="), {NULL, 0}},
    {"a new group after padding", SPAN_INIT("Zg==Zg=="), SPAN_INIT("ff")},
    {"after one padding", SPAN_INIT("Zm8=Zg=="), SPAN_INIT("fof")},
    {"after half of the padding", SPAN_INIT("Zg=Zg="), SPAN_INIT("ff")},
    {"spare bits", SPAN_INIT("Zh=="), SPAN_INIT("f")},
    {"empty", {NULL, 0}, {NULL, 0}},
};

static void
test_mail_tolerates(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(mails); i++) {
		BUF_AUTO buf = BUF_INIT;

		base64_decode_mail(&buf, mails[i].text);
		check(mails[i].name, &buf, mails[i].bytes);
	}
}

static void
fill(struct buf *buf, struct random *random, size_t len)
{
	buf_truncate(buf, 0);
	for (size_t i = 0; i < len; i++)
		buf_add_char(buf, (char)(unsigned char)random_next(random));
}

static void
test_round_trips(void **state)
{
	BUF_AUTO bytes = BUF_INIT;
	struct random random;

	(void)state;
	random_init(&random, 1);
	for (size_t len = 0; len < 300; len++) {
		BUF_AUTO text = BUF_INIT;
		BUF_AUTO lines = BUF_INIT;
		BUF_AUTO strict = BUF_INIT;
		BUF_AUTO mail = BUF_INIT;

		fill(&bytes, &random, len);
		base64_encode(&text, buf_span(&bytes));
		assert_int_equal(text.len, (len + 2) / 3 * 4);
		assert_true(base64_decode(&strict, buf_span(&text)));
		check("strict", &strict, buf_span(&bytes));
		base64_encode_mime(&lines, buf_span(&bytes));
		base64_decode_mail(&mail, buf_span(&lines));
		check("mail", &mail, buf_span(&bytes));
	}
}

static const struct {
	size_t bytes;
	size_t lines;
	size_t last_line;
} mime_lines[] = {
    {0, 0, 0},
    {1, 1, 4},
    {57, 1, 76},
    {58, 2, 4},
    {114, 2, 76},
    {115, 3, 4},
};

static void
test_mime_lines(void **state)
{
	BUF_AUTO bytes = BUF_INIT;
	struct random random;

	(void)state;
	random_init(&random, 2);
	for (size_t i = 0; i < LENGTH(mime_lines); i++) {
		BUF_AUTO text = BUF_INIT;
		size_t lines = mime_lines[i].lines;

		fill(&bytes, &random, mime_lines[i].bytes);
		base64_encode_mime(&text, buf_span(&bytes));
		if (lines > 0)
			lines = (lines - 1) * 78 + mime_lines[i].last_line + 2;
		assert_int_equal(text.len, lines);
		for (size_t at = 76; at + 1 < text.len; at += 78)
			assert_memory_equal(text.data + at, "\r\n", 2);
		if (text.len > 0)
			assert_memory_equal(
			    text.data + text.len - 2, "\r\n", 2);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_strict_refuses),
	    cmocka_unit_test(test_mail_tolerates),
	    cmocka_unit_test(test_round_trips),
	    cmocka_unit_test(test_mime_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
