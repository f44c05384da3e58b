#include "daemon/wire/smtp/canonical.h"

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

/* How many of the first bytes are neither CR nor LF. Not two searches: text
 * without LF would be searched to its end at each CR. */
static size_t
plain_run(struct span s)
{
	size_t n = 0;

	while (n < s.len && s.data[n] != '\n' && s.data[n] != '\r')
		n++;
	return n;
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
		run = plain_run(bytes);
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
	struct canonical_facts facts = {.size = text.len};
	size_t i, line = 0;

	for (i = 0; i < text.len; i++) {
		char byte = text.data[i];
		bool lf_next = i + 1 < text.len && text.data[i + 1] == '\n';

		line = byte == '\r' || byte == '\n' ? 0 : line + 1;
		facts.has_long_line =
		    facts.has_long_line || line > CANONICAL_LINE_MAX;
		if (byte == '\r' && lf_next)
			i++;
		else if (byte == '\r' || byte == '\n')
			facts.rewritten++;
		else if (byte == '\0')
			facts.has_nul = true;
		else if ((unsigned char)byte >= 0x80)
			facts.has_8bit = true;
	}
	facts.size += facts.rewritten;
	if (text.len > 0 && text.data[text.len - 1] != '\n' &&
	    text.data[text.len - 1] != '\r')
		facts.size += 2;
	return facts;
}
