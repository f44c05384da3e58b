/*
 * The probe against a server of a few lines, with faults: it always ends, it
 * says why, and deletes what it made and nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/account/probe.h"
#include "daemon/base/xalloc.h"

#define ID "0123456789abcdef"

struct fault_case {
	const char *name;
	const char *refused; /* this command gets a NO */
	const char *code;    /* ... with it; NULL: none */
	const char *dies;    /* at this command the line breaks */
	bool no_idle, silent, loses;
	const char *trouble; /* part of the words; NULL: none */
	bool has_remains;
	enum probe_step last; /* the last step that was reached */
};

static const struct fault_case cases[] = {
    {.name = "good", .last = PROBE_FETCH},
    {.name = "no IDLE", .no_idle = true, .last = PROBE_FETCH},
    {.name = "silent IDLE",
	.silent = true,
	.last = PROBE_FETCH,
	.trouble = "did not tell of it within 30 s"},
    {.name = "lost",
	.loses = true,
	.last = PROBE_APPEND,
	.trouble = "not in the mailbox after a minute"},
    {.name = "CREATE refused",
	.refused = "CREATE",
	.last = PROBE_LOGIN,
	.trouble = "cannot be made: the server says: no"},
    {.name = "SELECT refused",
	.refused = "SELECT",
	.last = PROBE_CREATE,
	.trouble = "cannot be opened"},
    {.name = "APPEND refused",
	.refused = "APPEND",
	.last = PROBE_SECOND_LOGIN,
	.trouble = "is not taken"},
    {.name = "IDLE refused",
	.refused = "IDLE",
	.last = PROBE_CREATE,
	.trouble = "IDLE is refused"},
    {.name = "DELETE refused",
	.refused = "DELETE",
	.last = PROBE_FETCH,
	.trouble = "cannot be deleted",
	.has_remains = true},
    {.name = "DELETE refused, as it has children",
	.refused = "DELETE",
	.code = "[HASCHILDREN] ",
	.last = PROBE_FETCH,
	.trouble = "cannot be deleted",
	.has_remains = true},
    {.name = "dies at CREATE",
	.dies = "CREATE",
	.last = PROBE_LOGIN,
	.trouble = "closed the connection"},
    {.name = "dies at SELECT",
	.dies = "SELECT",
	.last = PROBE_CREATE,
	.trouble = "closed the connection",
	.has_remains = true},
    {.name = "dies at APPEND",
	.dies = "APPEND",
	.last = PROBE_SECOND_LOGIN,
	.trouble = "closed the connection"},
    {.name = "dies at FETCH",
	.dies = "UID",
	.last = PROBE_PUSH,
	.trouble = "closed the connection"},
    {.name = "dies at DELETE",
	.dies = "DELETE",
	.last = PROBE_FETCH,
	.trouble = "closed the connection",
	.has_remains = true},
};

struct server {
	const struct fault_case *fault;
	struct buf input[PROBE_ENDS], output[PROBE_ENDS];
	char idle_tag[20];
	bool open[PROBE_ENDS], dead[PROBE_ENDS];
	bool exists, has_message, idles;
};

static bool
is(const char *wanted, struct span name)
{
	return wanted != NULL && span_is(name, wanted);
}

static void
tell(struct server *s)
{
	if (!s->idles || !s->has_message || s->fault->silent)
		return;
	buf_add_str(&s->output[PROBE_WATCHER], "* 1 EXISTS\r\n");
}

static void
deliver(struct server *s)
{
	s->has_message = !s->fault->loses;
	tell(s);
}

static void
fetch(struct server *s, struct buf *out)
{
	if (s->has_message)
		buf_add_str(out,
		    "* 1 FETCH (UID 1 BODY[HEADER.FIELDS (X-Belfry-Probe)] "
		    "{36}\r\nX-Belfry-Probe: " ID "\r\n\r\n)\r\n");
}

static void
command(struct server *s, enum probe_end end, struct span tag, struct span name)
{
	struct buf *out = &s->output[end];

	if (is(s->fault->dies, name)) {
		s->dead[end] = true;
		return;
	}
	if (is(s->fault->refused, name)) {
		buf_addf(out, "%.*s NO %sno\r\n", SPAN_FMT(tag),
		    s->fault->code != NULL ? s->fault->code : "");
		return;
	}
	if (span_is(name, "IDLE")) {
		snprintf(
		    s->idle_tag, sizeof(s->idle_tag), "%.*s", SPAN_FMT(tag));
		s->idles = true;
		buf_add_str(out, "+ idling\r\n");
		tell(s);
		return;
	}
	if (span_is(name, "CREATE"))
		s->exists = true;
	if (span_is(name, "DELETE"))
		s->exists = false;
	if (span_is(name, "NOOP") && s->has_message)
		buf_add_str(out, "* 1 EXISTS\r\n");
	if (span_is(name, "UID"))
		fetch(s, out);
	if (span_is(name, "APPEND"))
		deliver(s);
	if (span_is(name, "LOGOUT"))
		buf_add_str(out, "* BYE\r\n");
	buf_addf(out, "%.*s OK%s done\r\n", SPAN_FMT(tag),
	    !span_is(name, "AUTHENTICATE") ? ""
	    : s->fault->no_idle		   ? " [CAPABILITY IMAP4rev1 LITERAL+]"
				: " [CAPABILITY IMAP4rev1 IDLE LITERAL+]");
}

static void
read_line(struct server *s, enum probe_end end, struct span line)
{
	size_t blank = span_find(line, ' ');
	struct span tag = span_slice(line, 0, blank);

	if (span_is(line, "DONE")) {
		s->idles = false;
		buf_addf(&s->output[end], "%s OK idled\r\n", s->idle_tag);
		return;
	}
	if (blank == SIZE_MAX || !span_starts(tag, "b"))
		return; /* the message's own lines */
	struct span name = span_skip(line, blank + 1);
	name = span_slice(name, 0, span_find(name, ' '));
	command(s, end, tag, name);
}

static void
pass_bytes(struct server *s, struct probe *p, enum probe_end end, usec_t now)
{
	struct probe_line *line = probe_line(p, end);
	struct span out = probe_line_output(line), row;

	if (!s->open[end])
		return;
	buf_add_span(&s->input[end], out);
	probe_line_sent(line, out.len);
	size_t at;
	while ((at = span_find(buf_span(&s->input[end]), '\n')) != SIZE_MAX) {
		row = span_slice(buf_span(&s->input[end]), 0, at - 1);
		STR_AUTO copy = xstrdup_span(row);
		buf_consume(&s->input[end], at + 1);
		read_line(s, end, span_from_str(copy));
	}
	if (s->output[end].len > 0) {
		struct buf said = s->output[end];
		s->output[end] = (struct buf)BUF_INIT;
		probe_line_feed(line, buf_span(&said), now);
		buf_done(&said);
	}
	if (s->dead[end] && s->open[end]) {
		s->open[end] = false;
		probe_line_eof(line, now);
	}
}

/* Whether it goes on. */
static bool
meet_needs(struct server *s, struct probe *p, usec_t now)
{
	struct probe_event event;

	while (probe_next_event(p, &event)) {
		switch (event.kind) {
		case PROBE_NEED_CONNECT:
			s->open[event.end] = true;
			buf_add_str(&s->output[event.end],
			    "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] "
			    "hello\r\n");
			probe_connected(p, event.end, now);
			break;
		case PROBE_NEED_SECRET:
			probe_secret(p, event.end, SPAN("secret"), now);
			break;
		case PROBE_NEED_DISCONNECT:
			s->open[event.end] = false;
			break;
		case PROBE_NEED_STARTTLS:
			fail_msg("STARTTLS on a secure line");
			break;
		case PROBE_FINISHED:
			return false;
		}
	}
	return true;
}

static void
play(const struct fault_case *fault, struct server *s)
{
	const struct probe_config config = {
	    .imap = {.security = IMAP_SECURITY_TLS,
		.auth = IMAP_AUTH_PASSWORD,
		.user = "ann",
		.host = "mail.example.org",
		.port = 993},
	    .mailbox = "Belfry-Probe",
	    .id = ID,
	    .email = "ann@example.org",
	};
	usec_t now = USEC_DAY;
	struct probe *p = probe_new(&config, now);
	unsigned rounds = 0;

	s->fault = fault;
	while (meet_needs(s, p, now)) {
		if (++rounds > 500)
			fail_msg("%s: it does not end", fault->name);
		now += 10 * USEC_MSEC;
		for (int i = 0; i < PROBE_ENDS; i++)
			pass_bytes(s, p, (enum probe_end)i, now);
		usec_t due =
		    usec_min(probe_line_deadline(probe_line(p, PROBE_WATCHER)),
			probe_line_deadline(probe_line(p, PROBE_SENDER)));
		if (rounds % 20 == 0 && due != USEC_NEVER && due > now)
			now = due; /* nothing has happened for a while */
		for (int i = 0; i < PROBE_ENDS; i++)
			probe_line_tick(probe_line(p, (enum probe_end)i), now);
	}
	const struct probe_result *result = probe_result(p);
	const char *trouble = fault->trouble;
	enum probe_step last = fault->last;
	if (trouble == NULL ? result->error.fault != FAULT_NONE
			    : strstr(result->error.text, trouble) == NULL)
		fail_msg("%s: %s", fault->name, result->error.text);
	if (result->took[last] == USEC_NEVER ||
	    (last != PROBE_FETCH && result->took[PROBE_FETCH] != USEC_NEVER))
		fail_msg("%s: other steps", fault->name);
	if (result->remains != fault->has_remains ||
	    s->exists != result->remains)
		fail_msg("%s: the mailbox remains: said %d, true %d",
		    fault->name, result->remains, s->exists);
	probe_free(&p);
}

static void
test_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct server server = {.exists = false};
		play(&cases[i], &server);
		for (int end = 0; end < PROBE_ENDS; end++) {
			buf_done(&server.input[end]);
			buf_done(&server.output[end]);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_faults)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
