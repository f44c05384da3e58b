/*
 * test-deed: where a message is that a person chose a button for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/account/deed.h"
#include "daemon/base/xalloc.h"
#include "notifiers/notifier.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))
#define PLACE "UID 7 there (UIDVALIDITY 3)"

static const struct {
	const char *name;
	struct {
		enum action_kind kind;
		enum effect_state state;
		const char *detail;
	} done[3];
	size_t count;
	const char *place; /* NULL: nobody knows */
	unsigned seq;
} cases[] = {
    {"where it was shown", {{ACTION_NOTIFY, EFFECT_DONE, ""}}, 1, "INBOX 9 12",
	1},
    {"nothing was done", {{ACTION_NOTIFY, EFFECT_DONE, ""}}, 0, "INBOX 9 12",
	0},
    {"marked", {{ACTION_MARK, EFFECT_DONE, ""}}, 1, "INBOX 9 12", 1},
    {"moved", {{ACTION_MOVE, EFFECT_DONE, PLACE}}, 1, "Work 3 7", 1},
    {"archived", {{ACTION_ARCHIVE, EFFECT_DONE, PLACE}}, 1, "\\Archive 3 7", 1},
    {"moved, nobody knows where", {{ACTION_MOVE, EFFECT_DONE, "done"}}, 1,
	"Work: look for it", 1},
    {"perhaps moved", {{ACTION_MOVE, EFFECT_UNKNOWN, ""}}, 1,
	"Work: look for it", 1},
    {"trashed, nobody knows where", {{ACTION_TRASH, EFFECT_DONE, ""}}, 1,
	"\\Trash: look for it", 1},
    {"lost, and then said where",
	{{ACTION_MOVE, EFFECT_DONE, ""},
	    {ACTION_TRASH, EFFECT_DONE, "UID 8 there (UIDVALIDITY 4)"}},
	2, "\\Trash 4 8", 2},
    {"said where, and then lost",
	{{ACTION_MOVE, EFFECT_DONE, PLACE}, {ACTION_TRASH, EFFECT_DONE, ""}}, 2,
	"\\Trash: look for it", 2},
    {"not moved", {{ACTION_MOVE, EFFECT_FAILED, "no"}}, 1, "INBOX 9 12", 1},
    {"it was there already",
	{{ACTION_ARCHIVE, EFFECT_DONE, "it is there already"}}, 1, "INBOX 9 12",
	1},
    {"deleted", {{ACTION_DELETE, EFFECT_DONE, ""}}, 1, NULL, 1},
    {"copied", {{ACTION_COPY, EFFECT_DONE, PLACE}}, 1, "INBOX 9 12", 1},
    {"twice",
	{{ACTION_MOVE, EFFECT_DONE, PLACE},
	    {ACTION_TRASH, EFFECT_DONE, "UID 8 there (UIDVALIDITY 4)"}},
	2, "\\Trash 4 8", 2},
};

static void
fill(struct store_effect *effect, size_t i, size_t j)
{
	struct action action;
	BUF_AUTO text = BUF_INIT;

	action_init(&action, cases[i].done[j].kind);
	if (action.kind == ACTION_MOVE || action.kind == ACTION_COPY)
		action.target = xstrdup("Work");
	action_format(&text, &action);
	action_done(&action);
	*effect = (struct store_effect){
	    .seq = (unsigned)j,
	    .action = buf_take_str(&text),
	    .state = cases[i].done[j].state,
	    .detail = cases[i].done[j].detail,
	};
}

static void
test_place(void **state)
{
	const struct store_key key = {"work", "INBOX", 9, 12};
	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct store_effect effects[3] = {0};
		struct deed_place place = {0};
		BUF_AUTO got = BUF_INIT;
		const char *why;

		for (size_t j = 0; j < cases[i].count; j++)
			fill(&effects[j], i, j);
		why = deed_find_place(&key, effects, cases[i].count, &place);
		if (why == NULL && place.mover != NULL)
			buf_addf(&got, "%s: look for it", place.mailbox);
		else if (why == NULL)
			buf_addf(&got, "%s %u %u", place.mailbox,
			    place.uidvalidity, place.uid);
		if (strcmp(buf_str(&got),
			cases[i].place != NULL ? cases[i].place : "") != 0 ||
		    deed_next_seq(effects, cases[i].count) != cases[i].seq) {
			print_error(
			    "case: %s: %s\n", cases[i].name, buf_str(&got));
			failed++;
		}
		deed_place_done(&place);
		for (size_t j = 0; j < cases[i].count; j++)
			free((char *)(uintptr_t)effects[j].action);
	}
	assert_int_equal(failed, 0);
}

static void
test_kinds(void **state)
{
	const struct deed_kind *kind = deed_find(NOTIFY_READ);
	struct action action;

	(void)state;
	deed_fill_action(kind, &action);
	assert_int_equal(action.kind, ACTION_MARK);
	assert_true(strv_has(&action.add, "\\Seen"));
	action_done(&action);
	assert_int_equal(deed_find(NOTIFY_TRASH)->action, ACTION_TRASH);
	assert_int_equal(deed_find(NOTIFY_ARCHIVE)->action, ACTION_ARCHIVE);
	assert_null(deed_find(NOTIFY_OPEN));
	assert_null(deed_find(NOTIFY_COPY));
	assert_null(deed_find("delete"));
}

static void
test_seq_of_runs(void **state)
{
	const struct store_effect effects[] = {
	    {.seq = 3}, {.seq = STORE_APPLY_SEQ}, {.seq = 1}};

	(void)state;
	assert_int_equal(deed_next_seq(effects, LENGTH(effects)), 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_place),
	    cmocka_unit_test(test_kinds),
	    cmocka_unit_test(test_seq_of_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
