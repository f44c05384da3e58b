/*
 * The forward composer with any original. Oracle: tests/lib/forward-check.h,
 * and the same bytes the second time. The first byte says whether the server
 * takes 8-bit text.
 */
#include <assert.h>
#include <stdio.h>

#include "daemon/mail/forward.h"
#include "daemon/mail/forward_guard.h"
#include "tests/lib/forward-check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct forward_request request = {
    .from = "ann@example.org",
    .to = "to@example.net",
    .message_id = "<belfry.1@example.org>",
    .date_unix = 1795295959,
    .account = "ann@example.org",
    .hop = 1,
    .key = "key",
};

static void
check_guard(struct span composed)
{
	const struct forward_guard_config config = {"x@y", NULL, true, true};
	struct message *m = message_new(composed);
	BUF_AUTO why = BUF_INIT;

	assert(!forward_guard_allows(&config, m, &why));
	message_free(&m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BUF_AUTO out = BUF_INIT;
	BUF_AUTO again = BUF_INIT;
	BUF_AUTO redirected = BUF_INIT;
	struct span original;
	const char *wrong;
	bool eightbit_ok;

	if (size == 0)
		return 0;
	eightbit_ok = data[0] & 1;
	original = span_from(data + 1, size - 1);
	assert(forward_compose_attach(
	    &request, original, eightbit_ok, &out, NULL));
	wrong = forward_check(buf_span(&out), original, eightbit_ok);
	if (wrong != NULL)
		fprintf(stderr, "%s\n%s\n", wrong, buf_str(&out));
	assert(wrong == NULL);
	check_guard(buf_span(&out));
	forward_compose_attach(&request, original, eightbit_ok, &again, NULL);
	assert(span_equal(buf_span(&out), buf_span(&again)));
	buf_clear(&out);
	assert(forward_compose_inline(&request, original, &out, NULL));
	wrong = forward_check_inline(buf_span(&out));
	if (wrong != NULL)
		fprintf(stderr, "%s\n%s\n", wrong, buf_str(&out));
	assert(wrong == NULL);
	check_guard(buf_span(&out));
	if (forward_compose_redirect(&request, original, &redirected, NULL))
		check_guard(buf_span(&redirected));
	return 0;
}
