/*
 * From an address to its servers: each case is a world (who answers what), what
 * is asked in it, in order, and what comes out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/buf.h"
#include "daemon/base/xalloc.h"
#include "daemon/setup/autoconfig.h"
#include "daemon/setup/discover.h"

/* More steps than any world needs: a circle. */
#define STEPS_MAX 40

enum what {
	MX,	  /* text: "PRIORITY HOST, ..." */
	SRV,	  /* text: "PRIORITY WEIGHT PORT HOST, ..." */
	PAGE,	  /* text: the body, with status 200 */
	REDIRECT, /* text: where to */
	STATUS,	  /* text: the number; "0" for no answer */
	SERVER,	  /* who is "HOST:PORT" */
	CONSENT,  /* the person says yes to who */
};

struct answer {
	enum what what;
	const char *who, *text;
};

struct world {
	const char *name, *address;
	bool ask_list;
	const struct answer *answers; /* ended by a NULL who */
	/* What is asked: "mx", "srv", "get", "knock", "may" and its name, in
	 * order, each on a line; NULL: not looked at. */
	const char *asked;
	/* "IMAP SMTP", each "HOST:PORT tls|starttls [user=U] [elsewhere]
	 * [oauth]" or "-"; or "preset ID by SOURCE". */
	const char *result;
};

#define END                                                                    \
	{                                                                      \
		MX, NULL, NULL                                                 \
	}
#define PAGE_OF(servers)                                                       \
	"<?xml version=\"1.0\"?><clientConfig version=\"1.1\">"                \
	"<emailProvider id=\"example.org\"><domain>example.org</domain>"       \
	"<displayName>X &amp; Y</displayName>" servers                         \
	"</emailProvider></clientConfig>"
#define IMAP_AT(host, port, socket, more)                                      \
	"<incomingServer type=\"imap\"><hostname>" host                        \
	"</hostname><port>" port "</port><socketType>" socket                  \
	"</socketType>" more "</incomingServer>"
#define SMTP_AT(host, port, socket, more)                                      \
	"<outgoingServer type=\"smtp\"><hostname>" host                        \
	"</hostname><port>" port "</port><socketType>" socket                  \
	"</socketType>" more "</outgoingServer>"
#define BOTH                                                                   \
	PAGE_OF(IMAP_AT("mail.example.org", "993", "SSL", "")                  \
		SMTP_AT("mail.example.org", "465", "SSL", ""))
#define FOUND "mail.example.org:993 tls mail.example.org:465 tls"
#define AUTOCONFIG                                                             \
	"https://autoconfig.example.org/mail/config-v1.1.xml"                  \
	"?emailaddress=ann%40example.org"
#define WELL_KNOWN                                                             \
	"https://example.org/.well-known/autoconfig/mail/config-v1.1.xml"
#define FETCHES "mx example.org\nget " AUTOCONFIG "\nget " WELL_KNOWN "\n"
#define SERVICES "srv _imaps._tcp.example.org\nsrv _imap._tcp.example.org\n"
#define IMAP_GUESSES                                                           \
	"knock imap.example.org:993\nknock mail.example.org:993\n"             \
	"knock example.org:993\n"

static const struct world worlds[] = {
    {.name = "a domain of the table asks nobody",
	.address = "ann@ICLOUD.com",
	.asked = "",
	.result = "preset icloud by its domain"},
    {.name = "a provider without IMAP",
	.address = "ann@hey.com",
	.asked = "",
	.result = "preset hey by its domain"},
    {.name = "by MX",
	.address = "ann@example.org",
	.answers = (const struct answer[]){{MX, "example.org",
					       "20 alt.example.org, "
					       "10 aspmx.l.google.com."},
	    END},
	.asked = "mx example.org\n",
	.result = "preset google-workspace by its MX"},
    {.name = "of two known MX the first",
	.address = "ann@example.org",
	.answers =
	    (const struct answer[]){{MX, "example.org",
					"20 aspmx.l.google.com, "
					"5 in1-smtp.messagingengine.com"},
		END},
	.result = "preset fastmail by its MX"},
    {.name = "autoconfig of the domain",
	.address = "ann@example.org",
	.answers = (const struct answer[]){{PAGE, AUTOCONFIG, BOTH}, END},
	.asked = "mx example.org\nget " AUTOCONFIG "\n",
	.result = FOUND},
    {.name = "the well-known place",
	.address = "Ann@Example.ORG",
	.answers = (const struct answer[]){{PAGE, WELL_KNOWN, BOTH},
	    {STATUS,
		"https://autoconfig.example.org/mail/config-v1.1.xml"
		"?emailaddress=Ann%40Example.ORG",
		"404"},
	    END},
	.result = FOUND},
    {.name = "TLS from the first byte before STARTTLS, whatever the order",
	.address = "ann@example.org",
	.answers =
	    (const struct answer[]){
		{PAGE, AUTOCONFIG,
		    PAGE_OF(IMAP_AT("a.example.org", "143", "STARTTLS", "")
			    IMAP_AT("b.example.org", "993", "ssl", "") SMTP_AT(
				"c.example.org", "587", "STARTTLS", ""))},
		END},
	.result = "b.example.org:993 tls c.example.org:587 starttls"},
    {.name = "what is in clear is not used",
	.address = "ann@example.org",
	.answers =
	    (const struct answer[]){
		{PAGE, AUTOCONFIG,
		    PAGE_OF(IMAP_AT("a.example.org", "143", "plain", "")
			    SMTP_AT("a.example.org", "25", "plain", ""))},
		END},
	.asked = FETCHES SERVICES IMAP_GUESSES,
	.result = "- -"},
    {.name = "placeholders, and a login that is not the address",
	.address = "ann@example.org",
	.answers =
	    (const struct answer[]){
		{PAGE, AUTOCONFIG,
		    PAGE_OF(IMAP_AT("imap.%EMAILDOMAIN%", "993", "SSL",
			"<username>%EMAILLOCALPART%</username>"
			"<authentication>OAuth2</authentication>")
			    SMTP_AT("mail.hoster.example", "465", "SSL",
				"<username>%EMAILADDRESS%</username>"
				"<authentication>none</authentication>"))},
		END},
	.result = "imap.example.org:993 tls user=ann oauth "
		  "mail.hoster.example:465 tls elsewhere"},
    {.name = "unknown placeholders are no host",
	.address = "ann@example.org",
	.answers =
	    (const struct answer[]){
		{PAGE, AUTOCONFIG,
		    PAGE_OF(IMAP_AT("%WHAT%.example.org", "993", "SSL", ""))},
		END},
	.result = "- -"},
    {.name = "no addresses, nor this machine",
	.address = "ann@example.org",
	.answers =
	    (const struct answer[]){
		{PAGE, AUTOCONFIG,
		    PAGE_OF(IMAP_AT("10.0.0.1", "993", "SSL", "") IMAP_AT(
			"localhost", "993", "SSL", "") IMAP_AT("::1", "993",
			"SSL", "") IMAP_AT("printer", "993", "SSL", ""))},
		{SRV, "_imaps._tcp.example.org",
		    "0 0 993 127.0.0.1, 0 0 993 localhost"},
		END},
	.asked = FETCHES SERVICES IMAP_GUESSES,
	.result = "- -"},
    {.name = "a provider of the table, by what the domain says",
	.address = "ann@example.org",
	.answers =
	    (const struct answer[]){
		{PAGE, AUTOCONFIG,
		    PAGE_OF(IMAP_AT("SSL0.ovh.net", "993", "SSL", "")
			    SMTP_AT("ssl0.ovh.net", "465", "SSL", ""))},
		END},
	.result = "preset ovh by its autoconfig"},
    {.name = "only IMAP: the rest is looked for",
	.address = "ann@example.org",
	.answers =
	    (const struct answer[]){
		{PAGE, AUTOCONFIG,
		    PAGE_OF(IMAP_AT("mail.example.org", "993", "SSL", ""))},
		{SRV, "_submissions._tcp.example.org",
		    "0 0 465 smtp.example.org"},
		{SERVER, "smtp.example.org:465", ""}, END},
	.asked = "mx example.org\nget " AUTOCONFIG
		 "\nsrv _submissions._tcp.example.org\n"
		 "knock smtp.example.org:465\n",
	.result = "mail.example.org:993 tls smtp.example.org:465 tls"},
    {.name = "a redirect on the same site",
	.address = "ann@example.org",
	.answers =
	    (const struct answer[]){
		{REDIRECT, AUTOCONFIG, "https://WWW.example.org:443/x?y"},
		{PAGE, "https://WWW.example.org:443/x?y", BOTH}, END},
	.asked = "mx example.org\nget " AUTOCONFIG
		 "\nget https://WWW.example.org:443/x?y\n",
	.result = FOUND},
    {.name = "a redirect to another site, allowed",
	.address = "ann@example.org",
	.answers =
	    (const struct answer[]){
		{REDIRECT, AUTOCONFIG, "https://hoster.example/a.xml"},
		{CONSENT, "https://hoster.example/a.xml", ""},
		{PAGE, "https://hoster.example/a.xml", BOTH}, END},
	.asked = "mx example.org\nget " AUTOCONFIG
		 "\nmay hoster.example https://hoster.example/a.xml\n"
		 "get https://hoster.example/a.xml\n",
	.result = FOUND},
    {.name = "a redirect to another site, not allowed",
	.address = "ann@example.org",
	.answers =
	    (const struct answer[]){
		{REDIRECT, AUTOCONFIG, "https://example.org.evil.example/"},
		{PAGE, "https://example.org.evil.example/", BOTH}, END},
	.asked =
	    "mx example.org\nget " AUTOCONFIG "\nmay example.org.evil.example "
	    "https://example.org.evil.example/\n"
	    "get " WELL_KNOWN "\n" SERVICES IMAP_GUESSES,
	.result = "- -"},
    {.name = "a name that only ends like the site",
	.address = "ann@example.org",
	.answers =
	    (const struct answer[]){
		{REDIRECT, AUTOCONFIG, "https://evilexample.org/"},
		{PAGE, "https://evilexample.org/", BOTH}, END},
	.result = "- -"},
    {.name = "the parent is another site",
	.address = "ann@mail.example.org",
	.answers =
	    (const struct answer[]){
		{REDIRECT,
		    "https://mail.example.org/.well-known/autoconfig/mail/"
		    "config-v1.1.xml",
		    "https://example.org/a.xml"},
		{PAGE, "https://example.org/a.xml", BOTH}, END},
	.result = "- -"},
    {.name = "a redirect to http, to a port, with a user, to an address",
	.address = "ann@example.org",
	.answers =
	    (const struct answer[]){
		{REDIRECT, AUTOCONFIG, "http://example.org/a.xml"},
		{REDIRECT, WELL_KNOWN, "https://ann@example.org/a.xml"},
		{PAGE, "http://example.org/a.xml", BOTH},
		{PAGE, "https://ann@example.org/a.xml", BOTH}, END},
	.asked = FETCHES SERVICES IMAP_GUESSES,
	.result = "- -"},
    {.name = "a redirect to another port or address",
	.address = "ann@example.org",
	.answers =
	    (const struct answer[]){
		{REDIRECT, AUTOCONFIG, "https://example.org:8443/a.xml"},
		{REDIRECT, WELL_KNOWN, "https://10.0.0.1/a.xml"}, END},
	.asked = FETCHES SERVICES IMAP_GUESSES,
	.result = "- -"},
    {.name = "a redirect in a circle",
	.address = "ann@example.org",
	.answers = (const struct answer[]){{REDIRECT, AUTOCONFIG, AUTOCONFIG},
	    {REDIRECT, WELL_KNOWN, WELL_KNOWN}, END},
	.result = "- -"},
    {.name = "Thunderbird's list only when asked for, and last",
	.address = "ann@example.org",
	.ask_list = true,
	.answers =
	    (const struct answer[]){
		{PAGE, "https://autoconfig.thunderbird.net/v1.1/example.org",
		    BOTH},
		END},
	.asked =
	    FETCHES "get https://autoconfig.thunderbird.net/v1.1/example.org\n",
	.result = FOUND},
    {.name = "SRV, by priority and weight, the first that is there",
	.address = "ann@example.org",
	.answers =
	    (const struct answer[]){
		{SRV, "_imaps._tcp.example.org",
		    "20 0 993 c.example.org, 10 1 993 b.example.org, "
		    "10 9 1993 a.example.org."},
		{SRV, "_submission._tcp.example.org",
		    "0 0 587 smtp.hoster.example"},
		{SERVER, "b.example.org:993", ""},
		{SERVER, "smtp.hoster.example:587", ""}, END},
	.asked = FETCHES "srv _imaps._tcp.example.org\n"
			 "knock a.example.org:1993\n"
			 "knock b.example.org:993\n"
			 "srv _submissions._tcp.example.org\n"
			 "srv _submission._tcp.example.org\n"
			 "knock smtp.hoster.example:587\n",
	.result = "b.example.org:993 tls "
		  "smtp.hoster.example:587 starttls elsewhere"},
    {.name = "SRV: not offered",
	.address = "ann@example.org",
	.answers =
	    (const struct answer[]){
		{SRV, "_imaps._tcp.example.org", "0 0 0 ."}, END},
	.asked = FETCHES SERVICES IMAP_GUESSES,
	.result = "- -"},
    {.name = "SRV: at most three doors are knocked at",
	.address = "ann@example.org",
	.answers =
	    (const struct answer[]){
		{SRV, "_imaps._tcp.example.org",
		    "5 0 993 e.example.org, 4 0 993 d.example.org, "
		    "3 0 993 c.example.org, 2 0 993 b.example.org, "
		    "1 0 993 a.example.org"},
		END},
	.asked = FETCHES "srv _imaps._tcp.example.org\n"
			 "knock a.example.org:993\n"
			 "knock b.example.org:993\n"
			 "knock c.example.org:993\n"
			 "srv _imap._tcp.example.org\n" IMAP_GUESSES,
	.result = "- -"},
    {.name = "guesses",
	.address = "ann@example.org",
	.answers = (const struct answer[]){{SERVER, "mail.example.org:993", ""},
	    {SERVER, "mail.example.org:587", ""}, END},
	.asked = FETCHES SERVICES "knock imap.example.org:993\n"
				  "knock mail.example.org:993\n"
				  "srv _submissions._tcp.example.org\n"
				  "srv _submission._tcp.example.org\n"
				  "knock smtp.example.org:465\n"
				  "knock mail.example.org:465\n"
				  "knock smtp.example.org:587\n"
				  "knock mail.example.org:587\n",
	.result = "mail.example.org:993 tls mail.example.org:587 starttls"},
    {.name = "an international domain is asked in its ASCII form",
	.address = "ann@b\xc3\xbc"
		   "cher.example",
	.answers = NULL,
	.asked = "mx xn--bcher-kva.example\n"
		 "get https://autoconfig.xn--bcher-kva.example/mail/"
		 "config-v1.1.xml?emailaddress=ann%40b%C3%BCcher.example\n"
		 "get https://xn--bcher-kva.example/.well-known/autoconfig/"
		 "mail/config-v1.1.xml\n"
		 "srv _imaps._tcp.xn--bcher-kva.example\n"
		 "srv _imap._tcp.xn--bcher-kva.example\n"
		 "knock imap.xn--bcher-kva.example:993\n"
		 "knock mail.xn--bcher-kva.example:993\n"
		 "knock xn--bcher-kva.example:993\n",
	.result = "- -"},
    {.name = "no domain that could be asked",
	.address = "ann@localhost",
	.asked = "",
	.result = "- -"},
    {.name = "an address as domain",
	.address = "ann@127.0.0.1",
	.asked = "",
	.result = "- -"},
};

/* ---- the world ---- */

static const struct answer *
find(const struct world *world, enum what what, const char *who)
{
	for (const struct answer *a = world->answers;
	     a != NULL && a->who != NULL; a++)
		if (a->what == what && strcmp(a->who, who) == 0)
			return a;
	return NULL;
}

static void
answer_records(const struct world *world, struct discover *d, enum what what)
{
	const struct answer *answer = find(world, what, discover_step(d)->name);
	struct discover_record records[10];
	char hosts[10][80];
	size_t count = 0;
	struct span rest = span_from_str(answer == NULL ? "" : answer->text),
		    item;

	while (answer != NULL && span_split(&rest, ',', &item)) {
		STR_AUTO text = xstrdup_span(span_trim(item));
		struct discover_record *record = &records[count];
		int read = what == MX ? sscanf(text, "%u %79s",
					    &record->priority, hosts[count])
				      : sscanf(text, "%u %u %u %79s",
					    &record->priority, &record->weight,
					    &record->port, hosts[count]);
		assert_int_equal(read, what == MX ? 2 : 4);
		record->host = hosts[count++];
	}
	discover_records(d, records, count);
}

static void
answer_fetch(const struct world *world, struct discover *d)
{
	STR_AUTO url = xstrdup(discover_step(d)->name);
	const struct answer *page = find(world, PAGE, url),
			    *redirect = find(world, REDIRECT, url),
			    *status = find(world, STATUS, url);

	if (page != NULL)
		discover_fetched(d, 200, SPAN_EMPTY, span_from_str(page->text));
	else if (redirect != NULL)
		discover_fetched(
		    d, 302, span_from_str(redirect->text), SPAN_EMPTY);
	else if (status != NULL)
		discover_fetched(
		    d, (unsigned)atoi(status->text), SPAN_EMPTY, SPAN("no"));
	else
		discover_fetched(d, 0, SPAN_EMPTY, SPAN("nobody there"));
}

static void
take_step(const struct world *world, struct discover *d, struct buf *asked)
{
	const struct discover_step step = *discover_step(d);
	STR_AUTO door = xasprintf("%s:%u", step.host, step.port);

	switch (step.kind) {
	case DISCOVER_MX:
		buf_addf(asked, "mx %s\n", step.name);
		answer_records(world, d, MX);
		break;
	case DISCOVER_SRV:
		buf_addf(asked, "srv %s\n", step.name);
		answer_records(world, d, SRV);
		break;
	case DISCOVER_FETCH:
		buf_addf(asked, "get %s\n", step.name);
		answer_fetch(world, d);
		break;
	case DISCOVER_CONSENT:
		buf_addf(asked, "may %s %s\n", step.host, step.name);
		discover_consented(d, find(world, CONSENT, step.name) != NULL);
		break;
	case DISCOVER_KNOCK:
		buf_addf(asked, "knock %s\n", door);
		discover_knocked(
		    d, find(world, SERVER, door) != NULL ? NULL : "nobody");
		break;
	case DISCOVER_DONE:
		break;
	}
}

static void
add_server(struct buf *out, const struct discover_server *server)
{
	if (server->host == NULL) {
		buf_add_str(out, "-");
		return;
	}
	buf_addf(out, "%s:%u %s", server->host, server->port,
	    server->tls == SERVER_TLS ? "tls" : "starttls");
	if (server->user != NULL)
		buf_addf(out, " user=%s", server->user);
	if (server->is_elsewhere)
		buf_add_str(out, " elsewhere");
	if (server->wants_oauth)
		buf_add_str(out, " oauth");
}

static void
add_result(struct buf *out, const struct discover_result *result)
{
	if (result->preset != NULL) {
		buf_addf(out, "preset %s by %s", result->preset->id,
		    discover_source_name(result->source));
		return;
	}
	add_server(out, &result->imap);
	buf_add_char(out, ' ');
	add_server(out, &result->smtp);
}

static void
expect(const struct world *world, const char *what, const char *want,
    const char *got)
{
	if (want == NULL || strcmp(want, got) == 0)
		return;
	print_error("%s: %s:\n%s\nnot:\n%s\n", world->name, what, got, want);
	fail();
}

static void
test_worlds(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(worlds) / sizeof(*worlds); i++) {
		struct error error = ERROR_INIT;
		struct discover *d =
		    discover_new(worlds[i].address, worlds[i].ask_list, &error);
		BUF_AUTO asked = BUF_INIT, result = BUF_INIT;
		unsigned steps = 0;

		if (d == NULL)
			print_error("%s: %s\n", worlds[i].name, error.text);
		assert_non_null(d);
		while (discover_step(d)->kind != DISCOVER_DONE &&
		       steps++ < STEPS_MAX)
			take_step(&worlds[i], d, &asked);
		assert_true(steps < STEPS_MAX);
		add_result(&result, discover_result(d));
		expect(&worlds[i], "asked", worlds[i].asked, buf_str(&asked));
		expect(&worlds[i], "found", worlds[i].result, buf_str(&result));
		discover_free(&d);
	}
}

/* Whatever a world asks, it is under the domain, and https. */
static void
test_addresses(void **state)
{
	static const char *const bad[] = {"", "ann", "@", "ann@",
	    "@example.org", "ann@exa mple.org", "ann@example.org/..",
	    "ann@example..org", "ann@-x.org", "ann@example.org\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct error error = ERROR_INIT;
		if (discover_new(bad[i], false, &error) != NULL ||
		    error.text[0] == '\0') {
			print_error("\"%s\" is taken\n", bad[i]);
			fail();
		}
	}
}

/* An answer to what was not asked changes nothing. */
static void
test_unasked(void **state)
{
	struct discover *d = discover_new("ann@example.org", false, NULL);
	struct discover_record record = {.host = "aspmx.l.google.com"};

	(void)state;
	discover_fetched(d, 200, SPAN_EMPTY, SPAN(BOTH));
	discover_knocked(d, NULL);
	discover_consented(d, true);
	assert_int_equal(discover_step(d)->kind, DISCOVER_MX);
	discover_records(d, &record, 1);
	assert_int_equal(discover_step(d)->kind, DISCOVER_DONE);
	discover_records(d, &record, 1);
	assert_int_equal(discover_step(d)->kind, DISCOVER_DONE);
	discover_unanswered(d, "too late");
	assert_int_equal(discover_step(d)->kind, DISCOVER_DONE);
	discover_free(&d);
}

/* What nobody answered is no answer, and is told as such. */
static void
test_unanswered(void **state)
{
	struct discover *d = discover_new("ann@example.org", false, NULL);

	(void)state;
	discover_unanswered(d, "no name server answered");
	assert_int_equal(discover_step(d)->kind, DISCOVER_FETCH);
	discover_unanswered(d, "not asked");
	assert_int_equal(discover_step(d)->kind, DISCOVER_FETCH);
	assert_int_equal(discover_result(d)->notes.len, 1);
	assert_string_equal(discover_result(d)->notes.items[0],
	    "example.org: no name server answered");
	discover_free(&d);
}

/* Nothing more is asked, wherever it is on its way; what was found counts. */
static void
test_stopped(void **state)
{
	struct discover *d;

	(void)state;
	for (size_t steps = 0; steps < 3; steps++) {
		d = discover_new("ann@example.org", false, NULL);
		for (size_t i = 0; i < steps; i++) {
			discover_unanswered(d, "none");
			discover_fetched(d, 404, SPAN_EMPTY, SPAN_EMPTY);
			discover_knocked(d, "none");
		}
		discover_stop(d, "no name server answers");
		assert_int_equal(discover_step(d)->kind, DISCOVER_DONE);
		assert_true(discover_result(d)->is_stopped);
		discover_stop(d, "twice");
		struct strv notes = discover_result(d)->notes;
		assert_string_equal(notes.items[notes.len - 1],
		    "example.org: no name server answers");
		discover_free(&d);
	}
	d = discover_new("ann@example.org", false, NULL);
	discover_records(d, NULL, 0);
	discover_fetched(d, 200, SPAN_EMPTY,
	    SPAN(PAGE_OF(IMAP_AT("mail.example.org", "993", "SSL", ""))));
	assert_int_equal(discover_step(d)->kind, DISCOVER_SRV);
	discover_stop(d, "too late");
	assert_string_equal(discover_result(d)->imap.host, "mail.example.org");
	discover_free(&d);
}

/* ---- XML ---- */

struct document {
	const char *name, *xml;
	const char *error; /* a part of it; NULL: taken */
	size_t servers;
};

#define BOMB                                                                   \
	"<!DOCTYPE c [<!ENTITY a \"aaaaaaaaaa\">"                              \
	"<!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">]>"

static const struct document documents[] = {
    {"usual", BOTH, NULL, 2},
    {"nothing in it", "<clientConfig/>", NULL, 0},
    {"empty", "", "no XML", 0},
    {"HTML", "<!DOCTYPE html><html><p>Not found", "document type", 0},
    {"HTML without a type", "<html><p>Not found", "no XML", 0},
    {"another document", "<rss/>", "no configuration", 0},
    {"cut",
	"<clientConfig><emailProvider><incomingServer type=\"imap\">"
	"<hostname>a.example",
	"no XML", 0},
    {"entity bomb",
	BOMB "<clientConfig><emailProvider>" IMAP_AT(
	    "&b;", "993", "SSL", "") "</emailProvider></clientConfig>",
	"document type", 0},
    {"external entity",
	"<!DOCTYPE c [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>"
	"<clientConfig/>",
	"document type", 0},
    {"external DTD",
	"<!DOCTYPE c SYSTEM \"https://evil.example/x.dtd\">"
	"<clientConfig/>",
	"document type", 0},
    {"undeclared entity", PAGE_OF(IMAP_AT("&b;", "993", "SSL", "")), "no XML",
	0},
    {"deep", "<clientConfig><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>",
	"deep", 0},
    {"not where it belongs",
	"<clientConfig><x>" IMAP_AT(
	    "a.example", "993", "SSL", "") "</x></clientConfig>",
	NULL, 0},
    {"POP3",
	PAGE_OF("<incomingServer type=\"pop3\"><hostname>a.example"
		"</hostname><port>995</port><socketType>SSL</socketType>"
		"</incomingServer>"),
	NULL, 0},
    {"ports",
	PAGE_OF(IMAP_AT("a.example", "0", "SSL", "") IMAP_AT("a.example",
	    "65536", "SSL", "") IMAP_AT("a.example", "99x", "SSL", "")
		IMAP_AT("a.example", "-1", "SSL", "")),
	NULL, 0},
    {"without a host", PAGE_OF(IMAP_AT("", "993", "SSL", "")), NULL, 0},
    {"without a port",
	PAGE_OF("<incomingServer type=\"imap\"><hostname>"
		"a.example</hostname><socketType>SSL"
		"</socketType></incomingServer>"),
	NULL, 0},
};

static void
test_documents(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(documents) / sizeof(*documents); i++) {
		const struct document *c = &documents[i];
		struct autoconfig autoconfig = {.count = 0};
		struct error error = ERROR_INIT;
		bool ok = autoconfig_parse(
		    span_from_str(c->xml), &autoconfig, &error);

		if (ok != (c->error == NULL) ||
		    (!ok && strstr(error.text, c->error) == NULL) ||
		    autoconfig.count != c->servers) {
			print_error("%s: %zu servers, \"%s\"\n", c->name,
			    autoconfig.count, error.text);
			fail();
		}
		autoconfig_done(&autoconfig);
	}
}

static void
test_bounds(void **state)
{
	struct autoconfig autoconfig = {.count = 0};
	struct error error = ERROR_INIT;
	BUF_AUTO big = BUF_INIT, many = BUF_INIT, wide = BUF_INIT;

	(void)state;
	buf_add_str(&big, "<clientConfig>");
	while (big.len <= AUTOCONFIG_SIZE_MAX)
		buf_add_char(&big, ' ');
	buf_add_str(&big, "</clientConfig>");
	assert_false(autoconfig_parse(buf_span(&big), &autoconfig, &error));
	assert_int_equal(error.fault, FAULT_LIMIT);

	buf_add_str(&many, "<clientConfig><emailProvider>");
	for (size_t i = 0; i < 2 * AUTOCONFIG_SERVERS_MAX; i++)
		buf_add_str(&many, IMAP_AT("a.example", "993", "SSL", ""));
	buf_add_str(&many, "</emailProvider></clientConfig>");
	assert_true(autoconfig_parse(buf_span(&many), &autoconfig, &error));
	assert_int_equal(autoconfig.count, AUTOCONFIG_SERVERS_MAX);
	autoconfig_done(&autoconfig);

	/* A host that is too long is none. */
	buf_add_str(&wide, "<clientConfig><emailProvider>"
			   "<incomingServer type=\"imap\"><hostname>");
	for (size_t i = 0; i <= AUTOCONFIG_TEXT_MAX; i++)
		buf_add_char(&wide, 'a');
	buf_add_str(&wide, "</hostname><port>993</port><socketType>SSL"
			   "</socketType></incomingServer></emailProvider>"
			   "</clientConfig>");
	assert_true(autoconfig_parse(buf_span(&wide), &autoconfig, &error));
	assert_int_equal(autoconfig.count, 0);
	autoconfig_done(&autoconfig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_worlds),
	    cmocka_unit_test(test_addresses),
	    cmocka_unit_test(test_unasked),
	    cmocka_unit_test(test_unanswered),
	    cmocka_unit_test(test_stopped),
	    cmocka_unit_test(test_documents),
	    cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
