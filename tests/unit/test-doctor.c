/*
 * test-doctor: causes and cures, from facts alone. That each comes of what it
 * should is in tests/live/doctor.py; here is what is hard to make there, and
 * that all texts can be filled.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/doctor/doctor_private.h"

/* ---- what bytes look like ---- */

static void
test_shapes(void **state)
{
	static const struct {
		const char *secret;
		enum doctor_shape shape;
	} cases[] = {
	    {"abcd-efgh-ijkl-mnop", SHAPE_APPLE},
	    {"ABCD-EFGH-IJKL-MNOP", SHAPE_APPLE},
	    {"abcd-efgh-ijkl-mno1", SHAPE_OTHER},
	    {"abcd-efgh-ijkl-mnopq", SHAPE_OTHER},
	    {"abcd efgh ijkl mnop", SHAPE_16},
	    {"abcdefghijklmnop", SHAPE_16},
	    {"abcdefghijklmno", SHAPE_OTHER},
	    {"abcdefghijklmnopq", SHAPE_OTHER},
	    {"", SHAPE_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(
		    doctor_shape_of(span_from_str(cases[i].secret)),
		    cases[i].shape);
}

static void
test_voices(void **state)
{
	static const struct {
		const char *bytes;
		enum doctor_voice voice;
	} cases[] = {
	    {"* OK IMAP4rev1", VOICE_IMAP},
	    {"* BYE", VOICE_IMAP},
	    {"220 mx ESMTP", VOICE_SMTP},
	    {"554 no", VOICE_SMTP},
	    {"+OK POP3", VOICE_POP3},
	    {"HTTP/1.1 400 Bad Request", VOICE_HTTP},
	    {"<html>", VOICE_HTTP},
	    {"SSH-2.0-x", VOICE_SSH},
	    {"\x15\x03\x03", VOICE_TLS},
	    {"hello", VOICE_UNKNOWN},
	    {"", VOICE_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(doctor_voice_of(span_from_str(cases[i].bytes)),
		    cases[i].voice);
}

/* ---- texts ---- */

static const struct preset icloud = {
    .id = "icloud",
    .name = "Apple iCloud Mail",
    .imap = {"imap.mail.me.com", 993, SERVER_TLS},
    .smtp = {"smtp.mail.me.com", 587, SERVER_STARTTLS},
    .auth = PRESET_APP_PASSWORD,
    .help = "https://help.example/1",
};

static void
test_fill(void **state)
{
	static const struct doctor_facts known = {
	    .place = DOCTOR_IMAP,
	    .account = "home",
	    .host = "h.example",
	    .port = 144,
	    .preset = &icloud,
	    .text = "a {brace} and ${host}",
	};
	static const struct {
		const char *text, *filled;
	} cases[] = {
	    {"${host}!", "h.example!"},
	    {"a{ at ${help}}.", "a at https://help.example/1."},
	    {"a{ if ${enable}}.", "a."},
	    {"a{ if ${enable} and ${host}}.", "a."},
	    {"${provider} and ${wanted}", "iCloud and app-specific password"},
	    {"${tls-way} ${clear-way}",
		"imaps://h.example:144 imap://h.example:144"},
	    {"${text}", "a {brace} and ${host}"},
	    {"${again}", "run `belfryctl doctor home` again"},
	    {"${from}", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *filled = doctor_fill(cases[i].text, &known);
		if (cases[i].filled == NULL)
			assert_null(filled);
		else
			assert_string_equal(filled, cases[i].filled);
		free(filled);
	}
	assert_null(doctor_fill(NULL, &known));
}

static void
fill_rows(const struct doctor_row *rows, const struct doctor_facts *facts)
{
	for (; rows->cause != NULL; rows++) {
		char *texts[] = {doctor_fill(rows->why, facts),
		    doctor_fill(rows->next, facts),
		    doctor_fill(rows->line, facts)};
		assert_true(texts[0] != NULL && texts[1] != NULL);
		for (size_t i = 0; i < 3; i++) {
			if (texts[i] != NULL && strpbrk(texts[i], "{}") != NULL)
				fail_msg("%s: %s", rows->cause, texts[i]);
			free(texts[i]);
		}
	}
}

/* An unknown word of a table ends the test by an assertion. */
static void
test_all_rows(void **state)
{
	const struct doctor_facts poor = {.place = DOCTOR_IMAP, .host = "h"};
	const struct doctor_facts rich = {
	    .place = DOCTOR_SMTP,
	    .account = "home",
	    .email = "ann@icloud.com",
	    .user = "ann",
	    .other_user = "ann@icloud.com",
	    .preset = &icloud,
	    .host = "h",
	    .port = 25,
	    .text = "text",
	    .voice = VOICE_HTTP,
	    .issuer = "issuer",
	    .names = "names",
	    .pin = "sha256:x",
	    .command = "pass",
	    .mailbox = "Box",
	    .nearest = "Bix",
	    .rule = "rule",
	    .from_unix = 1,
	    .until_unix = 2,
	    .now_unix = 3,
	    .skew_sec = 400,
	};

	(void)state;
	fill_rows(doctor_connect_rows, &poor);
	fill_rows(doctor_login_rows, &poor);
	fill_rows(doctor_mail_rows, &poor);
	fill_rows(doctor_connect_rows, &rich);
	fill_rows(doctor_login_rows, &rich);
	fill_rows(doctor_mail_rows, &rich);
}

/* ---- causes ---- */

static const struct cause_case {
	const char *cause;
	struct doctor_facts facts;
} cause_cases[] = {
    {"bridge-not-running", {.step = DOCTOR_CONNECTION,
			       .place = DOCTOR_IMAP,
			       .is_loopback = true,
			       .text = "Connection refused",
			       .preset = &(struct preset){.id = "proton-bridge",
				   .name = "Proton",
				   .quirks = QUIRK_SELF_SIGNED}}},
    {"portal", {.step = DOCTOR_ENCRYPTION,
		   .place = DOCTOR_IMAP,
		   .host = "imap.mail.me.com",
		   .preset = &icloud,
		   .is_private = true,
		   .fault = FAULT_PEER}},
    {"certificate-bad", {.step = DOCTOR_ENCRYPTION,
			    .place = DOCTOR_IMAP,
			    .host = "h",
			    .flaw = FLAW_OTHER,
			    .text = "CA md too weak"}},
    {"tls-injected", {.step = DOCTOR_ENCRYPTION,
			 .place = DOCTOR_IMAP,
			 .host = "h",
			 .text = "h went on in plaintext after STARTTLS"}},
    {"injected", {.step = DOCTOR_CAPABILITIES,
		     .place = DOCTOR_IMAP,
		     .host = "h",
		     .text = "the server sent data before encryption"}},
    {"no-imap4rev1", {.step = DOCTOR_CAPABILITIES,
			 .place = DOCTOR_IMAP,
			 .host = "h",
			 .text = "the server does not offer IMAP4rev1"}},
    {"other",
	{.step = DOCTOR_CONFIGURATION, .text = "nobody knows", .host = "h"}},
};

static void
test_causes(void **state)
{
	struct doctor_report report = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cause_cases) / sizeof(*cause_cases);
	     i++) {
		const struct cause_case *c = &cause_cases[i];
		struct doctor_finding *finding = doctor_add(&report,
		    c->facts.place, c->facts.step, DOCTOR_GOOD, NULL, NULL);
		doctor_judge(&c->facts, finding);
		assert_string_equal(finding->cause, c->cause);
		assert_int_equal(finding->result, DOCTOR_FAILED);
	}
	assert_int_equal(doctor_count(&report, DOCTOR_FAILED), report.count);
	assert_ptr_equal(doctor_first_failure(&report), report.findings);
	doctor_report_done(&report);
}

static void
test_bound(void **state)
{
	struct doctor_report report = {0};

	(void)state;
	for (int i = 0; i < DOCTOR_FINDINGS_MAX + 9; i++)
		doctor_add(&report, DOCTOR_HERE, DOCTOR_CLOCK, DOCTOR_GOOD, "x",
		    "%d", i);
	assert_int_equal(report.count, DOCTOR_FINDINGS_MAX);
	doctor_report_done(&report);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_shapes),
	    cmocka_unit_test(test_voices),
	    cmocka_unit_test(test_fill),
	    cmocka_unit_test(test_all_rows),
	    cmocka_unit_test(test_causes),
	    cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
