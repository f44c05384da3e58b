/*
 * sim/world: links: bytes under way, split, slow or lost.
 */
#include "tests/sim/world_private.h"

struct link *
world_link_of(struct world *w, struct mailbox *mailbox)
{
	size_t i = 0;

	while (i + 1 < ACCOUNT_MAILBOXES_MAX && w->links[i].mailbox != NULL &&
	       w->links[i].mailbox != mailbox)
		i++;
	if (w->links[i].mailbox == NULL) {
		w->links[i] = (struct link){.mailbox = mailbox};
		w->links[i].connect_at = USEC_NEVER;
		w->links[i].up.next = w->links[i].down.next = USEC_NEVER;
	}
	return &w->links[i];
}

static usec_t
later(usec_t a, usec_t b)
{
	return a > b ? a : b;
}

void
world_drop_link(struct link *link)
{
	if (link->session != NULL && link->down.bytes.len > 0)
		model_session_unheard(link->session);
	model_session_free(&link->session);
	buf_clear(&link->up.bytes);
	buf_clear(&link->down.bytes);
	link->up.next = link->down.next = link->connect_at = USEC_NEVER;
	link->silent = false;
	link->doubted = link->stalled_until = 0;
}

static void
hold(struct pipe *pipe, usec_t until)
{
	if (pipe->next != USEC_NEVER)
		pipe->next = later(pipe->next, until);
}

void
world_stall_link(struct link *link, usec_t until)
{
	link->stalled_until = until;
	hold(&link->up, until);
	hold(&link->down, until);
}

static void
schedule(struct world *w, struct pipe *pipe, usec_t stalled_until)
{
	if (pipe->bytes.len > 0 && pipe->next == USEC_NEVER)
		pipe->next = later(w->now, stalled_until) + world_delay(w);
}

/* Takes what both ends have to say. */
void
world_collect(struct world *w, struct link *link)
{
	if (link->session == NULL)
		return;
	struct span out = mailbox_output(link->mailbox);
	while (out.len > 0) {
		size_t part = 1 + random_below(&w->random, out.len);
		buf_add(&link->up.bytes, out.data, part);
		mailbox_sent(link->mailbox, part);
		out = mailbox_output(link->mailbox);
	}
	struct buf *said = model_session_output(link->session);
	buf_add_span(&link->down.bytes, buf_span(said));
	buf_clear(said);
	schedule(w, &link->up, link->stalled_until);
	schedule(w, &link->down, link->stalled_until);
}

/* One random piece of what is under way: borrowed until it is consumed. */
static struct span
next_piece(struct world *w, struct pipe *pipe)
{
	size_t len = pipe->bytes.len;

	if (world_chance(w, 30))
		len = 1 + random_below(&w->random, len);
	pipe->next = USEC_NEVER;
	return span_slice(buf_span(&pipe->bytes), 0, len);
}

static void
forget(struct world *w, struct link *link)
{
	if (link->session == NULL || link->silent || w->memory == 0 ||
	    w->now < usec_add(link->moved, w->memory))
		return;
	world_note(w, "the link is forgotten");
	if (link->down.bytes.len > 0)
		model_session_unheard(link->session);
	link->silent = true;
	w->forgotten++;
}

static void
move_up(struct world *w, struct link *link)
{
	struct span piece = next_piece(w, &link->up);

	if (!link->silent)
		model_session_feed(link->session, piece);
	buf_consume(&link->up.bytes, piece.len);
}

void
world_end_link(struct world *w, struct link *link)
{
	struct mailbox *mailbox = link->mailbox;

	world_drop_link(link);
	mailbox_eof(mailbox, w->now);
}

static void
move_down(struct world *w, struct link *link)
{
	struct span piece = next_piece(w, &link->down);

	if (!link->silent) {
		model_session_heard(link->session, piece);
		mailbox_feed(link->mailbox, piece, w->now);
	}
	buf_consume(&link->down.bytes, piece.len);
}

void
world_answer_connect(struct world *w, struct link *link)
{
	usec_t floor = backoff_floor(BACKOFF_NETWORK);

	world_drop_link(link);
	if (link->last_connect != 0 && w->now > link->free_until &&
	    w->now < usec_add(link->last_connect, floor / 2))
		world_fail(w, "connects again after %llu us",
		    (unsigned long long)(w->now - link->last_connect));
	link->last_connect = w->now;
	link->connect_at = w->now + world_delay(w);
}

static void
finish_connect(struct world *w, struct link *link)
{
	struct error error = ERROR_INIT;

	link->connect_at = USEC_NEVER;
	w->connects++;
	if (w->now < w->down_until || (w->faulty && world_chance(w, 20))) {
		error_set(&error, FAULT_RETRY, "connection refused");
		mailbox_connect_failed(link->mailbox, &error, w->now);
		return;
	}
	link->session = model_session_new(&w->model);
	link->moved = w->now;
	mailbox_connected(link->mailbox, w->now);
}

usec_t
world_next_of_link(const struct link *link)
{
	usec_t next = link->connect_at;

	next = usec_min(next, link->up.next);
	return usec_min(next, link->down.next);
}

void
world_serve_link(struct world *w, struct link *link)
{
	if (link->connect_at <= w->now)
		finish_connect(w, link);
	if (link->up.next <= w->now || link->down.next <= w->now) {
		forget(w, link);
		link->moved = w->now;
	}
	if (link->session != NULL && link->up.next <= w->now)
		move_up(w, link);
	if (link->session != NULL && link->down.next <= w->now)
		move_down(w, link);
	if (link->session == NULL)
		return;
	model_session_poll(link->session);
	world_collect(w, link);
	if (model_session_is_over(link->session) && link->down.bytes.len == 0 &&
	    !link->silent)
		world_end_link(w, link);
}

/* The proof, the pace of hints, and a little. */
void
world_check_proofs(struct world *w)
{
	const usec_t most = IMAP_PROOF_USEC + MAILBOX_HINT_USEC + USEC_SEC;

	for (size_t i = 0;
	     i < ACCOUNT_MAILBOXES_MAX && w->links[i].mailbox != NULL; i++) {
		struct link *link = &w->links[i];
		if (link->doubted != 0 && !world_is_writing(w, link->mailbox) &&
		    w->now > usec_add(link->doubted, most))
			world_fail(w, "a dead link is still believed");
	}
}
