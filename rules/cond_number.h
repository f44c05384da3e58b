/*
 * cond_number: the numbers that conditions compare with.
 *
 *   number    = 1*DIGIT [ unit ] / weekday
 */
#ifndef BELFRY_RULES_COND_NUMBER_H
#define BELFRY_RULES_COND_NUMBER_H

#include "rules/view.h"

/* Bytes, seconds, hours from 0, days from 1 (Monday) or what is counted, by
 * the field's unit. False: it is none. */
bool cond_number_parse(
    enum field_unit unit, struct span text, int64_t *number_r);

/* What is expected, for people: "an hour from 0 to 23". */
const char *cond_number_expected(enum field_unit unit);

#endif
