#include "daemon/base/eai.h"

#include "daemon/base/fold.h"
#include "daemon/base/punycode.h"
#include "daemon/base/str.h"
#include "daemon/base/utf8.h"

#define SIGMA_AT_END 0x3c2u /* stays itself: RFC 5892 */
#define MARKS_FIRST 0x300u  /* combining marks */
#define MARKS_LAST 0x36fu

static bool
is_ascii(struct span s)
{
	return utf8_ascii_length(s) == s.len;
}

static bool
is_blank(uint32_t code)
{
	return code == 0xa0 || code == 0x1680 || code == 0x2007 ||
	       (code >= 0x2000 && code <= 0x200a) || code == 0x202f ||
	       code == 0x205f || code == 0x3000;
}

bool
eai_is_clean(struct span text)
{
	BUF_AUTO clean = BUF_INIT;
	struct span rest = text;
	uint32_t code;
	size_t len;

	str_sanitize(&clean, text, text.len);
	while ((len = utf8_next(rest, &code, NULL)) > 0) {
		if (is_blank(code))
			return false;
		rest = span_skip(rest, len);
	}
	return utf8_is_valid(text) && span_equal(buf_span(&clean), text);
}

static const char *
add_small(struct buf *buf, struct span label)
{
	uint32_t code;
	size_t len;

	while ((len = utf8_next(label, &code, NULL)) > 0) {
		if (code >= MARKS_FIRST && code <= MARKS_LAST)
			return "write this letter as one character, without "
			       "a combining mark";
		utf8_add(buf, code == SIGMA_AT_END ? code : fold_code(code));
		label = span_skip(label, len);
	}
	return NULL;
}

static const char *
add_label(struct buf *buf, struct span label)
{
	BUF_AUTO small = BUF_INIT;
	const char *why = NULL;

	if (is_ascii(label)) {
		buf_add_span(buf, label);
		return NULL;
	}
	if (!eai_is_clean(label))
		return "this character is not allowed in a host name";
	why = add_small(&small, label);
	if (why == NULL && !punycode_encode_label(buf, buf_span(&small)))
		why = "a part of a host name has at most 63 characters";
	return why;
}

bool
eai_add_address(struct buf *buf, struct span address, const char **why_r)
{
	BUF_AUTO out = BUF_INIT;
	const char *why = NULL;
	struct span domain, label;
	size_t at = address.len;

	while (at > 0 && address.data[at - 1] != '@')
		at--;
	domain = span_skip(address, at);
	buf_add_span(&out, span_slice(address, 0, at));
	for (bool is_first = true;
	     why == NULL && span_split(&domain, '.', &label);
	     is_first = false) {
		if (!is_first)
			buf_add_char(&out, '.');
		why = add_label(&out, label);
	}
	if (why != NULL) {
		*why_r = why;
		return false;
	}
	buf_add_span(buf, buf_span(&out));
	return true;
}
