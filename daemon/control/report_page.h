/*
 * report_page: a report as one page of HTML that needs nothing else: no
 * script, no network, which its own policy forbids it.
 */
#ifndef BELFRY_CONTROL_REPORT_PAGE_H
#define BELFRY_CONTROL_REPORT_PAGE_H

#include "daemon/base/buf.h"
#include "daemon/control/report_data.h"

/* `left_out`: there were more messages than were counted. */
void report_page(struct buf *out, const struct report *report, bool left_out);

#endif
