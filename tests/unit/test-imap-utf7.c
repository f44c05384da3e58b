/*
 * test-imap-utf7: mailbox names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/random.h"
#include "daemon/base/utf8.h"
#include "daemon/wire/imap/utf7.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

/* Both ways. */
static const struct {
	struct span utf8;
	const char *wire;
} pairs[] = {
    {SPAN_INIT(""), ""},
    {SPAN_INIT("INBOX"), "INBOX"},
    {SPAN_INIT("a b~!/\\\"+,"), "a b~!/\\\"+,"},
    {SPAN_INIT("&"), "&-"},
    {SPAN_INIT("&&"), "&-&-"},
    {SPAN_INIT("R&D"), "R&-D"},
    {SPAN_INIT("&-"), "&--"},
    {SPAN_INIT("Entw\xc3\xbcrfe"), "Entw&APw-rfe"},
    /* RFC 3501 section 5.1.3 */
    {SPAN_INIT("~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/"
	       "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"),
	"~peter/mail/&U,BTFw-/&ZeVnLIqe-"},
    {SPAN_INIT("\xc3\xa9\xc3\xa9"), "&AOkA6Q-"},
    {SPAN_INIT("\xc3\xa9&\xc3\xa9"), "&AOk-&-&AOk-"},
    {SPAN_INIT("\xc3\xa9-"), "&AOk--"},
    {SPAN_INIT("\xf0\x9f\x98\x80"), "&2D3eAA-"},
    {SPAN_INIT("\xf4\x8f\xbf\xbf"), "&2,,f,w-"},
    {SPAN_INIT("\x01\t\x7f"), "&AAEACQB,-"},
    {SPAN_INIT("\xef\xbf\xbd"), "&,,0-"},
};

static void
check(struct span name, const char *what, bool ok, const struct buf *got)
{
	if (ok)
		return;
	print_error(
	    "case: %s of '%.*s': '%s'\n", what, SPAN_FMT(name), buf_str(got));
	fail();
}

static void
test_pairs(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(pairs); i++) {
		struct span wire = span_from_str(pairs[i].wire);
		BUF_AUTO out = BUF_INIT;
		bool ok;

		ok = imap_utf7_encode(&out, pairs[i].utf8);
		check(pairs[i].utf8, "encoding",
		    ok && span_equal(buf_span(&out), wire), &out);
		buf_clear(&out);
		ok = imap_utf7_decode(&out, wire);
		check(wire, "decoding",
		    ok && span_equal(buf_span(&out), pairs[i].utf8), &out);
	}
}

static const struct span not_encodable[] = {
    SPAN_INIT("\xff"),
    SPAN_INIT("a\xc3"),
    SPAN_INIT("\xed\xa0\x80"),
    SPAN_INIT("a\0b"),
    SPAN_INIT("a\rb"),
    SPAN_INIT("a\n"),
};

static void
test_not_encodable(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(not_encodable); i++) {
		BUF_AUTO out = BUF_INIT;
		bool ok;

		buf_add_str(&out, "x");
		ok = imap_utf7_encode(&out, not_encodable[i]);
		check(not_encodable[i], "encoding",
		    !ok && span_is(buf_span(&out), "x"), &out);
	}
}

/* Shown as they stand, made valid UTF-8. */
static const struct {
	const char *why;
	const char *wire, *shown;
} not_decodable[] = {
    {"yandex leaves & alone", "a & b", "a & b"},
    {"& at the end", "a&", "a&"},
    {"not ended", "&AOk", "&AOk"},
    {"not base64", "&AO k-", "&AO k-"},
    {"standard base64", "&U/BTFw-", "&U/BTFw-"},
    {"padding", "&AOk=-", "&AOk=-"},
    {"half a unit", "&AO-", "&AO-"},
    {"one letter", "&A-", "&A-"},
    {"a letter too many", "&AOkA-", "&AOkA-"},
    {"spare bits not zero", "&AOl-", "&AOl-"},
    {"encoded though printable", "&AGE-", "&AGE-"},
    {"encoded &", "&ACY-", "&ACY-"},
    {"encoded NUL", "&AAA-", "&AAA-"},
    {"encoded CR", "&AA0-", "&AA0-"},
    {"encoded LF", "&AAo-", "&AAo-"},
    {"two runs in a row", "&AOk-&AOk-", "&AOk-&AOk-"},
    {"high surrogate alone", "&2D0-", "&2D0-"},
    {"low surrogate alone", "&3gA-", "&3gA-"},
    {"surrogates turned", "&3gDYPQ-", "&3gDYPQ-"},
    {"two high surrogates", "&2D3YPQ-", "&2D3YPQ-"},
    {"UTF-8 on the wire", "Entw\xc3\xbcrfe", "Entw\xc3\xbcrfe"},
    {"Latin-1 on the wire", "Entw\xfcrfe", "Entw\xef\xbf\xbdrfe"},
    {"a control", "a\tb", "a\tb"},
};

static void
test_not_decodable(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(not_decodable); i++) {
		BUF_AUTO out = BUF_INIT;
		bool ok;

		ok = imap_utf7_decode(
		    &out, span_from_str(not_decodable[i].wire));
		check(span_from_str(not_decodable[i].why), "decoding",
		    !ok && span_is(buf_span(&out), not_decodable[i].shown),
		    &out);
	}
}

/* Appends, both when it succeeds and when not. */
static void
test_appends(void **state)
{
	BUF_AUTO out = BUF_INIT;

	(void)state;
	assert_true(imap_utf7_encode(&out, SPAN("\xc3\xa9")));
	assert_true(imap_utf7_decode(&out, SPAN("&AOk-")));
	assert_false(imap_utf7_decode(&out, SPAN("b&AOk-&")));
	assert_string_equal(buf_str(&out), "&AOk-\xc3\xa9"
					   "b&AOk-&");
}

static void
test_round_trip_at_random(void **state)
{
	static const uint32_t tops[] = {0x80, 0x800, 0x10000, 0x110000};
	struct random random;

	(void)state;
	random_init(&random, 7);
	for (int round = 0; round < 20000; round++) {
		BUF_AUTO name = BUF_INIT;
		BUF_AUTO wire = BUF_INIT;
		BUF_AUTO back = BUF_INIT;

		for (uint64_t n = random_below(&random, 12); n > 0; n--) {
			uint32_t top = tops[random_below(&random, 4)];
			uint32_t code = (uint32_t)random_below(&random, top);

			if (code != 0 && code != '\r' && code != '\n')
				utf8_add(&name, code);
		}
		assert_true(imap_utf7_encode(&wire, buf_span(&name)));
		assert_true(imap_utf7_decode(&back, buf_span(&wire)));
		if (!span_equal(buf_span(&back), buf_span(&name))) {
			print_error("case: %s\n", buf_str(&wire));
			fail();
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pairs),
	    cmocka_unit_test(test_not_encodable),
	    cmocka_unit_test(test_not_decodable),
	    cmocka_unit_test(test_appends),
	    cmocka_unit_test(test_round_trip_at_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
