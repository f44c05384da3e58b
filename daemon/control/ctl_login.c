/* login ACCOUNT: the person signs in, and belfryd has a token to renew. */
#include <stdio.h>
#include <unistd.h>

#include "daemon/base/xalloc.h"
#include "daemon/config/paths.h"
#include "daemon/control/ctl_login.h"
#include "daemon/wiring/sign_in.h"

/* For the daemon's word on it. */
#define DAEMON_USEC (5 * USEC_SEC)

struct login {
	struct ctl *ctl;
	const struct config_account *account;
	char *path; /* of the token */
	bool in_setup;
};

/* ---- what is said ---- */

static void
say_event(struct json *event)
{
	BUF_AUTO out = BUF_INIT;

	json_print(event, &out, false);
	buf_add_char(&out, '\n');
	json_free(&event);
	ctl_write(&out);
}

static struct json *
event_of(const struct login *login, const char *name)
{
	struct json *event = json_new_object();

	json_set_str(event, "event", name);
	json_set_str(event, "account", login->account->name);
	return event;
}

static void
say_task_json(const struct login *login, const struct sign_in_task *task)
{
	struct json *event;

	if (task->flow == OAUTH2_BROWSER) {
		event = event_of(login, "open");
		json_set_str(event, "url", task->url);
	} else {
		event = event_of(login, "device");
		json_set_str(event, "verification_uri", task->url);
		json_set_str(
		    event, "verification_uri_complete", task->complete_url);
		json_set_str(event, "user_code", task->user_code);
		json_set_int(event, "expires_in", task->life_sec);
	}
	json_set_bool(event, "opened", task->is_opened);
	say_event(event);
}

static void
say_browser(
    const struct login *login, const struct sign_in_task *task, struct buf *out)
{
	buf_addf(
	    out, "Sign in to %s as ", login->account->oauth2->provider->name);
	ctl_add_clean(out, login->account->user, CTL_CELL_MAX);
	buf_add_str(out,
	    task->is_opened
		? ".\nYour browser opens; if it does not, open this address:"
		: ".\nOpen this address in a browser of this machine:");
	buf_add_str(out, "\n\n");
	ctl_add_clean(out, task->url, CTL_TEXT_MAX);
	buf_add_str(out, "\n\nWaiting for the browser ...\n");
}

static void
say_device(
    const struct login *login, const struct sign_in_task *task, struct buf *out)
{
	buf_addf(
	    out, "Sign in to %s as ", login->account->oauth2->provider->name);
	ctl_add_clean(out, login->account->user, CTL_CELL_MAX);
	buf_add_str(out, ".\nOpen this address in any browser:\n\n    ");
	ctl_add_clean(out, task->url, CTL_TEXT_MAX);
	buf_add_str(out, "\n\nand type this code: ");
	ctl_add_colored(login->ctl, out, CTL_BOLD, task->user_code);
	buf_add_char(out, '\n');
	if (task->complete_url != NULL) {
		buf_add_str(out, "\nOr open this one, which has the code:\n\n"
				 "    ");
		ctl_add_clean(out, task->complete_url, CTL_TEXT_MAX);
		buf_add_char(out, '\n');
	}
	buf_add_str(out, "\nWaiting for you to sign in ...\n");
}

static void
on_task(void *ctx, const struct sign_in_task *task)
{
	const struct login *login = ctx;
	BUF_AUTO out = BUF_INIT;

	if (login->ctl->json) {
		say_task_json(login, task);
		return;
	}
	if (task->flow == OAUTH2_DEVICE)
		say_device(login, task, &out);
	else
		say_browser(login, task, &out);
	ctl_write(&out);
}

static int
fail(const struct login *login, int code, const char *hint,
    const struct error *error)
{
	struct json *event;

	if (!login->ctl->json)
		return ctl_fail(login->ctl, code, hint, "%s", error->text);
	event = event_of(login, "failed");
	json_set_str(event, "error", error->text);
	json_set_str(event, "hint", hint);
	say_event(event);
	return code;
}

/* ---- the daemon ---- */

/* Whether one runs, and has it. */
static bool
tell_daemon(const struct login *login)
{
	struct ctl ctl = *login->ctl;
	struct json *request = ctl_request(login->ctl), *answer = NULL;
	int code;

	ctl.mute = true;
	ctl.timeout = DAEMON_USEC;
	json_set_str(request, "account", login->account->name);
	code = ctl_ask(&ctl, request, &answer);
	json_free(&answer);
	return code == EX_OK;
}

/* ---- in ---- */

static void
add_result(const struct login *login, const struct sign_in_result *result,
    bool is_told, struct buf *out)
{
	buf_add_str(out, "Signed in.");
	if (!result->can_renew) {
		buf_add_str(out, " But the provider gave no refresh token: it "
				 "ends at ");
		ctl_add_time(out, result->expires_unix);
		buf_add_str(out, ", and then you have to sign in again.\n");
	} else if (login->in_setup) {
		buf_add_char(out, '\n');
	} else if (is_told) {
		buf_add_str(out, " belfryd uses it from now on.\n");
	} else {
		buf_addf(out,
		    " belfryd will use it when it is started, or after "
		    "`belfryctl reload`.\n"
		    "Does it work? belfryctl doctor %s\n",
		    login->account->name);
	}
	if (result->missing == NULL)
		return;
	buf_add_str(out, "warning: not all was granted that mail needs; ");
	ctl_add_clean(out, result->missing, CTL_CELL_MAX);
	buf_add_str(out, " is missing. Sign in again, and permit all.\n");
}

static int
finish(const struct login *login, const struct sign_in_result *result)
{
	bool is_told = !login->in_setup && tell_daemon(login);
	BUF_AUTO out = BUF_INIT;
	struct json *event;

	if (login->ctl->json) {
		event = event_of(login, "done");
		json_set_time(event, "expires", result->expires_unix);
		json_set_bool(event, "renews", result->can_renew);
		json_set_str(event, "missing_scope", result->missing);
		json_set_bool(event, "daemon", is_told);
		say_event(event);
		return EX_OK;
	}
	add_result(login, result, is_told, &out);
	return ctl_finish(&out, EX_OK);
}

static int
choose_flow(const struct login *login, enum oauth2_flow *flow_r)
{
	const struct config_account *account = login->account;
	bool browser = ctl_has(login->ctl, "browser");
	bool device = ctl_has(login->ctl, "device");
	enum oauth2_flow flow = account->oauth2->provider->flow;

	if (browser && device)
		return ctl_fail(login->ctl, EX_USAGE, NULL,
		    "--browser or --device, not both");
	if (browser || device)
		flow = device ? OAUTH2_DEVICE : OAUTH2_BROWSER;
	else if (!sign_in_has(account, flow))
		flow = flow == OAUTH2_DEVICE ? OAUTH2_BROWSER : OAUTH2_DEVICE;
	if (!sign_in_has(account, flow))
		return ctl_fail(login->ctl, EX_USAGE,
		    device ? "leave out --device" : "leave out --browser",
		    "there is no such way to sign in to %s for mail",
		    account->oauth2->provider->name);
	*flow_r = flow;
	return EX_OK;
}

static int
read_port(const struct login *login, unsigned *port_r)
{
	const char *text = ctl_get(login->ctl, "port");
	uint32_t port = 0;

	if (text != NULL && (!span_to_u32(span_from_str(text), &port) ||
				port < 1 || port > 65535))
		return ctl_fail(login->ctl, EX_USAGE, NULL,
		    "a port is a number from 1 to 65535");
	*port_r = port;
	return EX_OK;
}

/* What the person can do about it. */
static const char *
hint_for(enum oauth2_flow flow, const struct error *error)
{
	if (error->fault == FAULT_LOCAL)
		return NULL;
	if (error->fault == FAULT_RETRY && flow == OAUTH2_BROWSER)
		return "run it again; --device, where the provider has it, "
		       "needs no browser on this machine";
	if (error->fault == FAULT_RETRY)
		return "run it again";
	return "compare the oauth2_... lines of the account with what the "
	       "provider knows of your client id (belfry.conf(5), OAUTH2)";
}

static int
sign_in(const struct login *login)
{
	struct sign_in_config config = {
	    .account = login->account,
	    .path = login->path,
	    .opens = !ctl_has(login->ctl, "no-open"),
	    .limit = login->ctl->timeout,
	    .task = on_task,
	    .ctx = (void *)login,
	};
	struct sign_in_result result = {.missing = NULL};
	struct error error = ERROR_INIT;
	int code = choose_flow(login, &config.flow);

	if (code == EX_OK)
		code = read_port(login, &config.port);
	if (code != EX_OK)
		return code;
	if (!sign_in_run(&config, &result, &error))
		return fail(login,
		    error.fault == FAULT_LOCAL	 ? EX_CANTCREAT
		    : error.fault == FAULT_RETRY ? EX_TEMPFAIL
						 : EX_NOPERM,
		    hint_for(config.flow, &error), &error);
	code = finish(login, &result);
	free(result.missing);
	return code;
}

/* ---- out ---- */

static int
forget(const struct login *login)
{
	struct error error = ERROR_INIT;
	BUF_AUTO out = BUF_INIT;

	if (!token_file_remove(login->path, &error))
		return fail(login,
		    error.fault == FAULT_AUTH	 ? EX_NOINPUT
		    : error.fault == FAULT_RETRY ? EX_TEMPFAIL
						 : EX_CANTCREAT,
		    error.fault == FAULT_RETRY ? "run it again" : NULL, &error);
	tell_daemon(login);
	if (login->ctl->json) {
		say_event(event_of(login, "forgotten"));
		return EX_OK;
	}
	buf_addf(&out,
	    "Forgotten. %s still lists the permission: take it back there, "
	    "too,\nif it is not wanted any more.\n",
	    login->account->oauth2->provider->name);
	return ctl_finish(&out, EX_OK);
}

/* ---- who ---- */

static int
fail_other_login(const struct ctl *ctl, const struct config_account *account)
{
	return ctl_fail(ctl, EX_CONFIG,
	    "`oauth2_client_id = ...` in its section makes it do that "
	    "(belfry.conf(5), OAUTH2)",
	    "account %s does not sign in this way, but has a %s", account->name,
	    account->auth == CONFIG_AUTH_OAUTH2 ? "token_command" : "password");
}

bool
ctl_login_is_done(
    const struct config_account *account, const char *state_directory)
{
	STR_AUTO path = token_file_path(state_directory, account->name);
	struct oauth2_token token = OAUTH2_TOKEN_INIT;
	bool is_done = token_file_read(path, account, &token, NULL);

	oauth2_token_done(&token);
	return is_done;
}

int
ctl_login_in_setup(struct ctl *ctl, const struct config_account *account,
    const char *state_directory)
{
	struct login login = {
	    .ctl = ctl,
	    .account = account,
	    .path = token_file_path(state_directory, account->name),
	    .in_setup = true,
	};
	int code = sign_in(&login);

	free(login.path);
	return code;
}

void
ctl_login_take_back(
    const struct config_account *account, const char *state_directory)
{
	STR_AUTO path = token_file_path(state_directory, account->name);

	token_file_remove(path, NULL);
}

int
ctl_login(struct ctl *ctl)
{
	CTL_CONFIG_AUTO loaded = {0};
	struct login login = {.ctl = ctl};
	int code = ctl_config_need(ctl, NULL, &loaded);

	if (code != EX_OK)
		return code;
	login.account = config_find_account(loaded.config, ctl->arguments[0]);
	if (login.account == NULL)
		return ctl_fail(ctl, EX_USAGE,
		    "`belfryctl setup ADDRESS` makes one",
		    "there is no account of that name");
	if (login.account->secret.kind != SECRET_SIGN_IN)
		return fail_other_login(ctl, login.account);
	ctl_close_up();
	STR_AUTO state = config_state_directory(loaded.config);
	login.path = token_file_path(state, login.account->name);
	code = ctl_has(ctl, "forget") ? forget(&login) : sign_in(&login);
	free(login.path);
	return code;
}
