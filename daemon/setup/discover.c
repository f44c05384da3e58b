#include "daemon/setup/discover.h"

#include <stdlib.h>

#include "daemon/base/eai.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/config/syntax.h"
#include "daemon/setup/autoconfig.h"

#define NOTE_SHOWN_MAX 200 /* characters of what came from outside */
/* Of an SRV answer; each costs a connection. */
#define KNOCKS_MAX 3

/*
 * What is asked, in this order; "%s" is the domain. A row is passed over when
 * what it could tell is known.
 */
static const struct question {
	enum discover_kind kind;
	enum discover_source source;
	const char *name;
	bool tells_address; /* an autoconfig that is told the address */
	bool is_smtp;
	enum server_tls tls;
	unsigned port;
} questions[] = {
    {.kind = DISCOVER_MX, .source = DISCOVERED_MX, .name = "%s"},
    {.kind = DISCOVER_FETCH,
	.source = DISCOVERED_AUTOCONFIG,
	.name = "https://autoconfig.%s/mail/config-v1.1.xml",
	.tells_address = true},
    {.kind = DISCOVER_FETCH,
	.source = DISCOVERED_AUTOCONFIG,
	.name = "https://%s/.well-known/autoconfig/mail/config-v1.1.xml"},
    {.kind = DISCOVER_FETCH,
	.source = DISCOVERED_LIST,
	.name = "https://autoconfig.thunderbird.net/v1.1/%s"},
    {.kind = DISCOVER_SRV,
	.source = DISCOVERED_SRV,
	.name = "_imaps._tcp.%s",
	.tls = SERVER_TLS},
    {.kind = DISCOVER_SRV,
	.source = DISCOVERED_SRV,
	.name = "_imap._tcp.%s",
	.tls = SERVER_STARTTLS},
#define GUESS(host, number, how, smtp)                                         \
	{                                                                      \
		.kind = DISCOVER_KNOCK, .source = DISCOVERED_GUESS,            \
		.name = (host), .port = (number), .tls = (how),                \
		.is_smtp = (smtp)                                              \
	}
    GUESS("imap.%s", 993, SERVER_TLS, false),
    GUESS("mail.%s", 993, SERVER_TLS, false),
    GUESS("%s", 993, SERVER_TLS, false),
    {.kind = DISCOVER_SRV,
	.source = DISCOVERED_SRV,
	.name = "_submissions._tcp.%s",
	.is_smtp = true,
	.tls = SERVER_TLS},
    {.kind = DISCOVER_SRV,
	.source = DISCOVERED_SRV,
	.name = "_submission._tcp.%s",
	.is_smtp = true,
	.tls = SERVER_STARTTLS},
    GUESS("smtp.%s", 465, SERVER_TLS, true),
    GUESS("mail.%s", 465, SERVER_TLS, true),
    GUESS("smtp.%s", 587, SERVER_STARTTLS, true),
    GUESS("mail.%s", 587, SERVER_STARTTLS, true),
#undef GUESS
};

#define QUESTIONS (sizeof(questions) / sizeof(*questions))

/* A host that an SRV record named. */
struct candidate {
	char *host;
	unsigned priority, weight, port;
};

struct discover {
	char *address, *domain; /* the domain in ASCII and small letters */
	bool ask_list;
	size_t at; /* of questions */
	struct discover_step step;
	struct buf name; /* of the step */
	struct buf host; /* of the step */
	unsigned redirects;
	struct candidate candidates[KNOCKS_MAX];
	size_t candidate, candidate_count;
	struct discover_result result;
};

/* ---- words ---- */

const char *
discover_source_name(enum discover_source source)
{
	static const char *const names[] = {
	    [DISCOVERED_NOTHING] = "nothing",
	    [DISCOVERED_DOMAIN] = "its domain",
	    [DISCOVERED_MX] = "its MX",
	    [DISCOVERED_AUTOCONFIG] = "its autoconfig",
	    [DISCOVERED_LIST] = "Thunderbird's list",
	    [DISCOVERED_SRV] = "its SRV records",
	    [DISCOVERED_GUESS] = "trying",
	};

	return names[source];
}

static void
note(struct discover *d, const char *what, struct span words)
{
	BUF_AUTO text = BUF_INIT;

	if (d->result.notes.len >= DISCOVER_NOTES_MAX)
		return;
	str_sanitize(&text, span_from_str(what), NOTE_SHOWN_MAX);
	buf_add_str(&text, ": ");
	str_sanitize(&text, words, NOTE_SHOWN_MAX);
	strv_add(&d->result.notes, buf_str(&text));
}

static void
note_step(struct discover *d, const char *words)
{
	note(d, buf_str(&d->name), span_from_str(words));
}

/* ---- hosts ---- */

static bool
is_on_site(const struct discover *d, struct span host)
{
	struct span domain = span_from_str(d->domain);
	size_t more = host.len - domain.len;

	if (host.len < domain.len ||
	    !span_equal_nocase(span_skip(host, more), domain))
		return false;
	return more == 0 || host.data[more - 1] == '.';
}

/* A name with a dot in it: no address, no "localhost". A name's final dot is
 * gone. */
static bool
is_public_name(struct span host)
{
	const char *why;
	size_t offset;
	bool has_letter = false;

	for (size_t i = 0; i < host.len; i++)
		has_letter = has_letter || char_is_alpha(host.data[i]);
	return has_letter && span_find(host, '.') != SIZE_MAX &&
	       host_check(host, &why, &offset) && !host_is_loopback(host);
}

static struct span
without_dot(struct span host)
{
	if (host.len > 0 && host.data[host.len - 1] == '.')
		host.len--;
	return host;
}

/* ---- the way through the questions ---- */

/* The one place where the step changes. */
static void
enter(struct discover *d, enum discover_kind kind)
{
	const struct question *question = &questions[d->at];
	bool is_done = kind == DISCOVER_DONE;

	d->step = (struct discover_step){
	    .kind = kind,
	    .name = is_done ? "" : buf_str(&d->name),
	    .host = is_done ? "" : buf_str(&d->host),
	    .port = is_done ? 0 : question->port,
	    .tls = is_done ? SERVER_TLS : question->tls,
	    .is_smtp = !is_done && question->is_smtp,
	};
}

static bool
is_wanted(const struct discover *d, const struct question *question)
{
	const struct discover_result *result = &d->result;

	if (question->source == DISCOVERED_LIST && !d->ask_list)
		return false;
	if (question->kind == DISCOVER_MX || question->kind == DISCOVER_FETCH)
		return result->imap.host == NULL;
	/* Without IMAP there is no account that could forward. */
	return question->is_smtp
		   ? result->imap.host != NULL && result->smtp.host == NULL
		   : result->imap.host == NULL;
}

static void
set_text(struct buf *buf, const char *format, const char *domain)
{
	struct span rest = span_from_str(format);
	size_t at = span_find(rest, '%');

	buf_truncate(buf, 0);
	buf_add_span(buf, span_slice(rest, 0, at));
	buf_add_str(buf, domain);
	buf_add_span(buf, span_skip(rest, at + 2));
}

/* RFC 3986 section 2.1. */
static void
add_escaped(struct buf *buf, const char *text)
{
	for (const char *c = text; *c != '\0'; c++)
		if (char_is_alnum(*c) || strchr("-._~", *c) != NULL)
			buf_add_char(buf, *c);
		else
			buf_addf(buf, "%%%02X", (unsigned char)*c);
}

static void
ask(struct discover *d)
{
	const struct question *question = &questions[d->at];

	set_text(&d->name, question->name, d->domain);
	buf_truncate(&d->host, 0);
	if (question->kind == DISCOVER_KNOCK)
		buf_add_span(&d->host, buf_span(&d->name));
	if (question->tells_address) {
		buf_add_str(&d->name, "?emailaddress=");
		add_escaped(&d->name, d->address);
	}
	d->redirects = 0;
	enter(d, question->kind);
}

/* Servers of a provider in the table are the table's. */
static void
take_preset(struct discover *d, const struct preset *preset,
    enum discover_source source)
{
	d->result.preset = preset;
	d->result.source = source;
	enter(d, DISCOVER_DONE);
}

static void
finish(struct discover *d)
{
	const struct discover_server *imap = &d->result.imap;
	const struct preset *preset =
	    presets_find_imap(span_from_str(imap->host));

	if (preset != NULL)
		take_preset(d, preset, imap->source);
	else
		enter(d, DISCOVER_DONE);
}

static void
go_on(struct discover *d)
{
	do
		d->at++;
	while (d->at < QUESTIONS && !is_wanted(d, &questions[d->at]));
	if (d->at < QUESTIONS) {
		ask(d);
		return;
	}
	d->at = 0; /* enter() looks at a row */
	finish(d);
}

static void
forget_candidates(struct discover *d)
{
	for (size_t i = 0; i < d->candidate_count; i++)
		free(d->candidates[i].host);
	d->candidate = d->candidate_count = 0;
}

void
discover_stop(struct discover *discover, const char *why)
{
	if (discover->step.kind == DISCOVER_DONE)
		return;
	note(discover, discover->domain, span_from_str(why));
	discover->result.is_stopped = true;
	forget_candidates(discover);
	discover->at = 0;
	finish(discover);
}

/* ---- beginning ---- */

static bool
split_address(struct discover *d, struct error *error_r)
{
	BUF_AUTO ascii = BUF_INIT;
	const char *why = NULL;
	size_t offset;

	if (!eai_add_address(&ascii, span_from_str(d->address), &why) ||
	    !address_check(buf_span(&ascii), &why, &offset))
		return error_set(
		    error_r, FAULT_CONFIG, "this is no mail address: %s", why);
	struct span domain = buf_span(&ascii);
	while (span_find(domain, '@') != SIZE_MAX)
		domain = span_skip(domain, span_find(domain, '@') + 1);
	d->domain = xstrdup_span(without_dot(domain));
	for (char *c = d->domain; *c != '\0'; c++)
		*c = char_to_lower(*c);
	d->result.domain = d->domain;
	return true;
}

struct discover *
discover_new(const char *address, bool ask_list, struct error *error_r)
{
	struct discover *d = NEW(struct discover);

	d->address = xstrdup(address);
	d->ask_list = ask_list;
	if (!split_address(d, error_r)) {
		discover_free(&d);
		return NULL;
	}
	struct span domain = span_from_str(d->domain);
	const struct preset *preset = presets_find_domain(domain);
	if (preset != NULL)
		take_preset(d, preset, DISCOVERED_DOMAIN);
	else if (is_public_name(domain))
		ask(d);
	else
		enter(d, DISCOVER_DONE);
	return d;
}

static void
server_done(struct discover_server *server)
{
	free(server->host);
	free(server->user);
	*server = (struct discover_server){.host = NULL};
}

void
discover_free(struct discover **discover)
{
	struct discover *d = *discover;

	if (d == NULL)
		return;
	forget_candidates(d);
	server_done(&d->result.imap);
	server_done(&d->result.smtp);
	strv_done(&d->result.notes);
	buf_done(&d->name);
	buf_done(&d->host);
	free(d->address);
	free(d->domain);
	free(d);
	*discover = NULL;
}

const struct discover_step *
discover_step(const struct discover *discover)
{
	return &discover->step;
}

const struct discover_result *
discover_result(const struct discover *discover)
{
	return &discover->result;
}

/* ---- servers found ---- */

static void
take_server(struct discover *d, bool is_smtp, struct span host, unsigned port,
    enum server_tls tls)
{
	struct discover_server *server =
	    is_smtp ? &d->result.smtp : &d->result.imap;

	server_done(server);
	*server = (struct discover_server){
	    .host = xstrdup_span(host),
	    .port = port,
	    .tls = tls,
	    .source = questions[d->at].source,
	    .is_elsewhere = !is_on_site(d, host),
	};
}

/* ---- MX ---- */

static void
answer_mx(
    struct discover *d, const struct discover_record *records, size_t count)
{
	const struct discover_record *best = NULL;
	const struct preset *preset = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct preset *found =
		    presets_find_mx(span_from_str(records[i].host));
		if (found == NULL ||
		    (best != NULL && best->priority <= records[i].priority))
			continue;
		best = &records[i];
		preset = found;
	}
	if (preset != NULL) {
		take_preset(d, preset, DISCOVERED_MX);
		return;
	}
	STR_AUTO what = xasprintf("MX of %s", d->domain);
	note(d, what,
	    span_from_str(
		count == 0 ? "none" : "of no provider that is known"));
	go_on(d);
}

/* ---- SRV ---- */

static bool
comes_before(
    const struct discover_record *record, const struct candidate *other)
{
	if (record->priority != other->priority)
		return record->priority < other->priority;
	return record->weight > other->weight;
}

/* Into the list, sorted; the worst falls out where it is full. */
static void
add_candidate(struct discover *d, const struct discover_record *record)
{
	size_t at = d->candidate_count;

	while (at > 0 && comes_before(record, &d->candidates[at - 1]))
		at--;
	if (at == KNOCKS_MAX)
		return;
	if (d->candidate_count == KNOCKS_MAX)
		free(d->candidates[--d->candidate_count].host);
	memmove(&d->candidates[at + 1], &d->candidates[at],
	    (d->candidate_count - at) * sizeof(*d->candidates));
	d->candidates[at] = (struct candidate){
	    .host = xstrdup_span(without_dot(span_from_str(record->host))),
	    .priority = record->priority,
	    .weight = record->weight,
	    .port = record->port,
	};
	d->candidate_count++;
}

static void
knock_next(struct discover *d)
{
	const struct candidate *candidate = &d->candidates[d->candidate];

	if (d->candidate == d->candidate_count) {
		forget_candidates(d);
		go_on(d);
		return;
	}
	buf_truncate(&d->host, 0);
	buf_add_str(&d->host, candidate->host);
	enter(d, DISCOVER_KNOCK);
	d->step.port = candidate->port;
}

/* A target of "." says that there is no such service (RFC 6186 section 3.4);
 * others are asked for all the same. */
static void
answer_srv(
    struct discover *d, const struct discover_record *records, size_t count)
{
	forget_candidates(d);
	for (size_t i = 0; i < count && i < DISCOVER_RECORDS_MAX; i++) {
		struct span host = without_dot(span_from_str(records[i].host));
		if (host.len == 0)
			note_step(d, "it is not offered");
		else if (!is_public_name(host) || records[i].port == 0 ||
			 records[i].port > 65535)
			note_step(d, "it names no host that could be used");
		else
			add_candidate(d, &records[i]);
	}
	if (count == 0)
		note_step(d, "no SRV record");
	knock_next(d);
}

void
discover_records(struct discover *discover,
    const struct discover_record *records, size_t count)
{
	if (discover->step.kind == DISCOVER_MX)
		answer_mx(discover, records, count);
	else if (discover->step.kind == DISCOVER_SRV)
		answer_srv(discover, records, count);
}

void
discover_unanswered(struct discover *discover, const char *why)
{
	struct discover *d = discover;

	if (d->step.kind != DISCOVER_MX && d->step.kind != DISCOVER_SRV)
		return;
	note_step(d, why);
	go_on(d);
}

/* ---- knocking ---- */

void
discover_knocked(struct discover *discover, const char *why)
{
	struct discover *d = discover;
	const struct discover_step step = d->step;

	if (step.kind != DISCOVER_KNOCK)
		return;
	STR_AUTO what = xasprintf("%s:%u", step.host, step.port);
	note(d, what, span_from_str(why == NULL ? "found" : why));
	if (why == NULL) {
		take_server(d, step.is_smtp, span_from_str(step.host),
		    step.port, step.tls);
		forget_candidates(d);
		go_on(d);
	} else if (d->candidate_count > 0) {
		d->candidate++;
		knock_next(d);
	} else {
		go_on(d);
	}
}

/* ---- autoconfig ---- */

/* %EMAILADDRESS% and so on; unknown ones stay, and are no host name. */
static void
expand(const struct discover *d, const char *text, struct buf *out)
{
	const char *at = strrchr(d->address, '@');
	const struct {
		struct span name, value;
	} placeholders[] = {
	    {SPAN("%EMAILADDRESS%"), span_from_str(d->address)},
	    {SPAN("%EMAILLOCALPART%"),
		span_from(d->address, (size_t)(at - d->address))},
	    {SPAN("%EMAILDOMAIN%"), span_from_str(d->domain)},
	};
	struct span rest = span_from_str(text);

	while (rest.len > 0) {
		size_t i = 0, count = 3;
		while (i < count && !span_equal(span_slice(rest, 0,
						    placeholders[i].name.len),
					placeholders[i].name))
			i++;
		if (i < count) {
			buf_add_span(out, placeholders[i].value);
			rest = span_skip(rest, placeholders[i].name.len);
		} else {
			buf_add_char(out, *rest.data);
			rest = span_skip(rest, 1);
		}
	}
}

static bool
is_clean_user(struct span user)
{
	for (size_t i = 0; i < user.len; i++)
		if ((unsigned char)user.data[i] <= ' ' || user.data[i] == '%' ||
		    user.data[i] == 0x7f)
			return false;
	return user.len > 0;
}

/* Takes the server; false: it is none. */
static bool
take_configured(struct discover *d, const struct autoconfig_server *from)
{
	struct discover_server *server =
	    from->is_smtp ? &d->result.smtp : &d->result.imap;
	BUF_AUTO host = BUF_INIT, user = BUF_INIT;

	expand(d, from->host, &host);
	expand(d, from->user == NULL ? "" : from->user, &user);
	struct span name = without_dot(buf_span(&host));
	if (!is_public_name(name))
		return false;
	take_server(d, from->is_smtp, name, from->port, from->tls);
	server->wants_oauth = from->auth == PRESET_OAUTH2;
	if (is_clean_user(buf_span(&user)) &&
	    !span_is(buf_span(&user), d->address))
		server->user = buf_take_str(&user);
	return true;
}

/* TLS from the first byte before STARTTLS (RFC 8314 section 3). */
static bool
choose(struct discover *d, const struct autoconfig *autoconfig, bool is_smtp)
{
	static const enum server_tls ways[] = {SERVER_TLS, SERVER_STARTTLS};

	for (size_t way = 0; way < 2; way++)
		for (size_t i = 0; i < autoconfig->count; i++)
			if (autoconfig->servers[i].is_smtp == is_smtp &&
			    autoconfig->servers[i].tls == ways[way] &&
			    take_configured(d, &autoconfig->servers[i]))
				return true;
	return false;
}

static void
read_answer(struct discover *d, struct span body)
{
	struct autoconfig autoconfig = {.count = 0};
	struct error error = ERROR_INIT;

	if (!autoconfig_parse(body, &autoconfig, &error)) {
		note_step(d, error.text);
	} else if (choose(d, &autoconfig, false)) {
		choose(d, &autoconfig, true);
		note_step(d, "found");
	} else {
		note_step(d, autoconfig.plain > 0
				 ? "names only servers without TLS, which are "
				   "not used"
				 : "names no IMAP server that could be used");
	}
	autoconfig_done(&autoconfig);
	go_on(d);
}

/*
 *   location = "https://" host [ ":443" ] [ "/" *VCHAR ]
 *
 * No user, no other port.
 */
static bool
split_location(struct span location, struct span *host_r)
{
	static const char scheme[] = "https://";
	struct span rest = span_skip(location, sizeof(scheme) - 1), host;

	if (!span_starts_nocase(location, scheme) ||
	    location.len > DISCOVER_URL_MAX)
		return false;
	for (size_t i = 0; i < location.len; i++)
		if ((unsigned char)location.data[i] <= ' ' ||
		    (unsigned char)location.data[i] >= 0x7f ||
		    location.data[i] == '\\')
			return false;
	host = rest;
	for (size_t i = 0; i < rest.len; i++)
		if (strchr("/?#", rest.data[i]) != NULL) {
			host = span_slice(rest, 0, i);
			break;
		}
	if (host.len > 4 && span_is(span_skip(host, host.len - 4), ":443"))
		host.len -= 4;
	if (!is_public_name(host))
		return false;
	*host_r = host;
	return true;
}

static void
follow(struct discover *d, struct span location)
{
	struct span host;

	if (++d->redirects > DISCOVER_REDIRECTS_MAX) {
		note_step(d, "sends on and on");
		go_on(d);
		return;
	}
	if (!split_location(location, &host)) {
		note_step(d, "sends on to what is not https, not followed");
		go_on(d);
		return;
	}
	bool is_same = is_on_site(d, host);
	buf_truncate(&d->host, 0);
	buf_add_span(&d->host, host);
	BUF_AUTO next = BUF_INIT;
	buf_add_span(&next, location);
	if (is_same)
		note_step(d, "sends on, on the same site");
	buf_truncate(&d->name, 0);
	buf_add_span(&d->name, buf_span(&next));
	enter(d, is_same ? DISCOVER_FETCH : DISCOVER_CONSENT);
}

void
discover_fetched(struct discover *discover, unsigned status,
    struct span location, struct span body)
{
	struct discover *d = discover;

	if (d->step.kind != DISCOVER_FETCH)
		return;
	if (status == 200) {
		read_answer(d, body);
	} else if (status >= 300 && status < 400 && location.len > 0) {
		follow(d, location);
	} else if (status == 0) {
		note(d, buf_str(&d->name), body);
		go_on(d);
	} else {
		STR_AUTO words = xasprintf("status %u", status);
		note_step(d, words);
		go_on(d);
	}
}

void
discover_consented(struct discover *discover, bool yes)
{
	struct discover *d = discover;

	if (d->step.kind != DISCOVER_CONSENT)
		return;
	if (yes) {
		enter(d, DISCOVER_FETCH);
		return;
	}
	note_step(d, "on another site, not asked");
	go_on(d);
}
