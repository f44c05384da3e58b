/*
 * engine-imap: imap/session for scripts.
 *
 * Settings: security tls|starttls|none, auth password|oauth2|external, user,
 * host, port, id VERSION, literal-max N, and the switches allow-preauth,
 * no-id, id-before-select, prefer-login, no-scram, only-scram, xoauth2-only
 * (with "yes").
 *
 * Calls: >secret TEXT, >secret-of N (N times "x"), >tls, >send TEXT, where
 * {{...}} in the text is a string argument, >idle, >done, >logout, >doubt,
 * >literal-max N.
 *
 * Events: STARTTLS, SECRET, READY capabilities, UNTAGGED response,
 * DONE n response (n counts the owner's commands), IDLING, ALERT text,
 * CLOSED, FAILED fault text.
 */
#include <assert.h>
#include <inttypes.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/wire/imap/session.h"
#include "tests/scripts/script.h"

#define COMMANDS_MAX 256
#define SHOWN_STRING_MAX 200

struct adapter {
	struct imap_session *session;
	struct imap_session_config config; /* strings belong to the script */
	struct strv strings;
	char *secret;
	bool tls;
	unsigned ids[COMMANDS_MAX]; /* by n, from 1 */
	unsigned id_count;
};

/* ---- Settings ---- */

static bool
find_name(
    struct span name, const char *const *names, size_t count, unsigned *index_r)
{
	for (unsigned i = 0; i < count; i++) {
		if (span_is(name, names[i])) {
			*index_r = i;
			return true;
		}
	}
	return false;
}

static bool
set_security(struct adapter *a, struct span value)
{
	static const char *const names[] = {"tls", "starttls", "none"};
	unsigned index;

	if (!find_name(value, names, 3, &index))
		return false;
	a->config.security = (enum imap_security)index;
	return true;
}

static bool
set_auth(struct adapter *a, struct span value)
{
	static const char *const names[] = {"password", "oauth2", "external"};
	unsigned index;

	if (!find_name(value, names, 3, &index))
		return false;
	a->config.auth = (enum imap_auth)index;
	return true;
}

static const char *
keep(struct adapter *a, struct span value)
{
	BUF_AUTO text = BUF_INIT;

	script_unescape(&text, value);
	strv_add_span(&a->strings, buf_span(&text));
	return a->strings.items[a->strings.len - 1];
}

static bool
set_user(struct adapter *a, struct span value)
{
	a->config.user = keep(a, value);
	return true;
}

static bool
set_host(struct adapter *a, struct span value)
{
	a->config.host = keep(a, value);
	return true;
}

static bool
set_port(struct adapter *a, struct span value)
{
	uint32_t port;

	if (!span_to_u32(value, &port))
		return false;
	a->config.port = port;
	return true;
}

static bool
set_id(struct adapter *a, struct span value)
{
	a->config.client_version = keep(a, value);
	return true;
}

static bool
set_enable(struct adapter *a, struct span value)
{
	a->config.enable_condstore = span_is(value, "condstore");
	return a->config.enable_condstore;
}

static bool
set_literal_max(struct adapter *a, struct span value)
{
	uint32_t max;

	if (!span_to_u32(value, &max))
		return false;
	a->config.literal_max = max;
	return true;
}

static bool
set_allow_preauth(struct adapter *a, struct span value)
{
	return a->config.allow_preauth = span_is(value, "yes");
}

static bool
set_no_id(struct adapter *a, struct span value)
{
	return a->config.no_id = span_is(value, "yes");
}

static bool
set_id_before_select(struct adapter *a, struct span value)
{
	return a->config.id_before_select = span_is(value, "yes");
}

static bool
set_prefer_login(struct adapter *a, struct span value)
{
	return a->config.prefer_login = span_is(value, "yes");
}

static bool
set_only_scram(struct adapter *a, struct span value)
{
	return a->config.only_scram = span_is(value, "yes");
}

static bool
set_no_scram(struct adapter *a, struct span value)
{
	return a->config.no_scram = span_is(value, "yes");
}

static bool
set_xoauth2_only(struct adapter *a, struct span value)
{
	return a->config.xoauth2_only = span_is(value, "yes");
}

struct word_row {
	const char *word;
	bool (*set)(struct adapter *a, struct span value);
};

static const struct word_row settings_rows[] = {
    {"security", set_security},
    {"auth", set_auth},
    {"user", set_user},
    {"host", set_host},
    {"port", set_port},
    {"id", set_id},
    {"enable", set_enable},
    {"literal-max", set_literal_max},
    {"allow-preauth", set_allow_preauth},
    {"no-id", set_no_id},
    {"id-before-select", set_id_before_select},
    {"prefer-login", set_prefer_login},
    {"no-scram", set_no_scram},
    {"only-scram", set_only_scram},
    {"xoauth2-only", set_xoauth2_only},
    {NULL, NULL},
};

static bool
apply(struct adapter *a, struct span line)
{
	size_t blank = span_find(line, ' ');
	struct span word = span_slice(line, 0, blank);
	struct span value =
	    blank == SIZE_MAX ? SPAN_EMPTY : span_skip(line, blank + 1);

	for (const struct word_row *r = settings_rows; r->word != NULL; r++) {
		if (span_is(word, r->word))
			return r->set(a, value);
	}
	return false;
}

static void
adapter_destroy(void *adapter)
{
	struct adapter *a = adapter;

	imap_session_free(&a->session);
	strv_done(&a->strings);
	free(a->secret);
	free(a);
}

static void *
adapter_create(const struct strv *settings, usec_t now)
{
	struct adapter *a = NEW(struct adapter);

	a->config = (struct imap_session_config){
	    .user = "ann", .host = "mail.example.org", .port = 993};
	for (size_t i = 0; i < settings->len; i++) {
		if (!apply(a, span_from_str(settings->items[i]))) {
			adapter_destroy(a);
			return NULL;
		}
	}
	a->session = imap_session_new(&a->config, now);
	return a;
}

static void *
adapter_engine(void *adapter)
{
	return ((struct adapter *)adapter)->session;
}

static const char *
adapter_secret(void *adapter)
{
	return ((struct adapter *)adapter)->secret;
}

static bool
adapter_may_send_secret(void *adapter)
{
	const struct adapter *a = adapter;

	return a->config.security != IMAP_SECURITY_STARTTLS || a->tls;
}

/* ---- Calls ---- */

/* once NONCE [BINDING-NAME BINDING] */
static bool
call_once(struct adapter *a, struct span args, usec_t now)
{
	struct sasl_once once = {.nonce = SPAN_EMPTY};

	(void)now;
	if (!span_split(&args, ' ', &once.nonce))
		return false;
	if (span_split(&args, ' ', &once.binding_name))
		span_split(&args, ' ', &once.binding);
	if (span_split(&args, ' ', &once.other_name))
		once.other_binding = args;
	imap_session_once(a->session, &once);
	return true;
}

static bool
call_secret(struct adapter *a, struct span args, usec_t now)
{
	free(a->secret);
	a->secret = xstrdup_span(args);
	imap_session_secret(a->session, args, now);
	return true;
}

static bool
call_secret_of(struct adapter *a, struct span args, usec_t now)
{
	BUF_AUTO text = BUF_INIT;
	uint32_t count;

	if (!span_to_u32(args, &count))
		return false;
	while (count-- > 0)
		buf_add_char(&text, 'x');
	return call_secret(a, buf_span(&text), now);
}

static bool
call_tls(struct adapter *a, struct span args, usec_t now)
{
	(void)args;
	a->tls = true;
	imap_session_tls_started(a->session, now);
	return true;
}

static void
add_id(struct adapter *a, unsigned id)
{
	assert(a->id_count + 1 < COMMANDS_MAX);
	a->ids[++a->id_count] = id;
}

/* "NAME {{string}} rest": the name is everything up to the first "{{". */
static bool
call_send(struct adapter *a, struct span args, usec_t now)
{
	size_t open = span_find_span(args, SPAN("{{"), 0), close;
	STR_AUTO name = xstrdup_span(span_trim(span_slice(args, 0, open)));
	struct imap_command command;

	imap_session_command(a->session, &command, name);
	while (open != SIZE_MAX) {
		args = span_skip(args, open + 2);
		close = span_find_span(args, SPAN("}}"), 0);
		if (close == SIZE_MAX)
			return false;
		imap_command_string(&command, span_slice(args, 0, close));
		args = span_skip(args, close + 2);
		open = span_find_span(args, SPAN("{{"), 0);
	}
	add_id(a, imap_session_send(a->session, &command, now));
	return true;
}

static bool
call_idle(struct adapter *a, struct span args, usec_t now)
{
	(void)args;
	add_id(a, imap_session_idle(a->session, now));
	return true;
}

static bool
call_done(struct adapter *a, struct span args, usec_t now)
{
	(void)args;
	imap_session_idle_done(a->session, now);
	return true;
}

static bool
call_logout(struct adapter *a, struct span args, usec_t now)
{
	(void)args;
	imap_session_logout(a->session, now);
	return true;
}

static bool
call_doubt(struct adapter *a, struct span args, usec_t now)
{
	(void)args;
	imap_session_doubt(a->session, now);
	return true;
}

static bool
call_literal_max(struct adapter *a, struct span args, usec_t now)
{
	uint32_t max;

	(void)now;
	if (!span_to_u32(args, &max))
		return false;
	imap_session_set_literal_max(a->session, max);
	return true;
}

static const struct call_row {
	const char *word;
	bool (*call)(struct adapter *a, struct span args, usec_t now);
} call_rows[] = {
    {"once", call_once},
    {"secret", call_secret},
    {"secret-of", call_secret_of},
    {"tls", call_tls},
    {"send", call_send},
    {"idle", call_idle},
    {"done", call_done},
    {"logout", call_logout},
    {"doubt", call_doubt},
    {"literal-max", call_literal_max},
    {NULL, NULL},
};

static bool
adapter_call(void *adapter, struct span word, struct span args, usec_t now)
{
	for (const struct call_row *r = call_rows; r->word != NULL; r++) {
		if (span_is(word, r->word))
			return r->call(adapter, args, now);
	}
	return false;
}

/* ---- Events ---- */

static void
add_value(struct buf *line, const struct imap_value *value)
{
	switch (value->kind) {
	case IMAP_NIL:
		buf_add_str(line, "NIL");
		break;
	case IMAP_ATOM:
		buf_add_span(line, value->text);
		break;
	case IMAP_STRING:
		buf_add_char(line, '"');
		if (value->text.len > SHOWN_STRING_MAX)
			buf_addf(line, "%zu bytes", value->text.len);
		else
			str_sanitize(line, value->text, SHOWN_STRING_MAX);
		buf_add_char(line, '"');
		break;
	case IMAP_LIST:
		buf_add_char(line, '(');
		for (size_t i = 0; i < value->count; i++) {
			if (i > 0)
				buf_add_char(line, ' ');
			add_value(line, &value->items[i]);
		}
		buf_add_char(line, ')');
		break;
	}
}

static void
add_status(struct buf *line, const struct imap_response *response)
{
	static const char *const names[] = {
	    [IMAP_OK] = " OK",
	    [IMAP_NO] = " NO",
	    [IMAP_BAD] = " BAD",
	    [IMAP_PREAUTH] = " PREAUTH",
	    [IMAP_BYE] = " BYE",
	};

	buf_add_str(line, names[response->status]);
	if (response->code.len > 0) {
		buf_add_str(line, " [");
		buf_add_span(line, response->code);
		for (size_t i = 0; i < response->code_count; i++) {
			buf_add_char(line, ' ');
			add_value(line, &response->code_values[i]);
		}
		buf_add_char(line, ']');
	}
	if (response->text.len > 0) {
		buf_add_char(line, ' ');
		str_sanitize(line, response->text, SHOWN_STRING_MAX);
	}
}

static void
add_response(struct buf *line, const struct imap_response *response)
{
	if (response->status != IMAP_STATUS_NONE) {
		add_status(line, response);
		return;
	}
	if (response->has_number)
		buf_addf(line, " %" PRIu64, response->number);
	buf_add_char(line, ' ');
	buf_add_span(line, response->name);
	for (size_t i = 0; i < response->count; i++) {
		buf_add_char(line, ' ');
		add_value(line, &response->values[i]);
	}
}

static unsigned
number_of(const struct adapter *a, unsigned id)
{
	for (unsigned i = 1; i <= a->id_count; i++) {
		if (a->ids[i] == id)
			return i;
	}
	return 0;
}

static void
add_event(struct adapter *a, struct buf *line, const struct imap_event *event)
{
	static const char *const names[] = {
	    [IMAP_EVENT_STARTTLS] = "STARTTLS",
	    [IMAP_EVENT_SECRET] = "SECRET",
	    [IMAP_EVENT_READY] = "READY",
	    [IMAP_EVENT_UNTAGGED] = "UNTAGGED",
	    [IMAP_EVENT_DONE] = "DONE",
	    [IMAP_EVENT_IDLING] = "IDLING",
	    [IMAP_EVENT_ALERT] = "ALERT",
	    [IMAP_EVENT_CLOSED] = "CLOSED",
	    [IMAP_EVENT_FAILED] = "FAILED",
	};

	buf_add_str(line, names[event->kind]);
	if (event->kind == IMAP_EVENT_READY) {
		buf_add_char(line, ' ');
		imap_capability_format(
		    line, imap_session_capabilities(a->session));
	} else if (event->kind == IMAP_EVENT_UNTAGGED) {
		add_response(line, &event->response);
	} else if (event->kind == IMAP_EVENT_DONE) {
		buf_addf(line, " %u", number_of(a, event->id));
		add_response(line, &event->response);
	} else if (event->kind == IMAP_EVENT_ALERT) {
		buf_add_char(line, ' ');
		buf_add_span(line, event->text);
	} else if (event->kind == IMAP_EVENT_FAILED) {
		buf_addf(line, " %s %s", fault_name(event->error->fault),
		    event->error->text);
	}
}

static bool
adapter_next_event(void *adapter, struct buf *line, bool *last_r, usec_t now)
{
	struct adapter *a = adapter;
	struct imap_event event;

	if (!imap_session_next_event(a->session, &event, now))
		return false;
	add_event(a, line, &event);
	*last_r =
	    event.kind == IMAP_EVENT_CLOSED || event.kind == IMAP_EVENT_FAILED;
	return true;
}

const struct script_engine script_engine_imap = {
    .extension = "imap",
    .class = &imap_session_class,
    .create = adapter_create,
    .destroy = adapter_destroy,
    .engine = adapter_engine,
    .next_event = adapter_next_event,
    .call = adapter_call,
    .secret = adapter_secret,
    .may_send_secret = adapter_may_send_secret,
};
