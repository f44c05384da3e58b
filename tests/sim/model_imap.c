#include "tests/sim/model_imap.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/xalloc.h"
#include "daemon/wire/imap/seqset.h"

#define ARGUMENTS_MAX 64
#define TOLD_MAX 100 /* mailboxes that NOTIFY tells of */
#define OVERFLOW_EVERY 50

struct model_session {
	struct model *model;
	struct model_mailbox *selected;
	bool read_only, logged_in, idle, over;
	uint32_t view_validity;
	unsigned view_changes; /* of the mailbox, as the client was told */
	uint32_t *view;	       /* UIDs, the same */
	size_t view_count, view_cap;
	struct buf input, output;
	bool notify;
	struct {
		struct model_mailbox *mailbox;
		uint32_t uidnext;
	} told[TOLD_MAX];
	size_t told_count;
	char idle_tag[32];
};

/* ---- the mail ---- */

static const char *
sample_date(void)
{
	return "17-Nov-2026 10:00:00 +0000";
}

void
model_init(struct model *model, unsigned traits)
{
	*model = (struct model){.traits = traits};
	list_init(&model->mailboxes);
	model_add(model, "INBOX");
}

static void
message_done(struct model_message *message)
{
	strv_done(&message->flags);
	free(message->text);
}

static void
empty(struct model_mailbox *mailbox)
{
	for (size_t i = 0; i < mailbox->count; i++)
		message_done(&mailbox->messages[i]);
	mailbox->count = 0;
	mailbox->changes++;
}

void
model_done(struct model *model)
{
	LIST_EACH(pos, &model->mailboxes)
	{
		struct model_mailbox *mailbox =
		    LIST_ITEM(pos, struct model_mailbox, link);
		empty(mailbox);
		free(mailbox->messages);
		free(mailbox->name);
		free(mailbox);
	}
	list_init(&model->mailboxes);
}

struct model_mailbox *
model_find(struct model *model, const char *name)
{
	LIST_EACH(pos, &model->mailboxes)
	{
		struct model_mailbox *mailbox =
		    LIST_ITEM(pos, struct model_mailbox, link);
		if (!mailbox->is_gone && strcmp(mailbox->name, name) == 0)
			return mailbox;
	}
	return NULL;
}

struct model_mailbox *
model_add(struct model *model, const char *name)
{
	struct model_mailbox *mailbox = NEW(struct model_mailbox);

	mailbox->name = xstrdup(name);
	mailbox->uidvalidity = 1000;
	LIST_EACH(pos, &model->mailboxes)
	mailbox->uidvalidity +=
	    strcmp(LIST_ITEM(pos, struct model_mailbox, link)->name, name) == 0;
	mailbox->uidnext = 1;
	list_add(&model->mailboxes, &mailbox->link);
	return mailbox;
}

static struct model_message *
append(struct model_mailbox *mailbox, unsigned id, const char *text)
{
	if (mailbox->count == mailbox->cap) {
		mailbox->cap = mailbox->cap ? mailbox->cap * 2 : 16;
		mailbox->messages = xreallocarray(mailbox->messages,
		    mailbox->cap, sizeof(*mailbox->messages));
	}
	struct model_message *message = &mailbox->messages[mailbox->count++];
	mailbox->changes++;
	*message = (struct model_message){
	    .uid = mailbox->uidnext++, .id = id, .text = xstrdup(text)};
	return message;
}

uint32_t
model_deliver(
    struct model *model, const char *mailbox, unsigned id, const char *text)
{
	return append(model_find(model, mailbox), id, text)->uid;
}

/* The first one that has this UID or a higher one. */
static size_t
lower_bound(const struct model_mailbox *mailbox, uint32_t uid)
{
	size_t low = 0, high = mailbox->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (mailbox->messages[middle].uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
has_uid(const struct model_mailbox *mailbox, uint32_t uid)
{
	size_t i = lower_bound(mailbox, uid);

	return i < mailbox->count && mailbox->messages[i].uid == uid;
}

static void
remove_at(struct model_mailbox *mailbox, size_t i)
{
	message_done(&mailbox->messages[i]);
	memmove(&mailbox->messages[i], &mailbox->messages[i + 1],
	    (mailbox->count - i - 1) * sizeof(*mailbox->messages));
	mailbox->count--;
	mailbox->changes++;
}

unsigned
model_count(struct model *model, const char *name, unsigned id, bool deleted)
{
	struct model_mailbox *mailbox = model_find(model, name);
	unsigned count = 0;

	for (size_t i = 0; mailbox != NULL && i < mailbox->count; i++)
		count += mailbox->messages[i].id == id &&
			 strv_has(&mailbox->messages[i].flags, "\\Deleted") ==
			     deleted;
	return count;
}

void
model_remove(struct model *model, const char *name, unsigned id)
{
	struct model_mailbox *mailbox = model_find(model, name);

	for (size_t i = mailbox->count; i-- > 0;)
		if (mailbox->messages[i].id == id)
			remove_at(mailbox, i);
}

bool
model_has_flag(
    struct model *model, const char *name, unsigned id, const char *flag)
{
	struct model_mailbox *mailbox = model_find(model, name);

	for (size_t i = 0; i < mailbox->count; i++)
		if (mailbox->messages[i].id == id &&
		    strv_has(&mailbox->messages[i].flags, flag))
			return true;
	return false;
}

void
model_delete(struct model *model, const char *name)
{
	struct model_mailbox *mailbox = model_find(model, name);

	mailbox->is_gone = true;
	mailbox->uidvalidity++; /* open ones notice */
	empty(mailbox);
}

void
model_rebuild(struct model *model, const char *name)
{
	struct model_mailbox *mailbox = model_find(model, name);

	mailbox->uidvalidity++;
	mailbox->uidnext = 1;
	mailbox->changes++;
	for (size_t i = 0; i < mailbox->count; i++)
		mailbox->messages[i].uid = mailbox->uidnext++;
}

/* ---- sessions ---- */

struct model_session *
model_session_new(struct model *model)
{
	struct model_session *s = NEW(struct model_session);

	s->model = model;
	buf_add_str(&s->output, "* OK model ready\r\n");
	return s;
}

void
model_session_free(struct model_session **session)
{
	if (*session == NULL)
		return;
	(*session)->model->logged_in -= (*session)->logged_in;
	free((*session)->view);
	buf_done(&(*session)->input);
	buf_done(&(*session)->output);
	free(*session);
	*session = NULL;
}

struct buf *
model_session_output(struct model_session *s)
{
	return &s->output;
}

bool
model_session_is_over(const struct model_session *s)
{
	return s->over;
}

void
model_session_bye(struct model_session *s)
{
	buf_add_str(&s->output, "* BYE shutting down\r\n");
	s->over = true;
}

static bool
has(const struct model_session *s, enum model_trait trait)
{
	return (s->model->traits & (unsigned)trait) != 0;
}

static void
capabilities(const struct model_session *s, struct buf *out)
{
	static const struct {
		enum model_trait trait;
		const char *name;
	} names[] = {
	    {MODEL_MOVE, "MOVE"},
	    {MODEL_UIDPLUS, "UIDPLUS"},
	    {MODEL_IDLE, "IDLE"},
	    {MODEL_NAMESPACE, "NAMESPACE"},
	};

	buf_add_str(out, "CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR ID");
	if (s->model->notifies)
		buf_add_str(out, " NOTIFY");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (has(s, names[i].trait))
			buf_addf(out, " %s", names[i].name);
}

static void
tell_gone(struct model_session *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->view_count; i++) {
		if (has_uid(s->selected, s->view[i]))
			s->view[kept++] = s->view[i];
		else
			buf_addf(&s->output, "* %zu EXPUNGE\r\n", kept + 1);
	}
	s->view_count = kept;
}

static void
add_to_view(struct model_session *s, uint32_t uid)
{
	if (s->view_count == s->view_cap) {
		s->view_cap = s->view_cap ? s->view_cap * 2 : 64;
		s->view = xreallocarray(s->view, s->view_cap, sizeof(*s->view));
	}
	s->view[s->view_count++] = uid;
}

static void
tell_new(struct model_session *s)
{
	size_t before = s->view_count;
	uint32_t last = before > 0 ? s->view[before - 1] : 0;

	for (size_t i = lower_bound(s->selected, last + 1);
	     i < s->selected->count; i++)
		add_to_view(s, s->selected->messages[i].uid);
	if (s->view_count > before)
		buf_addf(&s->output, "* %zu EXISTS\r\n* 1 RECENT\r\n",
		    s->view_count);
}

/* Brings the client's view up to date: EXPUNGE for what went, EXISTS for
 * what came. */
static void
tell_news(struct model_session *s)
{
	if (s->selected == NULL || s->view_changes == s->selected->changes)
		return;
	if (s->view_validity != s->selected->uidvalidity) {
		model_session_bye(s); /* rebuilt under its feet */
		return;
	}
	tell_gone(s);
	tell_new(s);
	s->view_changes = s->selected->changes;
}

static void
push_status(struct model_session *s, const struct model_mailbox *mailbox)
{
	buf_addf(&s->output,
	    "* STATUS \"%s\" (UIDNEXT %u UIDVALIDITY %u MESSAGES %zu)\r\n",
	    mailbox->name, mailbox->uidnext, mailbox->uidvalidity,
	    mailbox->count);
	if (++s->model->pushes % OVERFLOW_EVERY == 0) {
		s->notify = false;
		buf_add_str(
		    &s->output, "* OK [NOTIFICATIONOVERFLOW] enough\r\n");
	}
}

/* RFC 5465: what happened in mailboxes that are not open. */
static void
tell_of_others(struct model_session *s)
{
	size_t i = 0;

	if (!s->notify)
		return;
	LIST_EACH(pos, &s->model->mailboxes)
	{
		struct model_mailbox *mailbox =
		    LIST_ITEM(pos, struct model_mailbox, link);
		if (i == TOLD_MAX)
			break;
		if (i == s->told_count) { /* it was made meanwhile */
			s->told_count++;
			s->told[i].mailbox = mailbox;
			s->told[i].uidnext = mailbox->uidnext;
			buf_addf(&s->output, "* LIST () \"/\" \"%s\"\r\n",
			    mailbox->name);
		}
		if (mailbox != s->selected && !mailbox->is_gone &&
		    s->told[i].uidnext != mailbox->uidnext && s->notify)
			push_status(s, mailbox);
		s->told[i].uidnext = mailbox->uidnext;
		i++;
	}
}

void
model_session_poll(struct model_session *s)
{
	if (s->idle)
		tell_of_others(s);
	if (s->idle && !has(s, MODEL_SILENT_IDLE))
		tell_news(s);
}

static size_t
seq_of(const struct model_session *s, uint32_t uid)
{
	size_t low = 0, high = s->view_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (s->view[middle] < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->view_count && s->view[low] == uid ? low + 1 : 0;
}

/* One parsed command: tag, name in capitals, arguments as strings; lists and
 * sections stay as they were written. */
struct command {
	char tag[32];
	char name[32];
	struct strv arguments;
};

static void
say(struct model_session *s, const struct command *c, const char *text)
{
	buf_addf(&s->output, "%s %s\r\n", c->tag, text);
}

static void
do_capability(struct model_session *s, const struct command *c)
{
	buf_add_str(&s->output, "* ");
	capabilities(s, &s->output);
	buf_add_str(&s->output, "\r\n");
	say(s, c, "OK done");
}

static void
do_login(struct model_session *s, const struct command *c)
{
	s->model->logins++;
	if (s->model->refuse_logins) {
		say(s, c, "NO [AUTHENTICATIONFAILED] wrong");
		return;
	}
	if (s->model->logins_max != 0 &&
	    s->model->logged_in >= s->model->logins_max) {
		say(s, c, "NO [LIMIT] too many connections");
		return;
	}
	s->model->logged_in += !s->logged_in;
	s->logged_in = true;
	buf_addf(&s->output, "%s OK [", c->tag);
	capabilities(s, &s->output);
	buf_add_str(&s->output, "] welcome\r\n");
}

static void
do_ok(struct model_session *s, const struct command *c)
{
	say(s, c, "OK done");
}

static void
do_namespace(struct model_session *s, const struct command *c)
{
	buf_add_str(
	    &s->output, has(s, MODEL_DOT_PREFIX)
			    ? "* NAMESPACE ((\"INBOX.\" \".\")) NIL NIL\r\n"
			    : "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
	say(s, c, "OK done");
}

static void
do_list(struct model_session *s, const struct command *c)
{
	const char *delimiter = has(s, MODEL_DOT_PREFIX) ? "." : "/";

	LIST_EACH(pos, &s->model->mailboxes)
	{
		struct model_mailbox *mailbox =
		    LIST_ITEM(pos, struct model_mailbox, link);
		if (mailbox->is_gone)
			continue;
		buf_addf(&s->output,
		    "* LIST (\\HasNoChildren) \"%s\" \"%s\"\r\n", delimiter,
		    mailbox->name);
	}
	say(s, c, "OK done");
}

static void
open_mailbox(struct model_session *s, const struct command *c, bool read_only)
{
	const char *name = c->arguments.len > 0 ? c->arguments.items[0] : "";

	s->selected = model_find(s->model, name);
	s->read_only = read_only;
	s->view_count = 0;
	if (s->selected == NULL) {
		say(s, c, "NO [NONEXISTENT] no such mailbox");
		return;
	}
	s->view_validity = s->selected->uidvalidity;
	s->view_changes = s->selected->changes - 1;
	buf_addf(&s->output,
	    "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n"
	    "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen "
	    "\\Draft \\*)] kept\r\n"
	    "* 0 EXISTS\r\n* 0 RECENT\r\n"
	    "* OK [UIDVALIDITY %u] valid\r\n",
	    s->selected->uidvalidity);
	tell_news(s);
	if (!has(s, MODEL_NO_UIDNEXT))
		buf_addf(&s->output, "* OK [UIDNEXT %u] next\r\n",
		    s->selected->uidnext);
	say(s, c, read_only ? "OK [READ-ONLY] open" : "OK [READ-WRITE] open");
}

static void
do_select(struct model_session *s, const struct command *c)
{
	open_mailbox(s, c, false);
}

static void
do_examine(struct model_session *s, const struct command *c)
{
	open_mailbox(s, c, true);
}

static void
do_create(struct model_session *s, const struct command *c)
{
	if (model_find(s->model, c->arguments.items[0]) != NULL) {
		say(s, c, "NO [ALREADYEXISTS] it is there");
		return;
	}
	model_add(s->model, c->arguments.items[0]);
	say(s, c, "OK made");
}

static void
do_status(struct model_session *s, const struct command *c)
{
	struct model_mailbox *mailbox =
	    model_find(s->model, c->arguments.items[0]);

	if (mailbox == NULL) {
		say(s, c, "NO [NONEXISTENT] no such mailbox");
		return;
	}
	buf_addf(&s->output,
	    "* STATUS \"%s\" (UIDNEXT %u UIDVALIDITY %u MESSAGES %zu)\r\n",
	    mailbox->name, mailbox->uidnext, mailbox->uidvalidity,
	    mailbox->count);
	say(s, c, "OK done");
}

static void
do_noop(struct model_session *s, const struct command *c)
{
	tell_news(s);
	say(s, c, "OK done");
}

static void
do_idle(struct model_session *s, const struct command *c)
{
	snprintf(s->idle_tag, sizeof(s->idle_tag), "%s", c->tag);
	s->idle = true;
	if (has(s, MODEL_CHATTY))
		tell_news(s); /* before the "+", as Exchange does */
	buf_add_str(&s->output, "+ idling\r\n");
	model_session_poll(s);
}

static void
do_notify(struct model_session *s, const struct command *c)
{
	if (!s->model->notifies) {
		say(s, c, "BAD unknown command");
		return;
	}
	s->notify = true;
	s->told_count = 0;
	LIST_EACH(pos, &s->model->mailboxes)
	{
		struct model_mailbox *mailbox =
		    LIST_ITEM(pos, struct model_mailbox, link);
		if (s->told_count == TOLD_MAX)
			break;
		s->told[s->told_count].mailbox = mailbox;
		s->told[s->told_count++].uidnext = mailbox->uidnext;
		if (mailbox != s->selected && !mailbox->is_gone && s->notify)
			push_status(s, mailbox);
	}
	say(s, c, "OK notified");
}

static void
do_logout(struct model_session *s, const struct command *c)
{
	model_session_bye(s);
	say(s, c, "OK bye");
}

/* ---- UID commands ---- */

#define RANGES_MAX 600

/* UIDs, as a command gives them: "3:7,9", "5:*", "*". */
struct set {
	struct {
		uint32_t low, high;
	} ranges[RANGES_MAX];
	size_t count;
};

static uint32_t
read_uid(struct span text, uint32_t last)
{
	uint32_t uid = last; /* of what is no number, too */

	span_to_u32(text, &uid);
	return uid;
}

/* Against the mailbox as it is now. */
static void
read_set(struct set *set, const struct model_mailbox *mailbox, const char *text)
{
	uint32_t max =
	    mailbox->count > 0 ? mailbox->messages[mailbox->count - 1].uid : 0;
	struct span rest = span_from_str(text), range;

	set->count = 0;
	while (set->count < RANGES_MAX && span_split(&rest, ',', &range)) {
		struct span first, last = range;
		span_split(&last, ':', &first);
		uint32_t a = read_uid(first, max);
		uint32_t b = last.data != NULL ? read_uid(last, max) : a;
		set->ranges[set->count].low = a < b ? a : b;
		set->ranges[set->count++].high = a < b ? b : a;
	}
}

static bool
set_has(const struct set *set, uint32_t uid)
{
	for (size_t i = 0; i < set->count; i++)
		if (uid >= set->ranges[i].low && uid <= set->ranges[i].high)
			return true;
	return false;
}

/* Where one may look for its members. */
static size_t
set_begin(const struct set *set, const struct model_mailbox *mailbox)
{
	uint32_t low = UINT32_MAX;

	for (size_t i = 0; i < set->count; i++)
		if (set->ranges[i].low < low)
			low = set->ranges[i].low;
	return lower_bound(mailbox, low);
}

static void
add_flags(struct buf *out, const struct strv *flags)
{
	STR_AUTO joined = strv_join(flags, " ");

	buf_addf(out, "FLAGS (%s)", joined);
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
		if (i == 1)
			buf_addf(out,
			    "(\"text\" \"plain\" NIL NIL NIL \"7bit\" %zu 1)",
			    len);
		else
			buf_addf(out,
			    "(\"application\" \"pdf\" (\"name\" "
			    "\"report.pdf\") NIL NIL \"base64\" %zu NIL "
			    "(\"attachment\" (\"filename\" \"report.pdf\")))",
			    len);
	}
	if (count > 1)
		buf_add_str(out, " \"mixed\")");
}

static bool
is_refused_part(struct model_session *s, const char *items)
{
	return has(s, MODEL_STINGY) && strstr(items, "BODY.PEEK[1]") != NULL &&
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

	if (words < 1 || (words == 2 && has(s, MODEL_WHOLE_PARTS)))
		return;
	if (words == 1) {
		struct span whole = content_of(find_part(text, number));
		buf_addf(out, " BODY[%u] {%zu}\r\n", number, whole.len);
		buf_add_span(out, whole);
		return;
	}
	struct span content =
	    span_slice(content_of(find_part(text, number)), 0, most);
	buf_addf(out, " BODY[%u]<0> {%zu}\r\n", number, content.len);
	buf_add_span(out, content);
}

static void
fetch_one(struct model_session *s, const struct model_message *message,
    const char *items)
{
	struct buf *out = &s->output;

	buf_addf(
	    out, "* %zu FETCH (UID %u", seq_of(s, message->uid), message->uid);
	if (strstr(items, "FLAGS") != NULL) {
		buf_add_char(out, ' ');
		add_flags(out, &message->flags);
	}
	if (strstr(items, "INTERNALDATE") != NULL)
		buf_addf(out, " INTERNALDATE \"%s\"", sample_date());
	if (strstr(items, "RFC822.SIZE") != NULL)
		buf_addf(out, " RFC822.SIZE %zu", strlen(message->text));
	if (strstr(items, "BODYSTRUCTURE") == NULL ||
	    has(s, MODEL_NO_STRUCTURE))
		; /* says nothing of it */
	else if (has(s, MODEL_TORN_STRUCTURE))
		buf_add_str(out, " BODYSTRUCTURE (\"text\" \"a\r\nb\")");
	else
		add_structure(out, message->text);
	const char *header = strstr(items, "BODY.PEEK[HEADER");
	size_t len = header_len(message->text);
	if (header != NULL) {
		const char *end = strchr(header, ']');
		buf_addf(out, " BODY%.*s] {%zu}\r\n%.*s",
		    (int)(end - header - 9), header + 9, len, (int)len,
		    message->text);
	} else if (strstr(items, "BODY.PEEK[]") != NULL) {
		buf_addf(out, " BODY[] {%zu}\r\n%s", strlen(message->text),
		    message->text);
	} else if (strstr(items, "BODY.PEEK[") != NULL) {
		add_part(s, out, message->text, strstr(items, "BODY.PEEK["));
	}
	buf_add_str(out, ")\r\n");
}

static bool
is_beyond(const struct model_session *s, const char *set)
{
	return has(s, MODEL_BEYOND_HANGS) && set[0] != '*' &&
	       strtoul(set, NULL, 10) >= s->selected->uidnext;
}

static void
uid_fetch(struct model_session *s, const struct command *c)
{
	struct set set;

	if (is_beyond(s, c->arguments.items[1]))
		return;
	if (has(s, MODEL_STRUCTURE_IS_BAD) &&
	    strstr(c->arguments.items[2], "BODYSTRUCTURE") != NULL) {
		say(s, c, "BAD what");
		return;
	}
	if (has(s, MODEL_CHATTY))
		buf_add_str(&s->output, "* OK [HIGHESTMODSEQ 5]\r\n");
	tell_news(s);
	if (is_refused_part(s, c->arguments.items[2])) {
		say(s, c, "NO [SERVERBUG] cannot");
		return;
	}
	read_set(&set, s->selected, c->arguments.items[1]);
	for (size_t i = set_begin(&set, s->selected); i < s->selected->count;
	     i++)
		if (set_has(&set, s->selected->messages[i].uid))
			fetch_one(s, &s->selected->messages[i],
			    c->arguments.items[2]);
	say(s, c, "OK fetched");
}

static void
store_flag(struct model_message *message, bool add, struct span flag)
{
	STR_AUTO name = xstrdup_span(flag);

	if (add && !strv_has(&message->flags, name))
		strv_add(&message->flags, name);
	if (add)
		return;
	struct strv kept = STRV_INIT;
	for (size_t i = 0; i < message->flags.len; i++)
		if (strcmp(message->flags.items[i], name) != 0)
			strv_add(&kept, message->flags.items[i]);
	strv_done(&message->flags);
	message->flags = kept;
}

static void
uid_store(struct model_session *s, const struct command *c)
{
	bool add = c->arguments.items[2][0] == '+';
	struct set set;

	read_set(&set, s->selected, c->arguments.items[1]);
	for (size_t i = 0; i < s->selected->count; i++) {
		struct model_message *message = &s->selected->messages[i];
		if (!set_has(&set, message->uid))
			continue;
		struct span list = span_from_str(c->arguments.items[3]), flag;
		list = span_slice(list, 1, list.len - 2);
		while (span_split(&list, ' ', &flag))
			store_flag(message, add, flag);
		if (has(s, MODEL_CHATTY)) {
			buf_addf(&s->output, "* %zu FETCH (",
			    seq_of(s, message->uid));
			add_flags(&s->output, &message->flags);
			buf_add_str(&s->output, ")\r\n");
		}
	}
	say(s, c, "OK stored");
}

/* Copies; the code is left in `code`. False: it answered NO. */
static bool
copy_set(struct model_session *s, const struct command *c, struct buf *code)
{
	struct model_mailbox *target =
	    model_find(s->model, c->arguments.items[2]);
	struct imap_seqset from = IMAP_SEQSET_INIT, to = IMAP_SEQSET_INIT;
	struct set set;

	if (target == NULL) {
		say(s, c, "NO [TRYCREATE] no such mailbox");
		return false;
	}
	if (s->model->overquota) {
		say(s, c, "NO [OVERQUOTA] full");
		return false;
	}
	size_t count = s->selected->count;
	read_set(&set, s->selected, c->arguments.items[1]);
	for (size_t i = 0; i < count; i++) {
		struct model_message *message = &s->selected->messages[i];
		if (!set_has(&set, message->uid))
			continue;
		struct model_message *copy =
		    append(target, message->id, message->text);
		message = &s->selected->messages[i];
		strv_copy(&copy->flags, &message->flags);
		imap_seqset_add(&from, message->uid);
		imap_seqset_add(&to, copy->uid);
	}
	if (from.count > 0 && has(s, MODEL_UIDPLUS) &&
	    !has(s, MODEL_NO_COPYUID)) {
		buf_addf(code, "[COPYUID %u ", target->uidvalidity);
		imap_seqset_format(code, &from);
		buf_add_char(code, ' ');
		imap_seqset_format(code, &to);
		buf_add_str(code, "]");
	}
	imap_seqset_done(&from);
	imap_seqset_done(&to);
	return true;
}

static void
uid_copy(struct model_session *s, const struct command *c)
{
	BUF_AUTO code = BUF_INIT;

	if (copy_set(s, c, &code))
		buf_addf(
		    &s->output, "%s OK %s copied\r\n", c->tag, buf_str(&code));
}

static void
expunge_set(struct model_session *s, const char *text, bool only_deleted)
{
	struct set set;

	read_set(&set, s->selected, text);
	for (size_t i = s->selected->count; i-- > 0;) {
		struct model_message *message = &s->selected->messages[i];
		if (set_has(&set, message->uid) &&
		    (!only_deleted || strv_has(&message->flags, "\\Deleted")))
			remove_at(s->selected, i);
	}
}

static void
uid_move(struct model_session *s, const struct command *c)
{
	BUF_AUTO code = BUF_INIT;

	if (!has(s, MODEL_MOVE)) {
		say(s, c, "BAD unknown command");
		return;
	}
	if (has(s, MODEL_LAX_MOVE) && s->model->moves++ % 3 == 0) {
		say(s, c, "OK done, or so it seems");
		return;
	}
	if (!copy_set(s, c, &code))
		return;
	if (code.len > 0)
		buf_addf(&s->output,
		    has(s, MODEL_BARE_COPYUID) ? "%s\r\n" : "* OK %s\r\n",
		    buf_str(&code));
	expunge_set(s, c->arguments.items[1], false);
	tell_news(s);
	say(s, c, "OK moved");
}

static void
uid_expunge(struct model_session *s, const struct command *c)
{
	if (!has(s, MODEL_UIDPLUS)) {
		say(s, c, "BAD unknown command");
		return;
	}
	expunge_set(s, c->arguments.items[1], true);
	tell_news(s);
	say(s, c, "OK gone");
}

/* UID SEARCH [UID set] [LARGER n SMALLER m] [HEADER Message-ID x] */
static bool
is_found(const struct set *set, const struct model_message *message,
    const struct command *c)
{
	size_t size = strlen(message->text);

	for (size_t i = 1; i + 1 < c->arguments.len; i++) {
		const char *word = c->arguments.items[i];
		size_t number = strtoul(c->arguments.items[i + 1], NULL, 10);
		if (strcmp(word, "UID") == 0 && !set_has(set, message->uid))
			return false;
		if (strcmp(word, "LARGER") == 0 && size <= number)
			return false;
		if (strcmp(word, "SMALLER") == 0 && size >= number)
			return false;
		if (strcmp(word, "HEADER") == 0 && i + 2 < c->arguments.len &&
		    strstr(message->text, c->arguments.items[i + 2]) == NULL)
			return false;
	}
	return true;
}

static void
uid_search(struct model_session *s, const struct command *c)
{
	struct set set = {.count = 0};

	for (size_t i = 1; i + 1 < c->arguments.len; i++)
		if (strcmp(c->arguments.items[i], "UID") == 0)
			read_set(&set, s->selected, c->arguments.items[i + 1]);
	buf_add_str(&s->output, "* SEARCH");
	for (size_t i = 0; i < s->selected->count; i++)
		if (is_found(&set, &s->selected->messages[i], c))
			buf_addf(
			    &s->output, " %u", s->selected->messages[i].uid);
	buf_add_str(&s->output, "\r\n");
	say(s, c, "OK searched");
}

static const struct {
	const char *name;
	void (*run)(struct model_session *, const struct command *);
	size_t arguments;
} uid_commands[] = {
    {"FETCH", uid_fetch, 3},
    {"STORE", uid_store, 4},
    {"COPY", uid_copy, 3},
    {"MOVE", uid_move, 3},
    {"EXPUNGE", uid_expunge, 2},
    {"SEARCH", uid_search, 2},
};

static void
do_uid(struct model_session *s, const struct command *c)
{
	for (size_t i = 0; i < sizeof(uid_commands) / sizeof(uid_commands[0]);
	     i++) {
		if (c->arguments.len < uid_commands[i].arguments ||
		    strcmp(c->arguments.items[0], uid_commands[i].name) != 0)
			continue;
		if (s->selected == NULL)
			say(s, c, "BAD no mailbox is selected");
		else
			uid_commands[i].run(s, c);
		return;
	}
	say(s, c, "BAD unknown UID command");
}

static const struct {
	const char *name;
	void (*run)(struct model_session *, const struct command *);
	bool before_login;
} commands[] = {
    {"CAPABILITY", do_capability, true},
    {"LOGIN", do_login, true},
    {"AUTHENTICATE", do_login, true},
    {"ID", do_ok, true},
    {"NOOP", do_noop, true},
    {"LOGOUT", do_logout, true},
    {"NAMESPACE", do_namespace, false},
    {"LIST", do_list, false},
    {"SELECT", do_select, false},
    {"EXAMINE", do_examine, false},
    {"CREATE", do_create, false},
    {"STATUS", do_status, false},
    {"IDLE", do_idle, false},
    {"NOTIFY", do_notify, false},
    {"UID", do_uid, false},
};

static void
run(struct model_session *s, const struct command *c)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(c->name, commands[i].name) != 0)
			continue;
		if (!s->logged_in && !commands[i].before_login)
			break;
		commands[i].run(s, c);
		return;
	}
	say(s, c, "BAD unknown command");
}

/* ---- reading commands ---- */

/* The end of one argument that starts at `i`: a quoted string, a list with
 * its parentheses, or up to the next blank. */
static size_t
argument_end(struct span line, size_t i)
{
	unsigned depth = 0;
	bool quoted = false;

	for (; i < line.len; i++) {
		char c = line.data[i];
		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '(' || c == '['))
			depth++;
		else if (!quoted && (c == ')' || c == ']'))
			depth--;
		else if (!quoted && depth == 0 && c == ' ')
			break;
	}
	return i;
}

static void
add_argument(struct command *c, struct span text)
{
	BUF_AUTO plain = BUF_INIT;

	if (text.len < 2 || text.data[0] != '"') {
		strv_add_span(&c->arguments, text);
		return;
	}
	for (size_t i = 1; i + 1 < text.len; i++) {
		if (text.data[i] == '\\' && i + 2 < text.len)
			i++;
		buf_add_char(&plain, text.data[i]);
	}
	strv_add_span(&c->arguments, buf_span(&plain));
}

static void
parse(struct model_session *s, struct span line)
{
	struct command c = {.arguments = STRV_INIT};
	size_t at = 0, n = 0;

	while (at < line.len && n < ARGUMENTS_MAX) {
		size_t end = argument_end(line, at);
		struct span word = span_slice(line, at, end - at);
		if (n == 0)
			snprintf(c.tag, sizeof(c.tag), "%.*s", SPAN_FMT(word));
		else if (n == 1)
			snprintf(
			    c.name, sizeof(c.name), "%.*s", SPAN_FMT(word));
		else
			add_argument(&c, word);
		at = end + 1;
		n++;
	}
	run(s, &c);
	strv_done(&c.arguments);
}

static void
take_line(struct model_session *s, struct span line)
{
	if (!s->idle) {
		parse(s, line);
		return;
	}
	s->idle = false;
	if (!span_is(line, "DONE")) {
		buf_addf(&s->output, "%s BAD expected DONE\r\n", s->idle_tag);
		return;
	}
	if (has(s, MODEL_CHATTY))
		buf_add_str(&s->output, "* OK Still here\r\n");
	buf_addf(&s->output, "%s OK idle done\r\n", s->idle_tag);
}

void
model_session_feed(struct model_session *s, struct span bytes)
{
	buf_add_span(&s->input, bytes);
	for (;;) {
		struct span input = buf_span(&s->input);
		size_t end = span_find_span(input, SPAN("\r\n"), 0);
		if (end == SIZE_MAX || s->over)
			return;
		STR_AUTO line = xstrdup_span(span_slice(input, 0, end));
		buf_consume(&s->input, end + 2);
		take_line(s, span_from_str(line));
	}
}
