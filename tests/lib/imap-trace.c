/*
 * imap-trace: what the response lexer gives, as text to compare.
 */
#include "tests/lib/imap-trace.h"

#include <assert.h>
#include <inttypes.h>

static const char *const status_names[] = {
    [IMAP_STATUS_NONE] = "",
    [IMAP_OK] = "OK",
    [IMAP_NO] = "NO",
    [IMAP_BAD] = "BAD",
    [IMAP_PREAUTH] = "PREAUTH",
    [IMAP_BYE] = "BYE",
};

static void
add_bytes(struct buf *trace, struct span bytes, const char *escaped)
{
	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char c = (unsigned char)bytes.data[i];

		if (c < 0x20 || c > 0x7e || strchr(escaped, c) != NULL)
			buf_addf(trace, "\\x%02x", c);
		else
			buf_add_char(trace, (char)c);
	}
}

static void add_values(
    struct buf *trace, const struct imap_value *values, size_t count);

static void
add_value(struct buf *trace, const struct imap_value *value)
{
	switch (value->kind) {
	case IMAP_NIL:
		buf_add_str(trace, "NIL");
		break;
	case IMAP_ATOM:
		add_bytes(trace, value->text, "");
		break;
	case IMAP_STRING:
		buf_add_char(trace, '"');
		add_bytes(trace, value->text, "\"\\");
		buf_add_char(trace, '"');
		break;
	case IMAP_LIST:
		buf_add_char(trace, '(');
		add_values(trace, value->items, value->count);
		buf_add_char(trace, ')');
		break;
	}
}

static void
add_values(struct buf *trace, const struct imap_value *values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_add_char(trace, ' ');
		add_value(trace, &values[i]);
	}
}

static void
add_code(struct buf *trace, const struct imap_response *response)
{
	if (response->code.len == 0)
		return;
	buf_add_str(trace, " [");
	add_bytes(trace, response->code, "");
	if (response->code_count > 0)
		buf_add_char(trace, ' ');
	add_values(trace, response->code_values, response->code_count);
	buf_add_char(trace, ']');
}

static void
add_front(struct buf *trace, const struct imap_response *response)
{
	switch (response->kind) {
	case IMAP_CONTINUATION:
		buf_add_char(trace, '+');
		break;
	case IMAP_UNTAGGED:
		buf_add_char(trace, '*');
		break;
	case IMAP_TAGGED:
		add_bytes(trace, response->tag, "");
		break;
	}
}

void
imap_trace_response(struct buf *trace, const struct imap_response *response)
{
	add_front(trace, response);
	if (response->status != IMAP_STATUS_NONE)
		buf_addf(trace, " %s", status_names[response->status]);
	add_code(trace, response);
	if (response->text.len > 0) {
		buf_add_char(trace, ' ');
		add_bytes(trace, response->text, "");
	}
	if (response->has_number)
		buf_addf(trace, " %" PRIu64, response->number);
	if (response->name.len > 0) {
		buf_add_char(trace, ' ');
		add_bytes(trace, response->name, "");
	}
	if (response->count > 0)
		buf_add_char(trace, ' ');
	add_values(trace, response->values, response->count);
	buf_add_char(trace, '\n');
}

void
imap_trace_play(
    void *ctx, const struct span *chunks, size_t count, struct buf *trace)
{
	const size_t *literal_max = ctx;
	struct imap_lexer *lexer = imap_lexer_new(
	    literal_max != NULL ? *literal_max : IMAP_LITERAL_MAX);
	struct imap_response response;
	struct error error = ERROR_INIT, again = ERROR_INIT;
	int result = 0;

	for (size_t i = 0; i < count; i++) {
		imap_lexer_feed(lexer, chunks[i]);
		while ((result = imap_lexer_next(lexer, &response, &error)) > 0)
			imap_trace_response(trace, &response);
	}
	if (imap_lexer_skipped(lexer) > 0)
		buf_addf(trace, "skipped %u\n", imap_lexer_skipped(lexer));
	if (imap_lexer_too_large(lexer) > 0)
		buf_addf(
		    trace, "too large %u\n", imap_lexer_too_large(lexer));
	if (result < 0) {
		buf_addf(
		    trace, "%s: %s\n", fault_name(error.fault), error.text);
		/* Dead is dead. */
		imap_lexer_feed(lexer, SPAN("\r\n* OK\r\n"));
		assert(imap_lexer_next(lexer, &response, &again) == -1);
		assert(again.fault == error.fault);
	} else if (imap_lexer_has_rest(lexer)) {
		buf_add_str(trace, "rest\n");
	}
	imap_lexer_free(&lexer);
}
