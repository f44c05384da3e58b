/*
 * sim/model_imap: literals in commands, and APPEND.
 */
#include <stdlib.h>

#include "tests/sim/model_private.h"

/* {n} or {n+} at the end of a line; SIZE_MAX: there is none. */
static size_t
literal_at(struct span line)
{
	size_t at = line.len;

	if (!span_ends_nocase(line, "}"))
		return SIZE_MAX;
	while (at > 0 && line.data[at - 1] != '{')
		at--;
	return at > 0 ? at - 1 : SIZE_MAX;
}

bool
model_awaits_literal(struct model_session *s, struct span line)
{
	size_t at = literal_at(line);

	if (at == SIZE_MAX)
		return false;
	buf_add_span(&s->command, span_slice(line, 0, at));
	s->literal_bytes = strtoul(line.data + at + 1, NULL, 10);
	if (!span_ends_nocase(line, "+}"))
		buf_add_str(&s->output, "+ go on\r\n");
	else if (!model_offers_literals(s))
		s->model->broken = "a literal was not waited for";
	return true;
}

/* As a quoted string, in which the parser takes anything. */
bool
model_take_literal(struct model_session *s)
{
	struct span input = buf_span(&s->input);

	if (s->literal_bytes > input.len)
		return false;
	buf_add_char(&s->command, '"');
	for (size_t i = 0; i < s->literal_bytes; i++) {
		if (input.data[i] == '"' || input.data[i] == '\\')
			buf_add_char(&s->command, '\\');
		buf_add_char(&s->command, input.data[i]);
	}
	buf_add_char(&s->command, '"');
	buf_consume(&s->input, s->literal_bytes);
	s->literal_bytes = 0;
	return true;
}

/* RFC 5322 section 2.3: no CR and no LF but together. */
static bool
has_bare_end(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		bool after_cr = i > 0 && text.data[i - 1] == '\r';
		if ((text.data[i] == '\n') != after_cr)
			return true;
	}
	return span_ends_nocase(text, "\r");
}

void
model_do_append(struct model_session *s, const struct command *c)
{
	struct model_mailbox *mailbox =
	    model_find_open(s->model, c->arguments.items[0]);
	const char *text = c->arguments.items[c->arguments.len - 1];
	struct model_message *message;

	if (mailbox == NULL) {
		model_say(s, c, "NO [TRYCREATE] no such mailbox");
		return;
	}
	if (s->model->overquota) {
		model_say(s, c, "NO [OVERQUOTA] full");
		return;
	}
	if (has_bare_end(span_from_str(text)))
		s->model->broken =
		    "a message was appended with a bare CR or LF";
	if (model_has(s, MODEL_ENDED_LINES) &&
	    !span_ends_nocase(span_from_str(text), "\r\n")) {
		s->model->broken = "the server takes no such message";
		model_say(s, c, "BAD [CLIENTBUG] it does not end in CRLF");
		return;
	}
	message = model_append(mailbox, MODEL_APPENDED, text);
	message->came_unix = s->model->unix_now;
	s->model->appends++;
	if (model_has(s, MODEL_UIDPLUS))
		buf_addf(&s->output, "%s OK [APPENDUID %u %u] there\r\n",
		    c->tag, mailbox->uidvalidity, message->uid);
	else
		model_say(s, c, "OK there");
}
