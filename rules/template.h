/*
 * template: text with ${variables} in it.
 *
 * A variable is a named capture of the rule or a field of the message. Its
 * value comes from whoever wrote the mail; so each use of a template says
 * what a value may do there, and no value can do more:
 *
 *   TEMPLATE_FOLDER    The value loses "/", "\", "*", "%", control and bidi
 *                      characters, and cannot begin a component with "~" or
 *                      "#", nor make the first one INBOX ("_INBOX" then);
 *                      it stays inside its component. A component that is
 *                      then empty, "." or ".." becomes "_". The whole name
 *                      has at most TEMPLATE_FOLDER_MAX bytes and
 *                      TEMPLATE_LEVELS_MAX levels; values are cut for it.
 *   TEMPLATE_ARGUMENT  The value is a part of one argument, whatever it
 *                      holds; only NUL is removed.
 *   TEMPLATE_TEXT      For people: as str_sanitize.
 */
#ifndef BELFRY_RULES_TEMPLATE_H
#define BELFRY_RULES_TEMPLATE_H

#include "rules/capture.h"
#include "rules/source.h"
#include "rules/view.h"

#define TEMPLATE_FOLDER_MAX 255 /* bytes */
#define TEMPLATE_LEVELS_MAX 10
#define TEMPLATE_ARGUMENT_MAX (64 * 1024) /* bytes; longer values are cut */
#define TEMPLATE_ARGUMENTS_MAX 100
#define TEMPLATE_TEXT_MAX 2000 /* characters */
#define TEMPLATE_VARIABLES_MAX 20

enum template_use {
	TEMPLATE_FOLDER,
	TEMPLATE_ARGUMENT,
	TEMPLATE_TEXT
};

struct template;

/* What names mean while a template is compiled. */
struct template_names {
	const struct captures *captures;
	struct slots *slots; /* fields that are used are added */
};
/* What they stand for while it is expanded. */
struct template_values {
	const struct span *captures; /* data NULL: not set */
	struct view *view;
};

/* NULL after reporting an error. Warns of a capture that may be unset. */
struct template *template_compile(const struct source *source,
    enum template_use use, const struct template_names *names);
/* Splits at blanks; single or double quotes group. False after an error. On
 * success the caller frees each template and the array. */
bool template_compile_arguments(const struct source *source,
    const struct template_names *names, struct template ***templates_r,
    size_t *count_r);
void template_free(struct template **template);
bool template_has_variables(const struct template *template);
/* Appends the text of a template without variables; false when it has some,
 * or is NULL. */
bool template_get_fixed(const struct template *template, struct buf *text);
/* Appends the text as it was written, more or less: variables as ${name}. */
void template_show(struct buf *text, const struct template *template,
    const struct captures *captures, const struct slots *slots);
/* The slot of piece `index`, SIZE_MAX when it needs none; false behind the
 * last piece. */
bool template_get_slot(
    const struct template *template, size_t index, size_t *slot_r);

/* malloc'ed; never fails. */
char *template_expand(
    const struct template *template, const struct template_values *values);

#endif
