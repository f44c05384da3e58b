/*
 * mail/structure: the parts of a message, as rules see them.
 */
#include "daemon/mail/structure.h"

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/mail/charset.h"
#include "daemon/mail/mime_walk.h"
#include "daemon/mail/rfc2231.h"
#include "daemon/mail/text.h"

#define PARTS_FIRST 8
#define WORD_MAX 200	 /* bytes kept of a charset or an encoding */
#define TYPE_NAME_MAX 60 /* bytes kept in front of the "/" */
#define TEXT_TYPE "text/"

_Static_assert(STRUCTURE_DEPTH_MAX == MIME_DEPTH_MAX,
    "a walk goes as deep as a structure");

void
structure_init(struct structure *structure)
{
	*structure = (struct structure){0};
}

void
structure_done(struct structure *structure)
{
	for (size_t i = 0; i < structure->count; i++) {
		struct part *part = &structure->parts[i];

		free(part->section);
		free(part->type);
		free(part->charset);
		free(part->encoding);
		free(part->name);
	}
	free(structure->parts);
	structure_init(structure);
}

/* ---- Strings ---- */

/* Takes the text, of at most `max` bytes and no character cut. */
static char *
take_cut(struct buf *text, size_t max)
{
	if (text->len > max) {
		while (
		    max > 0 && ((unsigned char)text->data[max] & 0xc0) == 0x80)
			max--;
		buf_truncate(text, max);
	}
	return buf_take_str(text);
}

/* A word of a structure as clean text. */
static char *
word_of(struct span raw, size_t max)
{
	BUF_AUTO utf8 = BUF_INIT;
	BUF_AUTO text = BUF_INIT;

	charset_guess(&utf8, span_slice(span_trim(raw), 0, max));
	text_add_clean(&text, buf_span(&utf8));
	return take_cut(&text, max);
}

static char *
lower_word_of(struct span raw, size_t max)
{
	char *word = word_of(raw, max);

	for (char *c = word; *c != '\0'; c++)
		*c = char_to_lower(*c);
	return word;
}

/* The first of the parameters of both fields that says something. */
static char *
param_of(const struct mime_param *params, size_t count, const char *name,
    const struct mime_param *more, size_t more_count, const char *more_name,
    size_t max)
{
	BUF_AUTO value = BUF_INIT;
	BUF_AUTO trimmed = BUF_INIT;

	if (!rfc2231_decode(&value, params, count, name))
		rfc2231_decode(&value, more, more_count, more_name);
	buf_add_span(&trimmed, span_trim(buf_span(&value)));
	return take_cut(&trimmed, max);
}

/* ---- Types ---- */

/* What a type without subtype stands for. */
static bool
is_binary_type(struct span type)
{
	static const char *const types[] = {
	    "application", "audio", "font", "image", "model", "video"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (span_is_nocase(type, types[i]))
			return true;
	}
	return false;
}

static char *
type_of(struct span type, struct span subtype)
{
	STR_AUTO name = NULL;
	STR_AUTO subname = NULL;

	if (type.len == 0 || span_is_nocase(type, "multipart"))
		return xstrdup("text/plain");
	if (subtype.len == 0)
		return xstrdup(is_binary_type(type) ? "application/octet-stream"
						    : "text/plain");
	name = lower_word_of(type, TYPE_NAME_MAX);
	subname =
	    lower_word_of(subtype, STRUCTURE_TYPE_MAX - TYPE_NAME_MAX - 1);
	return xasprintf("%s/%s", name, subname);
}

/* Does the type fit a pattern: itself, or its begin up to the "/"? "": any. */
static bool
is_type(const char *type, const char *pattern)
{
	size_t len = strlen(pattern);

	if (len == 0 || pattern[len - 1] == '/')
		return strncmp(type, pattern, len) == 0;
	return strcmp(type, pattern) == 0;
}

static bool
is_text(const struct part *part)
{
	return is_type(part->type, TEXT_TYPE);
}

/* ---- Attachments ---- */

struct leaf {
	const struct structure *before; /* the leaves in front */
	const struct part_source *source;
	const struct part *part; /* all but the verdict */
};

static bool
is_any(const struct leaf *leaf)
{
	(void)leaf;
	return true;
}

static bool
is_said_to_be(const struct leaf *leaf)
{
	return span_is_nocase(leaf->source->disposition, "attachment");
}

/* The second part of a multipart/encrypted (RFC 3156 section 4). */
static bool
is_behind_pgp(const struct leaf *leaf)
{
	const struct structure *before = leaf->before;

	return before->count > 0 &&
	       is_type(before->parts[before->count - 1].type,
		   "application/pgp-encrypted");
}

static bool
is_in_place(const struct leaf *leaf)
{
	const struct part_source *source = leaf->source;

	return source->is_related &&
	       (source->has_id ||
		   span_is_nocase(source->disposition, "inline"));
}

static bool
is_named(const struct leaf *leaf)
{
	return leaf->part->name[0] != '\0';
}

/* The definition that structure.h gives; the first row that fits decides. */
/* clang-format off */
static const struct {
	const char *type; /* see is_type */
	bool (*fits)(const struct leaf *leaf);
	bool is_attachment;
} definition[] = {
	{"application/pgp-signature",		is_any, false},
	{"application/pkcs7-signature",		is_any, false},
	{"application/x-pkcs7-signature",	is_any, false},
	{"application/pgp-encrypted",		is_any, false},
	{"application/octet-stream",		is_behind_pgp, false},
	{"application/pkcs7-mime",		is_any, false},
	{"application/x-pkcs7-mime",		is_any, false},
	{"application/ms-tnef",			is_any, false},
	{"application/vnd.ms-tnef",		is_any, false},
	{"",					is_said_to_be, true},
	{"message/rfc822",			is_any, true},
	{"message/global",			is_any, true},
	{"message/delivery-status",		is_any, false},
	{"message/global-delivery-status",	is_any, false},
	{"message/disposition-notification",	is_any, false},
	{"message/global-disposition-notification", is_any, false},
	{"message/feedback-report",		is_any, false},
	{"message/rfc822-headers",		is_any, false},
	{"message/tracking-status",		is_any, false},
	{"image/",				is_in_place, false},
	{"font/",				is_in_place, false},
	{"text/css",				is_in_place, false},
	{"",					is_named, true},
	{TEXT_TYPE,				is_any, false},
	{"",					is_any, true},
};
/* clang-format on */

static bool
is_attachment(const struct leaf *leaf)
{
	size_t i = 0;

	while (!is_type(leaf->part->type, definition[i].type) ||
	       !definition[i].fits(leaf))
		i++;
	return definition[i].is_attachment;
}

/* ---- Leaves ---- */

/* Bytes of a line of base64 with its line end, and those that are text. */
#define BASE64_LINE 78
#define BASE64_LINE_END 2

static uint64_t
decoded_size(uint64_t size, const char *encoding)
{
	uint64_t lines;

	if (strcmp(encoding, "base64") != 0)
		return size;
	lines = size / BASE64_LINE + (size % BASE64_LINE > 0);
	if (size < BASE64_LINE_END * lines)
		return 0;
	return (size - BASE64_LINE_END * lines) / 4 * 3;
}

static struct part *
append(struct structure *structure)
{
	size_t count = structure->count;

	/* Full when the count is a power of two. */
	if (count == 0 || (count >= PARTS_FIRST && (count & (count - 1)) == 0))
		structure->parts = xreallocarray(structure->parts,
		    count == 0 ? PARTS_FIRST : count * 2,
		    sizeof(*structure->parts));
	return &structure->parts[count];
}

static char *
encoding_of(struct span encoding)
{
	char *word = lower_word_of(encoding, WORD_MAX);

	if (word[0] != '\0')
		return word;
	free(word);
	return xstrdup("7bit");
}

void
structure_add(struct structure *structure, const struct part_source *source)
{
	struct leaf leaf = {structure, source, NULL};
	struct part *part;

	if (structure->count == STRUCTURE_PARTS_MAX) {
		structure->is_truncated = true;
		return;
	}
	part = append(structure);
	part->section = xstrdup(source->section);
	part->type = type_of(source->type, source->subtype);
	part->charset = param_of(source->params, source->param_count, "charset",
	    NULL, 0, "charset", WORD_MAX);
	part->encoding = encoding_of(source->encoding);
	part->name = param_of(source->disposition_params,
	    source->disposition_param_count, "filename", source->params,
	    source->param_count, "name", STRUCTURE_NAME_MAX);
	part->size = decoded_size(source->size, part->encoding);
	leaf.part = part;
	part->is_attachment = is_attachment(&leaf);
	part->is_shown = is_text(part) && !is_said_to_be(&leaf);
	structure->count++;
}

/* ---- From bytes ---- */

static void
add_leaf(struct structure *structure, const struct mime_leaf *leaf)
{
	const struct message *header = leaf->header;
	struct mime_field disposition, encoding;

	mime_field_parse(
	    message_raw(header, "Content-Disposition", 0), &disposition);
	mime_field_parse(
	    message_raw(header, "Content-Transfer-Encoding", 0), &encoding);
	structure_add(structure,
	    &(struct part_source){
		.section = leaf->section,
		.type = leaf->is_message ? SPAN("message") : leaf->type->value,
		.subtype =
		    leaf->is_message ? SPAN("rfc822") : leaf->type->subtype,
		.params = leaf->type->params,
		.param_count = leaf->type->param_count,
		.disposition = disposition.value,
		.disposition_params = disposition.params,
		.disposition_param_count = disposition.param_count,
		.encoding = encoding.value,
		.has_id = message_count(header, "Content-ID") > 0,
		.is_related = leaf->is_related,
		.size = leaf->size,
	    });
	mime_field_done(&disposition);
	mime_field_done(&encoding);
}

void
structure_parse(struct structure *structure, struct span message)
{
	struct mime_walk *walk = mime_walk_new(message);
	struct mime_leaf leaf;

	while (!structure->is_truncated && mime_walk_next(walk, &leaf))
		add_leaf(structure, &leaf);
	structure->is_truncated |= mime_walk_is_truncated(walk);
	mime_walk_free(&walk);
}

/* ---- Questions ---- */

/* Which leaf is the message's text; the first row with one decides. */
static const struct {
	const char *type;
	bool is_attachment;
} text_choice[] = {
    {"text/plain", false},
    {"text/html", false},
    {"text/plain", true},
    {"text/html", true},
};

const struct part *
structure_find_text(const struct structure *structure)
{
	for (size_t i = 0; i < sizeof(text_choice) / sizeof(text_choice[0]);
	     i++) {
		for (size_t j = 0; j < structure->count; j++) {
			const struct part *part = &structure->parts[j];

			if (part->is_shown &&
			    is_type(part->type, text_choice[i].type) &&
			    part->is_attachment == text_choice[i].is_attachment)
				return part;
		}
	}
	return NULL;
}

size_t
structure_count_attachments(const struct structure *structure)
{
	size_t count = 0;

	for (size_t i = 0; i < structure->count; i++)
		count += structure->parts[i].is_attachment;
	return count;
}
