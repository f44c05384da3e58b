/*
 * Judging: from a message that was fetched to its plan, as rows of a batch and
 * as a job. Everything that fetches messages to judge them comes here.
 */
#include "daemon/account/mailbox_private.h"
#include "daemon/account/undo.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/wire/imap/bodystructure.h"

/* ---- candidates ---- */

/* Parameters of one part that are looked at; more: ignored. */
#define PARAMS_MAX 100

static size_t
read_params(const struct imap_value *values, size_t count,
    struct mime_param params_r[PARAMS_MAX])
{
	size_t n = 0;

	while (n < PARAMS_MAX && imap_param_next(&values, &count,
				     &params_r[n].name, &params_r[n].value))
		n++;
	return n;
}

static void
add_leaf(struct structure *structure, const struct imap_leaf *leaf)
{
	struct mime_param params[PARAMS_MAX], disposition[PARAMS_MAX];
	const struct part_source source = {
	    .section = leaf->section,
	    .type = leaf->type,
	    .subtype = leaf->subtype,
	    .params = params,
	    .param_count = read_params(leaf->params, leaf->param_count, params),
	    .disposition = leaf->disposition,
	    .disposition_params = disposition,
	    .disposition_param_count = read_params(leaf->disposition_params,
		leaf->disposition_param_count, disposition),
	    .encoding = leaf->encoding,
	    .has_id = leaf->has_id,
	    .is_related = leaf->is_related,
	    .size = leaf->size,
	};

	structure_add(structure, &source);
}

struct structure *
mailbox_read_structure(const struct imap_value *value)
{
	struct imap_bodystructure walk;
	struct imap_leaf leaf;

	if (!imap_bodystructure_begin(&walk, value))
		return NULL;
	struct structure *structure = NEW(struct structure);
	structure_init(structure);
	while (imap_bodystructure_next(&walk, &leaf))
		add_leaf(structure, &leaf);
	if (walk.is_cut)
		structure->is_truncated = true;
	return structure;
}

/* The first address of From; empty where there is none. */
static struct span
sender_of(struct message *message)
{
	const struct address_list *list = message_addresses(message, "From", 0);

	if (list->count == 0 || list->items[0].domain[0] == '\0')
		return SPAN_EMPTY;
	return span_from_str(list->items[0].addr);
}

static char *
read_identity(const struct imap_fetch *fetch)
{
	if (fetch->gm_msgid != 0)
		return xasprintf("%c%llu", IDENTITY_MESSAGE,
		    (unsigned long long)fetch->gm_msgid);
	if (fetch->emailid.len > 0)
		return xasprintf(
		    "%c%.*s", IDENTITY_CONTENT, SPAN_FMT(fetch->emailid));
	return xstrdup("");
}

struct candidate *
mailbox_candidate_new(const struct imap_fetch *fetch)
{
	struct candidate *candidate = NEW(struct candidate);

	list_init(&candidate->link);
	candidate->uid = fetch->uid;
	candidate->size = fetch->size;
	candidate->received_unix = fetch->internaldate_unix;
	candidate->modseq = fetch->modseq;
	candidate->identity = read_identity(fetch);
	for (size_t i = 0; i < fetch->flag_count; i++)
		strv_add_span(&candidate->flags, fetch->flags[i].text);
	candidate->message = message_new(fetch->header);
	candidate->message_id =
	    xstrdup_span(mailbox_message_id(candidate->message));
	candidate->from = mailbox_sender(candidate->message);
	candidate->subject =
	    mailbox_subject(candidate->message, &candidate->clear_subject);
	candidate->sender = senders_key(sender_of(candidate->message));
	candidate->structure = mailbox_read_structure(fetch->structure);
	candidate->bytes = sizeof(*candidate) + 2 * fetch->header.len;
	if (candidate->structure != NULL)
		for (size_t i = 0; i < candidate->structure->count; i++)
			candidate->bytes +=
			    sizeof(struct part) + 200 +
			    strlen(candidate->structure->parts[i].name);
	return candidate;
}

void
mailbox_candidate_free(struct candidate **candidate)
{
	struct candidate *old = *candidate;

	if (old == NULL)
		return;
	*candidate = NULL;
	list_remove(&old->link);
	if (old->judging != NULL)
		judging_end(old->judging, span_from_str(old->identity));
	free(old->identity);
	strv_done(&old->flags);
	message_free(&old->message);
	free(old->message_id);
	free(old->from);
	free(old->subject);
	free(old->clear_subject);
	if (old->structure != NULL)
		structure_done(old->structure);
	free(old->structure);
	buf_done(&old->header);
	buf_done(&old->body);
	free(old);
}

/* Some servers do not know it and say NIL, or the beginning of time: better
 * new than older than anything. */
static int64_t
received_of(
    const struct mailbox *mb, const struct candidate *candidate, usec_t now)
{
	return candidate->received_unix != 0 ? candidate->received_unix
					     : mailbox_unix(mb, now);
}

struct facts
mailbox_facts(
    const struct mailbox *mb, const struct candidate *candidate, usec_t now)
{
	return (struct facts){
	    .message = candidate->message,
	    .account = mb->config->account,
	    .mailbox = mb->name,
	    .flags = &candidate->flags,
	    .size = candidate->size,
	    .received_unix = received_of(mb, candidate, now),
	    .now_unix = mailbox_unix(mb, now),
	    .utc_offset = mb->utc_offset,
	    .utc_offset_at = mb->config->utc_offset_at,
	    .identities = mb->config->identities,
	    .authserv = mb->config->authserv,
	    .watch = mb->config->watch,
	    .structure = candidate->structure,
	    .body = candidate->has_body ? span_from(buf_str(&candidate->body),
					      candidate->body.len)
					: SPAN_EMPTY,
	    .is_new_sender = candidate->is_new_sender,
	    .only_rules =
		candidate->run != NULL ? &candidate->run->rules : NULL,
	    .limits = mb->limits,
	    .meter = mb->config->meter,
	    .default_notification =
		mb->config->default_notification && candidate->run == NULL,
	    .escalate = mb->config->escalate,
	};
}

/* ---- senders ---- */

static void
forget_unmet(struct mailbox *mb, struct span address)
{
	struct strv others = STRV_INIT;

	for (size_t i = 0; i < mb->unmet_senders.len; i++) {
		struct span unmet = span_from_str(mb->unmet_senders.items[i]);
		if (!span_equal_nocase(unmet, address))
			strv_add_span(&others, unmet);
	}
	strv_done(&mb->unmet_senders);
	mb->unmet_senders = others;
}

void
mailbox_meet_sender(struct mailbox *mb, struct candidate *candidate)
{
	struct span address = sender_of(candidate->message);

	if (mb->config->senders == NULL)
		return;
	if (mb->window_senders == NULL)
		mb->window_senders = senders_new();
	bool met = senders_has_key(mb->window_senders, candidate->sender) &&
		   !strv_has_nocase(&mb->unmet_senders, address);
	candidate->is_new_sender =
	    !met && !senders_has_key(mb->config->senders, candidate->sender);
	senders_add_key(mb->window_senders, candidate->sender, 1);
	if (mb->unmet_senders.len > 0)
		forget_unmet(mb, address);
}

void
mailbox_unmeet_sender(struct mailbox *mb, const struct candidate *candidate)
{
	struct span address = sender_of(candidate->message);

	if (candidate->is_new_sender &&
	    !strv_has_nocase(&mb->unmet_senders, address))
		strv_add_span(&mb->unmet_senders, address);
}

void
mailbox_forget_met(struct mailbox *mb)
{
	senders_free(&mb->window_senders);
	strv_done(&mb->unmet_senders);
	strv_done(&mb->arrival_names);
}

static void
write_sender(
    struct mailbox *mb, const struct candidate *candidate, int64_t when_unix)
{
	struct span address = sender_of(candidate->message);
	STR_AUTO text = xstrdup_span(address);

	if (address.len > 0)
		store_batch_add_sender(
		    mb->plan, mb->config->account, text, when_unix);
}

/* ---- what people read ---- */

/* Anybody may write a Message-ID of a megabyte. */
struct span
mailbox_message_id(struct message *message)
{
	return span_slice(message_id(message), 0, MAILBOX_MESSAGE_ID_MAX);
}

char *
mailbox_decoded(struct message *message, const char *name)
{
	struct span text = message_text(message, name, 0);
	BUF_AUTO clean = BUF_INIT;

	str_sanitize(&clean, text, 500);
	return buf_take_str(&clean);
}

/* The header's words where there is no address to speak of. */
char *
mailbox_sender(struct message *message)
{
	const struct address_list *list = message_addresses(message, "From", 0);
	const struct address *first = list->count > 0 ? &list->items[0] : NULL;
	BUF_AUTO text = BUF_INIT, clean = BUF_INIT;

	if (first == NULL || first->domain[0] == '\0')
		return mailbox_decoded(message, "From");
	if (first->name[0] != '\0')
		buf_addf(&text, "%s <%s>", first->name, first->addr);
	else
		buf_add_str(&text, first->addr);
	str_sanitize(&clean, buf_span(&text), 500);
	return buf_take_str(&clean);
}

/* ---- writing it down ---- */

static void
report_judged(
    struct mailbox *mb, const struct job *job, const struct plan *plan)
{
	struct mailbox_report *report = NEW(struct mailbox_report);
	BUF_AUTO text = BUF_INIT;

	for (size_t i = 0; i < plan->count; i++) {
		if (i > 0)
			buf_add_str(&text, ", ");
		action_describe(&text, &plan->actions[i]);
	}
	if (plan->count == 0)
		buf_add_str(&text, "leave it as it is");
	report->kind = REPORT_JUDGED;
	report->uid = job->key.uid;
	report->text = mailbox_job_hide(job, buf_str(&text));
	report->from = xstrdup(job->from);
	report->subject = xstrdup(job->subject);
	report->rules = strv_join(&plan->matched, " ");
	report->retry_in = USEC_NEVER;
	mailbox_emit(mb,
	    (struct mailbox_event){.kind = MAILBOX_REPORT, .report = report});
}

/* Rules that would have acted. */
static void
count_held_back(
    struct mailbox *mb, const struct plan *plan, int64_t judged_unix)
{
	for (size_t i = 0; i < plan->observed.len; i++)
		store_batch_add_rule_stat(
		    mb->plan, &(struct store_rule_stat){
				  .rule = plan->observed.items[i],
				  .observed = 1,
				  .since_unix = judged_unix,
			      });
	for (size_t i = 0; i < plan->over_limit.len; i++)
		store_batch_add_rule_stat(
		    mb->plan, &(struct store_rule_stat){
				  .rule = plan->over_limit.items[i],
				  .limited = 1,
				  .since_unix = judged_unix,
			      });
}

/* A message of a run may have been judged before. */
static void
put_message(struct mailbox *mb, const struct store_message *row, bool is_old)
{
	if (is_old)
		store_batch_judge_again(mb->plan, row);
	else
		store_batch_add_message(mb->plan, row);
}

/* From now on it is the batch that says when its judging has ended. */
static void
write_message(struct mailbox *mb, struct candidate *candidate,
    const struct job *job, const struct plan *plan)
{
	bool is_old = candidate->run != NULL;
	STR_AUTO rules = strv_join(&plan->matched, " ");
	STR_AUTO would = strv_join(&plan->would, "\n");
	STR_AUTO observed = mailbox_job_hide(job, would);
	STR_AUTO sentences = strv_join(&plan->warnings, "\n");
	STR_AUTO warnings = mailbox_job_hide(job, sentences);
	const struct store_message row = {
	    .key = job->key,
	    .message_id = job->message_id,
	    .from = job->from,
	    .subject = job->subject,
	    .size = job->size,
	    .received_unix = job->received_unix,
	    .judged_unix = job->judged_unix,
	    .rules = rules,
	    .observed = observed,
	    .warnings = warnings,
	    .identity = is_old ? "" : candidate->identity,
	};

	put_message(mb, &row, is_old);
	candidate->judging = NULL;
	for (size_t i = 0; i < plan->matched.len; i++) {
		limits_note(
		    mb->limits, plan->matched.items[i], row.judged_unix);
		store_batch_add_hit(
		    mb->plan, plan->matched.items[i], row.judged_unix);
	}
	count_held_back(mb, plan, row.judged_unix);
}

static void
write_effects(struct mailbox *mb, struct job *job, usec_t now)
{
	BUF_AUTO line = BUF_INIT, detail = BUF_INIT;

	mailbox_intent_begin_early(mb, job, now);
	for (size_t i = 0; i < job->count; i++) {
		const struct job_action *action = &job->actions[i];
		buf_clear(&line);
		buf_clear(&detail);
		if (mailbox_is_guarded(action->action.kind))
			mailbox_modseq_detail(&detail, job->modseq);
		if (action->before != NULL)
			undo_format_before(&detail, action->before);
		mailbox_unread_detail(mb, job, &action->action, &detail);
		mailbox_job_format(job, &action->action, &line);
		store_batch_add_effect(
		    mb->plan, &(struct store_effect){
				  .key = job->key,
				  .seq = action->seq,
				  .rule = action->action.rule,
				  .kind = action_name(action->action.kind),
				  .action = buf_str(&line),
				  .state = action->state,
				  .detail = buf_str(&detail),
				  .changed_unix = mailbox_unix(mb, now),
			      });
	}
}

static bool
is_wanted(const struct mailbox *mb, const struct candidate *candidate,
    const struct action *action)
{
	if (action->kind != ACTION_NOTIFY)
		return true;
	return mb->config->notify &&
	       (candidate->run == NULL || candidate->run->row.notify != 0);
}

/* As clients and filters say it; the last word is that of a person. */
static bool
is_junk(const struct strv *flags)
{
	return (strv_has_nocase(flags, SPAN("$Junk")) ||
		   strv_has_nocase(flags, SPAN("Junk"))) &&
	       !strv_has_nocase(flags, SPAN("$NotJunk")) &&
	       !strv_has_nocase(flags, SPAN("NonJunk"));
}

static void
fill_job(struct mailbox *mb, struct job *job, struct candidate *candidate,
    usec_t now)
{
	job->message_id = candidate->message_id;
	job->from = candidate->from;
	job->subject = candidate->subject;
	job->clear_subject = candidate->clear_subject;
	candidate->message_id = candidate->from = NULL;
	candidate->subject = candidate->clear_subject = NULL;
	mailbox_job_note_codes(job, buf_span(&candidate->body));
	job->size = candidate->size;
	job->received_unix = candidate->received_unix;
	job->modseq = candidate->modseq;
	job->judged_unix = mailbox_unix(mb, now);
	job->is_fresh = true;
	job->plan = mb->plans_made + 1;
	job->unread = !strv_has_nocase(&candidate->flags, SPAN("\\Seen"));
	job->is_junk = is_junk(&candidate->flags);
}

static void
add_action(struct job *job, const struct candidate *candidate,
    const struct action *action)
{
	struct job_action *added = mailbox_job_add_action(job);

	action_copy(&added->action, action);
	added->before = undo_flags_before(action, &candidate->flags);
}

static struct job *
make_job(struct mailbox *mb, struct candidate *candidate,
    const struct plan *plan, usec_t now)
{
	struct job *job = mailbox_job_add(mb, mb->uidvalidity, candidate->uid);

	fill_job(mb, job, candidate, now);
	buf_add_span(&job->header, buf_span(&candidate->header));
	if (candidate->run != NULL)
		job->first_seq = candidate->run->row.run * STORE_APPLY_SEQ;
	for (size_t i = 0; i < plan->count; i++)
		if (is_wanted(mb, candidate, &plan->actions[i]))
			add_action(job, candidate, &plan->actions[i]);
	return job;
}

/* Of a run that may meet thousands, only what rules say something about is
 * written down. */
static void
take_old_plan(struct mailbox *mb, struct candidate *candidate,
    const struct plan *plan, usec_t now)
{
	struct job *job;

	mailbox_backlog_note_plan(mb, candidate->uid, plan);
	if (candidate->run->is_dry)
		return;
	write_sender(mb, candidate, candidate->received_unix);
	if (plan->matched.len == 0 && plan->would.len == 0 &&
	    plan->over_limit.len == 0 && plan->warnings.len == 0)
		return;
	job = make_job(mb, candidate, plan, now);
	if (plan->matched.len > 0)
		report_judged(mb, job, plan);
	write_message(mb, candidate, job, plan);
	write_effects(mb, job, now);
	if (job->count == 0)
		mailbox_job_free(mb, job);
}

/* It was judged in another mailbox, where it is, too, and nobody asks for
 * more. */
static bool
is_only_known(const struct candidate *candidate, const struct plan *plan,
    const struct strv *judged)
{
	return judged->len > 0 && candidate->identity[0] != '\0' &&
	       plan->count == 0 && plan->matched.len == 0;
}

static void
take_plan(struct mailbox *mb, struct candidate *candidate,
    const struct plan *plan, const struct strv *judged, usec_t now)
{
	struct job *job;

	if (candidate->run != NULL) {
		take_old_plan(mb, candidate, plan, now);
		return;
	}
	job = make_job(mb, candidate, plan, now);
	if (is_only_known(candidate, plan, judged))
		mailbox_report(mb, REPORT_KNOWN, candidate->uid,
		    "it is in %s, too, and was judged there", judged->items[0]);
	else
		report_judged(mb, job, plan);
	for (size_t i = 0; i < plan->warnings.len; i++)
		mailbox_report(mb, REPORT_WARNING, candidate->uid, "%s",
		    plan->warnings.items[i]);
	write_message(mb, candidate, job, plan);
	write_effects(mb, job, now);
	write_sender(mb, candidate, mailbox_unix(mb, now));
	if (job->count == 0 || mb->config->dry_run)
		mailbox_job_free(mb, job);
}

/* By a person, on whatever machine. */
static bool
is_undone(const struct mailbox *mb, const struct candidate *candidate)
{
	if (mb->config->claims == NULL || candidate->run != NULL)
		return false;
	for (size_t i = 0; i < candidate->flags.len; i++)
		if (span_equal_nocase(span_from_str(candidate->flags.items[i]),
			SPAN(CLAIM_UNDONE)))
			return true;
	return false;
}

unsigned
mailbox_judge(struct mailbox *mb, struct candidate *candidate, usec_t now)
{
	STRV_AUTO judged = STRV_INIT;
	struct facts facts = mailbox_facts(mb, candidate, now);
	struct plan plan;
	enum arrival arrival = mailbox_meet_arrival(mb, candidate, &judged);

	if (arrival == ARRIVAL_KNOWN || is_undone(mb, candidate)) {
		mailbox_chunk_note(mb, candidate->uid);
		mailbox_report(mb, REPORT_KNOWN, candidate->uid,
		    arrival == ARRIVAL_KNOWN
			? "it was judged here before: it is not judged again"
			: "what was done with it was undone on another "
			  "machine: it is not judged again");
		return 0;
	}
	if (arrival == ARRIVAL_FORWARDED) {
		facts.judged_in = &judged;
		facts.default_notification = false; /* it had its turn */
	}
	rules_judge(mb->rules, &facts, &plan);
	unsigned wants = plan.wants;
	if (wants == 0)
		take_plan(mb, candidate, &plan, &judged, now);
	if (wants == 0 && candidate->run == NULL)
		mailbox_chunk_note(mb, candidate->uid);
	plan_done(&plan);
	return wants;
}
