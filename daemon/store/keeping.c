#include "daemon/store/keeping.h"

#include <inttypes.h>

#define DIGITS_MAX 12 /* of seconds: years enough */

static bool
read_seconds(struct span text, int64_t *seconds_r)
{
	int64_t seconds = 0;

	if (text.len == 0 || text.len > DIGITS_MAX)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		seconds = seconds * 10 + (text.data[i] - '0');
	}
	*seconds_r = seconds;
	return true;
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* A clock that was set back does not take it along: it would have to come all
 * the way again. A machine that begins in 1970, until somebody tells it the
 * time, has said nothing that would have to be followed slowly. */
static int64_t
follow(int64_t last, int64_t now_unix, int64_t most)
{
	if (last < KEEPING_EPOCH_UNIX)
		return now_unix;
	return last >= now_unix ? last : earlier(now_unix, last + most);
}

void
keeping_init(
    struct keeping *keeping, struct span text, int64_t now_unix, usec_t now)
{
	int64_t last;

	keeping->at = now;
	keeping->unix_seconds = now_unix;
	if (read_seconds(text, &last))
		keeping->unix_seconds =
		    follow(last, now_unix, KEEPING_LIFE_SEC);
}

void
keeping_save(const struct keeping *keeping, struct buf *out)
{
	buf_addf(out, "%" PRId64,
	    keeping->unix_seconds > 0 ? keeping->unix_seconds : 0);
}

int64_t
keeping_time(struct keeping *keeping, int64_t now_unix, usec_t now)
{
	int64_t passed = (int64_t)(usec_since(keeping->at, now) / USEC_SEC);

	keeping->unix_seconds =
	    follow(keeping->unix_seconds, now_unix, KEEPING_RATE * passed);
	/* What is left of a second counts the next time. */
	keeping->at = usec_add(keeping->at, (usec_t)passed * USEC_SEC);
	return earlier(now_unix, keeping->unix_seconds);
}

int64_t
keeping_mark(struct keeping *keeping, int64_t now_unix, usec_t now)
{
	keeping_time(keeping, now_unix, now);
	return keeping->unix_seconds >= KEEPING_EPOCH_UNIX
		   ? keeping->unix_seconds
		   : 0;
}
