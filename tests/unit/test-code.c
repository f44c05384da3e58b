/*
 * test-code: which messages have a one-time code, and which it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "daemon/mail/code.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

static const struct {
	const char *subject, *text;
	const char *code; /* NULL: none */
} cases[] = {
    {"Your verification code is 482913", "", "482913"},
    {"482913 is your Example confirmation code", "", "482913"},
    {"G-482913 is your Google verification code", "", "482913"},
    {"Sign in to Example",
	"Hi Ann,\n\nUse the code below to sign in:\n\n  482913  \n\nIt is "
	"valid for 10 minutes.\n\n\302\251 2026 Example, 12345 Town",
	"482913"},
    {"Your login code", "Hello,\n\n4829\n\nThe Example team", "4829"},
    {"482913", "This is your one-time password. Tell nobody.", "482913"},
    {"Your code", "Your code: 482 913.", "482913"},
    {"Your code", "Your code: 4829-1377", "48291377"},
    {"Passcode", "Passcode:4829", "4829"},
    {"Dein Bestätigungscode", "Dein Code lautet 482913. Gültig bis 12:30.",
	"482913"},
    {"Anmeldung", "IHR SICHERHEITSCODE: 48291377", "48291377"},
    {"Connexion", "Votre code de vérification est le 482 913", "482913"},
    {"Acceso", "Tu código de verificación: 482913", "482913"},
    {"Accesso", "Il tuo codice di verifica è 482913", "482913"},
    {"Acesso", "Seu código de verificação é 482913", "482913"},
    {"Inloggen", "Je verificatiecode is 482913", "482913"},
    {"Logga in", "Din verifieringskod är 482913", "482913"},
    {"Logowanie", "Twój kod weryfikacyjny: 482913", "482913"},
    {"Вход", "Ваш код подтверждения: 482913", "482913"},
    {"登录", "您的验证码是482913，请勿泄露", "482913"},
    {"ログイン", "認証コード：482913", "482913"},
    {"로그인", "인증번호는 482913 입니다", "482913"},
    {"Giriş", "Doğrulama kodu: 482913", "482913"},
    /* The nearest one. */
    {"Order 4711234", "Your security code is 829301.", "829301"},
    {"Your code", "Request 7654321. Your verification code is 829301.",
	"829301"},
    {"Your verification code",
	"829301\n\nOr call +49 170 1234567 or 555 123 4567.", "829301"},
    /* None. */
    {"Lunch?", "At 12:30, Main Street 4711", NULL},
    {"Invoice 482913", "Please pay 4829.13 EUR until 2026-12-01", NULL},
    {"Your parcel 48291377", "Tracking: 48291377", NULL},
    {"Save 20%", "Use promo code 482913 at checkout", NULL},
    {"Hello", "Our zip code is 48291 and our postal code is 4829", NULL},
    {"Your verification code", "It expires in 2026.", NULL},
    {"Your code is ready",
	"It costs 4829 \342\202\254 or \302\2434829 or $4829", NULL},
    {"Your code", "482913137 and 123", NULL},
    {"Your code", "http://example.org/4829/x?id=482913&y=4829 v1.4829", NULL},
    {"Your code", "12:4829 1,4829 4829.13 +4829 #4829 a4829 4829b", NULL},
    {"Potpourri 4829", "", NULL},
    {"Review: please look at the source code", "line 4829 of 5000", NULL},
    {"", "", NULL},
    {"Your verification code", "", NULL},
    {"\377\376 your code is 482913 \377", "\377", "482913"},
};

static void
test_code(void **state)
{
	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		BUF_AUTO code = BUF_INIT;
		bool found = code_find(span_from_str(cases[i].subject),
		    span_from_str(cases[i].text), &code);

		if (found == (cases[i].code != NULL) &&
		    (!found || strcmp(buf_str(&code), cases[i].code) == 0))
			continue;
		print_error("case: %s / %s: %s instead of %s\n",
		    cases[i].subject, cases[i].text, buf_str(&code),
		    cases[i].code != NULL ? cases[i].code : "none");
		failed++;
	}
	assert_int_equal(failed, 0);
}

static const struct {
	const char *subject, *masked;
} masks[] = {
    {"Your login code is 482913.", "Your login code is ******."},
    {"482 913 is your verification code", "*** *** is your verification code"},
    {"Your login code: 482-913 (482913)", "Your login code: ***-*** (******)"},
    {"G-482913 is your Google verification code",
	"G-****** is your Google verification code"},
    {"Your login code is 482913, not 1482913 or 48291",
	"Your login code is ******, not ******* or *****"},
    {"Your code is 482913, no: your code is 4714",
	"Your code is ******, no: your code is ****"},
    {"Invoice 482913", "Invoice 482913"},
    {"Lunch at 12:30?", "Lunch at 12:30?"},
    {"", ""},
};

static void
test_mask(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		BUF_AUTO masked = BUF_INIT;

		code_mask(span_from_str(masks[i].subject), &masked);
		assert_string_equal(buf_str(&masked), masks[i].masked);
		/* What was masked stays so: messages are compared by it. */
		BUF_AUTO again = BUF_INIT;
		code_mask(buf_span(&masked), &again);
		assert_string_equal(buf_str(&again), masks[i].masked);
	}
}

/* A text that a rule made of a message, hidden and shown again. */
static const struct {
	const char *subject, *text, *made, *hidden;
} hidden[] = {
    {"Your login code is 482913", "", "482913", "******"},
    {"Your login code is 482913", "", "** 482 913 (482-913) 4829130",
	"** *** *** (***-***) 4829130"},
    {"Your login code is 482913, not 1482913", "", "482913 1482913 14829131",
	"****** ******* 14829131"},
    {"Your login code", "It is\n4829\n", "Code: 4829 ***** 14829",
	"Code: **** ***** 14829"},
    {"Your code is 482913, no: your code is 4714", "", "4714 482913",
	"**** ******"},
    {"Lunch", "at noon", "482913 ******", "482913 ******"},
    {"", "", "", ""},
};

static void
test_hide(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(hidden); i++) {
		STRV_AUTO codes = STRV_INIT;
		BUF_AUTO out = BUF_INIT;

		code_list(span_from_str(hidden[i].subject),
		    span_from_str(hidden[i].text), &codes);
		code_hide(span_from_str(hidden[i].made), &codes, &out);
		assert_string_equal(buf_str(&out), hidden[i].hidden);
		char *back = buf_take_str(&out);
		code_show(&back, &codes);
		assert_string_equal(back, hidden[i].made);
		free(back);
	}
}

static void
test_is_hidden(void **state)
{
	(void)state;
	assert_true(code_is_hidden("Your code: ****"));
	assert_true(code_is_hidden("***-*** is it"));
	assert_true(code_is_hidden("********"));
	assert_false(code_is_hidden("*** "));
	assert_false(code_is_hidden("********* nine"));
	assert_false(code_is_hidden("** *** *"));
	assert_false(code_is_hidden(""));
}

/* Everything that may stand before and behind the digits, up to the ends. */
static void
test_edges(void **state)
{
	static const char text[] = "your code is g-482 913 ";

	(void)state;
	for (size_t from = 0; from < sizeof(text); from++)
		for (size_t len = 0; from + len < sizeof(text); len++) {
			BUF_AUTO code = BUF_INIT;

			code_find(span_from(text + from, len),
			    span_from(text, len), &code);
			assert_true(code.len <= CODE_DIGITS_MAX);
			buf_clear(&code);
			code_mask(span_from(text + from, len), &code);
			assert_int_equal(code.len, len);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_code),
	    cmocka_unit_test(test_edges),
	    cmocka_unit_test(test_mask),
	    cmocka_unit_test(test_hide),
	    cmocka_unit_test(test_is_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
