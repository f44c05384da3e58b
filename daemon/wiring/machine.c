/*
 * What this machine is called among those that watch the same account: made
 * once, at random, and kept in the store. A state directory that was copied to
 * another machine is noticed by /etc/machine-id, and gets a new name there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "daemon/base/digest.h"
#include "daemon/base/xalloc.h"
#include "daemon/wiring/belfry.h"

#define FACT "machine"
#define RANDOM_BYTES 8
#define HOST_DIGITS 6 /* of a digest of the machine's id, which is secret */

/* Empty where there is none, as in many containers. */
static void
read_host(struct buf *host)
{
	char line[100] = "";
	FILE *file = fopen("/etc/machine-id", "re");
	BUF_AUTO digest = BUF_INIT;

	if (file == NULL)
		return;
	if (fgets(line, sizeof(line), file) == NULL)
		line[0] = '\0';
	fclose(file);
	const struct span pieces[] = {SPAN("belfry"), span_from_str(line)};
	digest_key(&digest, pieces, 2);
	buf_addf(host, "%.*s", HOST_DIGITS, buf_str(&digest));
}

static void
make(struct buf *name, const struct buf *host)
{
	unsigned char bytes[RANDOM_BYTES];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		abort(); /* so few bytes are never refused */
	for (size_t i = 0; i < sizeof(bytes); i++)
		buf_addf(name, "%02x", bytes[i]);
	buf_addf(name, "-%s", buf_str(host));
}

/* Made on this machine? */
static bool
is_of(const char *name, const struct buf *host)
{
	return strlen(name) >= 2 * RANDOM_BYTES + 1 &&
	       strcmp(name + 2 * RANDOM_BYTES + 1, buf_str(host)) == 0;
}

void
machine_name(struct belfry *belfry, const char *account, struct buf *name)
{
	STR_AUTO known = NULL;
	BUF_AUTO host = BUF_INIT;
	struct error error = ERROR_INIT;

	read_host(&host);
	store_get_fact(belfry->store, account, FACT, &known, NULL);
	if (known != NULL && strlen(known) <= CLAIMS_NODE_MAX &&
	    is_of(known, &host)) {
		buf_add_str(name, known);
		return;
	}
	make(name, &host);
	struct store_batch *batch = store_batch_new();
	store_batch_set_fact(batch, account, FACT, buf_str(name));
	if (!journal_commit_now(belfry->journal, batch, &error))
		report_note(belfry, true, "trouble", account,
		    "this machine's name cannot be written, so it gets another "
		    "one at the next start; look after that disk: %s",
		    error.text);
	store_batch_free(&batch);
}
