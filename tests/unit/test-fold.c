/* test-fold: case, and the labels of domains. The table of case is compared
 * with PCRE2's in test-rules-pattern. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/fold.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

static const struct {
	const char *text, *folded;
} texts[] = {
    {"", ""},
    {"Ann@Example.ORG", "ann@example.org"},
    {"[\\]^_`{|}", "[\\]^_`{|}"},
    {"Ärger ÖÜß", "ärger öüß"},
    {"×÷", "×÷"}, /* between letters, and none */
    {"ΣΊΣΥΦΟΣ ς", "σίσυφοσ σ"},
    {"ЖЁ", "жё"},
    {"Ĳ Ǆ ǅ ẞ", "ĳ ǆ ǆ ß"},
    {"\u212a \u017f \u00b5", "k s μ"},
    {"İı", "İı"}, /* of one language only */
    {"\U00010400\U0001e921", "\U00010428\U0001e943"},
    {"a\xff", "a\xef\xbf\xbd"},
};

static void
test_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(texts); i++) {
		BUF_AUTO folded = BUF_INIT;
		BUF_AUTO again = BUF_INIT;

		fold_add(&folded, span_from_str(texts[i].text));
		fold_add(&again, buf_span(&folded));
		assert_string_equal(buf_str(&folded), texts[i].folded);
		assert_string_equal(buf_str(&again), texts[i].folded);
	}
}

/* What is folded stays so: no row leads into another. */
static void
test_all(void **state)
{
	unsigned folded = 0;

	(void)state;
	for (uint32_t code = 0; code <= 0x110000; code++) {
		uint32_t to = fold_code(code);

		folded += to != code;
		if (fold_code(to) != to)
			fail_msg("U+%04X", code);
	}
	assert_int_equal(folded, 26 + 1428);
}

/* The first of them are of RFC 3492, section 7.1. */
static const struct {
	const char *domain, *unicode;
} domains[] = {
    {"example.org", "example.org"},
    {"", ""},
    {".a..", ".a.."},
    {"xn--egbpdaj6bu4bxfgehfvwxn", "ليهمابتكلموشعربي؟"},
    {"xn--ihqwcrb4cv8a8dqg056pqjye", "他们为什么不说中文"},
    {"xn--proprostnemluvesky-uyb24dma41a", "pročprostěnemluvíčesky"},
    {"xn--mnchen-3ya.example", "münchen.example"},
    {"mail.XN--MNCHEN-3YA", "mail.MüNCHEN"},
    {"xn--p1ai", "рф"},
    {"xn--bcher-kva.xn--p1ai", "bücher.рф"},
    /* No such thing. */
    {"xn--", "xn--"},
    {"xn--a", "\xc2\x80"},
    {"xn--abc-", "xn--abc-"},
    {"xn--abc-!", "xn--abc-!"},
    {"xn--99999999", "xn--99999999"},
    {"xn--zzzzzzzzzzzzzzzzzzzzzzzzzz", "xn--zzzzzzzzzzzzzzzzzzzzzzzzzz"},
    {"xn--mnchen-3yaxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
	"xn--mnchen-3yaxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
};

static void
test_domains(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(domains); i++) {
		BUF_AUTO unicode = BUF_INIT;

		fold_add_domain(&unicode, span_from_str(domains[i].domain));
		assert_string_equal(buf_str(&unicode), domains[i].unicode);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_texts),
	    cmocka_unit_test(test_all),
	    cmocka_unit_test(test_domains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
