#include "daemon/control/ctl_bar.h"

#include <inttypes.h>

#include "daemon/base/xalloc.h"
#include "daemon/control/ctl_status.h"

/* Of a tooltip: a screen has no more lines. */
#define ACCOUNTS_MAX 20
#define ENVELOPE "\xe2\x9c\x89" /* U+2709 */

/* The mood of the whole, the worst of its accounts'. */
enum mood {
	MOOD_OFF,
	MOOD_TROUBLE,
	MOOD_UNREAD,
	MOOD_PAUSED,
	MOOD_CLEAR
};

struct summary {
	enum mood mood;
	int64_t unread;
	const char *why; /* it is off */
};

struct ctl_bar {
	const char *name;
	void (*add)(struct buf *out, const struct summary *summary,
	    const struct json *answer);
};

static const struct {
	const char *name, *color; /* NULL: that of the bar */
} moods[] = {
    [MOOD_OFF] = {"off", "#888888"},
    [MOOD_TROUBLE] = {"trouble", "#ff5555"},
    [MOOD_UNREAD] = {"unread", NULL},
    [MOOD_PAUSED] = {"paused", "#888888"},
    [MOOD_CLEAR] = {"clear", NULL},
};

static int64_t
unread_of(const struct json *account)
{
	const struct json *mailboxes = json_get(account, "mailboxes");
	int64_t unread = 0;

	for (size_t i = 0; i < json_count(mailboxes); i++)
		unread += json_get_int(json_at(mailboxes, i), "unread", 0);
	return unread;
}

static struct summary
summarise(const struct json *answer)
{
	const struct json *accounts = json_get(answer, "accounts");
	struct summary summary = {.mood = MOOD_CLEAR};
	bool is_paused = false;

	if (answer == NULL)
		return (struct summary){.mood = MOOD_OFF};
	for (size_t i = 0; i < json_count(accounts); i++) {
		summary.unread += unread_of(json_at(accounts, i));
		is_paused |= json_get_bool(json_at(accounts, i), "paused");
	}
	if (ctl_status_is_bad(answer))
		summary.mood = MOOD_TROUBLE;
	else if (summary.unread > 0)
		summary.mood = MOOD_UNREAD;
	else if (is_paused)
		summary.mood = MOOD_PAUSED;
	return summary;
}

/* What stands in the bar: "3", "3 !", "!", "off". */
static void
add_text(struct buf *out, const struct summary *summary)
{
	if (summary->mood == MOOD_OFF) {
		buf_add_str(out, "off");
		return;
	}
	buf_addf(out, "%" PRId64 "%s", summary->unread,
	    summary->mood == MOOD_TROUBLE ? " !" : "");
}

/* ---- waybar ---- */

/* Pango markup: an account may be called as it likes. */
static void
add_escaped(struct buf *out, const char *text)
{
	for (; text != NULL && *text != '\0'; text++) {
		if (*text == '&')
			buf_add_str(out, "&amp;");
		else if (*text == '<')
			buf_add_str(out, "&lt;");
		else if (*text == '>')
			buf_add_str(out, "&gt;");
		else
			buf_add_char(out, *text);
	}
}

static void
add_account(struct buf *out, const struct json *account)
{
	BUF_AUTO line = BUF_INIT;
	int64_t unread = unread_of(account);

	ctl_add_clean(&line, json_get_str(account, "account"), CTL_CELL_MAX);
	buf_add_str(&line, ": ");
	if (ctl_status_is_trouble(account))
		ctl_status_add_trouble(&line, account);
	else if (json_get_bool(account, "paused"))
		buf_add_str(&line, "paused");
	else if (unread > 0)
		buf_addf(&line, "%" PRId64 " unread", unread);
	else
		buf_add_str(&line, "nothing new");
	add_escaped(out, buf_str(&line));
}

static void
add_tooltip(
    struct buf *out, const struct summary *summary, const struct json *answer)
{
	const struct json *accounts = json_get(answer, "accounts");
	size_t count = json_count(accounts);
	BUF_AUTO why = BUF_INIT;

	if (answer == NULL) {
		ctl_add_clean(&why, summary->why, CTL_TEXT_MAX);
		add_escaped(out, buf_str(&why));
	}
	for (size_t i = 0; i < count && i < ACCOUNTS_MAX; i++) {
		if (i > 0)
			buf_add_char(out, '\n');
		add_account(out, json_at(accounts, i));
	}
	if (count > ACCOUNTS_MAX)
		buf_addf(out, "\nand %zu more", count - ACCOUNTS_MAX);
}

static void
finish_json(struct buf *out, struct json *line)
{
	json_print(line, out, false);
	buf_add_char(out, '\n');
	json_free(&line);
}

static void
add_waybar(
    struct buf *out, const struct summary *summary, const struct json *answer)
{
	struct json *line = json_new_object();
	BUF_AUTO text = BUF_INIT;
	BUF_AUTO tooltip = BUF_INIT;

	add_text(&text, summary);
	add_tooltip(&tooltip, summary, answer);
	json_set_str(line, "text", buf_str(&text));
	json_set_str(line, "alt", moods[summary->mood].name);
	json_set_str(line, "class", moods[summary->mood].name);
	json_set_str(line, "tooltip", buf_str(&tooltip));
	finish_json(out, line);
}

/* ---- the others ---- */

static void
add_i3blocks(
    struct buf *out, const struct summary *summary, const struct json *answer)
{
	struct json *line = json_new_object();
	BUF_AUTO text = BUF_INIT;
	STR_AUTO full = NULL;

	(void)answer;
	add_text(&text, summary);
	full = xasprintf(ENVELOPE " %s", buf_str(&text));
	json_set_str(line, "full_text", full);
	json_set_str(line, "short_text", buf_str(&text));
	if (moods[summary->mood].color != NULL)
		json_set_str(line, "color", moods[summary->mood].color);
	finish_json(out, line);
}

static void
add_polybar(
    struct buf *out, const struct summary *summary, const struct json *answer)
{
	const char *color = moods[summary->mood].color;

	(void)answer;
	if (color != NULL)
		buf_addf(out, "%%{F%s}", color);
	buf_add_str(out, ENVELOPE " ");
	add_text(out, summary);
	buf_add_str(out, color != NULL ? "%{F-}\n" : "\n");
}

const char ctl_bar_names[] = "waybar, i3blocks or polybar";
static const struct ctl_bar bars[] = {
    {"waybar", add_waybar},
    {"i3blocks", add_i3blocks},
    {"polybar", add_polybar},
};

const struct ctl_bar *
ctl_bar_find(const char *name)
{
	for (size_t i = 0; i < sizeof(bars) / sizeof(*bars); i++)
		if (strcmp(bars[i].name, name) == 0)
			return &bars[i];
	return NULL;
}

void
ctl_bar_add(const struct ctl_bar *bar, struct buf *out,
    const struct json *answer, const char *why)
{
	struct summary summary = summarise(answer);

	summary.why = why;
	bar->add(out, &summary, answer);
}
