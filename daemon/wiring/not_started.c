/*
 * Accounts that are switched on and cannot begin: a file of certificates is not
 * there (yet), or not private. One day it may be, so they are tried again.
 */
#include "daemon/base/xalloc.h"
#include "daemon/control/json.h"
#include "daemon/wiring/belfry.h"

struct not_started {
	struct list_link link; /* in belfry::not_started */
	char *account;
	struct error error; /* as it was said */
};

static struct not_started *
find(const struct belfry *belfry, const char *account)
{
	LIST_EACH(link, &belfry->not_started)
	{
		struct not_started *it =
		    LIST_ITEM(link, struct not_started, link);
		if (strcmp(it->account, account) == 0)
			return it;
	}
	return NULL;
}

static void
forget(struct not_started *it)
{
	list_remove(&it->link);
	free(it->account);
	free(it);
}

void
not_started_note(struct belfry *belfry, const struct config_account *config,
    const struct error *error)
{
	struct not_started *it = find(belfry, config->name);

	/* Said once, and again when it is another reason. */
	if (it != NULL && strcmp(it->error.text, error->text) == 0)
		return;
	if (it == NULL) {
		it = NEW(struct not_started);
		it->account = xstrdup(config->name);
		list_add(&belfry->not_started, &it->link);
	}
	it->error = *error;
	report_note(belfry, true, "trouble", config->name, "%s", error->text);
}

void
not_started_tidy(struct belfry *belfry)
{
	LIST_EACH(link, &belfry->not_started)
	{
		struct not_started *it =
		    LIST_ITEM(link, struct not_started, link);
		const struct config_account *config =
		    config_find_account(belfry->config, it->account);
		if (belfry->leaving || config == NULL ||
		    !accounts_start(belfry, config))
			continue;
		report_note(belfry, false, "started", config->name,
		    "what it was without is there now");
		forget(it);
	}
}

void
not_started_clear(struct belfry *belfry)
{
	LIST_EACH(link, &belfry->not_started)
	forget(LIST_ITEM(link, struct not_started, link));
}

static struct json *
status_of_idle(struct belfry *belfry, const struct config_account *config,
    const struct error *error)
{
	const struct running_account nobody = {
	    .belfry = belfry, .config = config};
	struct json *json = json_new_object();

	json_set_str(json, "account", config->name);
	json_set_str(json, "email", config->email);
	json_set_str(json, "server", config->imap.host);
	json_set_str(json, "locked_out", NULL);
	json_set_str(json, "not_started", error->text);
	json_set_bool(json, "paused", false);
	json_set_str(json, "paused_until", NULL);
	json_set_str(json, "machines", NULL);
	json_set(json, "mailboxes", json_new_array());
	json_set(json, "certificates", json_new_array());
	json_set(json, "forwards", status_of_queue(&nobody));
	json_set(json, "left_open", json_new_array());
	return json;
}

void
not_started_add_status(struct belfry *belfry, struct json *accounts)
{
	LIST_EACH(link, &belfry->not_started)
	{
		const struct not_started *it =
		    LIST_ITEM(link, struct not_started, link);
		const struct config_account *config =
		    config_find_account(belfry->config, it->account);
		if (config != NULL)
			json_add(accounts,
			    status_of_idle(belfry, config, &it->error));
	}
}
