#include "daemon/control/report_page.h"

#include <inttypes.h>

#include "daemon/control/ctl.h"
#include "daemon/control/report_plot.h"

static const char style[] =
    ":root{color-scheme:light dark;--ink:#1f2328;--soft:#667078;"
    "--line:#d8dde2;--paper:#fff;--card:#f6f8fa;--good:#3b7dd8;"
    "--bad:#d1383d;--well:#2f9e5b;--ill:#e8a33d}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e8ea;--soft:#9aa4ad;"
    "--line:#383f46;--paper:#14171a;--card:#1e2226;--good:#6aa5f5;"
    "--bad:#f0686c;--well:#4cc27d;--ill:#e8b45d}}"
    "body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);"
    "background:var(--paper);max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}"
    "p.note,caption{color:var(--soft);margin:.2rem 0;text-align:left}"
    ".tiles{display:flex;flex-wrap:wrap;gap:.75rem;margin:1rem 0}"
    ".tiles div{background:var(--card);border-radius:.5rem;"
    "padding:.6rem 1rem;min-width:8rem}"
    ".tiles b{display:block;font-size:1.5rem}"
    "svg{width:100%;height:auto;display:block}"
    ".grid{stroke:var(--line)}.axis{fill:var(--soft);font-size:11px}"
    ".dot{fill:var(--ink)}.good{fill:var(--good)}.bad{fill:var(--bad)}"
    ".name{fill:var(--ink);font-size:12px}"
    ".heat1,.heat2,.heat3,.heat4,.heat5{fill:var(--good)}"
    ".heat1{opacity:.25}.heat2{opacity:.42}.heat3{opacity:.6}"
    ".heat4{opacity:.8}"
    ".h0,.h1,.h2,.h3,.h4,.h5{fill:var(--bad)}"
    ".h6,.h7,.h8,.h9{fill:var(--ill)}.h10{fill:var(--well)}"
    "table{border-collapse:collapse;width:100%}"
    "th,td{text-align:right;padding:.25rem .5rem;"
    "border-bottom:1px solid var(--line)}"
    "th:first-child,td:first-child{text-align:left;overflow-wrap:anywhere}"
    "td.plot{width:40%}svg.bar{height:.6rem}"
    "h3{font-size:1rem;margin:1rem 0 .2rem}"
    /* On a telephone plots are moved sideways, and rules keep their names. */
    "@media(max-width:40rem){.wide{overflow-x:auto}.wide svg{width:44rem}"
    "td.plot,th:last-child{display:none}td:first-child{min-width:7rem}}";

static void
add_head(struct buf *out, const struct report *report)
{
	buf_add_str(out,
	    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	    "<meta charset=\"utf-8\">\n"
	    "<meta http-equiv=\"Content-Security-Policy\" "
	    "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width\">\n"
	    "<title>Belfry: what happened</title>\n<style>");
	buf_add_str(out, style);
	buf_add_str(out, "</style>\n</head>\n<body>\n"
			 "<h1>Belfry: what happened</h1>\n<p class=\"note\">");
	ctl_add_time(out, report->from);
	buf_add_str(out, " to ");
	ctl_add_time(out, report->to);
	buf_add_str(out, ", local time</p>\n");
}

static void
add_tile(struct buf *out, unsigned count, const char *what)
{
	buf_addf(out, "<div><b>%u</b>%s</div>\n", count, what);
}

static void
add_tiles(struct buf *out, const struct report *report, bool left_out)
{
	buf_add_str(out, "<div class=\"tiles\">\n");
	add_tile(out, report->messages, "messages judged");
	add_tile(out, report->actions, "actions");
	add_tile(out, report->notifications, "notifications");
	add_tile(out, report->failed, "failed or unknown");
	buf_add_str(out, "</div>\n");
	if (left_out)
		buf_add_str(out,
		    "<p class=\"note\">There were more messages: only the "
		    "newest are counted here.</p>\n");
}

static unsigned
mail_of(const struct report_slot *slot)
{
	return slot->mail;
}

static unsigned
actions_of(const struct report_slot *slot)
{
	return slot->actions;
}

static unsigned
failed_of(const struct report_slot *slot)
{
	return slot->failed;
}

static unsigned
nothing_of(const struct report_slot *slot)
{
	(void)slot;
	return 0;
}

static void
add_times(struct buf *out, const struct report *report)
{
	const char *each = report->is_hourly ? "hour" : "day";

	buf_addf(out, "<h2>Mail by %s</h2>\n", each);
	plot_slots(
	    out, report, "Messages judged", "messages", mail_of, nothing_of);
	buf_addf(out, "<h2>Actions by %s</h2>\n", each);
	plot_slots(out, report, "Actions", "actions", actions_of, failed_of);
}

/* ---- rules ---- */

static unsigned
actions_of_rule(const struct report_rule *rule)
{
	return rule->done + rule->failed + rule->open + rule->skipped;
}

static void
add_rule(struct buf *out, const struct report_rule *rule, unsigned max)
{
	buf_add_str(out, "<tr><td>");
	plot_add_text(out, rule->name);
	buf_addf(out,
	    "</td><td>%u</td><td>%u</td><td>%u</td><td>%u</td>"
	    "<td class=\"plot\">",
	    rule->messages, rule->done, rule->failed,
	    rule->open + rule->skipped);
	plot_bar(out, actions_of_rule(rule), rule->failed, max);
	buf_add_str(out, "</td></tr>\n");
}

static void
add_rules(struct buf *out, const struct report *report)
{
	unsigned max = 1;

	buf_add_str(out, "<h2>Rules</h2>\n");
	if (report->rule_count == 0) {
		buf_add_str(out, "<p class=\"note\">No rule matched.</p>\n");
		return;
	}
	for (size_t i = 0; i < report->rule_count; i++)
		if (actions_of_rule(&report->rules[i]) > max)
			max = actions_of_rule(&report->rules[i]);
	buf_add_str(out,
	    "<table>\n<tr><th>rule</th><th>messages</th><th>done</th>"
	    "<th>failed</th><th>open or skipped</th><th>actions</th></tr>\n");
	for (size_t i = 0; i < report->rule_count; i++)
		add_rule(out, &report->rules[i], max);
	buf_add_str(out, "</table>\n");
	buf_addf(out,
	    "<h2>Rules by %s</h2>\n<p class=\"note\">Messages that a rule "
	    "matched, in each %s.</p>\n",
	    report->is_hourly ? "hour" : "day",
	    report->is_hourly ? "hour" : "day");
	plot_rules(out, report);
}

/* ---- notifications and accounts ---- */

static void
add_delays(struct buf *out, const struct report *report)
{
	buf_add_str(out,
	    "<h2>How soon it rang</h2>\n<p class=\"note\">From the time at "
	    "which the server had the message, by its clock, to the "
	    "notification. What came while Belfry was away rang late.</p>\n");
	plot_delays(out, report);
}

static void
add_account(struct buf *out, const struct report_account *account,
    const struct report *report)
{
	int64_t connects = 0, losses = 0, watched = 0, total = 0;

	for (size_t i = 0; i < account->hour_count; i++) {
		connects += account->hours[i].connects;
		losses += account->hours[i].losses;
		watched += account->hours[i].watched;
		total += account->hours[i].total;
	}
	buf_add_str(out, "<h3>");
	plot_add_text(out, account->name);
	buf_addf(out,
	    "</h3>\n<p class=\"note\">%u messages; logins %" PRId64
	    ", troubles %" PRId64,
	    account->messages, connects, losses);
	if (total > 0)
		buf_addf(out, "; watched %.2f %% of the time",
		    100.0 * (double)watched / (double)total);
	buf_add_str(out, "</p>\n");
	plot_hours(out, report, account);
}

static void
add_accounts(struct buf *out, const struct report *report)
{
	buf_add_str(out,
	    "<h2>Connections</h2>\n<p class=\"note\">Green: every watched "
	    "mailbox was proven alive. A dot: something went wrong in that "
	    "hour. Blank: Belfry did not run, or was paused. The last 14 days "
	    "are kept.</p>\n");
	for (size_t i = 0; i < report->account_count; i++)
		add_account(out, &report->accounts[i], report);
}

void
report_page(struct buf *out, const struct report *report, bool left_out)
{
	add_head(out, report);
	add_tiles(out, report, left_out);
	add_times(out, report);
	add_rules(out, report);
	add_delays(out, report);
	add_accounts(out, report);
	buf_add_str(out, "<p class=\"note\">Made by belfryctl report, ");
	ctl_add_time(out, ctl_now_unix());
	buf_add_str(out, ".</p>\n</body>\n</html>\n");
}
