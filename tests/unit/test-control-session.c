/*
 * The daemon's side of the control socket by the laws of engines: split-blind,
 * bounded, quiet once it is dead.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "daemon/base/xalloc.h"
#include "daemon/control/session.h"
#include "tests/lib/splitter.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define START ((usec_t)1000)

static struct span
output_of(const struct control_session *s)
{
	return control_session_output(s);
}

static void
add_output(struct control_session *s, struct buf *trace)
{
	struct span out = output_of(s);

	buf_addf(trace, "%.*s", SPAN_FMT(out));
	control_session_sent(s, out.len);
}

/* An owner that answers with what was asked. */
static void
answer(struct control_session *s, const struct control_event *event,
    struct buf *trace)
{
	struct json *json = json_new_object();

	buf_addf(trace, "REQUEST %s\n", event->command);
	json_set_str(json, "arg", json_get_str(event->request, "arg"));
	control_session_reply(s, json, START);
}

static void
pull(struct control_session *s, struct buf *trace)
{
	struct control_event event;

	while (control_session_next_event(s, &event)) {
		if (event.kind == CONTROL_REQUEST)
			answer(s, &event, trace);
		else
			buf_add_str(trace, "CLOSED\n");
	}
}

static void
play(void *ctx, const struct span *chunks, size_t count, struct buf *trace)
{
	struct control_session *s = control_session_new(START);

	(void)ctx;
	for (size_t i = 0; i < count; i++) {
		control_session_feed(s, chunks[i], START);
		pull(s, trace);
	}
	add_output(s, trace);
	control_session_eof(s, START);
	pull(s, trace);
	control_session_free(&s);
	assert_null(s);
}

/* ---- what is asked ---- */

#define BAD "{\"ok\":false,\"error\":\"not JSON: "
#define HELLO "{\"version\":1,\"command\":\"status\",\"arg\":\"x\"}"
#define ANSWER "REQUEST status\n{\"arg\":\"x\",\"ok\":true}\nCLOSED\n"

static const struct request_case {
	const char *name;
	struct span input;
	const char *starts; /* the trace does */
} request_cases[] = {
    {"a request", SPAN_INIT(HELLO "\n"), ANSWER},
    {"CRLF", SPAN_INIT(HELLO "\r\n"), ANSWER},
    {"two requests: the second means nothing", SPAN_INIT(HELLO "\n" HELLO "\n"),
	ANSWER},
    {"rubbish behind it", SPAN_INIT(HELLO "\n\0\xff{{{{"), ANSWER},
    {"no line end", SPAN_INIT(HELLO), "CLOSED\n"},
    {"nothing", SPAN_INIT(""), "CLOSED\n"},
    {"an empty line", SPAN_INIT("\n"), BAD},
    {"HTTP", SPAN_INIT("GET / HTTP/1.1\r\n\r\n"), BAD},
    {"NUL", SPAN_INIT("{\"version\":1,\"command\":\"a\0\"}\n"), BAD},
    {"invalid UTF-8", SPAN_INIT("{\"version\":1,\"command\":\"\xff\"}\n"), BAD},
    {"deep", SPAN_INIT("[[[[[[[[[[[[[[[[[[[[[[[[\n"),
	"{\"ok\":false,\"error\":\"JSON may be nested 16 deep at most\"}"},
    {"no version", SPAN_INIT("{\"command\":\"status\"}\n"),
	"{\"ok\":false,\"error\":\"this daemon speaks version 1 of the control "
	"protocol\",\"hint\":\"belfryctl and belfryd must be of the same "
	"release\"}\nCLOSED\n"},
    {"newer version", SPAN_INIT("{\"version\":2,\"command\":\"status\"}\n"),
	"{\"ok\":false,\"error\":\"this daemon speaks version 1 "},
    {"version of words",
	SPAN_INIT("{\"version\":\"1\",\"command\":\"status\"}\n"),
	"{\"ok\":false,\"error\":\"this daemon speaks version 1 "},
    {"an array", SPAN_INIT("[1]\n"),
	"{\"ok\":false,\"error\":\"this daemon speaks version 1 "},
    {"no command", SPAN_INIT("{\"version\":1}\n"),
	"{\"ok\":false,\"error\":\"the request names no command\"}"},
    {"command of a number", SPAN_INIT("{\"version\":1,\"command\":1}\n"),
	"{\"ok\":false,\"error\":\"the request names no command\"}"},
};

static bool
starts(const struct request_case *c)
{
	BUF_AUTO trace = BUF_INIT;

	play(NULL, &c->input, 1, &trace);
	if (span_starts(buf_span(&trace), c->starts) &&
	    span_find_span(buf_span(&trace), SPAN("CLOSED\n"), 0) != SIZE_MAX)
		return true;
	print_error("%s:\n%s", c->name, buf_str(&trace));
	return false;
}

static void
test_requests(void **state)
{
	bool ok = true;

	(void)state;
	for (size_t i = 0; i < COUNT(request_cases); i++) {
		const struct request_case *c = &request_cases[i];
		ok = starts(c) && ok;
		ok = split_run(c->name, c->input, 20, play, NULL) && ok;
	}
	assert_true(ok);
}

/* ---- limits ---- */

/* A request whose line has `len` bytes in front of its end. */
static void
make_request(struct buf *line, size_t len)
{
	buf_add_str(line, "{\"version\":1,\"command\":\"status\",\"arg\":\"");
	while (line->len < len - 2)
		buf_add_char(line, 'x');
	buf_add_str(line, "\"}\n");
}

static void
test_longest_request(void **state)
{
	BUF_AUTO fits = BUF_INIT;
	BUF_AUTO longer = BUF_INIT;
	BUF_AUTO trace = BUF_INIT;

	(void)state;
	make_request(&fits, JSON_LINE_MAX);
	make_request(&longer, JSON_LINE_MAX + 1);
	assert_true(split_run("fits", buf_span(&fits), 5, play, NULL));
	assert_true(split_run("longer", buf_span(&longer), 5, play, NULL));
	struct span whole = buf_span(&fits);
	play(NULL, &whole, 1, &trace);
	assert_true(span_starts(buf_span(&trace), "REQUEST status\n"));
	buf_clear(&trace);
	whole = buf_span(&longer);
	play(NULL, &whole, 1, &trace);
	assert_string_equal(buf_str(&trace),
	    "{\"ok\":false,\"error\":\"a request may have at most 65536 "
	    "bytes\"}\nCLOSED\n");
}

static void
test_endless_request(void **state)
{
	struct control_session *s = control_session_new(START);
	static const char piece[4096];

	(void)state;
	for (int i = 0; i < 1000; i++)
		control_session_feed(s, span_from(piece, sizeof(piece)), START);
	assert_true(output_of(s).len < 200);
	assert_true(
	    control_session_deadline(s) == START + CONTROL_REQUEST_USEC);
	control_session_free(&s);
}

/* A byte now and then does not win time. */
static void
test_slow_request(void **state)
{
	struct control_session *s = control_session_new(START);
	struct control_event event;
	usec_t end = START + CONTROL_REQUEST_USEC;

	(void)state;
	for (usec_t now = START; now < end; now += USEC_SEC) {
		control_session_feed(s, SPAN("{"), now);
		control_session_tick(s, now);
		assert_false(control_session_next_event(s, &event));
		assert_true(control_session_deadline(s) == end);
	}
	control_session_tick(s, end);
	assert_true(control_session_next_event(s, &event));
	assert_int_equal(event.kind, CONTROL_CLOSED);
	assert_false(control_session_next_event(s, &event));
	control_session_free(&s);
}

static struct control_session *
new_watcher(void)
{
	struct control_session *s = control_session_new(START);
	struct control_event event;

	control_session_feed(s, SPAN(HELLO "\n"), START);
	assert_true(control_session_next_event(s, &event));
	assert_int_equal(event.kind, CONTROL_REQUEST);
	return s;
}

static struct json *
long_json(size_t len)
{
	struct json *json = json_new_object();
	BUF_AUTO text = BUF_INIT;

	while (text.len < len)
		buf_add_str(&text, "0123456789abcdef");
	json_set_str(json, "s", buf_str(&text));
	return json;
}

/* A stream may last, but not pile up. */
static void
test_stream(void **state)
{
	struct control_session *s = new_watcher();
	struct control_event event;

	(void)state;
	assert_true(control_session_deadline(s) == USEC_NEVER);
	control_session_tick(s, START + USEC_DAY);
	for (int i = 0; i < 3; i++) {
		control_session_line(s, json_new_object(), START);
		assert_true(span_is(output_of(s), "{}\n"));
		control_session_sent(s, 3);
	}
	assert_false(control_session_next_event(s, &event));
	for (int i = 0; i < 9; i++)
		control_session_line(s, long_json(1024 * 1024), START);
	assert_true(control_session_next_event(s, &event));
	assert_int_equal(event.kind, CONTROL_CLOSED);
	assert_int_equal(output_of(s).len, 0);
	control_session_free(&s);
}

static void
test_too_long_answer(void **state)
{
	struct control_session *s = new_watcher();

	(void)state;
	control_session_reply(s, long_json(CONTROL_OUTPUT_MAX), START);
	assert_true(span_starts(output_of(s),
	    "{\"ok\":false,\"error\":\"the answer is longer than "));
	control_session_free(&s);
}

/* ---- the end ---- */

/* Once all is read, or the reader takes too long, it is over. */
static void
test_end(void **state)
{
	struct control_session *s = new_watcher();
	struct control_event event;

	(void)state;
	control_session_reply(s, json_new_object(), START + 1);
	assert_true(
	    control_session_deadline(s) == START + 1 + CONTROL_REQUEST_USEC);
	control_session_tick(s, START + 2);
	assert_true(span_is(output_of(s), "{\"ok\":true}\n"));
	assert_false(control_session_next_event(s, &event));
	control_session_sent(s, output_of(s).len);
	assert_true(control_session_deadline(s) <= START + 2);
	control_session_tick(s, START + 2);
	assert_true(control_session_next_event(s, &event));
	assert_int_equal(event.kind, CONTROL_CLOSED);
	control_session_free(&s);
}

static void
test_dead_is_quiet(void **state)
{
	struct control_session *s = new_watcher();
	struct control_event event;

	(void)state;
	control_session_eof(s, START);
	assert_true(control_session_next_event(s, &event));
	assert_int_equal(event.kind, CONTROL_CLOSED);
	control_session_feed(s, SPAN(HELLO "\n"), START);
	control_session_line(s, json_new_object(), START);
	control_session_reply(s, json_new_object(), START);
	control_session_refuse(s, "hint", START, "no");
	control_session_end(s, START);
	control_session_eof(s, START);
	control_session_tick(s, START + USEC_DAY);
	control_session_sent(s, 0);
	assert_int_equal(output_of(s).len, 0);
	assert_true(control_session_deadline(s) == USEC_NEVER);
	assert_false(control_session_next_event(s, &event));
	control_session_free(&s);
	control_session_free(&s);
}

/* Through the class, as a channel sees it. */
static void
test_class(void **state)
{
	const struct engine_class *class = &control_session_class;
	struct control_session *s = control_session_new(START);

	(void)state;
	assert_string_equal(class->name, "control");
	assert_true(class->deadline(s) == START + CONTROL_REQUEST_USEC);
	class->feed(s, SPAN("no\n"), START);
	size_t len = class->output(s).len;
	assert_true(len > 0);
	class->sent(s, len);
	class->tick(s, START);
	class->eof(s, START);
	assert_int_equal(class->output(s).len, 0);
	control_session_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_requests),
	    cmocka_unit_test(test_longest_request),
	    cmocka_unit_test(test_endless_request),
	    cmocka_unit_test(test_slow_request),
	    cmocka_unit_test(test_stream),
	    cmocka_unit_test(test_too_long_answer),
	    cmocka_unit_test(test_end),
	    cmocka_unit_test(test_dead_is_quiet),
	    cmocka_unit_test(test_class),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
