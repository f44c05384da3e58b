#include "rules/action_lint.h"

#include "daemon/base/str.h"

static bool
is_quoted(struct span text)
{
	char first = text.len < 2 ? '\0' : text.data[0];

	return (first == '"' || first == '\'') &&
	       text.data[text.len - 1] == first;
}

/* Where "$1" stands; SIZE_MAX: nowhere. */
static size_t
find_numbered_group(struct span text)
{
	for (size_t i = 0; i + 1 < text.len; i++)
		if (text.data[i] == '$' && char_is_digit(text.data[i + 1]))
			return i;
	return SIZE_MAX;
}

void
action_lint_folder(const struct source *source)
{
	size_t group = find_numbered_group(source->text);

	if (is_quoted(source->text))
		source_warn(source, 0, "leave them out: blanks need none",
		    "the quotes are a part of the name");
	if (group != SIZE_MAX)
		source_warn(source, group,
		    "name the group, as in (?<what>...), and write ${what}",
		    "this is a part of the name: groups have no numbers here");
}

static bool
is_shell(const char *command)
{
	static const char *const shells[] = {
	    "sh", "bash", "dash", "zsh", "ksh", "fish"};
	const char *slash = strrchr(command, '/');

	for (size_t i = 0; i < sizeof(shells) / sizeof(*shells); i++)
		if (slash != NULL && strcmp(slash + 1, shells[i]) == 0)
			return true;
	return false;
}

/* Only dates, which nobody who writes a mail chooses. */
static bool
has_foreign_variable(struct span argument)
{
	size_t pos = 0;

	while ((pos = span_find_span(argument, SPAN("${"), pos)) != SIZE_MAX) {
		struct span rest = span_skip(argument, pos);

		if (!span_starts(rest, "${date}") &&
		    !span_starts(rest, "${date."))
			return true;
		pos += 2;
	}
	return false;
}

/* The offset of an argument as it is written, about: quotes and backslashes
 * are gone. */
static size_t
find_argument(const struct source *source, const char *argument, size_t from)
{
	size_t at = span_find_span(source->text, span_from_str(argument), from);

	return at == SIZE_MAX ? from : at;
}

/* sh -c 'echo ${subject}': also as -ec, and behind other options. */
static void
lint_shell(const struct source *source, const struct strv *arguments)
{
	size_t pos = strlen(arguments->items[0]);
	bool is_program = false;

	for (size_t i = 1; i < arguments->len; i++) {
		struct span argument = span_from_str(arguments->items[i]);

		pos = find_argument(source, arguments->items[i], pos);
		if (is_program && has_foreign_variable(argument))
			source_warn(source, pos,
			    "give it as an argument, as in: sh -c 'echo "
			    "\"$1\"' sh ${subject}",
			    "the shell would run what the mail says here");
		if (is_program)
			return;
		if (argument.len < 2 || argument.data[0] != '-')
			return;
		is_program = argument.data[1] != '-' &&
			     argument.data[argument.len - 1] == 'c';
	}
}

static bool
is_shell_word(struct span argument)
{
	static const char *const words[] = {"|", "||", "&&", "&", ";", ">",
	    ">>", "<", "2>", "2>&1", ">&2", "&>"};
	static const char variables[] = "$BELFRY_";

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (span_is(argument, words[i]))
			return true;
	return span_starts(argument, variables) ||
	       (argument.len == 2 && argument.data[0] == '$' &&
		   char_is_digit(argument.data[1]));
}

static void
lint_words(const struct source *source, const struct strv *arguments)
{
	size_t pos = strlen(arguments->items[0]);

	for (size_t i = 1; i < arguments->len; i++) {
		struct span argument = span_from_str(arguments->items[i]);

		pos = find_argument(source, arguments->items[i], pos);
		if (!is_shell_word(argument))
			continue;
		source_warn(source, pos,
		    argument.data[0] == '$'
			? "write ${...} with a field or a group"
			: "write a script, and its path here",
		    "there is no shell: the command gets this as it is");
		return;
	}
}

void
action_lint_command(const struct source *source, const struct strv *arguments)
{
	if (is_shell(arguments->items[0]))
		lint_shell(source, arguments);
	else
		lint_words(source, arguments);
}
