/* Counts by rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/account/tally.h"
#include "daemon/base/xalloc.h"

static void
add_action(struct plan *plan, enum action_kind kind, const char *rule)
{
	plan->actions = xreallocarray(
	    plan->actions, plan->count + 1, sizeof(*plan->actions));
	struct action *action = &plan->actions[plan->count++];
	action_init(action, kind);
	strcpy(action->rule, rule);
}

static void
test_counts(void **state)
{
	struct tally tally = TALLY_INIT;
	struct plan plan;
	const struct tally_row *row;

	(void)state;
	plan_init(&plan);
	strv_add(&plan.matched, "a");
	strv_add(&plan.observed, "b");
	strv_add(&plan.over_limit, "c");
	add_action(&plan, ACTION_MOVE, "a");
	add_action(&plan, ACTION_NOTIFY, "a");
	tally_add(&tally, &plan, false);
	tally_add(&tally, &plan, true);
	plan_done(&plan);
	assert_int_equal(tally.count, 3);
	row = tally_find(&tally, "a");
	assert_int_equal(row->matched, 2);
	assert_int_equal(row->actions[ACTION_MOVE], 2);
	assert_int_equal(row->actions[ACTION_NOTIFY], 1);
	assert_int_equal(tally_find(&tally, "b")->observed, 2);
	assert_int_equal(tally_find(&tally, "b")->matched, 0);
	assert_int_equal(tally_find(&tally, "c")->over_limit, 2);
	assert_null(tally_find(&tally, "d"));
	tally_done(&tally);
	assert_int_equal(tally.count, 0);
}

/* More rows than there was room for, each of them found again. */
static void
test_many(void **state)
{
	struct tally tally = TALLY_INIT;

	(void)state;
	for (int i = 0; i < 200; i++) {
		struct plan plan;
		plan_init(&plan);
		STR_AUTO id = xasprintf("rule-%d", i % 100);
		strv_add(&plan.matched, id);
		tally_add(&tally, &plan, false);
		plan_done(&plan);
	}
	assert_int_equal(tally.count, 100);
	for (size_t i = 0; i < tally.count; i++)
		assert_int_equal(tally.rows[i].matched, 2);
	assert_string_equal(tally.rows[99].rule, "rule-99");
	tally_done(&tally);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_counts),
	    cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
