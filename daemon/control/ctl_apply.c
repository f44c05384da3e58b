/*
 * apply: judges messages that are there already. The daemon does it; this
 * shows how far it came. What would be done is counted first, and asked about
 * where there is somebody to ask.
 */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "daemon/base/xalloc.h"
#include "daemon/control/ctl_progress.h"
#include "daemon/control/ctl_table.h"

/* So many forwards, commands, deletions and rings that nobody can take back
 * are done without a word when nobody can be asked; more want --yes. */
#define UNASKED_MAX 20

struct applying {
	const struct ctl *ctl;
	struct ctl_progress *progress; /* NULL: nothing is shown */
	struct json *end; /* owned: the last line, of what is over */
	bool joined;	  /* another one's run */
	bool wants_dry;
	bool waits; /* what is left is tried again later, without us */
};

/* ---- what is asked for ---- */

static int
set_place(const struct ctl *ctl, struct json *request)
{
	const char *argument = ctl->arguments[0];
	const char *slash = strchr(argument, '/');

	if (slash == NULL || slash == argument || slash[1] == '\0')
		return ctl_fail(ctl, EX_USAGE, "such as work/INBOX",
		    "%s is not ACCOUNT/MAILBOX", argument);
	json_set_span(request, "account",
	    span_from(argument, (size_t)(slash - argument)));
	json_set_str(request, "mailbox", slash + 1);
	return EX_OK;
}

static void
set_rules(const struct ctl *ctl, struct json *request)
{
	struct span rest = span_from_str(ctl_get(ctl, "rule")), id;
	struct json *rules = json_new_array();

	while (span_split(&rest, ',', &id)) {
		if (span_trim(id).len == 0)
			continue;
		struct json *rule = json_new_object();
		json_set_span(rule, "rule", span_trim(id));
		json_add(rules, rule);
	}
	json_set(request, "rules", rules);
}

/* NULL: it was said what is wrong, and *code_r is the exit code. */
static struct json *
make_request(const struct ctl *ctl, bool is_dry, int *code_r)
{
	struct json *request = ctl_request(ctl);
	int code = set_place(ctl, request);

	if (code == EX_OK)
		code = ctl_set_times(ctl, request);
	if (code != EX_OK) {
		*code_r = code;
		json_free(&request);
		return NULL;
	}
	set_rules(ctl, request);
	json_set_bool(request, "notify", ctl_has(ctl, "notify"));
	json_set_bool(request, "cancel", ctl_has(ctl, "cancel"));
	json_set_bool(request, "dry_run", is_dry);
	json_set_bool(request, "join", !ctl_has(ctl, "dry-run"));
	return request;
}

/* ---- following ---- */

static bool
is_end(const struct json *line)
{
	const char *event = json_get_str(line, "event");

	return event != NULL && strcmp(event, "end") == 0;
}

/* All that is left is tried again later: hours, perhaps. */
static bool
is_waiting(const struct json *line)
{
	const char *phase = json_get_str(line, "phase");

	return phase != NULL && strcmp(phase, "waiting") == 0 &&
	       json_get_int(line, "waiting", 0) > 0 &&
	       json_get_int(line, "waiting", 0) ==
		   json_get_int(line, "open", 0);
}

static int
on_line(void *ctx, const struct json *line)
{
	struct applying *applying = ctx;

	applying->joined =
	    applying->wants_dry && !json_get_bool(line, "dry_run");
	if (applying->progress != NULL)
		ctl_progress_show(applying->progress, line);
	applying->waits = is_waiting(line);
	if (!is_end(line) && !applying->waits)
		return -1;
	applying->end = json_copy_of(line);
	return EX_OK;
}

/* EX_OK: applying->end is what came of it. */
static int
run(struct applying *applying, bool is_dry)
{
	int code = EX_OK;
	struct json *request = make_request(applying->ctl, is_dry, &code);

	if (request == NULL)
		return code;
	json_free(&applying->end);
	applying->wants_dry = is_dry;
	applying->joined = false;
	applying->progress =
	    applying->ctl->json
		? NULL
		: ctl_progress_new(is_dry ? "counting" : "applying");
	code = ctl_follow(applying->ctl, request, on_line, applying);
	ctl_progress_free(&applying->progress);
	return code;
}

/* ---- the summary ---- */

static void
add_actions(struct buf *out, const struct json *actions)
{
	const char *name;

	for (size_t i = 0; json_member(actions, i, &name) != NULL; i++)
		buf_addf(out, "%s%s %" PRId64, i > 0 ? ", " : "", name,
		    json_get_int(actions, name, 0));
}

/* What the server did not give. */
static void
add_left_out(struct buf *out, const struct json *end)
{
	const char *uids = json_get_str(end, "left_uids");
	int64_t count = json_get_int(end, "left_out", 0);

	if (count == 0 || uids == NULL)
		return;
	buf_addf(out,
	    "  not looked at: %" PRId64 " that the server has, and does not "
	    "give (UID ",
	    count);
	ctl_add_clean(out, uids, CTL_TEXT_MAX);
	buf_add_str(out,
	    "); see whether a mail program shows them, and run this once "
	    "more\n");
}

static void
add_head(struct buf *out, const struct json *end)
{
	BUF_AUTO place = BUF_INIT;
	int64_t busy = json_get_int(end, "busy", 0);

	ctl_add_clean(&place, json_get_str(end, "account"), CTL_CELL_MAX);
	buf_add_char(&place, '/');
	ctl_add_clean(&place, json_get_str(end, "mailbox"), CTL_CELL_MAX);
	buf_addf(out, "%s: ", buf_str(&place));
	ctl_add_count(out, (size_t)json_get_int(end, "looked", 0), "message");
	buf_addf(out, " looked at, %" PRId64 " matched",
	    json_get_int(end, "matched", 0));
	if (busy > 0)
		buf_addf(out, ", %" PRId64 " left to live judging", busy);
	buf_add_char(out, '\n');
	add_left_out(out, end);
}

/* What each rule would do. */
static void
add_plan(struct buf *out, const struct json *end)
{
	const struct json *rules = json_get(end, "rules");
	struct ctl_table table;

	add_head(out, end);
	if (json_count(rules) == 0)
		return;
	ctl_table_init(&table, 5);
	ctl_table_add(&table, "RULE");
	ctl_table_add(&table, "matched");
	ctl_table_add(&table, "observed");
	ctl_table_add(&table, "over limit");
	ctl_table_add(&table, "would do");
	for (size_t i = 0; i < json_count(rules); i++) {
		const struct json *rule = json_at(rules, i);
		BUF_AUTO actions = BUF_INIT;
		add_actions(&actions, json_get(rule, "actions"));
		ctl_table_add(&table, json_get_str(rule, "rule"));
		ctl_table_add_int(&table, json_get_int(rule, "matched", 0));
		ctl_table_add_int(&table, json_get_int(rule, "observed", 0));
		ctl_table_add_int(&table, json_get_int(rule, "over_limit", 0));
		ctl_table_add(&table, buf_str(&actions));
	}
	ctl_table_print(&table, out, "  ");
	ctl_table_done(&table);
}

/* Counts what the plan does of one kind, or (NULL) of all. */
static int64_t
count_planned(const struct json *end, const char *kind)
{
	const struct json *rules = json_get(end, "rules");
	int64_t count = 0;
	const char *name;

	for (size_t i = 0; i < json_count(rules); i++) {
		const struct json *actions =
		    json_get(json_at(rules, i), "actions");
		for (size_t n = 0; json_member(actions, n, &name) != NULL; n++)
			if (kind == NULL || strcmp(name, kind) == 0)
				count += json_get_int(actions, name, 0);
	}
	return count;
}

static int64_t
count_state(const struct json *end, const char *state)
{
	const struct json *effects = json_get(end, "effects");
	int64_t count = 0;

	for (size_t i = 0; i < json_count(effects); i++) {
		const struct json *effect = json_at(effects, i);
		const char *name = json_get_str(effect, "state");
		if (name != NULL && strcmp(name, state) == 0)
			count += json_get_int(effect, "count", 0);
	}
	return count;
}

static void
add_outcome(struct buf *out, const struct json *end)
{
	const struct json *effects = json_get(end, "effects");
	const char *detail = json_get_str(end, "detail");
	struct ctl_table table;

	add_head(out, end);
	ctl_table_init(&table, 4);
	for (size_t i = 0; i < json_count(effects); i++) {
		const struct json *effect = json_at(effects, i);
		ctl_table_add(&table, json_get_str(effect, "rule"));
		ctl_table_add(&table, json_get_str(effect, "action"));
		ctl_table_add(&table, json_get_str(effect, "state"));
		ctl_table_add_int(&table, json_get_int(effect, "count", 0));
	}
	ctl_table_print(&table, out, "  ");
	ctl_table_done(&table);
	if (detail == NULL)
		return;
	buf_add_str(out, "  ended: ");
	ctl_add_clean(out, detail, CTL_TEXT_MAX);
	buf_add_char(out, '\n');
}

static bool
has_state(const struct json *end, const char *state)
{
	const char *name = json_get_str(end, "state");

	return name != NULL && strcmp(name, state) == 0;
}

static int
exit_code(const struct applying *applying)
{
	const struct json *end = applying->end;
	bool is_cancel = ctl_has(applying->ctl, "cancel");

	if (has_state(end, "ended") || count_state(end, "failed") > 0 ||
	    count_state(end, "unknown") > 0 || applying->waits ||
	    json_get_int(end, "left_out", 0) > 0)
		return CTL_EXIT_TROUBLE;
	return has_state(end, "cancelled") && !is_cancel ? CTL_EXIT_TROUBLE
							 : EX_OK;
}

static int
finish(struct applying *applying)
{
	int code = exit_code(applying);
	BUF_AUTO out = BUF_INIT;

	if (applying->ctl->json) {
		struct json *end = applying->end;
		applying->end = NULL;
		return ctl_finish_json(end, code);
	}
	if (json_get_bool(applying->end, "dry_run"))
		add_plan(&out, applying->end);
	else
		add_outcome(&out, applying->end);
	if (applying->waits)
		buf_addf(&out,
		    "  %" PRId64 " messages wait to be tried again; that goes "
		    "on by itself\n",
		    json_get_int(applying->end, "waiting", 0));
	return ctl_finish(&out, code);
}

/* ---- asking ---- */

static bool
can_ask(const struct ctl *ctl)
{
	return !ctl->json && isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

static int64_t
count_final(const struct json *end)
{
	return count_planned(end, "forward") + count_planned(end, "exec") +
	       count_planned(end, "delete") + count_planned(end, "notify");
}

/* EX_OK: go on. */
static int
ask(const struct applying *applying)
{
	BUF_AUTO out = BUF_INIT;
	char answer[16] = "";

	add_plan(&out, applying->end);
	fprintf(stderr, "%sDo it? [y/N] ", buf_str(&out));
	if (fgets(answer, sizeof(answer), stdin) == NULL ||
	    (answer[0] != 'y' && answer[0] != 'Y')) {
		fputs("Nothing was done.\n", stderr);
		return CTL_EXIT_TROUBLE;
	}
	return EX_OK;
}

static int
confirm(const struct applying *applying)
{
	int64_t final = count_final(applying->end);

	if (can_ask(applying->ctl))
		return ask(applying);
	if (final <= UNASKED_MAX)
		return EX_OK;
	return ctl_fail(applying->ctl, EX_USAGE,
	    "look at it with --dry-run; --yes does it without asking",
	    "%" PRId64 " forwards, commands, deletions and notifications "
	    "cannot be taken back",
	    final);
}

/* Whether there is anything to do, as far as counting tells. */
static bool
has_work(const struct json *end)
{
	return has_state(end, "done") &&
	       (count_planned(end, NULL) > 0 ||
		   json_get_int(end, "matched", 0) +
			   json_get_int(end, "observed", 0) >
		       0);
}

static int
apply(struct applying *applying)
{
	const struct ctl *ctl = applying->ctl;
	bool is_dry = ctl_has(ctl, "dry-run");
	int code;

	if (is_dry || ctl_has(ctl, "yes") || ctl_has(ctl, "cancel")) {
		code = run(applying, is_dry);
		return code == EX_OK ? finish(applying) : code;
	}
	code = run(applying, true);
	if (code != EX_OK)
		return code;
	if (applying->joined || !has_work(applying->end))
		return finish(applying);
	code = confirm(applying);
	if (code == EX_OK)
		code = run(applying, false);
	return code == EX_OK ? finish(applying) : code;
}

int
ctl_apply(struct ctl *ctl)
{
	struct applying applying = {.ctl = ctl};
	int code = apply(&applying);

	json_free(&applying.end);
	return code;
}
