/*
 * fuzz-words: the readers of short texts that have no target of their own:
 * IMAP dates, OAuth error challenges, answers to SASL challenges, argument
 * vectors, durations and sizes, what a password command printed, and folder
 * names on their way to the wire.
 *
 * What must hold: an argument vector never has more arguments than bytes; a
 * secret has no control characters; a folder's wire name can be written as an
 * argument, holds no byte that could end it, and is decoded again.
 */
#include <stdint.h>
#include <stdlib.h>

#include "daemon/account/folders.h"
#include "daemon/base/xalloc.h"
#include "daemon/config/secrets.h"
#include "daemon/wire/imap/utf7.h"
#include "daemon/wire/sasl/sasl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

static void
try_numbers(struct span text)
{
	uint64_t bytes;
	int64_t when;
	usec_t wait;

	if (usec_parse(text, &wait))
		require(wait <= 10000 * 7 * USEC_DAY);
	(void)size_parse(text, &bytes);
	(void)imap_date_parse(text, &when);
}

static void
try_sasl(struct span text)
{
	const struct sasl_params params = {
	    .user = SPAN("ann"), .secret = SPAN("secret"), .host = SPAN("h")};
	struct span status;

	if (sasl_oauth_error(text, &status))
		require(status.len <= text.len);
	for (enum sasl_mechanism m = SASL_PLAIN; m <= SASL_EXTERNAL; m++) {
		for (unsigned step = 0; step < 3; step++) {
			BUF_AUTO out = BUF_INIT;
			(void)sasl_step(m, &params, step, text, &out);
		}
	}
}

static void
try_argv(struct span text)
{
	STRV_AUTO argv = STRV_INIT;
	struct error error = ERROR_INIT;
	size_t offset = 0;

	if (argv_split(text, &argv, &offset, &error))
		require(argv.len <= text.len);
	else
		require(offset <= text.len && error.text[0] != '\0');
}

static void
try_secret(struct span text)
{
	struct secret secret = SECRET_INIT;
	struct error error = ERROR_INIT;

	if (!secret_from_output(
		"cmd", 0, false, text, SPAN_EMPTY, &secret, &error))
		return;
	require(secret.len > 0 && secret.len <= SECRET_MAX);
	for (size_t i = 0; i < secret.len; i++)
		require((unsigned char)secret.bytes[i] >= ' ' &&
			secret.bytes[i] != 127);
	secret_wipe(&secret);
}

static void
try_folder(struct span text)
{
	struct folders folders;
	struct error error = ERROR_INIT;
	BUF_AUTO wire = BUF_INIT, back = BUF_INIT;
	STR_AUTO name = xstrdup_span(text);

	folders_init(&folders);
	folders.delimiter = text.len % 2 == 0 ? '.' : '/';
	if (folders_wire_name(&folders, name, &wire, &error)) {
		require(wire.len > 0 &&
			span_find(buf_span(&wire), '\r') == SIZE_MAX &&
			span_find(buf_span(&wire), '\n') == SIZE_MAX);
		require(imap_utf7_decode(&back, buf_span(&wire)));
	}
	(void)folder_matches(name, "Lists/a");
	folders_done(&folders);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_from(data, size);

	try_numbers(text);
	try_sasl(text);
	try_argv(text);
	try_secret(text);
	try_folder(text);
	return 0;
}
