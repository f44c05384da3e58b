#include "daemon/account/probe.h"

#include <assert.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/wire/imap/fetch.h"

#define EVENTS_MAX 16

/* What a line waits for. */
enum line_state {
	LINE_OFF,
	LINE_CONNECTING,
	LINE_LOGIN,
	LINE_CREATE,
	LINE_SELECT,
	LINE_IDLE,     /* IDLE said; news, or the time for them, end it */
	LINE_IDLE_END, /* DONE said */
	LINE_REST,     /* no IDLE: until the next NOOP */
	LINE_NOOP,
	LINE_LOOK,
	LINE_APPEND,
	LINE_APPENDED, /* nothing to do for now */
	LINE_DELETE,
	LINE_LOGOUT,
	LINE_OVER,
	LINE_STATES
};

struct probe_line {
	struct probe *probe;
	enum probe_end end;
	enum line_state state;
	struct imap_session *session;
	unsigned command;
	usec_t timer; /* USEC_NEVER: none */
};

struct probe {
	struct probe_config config;
	struct probe_line lines[PROBE_ENDS];
	struct probe_event events[EVENTS_MAX];
	size_t event_count;
	struct probe_result result;
	usec_t step_began, append_began;
	usec_t limit;
	bool created, appended, news, found, ending, finished;
};

static const struct {
	const char *name, *words;
} steps[PROBE_STEPS] = {
    [PROBE_LOGIN] = {"login", "logged in"},
    [PROBE_CREATE] = {"create", "made the mailbox"},
    [PROBE_WATCH] = {"watch", "watching it"},
    [PROBE_SECOND_LOGIN] = {"second_login", "logged in once more"},
    [PROBE_APPEND] = {"append", "the server took the message"},
    [PROBE_PUSH] = {"push", "the other connection heard of it"},
    [PROBE_FETCH] = {"fetch", "and read it"},
};

const char *
probe_step_name(enum probe_step step)
{
	return steps[step].name;
}

const char *
probe_step_words(enum probe_step step)
{
	return steps[step].words;
}

static void
emit(struct probe_line *line, enum probe_event_kind kind)
{
	struct probe *p = line->probe;

	assert(p->event_count < EVENTS_MAX);
	p->events[p->event_count++] =
	    (struct probe_event){.kind = kind, .end = line->end};
}

static void
enter(struct probe_line *line, enum line_state state)
{
	line->state = state;
	line->timer = USEC_NEVER;
	line->command = 0;
}

static void
took(struct probe *p, enum probe_step step, usec_t since, usec_t now)
{
	p->result.took[step] = usec_since(since, now);
	p->step_began = now;
}

/* ---- the end ---- */

static void
hang_up(struct probe_line *line)
{
	if (line->state != LINE_OFF && line->state != LINE_OVER)
		emit(line, PROBE_NEED_DISCONNECT);
	imap_session_free(&line->session);
	enter(line, LINE_OVER);
}

static void
finish(struct probe *p)
{
	if (p->finished)
		return;
	p->finished = true;
	p->result.remains = p->created;
	hang_up(&p->lines[PROBE_SENDER]);
	hang_up(&p->lines[PROBE_WATCHER]);
	emit(&p->lines[PROBE_WATCHER], PROBE_FINISHED);
}

static void
log_out(struct probe_line *line, usec_t now)
{
	if (line->session == NULL) {
		hang_up(line);
		return;
	}
	enter(line, LINE_LOGOUT);
	imap_session_logout(line->session, now);
}

static void
send_name(struct probe_line *line, enum line_state state, const char *name,
    usec_t now)
{
	struct imap_command command;

	enter(line, state);
	imap_session_command(line->session, &command, name);
	imap_command_mailbox(
	    &command, span_from_str(line->probe->config.mailbox));
	line->command = imap_session_send(line->session, &command, now);
}

static bool
can_delete(const struct probe_line *line)
{
	return line->state == LINE_APPENDED || line->state == LINE_REST;
}

/* Deletes what was made: by the sender, who has not opened it; else by the
 * watcher, when IDLE has ended. */
static void
end(struct probe *p, usec_t now)
{
	struct probe_line *watcher = &p->lines[PROBE_WATCHER];
	struct probe_line *sender = &p->lines[PROBE_SENDER];

	p->ending = true;
	p->limit = usec_add(now, PROBE_CLEANUP_USEC);
	if (p->created && can_delete(sender)) {
		log_out(watcher, now);
		send_name(sender, LINE_DELETE, "DELETE", now);
	} else if (p->created && can_delete(watcher)) {
		log_out(sender, now);
		send_name(watcher, LINE_DELETE, "DELETE", now);
	} else if (p->created && watcher->state == LINE_IDLE) {
		unsigned command = watcher->command;
		log_out(sender, now);
		enter(watcher, LINE_IDLE_END);
		watcher->command = command;
		imap_session_idle_done(watcher->session, now);
	} else {
		finish(p);
	}
}

static void
give_up(struct probe *p, enum fault fault, const char *text, usec_t now)
{
	if (p->result.error.fault == FAULT_NONE)
		error_set(&p->result.error, fault, "%s", text);
	if (p->ending)
		finish(p);
	else
		end(p, now);
}

/* ---- the watcher ---- */

static void
rest(struct probe_line *line, usec_t now)
{
	if (line->probe->ending) {
		enter(line, LINE_REST);
		end(line->probe, now);
	} else if (line->probe->result.has_idle) {
		enter(line, LINE_IDLE);
		line->command = imap_session_idle(line->session, now);
	} else {
		enter(line, LINE_REST);
		line->timer = usec_add(now, PROBE_POLL_USEC);
	}
}

static void
call_sender(struct probe *p, usec_t now)
{
	struct probe_line *sender = &p->lines[PROBE_SENDER];

	if (sender->state != LINE_OFF)
		return;
	took(p, PROBE_WATCH, p->step_began, now);
	enter(sender, LINE_CONNECTING);
	emit(sender, PROBE_NEED_CONNECT);
}

static void
look(struct probe_line *line, usec_t now)
{
	struct imap_command command;

	enter(line, LINE_LOOK);
	line->probe->news = false;
	imap_session_command(line->session, &command, "UID FETCH");
	imap_command_raw(&command, "1:*");
	imap_command_raw(
	    &command, "(UID BODY.PEEK[HEADER.FIELDS (X-Belfry-Probe)])");
	line->command = imap_session_send(line->session, &command, now);
}

static void
leave_idle(struct probe_line *line, usec_t now)
{
	unsigned command = line->command;

	enter(line, LINE_IDLE_END);
	line->command = command;
	imap_session_idle_done(line->session, now);
}

static void
note_found(struct probe *p, usec_t now)
{
	if (p->found)
		return;
	p->found = true;
	if (p->result.took[PROBE_PUSH] == USEC_NEVER)
		error_set(&p->result.error, FAULT_PEER,
		    "the server did not tell of it within %d s: it was found "
		    "by asking",
		    (int)(PROBE_PUSH_USEC / USEC_SEC));
	p->result.took[PROBE_FETCH] = usec_since(p->append_began, now);
}

static void
on_untagged(
    struct probe_line *line, const struct imap_response *response, usec_t now)
{
	struct probe *p = line->probe;
	struct imap_fetch fetch;

	if (line->end != PROBE_WATCHER || p->append_began == USEC_NEVER)
		return;
	if (imap_fetch_parse(response, &fetch)) {
		if (fetch.has_header &&
		    span_find_span(fetch.header, span_from_str(p->config.id),
			0) != SIZE_MAX)
			note_found(p, now);
	} else if (span_is_nocase(response->name, "EXISTS") &&
		   response->number > 0) {
		p->news = true;
		if (p->result.took[PROBE_PUSH] == USEC_NEVER &&
		    line->state != LINE_LOOK)
			p->result.took[PROBE_PUSH] =
			    usec_since(p->append_began, now);
		if (line->state == LINE_IDLE)
			leave_idle(line, now);
	}
}

/* ---- the sender ---- */

static void
append(struct probe_line *line, usec_t now)
{
	struct probe *p = line->probe;
	struct imap_command command;
	BUF_AUTO text = BUF_INIT;

	buf_addf(&text,
	    "From: Belfry <%s>\r\nTo: <%s>\r\nSubject: Belfry's probe\r\n"
	    "Message-ID: <belfry-probe.%s@localhost>\r\n"
	    "X-Belfry-Probe: %s\r\nAuto-Submitted: auto-generated\r\n\r\n"
	    "Belfry measures how long a message takes. It goes again by "
	    "itself.\r\n",
	    p->config.email, p->config.email, p->config.id, p->config.id);
	enter(line, LINE_APPEND);
	p->append_began = now;
	p->limit = usec_add(now, PROBE_USEC);
	imap_session_command(line->session, &command, "APPEND");
	imap_command_mailbox(&command, span_from_str(p->config.mailbox));
	imap_command_raw(&command, "(\\Seen)");
	imap_command_string(&command, buf_span(&text));
	line->command = imap_session_send(line->session, &command, now);
}

/* ---- ends of commands ---- */

static void
refuse(struct probe *p, const struct imap_response *response, const char *what,
    usec_t now)
{
	BUF_AUTO words = BUF_INIT;
	BUF_AUTO text = BUF_INIT;

	str_sanitize(&words, response->text, 200);
	buf_addf(&text, "%s: the server says: %s", what, buf_str(&words));
	give_up(p, FAULT_PEER, buf_str(&text), now);
}

static void
create_done(struct probe_line *line, usec_t now)
{
	line->probe->created = true;
	took(line->probe, PROBE_CREATE, line->probe->step_began, now);
	send_name(line, LINE_SELECT, "SELECT", now);
}

static void
select_done(struct probe_line *line, usec_t now)
{
	rest(line, now);
	if (line->state == LINE_REST)
		call_sender(line->probe, now);
}

static void
idle_done(struct probe_line *line, usec_t now)
{
	if (line->probe->ending)
		rest(line, now);
	else
		look(line, now);
}

static void
look_done(struct probe_line *line, usec_t now)
{
	if (line->probe->found) {
		enter(line, LINE_REST);
		if (line->probe->appended)
			end(line->probe, now);
	} else if (line->probe->news) {
		look(line, now);
	} else {
		rest(line, now);
	}
}

static void
append_done(struct probe_line *line, usec_t now)
{
	struct probe *p = line->probe;

	p->appended = true;
	p->result.took[PROBE_APPEND] = usec_since(p->append_began, now);
	enter(line, LINE_APPENDED);
	if (p->lines[PROBE_WATCHER].state == LINE_IDLE)
		p->lines[PROBE_WATCHER].timer = usec_add(now, PROBE_PUSH_USEC);
	if (p->found)
		end(p, now);
}

static void
delete_done(struct probe_line *line, usec_t now)
{
	line->probe->created = false;
	log_out(line, now);
}

static const struct {
	void (*done)(struct probe_line *, usec_t);
	const char *what; /* a refusal ends the probe with these words */
} rows[LINE_STATES] = {
    [LINE_CREATE] = {create_done, "the mailbox cannot be made"},
    [LINE_SELECT] = {select_done, "the mailbox cannot be opened"},
    [LINE_IDLE] = {idle_done, "IDLE is refused"},
    [LINE_IDLE_END] = {idle_done, "IDLE did not end"},
    [LINE_NOOP] = {look, "NOOP is refused"},
    [LINE_LOOK] = {look_done, NULL},
    [LINE_APPEND] = {append_done, "the message is not taken"},
    [LINE_DELETE] = {delete_done, "the mailbox cannot be deleted"},
};

static void
on_done(struct probe_line *line, const struct imap_event *event, usec_t now)
{
	const char *what = rows[line->state].what;

	if (event->id != line->command || rows[line->state].done == NULL)
		return;
	if (event->response.status == IMAP_OK || what == NULL) {
		rows[line->state].done(line, now);
		return;
	}
	if (line->state == LINE_APPEND)
		enter(line, LINE_APPENDED);
	else if (line->state == LINE_DELETE)
		line->probe->ending = true;
	else
		enter(line, LINE_REST);
	refuse(line->probe, &event->response, what, now);
}

static void
on_ready(struct probe_line *line, usec_t now)
{
	struct probe *p = line->probe;

	if (p->ending) {
		log_out(line, now);
	} else if (line->end == PROBE_SENDER) {
		took(p, PROBE_SECOND_LOGIN, p->step_began, now);
		append(line, now);
	} else {
		took(p, PROBE_LOGIN, p->step_began, now);
		p->result.has_idle = (imap_session_capabilities(line->session) &
					 IMAP_CAP_IDLE) != 0;
		send_name(line, LINE_CREATE, "CREATE", now);
	}
}

static void
on_line_over(struct probe_line *line, const struct error *error, usec_t now)
{
	struct probe *p = line->probe;

	hang_up(line);
	if (error != NULL)
		give_up(p, error->fault, error->text, now);
	else if (p->lines[PROBE_SENDER].state == LINE_OVER &&
		 p->lines[PROBE_WATCHER].state == LINE_OVER)
		finish(p);
}

static void
on_failed(struct probe_line *line, const struct imap_event *event, usec_t now)
{
	struct error error = *event->error; /* the session ends first */

	on_line_over(line, &error, now);
}

static void
on_event(struct probe_line *line, const struct imap_event *event, usec_t now)
{
	switch (event->kind) {
	case IMAP_EVENT_STARTTLS:
		emit(line, PROBE_NEED_STARTTLS);
		break;
	case IMAP_EVENT_SECRET:
		emit(line, PROBE_NEED_SECRET);
		break;
	case IMAP_EVENT_READY:
		on_ready(line, now);
		break;
	case IMAP_EVENT_UNTAGGED:
		on_untagged(line, &event->response, now);
		break;
	case IMAP_EVENT_DONE:
		on_done(line, event, now);
		break;
	case IMAP_EVENT_IDLING:
		if (line->state == LINE_IDLE)
			call_sender(line->probe, now);
		break;
	case IMAP_EVENT_ALERT:
		break;
	case IMAP_EVENT_CLOSED:
		on_line_over(line, NULL, now);
		break;
	case IMAP_EVENT_FAILED:
		on_failed(line, event, now);
		break;
	}
}

static void
drain(struct probe_line *line, usec_t now)
{
	struct imap_event event;

	while (line->session != NULL &&
	       imap_session_next_event(line->session, &event, now))
		on_event(line, &event, now);
}

/* Also of the other line, which may have been told something. */
static void
drain_all(struct probe *p, usec_t now)
{
	drain(&p->lines[PROBE_WATCHER], now);
	drain(&p->lines[PROBE_SENDER], now);
}

/* ---- a line's calls ---- */

void
probe_line_feed(struct probe_line *line, struct span bytes, usec_t now)
{
	if (line->session == NULL)
		return;
	imap_session_feed(line->session, bytes, now);
	drain_all(line->probe, now);
}

void
probe_line_eof(struct probe_line *line, usec_t now)
{
	if (line->session == NULL)
		return;
	imap_session_eof(line->session, now);
	drain_all(line->probe, now);
}

struct span
probe_line_output(const struct probe_line *line)
{
	return line->session != NULL ? imap_session_output(line->session)
				     : SPAN_EMPTY;
}

void
probe_line_sent(struct probe_line *line, size_t len)
{
	if (line->session != NULL)
		imap_session_sent(line->session, len);
}

usec_t
probe_line_deadline(const struct probe_line *line)
{
	usec_t deadline = line->timer;

	if (line->probe->finished)
		return USEC_NEVER;
	if (line->end == PROBE_WATCHER)
		deadline = usec_min(deadline, line->probe->limit);
	if (line->session != NULL)
		deadline =
		    usec_min(deadline, imap_session_deadline(line->session));
	return deadline;
}

static void
on_limit(struct probe *p, usec_t now)
{
	p->limit = USEC_NEVER;
	give_up(p, FAULT_RETRY,
	    p->appended ? "the server took the message, but it is not in the "
			  "mailbox after a minute"
			: "the server did not get so far within a minute",
	    now);
}

static void
on_timer(struct probe_line *line, usec_t now)
{
	struct imap_command command;

	line->timer = USEC_NEVER;
	if (line->state == LINE_IDLE) {
		leave_idle(line, now);
	} else if (line->state == LINE_REST) {
		enter(line, LINE_NOOP);
		imap_session_command(line->session, &command, "NOOP");
		line->command = imap_session_send(line->session, &command, now);
	}
}

void
probe_line_tick(struct probe_line *line, usec_t now)
{
	struct probe *p = line->probe;

	if (p->finished)
		return;
	if (line->session != NULL)
		imap_session_tick(line->session, now);
	drain_all(p, now);
	if (line->timer <= now)
		on_timer(line, now);
	if (line->end == PROBE_WATCHER && p->limit <= now && !p->finished)
		on_limit(p, now);
}

/* ---- the probe's calls ---- */

struct probe *
probe_new(const struct probe_config *config, usec_t now)
{
	struct probe *p = NEW(struct probe);

	p->config = *config;
	p->append_began = USEC_NEVER;
	p->step_began = now;
	p->limit = usec_add(now, PROBE_USEC);
	p->result.error = (struct error)ERROR_INIT;
	for (int i = 0; i < PROBE_STEPS; i++)
		p->result.took[i] = USEC_NEVER;
	for (int i = 0; i < PROBE_ENDS; i++) {
		p->lines[i].probe = p;
		p->lines[i].end = (enum probe_end)i;
		enter(&p->lines[i], LINE_OFF);
	}
	enter(&p->lines[PROBE_WATCHER], LINE_CONNECTING);
	emit(&p->lines[PROBE_WATCHER], PROBE_NEED_CONNECT);
	return p;
}

void
probe_free(struct probe **probe)
{
	if (*probe == NULL)
		return;
	for (int i = 0; i < PROBE_ENDS; i++)
		imap_session_free(&(*probe)->lines[i].session);
	free(*probe);
	*probe = NULL;
}

struct probe_line *
probe_line(struct probe *p, enum probe_end end)
{
	return &p->lines[end];
}

bool
probe_next_event(struct probe *p, struct probe_event *event_r)
{
	if (p->event_count == 0)
		return false;
	*event_r = p->events[0];
	p->event_count--;
	memmove(
	    p->events, p->events + 1, p->event_count * sizeof(p->events[0]));
	return true;
}

void
probe_connected(struct probe *p, enum probe_end end, usec_t now)
{
	struct probe_line *line = &p->lines[end];

	if (line->state != LINE_CONNECTING)
		return;
	line->session = imap_session_new(&p->config.imap, now);
	enter(line, LINE_LOGIN);
}

void
probe_connect_failed(
    struct probe *p, enum probe_end end, const struct error *error, usec_t now)
{
	struct error copy = *error;

	if (p->lines[end].state != LINE_OVER)
		on_line_over(&p->lines[end], &copy, now);
	drain_all(p, now);
}

void
probe_tls_started(struct probe *p, enum probe_end end, usec_t now)
{
	if (p->lines[end].session == NULL)
		return;
	imap_session_tls_started(p->lines[end].session, now);
	drain_all(p, now);
}

void
probe_once(struct probe *p, enum probe_end end, const struct sasl_once *once)
{
	if (p->lines[end].session != NULL)
		imap_session_once(p->lines[end].session, once);
}

void
probe_secret(
    struct probe *p, enum probe_end end, struct span secret, usec_t now)
{
	if (p->lines[end].session == NULL)
		return;
	imap_session_secret(p->lines[end].session, secret, now);
	drain_all(p, now);
}

const struct probe_result *
probe_result(const struct probe *p)
{
	return &p->result;
}

ENGINE_CLASS(probe_line, "probe");
