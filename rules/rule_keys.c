#include "rules/rule_keys.h"
#include "rules/escalate.h"

#include "daemon/base/eai.h"
#include "daemon/base/str.h"
#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"
#include "rules/action_lint.h"
#include "rules/cond_parser.h"
#include "rules/foreign.h"

#define RULE_RETRY_MAX 20
#define RULE_LIMIT_MAX 1000
#define KEYWORD_MAX 50		/* bytes: the least that servers take */
#define FORWARD_ADDRESS_MAX 254 /* RFC 5321 4.5.3.1.3, without "<>" */

/* One line on its way into a rule. */
struct job {
	struct rule *rule;
	const struct rule_context *context;
	const char *key;
	struct source source;
	/* What other keys of the section say. */
	const struct rule_line *lines;
	size_t line_count;
};

static struct source
source_of(const struct rule_context *context, const struct rule_line *line)
{
	return (struct source){span_trim(span_from_str(line->value)),
	    line->place, context->problems};
}

static const struct rule_line *
find_line(const struct job *job, const char *key)
{
	for (size_t i = 0; i < job->line_count; i++)
		if (strcmp(job->lines[i].key, key) == 0)
			return &job->lines[i];
	return NULL;
}

/* Words. */

struct word {
	const char *name;
	int value;
};

/* The value is one of `words` (which end with a NULL name). */
static bool
read_word(const struct job *job, const struct word *words, int *value_r)
{
	const char *names[8] = {NULL};
	BUF_AUTO all = BUF_INIT;

	for (size_t i = 0; words[i].name != NULL; i++) {
		if (span_is(job->source.text, words[i].name)) {
			*value_r = words[i].value;
			return true;
		}
		names[i] = words[i].name;
		if (i > 0)
			buf_add_str(
			    &all, words[i + 1].name == NULL ? " or " : ", ");
		buf_add_str(&all, words[i].name);
	}
	if (strcmp(words[0].name, "yes") == 0 &&
	    foreign_hint(FOREIGN_BOOL, job->source.text) != NULL)
		return source_error(&job->source, 0,
		    foreign_hint(FOREIGN_BOOL, job->source.text),
		    "`%s` is %s, not `%.*s`", job->key, buf_str(&all),
		    SPAN_FMT(job->source.text));
	return source_error_near(&job->source, 0, job->source.text, names,
	    "`%s` is %s, not `%.*s`", job->key, buf_str(&all),
	    SPAN_FMT(job->source.text));
}

static bool
read_bool(const struct job *job, bool *value_r)
{
	static const struct word words[] = {{"yes", 1}, {"no", 0}, {NULL, 0}};
	int value;

	if (!read_word(job, words, &value))
		return false;
	*value_r = value != 0;
	return true;
}

static bool
read_only(const struct job *job, const char *word)
{
	const struct word words[] = {{word, 1}, {NULL, 0}};
	int value;

	return read_word(job, words, &value);
}

/* Pieces of the value, without blanks; offset_r is where the piece is. */
static bool
next_piece(const struct job *job, const char *separators, size_t *pos,
    struct span *piece_r, size_t *offset_r)
{
	struct span text = job->source.text;
	size_t start;

	while (*pos < text.len && strchr(separators, text.data[*pos]) != NULL)
		(*pos)++;
	start = *pos;
	while (*pos < text.len && strchr(separators, text.data[*pos]) == NULL)
		(*pos)++;
	if (*pos == start)
		return false;
	*offset_r = start;
	*piece_r = span_trim(span_slice(text, start, *pos - start));
	while (*offset_r < *pos && char_is_blank(text.data[*offset_r]))
		(*offset_r)++;
	return true;
}

/* Conditions. */

static bool
add_cond(const struct job *job, struct cond ***conds, size_t *count,
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
set_when(const struct job *job)
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
set_unless(const struct job *job)
{
	struct cond *cond = NULL;

	return add_cond(
	    job, &job->rule->unless, &job->rule->unless_count, &cond);
}

/* Actions. */

static struct template *
compile_template(const struct job *job, enum template_use use)
{
	const struct template_names names = {
	    &job->rule->captures, &job->context->rules->slots};

	return template_compile(&job->source, use, &names);
}

static bool
set_folder(const struct job *job, enum action_kind kind)
{
	struct template *target = compile_template(job, TEMPLATE_FOLDER);

	if (target == NULL)
		return false;
	action_lint_folder(&job->source);
	rule_add_blueprint(job->rule, kind)->target = target;
	return true;
}

static bool
set_copy(const struct job *job)
{
	return set_folder(job, ACTION_COPY);
}

static bool
set_move(const struct job *job)
{
	return set_folder(job, ACTION_MOVE);
}

/* "/" makes levels of labels as of folders, so a value stays in its own. The
 * one special label that a message can be given; the others are flags and
 * folders (\\Starred is \\Flagged). */
static bool
set_label(const struct job *job)
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
read_yes(const struct job *job)
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

static bool
set_archive(const struct job *job)
{
	if (!read_yes(job))
		return false;
	rule_add_blueprint(job->rule, ACTION_ARCHIVE);
	return true;
}

static bool
set_trash(const struct job *job)
{
	if (!read_yes(job))
		return false;
	rule_add_blueprint(job->rule, ACTION_TRASH);
	return true;
}

static bool
set_junk(const struct job *job)
{
	if (!read_yes(job))
		return false;
	rule_add_blueprint(job->rule, ACTION_JUNK);
	return true;
}

static bool
set_delete(const struct job *job)
{
	if (!span_is(job->source.text, "forever"))
		return source_error(&job->source, 0,
		    "`trash = yes` moves it to the trash",
		    "what is deleted cannot come back: write `delete = "
		    "forever` if that is meant");
	rule_add_blueprint(job->rule, ACTION_DELETE);
	return true;
}

/* RFC 5322 3.2.3 dot-atom with what RFC 6531 adds, and RFC 5321 domains. */
static bool
is_address_char(char c, bool is_domain)
{
	if (char_is_alnum(c) || c == '.' || c == '-')
		return true;
	return !is_domain && c != '\0' &&
	       ((unsigned char)c >= 0x80 ||
		   strchr("!#$%&'*+/=?^_`{|}~", c) != NULL);
}

static bool
is_address_part(struct span s, bool is_domain)
{
	if (s.len == 0 || s.data[0] == '.' || s.data[s.len - 1] == '.' ||
	    span_find_span(s, SPAN(".."), 0) != SIZE_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!is_address_char(s.data[i], is_domain))
			return false;
	return true;
}

static bool
is_address(struct span text)
{
	size_t at = span_find(text, '@');

	return text.len <= FORWARD_ADDRESS_MAX && at != SIZE_MAX &&
	       (utf8_ascii_length(text) == text.len || eai_is_clean(text)) &&
	       is_address_part(span_slice(text, 0, at), false) &&
	       is_address_part(span_skip(text, at + 1), true);
}

/* Appends it as it goes on the wire. */
static bool
read_address(const struct job *job, struct buf *address)
{
	struct span text = job->source.text;
	const char *why;

	if (span_find_span(text, SPAN("${"), 0) != SIZE_MAX)
		return source_error(&job->source, 0, NULL,
		    "the target of a forward must be written out: no mail may "
		    "choose where it is sent");
	if (span_find(text, ',') != SIZE_MAX)
		return source_error(&job->source, span_find(text, ','),
		    "write one more line with `forward =`",
		    "one address a line");
	if (!eai_add_address(address, text, &why))
		return source_error(
		    &job->source, span_find(text, '@') + 1, NULL, "%s", why);
	if (!is_address(buf_span(address)))
		return source_error(&job->source, 0, NULL,
		    "one plain address is expected, as in ann@example.org");
	return true;
}

static bool
set_forward(const struct job *job)
{
	BUF_AUTO address = BUF_INIT;

	if (!read_address(job, &address))
		return false;
	rule_add_blueprint(job->rule, ACTION_FORWARD)->fixed.target =
	    xstrdup(buf_str(&address));
	return true;
}

static void
lint_command(const struct job *job, struct template *const *argv, size_t argc)
{
	STRV_AUTO arguments = STRV_INIT;

	for (size_t i = 0; i < argc; i++) {
		BUF_AUTO text = BUF_INIT;

		template_show(&text, argv[i], &job->rule->captures,
		    &job->context->rules->slots);
		strv_add(&arguments, buf_str(&text));
	}
	action_lint_command(&job->source, &arguments);
}

static bool
set_exec(const struct job *job)
{
	const struct template_names names = {
	    &job->rule->captures, &job->context->rules->slots};
	struct template **argv;
	struct blueprint *blueprint;
	size_t argc;

	if (job->source.text.len == 0 || job->source.text.data[0] != '/')
		return source_error(&job->source, 0, NULL,
		    "the command needs its whole path, as in "
		    "/usr/local/bin/ring");
	if (!template_compile_arguments(&job->source, &names, &argv, &argc))
		return false;
	blueprint = rule_add_blueprint(job->rule, ACTION_EXEC);
	blueprint->argv = argv;
	blueprint->argc = argc;
	if (template_has_variables(argv[0]))
		return source_error(&job->source, 0, NULL,
		    "the command itself must be written out; variables belong "
		    "to its arguments");
	lint_command(job, argv, argc);
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
add_flag(const struct job *job, struct action *mark, struct span flag,
    bool is_removal, size_t offset)
{
	struct strv *own = is_removal ? &mark->remove : &mark->add;
	const struct strv *other = is_removal ? &mark->add : &mark->remove;

	if (strv_has_nocase(other, flag))
		return source_error(&job->source, offset, NULL,
		    "the rule both sets and removes this");
	if (!strv_has_nocase(own, flag))
		strv_add_span(own, flag);
	return true;
}

/* Any word is a keyword; some are not meant as one. */
static bool
check_keyword(const struct job *job, struct span name, size_t offset)
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
add_mark(
    const struct job *job, struct action *mark, struct span word, size_t offset)
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

static bool
set_mark(const struct job *job)
{
	struct blueprint *mark = rule_find_blueprint(job->rule, ACTION_MARK);
	struct span word;
	size_t pos = 0, offset;
	bool any = false;

	if (mark == NULL)
		mark = rule_add_blueprint(job->rule, ACTION_MARK);
	while (next_piece(job, " \t,", &pos, &word, &offset)) {
		if (!add_mark(job, &mark->fixed, word, offset))
			return false;
		any = true;
	}
	if (!any)
		return source_error(&job->source, 0, NULL,
		    "words are expected, as in: read flagged $Work");
	return true;
}

/* Notifications. */

static const struct word urgency_words[] = {{"low", URGENCY_LOW},
    {"normal", URGENCY_NORMAL}, {"critical", URGENCY_CRITICAL}, {NULL, 0}};

static bool
set_notify(const struct job *job)
{
	static const struct word words[] = {{"yes", URGENCY_NORMAL},
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
	if (!read_word(job, words, &urgency))
		return false;
	rule_add_blueprint(job->rule, ACTION_NOTIFY)->fixed.urgency =
	    (enum urgency)urgency;
	return true;
}

static bool
set_quiet(const struct job *job)
{
	return read_bool(job, &job->rule->is_quiet);
}

/* Keys that say more about an action of the rule. */

static bool
set_create(const struct job *job)
{
	bool create;

	if (!read_bool(job, &create))
		return false;
	for (size_t i = 0; i < job->rule->blueprint_count; i++) {
		struct action *action = &job->rule->blueprints[i].fixed;

		if (action->kind == ACTION_COPY || action->kind == ACTION_MOVE)
			action->create = create;
	}
	return true;
}

/* Every forward of the rule is told the same. */
#define EACH_FORWARD(job, action)                                              \
	for (size_t i_ = 0; i_ < (job)->rule->blueprint_count; i_++)           \
		for (struct action *action =                                   \
			 &(job)->rule->blueprints[i_].fixed;                   \
		     action != NULL && action->kind == ACTION_FORWARD;         \
		     action = NULL)

static bool
set_as(const struct job *job)
{
	static const struct word words[] = {{"attach", FORWARD_ATTACH},
	    {"redirect", FORWARD_REDIRECT}, {"inline", FORWARD_INLINE},
	    {NULL, 0}};
	int mode;

	if (!read_word(job, words, &mode))
		return false;
	job->rule->as_place = job->source.place;
	EACH_FORWARD(job, action)
	action->mode = (enum forward_mode)mode;
	return true;
}

static bool
set_unknown(const struct job *job)
{
	static const struct word words[] = {{"resend", UNKNOWN_RESEND},
	    {"hold", UNKNOWN_HOLD}, {"drop", UNKNOWN_DROP}, {NULL, 0}};
	int unknown;

	if (!read_word(job, words, &unknown))
		return false;
	EACH_FORWARD(job, action)
	action->unknown = (enum forward_unknown)unknown;
	return true;
}

static bool
set_allow(const struct job *job)
{
	static const char *const names[] = {"list", "auto", "junk", NULL};
	bool list = false, automatic = false, junk = false;
	size_t pos = 0, offset;
	struct span word;

	while (next_piece(job, " \t,", &pos, &word, &offset)) {
		if (span_is(word, "list"))
			list = true;
		else if (span_is(word, "auto"))
			automatic = true;
		else if (span_is(word, "junk"))
			junk = true;
		else
			return source_error_near(&job->source, offset, word,
			    names,
			    "`allow` knows list, auto and junk, not `%.*s`",
			    SPAN_FMT(word));
	}
	EACH_FORWARD(job, action)
	{
		action->allow_list = list;
		action->allow_auto = automatic;
		action->allow_junk = junk;
	}
	return true;
}

static bool
set_retry(const struct job *job)
{
	uint32_t retry;

	if (!span_to_u32(job->source.text, &retry) || retry > RULE_RETRY_MAX)
		return source_error(&job->source, 0, NULL,
		    "a number from 0 to %d is expected", RULE_RETRY_MAX);
	rule_find_blueprint(job->rule, ACTION_EXEC)->fixed.retry = retry;
	return true;
}

static bool
set_repeat(const struct job *job)
{
	if (!read_only(job, "safe"))
		return false;
	rule_find_blueprint(job->rule, ACTION_EXEC)->fixed.repeat_safe = true;
	return true;
}

static bool
set_stdin(const struct job *job)
{
	static const struct word words[] = {
	    {"header", 0}, {"message", 1}, {NULL, 0}};
	int value;

	if (!read_word(job, words, &value))
		return false;
	rule_find_blueprint(job->rule, ACTION_EXEC)->fixed.stdin_message =
	    value != 0;
	return true;
}

static bool
set_title(const struct job *job)
{
	struct template *title = compile_template(job, TEMPLATE_TEXT);

	rule_find_blueprint(job->rule, ACTION_NOTIFY)->title = title;
	return title != NULL;
}

static bool
set_text(const struct job *job)
{
	struct template *text = compile_template(job, TEMPLATE_TEXT);

	rule_find_blueprint(job->rule, ACTION_NOTIFY)->text = text;
	return text != NULL;
}

static bool
set_urgency(const struct job *job)
{
	const struct rule_line *notify = find_line(job, "notify");
	int urgency;

	if (!read_word(job, urgency_words, &urgency))
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
read_name(const struct job *job, char **name)
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

static bool
set_sound(const struct job *job)
{
	return read_name(
	    job, &rule_find_blueprint(job->rule, ACTION_NOTIFY)->fixed.sound);
}

static bool
set_icon(const struct job *job)
{
	return read_name(
	    job, &rule_find_blueprint(job->rule, ACTION_NOTIFY)->fixed.icon);
}

/* As the section spells it: that is what it is compared with. */
static void
add_known(struct strv *names, const struct strv *known, struct span name)
{
	for (size_t i = 0; i < known->len; i++) {
		if (span_is_nocase(name, known->items[i])) {
			strv_add(names, known->items[i]);
			return;
		}
	}
}

/* A list of names, each of which must be known. */
static bool
read_names(const struct job *job, const struct strv *known, const char *kind,
    struct strv *names)
{
	size_t pos = 0, offset;
	struct span name;

	while (next_piece(job, ",", &pos, &name, &offset)) {
		if (!strv_has_nocase(known, name)) {
			static const char *const none[] = {NULL};

			return source_error_near(&job->source, offset, name,
			    known->len > 0 ? (const char *const *)known->items
					   : none,
			    "there is no section [%s %.*s]", kind,
			    SPAN_FMT(name));
		}
		add_known(names, known, name);
	}
	if (names->len == 0)
		return source_error(
		    &job->source, 0, NULL, "names are expected");
	return true;
}

static bool
set_via(const struct job *job)
{
	return read_names(job, job->context->notifiers, "notifier",
	    &rule_find_blueprint(job->rule, ACTION_NOTIFY)->fixed.via);
}

/* Notifications that come later. */

/* The texts are those of the rule's notification; each has its own. */
static void
set_same_texts(const struct job *job, struct blueprint *later)
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
		struct job line_job = *job;
		const struct rule_line *line = find_line(job, names[i]);

		if (line == NULL || compiled[i] == NULL)
			continue;
		line_job.source = source_of(job->context, line);
		*templates[i] = compile_template(&line_job, TEMPLATE_TEXT);
	}
}

/* rules/escalate.h */
static bool
set_escalate(const struct job *job)
{
	struct job name_job = *job;
	struct action action;
	struct blueprint *later;

	action_init(&action, ACTION_NOTIFY);
	if (!escalate_parse(job->source.text, &name_job.source.text, &action))
		return source_error(&job->source, 0, NULL,
		    "a notifier and a time from 10s to 7d are expected, as in "
		    "phone after 10m unless read");
	if (!read_names(
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

/* The rule itself. */

static bool
set_accounts(const struct job *job)
{
	return read_names(
	    job, job->context->accounts, "account", &job->rule->accounts);
}

static bool
set_mailboxes(const struct job *job)
{
	size_t pos = 0, offset;
	struct span name;

	while (next_piece(job, ",", &pos, &name, &offset))
		strv_add_span(&job->rule->mailboxes, name);
	if (job->rule->mailboxes.len == 0)
		return source_error(&job->source, 0, NULL,
		    "names are expected, as in: INBOX, Lists/*");
	return true;
}

static bool
set_stop(const struct job *job)
{
	return read_bool(job, &job->rule->stops);
}

static bool
set_enabled(const struct job *job)
{
	bool is_enabled;

	if (!read_bool(job, &is_enabled))
		return false;
	job->rule->is_disabled = !is_enabled;
	return true;
}

static bool
set_mode(const struct job *job)
{
	static const struct word words[] = {
	    {"live", 0}, {"observe", 1}, {NULL, 0}};
	int value;

	if (!read_word(job, words, &value))
		return false;
	job->rule->is_observing = value != 0;
	return true;
}

/* limit = 1*DIGIT "/" ( "hour" / "day" ) */
static bool
set_limit(const struct job *job)
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
	bool (*set)(const struct job *job);
	bool may_repeat;
	const char *needs; /* makes sense only beside one of these */
} keys[] = {
    {"when", set_when, true, NULL},
    {"unless", set_unless, true, NULL},
    {"copy", set_copy, true, NULL},
    {"forward", set_forward, true, NULL},
    {"exec", set_exec, false, NULL},
    {"mark", set_mark, true, NULL},
    {"label", set_label, true, NULL},
    {"move", set_move, false, NULL},
    {"archive", set_archive, false, NULL},
    {"trash", set_trash, false, NULL},
    {"junk", set_junk, false, NULL},
    {"delete", set_delete, false, NULL},
    {"notify", set_notify, false, NULL},
    {"quiet", set_quiet, false, NULL},
    {"create", set_create, false, "copy move"},
    {"as", set_as, false, "forward"},
    {"unknown", set_unknown, false, "forward"},
    {"allow", set_allow, false, "forward"},
    {"retry", set_retry, false, "exec"},
    {"repeat", set_repeat, false, "exec"},
    {"stdin", set_stdin, false, "exec"},
    {"title", set_title, false, "notify"},
    {"text", set_text, false, "notify"},
    {"urgency", set_urgency, false, "notify"},
    {"sound", set_sound, false, "notify"},
    {"icon", set_icon, false, "notify"},
    {"via", set_via, false, "notify"},
    {"escalate", set_escalate, true, NULL},
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
		struct source source = source_of(context, &lines[i]);
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
has_needed(const struct job *job, const struct key *key)
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
fail_needed(const struct job *job, const struct key *key)
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
set_key(struct job *job, const struct key *key)
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
			struct job job = {rule, context, lines[i].key,
			    source_of(context, &lines[i]), lines, count};

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

/* What is right line by line, but not together. */

static const char *const moves[] = {
    "move", "archive", "trash", "junk", "delete"};

static bool
check_moves(const struct rule_context *context, const struct rule_line *lines,
    size_t count)
{
	const char *first = NULL;

	for (size_t i = 0; i < count; i++) {
		for (size_t m = 0; m < sizeof(moves) / sizeof(*moves); m++) {
			struct source source = source_of(context, &lines[i]);

			if (strcmp(lines[i].key, moves[m]) != 0)
				continue;
			if (first != NULL && strcmp(first, moves[m]) != 0)
				return source_error(&source, 0, NULL,
				    "a rule cannot have both `%s` and `%s`",
				    first, moves[m]);
			first = moves[m];
		}
	}
	return true;
}

static bool
rings_at_once(const struct rule *rule)
{
	const struct blueprint *first =
	    rule_find_blueprint(rule, ACTION_NOTIFY);

	return first != NULL && first->fixed.after == 0;
}

static bool
waits_for_reader(const struct rule *rule)
{
	for (size_t i = 0; i < rule->blueprint_count; i++)
		if (rule->blueprints[i].fixed.unless_read)
			return true;
	return false;
}

/* What a rule moves is not looked after where it went. */
static void
check_escalation(const struct rule *rule, struct rule_problems *problems)
{
	const struct blueprint *mark = rule_find_blueprint(rule, ACTION_MARK);

	if (!waits_for_reader(rule))
		return;
	if (mark != NULL && strv_has_nocase(&mark->fixed.add, SPAN("\\Seen")))
		rule_problems_add(problems, true, rule->place, NULL,
		    "rule %s marks the message as read, so it never escalates",
		    rule->id);
	else if (rule_find_move(rule) != NULL)
		rule_problems_add(problems, true, rule->place, NULL,
		    "rule %s moves the message, and nobody looks there whether "
		    "it was read: it escalates in any case",
		    rule->id);
}

static bool
check_rule(const struct rule *rule, const struct rule_context *context)
{
	struct rule_problems *problems = context->problems;

	if (rule->is_quiet && rings_at_once(rule)) {
		rule_problems_add(problems, false, rule->place, NULL,
		    "rule %s is both quiet and notifies", rule->id);
		return false;
	}
	if (rule->blueprint_count == 0 && !rule->is_quiet && !rule->stops)
		rule_problems_add(problems, true, rule->place, NULL,
		    "rule %s does nothing: it has no action and no stop",
		    rule->id);
	check_escalation(rule, problems);
	return true;
}

/* What the variables of its actions need to know. */

static unsigned
template_wants(const struct template *template, const struct slots *slots)
{
	unsigned wants = 0;
	size_t slot;

	for (size_t i = 0;
	     template != NULL && template_get_slot(template, i, &slot); i++)
		if (slot != SIZE_MAX)
			wants |= slots->items[slot].field->wants;
	return wants;
}

static unsigned
find_wants(const struct rule *rule, const struct slots *slots)
{
	unsigned wants = 0;

	for (size_t i = 0; i < rule->blueprint_count; i++) {
		const struct blueprint *blueprint = &rule->blueprints[i];

		wants |= template_wants(blueprint->target, slots) |
			 template_wants(blueprint->title, slots) |
			 template_wants(blueprint->text, slots);
		for (size_t j = 0; j < blueprint->argc; j++)
			wants |= template_wants(blueprint->argv[j], slots);
	}
	return wants;
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
	if (!check_moves(context, lines, count))
		ok = false;
	if (!set_lines(rule, context, lines, count))
		ok = false;
	rule->wants = find_wants(rule, &context->rules->slots);
	return ok && check_rule(rule, context);
}
