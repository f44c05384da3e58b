#include "daemon/wire/smtp/canonical.h"

#include "daemon/base/utf8.h"

void
canonical_init(struct canonical *c, bool stuff)
{
	c->at = CANONICAL_LINE_START;
	c->stuff = stuff;
}

static void
end_line(struct canonical *c, struct buf *out)
{
	buf_add(out, "\r\n", 2);
	c->at = CANONICAL_LINE_START;
}

/* Takes one byte that is, or comes behind, a line end; false: it is an
 * ordinary byte and still to be taken. */
static bool
take_line_end(struct canonical *c, char byte, struct buf *out)
{
	if (c->at == CANONICAL_CR) {
		/* Whatever follows the CR, the line ends here. */
		end_line(c, out);
		if (byte == '\n')
			return true;
	}
	if (byte == '\r') {
		c->at = CANONICAL_CR;
		return true;
	}
	if (byte == '\n') {
		end_line(c, out);
		return true;
	}
	return false;
}

void
canonical_add(struct canonical *c, struct span bytes, struct buf *out)
{
	size_t run;

	while (bytes.len > 0) {
		if (take_line_end(c, bytes.data[0], out)) {
			bytes = span_skip(bytes, 1);
			continue;
		}
		if (c->stuff && c->at == CANONICAL_LINE_START &&
		    bytes.data[0] == '.')
			buf_add_char(out, '.');
		run = span_line_length(bytes);
		buf_add(out, bytes.data, run);
		c->at = CANONICAL_IN_LINE;
		bytes = span_skip(bytes, run);
	}
}

void
canonical_finish(struct canonical *c, struct buf *out)
{
	if (c->at != CANONICAL_LINE_START)
		end_line(c, out);
}

struct canonical_facts
canonical_measure(struct span text)
{
	struct canonical_facts facts = {.size = text.len,
	    .has_nul = span_find(text, '\0') != SIZE_MAX,
	    .has_8bit = utf8_ascii_length(text) < text.len};
	struct span rest = text;

	while (rest.len > 0) {
		size_t line = span_line_length(rest);

		facts.has_long_line =
		    facts.has_long_line || line > CANONICAL_LINE_MAX;
		rest = span_skip(rest, line);
		if (span_starts(rest, "\r\n")) {
			rest = span_skip(rest, 2);
		} else if (rest.len > 0) {
			facts.rewritten++;
			rest = span_skip(rest, 1);
		}
	}
	facts.size += facts.rewritten;
	if (text.len > 0 && text.data[text.len - 1] != '\n' &&
	    text.data[text.len - 1] != '\r')
		facts.size += 2;
	return facts;
}
