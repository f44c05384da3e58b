/* setup: the account's section, tried alone, then written. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "daemon/base/xalloc.h"
#include "daemon/control/ctl_setup.h"

/* For a file that setup makes. */
static const char head[] =
    "# belfry.conf(5) has all settings, belfry-rules(5) the rules.\n";

struct changes {
	struct section_change items[SETUP_CHANGES_MAX];
	size_t count;
};

static void
change(struct changes *changes, const char *key, const char *value)
{
	assert(changes->count < SETUP_CHANGES_MAX);
	changes->items[changes->count++] = (struct section_change){key, value};
}

static void
change_servers(const struct setup *setup, struct changes *changes)
{
	if (setup->keeps_servers)
		return;
	change(changes, "provider", setup->provider);
	change(changes, "imap", setup->imap);
	change(changes, "smtp", setup->smtp);
}

/* What belongs to a client id stays with one. */
static void
change_sign_in(const struct setup *setup, struct changes *changes)
{
	static const char *const keys[] = {"oauth2_client_secret",
	    "oauth2_client_secret_command", "oauth2_provider", "oauth2_tenant",
	    "oauth2_authorize_url", "oauth2_token_url", "oauth2_device_url",
	    "oauth2_scope"};

	if (setup->kind != SETUP_SECRET_SIGN_IN) {
		for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
			change(changes, keys[i], NULL);
	} else if (setup->client_secret_command != NULL) {
		change(changes, "oauth2_client_secret", NULL);
		change(changes, "oauth2_client_secret_command",
		    setup->client_secret_command);
	}
}

/* One of them, and not the others. */
/* How a password is proven (scram, plain) is as true of another one; of a token
 * it is not. */
static bool
stays_by_password(const struct setup *setup)
{
	return setup->old != NULL && config_by_password(setup->old) &&
	       setup->kind != SETUP_SECRET_TOKEN &&
	       setup->kind != SETUP_SECRET_SIGN_IN;
}

static void
change_secret(const struct setup *setup, struct changes *changes)
{
	static const struct {
		enum setup_secret kind;
		const char *key;
	} keys[] = {
	    {SETUP_SECRET_KEYRING, "keyring"},
	    {SETUP_SECRET_COMMAND, "password_command"},
	    {SETUP_SECRET_TOKEN, "token_command"},
	    {SETUP_SECRET_SIGN_IN, "oauth2_client_id"},
	    {SETUP_SECRET_CREDENTIAL, "credential"},
	    {SETUP_SECRET_FILE, "password"},
	};

	if (setup->kind == SETUP_SECRET_KEPT)
		return;
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		const char *value = NULL;
		if (keys[i].kind == setup->kind)
			value = setup->kind == SETUP_SECRET_KEYRING ? "yes"
				: setup->kind == SETUP_SECRET_FILE
				    ? setup->secret.bytes
				    : setup->command;
		change(changes, keys[i].key, value);
	}
	change_sign_in(setup, changes);
	if (!stays_by_password(setup))
		change(changes, "auth", NULL);
}

/* The whole text as it will be: wipe it. */
static void
make_text(const struct setup *setup, struct buf *text)
{
	struct changes changes = {.count = 0};
	const char *ca_file = ctl_get(setup->ctl, "ca-file");
	const char *user = ctl_get(setup->ctl, "user");

	change(&changes, "email", setup->email);
	change_servers(setup, &changes);
	if (user == NULL)
		user = setup->user;
	if (setup->taken_user != NULL)
		user = setup->taken_user;
	if (user != NULL)
		change(&changes, "user", user);
	if (setup->taken_smtp_user != NULL)
		change(&changes, "smtp_user", setup->taken_smtp_user);
	if (ca_file != NULL)
		change(&changes, "tls_ca_file", ca_file);
	if (setup->pins != NULL)
		change(&changes, "tls_pin", setup->pins);
	change_secret(setup, &changes);
	section_set(text,
	    setup->file.is_there ? buf_span(&setup->file.text) : SPAN(head),
	    "account", setup->name, changes.items, changes.count);
}

/* ---- tried alone ---- */

static int
fail_trial(const struct setup *setup)
{
	const struct rule_problems *problems = &setup->trial_report.problems;

	for (size_t i = 0; i < problems->count; i++)
		if (!problems->items[i].is_warning)
			return ctl_fail(setup->ctl, EX_USAGE,
			    problems->items[i].hint, "%s",
			    problems->items[i].text);
	return ctl_fail(setup->ctl, EX_SOFTWARE, NULL, "no account came of it");
}

int
setup_try(struct setup *setup)
{
	struct buf text = BUF_INIT;

	config_report_done(&setup->trial_report);
	config_free(&setup->trial);
	make_text(setup, &text);
	setup->trial = config_parse(setup->file.path,
	    section_find(buf_span(&text), "account", setup->name),
	    &setup->trial_report);
	buf_wipe(&text);
	buf_done(&text);
	return setup->trial != NULL && setup->trial->account_count == 1
		   ? EX_OK
		   : fail_trial(setup);
}

/* ---- written ---- */

/* As it was before: the old text, or no file. */
static void
restore(const struct setup *setup)
{
	struct setup before = *setup;
	char *temporary = NULL;

	before.kind = SETUP_SECRET_KEPT; /* and its mode */
	if (!setup->file.is_there)
		unlink(setup->file.path);
	else if (setup_prepare_file(
		     &before, buf_span(&setup->file.text), &temporary, NULL))
		setup_replace_file(&before, temporary, NULL);
	free(temporary);
}

/* It was right before, or not there. */
static int
check_whole(const struct setup *setup)
{
	CTL_CONFIG_AUTO now = {0};
	int code = ctl_config_need(setup->ctl, setup->loaded.path, &now);

	if (code == EX_OK)
		return EX_OK;
	restore(setup);
	return code;
}

/* All is ready: what follows takes no time, or is undone. */
static int
commit(struct setup *setup, const char *temporary)
{
	struct error error = ERROR_INIT;
	int code = setup_store_secret(setup);

	if (code != EX_OK) {
		unlink(temporary);
		return code;
	}
	if (setup_replace_file(setup, temporary, &error))
		code = check_whole(setup);
	else
		code =
		    ctl_fail(setup->ctl, EX_CANTCREAT, NULL, "%s", error.text);
	if (code != EX_OK)
		setup_take_secret_back(setup);
	return code;
}

int
setup_write(struct setup *setup)
{
	struct error error = ERROR_INIT;
	struct buf text = BUF_INIT;
	char *temporary = NULL;
	sigset_t held, old;

	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGHUP);
	sigprocmask(SIG_BLOCK, &held, &old);
	make_text(setup, &text);
	bool ok =
	    setup_prepare_file(setup, buf_span(&text), &temporary, &error);
	buf_wipe(&text);
	buf_done(&text);
	int code =
	    ok ? commit(setup, temporary)
	       : ctl_fail(setup->ctl, EX_CANTCREAT, NULL, "%s", error.text);
	free(temporary);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return code;
}
