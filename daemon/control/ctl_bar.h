/*
 * ctl_bar: the status in a status bar.
 *
 * The number of messages that rang and are not read yet, and whether anything
 * is in trouble, as one line in what each bar reads:
 *
 *   waybar   {"text":"3","alt":"unread","class":"unread","tooltip":"..."};
 *            alt and class are trouble, unread, paused, clear or off; the
 *            tooltip is Pango markup, a line an account
 *   i3blocks {"full_text":"✉ 3","short_text":"3"}, with "color" in trouble;
 *            for format=json
 *   polybar  ✉ 3, with %{F#...} around it in trouble
 */
#ifndef BELFRY_CONTROL_CTL_BAR_H
#define BELFRY_CONTROL_CTL_BAR_H

#include "daemon/control/ctl.h"

struct ctl_bar;

/* NULL: there is none of that name. A constant. */
const struct ctl_bar *ctl_bar_find(const char *name);
/* The names with commas between them: a constant. */
extern const char ctl_bar_names[];
/* Appends the line with its LF; `answer` NULL: there is none, and `why` says
 * the reason. */
void ctl_bar_add(const struct ctl_bar *bar, struct buf *out,
    const struct json *answer, const char *why);

#endif
