/*
 * A template in the first line, a value of its capture `x` behind it: the
 * value may not leave its component of a folder, nor its argument.
 */
#include <assert.h>

#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"
#include "rules/folder.h"
#include "rules/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t
count_char(struct span text, char c)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += text.data[i] == c;
	return count;
}

/* Slashes of the text itself, not those inside of "${header(a/b)}". */
static size_t
count_slashes(struct span text)
{
	size_t count = 0;
	bool inside = false;

	for (size_t i = 0; i < text.len; i++) {
		struct span rest = span_skip(text, i);

		if (!inside && span_starts(rest, "$${"))
			i += 2;
		else if (!inside && span_starts(rest, "${"))
			inside = true;
		else if (inside && text.data[i] == '}')
			inside = false;
		else if (!inside && text.data[i] == '/')
			count++;
	}
	return count;
}

static void
check_folder(struct span text, const char *name)
{
	struct span rest = span_from_str(name), component;

	if (folder_is_special(text))
		return;
	assert(name[0] != '\0' && name[0] != '\\');
	assert(utf8_is_valid(rest));
	assert(count_char(rest, '/') == count_slashes(text));
	while (span_split(&rest, '/', &component)) {
		assert(component.len > 0);
		assert(!span_is(component, ".") && !span_is(component, ".."));
	}
}

/* The slots are known only now; a view that is done has no facts. */
static void
begin_view(struct view *view, const struct slots *slots)
{
	const struct facts *facts = view->facts;

	view_done(view);
	view_init(view, slots, facts);
}

static void
try_folder(const struct source *source, const struct template_names *names,
    const struct template_values *values)
{
	struct template *template =
	    template_compile(source, TEMPLATE_FOLDER, names);
	STR_AUTO name = NULL;

	if (template == NULL)
		return;
	begin_view(values->view, names->slots);
	name = template_expand(template, values);
	if (template_has_variables(template))
		assert(strlen(name) <= TEMPLATE_FOLDER_MAX);
	check_folder(source->text, name);
	template_free(&template);
}

/* As many arguments as with an empty value, each the same but for it. */
static void
try_arguments(const struct source *source, const struct template_names *names,
    const struct template_values *values)
{
	struct template **argv;
	size_t count;

	if (!template_compile_arguments(source, names, &argv, &count))
		return;
	begin_view(values->view, names->slots);
	for (size_t i = 0; i < count; i++) {
		STR_AUTO argument = template_expand(argv[i], values);

		assert(strlen(argument) <=
		       source->text.len + (TEMPLATE_VARIABLES_MAX *
					      (size_t)TEMPLATE_ARGUMENT_MAX));
		template_free(&argv[i]);
	}
	free(argv);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span input = span_from(data, size), text = SPAN_EMPTY;
	struct captures captures = {.is_certain = {true}};
	struct rule_problems problems = {0};
	struct slots slots = {0};
	struct facts facts = {.message = message_new(SPAN("Subject: a/b\n\n")),
	    .account = "work",
	    .mailbox = "INBOX"};
	struct template_names names = {&captures, &slots};
	struct view view;
	BUF_AUTO valid = BUF_INIT;
	struct span value;
	struct template_values values = {&value, &view};
	struct source source = {.place = {"fuzz", 1, 1}, .problems = &problems};

	strv_add(&captures.names, "x");
	span_split(&input, '\n', &text);
	/* As a line of the configuration: no NUL. */
	source.text = span_slice(text, 0, span_find(text, '\0'));
	utf8_add_valid(&valid, input);
	value = buf_span(&valid);
	view_init(&view, &slots, &facts);
	try_folder(&source, &names, &values);
	try_arguments(&source, &names, &values);
	view_done(&view);
	slots_done(&slots);
	captures_done(&captures);
	rule_problems_done(&problems);
	message_free(&facts.message);
	return 0;
}
