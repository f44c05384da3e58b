/* setup [ADDRESS]: from an address to an account that works. */
#include <stdio.h>
#include <unistd.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/config/echo.h"
#include "daemon/config/syntax.h"
#include "daemon/control/ctl_login.h"
#include "daemon/control/ctl_setup.h"

/* As long as any name may be, with a number behind it. */
#define NAME_MAX_BYTES 36
#define NAMES_TRIED_MAX 100

/* ---- who ---- */

static int
take_address(struct setup *setup)
{
	const char *given = ctl_get(setup->ctl, "email");
	BUF_AUTO typed = BUF_INIT;
	const char *why;
	size_t offset;

	if (setup->ctl->arguments[0] != NULL)
		given = setup->ctl->arguments[0];
	if (given == NULL && setup->old != NULL)
		given = setup->old->email;
	if (given == NULL && setup->is_terminal &&
	    setup_ask("Mail address: ", &typed))
		given = buf_str(&typed);
	if (given == NULL)
		return ctl_fail(setup->ctl, EX_USAGE,
		    "such as: belfryctl setup you@example.org",
		    "whose mail? An address is missing");
	struct span address = span_trim(span_from_str(given));
	free(setup->email);
	setup->email = xstrdup_span(address);
	if (!address_check(address, &why, &offset) &&
	    span_find(address, '@') == SIZE_MAX)
		return ctl_fail(setup->ctl, EX_USAGE,
		    "such as: belfryctl setup you@example.org",
		    "this is no mail address");
	return EX_OK;
}

/* By its name, or by its address. */
static const struct config_account *
find_old(const struct setup *setup)
{
	const char *name = ctl_get(setup->ctl, "name");
	const struct config *config = setup->loaded.config;

	if (config == NULL)
		return NULL;
	if (name != NULL)
		return config_find_account(config, name);
	for (size_t i = 0; setup->email != NULL && i < config->account_count;
	     i++)
		if (span_is_nocase(
			span_from_str(setup->email), config->accounts[i].email))
			return &config->accounts[i];
	return NULL;
}

/* "icloud", "example": short, and free. */
static void
choose_name(struct setup *setup)
{
	const char *given = ctl_get(setup->ctl, "name");
	struct span domain = span_from_str(strrchr(setup->email, '@') + 1);
	struct span base = span_slice(domain, 0, span_find(domain, '.'));
	BUF_AUTO plain = BUF_INIT;

	if (setup->old != NULL || given != NULL) {
		setup->name = xstrdup(given != NULL ? given : setup->old->name);
		return;
	}
	if (setup->preset != NULL)
		base = span_from_str(setup->preset->id);
	for (size_t i = 0; i < base.len && i < NAME_MAX_BYTES; i++)
		buf_add_char(
		    &plain, char_is_alnum(base.data[i]) ? base.data[i] : '-');
	setup->name = xstrdup(buf_str(&plain));
	for (int n = 2;
	     setup->loaded.config != NULL && n < NAMES_TRIED_MAX &&
	     config_find_account(setup->loaded.config, setup->name) != NULL;
	     n++) {
		free(setup->name);
		setup->name = xasprintf("%s-%d", buf_str(&plain), n);
	}
}

/* ---- what is there ---- */

/* As problems show lines: without comments, which may have an old password in
 * them, and without values that nobody should see on a screen. */
static void
show_old(struct setup *setup)
{
	struct span section =
	    section_find(buf_span(&setup->file.text), "account", setup->name);
	struct config_files files = {.count = 0};
	struct rule_place place = {setup->file.path, 0, 0};
	struct span rest = section, line;

	setup_say(setup, "The account %s is there already, in %s:", setup->name,
	    setup->file.path);
	files_add_text(&files, setup->file.path, section);
	while (span_split(&rest, '\n', &line)) {
		BUF_AUTO shown = BUF_INIT, out = BUF_INIT;
		place.line++;
		echo_line(&shown, &files, &place);
		str_sanitize(&out, buf_span(&shown), CTL_TEXT_MAX);
		if (out.len > 0)
			setup_say(setup, "    %s", buf_str(&out));
	}
	files_done(&files);
}

/* The account may stand in a file of conf.d. */
static int
go_to_file_of_old(struct setup *setup)
{
	struct error error = ERROR_INIT;
	const char *path = setup->old->place.file;

	if (path == NULL || strcmp(path, setup->file.path) == 0 ||
	    strcmp(path, setup->loaded.path) == 0)
		return EX_OK;
	const struct config_file *file =
	    files_find(&setup->loaded.config->files, path);
	free(setup->file.path);
	setup->file.path = realpath(path, NULL);
	if (setup->file.path == NULL)
		setup->file.path = xstrdup(path);
	setup->file.mode = file != NULL ? file->mode : 0600;
	buf_wipe(&setup->file.text);
	buf_done(&setup->file.text);
	return files_read_text(path, &setup->file.text, &error)
		   ? EX_OK
		   : ctl_fail(setup->ctl, EX_NOINPUT, NULL, "%s", error.text);
}

/* A configuration without any account is what setup is for; any other error is
 * to be mended first. */
static int
read_all(struct setup *setup)
{
	int code = setup_read_file(setup);

	if (code == EX_OK && !setup->file.is_there)
		setup->loaded.path = xstrdup(setup->file.name);
	if (code != EX_OK || !setup->file.is_there)
		return code;
	code = ctl_config_load(setup->ctl, setup->file.name, &setup->loaded);
	if (code != EX_OK || setup->loaded.config != NULL ||
	    config_report_lacks_only_account(&setup->loaded.report))
		return code;
	ctl_config_done(&setup->loaded);
	return ctl_config_need(setup->ctl, setup->file.name, &setup->loaded);
}

/* ---- the end ---- */

static const char *const kind_names[] = {
    [SETUP_SECRET_KEPT] = "kept",
    [SETUP_SECRET_KEYRING] = "keyring",
    [SETUP_SECRET_COMMAND] = "password_command",
    [SETUP_SECRET_TOKEN] = "token_command",
    [SETUP_SECRET_SIGN_IN] = "sign_in",
    [SETUP_SECRET_CREDENTIAL] = "credential",
    [SETUP_SECRET_FILE] = "file",
};

static void
set_server(
    struct json *json, const char *name, const struct config_server *server)
{
	struct json *object;

	if (server->host == NULL) {
		json_set_str(json, name, NULL);
		return;
	}
	object = json_new_object();
	json_set_str(object, "host", server->host);
	json_set_int(object, "port", server->port);
	json_set_str(object, "tls",
	    server->tls == SERVER_TLS	     ? "tls"
	    : server->tls == SERVER_STARTTLS ? "starttls"
					     : "none");
	json_set(json, name, object);
}

static int
finish_json(struct setup *setup, bool written, const char *then, int code)
{
	struct json *json = json_new_object();
	const struct config_account *account = &setup->trial->accounts[0];

	json_set_bool(json, "ok", code == EX_OK);
	json_set_str(json, "account", setup->name);
	json_set_str(json, "email", setup->email);
	json_set_str(json, "file", setup->file.path);
	json_set_str(
	    json, "provider", setup->preset != NULL ? setup->preset->id : NULL);
	json_set_str(json, "found_by", setup->found_by);
	set_server(json, "imap", &account->imap);
	set_server(json, "smtp", &account->smtp);
	json_set_str(json, "user", account->user);
	json_set_str(json, "secret", kind_names[setup->kind]);
	json_set_bool(json, "tested", setup->is_tested);
	json_set(json, "steps",
	    setup->steps != NULL ? setup->steps : json_new_array());
	setup->steps = NULL;
	json_set_bool(json, "written", written);
	json_set_str(json, "then", then);
	return ctl_finish_json(json, code);
}

static int
give_up(struct setup *setup, int code)
{
	if (setup->is_signed_in) {
		STR_AUTO state = setup_state_directory(setup);
		ctl_login_take_back(&setup->trial->accounts[0], state);
	}
	if (setup->ctl->json)
		return finish_json(setup, false, NULL, code);
	setup_say(setup, "Nothing was written.");
	return code;
}

static const char *
words_of(const struct setup *setup)
{
	switch (setup->kind) {
	case SETUP_SECRET_KEYRING:
		return setup->secret.len > 0 ? "; the password is in the "
					       "keyring"
					     : "";
	case SETUP_SECRET_FILE:
		return "; only you can read it, as the password is in it";
	case SETUP_SECRET_KEPT:
	case SETUP_SECRET_COMMAND:
	case SETUP_SECRET_TOKEN:
	case SETUP_SECRET_SIGN_IN:
	case SETUP_SECRET_CREDENTIAL:
		break;
	}
	return "";
}

static int
write_and_start(struct setup *setup)
{
	STR_AUTO question = xasprintf("%s [account %s] in %s?",
	    setup->old != NULL ? "Change" : "Write", setup->name,
	    setup->file.path);
	int code;

	if (!ctl_has(setup->ctl, "yes") && !setup->is_terminal)
		return ctl_fail(setup->ctl, EX_USAGE, "say --yes",
		    "nobody is here to agree: nothing was written");
	if (!setup_agree(setup, question, true))
		return give_up(setup, EX_CANTCREAT);
	code = setup_write(setup);
	if (code != EX_OK) {
		setup_say(setup, "Nothing was written.");
		return code;
	}
	setup_say(setup, "Written%s.", words_of(setup));
	const char *then = setup_start(setup);
	return setup->ctl->json ? finish_json(setup, true, then, EX_OK) : EX_OK;
}

/* ---- the way ---- */

/* Trust on first use: of a bridge on this machine, and only when the person
 * says so. The test may have met one that made its certificate itself. */
static bool
wants_pins(struct setup *setup)
{
	if (setup->offered_pins == NULL || !setup->is_terminal ||
	    ctl_has(setup->ctl, "yes"))
		return false;
	const struct config_server *server = &setup->trial->accounts[0].imap;
	STR_AUTO question = xasprintf(
	    "%s:%u shows a certificate that it made itself, with the key %s. "
	    "Is that your bridge, and is this key to be trusted from now on?",
	    server->host, server->port, setup->offered_pins);
	if (setup->is_line_open)
		putchar(' ');
	setup->is_line_open = false;
	if (!setup_agree(setup, question, false))
		return false;
	free(setup->pins);
	setup->pins = setup->offered_pins;
	setup->offered_pins = NULL;
	return true;
}

/* Where nobody can be asked, that is left for later. */
static int
sign_in(struct setup *setup, bool *is_later_r)
{
	const struct config_account *account = &setup->trial->accounts[0];
	STR_AUTO state = setup_state_directory(setup);
	int code;

	*is_later_r = false;
	if (account->secret.kind != SECRET_SIGN_IN ||
	    ctl_login_is_done(account, state))
		return EX_OK;
	*is_later_r = !setup->is_terminal || ctl_has(setup->ctl, "no-test");
	if (*is_later_r)
		return EX_OK;
	code = ctl_login_in_setup(setup->ctl, account, state);
	setup->is_signed_in = code == EX_OK && setup->old == NULL;
	return code;
}

static int
test_and_write(struct setup *setup)
{
	bool is_later;
	int code = sign_in(setup, &is_later);

	if (code == EX_OK && !is_later && !ctl_has(setup->ctl, "no-test"))
		code = setup_test(setup);
	if (code != EX_OK && wants_pins(setup)) {
		code = setup_try(setup);
		if (code == EX_OK)
			code = setup_test(setup);
	}
	/* With the name by which it let us in. */
	if (code == EX_OK && setup->taken_user != NULL)
		code = setup_try(setup);
	if (code != EX_OK &&
	    (ctl_has(setup->ctl, "yes") ||
		!setup_agree(setup, "Write it all the same?", false)))
		return give_up(setup, code);
	code = write_and_start(setup);
	if (code == EX_OK && is_later)
		setup_say(
		    setup, "Now sign in: belfryctl login %s", setup->name);
	return code;
}

static int
run(struct setup *setup)
{
	int code = read_all(setup);

	if (code == EX_OK && ctl_get(setup->ctl, "name") != NULL)
		setup->old = find_old(setup);
	if (code == EX_OK)
		code = take_address(setup);
	if (code != EX_OK)
		return code;
	setup->old = find_old(setup);
	if (setup->old != NULL)
		code = go_to_file_of_old(setup);
	if (code == EX_OK && setup->old != NULL) {
		choose_name(setup);
		show_old(setup);
	}
	if (code == EX_OK)
		code = setup_find(setup);
	if (code != EX_OK)
		return code;
	if (setup->name == NULL)
		choose_name(setup);
	code = setup_take_secret(setup);
	if (code == EX_OK)
		code = setup_try(setup);
	return code == EX_OK ? test_and_write(setup) : code;
}

static void
setup_done(struct setup *setup)
{
	config_report_done(&setup->trial_report);
	config_free(&setup->trial);
	ctl_config_done(&setup->loaded);
	json_free(&setup->steps);
	secret_wipe(&setup->secret);
	secret_wipe(&setup->before);
	free(setup->offered_pins);
	free(setup->pins);
	buf_wipe(&setup->file.text);
	buf_done(&setup->file.text);
	free(setup->file.name);
	free(setup->file.path);
	free(setup->email);
	free(setup->name);
	free(setup->provider);
	free(setup->imap);
	free(setup->smtp);
	free(setup->user);
	free(setup->taken_user);
	free(setup->taken_smtp_user);
	free(setup->found_by);
	free(setup->command);
	free(setup->client_secret_command);
}

int
ctl_setup(struct ctl *ctl)
{
	struct setup setup = {
	    .ctl = ctl,
	    .is_terminal = !ctl->json && isatty(STDIN_FILENO) != 0 &&
			   isatty(STDOUT_FILENO) != 0,
	};

	ctl_close_up();
	if (ctl_get(ctl, "pin") != NULL)
		setup.pins = xstrdup(ctl_get(ctl, "pin"));
	int code = run(&setup);
	setup_done(&setup);
	return code;
}
