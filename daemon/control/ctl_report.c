/* report: what happened, as one page of HTML. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/xalloc.h"
#include "daemon/control/ctl.h"
#include "daemon/control/report_page.h"

#define FILE_NAME "belfry-report.html"
#define DEFAULT_SECONDS (7 * 24 * 3600)
/* As many as the daemon gives in one answer; and in all. */
#define PAGE 1000
#define MESSAGES_MAX 100000

/* ---- what is asked ---- */

static struct json *
history_request(const struct report *report, unsigned skip)
{
	struct json *request = json_new_object();

	json_set_int(request, "version", 1);
	json_set_str(request, "command", "history");
	json_set_int(request, "since", report->from);
	/* What comes meanwhile would move the pages. */
	json_set_int(request, "until", report->to);
	json_set_int(request, "skip", skip);
	json_set_int(request, "limit", PAGE);
	return request;
}

/* *more_r: there are others. */
static int
read_page(
    const struct ctl *ctl, struct report *report, unsigned skip, bool *more_r)
{
	struct json *answer = NULL;
	const struct json *messages;
	int code = ctl_ask(ctl, history_request(report, skip), &answer);

	if (code != EX_OK)
		return code;
	messages = json_get(answer, "messages");
	for (size_t i = 0; i < json_count(messages); i++)
		report_add_message(report, json_at(messages, i));
	*more_r = json_count(messages) == PAGE;
	json_free(&answer);
	return EX_OK;
}

static int
read_messages(const struct ctl *ctl, struct report *report, bool *left_out_r)
{
	bool more = true;
	int code = EX_OK;

	for (unsigned skip = 0; more && skip < MESSAGES_MAX && code == EX_OK;
	     skip += PAGE)
		code = read_page(ctl, report, skip, &more);
	*left_out_r = more;
	return code;
}

static int
read_accounts(const struct ctl *ctl, struct report *report)
{
	struct json *answer = NULL;
	const struct json *accounts;
	int code = ctl_ask(ctl, ctl_request(ctl), &answer);

	if (code != EX_OK)
		return code;
	accounts = json_get(answer, "accounts");
	for (size_t i = 0; i < json_count(accounts); i++)
		report_add_account(report, json_at(accounts, i));
	json_free(&answer);
	return EX_OK;
}

/* ---- where it goes ---- */

static bool
write_file(const char *path, const struct buf *page)
{
	FILE *file;
	bool ok;

	/* In a folder of everybody, nobody else's link is followed. */
	unlink(path);
	file = fopen(path, "wxe");
	if (file == NULL)
		return false;
	/* Senders and subjects are not in it, but names of rules are. */
	fchmod(fileno(file), 0600);
	ok = fwrite(page->data, 1, page->len, file) == page->len;
	return fclose(file) == 0 && ok;
}

/* A report that is there stays until the new one is whole. */
static int
write_page(const struct ctl *ctl, const char *path, struct buf *page)
{
	STR_AUTO temporary = xasprintf("%s.new", path);
	BUF_AUTO out = BUF_INIT;
	int error;

	if (strcmp(path, "-") == 0)
		return ctl_finish(page, EX_OK);
	if (!write_file(temporary, page) || rename(temporary, path) != 0) {
		error = errno;
		unlink(temporary);
		return ctl_fail(
		    ctl, EX_CANTCREAT, NULL, "%s: %s", path, strerror(error));
	}
	if (ctl->json) {
		struct json *document = json_new_object();
		json_set_bool(document, "ok", true);
		json_set_str(document, "file", path);
		return ctl_finish_json(document, EX_OK);
	}
	buf_addf(&out, "written: %s\n", path);
	return ctl_finish(&out, EX_OK);
}

int
ctl_report(struct ctl *ctl)
{
	const char *path = ctl->arguments[0];
	int64_t now = ctl_now_unix(), from = now - DEFAULT_SECONDS;
	BUF_AUTO page = BUF_INIT;
	struct report report;
	bool left_out = false;

	int code = ctl_get_time(ctl, "since", &from);

	if (code != EX_OK)
		return code;
	if (from >= now)
		return ctl_fail(ctl, EX_USAGE, "such as 2d, 4w or 2026-11-21",
		    "--since: %s is no time in the past",
		    ctl_get(ctl, "since"));
	report_init(&report, from, now);
	code = read_messages(ctl, &report, &left_out);
	if (code == EX_OK)
		code = read_accounts(ctl, &report);
	if (code == EX_OK) {
		report_sort(&report);
		report_page(&page, &report, left_out);
		code = write_page(ctl, path != NULL ? path : FILE_NAME, &page);
	}
	report_done(&report);
	return code;
}
