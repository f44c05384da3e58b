/* reload: the daemon reads its configuration again. */
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/control/ctl.h"

/* The daemon formatted them for a terminal: lines stay lines, carets stay
 * below their columns. */
static void
add_problems(struct buf *out, const char *problems)
{
	struct span rest = span_from_str(problems), line;

	while (span_split(&rest, '\n', &line)) {
		if (line.len == 0 && rest.data == NULL)
			break;
		size_t blanks = 0;
		while (blanks < line.len && char_is_blank(line.data[blanks]))
			blanks++;
		buf_add_span(out, span_slice(line, 0, blanks));
		str_sanitize(out, span_skip(line, blanks), CTL_TEXT_MAX);
		buf_add_char(out, '\n');
	}
}

int
ctl_reload(struct ctl *ctl)
{
	BUF_AUTO out = BUF_INIT;
	struct json *answer = NULL;
	int code = ctl_ask(ctl, ctl_request(ctl), &answer);

	if (code != EX_OK)
		return code;
	bool done = json_get_bool(answer, "reloaded");
	code = done ? EX_OK : EX_CONFIG;
	if (ctl->json)
		return ctl_finish_json(answer, code);
	add_problems(&out, json_get_str(answer, "problems"));
	buf_add_str(&out,
	    done ? "reloaded\n" : "refused: the old configuration stays\n");
	json_free(&answer);
	return ctl_finish(&out, code);
}
