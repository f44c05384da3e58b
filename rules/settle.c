#include "rules/settle.h"

#include <assert.h>

#include "daemon/base/xalloc.h"
#include "daemon/mail/address_same.h"
#include "rules/escalate.h"
#include "rules/rule.h"

/* More cannot come from RULES_MAX rules in any sane set; it bounds memory
 * until the plan is sorted and cut. */
#define SETTLE_ACTIONS_MAX (10 * PLAN_ACTIONS_MAX)

void
settle_add(struct plan *plan, struct action *action)
{
	if (plan->count == SETTLE_ACTIONS_MAX) {
		plan->is_cut = true;
		action_done(action);
		return;
	}
	plan->actions = xreallocarray(
	    plan->actions, plan->count + 1, sizeof(*plan->actions));
	plan->actions[plan->count++] = *action;
}

static void __attribute__((format(printf, 2, 3)))
warn(struct plan *plan, const char *format, ...)
{
	struct buf text = BUF_INIT;
	va_list args;

	va_start(args, format);
	buf_vaddf(&text, format, args);
	va_end(args);
	strv_take(&plan->warnings, buf_take_str(&text));
}

/* By insertion: stable, and plans are short. */
static void
sort(struct plan *plan)
{
	for (size_t i = 1; i < plan->count; i++) {
		struct action action = plan->actions[i];
		size_t j = i;

		for (; j > 0 && plan->actions[j - 1].kind > action.kind; j--)
			plan->actions[j] = plan->actions[j - 1];
		plan->actions[j] = action;
	}
}

static void
drop(struct plan *plan, size_t index)
{
	action_done(&plan->actions[index]);
	plan->count--;
	memmove(&plan->actions[index], &plan->actions[index + 1],
	    (plan->count - index) * sizeof(*plan->actions));
}

static bool
is_move(enum action_kind kind)
{
	return kind >= ACTION_MOVE && kind <= ACTION_DELETE;
}

/* Before the plan is sorted: the first rule wins, not the first kind. */
static void
drop_second_moves(struct plan *plan)
{
	const struct action *first = NULL;

	for (size_t i = 0; i < plan->count; i++) {
		struct action *action = &plan->actions[i];

		if (!is_move(action->kind))
			continue;
		if (first == NULL) {
			first = action;
			continue;
		}
		if (!action_equal(first, action))
			warn(plan,
			    "rule %s would %s the message, but rule %s does "
			    "already",
			    action->rule, action_name(action->kind),
			    first->rule);
		drop(plan, i--);
	}
}

static bool
is_same_target(const struct action *a, const struct action *b)
{
	struct span one = span_from_str(a->target);
	struct span two = span_from_str(b->target);

	if (a->kind != b->kind)
		return false;
	if (a->kind == ACTION_FORWARD)
		return address_same(one, two);
	return (a->kind == ACTION_COPY || a->kind == ACTION_LABEL) &&
	       span_equal(one, two);
}

/* What one rule lets be done is not undone by another that is done first. */
static void
take_permissions(struct action *first, const struct action *later)
{
	first->create |= later->create;
	first->allow_list |= later->allow_list;
	first->allow_auto |= later->allow_auto;
	first->allow_junk |= later->allow_junk;
}

static void
drop_same_targets(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		for (size_t j = plan->count - 1; j > i; j--) {
			if (!is_same_target(
				&plan->actions[i], &plan->actions[j]))
				continue;
			take_permissions(&plan->actions[i], &plan->actions[j]);
			drop(plan, j);
		}
	}
}

/* Marks. */

static void
remove_item(struct strv *v, size_t index)
{
	free(v->items[index]);
	/* With the NULL behind the last. */
	memmove(&v->items[index], &v->items[index + 1],
	    (v->len - index) * sizeof(*v->items));
	v->len--;
}

static void
drop_contradicted(struct plan *plan, const char *rule, struct strv *flags,
    const struct strv *opposite, const char *first_rule)
{
	for (size_t i = 0; i < flags->len; i++) {
		if (!strv_has_nocase(opposite, span_from_str(flags->items[i])))
			continue;
		warn(plan,
		    "rule %s would change the mark %s that rule %s sets "
		    "or removes",
		    rule, flags->items[i], first_rule);
		remove_item(flags, i--);
	}
}

static void
settle_marks(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		struct action *later = &plan->actions[i];

		for (size_t j = 0; later->kind == ACTION_MARK && j < i; j++) {
			struct action *first = &plan->actions[j];

			if (first->kind != ACTION_MARK)
				continue;
			drop_contradicted(plan, later->rule, &later->add,
			    &first->remove, first->rule);
			drop_contradicted(plan, later->rule, &later->remove,
			    &first->add, first->rule);
		}
		if (later->kind == ACTION_MARK && later->add.len == 0 &&
		    later->remove.len == 0)
			drop(plan, i--);
	}
}

static bool
has_all(const struct strv *v, const struct strv *items)
{
	for (size_t i = 0; i < items->len; i++)
		if (!strv_has(v, items->items[i]))
			return false;
	return true;
}

/* In whatever order they were written. */
static bool
is_same_via(const struct action *a, const struct action *b)
{
	return has_all(&a->via, &b->via) && has_all(&b->via, &a->via);
}

/* Notifications: one message rings once for each set of notifiers, as urgent
 * as the most urgent rule says and with that rule's texts. */
static void
merge_notifications(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		struct action *first = &plan->actions[i];

		if (first->kind != ACTION_NOTIFY)
			continue;
		for (size_t j = i + 1; j < plan->count; j++) {
			struct action *later = &plan->actions[j];
			struct action swap = *first;

			if (!is_same_via(first, later) ||
			    first->after != later->after ||
			    first->unless_read != later->unless_read)
				continue;
			if (later->urgency > first->urgency) {
				*first = *later;
				*later = swap;
			}
			drop(plan, j--);
		}
	}
}

/* As the message will be when the plan is done. */
static bool
is_unread(const struct plan *plan, const struct facts *facts)
{
	struct span seen = SPAN("\\Seen");
	bool is_read =
	    facts->flags != NULL && strv_has_nocase(facts->flags, seen);

	for (size_t i = 0; i < plan->count; i++) {
		if (strv_has_nocase(&plan->actions[i].add, seen))
			is_read = true;
		if (strv_has_nocase(&plan->actions[i].remove, seen))
			is_read = false;
	}
	return !is_read;
}

/* One that rings at once. */
static bool
has_notification(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->actions[i].kind == ACTION_NOTIFY &&
		    plan->actions[i].after == 0)
			return true;
	return false;
}

/* Nobody wants to be rung for what a rule throws away. */
static bool
is_thrown_away(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct action *action = &plan->actions[i];
		struct span target = span_from_str(action->target);

		if (action->kind == ACTION_TRASH ||
		    action->kind == ACTION_JUNK ||
		    action->kind == ACTION_DELETE)
			return true;
		if (action->kind == ACTION_MOVE &&
		    (span_is(target, "\\Trash") || span_is(target, "\\Junk")))
			return true;
	}
	return false;
}

static bool
is_moved(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->actions[i].kind == ACTION_MOVE ||
		    plan->actions[i].kind == ACTION_ARCHIVE)
			return true;
	return false;
}

static bool
is_watched(const struct strv *watch, const char *mailbox)
{
	for (size_t i = 0; i < watch->len; i++)
		if (mailbox_matches(watch->items[i], mailbox))
			return true;
	return false;
}

/* Out of sight: whoever sorts mail away does not want to be called to it. */
static bool
leaves_watch(const struct plan *plan, const struct facts *facts)
{
	for (size_t i = 0; i < plan->count && facts->watch != NULL; i++) {
		const struct action *action = &plan->actions[i];
		if (action->kind == ACTION_ARCHIVE &&
		    !is_watched(facts->watch, "\\Archive"))
			return true;
		if (action->kind == ACTION_MOVE &&
		    !is_watched(facts->watch, action->target))
			return true;
	}
	return false;
}

/* Those of the account: beside its default notification, and only there. */
static void
add_default_escalations(struct plan *plan, const struct facts *facts)
{
	for (size_t i = 0; facts->escalate != NULL && i < facts->escalate->len;
	     i++) {
		struct action action;
		struct span names, name;

		action_init(&action, ACTION_NOTIFY);
		if (escalate_parse(span_from_str(facts->escalate->items[i]),
			&names, &action)) {
			while (escalate_next_name(&names, &name))
				strv_add_span(&action.via, name);
			settle_add(plan, &action);
		} else {
			action_done(&action);
		}
	}
}

static void
add_default_notification(struct plan *plan, const struct facts *facts)
{
	struct action action;

	if (!facts->default_notification || plan->quiet ||
	    has_notification(plan) || !is_unread(plan, facts) ||
	    is_thrown_away(plan) || leaves_watch(plan, facts))
		return;
	action_init(&action, ACTION_NOTIFY);
	settle_add(plan, &action);
	add_default_escalations(plan, facts);
}

/* Escalations: of what a rule reads or throws away there are none, and where a
 * rule moves it nobody can tell whether it was read. */
static void
settle_escalations(struct plan *plan, const struct facts *facts)
{
	bool is_over = !is_unread(plan, facts) || is_thrown_away(plan);

	for (size_t i = 0; i < plan->count; i++) {
		struct action *action = &plan->actions[i];

		if (!action->unless_read)
			continue;
		if (is_over)
			drop(plan, i--);
		else if (is_moved(plan))
			action->unless_read = false;
	}
}

/* Who is rung later is not rung at once, unless `via` says so. */
static void
spare_the_later(struct plan *plan, struct action *action)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct action *later = &plan->actions[i];

		for (size_t j = 0; later->after > 0 && j < later->via.len; j++)
			if (!strv_has(&action->except, later->via.items[j]))
				strv_add(&action->except, later->via.items[j]);
	}
}

static void
spare_all(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->actions[i].kind == ACTION_NOTIFY &&
		    plan->actions[i].via.len == 0)
			spare_the_later(plan, &plan->actions[i]);
}

static void
cut(struct plan *plan)
{
	if (plan->count > PLAN_ACTIONS_MAX)
		plan->is_cut = true;
	while (plan->count > PLAN_ACTIONS_MAX)
		drop(plan, plan->count - 1);
	if (plan->is_cut)
		warn(plan, "more than %d actions: the rest is left out",
		    PLAN_ACTIONS_MAX);
}

void
settle_plan(struct plan *plan, const struct facts *facts)
{
	drop_second_moves(plan);
	sort(plan);
	drop_same_targets(plan);
	settle_marks(plan);
	merge_notifications(plan);
	add_default_notification(plan, facts);
	settle_escalations(plan, facts);
	spare_all(plan);
	cut(plan);
	assert(plan->count <= PLAN_ACTIONS_MAX);
}
