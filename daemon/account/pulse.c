#include "daemon/account/pulse.h"

#include <inttypes.h>

#include "daemon/base/str.h"

#define HOUR 3600

bool
pulse_advance(struct pulse *pulse, int64_t now_unix, struct pulse_hour *past_r)
{
	uint32_t number = now_unix > 0 ? (uint32_t)(now_unix / HOUR) : 0;
	struct pulse_hour past = pulse->now;

	if (past.number == number)
		return false;
	pulse->now = (struct pulse_hour){.number = number};
	if (past.total == 0 && past.connects == 0 && past.losses == 0)
		return false;
	*past_r = past;
	return true;
}

void
pulse_connected(struct pulse *pulse)
{
	pulse->now.connects++;
}

void
pulse_lost(struct pulse *pulse)
{
	pulse->now.losses++;
}

void
pulse_watched(
    struct pulse *pulse, uint64_t seconds, size_t watched, size_t total)
{
	pulse->now.watched += seconds * watched;
	pulse->now.total += seconds * total;
}

/* ---- the text ---- */

static bool
take_number(struct span *text, uint64_t *value_r)
{
	struct span word;

	return span_split(text, ' ', &word) && span_to_u64(word, value_r);
}

static bool
parse_hour(struct span text, struct pulse_hour *hour_r)
{
	uint64_t values[5];

	for (size_t i = 0; i < 5; i++)
		if (!take_number(&text, &values[i]))
			return false;
	if (text.data != NULL || values[0] > UINT32_MAX ||
	    values[1] > UINT32_MAX || values[2] > UINT32_MAX ||
	    values[3] > values[4])
		return false;
	*hour_r = (struct pulse_hour){
	    .number = (uint32_t)values[0],
	    .connects = (uint32_t)values[1],
	    .losses = (uint32_t)values[2],
	    .watched = values[3],
	    .total = values[4],
	};
	return true;
}

bool
pulse_next(struct span *kept, struct pulse_hour *hour_r)
{
	struct span text;

	while (span_split(kept, ';', &text))
		if (parse_hour(text, hour_r))
			return true;
	return false;
}

static void
add_hour(struct buf *out, const struct pulse_hour *hour)
{
	buf_addf(out,
	    "%" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu64 " %" PRIu64,
	    hour->number, hour->connects, hour->losses, hour->watched,
	    hour->total);
}

static void
add_up(struct pulse_hour *hour, const struct pulse_hour *more)
{
	hour->connects += more->connects;
	hour->losses += more->losses;
	hour->watched += more->watched;
	hour->total += more->total;
}

void
pulse_append(struct buf *out, struct span kept, const struct pulse_hour *hour)
{
	struct pulse_hour sum = *hour, other;
	uint32_t oldest =
	    hour->number > PULSE_HOURS_MAX ? hour->number - PULSE_HOURS_MAX : 0;

	while (pulse_next(&kept, &other)) {
		if (other.number == hour->number) {
			add_up(&sum, &other);
		} else if (other.number > oldest &&
			   other.number < hour->number) {
			add_hour(out, &other);
			buf_add_char(out, ';');
		}
	}
	add_hour(out, &sum);
}
