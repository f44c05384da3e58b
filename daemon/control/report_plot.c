#include "daemon/control/report_plot.h"

#include <inttypes.h>

#include "daemon/base/str.h"
#include "daemon/base/usec.h"
#include "daemon/base/xalloc.h"
#include "daemon/control/ctl.h"

/* User units; the page scales it. */
#define WIDTH 960
#define HEIGHT 180
#define LEFT 48 /* numbers */
#define TOP 10
#define BOTTOM 24 /* dates */
#define STRIP 36
#define LABELS_MAX 12
#define TEXT_MAX 200 /* characters of a name */

void
plot_add_text(struct buf *out, const char *text)
{
	BUF_AUTO clean = BUF_INIT;

	str_sanitize(&clean, span_from_str(text), TEXT_MAX);
	for (const char *c = buf_str(&clean); *c != '\0'; c++) {
		switch (*c) {
		case '&':
			buf_add_str(out, "&amp;");
			break;
		case '<':
			buf_add_str(out, "&lt;");
			break;
		case '>':
			buf_add_str(out, "&gt;");
			break;
		case '"':
			buf_add_str(out, "&quot;");
			break;
		default:
			buf_add_char(out, *c);
		}
	}
}

/* ---- scales ---- */

/* The least of 1, 2, 5, 10, 20, ... that is not below it. */
static unsigned
round_up(unsigned value)
{
	static const unsigned steps[] = {1, 2, 5};

	for (unsigned power = 1; power < 1000000000; power *= 10)
		for (size_t i = 0; i < 3; i++)
			if (steps[i] * power >= value)
				return steps[i] * power;
	return value;
}

static double
x_behind(const struct report *report, int64_t when, int left)
{
	double all = (double)(report->to - report->from);

	return left + (double)(when - report->from) / (all > 0 ? all : 1) *
			  (WIDTH - left);
}

static double
x_of(const struct report *report, int64_t when)
{
	return x_behind(report, when, LEFT);
}

static int64_t
slot_end(const struct report *report, size_t i)
{
	return i + 1 < report->slot_count ? report->slots[i + 1].begin
					  : report->to;
}

/* ---- frames ---- */

static void
open_svg(struct buf *out, const char *label, int height)
{
	buf_addf(out,
	    "<div class=\"wide\"><svg viewBox=\"0 0 %d %d\" role=\"img\" "
	    "aria-label=\"",
	    WIDTH, height);
	plot_add_text(out, label);
	buf_add_str(out, "\">\n");
}

static void
add_level(struct buf *out, double y, unsigned value)
{
	buf_addf(out,
	    "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" "
	    "y2=\"%.1f\"/>"
	    "<text class=\"axis\" x=\"%d\" y=\"%.1f\" "
	    "text-anchor=\"end\">%u</text>\n",
	    LEFT, WIDTH, y, y, LEFT - 6, y + 4, value);
}

/* Where a date is written: midnights, or in one day every third hour. */
static bool
is_mark(const struct report *report, size_t i)
{
	size_t step = (report->slot_count + LABELS_MAX - 1) / LABELS_MAX;
	int hour = ctl_hour_of(report->slots[i].begin);

	if (!report->is_hourly || report->slot_count <= LABELS_MAX)
		return i % (step > 0 ? step : 1) == 0;
	return report->slot_count <= 48 ? hour % 6 == 0 : hour == 0;
}

static void
add_dates(struct buf *out, const struct report *report, int left, int y)
{
	bool has_hour = report->is_hourly && report->slot_count <= 48;

	for (size_t i = 0; i < report->slot_count; i++) {
		double x = x_behind(report, report->slots[i].begin, left);
		/* The last one would be cut off. */
		if (!is_mark(report, i) || x > WIDTH - 60)
			continue;
		buf_addf(
		    out, "<text class=\"axis\" x=\"%.1f\" y=\"%d\">", x, y);
		ctl_add_day(out, report->slots[i].begin, has_hour);
		buf_add_str(out, "</text>\n");
	}
}

/* ---- bars by time ---- */

static void
add_rect(struct buf *out, const char *class, double x, double width, double y,
    double height)
{
	if (height > 0)
		buf_addf(out,
		    "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" "
		    "width=\"%.1f\" height=\"%.1f\"/>",
		    class, x, y, width, height);
}

static void
add_slot(struct buf *out, const struct report *report, size_t i,
    const char *things, unsigned value, unsigned bad, unsigned top)
{
	double x = x_of(report, report->slots[i].begin);
	double width = x_of(report, slot_end(report, i)) - x;
	double unit = (double)(HEIGHT - TOP - BOTTOM) / top;
	double y = HEIGHT - BOTTOM - value * unit;

	if (value == 0)
		return;
	buf_add_str(out, "<g>");
	add_rect(out, "good", x, width > 2 ? width - 1 : width, y,
	    (value - bad) * unit);
	add_rect(out, "bad", x, width > 2 ? width - 1 : width,
	    y + (value - bad) * unit, bad * unit);
	buf_add_str(out, "<title>");
	ctl_add_day(out, report->slots[i].begin, report->is_hourly);
	buf_addf(out, ": %u %s", value, things);
	if (bad > 0)
		buf_addf(out, ", %u failed", bad);
	buf_add_str(out, "</title></g>\n");
}

void
plot_slots(struct buf *out, const struct report *report, const char *label,
    const char *things, plot_value_fn *value, plot_value_fn *bad)
{
	unsigned max = 1, top;

	for (size_t i = 0; i < report->slot_count; i++)
		if (value(&report->slots[i]) > max)
			max = value(&report->slots[i]);
	top = round_up(max);
	open_svg(out, label, HEIGHT);
	add_level(out, TOP, top);
	if (top % 2 == 0)
		add_level(out, TOP + (HEIGHT - TOP - BOTTOM) / 2.0, top / 2);
	add_level(out, HEIGHT - BOTTOM, 0);
	for (size_t i = 0; i < report->slot_count; i++)
		add_slot(out, report, i, things, value(&report->slots[i]),
		    bad(&report->slots[i]), top);
	add_dates(out, report, LEFT, HEIGHT - 6);
	buf_add_str(out, "</svg></div>\n");
}

/* ---- delays ---- */

static void
add_delay_name(struct buf *out, size_t i)
{
	bool is_last = i + 1 == REPORT_DELAYS;

	buf_add_str(out, is_last ? "longer" : "within ");
	if (!is_last)
		usec_format(out, (usec_t)report_delays[i] * USEC_SEC);
}

void
plot_delays(struct buf *out, const struct report *report)
{
	double step = (double)(WIDTH - LEFT) / REPORT_DELAYS;
	unsigned max = 1, top;

	for (size_t i = 0; i < REPORT_DELAYS; i++)
		if (report->delays[i] > max)
			max = report->delays[i];
	top = round_up(max);
	open_svg(out, "How long notifications took", HEIGHT);
	add_level(out, TOP, top);
	add_level(out, HEIGHT - BOTTOM, 0);
	for (size_t i = 0; i < REPORT_DELAYS; i++) {
		double height =
		    (double)(HEIGHT - TOP - BOTTOM) * report->delays[i] / top;
		double x = LEFT + (double)i * step;
		buf_add_str(out, "<g>");
		add_rect(out, "good", x + 4, step - 8, HEIGHT - BOTTOM - height,
		    height);
		buf_addf(out, "<text class=\"axis\" x=\"%.1f\" y=\"%d\">",
		    x + 4, HEIGHT - 6);
		add_delay_name(out, i);
		buf_addf(out, "</text><title>%u ", report->delays[i]);
		add_delay_name(out, i);
		buf_add_str(out, "</title></g>\n");
	}
	buf_add_str(out, "</svg></div>\n");
}

/* ---- hours of an account ---- */

/* In tenths: a class has its own colour. */
static int
health_of(const struct report_hour *hour)
{
	return hour->total > 0 ? (int)(hour->watched * 10 / hour->total) : 0;
}

static void
add_hour(struct buf *out, const struct report *report,
    const struct report_hour *hour)
{
	double x = x_of(
	    report, hour->begin < report->from ? report->from : hour->begin);
	double end = x_of(report,
	    hour->begin + 3600 > report->to ? report->to : hour->begin + 3600);
	STR_AUTO class = xasprintf("h%d", health_of(hour));

	if (hour->total <= 0)
		return;
	buf_add_str(out, "<g>");
	add_rect(out, class, x, end - x, 2, STRIP - BOTTOM + 4);
	if (hour->losses > 0)
		buf_addf(out,
		    "<circle class=\"dot\" cx=\"%.1f\" cy=\"%d\" r=\"2.5\"/>",
		    (x + end) / 2, STRIP - BOTTOM - 2);
	buf_add_str(out, "<title>");
	ctl_add_day(out, hour->begin, true);
	buf_addf(out,
	    ": watched %.1f %% of the time; logins %" PRId64
	    ", troubles %" PRId64 "</title></g>\n",
	    100.0 * (double)hour->watched / (double)hour->total, hour->connects,
	    hour->losses);
}

void
plot_hours(struct buf *out, const struct report *report,
    const struct report_account *account)
{
	STR_AUTO label = xasprintf("The connections of %s", account->name);

	open_svg(out, label, STRIP);
	for (size_t i = 0; i < account->hour_count; i++)
		add_hour(out, report, &account->hours[i]);
	add_dates(out, report, LEFT, STRIP - 4);
	buf_add_str(out, "</svg></div>\n");
}

/* ---- rules by time ---- */

#define NAMES 200 /* names of rules; longer ones are cut off */
#define ROW 16
#define LEGEND_STEP 110

/* The same for all rules, so that rows can be compared. */
static const struct {
	unsigned least;
	const char *words;
} heats[] = {{1, "1"}, {2, "2 to 4"}, {5, "5 to 19"}, {20, "20 to 99"},
    {100, "100 or more"}};
#define HEATS (sizeof(heats) / sizeof(heats[0]))

static size_t
heat_of(unsigned count)
{
	size_t heat = HEATS;

	while (heat > 0 && count < heats[heat - 1].least)
		heat--;
	return heat;
}

static void
add_cell(struct buf *out, const struct report *report,
    const struct report_rule *rule, size_t i, int y)
{
	unsigned count = rule->by_slot[i], failed = rule->failed_by_slot[i];
	double x = x_behind(report, report->slots[i].begin, NAMES);
	double width = x_behind(report, slot_end(report, i), NAMES) - x;
	STR_AUTO class = xasprintf("heat%zu", heat_of(count));

	if (count == 0 && failed == 0)
		return;
	buf_add_str(out, "<g>");
	add_rect(out, class, x, width, y + 1, count > 0 ? ROW - 2 : 0);
	add_rect(out, "bad", x, width, y + ROW - 5, failed > 0 ? 4 : 0);
	buf_add_str(out, "<title>");
	ctl_add_day(out, report->slots[i].begin, report->is_hourly);
	buf_addf(out, ": %u matched", count);
	if (failed > 0)
		buf_addf(out, ", %u failed", failed);
	buf_add_str(out, "</title></g>\n");
}

/* An <svg> within cuts off what is wider. */
static void
add_rule_name(struct buf *out, const char *name, int y)
{
	buf_addf(out,
	    "<svg x=\"0\" y=\"%d\" width=\"%d\" height=\"%d\">"
	    "<text class=\"name\" x=\"0\" y=\"%d\">",
	    y, NAMES - 8, ROW, ROW - 4);
	plot_add_text(out, name);
	buf_add_str(out, "<title>");
	plot_add_text(out, name);
	buf_add_str(out, "</title></text></svg>\n");
}

static void
add_legend(struct buf *out, int y)
{
	for (size_t i = 0; i <= HEATS; i++) {
		STR_AUTO class =
		    i < HEATS ? xasprintf("heat%zu", i + 1) : xstrdup("bad");
		double x = NAMES + (double)(i * LEGEND_STEP);

		add_rect(out, class, x, ROW, i < HEATS ? y : y + ROW - 6,
		    i < HEATS ? ROW - 2 : 4);
		buf_addf(out,
		    "<text class=\"axis\" x=\"%.1f\" y=\"%d\">%s</text>\n",
		    x + ROW + 4, y + ROW - 4,
		    i < HEATS ? heats[i].words : "failed");
	}
}

void
plot_rules(struct buf *out, const struct report *report)
{
	int rows = (int)report->rule_count * ROW;

	open_svg(out, "Messages by rule and time", rows + BOTTOM + ROW + 8);
	for (size_t row = 0; row < report->rule_count; row++) {
		const struct report_rule *rule = &report->rules[row];
		int y = (int)row * ROW;

		buf_addf(out,
		    "<line class=\"grid\" x1=\"0\" x2=\"%d\" "
		    "y1=\"%d\" y2=\"%d\"/>\n",
		    WIDTH, y + ROW, y + ROW);
		add_rule_name(out, rule->name, y);
		for (size_t i = 0; i < report->slot_count; i++)
			add_cell(out, report, rule, i, y);
	}
	add_dates(out, report, NAMES, rows + BOTTOM - 8);
	add_legend(out, rows + BOTTOM + 2);
	buf_add_str(out, "</svg></div>\n");
}

/* ---- bars in tables ---- */

void
plot_bar(struct buf *out, unsigned part, unsigned bad, unsigned max)
{
	double unit = max > 0 ? 100.0 / max : 0;

	buf_add_str(out, "<svg class=\"bar\" viewBox=\"0 0 100 8\" "
			 "preserveAspectRatio=\"none\" aria-hidden=\"true\">");
	add_rect(out, "good", 0, (part - bad) * unit, 0, part > bad ? 8 : 0);
	add_rect(
	    out, "bad", (part - bad) * unit, bad * unit, 0, bad > 0 ? 8 : 0);
	buf_add_str(out, "</svg>");
}
