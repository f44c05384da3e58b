/*
 * fuzz-message: every field of any block is readable, clean and decoded once; a
 * block written again from its fields has the same fields.
 */
#include <stdint.h>
#include <stdlib.h>

#include "daemon/base/buf.h"
#include "daemon/base/utf8.h"
#include "daemon/mail/message.h"

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

static void
check_field(struct message *message, size_t field)
{
	struct span name = message_field_name(message, field);
	struct span text = message_field_text(message, field);

	require(name.len > 0 && is_clean(name));
	require(text.data != NULL && is_clean(text));
	require(message_field_text(message, field).data == text.data);
}

static struct message *
write_again(const struct message *message)
{
	BUF_AUTO block = BUF_INIT;

	for (size_t i = 0; i < message_field_count(message); i++) {
		buf_add_span(&block, message_field_name(message, i));
		buf_add_str(&block, ": ");
		buf_add_span(&block, message_field_raw(message, i));
		buf_add_str(&block, "\r\n");
	}
	return message_new(buf_span(&block));
}

static void
compare(const struct message *a, const struct message *b)
{
	require(message_field_count(a) == message_field_count(b));
	require(message_bad_line_count(b) == 0);
	for (size_t i = 0; i < message_field_count(a); i++) {
		require(span_equal(
		    message_field_name(a, i), message_field_name(b, i)));
		require(span_equal(
		    message_field_raw(a, i), message_field_raw(b, i)));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message *message = message_new(span_from(data, size)), *again;
	int64_t seconds;

	for (size_t i = 0; i < message_field_count(message); i++)
		check_field(message, i);
	message_addresses(message, "From", 0);
	message_date(message, &seconds);
	require(is_clean(message_id(message)));
	if (!message_is_truncated(message)) {
		again = write_again(message);
		compare(message, again);
		message_free(&again);
	}
	message_free(&message);
	return 0;
}
