/*
 * Any bytes as a configuration.
 *
 * Oracles: what the reader accepts prints back as a file that reads to the
 * same document (so inih delivered exactly what was approved: a difference is
 * reported as an internal error); a configuration is refused with a reason or
 * accepted without one; problems are in order and their texts are valid; a
 * secret that stands anywhere in an account, rightly or not, is in no problem
 * nor in the lines that are shown of the file.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "daemon/base/utf8.h"
#include "daemon/config/config.h"
#include "daemon/config/document.h"
#include "daemon/config/problem.h"
#include "daemon/config/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool condition)
{
	if (!condition)
		abort();
}

static void
read_into(
    struct span text, struct document *document, struct rule_problems *problems)
{
	reader_parse("f", text, document, problems);
	for (size_t i = 0; i < problems->count; i++)
		check(strncmp(problems->items[i].text, "internal", 8) != 0);
}

static void
check_round_trip(struct span text)
{
	DOCUMENT_AUTO first = DOCUMENT_INIT;
	DOCUMENT_AUTO second = DOCUMENT_INIT;
	struct rule_problems problems = {.count = 0};
	BUF_AUTO printed = BUF_INIT;
	BUF_AUTO again = BUF_INIT;

	read_into(text, &first, &problems);
	document_print(&printed, &first);
	rule_problems_done(&problems);
	if (printed.len > READER_FILE_MAX)
		return;
	read_into(buf_span(&printed), &second, &problems);
	check(problems.count == 0);
	document_print(&again, &second);
	check(span_equal(buf_span(&printed), buf_span(&again)));
	rule_problems_done(&problems);
}

static void
check_whole(struct span text)
{
	struct config_report report;
	BUF_AUTO printed = BUF_INIT;
	struct config *config = config_parse("f", text, &report);

	check((config == NULL) == config_report_has_errors(&report));
	check(report.problems.count == report.echoes.len);
	config_print_problems(&report, &printed);
	check(utf8_is_valid(buf_span(&printed)));
	for (size_t i = 1; i < report.problems.count; i++)
		check(report.problems.items[i].place.file == NULL ||
		      report.problems.items[i - 1].place.line <=
			  report.problems.items[i].place.line);
	config_report_done(&report);
	config_free(&config);
}

#define CANARY "Kanarie"

static const char *const slips[] = {
    "password = " CANARY,
    " password = " CANARY,
    "\toauth2_client_secret=" CANARY,
    "password =\n  " CANARY,
    "password: " CANARY,
    "#password = " CANARY,
    "[account a] password = " CANARY,
    "imap = imaps://ann:" CANARY "@h.example",
    "smtp = ann:" CANARY "@h.example",
    "email = ann@h.example password = " CANARY,
};

/* The first SOH, and the byte behind it, stand for one of the slips. */
static void
check_no_secret(struct span text)
{
	size_t at = span_find(text, '\x01');
	struct span before = span_slice(text, 0, at);
	struct span behind = span_skip(text, before.len + 2);
	BUF_AUTO whole = BUF_INIT, printed = BUF_INIT;
	struct config_report report;

	if (text.len < before.len + 2 || span_find(before, '[') != SIZE_MAX ||
	    span_find_span(text, SPAN(CANARY), 0) != SIZE_MAX)
		return;
	unsigned slip = (unsigned char)text.data[at + 1];
	buf_addf(&whole, "[account a]\n%.*s\n%s\n", SPAN_FMT(before),
	    slips[slip % (sizeof(slips) / sizeof(slips[0]))]);
	buf_add_span(&whole, behind);
	struct config *config = config_parse("f", buf_span(&whole), &report);
	config_print_problems(&report, &printed);
	check(span_find_span(buf_span(&printed), SPAN(CANARY), 0) == SIZE_MAX);
	config_report_done(&report);
	config_free(&config);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_from(data, size);

	check_round_trip(text);
	check_whole(text);
	check_no_secret(text);
	return 0;
}
