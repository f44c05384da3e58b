/*
 * fuzz-notifier-line: whatever a notifier says. What is read is written as
 * one line of UTF-8 that reads the same again.
 */
#include <stdlib.h>

#include "daemon/base/utf8.h"
#include "notifiers/notifier.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool is_true)
{
	if (!is_true)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct notifier_line line, read;
	BUF_AUTO first = BUF_INIT;
	BUF_AUTO second = BUF_INIT;

	if (!notifier_line_parse(span_from(data, size), &line))
		return 0;
	notifier_line_format(&first, &line);
	notifier_line_done(&line);
	must(utf8_is_valid(buf_span(&first)));
	must(span_find(buf_span(&first), '\n') == first.len - 1);
	/* Malformed bytes become three: it may be too long to be read. */
	if (first.len > NOTIFIER_LINE_MAX)
		return 0;
	must(notifier_line_parse(buf_span(&first), &read));
	notifier_line_format(&second, &read);
	notifier_line_done(&read);
	must(span_equal(buf_span(&first), buf_span(&second)));
	return 0;
}
