#include "rules/plan.h"

#include <assert.h>

#include "daemon/base/xalloc.h"

static const char *const names[] = {
    [ACTION_COPY] = "copy",
    [ACTION_FORWARD] = "forward",
    [ACTION_EXEC] = "exec",
    [ACTION_MARK] = "mark",
    [ACTION_LABEL] = "label",
    [ACTION_MOVE] = "move",
    [ACTION_ARCHIVE] = "archive",
    [ACTION_TRASH] = "trash",
    [ACTION_JUNK] = "junk",
    [ACTION_DELETE] = "delete",
    [ACTION_NOTIFY] = "notify",
};
_Static_assert(sizeof(names) / sizeof(*names) == ACTION_KINDS,
    "every kind of action has a name");

void
plan_init(struct plan *plan)
{
	*plan = (struct plan){0};
}

void
plan_done(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		action_done(&plan->actions[i]);
	free(plan->actions);
	strv_done(&plan->matched);
	strv_done(&plan->observed);
	strv_done(&plan->would);
	strv_done(&plan->over_limit);
	strv_done(&plan->warnings);
	plan_init(plan);
}

void
action_init(struct action *action, enum action_kind kind)
{
	*action = (struct action){.kind = kind, .urgency = URGENCY_NORMAL};
}

void
action_done(struct action *action)
{
	free(action->target);
	strv_done(&action->argv);
	strv_done(&action->add);
	strv_done(&action->remove);
	strv_done(&action->via);
	strv_done(&action->except);
	free(action->title);
	free(action->text);
	free(action->sound);
	free(action->icon);
	action_init(action, action->kind);
}

void
action_copy(struct action *dst, const struct action *src)
{
	*dst = *src;
	dst->target = xstrdup(src->target);
	dst->title = xstrdup(src->title);
	dst->text = xstrdup(src->text);
	dst->sound = xstrdup(src->sound);
	dst->icon = xstrdup(src->icon);
	strv_init(&dst->argv);
	strv_init(&dst->add);
	strv_init(&dst->remove);
	strv_init(&dst->via);
	strv_init(&dst->except);
	strv_copy(&dst->argv, &src->argv);
	strv_copy(&dst->add, &src->add);
	strv_copy(&dst->remove, &src->remove);
	strv_copy(&dst->via, &src->via);
	strv_copy(&dst->except, &src->except);
}

static bool
str_equal(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

bool
action_equal(const struct action *a, const struct action *b)
{
	return a->kind == b->kind && str_equal(a->target, b->target) &&
	       a->create == b->create && a->mode == b->mode &&
	       a->unknown == b->unknown && a->allow_list == b->allow_list &&
	       a->allow_auto == b->allow_auto &&
	       a->allow_junk == b->allow_junk &&
	       strv_equal(&a->argv, &b->argv) &&
	       a->stdin_message == b->stdin_message && a->retry == b->retry &&
	       a->repeat_safe == b->repeat_safe &&
	       strv_equal(&a->add, &b->add) &&
	       strv_equal(&a->remove, &b->remove) && a->urgency == b->urgency &&
	       strv_equal(&a->via, &b->via) &&
	       strv_equal(&a->except, &b->except) && a->after == b->after &&
	       a->unless_read == b->unless_read;
}

const char *
action_name(enum action_kind kind)
{
	assert(kind < ACTION_KINDS);
	return names[kind];
}
