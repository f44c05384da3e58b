/* What the commands print, as wide as the terminal is. */
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "daemon/base/utf8.h"
#include "daemon/base/width.h"
#include "daemon/control/ctl.h"

#define COLUMNS_MAX 10000
#define FOLD_INDENT 4 /* beyond that of the line */
#define FOLD_MIN 16   /* a narrower terminal is left alone */

size_t
ctl_columns(void)
{
	const char *wanted = getenv("COLUMNS");
	struct winsize size;
	uint32_t columns;

	if (isatty(STDOUT_FILENO) != 1)
		return 0;
	if (wanted != NULL && span_to_u32(span_from_str(wanted), &columns) &&
	    columns > 0 && columns <= COLUMNS_MAX)
		return columns;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* ECMA-48 5.4: CSI, parameters, and a byte that ends it. */
static struct span
skip_code(struct span text)
{
	size_t n = 2;

	while (n < text.len && (text.data[n] < 0x40 || text.data[n] > 0x7e))
		n++;
	return span_skip(text, n < text.len ? n + 1 : text.len);
}

/* Without the codes of colours. */
static size_t
visible_width(struct span text)
{
	size_t width = 0, at;

	while ((at = span_find(text, '\033')) != SIZE_MAX) {
		width += width_of(span_slice(text, 0, at));
		text = skip_code(span_skip(text, at));
	}
	return width + width_of(text);
}

struct wrapping {
	struct buf *out;
	size_t columns, indent;
	size_t used; /* of the line */
	bool begun;  /* there is a word on it */
};

static void
break_line(struct wrapping *wrapping)
{
	while (wrapping->out->len > 0 &&
	       wrapping->out->data[wrapping->out->len - 1] == ' ')
		buf_truncate(wrapping->out, wrapping->out->len - 1);
	buf_addf(wrapping->out, "\n%*s", (int)wrapping->indent, "");
	wrapping->used = wrapping->indent;
	wrapping->begun = false;
}

/* Chinese has no blanks; a path or an address stays in one piece, so that it
 * can be copied. */
static struct span
cut_word(struct wrapping *wrapping, struct span word)
{
	while (wrapping->columns > wrapping->indent + 2 &&
	       utf8_ascii_length(word) < word.len &&
	       span_find(word, '\033') == SIZE_MAX &&
	       wrapping->used + width_of(word) > wrapping->columns) {
		size_t bytes =
		    width_cut(word, wrapping->columns - wrapping->used);
		buf_add_span(wrapping->out, span_slice(word, 0, bytes));
		word = span_skip(word, bytes);
		break_line(wrapping);
	}
	return word;
}

static void
add_word(struct wrapping *wrapping, struct span word)
{
	size_t width = visible_width(word);

	if (wrapping->begun && wrapping->columns > 0 &&
	    wrapping->used + 1 + width > wrapping->columns)
		break_line(wrapping);
	if (wrapping->begun) {
		buf_add_char(wrapping->out, ' ');
		wrapping->used++;
	}
	if (wrapping->columns > 0)
		word = cut_word(wrapping, word);
	buf_add_span(wrapping->out, word);
	wrapping->used += visible_width(word);
	wrapping->begun = true;
}

static void
add_words(struct wrapping *wrapping, struct span text)
{
	struct span word;

	while (span_split(&text, ' ', &word))
		add_word(wrapping, word);
}

void
ctl_add_wrapped(struct buf *out, size_t columns, size_t used, size_t indent,
    const char *text)
{
	struct wrapping wrapping = {
	    .out = out, .columns = columns, .indent = indent, .used = used};
	BUF_AUTO clean = BUF_INIT;

	ctl_add_clean(&clean, text, CTL_TEXT_MAX);
	add_words(&wrapping, buf_span(&clean));
}

static size_t
leading_blanks(struct span line)
{
	size_t n = 0;

	while (n < line.len && line.data[n] == ' ')
		n++;
	return n;
}

void
ctl_fold(struct buf *text, size_t columns)
{
	BUF_AUTO folded = BUF_INIT;
	struct span rest = buf_span(text), line;

	if (columns < FOLD_MIN)
		return;
	while (rest.len > 0 && span_split(&rest, '\n', &line)) {
		size_t blanks = leading_blanks(line);
		struct wrapping wrapping = {.out = &folded,
		    .columns = columns,
		    .indent = blanks + FOLD_INDENT};
		add_words(&wrapping, line);
		buf_add_char(&folded, '\n');
	}
	buf_clear(text);
	buf_add_span(text, buf_span(&folded));
}
