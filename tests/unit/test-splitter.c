/*
 * test-splitter: the splitter passes what is split-blind and catches what is
 * not. (What it says about the latter is sent to /dev/null.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/splitter.h"

/* One line for each line of the input, whatever the cut. */
static void
play_lines(
    void *ctx, const struct span *chunks, size_t count, struct buf *trace)
{
	(void)ctx;
	for (size_t i = 0; i < count; i++)
		buf_add_span(trace, chunks[i]);
}

/* Forgets at a cut between CR and LF that it saw the CR. */
static void
play_forgetful(
    void *ctx, const struct span *chunks, size_t count, struct buf *trace)
{
	(void)ctx;
	for (size_t i = 0; i < count; i++) {
		size_t at = span_find_span(chunks[i], SPAN("\r\n"), 0);

		if (at != SIZE_MAX)
			buf_add_str(trace, "line\n");
	}
}

/* Takes an empty piece for the end. */
static void
play_empty_is_end(
    void *ctx, const struct span *chunks, size_t count, struct buf *trace)
{
	(void)ctx;
	for (size_t i = 0; i < count && chunks[i].len > 0; i++)
		buf_add_span(trace, chunks[i]);
}

/* Wrong only behind a piece of exactly 3 bytes. */
static void
play_fears_three(
    void *ctx, const struct span *chunks, size_t count, struct buf *trace)
{
	(void)ctx;
	for (size_t i = 1; i + 1 < count; i++) {
		if (chunks[i].len == 3)
			buf_add_str(trace, "three\n");
	}
}

/* Counts its calls and the bytes of each. */
struct counter {
	unsigned plays;
	size_t bytes;
};

static void
play_counting(
    void *ctx, const struct span *chunks, size_t count, struct buf *trace)
{
	struct counter *counter = ctx;

	(void)trace;
	counter->plays++;
	for (size_t i = 0; i < count; i++)
		counter->bytes += chunks[i].len;
}

static const struct {
	const char *name;
	split_play *play;
	bool passes;
} cases[] = {
    {"split-blind", play_lines, true},
    {"forgets half a line end", play_forgetful, false},
    {"takes an empty piece for the end", play_empty_is_end, false},
    {"fears pieces of three bytes", play_fears_three, false},
};

static bool
run_quietly(const char *name, struct span input, split_play *play, void *ctx)
{
	int saved = dup(STDERR_FILENO);
	bool passes;

	assert_true(saved >= 0);
	assert_non_null(freopen("/dev/null", "w", stderr));
	passes = split_run(name, input, 50, play, ctx);
	fflush(stderr);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
	return passes;
}

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (run_quietly(cases[i].name, SPAN("one line\r\n"),
			cases[i].play, NULL) != cases[i].passes) {
			print_error("case: %s\n", cases[i].name);
			fail();
		}
	}
}

/* Whole, in two at each of n + 1 places, in bytes, at random. */
static void
test_all_bytes_every_time(void **state)
{
	struct counter counter = {0, 0};

	(void)state;
	assert_true(
	    split_run("count", SPAN("12345"), 50, play_counting, &counter));
	assert_int_equal(counter.plays, 1 + 6 + 1 + 50);
	assert_int_equal(counter.bytes, counter.plays * 5u);
}

static void
test_empty_input(void **state)
{
	struct counter counter = {0, 0};

	(void)state;
	assert_true(split_run("empty", SPAN_EMPTY, 3, play_counting, &counter));
	assert_int_equal(counter.bytes, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cases),
	    cmocka_unit_test(test_all_bytes_every_time),
	    cmocka_unit_test(test_empty_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
