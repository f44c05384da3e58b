/*
 * setup/autoconfig: what a domain says of its mail servers, in XML: the door
 * to expat.
 *
 * The format is Mozilla's, as most domains that say anything have it
 * (draft-ietf-mailmaint-autoconfig): clientConfig / emailProvider, in it
 * incomingServer and outgoingServer with hostname, port, socketType,
 * username and authentication. Everything else is passed over.
 *
 * A document with a document type is refused, so there are no entities to
 * expand and nothing to fetch; so is one that is too deep. Servers that would
 * be talked to in clear are left out, and counted.
 */
#ifndef BELFRY_SETUP_AUTOCONFIG_H
#define BELFRY_SETUP_AUTOCONFIG_H

#include "daemon/base/error.h"
#include "daemon/base/span.h"
#include "daemon/config/presets.h"

#define AUTOCONFIG_SIZE_MAX (64 * 1024)
#define AUTOCONFIG_DEPTH_MAX 16
#define AUTOCONFIG_TEXT_MAX 255 /* bytes of one value; more: left out */
#define AUTOCONFIG_SERVERS_MAX 20

struct autoconfig_server {
	bool is_smtp;
	char *host; /* as written: may have placeholders; owned */
	unsigned port;
	enum server_tls tls; /* never SERVER_PLAINTEXT */
	char *user;	     /* as written; NULL: not said; owned */
	unsigned auth;	     /* PRESET_PASSWORD, PRESET_OAUTH2 */
};

struct autoconfig {
	struct autoconfig_server servers[AUTOCONFIG_SERVERS_MAX];
	size_t count;
	size_t plain; /* servers left out because they are without TLS */
};

/* The document's IMAP and SMTP servers in its order. False, with FAULT_PEER
 * or FAULT_LIMIT: it is none. Free with autoconfig_done. */
bool autoconfig_parse(
    struct span xml, struct autoconfig *autoconfig_r, struct error *error_r);
void autoconfig_done(struct autoconfig *autoconfig);

#endif
