/*
 * rules/escalate: who is rung later.
 */
#include "rules/escalate.h"

#include "daemon/base/str.h"
#include "daemon/base/usec.h"

/* False: it is neither "10m" nor "10m unless read". */
static bool
read_delay(struct span text, struct action *action)
{
	struct span unless = SPAN("unless read"), time = text;
	usec_t after;

	if (span_ends_nocase(text, "unless read") && text.len > unless.len &&
	    char_is_blank(text.data[text.len - unless.len - 1])) {
		action->unless_read = true;
		time = span_slice(text, 0, text.len - unless.len);
	}
	if (!usec_parse(span_trim(time), &after) ||
	    after < ESCALATE_MIN_SEC * USEC_SEC ||
	    after > ESCALATE_MAX_SEC * USEC_SEC)
		return false;
	action->after = (unsigned)(after / USEC_SEC);
	return true;
}

bool
escalate_parse(struct span text, struct span *names_r, struct action *action)
{
	struct span after = SPAN(" after ");
	size_t at = span_find_span(text, after, 0);

	if (at == SIZE_MAX ||
	    !read_delay(span_trim(span_skip(text, at + after.len)), action))
		return false;
	*names_r = span_trim(span_slice(text, 0, at));
	return names_r->len > 0;
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
