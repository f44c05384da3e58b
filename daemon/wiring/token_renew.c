#include "daemon/wiring/token_renew.h"

#include <unistd.h>

#include "daemon/base/xalloc.h"
#include "daemon/control/json.h"
#include "daemon/loop/child.h"
#include "daemon/loop/http.h"
#include "daemon/loop/worker.h"
#include "daemon/oauth2/keeper.h"

#define LOCK_LOOK_USEC (100 * USEC_MSEC)
#define WRITE_AGAIN_USEC (5 * USEC_SEC)

struct token_renew {
	struct token_renew_config config;
	struct loop_exit *exit_call; /* nobody waits for it any more */
	bool is_asking;
	char *path;
	struct secret old, secret; /* the client's */
	struct oauth2_token token; /* says whom it is for, too */
	struct loop_timer *timer;
	usec_t lock_end;
	int lock; /* -1: not ours */
	struct token_draft draft;
	/* What is under way. */
	struct child *child;
	struct http *http;
	struct buf sent; /* the form */
	struct work *work;
	struct token_renewal result;
};

/* Of the whole process, also of those that nobody waits for any more. */
static unsigned asking_count;

/* One after the other, in a thread: disks may be slow. */
static struct worker_pool pool = WORKER_POOL_INIT(pool, 1, 1, 0);

static void
set_asking(struct token_renew *renew, bool is_asking)
{
	if (renew->is_asking == is_asking)
		return;
	renew->is_asking = is_asking;
	if (is_asking)
		asking_count++;
	else
		asking_count--;
}

static void
renew_free(struct token_renew *renew)
{
	set_asking(renew, false);
	loop_exit_free(&renew->exit_call);
	loop_timer_free(&renew->timer);
	child_cancel(&renew->child);
	http_cancel(&renew->http);
	work_cancel(&renew->work);
	token_draft_done(&renew->draft);
	if (renew->lock >= 0)
		close(renew->lock);
	buf_wipe(&renew->sent);
	secret_wipe(&renew->old);
	secret_wipe(&renew->secret);
	oauth2_token_done(&renew->token);
	free(renew->path);
	free(renew);
}

static void
finish(struct token_renew *renew)
{
	struct token_renewal *result = &renew->result;

	/* Under the lock: the file is what `done` hears of. */
	result->token = result->kind == OAUTH2_TOKEN ? &renew->token : NULL;
	set_asking(renew, false);
	if (renew->config.done != NULL)
		renew->config.done(renew->config.ctx, result);
	renew_free(renew);
}

static void
finish_with(
    struct token_renew *renew, enum oauth2_kind kind, const struct error *error)
{
	renew->result.kind = kind;
	renew->result.error = *error;
	finish(renew);
}

/* ---- writing ---- */

/* What the thread has. */
struct writing {
	struct token_draft draft;
	struct buf text;
	int lock; /* -1, or to be closed with it */
	bool ok;
	struct error error;
};

static void
run_writing(void *ctx)
{
	struct writing *writing = ctx;

	writing->ok = token_draft_commit(
	    &writing->draft, buf_span(&writing->text), &writing->error);
}

static void
free_writing(void *ctx)
{
	struct writing *writing = ctx;

	token_draft_done(&writing->draft);
	if (writing->lock >= 0)
		close(writing->lock);
	buf_wipe(&writing->text);
	free(writing);
}

static void
on_written(void *ctx, void *owner)
{
	struct writing *writing = ctx;
	struct token_renew *renew = owner;

	renew->work = NULL;
	renew->draft = writing->draft;
	writing->draft = (struct token_draft){.fd = -1};
	renew->lock = writing->lock;
	writing->lock = -1;
	if (writing->ok) {
		renew->result.kind = OAUTH2_TOKEN;
		finish(renew);
		return;
	}
	if (renew->config.trouble != NULL)
		renew->config.trouble(renew->config.ctx, &writing->error);
	loop_timer_set(renew->timer, usec_add(loop_now(), WRITE_AGAIN_USEC));
}

static const struct work_class writing_class = {
    run_writing, on_written, free_writing};

static void
write_token(struct token_renew *renew)
{
	struct writing *writing = NEW(struct writing);

	writing->draft = renew->draft;
	renew->draft = (struct token_draft){.fd = -1};
	writing->lock = renew->lock;
	renew->lock = -1;
	oauth2_token_format(&renew->token, &writing->text);
	renew->work = work_start(&pool, renew->config.loop, &writing_class,
	    renew->path, writing, renew);
}

/* ---- asking ---- */

static void
on_answer(void *ctx, const struct http_result *http)
{
	struct token_renew *renew = ctx;
	struct oauth2_answer answer;

	renew->http = NULL;
	if (http->status != 0)
		oauth2_answer_read(http->status, http->body, http->is_cut,
		    buf_span(&renew->sent), &answer);
	else
		oauth2_answer_fail(
		    renew->token.token_url, &http->error, &answer);
	renew->result.retry_after = http->retry_after;
	if (answer.kind == OAUTH2_TOKEN) {
		oauth2_token_renew(&renew->token, &answer, loop_now_unix());
		write_token(renew);
	} else {
		finish_with(renew, answer.kind, &answer.error);
	}
	oauth2_answer_done(&answer);
}

static void
ask(struct token_renew *renew)
{
	const struct config_account *account = renew->config.account;
	struct oauth2_client client =
	    token_client(account, secret_span(&renew->secret));
	STRV_AUTO headers = STRV_INIT;
	struct error error = ERROR_INIT;
	struct buf form = BUF_INIT;

	/* First the room for what comes: it may come only once. */
	if (!token_draft_begin(&renew->draft, renew->path, &error)) {
		finish_with(renew, OAUTH2_BUSY, &error);
		return;
	}
	strv_add(&headers, OAUTH2_FORM_TYPE);
	strv_add(&headers, OAUTH2_ACCEPT);
	oauth2_add_refresh_form(
	    &form, &client, secret_span(&renew->token.refresh));
	const struct http_request request = {
	    .url = client.token_url,
	    .headers = &headers,
	    .body = buf_span(&form),
	    .ca_file = account->tls_ca_file,
	    .only_https = true,
	};
	set_asking(renew, true);
	renew->http = http_send(renew->config.loop, &request, on_answer, renew);
	renew->sent = form;
}

static void
on_secret(void *ctx, const struct child_result *result)
{
	struct token_renew *renew = ctx;
	const struct strv *argv =
	    &renew->config.account->oauth2->client_secret_command;
	struct error error = ERROR_INIT;

	renew->child = NULL;
	if (result->started &&
	    secret_from_output(argv->items[0], result->status,
		result->timed_out, result->output, result->errors,
		&renew->secret, &error)) {
		ask(renew);
		return;
	}
	if (!result->started)
		error = result->error;
	error_prefix(&error, "oauth2_client_secret_command");
	finish_with(renew, OAUTH2_BUSY, &error);
}

static void
take_secret(struct token_renew *renew)
{
	const struct config_oauth2 *oauth2 = renew->config.account->oauth2;
	const struct child_config config = {
	    .argv = &oauth2->client_secret_command,
	    .limit = SECRET_COMMAND_USEC,
	    .secret = true,
	};

	if (oauth2->client_secret_command.len > 0) {
		renew->child =
		    child_run(renew->config.loop, &config, on_secret, renew);
		return;
	}
	secret_set(&renew->secret, secret_span(&oauth2->client_secret));
	ask(renew);
}

/* ---- what is there ---- */

/* Under the lock: somebody else may have been faster. */
static void
look(struct token_renew *renew)
{
	struct error error = ERROR_INIT;
	bool is_other;

	if (!token_file_read(
		renew->path, renew->config.account, &renew->token, &error)) {
		finish_with(renew,
		    error.fault == FAULT_AUTH ? OAUTH2_LOST : OAUTH2_BUSY,
		    &error);
		return;
	}
	is_other = !span_equal(
	    secret_span(&renew->token.access), secret_span(&renew->old));
	if (is_other && oauth2_token_left(&renew->token, loop_now_unix()) >
			    (int64_t)(OAUTH2_TAIL_USEC / USEC_SEC)) {
		renew->result.is_anothers = true;
		renew->result.kind = OAUTH2_TOKEN;
		finish(renew);
	} else if (renew->token.refresh.len > 0) {
		take_secret(renew);
	} else {
		error_set(&error, FAULT_AUTH,
		    "the token has ended, and the provider gave none to renew "
		    "it with");
		finish_with(renew, OAUTH2_LOST, &error);
	}
}

static void
try_lock(struct token_renew *renew)
{
	struct error error = ERROR_INIT;

	renew->lock = token_file_lock(renew->path, &error);
	if (renew->lock >= 0)
		look(renew);
	else if (error.fault == FAULT_RETRY && loop_now() < renew->lock_end)
		loop_timer_set(
		    renew->timer, usec_add(loop_now(), LOCK_LOOK_USEC));
	else
		finish_with(renew, OAUTH2_BUSY, &error);
}

static void
on_timer(void *ctx)
{
	struct token_renew *renew = ctx;

	if (renew->lock < 0)
		try_lock(renew);
	else
		write_token(renew);
}

struct token_renew *
token_renew_start(const struct token_renew_config *config)
{
	struct token_renew *renew = NEW(struct token_renew);

	json_wipe_memory();
	renew->config = *config;
	renew->path = xstrdup(config->path);
	secret_set(&renew->old, config->old);
	renew->lock = -1;
	renew->draft.fd = -1;
	renew->lock_end = usec_add(loop_now(), TOKEN_LOCK_USEC);
	renew->timer = loop_timer_new(config->loop, on_timer, renew);
	loop_timer_set(renew->timer, loop_now());
	return renew;
}

bool
token_renew_any_asking(void)
{
	return asking_count > 0;
}

static void
on_loop_end(void *ctx)
{
	renew_free(ctx);
}

void
token_renew_cancel(struct token_renew **renew_ptr)
{
	struct token_renew *renew = *renew_ptr;

	if (renew == NULL)
		return;
	*renew_ptr = NULL;
	if (!renew->is_asking) {
		renew_free(renew);
		return;
	}
	renew->config.account = NULL;
	renew->config.done = NULL;
	renew->config.trouble = NULL;
	renew->exit_call = loop_at_free(renew->config.loop, on_loop_end, renew);
}
