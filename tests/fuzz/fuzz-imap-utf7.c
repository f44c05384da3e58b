/*
 * Mailbox names. Oracle: what can be encoded comes back when decoded; what can
 * be decoded comes back when encoded; what is shown is always valid UTF-8.
 */
#include <assert.h>

#include "daemon/base/utf8.h"
#include "daemon/wire/imap/utf7.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_name(struct span name)
{
	struct buf wire = BUF_INIT, back = BUF_INIT;

	if (imap_utf7_encode(&wire, name)) {
		for (size_t i = 0; i < wire.len; i++)
			assert(wire.data[i] >= 0x20 && wire.data[i] <= 0x7e);
		assert(imap_utf7_decode(&back, buf_span(&wire)));
		assert(span_equal(buf_span(&back), name));
	} else {
		assert(wire.len == 0);
	}
	buf_done(&wire);
	buf_done(&back);
}

static void
check_wire(struct span wire)
{
	struct buf name = BUF_INIT, back = BUF_INIT;

	if (imap_utf7_decode(&name, wire)) {
		assert(imap_utf7_encode(&back, buf_span(&name)));
		assert(span_equal(buf_span(&back), wire));
	}
	assert(utf8_is_valid(buf_span(&name)));
	buf_done(&name);
	buf_done(&back);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_name(span_from(data, size));
	check_wire(span_from(data, size));
	return 0;
}
