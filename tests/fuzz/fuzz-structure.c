/*
 * fuzz-structure: the parts of any message are few, clean and inside of it,
 * and the words of each are clean, bounded, and there where the part has any.
 */
#include <stdint.h>
#include <stdlib.h>

#include "daemon/base/buf.h"
#include "daemon/base/str.h"
#include "daemon/base/utf8.h"
#include "daemon/mail/body.h"
#include "daemon/mail/structure.h"
#include "daemon/mail/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

/* Valid UTF-8 without control characters; `lines`: but TAB and LF. */
static bool
is_clean(struct span text, bool lines)
{
	bool valid = true;
	uint32_t code;
	size_t len;

	while ((len = utf8_next(text, &code, &valid)) > 0) {
		bool is_line = lines && (code == '\t' || code == '\n');

		if (!valid || (code < ' ' && !is_line) ||
		    (code >= 0x7f && code < 0xa0))
			return false;
		text = span_skip(text, len);
	}
	return true;
}

static bool
has_letter(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (char_is_alnum(s.data[i]))
			return true;
	}
	return false;
}

/* What no reader of HTML could take for markup: all of it without "<" and
 * "&", else what is behind the last ">" if neither comes there. */
static struct span
surely_text(struct span html)
{
	size_t start = 0;

	for (size_t i = 0; i < html.len; i++) {
		char c = html.data[i];

		if (c == '>')
			start = i + 1;
		else if (c == '<' || c == '&')
			start = html.len;
	}
	return span_skip(html, start);
}

static void
check_words(struct span raw, const struct part *part)
{
	BUF_AUTO text = BUF_INIT;
	BUF_AUTO preview = BUF_INIT;
	/* No escapes of a charset either. */
	bool is_ascii = span_find(raw, '\x1b') == SIZE_MAX &&
			strcmp(part->encoding, "7bit") == 0 &&
			(part->charset[0] == '\0' ||
			    strcmp(part->charset, "us-ascii") == 0);

	body_add_text(&text, raw, part);
	require(text.len <= BODY_TEXT_MAX);
	require(is_clean(buf_span(&text), true));
	if (strcmp(part->type, "text/html") != 0)
		require(text_is_blank(raw) || raw.len > BODY_RAW_MAX ||
			text.len > 0);
	else if (is_ascii && raw.len < BODY_RAW_MAX)
		require(!has_letter(surely_text(raw)) || text.len > 0);
	body_add_preview(&preview, buf_span(&text));
	require(is_clean(buf_span(&preview), false));
	require(utf8_count(buf_span(&preview)) <= PREVIEW_CHARS_MAX + 1);
}

static void
check_part(struct span message, const struct part *part)
{
	const char *const words[] = {
	    part->section, part->type, part->charset, part->encoding};
	struct span raw = body_find_part(message, part->section);
	struct part html = *part;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		require(is_clean(span_from_str(words[i]), false));
	require(is_clean(span_from_str(part->name), false));
	require(strlen(part->name) <= STRUCTURE_NAME_MAX);
	require(strlen(part->type) <= STRUCTURE_TYPE_MAX);
	require(strchr(part->type, '/') != NULL);
	require(part->section[0] != '\0' && part->encoding[0] != '\0');
	/* Inside of the message, and not more than was said (but for CRs). */
	require(raw.len == 0 ||
		(raw.data >= message.data &&
		    raw.data + raw.len <= message.data + message.len));
	require(strcmp(part->encoding, "base64") == 0 || part->size >= raw.len);
	check_words(raw, part);
	html.type = (char[]){"text/html"};
	check_words(raw, &html);
}

static void
check_order(const struct structure *structure)
{
	for (size_t i = 1; i < structure->count; i++)
		require(strcmp(structure->parts[i - 1].section,
			    structure->parts[i].section) != 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span message = span_from(data, size);
	struct structure structure;
	const struct part *text;

	structure_init(&structure);
	structure_parse(&structure, message);
	require(structure.count <= STRUCTURE_PARTS_MAX);
	require(structure.count > 0 || structure.is_truncated);
	check_order(&structure);
	for (size_t i = 0; i < structure.count && i < 20; i++)
		check_part(message, &structure.parts[i]);
	text = structure_find_text(&structure);
	require(text == NULL || strncmp(text->type, "text/", 5) == 0);
	require(structure_count_attachments(&structure) <= structure.count);
	structure_done(&structure);
	return 0;
}
