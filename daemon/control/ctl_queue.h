/*
 * ctl_queue: what `queue` and `status` say in the same words.
 */
#ifndef BELFRY_CONTROL_CTL_QUEUE_H
#define BELFRY_CONTROL_CTL_QUEUE_H

#include "daemon/control/ctl.h"

/* "wait: no route; next try in 5 min", or what the person has to do about it;
 * and a line end. `wait` is of `forwards` of status. */
void ctl_queue_add_wait(
    const struct ctl *ctl, struct buf *out, const struct json *wait);

#endif
