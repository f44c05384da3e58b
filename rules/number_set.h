/*
 * number_set: a set of numbers, and perhaps "no number at all": what tests
 * on one field leave of its values. In place, without memory of its own.
 */
#ifndef BELFRY_RULES_NUMBER_SET_H
#define BELFRY_RULES_NUMBER_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NUMBER_SET_RANGES_MAX 16

struct number_range {
	int64_t from, to; /* both in it */
};
struct number_set {
	bool has_none; /* the field may be missing */
	size_t count;  /* ranges; sorted, none touches the next */
	struct number_range ranges[NUMBER_SET_RANGES_MAX];
};

/* One range. */
struct number_set number_set_range(int64_t from, int64_t to, bool has_none);
/* The functions that return bool: false when there are too many ranges, and
 * nothing is changed. */
bool number_set_add(struct number_set *set, int64_t from, int64_t to);
bool number_set_intersect(
    struct number_set *set, const struct number_set *other);
/* Takes `other` out. */
bool number_set_subtract(
    struct number_set *set, const struct number_set *other);
bool number_set_is_empty(const struct number_set *set);
/* `set` is a part of `other`. */
bool number_set_is_within(
    const struct number_set *set, const struct number_set *other);

#endif
