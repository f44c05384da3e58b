/*
 * fuzz-text: utf8, str_sanitize and base64 on foreign bytes.
 *
 * Oracles: what they write is valid UTF-8 and repairing or sanitising it once
 * more changes nothing; encode and decode are inverse in both directions.
 */
#include <assert.h>

#include "daemon/base/base64.h"
#include "daemon/base/str.h"
#include "daemon/base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_repair(struct span text)
{
	BUF_AUTO repaired = BUF_INIT;
	BUF_AUTO again = BUF_INIT;

	utf8_add_valid(&repaired, text);
	assert(utf8_is_valid(buf_span(&repaired)));
	assert(!utf8_is_valid(text) || span_equal(text, buf_span(&repaired)));
	assert(utf8_count(text) == utf8_count(buf_span(&repaired)));
	utf8_add_valid(&again, buf_span(&repaired));
	assert(span_equal(buf_span(&again), buf_span(&repaired)));
}

static void
check_sanitize(struct span text, size_t max_chars)
{
	BUF_AUTO clean = BUF_INIT;
	BUF_AUTO again = BUF_INIT;

	str_sanitize(&clean, text, max_chars);
	assert(utf8_is_valid(buf_span(&clean)));
	assert(utf8_count(buf_span(&clean)) <= max_chars + 1);
	for (size_t i = 0; i < clean.len; i++)
		assert((unsigned char)clean.data[i] >= 0x20 &&
		       clean.data[i] != 0x7f);
	str_sanitize(&again, buf_span(&clean), max_chars + 1);
	assert(span_equal(buf_span(&again), buf_span(&clean)));
}

/* Bytes, text, bytes. */
static void
check_encode(struct span bytes)
{
	BUF_AUTO text = BUF_INIT;
	BUF_AUTO lines = BUF_INIT;
	BUF_AUTO strict = BUF_INIT;
	BUF_AUTO mail = BUF_INIT;
	bool decoded;

	base64_encode(&text, bytes);
	decoded = base64_decode(&strict, buf_span(&text));
	assert(decoded && span_equal(buf_span(&strict), bytes));
	base64_encode_mime(&lines, bytes);
	base64_decode_mail(&mail, buf_span(&lines));
	assert(span_equal(buf_span(&mail), bytes));
}

/* Text, bytes, text; and where strict decoding accepts, mail agrees. */
static void
check_decode(struct span text)
{
	BUF_AUTO strict = BUF_INIT;
	BUF_AUTO mail = BUF_INIT;
	BUF_AUTO encoded = BUF_INIT;

	base64_decode_mail(&mail, text);
	assert(mail.len <= text.len / 4 * 3 + 3);
	if (!base64_decode(&strict, text)) {
		assert(strict.len == 0);
		return;
	}
	assert(span_equal(buf_span(&strict), buf_span(&mail)));
	base64_encode(&encoded, buf_span(&strict));
	assert(span_equal(buf_span(&encoded), text));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span input = span_from(data, size);
	size_t max_chars = size > 0 ? data[0] : 0;

	check_repair(input);
	check_sanitize(input, max_chars);
	check_encode(input);
	check_decode(input);
	return 0;
}
