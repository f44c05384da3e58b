/*
 * script: what the runner and the adapters share.
 */
#include "tests/scripts/script.h"

#include "daemon/base/str.h"

static int
hex_value(char c)
{
	if (char_is_digit(c))
		return c - '0';
	c = char_to_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void
script_unescape(struct buf *buf, struct span text)
{
	static const char names[] = "rnt\\", bytes[] = "\r\n\t\\";

	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		const char *name;

		if (c != '\\' || i + 1 == text.len) {
			buf_add_char(buf, c);
			continue;
		}
		c = text.data[++i];
		name = c != '\0' ? strchr(names, c) : NULL;
		if (name != NULL) {
			buf_add_char(buf, bytes[name - names]);
		} else if (c == 'x' && i + 2 < text.len &&
			   hex_value(text.data[i + 1]) >= 0 &&
			   hex_value(text.data[i + 2]) >= 0) {
			buf_add_char(
			    buf, (char)(hex_value(text.data[i + 1]) * 16 +
					hex_value(text.data[i + 2])));
			i += 2;
		} else {
			buf_add_char(buf, '\\');
			buf_add_char(buf, c);
		}
	}
}
