#include "rules/lint.h"

#include <stdarg.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "rules/lint_value.h"
#include "rules/prover.h"
#include "rules/shadow.h"

#define BRANCHES_MAX 200 /* of an `or` that later ones are compared with */
#define QUOTE_MAX 60	 /* characters of a condition in a message */

struct lint {
	struct rule_problems *problems;
	struct prover prover;
	struct shadows shadows;
	const struct rule *rule;
	size_t warned;
};

/* Why a condition can never hold. */
struct finding {
	struct rule_place place;
	char *text; /* owned */
	char *hint; /* owned, or NULL */
};

static void
finding_done(struct finding *finding)
{
	free(finding->text);
	free(finding->hint);
	*finding = (struct finding){0};
}

static void __attribute__((format(printf, 4, 5))) warn(struct lint *lint,
    struct rule_place place, const char *hint, const char *format, ...)
{
	STR_AUTO text = NULL;
	struct buf buf = BUF_INIT;
	va_list args;

	if (lint->warned++ > LINT_WARNINGS_MAX)
		return;
	if (lint->warned > LINT_WARNINGS_MAX) {
		rule_problems_add(lint->problems, true, place, NULL,
		    "there are more warnings of this kind");
		return;
	}
	va_start(args, format);
	buf_vaddf(&buf, format, args);
	va_end(args);
	text = buf_take_str(&buf);
	rule_problems_add(lint->problems, true, place, hint, "%s", text);
}

/* Reasons in words. */

/* The first of its tests. */
static const struct cond *
first_test(const struct cond *cond)
{
	while (cond->kid_count > 0)
		cond = cond->kids[0];
	return cond;
}

static void
add_quote(struct buf *buf, const struct cond *cond)
{
	const char *text = cond->text != NULL ? cond->text : "";
	size_t before;

	buf_add_char(buf, '`');
	before = buf->len;
	str_sanitize(buf, span_from_str(text), QUOTE_MAX);
	if (buf->len - before < strlen(text))
		buf_add_str(buf, "...");
	buf_add_char(buf, '`');
}

/* The fact's condition, and its line where that is another. */
static void
add_fact(
    struct buf *buf, const struct fact *fact, const struct rule_place *place)
{
	const struct cond *test = first_test(fact->cond);

	if (fact->cond->kind == COND_TEST)
		add_quote(buf, test);
	else
		buf_add_str(buf, "what");
	if (test->place.line != place->line)
		buf_addf(buf, " in line %u", test->place.line);
	else if (fact->cond->kind != COND_TEST)
		buf_add_str(buf, " this line");
	if (fact->cond->kind != COND_TEST)
		buf_add_str(buf, " says");
}

/* The fact is what its condition says, not the opposite. */
static bool
is_as_written(struct lint *lint, const struct fact *fact)
{
	return fact->literal == expr_of(&lint->prover.exprs, fact->cond) ||
	       fact->cond->kind != COND_TEST;
}

/* The fact says just what `cond` says, or the opposite. */
static void
add_same(struct buf *buf, const struct fact *fact, const struct cond *cond,
    bool is_conflict)
{
	unsigned line = first_test(fact->cond)->place.line;

	if (!is_conflict) {
		buf_add_str(buf, "it stands ");
	} else {
		add_quote(buf, cond);
		buf_add_str(buf, " both must and must not hold");
	}
	if (line != cond->place.line)
		buf_addf(
		    buf, is_conflict ? ": see line %u" : "in line %u", line);
	else if (!is_conflict)
		buf_add_str(buf, "here");
	if (!is_conflict)
		buf_add_str(buf, " already");
}

/* `cond` is true, or is not, because of the fact. `is_conflict`: the opposite
 * is asked for. */
static void
add_fact_reason(struct lint *lint, struct buf *buf, const struct cond *cond,
    bool is_true, bool is_conflict, const struct why *why)
{
	bool as_written = is_as_written(lint, why->fact);

	if (why->fact->origin == FACT_BRANCH) {
		buf_add_str(buf, "it holds only where ");
		add_fact(buf, why->fact, &cond->place);
		buf_add_str(buf, " does, too");
		return;
	}
	if (why->is_same) {
		add_same(buf, why->fact, cond, is_conflict);
		return;
	}
	add_quote(buf, cond);
	buf_add_str(buf, is_true      ? " always holds where "
			 : as_written ? " cannot hold together with "
				      : " cannot hold where ");
	add_fact(buf, why->fact, &cond->place);
	if (!as_written)
		buf_add_str(buf, " does not");
	else if (is_true)
		buf_add_str(buf, " does");
}

static char *
reason(struct lint *lint, const struct cond *cond, bool is_true,
    bool is_conflict, const struct why *why)
{
	const struct expr_node *node =
	    expr_node(&lint->prover.exprs, why->literal);
	struct buf buf = BUF_INIT;

	if (why->fact != NULL) {
		add_fact_reason(lint, &buf, cond, is_true, is_conflict, why);
		return buf_take_str(&buf);
	}
	add_quote(&buf, cond);
	buf_add_str(&buf, is_true ? " always holds" : " can never hold");
	if (why->is_scope)
		buf_addf(&buf, ": see the rule's `%s`",
		    strcmp(cond->test.field->name, "account") == 0
			? "accounts"
			: "mailboxes");
	else if (node->reason != NULL)
		buf_addf(&buf, ": %s", node->reason);
	return buf_take_str(&buf);
}

/* Where the reason is known to be, of this condition or else as a whole. */
static struct rule_place
place_of(
    const struct lint *lint, const struct cond *cond, const struct why *why)
{
	const struct expr_node *node =
	    expr_node(&lint->prover.exprs, why->literal);

	return why->is_alone && node->cond == cond ? node->place : cond->place;
}

static const char *
hint_of(const struct lint *lint, const struct why *why)
{
	return why->is_alone
		   ? expr_node(&lint->prover.exprs, why->literal)->hint
		   : NULL;
}

/* One rule. */

static bool assume(struct lint *lint, const struct cond *cond, bool is_negated,
    struct finding *finding);

static bool
has_captures(const struct cond *cond)
{
	return cond->kind == COND_TEST && cond->test.captures != NULL &&
	       pattern_name_count(cond->test.pattern) > 0;
}

/* `from and from ~ ...` is a way to write; so is what is true by the branch
 * of an `or`. */
static bool
is_idle_worth_a_word(const struct cond *cond, const struct why *why)
{
	if (has_captures(cond))
		return false;
	if (why->fact == NULL || cond->kind == COND_ALL)
		return true;
	if (why->fact->origin == FACT_BRANCH)
		return false;
	return why->is_same || cond->test.op != OP_EXISTS;
}

static void
warn_idle(
    struct lint *lint, const struct cond *cond, bool is_true, struct why *why)
{
	STR_AUTO text = NULL;

	if (!is_idle_worth_a_word(cond, why))
		return;
	if (cond->kind == COND_ALL) {
		warn(lint, cond->place, NULL,
		    "`all` decides nothing beside other conditions");
		return;
	}
	text = reason(lint, cond, is_true, false, why);
	warn(lint, place_of(lint, cond, why), hint_of(lint, why),
	    "this decides nothing: %s", text);
}

static bool
assume_test(struct lint *lint, const struct cond *cond, bool is_negated,
    struct finding *finding)
{
	unsigned literal =
	    expr_of(&lint->prover.exprs, cond) ^ (unsigned)is_negated;
	struct why why;

	switch (prover_ask(&lint->prover, literal, &why)) {
	case CERTAIN_NO:
		*finding = (struct finding){place_of(lint, cond, &why),
		    reason(lint, cond, is_negated, true, &why),
		    xstrdup(hint_of(lint, &why))};
		return false;
	case CERTAIN_YES:
		warn_idle(lint, cond, !is_negated, &why);
		return true;
	case CERTAIN_NOT_KNOWN:
		break;
	}
	prover_assume(&lint->prover, literal, cond, FACT_LINE);
	return true;
}

static bool
assume_all(struct lint *lint, const struct cond *cond, bool is_negated,
    struct finding *finding)
{
	for (size_t i = 0; i < cond->kid_count; i++)
		if (!assume(lint, cond->kids[i], is_negated, finding))
			return false;
	return true;
}

/* The branches of an `or`. */
struct branches {
	struct finding *dead; /* owned */
	size_t dead_count, alive_count;
	const struct cond *alive; /* the last */
};

static void
add_dead(struct branches *branches, struct finding *finding)
{
	branches->dead = xreallocarray(
	    branches->dead, branches->dead_count + 1, sizeof(*branches->dead));
	branches->dead[branches->dead_count++] = *finding;
}

static void
branches_done(struct branches *branches)
{
	for (size_t i = 0; i < branches->dead_count; i++)
		finding_done(&branches->dead[i]);
	free(branches->dead);
}

static void
try_branch(struct lint *lint, const struct cond *cond, bool is_negated,
    struct branches *branches)
{
	size_t before = lint->prover.count;
	struct finding finding = {0};

	if (assume(lint, cond, is_negated, &finding)) {
		branches->alive_count++;
		branches->alive = cond;
	} else {
		add_dead(branches, &finding);
	}
	prover_rewind(&lint->prover, before);
}

static void
warn_of_always(struct lint *lint, const struct cond *cond,
    const struct cond *kid, bool is_negated, struct why *why)
{
	if (why->fact != NULL && why->fact->origin == FACT_LINE &&
	    kid->kind == COND_TEST)
		warn_idle(lint, kid, !is_negated, why);
	else if (kid->kind == COND_ALL)
		warn(lint, kid->place, NULL,
		    "`all` holds for every message: what is joined with it "
		    "decides nothing");
	else
		warn(lint, first_test(cond)->place, NULL,
		    "this decides nothing: one part of it or another always "
		    "holds");
}

/* True when one of them always holds, which is then reported. */
static bool
try_branches(struct lint *lint, const struct cond *cond, bool is_negated,
    struct branches *branches)
{
	for (size_t i = 0; i < cond->kid_count; i++) {
		const struct cond *kid = cond->kids[i];
		unsigned literal =
		    expr_of(&lint->prover.exprs, kid) ^ (unsigned)is_negated;
		struct why why;

		if (prover_ask(&lint->prover, literal, &why) == CERTAIN_YES) {
			warn_of_always(lint, cond, kid, is_negated, &why);
			return true;
		}
		try_branch(lint, kid, is_negated, branches);
		if (i < BRANCHES_MAX)
			prover_assume(
			    &lint->prover, EXPR_NOT(literal), kid, FACT_BRANCH);
	}
	return false;
}

static void
warn_of_dead(struct lint *lint, const struct branches *branches)
{
	for (size_t i = 0; i < branches->dead_count; i++)
		warn(lint, branches->dead[i].place, branches->dead[i].hint,
		    "this decides nothing: %s", branches->dead[i].text);
}

/* At least one must hold. */
static bool
assume_any(struct lint *lint, const struct cond *cond, bool is_negated,
    struct finding *finding)
{
	unsigned literal =
	    expr_of(&lint->prover.exprs, cond) ^ (unsigned)is_negated;
	size_t before = lint->prover.count;
	struct branches branches = {0};
	bool always = try_branches(lint, cond, is_negated, &branches);
	bool never = !always && branches.alive_count == 0;

	prover_rewind(&lint->prover, before);
	if (never) {
		*finding = branches.dead[0];
		branches.dead[0] = (struct finding){0};
	} else if (!always) {
		warn_of_dead(lint, &branches);
		if (branches.alive_count == 1)
			literal = expr_of(&lint->prover.exprs, branches.alive) ^
				  (unsigned)is_negated;
		prover_assume(&lint->prover, literal,
		    branches.alive_count == 1 ? branches.alive : cond,
		    FACT_LINE);
	}
	branches_done(&branches);
	return !never;
}

/* False when it can never hold; *finding says why. */
static bool
assume(struct lint *lint, const struct cond *cond, bool is_negated,
    struct finding *finding)
{
	switch (cond->kind) {
	case COND_NOT:
		return assume(lint, cond->kids[0], !is_negated, finding);
	case COND_AND:
		return is_negated ? assume_any(lint, cond, is_negated, finding)
				  : assume_all(lint, cond, is_negated, finding);
	case COND_OR:
		return is_negated ? assume_all(lint, cond, is_negated, finding)
				  : assume_any(lint, cond, is_negated, finding);
	case COND_ALL:
	case COND_TEST:
		break;
	}
	return assume_test(lint, cond, is_negated, finding);
}

/* A fact that a later one says better. */
static void
warn_of_weaker(struct lint *lint)
{
	struct prover *prover = &lint->prover;
	size_t count = prover->count;

	/* Asking the later facts alone about each. */
	for (size_t i = 0; i + 1 < count; i++) {
		struct fact fact = prover->facts[i];
		struct why why;

		if (fact.cond->kind != COND_TEST ||
		    fact.cond->test.op == OP_EXISTS || has_captures(fact.cond))
			continue;
		prover->facts[i].literal = EXPR_TRUE;
		if (prover_ask(prover, fact.literal, &why) == CERTAIN_YES &&
		    why.fact != NULL)
			warn_idle(lint, fact.cond,
			    fact.literal == expr_of(&prover->exprs, fact.cond),
			    &why);
		else
			prover->facts[i].literal = fact.literal;
	}
}

static bool
says_all(const struct rule *rule)
{
	for (size_t i = 0; i < rule->when_count; i++)
		if (rule->when[i]->kind != COND_ALL)
			return false;
	return true;
}

/* Each line by itself holds for every message. */
static bool
is_always(struct lint *lint)
{
	const struct rule *rule = lint->rule;

	for (size_t i = 0; i < rule->when_count; i++)
		if (prover_ask(&lint->prover,
			expr_of(&lint->prover.exprs, rule->when[i]),
			NULL) != CERTAIN_YES)
			return false;
	return rule->unless_count == 0;
}

static bool
assume_when(struct lint *lint)
{
	const struct rule *rule = lint->rule;
	struct finding finding = {0};

	if (!says_all(rule) && is_always(lint)) {
		warn(lint, first_test(rule->when[0])->place,
		    "if that is meant, write `when = all`",
		    "rule %s acts on every message%s: its conditions always "
		    "hold",
		    rule->id,
		    rule->accounts.len + rule->mailboxes.len > 0
			? " that it is for"
			: "");
		return true;
	}
	for (size_t i = 0; i < rule->when_count; i++) {
		if (says_all(rule) ||
		    assume(lint, rule->when[i], false, &finding))
			continue;
		warn(lint, finding.place, finding.hint,
		    "rule %s never acts: %s", rule->id, finding.text);
		finding_done(&finding);
		return false;
	}
	warn_of_weaker(lint);
	return true;
}

static bool
assume_unless(struct lint *lint)
{
	const struct rule *rule = lint->rule;
	struct finding finding = {0};

	for (size_t i = 0; i < rule->unless_count; i++) {
		if (assume(lint, rule->unless[i], true, &finding))
			continue;
		warn(lint, finding.place, finding.hint,
		    "rule %s never acts: this `unless` always vetoes: %s",
		    rule->id, finding.text);
		finding_done(&finding);
		return false;
	}
	return true;
}

/* Values that are meant otherwise, condition by condition. */
static void
warn_of_values(struct lint *lint, const struct cond *cond)
{
	for (size_t i = 0; i < cond->kid_count; i++)
		warn_of_values(lint, cond->kids[i]);
	if (cond->kind != COND_TEST)
		return;
	for (size_t i = 0; i <= cond->test.operand_count; i++) {
		struct lint_value value;

		if (!lint_value(&lint->prover.theory, &cond->test, i, &value))
			continue;
		warn(lint, value.place, value.hint, "%s", value.text);
		free(value.hint);
	}
}

static void
warn_of_lines(struct lint *lint)
{
	const struct rule *rule = lint->rule;

	for (size_t i = 0; i < rule->when_count; i++)
		warn_of_values(lint, rule->when[i]);
	for (size_t i = 0; i < rule->unless_count; i++)
		warn_of_values(lint, rule->unless[i]);
}

/* Between rules. */

static const char *
move_name(const struct rule *rule)
{
	return action_name(rule_find_move(rule)->fixed.kind);
}

static void
warn_of_shadow(struct lint *lint, const struct shadow *shadow)
{
	const struct rule *rule = lint->rule;
	const char *which = says_all(shadow->rule) ? "every message"
						   : "all that it would act on";

	if (shadow->stops)
		warn(lint, rule->place, NULL,
		    "rule %s never runs: rule %s stops at %s", rule->id,
		    shadow->rule->id, which);
	else
		warn(lint, rule->place, NULL,
		    "rule %s never does its `%s`: rule %s does `%s` with %s",
		    rule->id, move_name(rule), shadow->rule->id,
		    move_name(shadow->rule), which);
}

/* `mailboxes = X` and `move = X`. */
static void
warn_of_circle(struct lint *lint)
{
	const struct rule *rule = lint->rule;
	const struct blueprint *move = rule_find_move(rule);
	BUF_AUTO target = BUF_INIT;

	if (move == NULL || rule->mailboxes.len != 1 ||
	    !template_get_fixed(move->target, &target) ||
	    strcmp(rule->mailboxes.items[0], buf_str(&target)) != 0)
		return;
	warn(lint, rule->place, NULL,
	    "rule %s moves messages to where they are: it is only for the "
	    "mailbox %s",
	    rule->id, rule->mailboxes.items[0]);
}

static void
lint_rule(struct lint *lint, const struct rule *rule)
{
	struct shadow shadow;

	lint->rule = rule;
	prover_begin(&lint->prover, rule);
	warn_of_lines(lint);
	warn_of_circle(lint);
	if (!assume_when(lint) || !assume_unless(lint))
		return;
	if (shadows_find(&lint->shadows, &lint->prover, rule, &shadow))
		warn_of_shadow(lint, &shadow);
	else
		shadow.stops = false;
	if (!shadow.stops)
		shadows_add(&lint->shadows, &lint->prover, rule);
}

void
lint_rules(const struct rules *rules, const struct strv *accounts,
    struct rule_problems *problems)
{
	struct lint lint = {.problems = problems};

	prover_init(&lint.prover, rules, accounts);
	shadows_init(&lint.shadows);
	for (size_t i = 0; i < rules->count; i++)
		if (!rules->items[i]->is_disabled)
			lint_rule(&lint, rules->items[i]);
	shadows_done(&lint.shadows);
	prover_done(&lint.prover);
}
