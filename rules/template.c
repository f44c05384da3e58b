#include "rules/template.h"

#include "daemon/base/str.h"
#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"
#include "rules/folder.h"
#include "rules/foreign.h"

/*
 *   template = *( text / "$${" / variable )   ; "$${" stands for "${"
 *   variable = "${" ( capture / field ) "}"
 *   field    = as in conditions, as "from.name" or "header(X-Any)"; also
 *              "date" and "date.year"
 *
 * For exec:
 *   line     = argument *( 1*blank argument )
 *   argument = 1*( template / "'" template "'" / DQUOTE template DQUOTE )
 */

struct piece {
	char *literal;	/* owned; NULL: a variable */
	size_t capture; /* SIZE_MAX: it is a slot */
	size_t slot;
};

struct template
{
	enum template_use use;
	struct piece *pieces; /* owned */
	size_t count;
	size_t variables;
	size_t literal_len;
	bool has_open_start; /* a folder whose first component has variables */
};

/* Building. */

struct builder {
	const struct source *source;
	const struct template_names *names;
	size_t pos;
	struct template *template;
	struct buf literal; /* not yet a piece */
};

static struct piece *
add_piece(struct template *template)
{
	struct piece *piece;

	template->pieces = xreallocarray(
	    template->pieces, template->count + 1, sizeof(*template->pieces));
	piece = &template->pieces[template->count++];
	*piece = (struct piece){.capture = SIZE_MAX};
	return piece;
}

static void
flush_literal(struct builder *builder)
{
	if (builder->literal.len == 0)
		return;
	builder->template->literal_len += builder->literal.len;
	add_piece(builder->template)->literal = buf_take_str(&builder->literal);
}

static void
begin(struct builder *builder, enum template_use use)
{
	builder->template = NEW(struct template);
	builder->template->use = use;
}

void
template_free(struct template **template)
{
	struct template *t = *template;

	if (t == NULL)
		return;
	for (size_t i = 0; i < t->count; i++)
		free(t->pieces[i].literal);
	free(t->pieces);
	free(t);
	*template = NULL;
}

static void
builder_done(struct builder *builder)
{
	buf_done(&builder->literal);
	template_free(&builder->template);
}

/* Variables. */

static bool
split_argument(struct span *name, struct span *argument_r)
{
	size_t open = span_find(*name, '(');

	*argument_r = SPAN_EMPTY;
	if (open == SIZE_MAX)
		return true;
	if (name->data[name->len - 1] != ')')
		return false;
	*argument_r =
	    span_trim(span_slice(*name, open + 1, name->len - open - 2));
	*name = span_slice(*name, 0, open);
	return argument_r->len > 0;
}

static const char *
variable_hint(struct span name)
{
	uint32_t number;

	if (span_to_u32(name, &number))
		return "groups have names here: write (?<name>...) in the "
		       "pattern, and ${name}";
	return foreign_hint(FOREIGN_VARIABLE, name);
}

static bool
fail_variable(struct builder *builder, size_t offset, struct span name)
{
	const struct captures *captures = builder->names->captures;
	const struct strv *own = &captures->names;
	const char *hint = variable_hint(name);

	if (hint != NULL)
		return source_error(builder->source, offset, hint,
		    "unknown variable `%.*s`", SPAN_FMT(name));
	/* That line's error is reported, and this may be its consequence. */
	if (captures->is_incomplete)
		return false;
	if (strv_has_nocase(&captures->never, name))
		return source_error(builder->source, offset, NULL,
		    "`%.*s` is a group of a negated pattern, which never has a "
		    "value when the rule acts",
		    SPAN_FMT(name));
	if (own->len > 0 &&
	    str_nearest(name, (const char *const *)own->items) != NULL)
		return source_error_near(builder->source, offset, name,
		    (const char *const *)own->items, "unknown variable `%.*s`",
		    SPAN_FMT(name));
	return source_error_near(builder->source, offset, name,
	    field_names(true), "unknown variable `%.*s`", SPAN_FMT(name));
}

static bool
check_variable(struct builder *builder, size_t offset,
    const struct field *field, struct span argument)
{
	if (field->type == FIELD_FACT)
		return source_error(builder->source, offset, NULL,
		    "`%s` is true or false and has no text", field->name);
	if (field->has_argument != (argument.len > 0))
		return source_error(builder->source, offset, NULL,
		    field->has_argument
			? "`%s` needs a header's name in parentheses"
			: "`%s` takes no name in parentheses",
		    field->name);
	return true;
}

static bool
add_field(struct builder *builder, size_t offset, struct span name)
{
	struct span whole = name, argument;
	const struct field *field;
	enum address_part part;

	if (!split_argument(&name, &argument))
		return fail_variable(builder, offset, whole);
	field = field_find_part(name, &part);
	if (field == NULL)
		return fail_variable(builder, offset, whole);
	if (!check_variable(builder, offset, field, argument))
		return false;
	add_piece(builder->template)->slot =
	    slots_add(builder->names->slots, field, part, argument);
	return true;
}

static bool
add_variable(struct builder *builder, size_t offset, struct span name)
{
	const struct captures *captures = builder->names->captures;
	size_t capture = captures_find(captures, name);

	if (++builder->template->variables > TEMPLATE_VARIABLES_MAX)
		return source_error(builder->source, offset, NULL,
		    "more than %d variables", TEMPLATE_VARIABLES_MAX);
	if (capture == SIZE_MAX)
		return add_field(builder, offset, name);
	if (!captures->is_certain[capture])
		source_warn(builder->source, offset, NULL,
		    "`%.*s` may be empty: %s in line %u", SPAN_FMT(name),
		    captures->is_optional[capture]
			? "the pattern matches without its group"
			: "one branch of an `or` sets it, and only that,",
		    captures->places[capture].line);
	add_piece(builder->template)->capture = capture;
	return true;
}

/* At "${". */
static bool
read_variable(struct builder *builder)
{
	size_t start = builder->pos + 2;
	struct span text = span_skip(builder->source->text, start);
	size_t len = span_find(text, '}');

	if (len == SIZE_MAX)
		return source_error(
		    builder->source, builder->pos, NULL, "`}` is missing");
	flush_literal(builder);
	builder->pos = start + len + 1;
	return add_variable(
	    builder, start, span_trim(span_slice(text, 0, len)));
}

/* Reads one character or variable into the template. */
static bool
read_one(struct builder *builder)
{
	struct span rest = span_skip(builder->source->text, builder->pos);

	if (span_starts(rest, "${"))
		return read_variable(builder);
	if (span_starts(rest, "$${")) {
		buf_add_str(&builder->literal, "${");
		builder->pos += 3;
		return true;
	}
	buf_add_char(&builder->literal, rest.data[0]);
	builder->pos++;
	return true;
}

/* A folder's name, as far as it is known before there is a message. */
static bool
check_folder(const struct source *source, const struct template *template)
{
	const char *problem;

	if (source->text.len > 0 && source->text.data[0] == '\\') {
		if (folder_is_special(source->text))
			return true;
		return source_error_near(source, 0, source->text,
		    folder_special_names,
		    "a name that begins with \\ is one of \\Archive, \\Junk, "
		    "\\Trash and \\Sent");
	}
	problem = folder_check(source->text);
	if (problem != NULL)
		return source_error(source, 0, NULL, "%s", problem);
	if (template->variables > 0 &&
	    template->literal_len + FOLDER_VALUE_MIN * template->variables >
		TEMPLATE_FOLDER_MAX)
		return source_error(source, 0, NULL,
		    "the name leaves no room for its variables: a folder's "
		    "name has at most %d bytes",
		    TEMPLATE_FOLDER_MAX);
	return true;
}

/* Whether a value can have a part in the first component. */
static bool
is_start_open(const struct template *template)
{
	for (size_t i = 0; i < template->count; i++) {
		const char *literal = template->pieces[i].literal;

		if (literal == NULL)
			return true;
		if (strchr(literal, '/') != NULL)
			return false;
	}
	return false;
}

struct template *
template_compile(const struct source *source, enum template_use use,
    const struct template_names *names)
{
	struct builder builder = {.source = source, .names = names};
	struct template *done = NULL;

	if (!utf8_is_valid(source->text)) {
		source_error(source, 0, NULL, "this is not valid UTF-8");
		return NULL;
	}
	begin(&builder, use);
	while (builder.pos < source->text.len) {
		if (!read_one(&builder)) {
			builder_done(&builder);
			return NULL;
		}
	}
	flush_literal(&builder);
	builder.template->has_open_start = is_start_open(builder.template);
	if (use != TEMPLATE_FOLDER || check_folder(source, builder.template)) {
		done = builder.template;
		builder.template = NULL;
	}
	builder_done(&builder);
	return done;
}

/* Arguments. */

struct arguments {
	struct template **items;
	size_t count;
};

static void
arguments_free(struct arguments *arguments)
{
	for (size_t i = 0; i < arguments->count; i++)
		template_free(&arguments->items[i]);
	free(arguments->items);
}

static bool
read_quoted(struct builder *builder)
{
	struct span text = builder->source->text;
	size_t start = builder->pos++;

	while (builder->pos < text.len &&
	       text.data[builder->pos] != text.data[start])
		if (!read_one(builder))
			return false;
	if (builder->pos >= text.len)
		return source_error(
		    builder->source, start, NULL, "the quotes are not closed");
	builder->pos++;
	return true;
}

static bool
read_argument(struct builder *builder)
{
	struct span text = builder->source->text;

	begin(builder, TEMPLATE_ARGUMENT);
	while (builder->pos < text.len &&
	       !char_is_blank(text.data[builder->pos])) {
		char c = text.data[builder->pos];
		bool ok = c == '"' || c == '\'' ? read_quoted(builder)
						: read_one(builder);

		if (!ok)
			return false;
	}
	flush_literal(builder);
	return true;
}

static bool
read_arguments(struct builder *builder, struct arguments *arguments)
{
	struct span text = builder->source->text;

	while (builder->pos < text.len) {
		if (char_is_blank(text.data[builder->pos])) {
			builder->pos++;
			continue;
		}
		if (arguments->count == TEMPLATE_ARGUMENTS_MAX)
			return source_error(builder->source, builder->pos, NULL,
			    "more than %d arguments", TEMPLATE_ARGUMENTS_MAX);
		if (!read_argument(builder))
			return false;
		arguments->items = xreallocarray(arguments->items,
		    arguments->count + 1, sizeof(struct template *));
		arguments->items[arguments->count++] = builder->template;
		builder->template = NULL;
	}
	return true;
}

bool
template_compile_arguments(const struct source *source,
    const struct template_names *names, struct template ***templates_r,
    size_t *count_r)
{
	struct builder builder = {.source = source, .names = names};
	struct arguments arguments = {0};
	bool ok = read_arguments(&builder, &arguments);

	builder_done(&builder);
	if (!ok) {
		arguments_free(&arguments);
		return false;
	}
	*templates_r = arguments.items;
	*count_r = arguments.count;
	return true;
}

bool
template_has_variables(const struct template *template)
{
	return template->variables > 0;
}

bool
template_get_fixed(const struct template *template, struct buf *text)
{
	if (template == NULL || template->variables > 0)
		return false;
	for (size_t i = 0; i < template->count; i++)
		buf_add_str(text, template->pieces[i].literal);
	return true;
}

static void
show_slot(struct buf *text, const struct slot *slot)
{
	buf_add_str(text, slot->field->name);
	if (slot->part != PART_ADDR)
		buf_addf(text, ".%s", address_part_name(slot->part));
	if (slot->argument != NULL)
		buf_addf(text, "(%s)", slot->argument);
}

void
template_show(struct buf *text, const struct template *template,
    const struct captures *captures, const struct slots *slots)
{
	for (size_t i = 0; i < template->count; i++) {
		const struct piece *piece = &template->pieces[i];

		if (piece->literal != NULL) {
			buf_add_str(text, piece->literal);
			continue;
		}
		buf_add_str(text, "${");
		if (piece->capture != SIZE_MAX)
			buf_add_str(
			    text, captures->names.items[piece->capture]);
		else
			show_slot(text, &slots->items[piece->slot]);
		buf_add_char(text, '}');
	}
}

bool
template_get_slot(const struct template *template, size_t index, size_t *slot_r)
{
	const struct piece *piece;

	if (index >= template->count)
		return false;
	piece = &template->pieces[index];
	*slot_r = piece->literal == NULL && piece->capture == SIZE_MAX
		      ? piece->slot
		      : SIZE_MAX;
	return true;
}

/* Expanding. */

static struct span
value_of(const struct piece *piece, const struct template_values *values)
{
	const struct values *field;

	if (piece->capture != SIZE_MAX)
		return values->captures[piece->capture];
	field = view_get(values->view, piece->slot);
	return field->count > 0 ? field->items[0] : SPAN_EMPTY;
}

static void
add_argument_value(struct buf *buf, struct span value)
{
	size_t len = value.len;

	if (len > TEMPLATE_ARGUMENT_MAX) {
		len = TEMPLATE_ARGUMENT_MAX;
		while (
		    len > 0 && ((unsigned char)value.data[len] & 0xc0) == 0x80)
			len--;
	}
	for (size_t i = 0; i < len; i++)
		if (value.data[i] != '\0')
			buf_add_char(buf, value.data[i]);
}

static void
add_value(const struct template *template, struct buf *buf, struct span value)
{
	switch (template->use) {
	case TEMPLATE_FOLDER:
		folder_add_value(buf, value,
		    (TEMPLATE_FOLDER_MAX - template->literal_len) /
			template->variables);
		break;
	case TEMPLATE_ARGUMENT:
		add_argument_value(buf, value);
		break;
	case TEMPLATE_TEXT:
		str_sanitize(buf, value, TEMPLATE_TEXT_MAX);
		break;
	}
}

char *
template_expand(
    const struct template *template, const struct template_values *values)
{
	struct buf text = BUF_INIT;
	struct buf folder = BUF_INIT;

	for (size_t i = 0; i < template->count; i++) {
		const struct piece *piece = &template->pieces[i];

		if (piece->literal != NULL)
			buf_add_str(&text, piece->literal);
		else
			add_value(template, &text, value_of(piece, values));
	}
	if (template->use != TEMPLATE_FOLDER || template->variables == 0)
		return buf_take_str(&text);
	folder_add_clean(&folder, buf_span(&text), template->has_open_start);
	buf_done(&text);
	return buf_take_str(&folder);
}
