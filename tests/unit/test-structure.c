/*
 * test-structure: which parts a message has, and which of them are
 * attachments.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/xalloc.h"
#include "daemon/mail/body.h"
#include "daemon/mail/mime_walk.h"
#include "daemon/mail/structure.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))
#define MULTI(subtype, boundary)                                               \
	"Content-Type: multipart/" subtype "; boundary=\"" boundary "\"\r\n"
#define MIXED MULTI("mixed", "b") "\r\n"

/* ---- Parts ---- */

/* Each leaf: section, type, and its body in brackets. */
static const struct {
	const char *name, *in, *out;
} messages[] = {
    /* clang-format off */
	{"empty", "", "1 text/plain []"},
	{"header only", "Subject: x\r\n", "1 text/plain []"},
	{"header without line end", "Subject: x", "1 text/plain []"},
	{"body only", "\r\nhello", "1 text/plain [hello]"},
	{"plain", "Subject: x\r\n\r\nhello\r\n", "1 text/plain [hello\r\n]"},
	{"line feeds", "Subject: x\n\nhello\n", "1 text/plain [hello\n]"},
	{"html", "Content-Type: Text/HTML\r\n\r\nx", "1 text/html [x]"},
	{"no subtype", "Content-Type: text\r\n\r\nx", "1 text/plain [x]"},
	{"no type", "Content-Type: pdf\r\n\r\nx", "1 text/plain [x]"},
	{"binary without subtype", "Content-Type: image\r\n\r\nx",
	    "1 application/octet-stream [x]"},
	{"mixed", MIXED "--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n",
	    "1 text/plain [one], 2 text/plain [two]"},
	{"mixed, line feeds",
	    "Content-Type: multipart/mixed;\n boundary=b\n\n--b\n\none\n\n"
	    "--b\n\ntwo\n--b--\n",
	    "1 text/plain [one\n], 2 text/plain [two]"},
	{"preamble and epilogue",
	    MIXED "pre\r\n--b\r\n\r\none\r\n--b--\r\nepi\r\n--b\r\n\r\nno",
	    "1 text/plain [one]"},
	{"no end", MIXED "--b\r\n\r\none\r\n--b\r\n\r\ntwo",
	    "1 text/plain [one], 2 text/plain [two]"},
	{"cut in a header", MIXED "--b\r\n\r\none\r\n--b\r\nContent-Ty",
	    "1 text/plain [one], 2 text/plain []"},
	{"cut in a boundary", MIXED "--b\r\n\r\none\r\n--b",
	    "1 text/plain [one]"},
	{"no part", MIXED "hello\r\n", "1 text/plain [hello\r\n]"},
	{"ends at once", MIXED "hello\r\n--b--\r\n", "1 text/plain [hello]"},
	{"no boundary", "Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\nx",
	    "1 text/plain [--b\r\n\r\nx]"},
	{"empty boundary",
	    "Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n-- \r\nx",
	    "1 text/plain [-- \r\nx]"},
	{"no boundary inside",
	    MIXED "--b\r\nContent-Type: multipart/mixed\r\n\r\nx\r\n--b--",
	    "1.1 text/plain [x]"},
	{"header without empty line",
	    MIXED "--b\r\nContent-Type: image/png\r\n--b\r\n\r\nx",
	    "1 image/png [], 2 text/plain [x]"},
	{"no header", MIXED "--b\r\n\r\n\r\nx\r\n--b--", "1 text/plain [\r\nx]"},
	{"empty part", MIXED "--b\r\n--b\r\n\r\n--b--",
	    "1 text/plain [], 2 text/plain []"},
	{"padding", MIXED "--b \t\r\n\r\nx\r\n--b-- \r\n", "1 text/plain [x]"},
	{"blank in front", MIXED "--b\r\n\r\nx\r\n -- b\r\n-- b\r\n--b--",
	    "1 text/plain [x\r\n -- b\r\n-- b]"},
	{"case counts", MIXED "--b\r\n\r\nx\r\n--B\r\n--b--",
	    "1 text/plain [x\r\n--B]"},
	{"signature", MIXED "--b\r\n\r\nx\r\n-- \r\nme\r\n--b--",
	    "1 text/plain [x\r\n-- \r\nme]"},
	{"nested",
	    MIXED "--b\r\n" MULTI("alternative", "c") "\r\n--c\r\n\r\none\r\n"
	    "--c\r\nContent-Type: text/html\r\n\r\ntwo\r\n--c--\r\n--b\r\n\r\n"
	    "three\r\n--b--",
	    "1.1 text/plain [one], 1.2 text/html [two], 2 text/plain [three]"},
	{"inner without end",
	    MIXED "--b\r\n" MULTI("alternative", "c") "\r\n--c\r\n\r\none\r\n"
	    "--b\r\n\r\ntwo\r\n--b--",
	    "1.1 text/plain [one], 2 text/plain [two]"},
	{"inner longer",
	    MIXED "--b\r\n" MULTI("alternative", "bb") "\r\n--bb\r\n\r\none\r\n"
	    "--bb--\r\n--b\r\n\r\ntwo\r\n--b--",
	    "1.1 text/plain [one], 2 text/plain [two]"},
	{"outer longer",
	    MULTI("mixed", "bb") "\r\n--bb\r\n" MULTI("alternative", "b")
	    "\r\n--b\r\n\r\none\r\n--b--\r\n--bb\r\n\r\ntwo\r\n--bb--",
	    "1.1 text/plain [one], 2 text/plain [two]"},
	{"inner longer, inexact",
	    MIXED "--b\r\n" MULTI("alternative", "bb") "\r\n--bb;\r\n\r\n"
	    "one\r\n--bb--\r\n--b;\r\n\r\ntwo\r\n--b--",
	    "1.1 text/plain [one], 2 text/plain [two]"},
	{"outer longer, inexact",
	    MULTI("mixed", "bb") "\r\n--bb\r\n" MULTI("alternative", "b")
	    "\r\n--b\r\n\r\none\r\n--bb;\r\n\r\ntwo\r\n--bb--",
	    "1.1 text/plain [one], 2 text/plain [two]"},
	{"the same twice",
	    MIXED "--b\r\n" MIXED "--b\r\n\r\none\r\n--b--\r\n--b\r\n\r\ntwo",
	    "1.1 text/plain [one], 2 text/plain [two]"},
	{"attached message",
	    MIXED "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n"
	    MULTI("mixed", "bc") "\r\n--bc\r\n\r\none\r\n--bc--\r\n"
	    "--b\r\n\r\ntwo\r\n--b--",
	    "1 message/rfc822 [Subject: x\r\n" MULTI("mixed", "bc")
	    "\r\n--bc\r\n\r\none\r\n--bc--], 2 text/plain [two]"},
	{"digest",
	    MULTI("digest", "b") "\r\n--b\r\n\r\nSubject: x\r\n\r\none\r\n"
	    "--b\r\nContent-Type: text/plain\r\n\r\ntwo\r\n--b--",
	    "1 message/rfc822 [Subject: x\r\n\r\none], 2 text/plain [two]"},
	{"only a message",
	    "Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nhello",
	    "1 message/rfc822 [Subject: x\r\n\r\nhello]"},
	{"boundary in parts",
	    "Content-Type: multipart/mixed; boundary*0=a; boundary*1=b\r\n\r\n"
	    "--ab\r\n\r\nx\r\n--ab--",
	    "1 text/plain [x]"},
	{"mbox line", "From x Mon\r\n" MIXED "--b\r\n\r\nx\r\n--b--",
	    "1 text/plain [x]"},
    /* clang-format on */
};

static void
add_part(struct buf *out, struct span message, const struct part *part)
{
	if (out->len > 0)
		buf_add_str(out, ", ");
	buf_addf(out, "%s %s [", part->section, part->type);
	buf_add_span(out, body_find_part(message, part->section));
	buf_add_char(out, ']');
}

static void
test_messages(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(messages); i++) {
		struct span message = span_from_str(messages[i].in);
		struct structure structure;
		BUF_AUTO out = BUF_INIT;

		structure_init(&structure);
		structure_parse(&structure, message);
		for (size_t j = 0; j < structure.count; j++)
			add_part(&out, message, &structure.parts[j]);
		structure_done(&structure);
		if (strcmp(buf_str(&out), messages[i].out) != 0) {
			print_error(
			    "%s: \"%s\"\n", messages[i].name, buf_str(&out));
			fail();
		}
	}
}

/* ---- Attachments ---- */

/* One leaf in a multipart of the kind, as header lines. */
static const struct {
	const char *name, *kind, *lines;
	bool is_attachment;
	const char *file;
} leaves[] = {
/* clang-format off */
#define CT "Content-Type: "
#define CD "Content-Disposition: "
	{"text", "mixed", CT "text/plain\r\n", false, ""},
	{"no header", "mixed", "", false, ""},
	{"html", "alternative", CT "text/html\r\n", false, ""},
	{"text, inline", "mixed", CT "text/plain\r\n" CD "inline\r\n", false, ""},
	{"text, attachment", "mixed", CT "text/plain\r\n" CD "attachment\r\n",
	    true, ""},
	{"text with a name", "mixed", CT "text/plain; name=a.txt\r\n", true,
	    "a.txt"},
	{"unknown disposition", "mixed", CD "foo\r\n", false, ""},
	{"pdf", "mixed", CT "application/pdf\r\n", true, ""},
	{"pdf, inline by Apple", "mixed",
	    CT "application/pdf; name=x\r\n" CD "inline; filename=x.pdf\r\n",
	    true, "x.pdf"},
	{"pdf in related, inline", "related",
	    CT "application/pdf\r\n" CD "inline\r\nContent-ID: <a>\r\n", true, ""},
	{"filename first", "mixed",
	    CT "image/png; name=a.png\r\n" CD "attachment; filename=b.png\r\n",
	    true, "b.png"},
	{"name if filename is empty", "mixed",
	    CT "image/png; name=a.png\r\n" CD "attachment; filename=\"\"\r\n",
	    true, "a.png"},
	{"image", "mixed", CT "image/png\r\n", true, ""},
	{"image by Apple", "mixed",
	    CT "image/jpeg\r\n" CD "inline; filename=a.jpg\r\n", true, "a.jpg"},
	{"image with an id, not related", "mixed",
	    CT "image/png\r\nContent-ID: <a>\r\n", true, ""},
	{"image in place", "related",
	    CT "image/png; name=a.png\r\nContent-ID: <a>\r\n", false, "a.png"},
	{"image in place, inline", "related",
	    CT "image/png\r\n" CD "inline; filename=a.png\r\n", false, "a.png"},
	{"image in related, attachment", "related",
	    CT "image/png\r\n" CD "attachment\r\nContent-ID: <a>\r\n", true, ""},
	{"image in related, nothing said", "related", CT "image/png\r\n", true,
	    ""},
	{"style in place", "related", CT "text/css; name=a.css\r\n"
	    "Content-ID: <a>\r\n", false, "a.css"},
	{"invitation", "alternative", CT "text/calendar; method=REQUEST\r\n",
	    false, ""},
	{"invitation as a file", "mixed",
	    CT "text/calendar; name=invite.ics\r\n", true, "invite.ics"},
	{"invitation, application", "mixed",
	    CT "application/ics; name=invite.ics\r\n" CD "attachment\r\n", true,
	    "invite.ics"},
	{"message", "mixed", CT "message/rfc822\r\n", true, ""},
	{"message, inline", "mixed", CT "message/rfc822\r\n" CD "inline\r\n",
	    true, ""},
	{"global delivery status", "report",
	    CT "message/global-delivery-status\r\n", false, ""},
	{"global receipt", "report",
	    CT "message/global-disposition-notification\r\n", false, ""},
	{"tracking status", "report", CT "message/tracking-status\r\n", false,
	    ""},
	{"delivery status", "report", CT "message/delivery-status\r\n", false,
	    ""},
	{"its header", "report", CT "text/rfc822-headers\r\n", false, ""},
	{"delivery status, attachment", "mixed",
	    CT "message/delivery-status\r\n" CD "attachment\r\n", true, ""},
	{"pgp signature", "signed", CT "application/pgp-signature; "
	    "name=signature.asc\r\n" CD "attachment\r\n", false,
	    "signature.asc"},
	{"s/mime signature", "signed", CT "application/pkcs7-signature; "
	    "name=smime.p7s\r\n" CD "attachment; filename=smime.p7s\r\n", false,
	    "smime.p7s"},
	{"s/mime signature, x", "signed",
	    CT "application/x-pkcs7-signature\r\n", false, ""},
	{"s/mime envelope", "mixed",
	    CT "application/pkcs7-mime; name=smime.p7m\r\n", false, "smime.p7m"},
	{"pgp version", "encrypted", CT "application/pgp-encrypted\r\n", false,
	    ""},
	{"pgp key", "mixed", CT "application/pgp-keys; name=key.asc\r\n", true,
	    "key.asc"},
	{"winmail.dat", "mixed", CT "application/ms-tnef; name=winmail.dat\r\n"
	    CD "attachment; filename=winmail.dat\r\n", false, "winmail.dat"},
	{"audio", "mixed", CT "audio/mpeg\r\n", true, ""},
	{"unknown", "mixed", CT "x/y\r\n", true, ""},
	{"path and blanks", "mixed",
	    CT "x/y; name=\" C:\\Temp\\a.doc \"\r\n", true, "C:\\Temp\\a.doc"},
	{"folded words", "mixed", CT "x/y;\r\n"
	    " name=\"=?utf-8?q?f=C3?=\r\n =?utf-8?q?=BCr?=\"\r\n", true,
	    "f\u00fcr"},
    /* clang-format on */
};

static void
test_attachments(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(leaves); i++) {
		struct structure structure;
		BUF_AUTO message = BUF_INIT;
		const struct part *part;

		buf_addf(&message,
		    "Content-Type: multipart/%s; boundary=b\r\n\r\n"
		    "--b\r\n%s\r\nx\r\n--b--\r\n",
		    leaves[i].kind, leaves[i].lines);
		structure_init(&structure);
		structure_parse(&structure, buf_span(&message));
		assert_int_equal(structure.count, 1);
		part = &structure.parts[0];
		if (part->is_attachment != leaves[i].is_attachment ||
		    strcmp(part->name, leaves[i].file) != 0) {
			print_error("%s: %d \"%s\"\n", leaves[i].name,
			    part->is_attachment, part->name);
			fail();
		}
		assert_int_equal(structure_count_attachments(&structure),
		    leaves[i].is_attachment);
		structure_done(&structure);
	}
}

/* RFC 3156 section 4. */
static void
test_encrypted(void **state)
{
	struct structure structure;

	(void)state;
	structure_init(&structure);
	structure_parse(&structure,
	    SPAN(MULTI("encrypted",
		"b") "\r\n--b\r\n" CT "application/pgp-encrypted\r\n\r\n"
		     "Version: 1\r\n--b\r\n" CT "application/octet-stream; "
		     "name=encrypted.asc\r\n\r\nx\r\n"
		     "--b--"));
	assert_int_equal(structure.count, 2);
	assert_int_equal(structure_count_attachments(&structure), 0);
	structure_done(&structure);
}

/* ---- The text ---- */

/* Leaves in order, each a type and whether it is a file; which is the text. */
static const struct {
	const char *name, *parts[3];
	const char *section; /* NULL: none */
} texts[] = {
/* clang-format off */
#define FILE_TEXT CT "text/plain\r\n" CD "attachment\r\n"
#define NAMED CT "text/plain; name=a.txt\r\n"
	{"plain", {CT "text/plain\r\n"}, "1"},
	{"plain before html", {CT "text/html\r\n", CT "text/plain\r\n"}, "2"},
	{"html alone", {CT "text/html\r\n", CT "image/png\r\n"}, "1"},
	{"no file", {FILE_TEXT, CT "text/html\r\n"}, "2"},
	{"html before a named text", {NAMED, CT "text/html\r\n"}, "2"},
	{"a named text alone", {NAMED, CT "image/png\r\n"}, "1"},
	{"files only", {FILE_TEXT, CT "image/png\r\n"}, NULL},
	{"not a calendar", {CT "text/calendar\r\n"}, NULL},
    /* clang-format on */
};

static void
test_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(texts); i++) {
		struct structure structure;
		BUF_AUTO message = BUF_INIT;
		const struct part *part;
		bool is_right;

		buf_add_str(&message, MIXED);
		for (size_t j = 0; j < 3 && texts[i].parts[j] != NULL; j++)
			buf_addf(
			    &message, "--b\r\n%s\r\nx\r\n", texts[i].parts[j]);
		structure_init(&structure);
		structure_parse(&structure, buf_span(&message));
		part = structure_find_text(&structure);
		is_right = part == NULL || texts[i].section == NULL
			       ? (part == NULL) == (texts[i].section == NULL)
			       : strcmp(part->section, texts[i].section) == 0;
		if (!is_right) {
			print_error("%s: %s\n", texts[i].name,
			    part != NULL ? part->section : "none");
			fail();
		}
		structure_done(&structure);
	}
}

/* ---- Sources and sizes ---- */

static void
test_source(void **state)
{
	const struct mime_param params[] = {
	    {SPAN("NAME"), SPAN("=?utf-8?q?=C3=BC?=\n.png")},
	    {SPAN("charset"), SPAN("x\x01y")}};
	const struct part_source source = {.section = "1.2",
	    .type = SPAN("IMAGE"),
	    .subtype = SPAN("P\xffNG"),
	    .params = params,
	    .param_count = LENGTH(params),
	    .encoding = SPAN("BASE64"),
	    .size = 158};
	struct structure structure;

	(void)state;
	structure_init(&structure);
	structure_add(&structure, &source);
	assert_string_equal(structure.parts[0].section, "1.2");
	assert_string_equal(structure.parts[0].type, "image/p\u00ffng");
	assert_string_equal(structure.parts[0].name, "\u00fc .png");
	assert_string_equal(structure.parts[0].charset, "x\ufffdy");
	assert_string_equal(structure.parts[0].encoding, "base64");
	/* Two lines of 57 bytes and two characters: three bytes are near. */
	assert_true(structure.parts[0].size >= 112);
	assert_true(structure.parts[0].size <= 117);
	structure_done(&structure);
}

/* ---- Limits ---- */

static void
parse_flood(
    struct structure *structure, const char *head, const char *line, size_t len)
{
	BUF_AUTO message = BUF_INIT;

	buf_add_str(&message, head);
	while (message.len < len)
		buf_add_str(&message, line);
	structure_init(structure);
	structure_parse(structure, buf_span(&message));
}

static void
test_many_parts(void **state)
{
	struct structure structure;

	(void)state;
	parse_flood(&structure, MIXED, "--b\r\n", 1000000);
	assert_int_equal(structure.count, STRUCTURE_PARTS_MAX);
	assert_true(structure.is_truncated);
	structure_done(&structure);
}

/* What would cost too much if anything was looked at twice. */
static void
test_floods(void **state)
{
	static const char *const lines[] = {"--b\n", "--", "--b--\n", "\n",
	    "\r", "--b\n\n", "a:b\n", "--b\nContent-Type: message/rfc822\n\n",
	    "Content-Type: message/rfc822\n\n", "--bbbbbbbbbbbbbbbbbbbbbbbb\n"};
	static const char *const heads[] = {
	    "", MIXED, "\n", "Content-Type: message/rfc822\r\n\r\n" MIXED};

	(void)state;
	for (size_t i = 0; i < LENGTH(lines) * LENGTH(heads); i++) {
		struct structure structure;

		parse_flood(&structure, heads[i % LENGTH(heads)],
		    lines[i / LENGTH(heads)], 1000000);
		assert_true(structure.count <= STRUCTURE_PARTS_MAX);
		structure_done(&structure);
	}
}

static void
test_deep(void **state)
{
	struct structure structure;
	BUF_AUTO message = BUF_INIT;

	(void)state;
	for (int i = 0; i < 10000; i++)
		buf_addf(&message,
		    "Content-Type: multipart/mixed; boundary=b%05d\r\n\r\n"
		    "--b%05d\r\n\r\ntext\r\n--b%05d\r\n",
		    i, i, i);
	structure_init(&structure);
	structure_parse(&structure, buf_span(&message));
	assert_true(structure.is_truncated);
	assert_int_equal(structure.count, STRUCTURE_DEPTH_MAX);
	assert_int_equal(
	    strlen(structure.parts[STRUCTURE_DEPTH_MAX - 1].section),
	    2 * STRUCTURE_DEPTH_MAX - 1);
	structure_done(&structure);
}

static void
test_long_names(void **state)
{
	struct structure structure;
	BUF_AUTO message = BUF_INIT;

	(void)state;
	buf_add_str(&message, "Content-Type: x/");
	for (int i = 0; i < 3000; i++)
		buf_add_char(&message, 'y');
	buf_add_str(&message, "; name*=utf-8''x");
	for (int i = 0; i < 3000; i++)
		buf_add_str(&message, "%E2%82%AC");
	structure_init(&structure);
	structure_parse(&structure, buf_span(&message));
	assert_int_equal(strlen(structure.parts[0].type), 2 + 139);
	assert_int_equal(strlen(structure.parts[0].name), STRUCTURE_NAME_MAX);
	structure_done(&structure);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_messages),
	    cmocka_unit_test(test_attachments),
	    cmocka_unit_test(test_encrypted),
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_source),
	    cmocka_unit_test(test_many_parts),
	    cmocka_unit_test(test_floods),
	    cmocka_unit_test(test_deep),
	    cmocka_unit_test(test_long_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
