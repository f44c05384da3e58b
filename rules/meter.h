/*
 * meter: how long rules take; what judging asks of struct rules_meter
 * (rules.h).
 */
#ifndef BELFRY_RULES_METER_H
#define BELFRY_RULES_METER_H

#include "rules/rules.h"

/* Whether this judgement is to be measured: NULL, or the meter. Call it once
 * for each judgement. */
struct rules_meter *meter_begin(
    struct rules_meter *meter, const struct rules *rules);
/* NULL-safe: 0. */
uint64_t meter_now(struct rules_meter *meter);
/* NULL-safe. The rule at `index` was looked at since `start`. */
void meter_end(struct rules_meter *meter, size_t index, uint64_t start);

#endif
