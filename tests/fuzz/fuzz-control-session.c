/*
 * A client of the control socket that sends arbitrary bytes. The first byte
 * says how the input is cut. Oracle: one line that is JSON with "ok" comes
 * back or none at all, one end, nothing after it; and what was read prints
 * and reads back the same.
 */
#include <assert.h>
#include <stdlib.h>

#include "daemon/control/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct control_session *s;
	unsigned requests, ends;
};

static void
check_round_trip(const struct json *json)
{
	BUF_AUTO once = BUF_INIT;
	BUF_AUTO twice = BUF_INIT;

	json_print(json, &once, false);
	struct json *again = json_parse(buf_span(&once), NULL);
	assert(again != NULL);
	json_print(again, &twice, false);
	assert(span_equal(buf_span(&once), buf_span(&twice)));
	json_free(&again);
}

static void
on_request(struct world *w, const struct control_event *event)
{
	struct json *answer = json_new_object();

	assert(w->requests++ == 0 && w->ends == 0);
	check_round_trip(event->request);
	json_set_str(answer, "command", event->command);
	json_set_str(answer, "text", json_get_str(event->request, "text"));
	control_session_reply(w->s, answer, 1);
}

static void
pull(struct world *w)
{
	struct control_event event;

	while (control_session_next_event(w->s, &event)) {
		if (event.kind == CONTROL_REQUEST)
			on_request(w, &event);
		else
			assert(w->ends++ == 0);
	}
}

static void
check_output(struct world *w)
{
	struct span out = control_session_output(w->s);

	if (out.len == 0)
		return;
	assert(span_find(out, '\n') == out.len - 1);
	struct json *line = json_parse(span_slice(out, 0, out.len - 1), NULL);
	assert(line != NULL && json_get(line, "ok") != NULL);
	assert(json_get_bool(line, "ok") == (w->requests == 1));
	json_free(&line);
	control_session_sent(w->s, out.len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = {.s = control_session_new(1)};
	struct span rest = span_from(data, size);
	size_t step = SIZE_MAX;

	if (rest.len > 0) {
		step = data[0] == 0 ? SIZE_MAX : data[0];
		rest = span_skip(rest, 1);
	}
	while (rest.len > 0) {
		struct span piece = span_slice(rest, 0, step);
		control_session_feed(w.s, piece, 1);
		pull(&w);
		rest = span_skip(rest, piece.len);
	}
	check_output(&w);
	control_session_tick(w.s, CONTROL_REQUEST_USEC + 1);
	pull(&w);
	assert(w.ends == 1);
	assert(control_session_output(w.s).len == 0);
	control_session_free(&w.s);
	return 0;
}
