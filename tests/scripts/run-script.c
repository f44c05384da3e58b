/*
 * run-script: plays dialogues to engines. See script.h for the language.
 *
 *   run-script [FILE...]     without files: all of tests/scripts
 *
 * $SCRIPT_SWEEP = N ends the stream not at each byte, but near the ends of
 * lines and at each Nth of the others: for builds that are slow.
 */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/base64.h"
#include "daemon/base/random.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "tests/scripts/script.h"

#define RANDOM_RUNS 12
#define SWEEP_MAX 3000 /* bytes of the server; above, no sweep */
#define SWEEP_NEAR 2   /* bytes from a line's end, which are always tried */
#define LONGEST_CUT 40
#define TICKS_MAX 1000 /* in one step of time */
#define INCLUDES_MAX 4 /* within each other */

/* Another protocol is another row. */
static const struct script_engine *const engines[] = {
    &script_engine_imap,
    &script_engine_mailbox,
    &script_engine_smtp,
};
#define ENGINE_COUNT (sizeof(engines) / sizeof(engines[0]))

enum step_kind {
	STEP_SERVER,
	STEP_CLIENT_LINE,
	STEP_CLIENT_BYTES,
	STEP_EVENT,
	STEP_CALL,
	STEP_TIME,
};

struct step {
	enum step_kind kind;
	unsigned line;
	char *text; /* owned */
	size_t len;
};

struct script {
	const char *path;
	const struct script_engine *engine;
	struct strv settings;
	struct step *steps; /* owned */
	size_t count, cap;
	unsigned includes; /* being read, within each other */
};

enum mode {
	MODE_WHOLE,
	MODE_BYTES,
	MODE_RANDOM,
	MODE_SWEEP
};

static const char *const mode_names[] = {
    "whole", "byte by byte", "cut at random", "stream cut off"};

struct player {
	const struct script *script;
	const struct script_engine *engine;
	void *adapter;
	void *subject; /* the engine itself */
	enum mode mode;
	uint64_t seed;
	struct random random;
	usec_t now;
	struct buf fed;
	size_t cut_at; /* MODE_SWEEP: the stream ends after so many bytes */
	bool dead;     /* the last event came */
	bool failed;   /* said why already */
	unsigned line;
	struct buf out;	    /* not looked at yet */
	struct strv events; /* not looked at yet */
	size_t next_event;
	struct buf trace;
	char vars[10][32]; /* $tag is 0 */
};

/* ---- Saying what is wrong ---- */

static void
print_escaped(struct span text)
{
	fputc('"', stderr);
	for (size_t i = 0; i < text.len && i < 400; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (c >= 0x20 && c != 0x7f)
			fputc(c, stderr);
		else
			fprintf(stderr, "\\x%02x", c);
	}
	fprintf(stderr, "\"%s\n", text.len > 400 ? "..." : "");
}

static bool
complain(struct player *p, const char *what)
{
	if (!p->failed) {
		fprintf(stderr, "%s:%u: %s (%s", p->script->path, p->line, what,
		    mode_names[p->mode]);
		if (p->mode == MODE_RANDOM)
			fprintf(stderr, ", seed %" PRIu64, p->seed);
		if (p->mode == MODE_SWEEP)
			fprintf(stderr, " after %zu bytes", p->cut_at);
		fprintf(stderr, ")\n");
	}
	p->failed = true;
	return false;
}

static bool
differ(
    struct player *p, const char *what, struct span expected, struct span got)
{
	if (!p->failed) {
		(void)complain(p, what);
		fprintf(stderr, "  expected ");
		print_escaped(expected);
		fprintf(stderr, "  got      ");
		print_escaped(got);
	}
	return false;
}

/* ---- Text ---- */

/* "..." is anything. */
static bool
matches(struct span pattern, struct span text)
{
	size_t dots = span_find_span(pattern, SPAN("..."), 0);
	struct span head;

	if (dots == SIZE_MAX)
		return span_equal(pattern, text);
	head = span_slice(pattern, 0, dots);
	if (!span_equal(head, span_slice(text, 0, dots)))
		return false;
	pattern = span_skip(pattern, dots + 3);
	for (size_t i = dots; i <= text.len; i++) {
		if (matches(pattern, span_skip(text, i)))
			return true;
	}
	return false;
}

/* The first word, and what follows its blanks. */
static struct span
take_word(struct span *text)
{
	size_t end = span_find(*text, ' ');
	struct span word = span_slice(*text, 0, end);

	*text = end == SIZE_MAX ? SPAN_EMPTY : span_skip(*text, end + 1);
	return word;
}

/* "$tag", "$1": the number of the variable, or -1. */
static int
variable(struct span text, size_t *len_r)
{
	if (span_starts(text, "$tag")) {
		*len_r = 4;
		return 0;
	}
	if (text.len >= 2 && text.data[0] == '$' && text.data[1] >= '1' &&
	    text.data[1] <= '9') {
		*len_r = 2;
		return text.data[1] - '0';
	}
	return -1;
}

static void
substitute(const struct player *p, struct buf *buf, struct span text)
{
	for (size_t i = 0; i < text.len;) {
		size_t len = 1;
		int number = variable(span_skip(text, i), &len);

		if (number < 0)
			buf_add_char(buf, text.data[i]);
		else
			buf_add_str(buf, p->vars[number]);
		i += len;
	}
}

/* ---- Parsing a script ---- */

static void
add_step(
    struct script *script, enum step_kind kind, unsigned line, struct span text)
{
	if (script->count == script->cap) {
		script->cap = script->cap > 0 ? 2 * script->cap : 32;
		script->steps = xreallocarray(
		    script->steps, script->cap, sizeof(*script->steps));
	}
	script->steps[script->count++] =
	    (struct step){kind, line, xstrdup_span(text), text.len};
}

static struct span
after_mark(struct span line)
{
	line = span_skip(line, 2);
	return span_starts(line, " ") ? span_skip(line, 1) : line;
}

static bool
add_repeated(struct script *script, unsigned number, struct span text)
{
	uint32_t times;
	BUF_AUTO once = BUF_INIT;
	BUF_AUTO all = BUF_INIT;

	if (!span_to_u32(take_word(&text), &times))
		return false;
	script_unescape(&once, text);
	while (times-- > 0)
		buf_add_span(&all, buf_span(&once));
	add_step(script, STEP_SERVER, number, buf_span(&all));
	return true;
}

static bool include(struct script *script, unsigned number, struct span line);

static bool
parse_line(struct script *script, unsigned number, struct span line)
{
	BUF_AUTO text = BUF_INIT;

	if (line.len == 0 || line.data[0] == '#')
		return true;
	if (line.data[0] == '<')
		return include(script, number, span_skip(line, 1));
	if (span_starts(line, "S*"))
		return add_repeated(script, number, after_mark(line));
	if (span_starts(line, "S>") || span_starts(line, "C>")) {
		script_unescape(&text, after_mark(line));
		add_step(script,
		    line.data[0] == 'S' ? STEP_SERVER : STEP_CLIENT_BYTES,
		    number, buf_span(&text));
	} else if (span_starts(line, "S:")) {
		buf_add_span(&text, after_mark(line));
		buf_add_str(&text, "\r\n");
		add_step(script, STEP_SERVER, number, buf_span(&text));
	} else if (span_starts(line, "C:")) {
		add_step(script, STEP_CLIENT_LINE, number, after_mark(line));
	} else if (line.data[0] == '!') {
		add_step(script, STEP_EVENT, number, span_skip(line, 1));
	} else if (line.data[0] == '>') {
		add_step(script, STEP_CALL, number, span_skip(line, 1));
	} else if (line.data[0] == '@') {
		add_step(script, STEP_TIME, number, span_skip(line, 1));
	} else if (script->count == 0) {
		strv_add_span(&script->settings, line);
	} else {
		return false;
	}
	return true;
}

static bool
read_file(const char *path, struct buf *buf)
{
	char block[4096];
	size_t got;
	FILE *file = fopen(path, "r");

	if (file == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return false;
	}
	while ((got = fread(block, 1, sizeof(block), file)) > 0)
		buf_add(buf, block, got);
	(void)fclose(file);
	return true;
}

/* The line with $* replaced. */
static void
add_words(struct buf *buf, struct span line, struct span words)
{
	size_t mark;

	while ((mark = span_find_span(line, SPAN("$*"), 0)) != SIZE_MAX) {
		buf_add_span(buf, span_slice(line, 0, mark));
		buf_add_span(buf, words);
		line = span_skip(line, mark + 2);
	}
	buf_add_span(buf, line);
}

/* Steps of another file; they have the line number of the "<". */
static bool
include(struct script *script, unsigned number, struct span words)
{
	const char *slash = strrchr(script->path, '/');
	int folder = slash != NULL ? (int)(slash - script->path) + 1 : 0;
	struct span name = take_word(&words), rest, line;
	STR_AUTO path =
	    xasprintf("%.*s%.*s", folder, script->path, SPAN_FMT(name));
	BUF_AUTO text = BUF_INIT;
	bool good;

	if (script->includes == INCLUDES_MAX || !read_file(path, &text))
		return false;
	script->includes++;
	rest = buf_span(&text);
	for (good = true; good && span_split(&rest, '\n', &line);) {
		BUF_AUTO whole = BUF_INIT;

		add_words(&whole, line, words);
		good = parse_line(script, number, buf_span(&whole));
	}
	script->includes--;
	return good;
}

static const struct script_engine *
engine_of(const char *path)
{
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot != NULL && i < ENGINE_COUNT; i++) {
		if (strcmp(dot + 1, engines[i]->extension) == 0)
			return engines[i];
	}
	fprintf(stderr, "%s: no engine has this extension\n", path);
	return NULL;
}

static bool
script_read(struct script *script, const char *path)
{
	BUF_AUTO text = BUF_INIT;
	struct span rest, line;
	unsigned number = 0;

	*script = (struct script){.path = path, .engine = engine_of(path)};
	if (script->engine == NULL || !read_file(path, &text))
		return false;
	rest = buf_span(&text);
	while (span_split(&rest, '\n', &line)) {
		if (!parse_line(script, ++number, line)) {
			fprintf(stderr, "%s:%u: cannot read this line\n", path,
			    number);
			return false;
		}
	}
	return true;
}

static void
script_done(struct script *script)
{
	for (size_t i = 0; i < script->count; i++)
		free(script->steps[i].text);
	free(script->steps);
	strv_done(&script->settings);
}

/* ---- Looking for secrets ---- */

static bool
shows_secret(struct span text, struct span secret)
{
	struct span word;

	if (secret.len == 0)
		return false;
	if (span_find_span(text, secret, 0) != SIZE_MAX)
		return true;
	while (text.len > 0) {
		BUF_AUTO decoded = BUF_INIT;

		word = take_word(&text);
		base64_decode_mail(&decoded, word);
		if (span_find_span(buf_span(&decoded), secret, 0) != SIZE_MAX)
			return true;
	}
	return false;
}

static struct span
secret_of(struct player *p)
{
	return span_from_str(p->engine->secret(p->adapter));
}

/* ---- The engine's world ---- */

static bool
pull(struct player *p)
{
	BUF_AUTO line = BUF_INIT;

	while (p->engine->next_event(p->adapter, &line, &p->dead, p->now)) {
		if (shows_secret(buf_span(&line), secret_of(p)))
			return complain(p, "an event shows the secret");
		strv_add_span(&p->events, buf_span(&line));
		buf_clear(&line);
		if (p->dead)
			break;
	}
	if (p->dead &&
	    (p->engine->next_event(p->adapter, &line, &p->dead, p->now) ||
		p->engine->class->output(p->subject).len > 0 ||
		p->engine->class->deadline(p->subject) != USEC_NEVER))
		return complain(p, "the engine is dead, but not quiet");
	return true;
}

static bool
drain(struct player *p)
{
	const struct engine_class *class = p->engine->class;
	struct span out;

	while ((out = class->output(p->subject)).len > 0) {
		if (!p->engine->may_send_secret(p->adapter) &&
		    shows_secret(out, secret_of(p)))
			return complain(p, "the secret goes out in clear");
		if (p->mode == MODE_RANDOM)
			out.len = 1 + (size_t)random_below(&p->random, out.len);
		buf_add_span(&p->out, out);
		class->sent(p->subject, out.len);
	}
	return true;
}

static size_t
chunk_len(struct player *p, size_t left)
{
	size_t len = left;

	if (p->mode == MODE_BYTES)
		len = 1;
	else if (p->mode == MODE_RANDOM)
		len = (size_t)random_below(&p->random, LONGEST_CUT + 1);
	if (p->mode == MODE_SWEEP)
		len = p->cut_at - p->fed.len;
	return len < left ? len : left;
}

/* The engine sees each chunk in a block of its own, so that a read behind
 * its end is found. What it says is sent at the end only: calls of `sent`
 * are input too. */
static bool
feed(struct player *p, struct span bytes)
{
	while (bytes.len > 0) {
		struct span chunk =
		    span_slice(bytes, 0, chunk_len(p, bytes.len));
		char *block = chunk.len > 0 ? xstrdup_span(chunk) : NULL;

		p->engine->class->feed(
		    p->subject, (struct span){block, chunk.len}, p->now);
		free(block);
		if (!pull(p))
			return false;
		bytes = span_skip(bytes, chunk.len);
		buf_add_span(&p->fed, chunk);
		if (p->mode == MODE_SWEEP && p->fed.len == p->cut_at) {
			p->engine->class->eof(p->subject, p->now);
			return pull(p);
		}
	}
	return drain(p);
}

static bool
pass_time(struct player *p, usec_t delta)
{
	const struct engine_class *class = p->engine->class;
	usec_t target = p->now + delta, deadline;

	for (unsigned i = 0; i < TICKS_MAX; i++) {
		deadline = class->deadline(p->subject);
		if (deadline == USEC_NEVER || deadline > target) {
			p->now = target;
			class->tick(p->subject, p->now);
			return pull(p) && drain(p);
		}
		/* A deadline in the past is one of now. */
		if (deadline > p->now)
			p->now = deadline;
		class->tick(p->subject, p->now);
		if (!pull(p) || !drain(p))
			return false;
	}
	return complain(p, "the deadline does not move");
}

/* ---- Steps ---- */

/* Everything said and everything that happened was in the script. */
static bool
check_nothing_left(struct player *p)
{
	if (p->mode == MODE_SWEEP) {
		p->next_event = p->events.len;
		buf_clear(&p->out);
		return true;
	}
	if (p->next_event < p->events.len)
		return differ(p, "an event that is not in the script",
		    SPAN_EMPTY, span_from_str(p->events.items[p->next_event]));
	if (p->out.len > 0)
		return differ(p, "the client said what is not in the script",
		    SPAN_EMPTY, buf_span(&p->out));
	return true;
}

static bool
do_server(struct player *p, size_t *index)
{
	const struct script *script = p->script;
	BUF_AUTO bytes = BUF_INIT;

	for (; *index < script->count; ++*index) {
		const struct step *step = &script->steps[*index];

		if (step->kind != STEP_SERVER)
			break;
		substitute(p, &bytes, (struct span){step->text, step->len});
	}
	--*index;
	return feed(p, buf_span(&bytes));
}

static void
set_variable(struct player *p, int number, struct span value)
{
	(void)snprintf(
	    p->vars[number], sizeof(p->vars[number]), "%.*s", SPAN_FMT(value));
	if (number != 0)
		set_variable(p, 0, value);
}

static bool
do_client_line(struct player *p, const struct step *step)
{
	struct span pattern = {step->text, step->len};
	size_t lf = span_find(buf_span(&p->out), '\n'), len = 0;
	struct span line, rest, word;
	int number = variable(pattern, &len);
	bool same;

	if (lf == SIZE_MAX)
		return p->mode == MODE_SWEEP ||
		       differ(p, "the client says nothing", pattern,
			   buf_span(&p->out));
	line = span_slice(buf_span(&p->out), 0, lf + 1);
	rest = line;
	if (number >= 0) {
		word = take_word(&rest);
		set_variable(p, number, word);
		pattern = span_skip(pattern, len);
		if (span_starts(pattern, " "))
			pattern = span_skip(pattern, 1);
	}
	same = rest.len >= 2 && rest.data[rest.len - 2] == '\r' &&
	       matches(pattern, span_slice(rest, 0, rest.len - 2));
	if (!same && p->mode != MODE_SWEEP)
		return differ(p, "the client said something else",
		    (struct span){step->text, step->len}, line);
	buf_add_str(&p->trace, "C ");
	buf_add_span(&p->trace, line);
	buf_consume(&p->out, line.len);
	return true;
}

static bool
do_client_bytes(struct player *p, const struct step *step)
{
	struct span text = {step->text, step->len};
	struct span got = span_slice(buf_span(&p->out), 0, text.len);

	if (!span_equal(text, got))
		return p->mode == MODE_SWEEP ||
		       differ(p, "the client said something else", text,
			   buf_span(&p->out));
	buf_add_str(&p->trace, "C ");
	buf_add_span(&p->trace, got);
	buf_consume(&p->out, got.len);
	return true;
}

/* Without arguments in the pattern, the name suffices. */
static bool
is_event(struct span pattern, struct span event)
{
	if (span_find(pattern, ' ') == SIZE_MAX)
		event = take_word(&event);
	return matches(pattern, event);
}

static bool
do_event(struct player *p, const struct step *step)
{
	struct span pattern = {step->text, step->len};
	struct span event = SPAN("(none)");
	bool optional = step->len > 0 && step->text[step->len - 1] == '?';
	bool has = p->next_event < p->events.len;

	if (p->mode == MODE_SWEEP)
		return true;
	if (optional)
		pattern.len--;
	if (has)
		event = span_from_str(p->events.items[p->next_event]);
	if (!has || !is_event(pattern, event))
		return optional || differ(p, "not this event", pattern, event);
	p->next_event++;
	if (!optional) {
		buf_add_str(&p->trace, "! ");
		buf_add_span(&p->trace, event);
		buf_add_char(&p->trace, '\n');
	}
	return true;
}

static bool
do_call(struct player *p, const struct step *step)
{
	struct span args = {step->text, step->len};
	struct span word = take_word(&args);
	BUF_AUTO text = BUF_INIT;

	if (p->dead && p->mode == MODE_SWEEP)
		return true;
	if (span_is(word, "eof")) {
		p->engine->class->eof(p->subject, p->now);
	} else {
		script_unescape(&text, args);
		if (!p->engine->call(p->adapter, word, buf_span(&text), p->now))
			return complain(p, "no such call");
		p->subject = p->engine->engine(p->adapter);
	}
	return pull(p) && drain(p);
}

static bool
check_due(struct player *p, struct span text)
{
	usec_t deadline = p->engine->class->deadline(p->subject), delta = 0;
	bool about = span_starts(text, "~");
	BUF_AUTO got = BUF_INIT;

	if (p->mode == MODE_SWEEP)
		return true;
	if (span_is(text, "never"))
		delta = USEC_NEVER;
	else if (!usec_parse(span_skip(text, about ? 1 : 0), &delta))
		return complain(p, "cannot read this time");
	if (deadline == usec_add(p->now, delta))
		return true;
	if (about && deadline >= p->now + delta / 5 * 4 &&
	    deadline <= p->now + delta / 5 * 6)
		return true;
	if (deadline == USEC_NEVER)
		buf_add_str(&got, "never");
	else
		buf_addf(&got, "%" PRIu64 "ms",
		    usec_since(p->now, deadline) / USEC_MSEC);
	return differ(p, "another deadline", text, buf_span(&got));
}

static bool
pass_to_deadline(struct player *p)
{
	usec_t deadline = p->engine->class->deadline(p->subject);

	if (deadline == USEC_NEVER)
		return complain(p, "nothing will ever happen");
	return pass_time(p, usec_since(p->now, deadline));
}

static bool
do_time(struct player *p, const struct step *step)
{
	struct span text = {step->text, step->len};
	usec_t delta;

	if (span_starts(text, "due "))
		return check_due(p, span_skip(text, 4));
	if (span_is(text, "next"))
		return pass_to_deadline(p);
	if (!span_starts(text, "+") || !usec_parse(span_skip(text, 1), &delta))
		return complain(p, "cannot read this time");
	return pass_time(p, delta);
}

static bool
is_cause(enum step_kind kind)
{
	return kind == STEP_SERVER || kind == STEP_CALL || kind == STEP_TIME;
}

static bool
do_step(struct player *p, size_t *index)
{
	const struct step *step = &p->script->steps[*index];

	p->line = step->line;
	if (is_cause(step->kind) && !check_nothing_left(p))
		return false;
	switch (step->kind) {
	case STEP_SERVER:
		return do_server(p, index);
	case STEP_CLIENT_LINE:
		return do_client_line(p, step);
	case STEP_CLIENT_BYTES:
		return do_client_bytes(p, step);
	case STEP_EVENT:
		return do_event(p, step);
	case STEP_CALL:
		return do_call(p, step);
	case STEP_TIME:
		return do_time(p, step);
	}
	return false;
}

/* ---- A whole play ---- */

static bool
check_dead(struct player *p)
{
	const struct engine_class *class = p->engine->class;

	if (p->engine->survives != NULL)
		return p->mode != MODE_SWEEP ||
		       p->engine->survives(p->adapter, p->now) ||
		       complain(p, "the stream ended, and nothing begins anew");
	if (!p->dead)
		return p->mode != MODE_SWEEP ||
		       complain(p, "the stream ended, the engine did not");
	class->feed(p->subject, SPAN("* OK more\r\nb1 OK\r\n+\r\n"), p->now);
	class->sent(p->subject, 0);
	class->tick(p->subject, p->now + USEC_DAY);
	class->eof(p->subject, p->now + USEC_DAY);
	return pull(p);
}

static bool
play_steps(struct player *p)
{
	if (p->mode == MODE_SWEEP && p->cut_at == 0) {
		p->engine->class->eof(p->subject, p->now);
		return pull(p) && check_dead(p);
	}
	for (size_t i = 0; i < p->script->count; i++) {
		if (!do_step(p, &i))
			return false;
		if (p->mode == MODE_SWEEP &&
		    (p->dead || p->fed.len == p->cut_at))
			return check_dead(p);
	}
	return check_nothing_left(p) && check_dead(p);
}

/* Plays once; appends to `trace`, and the server's bytes to `fed`, if wanted.
 */
static bool
play(const struct script *script, enum mode mode, uint64_t seed, size_t cut_at,
    struct buf *trace, struct buf *fed)
{
	struct player p = {.script = script,
	    .engine = script->engine,
	    .mode = mode,
	    .seed = seed,
	    .cut_at = cut_at,
	    .now = USEC_HOUR};
	bool good;

	random_init(&p.random, seed);
	p.adapter = p.engine->create(&script->settings, p.now);
	if (p.adapter == NULL) {
		fprintf(stderr, "%s: unknown setting\n", script->path);
		return false;
	}
	p.subject = p.engine->engine(p.adapter);
	good = play_steps(&p);
	buf_add_span(trace, buf_span(&p.trace));
	if (fed != NULL)
		buf_add_span(fed, buf_span(&p.fed));
	p.engine->destroy(p.adapter);
	buf_done(&p.fed);
	buf_done(&p.out);
	buf_done(&p.trace);
	strv_done(&p.events);
	return good;
}

static bool
play_again(const struct script *script, enum mode mode, uint64_t seed,
    const struct buf *expected)
{
	BUF_AUTO trace = BUF_INIT;

	if (!play(script, mode, seed, 0, &trace, NULL))
		return false;
	if (span_equal(buf_span(&trace), buf_span(expected)))
		return true;
	fprintf(stderr, "%s: another trace, %s\n--- whole\n%s--- cut\n%s",
	    script->path, mode_names[mode], buf_str(expected), buf_str(&trace));
	return false;
}

/* How many bytes of a line's middle there are for each that is tried. */
static size_t
sweep_step(void)
{
	const char *wanted = getenv("SCRIPT_SWEEP");
	uint32_t step;

	return wanted != NULL && span_to_u32(span_from_str(wanted), &step) &&
		       step > 0
		   ? step
		   : 1;
}

static bool
is_near_line_end(struct span stream, size_t at)
{
	size_t from = at > SWEEP_NEAR ? at - SWEEP_NEAR : 0;

	return span_find(span_slice(stream, from, at + SWEEP_NEAR - from),
		   '\n') != SIZE_MAX;
}

static bool
play_sweep(const struct script *script, struct span stream)
{
	size_t step = sweep_step();

	for (size_t cut = 0; stream.len <= SWEEP_MAX && cut < stream.len;
	     cut++) {
		BUF_AUTO trace = BUF_INIT;

		if (cut % step != 0 && !is_near_line_end(stream, cut))
			continue;
		if (!play(script, MODE_SWEEP, 0, cut, &trace, NULL))
			return false;
	}
	return true;
}

static bool
play_all_ways(const struct script *script)
{
	BUF_AUTO trace = BUF_INIT;
	BUF_AUTO stream = BUF_INIT;

	if (!play(script, MODE_WHOLE, 0, 0, &trace, &stream) ||
	    !play_again(script, MODE_BYTES, 0, &trace))
		return false;
	for (uint64_t seed = 1; seed <= RANDOM_RUNS; seed++) {
		if (!play_again(script, MODE_RANDOM, seed, &trace))
			return false;
	}
	return play_sweep(script, buf_span(&stream));
}

static bool
run_file(const char *path)
{
	struct script script;
	bool good = script_read(&script, path) && play_all_ways(&script);

	script_done(&script);
	return good;
}

/* ---- All scripts ---- */

static int
is_script(const struct dirent *entry)
{
	return strchr(entry->d_name, '.') != NULL && entry->d_name[0] != '.';
}

static void
run_folder(const char *folder, unsigned *count, unsigned *failed)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, is_script, alphasort);

	if (n < 0) {
		fprintf(stderr, "%s: %s\n", folder, strerror(errno));
		++*failed;
		return;
	}
	for (int i = 0; i < n; i++) {
		char *path = xasprintf("%s/%s", folder, entries[i]->d_name);

		++*count;
		if (!run_file(path))
			++*failed;
		free(path);
		free(entries[i]);
	}
	free(entries);
}

int
main(int argc, char **argv)
{
	const char *srcdir = getenv("srcdir");
	unsigned count = 0, failed = 0;

	for (int i = 1; i < argc; i++, count++)
		failed += run_file(argv[i]) ? 0 : 1;
	for (size_t i = 0; argc == 1 && i < ENGINE_COUNT; i++) {
		char *folder = xasprintf("%s/tests/scripts/%s",
		    srcdir != NULL ? srcdir : ".", engines[i]->extension);

		run_folder(folder, &count, &failed);
		free(folder);
	}
	printf("%u scripts, %u failed\n", count, failed);
	return failed > 0 || count == 0 ? 1 : 0;
}
