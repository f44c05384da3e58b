/* Actions in words, before there is a message. */
#include "rules/english_parts.h"

struct list {
	struct buf *buf;
	const struct rules *rules;
	const struct rule *rule;
	struct buf item; /* is written to, then joined to the list */
	struct strv items;
};

static void
end_item(struct list *list)
{
	strv_take(&list->items, buf_take_str(&list->item));
}

static void
add_template(struct list *list, const struct template *template)
{
	BUF_AUTO text = BUF_INIT;

	template_show(
	    &text, template, &list->rule->captures, &list->rules->slots);
	english_add(&list->item, buf_str(&text));
}

static void
add_quoted(
    struct list *list, const char *before, const struct template *template)
{
	BUF_AUTO text = BUF_INIT;

	if (template == NULL)
		return;
	template_show(
	    &text, template, &list->rule->captures, &list->rules->slots);
	buf_add_str(&list->item, before);
	english_quote(&list->item, buf_str(&text));
}

/* One argument; quoted where it would look like several, or none. */
static void
add_argument(struct list *list, const struct template *template)
{
	BUF_AUTO text = BUF_INIT;

	template_show(
	    &text, template, &list->rule->captures, &list->rules->slots);
	if (text.len == 0 || strpbrk(buf_str(&text), " \t\"'") != NULL)
		english_quote(&list->item, buf_str(&text));
	else
		english_add(&list->item, buf_str(&text));
}

static void
add_folder(struct list *list, const struct blueprint *blueprint)
{
	BUF_AUTO fixed = BUF_INIT;

	if (template_get_fixed(blueprint->target, &fixed) &&
	    buf_str(&fixed)[0] == '\\')
		buf_addf(&list->item, "the account's %s folder",
		    buf_str(&fixed) + 1);
	else
		add_template(list, blueprint->target);
	if (blueprint->fixed.create)
		buf_add_str(&list->item, " (made if it is missing)");
}

static void
say_copy(struct list *list, const struct blueprint *blueprint)
{
	buf_add_str(&list->item, "copy it to ");
	add_folder(list, blueprint);
}

static void
say_move(struct list *list, const struct blueprint *blueprint)
{
	buf_add_str(&list->item, "move it to ");
	add_folder(list, blueprint);
}

static void
say_label(struct list *list, const struct blueprint *blueprint)
{
	buf_add_str(&list->item, "label it ");
	if (blueprint->target != NULL)
		add_template(list, blueprint->target);
	else
		english_add(&list->item, blueprint->fixed.target);
}

static void
say_forward(struct list *list, const struct blueprint *blueprint)
{
	const struct action *action = &blueprint->fixed;
	static const char *const modes[] = {
	    [FORWARD_ATTACH] = " as an attachment",
	    [FORWARD_REDIRECT] = "",
	    [FORWARD_INLINE] = " inline",
	};

	static const char *const allowances[8] = {"", ", list mail, too",
	    ", automatic mail, too", ", list and automatic mail, too",
	    ", junk, too", ", list mail and junk, too",
	    ", automatic mail and junk, too",
	    ", list and automatic mail and junk, too"};

	buf_add_str(&list->item, action->mode == FORWARD_REDIRECT
				     ? "redirect it to "
				     : "forward it to ");
	english_add(&list->item, action->target);
	buf_add_str(&list->item, modes[action->mode]);
	buf_add_str(&list->item,
	    allowances[action->allow_list + 2 * action->allow_auto +
		       4 * action->allow_junk]);
	if (action->unknown == UNKNOWN_HOLD)
		buf_add_str(
		    &list->item, " (held where its outcome is unknown)");
	if (action->unknown == UNKNOWN_DROP)
		buf_add_str(
		    &list->item, " (given up where its outcome is unknown)");
}

static void
say_exec(struct list *list, const struct blueprint *blueprint)
{
	const struct action *action = &blueprint->fixed;

	buf_add_str(&list->item, "run `");
	for (size_t i = 0; i < blueprint->argc; i++) {
		if (i > 0)
			buf_add_char(&list->item, ' ');
		add_argument(list, blueprint->argv[i]);
	}
	buf_add_char(&list->item, '`');
	buf_add_str(&list->item,
	    action->stdin_message ? " on the whole message" : " on its header");
	if (action->retry > 0)
		buf_addf(&list->item, ", again up to %u time%s where it fails",
		    action->retry, action->retry == 1 ? "" : "s");
	if (action->repeat_safe)
		buf_add_str(
		    &list->item, " (also again where a crash hid its outcome)");
}

static const struct {
	const char *flag, *set, *removed;
} flags[] = {
    {"\\Seen", "mark it as read", "mark it as unread"},
    {"\\Flagged", "flag it", "take its flag off"},
    {"\\Answered", "mark it as answered", "mark it as not answered"},
};

static void
say_flag(struct list *list, const char *flag, bool is_removal)
{
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		if (strcmp(flag, flags[i].flag) != 0)
			continue;
		buf_add_str(
		    &list->item, is_removal ? flags[i].removed : flags[i].set);
		end_item(list);
		return;
	}
	buf_add_str(&list->item,
	    is_removal ? "take the keyword " : "give it the keyword ");
	english_add(&list->item, flag);
	if (is_removal)
		buf_add_str(&list->item, " off");
	end_item(list);
}

static void
say_mark(struct list *list, const struct blueprint *blueprint)
{
	const struct action *action = &blueprint->fixed;

	for (size_t i = 0; i < action->add.len; i++)
		say_flag(list, action->add.items[i], false);
	for (size_t i = 0; i < action->remove.len; i++)
		say_flag(list, action->remove.items[i], true);
}

static void
say_plain(struct list *list, const struct blueprint *blueprint)
{
	static const char *const texts[ACTION_KINDS] = {
	    [ACTION_ARCHIVE] = "move it to the archive",
	    [ACTION_TRASH] = "move it to the trash",
	    [ACTION_JUNK] = "move it to junk",
	    [ACTION_DELETE] = "delete it forever",
	};

	buf_add_str(&list->item, texts[blueprint->fixed.kind]);
}

static void
add_via(struct list *list, const struct strv *via)
{
	if (via->len > 0)
		buf_add_str(&list->item, " through ");
	for (size_t i = 0; i < via->len; i++) {
		english_joint(&list->item, i, via->len, "and");
		english_add(&list->item, via->items[i]);
	}
}

static void
add_escalation(struct list *list, const struct action *action)
{
	if (action->after == 0)
		return;
	buf_add_str(&list->item, " after ");
	usec_format(&list->item, action->after * USEC_SEC);
	if (action->unless_read)
		buf_add_str(&list->item, " unless it was read");
}

static void
say_notify(struct list *list, const struct blueprint *blueprint)
{
	const struct action *action = &blueprint->fixed;
	static const char *const urgencies[] = {
	    [URGENCY_LOW] = "notify with low urgency",
	    [URGENCY_NORMAL] = "notify",
	    [URGENCY_CRITICAL] = "notify critically",
	};

	buf_add_str(&list->item, urgencies[action->urgency]);
	add_via(list, &action->via);
	add_escalation(list, action);
	add_quoted(list, ", titled ", blueprint->title);
	add_quoted(list, ", saying ", blueprint->text);
	if (action->sound != NULL) {
		buf_add_str(&list->item, ", with the sound ");
		english_add(&list->item, action->sound);
	}
	if (action->icon != NULL) {
		buf_add_str(&list->item, ", with the icon ");
		english_add(&list->item, action->icon);
	}
}

static void (*const sayers[])(struct list *, const struct blueprint *) = {
    [ACTION_COPY] = say_copy,
    [ACTION_FORWARD] = say_forward,
    [ACTION_EXEC] = say_exec,
    [ACTION_MARK] = say_mark,
    [ACTION_LABEL] = say_label,
    [ACTION_MOVE] = say_move,
    [ACTION_ARCHIVE] = say_plain,
    [ACTION_TRASH] = say_plain,
    [ACTION_JUNK] = say_plain,
    [ACTION_DELETE] = say_plain,
    [ACTION_NOTIFY] = say_notify,
};
_Static_assert(sizeof(sayers) / sizeof(*sayers) == ACTION_KINDS,
    "every kind of action has its words");

/* "a", "a, and b", "a, b, and c". */
static void
join_items(struct list *list)
{
	for (size_t i = 0; i < list->items.len; i++) {
		if (i > 0)
			buf_add_str(list->buf,
			    i + 1 < list->items.len ? ", " : ", and ");
		buf_add_str(list->buf, list->items.items[i]);
	}
}

void
english_actions(
    struct buf *buf, const struct rules *rules, const struct rule *rule)
{
	struct list list = {.buf = buf, .rules = rules, .rule = rule};

	strv_init(&list.items);
	for (size_t i = 0; i < rule->blueprint_count; i++) {
		sayers[rule->blueprints[i].fixed.kind](
		    &list, &rule->blueprints[i]);
		if (list.item.len > 0)
			end_item(&list);
	}
	if (rule->is_quiet)
		strv_add(&list.items, "give no default notification");
	if (rule->stops)
		strv_add(&list.items, "let no later rule see it");
	if (list.items.len == 0)
		strv_add(&list.items, "do nothing");
	join_items(&list);
	strv_done(&list.items);
	buf_done(&list.item);
}
