/* Actions from the journal: what is read is written, and read the same. */
#include <assert.h>

#include "rules/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BUF_AUTO first = BUF_INIT, second = BUF_INIT, words = BUF_INIT;
	struct action action, again;

	if (!action_parse(span_from(data, size), &action))
		return 0;
	action_format(&first, &action);
	for (size_t i = 0; i < first.len; i++)
		assert(first.data[i] >= ' ' && first.data[i] <= '~');
	assert(action_parse(buf_span(&first), &again));
	assert(action_equal(&action, &again));
	action_format(&second, &again);
	assert(span_equal(buf_span(&first), buf_span(&second)));
	action_describe(&words, &action);
	action_done(&action);
	action_done(&again);
	return 0;
}
