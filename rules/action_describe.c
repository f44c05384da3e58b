/* Actions in words. */
#include "daemon/base/str.h"
#include "rules/plan.h"

#define DESCRIBE_CHARS_MAX 200 /* of one name or argument */

static void
add_text(struct buf *buf, const char *text)
{
	str_sanitize(buf, span_from_str(text), DESCRIBE_CHARS_MAX);
}

static const struct {
	const char *flag, *set, *removed;
} flag_words[] = {
    {"\\Seen", "read", "unread"},
    {"\\Flagged", "flagged", "not flagged"},
    {"\\Answered", "answered", "not answered"},
};

static void
add_flag(struct buf *buf, const char *flag, bool is_removal)
{
	for (size_t i = 0; i < sizeof(flag_words) / sizeof(*flag_words); i++) {
		if (strcmp(flag, flag_words[i].flag) == 0) {
			buf_add_str(buf, is_removal ? flag_words[i].removed
						    : flag_words[i].set);
			return;
		}
	}
	if (is_removal)
		buf_add_str(buf, "not ");
	add_text(buf, flag);
}

static void
describe_mark(struct buf *buf, const struct action *action)
{
	const char *joint = " ";

	buf_add_str(buf, "mark");
	for (size_t i = 0; i < action->add.len; i++, joint = ", ") {
		buf_add_str(buf, joint);
		add_flag(buf, action->add.items[i], false);
	}
	for (size_t i = 0; i < action->remove.len; i++, joint = ", ") {
		buf_add_str(buf, joint);
		add_flag(buf, action->remove.items[i], true);
	}
}

static void
describe_folder(struct buf *buf, const struct action *action)
{
	buf_addf(buf, "%s to ", action_name(action->kind));
	add_text(buf, action->target);
	if (action->create)
		buf_add_str(buf, " (made if it is missing)");
}

static const char *const mode_texts[] = {
    [FORWARD_ATTACH] = "as attachment",
    [FORWARD_REDIRECT] = "as redirect",
    [FORWARD_INLINE] = "inline",
};

static void
describe_forward(struct buf *buf, const struct action *action)
{
	buf_add_str(buf, "forward to ");
	add_text(buf, action->target);
	buf_addf(buf, " %s", mode_texts[action->mode]);
}

/* An argument with blanks in it, or none at all, is quoted. */
static void
describe_exec(struct buf *buf, const struct action *action)
{
	buf_add_str(buf, "run");
	for (size_t i = 0; i < action->argv.len; i++) {
		const char *argument = action->argv.items[i];
		bool quote = argument[0] == '\0' ||
			     strpbrk(argument, " \t\r\n\"'") != NULL;

		buf_add_str(buf, quote ? " \"" : " ");
		add_text(buf, argument);
		if (quote)
			buf_add_char(buf, '"');
	}
	if (action->stdin_message)
		buf_add_str(buf, " with the whole message");
}

static const char *const urgency_texts[] = {
    [URGENCY_LOW] = " (low)",
    [URGENCY_NORMAL] = "",
    [URGENCY_CRITICAL] = " (critical)",
};

static void
describe_notify(struct buf *buf, const struct action *action)
{
	const char *joint = " via ";

	buf_addf(buf, "notify%s", urgency_texts[action->urgency]);
	for (size_t i = 0; i < action->via.len; i++, joint = ", ") {
		buf_add_str(buf, joint);
		add_text(buf, action->via.items[i]);
	}
	if (action->after > 0) {
		buf_add_str(buf, " after ");
		usec_format(buf, action->after * USEC_SEC);
	}
	if (action->unless_read)
		buf_add_str(buf, " unless read");
	if (action->title != NULL) {
		buf_add_str(buf, " \"");
		add_text(buf, action->title);
		buf_add_char(buf, '"');
	}
}

static void
describe_label(struct buf *buf, const struct action *action)
{
	buf_add_str(buf, "label as ");
	add_text(buf, action->target);
}

static void
describe_plain(struct buf *buf, const struct action *action)
{
	static const char *const texts[ACTION_KINDS] = {
	    [ACTION_ARCHIVE] = "move to the archive",
	    [ACTION_TRASH] = "move to the trash",
	    [ACTION_JUNK] = "move to junk",
	    [ACTION_DELETE] = "delete forever",
	};

	buf_add_str(buf, texts[action->kind]);
}

static void (*const describers[])(struct buf *, const struct action *) = {
    [ACTION_COPY] = describe_folder,
    [ACTION_FORWARD] = describe_forward,
    [ACTION_EXEC] = describe_exec,
    [ACTION_MARK] = describe_mark,
    [ACTION_LABEL] = describe_label,
    [ACTION_MOVE] = describe_folder,
    [ACTION_ARCHIVE] = describe_plain,
    [ACTION_TRASH] = describe_plain,
    [ACTION_JUNK] = describe_plain,
    [ACTION_DELETE] = describe_plain,
    [ACTION_NOTIFY] = describe_notify,
};
_Static_assert(sizeof(describers) / sizeof(*describers) == ACTION_KINDS,
    "every kind of action has its words");

void
action_describe(struct buf *buf, const struct action *action)
{
	describers[action->kind](buf, action);
}
