/* setup: the secret: where it comes from, and where it is kept. */
#include <stdio.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/config/preset_words.h"
#include "daemon/control/ctl_setup.h"
#include "daemon/wiring/errand.h"

/* The keyring may ask its owner to unlock it. */
#define KEYRING_USEC (2 * USEC_MINUTE)

/* ---- from the options ---- */

static const struct {
	const char *option;
	enum setup_secret kind;
} sources[] = {
    {"keyring", SETUP_SECRET_KEYRING},
    {"password-command", SETUP_SECRET_COMMAND},
    {"token-command", SETUP_SECRET_TOKEN},
    {"client-id", SETUP_SECRET_SIGN_IN},
    {"credential", SETUP_SECRET_CREDENTIAL},
    {"in-file", SETUP_SECRET_FILE},
};

static int
take_client_secret(struct setup *setup)
{
	const char *command = ctl_get(setup->ctl, "client-secret-command");

	if (command == NULL)
		return EX_OK;
	if (setup->kind != SETUP_SECRET_SIGN_IN)
		return ctl_fail(setup->ctl, EX_USAGE, NULL,
		    "--client-secret-command goes with --client-id");
	setup->client_secret_command = xstrdup(command);
	return EX_OK;
}

static int
take_options(struct setup *setup, bool *given_r)
{
	const char *first = NULL;

	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
		const char *value = ctl_get(setup->ctl, sources[i].option);
		if (value == NULL)
			continue;
		if (first != NULL)
			return ctl_fail(setup->ctl, EX_USAGE, NULL,
			    "--%s and --%s: an account has one secret", first,
			    sources[i].option);
		first = sources[i].option;
		setup->kind = sources[i].kind;
		if (*value != '\0')
			setup->command = xstrdup(value);
	}
	*given_r = first != NULL;
	return take_client_secret(setup);
}

/* ---- asked ---- */

static bool
is_typed(enum setup_secret kind)
{
	return kind == SETUP_SECRET_KEYRING || kind == SETUP_SECRET_FILE;
}

static bool
takes_tokens_only(const struct setup *setup)
{
	if (setup->preset != NULL && setup->imap == NULL &&
	    !setup->keeps_servers)
		return setup->preset->auth == PRESET_OAUTH2;
	return setup->wants_token;
}

/* Which password, where to make it, and what to switch on before. */
static void
explain(struct setup *setup)
{
	BUF_AUTO words = BUF_INIT;

	preset_add_password_words(&words, setup->preset);
	setup_say(setup, "%s", buf_str(&words));
	/* What a bridge needs is said when it does not run. */
	if (setup->preset != NULL && setup->preset->enable != NULL &&
	    (setup->preset->quirks & QUIRK_SELF_SIGNED) == 0)
		setup_say(setup, "Note: %s.", setup->preset->enable);
}

static int
fail_ended(const struct setup *setup)
{
	return ctl_fail(setup->ctl, EX_NOINPUT, NULL,
	    "the input ended: nothing was written");
}

static int
ask_command(struct setup *setup, const char *question)
{
	BUF_AUTO answer = BUF_INIT;

	if (!setup_ask(question, &answer))
		return fail_ended(setup);
	struct span command = span_trim(buf_span(&answer));
	if (command.len == 0)
		return fail_ended(setup);
	setup->command = xstrdup_span(command);
	return EX_OK;
}

/* Google's clients have one, Microsoft's have none. */
static int
ask_client_secret(struct setup *setup)
{
	BUF_AUTO answer = BUF_INIT;

	if (!setup_ask("Command that prints the client's secret (empty: it has "
		       "none): ",
		&answer))
		return fail_ended(setup);
	struct span command = span_trim(buf_span(&answer));
	if (command.len > 0)
		setup->client_secret_command = xstrdup_span(command);
	return EX_OK;
}

static int
ask_token(struct setup *setup)
{
	BUF_AUTO answer = BUF_INIT;

	setup_say(setup, "You sign in with a client id of your own "
			 "(belfry.conf(5), OAUTH2, says where to get one).");
	if (!setup_ask("Client id (empty to name a command that prints an "
		       "access token): ",
		&answer))
		return fail_ended(setup);
	struct span id = span_trim(buf_span(&answer));
	if (id.len > 0) {
		setup->kind = SETUP_SECRET_SIGN_IN;
		setup->command = xstrdup_span(id);
		return ask_client_secret(setup);
	}
	setup->kind = SETUP_SECRET_TOKEN;
	return ask_command(setup,
	    "Command that prints an access token (such as oama access "
	    "ADDRESS): ");
}

static int
ask_password(struct setup *setup)
{
	const char *question =
	    setup->old != NULL
		? "Password (not shown; empty to keep what is there): "
	    : setup->may_choose
		? "Password (not shown; empty to name a command that prints "
		  "it): "
		: "Password (not shown): ";

	if (!setup_ask_secret(question, &setup->secret))
		return fail_ended(setup);
	if (setup->secret.len > 0)
		return EX_OK;
	if (setup->old != NULL) {
		setup->kind = SETUP_SECRET_KEPT;
		return EX_OK;
	}
	if (!setup->may_choose)
		return fail_ended(setup);
	setup->kind = SETUP_SECRET_COMMAND;
	return ask_command(setup, "Command that prints the password: ");
}

/* The first line of standard input. */
static int
read_password(struct setup *setup)
{
	struct buf line = BUF_INIT;
	bool ok = setup_read_line(&line) && line.len > 0;

	if (ok)
		secret_set(&setup->secret, buf_span(&line));
	buf_wipe(&line);
	buf_done(&line);
	return ok ? EX_OK
		  : ctl_fail(setup->ctl, EX_USAGE,
			"give it as the first line of standard input, or use "
			"--password-command COMMAND",
			"no password");
}

/* A password that came with a page's blanks around it, or cannot be one. */
static int
check_typed(struct setup *setup)
{
	struct span text = secret_span(&setup->secret);
	struct span trimmed = span_trim(text);

	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
			return ctl_fail(setup->ctl, EX_DATAERR, "type it again",
			    "the password has a control "
			    "character in it");
	if (setup->kind == SETUP_SECRET_FILE && trimmed.len != text.len)
		return ctl_fail(setup->ctl, EX_DATAERR,
		    "keep it in the keyring or behind a command",
		    "a password in the file cannot begin or end with a blank");
	return EX_OK;
}

int
setup_take_secret(struct setup *setup)
{
	bool is_given = false;
	int code = take_options(setup, &is_given);

	if (code != EX_OK)
		return code;
	if (!is_given && setup->old != NULL && !setup->is_terminal) {
		setup->kind = SETUP_SECRET_KEPT;
		return EX_OK;
	}
	if (!is_given && takes_tokens_only(setup)) {
		explain(setup);
		return setup->is_terminal
			   ? ask_token(setup)
			   : ctl_fail(setup->ctl, EX_USAGE,
				 "give your client id, --client-id ID, or a "
				 "command that prints an access token, "
				 "--token-command COMMAND",
				 "it takes no passwords");
	}
	if (!is_given) {
		setup->kind = SETUP_SECRET_KEYRING;
		setup->may_choose = true;
	}
	if (!is_typed(setup->kind))
		return EX_OK;
	explain(setup);
	code = setup->is_terminal ? ask_password(setup) : read_password(setup);
	return code == EX_OK && setup->secret.len > 0 ? check_typed(setup)
						      : code;
}

/* ---- kept ---- */

/* secret-tool VERB service belfry account NAME */
static void
make_argv(const struct setup *setup, const char *verb, struct strv *argv_r)
{
	STRV_AUTO look = STRV_INIT;
	STR_AUTO label =
	    xasprintf("--label=Belfry: %s (%s)", setup->name, setup->email);

	secret_keyring_argv(setup->name, &look);
	strv_add(argv_r, look.items[0]);
	strv_add(argv_r, verb);
	if (strcmp(verb, "store") == 0)
		strv_add(argv_r, label);
	for (size_t i = 2; i < look.len; i++)
		strv_add(argv_r, look.items[i]);
}

/* What another program has put there may be anything. */
static bool
take_found(struct span found, struct secret *secret_r, struct error *error_r)
{
	if (found.len > SECRET_MAX)
		return error_set(error_r, FAULT_LOCAL,
		    "the keyring gave more than %d bytes", SECRET_MAX);
	secret_set(secret_r, found);
	return true;
}

/* Empty: the keyring has none. False: it could not be asked. */
static bool
look_up(
    const struct setup *setup, struct secret *secret_r, struct error *error_r)
{
	STRV_AUTO argv = STRV_INIT;
	struct buf found = BUF_INIT;

	make_argv(setup, "lookup", &argv);
	bool ok =
	    errand_run(&argv, SPAN_EMPTY, KEYRING_USEC, &found, error_r) &&
	    take_found(span_trim(buf_span(&found)), secret_r, error_r);
	buf_wipe(&found);
	buf_done(&found);
	return ok;
}

/* secret-tool reads the secret from standard input: it stands in no list of
 * processes. */
static bool
store(const struct setup *setup, struct span secret, struct error *error_r)
{
	STRV_AUTO argv = STRV_INIT;

	make_argv(setup, "store", &argv);
	return errand_run(&argv, secret, KEYRING_USEC, NULL, error_r);
}

static bool
keep_in_keyring(struct setup *setup, struct error *error_r)
{
	struct secret found = SECRET_INIT;

	/* That there is none is a failure, too. */
	look_up(setup, &setup->before, NULL);
	if (!store(setup, secret_span(&setup->secret), error_r))
		return false;
	setup->is_stored = true;
	bool ok = look_up(setup, &found, error_r);
	if (ok && !span_equal(secret_span(&found),
		      span_trim(secret_span(&setup->secret))))
		ok = error_set(error_r, FAULT_LOCAL,
		    "the keyring gave something else back");
	secret_wipe(&found);
	return ok;
}

int
setup_store_secret(struct setup *setup)
{
	struct error error = ERROR_INIT;

	if (setup->kind != SETUP_SECRET_KEYRING || setup->secret.len == 0 ||
	    keep_in_keyring(setup, &error))
		return EX_OK;
	setup_take_secret_back(setup);
	return ctl_fail(setup->ctl, EX_UNAVAILABLE,
	    "install secret-tool (libsecret-tools) and unlock the keyring, or "
	    "use --password-command or --in-file",
	    "the keyring did not take the password: %s", error.text);
}

void
setup_take_secret_back(struct setup *setup)
{
	STRV_AUTO argv = STRV_INIT;

	if (!setup->is_stored)
		return;
	setup->is_stored = false;
	if (setup->before.len > 0) {
		store(setup, secret_span(&setup->before), NULL);
		return;
	}
	make_argv(setup, "clear", &argv);
	errand_run(&argv, SPAN_EMPTY, KEYRING_USEC, NULL, NULL);
}
