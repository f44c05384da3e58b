/*
 * notifiers/open: what is run to open a message.
 */
#include "notifiers/open.h"

#include "daemon/base/str.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

/* ---- variables ---- */

/* False: there is none for this message. */
typedef bool value_fn(const struct open_message *message, struct buf *value);

static bool
add_id(const struct open_message *message, struct buf *value)
{
	struct span id = span_trim(span_from_str(message->message_id));

	if (id.len < 3 || id.data[0] != '<' || id.data[id.len - 1] != '>')
		return false;
	buf_add_span(value, span_slice(id, 1, id.len - 2));
	return true;
}

static bool
add_account(const struct open_message *message, struct buf *value)
{
	buf_add_str(value, message->account);
	return true;
}

static bool
add_email(const struct open_message *message, struct buf *value)
{
	buf_add_str(value, message->email);
	return true;
}

static bool
add_mailbox(const struct open_message *message, struct buf *value)
{
	buf_add_str(value, message->mailbox);
	return true;
}

static bool
add_uid(const struct open_message *message, struct buf *value)
{
	buf_addf(value, "%u", message->uid);
	return true;
}

static bool
add_url(const struct open_message *message, struct buf *value)
{
	return open_url(message, value);
}

static const struct {
	const char *name;
	value_fn *add;
} variables[] = {
    {"url", add_url},
    {"message-id", add_id},
    {"account", add_account},
    {"email", add_email},
    {"mailbox", add_mailbox},
    {"uid", add_uid},
};

static value_fn *
find(struct span name)
{
	for (size_t i = 0; i < LENGTH(variables); i++)
		if (span_is(name, variables[i].name))
			return variables[i].add;
	return NULL;
}

/*
 *   argument = *( character / "${" name "}" )
 *
 * Cuts the text in front of the next variable, and the variable, from `rest`.
 * False: there is no variable left, and `text_r` is all of it. A missing brace
 * gives an empty name.
 */
static bool
next_variable(struct span *rest, struct span *text_r, struct span *name_r)
{
	size_t at = span_find_span(*rest, SPAN("${"), 0), end;

	if (at == SIZE_MAX) {
		*text_r = *rest;
		*rest = SPAN_EMPTY;
		return false;
	}
	*text_r = span_slice(*rest, 0, at);
	*rest = span_skip(*rest, at + 2);
	end = span_find(*rest, '}');
	*name_r = end == SIZE_MAX ? SPAN_EMPTY : span_slice(*rest, 0, end);
	*rest = end == SIZE_MAX ? SPAN_EMPTY : span_skip(*rest, end + 1);
	return true;
}

bool
open_check(const char *argument, struct span *name_r)
{
	struct span rest = span_from_str(argument), text, name;

	while (next_variable(&rest, &text, &name)) {
		if (find(name) != NULL)
			continue;
		*name_r = name;
		return false;
	}
	return true;
}

/* RFC 3986: visible ASCII. */
bool
open_is_webmail(const char *form)
{
	struct span text = span_from_str(form);

	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] <= 0x20 || text.data[i] >= 0x7f)
			return false;
	if (!span_starts_nocase(text, "https://") &&
	    !span_starts_nocase(text, "http://"))
		return false;
	text = span_skip(text, span_find(text, '/') + 2);
	return text.len > 0 && text.data[0] != '/';
}

bool
open_check_webmail(const char *form, struct span *name_r)
{
	struct span rest = span_from_str(form), text, name;

	while (next_variable(&rest, &text, &name)) {
		if (find(name) != NULL && find(name) != add_url)
			continue;
		*name_r = name;
		return false;
	}
	return true;
}

bool
open_names_place(const char *form)
{
	return strstr(form, "${uid}") != NULL ||
	       strstr(form, "${mailbox}") != NULL;
}

const char *
open_nearest(struct span name)
{
	const char *names[LENGTH(variables) + 1] = {NULL};

	for (size_t i = 0; i < LENGTH(variables); i++)
		names[i] = variables[i].name;
	return str_nearest(name, names);
}

/* ---- addresses ---- */

/* RFC 3986 section 2.3, and what mail programs expect as it is. */
static bool
is_plain(unsigned char byte)
{
	return char_is_alnum((char)byte) || strchr("-._~@+$=", byte) != NULL;
}

static void
add_encoded(struct buf *url, struct span value)
{
	for (size_t i = 0; i < value.len; i++) {
		unsigned char byte = (unsigned char)value.data[i];

		if (byte != 0 && is_plain(byte))
			buf_add_char(url, (char)byte);
		else
			buf_addf(url, "%%%02X", byte);
	}
}

static bool
add_expanded(struct buf *buf, const char *argument,
    const struct open_message *message, bool encodes)
{
	struct span rest = span_from_str(argument), text, name;
	bool more;

	do {
		BUF_AUTO value = BUF_INIT;
		value_fn *add;

		more = next_variable(&rest, &text, &name);
		buf_add_span(buf, text);
		add = more ? find(name) : NULL;
		if (add != NULL && !add(message, &value))
			return false;
		if (encodes)
			add_encoded(buf, buf_span(&value));
		else
			buf_add_span(buf, buf_span(&value));
	} while (more);
	return true;
}

bool
open_url(const struct open_message *message, struct buf *url)
{
	BUF_AUTO made = BUF_INIT;
	const char *form =
	    message->webmail != NULL ? message->webmail : "mid:${message-id}";

	if (!add_expanded(&made, form, message, true))
		return false;
	if (url != NULL)
		buf_add_span(url, buf_span(&made));
	return true;
}

bool
open_expand(const struct strv *command, const struct open_message *message,
    struct strv *argv, struct error *error_r)
{
	for (size_t i = 0; i < command->len; i++) {
		const char *argument = command->items[i];
		BUF_AUTO made = BUF_INIT;

		if (!add_expanded(&made, argument, message, false))
			return error_set(error_r, FAULT_PEER,
			    "it has no Message-ID to find it by");
		if (argument[0] != '-' && buf_str(&made)[0] == '-')
			return error_set(error_r, FAULT_PEER,
			    "what stands in it would be taken for an option");
		strv_add(argv, buf_str(&made));
	}
	return true;
}
