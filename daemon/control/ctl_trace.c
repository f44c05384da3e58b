#include "daemon/control/ctl_trace.h"

#include <inttypes.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/control/ctl_table.h"
#include "daemon/control/trace_json.h"

/* ---- the message ---- */

static void
add_line(struct buf *out, const char *label, struct span text)
{
	buf_addf(out, "    %-9s", label);
	str_sanitize(out, text, CTL_CELL_MAX);
	buf_add_char(out, '\n');
}

static void
add_flags(struct buf *out, const struct strv *flags)
{
	static const char *const words[][2] = {
	    {"\\Flagged", "flagged"},
	    {"\\Answered", "answered"},
	    {"\\Draft", "draft"},
	    {"\\Deleted", "deleted"},
	};
	bool is_read = strv_has_nocase(flags, SPAN("\\Seen"));

	buf_add_str(out, is_read ? ", read" : ", unread");
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strv_has_nocase(flags, span_from_str(words[i][0])))
			buf_addf(out, ", %s", words[i][1]);
	for (size_t i = 0; i < flags->len; i++)
		if (flags->items[i][0] != '\\')
			buf_addf(out, ", %s", flags->items[i]);
}

static void
add_header(
    const struct ctl *ctl, struct buf *out, const struct ctl_judgement *j)
{
	BUF_AUTO source = BUF_INIT;
	BUF_AUTO facts = BUF_INIT;

	ctl_add_clean(&source, j->from->source, CTL_TEXT_MAX);
	if (j->from->index > 1)
		buf_addf(&source, " (message %u)", j->from->index);
	ctl_add_colored(ctl, out, CTL_BOLD, buf_str(&source));
	buf_add_char(out, '\n');
	add_line(out, "From:", message_text(j->message, "From", 0));
	add_line(out, "Subject:", message_text(j->message, "Subject", 0));
	buf_addf(&facts, "%s/%s, %" PRIu64 " bytes", j->facts.account,
	    j->facts.mailbox, j->facts.size);
	add_flags(&facts, j->facts.flags);
	buf_add_str(&facts, ", received ");
	ctl_add_time(&facts, j->facts.received_unix);
	add_line(out, "Judged:", buf_span(&facts));
	if (message_is_truncated(j->message))
		add_line(out, "Note:",
		    SPAN("the header is too long: its end was not looked at"));
}

/* ---- the rules ---- */

/* How an outcome looks, and what it means where no condition says it. */
static const struct {
	enum ctl_color color;
	bool is_short; /* one line, unless verbose */
	const char *note;
} looks[] = {
    [TRACE_MATCHED] = {CTL_GOOD, false, NULL},
    [TRACE_NOT_MATCHED] = {CTL_PLAIN, true, NULL},
    [TRACE_VETOED] = {CTL_PLAIN, false, NULL},
    [TRACE_NOT_APPLICABLE] = {CTL_DIM, true,
	"it is disabled, or for other accounts or mailboxes"},
    [TRACE_NOT_REACHED] = {CTL_DIM, true, "an earlier rule stopped"},
    [TRACE_OBSERVED] = {CTL_GOOD, false, "it matched, but only observes"},
    [TRACE_OVER_LIMIT] = {CTL_BAD, false, "it matched, but met its limit"},
    [TRACE_FAILED] = {CTL_BAD, false,
	"a pattern met a limit on this message: the rule does not act"},
    [TRACE_UNDECIDED] = {CTL_BAD, false,
	"it asks for parts or a body that cannot be read; no rule behind it is "
	"certain, and nothing is done"},
};

/* The rules' rows: rule, outcome, *, when or unless, yes or no, condition,
 * values. */
struct rows {
	const struct ctl *ctl;
	struct ctl_table table;
	bool is_verbose;
	const char *stopper; /* the rule that ends the run, or NULL */
};

static void
add_cells(struct rows *rows, size_t count)
{
	while (count-- > 0)
		ctl_table_add(&rows->table, "");
}

static void
add_condition(struct rows *rows, const struct trace_condition *condition)
{
	const char *result = condition->result ? "yes" : "no";
	const char *values = condition->values;

	ctl_table_add(&rows->table, condition->decided ? "*" : "");
	ctl_table_add(&rows->table, condition->is_unless ? "unless" : "when");
	ctl_table_add(&rows->table, condition->is_open ? "?" : result);
	ctl_table_add(&rows->table, condition->text);
	if (condition->decided)
		ctl_table_paint(&rows->table, rows->ctl, CTL_BOLD);
	ctl_table_add(&rows->table, values[0] != '\0' ? values : "-");
}

static void
add_note(struct rows *rows, const char *note)
{
	add_cells(rows, 3);
	ctl_table_add(&rows->table, note);
	ctl_table_paint(&rows->table, rows->ctl, CTL_DIM);
	add_cells(rows, 1);
}

static void
add_captures(struct rows *rows, const struct strv *captures)
{
	for (size_t i = 0; i < captures->len; i++) {
		struct span value = span_from_str(captures->items[i]), name;
		span_split(&value, '=', &name);
		STR_AUTO variable = xasprintf("${%.*s} is", SPAN_FMT(name));
		add_cells(rows, 5);
		ctl_table_add(&rows->table, variable);
		ctl_table_add(
		    &rows->table, value.data != NULL ? value.data : "");
	}
}

/* What no condition says. */
static char *
note_of(const struct rows *rows, const struct trace_rule *rule)
{
	if (rule->outcome == TRACE_NOT_REACHED && rows->stopper != NULL)
		return xasprintf("rule %s ended the run", rows->stopper);
	return xstrdup(looks[rule->outcome].note);
}

static void
add_rule(struct rows *rows, const struct trace_rule *rule)
{
	bool is_short = looks[rule->outcome].is_short && !rows->is_verbose;
	STR_AUTO note = note_of(rows, rule);
	bool is_first = true;

	ctl_table_add(&rows->table, rule->id);
	ctl_table_add(&rows->table, trace_outcome_name(rule->outcome));
	ctl_table_paint(&rows->table, rows->ctl, looks[rule->outcome].color);
	for (size_t i = 0; i < rule->count; i++) {
		if (is_short && !rule->conditions[i].decided)
			continue;
		if (!is_first)
			add_cells(rows, 2);
		add_condition(rows, &rule->conditions[i]);
		is_first = false;
	}
	if (note != NULL) {
		if (!is_first)
			add_cells(rows, 2);
		add_note(rows, note);
	} else if (is_first) {
		add_cells(rows, 5);
	}
	add_captures(rows, &rule->captures);
}

static const char *
find_stopper(const struct trace *trace)
{
	for (size_t i = 0; i < trace->count; i++)
		if (trace->rules[i].outcome == TRACE_NOT_REACHED)
			while (i-- > 0)
				if (trace->rules[i].outcome == TRACE_MATCHED ||
				    trace->rules[i].outcome == TRACE_UNDECIDED)
					return trace->rules[i].id;
	return NULL;
}

static void
add_rules(const struct ctl *ctl, struct buf *out, const struct trace *trace,
    bool is_verbose)
{
	struct rows rows = {
	    .ctl = ctl,
	    .is_verbose = is_verbose,
	    .stopper = find_stopper(trace),
	};

	ctl_table_init(&rows.table, 7);
	for (size_t i = 0; i < trace->count; i++)
		add_rule(&rows, &trace->rules[i]);
	ctl_table_print(&rows.table, out, "  ");
	ctl_table_done(&rows.table);
}

/* ---- the plan ---- */

static void
add_action(struct ctl_table *table, const struct action *action)
{
	BUF_AUTO words = BUF_INIT;

	action_describe(&words, action);
	ctl_table_add(table, buf_str(&words));
	if (action->rule[0] == '\0') {
		ctl_table_add(table, "by default");
		return;
	}
	STR_AUTO rule = xasprintf("rule %s", action->rule);
	ctl_table_add(table, rule);
}

static void
add_words(const struct ctl *ctl, struct buf *out, const char *label,
    enum ctl_color color, const struct strv *words)
{
	for (size_t i = 0; i < words->len; i++) {
		buf_add_str(out, "    ");
		ctl_add_colored(ctl, out, color, label);
		buf_add_str(out, ": ");
		ctl_add_clean(out, words->items[i], CTL_TEXT_MAX);
		buf_add_char(out, '\n');
	}
}

static void
add_plan(const struct ctl *ctl, struct buf *out, const struct plan *plan)
{
	struct ctl_table table;

	buf_add_str(out, "  ");
	ctl_add_colored(ctl, out, CTL_BOLD,
	    plan->count > 0 ? "plan:" : "plan: nothing is done");
	buf_add_char(out, '\n');
	ctl_table_init(&table, 2);
	for (size_t i = 0; i < plan->count; i++)
		add_action(&table, &plan->actions[i]);
	ctl_table_print(&table, out, "    ");
	ctl_table_done(&table);
	add_words(ctl, out, "only observed", CTL_PLAIN, &plan->would);
	add_words(ctl, out, "over its limit", CTL_BAD, &plan->over_limit);
	add_words(ctl, out, "warning", CTL_BAD, &plan->warnings);
}

void
ctl_trace_print(
    const struct ctl *ctl, const struct ctl_verdict *verdict, struct buf *out)
{
	const struct ctl_judgement *j = verdict->judgement;

	add_header(ctl, out, j);
	if (!verdict->is_brief)
		add_rules(ctl, out, &j->trace, verdict->is_verbose);
	add_plan(ctl, out, &j->plan);
	if (!verdict->is_expected) {
		buf_add_str(out, "  ");
		ctl_add_colored(ctl, out, CTL_BAD, "not as expected");
		buf_add_char(out, '\n');
	}
	buf_add_char(out, '\n');
}

/* ---- JSON ---- */

struct json *
ctl_trace_json(const struct ctl_verdict *verdict)
{
	const struct ctl_judgement *j = verdict->judgement;
	const struct trace_document document = {
	    .source = j->from->source,
	    .index = j->from->index,
	    .account = j->facts.account,
	    .mailbox = j->facts.mailbox,
	    .message = j->message,
	    .size = j->facts.size,
	    .received_unix = j->facts.received_unix,
	    .flags = j->facts.flags,
	    .plan = &j->plan,
	    .trace = verdict->is_brief ? NULL : &j->trace,
	};

	return trace_json(&document);
}
