#include "daemon/outbox/retry.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define JITTER_PERCENT 20
#define MARK "[unknown "

static usec_t
step(const usec_t *ladder, size_t count, unsigned times)
{
	size_t index = times > 0 ? times - 1 : 0;

	return ladder[index < count ? index : count - 1];
}

usec_t
retry_wait(struct random *random, unsigned attempts, bool slow)
{
	static const usec_t ladder[] = {1 * USEC_MINUTE, 5 * USEC_MINUTE,
	    15 * USEC_MINUTE, 30 * USEC_MINUTE, 60 * USEC_MINUTE};
	usec_t wait = random_jitter(
	    random, step(ladder, COUNT(ladder), attempts), JITTER_PERCENT);

	return slow && wait < RETRY_SLOW_USEC ? RETRY_SLOW_USEC : wait;
}

usec_t
retry_pause(struct random *random, unsigned times)
{
	static const usec_t ladder[] = {1 * USEC_HOUR, 2 * USEC_HOUR,
	    4 * USEC_HOUR, 8 * USEC_HOUR, 16 * USEC_HOUR, 24 * USEC_HOUR};
	usec_t pause = step(ladder, COUNT(ladder), times);

	return pause + random_below(random, pause * JITTER_PERCENT / 100);
}

bool
retry_is_over(unsigned attempts, int64_t queued_unix, int64_t now_unix)
{
	return attempts >= RETRY_TRIES_MIN &&
	       now_unix - queued_unix >=
		   (int64_t)(RETRY_GIVE_UP_USEC / USEC_SEC);
}

unsigned
retry_unknown_count(struct span reply)
{
	uint32_t count = 0;

	if (!span_starts(reply, MARK))
		return 0;
	reply = span_skip(reply, sizeof(MARK) - 1);
	span_to_u32(span_slice(reply, 0, span_find(reply, ']')), &count);
	return count;
}

void
retry_format_reply(struct buf *out, unsigned unknown, struct span text)
{
	if (unknown > 0)
		buf_addf(out, MARK "%u] ", unknown);
	buf_add_span(out, text);
}
