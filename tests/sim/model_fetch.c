/*
 * sim/model_imap: UID FETCH.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/base/xalloc.h"
#include "tests/sim/model_private.h"

void
model_add_flags(struct buf *out, const struct strv *flags)
{
	buf_add_str(out, "FLAGS (");
	for (size_t i = 0; i < flags->len; i++) {
		if (i > 0)
			buf_add_char(out, ' ');
		buf_add_str(out, flags->items[i]);
	}
	buf_add_char(out, ')');
}

static size_t
header_len(const char *text)
{
	const char *end = strstr(text, "\r\n\r\n");

	return end != NULL ? (size_t)(end - text) + 4 : strlen(text);
}

/* Part `number` of a message, with its header; all of it if it has no parts.
 * Empty: there is no such part. */
static struct span
find_part(const char *text, unsigned number)
{
	const char *at = strstr(text, "\r\n" MODEL_BOUNDARY "\r\n");

	if (at == NULL)
		return number == 1 ? span_from_str(text) : SPAN_EMPTY;
	for (; at != NULL && number > 1; number--)
		at = strstr(at + 2, "\r\n" MODEL_BOUNDARY "\r\n");
	if (at == NULL)
		return SPAN_EMPTY;
	const char *part = at + strlen("\r\n" MODEL_BOUNDARY "\r\n");
	const char *end = strstr(part, "\r\n" MODEL_BOUNDARY);
	return span_from(
	    part, end != NULL ? (size_t)(end - part) : strlen(part));
}

/* What is behind the header of the part. */
static struct span
content_of(struct span part)
{
	size_t end = span_find_span(part, SPAN("\r\n\r\n"), 0);

	return end == SIZE_MAX ? SPAN_EMPTY : span_skip(part, end + 4);
}

/* The first part is text, the others are called report.pdf. */
static void
add_structure(struct buf *out, const char *text)
{
	unsigned count = 0;

	while (find_part(text, count + 1).data != NULL)
		count++;
	buf_add_str(out, count > 1 ? " BODYSTRUCTURE (" : " BODYSTRUCTURE ");
	for (unsigned i = 1; i <= count; i++) {
		size_t len = content_of(find_part(text, i)).len;
		model_put(out,
		    i == 1 ? "(\"text\" \"plain\" NIL NIL NIL \"7bit\" "
			   : "(\"application\" \"pdf\" (\"name\" "
			     "\"report.pdf\") NIL NIL \"base64\" ",
		    len);
		buf_add_str(out, i == 1 ? " 1)"
					: " NIL (\"attachment\" (\"filename\" "
					  "\"report.pdf\")))");
	}
	if (count > 1)
		buf_add_str(out, " \"mixed\")");
}

static bool
is_refused_part(struct model_session *s, const char *items)
{
	return model_has(s, MODEL_STINGY) &&
	       strstr(items, "BODY.PEEK[1]") != NULL &&
	       s->model->parts++ % 4 == 0;
}

/* BODY.PEEK[n]<0.len>, or all of it. */
static void
add_part(const struct model_session *s, struct buf *out, const char *text,
    const char *item)
{
	unsigned number = 0;
	size_t most = SIZE_MAX;
	int words = sscanf(item, "BODY.PEEK[%u]<0.%zu>", &number, &most);

	if (words < 1 || (words == 2 && model_has(s, MODEL_WHOLE_PARTS)))
		return;
	if (words == 1) {
		struct span whole = content_of(find_part(text, number));
		model_put(out, " BODY[", number);
		model_put(out, "] {", whole.len);
		buf_add_str(out, "}\r\n");
		buf_add_span(out, whole);
		return;
	}
	struct span content =
	    span_slice(content_of(find_part(text, number)), 0, most);
	model_put(out, " BODY[", number);
	model_put(out, "]<0> {", content.len);
	buf_add_str(out, "}\r\n");
	buf_add_span(out, content);
}

/* Anything that no grammar knows, before the answer. */
static void
say_nonsense(struct model_session *s, const struct model_message *message)
{
	static const char raw[] =
	    "* 1 FETCH (X-ODD \xff\x80\0raw FLAGS (\\Seen)\r\n";

	if (model_has(s, MODEL_RAW_BYTES))
		buf_add(&s->output, raw, sizeof(raw) - 1);
	if (model_has(s, MODEL_LITERALS))
		buf_add_str(&s->output, "* {4}\r\nFOO! {3}\r\nbar\r\n");
	if (model_has(s, MODEL_BAD_MODSEQ))
		buf_addf(&s->output, "* %zu FETCH (UID %u MODSEQ (-1))\r\n",
		    model_seq_of(s, message->uid), message->uid);
}

static void
add_structure_of(const struct model_session *s, struct buf *out,
    const struct model_message *message)
{
	static const struct {
		uint64_t trait;
		const char *text;
	} odd[] = {
	    {MODEL_NO_STRUCTURE, ""},
	    {MODEL_TORN_STRUCTURE, " BODYSTRUCTURE (\"text\" \"a\r\nb\")"},
	    {MODEL_BROKEN_STRUCTURE,
		" BODYSTRUCTURE (\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" -1 "
		"\"x\")"},
	    {MODEL_EMPTY_PART, " BODYSTRUCTURE (NIL NIL NIL NIL NIL NIL NIL)"},
	};

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		if (model_has(s, odd[i].trait)) {
			buf_add_str(out, odd[i].text);
			return;
		}
	add_structure(out, message->text);
}

static void
add_size(const struct model_session *s, struct buf *out, const char *text)
{
	if (model_has(s, MODEL_FLOAT_SIZE))
		buf_add_str(out, " RFC822.SIZE 9.37e+06");
	else
		model_put(out, " RFC822.SIZE ", strlen(text));
}

static void
add_quoted_names(struct buf *out, struct span section)
{
	struct span names = section, head, name;
	const char *blank = "(";

	span_split(&names, '(', &head);
	buf_add_span(out, head);
	if (names.data == NULL)
		return;
	names = span_slice(names, 0, names.len - 1);
	for (; span_split(&names, ' ', &name); blank = " ")
		buf_addf(out, "%s\"%.*s\"", blank, SPAN_FMT(name));
	buf_add_char(out, ')');
}

/* HEADER, or HEADER.FIELDS with names: all of the header, as for one who asked
 * for all that is in it. `item`: from BODY.PEEK[ on. */
static void
add_header(struct model_session *s, struct buf *out, const char *text,
    const char *item)
{
	struct span section = span_from_str(strchr(item, '[') + 1);
	size_t len = header_len(text);

	section = span_slice(section, 0, span_find(section, ']'));
	if (model_has(s, MODEL_ATOM_NAMES) &&
	    span_find(section, '"') != SIZE_MAX)
		s->over = true;
	buf_add_str(out, " BODY[");
	if (model_has(s, MODEL_QUOTED_NAMES))
		add_quoted_names(out, section);
	else
		buf_add_span(out, section);
	model_put(out, "] {", len);
	buf_add_str(out, "}\r\n");
	buf_add(out, text, len);
}

static void
add_date(struct buf *out, int64_t when_unix)
{
	char text[40];
	time_t when = when_unix != 0 ? when_unix : MODEL_CAME_UNIX;
	struct tm tm;

	gmtime_r(&when, &tm);
	strftime(text, sizeof(text), "%d-%b-%Y %H:%M:%S +0000", &tm);
	buf_add_str(out, " INTERNALDATE \"");
	buf_add_str(out, text);
	buf_add_char(out, '"');
}

/* What is asked for, read once for all messages of a command. */
struct asked {
	bool flags, modseq, date, size, msgid, emailid, labels, structure;
	const char *header; /* from BODY.PEEK[HEADER on; NULL: not */
	const char *whole, *part;
	bool rfc822;
};

/* Not RFC822.SIZE, nor another one of that family. */
static bool
wants_rfc822(const char *items)
{
	const char *at = items;

	while ((at = strstr(at, "RFC822")) != NULL && at[6] == '.')
		at += 6;
	return at != NULL;
}

static void
read_items(struct asked *asked, const char *items)
{
	*asked = (struct asked){
	    .flags = strstr(items, "FLAGS") != NULL,
	    .modseq = strstr(items, "MODSEQ") != NULL,
	    .date = strstr(items, "INTERNALDATE") != NULL,
	    .size = strstr(items, "RFC822.SIZE") != NULL,
	    .msgid = strstr(items, "X-GM-MSGID") != NULL,
	    .emailid = strstr(items, "EMAILID") != NULL,
	    .labels = strstr(items, "X-GM-LABELS") != NULL,
	    .structure = strstr(items, "BODYSTRUCTURE") != NULL,
	    .header = strstr(items, "BODY.PEEK[HEADER"),
	    .whole = strstr(items, "BODY.PEEK[]"),
	    .part = strstr(items, "BODY.PEEK["),
	    .rfc822 = wants_rfc822(items),
	};
}

/* What the server calls it, wherever it is. */
static void
add_identity(const struct model_session *s, struct buf *out,
    const struct model_message *message, const struct asked *asked)
{
	if (asked->msgid)
		model_put(
		    out, " X-GM-MSGID ", 1278455344230334866 + message->id);
	if (asked->emailid && !model_has(s, MODEL_LABELS)) {
		model_put(out, " EMAILID (M", message->id);
		buf_add_char(out, ')');
	}
}

/* The others that it is in; there is no label for All Mail. */
static void
add_labels(const struct model_session *s, struct buf *out, unsigned id)
{
	const char *blank = "";

	buf_add_str(out, " X-GM-LABELS (");
	LIST_EACH(pos, &s->model->mailboxes)
	{
		const struct model_mailbox *mailbox =
		    LIST_ITEM(pos, struct model_mailbox, link);
		if (mailbox == s->selected || mailbox->is_gone ||
		    model_is_for(mailbox, "\\All") ||
		    model_uid_of(mailbox, id) == 0)
			continue;
		buf_addf(out, "%s\"%s\"", blank,
		    strcmp(mailbox->name, "INBOX") == 0 ? "\\\\Inbox"
							: mailbox->name);
		blank = " ";
	}
	buf_add_char(out, ')');
}

static void
fetch_one(struct model_session *s, const struct model_message *message,
    const struct asked *asked)
{
	struct buf *out = &s->output;
	const char *text = message->text;

	say_nonsense(s, message);
	model_put(out, "* ", model_seq_of(s, message->uid));
	model_put(out, " FETCH (UID ", message->uid);
	if (asked->flags) {
		buf_add_char(out, ' ');
		model_add_flags(out, &message->flags);
	}
	if (model_counts(s) && asked->modseq) {
		model_put(out, " MODSEQ (", message->modseq);
		buf_add_char(out, ')');
	}
	if (model_attacks(s, MODEL_SPLIT, 50)) {
		model_put(out, ")\r\n* ", model_seq_of(s, message->uid));
		model_put(out, " FETCH (UID ", message->uid);
	}
	if (asked->date)
		add_date(out, message->came_unix);
	if (asked->size)
		add_size(s, out, text);
	add_identity(s, out, message, asked);
	if (asked->labels)
		add_labels(s, out, message->id);
	if (asked->structure)
		add_structure_of(s, out, message);
	if (asked->rfc822 && !model_has(s, MODEL_NO_RFC822))
		buf_addf(out, " RFC822 {%zu}\r\n%s", strlen(text), text);
	if (asked->header != NULL)
		add_header(s, out, text, asked->header);
	else if (asked->whole != NULL)
		buf_addf(out, " BODY[] {%zu}\r\n%s", strlen(text), text);
	else if (asked->part != NULL)
		add_part(s, out, text, asked->part);
	buf_add_str(out, ")\r\n");
}

static bool
is_beyond(const struct model_session *s, const char *set)
{
	return model_has(s, MODEL_BEYOND_HANGS) && set[0] != '*' &&
	       strtoul(set, NULL, 10) >= s->selected->uidnext;
}

static void
fetch_if_asked(struct model_session *s, const struct asked *asked,
    const struct model_set *set, unsigned since, size_t i)
{
	const struct model_message *message = &s->selected->messages[i];

	if (!model_set_has(set, message->uid) || message->modseq <= since)
		return;
	model_echo(s, message);
	fetch_one(s, message, asked);
	if (model_attacks(s, MODEL_TWICE, 30))
		fetch_one(s, message, asked);
	model_echo(s, message);
}

/* Upwards, with whatever happens meanwhile. */
static bool
fetch_under_attack(struct model_session *s, const struct command *c,
    const struct asked *asked, const struct model_set *set, unsigned since)
{
	size_t i = model_set_begin(set, s->selected);
	size_t left = model_tear(s, c, s->selected->count - i);
	bool is_torn = left != SIZE_MAX;

	while (i < s->selected->count && left-- > 0) {
		uint32_t uid = s->selected->messages[i].uid;
		fetch_if_asked(s, asked, set, since, i);
		model_midway(s);
		i = model_lower_bound(s->selected, uid + 1);
	}
	if (is_torn)
		model_end_torn(s, c);
	return !is_torn;
}

/* Upwards; or every other one, and then the others downwards. False: it was
 * answered. */
static bool
fetch_all(struct model_session *s, const struct command *c,
    const struct model_set *set, unsigned since)
{
	size_t first = model_set_begin(set, s->selected);
	size_t step = s->model->any_order ? 2 : 1;
	struct asked asked;

	read_items(
	    &asked, since != 0 ? "UID FLAGS MODSEQ" : c->arguments.items[2]);
	if (s->model->attacks != 0 && !s->model->any_order)
		return fetch_under_attack(s, c, &asked, set, since);
	for (size_t i = first; i < s->selected->count; i += step)
		fetch_if_asked(s, &asked, set, since, i);
	if (!s->model->any_order)
		return true;
	for (size_t i = s->selected->count; i > first; i--)
		if ((i - 1 - first) % 2 != 0)
			fetch_if_asked(s, &asked, set, since, i - 1);
	return true;
}

void
model_uid_fetch(struct model_session *s, const struct command *c)
{
	struct model_set set;
	unsigned since = 0;

	if (is_beyond(s, c->arguments.items[1]))
		return;
	if (model_has(s, MODEL_STRUCTURE_IS_BAD) &&
	    strstr(c->arguments.items[2], "BODYSTRUCTURE") != NULL) {
		model_say(s, c, "BAD what");
		return;
	}
	if (c->arguments.len > 3 && !model_counts(s)) {
		model_say(s, c, "BAD what");
		return;
	}
	if (model_has(s, MODEL_CHATTY))
		buf_add_str(&s->output, "* OK [HIGHESTMODSEQ 5]\r\n");
	model_tell_news(s);
	if (is_refused_part(s, c->arguments.items[2])) {
		model_say(s, c, "NO [SERVERBUG] cannot");
		return;
	}
	model_read_set(&set, s, c->arguments.items[1]);
	if (c->arguments.len > 3)
		since =
		    model_read_modifier(c->arguments.items[3], "CHANGEDSINCE");
	if (since != 0 && strstr(c->arguments.items[3], "VANISHED") != NULL)
		model_say_vanished(s, &set, since);
	if (fetch_all(s, c, &set, since))
		model_say(s, c, "OK fetched");
}
