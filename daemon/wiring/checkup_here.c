/* The steps of a checkup that concern this machine. */
#include <stdlib.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/loop/child.h"
#include "daemon/wiring/checkup_private.h"
#include "daemon/wiring/login.h"
#include "notifiers/notifier.h"

/* ---- configuration, and the daemon's view ---- */

void
checkup_configuration(struct checkup *checkup)
{
	const struct config_account *account = checkup->account;
	struct doctor_facts facts =
	    checkup_facts(checkup, DOCTOR_HERE, DOCTOR_DAEMON);

	if (checkup->config->is_new)
		checkup_good(checkup, DOCTOR_HERE, DOCTOR_CONFIGURATION,
		    account->email, "%s",
		    account->preset != NULL ? account->preset->name
					    : "a server of its own");
	else
		checkup_good(checkup, DOCTOR_HERE, DOCTOR_CONFIGURATION,
		    account->email, "%s line %u, %s%s", account->place.file,
		    account->place.line,
		    account->preset != NULL ? account->preset->name
					    : "a server of its own",
		    account->enabled ? "" : "; enabled = no");
	if (checkup->config->locked_out == NULL)
		return;
	facts.text = checkup->config->locked_out;
	checkup_bad(checkup, &facts, "belfryd", "holds the account back");
}

/* ---- the secret ---- */

struct errand {
	struct checkup *checkup;
	usec_t began;
	struct error error;
	char *complaint; /* what the command said besides; owned */
	bool done, ok;
};

static void
on_command(void *ctx, const struct child_result *result)
{
	struct errand *errand = ctx;
	struct checkup *checkup = errand->checkup;
	const char *name = checkup->account->secret.argv.items[0];

	if (result->started)
		errand->ok = secret_from_output(name, result->status,
		    result->timed_out, result->output, result->errors,
		    &checkup->secret, &errand->error);
	else
		errand->error = result->error;
	if (errand->ok && checkup->account->auth == CONFIG_AUTH_OAUTH2)
		errand->ok = secret_check_token(
		    name, secret_span(&checkup->secret), &errand->error);
	errand->complaint = checkup_clean(result->errors);
	errand->done = true;
	checkup_wake(checkup);
}

/* The limit ends the command, and then says so; it gets the time to do it. */
static void
run_command(struct errand *errand)
{
	struct checkup *checkup = errand->checkup;
	const struct child_config config = {
	    .argv = &checkup->account->secret.argv,
	    .limit = usec_min(SECRET_COMMAND_USEC, checkup_patience(checkup)),
	    .secret = true,
	};
	struct child *child =
	    child_run(checkup->loop, &config, on_command, errand);

	for (int i = 0; i < 4 && !errand->done; i++)
		checkup_wait(checkup, &errand->done);
	if (errand->done)
		return;
	child_cancel(&child);
	error_set(&errand->error, FAULT_AUTH, "%s did not end in time",
	    config.argv->items[0]);
}

static void
fetch_secret(struct errand *errand)
{
	struct checkup *checkup = errand->checkup;
	const struct secret_source *source = &checkup->account->secret;

	if (checkup->config->secret != NULL) {
		secret_set(
		    &checkup->secret, secret_span(checkup->config->secret));
		errand->ok = true;
		return;
	}
	switch (source->kind) {
	case SECRET_COMMAND:
	case SECRET_KEYRING:
		run_command(errand);
		break;
	case SECRET_CREDENTIAL:
		errand->ok =
		    secret_from_credential(getenv("CREDENTIALS_DIRECTORY"),
			source->credential, &checkup->secret, &errand->error);
		break;
	case SECRET_LITERAL:
		secret_set(&checkup->secret, secret_span(&source->literal));
		errand->ok = true;
		break;
	case SECRET_NONE:
	case SECRET_SIGN_IN:
		errand->ok = true;
		break;
	}
}

/* `pass show mail/home` */
static char *
describe_source(const struct checkup *checkup)
{
	const struct secret_source *source = &checkup->account->secret;
	STR_AUTO argv = NULL;
	STR_AUTO clean = NULL;

	if (checkup->config->secret != NULL)
		return xstrdup("the one that was given");
	if (source->kind != SECRET_COMMAND && source->kind != SECRET_KEYRING)
		return xstrdup(secret_kind_name(source->kind));
	argv = strv_join(&source->argv, " ");
	clean = checkup_clean(span_from_str(argv));
	return xasprintf("`%s`", clean);
}

static void
tell_secret(const struct errand *errand, const char *tried)
{
	struct checkup *checkup = errand->checkup;
	const char *what = checkup->account->auth == CONFIG_AUTH_OAUTH2
			       ? "a token"
			       : "a password";
	BUF_AUTO took = BUF_INIT;

	usec_format(&took, usec_since(errand->began, loop_now()));
	if (checkup->account->secret.kind == SECRET_NONE)
		checkup_skip(checkup, DOCTOR_HERE, DOCTOR_SECRET,
		    "no password is needed (auth = external)");
	else if (errand->complaint != NULL && *errand->complaint != '\0')
		checkup_good(checkup, DOCTOR_HERE, DOCTOR_SECRET, tried,
		    "gave %s after %s, and said: %s", what, buf_str(&took),
		    errand->complaint);
	else if (errand->complaint != NULL)
		checkup_good(checkup, DOCTOR_HERE, DOCTOR_SECRET, tried,
		    "exit 0, gave %s after %s", what, buf_str(&took));
	else
		checkup_good(checkup, DOCTOR_HERE, DOCTOR_SECRET, tried,
		    "gave %s", what);
}

/* What the servers will be shown, and until when it is good. */
static void
look_at_certificate(struct checkup *checkup)
{
	struct doctor_facts facts =
	    checkup_facts(checkup, DOCTOR_HERE, DOCTOR_SECRET);
	const char *path = checkup->account->tls_cert;
	struct error error = ERROR_INIT;
	struct tls *tls = login_tls(checkup->account, &error);
	BUF_AUTO until = BUF_INIT;

	if (tls == NULL) {
		facts.fault = error.fault;
		facts.text = error.text;
		checkup_bad(checkup, &facts, path, error.text);
		return;
	}
	tls_get_own_validity(tls, &facts.from_unix, &facts.until_unix);
	tls_free(&tls);
	unix_format(&until, facts.until_unix);
	if (tls_ends_soon(facts.from_unix, facts.until_unix, facts.now_unix)) {
		STR_AUTO got =
		    xasprintf("your certificate, until %s", buf_str(&until));
		facts.text = facts.until_unix <= facts.now_unix
				 ? "own certificate ended"
				 : "own certificate ends soon";
		checkup_bad(checkup, &facts, path, got);
	} else {
		checkup_good(checkup, DOCTOR_HERE, DOCTOR_SECRET, path,
		    "your certificate and its key, until %.10s",
		    buf_str(&until));
	}
}

void
checkup_secret(struct checkup *checkup)
{
	struct errand errand = {.checkup = checkup, .began = loop_now()};
	struct doctor_facts facts =
	    checkup_facts(checkup, DOCTOR_HERE, DOCTOR_SECRET);
	STR_AUTO tried = describe_source(checkup);

	if (checkup->account->tls_cert != NULL)
		look_at_certificate(checkup);
	if (checkup->account->secret.kind == SECRET_SIGN_IN &&
	    checkup->config->secret == NULL) {
		checkup->has_secret = checkup_token(checkup);
		return;
	}
	fetch_secret(&errand);
	checkup->has_secret = errand.ok;
	if (errand.ok) {
		tell_secret(&errand, tried);
	} else {
		facts.fault = errand.error.fault;
		facts.text = errand.error.text;
		facts.command = checkup->account->secret.argv.len > 0
				    ? checkup->account->secret.argv.items[0]
				    : NULL;
		checkup_bad(checkup, &facts, tried, facts.text);
	}
	free(errand.complaint);
}

/* ---- notifications ---- */

struct desktop {
	struct checkup *checkup;
	struct helper *helper;
	bool done, ready;
	char *reason; /* owned */
};

static void
on_desktop_line(void *ctx, struct span text)
{
	struct desktop *desktop = ctx;
	struct notifier_line line;

	if (desktop->done || !notifier_line_parse(text, &line))
		return;
	desktop->done =
	    line.verb == NOTIFIER_READY || line.verb == NOTIFIER_UNAVAILABLE;
	desktop->ready = line.verb == NOTIFIER_READY;
	if (desktop->done && !desktop->ready)
		desktop->reason = checkup_clean(span_from_str(line.reason));
	notifier_line_done(&line);
	if (desktop->done)
		checkup_wake(desktop->checkup);
}

static void
on_desktop_end(void *ctx, int status)
{
	struct desktop *desktop = ctx;

	desktop->helper = NULL;
	if (!desktop->done)
		desktop->reason = xasprintf(
		    status == 127 ? "no such file (%d)" : "it ended with %d",
		    status);
	desktop->done = true;
	checkup_wake(desktop->checkup);
}

static void
ask_desktop(struct checkup *checkup, const char *name)
{
	const char *program = getenv("BELFRY_DESKTOP");
	struct desktop desktop = {.checkup = checkup};
	struct doctor_facts facts =
	    checkup_facts(checkup, DOCTOR_HERE, DOCTOR_NOTIFICATIONS);
	struct error error = ERROR_INIT;
	STRV_AUTO argv = STRV_INIT;

	strv_add(&argv,
	    program != NULL ? program : BELFRY_LIBEXECDIR "/belfry-desktop");
	desktop.helper = helper_start(checkup->loop, &argv, NOTIFIER_LINE_MAX,
	    on_desktop_line, on_desktop_end, &desktop, &error);
	if (desktop.helper == NULL)
		desktop.reason = xstrdup(error.text);
	else if (!checkup_wait(checkup, &desktop.done))
		desktop.reason = xstrdup("it does not answer");
	helper_stop(&desktop.helper);
	if (desktop.ready) {
		checkup_good(checkup, DOCTOR_HERE, DOCTOR_NOTIFICATIONS, name,
		    "belfry-desktop found a notification service");
	} else {
		facts.text = desktop.reason;
		checkup_bad(checkup, &facts, name, desktop.reason);
	}
	free(desktop.reason);
}

void
checkup_notifications(struct checkup *checkup)
{
	const struct config *config = checkup->config->config;
	size_t enabled = 0;

	if (config == NULL)
		return;
	for (size_t i = 0; i < config->notifier_count; i++) {
		const struct config_notifier *notifier = &config->notifiers[i];
		enabled += notifier->enabled;
		if (notifier->enabled &&
		    notifier->type == CONFIG_NOTIFIER_DESKTOP)
			ask_desktop(checkup, notifier->name);
		else if (notifier->enabled)
			checkup_good(checkup, DOCTOR_HERE, DOCTOR_NOTIFICATIONS,
			    notifier->name,
			    "not the desktop; `belfryctl notify` tries it");
	}
	if (enabled == 0)
		checkup_skip(checkup, DOCTOR_HERE, DOCTOR_NOTIFICATIONS,
		    "no notifier is switched on");
}

/* ---- the clock ---- */

void
checkup_clock(struct checkup *checkup)
{
	struct doctor_facts facts =
	    checkup_facts(checkup, DOCTOR_HERE, DOCTOR_CLOCK);
	int64_t ahead = checkup->local_unix - checkup->server_unix;
	STR_AUTO text = NULL;
	BUF_AUTO now = BUF_INIT, theirs = BUF_INIT;

	unix_format(&now, facts.now_unix);
	if (checkup->server_unix == 0) {
		checkup_good(checkup, DOCTOR_HERE, DOCTOR_CLOCK, NULL,
		    "%s; no server told the time, and nothing speaks against "
		    "it",
		    buf_str(&now));
		return;
	}
	unix_format(&theirs, checkup->server_unix);
	if (ahead >= -DOCTOR_SKEW_SEC &&
	    (checkup->is_at_least || ahead <= DOCTOR_SKEW_SEC)) {
		checkup_good(checkup, DOCTOR_HERE, DOCTOR_CLOCK,
		    checkup->clock_source, "%s; that fits", buf_str(&now));
		return;
	}
	text = xasprintf("%s (%s)", checkup->clock_source, buf_str(&theirs));
	facts.skew_sec = ahead;
	facts.text = text;
	checkup_bad(checkup, &facts, checkup->clock_source, buf_str(&theirs));
}
