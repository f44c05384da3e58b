/*
 * setup/discover: from a mail address to its servers, as an engine without
 * any I/O.
 *
 * It says what is to be asked next, is told the answer, and so on until
 * DISCOVER_DONE:
 *
 *   while ((step = discover_step(d))->kind != DISCOVER_DONE)
 *           ask what step says, then call the function of its kind
 *
 * In this order, until both servers are known:
 *
 *   1. the table of providers, by domain: asks nobody
 *   2. the table of providers, by the domain's MX
 *   3. https://autoconfig.DOMAIN/ and https://DOMAIN/.well-known/autoconfig/
 *   4. Thunderbird's list of providers, only where asked for: it is told the
 *      domain, not the address
 *   5. SRV (RFC 6186, RFC 8314), then guesses: imap.DOMAIN, mail.DOMAIN and
 *      so on; for IMAP, and when that is found, for SMTP
 *
 * Nobody but the address's own domain is asked, and hosts below it: never its
 * parents. There is no step without TLS, and none with a credential. A
 * redirect is followed to https on the same site; to another only when the
 * person says so. A host of SRV or of a guess counts when a server of the
 * right kind answers there with a certificate for its name (DISCOVER_KNOCK).
 * Whether the person trusts a host elsewhere is the person's to say: see
 * `is_elsewhere`.
 */
#ifndef BELFRY_SETUP_DISCOVER_H
#define BELFRY_SETUP_DISCOVER_H

#include "daemon/base/error.h"
#include "daemon/base/strv.h"
#include "daemon/config/presets.h"

#define DISCOVER_RECORDS_MAX 20	 /* more are not looked at */
#define DISCOVER_REDIRECTS_MAX 3 /* of one question */
#define DISCOVER_URL_MAX 1024	 /* bytes; longer ones are not followed */
#define DISCOVER_NOTES_MAX 60

enum discover_kind {
	DISCOVER_MX,	  /* ask for MX of `name`: discover_records */
	DISCOVER_SRV,	  /* the same for SRV */
	DISCOVER_FETCH,	  /* GET of the URL `name`: discover_fetched */
	DISCOVER_CONSENT, /* may `name`, a URL at `host`, be asked? */
	DISCOVER_KNOCK,	  /* is there such a server? discover_knocked */
	DISCOVER_DONE,
};

struct discover_step {
	enum discover_kind kind;
	const char *name; /* borrowed until the answer */
	const char *host; /* CONSENT, KNOCK */
	unsigned port;	  /* KNOCK */
	enum server_tls tls;
	bool is_smtp;
};

/* One MX (priority and host) or SRV record. */
struct discover_record {
	unsigned priority, weight, port;
	const char *host; /* "." or "": the service is not offered */
};

enum discover_source {
	DISCOVERED_NOTHING,
	DISCOVERED_DOMAIN, /* in the table */
	DISCOVERED_MX,	   /* in the table, by its MX */
	DISCOVERED_AUTOCONFIG,
	DISCOVERED_LIST, /* Thunderbird's */
	DISCOVERED_SRV,
	DISCOVERED_GUESS,
};

struct discover_server {
	char *host; /* owned; NULL: none found */
	unsigned port;
	enum server_tls tls;
	char *user; /* owned; NULL: not said, so the address */
	enum discover_source source;
	bool is_elsewhere; /* not the address's domain nor below it */
	bool wants_oauth;  /* takes tokens only */
};

struct discover_result {
	const char *domain;	     /* in ASCII; borrowed from the engine */
	const struct preset *preset; /* NULL: none; else the servers are its,
					and those below are not set */
	enum discover_source source; /* of the preset */
	struct discover_server imap, smtp;
	struct strv notes; /* what was asked, and what came of it */
	bool is_stopped;   /* not all was asked: the last note says why */
};

struct discover;

/* False, with the words: the address cannot be asked about. */
struct discover *discover_new(
    const char *address, bool ask_list, struct error *error_r);
void discover_free(struct discover **discover);

const struct discover_step *discover_step(const struct discover *discover);
/* None: count 0. Borrowed for the call. */
void discover_records(struct discover *discover,
    const struct discover_record *records, size_t count);
/* Nobody knows whether there are any, and why. */
void discover_unanswered(struct discover *discover, const char *why);
/* `status` 0: there was no answer, `body` says why for the notes. `location`
 * is a whole URL. */
void discover_fetched(struct discover *discover, unsigned status,
    struct span location, struct span body);
void discover_consented(struct discover *discover, bool yes);
/* `why` not, for the notes; NULL: it is there. */
void discover_knocked(struct discover *discover, const char *why);
/* Instead of an answer: nothing more can be asked, and why. What was found
 * until then counts. */
void discover_stop(struct discover *discover, const char *why);

/* At DISCOVER_DONE; borrowed. */
const struct discover_result *discover_result(const struct discover *discover);
/* "its MX", "autoconfig": for a person; a constant. */
const char *discover_source_name(enum discover_source source);

#endif
