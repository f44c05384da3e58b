/*
 * imap/session_command: commands on their way.
 *
 *   command = tag SP name *(SP argument) CRLF          (RFC 9051 section 9)
 *   literal = "{" number ["+"] "}" CRLF *CHAR8
 *
 * Commands stand in a queue in the order they were given. What can be written
 * is written at once, so several go out together; a synchronising literal
 * stops the queue until the server's "+", or until it refuses that command.
 */
#include <assert.h>

#include "daemon/base/xalloc.h"
#include "daemon/wire/imap/session_private.h"

void
session_command_init(const struct imap_session *s, struct imap_command *command,
    const char *name)
{
	imap_command_init(command, name);
	command->literal_plus =
	    (s->capabilities &
		(IMAP_CAP_LITERAL_PLUS | IMAP_CAP_LITERAL_MINUS)) != 0;
}

void
session_write(struct imap_session *s, struct span bytes)
{
	buf_add_span(&s->out, bytes);
	s->out_total += bytes.len;
}

static void
write_until(struct imap_session *s, struct session_command *c, size_t end)
{
	struct span text = buf_span(&c->command.text);

	session_write(s, span_slice(text, c->written, end - c->written));
	c->written = end;
}

static void
write_tag(struct imap_session *s, struct session_command *c)
{
	BUF_AUTO tag = BUF_INIT;

	buf_add_char(&tag, 'b');
	buf_add_number(&tag, c->id);
	buf_add_char(&tag, ' ');
	c->start = s->out_total;
	session_write(s, buf_span(&tag));
	c->started = true;
}

/* DONE is said once, and never before the "+". */
static bool
write_idle_end(struct imap_session *s, struct session_command *c)
{
	if (c->role != ROLE_IDLE || s->done_said)
		return true;
	if (c->waits_plus || !s->done_wanted)
		return false;
	session_write(s, SPAN("DONE\r\n"));
	s->done_said = true;
	s->was_done_said = true;
	return true;
}

/* True: the next command may follow. */
static bool
write_command(struct imap_session *s, struct session_command *c)
{
	if (c->finished)
		return write_idle_end(s, c);
	if (c->waits_plus)
		return false;
	if (!c->started)
		write_tag(s, c);
	if (c->next_cut < c->command.cut_count) {
		write_until(s, c, c->command.cuts[c->next_cut++]);
		c->waits_plus = true;
		return false;
	}
	write_until(s, c, c->command.text.len);
	session_write(s, SPAN("\r\n"));
	c->finished = true;
	c->end = s->out_total;
	imap_command_done(&c->command);
	c->waits_plus = c->role == ROLE_IDLE;
	return write_idle_end(s, c);
}

void
session_flush(struct imap_session *s)
{
	for (size_t i = 0; i < s->command_count; i++) {
		if (!write_command(s, &s->commands[i]))
			return;
	}
}

unsigned
session_send(struct imap_session *s, enum session_role role,
    struct imap_command *command)
{
	struct session_command *c;

	assert(s->command_count < IMAP_COMMANDS_MAX);
	assert(!command->invalid);
	assert(!command->secret || session_is_private(s));

	if (s->command_count == s->command_cap)
		s->commands = xreallocarray(
		    s->commands, ++s->command_cap, sizeof(s->commands[0]));
	c = &s->commands[s->command_count++];
	*c = (struct session_command){
	    .id = ++s->last_id, .role = role, .command = *command};
	*command = (struct imap_command){.text = BUF_INIT};
	session_flush(s);
	return c->id;
}

bool
session_continue(struct imap_session *s)
{
	for (size_t i = 0; i < s->command_count; i++) {
		if (!s->commands[i].waits_plus)
			continue;
		s->commands[i].waits_plus = false;
		session_flush(s);
		return true;
	}
	return false;
}

/* tag = "b" number, without leading zeros: only what we say ourselves. */
static bool
parse_tag(struct span tag, unsigned *id_r)
{
	uint32_t id;

	if (!span_starts(tag, "b") || span_starts(tag, "b0") ||
	    !span_to_u32(span_skip(tag, 1), &id))
		return false;
	*id_r = id;
	return true;
}

/* What was put into the output and what left it, in all. */
static bool
was_sent(const struct imap_session *s, uint64_t position)
{
	return s->out_total - (s->out.len - s->out_pos) >= position;
}

struct session_command *
session_find(struct imap_session *s, const struct imap_response *response)
{
	struct session_command *c = NULL;
	unsigned id;

	if (parse_tag(response->tag, &id)) {
		for (size_t i = 0; i < s->command_count; i++) {
			if (s->commands[i].id == id)
				c = &s->commands[i];
		}
	}
	/* A man in the middle foresees our next tag (EAST, "Buffering");
	 * a refusal may come while a long command is still on its way. */
	if (c == NULL || !c->started || !was_sent(s, c->start + 1)) {
		session_fail(s, FAULT_PEER,
		    "the server answered a command that was never sent");
		return NULL;
	}
	if (response->status == IMAP_OK &&
	    (!c->finished || !was_sent(s, c->end))) {
		session_fail(s, FAULT_PEER,
		    "the server accepted a command before it was complete");
		return NULL;
	}
	return c;
}

void
session_remove(struct imap_session *s, struct session_command *command)
{
	size_t index = (size_t)(command - s->commands);

	assert(index < s->command_count);
	imap_command_done(&command->command);
	s->command_count--;
	memmove(command, command + 1,
	    (s->command_count - index) * sizeof(*command));
	if (s->command_count > 0)
		return;
	free(s->commands);
	s->commands = NULL;
	s->command_cap = 0;
}

void
session_remove_all(struct imap_session *s)
{
	while (s->command_count > 0)
		session_remove(s, &s->commands[s->command_count - 1]);
}
