/* What takes each action back, and what cannot be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "daemon/account/undo.h"
#include "daemon/base/xalloc.h"

static const struct test {
	const char *name, *message_id;
	const char *actions[3]; /* each: "state|detail|description to parse" */
	const char *steps;
} tests[] = {
    /* clang-format off */
    {"a move", "<a@b>", {"move=Work/x|UID 5 there (UIDVALIDITY 17)"},
	"move to INBOX in Work/x 17/5\n"},
    {"the archive", "<a@b>", {"archive|UID 5 there (UIDVALIDITY 17)"},
	"move to INBOX in \\Archive 17/5\n"},
    {"a mark goes where the message went", "<a@b>",
	{"mark|", "move=W|UID 5 there (UIDVALIDITY 17)"},
	"mark not flagged, unread in W 17/5\nmove to INBOX in W 17/5\n"},
    {"a mark alone", "<a@b>", {"mark|"},
	"mark not flagged, unread in INBOX 1/9\n"},
    {"a mark that was there in part", "<a@b>", {"mark|was so before: \\Seen"},
	"mark not flagged in INBOX 1/9\n"},
    {"the same, with other words", "<a@b>",
	{"mark|this mailbox does not keep $x; was so before: \\Flagged"},
	"mark unread in INBOX 1/9\n"},
    {"a mark that was there", "<a@b>",
	{"mark|was so before: \\Flagged \\Seen", "copy=C|UID 6 there (UIDVALIDITY 18)"},
	"it was so before\nmove to the trash in C 18/6\n"},
    {"a copy", "<a@b>", {"copy=C|UID 6 there (UIDVALIDITY 18)"},
	"move to the trash in C 18/6\n"},
    {"no COPYUID", "<a@b>", {"move=W|"},
	"move to INBOX in W, to be looked for\n"},
    {"an older journal", "<a@b>", {"move=W|UID 5 there"},
	"move to INBOX in W, to be looked for\n"},
    {"UID 0", "<a@b>", {"move=W|UID 0 there (UIDVALIDITY 17)"},
	"move to INBOX in W, to be looked for\n"},
    {"a mark of a message that is lost", "<a@b>", {"mark|", "move=W|"},
	"mark not flagged, unread in W, to be looked for\n"
	"move to INBOX in W, to be looked for\n"},
    {"found later", "<a@b>",
	{"move=W|no UIDPLUS; it stays; UID 5 there (UIDVALIDITY 17)"},
	"move to INBOX in W 17/5\n"},
    {"a copy that is lost", "", {"copy=C|"},
	"the server did not say where it is now, and it has no Message-ID to "
	"look for; `belfryctl history` says where it was put\n"},
    {"no Message-ID", "", {"move=W|UID 5 there (UIDVALIDITY 17)"},
	"it has no Message-ID: back there it would be taken for new mail\n"},
    {"what is gone for good", "<a@b>", {"delete|", "exec|exit 0", "notify|"},
	"it was deleted for good\nBelfry does not know what the command did\n"},
    /* clang-format on */
};

static enum action_kind
kind_of(struct span name)
{
	for (int kind = 0; kind < ACTION_KINDS; kind++)
		if (span_is(name, action_name((enum action_kind)kind)))
			return (enum action_kind)kind;
	fail_msg("no action");
	return ACTION_KINDS;
}

/* As a rule has it: "move=Work"; "mark" is flagged and read. */
static void
write_action(struct span text, struct buf *out)
{
	struct span target = text, name;
	struct action action;

	span_split(&target, '=', &name);
	action_init(&action, kind_of(name));
	if (target.len > 0)
		action.target = xstrdup_span(target);
	if (action.kind == ACTION_MARK) {
		strv_add(&action.add, "\\Flagged");
		strv_add(&action.add, "\\Seen");
	}
	if (action.kind == ACTION_EXEC)
		strv_add(&action.argv, "/bin/true");
	action_format(out, &action);
	action_done(&action);
}

static void
describe(const struct undo *undo, struct buf *out)
{
	for (size_t i = 0; i < undo->count; i++) {
		const struct undo_step *step = &undo->steps[i];
		if (step->refusal != NULL) {
			buf_addf(out, "%s\n", step->refusal);
			continue;
		}
		action_describe(out, &step->action);
		buf_addf(out, " in %s", step->mailbox);
		if (step->uid == 0)
			buf_add_str(out, ", to be looked for\n");
		else
			buf_addf(out, " %u/%u\n", step->uidvalidity, step->uid);
	}
}

static void
run(const struct test *test, struct buf *out)
{
	struct store_message message = {
	    .key = {"a", "INBOX", 1, 9}, .message_id = test->message_id};
	struct store_effect effects[3];
	struct buf actions[3] = {BUF_INIT, BUF_INIT, BUF_INIT};
	struct undo undo;
	size_t count = 0;

	for (; count < 3 && test->actions[count] != NULL; count++) {
		const char *bar = strchr(test->actions[count], '|');
		write_action(span_from(test->actions[count],
				 (size_t)(bar - test->actions[count])),
		    &actions[count]);
		effects[count] = (struct store_effect){
		    .key = message.key,
		    .rule = "r",
		    .kind = "",
		    .action = buf_str(&actions[count]),
		    .state = EFFECT_DONE,
		    .detail = bar + 1,
		};
	}
	undo_init(&undo, &message, effects, count);
	describe(&undo, out);
	undo_done(&undo);
	for (size_t i = 0; i < 3; i++)
		buf_done(&actions[i]);
}

static void
test_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		BUF_AUTO out = BUF_INIT;
		run(&tests[i], &out);
		if (strcmp(buf_str(&out), tests[i].steps) != 0)
			fail_msg("%s: %s", tests[i].name, buf_str(&out));
	}
}

/* Not done, and undone things themselves: no step. */
static void
test_states(void **state)
{
	struct store_message message = {
	    .key = {"a", "INBOX", 1, 9}, .message_id = "<a@b>"};
	BUF_AUTO action = BUF_INIT;
	struct undo undo;

	(void)state;
	write_action(SPAN("mark"), &action);
	for (int s = 0; s < EFFECT_STATES; s++) {
		struct store_effect effect = {.rule = "r",
		    .action = buf_str(&action),
		    .state = (enum effect_state)s,
		    .detail = ""};
		undo_init(&undo, &message, &effect, 1);
		assert_int_equal(
		    undo.count, s == EFFECT_DONE || s == EFFECT_UNKNOWN);
		undo_done(&undo);
		effect.rule = UNDO_RULE;
		undo_init(&undo, &message, &effect, 1);
		assert_int_equal(undo.count, 0);
		undo_done(&undo);
	}
}

/* What was looked for and found is as if the server had said it. */
static void
test_place(void **state)
{
	BUF_AUTO bare = BUF_INIT, worded = BUF_INIT;

	(void)state;
	undo_add_place(&bare, 5, 17);
	assert_string_equal(buf_str(&bare), "UID 5 there (UIDVALIDITY 17)");
	buf_add_str(&worded, "it stays");
	undo_add_place(&worded, 5, 17);
	assert_string_equal(
	    buf_str(&worded), "it stays; UID 5 there (UIDVALIDITY 17)");
}

int
main(void)
{
	const struct CMUnitTest all[] = {
	    cmocka_unit_test(test_all),
	    cmocka_unit_test(test_states),
	    cmocka_unit_test(test_place),
	};

	return cmocka_run_group_tests(all, NULL, NULL);
}
