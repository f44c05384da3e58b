#include "rules/rule_job.h"

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "rules/foreign.h"

struct source
rule_job_source(
    const struct rule_context *context, const struct rule_line *line)
{
	return (struct source){span_trim(span_from_str(line->value)),
	    line->place, context->problems};
}

const struct rule_line *
rule_job_find(const struct rule_job *job, const char *key)
{
	for (size_t i = 0; i < job->line_count; i++)
		if (strcmp(job->lines[i].key, key) == 0)
			return &job->lines[i];
	return NULL;
}

bool
rule_job_read_word(
    const struct rule_job *job, const struct rule_word *words, int *value_r)
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

bool
rule_job_read_bool(const struct rule_job *job, bool *value_r)
{
	static const struct rule_word words[] = {
	    {"yes", 1}, {"no", 0}, {NULL, 0}};
	int value;

	if (!rule_job_read_word(job, words, &value))
		return false;
	*value_r = value != 0;
	return true;
}

bool
rule_job_read_only(const struct rule_job *job, const char *word)
{
	const struct rule_word words[] = {{word, 1}, {NULL, 0}};
	int value;

	return rule_job_read_word(job, words, &value);
}

bool
rule_job_next_piece(const struct rule_job *job, const char *separators,
    size_t *pos, struct span *piece_r, size_t *offset_r)
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

struct template *
rule_job_template(const struct rule_job *job, enum template_use use)
{
	const struct template_names names = {
	    &job->rule->captures, &job->context->rules->slots};

	return template_compile(&job->source, use, &names);
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

bool
rule_job_read_names(const struct rule_job *job, const struct strv *known,
    const char *kind, struct strv *names)
{
	size_t pos = 0, offset;
	struct span name;

	while (rule_job_next_piece(job, ",", &pos, &name, &offset)) {
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
