#include "rules/rule_keys_private.h"

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "rules/action_lint.h"
#include "rules/foreign.h"

#define KEYWORD_MAX 50 /* bytes: the least that servers take */
#define MARKS_MAX 40   /* a command has to have room for all of them */

static bool
set_folder(const struct rule_job *job, enum action_kind kind)
{
	struct template *target = rule_job_template(job, TEMPLATE_FOLDER);

	if (target == NULL)
		return false;
	action_lint_folder(&job->source);
	rule_add_blueprint(job->rule, kind)->target = target;
	return true;
}

bool
rule_set_copy(const struct rule_job *job)
{
	return set_folder(job, ACTION_COPY);
}

bool
rule_set_move(const struct rule_job *job)
{
	return set_folder(job, ACTION_MOVE);
}

/* "/" makes levels of labels as of folders, so a value stays in its own. The
 * one special label that a message can be given; the others are flags and
 * folders (\\Starred is \\Flagged). */
bool
rule_set_label(const struct rule_job *job)
{
	struct span text = job->source.text;

	if (span_is_nocase(text, "\\Important")) {
		rule_add_blueprint(job->rule, ACTION_LABEL)->fixed.target =
		    xstrdup("\\Important");
		return true;
	}
	if (text.len > 0 && text.data[0] == '\\')
		return source_error(&job->source, 0,
		    "`mark = flagged` sets the star, `move` files it",
		    "a label is a plain name or \\Important");
	return set_folder(job, ACTION_LABEL);
}

/* archive = yes, and not a folder's name. */
static bool
read_yes(const struct rule_job *job)
{
	const char *word = foreign_hint(FOREIGN_BOOL, job->source.text);
	STR_AUTO hint = NULL;

	if (span_is(job->source.text, "yes"))
		return true;
	if (word != NULL && strcmp(word, "write `yes`") == 0)
		hint = xstrdup(word);
	else if (word == NULL && !span_is(job->source.text, "no"))
		hint = xasprintf("for a folder of your choice, write `move = "
				 "%.*s`",
		    SPAN_FMT(job->source.text));
	return source_error(&job->source, 0,
	    hint != NULL ? hint : "leave the line out if it is not wanted",
	    "`%s` is yes, not `%.*s`", job->key, SPAN_FMT(job->source.text));
}

bool
rule_set_archive(const struct rule_job *job)
{
	if (!read_yes(job))
		return false;
	rule_add_blueprint(job->rule, ACTION_ARCHIVE);
	return true;
}

bool
rule_set_trash(const struct rule_job *job)
{
	if (!read_yes(job))
		return false;
	rule_add_blueprint(job->rule, ACTION_TRASH);
	return true;
}

bool
rule_set_junk(const struct rule_job *job)
{
	if (!read_yes(job))
		return false;
	rule_add_blueprint(job->rule, ACTION_JUNK);
	return true;
}

bool
rule_set_delete(const struct rule_job *job)
{
	if (!span_is(job->source.text, "forever"))
		return source_error(&job->source, 0,
		    "`trash = yes` moves it to the trash",
		    "what is deleted cannot come back: write `delete = "
		    "forever` if that is meant");
	rule_add_blueprint(job->rule, ACTION_DELETE);
	return true;
}

/* Marks. */

static const struct {
	const char *word, *flag;
	bool is_removal;
} mark_words[] = {
    {"read", "\\Seen", false},
    {"unread", "\\Seen", true},
    {"flagged", "\\Flagged", false},
    {"answered", "\\Answered", false},
};

static const char *const mark_names[] = {
    "read", "unread", "flagged", "answered", NULL};

/* RFC 9051 section 9: flag-keyword = "$..." / atom. */
static bool
is_keyword(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] <= ' ' || s.data[i] > '~' ||
		    strchr("(){%*\"\\]", s.data[i]) != NULL)
			return false;
	return s.len > 0 && s.len <= KEYWORD_MAX;
}

static bool
add_flag(const struct rule_job *job, struct action *mark, struct span flag,
    bool is_removal, size_t offset)
{
	struct strv *own = is_removal ? &mark->remove : &mark->add;
	const struct strv *other = is_removal ? &mark->add : &mark->remove;

	if (strv_has_nocase(other, flag))
		return source_error(&job->source, offset, NULL,
		    "the rule both sets and removes this");
	if (strv_has_nocase(own, flag))
		return true;
	if (own->len == MARKS_MAX)
		return source_error(&job->source, offset, NULL,
		    "a rule sets at most %d marks, and removes as many",
		    MARKS_MAX);
	strv_add_span(own, flag);
	return true;
}

/* Any word is a keyword; some are not meant as one. */
static bool
check_keyword(const struct rule_job *job, struct span name, size_t offset)
{
	const char *hint = foreign_hint(FOREIGN_MARK, name);
	const char *near = str_nearest(name, mark_names);
	STR_AUTO warning = NULL;

	if (hint != NULL)
		return source_error(&job->source, offset, hint,
		    "`%.*s` is no mark: there are read, unread, flagged, "
		    "answered and keywords",
		    SPAN_FMT(name));
	if (near != NULL) {
		warning = xasprintf("did you mean `%s`?", near);
		source_warn(&job->source, offset, warning,
		    "`%.*s` is a keyword", SPAN_FMT(name));
	}
	return true;
}

static bool
add_mark(const struct rule_job *job, struct action *mark, struct span word,
    size_t offset)
{
	bool is_removal = word.data[0] == '-';
	struct span name = is_removal ? span_skip(word, 1) : word;

	for (size_t i = 0; i < sizeof(mark_words) / sizeof(*mark_words); i++)
		if (span_is_nocase(name, mark_words[i].word))
			return add_flag(job, mark,
			    span_from_str(mark_words[i].flag),
			    mark_words[i].is_removal != is_removal, offset);
	if (span_find_span(word, SPAN("${"), 0) != SIZE_MAX)
		return source_error(
		    &job->source, offset, NULL, "`mark` has no variables");
	if (span_is_nocase(name, "deleted") || span_is_nocase(name, "draft"))
		return source_error(&job->source, offset, NULL,
		    "`%.*s` is no mark that a rule sets", SPAN_FMT(name));
	if (!is_keyword(name) && foreign_hint(FOREIGN_MARK, name) == NULL)
		return source_error_near(&job->source, offset, name, mark_names,
		    "`%.*s` is neither read, unread, flagged or answered nor a "
		    "keyword (at most %d plain characters)",
		    SPAN_FMT(name), KEYWORD_MAX);
	return check_keyword(job, name, offset) &&
	       add_flag(job, mark, name, is_removal, offset);
}

bool
rule_set_mark(const struct rule_job *job)
{
	struct blueprint *mark = rule_find_blueprint(job->rule, ACTION_MARK);
	struct span word;
	size_t pos = 0, offset;
	bool any = false;

	if (mark == NULL)
		mark = rule_add_blueprint(job->rule, ACTION_MARK);
	while (rule_job_next_piece(job, " \t,", &pos, &word, &offset)) {
		if (!add_mark(job, &mark->fixed, word, offset))
			return false;
		any = true;
	}
	if (!any)
		return source_error(&job->source, 0, NULL,
		    "words are expected, as in: read flagged $Work");
	return true;
}

bool
rule_set_create(const struct rule_job *job)
{
	bool create;

	if (!rule_job_read_bool(job, &create))
		return false;
	for (size_t i = 0; i < job->rule->blueprint_count; i++) {
		struct action *action = &job->rule->blueprints[i].fixed;

		if (action->kind == ACTION_COPY || action->kind == ACTION_MOVE)
			action->create = create;
	}
	return true;
}
