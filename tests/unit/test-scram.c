/*
 * SCRAM: the exchanges of RFC 5802 section 5 and RFC 7677 section 3 as
 * published; the others were computed by Python's hashlib and hmac. And
 * servers that say something else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/wire/sasl/sasl.h"

#define S(literal) SPAN_INIT(literal)
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define NONCE_1 "fyko+d2lbbFgONRv9qkxdawL"
#define FIRST_1 "r=" NONCE_1 "3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"
#define NONCE_256 "rOprNGfwEbeRWgbNEkqO"
#define JOINED_256 NONCE_256 "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define FIRST_256 "r=" JOINED_256 ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
#define FINAL_256                                                              \
	"c=biws,r=" JOINED_256 ",p=dHzbZapWIk4jUhN+"                           \
			       "Ute9ytag9zjfMHgsqmmiz7AndVQ="
#define PROOF_256 "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

struct exchange {
	const char *name;
	enum sasl_mechanism mechanism;
	struct span user, secret;
	struct sasl_once once;
	struct span client_first, server_first, client_final, server_final;
};

static const struct exchange exchanges[] = {
    {"SHA-1, RFC 5802 section 5", SASL_SCRAM_SHA_1, S("user"), S("pencil"),
	{.nonce = S(NONCE_1)}, S("n,,n=user,r=" NONCE_1), S(FIRST_1),
	S("c=biws,r=" NONCE_1 "3rfcNHYJY1ZVvWVs7j,"
	  "p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="),
	S("v=rmF9pqV8S7suAoZWja4dJRkFsKQ=")},
    {"SHA-256, RFC 7677 section 3", SASL_SCRAM_SHA_256, S("user"), S("pencil"),
	{.nonce = S(NONCE_256)}, S("n,,n=user,r=" NONCE_256), S(FIRST_256),
	S(FINAL_256), S(PROOF_256)},
    {"with extensions behind", SASL_SCRAM_SHA_256, S("user"), S("pencil"),
	{.nonce = S(NONCE_256)}, S("n,,n=user,r=" NONCE_256), S(FIRST_256),
	S(FINAL_256), S(PROOF_256 ",x=more")},
    {"we could bind", SASL_SCRAM_SHA_256, S("user"), S("pencil"),
	{.nonce = S(NONCE_256),
	    .binding_name = S("tls-exporter"),
	    .binding = S("0123")},
	S("y,,n=user,r=" NONCE_256), S(FIRST_256),
	S("c=eSws,r=" JOINED_256
	  ",p=FoqiHTtQEDE8lz1CdaEe3tK4mS+iMDTl77SPyDS53DY="),
	S("v=dI4KpiQJwBr1+V+K6U1dA6l6I4I9DUNXWND4pcpRU3U=")},
    {"bound to TLS 1.3", SASL_SCRAM_SHA_256_PLUS, S("user"), S("pencil"),
	{.nonce = S(NONCE_256),
	    .binding_name = S("tls-exporter"),
	    .binding = S("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c"
			 "\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19"
			 "\x1a\x1b\x1c\x1d\x1e\x1f")},
	S("p=tls-exporter,,n=user,r=" NONCE_256), S(FIRST_256),
	S("c=cD10bHMtZXhwb3J0ZXIsLAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f,"
	  "r=" JOINED_256 ",p=QC6CS20quADQRb3mT99YUH+n3VJxUvzuK0K0E1Vrs2M="),
	S("v=2GiAgapEppLVlUXbxUDksL3VgYHzuqiK5tR4mhJGgvs=")},
    {"bound to TLS 1.2", SASL_SCRAM_SHA_1_PLUS, S("user"), S("pencil"),
	{.nonce = S(NONCE_1),
	    .binding_name = S("tls-unique"),
	    .binding = S("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b")},
	S("p=tls-unique,,n=user,r=" NONCE_1), S(FIRST_1),
	S("c=cD10bHMtdW5pcXVlLCwAAQIDBAUGBwgJCgs=,"
	  "r=" NONCE_1 "3rfcNHYJY1ZVvWVs7j,p=ResgVA2w6fEFiwzXkrPSGTt/RSg="),
	S("v=HKBeWjn99U5AvtgAjz6m1d81mhk=")},
    {"odd characters, one iteration", SASL_SCRAM_SHA_256, S("a=b,c"),
	S("p\xc3\xa4ssword"), {.nonce = S("abc")}, S("n,,n=a=3Db=2Cc,r=abc"),
	S("r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1"),
	S("c=biws,r=abcdef,p=yyBFU0nu/JdRuNVi1foNpnSwQfOEQmj+vIFJo0Ym3rA="),
	S("v=giO2VPDhFxOccCPhdlSODb3QPWW7SNFdHtEVIcftu5w=")},
};

static void
check(const char *name, const char *what, struct span got, struct span expected)
{
	if (span_equal(got, expected))
		return;
	print_error("%s: %s: got \"%.*s\", expected \"%.*s\"\n", name, what,
	    SPAN_FMT(got), SPAN_FMT(expected));
	fail();
}

static void
test_exchange(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(exchanges); i++) {
		const struct exchange *x = &exchanges[i];
		struct sasl_scram *scram = sasl_scram_new(&x->once);
		const struct sasl_params params = {
		    .user = x->user, .secret = x->secret, .scram = scram};
		BUF_AUTO out = BUF_INIT;

		assert_non_null(scram);
		assert_true(sasl_can(x->mechanism, scram));
		assert_true(sasl_start(x->mechanism, &params, &out));
		check(x->name, "first", buf_span(&out), x->client_first);
		buf_clear(&out);
		assert_true(
		    sasl_step(x->mechanism, &params, 0, x->server_first, &out));
		check(x->name, "final", buf_span(&out), x->client_final);
		buf_clear(&out);
		assert_false(sasl_is_proven(x->mechanism, scram));
		assert_true(
		    sasl_step(x->mechanism, &params, 1, x->server_final, &out));
		check(x->name, "end", buf_span(&out), SPAN(""));
		assert_true(sasl_is_proven(x->mechanism, scram));
		assert_false(
		    sasl_step(x->mechanism, &params, 2, x->server_final, &out));
		assert_null(sasl_scram_flaw(scram));
		sasl_scram_free(&scram);
	}
}

/* ---- servers that are not as they should be ---- */

static const struct {
	const char *name;
	struct span challenge;
	bool at_end; /* it is the second one */
	const char *flaw;
} bad_cases[] = {
    {"nothing", S(""), false, "the server's SCRAM challenge is garbled"},
    {"no salt", S("r=" JOINED_256 ",i=4096"), false,
	"the server's SCRAM challenge is garbled"},
    {"an extension that must be known", S("m=x," FIRST_256), false,
	"the server's SCRAM challenge is garbled"},
    {"another nonce", S("r=somethingelse,s=QSXCR+Q6sek8bf92,i=4096"), false,
	"the server's SCRAM challenge belongs to another login"},
    {"our nonce and nothing added",
	S("r=" NONCE_256 ",s=QSXCR+Q6sek8bf92,i=4096"), false,
	"the server's SCRAM challenge belongs to another login"},
    {"a control character in the nonce",
	S("r=" NONCE_256 "\n,s=QSXCR+Q6sek8bf92,i=4096"), false,
	"the server's SCRAM challenge belongs to another login"},
    {"no base64", S("r=" JOINED_256 ",s=%%%%,i=4096"), false,
	"the server's SCRAM salt is garbled"},
    {"an empty salt", S("r=" JOINED_256 ",s=,i=4096"), false,
	"the server's SCRAM salt is garbled"},
    {"no iterations", S("r=" JOINED_256 ",s=QSXCR+Q6sek8bf92,i=0"), false,
	"the server wants more than 1,000,000 SCRAM iterations"},
    {"a flood of them", S("r=" JOINED_256 ",s=QSXCR+Q6sek8bf92,i=1000001"),
	false, "the server wants more than 1,000,000 SCRAM iterations"},
    {"another proof", S("v=rmF9pqV8S7suAoZWja4dJRkFsKQ="), true,
	"the server does not know the password"},
    {"a proof with one bit wrong",
	S("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G8="), true,
	"the server does not know the password"},
    {"an empty proof", S("v="), true, "the server does not know the password"},
    {"no proof", S(""), true, "the server does not know the password"},
};

static void
test_bad_server(void **state)
{
	static const struct sasl_once once = {.nonce = S(NONCE_256)};

	(void)state;
	for (size_t i = 0; i < COUNT(bad_cases); i++) {
		struct sasl_scram *scram = sasl_scram_new(&once);
		const struct sasl_params params = {
		    .user = S("user"), .secret = S("pencil"), .scram = scram};
		BUF_AUTO out = BUF_INIT;

		if (bad_cases[i].at_end)
			assert_true(sasl_step(SASL_SCRAM_SHA_256, &params, 0,
			    SPAN(FIRST_256), &out));
		if (sasl_step(SASL_SCRAM_SHA_256, &params, bad_cases[i].at_end,
			bad_cases[i].challenge, &out))
			fail_msg("%s: answered", bad_cases[i].name);
		assert_false(sasl_is_proven(SASL_SCRAM_SHA_256, scram));
		assert_string_equal(sasl_scram_flaw(scram), bad_cases[i].flaw);
		sasl_scram_free(&scram);
	}
}

/* The server's own refusal is answered, so that it says its words; a proof out
 * of turn proves nothing. */
static void
test_refusal(void **state)
{
	static const struct sasl_once once = {.nonce = S(NONCE_256)};
	struct sasl_scram *scram = sasl_scram_new(&once);
	const struct sasl_params params = {
	    .user = S("user"), .secret = S("pencil"), .scram = scram};
	BUF_AUTO out = BUF_INIT;

	(void)state;
	assert_false(
	    sasl_step(SASL_SCRAM_SHA_256, &params, 1, SPAN(PROOF_256), &out));
	assert_true(
	    sasl_step(SASL_SCRAM_SHA_256, &params, 0, SPAN(FIRST_256), &out));
	buf_clear(&out);
	assert_true(sasl_step(
	    SASL_SCRAM_SHA_256, &params, 1, SPAN("e=invalid-proof"), &out));
	assert_int_equal(out.len, 0);
	assert_false(sasl_is_proven(SASL_SCRAM_SHA_256, scram));
	assert_null(sasl_scram_flaw(scram));
	sasl_scram_free(&scram);
}

static void
test_can(void **state)
{
	static const struct sasl_once none = {.nonce = S("")},
				      comma = {.nonce = S("a,b")},
				      nameless = {.nonce = S("a"),
					  .binding = S("x")},
				      unbound = {.nonce = S("a")},
				      bound = {.nonce = S("a"),
					  .binding_name = S("tls-unique"),
					  .binding = S("x")};
	struct sasl_scram *scram;

	(void)state;
	assert_null(sasl_scram_new(&none));
	assert_null(sasl_scram_new(&comma));
	assert_null(sasl_scram_new(&nameless));
	assert_true(sasl_can(SASL_PLAIN, NULL));
	assert_false(sasl_can(SASL_SCRAM_SHA_256, NULL));
	scram = sasl_scram_new(&unbound);
	assert_true(sasl_can(SASL_SCRAM_SHA_1, scram));
	assert_false(sasl_can(SASL_SCRAM_SHA_1_PLUS, scram));
	sasl_scram_free(&scram);
	scram = sasl_scram_new(&bound);
	assert_true(sasl_can(SASL_SCRAM_SHA_256_PLUS, scram));
	sasl_scram_free(&scram);
	assert_null(scram);
	assert_true(sasl_is_proven(SASL_PLAIN, NULL));
	assert_false(sasl_is_proven(SASL_SCRAM_SHA_1, NULL));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_exchange),
	    cmocka_unit_test(test_bad_server),
	    cmocka_unit_test(test_refusal),
	    cmocka_unit_test(test_can),
	};

	return cmocka_run_group_tests_name("scram", tests, NULL, NULL);
}
