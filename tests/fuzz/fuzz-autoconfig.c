/*
 * fuzz-autoconfig: whatever a domain says of its mail servers, what is taken of
 * it is bounded, and only a server with TLS, by a name.
 */
#include <stdint.h>
#include <stdlib.h>

#include "daemon/config/syntax.h"
#include "daemon/setup/autoconfig.h"
#include "daemon/setup/discover.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

static void
check_server(const struct discover_server *server)
{
	const char *why;
	size_t offset;

	if (server->host == NULL)
		return;
	require(host_check(span_from_str(server->host), &why, &offset));
	require(!host_is_loopback(span_from_str(server->host)));
	require(server->port > 0 && server->port < 65536);
	require(server->tls != SERVER_PLAINTEXT);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct autoconfig autoconfig = {.count = 0};
	struct discover *d;

	if (autoconfig_parse(span_from(data, size), &autoconfig, NULL)) {
		require(autoconfig.count <= AUTOCONFIG_SERVERS_MAX);
		for (size_t i = 0; i < autoconfig.count; i++)
			require(strlen(autoconfig.servers[i].host) <=
				AUTOCONFIG_TEXT_MAX);
	}
	autoconfig_done(&autoconfig);
	d = discover_new("ann@example.org", false, NULL);
	discover_records(d, NULL, 0);
	discover_fetched(d, 200, SPAN_EMPTY, span_from(data, size));
	check_server(&discover_result(d)->imap);
	check_server(&discover_result(d)->smtp);
	discover_free(&d);
	/* The same bytes as a place to go to. */
	d = discover_new("ann@example.org", false, NULL);
	discover_records(d, NULL, 0);
	discover_fetched(d, 302, span_from(data, size), SPAN_EMPTY);
	discover_free(&d);
	return 0;
}
