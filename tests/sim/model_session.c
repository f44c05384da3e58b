/*
 * sim/model_imap: a session: its life, and how its commands are read.
 */
#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/xalloc.h"
#include "tests/sim/model_private.h"

#define ARGUMENTS_MAX 64
#define SHORT_LINE 1000
#define SHORT_PIPELINE 25
#define TAG_MAX 40 /* with what is behind it */

struct model_session *
model_session_new(struct model *model)
{
	struct model_session *s = NEW(struct model_session);

	s->model = model;
	model_greet(s);
	return s;
}

void
model_session_free(struct model_session **session)
{
	if (*session == NULL)
		return;
	(*session)->model->logged_in -= (*session)->logged_in;
	model_forget_session(*session);
	free((*session)->view);
	buf_done(&(*session)->input);
	buf_done(&(*session)->command);
	buf_done(&(*session)->output);
	buf_done(&(*session)->heard);
	free(*session);
	*session = NULL;
}

struct buf *
model_session_output(struct model_session *s)
{
	return &s->output;
}

bool
model_session_is_over(const struct model_session *s)
{
	return s->over;
}

bool
model_session_is_logged_in(const struct model_session *s)
{
	return s->logged_in;
}

/* Once is what most servers say. */
void
model_session_bye(struct model_session *s)
{
	buf_add_str(&s->output, "* BYE shutting down\r\n");
	if (model_has(s, MODEL_BYE_LOOP))
		buf_add_str(&s->output, "* BYE shutting down\r\n"
					"* BYE shutting down\r\n"
					"A1 OK and an answer\r\n");
	s->over = true;
}

bool
model_has(const struct model_session *s, uint64_t trait)
{
	return (s->model->traits & trait) != 0;
}

void
model_say(struct model_session *s, const struct command *c, const char *text)
{
	buf_add_str(&s->output, c->tag);
	buf_add_char(&s->output, ' ');
	buf_add_str(&s->output, text);
	buf_add_str(&s->output, "\r\n");
}

void
model_put(struct buf *out, const char *text, uint64_t number)
{
	buf_add_str(out, text);
	buf_add_number(out, number);
}

void
model_refuse(struct model_session *s, const struct command *c)
{
	model_say(s, c,
	    model_has(s, MODEL_NO_FOR_BAD)
		? "NO Error in IMAP command received by server."
		: "BAD unknown command");
}

static void
do_ok(struct model_session *s, const struct command *c)
{
	model_say(s, c, "OK done");
}

static void
do_unselect(struct model_session *s, const struct command *c)
{
	s->selected = NULL;
	model_say(s, c, "OK done");
}

static void
do_logout(struct model_session *s, const struct command *c)
{
	model_session_bye(s);
	model_say(s, c, "OK bye");
}

static const struct {
	const char *name;
	model_command_fn *run;
	size_t arguments;
	bool before_login;
} commands[] = {
    {"UID", model_do_uid, 1, false}, /* most are this, or the next */
    {"IDLE", model_do_idle, 0, false},
    {"CAPABILITY", model_do_capability, 0, true},
    {"STARTTLS", model_do_starttls, 0, true},
    {"LOGIN", model_do_login, 2, true},
    {"AUTHENTICATE", model_do_login, 1, true},
    {"ID", model_do_id, 1, true},
    {"NOOP", model_do_noop, 0, true},
    {"LOGOUT", do_logout, 0, true},
    {"ENABLE", model_do_enable, 1, false},
    {"NAMESPACE", model_do_namespace, 0, false},
    {"LIST", model_do_list, 2, false},
    {"XLIST", model_do_xlist, 2, false},
    {"SELECT", model_do_select, 1, false},
    {"EXAMINE", model_do_examine, 1, false},
    {"UNSELECT", do_unselect, 0, false},
    {"CREATE", model_do_create, 1, false},
    {"SUBSCRIBE", do_ok, 1, false},
    {"STATUS", model_do_status, 2, false},
    {"APPEND", model_do_append, 2, false},
    {"NOTIFY", model_do_notify, 1, false},
};

/* More than the server takes. */
static bool
is_too_much(struct model_session *s, const struct command *c)
{
	if (!model_has(s, MODEL_SHORT_PIPELINE) ||
	    s->under_way <= SHORT_PIPELINE)
		return false;
	s->model->broken = "more than 25 commands are under way";
	model_say(s, c, "BAD too many commands");
	return true;
}

static void
run(struct model_session *s, const struct command *c)
{
	if (is_too_much(s, c))
		return;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(c->name, commands[i].name) != 0 ||
		    c->arguments.len < commands[i].arguments)
			continue;
		if (!s->logged_in && !commands[i].before_login)
			break;
		commands[i].run(s, c);
		return;
	}
	model_refuse(s, c);
}

/* ---- reading commands ---- */

/* The end of one argument that starts at `i`: a quoted string, a list with
 * its parentheses, or up to the next blank. */
static size_t
argument_end(struct span line, size_t i)
{
	unsigned depth = 0;
	bool quoted = false;

	for (; i < line.len; i++) {
		char c = line.data[i];
		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '(' || c == '['))
			depth++;
		else if (!quoted && (c == ')' || c == ']'))
			depth--;
		else if (!quoted && depth == 0 && c == ' ')
			break;
	}
	return i;
}

static void
add_argument(struct command *c, struct span text)
{
	BUF_AUTO plain = BUF_INIT;

	if (text.len < 2 || text.data[0] != '"') {
		strv_add_span(&c->arguments, text);
		return;
	}
	for (size_t i = 1; i + 1 < text.len; i++) {
		if (text.data[i] == '\\' && i + 2 < text.len)
			i++;
		buf_add_char(&plain, text.data[i]);
	}
	strv_add_span(&c->arguments, buf_span(&plain));
}

/* It ends a command: "b17 OK ...". */
static bool
is_tagged(struct span line)
{
	size_t i = 1;

	while (i < line.len && line.data[i] >= '0' && line.data[i] <= '9')
		i++;
	line = span_skip(line, i);
	return i > 1 &&
	       (span_starts(line, " OK ") || span_starts(line, " NO ") ||
		   span_starts(line, " BAD "));
}

void
model_session_heard(struct model_session *s, struct span bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		if (bytes.data[i] != '\n') {
			if (s->heard.len < TAG_MAX)
				buf_add_char(&s->heard, bytes.data[i]);
			continue;
		}
		if (is_tagged(buf_span(&s->heard)) && s->under_way > 0)
			s->under_way--;
		buf_clear(&s->heard);
	}
}

static void
parse(struct model_session *s, struct span line)
{
	struct command c = {.arguments = STRV_INIT};
	size_t at = 0, n = 0;

	s->under_way++;
	while (at < line.len && n < ARGUMENTS_MAX) {
		size_t end = argument_end(line, at);
		struct span word = span_slice(line, at, end - at);
		if (n == 0)
			snprintf(c.tag, sizeof(c.tag), "%.*s", SPAN_FMT(word));
		else if (n == 1)
			snprintf(
			    c.name, sizeof(c.name), "%.*s", SPAN_FMT(word));
		else
			add_argument(&c, word);
		at = end + 1;
		n++;
	}
	run(s, &c);
	strv_done(&c.arguments);
}

static void
take_command(struct model_session *s, struct span line)
{
	if (model_awaits_literal(s, line))
		return;
	if (s->command.len == 0) {
		parse(s, line);
		return;
	}
	buf_add_span(&s->command, line);
	parse(s, buf_span(&s->command));
	buf_clear(&s->command);
}

static void
take_secret(struct model_session *s, struct span line)
{
	struct command c = {.arguments = STRV_INIT};

	s->awaits_secret = false;
	snprintf(c.tag, sizeof(c.tag), "%s", s->secret_tag);
	strv_add(&c.arguments, "PLAIN");
	strv_add_span(&c.arguments, line);
	model_do_login(s, &c);
	strv_done(&c.arguments);
}

static void
take_line(struct model_session *s, struct span line)
{
	/* It ended by itself before the word was heard. */
	if (s->idle_ended && span_is(line, "DONE")) {
		s->idle_ended = false;
		return;
	}
	s->idle_ended = false;
	if (s->idle) {
		model_end_idle(s, line);
	} else if (s->awaits_secret) {
		take_secret(s, line);
	} else if (model_has(s, MODEL_SHORT_LINES) && line.len > SHORT_LINE) {
		struct span tag;
		span_split(&line, ' ', &tag);
		s->under_way++;
		buf_add_span(&s->output, tag);
		buf_add_str(
		    &s->output, " BAD [CLIENTBUG] command line too long\r\n");
	} else {
		take_command(s, line);
	}
}

void
model_session_feed(struct model_session *s, struct span bytes)
{
	buf_add_span(&s->input, bytes);
	for (;;) {
		if (s->literal_bytes > 0 && !model_take_literal(s))
			return;
		struct span input = buf_span(&s->input);
		size_t end = span_find_span(input, SPAN("\r\n"), 0);
		if (end == SIZE_MAX || s->over || s->is_busy)
			return;
		STR_AUTO line = xstrdup_span(span_slice(input, 0, end));
		buf_consume(&s->input, end + 2);
		take_line(s, span_from_str(line));
	}
}
