/* watch: what happens, as it happens. */
#include <inttypes.h>

#include "daemon/control/ctl.h"

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
on_line(void *ctx, const struct json *line)
{
	const struct ctl *ctl = ctx;
	const char *event = json_get_str(line, "event");
	BUF_AUTO out = BUF_INIT;

	if (ctl->json) {
		json_print(line, &out, false);
		buf_add_char(&out, '\n');
	} else if (event == NULL || strcmp(event, "hello") != 0) {
		add_human(ctl, &out, line);
		ctl_fold(&out, ctl_columns());
	}
	return ctl_write(&out) ? -1 : EX_IOERR;
}

int
ctl_watch(struct ctl *ctl)
{
	return ctl_follow(ctl, ctl_request(ctl), on_line, ctl);
}
