/*
 * rule_job: one line of a [rule] section on its way into a rule, and the ways
 * to read its value that several keys share. A value that cannot be read is
 * reported with its place, and false (or NULL) is returned.
 */
#ifndef BELFRY_RULES_RULE_JOB_H
#define BELFRY_RULES_RULE_JOB_H

#include "rules/rule_keys.h"
#include "rules/template.h"

struct rule_job {
	struct rule *rule;
	const struct rule_context *context;
	const char *key;
	struct source source;
	/* What other keys of the section say. */
	const struct rule_line *lines;
	size_t line_count;
};

/* A word that a key takes, and what it stands for. */
struct rule_word {
	const char *name;
	int value;
};

/* The value of a line, without blanks at its ends, and its place. */
struct source rule_job_source(
    const struct rule_context *context, const struct rule_line *line);

/* The section's first line with this key; NULL if it has none. */
const struct rule_line *rule_job_find(
    const struct rule_job *job, const char *key);

/* The value is one of `words`, at most seven, behind which is a NULL name. */
bool rule_job_read_word(
    const struct rule_job *job, const struct rule_word *words, int *value_r);

/* yes or no */
bool rule_job_read_bool(const struct rule_job *job, bool *value_r);

/* The value is this word and no other. */
bool rule_job_read_only(const struct rule_job *job, const char *word);

/* The next piece of the value, from *pos on, without blanks; offset_r is
 * where it begins in the value. False, and nothing reported, at the end. */
bool rule_job_next_piece(const struct rule_job *job, const char *separators,
    size_t *pos, struct span *piece_r, size_t *offset_r);

/* The value with its variables; the caller frees it. */
struct template *rule_job_template(
    const struct rule_job *job, enum template_use use);

/* Names with commas between them, each one of `known` (sections of this
 * kind), appended as the section spells them. */
bool rule_job_read_names(const struct rule_job *job, const struct strv *known,
    const char *kind, struct strv *names);

#endif
