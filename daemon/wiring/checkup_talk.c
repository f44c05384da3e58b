/*
 * What is said over a connection: an engine in between that listens, the
 * encryption, and who it is that answers when it is not the one who was meant.
 */
#include <stdlib.h>
#include <unistd.h>

#include "daemon/base/xalloc.h"
#include "daemon/wiring/checkup_private.h"
#include "daemon/wiring/login.h"

/* Whoever speaks first does so within this; then it is asked. */
#define PEEK_USEC (1500 * USEC_MSEC)
#define SECONDS_OF_DAY (24 * 60 * 60)

/* ---- the engine in between, which listens ---- */

static void
listen_feed(void *engine, struct span bytes, usec_t now)
{
	struct checkup_link *link = engine;

	if (link->heard.len < DOCTOR_VOICE_MAX)
		buf_add_span(&link->heard,
		    span_slice(bytes, 0, DOCTOR_VOICE_MAX - link->heard.len));
	if (link->is_secure && link->offer.len < DOCTOR_VOICE_MAX * 4)
		buf_add_span(
		    &link->offer, span_slice(bytes, 0, DOCTOR_VOICE_MAX));
	if (link->class != NULL)
		link->class->feed(link->engine, bytes, now);
	else
		checkup_wake(link->checkup);
}

static void
listen_eof(void *engine, usec_t now)
{
	struct checkup_link *link = engine;

	if (link->class != NULL)
		link->class->eof(link->engine, now);
}

static struct span
listen_output(const void *engine)
{
	const struct checkup_link *link = engine;

	return link->class != NULL ? link->class->output(link->engine)
				   : link->question;
}

static void
listen_sent(void *engine, size_t len)
{
	struct checkup_link *link = engine;

	if (link->class != NULL)
		link->class->sent(link->engine, len);
	else
		link->question = span_skip(link->question, len);
}

static usec_t
listen_deadline(const void *engine)
{
	const struct checkup_link *link = engine;

	return link->class != NULL ? link->class->deadline(link->engine)
				   : USEC_NEVER;
}

static void
listen_tick(void *engine, usec_t now)
{
	struct checkup_link *link = engine;

	if (link->class != NULL)
		link->class->tick(link->engine, now);
}

static const struct engine_class listen_class = {
    .name = "checkup",
    .feed = listen_feed,
    .eof = listen_eof,
    .output = listen_output,
    .sent = listen_sent,
    .deadline = listen_deadline,
    .tick = listen_tick,
};

/* ---- encryption ---- */

/* "TLSv1.3 ...; for mail.example.org, issued by CN=..., until 2027-01-02" */
static void
add_certificate(const struct tls_peer *peer, struct buf *out)
{
	BUF_AUTO until = BUF_INIT;

	unix_format(&until, peer->not_after_unix);
	buf_addf(out, "certificate for %s, issued by %s, until %.10s",
	    peer->names.len > 0 ? buf_str(&peer->names) : "nobody",
	    buf_str(&peer->issuer), buf_str(&until));
}

static void
warn_of_end(struct checkup_link *link, struct doctor_finding *finding,
    const struct tls_peer *peer)
{
	int64_t left = peer->not_after_unix - loop_now_unix();

	if (!tls_ends_soon(
		peer->not_before_unix, peer->not_after_unix, loop_now_unix()))
		return;
	finding->result = DOCTOR_WARNING;
	finding->cause = "certificate-ends-soon";
	finding->why = xasprintf("The certificate of %s ends in %lld day%s.",
	    link->server->host, (long long)(left / SECONDS_OF_DAY),
	    left / SECONDS_OF_DAY == 1 ? "" : "s");
	finding->next = xasprintf("Whoever runs %s must renew it before: tell "
				  "them, or yourself.",
	    link->server->host);
}

static void
tell_encryption(struct checkup_link *link)
{
	struct tls_session *tls = channel_tls(link->channel);
	struct doctor_finding *finding;
	struct tls_peer peer;
	BUF_AUTO got = BUF_INIT, tried = BUF_INIT;

	tls_describe(tls, &tried);
	if (!tls_peer_get(tls, &peer))
		return;
	add_certificate(&peer, &got);
	finding =
	    doctor_add(link->checkup->report, link->place, DOCTOR_ENCRYPTION,
		DOCTOR_GOOD, buf_str(&tried), "%s", buf_str(&got));
	finding->line = xasprintf("tls_pin = %s", buf_str(&peer.pin));
	warn_of_end(link, finding, &peer);
	tls_peer_done(&peer);
	checkup_tell(link->checkup);
}

static void
on_failed(void *ctx, const struct error *error)
{
	struct checkup_link *link = ctx;

	link->failed = true;
	link->error = *error;
	checkup_wake(link->checkup);
}

static void
on_pump(void *ctx)
{
	struct checkup_link *link = ctx;

	if (link->pump != NULL)
		link->pump(link->ctx);
	link->moved = true;
	checkup_wake(link->checkup);
}

static void
on_tls(void *ctx)
{
	struct checkup_link *link = ctx;

	link->is_secure = true;
	if (link->class != NULL && !link->is_quiet)
		tell_encryption(link);
	on_pump(link);
}

static void
open_channel(struct checkup_link *link)
{
	const struct channel_config config = {
	    .loop = link->checkup->loop,
	    .class = &listen_class,
	    .engine = link,
	    .pump = on_pump,
	    .failed = on_failed,
	    .tls_started = on_tls,
	    .ctx = link,
	    .handshake_usec = checkup_patience(link->checkup),
	};

	link->failed = link->wants_tls = link->over = false;
	link->is_secure = link->told_secure = false;
	link->question = SPAN_EMPTY;
	buf_clear(&link->heard);
	buf_clear(&link->offer);
	link->channel = channel_new(&config, link->fd);
	link->fd = -1;
}

void
checkup_link_start(struct checkup_link *link, const struct engine_class *class,
    void *engine, void (*pump)(void *ctx), void *ctx)
{
	link->class = class;
	link->engine = engine;
	link->pump = pump;
	link->ctx = ctx;
	open_channel(link);
	if (link->server->tls == SERVER_TLS)
		checkup_link_start_tls(link);
}

void
checkup_link_start_tls(struct checkup_link *link)
{
	link->wants_tls = true;
	if (link->tls == NULL)
		link->tls = login_tls(link->checkup->account, &link->error);
	if (link->tls == NULL) {
		link->failed = true;
		checkup_wake(link->checkup);
		return;
	}
	channel_start_tls(link->channel, link->tls, link->server->host);
}

bool
checkup_link_is_over(const struct checkup_link *link)
{
	return link->over || link->failed;
}

bool
checkup_link_wait(
    struct checkup_link *link, const bool *this_one, const bool *that_one)
{
	while (!*this_one && !*that_one && !checkup_link_is_over(link)) {
		link->moved = false;
		if (!checkup_wait(link->checkup, &link->moved))
			break;
	}
	return *this_one;
}

void
checkup_link_kick(struct checkup_link *link)
{
	on_pump(link);
	channel_kick(link->channel);
}

void
checkup_link_stop(struct checkup_link *link)
{
	channel_free(&link->channel);
	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
	link->class = NULL;
	link->engine = NULL;
	link->pump = NULL;
}

void
checkup_link_close(struct checkup_link *link)
{
	checkup_link_stop(link);
	tls_free(&link->tls);
	buf_done(&link->heard);
	buf_done(&link->offer);
}

/* ---- what was heard ---- */

char *
checkup_link_greeting(const struct checkup_link *link)
{
	struct span heard = buf_span(&link->heard);

	return checkup_clean(span_slice(heard, 0, span_find(heard, '\n')));
}

bool
checkup_link_heard(const struct checkup_link *link, const char *word)
{
	return span_contains_nocase(
		   buf_span(&link->heard), span_from_str(word)) ||
	       span_contains_nocase(
		   buf_span(&link->offer), span_from_str(word));
}

/* ---- who answers ---- */

/* For at most so long, until something is known. */
static void
listen_for(struct checkup_link *link, usec_t limit)
{
	usec_t end = usec_add(loop_now(), limit);

	while (loop_now() < end && !link->failed && !link->is_secure &&
	       link->heard.len == 0) {
		loop_timer_set(link->checkup->timer, end);
		loop_run(link->checkup->loop);
	}
	loop_timer_set(link->checkup->timer, USEC_NEVER);
}

/* A web server waits to be asked. */
static enum doctor_voice
ask_in_clear(struct checkup_link *link)
{
	listen_for(link, PEEK_USEC);
	if (link->heard.len == 0 && !link->failed) {
		link->question = SPAN("GET / HTTP/1.0\r\n\r\n");
		channel_kick(link->channel);
		listen_for(link, PEEK_USEC);
	}
	return link->heard.len > 0 ? doctor_voice_of(buf_span(&link->heard))
				   : VOICE_SILENT;
}

/* A certificate is TLS, however bad. */
static enum doctor_voice
ask_by_tls(struct checkup_link *link)
{
	checkup_link_start_tls(link);
	listen_for(link, PEEK_USEC);
	if (link->is_secure ||
	    (link->failed && link->error.fault == FAULT_AUTH))
		return VOICE_TLS;
	return VOICE_SILENT;
}

/* What was said already tells; else on a connection of its own, the way that
 * was not meant. TLS says nothing to those who speak none. */
static enum doctor_voice
find_voice(struct checkup_link *link)
{
	bool tried_tls = link->wants_tls;
	enum doctor_voice voice;

	if (link->heard.len > 0)
		return doctor_voice_of(buf_span(&link->heard));
	if (!checkup_link_reopen(link))
		return VOICE_UNKNOWN;
	open_channel(link);
	if (tried_tls)
		return ask_in_clear(link);
	voice = ask_by_tls(link);
	if (voice == VOICE_TLS || !checkup_link_reopen(link))
		return voice;
	open_channel(link);
	return ask_in_clear(link);
}

/* ---- blame ---- */

static enum doctor_flaw
flaw_of(enum tls_flaw flaw)
{
	static const enum doctor_flaw flaws[] = {
	    [TLS_FLAW_NONE] = FLAW_NONE,
	    [TLS_FLAW_SELF_SIGNED] = FLAW_SELF_SIGNED,
	    [TLS_FLAW_UNKNOWN_ISSUER] = FLAW_UNKNOWN_ISSUER,
	    [TLS_FLAW_EXPIRED] = FLAW_EXPIRED,
	    [TLS_FLAW_NOT_YET_VALID] = FLAW_NOT_YET_VALID,
	    [TLS_FLAW_WRONG_NAME] = FLAW_WRONG_NAME,
	    [TLS_FLAW_WRONG_PIN] = FLAW_WRONG_PIN,
	    [TLS_FLAW_OTHER] = FLAW_OTHER,
	};

	return flaws[flaw];
}

/* A bad certificate says all there is to say. */
static bool
blame_certificate(struct checkup_link *link, struct doctor_facts *facts)
{
	struct tls_session *tls =
	    link->channel != NULL ? channel_tls(link->channel) : NULL;
	BUF_AUTO tried = BUF_INIT, got = BUF_INIT;
	struct tls_peer peer;

	if (tls == NULL || !tls_peer_get(tls, &peer))
		return false;
	facts->flaw = flaw_of(peer.flaw);
	facts->issuer = buf_str(&peer.issuer);
	facts->names = peer.names.len > 0 ? buf_str(&peer.names) : NULL;
	facts->pin = buf_str(&peer.pin);
	facts->from_unix = peer.not_before_unix;
	facts->until_unix = peer.not_after_unix;
	tls_describe(tls, &tried);
	add_certificate(&peer, &got);
	checkup_bad(link->checkup, facts, "TLS", buf_str(&got));
	tls_peer_done(&peer);
	return true;
}

/* At which step a conversation broke that never came to a login. */
static enum doctor_step
step_of(const struct checkup_link *link, const struct error *error)
{
	static const char *const offers[] = {"STARTTLS", "IMAP4rev1",
	    "before TLS", "PREAUTH", "before encryption"};

	if (link->wants_tls && !link->is_secure)
		return DOCTOR_ENCRYPTION;
	for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++)
		if (strstr(error->text, offers[i]) != NULL)
			return DOCTOR_CAPABILITIES;
	return DOCTOR_GREETING;
}

void
checkup_link_blame(struct checkup_link *link, const struct error *error,
    enum imap_refusal_kind refusal)
{
	const struct error *why = link->failed ? &link->error : error;
	struct doctor_facts facts =
	    checkup_link_facts(link, step_of(link, why));
	STR_AUTO text = xstrdup(why->text);
	STR_AUTO greeting = NULL;

	facts.is_loopback = checkup_link_is_loopback(link);
	facts.fault = why->fault;
	facts.text = text;
	facts.refusal = refusal;
	if (facts.step == DOCTOR_ENCRYPTION && blame_certificate(link, &facts))
		return;
	greeting = checkup_link_greeting(link);
	if (why->fault != FAULT_CONFIG)
		facts.voice = find_voice(link);
	if (*greeting != '\0')
		facts.said = greeting;
	checkup_bad(link->checkup, &facts,
	    facts.step == DOCTOR_ENCRYPTION ? "TLS" : NULL,
	    *greeting != '\0' ? greeting : text);
}
