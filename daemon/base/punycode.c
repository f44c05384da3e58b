#include "daemon/base/punycode.h"

#include "daemon/base/str.h"
#include "daemon/base/utf8.h"

#define PREFIX "xn--"
/* RFC 3492, section 5. */
#define BASE 36u
#define T_MIN 1u
#define T_MAX 26u
#define SKEW 38u
#define DAMP 700u
#define INITIAL_BIAS 72u
#define INITIAL_N 128u

/* RFC 3492, section 6.1. */
static uint32_t
adapt(uint32_t delta, uint32_t count, bool is_first)
{
	uint32_t k = 0;

	delta /= is_first ? DAMP : 2;
	delta += delta / count;
	for (; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE)
		delta /= BASE - T_MIN;
	return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

/* BASE: no digit. */
static uint32_t
digit_of(char c)
{
	if (char_is_digit(c))
		return (uint32_t)(c - '0') + 26;
	if (char_is_alpha(c))
		return (uint32_t)(char_to_lower(c) - 'a');
	return BASE;
}

/* A generalized variable-length integer: section 3.3. */
static bool
read_delta(struct span *rest, uint32_t bias, uint32_t *delta_r)
{
	uint32_t delta = 0, weight = 1;

	for (uint32_t k = BASE;; k += BASE) {
		uint32_t digit = rest->len > 0 ? digit_of(rest->data[0]) : BASE;
		uint32_t t = k <= bias ? T_MIN : k - bias;
		if (t > T_MAX)
			t = T_MAX;
		if (digit == BASE || digit > (UINT32_MAX - delta) / weight)
			return false;
		delta += digit * weight;
		*rest = span_skip(*rest, 1);
		if (digit < t) {
			*delta_r = delta;
			return true;
		}
		if (weight > UINT32_MAX / (BASE - t))
			return false;
		weight *= BASE - t;
	}
}

struct label {
	uint32_t codes[PUNYCODE_LABEL_MAX];
	uint32_t count;
};

static bool
insert(struct label *label, uint32_t at, uint32_t code)
{
	if (label->count == PUNYCODE_LABEL_MAX || code > 0x10ffff)
		return false;
	for (uint32_t i = label->count++; i > at; i--)
		label->codes[i] = label->codes[i - 1];
	label->codes[at] = code;
	return true;
}

/* Section 6.2. */
static bool
decode(struct label *label, struct span rest)
{
	uint32_t n = INITIAL_N, i = 0, bias = INITIAL_BIAS, delta;

	while (rest.len > 0) {
		if (!read_delta(&rest, bias, &delta) || delta > UINT32_MAX - i)
			return false;
		bias = adapt(delta, label->count + 1, i == 0);
		i += delta;
		if (i / (label->count + 1) > UINT32_MAX - n)
			return false;
		n += i / (label->count + 1);
		i %= label->count + 1;
		if (!insert(label, i++, n))
			return false;
	}
	return true;
}

static bool
decode_label(struct span text, struct label *label)
{
	size_t basic = text.len;

	while (basic > 0 && text.data[basic - 1] != '-')
		basic--;
	for (size_t i = 0; i + 1 < basic; i++)
		if (!insert(label, label->count, (unsigned char)text.data[i]))
			return false;
	text = span_skip(text, basic);
	return text.len > 0 && decode(label, text);
}

bool
punycode_decode_label(struct buf *buf, struct span label)
{
	struct label codes = {.count = 0};
	struct span prefix = span_slice(label, 0, strlen(PREFIX));

	if (label.len > PUNYCODE_LABEL_MAX || !span_is_nocase(prefix, PREFIX) ||
	    !decode_label(span_skip(label, prefix.len), &codes))
		return false;
	for (uint32_t i = 0; i < codes.count; i++)
		utf8_add(buf, codes.codes[i]);
	return true;
}

/* ---- encoding ---- */

static char
digit_char(uint32_t digit)
{
	return "abcdefghijklmnopqrstuvwxyz0123456789"[digit];
}

static void
add_delta(struct buf *buf, uint32_t bias, uint32_t delta)
{
	for (uint32_t k = BASE;; k += BASE) {
		uint32_t t = k <= bias ? T_MIN : k - bias;
		if (t > T_MAX)
			t = T_MAX;
		if (delta < t)
			break;
		buf_add_char(buf, digit_char(t + (delta - t) % (BASE - t)));
		delta = (delta - t) / (BASE - t);
	}
	buf_add_char(buf, digit_char(delta));
}

static bool
read_codes(struct label *label, struct span text)
{
	bool is_valid = true;
	uint32_t code;
	size_t len;

	while ((len = utf8_next(text, &code, &is_valid)) > 0) {
		if (!is_valid || !insert(label, label->count, code))
			return false;
		text = span_skip(text, len);
	}
	return true;
}

static uint32_t
smallest_from(const struct label *label, uint32_t n)
{
	uint32_t code = UINT32_MAX;

	for (uint32_t i = 0; i < label->count; i++)
		if (label->codes[i] >= n && label->codes[i] < code)
			code = label->codes[i];
	return code;
}

/* Section 6.3. A label is so short that nothing overflows. */
static void
encode(struct buf *buf, const struct label *label, uint32_t basic)
{
	uint32_t n = INITIAL_N, delta = 0, bias = INITIAL_BIAS, done = basic;

	while (done < label->count) {
		uint32_t next = smallest_from(label, n);
		delta += (next - n) * (done + 1);
		n = next;
		for (uint32_t i = 0; i < label->count; i++) {
			delta += label->codes[i] < n;
			if (label->codes[i] != n)
				continue;
			add_delta(buf, bias, delta);
			bias = adapt(delta, done + 1, done == basic);
			delta = 0;
			done++;
		}
		delta++;
		n++;
	}
}

bool
punycode_encode_label(struct buf *buf, struct span text)
{
	struct label label = {.count = 0};
	BUF_AUTO out = BUF_INIT;
	uint32_t basic = 0;

	if (!read_codes(&label, text))
		return false;
	buf_add_str(&out, PREFIX);
	for (uint32_t i = 0; i < label.count; i++)
		if (label.codes[i] < INITIAL_N) {
			buf_add_char(&out, (char)label.codes[i]);
			basic++;
		}
	if (basic == label.count)
		return false;
	if (basic > 0)
		buf_add_char(&out, '-');
	encode(&out, &label, basic);
	if (out.len > PUNYCODE_LABEL_MAX)
		return false;
	buf_add_span(buf, buf_span(&out));
	return true;
}
