/*
 * fuzz-imap-session: a server that says anything, an owner who calls at any
 * time, and time that passes.
 *
 * The input: a byte of settings, a byte that says how to cut, and then the
 * server's bytes; 0xff and a byte between them is a call (see calls[]).
 *
 * Oracles: no way of cutting changes events or output; a dead session is
 * quiet; the secret is in no event, and in no output before TLS where TLS was
 * asked for; no call of a rightful owner meets an assertion.
 */
#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/base64.h"
#include "daemon/base/random.h"
#include "tests/scripts/script.h"

#define CANARY_LEN 20
#define COMMANDS_MAX 60

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As the events told the owner. */
struct owner {
	void *adapter;
	void *session;
	bool wants_secret, wants_tls, ready, idling, leaving, dead;
	unsigned in_flight, commands;
	usec_t now;
	struct random random;
	bool cut;
	bool starttls_held; /* an event not in the trace yet */
	struct buf trace;
};

static const struct script_engine *const engine = &script_engine_imap;

/* Another one for each input: the fuzzer, which watches our comparisons,
 * would soon let the server say a constant one. */
static char canary[CANARY_LEN + 3];

static void
choose_canary(const uint8_t *data, size_t size)
{
	static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
	uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
	struct random random;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ data[i]) * UINT64_C(1099511628211);
	random_init(&random, hash);
	for (size_t i = 0; i < CANARY_LEN; i++)
		canary[i] = letters[random_below(&random, 32)];
	canary[CANARY_LEN] = '\0';
}

static void
fail(const char *what)
{
	fprintf(stderr, "fuzz-imap-session: %s\n", what);
	abort();
}

static bool
shows_canary(struct span text)
{
	struct span word;

	if (span_find_span(text, span_from_str(canary), 0) != SIZE_MAX)
		return true;
	while (span_split(&text, ' ', &word)) {
		BUF_AUTO decoded = BUF_INIT;

		base64_decode_mail(&decoded, word);
		if (span_find_span(buf_span(&decoded), span_from_str(canary),
			0) != SIZE_MAX)
			return true;
	}
	return false;
}

/* "DONE n ...": one of ours is over; IDLE, where it was open, as it is
 * alone. */
static void
note_event(struct owner *o, struct span line)
{
	if (span_is(line, "SECRET"))
		o->wants_secret = true;
	else if (span_is(line, "STARTTLS"))
		o->wants_tls = true;
	else if (span_starts(line, "READY"))
		o->ready = true;
	else if (span_starts(line, "DONE ")) {
		if (o->in_flight == 0)
			fail("DONE for nothing");
		o->in_flight--;
		o->idling = false;
	}
}

/* Cut behind the reply to STARTTLS, injected bytes come after the event. */
static void
trace_event(struct owner *o, struct span line)
{
	if (o->starttls_held && !span_starts(line, "FAILED"))
		buf_add_str(&o->trace, "STARTTLS\n");
	o->starttls_held = span_is(line, "STARTTLS");
	if (o->starttls_held)
		return;
	buf_add_span(&o->trace, line);
	buf_add_char(&o->trace, '\n');
}

static void
pull(struct owner *o)
{
	BUF_AUTO line = BUF_INIT;

	while (engine->next_event(o->adapter, &line, &o->dead, o->now)) {
		if (shows_canary(buf_span(&line)))
			fail("an event shows the secret");
		note_event(o, buf_span(&line));
		trace_event(o, buf_span(&line));
		buf_clear(&line);
		if (o->dead)
			break;
	}
	if (o->dead &&
	    (engine->next_event(o->adapter, &line, &o->dead, o->now) ||
		engine->class->output(o->session).len > 0 ||
		engine->class->deadline(o->session) != USEC_NEVER))
		fail("dead, but not quiet");
}

static void
drain(struct owner *o)
{
	struct span out = engine->class->output(o->session);

	if (out.len == 0)
		return;
	if (!engine->may_send_secret(o->adapter) && shows_canary(out))
		fail("the secret goes out in clear");
	buf_add_str(&o->trace, "> ");
	buf_add_span(&o->trace, out);
	engine->class->sent(o->session, out.len);
}

static void
feed(struct owner *o, struct span bytes)
{
	while (bytes.len > 0) {
		size_t len = bytes.len;
		char *block;

		if (o->cut)
			len = (size_t)random_below(&o->random, 5);
		if (len > bytes.len)
			len = bytes.len;
		block = malloc(len + 1);
		memcpy(block, bytes.data, len);
		engine->class->feed(
		    o->session, (struct span){block, len}, o->now);
		free(block);
		pull(o);
		bytes = span_skip(bytes, len);
	}
	drain(o);
}

/* ---- Calls ---- */

static void
call(struct owner *o, const char *word, struct span args)
{
	if (!engine->call(o->adapter, span_from_str(word), args, o->now))
		fail("no such call");
}

static void
call_secret(struct owner *o)
{
	if (!o->wants_secret)
		return;
	o->wants_secret = false;
	call(o, "once", SPAN("fuzznonce tls-exporter fuzzbinding"));
	call(o, "secret", span_from_str(canary));
}

static void
call_odd_secret(struct owner *o)
{
	BUF_AUTO secret = BUF_INIT;

	buf_addf(&secret, "%s\xc3\xbc\"\\", canary);
	if (!o->wants_secret)
		return;
	o->wants_secret = false;
	call(o, "secret", buf_span(&secret));
}

static void
call_tls(struct owner *o)
{
	if (!o->wants_tls)
		return;
	o->wants_tls = false;
	call(o, "tls", SPAN_EMPTY);
}

static void
send_text(struct owner *o, struct span text)
{
	if (!o->ready || o->idling || o->leaving || o->dead ||
	    o->in_flight >= COMMANDS_MAX || ++o->commands > 200)
		return;
	o->in_flight++;
	call(o, "send", text);
}

static void
call_send(struct owner *o)
{
	send_text(o, SPAN("UID FETCH 1:5 (FLAGS)"));
}

static void
call_send_literal(struct owner *o)
{
	send_text(o, SPAN("CREATE {{gr\xc3\xbcn}}{{\xff}}"));
}

static void
call_idle(struct owner *o)
{
	if (!o->ready || o->in_flight > 0 || o->leaving || o->dead ||
	    ++o->commands > 200)
		return;
	o->idling = true;
	o->in_flight++;
	call(o, "idle", SPAN_EMPTY);
}

static void
call_done(struct owner *o)
{
	call(o, "done", SPAN_EMPTY);
}

static void
call_logout(struct owner *o)
{
	o->leaving = true;
	call(o, "logout", SPAN_EMPTY);
}

static void
call_eof(struct owner *o)
{
	engine->class->eof(o->session, o->now);
}

static void
call_second(struct owner *o)
{
	o->now += USEC_SEC;
	engine->class->tick(o->session, o->now);
}

static void
call_deadline(struct owner *o)
{
	usec_t deadline = engine->class->deadline(o->session);

	if (deadline != USEC_NEVER && deadline > o->now)
		o->now = deadline;
	engine->class->tick(o->session, o->now);
}

static void (*const calls[])(struct owner *) = {call_secret, call_odd_secret,
    call_tls, call_send, call_send_literal, call_idle, call_done, call_logout,
    call_eof, call_second, call_deadline};
#define CALL_COUNT (sizeof(calls) / sizeof(calls[0]))

/* ---- A play ---- */

static void
add_settings(struct strv *settings, uint8_t bits)
{
	static const char *const security[] = {"security starttls",
	    "security tls", "security starttls", "security none"};
	static const char *const auth[] = {
	    "auth password", "auth oauth2", "auth password", "auth external"};

	strv_add(settings, security[bits & 3]);
	strv_add(settings, auth[bits >> 2 & 3]);
	if ((bits & 16) != 0)
		strv_add(settings, "id 1.0");
	if ((bits & 32) != 0)
		strv_add(settings, "allow-preauth yes");
	if ((bits & 64) != 0)
		strv_add(settings, "prefer-login yes");
	if ((bits & 128) != 0)
		strv_add(settings, "user j\\xc3\\xbcrgen");
}

static void
play(const uint8_t *data, size_t size, bool cut, struct buf *trace)
{
	struct owner o = {.cut = cut, .now = USEC_HOUR, .trace = *trace};
	struct span rest = span_from(data + 2, size - 2);
	STRV_AUTO settings = STRV_INIT;

	add_settings(&settings, data[0]);
	random_init(&o.random, data[1]);
	o.adapter = engine->create(&settings, o.now);
	o.session = engine->engine(o.adapter);
	while (rest.len > 0) {
		size_t mark = span_find(rest, '\xff');

		feed(&o, span_slice(rest, 0, mark));
		if (mark == SIZE_MAX || mark + 1 == rest.len)
			break;
		calls[(uint8_t)rest.data[mark + 1] % CALL_COUNT](&o);
		pull(&o);
		drain(&o);
		rest = span_skip(rest, mark + 2);
	}
	if (o.starttls_held)
		buf_add_str(&o.trace, "STARTTLS\n");
	engine->destroy(o.adapter);
	*trace = o.trace;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BUF_AUTO whole = BUF_INIT;
	BUF_AUTO cut = BUF_INIT;

	if (size < 2)
		return 0;
	choose_canary(data, size);
	play(data, size, false, &whole);
	play(data, size, true, &cut);
	if (!span_equal(buf_span(&whole), buf_span(&cut))) {
		fprintf(stderr, "--- whole\n%s--- cut\n%s", buf_str(&whole),
		    buf_str(&cut));
		fail("the cut changes the trace");
	}
	return 0;
}
