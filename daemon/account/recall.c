#include "daemon/account/recall.h"

#include "daemon/account/recent.h"
#include "daemon/base/buf.h"
#include "daemon/base/xalloc.h"
#include "daemon/mail/code.h"

struct recall {
	struct recent *known;
	const char *mailbox;		 /* while it is loaded */
	int64_t contact_unix;		 /* 0: not known */
	int64_t first_unix, newest_unix; /* judged here; 0: nothing was */
	int64_t kept_unix;		 /* what is older may be forgotten */
};

struct recall *
recall_new(void)
{
	struct recall *recall = NEW(struct recall);

	recall->known = recent_new();
	return recall;
}

void
recall_free(struct recall **recall)
{
	if (*recall == NULL)
		return;
	recent_free(&(*recall)->known);
	free(*recall);
	*recall = NULL;
}

/* ---- names ---- */

enum {
	BY_SIZE = 1,
	BY_TIME = 2
};

/* NUL is in no field. Of the subjects in the store those from before codes were
 * hidden (mailbox_code.c) have them still. */
static void
name_of(struct buf *name, const struct store_message *message, int by)
{
	buf_clear(name);
	buf_addf(name, "%d%s%c%s%c", by, message->message_id, '\0',
	    message->from, '\0');
	code_mask(span_from_str(message->subject), name);
	buf_add_char(name, '\0');
	if (by & BY_SIZE)
		buf_addf(name, "%llu", (unsigned long long)message->size);
	if (by & BY_TIME)
		buf_addf(name, "@%lld", (long long)message->received_unix);
}

/* Each of these names it; 0 behind the last. */
static void
list_ways(const struct store_message *message, int ways_r[3])
{
	int count = 0;

	if (message->message_id[0] == '\0')
		ways_r[count++] = BY_SIZE | BY_TIME;
	else
		ways_r[count++] = BY_SIZE;
	if (message->message_id[0] != '\0' && message->received_unix != 0)
		ways_r[count++] = BY_TIME;
	ways_r[count] = 0;
}

bool
recall_has(const struct recall *recall, const struct store_message *message)
{
	BUF_AUTO name = BUF_INIT;
	int ways[3];

	list_ways(message, ways);
	for (int i = 0; ways[i] != 0; i++) {
		name_of(&name, message, ways[i]);
		if (recent_has(recall->known, buf_span(&name)))
			return true;
	}
	return false;
}

/* By the server's clock where it is behind ours, and not in the future. */
static int64_t
arrival_of(const struct store_message *message)
{
	return message->received_unix != 0 &&
		       message->received_unix < message->judged_unix
		   ? message->received_unix
		   : message->judged_unix;
}

void
recall_note(
    struct recall *recall, const struct store_message *message, bool is_here)
{
	int64_t arrived = arrival_of(message);
	BUF_AUTO name = BUF_INIT;
	int ways[3];

	list_ways(message, ways);
	for (int i = 0; ways[i] != 0; i++) {
		name_of(&name, message, ways[i]);
		recent_add(
		    recall->known, buf_span(&name), message->judged_unix);
	}
	if (!is_here)
		return;
	if (recall->first_unix == 0 || arrived < recall->first_unix)
		recall->first_unix = arrived;
	if (arrived > recall->newest_unix)
		recall->newest_unix = arrived;
}

int64_t
recall_since(const struct recall *recall)
{
	int64_t since = recall->contact_unix != 0 ? recall->contact_unix
						  : recall->first_unix;

	if (since == 0)
		return RECALL_NEVER;
	if (recall->newest_unix - RECALL_MARGIN_SEC > since)
		since = recall->newest_unix - RECALL_MARGIN_SEC;
	return since > recall->kept_unix ? since : recall->kept_unix;
}

/* ---- the store ---- */

static bool
note_message(void *ctx, const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	struct recall *recall = ctx;

	(void)effects;
	(void)count;
	recall_note(recall, message,
	    strcmp(message->key.mailbox, recall->mailbox) == 0);
	return true;
}

static void
read_contact(struct recall *recall, struct store *store, const char *account)
{
	STR_AUTO name = xasprintf(RECALL_CONTACT_FACT " %s", recall->mailbox);
	STR_AUTO value = NULL;
	uint64_t seconds;

	if (store_get_fact(store, account, name, &value, NULL) &&
	    value != NULL && span_to_u64(span_from_str(value), &seconds) &&
	    seconds < INT64_MAX)
		recall->contact_unix = (int64_t)seconds;
}

struct recall *
recall_load(struct store *store, const char *account, const char *mailbox,
    int64_t now_unix, int64_t keep_sec, struct error *error_r)
{
	struct recall *recall = recall_new();

	if (keep_sec > RECALL_KEEP_SEC)
		keep_sec = RECALL_KEEP_SEC;
	recall->kept_unix = now_unix - keep_sec;
	recall->mailbox = mailbox;
	const struct store_history_query query = {
	    .account = account,
	    .since_unix = recall->kept_unix,
	    .limit = RECALL_MAX,
	};
	if (!store_each_history(store, &query, note_message, recall, error_r))
		recall_free(&recall);
	else
		read_contact(recall, store, account);
	return recall;
}
