/*
 * Canonical text and dot-stuffing. The first byte says how the rest is cut.
 * Oracle: what goes out, with the dots taken away, is the canonical text, has
 * the measured size, no bare line end and no lone dot, however it is cut.
 */
#include <assert.h>

#include "daemon/wire/smtp/canonical.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
run(struct span text, size_t piece, bool stuff, struct buf *out)
{
	struct canonical c;

	canonical_init(&c, stuff);
	for (; text.len > 0; text = span_skip(text, piece))
		canonical_add(&c, span_slice(text, 0, piece), out);
	canonical_finish(&c, out);
}

static void
unstuff(struct span s, struct buf *out)
{
	bool at_start = true;

	for (size_t i = 0; i < s.len; i++) {
		if (at_start && s.data[i] == '.') {
			i++;
			assert(i < s.len && s.data[i] != '\r');
		}
		buf_add_char(out, s.data[i]);
		at_start = s.data[i] == '\n';
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BUF_AUTO plain = BUF_INIT;
	BUF_AUTO stuffed = BUF_INIT;
	BUF_AUTO again = BUF_INIT;
	struct span text;

	if (size == 0)
		return 0;
	text = span_from(data + 1, size - 1);
	run(text, text.len + 1, false, &plain);
	run(text, (size_t)data[0] + 1, true, &stuffed);
	unstuff(buf_span(&stuffed), &again);
	assert(span_equal(buf_span(&plain), buf_span(&again)));
	assert(canonical_measure(text).size == plain.len);
	assert(canonical_measure(buf_span(&plain)).rewritten == 0);
	return 0;
}
