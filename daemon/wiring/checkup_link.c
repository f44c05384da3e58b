/* The way to a server: its name, and a connection. */
#include <stdlib.h>
#include <unistd.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/wiring/checkup_private.h"

/* ---- facts ---- */

struct doctor_facts
checkup_link_facts(const struct checkup_link *link, enum doctor_step step)
{
	struct doctor_facts facts =
	    checkup_facts(link->checkup, link->place, step);

	facts.is_private = link->is_private;
	return facts;
}

/* ---- the name ---- */

struct lookup {
	struct checkup_link *link;
	bool done;
};

static void
on_resolved(void *ctx, const struct resolve_result *result)
{
	struct lookup *lookup = ctx;

	lookup->link->addresses = *result;
	lookup->done = true;
	checkup_wake(lookup->link->checkup);
}

#define IPV4_TOP(address, bits)                                                \
	(ntohl((address)->sockaddr.in.sin_addr.s_addr) >> (32 - (bits)))

/* RFC 1918, 6598, 3927, and loopback; RFC 4193 and 4291. */
static bool
is_private(const struct resolve_address *address)
{
	static const struct {
		uint32_t net;
		unsigned bits;
	} nets[] = {{10, 8}, {127, 8}, {0xac1, 12}, {0xc0a8, 16},
	    {0x64 << 2 | 1, 10}, {0xa9fe, 16}};
	const uint8_t *bytes = address->sockaddr.in6.sin6_addr.s6_addr;

	if (address->family != AF_INET)
		return (bytes[0] & 0xfe) == 0xfc ||
		       (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80) ||
		       IN6_IS_ADDR_LOOPBACK(&address->sockaddr.in6.sin6_addr);
	for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++)
		if (IPV4_TOP(address, nets[i].bits) == nets[i].net)
			return true;
	return false;
}

/* A name of the world, and an address of this house. */
static bool
leads_home(const struct checkup_link *link)
{
	struct span host = span_from_str(link->server->host);

	return is_private(&link->addresses.addresses[0]) &&
	       span_find(host, '.') != SIZE_MAX &&
	       char_is_alpha(host.data[host.len - 1]);
}

static void
tell_addresses(struct checkup_link *link)
{
	BUF_AUTO text = BUF_INIT;

	for (size_t i = 0; i < link->addresses.count; i++) {
		if (i > 0)
			buf_add_str(&text, ", ");
		resolve_format(&link->addresses.addresses[i], &text);
	}
	if (link->is_private)
		buf_add_str(&text, " (of a private network)");
	checkup_good(link->checkup, link->place, DOCTOR_NAME,
	    link->server->host, "%s", buf_str(&text));
}

/* ---- what the domain says itself, when the name is none ---- */

struct question {
	struct checkup *checkup;
	struct dns_result result;
	bool done;
};

static void
on_records(void *ctx, const struct dns_result *result)
{
	struct question *question = ctx;

	question->result = *result;
	question->done = true;
	checkup_wake(question->checkup);
}

/* The first record; NULL: none. */
static const struct dns_record *
ask_domain(struct checkup_link *link, struct question *question,
    enum dns_kind kind, const char *name)
{
	struct dns *dns;

	*question = (struct question){.checkup = link->checkup};
	dns = dns_ask(link->checkup->loop, kind, name, on_records, question);
	if (!checkup_wait(link->checkup, &question->done))
		dns_cancel(&dns);
	return question->result.count > 0 &&
		       *question->result.records[0].host != '\0'
		   ? &question->result.records[0]
		   : NULL;
}

/* RFC 6186 and 8314. Malloc'ed; NULL: nothing is offered. */
static char *
find_offer(struct checkup_link *link)
{
	static const struct {
		const char *service, *scheme;
		unsigned port;
	} offers[DOCTOR_PLACES][2] = {
	    [DOCTOR_IMAP] = {{"_imaps", "imaps", 993}, {"_imap", "imap", 143}},
	    [DOCTOR_SMTP] = {{"_submissions", "smtps", 465},
		{"_submission", "submission", 587}},
	};
	const char *domain = link->checkup->account->domain;
	struct question question;

	for (size_t i = 0; i < 2; i++) {
		STR_AUTO name = xasprintf(
		    "%s._tcp.%s", offers[link->place][i].service, domain);
		const struct dns_record *record =
		    ask_domain(link, &question, DNS_SRV, name);
		if (record == NULL)
			continue;
		STR_AUTO host = checkup_clean(span_from_str(record->host));
		if (record->port == offers[link->place][i].port)
			return xasprintf(
			    "%s://%s", offers[link->place][i].scheme, host);
		return xasprintf("%s://%s:%u", offers[link->place][i].scheme,
		    host, record->port);
	}
	return NULL;
}

static char *
find_receiver(struct checkup_link *link)
{
	struct question question;
	const struct dns_record *record =
	    ask_domain(link, &question, DNS_MX, link->checkup->account->domain);
	const struct preset *preset;

	if (record == NULL)
		return NULL;
	STR_AUTO host = checkup_clean(span_from_str(record->host));
	preset = presets_find_mx(span_from_str(host));
	return preset != NULL ? xasprintf("%s (%s)", host, preset->name)
			      : xstrdup(host);
}

/* By "no": a name server that says nothing is not asked more. */
static bool
is_answered(const struct checkup_link *link)
{
	const char *text = link->addresses.error.text;

	return strstr(text, "no such host") != NULL ||
	       strstr(text, "No address") != NULL;
}

static void
blame_name(struct checkup_link *link)
{
	struct doctor_facts facts = checkup_link_facts(link, DOCTOR_NAME);
	bool is_own = facts.preset == NULL && is_answered(link);
	STR_AUTO offered = is_own ? find_offer(link) : NULL;
	STR_AUTO receiver = is_own ? find_receiver(link) : NULL;

	facts.fault = link->addresses.error.fault;
	facts.text = link->addresses.error.text;
	facts.offered = offered;
	facts.receiver = receiver;
	checkup_bad(link->checkup, &facts, link->server->host, facts.text);
}

static bool
find_addresses(struct checkup_link *link)
{
	struct lookup lookup = {.link = link};
	struct resolve *resolve = resolve_start(link->checkup->loop,
	    link->server->host, link->server->port, on_resolved, &lookup);

	if (!checkup_wait(link->checkup, &lookup.done)) {
		resolve_cancel(&resolve);
		error_set(&link->addresses.error, FAULT_RETRY,
		    "no answer from the name server");
	}
	if (link->addresses.count == 0) {
		blame_name(link);
		return false;
	}
	link->is_private = leads_home(link);
	tell_addresses(link);
	return true;
}

/* ---- the connection: each address by itself ---- */

struct runner {
	struct race *race;
	struct connect *connect;
	size_t index;
	char *fate; /* owned; NULL: open */
};

struct race {
	struct checkup_link *link;
	struct runner runners[RESOLVE_ADDRESSES_MAX];
	size_t open;
	usec_t began;
	struct error error; /* of the last that failed */
	bool done;
};

/* "cannot connect to H port P: 192.0.2.1: Connection refused": the end. */
static char *
fate_of(const struct error *error)
{
	struct span text = span_from_str(error->text), rest = text;

	for (size_t at; (at = span_find_span(rest, SPAN(": "), 0)) != SIZE_MAX;)
		rest = span_skip(rest, at + 2);
	return xstrdup_span(rest);
}

static void
on_connected(void *ctx, int fd, const struct error *error)
{
	struct runner *runner = ctx;
	struct race *race = runner->race;
	struct checkup_link *link = race->link;
	BUF_AUTO fate = BUF_INIT;

	runner->connect = NULL;
	race->open--;
	if (fd < 0) {
		race->error = *error;
		runner->fate = fate_of(error);
	} else {
		buf_add_str(&fate, "answered after ");
		usec_format(&fate, usec_since(race->began, loop_now()));
		runner->fate = xstrdup(buf_str(&fate));
	}
	if (fd >= 0 && link->fd < 0) {
		link->fd = fd;
		link->address = link->addresses.addresses[runner->index];
	} else if (fd >= 0) {
		close(fd);
	}
	race->done = link->fd >= 0 || race->open == 0;
	if (race->done)
		checkup_wake(link->checkup);
}

static void
start_race(struct race *race)
{
	struct checkup_link *link = race->link;

	race->began = loop_now();
	for (size_t i = 0; i < link->addresses.count; i++) {
		const struct resolve_result one = {
		    .addresses = {link->addresses.addresses[i]}, .count = 1};
		race->runners[i] = (struct runner){.race = race, .index = i};
		race->open++;
		race->runners[i].connect = connect_start_addresses(
		    link->checkup->loop, link->server->host, link->server->port,
		    &one, on_connected, &race->runners[i]);
	}
}

/* "192.0.2.1 answered after 12 ms; 2001:db8::1 no answer yet" */
static void
add_fates(const struct race *race, struct buf *out)
{
	for (size_t i = 0; i < race->link->addresses.count; i++) {
		const char *fate = race->runners[i].fate;
		if (i > 0)
			buf_add_str(out, "; ");
		resolve_format(&race->link->addresses.addresses[i], out);
		buf_addf(out, ": %s", fate != NULL ? fate : "no answer yet");
	}
}

static void
race_done(struct race *race)
{
	for (size_t i = 0; i < race->link->addresses.count; i++) {
		connect_cancel(&race->runners[i].connect);
		free(race->runners[i].fate);
	}
}

bool
checkup_link_is_loopback(const struct checkup_link *link)
{
	return link->address.family == AF_INET
		   ? IPV4_TOP(&link->address, 8) == 127
		   : IN6_IS_ADDR_LOOPBACK(
			 &link->address.sockaddr.in6.sin6_addr);
}

static void
tell_connection(struct checkup_link *link, const struct race *race)
{
	struct doctor_facts facts = checkup_link_facts(link, DOCTOR_CONNECTION);
	STR_AUTO tried = xasprintf("port %u", link->server->port);
	BUF_AUTO fates = BUF_INIT;

	add_fates(race, &fates);
	if (link->fd >= 0) {
		checkup_good(link->checkup, link->place, DOCTOR_CONNECTION,
		    tried, "%s", buf_str(&fates));
		return;
	}
	link->address = link->addresses.addresses[0];
	facts.is_loopback = checkup_link_is_loopback(link);
	facts.fault = FAULT_RETRY;
	facts.text =
	    race->error.fault != FAULT_NONE ? race->error.text : "no answer";
	checkup_bad(link->checkup, &facts, tried, buf_str(&fates));
}

static bool
find_connection(struct checkup_link *link)
{
	struct race race = {.link = link};

	start_race(&race);
	checkup_wait(link->checkup, &race.done);
	tell_connection(link, &race);
	race_done(&race);
	return link->fd >= 0;
}

bool
checkup_link_open(struct checkup_link *link, struct checkup *checkup,
    enum doctor_place place, const struct config_server *server)
{
	*link = (struct checkup_link){
	    .checkup = checkup, .place = place, .server = server, .fd = -1};
	return find_addresses(link) && find_connection(link);
}

/* ---- once more ---- */

struct again {
	struct checkup_link *link;
	bool done;
};

static void
on_again(void *ctx, int fd, const struct error *error)
{
	struct again *again = ctx;

	(void)error;
	again->link->fd = fd;
	again->done = true;
	checkup_wake(again->link->checkup);
}

bool
checkup_link_reopen(struct checkup_link *link)
{
	const struct resolve_result one = {
	    .addresses = {link->address}, .count = 1};
	struct again again = {.link = link};
	struct connect *connect = connect_start_addresses(link->checkup->loop,
	    link->server->host, link->server->port, &one, on_again, &again);

	checkup_link_stop(link);
	if (!checkup_wait(link->checkup, &again.done))
		connect_cancel(&connect);
	return link->fd >= 0;
}
