/*
 * A configuration that was read (load.c): asked, and freed.
 */
#include "daemon/config/config.h"

#include "daemon/base/xalloc.h"
#include "daemon/config/account.h"
#include "daemon/config/files.h"
#include "daemon/config/loader.h"
#include "daemon/config/problem.h"
#include "daemon/config/syntax.h"
#include "daemon/config/value.h"

/* ---- freeing ---- */

static void
free_members(enum section_kind kind, void *base)
{
	for (size_t i = 0; settings_at(i) != NULL; i++)
		if (settings_at(i)->section == kind)
			value_free(settings_at(i), base);
}

static void
account_done(struct config_account *account)
{
	account_forget_written(account);
	free_members(SECTION_ACCOUNT, account);
	free(account->oauth2);
	secret_source_done(&account->secret);
	free(account->name);
	free(account->domain);
	free(account->other_user);
}

void
config_free(struct config **config)
{
	struct config *c = *config;

	if (c == NULL)
		return;
	*config = NULL;
	free_members(SECTION_DAEMON, &c->daemon);
	for (size_t i = 0; i < c->account_count; i++)
		account_done(&c->accounts[i]);
	for (size_t i = 0; i < c->notifier_count; i++) {
		free_members(SECTION_NOTIFIER, &c->notifiers[i]);
		free(c->notifiers[i].name);
	}
	for (size_t i = 0; i < c->test_count; i++) {
		free_members(SECTION_TEST, &c->tests[i]);
		free(c->tests[i].name);
	}
	free(c->accounts);
	free(c->notifiers);
	free(c->tests);
	rules_free(&c->rules);
	files_done(&c->files);
	free(c);
}

void
config_forget_texts(struct config *config)
{
	files_forget_texts(&config->files);
}

/* ---- reports ---- */

void
config_report_done(struct config_report *report)
{
	rule_problems_done(&report->problems);
	strv_done(&report->echoes);
	files_done(&report->files);
}

bool
config_report_lacks_only_account(const struct config_report *report)
{
	for (size_t i = 0; i < report->problems.count; i++)
		if (strcmp(report->problems.items[i].text, loader_no_account) ==
		    0)
			return true;
	return false;
}

bool
config_report_has_errors(const struct config_report *report)
{
	return problem_has_errors(&report->problems);
}

void
config_print_problems(const struct config_report *report, struct buf *buf)
{
	for (size_t i = 0; i < report->problems.count; i++) {
		const char *echo =
		    i < report->echoes.len ? report->echoes.items[i] : "";
		problem_format(
		    buf, &report->problems.items[i], span_from_str(echo));
	}
}

/* ---- looking up ---- */

const struct config_account *
config_find_account(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->account_count; i++)
		if (strcmp(config->accounts[i].name, name) == 0)
			return &config->accounts[i];
	return NULL;
}

const struct config_notifier *
config_find_notifier(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->notifier_count; i++)
		if (strcmp(config->notifiers[i].name, name) == 0)
			return &config->notifiers[i];
	return NULL;
}

const char *
config_tls_version(const struct config_account *account)
{
	return account->tls_min == 3 ? "1.3" : "1.2";
}

bool
config_by_password(const struct config_account *account)
{
	return account->auth == CONFIG_AUTH_PASSWORD ||
	       account->auth == CONFIG_AUTH_PLAIN ||
	       account->auth == CONFIG_AUTH_SCRAM;
}

const char *
config_other_smtp_user(const struct config_account *account)
{
	if (account->other_user == NULL || account->smtp.host == NULL ||
	    strcmp(account->smtp_user, account->other_user) == 0)
		return NULL;
	return account->smtp_user;
}

/* ---- the files of lists ---- */

bool
config_read_list(struct config *config, const char *path, struct error *error_r)
{
	BUF_AUTO text = BUF_INIT;
	STR_AUTO full = value_expand_path(
	    span_from_str(path), config->files.items[0]->path);

	if (!files_read_text(full, &text, error_r))
		return false;
	if (!rules_set_list_file(config->rules, path, buf_span(&text)))
		return error_set(error_r, FAULT_CONFIG,
		    "%s has more than %d members", full,
		    RULES_LIST_MEMBERS_MAX);
	return true;
}

bool
config_read_lists(struct config *config, struct error *error_r)
{
	const struct strv *paths = rules_list_files(config->rules);
	bool done = true;

	for (size_t i = 0; paths != NULL && i < paths->len; i++)
		if (!config_read_list(
			config, paths->items[i], done ? error_r : NULL)) {
			if (done)
				error_prefix(error_r, "list");
			done = false;
		}
	return done;
}
