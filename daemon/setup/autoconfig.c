/*
 *   clientConfig   = emailProvider*
 *   emailProvider  = ( incomingServer[type=imap] / outgoingServer[type=smtp] /
 *                      anything )*
 *   ...Server      = hostname port socketType authentication* username?
 *   socketType     = "SSL" / "STARTTLS" / "plain"
 *
 * (draft-ietf-mailmaint-autoconfig, section 3)
 */
#include "daemon/setup/autoconfig.h"

#include <expat.h>
#include <stdlib.h>

#include "daemon/base/buf.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"

/* Where a server stands: clientConfig, emailProvider, it, and its values. */
#define PROVIDER_DEPTH 2
#define SERVER_DEPTH 3
#define VALUE_DEPTH 4

/* The server that is being read. */
struct draft {
	struct buf host, port, socket, user;
	unsigned auth;
	bool is_smtp;
};

struct reader {
	XML_Parser parser;
	struct autoconfig *result;
	struct draft draft;
	struct buf text; /* of the value that is being read */
	unsigned depth;
	bool is_config, in_provider, in_server;
	const char *refusal; /* why it was stopped; a constant */
	enum fault fault;
};

/* ---- one server ---- */

static void
draft_done(struct draft *draft)
{
	buf_done(&draft->host);
	buf_done(&draft->port);
	buf_done(&draft->socket);
	buf_done(&draft->user);
	*draft = (struct draft){.auth = 0};
}

static void
take_server(struct reader *reader)
{
	struct draft *draft = &reader->draft;
	struct autoconfig *result = reader->result;
	struct span socket = buf_span(&draft->socket);
	uint32_t port;

	if (draft->host.len == 0 ||
	    !span_to_u32(buf_span(&draft->port), &port) || port == 0 ||
	    port > 65535 || result->count == AUTOCONFIG_SERVERS_MAX)
		return;
	bool is_tls = span_is_nocase(socket, "SSL");
	if (!is_tls && !span_is_nocase(socket, "STARTTLS")) {
		result->plain++;
		return;
	}
	result->servers[result->count++] = (struct autoconfig_server){
	    .is_smtp = draft->is_smtp,
	    .host = buf_take_str(&draft->host),
	    .port = port,
	    .tls = is_tls ? SERVER_TLS : SERVER_STARTTLS,
	    .user = draft->user.len > 0 ? buf_take_str(&draft->user) : NULL,
	    .auth = draft->auth != 0 ? draft->auth : PRESET_PASSWORD,
	};
}

static void
take_auth(struct draft *draft, struct span text)
{
	static const struct {
		const char *word;
		unsigned auth;
	} words[] = {
	    {"OAuth2", PRESET_OAUTH2},
	    {"password-cleartext", PRESET_PASSWORD},
	    {"password-encrypted", PRESET_PASSWORD},
	    {"plain", PRESET_PASSWORD},
	    {"secure", PRESET_PASSWORD},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (span_is_nocase(text, words[i].word))
			draft->auth |= words[i].auth;
}

/* The first of each counts. */
static void
take_value(struct reader *reader, struct span name)
{
	struct draft *draft = &reader->draft;
	struct {
		const char *name;
		struct buf *value;
	} values[] = {
	    {"hostname", &draft->host},
	    {"port", &draft->port},
	    {"socketType", &draft->socket},
	    {"username", &draft->user},
	};
	struct span text = span_trim(buf_span(&reader->text));

	if (reader->text.len > AUTOCONFIG_TEXT_MAX)
		return;
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
		if (span_is(name, values[i].name) && values[i].value->len == 0)
			buf_add_span(values[i].value, text);
	if (span_is(name, "authentication"))
		take_auth(draft, text);
}

/* ---- expat's calls ---- */

static void
stop(struct reader *reader, enum fault fault, const char *refusal)
{
	if (reader->refusal != NULL)
		return;
	reader->refusal = refusal;
	reader->fault = fault;
	XML_StopParser(reader->parser, XML_FALSE);
}

static bool
has_type(const XML_Char **attributes, const char *type)
{
	for (size_t i = 0; attributes[i] != NULL; i += 2)
		if (strcmp(attributes[i], "type") == 0)
			return span_is_nocase(
			    span_from_str(attributes[i + 1]), type);
	return false;
}

static void XMLCALL
on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
	struct reader *reader = ctx;

	if (++reader->depth > AUTOCONFIG_DEPTH_MAX)
		stop(reader, FAULT_LIMIT, "its elements are nested too deeply");
	if (reader->depth == 1)
		reader->is_config = strcmp(name, "clientConfig") == 0;
	else if (reader->depth == PROVIDER_DEPTH)
		reader->in_provider =
		    reader->is_config && strcmp(name, "emailProvider") == 0;
	else if (reader->depth == SERVER_DEPTH && reader->in_provider) {
		bool is_smtp = strcmp(name, "outgoingServer") == 0;
		reader->in_server = is_smtp
					? has_type(attributes, "smtp")
					: strcmp(name, "incomingServer") == 0 &&
					      has_type(attributes, "imap");
		draft_done(&reader->draft);
		reader->draft.is_smtp = is_smtp;
	}
	buf_truncate(&reader->text, 0);
}

static void XMLCALL
on_end(void *ctx, const XML_Char *name)
{
	struct reader *reader = ctx;

	if (reader->depth == VALUE_DEPTH && reader->in_server)
		take_value(reader, span_from_str(name));
	if (reader->depth == SERVER_DEPTH && reader->in_server) {
		take_server(reader);
		reader->in_server = false;
	}
	if (reader->depth == PROVIDER_DEPTH)
		reader->in_provider = false;
	reader->depth--;
}

static void XMLCALL
on_text(void *ctx, const XML_Char *text, int len)
{
	struct reader *reader = ctx;

	if (reader->in_server && reader->text.len <= AUTOCONFIG_TEXT_MAX)
		buf_add(&reader->text, text, (size_t)len);
}

/* Where entities would be declared. */
static void XMLCALL
on_doctype(void *ctx, const XML_Char *name, const XML_Char *system,
    const XML_Char *public, int has_subset)
{
	(void)name;
	(void)system;
	(void)public;
	(void)has_subset;
	stop(ctx, FAULT_PEER,
	    "it has a document type, which could hide entities");
}

/* ---- the document ---- */

static bool
fail(struct reader *reader, struct error *error_r)
{
	if (reader->refusal != NULL)
		return error_set(error_r, reader->fault, "%s", reader->refusal);
	return error_set(error_r, FAULT_PEER, "it is no XML (%s)",
	    XML_ErrorString(XML_GetErrorCode(reader->parser)));
}

static bool
run(struct reader *reader, struct span xml, struct error *error_r)
{
	XML_SetUserData(reader->parser, reader);
	XML_SetElementHandler(reader->parser, on_start, on_end);
	XML_SetCharacterDataHandler(reader->parser, on_text);
	XML_SetStartDoctypeDeclHandler(reader->parser, on_doctype);
	if (XML_Parse(reader->parser, xml.len > 0 ? xml.data : "", (int)xml.len,
		1) != XML_STATUS_OK)
		return fail(reader, error_r);
	if (!reader->is_config)
		return error_set(error_r, FAULT_PEER,
		    "it is XML, but no configuration of mail servers");
	return true;
}

bool
autoconfig_parse(
    struct span xml, struct autoconfig *autoconfig_r, struct error *error_r)
{
	struct autoconfig result = {.count = 0};
	struct reader reader = {.result = &result};

	if (xml.len > AUTOCONFIG_SIZE_MAX)
		return error_set(
		    error_r, FAULT_LIMIT, "it has more than 64 KB");
	reader.parser = XML_ParserCreate(NULL);
	if (reader.parser == NULL)
		return error_set(error_r, FAULT_LOCAL, "expat did not start");
	bool ok = run(&reader, xml, error_r);
	XML_ParserFree(reader.parser);
	draft_done(&reader.draft);
	buf_done(&reader.text);
	if (ok)
		*autoconfig_r = result;
	else
		autoconfig_done(&result);
	return ok;
}

void
autoconfig_done(struct autoconfig *autoconfig)
{
	for (size_t i = 0; i < autoconfig->count; i++) {
		free(autoconfig->servers[i].host);
		free(autoconfig->servers[i].user);
	}
	*autoconfig = (struct autoconfig){.count = 0};
}
