/* belfryctl probe: two connections of an account, and how long it took. */
#include <unistd.h>

#include "daemon/account/probe.h"
#include "daemon/base/random.h"
#include "daemon/base/xalloc.h"
#include "daemon/control/json.h"
#include "daemon/wiring/belfry.h"
#include "daemon/wiring/transport.h"

struct probing_end {
	struct probing *probing;
	enum probe_end end;
	struct transport *transport;
};

struct probing {
	struct list_link link; /* in belfry::probings */
	struct running_account *account;
	struct client *client; /* NULL: it has left; the mailbox goes still */
	struct probe *probe;
	struct probing_end ends[PROBE_ENDS];
	struct loop_timer *over;
	char *mailbox, *id;
	struct buf wire;
};

static void
free_probing(struct probing *probing)
{
	list_remove(&probing->link);
	for (int i = 0; i < PROBE_ENDS; i++)
		transport_free(&probing->ends[i].transport);
	probe_free(&probing->probe);
	loop_timer_free(&probing->over);
	buf_done(&probing->wire);
	free(probing->mailbox);
	free(probing->id);
	free(probing);
}

/* ---- the answer ---- */

static struct json *
steps_json(const struct probe_result *result)
{
	struct json *steps = json_new_array();

	for (int i = 0; i < PROBE_STEPS; i++) {
		enum probe_step step = (enum probe_step)i;
		if (result->took[i] == USEC_NEVER)
			continue;
		struct json *json = json_new_object();
		json_set_str(json, "step", probe_step_name(step));
		json_set_int(
		    json, "ms", (int64_t)(result->took[i] / USEC_MSEC));
		json_set_str(json, "what", probe_step_words(step));
		json_add(steps, json);
	}
	return steps;
}

static void
answer(struct probing *probing)
{
	const struct probe_result *result = probe_result(probing->probe);
	bool good = result->error.fault == FAULT_NONE;
	struct json *json = json_new_object();

	json_set_str(json, "account", probing->account->config->name);
	json_set_str(json, "mailbox", probing->mailbox);
	json_set(json, "steps", steps_json(result));
	json_set_bool(json, "idle", result->has_idle);
	json_set_bool(json, "arrived", result->took[PROBE_FETCH] != USEC_NEVER);
	json_set_bool(json, "remains", result->remains);
	json_set_str(json, "trouble", good ? NULL : result->error.text);
	if (probing->client != NULL)
		control_reply(probing->client, json);
	else
		json_free(&json);
	probing->client = NULL;
}

static void
on_leave(void *ctx)
{
	struct probing *probing = ctx;

	probing->client = NULL;
}

/* ---- needs ---- */

static void
meet_need(struct probing *probing, const struct probe_event *event)
{
	struct transport *transport = probing->ends[event->end].transport;

	switch (event->kind) {
	case PROBE_NEED_CONNECT:
		transport_connect(transport);
		break;
	case PROBE_NEED_STARTTLS:
		transport_start_tls(transport);
		break;
	case PROBE_NEED_SECRET:
		transport_ask_secret(transport);
		break;
	case PROBE_NEED_DISCONNECT:
		transport_disconnect(transport);
		break;
	case PROBE_FINISHED:
		answer(probing);
		loop_timer_set(probing->over, 0);
		break;
	}
}

static void
pump(struct probing *probing)
{
	struct probe_event event;

	while (probe_next_event(probing->probe, &event))
		meet_need(probing, &event);
	for (int i = 0; i < PROBE_ENDS; i++)
		transport_arm(probing->ends[i].transport);
}

static void
on_over(void *ctx)
{
	free_probing(ctx);
}

static void
on_connected(void *ctx)
{
	struct probing_end *end = ctx;

	probe_connected(end->probing->probe, end->end, loop_now());
}

static void
on_failed(void *ctx, const struct error *error)
{
	struct probing_end *end = ctx;

	probe_connect_failed(end->probing->probe, end->end, error, loop_now());
}

static void
on_tls_started(void *ctx)
{
	struct probing_end *end = ctx;

	probe_tls_started(end->probing->probe, end->end, loop_now());
}

static void
on_secret(void *ctx, struct span secret, const struct sasl_once *once)
{
	struct probing_end *end = ctx;

	probe_once(end->probing->probe, end->end, once);
	probe_secret(end->probing->probe, end->end, secret, loop_now());
}

static void
on_pump(void *ctx)
{
	struct probing_end *end = ctx;

	pump(end->probing);
}

static struct transport *
make_transport(struct probing_end *end)
{
	const struct transport_owner callbacks = {
	    .class = &probe_line_class,
	    .engine = probe_line(end->probing->probe, end->end),
	    .connected = on_connected,
	    .failed = on_failed,
	    .tls_started = on_tls_started,
	    .secret = on_secret,
	    .secret_failed = on_failed,
	    .pump = on_pump,
	    .ctx = end,
	};
	struct running_account *account = end->probing->account;

	return transport_new(account, &account->config->imap, &callbacks);
}

/* ---- the request ---- */

static char *
make_id(const char *account)
{
	struct random random;

	random_init(&random, loop_now() ^ ((uint64_t)getpid() << 32));
	return xasprintf("%016llx%zx", (unsigned long long)random_next(&random),
	    strlen(account));
}

static void
begin(struct belfry *belfry, struct client *client,
    struct running_account *account, const char *mailbox, struct buf *wire)
{
	struct probing *probing = NEW(struct probing);

	probing->account = account;
	probing->client = client;
	probing->mailbox = xstrdup(mailbox);
	probing->id = make_id(mailbox);
	buf_add_span(&probing->wire, buf_span(wire));
	const struct probe_config config = {
	    .imap = account_get_config(account->account)->mailbox.imap,
	    .mailbox = buf_str(&probing->wire),
	    .id = probing->id,
	    .email = account->config->email,
	};
	probing->probe = probe_new(&config, loop_now());
	probing->over = loop_timer_new(belfry->loop, on_over, probing);
	for (int i = 0; i < PROBE_ENDS; i++) {
		probing->ends[i].probing = probing;
		probing->ends[i].end = (enum probe_end)i;
		probing->ends[i].transport = make_transport(&probing->ends[i]);
	}
	list_add(&belfry->probings, &probing->link);
	control_on_leave(client, on_leave, probing);
	pump(probing);
	/* That new connections live says nothing of those that listen. */
	account_hint(account->account, loop_now());
	accounts_pump(account);
}

/* As the server writes it: names were listed by whoever watches. */
static bool
wire_name(struct running_account *account, const char *name, struct buf *wire,
    struct error *error_r)
{
	for (size_t i = 0; i < account_count(account->account); i++) {
		const struct folders *folders =
		    mailbox_folders(account_mailbox(account->account, i));
		if (!folders->known)
			continue;
		if (!folders_wire_name(folders, name, wire, error_r))
			return false;
		if (folders_find(folders, buf_span(wire)) == NULL)
			return true;
		return error_set(error_r, FAULT_CONFIG,
		    "the mailbox %s is there already, and is not touched",
		    name);
	}
	return error_set(error_r, FAULT_RETRY, "it was never connected yet");
}

static bool
is_probing(const struct belfry *belfry, const struct running_account *account)
{
	LIST_EACH(pos, &belfry->probings)
	if (LIST_ITEM(pos, struct probing, link)->account == account)
		return true;
	return false;
}

void
probe_ask(
    struct belfry *belfry, struct client *client, const struct json *request)
{
	const char *name = json_get_str(request, "account");
	const char *mailbox = json_get_str(request, "mailbox");
	struct running_account *account =
	    name != NULL ? accounts_find(belfry, name) : NULL;
	struct error error = ERROR_INIT;
	BUF_AUTO wire = BUF_INIT;

	if (mailbox == NULL)
		mailbox = PROBE_MAILBOX;
	if (account == NULL)
		control_refuse_account(client, name);
	else if (belfry->dry_run)
		control_refuse(client, NULL,
		    "belfryd runs with --dry-run: nothing is changed");
	else if (account->paused)
		control_refuse(client, "belfryctl resume connects it again",
		    "the account %s is paused", name);
	else if (account_lockout(account->account) != NULL)
		control_refuse(client, "put it right, then: belfryctl reload",
		    "the account %s is locked out: %s", name,
		    account_lockout(account->account));
	else if (is_probing(belfry, account))
		control_refuse(client, "try again in a minute",
		    "the account %s is being probed", name);
	else if (!wire_name(account, mailbox, &wire, &error))
		control_refuse(client,
		    error.fault == FAULT_RETRY
			? "belfryctl status says more"
			: "--mailbox names another one, to be made and deleted",
		    "%s: %s", name, error.text);
	else
		begin(belfry, client, account, mailbox, &wire);
}

void
probe_forget_account(struct running_account *account)
{
	LIST_EACH(pos, &account->belfry->probings)
	{
		struct probing *probing = LIST_ITEM(pos, struct probing, link);
		if (probing->account != account)
			continue;
		if (probing->client != NULL)
			control_refuse(probing->client, NULL,
			    "the account %s was stopped, or its settings "
			    "changed: the mailbox %s may be there still",
			    account->config->name, probing->mailbox);
		free_probing(probing);
	}
}
