/*
 * rules/escalate: who is rung later.
 */
#include "rules/escalate.h"

#include "daemon/base/str.h"
#include "daemon/base/usec.h"

/* What stands behind "after", without "unless read". */
static struct span
time_of(struct span text, bool *unless_read_r)
{
	struct span unless = SPAN("unless read"), time = text;

	*unless_read_r = span_ends_nocase(text, "unless read") &&
			 text.len > unless.len &&
			 char_is_blank(text.data[text.len - unless.len - 1]);
	if (*unless_read_r)
		time = span_slice(text, 0, text.len - unless.len);
	return span_trim(time);
}

/* False: it is neither "10m" nor "10m unless read". */
static bool
read_delay(struct span text, struct action *action)
{
	usec_t after;

	if (!usec_parse(time_of(text, &action->unless_read), &after) ||
	    after < ESCALATE_MIN_SEC * USEC_SEC ||
	    after > ESCALATE_MAX_SEC * USEC_SEC)
		return false;
	action->after = (unsigned)(after / USEC_SEC);
	return true;
}

/* False: there is no "after". */
static bool
cut(struct span text, struct span *names_r, struct span *delay_r)
{
	struct span after = SPAN(" after ");
	size_t at = span_find_span(text, after, 0);

	if (at == SIZE_MAX)
		return false;
	*names_r = span_trim(span_slice(text, 0, at));
	*delay_r = span_trim(span_skip(text, at + after.len));
	return true;
}

bool
escalate_parse(struct span text, struct span *names_r, struct action *action)
{
	struct span delay;

	if (!cut(text, names_r, &delay) || !read_delay(delay, action))
		return false;
	return names_r->len > 0;
}

const char *
escalate_hint(struct span text, struct buf *buf)
{
	struct span names, delay;
	bool unless_read;

	return cut(text, &names, &delay) &&
		       usec_suggest_unit(buf, time_of(delay, &unless_read))
		   ? buf_str(buf)
		   : NULL;
}

bool
escalate_next_name(struct span *names, struct span *name_r)
{
	struct span name;

	while (span_split(names, ',', &name)) {
		*name_r = span_trim(name);
		if (name_r->len > 0)
			return true;
	}
	return false;
}
