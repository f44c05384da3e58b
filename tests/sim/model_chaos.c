/*
 * sim/model_imap: what happens now and then, by dice of its own
 * (model.attacks): answers that end in the middle, that come twice or in
 * pieces, other clients that act between two lines of one answer, commands
 * that are done when nobody waits for them any more.
 */
#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/xalloc.h"
#include "tests/sim/model_private.h"

#define BELATED_USEC (15 * USEC_SEC) /* the longest */

/* A command that was taken. The session, its mailbox and the words. */
struct model_belated {
	struct list_link link;
	struct model_session *session; /* NULL: it ended */
	struct model_mailbox *selected;
	uint32_t validity;
	struct command command;
	usec_t at;
};

bool
model_attacks(const struct model_session *s, unsigned attack, unsigned percent)
{
	return (s->model->attacks & attack) != 0 &&
	       random_below(&s->model->dice, 100) < percent;
}

bool
model_breaks(const struct model_session *s, unsigned attack, unsigned percent)
{
	return s->model->moody && model_attacks(s, attack, percent);
}

/* ---- in answers to FETCH ---- */

/* As RFC 3501 section 7.4.2 allows it at any time. */
void
model_echo(struct model_session *s, const struct model_message *message)
{
	if (model_attacks(s, MODEL_ECHO, 30)) {
		buf_addf(&s->output, "* %zu FETCH (UID %u ",
		    model_seq_of(s, message->uid), message->uid);
		model_add_flags(&s->output, &message->flags);
		buf_add_str(&s->output, ")\r\n");
	}
	if (model_attacks(s, MODEL_FLAGS_OF_NOBODY, 10))
		buf_addf(&s->output, "* %zu FETCH (FLAGS (\\Seen))\r\n",
		    s->view_count + 1);
}

void
model_midway(struct model_session *s)
{
	if (s->model->others == NULL || !model_breaks(s, MODEL_MIDWAY, 4))
		return;
	s->model->others(s->model->ctx);
	model_tell_news(s);
}

void
model_tell_anywhere(struct model_session *s)
{
	if (model_attacks(s, MODEL_NEWS_ANYWHERE, 50))
		model_tell_news(s);
}

size_t
model_tear(const struct model_session *s, const struct command *c, size_t count)
{
	bool is_news = strstr(c->arguments.items[2], "INTERNALDATE") != NULL;

	if (model_breaks(s, MODEL_TORN_FETCH, 4) ||
	    (is_news && model_breaks(s, MODEL_LEFT_OUT, 6)))
		return random_below(&s->model->dice, count + 1);
	return SIZE_MAX;
}

void
model_end_torn(struct model_session *s, const struct command *c)
{
	static const char *const ends[] = {"NO [SERVERBUG] Internal error",
	    "NO [UNAVAILABLE] try again", "NO Some messages could not be read",
	    NULL};
	bool is_news = strstr(c->arguments.items[2], "INTERNALDATE") != NULL;
	const char *end = ends[random_below(&s->model->dice, 4)];

	if (is_news && model_breaks(s, MODEL_LEFT_OUT, 50))
		model_say(s, c, "OK fetched");
	else if ((s->model->attacks & MODEL_TORN_FETCH) == 0)
		model_say(s, c, is_news ? "OK fetched" : ends[0]);
	else if (end != NULL)
		model_say(s, c, end);
	else
		s->over = true;
}

/* ---- COPYUID ---- */

static void
add_downwards(struct buf *code, const struct imap_seqset *set)
{
	const char *comma = "";

	for (size_t i = set->count; i-- > 0;)
		for (uint32_t uid = set->ranges[i].last;
		     uid >= set->ranges[i].first; uid--) {
			buf_addf(code, "%s%u", comma, uid);
			comma = ",";
		}
}

/* Downwards both: the pairs are the same. Or one too few. */
void
model_add_odd_copyuid(struct model_session *s, struct buf *code,
    const struct imap_seqset *from, const struct imap_seqset *to)
{
	struct imap_seqset fewer = IMAP_SEQSET_INIT;

	add_downwards(code, from);
	buf_add_char(code, ' ');
	for (size_t i = 0; i < to->count; i++)
		for (uint32_t uid = to->ranges[i].first;
		     uid <= to->ranges[i].last; uid++)
			imap_seqset_add(&fewer, uid);
	if (model_breaks(s, MODEL_ODD_COPYUID, 30) && from->count > 0 &&
	    imap_seqset_size(from) > 1)
		imap_seqset_drop_below(&fewer, to->ranges[0].first + 1);
	add_downwards(code, &fewer);
	imap_seqset_done(&fewer);
}

/* ---- what is done later ---- */

static void
take(struct model_session *s, const struct command *c)
{
	struct model_belated *belated = NEW(struct model_belated);

	belated->session = s;
	belated->selected = s->selected;
	belated->validity = s->selected->uidvalidity;
	belated->at =
	    s->model->now + random_below(&s->model->dice, BELATED_USEC);
	snprintf(belated->command.tag, sizeof(c->tag), "%s", c->tag);
	snprintf(belated->command.name, sizeof(c->name), "%s", c->name);
	strv_copy(&belated->command.arguments, &c->arguments);
	list_add(&s->model->belated, &belated->link);
	s->is_busy = true;
}

/* Its link ends, too, half of the time. */
bool
model_is_belated(struct model_session *s, const struct command *c)
{
	const char *name = c->arguments.items[0];

	if ((strcmp(name, "COPY") != 0 && strcmp(name, "MOVE") != 0) ||
	    s->model->now == 0 || !model_breaks(s, MODEL_LATE, 25))
		return false;
	take(s, c);
	if (random_below(&s->model->dice, 2) == 0)
		s->over = true;
	return true;
}

static void
forget(struct model_belated *belated)
{
	list_remove(&belated->link);
	strv_done(&belated->command.arguments);
	free(belated);
}

void
model_forget_session(struct model_session *s)
{
	if (s->model->attacks == 0)
		return;
	LIST_EACH(pos, &s->model->belated)
	{
		struct model_belated *belated =
		    LIST_ITEM(pos, struct model_belated, link);
		if (belated->session == s)
			belated->session = NULL;
	}
}

void
model_forget_belated(struct model *model)
{
	if (model->attacks == 0)
		return;
	LIST_EACH(pos, &model->belated)
	forget(LIST_ITEM(pos, struct model_belated, link));
}

static struct model_belated *
next_belated(const struct model *model)
{
	LIST_EACH(pos, &model->belated)
	{
		struct model_belated *belated =
		    LIST_ITEM(pos, struct model_belated, link);
		if (belated->at <= model->now)
			return belated;
	}
	return NULL;
}

/* For who waits, or for nobody. */
static void
do_belated(struct model *model, struct model_belated *belated)
{
	struct model_session nobody = {.model = model,
	    .selected = belated->selected,
	    .logged_in = true,
	    .view_validity = belated->validity,
	    .view_changes = belated->selected->changes};
	struct model_session *s =
	    belated->session != NULL ? belated->session : &nobody;

	s->is_busy = false;
	if (s != &nobody || belated->validity == s->selected->uidvalidity)
		model_do_uid_now(s, &belated->command);
	if (s == &nobody) {
		free(nobody.view);
		buf_done(&nobody.output);
	}
}

void
model_do_belated(struct model *model)
{
	struct model_belated *belated;

	while (model->attacks != 0 && (belated = next_belated(model)) != NULL) {
		struct model_session *s = belated->session;
		do_belated(model, belated);
		forget(belated);
		if (s != NULL)
			model_session_feed(s, SPAN_EMPTY);
	}
}

usec_t
model_next_belated(const struct model *model)
{
	usec_t next = USEC_NEVER;

	if (model->attacks == 0)
		return next;
	LIST_EACH(pos, &model->belated)
	next = usec_min(next, LIST_ITEM(pos, struct model_belated, link)->at);
	return next;
}
