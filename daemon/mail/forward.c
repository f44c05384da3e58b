#include <stdio.h>

#include "daemon/base/base64.h"
#include "daemon/base/digest.h"
#include "daemon/base/eai.h"
#include "daemon/base/str.h"
#include "daemon/base/utf8.h"
#include "daemon/mail/forward_private.h"
#include "daemon/mail/rfc2047.h"

#define HASH_LEN 16 /* hexadecimal digits of the account's hash */
#define BOUNDARY_HASH_LEN 32
#define YEAR_9999_UNIX INT64_C(253402300799) /* its last second */

/* ---- what the original is ----------------------------------------- */

struct forward_shape
forward_measure(struct span s)
{
	struct forward_shape shape = {
	    .has_nul = span_find(s, '\0') != SIZE_MAX,
	    .has_8bit = utf8_ascii_length(s) < s.len,
	};
	bool in_header = true;

	while (s.len > 0) {
		struct span line = span_slice(s, 0, span_line_length(s));

		s = span_skip(s, line.len);
		in_header = in_header && line.len > 0;
		shape.header_has_8bit =
		    shape.header_has_8bit ||
		    (in_header && utf8_ascii_length(line) < line.len);
		shape.has_long_line =
		    shape.has_long_line || line.len > FORWARD_LINE_MAX;
		s = span_skip(s, span_starts(s, "\r\n") ? 2 : 1);
	}
	return shape;
}

bool
forward_has_8bit_header(struct span message)
{
	return utf8_ascii_length(message) < message.len &&
	       forward_measure(message).header_has_8bit;
}

/* ---- what may enter a header -------------------------------------- */

/* RFC 5322 section 3.4.1: dot-atom "@" dot-atom, dots taken as they come. No
 * quoted strings, no comments: nothing that could need a quoting rule. With
 * `utf8` the local part may be that of RFC 6532 section 3.2. */
static bool
is_plain_address(struct span s, bool utf8)
{
	static const char others[] = "!#$%&'*+-/=?^_`{|}~.";
	size_t at = span_find(s, '@');

	if (s.len > FORWARD_ADDRESS_MAX || at == SIZE_MAX || at == 0 ||
	    at + 1 == s.len)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (i != at && !char_is_alnum(s.data[i]) &&
		    !(utf8 && i < at && (unsigned char)s.data[i] >= 0x80) &&
		    (s.data[i] == '\0' || strchr(others, s.data[i]) == NULL))
			return false;
	return !utf8 || utf8_ascii_length(s) == s.len || eai_is_clean(s);
}

static bool
is_ascii(const char *text)
{
	struct span s = span_from_str(text);

	return utf8_ascii_length(s) == s.len;
}

bool
forward_needs_utf8(const struct forward_request *request)
{
	return !is_ascii(request->from) || !is_ascii(request->to);
}

/* RFC 5322 section 3.6.4, widely: one word of visible ASCII in brackets. */
static bool
is_plain_id(struct span s)
{
	if (s.len < 3 || s.len > FORWARD_ID_MAX || s.data[0] != '<' ||
	    s.data[s.len - 1] != '>')
		return false;
	for (size_t i = 1; i + 1 < s.len; i++)
		if (s.data[i] <= ' ' || s.data[i] >= 0x7f || s.data[i] == '<' ||
		    s.data[i] == '>')
			return false;
	return true;
}

bool
forward_check_request(const struct forward_request *r, struct span original,
    struct error *error_r)
{
	if (original.len > FORWARD_ORIGINAL_MAX)
		return error_set(error_r, FAULT_LIMIT,
		    "the message has more than %d bytes", FORWARD_ORIGINAL_MAX);
	if (!is_plain_address(span_from_str(r->from), true))
		return error_set(error_r, FAULT_CONFIG,
		    "the account's own address cannot be used as sender");
	if (!is_plain_address(span_from_str(r->to), true))
		return error_set(
		    error_r, FAULT_CONFIG, "the target is no plain address");
	if (!is_plain_id(span_from_str(r->message_id)))
		return error_set(error_r, FAULT_CONFIG,
		    "the Message-ID of the forward is unusable");
	return true;
}

/* ---- fields ------------------------------------------------------- */

struct day {
	int year;
	unsigned month, day; /* from 1 */
};

/* The Gregorian date of a day counted from 1970-01-01. Years begin in March
 * here, so that the leap day is the last; an era is 400 of them. */
static struct day
day_of(int64_t days)
{
	int64_t shifted = days + 719468; /* since 0000-03-01 */
	unsigned of_era = (unsigned)(shifted % 146097);
	unsigned year =
	    (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
	unsigned month = (5 * of_year + 2) / 153; /* 0: March */

	return (struct day){
	    .year = (int)(shifted / 146097 * 400 + year + (month >= 10)),
	    .month = month < 10 ? month + 3 : month - 9,
	    .day = of_year - (153 * month + 2) / 5 + 1,
	};
}

/* RFC 5322 section 3.3, in UTC. */
static void
add_date(struct buf *out, const char *name, int64_t unix_seconds)
{
	static const char weekdays[7][4] = {
	    "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
	static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May",
	    "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	int64_t days;
	unsigned rest;
	struct day day;

	/* A year that no date has: the beginning of time instead. */
	if (unix_seconds < 0 || unix_seconds > YEAR_9999_UNIX)
		unix_seconds = 0;
	days = unix_seconds / 86400;
	rest = (unsigned)(unix_seconds % 86400);
	day = day_of(days);
	buf_addf(out, "%s: %s, %02u %s %d %02u:%02u:%02u +0000\r\n", name,
	    weekdays[days % 7], day.day, months[day.month - 1], day.year,
	    rest / 3600, rest / 60 % 60, rest % 60);
}

static void
add_mark(struct buf *out, const struct forward_request *r)
{
	const struct span piece = span_from_str(r->account);
	BUF_AUTO hash = BUF_INIT;

	digest_key(&hash, &piece, 1);
	buf_addf(out, "X-Belfry-Forward: %.*s; hop=%u\r\n", HASH_LEN,
	    buf_str(&hash), r->hop);
}

static void
add_subject(struct buf *out, struct message *m)
{
	static const char start[] = "Subject: Fwd: ";
	struct span subject = span_trim(message_text(m, "Subject", 0));
	BUF_AUTO text = BUF_INIT;

	str_sanitize(&text, subject, FORWARD_SUBJECT_MAX);
	if (span_trim(buf_span(&text)).len == 0)
		buf_add_str(&text, "(no subject)");
	buf_add_str(out, start);
	rfc2047_encode(out, span_trim(buf_span(&text)), sizeof(start) - 1);
	buf_add_str(out, "\r\n");
}

static void
add_references(struct buf *out, struct message *m)
{
	struct span id = message_id(m);

	if (!is_plain_id(id))
		return;
	buf_addf(out, "In-Reply-To: %.*s\r\n", SPAN_FMT(id));
	buf_addf(out, "References: %.*s\r\n", SPAN_FMT(id));
}

/* A sender beyond ASCII only where the message goes by SMTPUTF8 anyway. */
static void
add_reply_to(
    struct buf *out, const struct forward_request *r, struct message *m)
{
	const struct address_list *from = message_addresses(m, "From", 0);

	if (from->count > 0 &&
	    is_plain_address(
		span_from_str(from->items[0].addr), forward_needs_utf8(r)))
		buf_addf(out, "Reply-To: %s\r\n", from->items[0].addr);
}

void
forward_add_header(struct buf *out, const struct forward_request *r,
    struct message *m, const char *boundary)
{
	add_date(out, "Date", r->date_unix);
	buf_addf(out, "From: %s\r\n", r->from);
	buf_addf(out, "To: %s\r\n", r->to);
	add_reply_to(out, r, m);
	add_subject(out, m);
	buf_addf(out, "Message-ID: %s\r\n", r->message_id);
	add_references(out, m);
	buf_add_str(out, "Auto-Submitted: auto-generated\r\n");
	add_mark(out, r);
	buf_add_str(out, "MIME-Version: 1.0\r\n");
	buf_addf(out,
	    "Content-Type: multipart/mixed;\r\n boundary=\"%s\"\r\n\r\n",
	    boundary);
}

/* ---- parts -------------------------------------------------------- */

void
forward_add_summary_line(struct buf *text, struct message *m, const char *name)
{
	struct span value = span_trim(message_text(m, name, 0));

	if (value.len == 0)
		return;
	buf_addf(text, "%s: ", name);
	str_sanitize(text, value, FORWARD_SUMMARY_MAX);
	buf_add_str(text, "\r\n");
}

static void
make_summary(struct buf *text, struct message *m)
{
	static const char *const names[] = {"From", "To", "Subject", "Date"};

	buf_add_str(text, "This message was forwarded by a rule. ");
	buf_add_str(text, "The original is attached.\r\n\r\n");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		forward_add_summary_line(text, m, names[i]);
}

void
forward_add_text_part(struct buf *out, struct span text)
{
	struct forward_shape shape = forward_measure(text);

	buf_add_str(out, "Content-Type: text/plain; charset=utf-8\r\n");
	if (!shape.has_8bit && !shape.has_nul && !shape.has_long_line) {
		buf_add_str(out, "Content-Transfer-Encoding: 7bit\r\n\r\n");
		buf_add_span(out, text);
	} else {
		buf_add_str(out, "Content-Transfer-Encoding: base64\r\n\r\n");
		base64_encode_mime(out, text);
	}
}

static void
add_plain_original(struct buf *out, struct span original, bool has_8bit)
{
	buf_add_str(out, "Content-Type: message/rfc822\r\n");
	buf_addf(out, "Content-Transfer-Encoding: %s\r\n",
	    has_8bit ? "8bit" : "7bit");
	buf_add_str(out, "Content-Disposition: attachment\r\n\r\n");
	buf_add_span(out, original);
}

/* RFC 6532 section 3.7: a header in UTF-8, which may go only where the rest of
 * the message needs SMTPUTF8, too: no server on the way takes it otherwise. */
static void
add_global_original(struct buf *out, struct span original)
{
	buf_add_str(out, "Content-Type: message/global\r\n"
			 "Content-Transfer-Encoding: 8bit\r\n"
			 "Content-Disposition: attachment\r\n\r\n");
	buf_add_span(out, original);
}

static bool
is_global(const struct forward_request *request, const struct forward_shape *s,
    struct span original)
{
	return forward_needs_utf8(request) && s->header_has_8bit &&
	       !s->has_nul && !s->has_long_line && utf8_is_valid(original);
}

static void
add_encoded_original(struct buf *out, struct span original)
{
	buf_add_str(out, "Content-Type: application/octet-stream;"
			 " name=\"message.eml\"\r\n"
			 "Content-Transfer-Encoding: base64\r\n"
			 "Content-Disposition: attachment;"
			 " filename=\"message.eml\"\r\n\r\n");
	base64_encode_mime(out, original);
}

/* Digests of the key and a counter, until one stands nowhere in the text or
 * the original (RFC 2046 section 5.1.1). Who writes the original does not
 * know the key; the counter is for certainty. */
void
forward_choose_boundary(char boundary[FORWARD_BOUNDARY_SIZE], const char *key,
    struct span text, struct span original)
{
	struct span found;
	unsigned counter = 0;

	do {
		BUF_AUTO hash = BUF_INIT;
		const struct span pieces[] = {
		    span_from_str(key), span_from(&counter, sizeof(counter))};

		digest_key(&hash, pieces, 2);
		snprintf(boundary, FORWARD_BOUNDARY_SIZE, "=_belfry_%.*s",
		    BOUNDARY_HASH_LEN, buf_str(&hash));
		found = span_from_str(boundary);
		counter++;
	} while (span_find_span(text, found, 0) != SIZE_MAX ||
		 span_find_span(original, found, 0) != SIZE_MAX);
}

bool
forward_compose_attach(const struct forward_request *request,
    struct span original, bool eightbit_ok, struct buf *out,
    struct error *error_r)
{
	struct forward_shape shape;
	struct message *m;
	BUF_AUTO text = BUF_INIT;
	char boundary[FORWARD_BOUNDARY_SIZE];

	if (!forward_check_request(request, original, error_r))
		return false;
	shape = forward_measure(original);
	m = message_new(original);
	make_summary(&text, m);
	forward_choose_boundary(
	    boundary, request->key, buf_span(&text), original);
	forward_add_header(out, request, m, boundary);
	message_free(&m);
	buf_addf(out, "--%s\r\n", boundary);
	forward_add_text_part(out, buf_span(&text));
	buf_addf(out, "\r\n--%s\r\n", boundary);
	if (is_global(request, &shape, original))
		add_global_original(out, original);
	else if (shape.has_nul || shape.has_long_line ||
		 shape.header_has_8bit || (shape.has_8bit && !eightbit_ok))
		add_encoded_original(out, original);
	else
		add_plain_original(out, original, shape.has_8bit);
	buf_addf(out, "\r\n--%s--\r\n", boundary);
	return true;
}

/* ---- redirect ----------------------------------------------------- */

/* The length of the first line with its end: CRLF, LF or CR. */
static size_t
line_length(struct span s)
{
	size_t n = 0;

	while (n < s.len && s.data[n] != '\r' && s.data[n] != '\n')
		n++;
	if (n < s.len && s.data[n] == '\r' && n + 1 < s.len &&
	    s.data[n + 1] == '\n')
		n++;
	return n < s.len ? n + 1 : n;
}

static bool
is_continuation(struct span s)
{
	return s.len > 0 && char_is_blank(s.data[0]);
}

static size_t
field_length(struct span s)
{
	size_t n = line_length(s);

	while (is_continuation(span_skip(s, n)))
		n += line_length(span_skip(s, n));
	return n;
}

/* RFC 5322 section 4.5: blanks may stand before the colon. */
static bool
is_dropped(struct span field)
{
	static const char *const names[] = {"Bcc", "Return-Path"};
	struct span name = span_slice(field, 0, span_find(field, ':'));

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_is_nocase(span_trim(name), names[i]))
			return true;
	return false;
}

static void
add_redirected(struct buf *out, struct span original)
{
	size_t n;

	while (original.len > 0 && original.data[0] != '\r' &&
	       original.data[0] != '\n') {
		n = field_length(original);
		if (!is_dropped(span_slice(original, 0, n)))
			buf_add_span(out, span_slice(original, 0, n));
		original = span_skip(original, n);
	}
	buf_add_span(out, original);
}

bool
forward_compose_redirect(const struct forward_request *request,
    struct span original, struct buf *out, struct error *error_r)
{
	if (!forward_check_request(request, original, error_r))
		return false;
	if (span_starts(original, "From "))
		original = span_skip(original, line_length(original));
	if (is_continuation(original))
		return error_set(error_r, FAULT_CONFIG,
		    "the message begins with no header field");
	if (span_find(original, '\0') != SIZE_MAX)
		return error_set(
		    error_r, FAULT_CONFIG, "the message contains a NUL byte");
	add_mark(out, request);
	add_date(out, "Resent-Date", request->date_unix);
	buf_addf(out, "Resent-From: %s\r\n", request->from);
	buf_addf(out, "Resent-To: %s\r\n", request->to);
	buf_addf(out, "Resent-Message-ID: %s\r\n", request->message_id);
	add_redirected(out, original);
	return true;
}
