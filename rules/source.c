#include <stdarg.h>

#include "daemon/base/str.h"
#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"
#include "rules/source.h"

void
rule_problems_done(struct rule_problems *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		free(problems->items[i].text);
		free(problems->items[i].hint);
	}
	free(problems->items);
	*problems = (struct rule_problems){0};
}

static void
add_problem(struct rule_problems *problems, bool is_warning,
    struct rule_place place, const char *hint, char *text)
{
	struct rule_problem *problem;

	if (problems->count == problems->cap) {
		problems->cap = problems->cap == 0 ? 8 : 2 * problems->cap;
		problems->items = xreallocarray(
		    problems->items, problems->cap, sizeof(*problems->items));
	}
	problem = &problems->items[problems->count++];
	problem->is_warning = is_warning;
	problem->place = place;
	problem->text = text;
	problem->hint = xstrdup(hint);
}

static char *__attribute__((format(printf, 1, 0)))
format_text(const char *format, va_list args)
{
	BUF_AUTO raw = BUF_INIT;
	struct buf clean = BUF_INIT;

	buf_vaddf(&raw, format, args);
	/* Texts quote what stood in the file. */
	str_sanitize(&clean, buf_span(&raw), ERROR_TEXT_SIZE);
	return buf_take_str(&clean);
}

void
rule_problems_add(struct rule_problems *problems, bool is_warning,
    struct rule_place place, const char *hint, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = format_text(format, args);
	va_end(args);
	add_problem(problems, is_warning, place, hint, text);
}

struct rule_place
source_place(const struct source *source, size_t offset)
{
	struct rule_place place = source->place;

	place.column +=
	    (unsigned)utf8_count(span_slice(source->text, 0, offset));
	return place;
}

bool
source_error(const struct source *source, size_t offset, const char *hint,
    const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = format_text(format, args);
	va_end(args);
	add_problem(
	    source->problems, false, source_place(source, offset), hint, text);
	return false;
}

void
source_warn(const struct source *source, size_t offset, const char *hint,
    const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = format_text(format, args);
	va_end(args);
	add_problem(
	    source->problems, true, source_place(source, offset), hint, text);
}

bool
source_error_near(const struct source *source, size_t offset, struct span word,
    const char *const *candidates, const char *format, ...)
{
	const char *near = str_nearest(word, candidates);
	STR_AUTO hint = NULL;
	va_list args;
	char *text;

	if (near != NULL)
		hint = xasprintf("did you mean `%s`?", near);
	va_start(args, format);
	text = format_text(format, args);
	va_end(args);
	add_problem(
	    source->problems, false, source_place(source, offset), hint, text);
	return false;
}
