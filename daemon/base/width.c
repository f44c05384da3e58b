/*
 * width: how many columns of a terminal a text takes.
 */
#include "daemon/base/width.h"

#include "daemon/base/utf8.h"

struct range {
	uint32_t first, last;
};

static const struct range zero[] = {
#define WIDTH_ZERO
#include "daemon/base/width_table.h"
#undef WIDTH_ZERO
};
static const struct range wide[] = {
#include "daemon/base/width_table.h"
};
#define COUNT(table) (sizeof(table) / sizeof(*(table)))

static bool
is_among(uint32_t code, const struct range *table, size_t count)
{
	size_t low = 0;

	while (low < count) {
		size_t middle = low + (count - low) / 2;
		if (code < table[middle].first)
			count = middle;
		else if (code > table[middle].last)
			low = middle + 1;
		else
			return true;
	}
	return false;
}

static size_t
columns_of(uint32_t code)
{
	if (code < zero[0].first)
		return 1;
	if (is_among(code, zero, COUNT(zero)))
		return 0;
	return is_among(code, wide, COUNT(wide)) ? 2 : 1;
}

size_t
width_of(struct span text)
{
	size_t columns = 0;
	uint32_t code;

	while (text.len > 0) {
		text = span_skip(text, utf8_next(text, &code, NULL));
		columns += columns_of(code);
	}
	return columns;
}

size_t
width_cut(struct span text, size_t columns)
{
	size_t used = 0, bytes = 0;
	uint32_t code;

	while (bytes < text.len) {
		size_t n = utf8_next(span_skip(text, bytes), &code, NULL);
		used += columns_of(code);
		if (used > columns)
			break;
		bytes += n;
	}
	return bytes;
}
