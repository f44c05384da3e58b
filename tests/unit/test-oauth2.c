/*
 * oauth2: what is said to an authorization server, what it may say back, and
 * what is kept of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/xalloc.h"
#include "daemon/oauth2/callback.h"
#include "daemon/oauth2/token.h"

#define NOW 1795355000

static struct oauth2_client
client(void)
{
	return (struct oauth2_client){
	    .provider = oauth2_providers_find(SPAN("google")),
	    .id = "id-1.apps.example",
	    .secret = SPAN("s&cret"),
	    .scope = "https://mail.example/ more",
	    .user = "ann+x@example.org",
	    .authorize_url = "https://a.example/auth?tenant=1",
	    .token_url = "https://a.example/token",
	    .device_url = "https://a.example/device",
	};
}

static void
check(const char *name, const char *got, const char *expected)
{
	if (strcmp(got, expected) == 0)
		return;
	print_error("%s: %s\n  expected: %s\n", name, got, expected);
	fail();
}

/* ---- requests ---- */

/* The example of RFC 7636 appendix B. */
static void
test_authorize_url(void **state)
{
	struct oauth2_client c = client();
	BUF_AUTO url = BUF_INIT;

	(void)state;
	oauth2_add_authorize_url(&url, &c, "http://127.0.0.1:8080/",
	    SPAN("st_1"), SPAN("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
	check("url", buf_str(&url),
	    "https://a.example/auth?tenant=1&response_type=code"
	    "&client_id=id-1.apps.example"
	    "&redirect_uri=http%3A%2F%2F127.0.0.1%3A8080%2F"
	    "&scope=https%3A%2F%2Fmail.example%2F%20more&state=st_1"
	    "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	    "&code_challenge_method=S256&login_hint=ann%2Bx%40example.org"
	    "&access_type=offline&prompt=consent");
}

static void
test_forms(void **state)
{
	struct oauth2_client c = client();
	BUF_AUTO form = BUF_INIT;

	(void)state;
	oauth2_add_code_form(
	    &form, &c, "http://localhost:1/", SPAN("4/0+x"), SPAN("ver"));
	check("code", buf_str(&form),
	    "grant_type=authorization_code&code=4%2F0%2Bx"
	    "&redirect_uri=http%3A%2F%2Flocalhost%3A1%2F&code_verifier=ver"
	    "&client_id=id-1.apps.example&client_secret=s%26cret");
	buf_clear(&form);
	c.secret = SPAN_EMPTY;
	oauth2_add_refresh_form(&form, &c, SPAN("r=1"));
	check("refresh", buf_str(&form),
	    "grant_type=refresh_token&refresh_token=r%3D1"
	    "&client_id=id-1.apps.example");
	buf_clear(&form);
	oauth2_add_device_form(&form, &c);
	check("device", buf_str(&form),
	    "client_id=id-1.apps.example"
	    "&scope=https%3A%2F%2Fmail.example%2F%20more");
	buf_clear(&form);
	oauth2_add_poll_form(&form, &c, SPAN("dev"));
	check("poll", buf_str(&form),
	    "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code"
	    "&device_code=dev&client_id=id-1.apps.example");
}

static void
test_letters(void **state)
{
	BUF_AUTO out = BUF_INIT;

	(void)state;
	oauth2_add_base64url(&out, SPAN("\xfb\xff\xbf?"));
	check("base64url", buf_str(&out), "-_-_Pw");
	assert_true(oauth2_is_same(SPAN("abc"), SPAN("abc")));
	assert_false(oauth2_is_same(SPAN("abc"), SPAN("abd")));
	assert_false(oauth2_is_same(SPAN("bbc"), SPAN("abc")));
	assert_false(oauth2_is_same(SPAN("abc"), SPAN("ab")));
	assert_false(oauth2_is_same(SPAN(""), SPAN("ab")));
}

/* ---- answers ---- */

#define BEARER "\"token_type\":\"Bearer\""

static const struct answer_case {
	const char *name;
	unsigned status;
	const char *body;
	enum oauth2_kind kind;
	int64_t life;
	const char *access, *refresh; /* "" none */
	const char *error;	      /* a part of it; NULL: any */
} answer_cases[] = {
    {"plain", 200,
	"{\"access_token\":\"a\",\"refresh_token\":\"r\",\"expires_in\":3599,"
	"\"scope\":\"x\"," BEARER "}",
	OAUTH2_TOKEN, 3599, "a", "r", NULL},
    {"no refresh token", 200,
	"{\"access_token\":\"a\",\"expires_in\":60," BEARER "}", OAUTH2_TOKEN,
	60, "a", "", NULL},
    {"bearer in any case", 200,
	"{\"access_token\":\"a\",\"expires_in\":60,\"token_type\":\"bEaReR\"}",
	OAUTH2_TOKEN, 60, "a", "", NULL},
    {"life as a string", 200,
	"{\"access_token\":\"a\",\"expires_in\":\"77\"," BEARER "}",
	OAUTH2_TOKEN, 77, "a", "", NULL},
    {"no life", 200, "{\"access_token\":\"a\"," BEARER "}", OAUTH2_TOKEN,
	OAUTH2_LIFE_UNKNOWN, "a", "", NULL},
    {"negative life", 200,
	"{\"access_token\":\"a\",\"expires_in\":-5," BEARER "}", OAUTH2_TOKEN,
	OAUTH2_LIFE_UNKNOWN, "a", "", NULL},
    {"life zero", 200, "{\"access_token\":\"a\",\"expires_in\":0," BEARER "}",
	OAUTH2_TOKEN, OAUTH2_LIFE_UNKNOWN, "a", "", NULL},
    {"life in real numbers", 200,
	"{\"access_token\":\"a\",\"expires_in\":1e3," BEARER "}", OAUTH2_TOKEN,
	OAUTH2_LIFE_UNKNOWN, "a", "", NULL},
    {"eternal life", 200,
	"{\"access_token\":\"a\",\"expires_in\":9223372036854775807," BEARER
	"}",
	OAUTH2_TOKEN, OAUTH2_LIFE_MAX, "a", "", NULL},
    {"eternal life as a string", 200,
	"{\"access_token\":\"a\",\"expires_in\":"
	"\"18446744073709551615\"," BEARER "}",
	OAUTH2_TOKEN, OAUTH2_LIFE_MAX, "a", "", NULL},
    {"no type", 200, "{\"access_token\":\"a\",\"expires_in\":60}",
	OAUTH2_GARBAGE, 0, "", "", "not of type Bearer"},
    {"another type", 200, "{\"access_token\":\"a\",\"token_type\":\"mac\"}",
	OAUTH2_GARBAGE, 0, "", "", "not of type Bearer"},
    {"line break in the token", 200,
	"{\"access_token\":\"a\\r\\nb\"," BEARER "}", OAUTH2_GARBAGE, 0, "", "",
	"cannot be one"},
    {"blank in the token", 200, "{\"access_token\":\"a b\"," BEARER "}",
	OAUTH2_GARBAGE, 0, "", "", "cannot be one"},
    {"letters beyond ASCII", 200, "{\"access_token\":\"\xc3\xa4\"," BEARER "}",
	OAUTH2_GARBAGE, 0, "", "", "cannot be one"},
    {"empty token", 200, "{\"access_token\":\"\"," BEARER "}", OAUTH2_GARBAGE,
	0, "", "", NULL},
    {"bad refresh token", 200,
	"{\"access_token\":\"a\",\"refresh_token\":\"\\u0001\"," BEARER "}",
	OAUTH2_GARBAGE, 0, "", "", "refresh token"},
    {"token twice", 200,
	"{\"access_token\":\"a\",\"access_token\":\"b\"," BEARER "}",
	OAUTH2_GARBAGE, 0, "", "", "not JSON"},
    {"token and error", 200,
	"{\"access_token\":\"a\",\"error\":\"invalid_grant\"," BEARER "}",
	OAUTH2_LOST, 0, "", "", "invalid_grant"},
    {"token with the wrong status", 400, "{\"access_token\":\"a\"," BEARER "}",
	OAUTH2_GARBAGE, 0, "", "", NULL},
    {"an array", 200, "[1]", OAUTH2_GARBAGE, 0, "", "", NULL},
    {"HTML", 200, "<html>", OAUTH2_GARBAGE, 0, "", "", "not JSON"},
    {"nothing", 200, "", OAUTH2_GARBAGE, 0, "", "", "not JSON"},
    {"elsewhere", 302, "{\"access_token\":\"a\"," BEARER "}", OAUTH2_GARBAGE, 0,
	"", "", "leads elsewhere"},
    {"trailing garbage", 200, "{\"access_token\":\"a\"," BEARER "}x",
	OAUTH2_GARBAGE, 0, "", "", NULL},
    {"invalid_grant", 400,
	"{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS700082: "
	"expired\\u001b[31m\"}",
	OAUTH2_LOST, 0, "", "",
	"the permission has ended (invalid_grant: AADSTS700082: expired[31m)"},
    {"interaction_required", 400, "{\"error\":\"interaction_required\"}",
	OAUTH2_LOST, 0, "", "", NULL},
    {"consent_required", 400, "{\"error\":\"consent_required\"}", OAUTH2_LOST,
	0, "", "", NULL},
    {"invalid_client", 401, "{\"error\":\"invalid_client\"}", OAUTH2_REFUSED, 0,
	"", "", "client id"},
    {"a word of its own", 400, "{\"error\":\"sorry\"}", OAUTH2_REFUSED, 0, "",
	"", "(sorry)"},
    {"pending", 400, "{\"error\":\"authorization_pending\"}", OAUTH2_PENDING, 0,
	"", "", NULL},
    {"slow down", 429, "{\"error\":\"slow_down\"}", OAUTH2_SLOW_DOWN, 0, "", "",
	NULL},
    {"denied", 400, "{\"error\":\"access_denied\"}", OAUTH2_DENIED, 0, "", "",
	NULL},
    {"declined", 400, "{\"error\":\"authorization_declined\"}", OAUTH2_DENIED,
	0, "", "", NULL},
    {"expired", 400, "{\"error\":\"expired_token\"}", OAUTH2_EXPIRED, 0, "", "",
	NULL},
    {"secrets come back", 400,
	"{\"error\":\"invalid_grant\",\"error_description\":"
	"\"1//rT-x (1%2F%2FrT-x) of me and hunter2\"}",
	OAUTH2_LOST, 0, "", "",
	"invalid_grant: [secret] ([secret]) of me and [secret])"},
    {"a secret that comes back twice", 400,
	"{\"error\":\"invalid_grant\",\"error_description\":"
	"\"is hunter2, or is it not hunter2?\"}",
	OAUTH2_LOST, 0, "", "",
	"invalid_grant: is [secret], or is it not [secret]?)"},
    {"a secret as the error", 400, "{\"error\":\"no hunter2\"}", OAUTH2_REFUSED,
	0, "", "", "(no [secret])"},
    {"too many", 429, "", OAUTH2_BUSY, 0, "", "", "HTTP 429"},
    {"trouble", 503, "<h1>Sorry</h1>", OAUTH2_BUSY, 0, "", "", "HTTP 503"},
    {"trouble that lies", 500, "{\"error\":\"invalid_grant\"}", OAUTH2_BUSY, 0,
	"", "", "HTTP 500"},
};

static void
test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(answer_cases) / sizeof(*answer_cases);
	     i++) {
		const struct answer_case *c = &answer_cases[i];
		struct oauth2_answer answer;
		bool ok;
		oauth2_answer_read(c->status, span_from_str(c->body), false,
		    SPAN("grant_type=refresh_token&refresh_token=1%2F%2FrT-x"
			 "&client_secret=hunter2&client_id=me"),
		    &answer);
		ok =
		    answer.kind == c->kind &&
		    span_is(secret_span(&answer.access), c->access) &&
		    span_is(secret_span(&answer.refresh), c->refresh) &&
		    (c->kind != OAUTH2_TOKEN || answer.life == c->life) &&
		    (c->error == NULL ||
			strstr(answer.error.text, c->error) != NULL) &&
		    (c->kind == OAUTH2_TOKEN) == (answer.error.text[0] == '\0');
		if (!ok) {
			print_error("%s: kind %d, life %d, %s\n", c->name,
			    (int)answer.kind, (int)answer.life,
			    answer.error.text);
			fail();
		}
		oauth2_answer_done(&answer);
	}
}

static void
test_bounds(void **state)
{
	struct oauth2_answer answer;
	BUF_AUTO body = BUF_INIT;

	(void)state;
	oauth2_answer_read(200, SPAN("{\"access_token\":\"a\"," BEARER "}"),
	    true, SPAN(""), &answer);
	assert_int_equal(answer.kind, OAUTH2_GARBAGE);
	oauth2_answer_done(&answer);
	buf_add_str(&body, "{" BEARER ",\"access_token\":\"");
	for (int i = 0; i < SECRET_MAX + 1; i++)
		buf_add_char(&body, 'x');
	buf_add_str(&body, "\"}");
	oauth2_answer_read(200, buf_span(&body), false, SPAN(""), &answer);
	assert_int_equal(answer.kind, OAUTH2_GARBAGE);
	oauth2_answer_done(&answer);
}

/* What stands in place of a secret is not looked through for the next. */
static void
test_short_secrets(void **state)
{
	struct oauth2_answer answer;
	BUF_AUTO form = BUF_INIT;

	(void)state;
	for (int i = 0; i < 64; i++)
		buf_add_str(&form, i % 2 ? "code=e&" : "client_secret=cre&");
	oauth2_answer_read(400, SPAN("{\"error\":\"a tree, screens\"}"), false,
	    buf_span(&form), &answer);
	assert_non_null(
	    strstr(answer.error.text, "(a tr[secret], s[secret]ns)"));
	oauth2_answer_done(&answer);
}

static const struct device_case {
	const char *name, *body;
	bool ok;
	const char *user_code, *url, *complete;
	int64_t life, interval;
} device_cases[] = {
    {"whole",
	"{\"device_code\":\"d\",\"user_code\":\"AB-CD\","
	"\"verification_uri\":\"https://a.example/d\","
	"\"verification_uri_complete\":\"https://a.example/d?c=AB\","
	"\"expires_in\":900,\"interval\":7}",
	true, "AB-CD", "https://a.example/d", "https://a.example/d?c=AB", 900,
	7},
    {"little",
	"{\"device_code\":\"d\",\"user_code\":\"X\","
	"\"verification_url\":\"https://a.example/d\"}",
	true, "X", "https://a.example/d", NULL, 600, 5},
    {"absurd times",
	"{\"device_code\":\"d\",\"user_code\":\"X\",\"expires_in\":-1,"
	"\"interval\":99999,\"verification_uri\":\"https://a.example/d\"}",
	true, "X", "https://a.example/d", NULL, 600, OAUTH2_INTERVAL_MAX},
    {"not encrypted",
	"{\"device_code\":\"d\",\"user_code\":\"X\","
	"\"verification_uri\":\"http://a.example/d\"}",
	false, NULL, NULL, NULL, 0, 0},
    {"a code that moves the terminal",
	"{\"device_code\":\"d\",\"user_code\":\"\\u001b[2J\","
	"\"verification_uri\":\"https://a.example/d\"}",
	false, NULL, NULL, NULL, 0, 0},
    {"no device code",
	"{\"user_code\":\"X\",\"verification_uri\":\"https://a.example/d\"}",
	false, NULL, NULL, NULL, 0, 0},
    {"an error", "{\"error\":\"invalid_scope\"}", false, NULL, NULL, NULL, 0,
	0},
};

static void
check_same(const char *name, const char *got, const char *expected)
{
	if (got == NULL || expected == NULL)
		assert_true(got == expected);
	else
		check(name, got, expected);
}

static void
test_devices(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(device_cases) / sizeof(*device_cases);
	     i++) {
		const struct device_case *c = &device_cases[i];
		struct oauth2_device device = {.code = SECRET_INIT};
		struct oauth2_answer answer;
		bool ok = oauth2_device_read(200, span_from_str(c->body), false,
		    SPAN(""), &device, &answer);
		if (ok != c->ok) {
			print_error("%s: %s\n", c->name, answer.error.text);
			fail();
		}
		assert_true(ok || answer.error.text[0] != '\0');
		check_same(c->name, device.user_code, c->user_code);
		check_same(c->name, device.url, c->url);
		check_same(c->name, device.complete_url, c->complete);
		if (ok) {
			assert_int_equal(device.life, c->life);
			assert_int_equal(device.interval, c->interval);
		}
		oauth2_device_done(&device);
		oauth2_answer_done(&answer);
	}
}

/* A client may have a secret there, too. */
static void
test_device_secret_is_hidden(void **state)
{
	struct oauth2_device device = {.code = SECRET_INIT};
	struct oauth2_answer answer;

	(void)state;
	assert_false(oauth2_device_read(401,
	    SPAN("{\"error\":\"invalid_client\","
		 "\"error_description\":\"not hush/hush, nor hush%2Fhush\"}"),
	    false, SPAN("client_id=c&client_secret=hush%2Fhush&scope=s"),
	    &device, &answer));
	assert_non_null(
	    strstr(answer.error.text, "not [secret], nor [secret])"));
	oauth2_answer_done(&answer);
}

/* ---- the redirect ---- */

#define REST " HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n"

static const struct callback_case {
	const char *name, *request;
	enum oauth2_callback_kind kind;
	unsigned status;
	const char *code;
} callback_cases[] = {
    {"whole", "GET /?code=4%2F0A&state=st" REST, OAUTH2_CALLBACK_CODE, 200,
	"4/0A"},
    {"other order, and more", "GET /?state=st&scope=x&code=c" REST,
	OAUTH2_CALLBACK_CODE, 200, "c"},
    {"not whole yet", "GET /?code=c&state=st HTTP/1.1\r\nHost: x\r\n",
	OAUTH2_CALLBACK_MORE, 431, ""},
    {"an error", "GET /?error=access_denied&state=st" REST,
	OAUTH2_CALLBACK_FAILED, 200, ""},
    {"error and code", "GET /?error=server_error&code=c&state=st" REST,
	OAUTH2_CALLBACK_FAILED, 200, ""},
    {"neither", "GET /?state=st" REST, OAUTH2_CALLBACK_FAILED, 200, ""},
    {"another state", "GET /?code=c&state=sT" REST, OAUTH2_CALLBACK_FOREIGN,
	403, ""},
    {"a longer state", "GET /?code=c&state=stt" REST, OAUTH2_CALLBACK_FOREIGN,
	403, ""},
    {"no state", "GET /?code=c" REST, OAUTH2_CALLBACK_FOREIGN, 403, ""},
    {"an error without state", "GET /?error=access_denied" REST,
	OAUTH2_CALLBACK_FOREIGN, 403, ""},
    {"code twice", "GET /?code=c&code=d&state=st" REST, OAUTH2_CALLBACK_FAILED,
	200, ""},
    {"half a percent sign", "GET /?code=c%4&state=st" REST,
	OAUTH2_CALLBACK_FAILED, 200, ""},
    {"a line break in it", "GET /?code=c%0d&state=st" REST,
	OAUTH2_CALLBACK_FAILED, 200, ""},
    {"a picture", "GET /favicon.ico" REST, OAUTH2_CALLBACK_FOREIGN, 404, ""},
    {"the plain page", "GET /" REST, OAUTH2_CALLBACK_FOREIGN, 404, ""},
    {"a form", "POST /?code=c&state=st" REST, OAUTH2_CALLBACK_FOREIGN, 405, ""},
    {"no HTTP", "HELO me\r\n\r\n", OAUTH2_CALLBACK_FOREIGN, 400, ""},
    {"HTTP/2", "GET /?code=c&state=st HTTP/2.0\r\n\r\n",
	OAUTH2_CALLBACK_FOREIGN, 400, ""},
};

static void
test_callbacks(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(callback_cases) / sizeof(*callback_cases);
	     i++) {
		const struct callback_case *c = &callback_cases[i];
		struct oauth2_callback got;
		oauth2_callback_read(
		    span_from_str(c->request), SPAN("st"), &got);
		if (got.kind != c->kind ||
		    (got.status != c->status &&
			got.kind == OAUTH2_CALLBACK_FOREIGN) ||
		    !span_is(secret_span(&got.code), c->code)) {
			print_error("%s: kind %d, status %u\n", c->name,
			    (int)got.kind, got.status);
			fail();
		}
		oauth2_callback_done(&got);
	}
}

static void
test_page(void **state)
{
	BUF_AUTO page = BUF_INIT;

	(void)state;
	oauth2_add_page(&page, 200, "Done", "Close it.");
	assert_true(span_starts(buf_span(&page), "HTTP/1.1 200 OK\r\n"));
	assert_non_null(strstr(buf_str(&page), "default-src 'none'"));
	assert_non_null(strstr(buf_str(&page), "<p>Close it.</p>"));
}

/* ---- what is kept ---- */

static struct oauth2_token
token(void)
{
	struct oauth2_client c = client();
	struct oauth2_token token = OAUTH2_TOKEN_INIT;
	struct oauth2_answer answer = OAUTH2_ANSWER_INIT;

	secret_set(&answer.access, SPAN("acc\"ess\\"));
	secret_set(&answer.refresh, SPAN("refresh"));
	answer.life = 3600;
	answer.scope = xstrdup("granted");
	oauth2_token_take(&token, &answer, &c, NOW);
	oauth2_answer_done(&answer);
	return token;
}

static void
test_file(void **state)
{
	struct oauth2_token kept = token(), read = OAUTH2_TOKEN_INIT;
	struct oauth2_client c = client();
	BUF_AUTO text = BUF_INIT, again = BUF_INIT;

	(void)state;
	oauth2_token_format(&kept, &text);
	assert_true(oauth2_token_parse(buf_span(&text), &read, NULL));
	oauth2_token_format(&read, &again);
	check("round trip", buf_str(&again), buf_str(&text));
	assert_true(span_is(secret_span(&read.access), "acc\"ess\\"));
	assert_true(oauth2_token_fits(&read, &c));
	c.user = "bob@example.org";
	assert_false(oauth2_token_fits(&read, &c));
	c = client();
	c.id = "other";
	assert_false(oauth2_token_fits(&read, &c));
	c = client();
	c.token_url = "https://evil.example/token";
	assert_false(oauth2_token_fits(&read, &c));
	c = client();
	c.scope = "less";
	assert_false(oauth2_token_fits(&read, &c));
	/* Cut anywhere it is no document. */
	for (size_t len = 0; len + 2 < text.len; len++) {
		struct oauth2_token cut = OAUTH2_TOKEN_INIT;
		assert_false(
		    oauth2_token_parse(span_from(text.data, len), &cut, NULL));
	}
	oauth2_token_done(&kept);
	oauth2_token_done(&read);
}

static void
test_old_refresh_token_stays(void **state)
{
	struct oauth2_token kept = token();
	struct oauth2_answer answer = OAUTH2_ANSWER_INIT;
	struct oauth2_client c = client();

	(void)state;
	secret_set(&answer.access, SPAN("second"));
	answer.life = 60;
	oauth2_token_take(&kept, &answer, &c, NOW + 100);
	assert_true(span_is(secret_span(&kept.access), "second"));
	assert_true(span_is(secret_span(&kept.refresh), "refresh"));
	check("scope", kept.granted, "granted");
	secret_set(&answer.refresh, SPAN("rotated"));
	oauth2_token_take(&kept, &answer, &c, NOW + 200);
	assert_true(span_is(secret_span(&kept.refresh), "rotated"));
	oauth2_answer_done(&answer);
	oauth2_token_done(&kept);
}

static void
test_left(void **state)
{
	static const struct {
		int64_t at, left;
	} cases[] = {
	    {0, 3600}, {1, 3599}, {3599, 1}, {3600, 0}, {99999, 0},
	    {-60, 3600}, /* a clock that was a little wrong */
	    {-301, 0},	 /* one that nobody can believe */
	};
	struct oauth2_token kept = token();

	(void)state;
	assert_int_equal(oauth2_token_life(&kept), 3600);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(
		    oauth2_token_left(&kept, NOW + cases[i].at), cases[i].left);
	kept.expires_unix = NOW + INT64_C(999999999);
	assert_int_equal(oauth2_token_left(&kept, NOW), OAUTH2_LIFE_MAX);
	oauth2_token_done(&kept);
	assert_int_equal(oauth2_token_left(&kept, NOW), 0);
}

static void
test_providers(void **state)
{
	(void)state;
	for (size_t i = 0; oauth2_providers_at(i) != NULL; i++) {
		const struct oauth2_provider *p = oauth2_providers_at(i);
		const char *urls[] = {
		    p->authorize_url, p->token_url, p->device_url};
		for (size_t j = 0; j < 3; j++)
			if (urls[j] != NULL &&
			    !span_starts(span_from_str(urls[j]), "https://"))
				fail_msg("%s: %s", p->id, urls[j]);
		if (strcmp(p->id, "custom") != 0 &&
		    (urls[0] == NULL || urls[1] == NULL || p->scope == NULL))
			fail_msg("%s: not whole", p->id);
		if (p->flow == OAUTH2_DEVICE && p->device_url == NULL)
			fail_msg("%s: no device", p->id);
	}
	check("nearest", oauth2_providers_nearest(SPAN("gogle")), "google");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_authorize_url),
	    cmocka_unit_test(test_forms),
	    cmocka_unit_test(test_letters),
	    cmocka_unit_test(test_answers),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_short_secrets),
	    cmocka_unit_test(test_devices),
	    cmocka_unit_test(test_device_secret_is_hidden),
	    cmocka_unit_test(test_callbacks),
	    cmocka_unit_test(test_page),
	    cmocka_unit_test(test_file),
	    cmocka_unit_test(test_old_refresh_token_stays),
	    cmocka_unit_test(test_left),
	    cmocka_unit_test(test_providers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
