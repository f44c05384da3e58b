/*
 * engine-smtp: smtp/session for scripts.
 *
 * Settings: security tls|starttls|none, auth password|oauth2|none, user,
 * host, port, ehlo NAME, no-scram, only-scram ("yes").
 *
 * Calls: >secret TEXT, >secret-of N (N times "x"), >tls, >from ADDRESS,
 * >to ADDRESS (one more recipient), >send TEXT (the message), >next TEXT (the
 * one behind it), >try ADDRESS, >finish, >quit.
 *
 * Events: STARTTLS, SECRET, READY, RECIPIENT n class code text, COMMIT,
 * RESULT class code text, CLOSED, FAILED fault class text; and REFUSED fault
 * text, when smtp_session_send returns false.
 */
#include "daemon/base/xalloc.h"
#include "daemon/wire/smtp/session.h"
#include "tests/scripts/script.h"

struct adapter {
	struct smtp_session *session;
	struct smtp_session_config config; /* strings belong to `strings` */
	struct strv strings;
	struct strv recipients;
	const char *from;
	char *secret;
	bool tls;
	struct error refused; /* FAULT_NONE: nothing to tell */
};

/* ---- Settings ---- */

static const char *
keep(struct adapter *a, struct span value)
{
	strv_add_span(&a->strings, value);
	return a->strings.items[a->strings.len - 1];
}

static bool
find_name(struct span name, const char *const *names, unsigned *index_r)
{
	for (unsigned i = 0; names[i] != NULL; i++)
		if (span_is(name, names[i])) {
			*index_r = i;
			return true;
		}
	return false;
}

static bool
set_security(struct adapter *a, struct span value)
{
	static const char *const names[] = {"tls", "starttls", "none", NULL};
	unsigned index;

	if (!find_name(value, names, &index))
		return false;
	a->config.security = (enum smtp_security)index;
	return true;
}

static bool
set_auth(struct adapter *a, struct span value)
{
	static const char *const names[] = {
	    "password", "oauth2", "external", "none", NULL};
	unsigned index;

	if (!find_name(value, names, &index))
		return false;
	a->config.auth = (enum smtp_auth)index;
	return true;
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
set_ehlo(struct adapter *a, struct span value)
{
	a->config.ehlo_name = keep(a, value);
	return true;
}

static const struct {
	const char *word;
	bool (*set)(struct adapter *a, struct span value);
} settings_rows[] = {
    {"security", set_security},
    {"auth", set_auth},
    {"user", set_user},
    {"host", set_host},
    {"port", set_port},
    {"ehlo", set_ehlo},
    {"no-scram", set_no_scram},
    {"only-scram", set_only_scram},
    {NULL, NULL},
};

static bool
apply(struct adapter *a, struct span line)
{
	size_t blank = span_find(line, ' ');
	struct span word = span_slice(line, 0, blank);
	struct span value =
	    blank == SIZE_MAX ? SPAN_EMPTY : span_skip(line, blank + 1);

	for (size_t i = 0; settings_rows[i].word != NULL; i++)
		if (span_is(word, settings_rows[i].word))
			return settings_rows[i].set(a, value);
	return false;
}

static void
adapter_destroy(void *adapter)
{
	struct adapter *a = adapter;

	smtp_session_free(&a->session);
	strv_done(&a->strings);
	strv_done(&a->recipients);
	free(a->secret);
	free(a);
}

static void *
adapter_create(const struct strv *settings, usec_t now)
{
	struct adapter *a = NEW(struct adapter);

	a->config = (struct smtp_session_config){.user = "ann",
	    .host = "mail.example.org",
	    .port = 465,
	    .ehlo_name = "client.example.org"};
	a->from = "ann@example.org";
	for (size_t i = 0; i < settings->len; i++)
		if (!apply(a, span_from_str(settings->items[i]))) {
			adapter_destroy(a);
			return NULL;
		}
	a->session = smtp_session_new(&a->config, now);
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

	return a->config.security != SMTP_SECURITY_STARTTLS || a->tls;
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
	smtp_session_once(a->session, &once);
	return true;
}

static bool
call_secret(struct adapter *a, struct span args, usec_t now)
{
	free(a->secret);
	a->secret = xstrdup_span(args);
	smtp_session_secret(a->session, args, now);
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
	smtp_session_tls_started(a->session, now);
	return true;
}

static bool
call_from(struct adapter *a, struct span args, usec_t now)
{
	(void)now;
	a->from = keep(a, args);
	return true;
}

static bool
call_to(struct adapter *a, struct span args, usec_t now)
{
	(void)now;
	strv_add_span(&a->recipients, args);
	return true;
}

static bool
send_as(struct adapter *a, struct span args, bool utf8_header, usec_t now)
{
	struct smtp_message message = {.from = a->from,
	    .recipients = &a->recipients,
	    .bytes = args,
	    .utf8_header = utf8_header};

	if (a->recipients.len == 0)
		strv_add(&a->recipients, "bob@example.net");
	if (smtp_session_send(a->session, &message, now, &a->refused))
		a->refused.fault = FAULT_NONE;
	return true;
}

static bool
call_send(struct adapter *a, struct span args, usec_t now)
{
	return send_as(a, args, false, now);
}

static bool
call_send_utf8(struct adapter *a, struct span args, usec_t now)
{
	return send_as(a, args, true, now);
}

static bool
call_try(struct adapter *a, struct span args, usec_t now)
{
	STR_AUTO to = xstrdup_span(args);

	if (smtp_session_try(a->session, a->from, to, now, &a->refused))
		a->refused.fault = FAULT_NONE;
	return true;
}

static bool
call_next(struct adapter *a, struct span args, usec_t now)
{
	struct smtp_message message = {
	    .from = a->from, .recipients = &a->recipients, .bytes = args};

	(void)now;
	if (smtp_session_send_next(a->session, &message, &a->refused))
		a->refused.fault = FAULT_NONE;
	return true;
}

static bool
call_finish(struct adapter *a, struct span args, usec_t now)
{
	(void)args;
	smtp_session_finish(a->session, now);
	return true;
}

static bool
call_quit(struct adapter *a, struct span args, usec_t now)
{
	(void)args;
	smtp_session_quit(a->session, now);
	return true;
}

static const struct {
	const char *word;
	bool (*call)(struct adapter *a, struct span args, usec_t now);
} call_rows[] = {
    {"once", call_once},
    {"secret", call_secret},
    {"secret-of", call_secret_of},
    {"tls", call_tls},
    {"from", call_from},
    {"to", call_to},
    {"send", call_send},
    {"send-utf8", call_send_utf8},
    {"next", call_next},
    {"try", call_try},
    {"finish", call_finish},
    {"quit", call_quit},
    {NULL, NULL},
};

static bool
adapter_call(void *adapter, struct span word, struct span args, usec_t now)
{
	for (size_t i = 0; call_rows[i].word != NULL; i++)
		if (span_is(word, call_rows[i].word))
			return call_rows[i].call(adapter, args, now);
	return false;
}

/* ---- Events ---- */

static void
add_event(struct buf *line, const struct smtp_event *event)
{
	static const char *const names[] = {
	    [SMTP_EVENT_STARTTLS] = "STARTTLS",
	    [SMTP_EVENT_SECRET] = "SECRET",
	    [SMTP_EVENT_READY] = "READY",
	    [SMTP_EVENT_RECIPIENT] = "RECIPIENT",
	    [SMTP_EVENT_COMMIT] = "COMMIT",
	    [SMTP_EVENT_RESULT] = "RESULT",
	    [SMTP_EVENT_CLOSED] = "CLOSED",
	    [SMTP_EVENT_FAILED] = "FAILED",
	};

	buf_add_str(line, names[event->kind]);
	if (event->kind == SMTP_EVENT_RECIPIENT)
		buf_addf(line, " %u", event->recipient);
	if (event->kind == SMTP_EVENT_RECIPIENT ||
	    event->kind == SMTP_EVENT_RESULT)
		buf_addf(line, " %s %u %s", smtp_class_name(event->class),
		    event->code, event->text);
	if (event->kind == SMTP_EVENT_FAILED)
		buf_addf(line, " %s %s %s", fault_name(event->error.fault),
		    smtp_class_name(event->class), event->error.text);
}

static bool
adapter_next_event(void *adapter, struct buf *line, bool *last_r, usec_t now)
{
	struct adapter *a = adapter;
	struct smtp_event event;

	(void)now;
	if (a->refused.fault != FAULT_NONE) {
		buf_addf(line, "REFUSED %s %s", fault_name(a->refused.fault),
		    a->refused.text);
		a->refused.fault = FAULT_NONE;
		return true;
	}
	if (!smtp_session_next_event(a->session, &event))
		return false;
	add_event(line, &event);
	*last_r =
	    event.kind == SMTP_EVENT_CLOSED || event.kind == SMTP_EVENT_FAILED;
	return true;
}

const struct script_engine script_engine_smtp = {
    .extension = "smtp",
    .class = &smtp_session_class,
    .create = adapter_create,
    .destroy = adapter_destroy,
    .engine = adapter_engine,
    .next_event = adapter_next_event,
    .call = adapter_call,
    .secret = adapter_secret,
    .may_send_secret = adapter_may_send_secret,
};
