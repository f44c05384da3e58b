#include "rules/rule_keys_private.h"

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "rules/escalate.h"
#include "rules/foreign.h"

/* Notifications. */

static const struct rule_word urgency_words[] = {{"low", URGENCY_LOW},
    {"normal", URGENCY_NORMAL}, {"critical", URGENCY_CRITICAL}, {NULL, 0}};

bool
rule_set_notify(const struct rule_job *job)
{
	static const struct rule_word words[] = {{"yes", URGENCY_NORMAL},
	    {"low", URGENCY_LOW}, {"normal", URGENCY_NORMAL},
	    {"critical", URGENCY_CRITICAL}, {NULL, 0}};
	int urgency;

	if (span_is(job->source.text, "no"))
		return source_error(&job->source, 0, "write `quiet = yes`",
		    "`notify` is yes, low, normal or critical, not `no`");
	if (foreign_hint(FOREIGN_NOTIFY, job->source.text) != NULL)
		return source_error(&job->source, 0,
		    foreign_hint(FOREIGN_NOTIFY, job->source.text),
		    "`notify` is yes, low, normal or critical, not `%.*s`",
		    SPAN_FMT(job->source.text));
	if (strv_has_nocase(job->context->notifiers, job->source.text))
		return source_error(&job->source, 0,
		    "write `notify = yes`, and `via` with its name",
		    "`notify` is yes, low, normal or critical, not `%.*s`",
		    SPAN_FMT(job->source.text));
	if (!rule_job_read_word(job, words, &urgency))
		return false;
	rule_add_blueprint(job->rule, ACTION_NOTIFY)->fixed.urgency =
	    (enum urgency)urgency;
	return true;
}

bool
rule_set_quiet(const struct rule_job *job)
{
	return rule_job_read_bool(job, &job->rule->is_quiet);
}

bool
rule_set_title(const struct rule_job *job)
{
	struct template *title = rule_job_template(job, TEMPLATE_TEXT);

	rule_find_blueprint(job->rule, ACTION_NOTIFY)->title = title;
	return title != NULL;
}

bool
rule_set_text(const struct rule_job *job)
{
	struct template *text = rule_job_template(job, TEMPLATE_TEXT);

	rule_find_blueprint(job->rule, ACTION_NOTIFY)->text = text;
	return text != NULL;
}

bool
rule_set_urgency(const struct rule_job *job)
{
	const struct rule_line *notify = rule_job_find(job, "notify");
	int urgency;

	if (!rule_job_read_word(job, urgency_words, &urgency))
		return false;
	if (strcmp(notify->value, "yes") != 0)
		return source_error(&job->source, 0, "leave one of them out",
		    "`notify = %s` has said the urgency already",
		    notify->value);
	rule_find_blueprint(job->rule, ACTION_NOTIFY)->fixed.urgency =
	    (enum urgency)urgency;
	return true;
}

/* Names that a notification service reads files by: no mail may choose. */
static bool
read_name(const struct rule_job *job, char **name)
{
	if (job->source.text.len == 0)
		return source_error(
		    &job->source, 0, NULL, "a name is expected");
	if (span_find_span(job->source.text, SPAN("${"), 0) != SIZE_MAX)
		return source_error(
		    &job->source, 0, NULL, "`%s` has no variables", job->key);
	*name = xstrdup_span(job->source.text);
	return true;
}

bool
rule_set_sound(const struct rule_job *job)
{
	return read_name(
	    job, &rule_find_blueprint(job->rule, ACTION_NOTIFY)->fixed.sound);
}

bool
rule_set_icon(const struct rule_job *job)
{
	return read_name(
	    job, &rule_find_blueprint(job->rule, ACTION_NOTIFY)->fixed.icon);
}

bool
rule_set_via(const struct rule_job *job)
{
	return rule_job_read_names(job, job->context->notifiers, "notifier",
	    &rule_find_blueprint(job->rule, ACTION_NOTIFY)->fixed.via);
}

/* Notifications that come later. */

/* The texts are those of the rule's notification; each has its own. */
static void
set_same_texts(const struct rule_job *job, struct blueprint *later)
{
	static const char *const names[] = {"title", "text"};
	const struct blueprint *first =
	    rule_find_blueprint(job->rule, ACTION_NOTIFY);
	struct template *const compiled[] = {first->title, first->text};
	struct template **const templates[] = {&later->title, &later->text};

	if (first->fixed.after > 0)
		return;
	later->fixed.urgency = first->fixed.urgency;
	later->fixed.sound = xstrdup(first->fixed.sound);
	later->fixed.icon = xstrdup(first->fixed.icon);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct rule_job line_job = *job;
		const struct rule_line *line = rule_job_find(job, names[i]);

		if (line == NULL || compiled[i] == NULL)
			continue;
		line_job.source = rule_job_source(job->context, line);
		*templates[i] = rule_job_template(&line_job, TEMPLATE_TEXT);
	}
}

/* rules/escalate.h */
bool
rule_set_escalate(const struct rule_job *job)
{
	struct rule_job name_job = *job;
	struct action action;
	struct blueprint *later;

	BUF_AUTO hint = BUF_INIT;

	action_init(&action, ACTION_NOTIFY);
	if (!escalate_parse(job->source.text, &name_job.source.text, &action))
		return source_error(&job->source, 0,
		    escalate_hint(job->source.text, &hint),
		    "a notifier and a time from 10s to 7d are expected, as in "
		    "phone after 10m unless read");
	if (!rule_job_read_names(
		&name_job, job->context->notifiers, "notifier", &action.via)) {
		action_done(&action);
		return false;
	}
	later = rule_add_blueprint(job->rule, ACTION_NOTIFY);
	memcpy(action.rule, later->fixed.rule, sizeof(action.rule));
	later->fixed = action;
	set_same_texts(job, later);
	return true;
}
