/* belfryctl mailboxes: the folders of accounts, as they were listed last. */
#include "daemon/account/folders.h"
#include "daemon/base/xalloc.h"
#include "daemon/control/session.h"
#include "daemon/wiring/belfry.h"

#include <stdlib.h>

/* As rules name them; what each of them stands for, on the wire. */
static const struct use {
	enum folder_use use;
	const char *name;
} uses[] = {
    {FOLDER_ARCHIVE, "\\Archive"},
    {FOLDER_JUNK, "\\Junk"},
    {FOLDER_TRASH, "\\Trash"},
    {FOLDER_SENT, "\\Sent"},
};
#define USES (sizeof(uses) / sizeof(uses[0]))

struct listing {
	struct running_account *account;
	const struct folders *folders;
	struct buf wire[USES]; /* empty: the account has none */
};

static bool
is_inbox(const struct folder *folder)
{
	return span_is_nocase(span_from_str(folder->display), "INBOX");
}

/* INBOX first, the others by name. */
static int
compare(const void *a, const void *b)
{
	const struct folder *const *one = a, *const *other = b;

	if (is_inbox(*one) != is_inbox(*other))
		return is_inbox(*one) ? -1 : 1;
	return strcmp((*one)->display, (*other)->display);
}

static const char *
use_of(const struct listing *listing, const struct folder *folder)
{
	for (size_t i = 0; i < USES; i++)
		if (listing->wire[i].len > 0 &&
		    span_is(buf_span(&listing->wire[i]), folder->wire))
			return uses[i].name;
	return NULL;
}

static struct json *
describe(const struct listing *listing, const struct folder *folder)
{
	struct json *json = json_new_object();
	struct mailbox *mailbox =
	    account_find_wire(listing->account->account, folder->wire);
	struct mailbox_status status;

	json_set_str(json, "mailbox", folder->display);
	json_set_str(json, "use", use_of(listing, folder));
	json_set_bool(json, "holds_messages", folder->selectable);
	if (mailbox != NULL)
		mailbox_get_status(mailbox, &status);
	json_set_str(json, "watched",
	    mailbox != NULL ? mailbox_watch_name(status.watch) : NULL);
	if (mailbox != NULL && status.every != 0)
		json_set_int(
		    json, "asked_every_s", (int64_t)(status.every / USEC_SEC));
	return json;
}

static struct json *
describe_all(const struct listing *listing)
{
	const struct folders *folders = listing->folders;
	const struct folder **sorted =
	    xreallocarray(NULL, folders->count + 1, sizeof(*sorted));
	struct json *list = json_new_array();

	for (size_t i = 0; i < folders->count; i++)
		sorted[i] = &folders->items[i];
	qsort(sorted, folders->count, sizeof(*sorted), compare);
	for (size_t i = 0; i < folders->count; i++)
		json_add(list, describe(listing, sorted[i]));
	free(sorted);
	return list;
}

static struct json *
of_account(struct running_account *account)
{
	struct json *json = json_new_object();
	struct listing listing = {
	    .account = account, .folders = account_folders(account->account)};

	json_set_str(json, "account", account->config->name);
	json_set_bool(json, "listed", listing.folders != NULL);
	if (listing.folders == NULL) {
		json_set(json, "mailboxes", json_new_array());
		return json;
	}
	for (size_t i = 0; i < USES; i++) {
		struct error error = ERROR_INIT;
		buf_init(&listing.wire[i]);
		folders_wire_name(
		    listing.folders, uses[i].name, &listing.wire[i], &error);
	}
	json_set(json, "mailboxes", describe_all(&listing));
	for (size_t i = 0; i < USES; i++)
		buf_done(&listing.wire[i]);
	return json;
}

void
mailboxes_ask(
    struct belfry *belfry, struct client *client, const struct json *request)
{
	const char *name = json_get_str(request, "account");
	struct json *answer, *accounts = json_new_array();

	LIST_EACH(pos, &belfry->accounts)
	{
		struct running_account *account =
		    LIST_ITEM(pos, struct running_account, link);
		if (name == NULL || strcmp(account->config->name, name) == 0)
			json_add(accounts, of_account(account));
	}
	if (name != NULL && json_count(accounts) == 0) {
		json_free(&accounts);
		control_refuse(client, "belfryctl status lists them",
		    "no account %s runs", name);
		return;
	}
	answer = json_new_object();
	json_set(answer, "accounts", accounts);
	control_reply(client, answer);
}
