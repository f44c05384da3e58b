/*
 * fuzz-notification: whatever a mail says in its sender, subject and text, what
 * a notifier is told is short, valid UTF-8, and has neither controls nor what
 * turns the direction of the text; and no one-time code is in what is kept.
 *
 * Three texts, each behind an LF or the end.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"
#include "daemon/mail/body.h"
#include "daemon/mail/code.h"
#include "notifiers/queue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool is_true)
{
	if (!is_true)
		abort();
}

/* U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069. */
static bool
is_turning(const char *at)
{
	const unsigned char *u = (const unsigned char *)at;

	return (u[0] == 0xd8 && u[1] == 0x9c) ||
	       (u[0] == 0xe2 && u[1] == 0x80 &&
		   ((u[2] >= 0x8e && u[2] <= 0x8f) ||
		       (u[2] >= 0xaa && u[2] <= 0xae))) ||
	       (u[0] == 0xe2 && u[1] == 0x81 && u[2] >= 0xa6 && u[2] <= 0xa9);
}

static bool
is_control(const char *at)
{
	const unsigned char *u = (const unsigned char *)at;

	return u[0] < 0x20 || u[0] == 0x7f || (u[0] == 0xc2 && u[1] < 0xa0);
}

static void
check_text(const char *text, size_t max_chars)
{
	size_t chars = 0;

	must(text != NULL && utf8_is_valid(span_from_str(text)));
	for (const char *at = text; *at != '\0'; at++) {
		must(!is_control(at) && !is_turning(at));
		chars += ((unsigned char)*at & 0xc0) != 0x80;
	}
	must(chars <= max_chars + 1);
}

static char *
take_text(struct span *rest)
{
	struct span text = SPAN_EMPTY;

	span_split(rest, '\n', &text);
	return xstrdup_span(text);
}

static void
check_notification(const char *title, const char *body, const char *text)
{
	struct notify_queue *queue = notify_queue_new();
	struct notifier_line line;
	struct notification n;
	BUF_AUTO preview = BUF_INIT, out = BUF_INIT;

	notification_init(&n);
	body_add_preview(&preview, span_from_str(text));
	n.title = xstrdup(title);
	n.body = xstrdup(body);
	n.preview = xstrdup(buf_str(&preview));
	n.account = xstrdup("work");
	n.uid = n.uidvalidity = 1;
	notify_queue_set_available(queue, true, USEC_SEC);
	notify_queue_add(queue, &n, USEC_SEC);
	must(notify_queue_next(queue, &line));
	check_text(line.n.title, NOTIFICATION_TITLE_MAX);
	check_text(line.n.body, NOTIFICATION_BODY_MAX);
	check_text(line.n.preview, NOTIFICATION_PREVIEW_MAX);
	notifier_line_format(&out, &line);
	must(out.len < NOTIFIER_LINE_MAX && utf8_is_valid(buf_span(&out)));
	notifier_line_done(&line);
	notification_done(&n);
	notify_queue_free(&queue);
}

/* What is kept has no code, is as long, and stays so. */
static void
check_codes(const char *subject, const char *text)
{
	BUF_AUTO masked = BUF_INIT, again = BUF_INIT, code = BUF_INIT;
	STRV_AUTO codes = STRV_INIT;

	code_mask(span_from_str(subject), &masked);
	must(masked.len == strlen(subject));
	must(!code_find(buf_span(&masked), SPAN_EMPTY, &code));
	code_mask(buf_span(&masked), &again);
	must(span_equal(buf_span(&masked), buf_span(&again)));
	code_list(span_from_str(subject), span_from_str(text), &codes);
	if (strcmp(buf_str(&masked), subject) == 0)
		return;
	must(codes.len > 0);
	char *shown = xstrdup(buf_str(&masked));
	code_show(&shown, &codes);
	must(strlen(shown) == masked.len);
	free(shown);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_from(data, size);
	char *title = take_text(&rest);
	char *body = take_text(&rest);
	char *text = take_text(&rest);

	check_notification(title, body, text);
	check_codes(body, text);
	free(title);
	free(body);
	free(text);
	return 0;
}
