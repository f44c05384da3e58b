#include "tests/lib/rules_text.h"

#include "daemon/base/str.h"
#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"

struct reader {
	struct rules_builder *builder;
	char kind[16]; /* of the open section; "" before the first */
	char *id;
	struct rule_place place;
	struct rule_line *lines;
	size_t count;
	unsigned line;
};

static void
end_section(struct reader *reader)
{
	if (strcmp(reader->kind, "rule") == 0)
		rules_builder_add_rule(reader->builder, reader->id,
		    reader->place, reader->lines, reader->count);
	if (strcmp(reader->kind, "list") == 0)
		rules_builder_add_list(reader->builder, reader->id,
		    reader->place, reader->lines, reader->count);
	if (strcmp(reader->kind, "account") == 0)
		rules_builder_add_account(reader->builder, reader->id);
	if (strcmp(reader->kind, "notifier") == 0)
		rules_builder_add_notifier(reader->builder, reader->id);
	for (size_t i = 0; i < reader->count; i++) {
		free((char *)reader->lines[i].key);
		free((char *)reader->lines[i].value);
	}
	free(reader->lines);
	free(reader->id);
	reader->lines = NULL;
	reader->count = 0;
	reader->id = NULL;
	reader->kind[0] = '\0';
}

static void
begin_section(struct reader *reader, struct span line)
{
	size_t blank = span_find(line, ' ');
	size_t close = span_find(line, ']');
	struct span kind = span_slice(line, 1, blank - 1);

	end_section(reader);
	if (blank == SIZE_MAX || close == SIZE_MAX || close < blank ||
	    kind.len >= sizeof(reader->kind))
		return;
	memcpy(reader->kind, kind.data, kind.len);
	reader->kind[kind.len] = '\0';
	reader->id =
	    xstrdup_span(span_slice(line, blank + 1, close - blank - 1));
	reader->place = (struct rule_place){"test", reader->line, 1};
}

static void
add_line(
    struct reader *reader, struct span line, const char *key, struct span value)
{
	struct rule_line *added;
	size_t offset = (size_t)(value.data - line.data);

	reader->lines = xreallocarray(
	    reader->lines, reader->count + 1, sizeof(*reader->lines));
	added = &reader->lines[reader->count++];
	added->key = xstrdup(key);
	added->value = xstrdup_span(value);
	added->place = (struct rule_place){"test", reader->line,
	    1 + (unsigned)utf8_count(span_slice(line, 0, offset))};
}

static struct span
trim_at(struct span line, size_t start)
{
	while (start < line.len && char_is_blank(line.data[start]))
		start++;
	return span_from(
	    line.data + start, span_trim(span_skip(line, start)).len);
}

static void
read_line(struct reader *reader, struct span line)
{
	size_t equals = span_find(line, '=');
	STR_AUTO key = NULL;

	if (span_trim(line).len == 0 || line.data[0] == '#')
		return;
	if (line.data[0] == '[') {
		begin_section(reader, line);
	} else if (char_is_blank(line.data[0])) {
		if (reader->count > 0)
			add_line(reader, line,
			    reader->lines[reader->count - 1].key,
			    trim_at(line, 0));
	} else if (equals != SIZE_MAX) {
		key = xstrdup_span(span_trim(span_slice(line, 0, equals)));
		add_line(reader, line, key, trim_at(line, equals + 1));
	}
}

struct rules *
rules_from_text(const char *text, struct rule_problems *problems_r)
{
	struct reader reader = {.builder = rules_builder_new()};
	struct span rest = span_from_str(text), line;
	struct rules *rules;

	while (span_split(&rest, '\n', &line)) {
		reader.line++;
		read_line(&reader, line);
	}
	end_section(&reader);
	rules = rules_builder_finish(reader.builder, problems_r);
	rules_builder_free(&reader.builder);
	return rules;
}

void
rules_problems_show(struct buf *buf, const struct rule_problems *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		const struct rule_problem *problem = &problems->items[i];

		buf_addf(buf, "%u:%u: %s%s", problem->place.line,
		    problem->place.column,
		    problem->is_warning ? "warning: " : "", problem->text);
		if (problem->hint != NULL)
			buf_addf(buf, " (%s)", problem->hint);
		buf_add_char(buf, '\n');
	}
}

void
rules_plan_show(struct buf *buf, const struct plan *plan)
{
	if (plan->count == 0)
		buf_add_str(buf, "nothing");
	for (size_t i = 0; i < plan->count; i++) {
		if (i > 0)
			buf_add_str(buf, "; ");
		action_describe(buf, &plan->actions[i]);
	}
}
