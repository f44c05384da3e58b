/* history: what was decided and done, by which rule. */
#include <inttypes.h>

#include "daemon/base/xalloc.h"
#include "daemon/control/ctl_table.h"

/* The daemon gives no more in one answer. */
#define HISTORY_MAX 1000

/* The texts that the daemon keeps as lines. */
static void
add_lines(struct buf *out, const char *label, const char *text)
{
	struct span rest = span_from_str(text), line;

	while (span_split(&rest, '\n', &line)) {
		STR_AUTO copy = xstrdup_span(line);
		if (line.len == 0)
			continue;
		buf_addf(out, "    %s ", label);
		ctl_add_clean(out, copy, CTL_TEXT_MAX);
		buf_add_char(out, '\n');
	}
}

/* Who wanted it, where that is no rule. */
static const char *
who_of(const char *rule)
{
	if (rule == NULL || *rule == '\0')
		return "(default)";
	return strcmp(rule, "@person") == 0 ? "by the person" : rule;
}

static void
add_effects(struct buf *out, const struct json *effects)
{
	struct ctl_table table;

	ctl_table_init(&table, 4);
	for (size_t i = 0; i < json_count(effects); i++) {
		const struct json *effect = json_at(effects, i);
		ctl_table_add(&table, who_of(json_get_str(effect, "rule")));
		ctl_table_add(&table, json_get_str(effect, "what"));
		ctl_table_add(&table, json_get_str(effect, "state"));
		ctl_table_add(&table, json_get_str(effect, "detail"));
	}
	ctl_table_print(&table, out, "    ");
	ctl_table_done(&table);
}

static void
add_message(struct buf *out, const struct json *message)
{
	ctl_add_time(out, ctl_parse_time(json_get_str(message, "judged")));
	buf_add_str(out, "  ");
	ctl_add_clean(out, json_get_str(message, "account"), CTL_CELL_MAX);
	buf_add_char(out, '/');
	ctl_add_clean(out, json_get_str(message, "mailbox"), CTL_CELL_MAX);
	buf_addf(out, "/%" PRId64 "  ", json_get_int(message, "uid", 0));
	ctl_add_clean(out, json_get_str(message, "from"), CTL_CELL_MAX);
	buf_add_str(out, ": ");
	ctl_add_clean(out, json_get_str(message, "subject"), CTL_CELL_MAX);
	buf_add_char(out, '\n');
	add_effects(out, json_get(message, "effects"));
	add_lines(out, "would:", json_get_str(message, "observed"));
	add_lines(out, "warning:", json_get_str(message, "warnings"));
}

/* What --outcome calls it, and the states of effects that it stands for. */
static const struct {
	const char *name, *states[2];
} outcomes[] = {
    {"done", {"done"}},
    {"failed", {"failed"}},
    {"skipped", {"skipped"}},
    {"unknown", {"unknown"}},
    {"open", {"planned", "started"}},
};

static bool
add_outcome(struct json *states, struct span name)
{
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(*outcomes); i++) {
		if (!span_is(name, outcomes[i].name))
			continue;
		for (size_t k = 0; k < 2; k++)
			if (outcomes[i].states[k] != NULL)
				json_add_str(states, outcomes[i].states[k]);
		return true;
	}
	return false;
}

/* EX_OK, or what is wrong with the list was said. */
static int
set_outcomes(const struct ctl *ctl, struct json *request)
{
	struct json *states = json_new_array();
	struct span rest = span_from_str(ctl_get(ctl, "outcome")), name;

	while (span_split(&rest, ',', &name)) {
		STR_AUTO copy = xstrdup_span(name);
		if (span_is(name, "observed")) {
			json_set_bool(request, "observed", true);
		} else if (!add_outcome(states, name)) {
			json_free(&states);
			return ctl_fail(ctl, EX_USAGE,
			    "done, failed, skipped, unknown, open or observed",
			    "--outcome: %s is none", copy);
		}
	}
	json_set(request, "outcomes", states);
	return EX_OK;
}

/* EX_OK, or what is wrong with the options was said. */
static int
set_options(const struct ctl *ctl, struct json *request)
{
	const char *limit = ctl_get(ctl, "limit");
	uint32_t count = 0;
	int code = ctl_set_times(ctl, request);

	if (code == EX_OK && ctl_has(ctl, "outcome"))
		code = set_outcomes(ctl, request);
	if (code != EX_OK)
		return code;
	if (limit != NULL && (!span_to_u32(span_from_str(limit), &count) ||
				 count < 1 || count > HISTORY_MAX))
		return ctl_fail(ctl, EX_USAGE,
		    "for what is older: --until, with the time of the oldest",
		    "-n: not a number from 1 to %d: %s", HISTORY_MAX, limit);
	if (limit != NULL)
		json_set_int(request, "limit", count);
	return EX_OK;
}

static void
set_filters(const struct ctl *ctl, struct json *request)
{
	static const char *const filters[] = {"account", "mailbox", "rule"};

	for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++)
		if (ctl_has(ctl, filters[i]))
			json_set_str(
			    request, filters[i], ctl_get(ctl, filters[i]));
}

/* An empty answer may be due to what was asked. */
static bool
is_narrowed(const struct ctl *ctl)
{
	static const char *const all[] = {
	    "account", "mailbox", "rule", "since", "until", "outcome"};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (ctl_has(ctl, all[i]))
			return true;
	return false;
}

int
ctl_history(struct ctl *ctl)
{
	BUF_AUTO out = BUF_INIT;
	struct json *answer = NULL, *request = ctl_request(ctl);
	int code = set_options(ctl, request);

	if (code != EX_OK) {
		json_free(&request);
		return code;
	}
	set_filters(ctl, request);
	code = ctl_ask(ctl, request, &answer);
	if (code != EX_OK)
		return code;
	if (ctl->json)
		return ctl_finish_json(answer, EX_OK);
	/* Newest last, as in any log: it stands above the prompt. */
	const struct json *messages = json_get(answer, "messages");
	for (size_t i = json_count(messages); i > 0; i--)
		add_message(&out, json_at(messages, i - 1));
	if (json_count(messages) == 0)
		buf_add_str(&out, is_narrowed(ctl)
				      ? "nothing of this kind was judged\n"
				      : "nothing was judged\n");
	json_free(&answer);
	ctl_fold(&out, ctl_columns());
	return ctl_finish(&out, EX_OK);
}
