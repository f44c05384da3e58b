/* A new configuration takes the place of the old one, or nothing changes. */
#include "daemon/base/xalloc.h"
#include "daemon/loop/log.h"
#include "daemon/loop/sd_notify.h"
#include "daemon/wiring/belfry.h"
#include "daemon/wiring/tokens.h"

/* ---- configurations that accounts still borrow from ---- */

struct held_config {
	struct list_link link; /* in belfry::held */
	struct config *config;
};

static bool
is_borrowed(const struct belfry *belfry, const struct config *config)
{
	LIST_EACH(pos, &belfry->accounts)
	{
		const struct running_account *account =
		    LIST_ITEM(pos, struct running_account, link);
		for (size_t i = 0; i < config->account_count; i++)
			if (account->config == &config->accounts[i])
				return true;
	}
	return config == belfry->config;
}

void
reload_release(struct belfry *belfry)
{
	LIST_EACH(pos, &belfry->held)
	{
		struct held_config *held =
		    LIST_ITEM(pos, struct held_config, link);
		if (is_borrowed(belfry, held->config))
			continue;
		list_remove(&held->link);
		config_free(&held->config);
		free(held);
	}
}

void
reload_hold(struct belfry *belfry, struct config *config)
{
	struct held_config *held = NEW(struct held_config);

	held->config = config;
	list_add(&belfry->held, &held->link);
}

/* ---- what makes a new connection necessary ---- */

static bool
same_str(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
same_server(const struct config_server *a, const struct config_server *b)
{
	return same_str(a->host, b->host) && a->port == b->port &&
	       a->tls == b->tls;
}

static bool
same_rates(const struct config_rates *a, const struct config_rates *b)
{
	return a->hour == b->hour && a->day == b->day;
}

static bool
same_secret(const struct secret_source *a, const struct secret_source *b)
{
	return a->kind == b->kind && strv_equal(&a->argv, &b->argv) &&
	       same_str(a->credential, b->credential) &&
	       span_equal(secret_span(&a->literal), secret_span(&b->literal));
}

static bool
same_oauth2(const struct config_oauth2 *a, const struct config_oauth2 *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return same_str(a->client_id, b->client_id) &&
	       span_equal(secret_span(&a->client_secret),
		   secret_span(&b->client_secret)) &&
	       strv_equal(
		   &a->client_secret_command, &b->client_secret_command) &&
	       same_str(a->token_url, b->token_url) &&
	       same_str(a->scope, b->scope);
}

static bool
same_account(const struct config_account *a, const struct config_account *b)
{
	return same_str(a->name, b->name) && a->enabled == b->enabled &&
	       same_str(a->email, b->email) && a->preset == b->preset &&
	       same_server(&a->imap, &b->imap) &&
	       same_server(&a->smtp, &b->smtp) && same_str(a->user, b->user) &&
	       same_str(a->smtp_user, b->smtp_user) && a->auth == b->auth &&
	       same_secret(&a->secret, &b->secret) &&
	       same_oauth2(a->oauth2, b->oauth2) &&
	       same_str(a->tls_ca_file, b->tls_ca_file) &&
	       same_str(a->tls_cert, b->tls_cert) &&
	       same_str(a->tls_key, b->tls_key) &&
	       strv_equal(&a->tls_pin, &b->tls_pin) &&
	       a->tls_min == b->tls_min &&
	       strv_equal(&a->authserv, &b->authserv) &&
	       strv_equal(&a->escalate, &b->escalate) &&
	       strv_equal(&a->identity, &b->identity) &&
	       same_str(a->from, b->from) && a->notify == b->notify &&
	       a->claim == b->claim && a->connections == b->connections &&
	       a->idle_renew == b->idle_renew && a->poll == b->poll &&
	       same_rates(&a->forward_limit, &b->forward_limit) &&
	       same_rates(&a->forward_target_limit, &b->forward_target_limit);
}

/* ---- the swap ---- */

/* Accounts that are as they were keep their connections and only get the new
 * rules, and mailboxes come and go; a locked-out one tries again. */
static void
keep_or_drop(struct belfry *belfry, struct running_account *account)
{
	const struct config_account *config =
	    config_find_account(belfry->config, account->config->name);

	if (config == NULL || !config->enabled ||
	    !same_account(config, account->config)) {
		accounts_free(&account);
		return;
	}
	accounts_read_certificates(account);
	account_set_rules(account->account, belfry->config->rules);
	account_set_watch(account->account, &config->watch, loop_now());
	tokens_reload(account->tokens);
	if (!account->paused) {
		account_start(account->account, loop_now());
		if (account->sender != NULL)
			sender_reload(account->sender);
	}
	accounts_pump(account);
}

static void
start_missing(struct belfry *belfry)
{
	for (size_t i = 0; i < belfry->config->account_count; i++) {
		const struct config_account *config =
		    &belfry->config->accounts[i];
		if (config->enabled &&
		    accounts_find(belfry, config->name) == NULL)
			accounts_start(belfry, config);
	}
}

static void
swap(struct belfry *belfry, struct config *config)
{
	rule_stats_flush(belfry);
	belfry->config = config;
	rule_stats_load(belfry);
	list_files_reset(belfry);
	reload_hold(belfry, config);
	LIST_EACH(pos, &belfry->accounts)
	keep_or_drop(belfry, LIST_ITEM(pos, struct running_account, link));
	not_started_clear(belfry);
	start_missing(belfry);
	apply_tidy(belfry);
	notify_reload(belfry);
	reload_release(belfry);
}

void
reload_tell_status(const struct belfry *belfry)
{
	sd_notify_status("accounts: %zu, rules: %zu",
	    belfry->config->account_count, rules_count(belfry->config->rules));
}

/* What `systemctl status` shows: to reload is a success there, whatever came of
 * it. */
static void
tell_refused(const struct buf *problems)
{
	struct span rest = buf_span(problems), line = SPAN_EMPTY;

	while (span_split(&rest, '\n', &line) &&
	       span_find_span(line, SPAN(": error: "), 0) == SIZE_MAX)
		continue;
	sd_notify_status("the configuration has errors, the old one stays: "
			 "%.*s",
	    SPAN_FMT(line));
}

bool
reload_config(struct belfry *belfry, struct buf *problems)
{
	struct config_report report = {0};
	struct config *config = config_load(belfry->config_path, &report);
	bool ok = config != NULL &&
		  config_run_tests(config, loop_now_unix(), &report) == 0 &&
		  !config_report_has_errors(&report);

	config_print_problems(&report, problems);
	config_report_done(&report);
	if (!ok) {
		config_free(&config);
		report_note(belfry, true, "reload-refused", NULL,
		    "the configuration has errors: the old one stays; "
		    "belfryctl check names them");
		tell_refused(problems);
		return false;
	}
	config_forget_texts(config);
	if (!belfry->verbose)
		log_set_level((enum log_level)config->daemon.log_level);
	swap(belfry, config);
	report_note(belfry, false, "reloaded", NULL,
	    "accounts: %zu, rules: %zu", config->account_count,
	    rules_count(config->rules));
	reload_tell_status(belfry);
	return true;
}
