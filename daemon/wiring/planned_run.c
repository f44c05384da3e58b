/*
 * wiring/planned_run: a run that does what somebody planned.
 */
#include "daemon/wiring/planned_run.h"

#include <limits.h>

bool
planned_find_mailbox(const struct running_account *account, const char *name,
    struct buf *mailbox, struct error *error_r)
{
	struct error error = ERROR_INIT;

	if (account_find_mailbox(account->account, name, mailbox, &error))
		return true;
	if (error.fault != FAULT_CONFIG || name[0] == '\\') {
		*error_r = error;
		return false;
	}
	buf_clear(mailbox);
	buf_add_str(mailbox, name);
	return true;
}

static bool
note_run(void *ctx, const struct store_apply *apply)
{
	struct store_apply *last = ctx;

	if (strcmp(apply->mailbox, last->mailbox) == 0) {
		last->run = apply->run;
		last->state = apply->state;
	}
	return true;
}

/* The number of the next run; false: one is under way. */
static bool
number_run(struct planned_run *run)
{
	const char *account = run->account->config->name;
	struct store_apply last = {
	    .mailbox = run->mailbox, .state = APPLY_DONE};

	if (!store_each_apply(
		run->account->belfry->store, account, note_run, &last, NULL) ||
	    apply_is_unfinished(last.state) ||
	    last.run >= UINT_MAX / STORE_APPLY_SEQ - 1)
		return false;
	run->row = (struct store_apply){
	    .account = account,
	    .mailbox = run->mailbox,
	    .run = last.run + 1,
	    .first_uid = 1,
	    .next_uid = 1,
	    .end_uid = 1,
	    .rules = "",
	    .detail = "",
	    .left_uids = "",
	    .started_unix = loop_now_unix(),
	    .changed_unix = loop_now_unix(),
	};
	return true;
}

bool
planned_run_begin(struct planned_run *run, struct running_account *account,
    const char *mailbox, const char *rule)
{
	*run = (struct planned_run){.account = account,
	    .mailbox = mailbox,
	    .rule = rule,
	    .batch = store_batch_new()};
	return number_run(run);
}

void
planned_add_message(struct store_batch *batch, const struct past *past,
    const struct store_key *key, const char *rule)
{
	struct store_message now = past->message;

	store_batch_add_message(batch, &past->message);
	for (size_t i = 0; i < past->count; i++)
		store_batch_add_effect(batch, &past->effects[i]);
	now.key = *key;
	now.judged_unix = loop_now_unix();
	now.rules = rule;
	now.observed = now.warnings = "";
	store_batch_add_message(batch, &now);
}

void
planned_run_add(struct planned_run *run, const struct past *past,
    uint32_t uidvalidity, uint32_t uid, const struct action *action,
    unsigned seq)
{
	const struct store_key key = {
	    run->row.account, run->mailbox, uidvalidity, uid};
	BUF_AUTO text = BUF_INIT;

	if (run->row.uidvalidity == 0)
		run->row.uidvalidity = uidvalidity;
	action_format(&text, action);
	planned_add_message(run->batch, past, &key, run->rule);
	store_batch_add_effect(
	    run->batch, &(const struct store_effect){
			    .key = key,
			    .seq = run->row.run * STORE_APPLY_SEQ + seq,
			    .rule = run->rule,
			    .kind = action_name(action->kind),
			    .action = buf_str(&text),
			    .state = EFFECT_PLANNED,
			    .detail = "",
			    .changed_unix = loop_now_unix(),
			});
	run->count++;
}

static bool
give(void *ctx, const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	struct planned_run *run = ctx;
	struct line *line = accounts_find_line(run->account, run->mailbox);

	if (strcmp(message->rules, run->rule) != 0 || line == NULL)
		return true;
	for (size_t i = 0; i < count; i++)
		mailbox_give_effect(line->mailbox, &effects[i], message);
	return true;
}

bool
planned_run_commit(struct planned_run *run, struct error *error_r)
{
	struct running_account *account = run->account;

	run->row.total = run->count;
	store_batch_set_apply(run->batch, &run->row);
	if (!journal_commit_now(account->belfry->journal, run->batch, error_r))
		return false;
	arrivals_note(account->arrivals, run->batch);
	store_batch_each_plan(run->batch, give, run);
	account_apply(account->account, &run->row, false, loop_now(), NULL);
	return true;
}

void
planned_run_done(struct planned_run *run)
{
	store_batch_free(&run->batch);
}
