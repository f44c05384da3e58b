/*
 * Runs over messages that are there already: begun, joined, cancelled and
 * followed by clients; taken up again after a restart.
 */
#include <limits.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/control/json.h"
#include "daemon/wiring/belfry.h"

/* A client that is told how a run goes on. */
struct follower {
	struct list_link link; /* in belfry::followers */
	struct belfry *belfry;
	struct client *client;
	char *account, *mailbox;
	unsigned run;
	struct mailbox *dry; /* of a dry run: who counts; else NULL */
	usec_t told;	     /* when the last line was sent */
};

static void
free_follower(struct follower *follower)
{
	list_remove(&follower->link);
	free(follower->account);
	free(follower->mailbox);
	free(follower);
}

/* A run that only counts is for its client alone. */
static void
on_leave(void *ctx)
{
	struct follower *follower = ctx;
	struct mailbox *dry = follower->dry;
	struct running_account *account =
	    accounts_find(follower->belfry, follower->account);

	free_follower(follower);
	if (dry == NULL || account == NULL)
		return;
	mailbox_apply_cancel(dry, loop_now());
	accounts_pump(account);
}

static void
follow(struct belfry *belfry, struct client *client,
    const struct store_apply *apply, struct mailbox *dry)
{
	struct follower *follower = NEW(struct follower);

	follower->belfry = belfry;
	follower->client = client;
	follower->account = xstrdup(apply->account);
	follower->mailbox = xstrdup(apply->mailbox);
	follower->run = apply->run;
	follower->dry = dry;
	list_add(&belfry->followers, &follower->link);
	control_on_leave(client, on_leave, follower);
}

static size_t
count_followers(const struct belfry *belfry)
{
	size_t count = 0;

	LIST_EACH(pos, &belfry->followers)
	count++;
	return count;
}

/* ---- how it stands, as JSON ---- */

static void
set_row(struct json *json, const struct store_apply *apply)
{
	json_set_str(json, "account", apply->account);
	json_set_str(json, "mailbox", apply->mailbox);
	json_set_int(json, "run", apply->run);
	json_set_str(json, "state", apply_state_name(apply->state));
	json_set_str(
	    json, "detail", apply->detail[0] != '\0' ? apply->detail : NULL);
	json_set_time(json, "since", apply->since_unix);
	json_set_time(json, "until", apply->until_unix);
	json_set_str(
	    json, "only_rules", apply->rules[0] != '\0' ? apply->rules : NULL);
	json_set_bool(json, "notify", apply->notify != 0);
	json_set_time(json, "started", apply->started_unix);
	json_set_int(json, "first_uid", apply->first_uid);
	json_set_int(json, "next_uid", apply->next_uid);
	json_set_int(json, "end_uid", apply->end_uid);
	json_set_int(json, "total", (int64_t)apply->total);
	json_set_int(json, "looked", (int64_t)apply->looked);
	json_set_int(json, "matched", (int64_t)apply->matched);
	json_set_int(json, "observed", (int64_t)apply->observed);
	json_set_int(json, "busy", (int64_t)apply->busy);
	json_set_int(json, "left_out", (int64_t)apply->left_out);
	json_set_str(
	    json, "left_uids", apply->left_out > 0 ? apply->left_uids : NULL);
}

static struct json *
tally_json(const struct tally *tally)
{
	struct json *rules = json_new_array();

	for (size_t i = 0; i < tally->count; i++) {
		const struct tally_row *row = &tally->rows[i];
		struct json *json = json_new_object();
		struct json *actions = json_new_object();
		json_set_str(json, "rule", row->rule);
		json_set_int(json, "matched", (int64_t)row->matched);
		json_set_int(json, "observed", (int64_t)row->observed);
		json_set_int(json, "over_limit", (int64_t)row->over_limit);
		for (int kind = 0; kind < ACTION_KINDS; kind++)
			if (row->actions[kind] > 0)
				json_set_int(actions,
				    action_name((enum action_kind)kind),
				    (int64_t)row->actions[kind]);
		json_set(json, "actions", actions);
		json_add(rules, json);
	}
	return rules;
}

/* "connecting", while there is no connection; "waiting", when all that is
 * left is to be tried again later. */
static const char *
phase_of(const struct mailbox_apply_status *run,
    const struct mailbox_status *mailbox)
{
	if (mailbox->next_try != USEC_NEVER)
		return "connecting";
	if (!run->is_judged)
		return "judging";
	return run->open > run->waiting ? "acting" : "waiting";
}

static struct json *
status_json(const struct mailbox_apply_status *run, struct mailbox *mailbox)
{
	struct json *json = json_new_object();
	struct mailbox_status status;

	mailbox_get_status(mailbox, &status);
	set_row(json, run->apply);
	json_set_bool(json, "dry_run", run->is_dry);
	json_set_str(json, "phase", phase_of(run, &status));
	json_set_str(
	    json, "trouble", status.trouble[0] != '\0' ? status.trouble : NULL);
	json_set_int(json, "open", (int64_t)run->open);
	json_set_int(json, "waiting", (int64_t)run->waiting);
	json_set_int(json, "done", (int64_t)run->done);
	json_set_int(json, "failed", (int64_t)run->failed);
	return json;
}

static bool
add_effects(void *ctx, const char *rule, const char *kind,
    enum effect_state state, uint64_t count)
{
	struct json *json = json_new_object();

	json_set_str(json, "rule", rule);
	json_set_str(json, "action", kind);
	json_set_str(json, "state", effect_state_name(state));
	json_set_int(json, "count", (int64_t)count);
	json_add(ctx, json);
	return true;
}

/* What was planned, by rule; and what became of it, of a run that is real. */
static void
set_outcome(struct belfry *belfry, struct json *json,
    const struct mailbox_apply_status *run)
{
	struct json *effects = json_new_array();

	json_set(json, "rules", tally_json(run->tally));
	if (!run->is_dry)
		store_count_apply(
		    belfry->store, run->apply, add_effects, effects, NULL);
	json_set(json, "effects", effects);
}

/* ---- telling ---- */

static bool
is_over(const struct mailbox_apply_status *run)
{
	return !apply_is_unfinished(run->apply->state);
}

static void
tell(struct belfry *belfry, struct follower *follower,
    const struct mailbox_apply_status *run, struct mailbox *mailbox)
{
	struct json *json = status_json(run, mailbox);

	follower->told = loop_now();
	json_set_bool(json, "ok", true);
	json_set_str(json, "event", is_over(run) ? "end" : "progress");
	if (!is_over(run)) {
		control_line(follower->client, json);
		return;
	}
	set_outcome(belfry, json, run);
	control_reply(follower->client, json);
	free_follower(follower);
}

static bool
follows(const struct follower *follower, const struct line *line,
    const struct mailbox_apply_status *run)
{
	if (run->is_dry || follower->dry != NULL)
		return run->is_dry && follower->dry == line->mailbox;
	return strcmp(follower->account, line->owner->config->name) == 0 &&
	       strcmp(follower->mailbox, mailbox_name(line->mailbox)) == 0 &&
	       follower->run == run->apply->run;
}

static void
log_end(struct line *line, const struct mailbox_apply_status *run)
{
	const struct store_apply *apply = run->apply;

	report_note(line->owner->belfry, apply->state == APPLY_ENDED, "applied",
	    apply->account, "%s: %s, %llu messages looked at, %llu matched%s%s",
	    apply->mailbox, apply_state_name(apply->state),
	    (unsigned long long)apply->looked,
	    (unsigned long long)apply->matched,
	    apply->detail[0] != '\0' ? ": " : "", apply->detail);
}

void
apply_progress(struct line *line)
{
	struct belfry *belfry = line->owner->belfry;
	struct mailbox_apply_status run;

	if (!mailbox_get_apply(line->mailbox, &run, loop_now()))
		return;
	LIST_EACH(pos, &belfry->followers)
	{
		struct follower *follower =
		    LIST_ITEM(pos, struct follower, link);
		if (follows(follower, line, &run) &&
		    (is_over(&run) || usec_since(follower->told, loop_now()) >=
					  APPLY_PROGRESS_USEC))
			tell(belfry, follower, &run, line->mailbox);
	}
	if (is_over(&run) && !run.is_dry)
		log_end(line, &run);
}

/* The visitor goes without having finished: its login was refused. */
void
apply_left(struct line *line)
{
	struct belfry *belfry = line->owner->belfry;
	struct mailbox_apply_status run;
	struct mailbox_status status;

	if (!mailbox_get_apply(line->mailbox, &run, loop_now()) ||
	    is_over(&run))
		return;
	mailbox_get_status(line->mailbox, &status);
	LIST_EACH(pos, &belfry->followers)
	{
		struct follower *follower =
		    LIST_ITEM(pos, struct follower, link);
		if (!follows(follower, line, &run))
			continue;
		control_refuse(follower->client,
		    "the run goes on when the account logs in again", "%s: %s",
		    follower->account, status.trouble);
		free_follower(follower);
	}
}

/* A dry run is in nobody's memory but the mailbox's. */
void
apply_forget_line(struct line *line)
{
	struct belfry *belfry = line->owner->belfry;
	struct mailbox_apply_status run;

	if (!mailbox_get_apply(line->mailbox, &run, loop_now()) || !run.is_dry)
		return;
	LIST_EACH(pos, &belfry->followers)
	{
		struct follower *follower =
		    LIST_ITEM(pos, struct follower, link);
		if (!follows(follower, line, &run))
			continue;
		control_refuse(follower->client, NULL,
		    "the account %s was stopped, or its settings changed",
		    follower->account);
		free_follower(follower);
	}
}

/* ---- the store ---- */

struct finding {
	const char *account, *mailbox;
	bool found;
	struct store_apply apply; /* its strings: */
	char *rules, *left_uids;
};

static void
finding_done(struct finding *finding)
{
	free(finding->rules);
	free(finding->left_uids);
}

static bool
note_apply(void *ctx, const struct store_apply *apply)
{
	struct finding *finding = ctx;

	if (strcmp(apply->mailbox, finding->mailbox) != 0)
		return true;
	finding->found = true;
	finding->rules = xstrdup(apply->rules);
	finding->left_uids = xstrdup(apply->left_uids);
	finding->apply = *apply;
	finding->apply.account = finding->account;
	finding->apply.mailbox = finding->mailbox;
	finding->apply.rules = finding->rules;
	finding->apply.left_uids = finding->left_uids;
	finding->apply.detail = "";
	return false;
}

/* The last run of the mailbox; *finding is the caller's: finding_done. */
static bool
find_apply(
    struct belfry *belfry, struct finding *finding, struct error *error_r)
{
	return store_each_apply(
	    belfry->store, finding->account, note_apply, finding, error_r);
}

static bool
commit_apply(struct belfry *belfry, const struct store_apply *apply,
    struct error *error_r)
{
	struct store_batch *batch = store_batch_new();
	bool ok;

	store_batch_set_apply(batch, apply);
	ok = journal_commit_now(belfry->journal, batch, error_r);
	store_batch_free(&batch);
	return ok;
}

bool
apply_load(struct line *line, struct error *error_r)
{
	struct finding finding = {
	    .account = line->owner->config->name,
	    .mailbox = mailbox_name(line->mailbox),
	};
	bool ok = find_apply(line->owner->belfry, &finding, error_r);

	if (ok && finding.found && apply_is_unfinished(finding.apply.state))
		mailbox_load_apply(line->mailbox, &finding.apply);
	finding_done(&finding);
	return ok;
}

/* ---- resuming ---- */

struct unfinished {
	struct strv mailboxes;
};

static bool
note_unfinished(void *ctx, const struct store_apply *apply)
{
	struct unfinished *unfinished = ctx;

	if (apply_is_unfinished(apply->state))
		strv_add(&unfinished->mailboxes, apply->mailbox);
	return true;
}

static void
resume(struct running_account *account, const char *mailbox)
{
	struct finding finding = {
	    .account = account->config->name,
	    .mailbox = mailbox,
	};

	if (find_apply(account->belfry, &finding, NULL) && finding.found)
		account_apply(
		    account->account, &finding.apply, false, loop_now(), NULL);
	finding_done(&finding);
}

/* What cannot begin now is tried again: at the next login, or in a while. */
void
apply_resume(struct running_account *account)
{
	struct belfry *belfry = account->belfry;
	struct unfinished unfinished = {0};

	if (belfry->dry_run || belfry->leaving || account->paused)
		return;
	store_each_apply(belfry->store, account->config->name, note_unfinished,
	    &unfinished, NULL);
	for (size_t i = 0; i < unfinished.mailboxes.len; i++)
		resume(account, unfinished.mailboxes.items[i]);
	strv_done(&unfinished.mailboxes);
}

void
apply_tidy(struct belfry *belfry)
{
	LIST_EACH(pos, &belfry->accounts)
	{
		struct running_account *account =
		    LIST_ITEM(pos, struct running_account, link);
		apply_resume(account);
		left_open_look(account);
		accounts_pump(account);
	}
	LIST_EACH(pos, &belfry->followers)
	{
		struct follower *follower =
		    LIST_ITEM(pos, struct follower, link);
		if (accounts_find(belfry, follower->account) != NULL)
			continue;
		control_refuse(follower->client, NULL,
		    "there is no account %s any more", follower->account);
		free_follower(follower);
	}
}

/* ---- requests ---- */

struct wish {
	struct belfry *belfry;
	struct client *client;
	struct running_account *account;
	const char *mailbox; /* as the store has it */
	int64_t since_unix, until_unix;
	const char *rules; /* ids between blanks */
	bool notify, is_dry, is_cancel;
	bool joins; /* also a run that is not dry, when one is under way */
};

/* Joins a run, new or not, and tells how it stands. */
static void
join(const struct wish *wish, struct mailbox *mailbox, bool is_dry)
{
	struct mailbox_apply_status run;
	struct follower *follower;

	if (!mailbox_get_apply(mailbox, &run, loop_now())) {
		control_refuse(wish->client, NULL, "the run is over");
		return;
	}
	follow(wish->belfry, wish->client, run.apply, is_dry ? mailbox : NULL);
	follower =
	    LIST_ITEM(wish->belfry->followers.prev, struct follower, link);
	tell(wish->belfry, follower, &run, mailbox);
	accounts_pump(wish->account);
}

static void
refuse(const struct wish *wish, const char *hint, const struct error *error)
{
	control_refuse(wish->client, hint, "%s/%s: %s",
	    wish->account->config->name, wish->mailbox, error->text);
}

static struct mailbox *
hand_over(const struct wish *wish, const struct store_apply *apply, bool is_dry,
    struct error *error_r)
{
	return account_apply(
	    wish->account->account, apply, is_dry, loop_now(), error_r);
}

/* The engine ends it; where there is none now, the next one finds that it is
 * to be ended. */
static void
cancel(const struct wish *wish, struct store_apply *apply)
{
	struct error error = ERROR_INIT;
	struct mailbox *mailbox = hand_over(wish, apply, false, &error);

	if (mailbox != NULL) {
		mailbox_apply_cancel(mailbox, loop_now());
		join(wish, mailbox, false);
		return;
	}
	apply->state = APPLY_CANCELLING;
	if (commit_apply(wish->belfry, apply, &error))
		error_set(&error, FAULT_RETRY,
		    "no more messages are judged; what was begun is finished "
		    "when the account is connected");
	refuse(wish, NULL, &error);
}

static void
join_unfinished(const struct wish *wish, struct store_apply *apply)
{
	struct error error = ERROR_INIT;
	struct mailbox *mailbox;

	if (wish->is_cancel) {
		cancel(wish, apply);
		return;
	}
	if (wish->is_dry && !wish->joins) {
		error_set(&error, FAULT_RETRY, "a run is under way");
		refuse(wish, "`belfryctl apply` joins it, --cancel ends it",
		    &error);
		return;
	}
	mailbox = hand_over(wish, apply, false, &error);
	if (mailbox == NULL)
		refuse(wish, "it goes on by itself", &error);
	else
		join(wish, mailbox, false);
}

static void
begin_dry(const struct wish *wish, const struct store_apply *apply)
{
	struct error error = ERROR_INIT;
	struct mailbox *mailbox = hand_over(wish, apply, true, &error);

	if (mailbox == NULL)
		refuse(wish, NULL, &error);
	else
		join(wish, mailbox, true);
}

/* On disk first: what goes on after a crash must be known. */
static void
begin(const struct wish *wish, const struct store_apply *apply)
{
	struct store_apply ended = *apply;
	struct error error = ERROR_INIT;
	struct mailbox *mailbox;

	if (!commit_apply(wish->belfry, apply, &error)) {
		refuse(wish, NULL, &error);
		return;
	}
	mailbox = hand_over(wish, apply, false, &error);
	if (mailbox != NULL) {
		join(wish, mailbox, false);
		return;
	}
	ended.state = APPLY_ENDED;
	ended.detail = error.text;
	commit_apply(wish->belfry, &ended, NULL);
	refuse(wish, NULL, &error);
}

static void
begin_new(const struct wish *wish, unsigned last_run)
{
	struct store_apply apply = {
	    .account = wish->account->config->name,
	    .mailbox = wish->mailbox,
	    .run = last_run + 1,
	    .since_unix = wish->since_unix,
	    .until_unix = wish->until_unix,
	    .rules = wish->rules,
	    .notify = wish->notify,
	    .detail = "",
	    .left_uids = "",
	    .started_unix = loop_now_unix(),
	    .changed_unix = loop_now_unix(),
	};

	if (wish->is_cancel)
		control_refuse(wish->client, NULL, "%s/%s: no run is under way",
		    apply.account, apply.mailbox);
	else if (apply.run > UINT_MAX / STORE_APPLY_SEQ - 1)
		control_refuse(wish->client, NULL,
		    "%s/%s: no more runs can be numbered", apply.account,
		    apply.mailbox);
	else if (wish->is_dry)
		begin_dry(wish, &apply);
	else
		begin(wish, &apply);
}

static void
fulfil(const struct wish *wish)
{
	struct finding finding = {
	    .account = wish->account->config->name,
	    .mailbox = wish->mailbox,
	};
	struct error error = ERROR_INIT;

	if (!find_apply(wish->belfry, &finding, &error))
		refuse(wish, NULL, &error);
	else if (finding.found && apply_is_unfinished(finding.apply.state))
		join_unfinished(wish, &finding.apply);
	else
		begin_new(wish, finding.found ? finding.apply.run : 0);
	finding_done(&finding);
}

/* ---- reading a request ---- */

/* False: it was said what is wrong. */
static bool
read_rules(const struct wish *wish, const struct json *list, struct buf *ids)
{
	if (json_count(list) > APPLY_RULES_MAX) {
		control_refuse(wish->client, NULL,
		    "at most %d rules can be named", APPLY_RULES_MAX);
		return false;
	}
	for (size_t i = 0; i < json_count(list); i++) {
		const struct json *item = json_at(list, i);
		const char *id = json_get_str(item, "rule");
		if (id == NULL || !control_has_rule(wish->belfry, id)) {
			control_refuse_rule(wish->client, id);
			return false;
		}
		buf_addf(ids, "%s%s", ids->len > 0 ? " " : "", id);
	}
	return true;
}

static struct running_account *
find_account(const struct wish *wish, const struct json *request)
{
	const char *name = json_get_str(request, "account");
	struct running_account *account =
	    name != NULL ? accounts_find(wish->belfry, name) : NULL;

	if (account == NULL)
		control_refuse_account(wish->client, name);
	else if (account->paused)
		control_refuse(wish->client,
		    "belfryctl resume connects it again",
		    "the account %s is paused", name);
	else if (count_followers(wish->belfry) >= FOLLOWERS_MAX)
		control_refuse(wish->client, NULL,
		    "%d others follow runs already", FOLLOWERS_MAX);
	else
		return account;
	return NULL;
}

void
apply_ask(
    struct belfry *belfry, struct client *client, const struct json *request)
{
	struct wish wish = {
	    .belfry = belfry,
	    .client = client,
	    .since_unix = json_get_int(request, "since", 0),
	    .until_unix = json_get_int(request, "until", 0),
	    .notify = json_get_bool(request, "notify"),
	    .is_dry = json_get_bool(request, "dry_run") || belfry->dry_run,
	    .is_cancel = json_get_bool(request, "cancel"),
	    .joins = json_get_bool(request, "join"),
	};
	const char *mailbox = json_get_str(request, "mailbox");
	struct error error = ERROR_INIT;
	BUF_AUTO found = BUF_INIT, rules = BUF_INIT;

	wish.account = find_account(&wish, request);
	if (wish.account == NULL ||
	    !read_rules(&wish, json_get(request, "rules"), &rules))
		return;
	if (!account_find_mailbox(wish.account->account,
		mailbox != NULL ? mailbox : "", &found, &error)) {
		control_refuse(client, NULL, "%s: %s",
		    wish.account->config->name, error.text);
		return;
	}
	wish.mailbox = buf_str(&found);
	wish.rules = buf_str(&rules);
	fulfil(&wish);
}
