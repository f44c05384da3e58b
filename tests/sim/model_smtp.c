#include "tests/sim/model_smtp.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/xalloc.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum phase {
	PHASE_NEW,   /* before EHLO */
	PHASE_HELLO, /* before AUTH */
	PHASE_READY,
	PHASE_MAIL,
	PHASE_RCPT,
	PHASE_TEXT
};

struct model_smtp_session {
	struct model_smtp *model;
	enum phase phase;
	bool over;
	char *to;
	struct buf input, output;
	size_t said_bytes; /* output so far, also what was taken away */
	size_t taken_index, taken_at; /* SIZE_MAX: none */
};

void
model_smtp_done(struct model_smtp *model)
{
	for (size_t i = 0; i < model->taken_count; i++) {
		free(model->taken[i].to);
		free(model->taken[i].text);
	}
	free(model->taken);
	model->taken = NULL;
	model->taken_count = model->taken_cap = 0;
}

unsigned
model_smtp_count(const struct model_smtp *model, const char *to)
{
	unsigned count = 0;

	for (size_t i = 0; i < model->taken_count; i++)
		count += strcmp(model->taken[i].to, to) == 0;
	return count;
}

static void
say(struct model_smtp_session *s, const char *text)
{
	buf_addf(&s->output, "%s\r\n", text);
	s->said_bytes += strlen(text) + 2;
}

static void
broken(struct model_smtp_session *s, const char *what)
{
	if (s->model->broken[0] == '\0')
		snprintf(
		    s->model->broken, sizeof(s->model->broken), "%s", what);
}

/* ---- trouble ---- */

/* What can be said instead of the usual; "": nothing, and it hangs up. */
static const struct {
	const char *step;
	const char *replies[6];
} troubles[] = {
    {"greeting", {"421 4.3.2 too busy", "554 5.3.2 go away", "", NULL}},
    {"EHLO", {"421 4.3.2 too busy", "", NULL}},
    {"AUTH", {"454 4.7.0 later", "421 4.7.0 slow down", "", NULL}},
    {"MAIL", {"451 4.3.0 later", "421 4.3.2 bye", "452 4.3.1 full", "", NULL}},
    {"RCPT", {"450 4.2.0 greylisted", "550 5.1.1 who", "452 4.5.3 slow down",
		 "550 5.4.5 daily limit", "421 4.7.0 bye", NULL}},
    {"DATA", {"451 4.3.0 later", "554 5.5.1 no", "421 4.3.2 bye", "", NULL}},
    {"dot", {"451 4.3.0 later", "554 5.7.1 spam", "452 4.3.1 full",
		"421 4.3.2 bye", "", NULL}},
};

static const char *
trouble_of(struct model_smtp_session *s, const char *step)
{
	struct random *random = s->model->random;
	size_t n = 0;

	if (random_below(random, 100) >= s->model->trouble)
		return NULL;
	for (size_t i = 0; i < COUNT(troubles); i++) {
		if (strcmp(troubles[i].step, step) != 0)
			continue;
		while (troubles[i].replies[n] != NULL)
			n++;
		return troubles[i].replies[random_below(random, n)];
	}
	return NULL;
}

/* True: it said something else than the usual. */
static bool
goes_wrong(struct model_smtp_session *s, const char *step)
{
	const char *reply = trouble_of(s, step);

	if (reply == NULL)
		return false;
	if (reply[0] != '\0')
		say(s, reply);
	s->over = reply[0] == '\0' || strncmp(reply, "421", 3) == 0;
	/* A limit of the account is no verdict about the message. */
	if (reply[0] == '5' && s->to != NULL && strstr(reply, "5.4.5") == NULL)
		s->model->refused(s->model->ctx, s->to);
	return true;
}

/* ---- commands ---- */

static void
do_ehlo(struct model_smtp_session *s, struct span line)
{
	unsigned traits = s->model->traits;

	(void)line;
	if (goes_wrong(s, "EHLO"))
		return;
	say(s, "250-mail.example.net");
	if ((traits & MODEL_SMTP_PIPELINING) != 0)
		say(s, "250-PIPELINING");
	if ((traits & MODEL_SMTP_8BITMIME) != 0)
		say(s, "250-8BITMIME");
	if ((traits & MODEL_SMTP_SIZE) != 0)
		say(s, "250-SIZE 100000");
	say(s, "250 AUTH PLAIN");
	s->phase = PHASE_HELLO;
}

static void
do_auth(struct model_smtp_session *s, struct span line)
{
	(void)line;
	if (s->phase != PHASE_HELLO)
		broken(s, "AUTH out of order");
	if (s->model->refuse_logins) {
		say(s, "535 5.7.8 wrong");
		return;
	}
	if (goes_wrong(s, "AUTH"))
		return;
	say(s, "235 2.7.0 welcome");
	s->phase = PHASE_READY;
}

static void
do_mail(struct model_smtp_session *s, struct span line)
{
	(void)line;
	if (s->phase != PHASE_READY)
		broken(s, "MAIL out of order");
	free(s->to);
	s->to = NULL;
	if (goes_wrong(s, "MAIL"))
		return;
	say(s, "250 2.1.0 ok");
	s->phase = PHASE_MAIL;
}

static void
do_rcpt(struct model_smtp_session *s, struct span line)
{
	size_t open = span_find(line, '<'), close = span_find(line, '>');

	if (s->phase != PHASE_MAIL) {
		say(s, "503 5.5.1 MAIL first"); /* it was pipelined */
		return;
	}
	s->to = xstrdup_span(span_slice(line, open + 1, close - open - 1));
	if (!s->model->may_ask(s->model->ctx, s->to))
		broken(s, "a recipient that is not due");
	if (goes_wrong(s, "RCPT"))
		return;
	say(s, "250 2.1.5 ok");
	s->phase = PHASE_RCPT;
}

static void
do_data(struct model_smtp_session *s, struct span line)
{
	(void)line;
	if (s->phase != PHASE_RCPT) {
		say(s, "503 5.5.1 RCPT first");
		return;
	}
	if (goes_wrong(s, "DATA"))
		return;
	say(s, "354 go ahead");
	s->phase = PHASE_TEXT;
}

static void
do_rset(struct model_smtp_session *s, struct span line)
{
	(void)line;
	if (s->phase >= PHASE_READY)
		s->phase = PHASE_READY;
	say(s, "250 2.0.0 reset");
}

static void
do_quit(struct model_smtp_session *s, struct span line)
{
	(void)line;
	say(s, "221 2.0.0 bye");
	s->over = true;
}

static const struct {
	const char *name;
	void (*run)(struct model_smtp_session *s, struct span line);
} commands[] = {
    {"EHLO ", do_ehlo},
    {"AUTH PLAIN ", do_auth},
    {"MAIL FROM:<", do_mail},
    {"RCPT TO:<", do_rcpt},
    {"DATA", do_data},
    {"RSET", do_rset},
    {"QUIT", do_quit},
};

static bool
take_command(struct model_smtp_session *s)
{
	size_t end = span_find_span(buf_span(&s->input), SPAN("\r\n"), 0);

	if (end == SIZE_MAX)
		return false;
	STR_AUTO line = xstrdup_span(span_slice(buf_span(&s->input), 0, end));
	buf_consume(&s->input, end + 2);
	for (size_t i = 0; i < COUNT(commands); i++)
		if (span_starts(span_from_str(line), commands[i].name)) {
			commands[i].run(s, span_from_str(line));
			return true;
		}
	broken(s, "an unknown command");
	return true;
}

/* ---- the text ---- */

static char *
without_dots(struct span text)
{
	BUF_AUTO plain = BUF_INIT;
	bool at_start = true;

	for (size_t i = 0; i < text.len; i++) {
		if (at_start && text.data[i] == '.')
			i++;
		buf_add_char(&plain, text.data[i]);
		at_start = text.data[i] == '\n';
	}
	return buf_take_str(&plain);
}

static void
take(struct model_smtp_session *s, struct span text)
{
	struct model_smtp *model = s->model;

	if (model->taken_count == model->taken_cap) {
		model->taken_cap =
		    model->taken_cap > 0 ? 2 * model->taken_cap : 32;
		model->taken = xreallocarray(
		    model->taken, model->taken_cap, sizeof(*model->taken));
	}
	model->taken[model->taken_count++] = (struct model_taken){
	    .to = xstrdup(s->to), .text = without_dots(text)};
}

/* Taken, and then it says so, or hangs up without a word. */
static void
end_text(struct model_smtp_session *s, struct span text)
{
	struct model_smtp *model = s->model;

	s->phase = PHASE_READY;
	if (!model->may_end(model->ctx, s->to))
		broken(s, "a dot that the journal does not know");
	if (goes_wrong(s, "dot"))
		return;
	take(s, text);
	if (random_below(model->random, 100) < model->trouble) {
		s->over = true;
		return;
	}
	say(s, "250 2.0.0 taken");
	s->taken_index = model->taken_count - 1;
	s->taken_at = s->said_bytes;
	model->taken[s->taken_index].said = true;
}

static bool
take_text(struct model_smtp_session *s)
{
	size_t end = span_find_span(buf_span(&s->input), SPAN("\r\n.\r\n"), 0);

	if (end == SIZE_MAX)
		return false;
	STR_AUTO text =
	    xstrdup_span(span_slice(buf_span(&s->input), 0, end + 2));
	buf_consume(&s->input, end + 5);
	end_text(s, span_from_str(text));
	return true;
}

/* ---- sessions ---- */

struct model_smtp_session *
model_smtp_session_new(struct model_smtp *model)
{
	struct model_smtp_session *s = NEW(struct model_smtp_session);

	s->model = model;
	s->taken_index = s->taken_at = SIZE_MAX;
	if (!goes_wrong(s, "greeting"))
		say(s, "220 mail.example.net ESMTP");
	return s;
}

void
model_smtp_session_free(struct model_smtp_session **session)
{
	if (*session == NULL)
		return;
	free((*session)->to);
	buf_done(&(*session)->input);
	buf_done(&(*session)->output);
	free(*session);
	*session = NULL;
}

struct buf *
model_smtp_session_output(struct model_smtp_session *s)
{
	return &s->output;
}

size_t
model_smtp_session_said(const struct model_smtp_session *s, size_t *index_r)
{
	*index_r = s->taken_index;
	return s->taken_at;
}

bool
model_smtp_session_is_over(const struct model_smtp_session *s)
{
	return s->over;
}

void
model_smtp_session_feed(struct model_smtp_session *s, struct span bytes)
{
	buf_add_span(&s->input, bytes);
	while (!s->over &&
	       (s->phase == PHASE_TEXT ? take_text(s) : take_command(s)))
		;
}
