/*
 * imap/tree: the values of one response.
 *
 * RFC 9051 section 9, with the liberties that real servers need:
 *
 *   response    = "+" [SP text]
 *               / "*" SP status [SP resp-text]
 *               / "*" SP [number SP] name *(SP value)
 *               / tag SP ("OK" / "NO" / "BAD") [SP resp-text]
 *               / "[" code "]" [SP text]          ; Exchange forgets "* OK"
 *   resp-text   = ["[" code "]" [SP]] text
 *   code        = atom *(SP value)
 *   value       = "NIL" / atom / string / "(" [value *(SP value)] ")"
 *   string      = DQUOTE *(QUOTED-CHAR) DQUOTE / literal
 *   literal     = ["~"] "{" number ["+"] "}" CRLF *OCTET
 *   atom        = section-atom / 1*(any byte but SP TAB CR LF NUL "(" ")")
 *   section-atom= ("BODY" / "BODY.PEEK" / "BINARY" ...) "[" section "]" [rest]
 *
 * Any number of blanks stands for one, and none is needed next to brackets.
 * Nesting costs an entry in an array, never a C stack frame.
 */
#include "daemon/wire/imap/tree.h"

#include <assert.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"

#define ITEMS_FIRST 16
/* More room than this is not kept for the next response. */
#define ITEMS_KEPT 64

struct status_word {
	struct span word;
	enum imap_status status;
	bool tagged; /* may stand behind a tag */
};

static const struct status_word status_words[] = {
    {SPAN_INIT("OK"), IMAP_OK, true},
    {SPAN_INIT("NO"), IMAP_NO, true},
    {SPAN_INIT("BAD"), IMAP_BAD, true},
    {SPAN_INIT("PREAUTH"), IMAP_PREAUTH, false},
    {SPAN_INIT("BYE"), IMAP_BYE, false},
};

/* Atoms that carry a section in brackets, blanks and quotes inside. */
static const struct span section_atoms[] = {
    SPAN_INIT("BODY["),
    SPAN_INIT("BODY.PEEK["),
    SPAN_INIT("BINARY["),
    SPAN_INIT("BINARY.PEEK["),
    SPAN_INIT("BINARY.SIZE["),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- the front --------------------------------------------------------- */

static size_t
skip_blanks(struct span s, size_t pos)
{
	while (pos < s.len && char_is_blank(s.data[pos]))
		pos++;
	return pos;
}

static struct span
word_at(struct span s, size_t pos)
{
	size_t end = pos;

	while (end < s.len && !char_is_blank(s.data[end]))
		end++;
	return span_slice(s, pos, end - pos);
}

static const struct status_word *
find_status(struct span word)
{
	for (size_t i = 0; i < COUNT(status_words); i++) {
		if (span_equal_nocase(word, status_words[i].word))
			return &status_words[i];
	}
	return NULL;
}

static bool
continuation_head(struct span line, struct imap_head *head_r)
{
	bool blank = line.len > 1 && line.data[1] == ' ';

	*head_r = (struct imap_head){
	    .kind = IMAP_CONTINUATION,
	    .rest = blank ? 2 : 1,
	};
	return true;
}

static bool
bare_code_head(struct imap_head *head_r)
{
	*head_r = (struct imap_head){.kind = IMAP_UNTAGGED, .status = IMAP_OK};
	return true;
}

bool
imap_head_parse(struct span line, struct imap_head *head_r)
{
	struct span tag = word_at(line, 0), word;
	const struct status_word *status;
	bool untagged;
	size_t pos;

	if (span_starts(line, "+"))
		return continuation_head(line, head_r);
	if (span_starts(line, "["))
		return bare_code_head(head_r);
	if (tag.len == 0)
		return false;

	untagged = span_is(tag, "*");
	pos = skip_blanks(line, tag.len);
	word = word_at(line, pos);
	status = find_status(word);
	if (!untagged && (status == NULL || !status->tagged))
		return false;

	*head_r = (struct imap_head){
	    .kind = untagged ? IMAP_UNTAGGED : IMAP_TAGGED,
	    .tag = untagged ? SPAN_EMPTY : tag,
	    .status = status != NULL ? status->status : IMAP_STATUS_NONE,
	    .rest = status != NULL ? skip_blanks(line, pos + word.len) : pos,
	};
	return true;
}

size_t
imap_code_end(struct span line, size_t from)
{
	bool quoted = false;

	for (size_t i = from; i < line.len; i++) {
		char c = line.data[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (c == ']' && !quoted)
			return i;
	}
	return SIZE_MAX;
}

uint64_t
imap_digits_value(struct span digits)
{
	uint64_t value = 0;

	for (size_t i = 0; i < digits.len; i++) {
		uint64_t digit = (uint64_t)(digits.data[i] - '0');

		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return UINT64_MAX;
	}
	return value;
}

/* ---- values ------------------------------------------------------------ */

/* Walks over a frame; `literal` is the first that is not behind `pos`. */
struct cursor {
	const struct imap_frame *frame;
	size_t pos;
	size_t literal;
	bool in_code; /* "]" ends the values outside parentheses */
	size_t depth; /* of lists that are open */
	size_t list;  /* where the innermost stands among the open values */
};

void
imap_tree_init(struct imap_tree *tree)
{
	*tree = (struct imap_tree){0};
}

void
imap_tree_done(struct imap_tree *tree)
{
	free(tree->open);
	free(tree->closed);
	imap_tree_init(tree);
}

void
imap_tree_clear(struct imap_tree *tree)
{
	if (tree->open_cap > ITEMS_KEPT || tree->closed_cap > ITEMS_KEPT)
		imap_tree_done(tree);
	tree->open_count = tree->closed_count = 0;
}

static void
make_room(struct imap_value **items, size_t *cap, size_t needed)
{
	if (needed <= *cap)
		return;
	if (*cap < ITEMS_FIRST)
		*cap = ITEMS_FIRST;
	while (*cap < needed)
		*cap *= 2;
	*items = xreallocarray(*items, *cap, sizeof(**items));
}

/* True, for `return tree_add(...)`. */
static bool
tree_add(struct imap_tree *tree, enum imap_value_kind kind, struct span text)
{
	assert(tree->open_count + tree->closed_count < IMAP_VALUES_MAX);
	make_room(&tree->open, &tree->open_cap, tree->open_count + 1);
	tree->open[tree->open_count++] =
	    (struct imap_value){.kind = kind, .text = text};
	return true;
}

/* Until all is read a closed list keeps the index of its items in text.len:
 * the array may still move; and an open one that of the list around it. */
static bool
open_list(struct imap_tree *tree, struct cursor *cursor)
{
	struct span around = {NULL, cursor->list};

	if (cursor->depth == IMAP_NESTING_MAX) {
		tree->too_deep = true;
		return false;
	}
	cursor->depth++;
	cursor->pos++;
	cursor->list = tree->open_count;
	return tree_add(tree, IMAP_LIST, around);
}

/* Moves what was opened since into `closed`, as the list's items. */
static bool
close_list(struct imap_tree *tree, struct cursor *cursor)
{
	size_t first = cursor->list + 1, count;
	struct imap_value *list;

	if (cursor->depth == 0)
		return false;
	count = tree->open_count - first;
	make_room(&tree->closed, &tree->closed_cap, tree->closed_count + count);
	if (count > 0)
		memcpy(&tree->closed[tree->closed_count], &tree->open[first],
		    count * sizeof(tree->open[0]));
	list = &tree->open[cursor->list];
	cursor->list = list->text.len;
	list->text.len = tree->closed_count;
	list->count = count;
	tree->closed_count += count;
	tree->open_count = first;
	cursor->depth--;
	cursor->pos++;
	return true;
}

static void
resolve_lists(struct imap_tree *tree, struct imap_value *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (items[i].kind != IMAP_LIST)
			continue;
		if (items[i].count > 0)
			items[i].items = &tree->closed[items[i].text.len];
		items[i].text = SPAN_EMPTY;
	}
}

static bool
at_end(const struct cursor *cursor)
{
	return cursor->pos >= cursor->frame->len;
}

static char
peek(const struct cursor *cursor)
{
	return cursor->frame->bytes[cursor->pos];
}

static const struct imap_literal *
literal_here(struct cursor *cursor)
{
	const struct imap_frame *frame = cursor->frame;

	while (cursor->literal < frame->literal_count &&
	       frame->literals[cursor->literal].head < cursor->pos)
		cursor->literal++;
	if (cursor->literal == frame->literal_count ||
	    frame->literals[cursor->literal].head != cursor->pos)
		return NULL;
	return &frame->literals[cursor->literal];
}

static struct span
text_from(const struct cursor *cursor, size_t from)
{
	return span_from(cursor->frame->bytes + from, cursor->pos - from);
}

static bool
read_literal(struct imap_tree *tree, struct cursor *cursor,
    const struct imap_literal *literal)
{
	cursor->pos = literal->data + literal->len;
	return tree_add(tree, IMAP_STRING, text_from(cursor, literal->data));
}

/* RFC 9051: CR, LF and NUL cannot stand in a quoted string, nor in an atom. */
static bool
is_forbidden(char c)
{
	return c == '\r' || c == '\n' || c == '\0';
}

/*
 * Only \" and \\ are escapes. Servers that forget to escape a backslash mean
 * it, so before anything else it stays.
 */
static bool
read_quoted(struct imap_tree *tree, struct cursor *cursor)
{
	char *bytes = cursor->frame->bytes;
	size_t from = ++cursor->pos, to = from;

	for (; !at_end(cursor); cursor->pos++) {
		char c = peek(cursor);

		if (c == '"') {
			cursor->pos++;
			return tree_add(tree, IMAP_STRING,
			    span_from(bytes + from, to - from));
		}
		if (is_forbidden(c))
			return false;
		if (c == '\\' && cursor->pos + 1 < cursor->frame->len &&
		    (bytes[cursor->pos + 1] == '"' ||
			bytes[cursor->pos + 1] == '\\'))
			c = bytes[++cursor->pos];
		bytes[to++] = c;
	}
	return false;
}

static bool
ends_atom(const struct cursor *cursor, char c)
{
	return char_is_blank(c) || c == '(' || c == ')' || is_forbidden(c) ||
	       (c == ']' && cursor->in_code && cursor->depth == 0);
}

static bool
has_section(struct span atom)
{
	for (size_t i = 0; i < COUNT(section_atoms); i++) {
		if (span_equal_nocase(atom, section_atoms[i]))
			return true;
	}
	return false;
}

/* From behind the "[" to behind its "]". */
static bool
skip_section(struct cursor *cursor)
{
	const struct imap_literal *literal;
	bool quoted = false;

	while (!at_end(cursor)) {
		char c = peek(cursor);

		literal = literal_here(cursor);
		if (literal != NULL && !quoted) {
			cursor->pos = literal->data + literal->len;
			continue;
		}
		if (is_forbidden(c))
			return false;
		cursor->pos++;
		if (quoted && c == '\\')
			cursor->pos++;
		else if (c == '"')
			quoted = !quoted;
		else if (c == ']' && !quoted)
			return true;
	}
	return false;
}

/* Where the next literal is, or the end. */
static size_t
plain_end(struct cursor *cursor)
{
	const struct imap_frame *frame = cursor->frame;

	(void)literal_here(cursor);
	return cursor->literal < frame->literal_count
		   ? frame->literals[cursor->literal].head
		   : frame->len;
}

static bool
read_atom(struct imap_tree *tree, struct cursor *cursor)
{
	size_t from = cursor->pos, end = plain_end(cursor);
	struct span text;

	while (cursor->pos < end) {
		char c = peek(cursor);

		if (ends_atom(cursor, c))
			break;
		cursor->pos++;
		if (c != '[' || !has_section(text_from(cursor, from)))
			continue;
		if (!skip_section(cursor))
			return false;
		end = plain_end(cursor);
	}
	text = text_from(cursor, from);
	if (text.len == 0)
		return false; /* a forbidden byte */
	return tree_add(
	    tree, span_is_nocase(text, "NIL") ? IMAP_NIL : IMAP_ATOM, text);
}

static bool
read_value(struct imap_tree *tree, struct cursor *cursor)
{
	const struct imap_literal *literal = literal_here(cursor);

	if (literal != NULL)
		return read_literal(tree, cursor, literal);
	switch (peek(cursor)) {
	case '(':
		return open_list(tree, cursor);
	case ')':
		return close_list(tree, cursor);
	case '"':
		return read_quoted(tree, cursor);
	default:
		return read_atom(tree, cursor);
	}
}

/* All values up to the end of the response, or of the code: then `pos` is at
 * its "]". */
static bool
read_values(struct imap_tree *tree, struct cursor *cursor)
{
	for (;;) {
		while (!at_end(cursor) && char_is_blank(peek(cursor)))
			cursor->pos++;
		if (at_end(cursor))
			break;
		if (cursor->in_code && cursor->depth == 0 &&
		    peek(cursor) == ']')
			break;
		if (!read_value(tree, cursor))
			return false;
	}
	if (cursor->depth > 0 || (cursor->in_code && at_end(cursor)))
		return false;
	resolve_lists(tree, tree->open, tree->open_count);
	resolve_lists(tree, tree->closed, tree->closed_count);
	return true;
}

/* ---- responses --------------------------------------------------------- */

static struct span
frame_from(const struct imap_frame *frame, size_t from)
{
	if (from > frame->len)
		from = frame->len;
	return span_from(frame->bytes + from, frame->len - from);
}

/* The text behind a code; one blank between them is no part of it. */
static struct span
text_behind(const struct imap_frame *frame, size_t code_end)
{
	struct span text = frame_from(frame, code_end + 1);

	return span_starts(text, " ") ? span_skip(text, 1) : text;
}

/* The code's name when its values make no sense: up to a blank or its end.
 * Without an end there is no code, only text. */
static void
code_name_only(const struct imap_frame *frame, size_t from, size_t end,
    struct imap_response *response)
{
	struct span code;

	if (end == SIZE_MAX)
		return;
	code = span_trim(span_from(frame->bytes + from, end - from));
	response->code = word_at(code, 0);
	response->text = text_behind(frame, end);
}

/*
 * The code at `from` (its "["). Its end is first looked for with parentheses
 * in mind, because some servers allow flags like "$X]"; if that leads nowhere
 * it is the first "]".
 */
static void
read_code(struct imap_tree *tree, const struct imap_frame *frame, size_t from,
    struct imap_response *response)
{
	struct cursor cursor = {
	    .frame = frame,
	    .pos = from + 1,
	    .in_code = true,
	};
	size_t end = imap_code_end(frame_from(frame, 0), from + 1);

	if (!read_values(tree, &cursor) || tree->open_count == 0 ||
	    tree->open[0].kind != IMAP_ATOM) {
		code_name_only(frame, from + 1, end, response);
		return;
	}
	response->code = tree->open[0].text;
	response->code_values = tree->open + 1;
	response->code_count = tree->open_count - 1;
	response->text = text_behind(frame, cursor.pos);
}

static void
read_status(struct imap_tree *tree, const struct imap_frame *frame, size_t rest,
    struct imap_response *response)
{
	response->text = frame_from(frame, rest);
	if (span_starts(response->text, "["))
		read_code(tree, frame, rest, response);
}

/* name = ALPHA *(ALPHA / DIGIT / "-" / "_" / "." / "+"), and nothing but a
 * blank or a parenthesis behind it. */
static struct span
name_at(struct span s, size_t pos)
{
	struct span word = word_at(s, pos);
	size_t end = 0;

	if (word.len == 0 || !char_is_alpha(word.data[0]))
		return SPAN_EMPTY;
	while (end < word.len && (char_is_alnum(word.data[end]) ||
				     strchr("-_.+", word.data[end]) != NULL))
		end++;
	if (end < word.len && word.data[end] != '(')
		return SPAN_EMPTY;
	return span_slice(word, 0, end);
}

static bool
is_digits(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!char_is_digit(s.data[i]))
			return false;
	}
	return s.len > 0;
}

/* What is read is put right where it is wanted: it is large. */
static void
begin_response(const struct imap_head *head, struct imap_response *response)
{
	*response = (struct imap_response){
	    .kind = head->kind, .tag = head->tag, .status = head->status};
}

/* The words behind "* ": [number] name. */
static bool
read_data(struct imap_tree *tree, const struct imap_frame *frame,
    const struct imap_head *head, struct imap_response *response_r)
{
	struct cursor cursor = {.frame = frame, .pos = head->rest};
	struct span all = frame_from(frame, 0);
	struct span word = word_at(all, cursor.pos), name;
	bool has_number = is_digits(word);

	if (has_number)
		cursor.pos = skip_blanks(all, cursor.pos + word.len);
	name = name_at(all, cursor.pos);
	cursor.pos += name.len;
	if (name.len == 0 || !read_values(tree, &cursor))
		return false;
	begin_response(head, response_r);
	response_r->has_number = has_number;
	response_r->number = has_number ? imap_digits_value(word) : 0;
	response_r->name = name;
	response_r->values = tree->open;
	response_r->count = tree->open_count;
	return true;
}

bool
imap_tree_parse(struct imap_tree *tree, const struct imap_frame *frame,
    struct imap_response *response_r)
{
	struct imap_head head;

	imap_tree_clear(tree);
	tree->too_deep = false;
	if (!imap_head_parse(frame_from(frame, 0), &head))
		return false;
	if (head.kind != IMAP_CONTINUATION && head.status == IMAP_STATUS_NONE)
		return read_data(tree, frame, &head, response_r);
	begin_response(&head, response_r);
	if (head.kind == IMAP_CONTINUATION)
		response_r->text = frame_from(frame, head.rest);
	else
		read_status(tree, frame, head.rest, response_r);
	return true;
}
