/*
 * sim/model_imap: the greeting, capabilities and the login.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/xalloc.h"
#include "tests/sim/model_private.h"

/* What a client must leave between a login that failed and the next. */
#define LOGIN_FLOOR_USEC (59 * USEC_SEC)
/* ... but for those that were under way when it failed. */
#define UNDER_WAY_USEC (5 * USEC_SEC)
/* Credentials that are refused so often are refused: by a visitor, twice by who
 * watches, and once in the other way (LOGIN for PLAIN, the other name). */
#define IN_A_ROW 4
#define REFUSE_EVERY 3 /* logins, when it is moody */

static const struct personality *
personality_of(const struct model_session *s)
{
	return s->model->personality;
}

void
model_greet(struct model_session *s)
{
	const struct personality *p = personality_of(s);

	if (model_has(s, MODEL_ALERT_FIRST))
		buf_add_str(&s->output,
		    "* OK [ALERT] Filesystem notification initialization "
		    "error -- contact your mail administrator\r\n");
	buf_addf(&s->output, "* OK %s\r\n",
	    p != NULL && p->greeting != NULL ? p->greeting : "model ready");
}

/* Of a server that is put together from traits. */
static void
add_offers(const struct model_session *s, struct buf *out)
{
	static const struct {
		uint64_t trait;
		const char *name;
	} names[] = {
	    {MODEL_MOVE, "MOVE"},
	    {MODEL_UIDPLUS, "UIDPLUS"},
	    {MODEL_IDLE, "IDLE"},
	    {MODEL_NAMESPACE, "NAMESPACE"},
	    {MODEL_CONDSTORE, "ENABLE CONDSTORE"},
	    {MODEL_QRESYNC, "QRESYNC"},
	    {MODEL_LIST_STATUS, "LIST-EXTENDED LIST-STATUS"},
	};

	buf_add_str(out, "IMAP4rev1 AUTH=PLAIN SASL-IR ID");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (model_has(s, names[i].trait))
			buf_addf(out, " %s", names[i].name);
}

static void
add_capabilities(const struct model_session *s, struct buf *out)
{
	const struct personality *p = personality_of(s);

	buf_add_str(out, "CAPABILITY ");
	if (p == NULL)
		add_offers(s, out);
	else if (s->logged_in)
		buf_add_str(out, personality_post(p));
	else
		buf_add_str(out,
		    p->pre != NULL ? p->pre : "IMAP4rev1 SASL-IR AUTH=PLAIN");
	if (s->model->notifies)
		buf_add_str(out, " NOTIFY");
}

bool
model_offers_literals(const struct model_session *s)
{
	const struct personality *p = personality_of(s);

	return p != NULL && strstr(personality_post(p), "LITERAL") != NULL;
}

bool
model_offers(const struct model_session *s, const char *capability)
{
	BUF_AUTO own = BUF_INIT;
	struct span rest, word;

	if (personality_of(s) != NULL)
		return personality_offers(personality_of(s), capability);
	add_offers(s, &own);
	rest = buf_span(&own);
	while (span_split(&rest, ' ', &word))
		if (span_is(word, capability))
			return true;
	return false;
}

void
model_do_capability(struct model_session *s, const struct command *c)
{
	buf_add_str(&s->output, "* ");
	add_capabilities(s, &s->output);
	buf_add_str(&s->output, "\r\n");
	model_say(s, c, "OK done");
}

void
model_do_starttls(struct model_session *s, const struct command *c)
{
	if (!model_has(s, MODEL_STARTTLS) || s->secured)
		model_refuse(s, c);
	else
		model_say(s, c, "OK begin");
}

void
model_session_secured(struct model_session *s)
{
	s->secured = true;
}

/* ---- refusals ---- */

static bool
refuses_now(struct model_session *s)
{
	const struct personality *p = personality_of(s);

	if (p == NULL || p->refusal == NULL)
		return false;
	if (p->locks && s->model->in_a_row > 0)
		return s->model->moody; /* until a person mends it */
	return s->model->moody && s->model->logins % REFUSE_EVERY == 0;
}

/* What the client was told not to do. */
static void
watch_login(struct model_session *s)
{
	struct model *model = s->model;
	const struct personality *p = personality_of(s);
	usec_t wait =
	    model->told_wait != 0 ? model->told_wait : LOGIN_FLOOR_USEC;

	if (model_has(s, MODEL_STARTTLS) && !s->secured)
		model->broken = "a password in the clear";
	if (model->refused_at == 0 ||
	    model->now < usec_add(model->refused_at, UNDER_WAY_USEC))
		return;
	if (p != NULL && p->locks && model->in_a_row >= IN_A_ROW)
		model->broken = "a login with credentials that are refused";
	else if (model->now < usec_add(model->refused_at, wait))
		model->broken = "a login too soon after one that failed";
}

static void
note_refusal(struct model_session *s)
{
	s->refused = true;
	s->model->refused++;
	s->model->refused_at = s->model->now;
	s->model->told_wait = 0;
}

/* Also its last words, for those that end the link. */
static void
say_refusal(struct model_session *s, const struct command *c)
{
	const struct personality *p = personality_of(s);
	struct span rest = span_from_str(p->refusal), line;

	while (span_split(&rest, '\n', &line) && line.len > 0) {
		if (span_starts(line, "$tag")) {
			buf_add_str(&s->output, c->tag);
			line = span_skip(line, 4);
		}
		if (span_starts(line, "* BYE"))
			s->over = true;
		buf_add_span(&s->output, line);
		buf_add_char(&s->output, '\n');
	}
	if (s->model->refused_at == 0 ||
	    s->model->now >= usec_add(s->model->refused_at, UNDER_WAY_USEC))
		s->model->in_a_row++;
	note_refusal(s);
	s->model->told_wait = p->refusal_wait * USEC_SEC;
}

/* ---- the login ---- */

static void
welcome(struct model_session *s, const struct command *c)
{
	const struct personality *p = personality_of(s);
	enum personality_offers offers = p != NULL ? p->offers : OFFERS_CODE;

	s->model->refused_at = 0;
	s->model->in_a_row = 0;
	s->model->logged_in += !s->logged_in;
	s->logged_in = true;
	if (offers == OFFERS_UNTAGGED) {
		buf_add_str(&s->output, "* ");
		add_capabilities(s, &s->output);
		buf_add_str(&s->output, "\r\n");
	}
	buf_addf(&s->output, "%s OK ", c->tag);
	if (offers == OFFERS_CODE) {
		buf_add_str(&s->output, "[");
		add_capabilities(s, &s->output);
		buf_add_str(&s->output, "] ");
	}
	buf_add_str(&s->output, "user ann authenticated\r\n");
}

void
model_do_login(struct model_session *s, const struct command *c)
{
	struct model *model = s->model;

	if (c->arguments.len ==
	    1) { /* AUTHENTICATE without an initial answer */
		s->awaits_secret = true;
		snprintf(s->secret_tag, sizeof(s->secret_tag), "%s", c->tag);
		buf_add_str(&s->output, "+ \r\n");
		return;
	}
	watch_login(s);
	model->logins++;
	if (refuses_now(s)) {
		say_refusal(s, c);
		return;
	}
	if (model->logins_max != 0 && model->logged_in >= model->logins_max) {
		note_refusal(s);
		model->limited++;
		model_say(s, c, "NO [LIMIT] too many connections");
		return;
	}
	if (model_has(s, MODEL_PLAIN_FAILS) && strcmp(c->name, "LOGIN") != 0) {
		note_refusal(s);
		model_say(
		    s, c, "NO [AUTHENTICATIONFAILED] Authentication Failed");
		return;
	}
	welcome(s, c);
}

/* ---- what comes after it ---- */

void
model_do_id(struct model_session *s, const struct command *c)
{
	const char *list = c->arguments.len > 0 ? c->arguments.items[0] : "";
	bool is_empty = strcmp(list, "NIL") == 0 || strcmp(list, "()") == 0;

	if (model_has(s, MODEL_ID_FAILS) ||
	    (is_empty && model_has(s, MODEL_NO_ID_NIL))) {
		model_say(s, c, "BAD invalid command");
		return;
	}
	s->identified = true;
	buf_add_str(&s->output, "* ID (\"name\" \"model\")\r\n");
	model_say(s, c, "OK done");
}

void
model_do_enable(struct model_session *s, const struct command *c)
{
	s->qresync = model_has(s, MODEL_QRESYNC) && model_counts(s) &&
		     strv_has(&c->arguments, "QRESYNC");
	if (!model_has(s, MODEL_SILENT_ENABLE)) {
		STR_AUTO joined = strv_join(&c->arguments, " ");
		buf_addf(&s->output, "* ENABLED %s\r\n", joined);
	}
	model_say(s, c, "OK done");
}

void
model_session_unheard(struct model_session *s)
{
	if (s->refused)
		s->model->refused_at = 0;
	s->refused = false;
}
