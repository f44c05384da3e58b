/*
 * smtp/session: whether a message can be sent here.
 */
#include "daemon/wire/smtp/session_private.h"

#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"

/*
 * What stands between the angle brackets of MAIL and RCPT: anything that
 * cannot end it or begin something else. Quoted local parts with blanks are
 * legal in RFC 5321 and used by nobody but attackers.
 */
static bool
address_is_safe(const char *address, bool *is_ascii_r)
{
	struct span s = span_from_str(address);

	if (s.len == 0 || s.len > SMTP_ADDRESS_MAX || !utf8_is_valid(s))
		return false;
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.data[i];

		if (c <= ' ' || c == 0x7f || c == '<' || c == '>')
			return false;
		if (c >= 0x80)
			*is_ascii_r = false;
	}
	return true;
}

static bool
check_addresses(
    const struct smtp_message *message, bool *is_ascii_r, struct error *error_r)
{
	const struct strv *to = message->recipients;

	if (!address_is_safe(message->from, is_ascii_r))
		return error_set(error_r, FAULT_CONFIG,
		    "the sender's address cannot be used");
	if (to->len == 0 || to->len > SMTP_RECIPIENTS_MAX)
		return error_set(error_r, FAULT_LIMIT,
		    "a message needs 1 to %d recipients", SMTP_RECIPIENTS_MAX);
	for (size_t i = 0; i < to->len; i++)
		if (!address_is_safe(to->items[i], is_ascii_r))
			return error_set(error_r, FAULT_CONFIG,
			    "recipient %zu has an address that cannot be used",
			    i + 1);
	return true;
}

static bool
check_text(const struct smtp_session *s, const struct canonical_facts *facts,
    bool utf8, bool is_ascii, struct error *error_r)
{
	const struct offers *o = &s->offers;

	if (!is_ascii && !o->utf8)
		return error_set(error_r, FAULT_CONFIG,
		    "an address has letters beyond ASCII, and the mail server "
		    "no SMTPUTF8");
	if (o->size_limit > 0 && facts->size > o->size_limit)
		return error_set(error_r, FAULT_LIMIT,
		    "the message has %llu bytes, the mail server takes %llu",
		    (unsigned long long)facts->size,
		    (unsigned long long)o->size_limit);
	if (facts->has_nul)
		return error_set(
		    error_r, FAULT_CONFIG, "the message contains a NUL byte");
	if (facts->has_8bit && !o->eightbit)
		return error_set(error_r, FAULT_CONFIG,
		    "the message has 8-bit text and the mail server no "
		    "8BITMIME");
	if (utf8 && !o->utf8)
		return error_set(error_r, FAULT_CONFIG,
		    "the message needs SMTPUTF8, which the mail server lacks");
	return true;
}

static void
take_message(struct outgoing *m, const struct smtp_message *message,
    const struct canonical_facts *facts, bool utf8, bool chunked)
{
	m->from = xstrdup(message->from);
	strv_copy(&m->recipients, message->recipients);
	m->len = message->bytes.len;
	m->bytes = xstrdup_span(message->bytes);
	m->facts = *facts;
	m->utf8 = utf8;
	m->chunked = chunked;
	canonical_init(&m->text, !chunked);
}

static bool
check(const struct smtp_session *s, const struct smtp_message *message,
    struct canonical_facts *facts_r, bool *utf8_r, struct error *error_r)
{
	bool is_ascii = true;

	if (message->bytes.len > SMTP_MESSAGE_MAX)
		return error_set(error_r, FAULT_LIMIT,
		    "the message has more than %d bytes", SMTP_MESSAGE_MAX);
	if (!check_addresses(message, &is_ascii, error_r))
		return false;
	*facts_r = message->facts != NULL ? *message->facts
					  : canonical_measure(message->bytes);
	*utf8_r = message->utf8_header || !is_ascii;
	return check_text(s, facts_r, *utf8_r, is_ascii, error_r);
}

bool
smtp_session_fits(const struct smtp_session *s,
    const struct smtp_message *message, struct error *error_r)
{
	struct canonical_facts facts;
	bool utf8;

	return check(s, message, &facts, &utf8, error_r);
}

bool
smtp_check_message(struct smtp_session *s, const struct smtp_message *message,
    struct outgoing *taken_r, struct error *error_r)
{
	struct canonical_facts facts;
	bool utf8;

	if (!check(s, message, &facts, &utf8, error_r))
		return false;
	take_message(taken_r, message, &facts, utf8,
	    s->offers.chunking && facts.has_long_line);
	return true;
}
