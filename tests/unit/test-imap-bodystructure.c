/*
 * test-imap-bodystructure: the leaves of a BODYSTRUCTURE, as servers send it
 * and as they should not.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/buf.h"
#include "daemon/wire/imap/bodystructure.h"
#include "daemon/wire/imap/fetch.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

static void
describe_params(struct buf *out, const struct imap_value *params, size_t count)
{
	struct span name, value;

	while (imap_param_next(&params, &count, &name, &value))
		buf_addf(out, " %.*s=%.*s", SPAN_FMT(name), SPAN_FMT(value));
}

/* One leaf a line: section type/subtype params [disposition params]
 * {encoding} size id related */
static void
describe_leaf(struct buf *out, const struct imap_leaf *leaf)
{
	buf_addf(out, "%s %.*s/%.*s", leaf->section, SPAN_FMT(leaf->type),
	    SPAN_FMT(leaf->subtype));
	describe_params(out, leaf->params, leaf->param_count);
	if (leaf->disposition.len > 0) {
		buf_addf(out, " [%.*s", SPAN_FMT(leaf->disposition));
		describe_params(out, leaf->disposition_params,
		    leaf->disposition_param_count);
		buf_add_char(out, ']');
	}
	buf_addf(out, " {%.*s} %" PRIu64 "%s%s\n", SPAN_FMT(leaf->encoding),
	    leaf->size, leaf->has_id ? " id" : "",
	    leaf->is_related ? " related" : "");
}

static void
describe(struct buf *out, const struct imap_value *value)
{
	struct imap_bodystructure walk;
	struct imap_leaf leaf;

	if (!imap_bodystructure_begin(&walk, value)) {
		buf_add_str(out, "none\n");
		return;
	}
	while (imap_bodystructure_next(&walk, &leaf))
		describe_leaf(out, &leaf);
	if (walk.is_cut)
		buf_add_str(out, "cut\n");
}

/* `value` is what follows BODYSTRUCTURE. */
static void
read_structure(const char *name, struct span value, struct buf *out)
{
	struct imap_lexer *lexer = imap_lexer_new(IMAP_LITERAL_MAX);
	struct imap_response response;
	struct imap_fetch fetch;

	imap_lexer_feed(lexer, SPAN("* 1 FETCH (UID 7 BODYSTRUCTURE "));
	imap_lexer_feed(lexer, value);
	imap_lexer_feed(lexer, SPAN(")\r\n"));
	if (imap_lexer_next(lexer, &response, NULL) != 1 ||
	    !imap_fetch_parse(&response, &fetch) || fetch.uid != 7) {
		print_error("case: %s: no fetch\n", name);
		fail();
	}
	describe(out, fetch.structure);
	imap_lexer_free(&lexer);
}

struct structure_case {
	const char *name, *value, *out;
};

/* clang-format off */
static const struct structure_case structures[] = {
	{"one text", "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"utf-8\") NIL NIL"
	    " \"7BIT\" 3028 92)", "1 TEXT/PLAIN CHARSET=utf-8 {7BIT} 3028\n"},
	{"one text, extended", "(\"text\" \"plain\" (\"charset\" \"utf-8\") NIL"
	    " NIL \"7bit\" 5 1 \"md5\" (\"inline\" (\"filename\" \"a.txt\"))"
	    " (\"en\" \"de\") \"here\" (1 (2)) 3)",
	    "1 text/plain charset=utf-8 [inline filename=a.txt] {7bit} 5\n"},
	{"one attachment", "(\"application\" \"pdf\" (\"name\" \"a.pdf\") NIL"
	    " NIL \"base64\" 400 NIL (\"attachment\" (\"filename\" \"a.pdf\"))"
	    " NIL NIL)", "1 application/pdf name=a.pdf [attachment"
	    " filename=a.pdf] {base64} 400\n"},
	{"text, html and attachment", "(((\"text\" \"plain\" NIL NIL NIL"
	    " \"7bit\" 1 1 NIL NIL NIL)(\"text\" \"html\" NIL NIL NIL \"8bit\""
	    " 2 1 NIL NIL NIL) \"alternative\" (\"boundary\" \"b\") NIL NIL)"
	    "(\"image\" \"png\" (\"name\" \"x\") \"<id>\" \"desc\" \"base64\""
	    " 77 NIL (\"attachment\" NIL) NIL) \"mixed\" (\"boundary\" \"a\"))",
	    "1.1 text/plain {7bit} 1\n1.2 text/html {8bit} 2\n"
	    "2 image/png name=x [attachment] {base64} 77 id\n"},
	{"related, deep", "((\"text\" \"html\" NIL NIL NIL \"7bit\" 1 1)"
	    "((\"image\" \"gif\" NIL \"<i>\" NIL \"base64\" 3) \"MIXED\")"
	    " \"Related\")", "1 text/html {7bit} 1 related\n"
	    "2.1 image/gif {base64} 3 id related\n"},
	{"attached message", "((\"text\" \"plain\" NIL NIL NIL \"7bit\" 1 1)"
	    "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 342 (\"date\""
	    " \"subject\" ((NIL NIL \"a\" \"b\")) NIL NIL NIL NIL NIL NIL"
	    " \"<id>\") ((\"text\" \"plain\" NIL NIL NIL \"7bit\" 9 1)"
	    "(\"application\" \"zip\" NIL NIL NIL \"base64\" 9) \"mixed\") 5"
	    " NIL (\"attachment\" (\"filename\" \"m.eml\"))) \"mixed\")",
	    "1 text/plain {7bit} 1\n"
	    "2 message/rfc822 [attachment filename=m.eml] {7bit} 342\n"},
	{"attached message, nothing known of it", "(\"message\" \"rfc822\" NIL"
	    " NIL NIL \"7bit\" 342 NIL (\"attachment\" NIL))",
	    "1 message/rfc822 [attachment] {7bit} 342\n"},
	{"attached message whose envelope looks like a disposition",
	    "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 342 (\"date\" NIL"
	    " NIL NIL NIL NIL NIL NIL NIL NIL) (\"text\" \"plain\" NIL NIL NIL"
	    " \"7bit\" 9 1) 5)", "1 message/rfc822 {7bit} 342\n"},
	{"a text whose lines are left out", "(\"text\" \"x-patch\" NIL NIL NIL"
	    " \"7bit\" 6 NIL (\"attachment\" (\"filename\" \"p\")) NIL NIL)",
	    "1 text/x-patch [attachment filename=p] {7bit} 6\n"},
	{"disposition without parameters", "(\"image\" \"png\" NIL NIL NIL"
	    " \"base64\" 6 NIL (\"attachment\") NIL NIL)",
	    "1 image/png [attachment] {base64} 6\n"},
	{"languages are no disposition", "(\"image\" \"png\" NIL NIL NIL"
	    " \"base64\" 6 NIL NIL (\"en\" \"de\"))",
	    "1 image/png {base64} 6\n"},
	{"numbers negative, float, missing", "((\"text\" \"plain\" NIL NIL NIL"
	    " \"7bit\" -1 -1)(\"text\" \"plain\" NIL NIL NIL \"7bit\" 9.5 1)"
	    "(\"text\" \"plain\" NIL NIL NIL \"7bit\" 9e+06 1)"
	    "(\"text\" \"plain\" NIL NIL NIL \"7bit\" NIL NIL)"
	    "(\"text\" \"plain\" NIL NIL NIL \"7bit\")(\"text\" \"plain\" NIL)"
	    " \"mixed\")", "1 text/plain {7bit} 0\n2 text/plain {7bit} 9\n"
	    "3 text/plain {7bit} 0\n4 text/plain {7bit} 0\n"
	    "5 text/plain {7bit} 0\n6 text/plain {} 0\n"},
	{"NIL everywhere", "(NIL NIL NIL NIL NIL NIL NIL)", "1 / {} 0\n"},
	{"NIL everywhere, in a multipart", "((NIL NIL NIL NIL NIL NIL NIL NIL)"
	    "(\"a\" \"b\" NIL NIL NIL NIL 0) NIL)", "1 / {} 0\n2 a/b {} 0\n"},
	{"atoms and literals for strings", "(text {5}\r\nplain (charset"
	    " {3}\r\na\"b size 5) NIL NIL 8bit \"12\" 1)",
	    "1 text/plain charset=a\"b size=5 {8bit} 12\n"},
	{"odd parameters", "(\"a\" \"b\" (\"name\" NIL NIL \"x\" (1 2) \"y\""
	    " \"last\") NIL NIL NIL 1)", "1 a/b name= {} 1\n"},
	{"parameters that are a string", "(\"a\" \"b\" \"c\" NIL NIL NIL 1)",
	    ""},
	{"empty multipart, as NIL", "(NIL \"mixed\" (\"boundary\" \"b\") NIL"
	    " NIL NIL)", ""},
	{"empty multipart, as nothing", "(\"mixed\" (\"boundary\" \"b\") NIL)",
	    ""},
	{"empty multipart, as an empty list", "(() \"mixed\")", ""},
	{"a child that cannot be read counts", "((\"text\" (1))()((()))(\"text\""
	    " \"plain\" NIL NIL NIL \"7bit\" 1 1) \"mixed\")",
	    "4 text/plain {7bit} 1\n"},
	{"without a subtype", "((\"text\" \"plain\" NIL NIL NIL \"7bit\" 1 1)"
	    " (\"boundary\" \"b\") NIL)", "1 text/plain {7bit} 1\n"},
	{"without anything behind the children", "((\"text\" \"plain\" NIL NIL"
	    " NIL \"7bit\" 1 1))", "1 text/plain {7bit} 1\n"},
	{"NIL", "NIL", "none\n"},
	{"empty", "()", "none\n"},
	{"a string", "\"text\"", "none\n"},
	{"missing", "", "none\n"},
};
/* clang-format on */

static void
check(const char *name, struct span value, const char *wanted)
{
	struct buf out = BUF_INIT;

	read_structure(name, value, &out);
	if (!span_is(buf_span(&out), wanted)) {
		print_error("case: %s\nwanted: %s\ngot:    %s\n", name, wanted,
		    buf_str(&out));
		fail();
	}
	buf_done(&out);
}

static void
test_structures(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(structures); i++)
		check(structures[i].name, span_from_str(structures[i].value),
		    structures[i].out);
}

#define TEXT "(\"text\" \"plain\" NIL NIL NIL \"7bit\" 1 1)"

static void
repeat(struct buf *buf, const char *text, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_add_str(buf, text);
}

/* `depth` multiparts around one text. */
static void
check_nested(const char *name, size_t depth, const char *end)
{
	struct buf value = BUF_INIT, wanted = BUF_INIT;

	repeat(&value, "(", depth);
	buf_add_str(&value, TEXT);
	repeat(&value, " \"mixed\")", depth);
	if (depth <= IMAP_STRUCTURE_DEPTH_MAX) {
		repeat(&wanted, "1.", depth - 1);
		buf_add_str(&wanted, "1 text/plain {7bit} 1\n");
	}
	buf_add_str(&wanted, end);
	check(name, buf_span(&value), buf_str(&wanted));
	buf_done(&value);
	buf_done(&wanted);
}

static void
test_depth(void **state)
{
	(void)state;
	check_nested("deepest", IMAP_STRUCTURE_DEPTH_MAX, "");
	check_nested("too deep", IMAP_STRUCTURE_DEPTH_MAX + 1, "cut\n");
	check_nested("as deep as lists go", IMAP_NESTING_MAX - 2, "cut\n");
}

/* As a real message has them: names in both places, sizes. */
#define ATTACHMENT                                                             \
	"(\"application\" \"pdf\" (\"name\" \"invoice-2024-0000.pdf\") NIL "   \
	"NIL \"base64\" 1234567 NIL (\"attachment\" (\"filename\" "            \
	"\"invoice-2024-0000.pdf\")) NIL NIL)"
#define ATTACHMENTS 300

static void
test_hundreds_of_parts(void **state)
{
	struct buf value = BUF_INIT, out = BUF_INIT;
	size_t lines = 0;

	(void)state;
	buf_add_str(&value, "(" TEXT);
	repeat(&value, ATTACHMENT, ATTACHMENTS);
	buf_add_str(&value, " \"mixed\")");
	read_structure("hundreds", buf_span(&value), &out);
	for (size_t i = 0; i < out.len; i++)
		lines += out.data[i] == '\n';
	assert_int_equal(lines, ATTACHMENTS + 1);
	assert_non_null(strstr(buf_str(&out), "\n301 application/pdf"));
	buf_done(&value);
	buf_done(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_structures),
	    cmocka_unit_test(test_depth),
	    cmocka_unit_test(test_hundreds_of_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
