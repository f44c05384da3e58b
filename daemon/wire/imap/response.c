/*
 * imap/response: finds where a response ends; imap/tree reads what it says.
 *
 * A response ends at the first LF that no literal header stands in front of
 * (RFC 9051 section 4.3). `scan` remembers how far was looked, and lies beyond
 * the bytes that are here while a literal is awaited, so that every byte is
 * looked at once however the input is cut.
 *
 *   line    = *(any byte but LF) *CR LF
 *   header  = ["~"] "{" 1*DIGIT ["+"] "}" *CR LF   ; literal data follow
 *
 * A header counts only where a value can begin, behind a blank, a bracket or
 * a quote, and not in the human text of a status response, which a stranger
 * may have written.
 */
#include "daemon/wire/imap/response.h"

#include <assert.h>
#include <string.h>

#include "daemon/base/buf.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/wire/imap/tree.h"

/* Enough of a line's end to see a literal's header in it. */
#define LARGE_TAIL 64

/* Whether literals can stand in the rest of a response. */
enum place {
	PLACE_UNKNOWN,
	PLACE_DATA, /* yes */
	PLACE_CODE, /* yes, until the code's "]" */
	PLACE_TEXT, /* no */
};

struct imap_lexer {
	struct buf raw;
	size_t start; /* in raw; all below are offsets from here */
	size_t taken; /* length of the response handed out, with line end */
	size_t line;  /* where the present line of the response begins */
	size_t scan;  /* where to look for LF next */
	enum place place;
	struct imap_literal *literals; /* owned */
	size_t literal_count, literal_cap;
	size_t literal_bytes;
	size_t literal_max;
	size_t excess; /* bytes at `scan` that are dropped as they come */
	/* The present response is too large and dropped as it comes: only the
	 * end of its present line is here. */
	bool large;
	size_t dropped; /* bytes of it that are not here any more */
	struct imap_tree tree;
	unsigned skipped, too_large;
	struct error *failed; /* owned; NULL while alive */
};

struct imap_lexer *
imap_lexer_new(size_t literal_max)
{
	struct imap_lexer *lexer = NEW(struct imap_lexer);

	imap_lexer_set_literal_max(lexer, literal_max);
	imap_tree_init(&lexer->tree);
	return lexer;
}

void
imap_lexer_free(struct imap_lexer **lexer)
{
	if (*lexer == NULL)
		return;
	imap_tree_done(&(*lexer)->tree);
	buf_done(&(*lexer)->raw);
	free((*lexer)->literals);
	error_forget(&(*lexer)->failed);
	free(*lexer);
	*lexer = NULL;
}

void
imap_lexer_set_literal_max(struct imap_lexer *lexer, size_t literal_max)
{
	lexer->literal_max =
	    literal_max < IMAP_LITERAL_TOP ? literal_max : IMAP_LITERAL_TOP;
}

bool
imap_lexer_has_rest(const struct imap_lexer *lexer)
{
	return lexer->large || lexer->raw.len > lexer->start + lexer->taken;
}

unsigned
imap_lexer_skipped(const struct imap_lexer *lexer)
{
	return lexer->skipped;
}

unsigned
imap_lexer_too_large(const struct imap_lexer *lexer)
{
	return lexer->too_large;
}

/* What is here of the present response and of those behind it. */
static struct span
held(const struct imap_lexer *lexer)
{
	return span_skip(buf_span(&lexer->raw), lexer->start);
}

/* Begins the next response, `len` bytes on. */
static void
begin_next(struct imap_lexer *lexer, size_t len)
{
	lexer->start += len;
	lexer->taken = 0;
	lexer->line = 0;
	lexer->scan = 0;
	lexer->place = PLACE_UNKNOWN;
	lexer->literal_count = 0;
	lexer->literal_bytes = 0;
	lexer->large = false;
	lexer->dropped = 0;
}

static void
drop_taken(struct imap_lexer *lexer)
{
	if (lexer->taken > 0)
		begin_next(lexer, lexer->taken);
}

/* Moves the rest to the front only when it is no more than what goes: so
 * each byte is moved once on average. */
static void
compact(struct imap_lexer *lexer)
{
	if (lexer->start == 0 || lexer->start < lexer->raw.len - lexer->start)
		return;
	buf_consume(&lexer->raw, lexer->start);
	lexer->start = 0;
}

/* An idle connection keeps no room at all. */
static void
give_room_back(struct imap_lexer *lexer)
{
	if (lexer->start < lexer->raw.len)
		return;
	lexer->start = 0;
	buf_done(&lexer->raw);
	imap_tree_done(&lexer->tree);
	if (lexer->literal_count > 0)
		return; /* in the middle of what is dropped as it comes */
	free(lexer->literals);
	lexer->literals = NULL;
	lexer->literal_cap = 0;
}

void
imap_lexer_feed(struct imap_lexer *lexer, struct span bytes)
{
	if (lexer->failed != NULL)
		return;
	drop_taken(lexer);
	compact(lexer);
	buf_add_span(&lexer->raw, bytes);
}

/* ---- literals ---------------------------------------------------------- */

static enum place
place_of_front(struct span line, size_t *code_r)
{
	struct imap_head head;

	if (!imap_head_parse(line, &head))
		return PLACE_DATA;
	if (head.kind != IMAP_CONTINUATION && head.status == IMAP_STATUS_NONE)
		return PLACE_DATA;
	if (head.kind == IMAP_CONTINUATION ||
	    !span_starts(span_skip(line, head.rest), "["))
		return PLACE_TEXT;
	*code_r = head.rest + 1;
	return PLACE_CODE;
}

/* Whether a literal can stand at the end of this line. Looks at each line
 * once: quoted strings do not reach over line ends. */
static bool
literal_has_place(struct imap_lexer *lexer, struct span line)
{
	size_t code = 0;

	if (lexer->place == PLACE_UNKNOWN)
		lexer->place = place_of_front(line, &code);
	if (lexer->place == PLACE_CODE && imap_code_end(line, code) != SIZE_MAX)
		lexer->place = PLACE_TEXT;
	return lexer->place != PLACE_TEXT;
}

static bool
can_precede_literal(char c)
{
	return char_is_blank(c) || strchr("([])>\"", c) != NULL;
}

static size_t
literal_size(struct span digits)
{
	uint64_t size = imap_digits_value(digits);

	return size < SIZE_MAX ? (size_t)size : SIZE_MAX;
}

/* Whether the line ends with a literal header: where, and for how much. */
static bool
find_header(struct span line, size_t *head_r, size_t *len_r)
{
	size_t end = line.len, from;

	if (end == 0 || line.data[--end] != '}')
		return false;
	if (end > 0 && line.data[end - 1] == '+')
		end--;
	for (from = end; from > 0 && char_is_digit(line.data[from - 1]);)
		from--;
	if (from == end || from == 0 || line.data[from - 1] != '{')
		return false;
	*len_r = literal_size(span_slice(line, from, end - from));
	from--;
	if (from > 0 && line.data[from - 1] == '~')
		from--;
	if (from > 0 && !can_precede_literal(line.data[from - 1]))
		return false;
	*head_r = from;
	return true;
}

static size_t
kept_of(const struct imap_lexer *lexer, size_t len)
{
	return len < lexer->literal_max ? len : lexer->literal_max;
}

/* Whether the literal may be at all. */
static bool
check_literal(struct imap_lexer *lexer, size_t len)
{
	struct error breach;

	if (len <= lexer->literal_max || len <= IMAP_LITERAL_DROP_MAX)
		return true;
	error_set(&breach, FAULT_LIMIT,
	    "literal of %zu bytes, more than the limit of %zu", len,
	    lexer->literal_max);
	error_keep(&lexer->failed, &breach);
	return false;
}

/* Whether the response may have it, too. */
static bool
check_literals(struct imap_lexer *lexer, size_t len, struct error *error_r)
{
	if (lexer->literal_count == IMAP_RESPONSE_MAX_LITERALS)
		return error_set(error_r, FAULT_LIMIT,
		    "more than %d literals in one response",
		    IMAP_RESPONSE_MAX_LITERALS);
	if (lexer->literal_bytes + kept_of(lexer, len) >
	    lexer->literal_max + IMAP_LITERALS_EXTRA_MAX)
		return error_set(error_r, FAULT_LIMIT,
		    "literals of one response above %zu bytes together",
		    lexer->literal_max + IMAP_LITERALS_EXTRA_MAX);
	return true;
}

/* ---- responses that are too large -------------------------------------- */

/* "*" SP number SP "FETCH": what a stranger may make large by what is in a
 * message. */
static bool
is_fetch(struct span front)
{
	if (!span_starts(front, "* "))
		return false;
	front = span_skip(front, 2);
	while (front.len > 0 && char_is_digit(front.data[0]))
		front = span_skip(front, 1);
	return span_starts_nocase(front, " FETCH ");
}

/* From now on the response is dropped as it comes. False, with the words of
 * `breach`: it must not be, and the lexer has failed. */
static bool
begin_large(struct imap_lexer *lexer, const struct error *breach)
{
	if (lexer->large)
		return true;
	if (!is_fetch(held(lexer))) {
		error_keep(&lexer->failed, breach);
		return false;
	}
	lexer->large = true;
	return true;
}

/* Drops what is here of a large response, but the last `keep` bytes of the
 * `here` that were looked at. */
static bool
drop_large(struct imap_lexer *lexer, size_t here, size_t keep)
{
	size_t len = here > keep ? here - keep : 0;
	struct error breach;

	lexer->start += len;
	lexer->dropped += len;
	lexer->scan -= len;
	lexer->line = lexer->line > len ? lexer->line - len : 0;
	lexer->literal_count = 0;
	lexer->literal_bytes = 0;
	if (lexer->dropped <= IMAP_LITERAL_DROP_MAX)
		return true;
	error_set(&breach, FAULT_LIMIT, "a response above %d bytes",
	    IMAP_LITERAL_DROP_MAX);
	error_keep(&lexer->failed, &breach);
	return false;
}

/* ---- responses --------------------------------------------------------- */

static bool
check_line(struct imap_lexer *lexer, size_t end)
{
	if (end - lexer->literal_bytes <= IMAP_LINE_MAX)
		return true;

	struct error breach; /* large, and cleared where it stands */
	error_set(&breach, FAULT_LIMIT, "response line above %d bytes",
	    IMAP_LINE_MAX);
	return begin_large(lexer, &breach);
}

/* The line up to its LF at `lf`, without it and the CRs in front of it. */
static struct span
line_up_to(const struct imap_lexer *lexer, size_t lf)
{
	struct span line =
	    span_slice(held(lexer), lexer->line, lf - lexer->line);

	while (line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	return line;
}

/* LFCR as a line end leaves its CR in front of the next line. */
static void
skip_leading_cr(struct imap_lexer *lexer)
{
	struct span bytes = held(lexer);
	size_t n = 0;

	if (lexer->scan > 0 || lexer->large)
		return;
	while (n < bytes.len && bytes.data[n] == '\r')
		n++;
	begin_next(lexer, n);
}

static void
begin_literal(
    struct imap_lexer *lexer, size_t head, size_t data, size_t announced)
{
	size_t len = kept_of(lexer, announced);

	if (lexer->literal_count == lexer->literal_cap) {
		lexer->literal_cap = lexer->literal_cap * 2 + 2;
		lexer->literals = xreallocarray(lexer->literals,
		    lexer->literal_cap, sizeof(lexer->literals[0]));
	}
	lexer->literals[lexer->literal_count++] =
	    (struct imap_literal){.head = head, .data = data, .len = len};
	lexer->literal_bytes += len;
	lexer->excess = announced - len;
	lexer->scan = lexer->line = data + len;
}

/* Takes the end of a cut literal out of what is here. False: it goes on. */
static bool
drop_excess(struct imap_lexer *lexer)
{
	size_t from = lexer->start + lexer->scan;
	size_t here, len;

	if (lexer->excess == 0)
		return true;
	here = lexer->raw.len > from ? lexer->raw.len - from : 0;
	len = here < lexer->excess ? here : lexer->excess;
	if (len > 0) {
		memmove(lexer->raw.data + from, lexer->raw.data + from + len,
		    here - len);
		buf_truncate(&lexer->raw, lexer->raw.len - len);
	}
	lexer->excess -= len;
	return lexer->excess == 0;
}

/* The end of a large response's line. A literal in it is dropped, too. */
static int
next_large_line(struct imap_lexer *lexer, size_t lf)
{
	struct span bytes = held(lexer), line;
	size_t from = lexer->line, head = 0, len = 0;

	if (lf > lexer->line && bytes.data[lf - 1] == '\r')
		lf--;
	if (lf - from > LARGE_TAIL)
		from = lf - LARGE_TAIL;
	line = span_slice(bytes, from, lf - from);
	if (!find_header(line, &head, &len)) {
		lexer->too_large++;
		begin_next(lexer, lexer->scan);
		return 2;
	}
	if (!check_literal(lexer, len))
		return -1;
	lexer->line = lexer->scan;
	lexer->excess = len;
	lexer->dropped += len;
	return drop_large(lexer, lexer->scan, 0) ? 2 : -1;
}

static int
need_more(struct imap_lexer *lexer, size_t here)
{
	lexer->scan = here;
	if (!check_line(lexer, here))
		return -1;
	/* A CR may be the line's end. */
	if (lexer->large && !drop_large(lexer, here, LARGE_TAIL + 1))
		return -1;
	return 0;
}

/* A line that ends with a literal's header: more of the response follows. */
static int
next_literal(struct imap_lexer *lexer, size_t lf, size_t head, size_t len)
{
	struct error breach = ERROR_INIT;

	if (!check_literal(lexer, len))
		return -1;
	if (!check_literals(lexer, len, &breach))
		return begin_large(lexer, &breach) ? next_large_line(lexer, lf)
						   : -1;
	begin_literal(lexer, lexer->line + head, lf + 1, len);
	return 2;
}

/*
 * One LF further. 1: a response is whole and is *frame_r. 0: more bytes are
 * needed. -1: a limit was met. 2: a literal began, or a large response ended;
 * call again.
 */
static int
next_line(struct imap_lexer *lexer, struct imap_frame *frame_r)
{
	struct span bytes, line;
	size_t lf, head = 0, len = 0;

	if (!drop_excess(lexer))
		return 0;
	bytes = held(lexer);
	if (lexer->scan > bytes.len)
		return 0;
	lf = span_find(span_skip(bytes, lexer->scan), '\n');
	if (lf == SIZE_MAX)
		return need_more(lexer, bytes.len);
	lf += lexer->scan;
	lexer->scan = lf + 1;
	if (!check_line(lexer, lf))
		return -1;
	if (lexer->large)
		return next_large_line(lexer, lf);

	line = line_up_to(lexer, lf);
	if (!find_header(line, &head, &len) ||
	    !literal_has_place(lexer, line)) {
		*frame_r = (struct imap_frame){
		    .bytes = lexer->raw.data + lexer->start,
		    .len = lexer->line + line.len,
		    .literals = lexer->literals,
		    .literal_count = lexer->literal_count,
		};
		return 1;
	}
	return next_literal(lexer, lf, head, len);
}

static int
next_frame(struct imap_lexer *lexer, struct imap_frame *frame_r)
{
	int result;

	do {
		skip_leading_cr(lexer);
		result = next_line(lexer, frame_r);
	} while (result == 2);
	return result;
}

int
imap_lexer_next(struct imap_lexer *lexer, struct imap_response *response_r,
    struct error *error_r)
{
	struct imap_frame frame;
	int result = -1;

	drop_taken(lexer);
	while (lexer->failed == NULL) {
		result = next_frame(lexer, &frame);
		if (result <= 0)
			break;
		if (imap_tree_parse(&lexer->tree, &frame, response_r)) {
			lexer->taken = lexer->scan;
			return 1;
		}
		if (lexer->tree.too_deep)
			lexer->too_large++;
		else
			lexer->skipped++;
		begin_next(lexer, lexer->scan);
	}
	if (lexer->failed != NULL) {
		if (error_r != NULL)
			*error_r = *lexer->failed;
		return -1;
	}
	give_room_back(lexer);
	return 0;
}

/* ---- values ------------------------------------------------------------ */

bool
imap_value_is(const struct imap_value *value, const char *atom)
{
	return (value->kind == IMAP_ATOM || value->kind == IMAP_NIL) &&
	       span_is_nocase(value->text, atom);
}

/* *DIGIT, or SIZE_MAX where something else follows but "." and digits. */
static size_t
whole_digits(struct span text)
{
	size_t end = 0, i;

	while (end < text.len && char_is_digit(text.data[end]))
		end++;
	if (end == text.len)
		return end;
	if (text.data[end] != '.')
		return SIZE_MAX;
	for (i = end + 1; i < text.len; i++) {
		if (!char_is_digit(text.data[i]))
			return SIZE_MAX;
	}
	return end;
}

uint64_t
imap_value_number(const struct imap_value *value)
{
	struct span text = value->text;
	size_t digits;

	if (value->kind != IMAP_ATOM && value->kind != IMAP_STRING)
		return 0;
	if (span_starts(text, "+"))
		text = span_skip(text, 1);
	digits = whole_digits(text);
	if (digits == SIZE_MAX)
		return 0;
	return imap_digits_value(span_slice(text, 0, digits));
}
