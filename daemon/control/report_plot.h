/*
 * report_plot: plots of a report as SVG that stands in HTML.
 *
 * No script, no font, no colour of its own: classes, which the page's style
 * colours (report_page.c). Every bar has a <title>, which a browser shows
 * under the pointer and a screen reader says.
 */
#ifndef BELFRY_CONTROL_REPORT_PLOT_H
#define BELFRY_CONTROL_REPORT_PLOT_H

#include "daemon/base/buf.h"
#include "daemon/control/report_data.h"

/* Text fit for HTML, also in attributes; control characters go. */
void plot_add_text(struct buf *out, const char *text);

/* What of a slot is drawn: its whole height, and what of it is bad. */
typedef unsigned plot_value_fn(const struct report_slot *slot);
void plot_slots(struct buf *out, const struct report *report, const char *label,
    const char *things, plot_value_fn *value, plot_value_fn *bad);
/* How long notifications took, by report_delays. */
void plot_delays(struct buf *out, const struct report *report);
/* A row for each rule: the messages that it matched, by time, in colours that
 * mean the same in all rows; with what failed. At least one rule. */
void plot_rules(struct buf *out, const struct report *report);
/* The hours of an account as one strip. */
void plot_hours(struct buf *out, const struct report *report,
    const struct report_account *account);
/* `part` of `max` as a bar in a table's cell, with what of it is bad. */
void plot_bar(struct buf *out, unsigned part, unsigned bad, unsigned max);

#endif
