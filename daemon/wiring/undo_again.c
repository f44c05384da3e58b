/*
 * What undo looks for on a server that does not say where it put a message
 * outlives the daemon: the requests for which something is looked for are a
 * fact of the account, and another life of the daemon looks for what is still
 * missing. All else of an undo is in the journal as effects.
 */
#include "daemon/base/xalloc.h"
#include "daemon/control/json.h"
#include "daemon/store/store.h"
#include "daemon/wiring/undos.h"

/* {"requests": [...]}, as belfryctl sent them, and `until`: what was judged
 * later was not meant. "": none. */
#define FACT "undoing"
/* The oldest is forgotten first. */
#define REQUESTS_MAX 8

_Static_assert(REQUESTS_MAX *UNDO_REQUEST_MAX < STORE_TEXT_MAX, "it fits");

static struct json *
read_requests(const struct running_account *account)
{
	STR_AUTO text = NULL;
	struct json *read = NULL;

	store_get_fact(
	    account->belfry->store, account->config->name, FACT, &text, NULL);
	if (text != NULL && text[0] != '\0')
		read = json_parse(span_from_str(text), NULL);
	return read;
}

static bool
write_fact(const struct running_account *account, const char *text,
    struct error *error_r)
{
	struct store_batch *batch = store_batch_new();
	bool ok;

	store_batch_set_fact(batch, account->config->name, FACT, text);
	ok = journal_commit_now(account->belfry->journal, batch, error_r);
	store_batch_free(&batch);
	return ok;
}

static struct json *
short_request(const struct json *request)
{
	struct json *json = json_new_object();

	json_set_str(json, "mailbox", json_get_str(request, "mailbox"));
	json_set_str(json, "rule", json_get_str(request, "rule"));
	json_set_int(json, "uid", json_get_int(request, "uid", 0));
	json_set_int(json, "since", json_get_int(request, "since", 0));
	json_set_int(
	    json, "until", json_get_int(request, "until", loop_now_unix() + 1));
	return json;
}

static bool
is_short(struct json *json)
{
	BUF_AUTO text = BUF_INIT;

	json_print(json, &text, false);
	return text.len <= UNDO_REQUEST_MAX;
}

/* The same request twice does no harm: nothing is taken back twice. */
bool
undo_remember(struct running_account *account, const struct json *request,
    struct error *error_r)
{
	struct json *kept = read_requests(account), *all = json_new_object();
	struct json *requests = json_new_array(), *own = short_request(request);
	const struct json *old =
	    kept != NULL ? json_get(kept, "requests") : NULL;
	size_t count = json_count(old);
	BUF_AUTO text = BUF_INIT;
	bool ok = is_short(own);

	for (size_t i = count >= REQUESTS_MAX ? count - REQUESTS_MAX + 1 : 0;
	     i < count; i++)
		json_add(requests, json_copy_of(json_at(old, i)));
	json_add(requests, own);
	json_set(all, "requests", requests);
	json_print(all, &text, false);
	if (ok)
		ok = write_fact(account, buf_str(&text), error_r);
	else
		error_set(error_r, FAULT_LIMIT,
		    "the names of the mailbox and the rule are too long");
	json_free(&all);
	json_free(&kept);
	account->undoing = account->undoing || ok;
	return ok;
}

void
undo_searched(struct running_account *account)
{
	if (!account->undoing || account->belfry->leaving ||
	    search_is_open(account))
		return;
	account->undoing = false;
	write_fact(account, "", NULL);
}

void
undo_resume(struct running_account *account)
{
	struct json *kept;
	const struct json *requests;

	if (account->is_undo_resumed || account->belfry->dry_run)
		return;
	account->is_undo_resumed = true;
	kept = read_requests(account);
	requests = kept != NULL ? json_get(kept, "requests") : NULL;
	if (json_count(requests) > 0)
		account->undoing = true;
	for (size_t i = 0; i < json_count(requests); i++)
		undo_search_again(account, json_at(requests, i));
	if (account->undoing)
		report_note(account->belfry, false, "undo",
		    account->config->name,
		    "what was looked for when the daemon ended is looked for "
		    "again");
	json_free(&kept);
	undo_searched(account);
}
