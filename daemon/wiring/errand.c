#include "daemon/wiring/errand.h"

#include "daemon/base/str.h"
#include "daemon/loop/child.h"

#define COMPLAINT_MAX 200 /* characters shown */

struct errand {
	struct loop *loop;
	const char *name;
	struct buf *output;
	struct error error;
	bool is_good;
};

static void
on_end(void *ctx, const struct child_result *result)
{
	struct errand *errand = ctx;
	BUF_AUTO words = BUF_INIT;

	loop_quit(errand->loop);
	errand->is_good =
	    result->started && !result->timed_out && result->status == 0;
	if (errand->is_good) {
		if (errand->output != NULL)
			buf_add_span(errand->output, result->output);
		return;
	}
	child_describe(result, &words);
	if (span_trim(result->errors).len > 0) {
		buf_add_str(&words, ": ");
		str_sanitize(&words, span_trim(result->errors), COMPLAINT_MAX);
	}
	error_set(&errand->error, FAULT_LOCAL, "%s: %s", errand->name,
	    buf_str(&words));
}

bool
errand_run(const struct strv *argv, struct span input, usec_t limit,
    struct buf *output_r, struct error *error_r)
{
	struct errand errand = {.output = output_r, .name = argv->items[0]};
	const struct child_config config = {
	    .argv = argv,
	    .input = input,
	    .limit = limit,
	    .secret = true,
	};

	errand.loop = loop_new();
	child_run(errand.loop, &config, on_end, &errand);
	loop_run(errand.loop);
	loop_free(&errand.loop);
	if (!errand.is_good && error_r != NULL)
		*error_r = errand.error;
	return errand.is_good;
}
