#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/eai.h"
#include "daemon/base/fold.h"
#include "daemon/base/punycode.h"
#include "daemon/base/random.h"
#include "daemon/base/utf8.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LONG_LABEL                                                             \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char *written, *wire; /* NULL: refused */
} addresses[] = {
    {"ann@example.org", "ann@example.org"},
    {"Ann@Example.ORG", "Ann@Example.ORG"},
    {"", ""},
    {"ann", "ann"},
    {"ann@b\xc3\xbc"
     "cher.example",
	"ann@xn--bcher-kva.example"},
    {"ann@B\xc3\x9c"
     "CHER.Example",
	"ann@xn--bcher-kva.Example"},
    {"ann@stra\xc3\x9f"
     "e.example",
	"ann@xn--strae-oqa.example"},
    {"ann@\xe4\xbe\x8b\xe3\x81\x88.example", "ann@xn--r8jz45g.example"},
    {"ann@\xd0\xbf\xd1\x80\xd0\xb8\xd0\xbc\xd0\xb5\xd1\x80.\xd1\x80\xd1\x84",
	"ann@xn--e1afmkfd.xn--p1ai"},
    {"ann@\xec\x95\x88\xeb\x85\x95", "ann@xn--o70b819a"},
    {"ann@\xe6\x88\x91\xe7\x88\xb1\xe4\xbd\xa0", "ann@xn--6qq986b3xl"},
    /* RFC 5892: neither "ss" nor another sigma. */
    {"ann@\xce\xb1\xcf\x82", "ann@xn--mxa8a"},
    /* The local part has no such form. */
    {"j\xc3\xbcrgen@xn--bcher-kva.example",
	"j\xc3\xbcrgen@xn--bcher-kva.example"},
    {"j\xc3\xbcrgen@b\xc3\xbc"
     "cher",
	"j\xc3\xbcrgen@xn--bcher-kva"},
    /* u, combining diaeresis: it would be another name. */
    {"ann@bu\xcc\x88"
     "cher.example",
	NULL},
    {"ann@b\xc3.example", NULL},
    {"ann@b\xe2\x80\x8b\xc3\xbc.example", NULL}, /* zero-width space */
    {"ann@b\xc2\xa0\xc3\xbc.example", NULL},	 /* no-break space */
    {"ann@" LONG_LABEL "\xc3\xbc", NULL},
};

static void
test_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(addresses); i++) {
		BUF_AUTO out = BUF_INIT;
		const char *why = NULL;
		bool ok = eai_add_address(
		    &out, span_from_str(addresses[i].written), &why);

		if (ok != (addresses[i].wire != NULL) || ok != (why == NULL) ||
		    strcmp(buf_str(&out), ok ? addresses[i].wire : "") != 0)
			fail_msg("%s: %s (%s)", addresses[i].written,
			    buf_str(&out), why != NULL ? why : "");
	}
}

static void
test_clean(void **state)
{
	(void)state;
	assert_true(eai_is_clean(SPAN("j\xc3\xbcrgen")));
	assert_false(eai_is_clean(SPAN("j\xffrgen")));
	assert_false(eai_is_clean(SPAN("j\nrgen")));
	assert_false(eai_is_clean(SPAN("a\xe2\x80\xae"
				       "b"))); /* right to left */
	assert_false(eai_is_clean(SPAN("a\xe3\x80\x80"
				       "b"))); /* ideographic space */
}

/* What is encoded is decoded to the same, and fits into a label. */
static void
test_there_and_back(void **state)
{
	static const uint32_t firsts[] = {
	    'a', 0xe0, 0x3b1, 0x430, 0x5d0, 0x4e00, 0xac00, 0x1f600};
	struct random random;
	unsigned encoded = 0;

	(void)state;
	random_init(&random, 1);
	for (unsigned n = 0; n < 20000; n++) {
		BUF_AUTO label = BUF_INIT, wire = BUF_INIT, back = BUF_INIT;
		unsigned count = 1 + (unsigned)random_below(&random, 25);
		for (unsigned i = 0; i < count; i++)
			utf8_add(&label,
			    firsts[random_below(&random, COUNT(firsts))] +
				(uint32_t)random_below(&random, 20));
		if (!punycode_encode_label(&wire, buf_span(&label))) {
			assert_int_equal(wire.len, 0);
			continue;
		}
		encoded++;
		assert_true(wire.len <= PUNYCODE_LABEL_MAX);
		assert_int_equal(utf8_ascii_length(buf_span(&wire)), wire.len);
		assert_true(punycode_decode_label(&back, buf_span(&wire)));
		assert_string_equal(buf_str(&back), buf_str(&label));
	}
	assert_true(encoded > 5000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_addresses),
	    cmocka_unit_test(test_clean),
	    cmocka_unit_test(test_there_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
