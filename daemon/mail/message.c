/*
 * mail/message: what rules and people see of a message's header.
 *
 *   fields   = *(field / bad-line)
 *   field    = name *WSP ":" body *(line-end WSP body)
 *   name     = 1*%d33-57 / %d59-126                    ; RFC 5322 section 2.2
 *   line-end = *CR LF
 *
 * The bytes are read once, up to the empty line, and then copied; spans of
 * what was read become spans of the copy. Only fields with folds are
 * unfolded, inside of the copy. A value that decodes to itself is not copied
 * again. Fields are found by a hash of their names, in file order.
 */
#include "daemon/mail/message.h"

#include "daemon/base/buf.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/mail/charset.h"
#include "daemon/mail/date.h"
#include "daemon/mail/rfc2047.h"
#include "daemon/mail/text.h"

#define FIELDS_FIRST 32
#define BUCKETS 64
#define HASH_FIRST 2166136261u /* FNV-1a */
#define HASH_PRIME 16777619u

struct field {
	struct span name, raw; /* of message->data */
	struct span text;      /* data NULL: not decoded yet */
	char *owned;	       /* the text's bytes, where it has its own */
	struct address_list *addresses; /* owned; NULL: not parsed yet */
	uint32_t hash;			/* of the name */
	uint16_t next;			/* in the bucket: number + 1; 0: none */
	bool is_folded;
	bool is_hard; /* once message->has_hard */
};

struct message {
	char *data; /* owned; unfolded in place */
	size_t len;
	/* Texts of values that are decoded by replacing bytes, each where its
	 * value is in `data`; owned; NULL: none yet. */
	char *texts;
	struct field *fields;
	size_t count, size;
	uint16_t buckets[BUCKETS]; /* number + 1 of the first; 0: none */
	struct buf id;
	bool has_id;
	bool has_hard; /* the hard fields are known */
	size_t bad_lines;
	bool is_truncated;
};

_Static_assert(MESSAGE_FIELDS_MAX < UINT16_MAX, "fields are counted in 16 bit");

/* The same for A and a; what else it mixes up does not matter. */
static uint32_t
hash_char(uint32_t hash, char c)
{
	return (hash ^ ((unsigned char)c | 0x20u)) * HASH_PRIME;
}

uint32_t
message_name_hash(struct span name)
{
	uint32_t hash = HASH_FIRST;

	for (size_t i = 0; i < name.len; i++)
		hash = hash_char(hash, name.data[i]);
	return hash;
}

/* ---- Reading ---- */

/* Where the line at `from` ends: behind its LF, or `end`. */
static const char *
find_line_end(const char *from, const char *end)
{
	const char *lf = memchr(from, '\n', (size_t)(end - from));

	return lf != NULL ? lf + 1 : end;
}

static bool
is_line_end(const char *from, const char *end)
{
	while (from < end && *from == '\r')
		from++;
	return from + 1 == end && *from == '\n';
}

static struct field *
append_field(struct message *message)
{
	if (message->count == message->size) {
		message->size =
		    message->size == 0 ? FIELDS_FIRST : message->size * 2;
		message->fields = xreallocarray(
		    message->fields, message->size, sizeof(*message->fields));
	}
	message->fields[message->count] = (struct field){0};
	return &message->fields[message->count++];
}

/* The name in front of a colon, and behind the colon what goes into
 * *body_r; empty: there is no name. */
static struct span
read_name(struct span lines, uint32_t *hash_r, struct span *body_r)
{
	uint32_t hash = HASH_FIRST;
	size_t len = 0, colon;

	while (len < lines.len && lines.data[len] > ' ' &&
	       lines.data[len] <= '~' && lines.data[len] != ':')
		hash = hash_char(hash, lines.data[len++]);
	colon = len;
	while (colon < lines.len && char_is_blank(lines.data[colon]))
		colon++;
	if (len == 0 || colon == lines.len || lines.data[colon] != ':')
		return SPAN_EMPTY;
	*hash_r = hash;
	*body_r = span_skip(lines, colon + 1);
	return span_slice(lines, 0, len);
}

/* One field with its folds, or a line that is none. */
static void
add_lines(
    struct message *message, struct span lines, bool is_folded, bool is_first)
{
	struct span body = SPAN_EMPTY, name;
	struct field *field;
	uint32_t hash = 0;

	name = read_name(lines, &hash, &body);
	if (name.len == 0) {
		if (!is_first || !span_starts(lines, "From "))
			message->bad_lines++;
		return;
	}
	if (message->count == MESSAGE_FIELDS_MAX) {
		message->is_truncated = true;
		return;
	}
	field = append_field(message);
	field->name = name;
	field->hash = hash;
	field->is_folded = is_folded;
	field->raw = is_folded ? body : span_trim(body);
}

/* Reads the bytes in front of the first empty line, or the limit; their
 * count. */
static size_t
scan(struct message *message, struct span bytes)
{
	struct span header = span_slice(bytes, 0, MESSAGE_HEADER_MAX);
	const char *from = header.data, *end = from + header.len;

	while (from < end && !message->is_truncated) {
		const char *to = find_line_end(from, end);
		bool is_folded = false;

		if (is_line_end(from, to))
			return (size_t)(from - header.data);
		while (to < end && char_is_blank(*to)) {
			to = find_line_end(to, end);
			is_folded = true;
		}
		add_lines(message, span_from(from, (size_t)(to - from)),
		    is_folded, from == header.data);
		from = to;
	}
	message->is_truncated |= bytes.len > MESSAGE_HEADER_MAX;
	return header.len;
}

/* ---- The copy ---- */

static void
move_field(struct message *message, struct field *field, const char *old)
{
	char *body = message->data + (field->raw.data - old);
	size_t len = field->raw.len;

	field->name.data = message->data + (field->name.data - old);
	if (field->is_folded)
		len = text_unfold(body, len);
	field->raw = span_from(body, len);
	if (field->is_folded)
		field->raw = span_trim(field->raw);
}

/* Backwards, so that each bucket is in file order. */
static void
fill_buckets(struct message *message)
{
	for (size_t i = message->count; i-- > 0;) {
		struct field *field = &message->fields[i];
		uint16_t *first = &message->buckets[field->hash % BUCKETS];

		field->next = *first;
		*first = (uint16_t)(i + 1);
	}
}

struct message *
message_new(struct span bytes)
{
	struct message *message = NEW(struct message);
	size_t len;

	if (bytes.data == NULL)
		bytes = SPAN("");
	len = scan(message, bytes);
	message->len = len;
	message->data = xstrdup_span(span_slice(bytes, 0, len));
	for (size_t i = 0; i < message->count; i++)
		move_field(message, &message->fields[i], bytes.data);
	fill_buckets(message);
	return message;
}

static void
field_done(struct field *field)
{
	free(field->owned);
	if (field->addresses == NULL)
		return;
	address_list_done(field->addresses);
	free(field->addresses);
}

void
message_free(struct message **message)
{
	if (*message == NULL)
		return;
	for (size_t i = 0; i < (*message)->count; i++)
		field_done(&(*message)->fields[i]);
	free((*message)->fields);
	buf_done(&(*message)->id);
	free((*message)->data);
	free((*message)->texts);
	free(*message);
	*message = NULL;
}

/* ---- Asking ---- */

bool
message_is_truncated(const struct message *message)
{
	return message->is_truncated;
}

size_t
message_bad_line_count(const struct message *message)
{
	return message->bad_lines;
}

size_t
message_field_count(const struct message *message)
{
	return message->count;
}

struct span
message_field_name(const struct message *message, size_t field)
{
	return field < message->count ? message->fields[field].name
				      : SPAN_EMPTY;
}

uint32_t
message_field_hash(const struct message *message, size_t field)
{
	return field < message->count ? message->fields[field].hash : 0;
}

/* The first in the bucket from `number` on (counted from 1) that is called
 * so, counted from 0; SIZE_MAX: none. */
static size_t
find_in_bucket(const struct message *message, uint16_t number, uint32_t hash,
    struct span name)
{
	while (number > 0) {
		const struct field *field = &message->fields[number - 1];

		if (field->hash == hash && span_equal_nocase(field->name, name))
			return number - 1u;
		number = field->next;
	}
	return SIZE_MAX;
}

size_t
message_first(const struct message *message, const char *name)
{
	struct span span = span_from_str(name);
	uint32_t hash = message_name_hash(span);

	return find_in_bucket(
	    message, message->buckets[hash % BUCKETS], hash, span);
}

size_t
message_next(const struct message *message, size_t field)
{
	const struct field *last;

	if (field >= message->count)
		return SIZE_MAX;
	last = &message->fields[field];
	return find_in_bucket(message, last->next, last->hash, last->name);
}

size_t
message_count(const struct message *message, const char *name)
{
	size_t count = 0;

	for (size_t i = message_first(message, name); i != SIZE_MAX;
	     i = message_next(message, i))
		count++;
	return count;
}

/* The index-th field of this name, or SIZE_MAX. */
static size_t
find_field(const struct message *message, const char *name, size_t index)
{
	size_t field = message_first(message, name);

	while (field != SIZE_MAX && index-- > 0)
		field = message_next(message, field);
	return field;
}

struct span
message_field_raw(const struct message *message, size_t field)
{
	return field < message->count ? message->fields[field].raw : SPAN_EMPTY;
}

struct span
message_raw(const struct message *message, const char *name, size_t index)
{
	return message_field_raw(message, find_field(message, name, index));
}

struct span
message_block(const struct message *message)
{
	return span_from(message->data, message->len);
}

/* The fields lie in the block one behind the other: one look at it finds
 * them all. What is hard in front of a field makes the one before it hard,
 * which does no harm. */
static void
find_hard_fields(struct message *message)
{
	struct span block = message_block(message);
	size_t at = 0, field = 0;

	while (message->count > 0 &&
	       (at = rfc2047_find_hard(block, at)) != SIZE_MAX) {
		while (field + 1 < message->count &&
		       message->fields[field + 1].name.data <= block.data + at)
			field++;
		message->fields[field].is_hard = true;
		if (field + 1 == message->count)
			break;
		at =
		    (size_t)(message->fields[field + 1].name.data - block.data);
	}
	message->has_hard = true;
}

bool
message_field_is_hard(struct message *message, size_t field)
{
	if (!message->has_hard)
		find_hard_fields(message);
	return field < message->count && message->fields[field].is_hard;
}

/* Folding with a tab is what most other values have to be decoded for. */
static bool
replace_tabs(struct message *message, struct field *field)
{
	size_t len = field->raw.len;
	char *text;

	if (message->texts == NULL)
		message->texts = xmalloc(message->len + 1);
	text = message->texts + (field->raw.data - message->data);
	text_copy_tabs(text, field->raw);
	if (!rfc2047_is_plain(span_from(text, len)))
		return false;
	field->text = span_from(text, len);
	return true;
}

static void
decode_text(struct message *message, struct field *field)
{
	struct buf text = BUF_INIT;
	size_t len;

	if (rfc2047_is_plain(field->raw)) {
		field->text = field->raw;
		return;
	}
	if (field->is_folded && replace_tabs(message, field))
		return;
	rfc2047_decode(&text, field->raw);
	len = text.len;
	field->owned = buf_take_str(&text);
	field->text = span_from(field->owned, len);
}

struct span
message_field_text(struct message *message, size_t field)
{
	struct field *found;

	if (field >= message->count)
		return SPAN_EMPTY;
	found = &message->fields[field];
	if (found->text.data == NULL)
		decode_text(message, found);
	return found->text;
}

struct span
message_text(struct message *message, const char *name, size_t index)
{
	return message_field_text(message, find_field(message, name, index));
}

const struct address_list *
message_field_addresses(struct message *message, size_t field)
{
	static const struct address_list none = {NULL, 0, false};
	struct field *found;

	if (field >= message->count)
		return &none;
	found = &message->fields[field];
	if (found->addresses == NULL) {
		found->addresses = NEW(struct address_list);
		address_list_parse(found->raw, found->addresses);
	}
	return found->addresses;
}

const struct address_list *
message_addresses(struct message *message, const char *name, size_t index)
{
	return message_field_addresses(
	    message, find_field(message, name, index));
}

bool
message_date(struct message *message, int64_t *unix_r)
{
	return date_parse(message_raw(message, "Date", 0), unix_r);
}

/* From the first "<" to the ">" behind it; without such, all of it. */
static struct span
cut_id(struct span raw)
{
	size_t start = span_find(raw, '<'), end;

	if (start == SIZE_MAX)
		return raw;
	end = span_find(span_skip(raw, start), '>');
	return end == SIZE_MAX ? raw : span_slice(raw, start, end + 1);
}

struct span
message_id(struct message *message)
{
	BUF_AUTO utf8 = BUF_INIT;

	if (!message->has_id) {
		charset_guess(
		    &utf8, cut_id(message_raw(message, "Message-ID", 0)));
		text_add_clean(&message->id, buf_span(&utf8));
		message->has_id = true;
	}
	return buf_span(&message->id);
}
