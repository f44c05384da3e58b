/*
 * splitter: the first law of engines and parsers, as a test.
 */
#include "tests/lib/splitter.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/random.h"
#include "daemon/base/xalloc.h"

#define CONTEXT_LINES 3
#define SHOWN_LINE_MAX 400
#define SHOWN_CHUNKS_MAX 64
#define DEFAULT_SEED 1

/* One way of cutting: lengths whose sum is the input's. */
struct cut {
	struct span *chunks; /* owned; each data a block of its own */
	size_t count;
	size_t cap;
};

struct run {
	const char *name;
	struct span input;
	split_play *play;
	void *ctx;
	struct buf expected; /* the trace of the whole input */
};

static void
add_chunk(struct cut *cut, struct span bytes)
{
	char *block = NULL;

	if (cut->count == cut->cap) {
		cut->cap = cut->cap > 0 ? 2 * cut->cap : 16;
		cut->chunks =
		    xreallocarray(cut->chunks, cut->cap, sizeof(*cut->chunks));
	}
	if (bytes.len > 0) {
		block = xmalloc(bytes.len);
		memcpy(block, bytes.data, bytes.len);
	}
	cut->chunks[cut->count++] = (struct span){block, bytes.len};
}

static void
free_cut(struct cut *cut)
{
	for (size_t i = 0; i < cut->count; i++)
		free((void *)(uintptr_t)cut->chunks[i].data);
	free(cut->chunks);
	*cut = (struct cut){NULL, 0, 0};
}

static void
cut_in_two(struct cut *cut, struct span input, size_t at)
{
	add_chunk(cut, span_slice(input, 0, at));
	add_chunk(cut, span_skip(input, at));
}

static void
cut_in_bytes(struct cut *cut, struct span input)
{
	for (size_t i = 0; i < input.len; i++)
		add_chunk(cut, span_slice(input, i, 1));
}

/* A run has mostly short or mostly long pieces, by a greatest length drawn
 * first; some pieces are empty. */
static void
cut_at_random(struct cut *cut, struct span input, uint64_t seed)
{
	struct random random;
	uint64_t longest;
	size_t len;

	random_init(&random, seed);
	longest = UINT64_C(1) << random_below(&random, 10);
	while (input.len > 0) {
		len = (size_t)random_below(&random, longest + 1);
		add_chunk(cut, span_slice(input, 0, len));
		input = span_skip(input, len);
	}
}

/* ---- What a failure shows ---- */

static void
print_line(const char *label, bool present, struct span line)
{
	fprintf(stderr, "  %-9s", label);
	if (!present) {
		fprintf(stderr, "(no more lines)\n");
		return;
	}
	for (size_t i = 0; i < line.len && i < SHOWN_LINE_MAX; i++) {
		unsigned char c = (unsigned char)line.data[i];

		if (c >= 0x20 && c != 0x7f)
			putc(c, stderr);
		else
			fprintf(stderr, "\\x%02x", c);
	}
	fprintf(stderr, "%s\n", line.len > SHOWN_LINE_MAX ? " ..." : "");
}

static void
print_difference(struct span expected, struct span actual)
{
	struct span common[CONTEXT_LINES], want = SPAN_EMPTY, got = SPAN_EMPTY;
	bool has_want, has_got;
	size_t line = 0, first;

	for (;; line++) {
		has_want = span_split(&expected, '\n', &want);
		has_got = span_split(&actual, '\n', &got);
		if (!has_want || !has_got || !span_equal(want, got))
			break;
		common[line % CONTEXT_LINES] = want;
	}
	first = line > CONTEXT_LINES ? line - CONTEXT_LINES : 0;
	for (size_t i = first; i < line; i++)
		print_line("", true, common[i % CONTEXT_LINES]);
	fprintf(stderr, "  the traces part at line %zu:\n", line + 1);
	print_line("whole:", has_want, want);
	print_line("cut:", has_got, got);
}

static void
print_cut(const struct cut *cut)
{
	fprintf(stderr, "  %zu pieces of", cut->count);
	for (size_t i = 0; i < cut->count && i < SHOWN_CHUNKS_MAX; i++)
		fprintf(stderr, " %zu", cut->chunks[i].len);
	fprintf(
	    stderr, "%s bytes\n", cut->count > SHOWN_CHUNKS_MAX ? " ..." : "");
}

/* ---- Runs ---- */

/* Plays the cut, and frees it. */
static bool
play_cut(const struct run *run, struct cut *cut, const char *how)
{
	struct buf trace = BUF_INIT;
	bool same;

	run->play(run->ctx, cut->chunks, cut->count, &trace);
	same = span_equal(buf_span(&trace), buf_span(&run->expected));
	if (!same) {
		fprintf(stderr, "split: %s: differs %s\n", run->name, how);
		print_cut(cut);
		print_difference(buf_span(&run->expected), buf_span(&trace));
	}
	buf_done(&trace);
	free_cut(cut);
	return same;
}

static void
play_whole(struct run *run)
{
	struct cut cut = {NULL, 0, 0};

	add_chunk(&cut, run->input);
	run->play(run->ctx, cut.chunks, cut.count, &run->expected);
	free_cut(&cut);
}

static bool
play_in_two(const struct run *run)
{
	struct cut cut = {NULL, 0, 0};

	if (run->input.len > SPLIT_EVERYWHERE_MAX)
		return true;
	for (size_t at = 0; at <= run->input.len; at++) {
		cut_in_two(&cut, run->input, at);
		if (!play_cut(run, &cut, "in two pieces"))
			return false;
	}
	return true;
}

static bool
play_in_bytes(const struct run *run)
{
	struct cut cut = {NULL, 0, 0};

	cut_in_bytes(&cut, run->input);
	return play_cut(run, &cut, "byte by byte");
}

static uint64_t
first_seed(void)
{
	const char *text = getenv("SPLIT_SEED");
	uint64_t seed = DEFAULT_SEED;

	if (text != NULL && !span_to_u64(span_from_str(text), &seed))
		fprintf(stderr, "split: SPLIT_SEED is not a number\n");
	return seed;
}

static bool
play_at_random(const struct run *run, unsigned runs)
{
	struct cut cut = {NULL, 0, 0};
	uint64_t seed = first_seed();
	char how[64];

	for (unsigned i = 0; i < runs; i++, seed++) {
		cut_at_random(&cut, run->input, seed);
		(void)snprintf(how, sizeof(how),
		    "cut at random (SPLIT_SEED=%" PRIu64 ")", seed);
		if (!play_cut(run, &cut, how))
			return false;
	}
	return true;
}

bool
split_run(const char *name, struct span input, unsigned random_runs,
    split_play *play, void *ctx)
{
	struct run run = {name, input, play, ctx, BUF_INIT};
	bool same;

	play_whole(&run);
	same = play_in_two(&run) && play_in_bytes(&run) &&
	       play_at_random(&run, random_runs);
	buf_done(&run.expected);
	return same;
}
