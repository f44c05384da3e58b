/* The way of one message through all rules. */
#include "daemon/base/xalloc.h"
#include "rules/evaluate.h"
#include "rules/meter.h"
#include "rules/program.h"
#include "rules/settle.h"

struct judgement {
	const struct rules *rules;
	const struct facts *facts;
	struct plan *plan;
	struct trace *trace;	      /* may be NULL */
	enum trace_outcome *outcomes; /* of all rules; may be NULL */
	struct rules_meter *meter;    /* NULL: nothing is measured */
	struct view *view;
	struct evaluation evaluation;
};

static void
expand(struct judgement *judgement, const struct blueprint *blueprint,
    struct action *action)
{
	const struct template_values values = {
	    judgement->evaluation.captures, judgement->view};

	action_copy(action, &blueprint->fixed);
	if (blueprint->target != NULL)
		action->target = template_expand(blueprint->target, &values);
	for (size_t i = 0; i < blueprint->argc; i++)
		strv_take(&action->argv,
		    template_expand(blueprint->argv[i], &values));
	if (blueprint->title != NULL)
		action->title = template_expand(blueprint->title, &values);
	if (blueprint->text != NULL)
		action->text = template_expand(blueprint->text, &values);
}

static void
act(struct judgement *judgement, const struct rule *rule)
{
	strv_add(&judgement->plan->matched, rule->id);
	if (rule->is_quiet)
		judgement->plan->quiet = true;
	for (size_t i = 0; i < rule->blueprint_count; i++) {
		struct action action;

		expand(judgement, &rule->blueprints[i], &action);
		settle_add(judgement->plan, &action);
	}
}

/* `why_not` ends each line: "" where the rule says so itself. */
static void
tell_what_it_would_do(
    struct judgement *judgement, const struct rule *rule, const char *why_not)
{
	for (size_t i = 0; i < rule->blueprint_count; i++) {
		struct buf text = BUF_INIT;
		struct action action;

		expand(judgement, &rule->blueprints[i], &action);
		buf_addf(&text, "%s: ", rule->id);
		action_describe(&text, &action);
		buf_add_str(&text, why_not);
		strv_take(&judgement->plan->would, buf_take_str(&text));
		action_done(&action);
	}
}

static void
warn_of_limit(struct judgement *judgement, const struct rule *rule)
{
	strv_take(&judgement->plan->warnings,
	    xasprintf("rule %s did not act: one of its patterns met a limit "
		      "on this message",
		rule->id));
}

static bool
is_within_limit(const struct judgement *judgement, const struct rule *rule)
{
	const struct facts *facts = judgement->facts;

	return rule->limit_count == 0 || facts->limits == NULL ||
	       limits_allow(facts->limits, rule->id, rule->limit_count,
		   rule->limit_window, facts->now_unix);
}

static enum trace_outcome
judge_open(struct judgement *judgement, unsigned wants)
{
	judgement->plan->wants |= wants;
	return TRACE_UNDECIDED;
}

static enum trace_outcome
judge_match(struct judgement *judgement, const struct rule *rule)
{
	unsigned lacks = view_lacks(judgement->view, rule->wants);

	if (lacks != 0)
		return judge_open(judgement, lacks);
	if (rule->is_observing) {
		strv_add(&judgement->plan->observed, rule->id);
		tell_what_it_would_do(judgement, rule, "");
		return TRACE_OBSERVED;
	}
	if (!is_within_limit(judgement, rule)) {
		strv_add(&judgement->plan->over_limit, rule->id);
		tell_what_it_would_do(
		    judgement, rule, ", but it is over its limit");
		return TRACE_OVER_LIMIT;
	}
	act(judgement, rule);
	return TRACE_MATCHED;
}

static enum trace_outcome
judge_rule(struct judgement *judgement, const struct rule *rule)
{
	switch (evaluate_rule(&judgement->evaluation, rule)) {
	case VERDICT_YES:
		return judge_match(judgement, rule);
	case VERDICT_FAILED:
		warn_of_limit(judgement, rule);
		return TRACE_FAILED;
	case VERDICT_OPEN:
		return judge_open(judgement, judgement->evaluation.wants);
	case VERDICT_NO:
		break;
	}
	return judgement->evaluation.is_vetoed ? TRACE_VETOED
					       : TRACE_NOT_MATCHED;
}

static bool
is_partial(const struct facts *facts)
{
	return facts->only_rules != NULL && facts->only_rules->len > 0;
}

static bool
was_judged(const struct facts *facts)
{
	return facts->judged_in != NULL && facts->judged_in->len > 0;
}

static bool
was_asked_before(const struct facts *facts, const struct rule *rule)
{
	for (size_t i = 0; was_judged(facts) && i < facts->judged_in->len; i++)
		if (rule_applies(
			rule, facts->account, facts->judged_in->items[i]))
			return true;
	return false;
}

static bool
is_asked(const struct judgement *judgement, const struct rule *rule)
{
	const struct facts *facts = judgement->facts;

	if (is_partial(facts) && !strv_has(facts->only_rules, rule->id))
		return false;
	return rule_applies(rule, facts->account, facts->mailbox) &&
	       !was_asked_before(facts, rule);
}

/* What comes behind an open rule depends on it. */
static bool
ends_judgement(const struct rule *rule, enum trace_outcome outcome)
{
	return (outcome == TRACE_MATCHED && rule->stops) ||
	       outcome == TRACE_UNDECIDED;
}

static void
judge_all(struct judgement *judgement)
{
	bool is_stopped = false;

	for (size_t i = 0; i < judgement->rules->count; i++) {
		const struct rule *rule = judgement->rules->items[i];
		const struct span *captures = NULL;
		enum trace_outcome outcome = TRACE_NOT_REACHED;

		trace_rule(judgement->trace, rule);
		if (!is_asked(judgement, rule)) {
			outcome = TRACE_NOT_APPLICABLE;
		} else if (!is_stopped) {
			uint64_t start = meter_now(judgement->meter);
			outcome = judge_rule(judgement, rule);
			meter_end(judgement->meter, i, start);
			captures = judgement->evaluation.captures;
		}
		trace_outcome(judgement->trace, rule, outcome, captures);
		if (judgement->outcomes != NULL)
			judgement->outcomes[i] = outcome;
		if (ends_judgement(rule, outcome))
			is_stopped = true;
	}
}

/* The outcomes of rules that nobody looks at, those behind `from`. */
static void
note_rest(struct judgement *judgement, size_t from, enum trace_outcome outcome)
{
	const struct program *program = judgement->rules->program;

	if (judgement->outcomes == NULL)
		return;
	for (size_t i = from; i < judgement->rules->count; i++)
		judgement->outcomes[i] = program_applies(program, i)
					     ? outcome
					     : TRACE_NOT_APPLICABLE;
}

static enum trace_outcome
judge_candidate(struct judgement *judgement, size_t index)
{
	enum trace_outcome outcome =
	    judge_rule(judgement, judgement->rules->items[index]);

	if (judgement->outcomes != NULL)
		judgement->outcomes[index] = outcome;
	return outcome;
}

/* As judge_all, without the rules that the program knows not to match. */
static void
judge_candidates(struct judgement *judgement)
{
	const struct rules *rules = judgement->rules;

	program_run(rules->program, judgement->view);
	note_rest(judgement, 0, TRACE_NOT_MATCHED);
	for (size_t i = program_next(rules->program, 0); i != SIZE_MAX;
	     i = program_next(rules->program, i + 1)) {
		enum trace_outcome outcome = judge_candidate(judgement, i);

		if (!ends_judgement(rules->items[i], outcome))
			continue;
		note_rest(judgement, i + 1, TRACE_NOT_REACHED);
		return;
	}
}

static void
drop_plan(struct plan *plan)
{
	unsigned wants = plan->wants;

	plan_done(plan);
	plan_init(plan);
	plan->wants = wants;
}

static void
judge(const struct rules *rules, const struct facts *facts, struct plan *plan_r,
    struct trace *trace, enum trace_outcome *outcomes)
{
	struct judgement judgement = {
	    .rules = rules,
	    .facts = facts,
	    .plan = plan_r,
	    .trace = trace,
	    .outcomes = outcomes,
	    .view = rules->view,
	    .meter = meter_begin(facts->meter, rules),
	};

	plan_init(plan_r);
	view_begin(judgement.view, &rules->slots, facts);
	pattern_room_begin_message(rules->room);
	judgement.evaluation.view = judgement.view;
	judgement.evaluation.room = rules->room;
	judgement.evaluation.trace = trace;
	trace_begin(trace, rules);
	/* To be measured, each rule is looked at by itself. */
	if (trace == NULL && !is_partial(facts) && !was_judged(facts) &&
	    rules->program != NULL && judgement.meter == NULL)
		judge_candidates(&judgement);
	else
		judge_all(&judgement);
	if (plan_r->wants != 0)
		drop_plan(plan_r);
	else
		settle_plan(plan_r, facts);
	view_clear(judgement.view);
	pattern_room_end_message(rules->room);
}

void
rules_judge(
    const struct rules *rules, const struct facts *facts, struct plan *plan_r)
{
	judge(rules, facts, plan_r, NULL, NULL);
}

void
rules_judge_outcomes(const struct rules *rules, const struct facts *facts,
    struct plan *plan_r, enum trace_outcome *outcomes_r)
{
	judge(rules, facts, plan_r, NULL, outcomes_r);
}

void
rules_explain(const struct rules *rules, const struct facts *facts,
    struct plan *plan_r, struct trace *trace_r)
{
	*trace_r = (struct trace){0};
	judge(rules, facts, plan_r, trace_r, NULL);
}
