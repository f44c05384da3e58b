/*
 * SASL mechanisms against known answers. The ones of RFC 4616, RFC 7628 and
 * of Google's XOAUTH2 page are taken as published.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/base64.h"
#include "daemon/wire/sasl/sasl.h"

#define S(literal) SPAN_INIT(literal)

struct start_case {
	const char *name;
	enum sasl_mechanism mechanism;
	struct sasl_params params;
	bool has;
	struct span expected; /* decoded */
	const char *base64;   /* NULL: not published */
};

static const struct start_case start_cases[] = {
    {"plain, RFC 4616 section 4", SASL_PLAIN,
	{.user = S("tim"), .secret = S("tanstaaftanstaaf")}, true,
	S("\0tim\0tanstaaftanstaaf"), "AHRpbQB0YW5zdGFhZnRhbnN0YWFm"},
    {"plain, 8-bit and odd characters", SASL_PLAIN,
	{.user = S("j\xc3\xbcrgen"), .secret = S(" a\"\\{5}=,")}, true,
	S("\0j\xc3\xbcrgen\0 a\"\\{5}=,"), NULL},
    {"login has none", SASL_LOGIN, {.user = S("u"), .secret = S("p")}, false,
	S(""), NULL},
    {"xoauth2, as published", SASL_XOAUTH2,
	{.user = S("someuser@example.com"),
	    .secret = S("ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg")},
	true,
	S("user=someuser@example.com\001auth=Bearer "
	  "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\001\001"),
	"dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRx"
	"bVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ=="},
    {"oauthbearer, RFC 7628 section 4.1", SASL_OAUTHBEARER,
	{.user = S("user@example.com"),
	    .secret = S("vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="),
	    .host = S("server.example.com"),
	    .port = 143},
	true,
	S("n,a=user@example.com,\001host=server.example.com\001port=143\001"
	  "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\001\001"),
	"bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9"
	"MTQzAWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZ"
	"Mjl0Q2c9PQEB"},
    {"oauthbearer escapes the name", SASL_OAUTHBEARER,
	{.user = S("a=b,c"), .secret = S("t")}, true,
	S("n,a=a=3Db=2Cc,\001auth=Bearer t\001\001"), NULL},
    {"external", SASL_EXTERNAL, {.user = S("ann")}, true, S("ann"), NULL},
    {"external, derived name", SASL_EXTERNAL, {.user = S("")}, true, S(""),
	NULL},
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
test_start(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(start_cases) / sizeof(start_cases[0]);
	     i++) {
		const struct start_case *c = &start_cases[i];
		BUF_AUTO out = BUF_INIT;
		BUF_AUTO text = BUF_INIT;

		if (sasl_start(c->mechanism, &c->params, &out) != c->has) {
			print_error("%s: initial response?\n", c->name);
			fail();
		}
		check(c->name, "bytes", buf_span(&out), c->expected);
		base64_encode(&text, buf_span(&out));
		if (c->base64 != NULL)
			check(c->name, "base64", buf_span(&text),
			    span_from_str(c->base64));
	}
}

struct step_case {
	const char *name;
	enum sasl_mechanism mechanism;
	unsigned step;
	struct span challenge;
	bool answers;
	struct span expected;
};

static const struct step_case step_cases[] = {
    {"plain expects none", SASL_PLAIN, 0, S(""), false, S("")},
    {"external expects none", SASL_EXTERNAL, 0, S(""), false, S("")},
    {"login, user", SASL_LOGIN, 0, S("Username:"), true, S("ann")},
    {"login, odd prompt", SASL_LOGIN, 0, S("Password:"), true, S("ann")},
    {"login, password", SASL_LOGIN, 1, S("Password:"), true, S("geheim")},
    {"login, a third", SASL_LOGIN, 2, S("Again:"), false, S("")},
    {"xoauth2, error", SASL_XOAUTH2, 0, S("{\"status\":\"401\"}"), true, S("")},
    {"xoauth2, a second", SASL_XOAUTH2, 1, S("{}"), false, S("")},
    {"oauthbearer, error", SASL_OAUTHBEARER, 0, S("{}"), true, S("\001")},
    {"oauthbearer, a second", SASL_OAUTHBEARER, 1, S("{}"), false, S("")},
};

static void
test_step(void **state)
{
	static const struct sasl_params params = {
	    .user = S("ann"), .secret = S("geheim")};

	(void)state;
	for (size_t i = 0; i < sizeof(step_cases) / sizeof(step_cases[0]);
	     i++) {
		const struct step_case *c = &step_cases[i];
		BUF_AUTO out = BUF_INIT;

		if (sasl_step(c->mechanism, &params, c->step, c->challenge,
			&out) != c->answers) {
			print_error("%s: answer?\n", c->name);
			fail();
		}
		check(c->name, "answer", buf_span(&out), c->expected);
	}
}

struct error_case {
	struct span challenge;
	const char *status; /* NULL: none */
};

static const struct error_case error_cases[] = {
    {S("{\"status\":\"400\",\"schemes\":\"Bearer\"}"), "400"},
    {S("{\"schemes\":\"Bearer\", \"status\" : \"invalid_token\" }"),
	"invalid_token"},
    {S("{\"status\":401}"), "401"},
    {S("{\"schemes\":\"status\",\"status\":\"403\"}"), "403"},
    {S("{\"status\":\"status\"}"), "status"},
    {S("{\"status\":\"\"}"), NULL},
    {S("{\"status\":\"4\0000\"}"), NULL},
    {S("{\"status\":\"<b>\"}"), NULL},
    {S("{\"status\":\"401"), NULL},
    {S("\"status\""), NULL},
    {S("\"status\":"), NULL},
    {S("\"status\": \""), NULL},
    {S(""), NULL},
    {S("{\"status\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}"),
	NULL},
};

static void
test_oauth_error(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(error_cases) / sizeof(error_cases[0]);
	     i++) {
		const struct error_case *c = &error_cases[i];
		struct span status = SPAN_INIT("none");

		if (sasl_oauth_error(c->challenge, &status) !=
		    (c->status != NULL)) {
			print_error("%s: found?\n", c->challenge.data);
			fail();
		}
		check(c->challenge.data, "status", status,
		    span_from_str(c->status != NULL ? c->status : "none"));
	}
}

static void
test_names(void **state)
{
	(void)state;
	assert_string_equal(sasl_name(SASL_PLAIN), "PLAIN");
	assert_string_equal(sasl_name(SASL_LOGIN), "LOGIN");
	assert_string_equal(sasl_name(SASL_XOAUTH2), "XOAUTH2");
	assert_string_equal(sasl_name(SASL_OAUTHBEARER), "OAUTHBEARER");
	assert_string_equal(sasl_name(SASL_EXTERNAL), "EXTERNAL");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_start),
	    cmocka_unit_test(test_step),
	    cmocka_unit_test(test_oauth_error),
	    cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("sasl", tests, NULL, NULL);
}
