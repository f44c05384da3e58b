/* Connections: bytes that take their time, break off, or stay away. */
#include "tests/sim/many_private.h"

/* Nobody's link is the first that is free. `hint`: where it may be. */
struct link *
link_near(struct world *w, struct mailbox *mailbox, size_t hint)
{
	size_t i = w->links[hint].mailbox == mailbox ? hint : 0;

	while (w->links[i].mailbox != NULL && w->links[i].mailbox != mailbox)
		i++;
	if (w->links[i].mailbox == NULL) {
		w->links[i] = (struct link){.mailbox = mailbox};
		w->links[i].connect_at = USEC_NEVER;
		w->links[i].up.next = w->links[i].down.next = USEC_NEVER;
	}
	return &w->links[i];
}

struct link *
link_of(struct world *w, struct mailbox *mailbox)
{
	return link_near(w, mailbox, 0);
}

void
drop_link(struct link *link)
{
	if (link->session != NULL && link->down.bytes.len > 0)
		model_session_unheard(link->session);
	model_session_free(&link->session);
	buf_clear(&link->up.bytes);
	buf_clear(&link->down.bytes);
	link->up.next = link->down.next = link->connect_at = USEC_NEVER;
	link->silent = false;
}

void
forget_link(struct world *w, struct mailbox *mailbox)
{
	size_t i = 0, last = 0;

	while (w->links[last].mailbox != NULL)
		last++;
	while (i < last && w->links[i].mailbox != mailbox)
		i++;
	if (i == last)
		return;
	drop_link(&w->links[i]);
	buf_done(&w->links[i].up.bytes);
	buf_done(&w->links[i].down.bytes);
	w->links[i] = w->links[last - 1];
	w->links[last - 1] = (struct link){.mailbox = NULL};
}

static void
schedule(struct world *w, struct pipe *pipe)
{
	if (pipe->bytes.len > 0 && pipe->next == USEC_NEVER)
		pipe->next = w->now + delay(w);
}

void
collect(struct world *w, struct link *link)
{
	if (link->session == NULL)
		return;
	for (struct span out = mailbox_output(link->mailbox); out.len > 0;
	     out = mailbox_output(link->mailbox)) {
		buf_add_span(&link->up.bytes, out);
		mailbox_sent(link->mailbox, out.len);
	}
	struct buf *said = model_session_output(link->session);
	buf_add_span(&link->down.bytes, buf_span(said));
	buf_clear(said);
	schedule(w, &link->up);
	schedule(w, &link->down);
}

static struct buf
take_piece(struct world *w, struct pipe *pipe)
{
	struct buf piece = BUF_INIT;
	size_t len = pipe->bytes.len;

	if (chance(w, 20))
		len = 1 + random_below(&w->random, len);
	buf_add(&piece, pipe->bytes.data, len);
	buf_consume(&pipe->bytes, len);
	pipe->next = USEC_NEVER;
	return piece;
}

void
end_link(struct world *w, struct link *link)
{
	drop_link(link);
	mailbox_eof(link->mailbox, w->now);
}

static void
finish_connect(struct world *w, struct link *link)
{
	struct error error = ERROR_INIT;

	link->connect_at = USEC_NEVER;
	if (w->faulty && chance(w, 10)) {
		error_set(&error, FAULT_RETRY, "connection refused");
		mailbox_connect_failed(link->mailbox, &error, w->now);
		return;
	}
	link->session = model_session_new(&w->model);
	mailbox_connected(link->mailbox, w->now);
}

void
serve_link(struct world *w, struct link *link)
{
	BUF_AUTO piece = BUF_INIT;

	if (link->connect_at <= w->now)
		finish_connect(w, link);
	if (link->session != NULL && link->up.next <= w->now) {
		piece = take_piece(w, &link->up);
		if (!link->silent)
			model_session_feed(link->session, buf_span(&piece));
	}
	if (link->session != NULL && link->down.next <= w->now) {
		buf_done(&piece);
		piece = take_piece(w, &link->down);
		if (!link->silent) {
			model_session_heard(link->session, buf_span(&piece));
			mailbox_feed(link->mailbox, buf_span(&piece), w->now);
		}
	}
	if (link->session == NULL)
		return;
	model_session_poll(link->session);
	collect(w, link);
	if (model_session_is_over(link->session) && link->down.bytes.len == 0 &&
	    !link->silent)
		end_link(w, link);
}
