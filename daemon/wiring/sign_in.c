#include "daemon/wiring/sign_in.h"

#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/control/json.h"
#include "daemon/loop/child.h"
#include "daemon/loop/http.h"
#include "daemon/wiring/errand.h"
#include "daemon/wiring/redirect.h"

/* RFC 8628 section 3.5. */
#define SLOW_DOWN_SEC 5

struct sign_in {
	const struct sign_in_config *config;
	struct loop *loop;
	struct loop_timer *timer; /* of the device: the next question */
	struct loop_timer *end;
	struct oauth2_client client;
	struct secret secret;
	struct http *http;
	struct buf sent; /* the form of the last request */
	struct child *browser;
	/* In a browser. */
	struct redirect *redirect;
	struct buf state, verifier;
	char *redirect_uri;
	/* By a device. */
	struct oauth2_device device;
	int64_t interval;
	/* What comes of it. */
	struct oauth2_answer answer;
	bool ok;
	struct error error;
};

bool
sign_in_has(const struct config_account *account, enum oauth2_flow flow)
{
	return (flow == OAUTH2_DEVICE ? account->oauth2->device_url
				      : account->oauth2->authorize_url) != NULL;
}

static void
finish(struct sign_in *sign_in, bool ok, const struct error *error)
{
	sign_in->ok = ok;
	if (error != NULL)
		sign_in->error = *error;
	loop_quit(sign_in->loop);
}

static void
on_end(void *ctx)
{
	struct error error = ERROR_INIT;

	error_set(&error, FAULT_RETRY, "nobody signed in in time");
	finish(ctx, false, &error);
}

/* Takes the form. */
static void
send_form(
    struct sign_in *sign_in, const char *url, struct buf *form, http_fn *fn)
{
	STRV_AUTO headers = STRV_INIT;

	strv_add(&headers, OAUTH2_FORM_TYPE);
	strv_add(&headers, OAUTH2_ACCEPT);
	const struct http_request request = {
	    .url = url,
	    .headers = &headers,
	    .body = buf_span(form),
	    .ca_file = sign_in->config->account->tls_ca_file,
	    .only_https = true,
	};
	sign_in->http = http_send(sign_in->loop, &request, fn, sign_in);
	buf_wipe(&sign_in->sent);
	sign_in->sent = *form;
	*form = (struct buf)BUF_INIT;
}

static void
read_answer(struct sign_in *sign_in, const struct http_result *http)
{
	sign_in->http = NULL;
	oauth2_answer_done(&sign_in->answer);
	if (http->status != 0)
		oauth2_answer_read(http->status, http->body, http->is_cut,
		    buf_span(&sign_in->sent), &sign_in->answer);
	else
		oauth2_answer_fail(
		    sign_in->client.token_url, &http->error, &sign_in->answer);
}

/* ---- in a browser ---- */

static void
on_token(void *ctx, const struct http_result *http)
{
	struct sign_in *sign_in = ctx;

	read_answer(sign_in, http);
	if (sign_in->answer.kind == OAUTH2_TOKEN)
		finish(sign_in, true, NULL);
	else
		finish(sign_in, false, &sign_in->answer.error);
}

static void
on_redirect(void *ctx, const struct oauth2_callback *callback)
{
	struct sign_in *sign_in = ctx;
	struct buf form = BUF_INIT;

	if (callback->kind != OAUTH2_CALLBACK_CODE) {
		finish(sign_in, false, &callback->error);
		return;
	}
	oauth2_add_code_form(&form, &sign_in->client, sign_in->redirect_uri,
	    secret_span(&callback->code), buf_span(&sign_in->verifier));
	send_form(sign_in, sign_in->client.token_url, &form, on_token);
}

static void
add_random(struct buf *out, size_t count)
{
	unsigned char bytes[OAUTH2_VERIFIER_BYTES];

	if (getrandom(bytes, count, 0) != (ssize_t)count)
		abort(); /* so few bytes are never refused */
	oauth2_add_base64url(out, span_from(bytes, count));
	memory_wipe(bytes, sizeof(bytes));
}

static void
on_browser(void *ctx, const struct child_result *result)
{
	struct sign_in *sign_in = ctx;

	(void)result; /* the address is on the screen, too */
	sign_in->browser = NULL;
}

/* Not where it would take the terminal. */
static bool
open_browser(struct sign_in *sign_in, const char *url)
{
	STRV_AUTO argv = STRV_INIT;
	const struct child_config config = {
	    .argv = &argv, .limit = USEC_NEVER, .secret = true};

	if (!sign_in->config->opens || !spawn_finds("xdg-open") ||
	    (getenv("DISPLAY") == NULL && getenv("WAYLAND_DISPLAY") == NULL))
		return false;
	strv_add(&argv, "xdg-open");
	strv_add(&argv, url);
	sign_in->browser =
	    child_run(sign_in->loop, &config, on_browser, sign_in);
	return true;
}

static bool
start_browser(struct sign_in *sign_in, struct error *error_r)
{
	struct sign_in_task task = {.flow = OAUTH2_BROWSER};
	BUF_AUTO url = BUF_INIT;

	add_random(&sign_in->state, OAUTH2_STATE_BYTES);
	add_random(&sign_in->verifier, OAUTH2_VERIFIER_BYTES);
	sign_in->redirect = redirect_new(sign_in->loop, sign_in->config->port,
	    buf_span(&sign_in->state), on_redirect, sign_in, error_r);
	if (sign_in->redirect == NULL)
		return false;
	sign_in->redirect_uri =
	    xasprintf("http://%s:%u/", sign_in->client.provider->redirect_host,
		redirect_port(sign_in->redirect));
	oauth2_add_authorize_url(&url, &sign_in->client, sign_in->redirect_uri,
	    buf_span(&sign_in->state), buf_span(&sign_in->verifier));
	task.url = buf_str(&url);
	task.is_opened = open_browser(sign_in, task.url);
	sign_in->config->task(sign_in->config->ctx, &task);
	return true;
}

/* ---- by a device ---- */

static void
set_poll(struct sign_in *sign_in)
{
	loop_timer_set(sign_in->timer,
	    usec_add(loop_now(), (usec_t)sign_in->interval * USEC_SEC));
}

/* RFC 8628 section 3.5: trouble on the way is no answer, and makes the
 * questions rarer. */
static void
on_poll(void *ctx, const struct http_result *http)
{
	struct sign_in *sign_in = ctx;

	read_answer(sign_in, http);
	switch (sign_in->answer.kind) {
	case OAUTH2_TOKEN:
		finish(sign_in, true, NULL);
		break;
	case OAUTH2_SLOW_DOWN:
	case OAUTH2_BUSY:
		/* A certificate does not mend itself. */
		if (sign_in->answer.error.fault == FAULT_AUTH) {
			finish(sign_in, false, &sign_in->answer.error);
			break;
		}
		sign_in->interval += SLOW_DOWN_SEC;
		set_poll(sign_in);
		break;
	case OAUTH2_PENDING:
		set_poll(sign_in);
		break;
	case OAUTH2_DENIED:
	case OAUTH2_EXPIRED:
	case OAUTH2_LOST:
	case OAUTH2_REFUSED:
	case OAUTH2_GARBAGE:
		finish(sign_in, false, &sign_in->answer.error);
		break;
	}
}

static void
poll_device(void *ctx)
{
	struct sign_in *sign_in = ctx;
	struct buf form = BUF_INIT;

	oauth2_add_poll_form(
	    &form, &sign_in->client, secret_span(&sign_in->device.code));
	send_form(sign_in, sign_in->client.token_url, &form, on_poll);
}

static void
on_device(void *ctx, const struct http_result *http)
{
	struct sign_in *sign_in = ctx;
	struct sign_in_task task = {.flow = OAUTH2_DEVICE};
	usec_t limit;

	sign_in->http = NULL;
	if (http->status == 0) {
		oauth2_answer_fail(
		    sign_in->client.device_url, &http->error, &sign_in->answer);
		finish(sign_in, false, &sign_in->answer.error);
		return;
	}
	if (!oauth2_device_read(http->status, http->body, http->is_cut,
		buf_span(&sign_in->sent), &sign_in->device,
		&sign_in->answer)) {
		finish(sign_in, false, &sign_in->answer.error);
		return;
	}
	task.url = sign_in->device.url;
	task.complete_url = sign_in->device.complete_url;
	task.user_code = sign_in->device.user_code;
	task.life_sec = sign_in->device.life;
	task.is_opened = open_browser(
	    sign_in, task.complete_url != NULL ? task.complete_url : task.url);
	/* As long as the code lives, unless the caller said less. */
	limit = (usec_t)sign_in->device.life * USEC_SEC;
	if (sign_in->config->limit == 0)
		loop_timer_set(sign_in->end, usec_add(loop_now(), limit));
	sign_in->interval = sign_in->device.interval;
	set_poll(sign_in);
	sign_in->config->task(sign_in->config->ctx, &task);
}

static void
start_device(struct sign_in *sign_in)
{
	struct buf form = BUF_INIT;

	oauth2_add_device_form(&form, &sign_in->client);
	send_form(sign_in, sign_in->client.device_url, &form, on_device);
}

/* ---- kept ---- */

static bool
write_token(struct sign_in *sign_in, const struct oauth2_token *token,
    struct error *error_r)
{
	const char *path = sign_in->config->path;
	struct token_draft draft = {.fd = -1};
	struct buf text = BUF_INIT;
	int lock = token_file_wait_lock(path, error_r);
	bool ok;

	if (lock < 0)
		return false;
	oauth2_token_format(token, &text);
	ok = token_draft_begin(&draft, path, error_r) &&
	     token_draft_commit(&draft, buf_span(&text), error_r);
	buf_wipe(&text);
	token_draft_done(&draft);
	close(lock);
	return ok;
}

static bool
keep(struct sign_in *sign_in, struct sign_in_result *result_r,
    struct error *error_r)
{
	struct oauth2_token token = OAUTH2_TOKEN_INIT;
	bool ok;

	oauth2_token_take(
	    &token, &sign_in->answer, &sign_in->client, loop_now_unix());
	ok = write_token(sign_in, &token, error_r);
	if (ok)
		*result_r = (struct sign_in_result){
		    .expires_unix = token.expires_unix,
		    .can_renew = token.refresh.len > 0,
		    .missing = oauth2_token_missing(&token),
		};
	oauth2_token_done(&token);
	return ok;
}

/* ---- the whole ---- */

static bool
take_secret(struct sign_in *sign_in, struct error *error_r)
{
	const struct config_oauth2 *oauth2 = sign_in->config->account->oauth2;
	struct buf output = BUF_INIT;
	bool ok;

	if (oauth2->client_secret_command.len == 0) {
		secret_set(
		    &sign_in->secret, secret_span(&oauth2->client_secret));
		return true;
	}
	ok =
	    errand_run(&oauth2->client_secret_command, SPAN_EMPTY,
		SECRET_COMMAND_USEC, &output, error_r) &&
	    secret_from_output(oauth2->client_secret_command.items[0], 0, false,
		buf_span(&output), SPAN_EMPTY, &sign_in->secret, error_r);
	buf_wipe(&output);
	if (!ok)
		error_prefix(error_r, "oauth2_client_secret_command");
	return ok;
}

static bool
run(struct sign_in *sign_in, struct sign_in_result *result_r,
    struct error *error_r)
{
	const struct sign_in_config *config = sign_in->config;
	bool ok;

	if (!take_secret(sign_in, error_r))
		return false;
	sign_in->client =
	    token_client(config->account, secret_span(&sign_in->secret));
	loop_timer_set(sign_in->end,
	    usec_add(
		loop_now(), config->limit != 0 ? config->limit : SIGN_IN_USEC));
	if (config->flow == OAUTH2_DEVICE)
		start_device(sign_in);
	else if (!start_browser(sign_in, error_r))
		return false;
	loop_run(sign_in->loop);
	ok = sign_in->ok && keep(sign_in, result_r, &sign_in->error);
	if (!ok && error_r != NULL)
		*error_r = sign_in->error;
	/* Not before it is true. */
	if (sign_in->redirect != NULL && ok)
		redirect_answer(sign_in->redirect, 200, "Belfry is signed in",
		    "You can close this window.");
	else if (sign_in->redirect != NULL)
		redirect_answer(sign_in->redirect, 200,
		    "Belfry is not signed in",
		    "The terminal where you began says why. You can close "
		    "this window.");
	return ok;
}

static void
sign_in_done(struct sign_in *sign_in)
{
	http_cancel(&sign_in->http);
	/* The browser may be its child: it stays. */
	child_forget(&sign_in->browser);
	redirect_free(&sign_in->redirect);
	loop_timer_free(&sign_in->timer);
	loop_timer_free(&sign_in->end);
	loop_free(&sign_in->loop);
	buf_wipe(&sign_in->state);
	buf_wipe(&sign_in->verifier);
	buf_wipe(&sign_in->sent);
	free(sign_in->redirect_uri);
	oauth2_device_done(&sign_in->device);
	oauth2_answer_done(&sign_in->answer);
	secret_wipe(&sign_in->secret);
}

bool
sign_in_run(const struct sign_in_config *config,
    struct sign_in_result *result_r, struct error *error_r)
{
	struct sign_in sign_in = {.config = config};
	bool ok;

	json_wipe_memory();
	sign_in.loop = loop_new();
	sign_in.timer = loop_timer_new(sign_in.loop, poll_device, &sign_in);
	sign_in.end = loop_timer_new(sign_in.loop, on_end, &sign_in);
	ok = run(&sign_in, result_r, error_r);
	sign_in_done(&sign_in);
	return ok;
}
