/*
 * A rule's number in the first byte, a message behind it. Oracle: whatever the
 * message holds, what the rule does is what its author wrote: see
 * tests/lib/plan-check.h.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/plan-check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct plan_check *check;
	const char *wrong;
	bool acted;

	if (check == NULL)
		check = plan_check_new();
	if (size == 0)
		return 0;
	wrong = plan_check_run(check, data[0] % plan_check_count(check),
	    span_from(data + 1, size - 1), &acted);
	if (wrong != NULL) {
		fprintf(stderr, "%s\n", wrong);
		abort();
	}
	return 0;
}
