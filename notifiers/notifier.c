/*
 * notifier: one notification, and the text protocol of notifiers.
 */
#include "notifiers/notifier.h"

#include <assert.h>

#include "daemon/base/str.h"
#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))
#define PROTOCOL_VERSION 1

/* ---- Notifications ---- */

void
notification_init(struct notification *n)
{
	*n = (struct notification){.urgency = URGENCY_NORMAL};
}

void
notification_done(struct notification *n)
{
	free(n->account);
	free(n->mailbox);
	free(n->title);
	free(n->body);
	free(n->preview);
	free(n->sound);
	free(n->icon);
	free(n->message_id);
	free(n->url);
	free(n->actions);
	free(n->code);
	strv_done(&n->via);
	notification_init(n);
}

void
notification_copy(struct notification *dst, const struct notification *src)
{
	struct notification copy = {
	    .id = src->id,
	    .account = xstrdup(src->account),
	    .mailbox = xstrdup(src->mailbox),
	    .uidvalidity = src->uidvalidity,
	    .uid = src->uid,
	    .seq = src->seq,
	    .urgency = src->urgency,
	    .title = xstrdup(src->title),
	    .body = xstrdup(src->body),
	    .preview = xstrdup(src->preview),
	    .sound = xstrdup(src->sound),
	    .icon = xstrdup(src->icon),
	    .message_id = xstrdup(src->message_id),
	    .url = xstrdup(src->url),
	    .actions = xstrdup(src->actions),
	    .code = xstrdup(src->code),
	    .is_private = src->is_private,
	    .is_moved = src->is_moved,
	};

	strv_copy(&copy.via, &src->via);
	notification_done(dst);
	*dst = copy;
}

static void
sanitize(char **text, size_t max_chars)
{
	BUF_AUTO clean = BUF_INIT;

	str_sanitize(&clean, span_from_str(*text), max_chars);
	free(*text);
	*text = buf_take_str(&clean);
}

/* Half an address leads elsewhere. */
static void
sanitize_url(char **url)
{
	sanitize(url, SIZE_MAX);
	if (strlen(*url) > NOTIFICATION_URL_MAX)
		**url = '\0';
}

void
notification_copy_sanitized(
    struct notification *dst, const struct notification *src)
{
	notification_copy(dst, src);
	sanitize(&dst->account, NOTIFICATION_FIELD_MAX);
	sanitize(&dst->mailbox, NOTIFICATION_FIELD_MAX);
	sanitize(&dst->title, NOTIFICATION_TITLE_MAX);
	sanitize(&dst->body, NOTIFICATION_BODY_MAX);
	sanitize(&dst->preview, NOTIFICATION_PREVIEW_MAX);
	sanitize(&dst->sound, NOTIFICATION_FIELD_MAX);
	sanitize(&dst->icon, NOTIFICATION_FIELD_MAX);
	sanitize(&dst->message_id, NOTIFICATION_FIELD_MAX);
	sanitize_url(&dst->url);
	sanitize(&dst->actions, NOTIFICATION_FIELD_MAX);
	sanitize(&dst->code, NOTIFICATION_FIELD_MAX);
}

bool
notification_offers(const struct notification *n, const char *key)
{
	struct span rest = span_from_str(n->actions), one;

	while (span_split(&rest, ',', &one))
		if (span_is(one, key))
			return true;
	return false;
}

static const char *const urgency_names[] = {
    [URGENCY_LOW] = "low",
    [URGENCY_NORMAL] = "normal",
    [URGENCY_CRITICAL] = "critical",
};

const char *
urgency_name(enum urgency urgency)
{
	return urgency_names[urgency];
}

/* ---- The grammar ---- */

/*
 *   line    = verb *( HTAB field ) [CR] LF
 *   field   = name "=" value
 *   value   = *( character / "\\" / "\t" / "\r" / "\n" )
 *             ; characters are UTF-8 without C0, C1, DEL and the backslash
 */
static const char *const verbs[] = {
    [NOTIFIER_NOTIFY] = "notify",
    [NOTIFIER_CLOSE] = "close",
    [NOTIFIER_READY] = "ready",
    [NOTIFIER_SHOWN] = "shown",
    [NOTIFIER_FAILED] = "failed",
    [NOTIFIER_CLOSED] = "closed",
    [NOTIFIER_ACTION] = "action",
    [NOTIFIER_UNAVAILABLE] = "unavailable",
};
_Static_assert(LENGTH(verbs) == NOTIFIER_VERBS, "a name for each verb");

enum field_type {
	FIELD_VERSION, /* not kept: must be ours */
	FIELD_ID,      /* uint64_t, from 1, required */
	FIELD_NUMBER,  /* uint32_t */
	FIELD_URGENCY,
	FIELD_COUNT, /* uint32_t; left out when 0 */
	FIELD_FLAG,  /* bool; left out when false */
	FIELD_STRING,
};

#define IN(verb) (1u << NOTIFIER_##verb)
#define AT(member) offsetof(struct notifier_line, member)

static const struct field {
	const char *name;
	enum field_type type;
	unsigned verbs; /* that have it */
	size_t offset;
} fields[] = {
    /* clang-format off */
    {"version", FIELD_VERSION, IN(READY), 0},
    {"id", FIELD_ID, IN(NOTIFY) | IN(CLOSE) | IN(SHOWN) | IN(FAILED) |
	IN(CLOSED) | IN(ACTION), AT(n.id)},
    {"account", FIELD_STRING, IN(NOTIFY), AT(n.account)},
    {"mailbox", FIELD_STRING, IN(NOTIFY), AT(n.mailbox)},
    {"uidvalidity", FIELD_NUMBER, IN(NOTIFY), AT(n.uidvalidity)},
    {"uid", FIELD_NUMBER, IN(NOTIFY), AT(n.uid)},
    {"urgency", FIELD_URGENCY, IN(NOTIFY), AT(n.urgency)},
    {"title", FIELD_STRING, IN(NOTIFY), AT(n.title)},
    {"body", FIELD_STRING, IN(NOTIFY), AT(n.body)},
    {"preview", FIELD_STRING, IN(NOTIFY), AT(n.preview)},
    {"icon", FIELD_STRING, IN(NOTIFY), AT(n.icon)},
    {"sound", FIELD_STRING, IN(NOTIFY), AT(n.sound)},
    {"message-id", FIELD_STRING, IN(NOTIFY), AT(n.message_id)},
    {"url", FIELD_STRING, IN(NOTIFY), AT(n.url)},
    {"actions", FIELD_STRING, IN(NOTIFY), AT(n.actions)},
    {"reason", FIELD_STRING, IN(FAILED) | IN(CLOSED) | IN(UNAVAILABLE),
	AT(reason)},
    {"keeps", FIELD_FLAG, IN(UNAVAILABLE), AT(keeps)},
    {"key", FIELD_STRING, IN(ACTION), AT(key)},
    {"token", FIELD_STRING, IN(ACTION), AT(token)},
    {"capabilities", FIELD_STRING, IN(READY), AT(capabilities)},
    {"singles", FIELD_COUNT, IN(READY), AT(singles)},
    {"place", FIELD_STRING, IN(SHOWN) | IN(CLOSE) | IN(READY),
	AT(place)},
    /* clang-format on */
};
_Static_assert(LENGTH(fields) <= 32, "a bit for each field");

static const struct escape {
	char raw, letter;
} escapes[] = {{'\\', '\\'}, {'\t', 't'}, {'\r', 'r'}, {'\n', 'n'}};

void
notifier_line_done(struct notifier_line *line)
{
	notification_done(&line->n);
	free(line->reason);
	free(line->key);
	free(line->capabilities);
	free(line->token);
	free(line->place);
	line->reason = line->key = line->place = NULL;
	line->capabilities = line->token = NULL;
}

/* ---- Format ---- */

static bool
is_escaped(uint32_t code)
{
	return code == '\\' || code == '\t' || code == '\r' || code == '\n';
}

static bool
is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f);
}

static void
add_escape(struct buf *buf, uint32_t code)
{
	buf_add_char(buf, '\\');
	for (size_t i = 0; i < LENGTH(escapes); i++)
		if ((uint32_t)escapes[i].raw == code)
			buf_add_char(buf, escapes[i].letter);
}

static void
add_value(struct buf *buf, const char *value)
{
	struct span rest = span_from_str(value);
	uint32_t code;
	size_t len;

	while ((len = utf8_next(rest, &code, NULL)) > 0) {
		rest = span_skip(rest, len);
		if (is_escaped(code))
			add_escape(buf, code);
		else if (!is_control(code))
			utf8_add(buf, code);
	}
}

static const void *
field_in(const struct notifier_line *line, const struct field *field)
{
	return (const char *)line + field->offset;
}

static void
add_string(struct buf *buf, const struct field *field,
    const struct notifier_line *line)
{
	char *const *value = field_in(line, field);

	if (*value == NULL && line->verb != NOTIFIER_NOTIFY)
		return;
	buf_addf(buf, "\t%s=", field->name);
	add_value(buf, *value);
}

static void
add_field(struct buf *buf, const struct field *field,
    const struct notifier_line *line)
{
	const void *value = field_in(line, field);

	switch (field->type) {
	case FIELD_VERSION:
		buf_addf(buf, "\t%s=%d", field->name, PROTOCOL_VERSION);
		return;
	case FIELD_ID:
		buf_addf(buf, "\t%s=%llu", field->name,
		    (unsigned long long)*(const uint64_t *)value);
		return;
	case FIELD_NUMBER:
		buf_addf(buf, "\t%s=%u", field->name,
		    (unsigned)*(const uint32_t *)value);
		return;
	case FIELD_COUNT:
		if (*(const uint32_t *)value > 0)
			buf_addf(buf, "\t%s=%u", field->name,
			    (unsigned)*(const uint32_t *)value);
		return;
	case FIELD_URGENCY:
		buf_addf(buf, "\t%s=%s", field->name,
		    urgency_name(*(const enum urgency *)value));
		return;
	case FIELD_FLAG:
		if (*(const bool *)value)
			buf_addf(buf, "\t%s=yes", field->name);
		return;
	case FIELD_STRING:
		add_string(buf, field, line);
		return;
	}
}

void
notifier_line_format(struct buf *buf, const struct notifier_line *line)
{
	assert(line->verb < NOTIFIER_VERBS);

	buf_add_str(buf, verbs[line->verb]);
	for (size_t i = 0; i < LENGTH(fields); i++)
		if (fields[i].verbs & 1u << line->verb)
			add_field(buf, &fields[i], line);
	buf_add_char(buf, '\n');
}

/* ---- Parse ---- */

static bool
add_unescaped(struct buf *buf, char letter)
{
	for (size_t i = 0; i < LENGTH(escapes); i++) {
		if (escapes[i].letter == letter) {
			buf_add_char(buf, escapes[i].raw);
			return true;
		}
	}
	return false;
}

/* False on a wrong escape. */
static bool
parse_string(struct span value, char **string_r)
{
	BUF_AUTO text = BUF_INIT;
	uint32_t code;
	size_t len;

	while ((len = utf8_next(value, &code, NULL)) > 0) {
		value = span_skip(value, len);
		if (code == '\\') {
			if (value.len == 0 ||
			    !add_unescaped(&text, value.data[0]))
				return false;
			value = span_skip(value, 1);
		} else if (!is_control(code)) {
			utf8_add(&text, code);
		}
	}
	*string_r = buf_take_str(&text);
	return true;
}

static bool
parse_urgency(struct span value, enum urgency *urgency_r)
{
	for (size_t i = 0; i < LENGTH(urgency_names); i++) {
		if (span_is(value, urgency_names[i])) {
			*urgency_r = (enum urgency)i;
			return true;
		}
	}
	return false;
}

static bool
parse_value(
    const struct field *field, struct span value, struct notifier_line *line)
{
	void *at = (char *)line + field->offset;
	uint32_t version;

	switch (field->type) {
	case FIELD_VERSION:
		return span_to_u32(value, &version) &&
		       version == PROTOCOL_VERSION;
	case FIELD_ID:
		return span_to_u64(value, at) && line->n.id > 0;
	case FIELD_NUMBER:
	case FIELD_COUNT:
		return span_to_u32(value, at);
	case FIELD_URGENCY:
		return parse_urgency(value, at);
	case FIELD_FLAG:
		*(bool *)at = span_is(value, "yes");
		return true;
	case FIELD_STRING:
		return parse_string(value, at);
	}
	return false;
}

static bool
parse_field(struct span text, struct notifier_line *line, unsigned *seen)
{
	size_t equals = span_find(text, '=');

	if (equals == SIZE_MAX || equals == 0)
		return false;
	for (size_t i = 0; i < LENGTH(fields); i++) {
		if (!(fields[i].verbs & 1u << line->verb) ||
		    !span_is(span_slice(text, 0, equals), fields[i].name))
			continue;
		if (*seen & 1u << i)
			return false;
		*seen |= 1u << i;
		return parse_value(
		    &fields[i], span_skip(text, equals + 1), line);
	}
	return true; /* of a newer version */
}

static bool
parse_verb(struct span text, enum notifier_verb *verb_r)
{
	for (size_t i = 0; i < LENGTH(verbs); i++) {
		if (span_is(text, verbs[i])) {
			*verb_r = (enum notifier_verb)i;
			return true;
		}
	}
	return false;
}

static bool
has_required(const struct notifier_line *line)
{
	for (size_t i = 0; i < LENGTH(fields); i++)
		if (fields[i].type == FIELD_ID &&
		    fields[i].verbs & 1u << line->verb)
			return line->n.id > 0;
	return true;
}

/* In a notify no string is NULL. */
static void
fill_strings(struct notifier_line *line)
{
	for (size_t i = 0; i < LENGTH(fields); i++) {
		char **string = (void *)((char *)line + fields[i].offset);

		if (fields[i].type == FIELD_STRING &&
		    fields[i].verbs & IN(NOTIFY) && *string == NULL)
			*string = xstrdup("");
	}
}

static bool
parse_fields(struct span rest, struct notifier_line *line)
{
	struct span piece;
	unsigned seen = 0;

	if (!span_split(&rest, '\t', &piece) || !parse_verb(piece, &line->verb))
		return false;
	while (span_split(&rest, '\t', &piece))
		if (!parse_field(piece, line, &seen))
			return false;
	return has_required(line);
}

static struct span
without_end(struct span text)
{
	if (text.len > 0 && text.data[text.len - 1] == '\n')
		text.len--;
	if (text.len > 0 && text.data[text.len - 1] == '\r')
		text.len--;
	return text;
}

bool
notifier_line_parse(struct span text, struct notifier_line *line_r)
{
	struct notifier_line line = {0};

	notification_init(&line.n);
	text = without_end(text);
	if (text.len > NOTIFIER_LINE_MAX || !parse_fields(text, &line)) {
		notifier_line_done(&line);
		return false;
	}
	if (line.verb == NOTIFIER_NOTIFY)
		fill_strings(&line);
	*line_r = line;
	return true;
}
