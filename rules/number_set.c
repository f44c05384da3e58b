#include "rules/number_set.h"

struct number_set
number_set_range(int64_t from, int64_t to, bool has_none)
{
	struct number_set set = {.has_none = has_none};

	if (from <= to)
		set.ranges[set.count++] = (struct number_range){from, to};
	return set;
}

static bool
append(struct number_set *set, int64_t from, int64_t to)
{
	if (set->count == NUMBER_SET_RANGES_MAX)
		return false;
	set->ranges[set->count++] = (struct number_range){from, to};
	return true;
}

static int64_t
min(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t
max(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Overlapping, or side by side. */
static bool
touches(const struct number_range *range, int64_t from, int64_t to)
{
	return (to == INT64_MAX || range->from <= to + 1) &&
	       (from == INT64_MIN || range->to >= from - 1);
}

bool
number_set_add(struct number_set *set, int64_t from, int64_t to)
{
	struct number_set sum = {.has_none = set->has_none};
	bool is_in = false, ok = true;

	for (size_t i = 0; i < set->count; i++) {
		const struct number_range *range = &set->ranges[i];

		if (touches(range, from, to)) {
			from = min(from, range->from);
			to = max(to, range->to);
			continue;
		}
		if (!is_in && to < range->from) {
			ok = append(&sum, from, to) && ok;
			is_in = true;
		}
		ok = append(&sum, range->from, range->to) && ok;
	}
	if (!is_in)
		ok = append(&sum, from, to) && ok;
	if (ok)
		*set = sum;
	return ok;
}

bool
number_set_intersect(struct number_set *set, const struct number_set *other)
{
	struct number_set common = {
	    .has_none = set->has_none && other->has_none};
	bool ok = true;

	for (size_t i = 0; i < set->count; i++) {
		for (size_t j = 0; j < other->count; j++) {
			int64_t from =
			    max(set->ranges[i].from, other->ranges[j].from);
			int64_t to =
			    min(set->ranges[i].to, other->ranges[j].to);

			if (from <= to)
				ok = append(&common, from, to) && ok;
		}
	}
	if (ok)
		*set = common;
	return ok;
}

/* All that is not in `set`. */
static bool
complement(const struct number_set *set, struct number_set *others_r)
{
	struct number_set others = {.has_none = !set->has_none};
	int64_t from = INT64_MIN;
	bool ok = true;

	for (size_t i = 0; i < set->count; i++) {
		const struct number_range *range = &set->ranges[i];

		if (range->from > from)
			ok = append(&others, from, range->from - 1) && ok;
		if (range->to == INT64_MAX) {
			*others_r = others;
			return ok;
		}
		from = range->to + 1;
	}
	ok = append(&others, from, INT64_MAX) && ok;
	*others_r = others;
	return ok;
}

bool
number_set_subtract(struct number_set *set, const struct number_set *other)
{
	struct number_set rest;

	return complement(other, &rest) && number_set_intersect(set, &rest);
}

bool
number_set_is_empty(const struct number_set *set)
{
	return !set->has_none && set->count == 0;
}

bool
number_set_is_within(
    const struct number_set *set, const struct number_set *other)
{
	struct number_set rest = *set;

	return number_set_subtract(&rest, other) && number_set_is_empty(&rest);
}
