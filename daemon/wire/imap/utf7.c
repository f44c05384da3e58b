/*
 * imap/utf7: modified UTF-7 (RFC 3501 section 5.1.3).
 *
 *   name   = *(direct / "&-" / "&" 1*base64 "-")
 *   direct = %x20-25 / %x27-7E
 *   base64 = ALPHA / DIGIT / "+" / ","    ; UTF-16BE, no padding
 *
 * Decoding accepts exactly what encoding writes: two names on the wire never
 * become one name by being decoded.
 */
#include "daemon/wire/imap/utf7.h"

#include "daemon/base/utf8.h"

#define SURROGATE_HIGH 0xd800u
#define SURROGATE_LOW 0xdc00u
#define SURROGATE_END 0xe000u
#define PLANE_1 0x10000u

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "abcdefghijklmnopqrstuvwxyz0123456789+,";

static bool
is_direct(uint32_t code)
{
	return code >= 0x20 && code <= 0x7e;
}

static bool
is_forbidden(uint32_t code)
{
	return code == '\0' || code == '\r' || code == '\n';
}

/* ---- encoding ---------------------------------------------------------- */

/* A run of base64: bits not written yet, fewer than 6 between calls. */
struct run {
	uint32_t bits;
	unsigned count;
	bool open;
};

static void
write_unit(struct buf *buf, struct run *run, uint32_t unit)
{
	run->bits = run->bits << 16 | unit;
	run->count += 16;
	while (run->count >= 6) {
		run->count -= 6;
		buf_add_char(buf, alphabet[run->bits >> run->count & 0x3f]);
	}
	run->bits &= 0x3f;
}

static void
write_shifted(struct buf *buf, struct run *run, uint32_t code)
{
	if (!run->open)
		buf_add_char(buf, '&');
	run->open = true;
	if (code < PLANE_1) {
		write_unit(buf, run, code);
		return;
	}
	code -= PLANE_1;
	write_unit(buf, run, SURROGATE_HIGH + (code >> 10));
	write_unit(buf, run, SURROGATE_LOW + (code & 0x3ff));
}

static void
end_run(struct buf *buf, struct run *run)
{
	if (run->open && run->count > 0)
		buf_add_char(
		    buf, alphabet[run->bits << (6 - run->count) & 0x3f]);
	if (run->open)
		buf_add_char(buf, '-');
	*run = (struct run){0};
}

static bool
can_encode(struct span utf8)
{
	return utf8_is_valid(utf8) && span_find(utf8, '\0') == SIZE_MAX &&
	       span_find(utf8, '\r') == SIZE_MAX &&
	       span_find(utf8, '\n') == SIZE_MAX;
}

bool
imap_utf7_encode(struct buf *buf, struct span utf8)
{
	struct run run = {0};
	uint32_t code;
	size_t len;

	if (!can_encode(utf8))
		return false;
	while ((len = utf8_next(utf8, &code, NULL)) > 0) {
		utf8 = span_skip(utf8, len);
		if (!is_direct(code)) {
			write_shifted(buf, &run, code);
			continue;
		}
		end_run(buf, &run);
		buf_add_char(buf, (char)code);
		if (code == '&')
			buf_add_char(buf, '-');
	}
	end_run(buf, &run);
	return true;
}

/* ---- decoding ---------------------------------------------------------- */

/* Units read from a run; `high` waits for its low surrogate, 0: none. */
struct units {
	uint32_t bits;
	unsigned count;
	uint32_t high;
};

static bool
take_unit(struct buf *buf, struct units *units, uint32_t unit)
{
	uint32_t high = units->high;

	units->high = 0;
	if (high != 0) {
		if (unit < SURROGATE_LOW || unit >= SURROGATE_END)
			return false;
		utf8_add(buf, PLANE_1 + ((high - SURROGATE_HIGH) << 10) +
				  (unit - SURROGATE_LOW));
		return true;
	}
	if (unit >= SURROGATE_HIGH && unit < SURROGATE_LOW) {
		units->high = unit;
		return true;
	}
	if ((unit >= SURROGATE_LOW && unit < SURROGATE_END) ||
	    is_direct(unit) || is_forbidden(unit))
		return false;
	utf8_add(buf, unit);
	return true;
}

static bool
take_base64(struct buf *buf, struct units *units, char c)
{
	const char *at = c != '\0' ? strchr(alphabet, c) : NULL;

	if (at == NULL)
		return false;
	units->bits = (units->bits << 6 | (uint32_t)(at - alphabet)) & 0x3fffff;
	units->count += 6;
	if (units->count < 16)
		return true;
	units->count -= 16;
	return take_unit(buf, units, units->bits >> units->count & 0xffff);
}

/* The text between "&" and "-": whole characters, spare bits zero. */
static bool
decode_run(struct buf *buf, struct span run)
{
	struct units units = {0};

	for (size_t i = 0; i < run.len; i++) {
		if (!take_base64(buf, &units, run.data[i]))
			return false;
	}
	return units.high == 0 && units.count < 6 &&
	       (units.bits & ((1u << units.count) - 1)) == 0;
}

/* What `rest` begins with: one run, "&-" or one byte. */
static bool
decode_next(struct buf *buf, struct span *rest, bool *was_run)
{
	struct span run;
	char c = rest->data[0];

	*rest = span_skip(*rest, 1);
	if (c != '&') {
		*was_run = false;
		buf_add_char(buf, c);
		return is_direct((unsigned char)c);
	}
	if (span_find(*rest, '-') == SIZE_MAX)
		return false;
	(void)span_split(rest, '-', &run);
	if (run.len == 0) {
		*was_run = false;
		buf_add_char(buf, '&');
		return true;
	}
	/* Two runs in a row are never written. */
	if (*was_run)
		return false;
	*was_run = true;
	return decode_run(buf, run);
}

bool
imap_utf7_decode(struct buf *buf, struct span name)
{
	struct span rest = name;
	size_t before = buf->len;
	bool was_run = false;

	while (rest.len > 0) {
		if (!decode_next(buf, &rest, &was_run)) {
			buf_truncate(buf, before);
			utf8_add_valid(buf, name);
			return false;
		}
	}
	return true;
}
