/*
 * undo: takes back what rules did, as far as that can be. The daemon does it
 * by the same way as everything else; this asks until it is over.
 */
#include <sysexits.h>
#include <time.h>

#include "daemon/base/xalloc.h"
#include "daemon/control/ctl_table.h"

/* How often it is asked whether all is over, and for how long. */
#define POLL_NSEC (200 * 1000 * 1000)
#define POLLS_MAX (60 * 5)

/* place = account "/" mailbox [ "/" uid ] / account */
static int
set_place(const struct ctl *ctl, struct json *request)
{
	const char *argument = ctl->arguments[0];
	const char *first = strchr(argument, '/');
	const char *last = strrchr(argument, '/');
	const char *end = argument + strlen(argument);
	uint32_t uid;

	if (first == NULL) {
		json_set_str(request, "account", argument);
		return EX_OK;
	}
	if (last != first && span_to_u32(span_from_str(last + 1), &uid)) {
		json_set_int(request, "uid", uid);
		end = last;
	}
	if (first == argument || end == first + 1)
		return ctl_fail(ctl, EX_USAGE,
		    "such as work/INBOX/17: `belfryctl history --json` has the "
		    "UIDs",
		    "%s is not ACCOUNT/MAILBOX/UID", argument);
	json_set_span(request, "account",
	    span_from(argument, (size_t)(first - argument)));
	json_set_span(request, "mailbox",
	    span_from(first + 1, (size_t)(end - first - 1)));
	return EX_OK;
}

static int
set_options(const struct ctl *ctl, struct json *request)
{
	int code = ctl_set_times(ctl, request);

	if (code != EX_OK)
		return code;
	if (ctl_has(ctl, "rule"))
		json_set_str(request, "rule", ctl_get(ctl, "rule"));
	if (json_get_int(request, "uid", 0) == 0 && !ctl_has(ctl, "since") &&
	    !ctl_has(ctl, "rule"))
		return ctl_fail(ctl, EX_USAGE,
		    "one message: ACCOUNT/MAILBOX/UID; or --rule, --since",
		    "undo of everything that ever happened there is too much");
	return EX_OK;
}

/* NULL: it was said what is wrong, and *code_r is the exit code. */
static struct json *
make_request(const struct ctl *ctl, bool is_dry, int *code_r)
{
	struct json *request = ctl_request(ctl);
	int code = set_place(ctl, request);

	if (code == EX_OK)
		code = set_options(ctl, request);
	if (code == EX_OK) {
		json_set_bool(request, "dry_run", is_dry);
		return request;
	}
	json_free(&request);
	*code_r = code;
	return NULL;
}

static int
ask(const struct ctl *ctl, bool is_dry, struct json **answer_r)
{
	int code = EX_OK;
	struct json *request = make_request(ctl, is_dry, &code);

	json_free(answer_r);
	return request != NULL ? ctl_ask(ctl, request, answer_r) : code;
}

/* ---- what came of it ---- */

static bool
has_state(const struct json *step, const char *state)
{
	const char *name = json_get_str(step, "state");

	return name != NULL && strcmp(name, state) == 0;
}

static size_t
count_steps(const struct json *answer, const char *state)
{
	const struct json *messages = json_get(answer, "messages");
	size_t count = 0;

	for (size_t i = 0; i < json_count(messages); i++) {
		const struct json *steps =
		    json_get(json_at(messages, i), "steps");
		for (size_t j = 0; j < json_count(steps); j++)
			count += has_state(json_at(steps, j), state);
	}
	return count;
}

static void
add_step(const struct ctl *ctl, struct buf *out, const struct json *step)
{
	static const struct {
		const char *state, *words;
		enum ctl_color color;
	} words[] = {
	    {"refused", "stays", CTL_BAD},
	    {"open", "can be taken back", CTL_PLAIN},
	    {"begun", "is being taken back", CTL_PLAIN},
	    {"undone", "taken back", CTL_GOOD},
	    {"failed", "could not be taken back", CTL_BAD},
	};
	const char *detail = json_get_str(step, "detail");
	const char *undo = json_get_str(step, "undo");

	buf_add_str(out, "  ");
	ctl_add_clean(out, json_get_str(step, "what"), CTL_TEXT_MAX);
	buf_add_str(out, ": ");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (has_state(step, words[i].state))
			ctl_add_colored(
			    ctl, out, words[i].color, words[i].words);
	if (undo != NULL) {
		buf_add_str(out, ", ");
		ctl_add_clean(out, undo, CTL_TEXT_MAX);
	}
	if (detail != NULL && detail[0] != '\0') {
		buf_add_str(out, ": ");
		ctl_add_clean(out, detail, CTL_TEXT_MAX);
	}
	buf_add_char(out, '\n');
}

static void
add_message(const struct ctl *ctl, struct buf *out, const struct json *message)
{
	const struct json *steps = json_get(message, "steps");

	ctl_add_clean(out, json_get_str(message, "account"), CTL_CELL_MAX);
	buf_add_char(out, '/');
	ctl_add_clean(out, json_get_str(message, "mailbox"), CTL_CELL_MAX);
	buf_addf(out, "/%lld  ", (long long)json_get_int(message, "uid", 0));
	ctl_add_clean(out, json_get_str(message, "subject"), CTL_TEXT_MAX);
	buf_add_char(out, '\n');
	for (size_t i = 0; i < json_count(steps); i++)
		add_step(ctl, out, json_at(steps, i));
}

static int
finish(const struct ctl *ctl, struct json *answer)
{
	const struct json *messages = json_get(answer, "messages");
	bool is_dry = ctl_has(ctl, "dry-run");
	bool is_bad = count_steps(answer, "refused") > 0 ||
		      count_steps(answer, "failed") > 0 ||
		      count_steps(answer, "begun") > 0 ||
		      json_count(messages) == 0;
	BUF_AUTO out = BUF_INIT;
	int code = is_bad && !is_dry ? CTL_EXIT_TROUBLE : EX_OK;

	if (ctl->json)
		return ctl_finish_json(answer, code);
	for (size_t i = json_count(messages); i > 0; i--)
		add_message(ctl, &out, json_at(messages, i - 1));
	if (json_count(messages) == 0)
		buf_add_str(&out, "no rule did anything there\n");
	json_free(&answer);
	return ctl_finish(&out, code);
}

int
ctl_undo(struct ctl *ctl)
{
	const struct timespec pause = {.tv_nsec = POLL_NSEC};
	struct json *answer = NULL;
	int code = ask(ctl, ctl_has(ctl, "dry-run"), &answer);

	if (code != EX_OK)
		return code;
	if (!ctl_has(ctl, "dry-run") && count_steps(answer, "open") == 0 &&
	    count_steps(answer, "begun") == 0 &&
	    count_steps(answer, "undone") > 0) {
		json_free(&answer);
		return ctl_fail(ctl, CTL_EXIT_TROUBLE,
		    "--dry-run shows what was done",
		    "it was taken back already");
	}
	for (int i = 0; i < POLLS_MAX && count_steps(answer, "begun") > 0;
	     i++) {
		nanosleep(&pause, NULL);
		code = ask(ctl, true, &answer);
		if (code != EX_OK)
			return code;
	}
	return finish(ctl, answer);
}
