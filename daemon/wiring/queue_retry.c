/*
 * belfryctl queue retry, where the submission server refused the password: it
 * is read again first, and said to the server only if it is another one.
 */
#include "daemon/base/xalloc.h"
#include "daemon/control/json.h"
#include "daemon/wiring/belfry.h"

/* One request, until the passwords of all its accounts were read. */
struct retry {
	struct belfry *belfry;
	struct client *client; /* NULL: it has gone */
	struct json *request;  /* owned */
	unsigned pending;
	bool is_gone;	      /* an account went meanwhile */
	bool is_asked;	      /* somebody else has one read just now */
	struct json *refused; /* accounts, and why; owned */
};

/* ---- words ---- */

/* Where the secret comes from, as a thing that can be changed. */
static void
add_place(struct buf *out, const struct config_account *account)
{
	switch (account->secret.kind) {
	case SECRET_COMMAND:
		buf_addf(out, "change what `%s` prints",
		    account->auth == CONFIG_AUTH_OAUTH2 ? "token_command"
							: "password_command");
		break;
	case SECRET_KEYRING:
		buf_addf(out, "change it in the keyring (belfryctl setup %s)",
		    account->email);
		break;
	case SECRET_CREDENTIAL:
		buf_addf(out, "change the credential %s of the service",
		    account->secret.credential);
		break;
	case SECRET_LITERAL:
	case SECRET_NONE:
		buf_add_str(out, "change `password` in the configuration");
		break;
	case SECRET_SIGN_IN:
		buf_add_str(out, "sign in again");
		break;
	}
}

void
queue_add_cure(struct buf *out, const struct config_account *account)
{
	add_place(out, account);
	switch (account->secret.kind) {
	case SECRET_COMMAND:
	case SECRET_KEYRING:
		buf_add_str(out, ", then: belfryctl queue retry all");
		break;
	case SECRET_CREDENTIAL:
		buf_add_str(out, ", then start it anew");
		break;
	case SECRET_LITERAL:
	case SECRET_NONE:
		buf_add_str(out, ", then: belfryctl reload");
		break;
	case SECRET_SIGN_IN:
		buf_addf(out, ": belfryctl login %s", account->name);
		break;
	}
}

static const char *
thing_of(const struct config_account *account)
{
	return account->auth == CONFIG_AUTH_OAUTH2 ? "token" : "password";
}

static void
add_refused(struct retry *retry, const struct config_account *account,
    const struct buf *words, const struct buf *hint)
{
	struct json *json = json_new_object();

	json_set_str(json, "account", account->name);
	json_set_str(json, "words", buf_str(words));
	json_set_str(json, "hint", buf_str(hint));
	json_add(retry->refused, json);
}

static void
note_verdict(struct retry *retry, const struct running_account *account,
    enum sender_secret what, const struct error *error)
{
	const struct config_account *config = account->config;
	BUF_AUTO words = BUF_INIT;
	BUF_AUTO hint = BUF_INIT;

	switch (what) {
	case SENDER_SECRET_OTHER:
		return;
	case SENDER_SECRET_GONE:
		retry->is_gone = true;
		return;
	case SENDER_SECRET_FAILED:
		buf_addf(&words, "the %s of %s cannot be read: %s",
		    thing_of(config), config->name, error->text);
		buf_addf(&hint, "belfryctl doctor %s", config->name);
		break;
	case SENDER_SECRET_REFUSED:
		buf_addf(&words,
		    "%s refused the %s of %s, and it is still the same (%s)",
		    config->smtp.host, thing_of(config), config->name,
		    outbox_trouble(sender_outbox(account->sender)));
		queue_add_cure(&hint, config);
		buf_add_str(&hint, "; --anyway lets it be refused once more");
		break;
	}
	add_refused(retry, config, &words, &hint);
}

/* ---- its life ---- */

/* Of forwards that were named none is tried where one cannot be. */
static void
answer(struct retry *retry)
{
	const struct json *first = json_at(retry->refused, 0);

	if (retry->is_gone) {
		control_refuse(retry->client, "ask again",
		    "the configuration was read anew meanwhile");
	} else if (retry->is_asked) {
		control_refuse(retry->client, "ask again in a while",
		    "another `queue retry` reads the password just now");
	} else if (first != NULL && json_get(retry->request, "ids") != NULL) {
		control_refuse(retry->client, json_get_str(first, "hint"), "%s",
		    json_get_str(first, "words"));
	} else {
		queue_do(retry->belfry, retry->client, retry->request,
		    retry->refused);
	}
}

static void
finish(struct retry *retry)
{
	if (retry->client != NULL) {
		control_on_leave(retry->client, NULL, NULL);
		answer(retry);
	}
	json_free(&retry->request);
	json_free(&retry->refused);
	free(retry);
}

static void
on_left(void *ctx)
{
	struct retry *retry = ctx;

	retry->client = NULL;
}

static void
on_looked(void *ctx, struct running_account *account, enum sender_secret what,
    const struct error *error)
{
	struct retry *retry = ctx;

	note_verdict(retry, account, what, error);
	if (--retry->pending == 0)
		finish(retry);
}

/* ---- whom it concerns ---- */

static bool
wants_id(const struct json *ids, int64_t id)
{
	uint32_t wanted;

	for (size_t i = 0; i < json_count(ids); i++)
		if (span_to_u32(
			span_from_str(json_str(json_at(ids, i))), &wanted) &&
		    wanted == id)
			return true;
	return ids == NULL;
}

struct search {
	const struct json *ids;
	bool found;
};

static bool
look_for_retried(void *ctx, const struct store_queue_item *item)
{
	struct search *search = ctx;

	search->found =
	    (item->state == QUEUE_WAITING || item->state == QUEUE_FAILED) &&
	    wants_id(search->ids, item->id);
	return !search->found;
}

/* Its forwards wait for another password, and one of them is to be tried. */
static bool
is_concerned(const struct running_account *account, const struct json *request)
{
	struct search search = {.ids = json_get(request, "ids")};
	const char *name = json_get_str(request, "account");

	if (account->sender == NULL ||
	    !outbox_wants_secret(sender_outbox(account->sender)) ||
	    (name != NULL && strcmp(name, account->config->name) != 0))
		return false;
	store_each_queued(account->belfry->store, account->config->name,
	    look_for_retried, &search, NULL);
	return search.found;
}

static struct retry *
retry_new(
    struct belfry *belfry, struct client *client, const struct json *request)
{
	struct retry *retry = NEW(struct retry);

	retry->belfry = belfry;
	retry->client = client;
	retry->request = json_copy_of(request);
	retry->refused = json_new_array();
	retry->pending = 1; /* until all were asked */
	return retry;
}

void
queue_retry(
    struct belfry *belfry, struct client *client, const struct json *request)
{
	struct retry *retry = retry_new(belfry, client, request);

	control_on_leave(client, on_left, retry);
	LIST_EACH(pos, &belfry->accounts)
	{
		struct running_account *account =
		    LIST_ITEM(pos, struct running_account, link);
		if (json_get_bool(request, "anyway") ||
		    !is_concerned(account, request))
			continue;
		if (sender_look_at_secret(account->sender, on_looked, retry))
			retry->pending++;
		else
			retry->is_asked = true;
	}
	if (--retry->pending == 0)
		finish(retry);
}
