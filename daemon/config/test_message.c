#include "daemon/config/test_message.h"

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/config/files.h"
#include "daemon/mail/body.h"

#define MEMBERS(array) (sizeof(array) / sizeof((array)[0]))

/* ---- attachments ---- */

/* Takes the last word away; empty when it is the only one. */
static struct span
take_last_word(struct span *text)
{
	size_t end = text->len, start = end;
	struct span word;

	while (start > 0 && !char_is_blank(text->data[start - 1]))
		start--;
	if (start == 0)
		return SPAN_EMPTY;
	word = span_slice(*text, start, end - start);
	*text = span_trim(span_slice(*text, 0, start));
	return word;
}

bool
test_attachment_parse(struct span text, struct test_attachment *attachment_r)
{
	struct test_attachment attachment = {.name = span_trim(text)};
	struct span rest = attachment.name;
	struct span word = take_last_word(&rest);
	size_t slash;

	if (word.len > 0 && size_parse(word, &attachment.size)) {
		attachment.name = rest;
		word = take_last_word(&rest);
	}
	slash = span_find(word, '/');
	if (slash != SIZE_MAX && slash > 0 && slash + 1 < word.len) {
		attachment.name = rest;
		attachment.type = span_slice(word, 0, slash);
		attachment.subtype = span_skip(word, slash + 1);
	}
	/* A type that is not where it belongs, or is no type. */
	if (span_find(attachment.name, '/') != SIZE_MAX)
		return false;
	*attachment_r = attachment;
	return true;
}

static void
add_attachment(struct test_message *message, struct span text, size_t number)
{
	STR_AUTO section = xasprintf("%zu", number);
	struct test_attachment attachment = {0};
	struct mime_param name = {.name = SPAN_INIT("filename")};
	struct part_source part = {
	    .section = section,
	    .type = SPAN("application"),
	    .subtype = SPAN("octet-stream"),
	    .disposition = SPAN("attachment"),
	    .disposition_params = &name,
	    .disposition_param_count = 1,
	    .encoding = SPAN("binary"),
	};

	if (!test_attachment_parse(text, &attachment))
		return;
	name.value = attachment.name;
	part.size = attachment.size;
	if (attachment.type.len > 0) {
		part.type = attachment.type;
		part.subtype = attachment.subtype;
	}
	structure_add(&message->structure, &part);
	message->size += attachment.size;
}

/* ---- what the message is made of ---- */

static void
make_of_lines(struct test_message *message, const struct config_test *test,
    struct buf *text)
{
	for (size_t i = 0; i < test->headers.len; i++)
		buf_addf(text, "%s\r\n", test->headers.items[i]);
	buf_add_str(text, "\r\n");
	for (size_t i = 0; i < test->body.len; i++)
		buf_addf(&message->body, "%s\n", test->body.items[i]);
	message->size = text->len + message->body.len;
	structure_add(&message->structure, &(struct part_source){
					       .section = "1",
					       .size = message->body.len,
					   });
	for (size_t i = 0; i < test->attachments.len; i++)
		add_attachment(
		    message, span_from_str(test->attachments.items[i]), i + 2);
}

static void
look_into(struct test_message *message, struct span text)
{
	const struct part *part;

	message->size = text.len;
	structure_parse(&message->structure, text);
	part = structure_find_text(&message->structure);
	if (part == NULL)
		return;
	struct span raw = body_find_part(text, part->section);
	body_add_text(&message->body, span_slice(raw, 0, BODY_RAW_MAX), part);
}

/* As `flag is` names them; any other word is a keyword. */
static void
add_flag(struct strv *flags, const char *word)
{
	static const struct {
		const char *word, *flag;
	} words[] = {
	    {"read", "\\Seen"},
	    {"flagged", "\\Flagged"},
	    {"answered", "\\Answered"},
	    {"draft", "\\Draft"},
	    {"deleted", "\\Deleted"},
	};

	for (size_t i = 0; i < MEMBERS(words); i++) {
		if (strcmp(word, words[i].word) == 0) {
			strv_add(flags, words[i].flag);
			return;
		}
	}
	strv_add(flags, word);
}

bool
test_message_read(struct test_message *message_r,
    const struct config_test *test, struct error *error_r)
{
	BUF_AUTO text = BUF_INIT;

	*message_r = (struct test_message){.body = BUF_INIT};
	structure_init(&message_r->structure);
	if (test->message == NULL)
		make_of_lines(message_r, test, &text);
	else if (!files_read_text(test->message, &text, error_r))
		return false;
	else
		look_into(message_r, buf_span(&text));
	message_r->message = message_new(buf_span(&text));
	for (size_t i = 0; i < test->flags.len; i++)
		add_flag(&message_r->flags, test->flags.items[i]);
	return true;
}

void
test_message_done(struct test_message *message)
{
	message_free(&message->message);
	structure_done(&message->structure);
	buf_done(&message->body);
	strv_done(&message->flags);
}

/* ---- what is said of it ---- */

static int64_t
time_of(const struct config_time *time, int64_t now_unix)
{
	if (time->is_ago || time->seconds == 0)
		return now_unix - time->seconds;
	return time->seconds;
}

void
test_message_tell(const struct test_message *message,
    const struct config_test *test, int64_t now_unix, struct facts *facts)
{
	facts->now_unix = time_of(&test->now, now_unix);
	facts->received_unix = time_of(&test->received, facts->now_unix);
	facts->message = message->message;
	facts->flags = &message->flags;
	facts->size = message->size;
	facts->structure = &message->structure;
	/* There may be none, but it is known. */
	facts->body = span_from(buf_str(&message->body), message->body.len);
	facts->is_new_sender = test->is_new_sender;
}
