/*
 * test-digest: SHA-256 against the standard's answers, and keys.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/digest.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))
#define PIECES_MAX 3

/* The first three: FIPS 180-2 appendix B, and the empty message. */
static const struct {
	const char *name;
	struct span pieces[PIECES_MAX];
	size_t count;
	const char *sha256;
	const char *key;
} cases[] = {
    {"nothing", {{NULL, 0}}, 0,
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", {SPAN_INIT("abc")}, 1,
	"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	"c3494ca1a2cf8eeb8a11ded316fb55b83c3bbbedb6313cd50415251e5d09e12f"},
    {"two pieces", {SPAN_INIT("ab"), SPAN_INIT("c")}, 2,
	"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	"601d5476e2ccfe2c87a2bba7a322659734a05749d5b5aa781f513e4912db0d5f"},
    {"an empty piece", {{NULL, 0}, SPAN_INIT("abc")}, 2,
	"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	"e7fa8174d147ee73954836b6f21933539ff7094b1654f9dbd42b665592df84ad"},
    {"two blocks",
	{SPAN_INIT("abcdbcdecdefdefgefghfghighijhi"),
	    SPAN_INIT("jkijkljklmklmnlmnomnopnopq")},
	2, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
	NULL},
};

static void
add_hex(struct buf *buf, const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf_addf(buf, "%02x", bytes[i]);
}

static void
check(const char *name, const struct buf *got, const char *expected)
{
	if (!span_is(buf_span(got), expected)) {
		print_error("case: %s: got %s\n", name, buf_str(got));
		fail();
	}
}

static void
test_known_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		unsigned char digest[DIGEST_SIZE];
		BUF_AUTO hex = BUF_INIT;
		BUF_AUTO key = BUF_INIT;

		digest_sha256(cases[i].pieces, cases[i].count, digest);
		add_hex(&hex, digest, sizeof(digest));
		check(cases[i].name, &hex, cases[i].sha256);
		digest_key(&key, cases[i].pieces, cases[i].count);
		assert_int_equal(key.len, 2 * DIGEST_SIZE);
		if (cases[i].key != NULL)
			check(cases[i].name, &key, cases[i].key);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_known_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
