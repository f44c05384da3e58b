/* Problems of a configuration: see problem.h. */
#include "daemon/config/problem.h"

#include <stdio.h>

#include "daemon/base/str.h"
#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"

#define PROBLEM_TEXT_MAX 2000 /* characters shown of a text or a hint */

static size_t
count_kind(const struct rule_problems *problems, bool is_warning)
{
	size_t count = 0;

	for (size_t i = 0; i < problems->count; i++)
		count += problems->items[i].is_warning == is_warning;
	return count;
}

void
problem_add(struct rule_problems *problems, bool is_warning,
    struct rule_place place, const char *hint, const char *format, ...)
{
	if (count_kind(problems, is_warning) >= PROBLEMS_MAX)
		return;
	va_list args;
	BUF_AUTO text = BUF_INIT;
	va_start(args, format);
	buf_vaddf(&text, format, args);
	va_end(args);
	rule_problems_add(
	    problems, is_warning, place, hint, "%s", buf_str(&text));
	if (count_kind(problems, is_warning) == PROBLEMS_MAX)
		rule_problems_add(problems, is_warning, place, NULL,
		    "too many %s; more are not shown",
		    is_warning ? "warnings" : "problems");
}

bool
problem_is_full(const struct rule_problems *problems)
{
	return count_kind(problems, false) >= PROBLEMS_MAX;
}

bool
problem_has_errors(const struct rule_problems *problems)
{
	for (size_t i = 0; i < problems->count; i++)
		if (!problems->items[i].is_warning)
			return true;
	return false;
}

static size_t
file_order(const struct strv *files, const char *file)
{
	for (size_t i = 0; file != NULL && i < files->len; i++)
		if (strcmp(files->items[i], file) == 0)
			return i;
	return files->len;
}

static int
place_compare(const struct strv *files, const struct rule_place *a,
    const struct rule_place *b)
{
	size_t file_a = file_order(files, a->file);
	size_t file_b = file_order(files, b->file);

	if (file_a != file_b)
		return file_a < file_b ? -1 : 1;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->column != b->column)
		return a->column < b->column ? -1 : 1;
	return 0;
}

/* Insertion: stable, and there are few. */
void
problem_sort(struct rule_problems *problems, const struct strv *files)
{
	for (size_t i = 1; i < problems->count; i++) {
		struct rule_problem moved = problems->items[i];
		size_t at = i;
		while (at > 0 && place_compare(files, &moved.place,
				     &problems->items[at - 1].place) < 0) {
			problems->items[at] = problems->items[at - 1];
			at--;
		}
		problems->items[at] = moved;
	}
}

/* The line as far as it fits, and the same number of columns in blanks (tabs
 * stay tabs) up to the caret. */
static void
add_excerpt(struct buf *buf, struct span source, unsigned column)
{
	BUF_AUTO pad = BUF_INIT;
	unsigned first = 1, at = 1;
	size_t chars = utf8_count(source);

	/* A line that is shown only in part: its end stands for the rest. */
	if (column > chars + 1)
		column = (unsigned)chars;

	if (column > PROBLEM_EXCERPT_MAX / 2)
		first = column - PROBLEM_EXCERPT_MAX / 2;
	buf_add_str(buf, first > 1 ? "    …" : "    ");
	buf_add_str(&pad, first > 1 ? "     " : "    ");
	while (source.len > 0 && at < first + PROBLEM_EXCERPT_MAX) {
		uint32_t code;
		size_t len = utf8_next(source, &code, NULL);
		bool is_control = (code < 0x20 && code != '\t') ||
				  (code >= 0x7f && code < 0xa0);
		if (at >= first) {
			utf8_add(buf, is_control ? UTF8_REPLACEMENT : code);
			if (at < column)
				buf_add_char(&pad, code == '\t' ? '\t' : ' ');
		}
		source = span_skip(source, len);
		at++;
	}
	if (source.len > 0)
		buf_add_str(buf, "…");
	for (; at < column; at++)
		buf_add_char(&pad, ' ');
	buf_add_char(buf, '\n');
	buf_add_span(buf, buf_span(&pad));
	buf_add_str(buf, "^\n");
}

void
problem_format(
    struct buf *buf, const struct rule_problem *problem, struct span source)
{
	const struct rule_place *place = &problem->place;

	if (place->file != NULL)
		str_sanitize(buf, span_from_str(place->file), PROBLEM_TEXT_MAX);
	if (place->file != NULL && place->line > 0)
		buf_addf(buf, ":%u", place->line);
	if (place->file != NULL && place->line > 0 && place->column > 0)
		buf_addf(buf, ":%u", place->column);
	if (place->file != NULL)
		buf_add_str(buf, ": ");
	buf_add_str(buf, problem->is_warning ? "warning: " : "error: ");
	str_sanitize(buf, span_from_str(problem->text), PROBLEM_TEXT_MAX);
	buf_add_char(buf, '\n');
	if (source.len > 0 && place->line > 0)
		add_excerpt(buf, source, place->column > 0 ? place->column : 1);
	if (problem->hint != NULL && *problem->hint != '\0') {
		buf_add_str(buf, "    ");
		str_sanitize(
		    buf, span_from_str(problem->hint), PROBLEM_TEXT_MAX);
		buf_add_char(buf, '\n');
	}
}
