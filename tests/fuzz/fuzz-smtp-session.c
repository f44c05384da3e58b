/*
 * A whole SMTP session against arbitrary bytes. The first byte chooses the
 * configuration and how the input is cut. Oracle: exactly one end, credentials
 * never before TLS, ACCEPTED only after the dot, events within their order, a
 * next message behind the dot.
 */
#include <assert.h>
#include <stdlib.h>

#include "daemon/base/strv.h"
#include "daemon/wire/smtp/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct smtp_session *s;
	struct smtp_message message;
	usec_t now;
	unsigned ends, messages;
	bool secure, in_hand, finished, has_next;
};

static void
on_result(struct world *w, const struct smtp_event *event)
{
	assert(w->in_hand);
	assert(event->class != SMTP_UNKNOWN);
	assert(event->class != SMTP_ACCEPTED || w->finished);
	w->in_hand = w->has_next;
	w->finished = w->has_next = false;
}

/* Behind the dot, or not at all. */
static void
queue_next(struct world *w)
{
	if (w->messages >= 3)
		return;
	w->has_next = smtp_session_send_next(w->s, &w->message, NULL);
	w->messages += w->has_next;
}

static void
send_next(struct world *w)
{
	if (w->messages++ < 3 &&
	    smtp_session_send(w->s, &w->message, w->now, NULL))
		w->in_hand = true;
	else
		smtp_session_quit(w->s, w->now);
}

static void
on_event(struct world *w, const struct smtp_event *event)
{
	static const struct sasl_once once = {SPAN_INIT("fuzznonce"),
	    SPAN_INIT("tls-exporter"), SPAN_INIT("fuzzbinding")};

	assert(w->ends == 0);
	switch (event->kind) {
	case SMTP_EVENT_STARTTLS:
		assert(!w->secure);
		w->secure = true;
		smtp_session_tls_started(w->s, w->now);
		break;
	case SMTP_EVENT_SECRET:
		assert(w->secure);
		smtp_session_once(w->s, &once);
		smtp_session_secret(w->s, SPAN("fuzzsecret"), w->now);
		break;
	case SMTP_EVENT_READY:
		send_next(w);
		break;
	case SMTP_EVENT_RECIPIENT:
		assert(w->in_hand && event->recipient < 2);
		break;
	case SMTP_EVENT_COMMIT:
		assert(w->in_hand && !w->finished);
		w->finished = true;
		queue_next(w);
		smtp_session_finish(w->s, w->now);
		break;
	case SMTP_EVENT_RESULT:
		on_result(w, event);
		if (!w->in_hand)
			send_next(w);
		break;
	case SMTP_EVENT_FAILED:
		assert(
		    event->class ==
		    (w->in_hand && w->finished ? SMTP_UNKNOWN : SMTP_DEFERRED));
		assert(event->error.fault != FAULT_NONE);
		w->ends++;
		break;
	case SMTP_EVENT_CLOSED:
		w->ends++;
		break;
	}
}

static void
settle(struct world *w)
{
	struct smtp_event event;
	size_t before;

	do {
		before = smtp_session_output(w->s).len;
		while (smtp_session_next_event(w->s, &event))
			on_event(w, &event);
		smtp_session_sent(w->s, smtp_session_output(w->s).len);
		if (smtp_session_deadline(w->s) <= w->now)
			smtp_session_tick(w->s, w->now);
	} while (before > 0 || smtp_session_output(w->s).len > 0);
	while (smtp_session_next_event(w->s, &event))
		on_event(w, &event);
}

/* A line at a time, so that a session can be answered as it goes. */
static void
play(struct world *w, struct span input, size_t piece)
{
	while (input.len > 0) {
		size_t len = span_find(input, '\n');

		len = len < piece ? len + 1 : piece;
		smtp_session_feed(w->s, span_slice(input, 0, len), w->now++);
		input = span_skip(input, len);
		settle(w);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	STRV_AUTO to = STRV_INIT;
	struct smtp_session_config config = {
	    .user = "fuzzuser",
	    .host = "h",
	    .port = 587,
	    .ehlo_name = "me",
	};
	struct world w = {.now = 1};
	char long_text[1200]; /* one line: BDAT where there is CHUNKING */

	if (size == 0)
		return 0;
	strv_add(&to, "a@b");
	strv_add(&to, "c@d");
	config.security =
	    data[0] & 1 ? SMTP_SECURITY_STARTTLS : SMTP_SECURITY_TLS;
	config.auth = (enum smtp_auth)((data[0] >> 1) % 3);
	w.secure = config.security == SMTP_SECURITY_TLS;
	memset(long_text, 'a', sizeof(long_text));
	w.message = (struct smtp_message){.from = "from@x",
	    .recipients = &to,
	    .bytes = data[0] & 0x80 ? span_from(long_text, sizeof(long_text))
				    : SPAN("Subject: a\n\n.\n")};
	w.s = smtp_session_new(&config, 0);
	play(&w, span_from(data + 1, size - 1), (size_t)(data[0] >> 3) + 1);
	for (unsigned i = 0; i < 100 && w.ends == 0; i++) {
		if (smtp_session_deadline(w.s) == USEC_NEVER)
			smtp_session_eof(w.s, w.now);
		else
			smtp_session_tick(
			    w.s, w.now = smtp_session_deadline(w.s) > w.now
					     ? smtp_session_deadline(w.s)
					     : w.now);
		settle(&w);
	}
	assert(w.ends == 1);
	smtp_session_free(&w.s);
	return 0;
}
