#include "rules/rule_keys_private.h"

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "rules/cond_parser.h"

#define RULE_LIMIT_MAX 1000

/* Conditions. */

static bool
add_cond(const struct rule_job *job, struct cond ***conds, size_t *count,
    struct cond **cond_r)
{
	struct cond *cond;

	if (*count == RULE_CONDITION_LINES_MAX)
		return source_error(&job->source, 0, NULL,
		    "a rule has at most %d lines of `%s`",
		    RULE_CONDITION_LINES_MAX, job->key);
	cond = cond_parse(&job->source, &job->context->rules->slots,
	    &job->context->rules->lists);
	if (cond == NULL)
		return false;
	*conds = xreallocarray(*conds, *count + 1, sizeof(**conds));
	(*conds)[(*count)++] = cond;
	*cond_r = cond;
	return true;
}

static bool
set_when(const struct rule_job *job)
{
	struct rule *rule = job->rule;
	struct cond *cond = NULL;

	if (add_cond(job, &rule->when, &rule->when_count, &cond) &&
	    captures_collect(&rule->captures, &job->source, cond))
		return true;
	if (span_find_span(job->source.text, SPAN("(?"), 0) != SIZE_MAX)
		rule->captures.is_incomplete = true;
	return false;
}

static bool
set_unless(const struct rule_job *job)
{
	struct cond *cond = NULL;

	return add_cond(
	    job, &job->rule->unless, &job->rule->unless_count, &cond);
}

/* The rule itself. */

static bool
set_accounts(const struct rule_job *job)
{
	return rule_job_read_names(
	    job, job->context->accounts, "account", &job->rule->accounts);
}

static bool
set_mailboxes(const struct rule_job *job)
{
	size_t pos = 0, offset;
	struct span name;

	while (rule_job_next_piece(job, ",", &pos, &name, &offset))
		strv_add_span(&job->rule->mailboxes, name);
	if (job->rule->mailboxes.len == 0)
		return source_error(&job->source, 0, NULL,
		    "names are expected, as in: INBOX, Lists/*");
	return true;
}

static bool
set_stop(const struct rule_job *job)
{
	return rule_job_read_bool(job, &job->rule->stops);
}

static bool
set_enabled(const struct rule_job *job)
{
	bool is_enabled;

	if (!rule_job_read_bool(job, &is_enabled))
		return false;
	job->rule->is_disabled = !is_enabled;
	return true;
}

static bool
set_mode(const struct rule_job *job)
{
	static const struct rule_word words[] = {
	    {"live", 0}, {"observe", 1}, {NULL, 0}};
	int value;

	if (!rule_job_read_word(job, words, &value))
		return false;
	job->rule->is_observing = value != 0;
	return true;
}

/* limit = 1*DIGIT "/" ( "hour" / "day" ) */
static bool
set_limit(const struct rule_job *job)
{
	struct span text = job->source.text;
	size_t slash = span_find(text, '/');
	struct span unit = SPAN_EMPTY;
	uint32_t count = 0;

	if (slash != SIZE_MAX)
		unit = span_trim(span_skip(text, slash + 1));
	if (slash == SIZE_MAX ||
	    !span_to_u32(span_trim(span_slice(text, 0, slash)), &count) ||
	    count == 0 || count > RULE_LIMIT_MAX ||
	    (!span_is(unit, "hour") && !span_is(unit, "day")))
		return source_error(&job->source, 0, NULL,
		    "a number from 1 to %d and /hour or /day is expected, as "
		    "in 20/day",
		    RULE_LIMIT_MAX);
	job->rule->limit_count = count;
	job->rule->limit_window = span_is(unit, "day") ? USEC_DAY : USEC_HOUR;
	return true;
}

/*
 * In the order in which keys are read, whatever the order of the lines:
 * conditions before the actions that use their captures, actions before the
 * keys that say more about them.
 */
static const struct key {
	const char *name;
	bool (*set)(const struct rule_job *job);
	bool may_repeat;
	const char *needs; /* makes sense only beside one of these */
} keys[] = {
    {"when", set_when, true, NULL},
    {"unless", set_unless, true, NULL},
    {"copy", rule_set_copy, true, NULL},
    {"forward", rule_set_forward, true, NULL},
    {"exec", rule_set_exec, false, NULL},
    {"mark", rule_set_mark, true, NULL},
    {"label", rule_set_label, true, NULL},
    {"move", rule_set_move, false, NULL},
    {"archive", rule_set_archive, false, NULL},
    {"trash", rule_set_trash, false, NULL},
    {"junk", rule_set_junk, false, NULL},
    {"delete", rule_set_delete, false, NULL},
    {"notify", rule_set_notify, false, NULL},
    {"quiet", rule_set_quiet, false, NULL},
    {"create", rule_set_create, false, "copy move"},
    {"as", rule_set_as, false, "forward"},
    {"unknown", rule_set_unknown, false, "forward"},
    {"allow", rule_set_allow, false, "forward"},
    {"retry", rule_set_retry, false, "exec"},
    {"repeat", rule_set_repeat, false, "exec"},
    {"stdin", rule_set_stdin, false, "exec"},
    {"title", rule_set_title, false, "notify"},
    {"text", rule_set_text, false, "notify"},
    {"urgency", rule_set_urgency, false, "notify"},
    {"sound", rule_set_sound, false, "notify"},
    {"icon", rule_set_icon, false, "notify"},
    {"via", rule_set_via, false, "notify"},
    {"escalate", rule_set_escalate, true, NULL},
    {"accounts", set_accounts, false, NULL},
    {"mailboxes", set_mailboxes, false, NULL},
    {"stop", set_stop, false, NULL},
    {"enabled", set_enabled, false, NULL},
    {"mode", set_mode, false, NULL},
    {"limit", set_limit, false, NULL},
};

#define KEY_COUNT (sizeof(keys) / sizeof(*keys))

static const struct key *
find_key(const char *name)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

/* The place of the value stands for the line's. */
static bool
fail_key(const struct source *source, const char *name)
{
	const char *names[KEY_COUNT + 1];

	for (size_t i = 0; i < KEY_COUNT; i++)
		names[i] = keys[i].name;
	names[KEY_COUNT] = NULL;
	return source_error_near(source, 0, span_from_str(name), names,
	    "unknown key `%s` in a [rule] section", name);
}

/* Unknown keys, and keys that stand twice. */
static bool
check_keys(const struct rule_context *context, const struct rule_line *lines,
    size_t count)
{
	bool seen[KEY_COUNT] = {false};
	bool ok = true;

	for (size_t i = 0; i < count; i++) {
		struct source source = rule_job_source(context, &lines[i]);
		const struct key *key = find_key(lines[i].key);

		if (key == NULL)
			ok = fail_key(&source, lines[i].key);
		else if (seen[key - keys] && !key->may_repeat)
			ok = source_error(&source, 0, NULL,
			    "`%s` stands here for the second time", key->name);
		if (key != NULL)
			seen[key - keys] = true;
	}
	return ok;
}

static bool
has_needed(const struct rule_job *job, const struct key *key)
{
	struct span needs = span_from_str(key->needs);
	struct span name;

	while (span_split(&needs, ' ', &name))
		for (size_t i = 0; i < job->line_count; i++)
			if (span_is(name, job->lines[i].key))
				return true;
	return false;
}

static bool
fail_needed(const struct rule_job *job, const struct key *key)
{
	struct span rest = span_from_str(key->needs), first;

	span_split(&rest, ' ', &first);
	if (rest.len == 0)
		return source_error(&job->source, 0, NULL,
		    "`%s` goes with `%.*s`, which the rule does not have",
		    key->name, SPAN_FMT(first));
	return source_error(&job->source, 0, NULL,
	    "`%s` goes with `%.*s` or `%.*s`, and the rule has neither",
	    key->name, SPAN_FMT(first), SPAN_FMT(rest));
}

static bool
set_key(struct rule_job *job, const struct key *key)
{
	if (key->needs == NULL)
		return key->set(job);
	if (!has_needed(job, key))
		return fail_needed(job, key);
	/* The action's own line was wrong, and that is reported. */
	if (strcmp(key->needs, "exec") == 0 &&
	    rule_find_blueprint(job->rule, ACTION_EXEC) == NULL)
		return false;
	if (strcmp(key->needs, "notify") == 0 &&
	    rule_find_blueprint(job->rule, ACTION_NOTIFY) == NULL)
		return false;
	return key->set(job);
}

static bool
set_lines(struct rule *rule, const struct rule_context *context,
    const struct rule_line *lines, size_t count)
{
	bool ok = true;

	for (size_t k = 0; k < KEY_COUNT; k++) {
		for (size_t i = 0; i < count; i++) {
			struct rule_job job = {rule, context, lines[i].key,
			    rule_job_source(context, &lines[i]), lines, count};

			if (strcmp(keys[k].name, lines[i].key) != 0)
				continue;
			if (!set_key(&job, &keys[k]))
				ok = false;
			if (!keys[k].may_repeat)
				break;
		}
	}
	return ok;
}

static bool
has_key(const struct rule_line *lines, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(lines[i].key, key) == 0)
			return true;
	return false;
}

bool
rule_compile(struct rule *rule, const struct rule_context *context,
    const struct rule_line *lines, size_t count)
{
	bool ok = check_keys(context, lines, count);

	if (!has_key(lines, count, "when")) {
		rule_problems_add(context->problems, false, rule->place,
		    "write `when = all` for every message",
		    "rule %s has no `when`", rule->id);
		ok = false;
	}
	if (!rule_check_moves(context, lines, count))
		ok = false;
	if (!set_lines(rule, context, lines, count))
		ok = false;
	rule->wants = rule_find_wants(rule, &context->rules->slots);
	return ok && rule_check_together(rule, context);
}
