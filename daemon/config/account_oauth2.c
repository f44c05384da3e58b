/* The built-in sign-in of an account: what is written, and what is known. */
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/config/account_private.h"

static const char *const keys[] = {"oauth2_client_secret",
    "oauth2_client_secret_command", "oauth2_provider", "oauth2_tenant",
    "oauth2_authorize_url", "oauth2_token_url", "oauth2_device_url",
    "oauth2_scope"};

static void
complain_of_lonely_keys(struct finish *f)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		const struct document_thing *thing =
		    account_find_thing(f, keys[i]);
		if (thing == NULL)
			continue;
		problem_add(f->problems, false, thing->key_place,
		    "add your `oauth2_client_id`",
		    "`%s` is for the sign-in with a client id of your own",
		    keys[i]);
		return;
	}
}

static void
check_secret(struct finish *f)
{
	const struct config_oauth2 *oauth2 = f->account->oauth2;

	if (account_find_thing(f, "oauth2_client_secret") == NULL)
		return;
	if (oauth2->client_secret_command.len > 0)
		complain(f, "oauth2_client_secret", NULL,
		    "`oauth2_client_secret` and "
		    "`oauth2_client_secret_command`: a client has one secret");
	account_check_private(f, "oauth2_client_secret", "client secret");
}

/* ---- whose ---- */

static const struct oauth2_provider *
find_written(struct finish *f, const char *id)
{
	struct span text = span_from_str(id);
	const struct oauth2_provider *provider = oauth2_providers_find(text);
	const char *nearest = oauth2_providers_nearest(text);

	if (provider != NULL)
		return provider;
	STR_AUTO hint = nearest != NULL
			    ? xasprintf("did you mean `%s`?", nearest)
			    : xstrdup("for any other, `custom`");
	complain(f, "oauth2_provider", hint, "unknown OAuth2 provider");
	return NULL;
}

/* By the address's domain, or by the server: a domain of one's own may be at a
 * large provider, where it is no consumer's. */
static const char *
preset_provider(const struct config_account *account)
{
	const struct preset *preset = account->preset;

	if (preset != NULL && preset->oauth != NULL)
		return preset->oauth;
	if (account->imap.host == NULL)
		return "custom";
	preset = presets_find_imap(span_from_str(account->imap.host));
	if (preset == NULL || preset->oauth == NULL)
		return "custom";
	return strcmp(preset->oauth, "microsoft-consumer") == 0 ? "microsoft"
								: preset->oauth;
}

/* ---- where ---- */

static const char *
choose_tenant(struct finish *f)
{
	const struct config_oauth2 *oauth2 = f->account->oauth2;

	if (oauth2->tenant == NULL)
		return oauth2->provider->tenant;
	if (oauth2->provider->tenant == NULL)
		complain(f, "oauth2_tenant", "leave it out",
		    "only Microsoft has tenants");
	return oauth2->tenant;
}

/* What is written stays. */
static void
fill_in(char **value, const char *known, const char *tenant)
{
	const char *mark = known != NULL ? strstr(known, OAUTH2_TENANT) : NULL;

	if (*value != NULL || known == NULL)
		return;
	if (mark == NULL || tenant == NULL)
		*value = xstrdup(known);
	else
		*value = xasprintf("%.*s%s%s", (int)(mark - known), known,
		    tenant, mark + strlen(OAUTH2_TENANT));
}

static void
check_whole(struct finish *f)
{
	const struct config_oauth2 *oauth2 = f->account->oauth2;
	bool has_flow =
	    oauth2->authorize_url != NULL || oauth2->device_url != NULL;
	const char *missing = oauth2->token_url == NULL ? "oauth2_token_url"
			      : oauth2->scope == NULL	? "oauth2_scope"
			      : has_flow		? NULL
					 : "oauth2_authorize_url";

	if (missing == NULL)
		return;
	STR_AUTO hint = xasprintf(
	    "write `oauth2_provider = google` (or another), or `%s`", missing);
	complain(f, "oauth2_client_id", hint,
	    "nobody knows where account %s signs in: there is no `%s`",
	    f->account->name, missing);
}

/* What the token's file keeps of whom it is for reads back only so far: longer,
 * each sign-in would be for nothing. */
static void
check_lengths(struct finish *f)
{
	const struct config_oauth2 *oauth2 = f->account->oauth2;
	const struct {
		const char *key, *value;
	} kept[] = {
	    {"oauth2_client_id", oauth2->client_id},
	    {"oauth2_token_url", oauth2->token_url},
	    {"oauth2_scope", oauth2->scope},
	    {"user", f->account->user},
	};

	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		if (kept[i].value != NULL &&
		    strlen(kept[i].value) > OAUTH2_KEPT_MAX)
			complain(f, kept[i].key, NULL,
			    "`%s` has at most %d bytes where somebody signs in",
			    kept[i].key, OAUTH2_KEPT_MAX);
}

void
account_finish_oauth2(struct finish *f)
{
	struct config_oauth2 *oauth2 = f->account->oauth2;

	if (oauth2 == NULL)
		return;
	if (oauth2->client_id == NULL) {
		complain_of_lonely_keys(f);
		return;
	}
	check_secret(f);
	oauth2->provider = oauth2->provider_id != NULL
			       ? find_written(f, oauth2->provider_id)
			       : oauth2_providers_find(span_from_str(
				     preset_provider(f->account)));
	if (oauth2->provider == NULL)
		return;
	const char *tenant = choose_tenant(f);
	fill_in(
	    &oauth2->authorize_url, oauth2->provider->authorize_url, tenant);
	fill_in(&oauth2->token_url, oauth2->provider->token_url, tenant);
	/* A server of one's own is not the provider's: nor is its way for
	 * devices. */
	if (account_find_thing(f, "oauth2_token_url") == NULL)
		fill_in(
		    &oauth2->device_url, oauth2->provider->device_url, tenant);
	fill_in(&oauth2->scope, oauth2->provider->scope, tenant);
	check_whole(f);
	check_lengths(f);
}
