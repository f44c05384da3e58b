/* watch: what happens, as it happens. */
#include <inttypes.h>
#include <string.h>

#include "daemon/base/xalloc.h"
#include "daemon/control/ctl_again.h"
#include "daemon/control/ctl_missed.h"

struct watching {
	struct ctl *ctl;
	struct ctl_missed *missed;
	int64_t heard_unix; /* the last line's time */
	bool is_lost;
};

static void
add_part(struct buf *out, const char *before, const char *text)
{
	if (text == NULL || *text == '\0')
		return;
	buf_add_str(out, before);
	ctl_add_clean(out, text, CTL_CELL_MAX);
}

static void
add_place(struct buf *out, const struct json *line)
{
	const char *account = json_get_str(line, "account");
	int64_t uid = json_get_int(line, "uid", 0);

	bool is_own = account == NULL || *account == '\0';

	add_part(out, "  ", is_own ? "belfryd" : account);
	add_part(out, "/", json_get_str(line, "mailbox"));
	if (uid > 0)
		buf_addf(out, "/%" PRId64, uid);
}

static void
add_rest(struct buf *out, const struct json *line)
{
	int64_t retry = json_get_int(line, "retry_in_s", -1);

	if (json_get_bool(line, "missed"))
		buf_add_str(out, " meanwhile");
	add_part(out, " to ", json_get_str(line, "to"));
	add_part(out, ": ", json_get_str(line, "from"));
	add_part(out, ": ", json_get_str(line, "subject"));
	add_part(out, "; rules ", json_get_str(line, "rules"));
	add_part(out, ": ", json_get_str(line, "text"));
	if (retry >= 0) {
		buf_add_str(out, "; next try in ");
		usec_format(out, (usec_t)retry * USEC_SEC);
	}
	buf_add_char(out, '\n');
}

static void
add_human(const struct ctl *ctl, struct buf *out, const struct json *line)
{
	BUF_AUTO event = BUF_INIT;

	ctl_add_clock(out, ctl_parse_time(json_get_str(line, "time")));
	add_place(out, line);
	buf_add_str(out, "  ");
	ctl_add_clean(&event, json_get_str(line, "event"), CTL_CELL_MAX);
	ctl_add_colored(ctl, out, CTL_BOLD, buf_str(&event));
	add_rest(out, line);
}

static int
say(void *ctx, const struct json *line)
{
	const struct watching *watching = ctx;
	BUF_AUTO out = BUF_INIT;

	if (watching->ctl->json) {
		json_print(line, &out, false);
		buf_add_char(&out, '\n');
	} else {
		add_human(watching->ctl, &out, line);
		ctl_fold(&out, ctl_columns());
	}
	return ctl_write(&out) ? -1 : EX_IOERR;
}

/* A line of our own. */
static int
say_own(struct watching *watching, const char *event, const char *text)
{
	struct json *line = json_new_object();
	int code;

	json_set_time(line, "time", ctl_now_unix());
	json_set_str(line, "event", event);
	json_set_str(line, "text", text);
	code = say(watching, line);
	json_free(&line);
	return code;
}

/* belfryd was there, and is again: what came in between is in its history. */
static int
catch_up(struct watching *watching)
{
	bool is_all;
	int code = say_own(watching, "back", "belfryd is there again");

	watching->is_lost = false;
	if (code < 0)
		code = ctl_missed_each(watching->missed, watching->ctl,
		    watching->heard_unix, say, watching, &is_all);
	if (code < 0 && !is_all)
		code = say_own(watching, "missed",
		    "there may be more that was not said here: "
		    "belfryctl history has it");
	return code;
}

static int
on_line(void *ctx, const struct json *line)
{
	struct watching *watching = ctx;
	const char *event = json_get_str(line, "event");
	bool is_hello = event != NULL && strcmp(event, "hello") == 0;
	int64_t when = ctl_parse_time(json_get_str(line, "time"));
	int code = -1;

	if (!ctl_missed_note(watching->missed, line))
		return -1;
	if (watching->ctl->json || !is_hello)
		code = say(watching, line);
	if (code < 0 && watching->is_lost)
		code = catch_up(watching);
	if (when > 0)
		watching->heard_unix = when;
	return code;
}

static int
on_lost(void *ctx, const char *why)
{
	struct watching *watching = ctx;
	STR_AUTO text = xasprintf("%s; it is looked for again and again", why);

	watching->is_lost = true;
	return say_own(watching, "lost", text);
}

int
ctl_watch(struct ctl *ctl)
{
	static const struct ctl_stream stream = {ctl_request, on_line, on_lost};
	struct watching watching = {.ctl = ctl, .missed = ctl_missed_new()};
	int code = ctl_follow_again(ctl, &stream, &watching);

	ctl_missed_free(&watching.missed);
	return code;
}
