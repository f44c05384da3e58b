/*
 * fuzz-rfc2047: any value decodes to clean text of bounded size, never to
 * nothing unless it says nothing; any text survives being encoded and decoded.
 */
#include <stdint.h>
#include <stdlib.h>

#include "daemon/base/buf.h"
#include "daemon/base/utf8.h"
#include "daemon/mail/rfc2047.h"
#include "daemon/mail/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

/* Valid UTF-8 without control characters. */
static bool
is_clean(struct span text)
{
	bool valid = true;
	uint32_t code;
	size_t len;

	while ((len = utf8_next(text, &code, &valid)) > 0) {
		if (!valid || code < ' ' || (code >= 0x7f && code < 0xa0))
			return false;
		text = span_skip(text, len);
	}
	return true;
}

/* A value without an empty word in it. */
static bool
says_something(struct span value)
{
	return !text_is_blank(value) &&
	       span_find_span(value, SPAN("?q\?\?="), 0) == SIZE_MAX &&
	       span_find_span(value, SPAN("?Q\?\?="), 0) == SIZE_MAX &&
	       span_find_span(value, SPAN("?b\?\?="), 0) == SIZE_MAX &&
	       span_find_span(value, SPAN("?B\?\?="), 0) == SIZE_MAX;
}

static void
check_decode(struct span value)
{
	BUF_AUTO text = BUF_INIT;

	rfc2047_decode(&text, value);
	require(is_clean(buf_span(&text)));
	require(text.len <= 4 * value.len + 16);
	require(text.len > 0 || !says_something(value));
}

static void
check_lines(struct span encoded, size_t column)
{
	struct span line;

	while (span_split(&encoded, '\n', &line)) {
		if (line.len > 0 && line.data[line.len - 1] == '\r')
			line.len--;
		require(line.len == 0 || column + line.len <= RFC2047_LINE_MAX);
		require(is_clean(span_trim(line)));
		column = 0;
	}
}

static void
check_encode(struct span bytes, size_t column)
{
	BUF_AUTO valid = BUF_INIT;
	BUF_AUTO clean = BUF_INIT;
	BUF_AUTO encoded = BUF_INIT;
	BUF_AUTO back = BUF_INIT;

	utf8_add_valid(&valid, bytes);
	text_add_clean(&clean, buf_span(&valid));
	rfc2047_encode(&encoded, bytes, column);
	check_lines(buf_span(&encoded), column);
	if (encoded.len > 0)
		encoded.len = text_unfold(encoded.data, encoded.len);
	rfc2047_decode(&back, span_trim(buf_span(&encoded)));
	require(span_equal(buf_span(&back), buf_span(&clean)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = span_from(data, size);

	check_decode(bytes);
	check_encode(bytes, size > 0 ? data[0] % 100 : 0);
	return 0;
}
