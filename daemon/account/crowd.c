#include "daemon/account/crowd.h"

#include <assert.h>
#include <string.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"

#define WAIT_GROWS 3

struct crowd {
	struct list_link link; /* in crowds::all */
	unsigned kind;
	char *server, *text;
	char *key;	  /* of the text */
	unsigned named;	  /* since it began */
	unsigned counted; /* since the last summary */
	struct buf names; /* of these */
	unsigned unnamed;
	unsigned members;
	usec_t wait, next; /* USEC_NEVER: it is over */
	usec_t still;	   /* who is left is counted then; USEC_NEVER */
};

/* ---- one crowd ---- */

static bool
has_digit(struct span word)
{
	for (size_t i = 0; i < word.len; i++)
		if (word.data[i] >= '0' && word.data[i] <= '9')
			return true;
	return false;
}

/* Words with digits are all alike. */
static char *
key_of(const char *text)
{
	BUF_AUTO key = BUF_INIT;
	struct span rest = span_from_str(text), word;

	while (span_split(&rest, ' ', &word)) {
		buf_add_span(&key, has_digit(word) ? SPAN("#") : word);
		buf_add_char(&key, ' ');
	}
	return buf_take_str(&key);
}

static void
crowd_free(struct crowds *crowds, struct crowd *crowd)
{
	assert(crowd->members == 0);
	list_remove(&crowd->link);
	crowds->count--;
	free(crowd->server);
	free(crowd->text);
	free(crowd->key);
	buf_done(&crowd->names);
	free(crowd);
}

/* Nobody is in it, and nothing is to be told. */
static void
free_if_empty(struct crowds *crowds, struct crowd *crowd)
{
	if (crowd->members == 0 && crowd->next == USEC_NEVER)
		crowd_free(crowds, crowd);
}

static struct crowd *
find(const struct crowds *crowds, const struct crowd_words *words,
    const char *key)
{
	LIST_EACH(pos, &crowds->all)
	{
		struct crowd *crowd = LIST_ITEM(pos, struct crowd, link);
		if (crowd->kind == words->kind &&
		    strcmp(crowd->server, words->server) == 0 &&
		    strcmp(crowd->key, key) == 0)
			return crowd;
	}
	return NULL;
}

/* NULL: there is no room. */
static struct crowd *
find_or_make(struct crowds *crowds, const struct crowd_words *words)
{
	STR_AUTO key = key_of(words->text);
	struct crowd *crowd = find(crowds, words, key);

	if (crowd != NULL || crowds->count >= CROWDS_MAX)
		return crowd;
	crowd = NEW(struct crowd);
	crowd->kind = words->kind;
	crowd->server = xstrdup(words->server);
	crowd->key = xstrdup(key);
	crowd->next = crowd->still = USEC_NEVER;
	list_add(&crowds->all, &crowd->link);
	crowds->count++;
	return crowd;
}

static void
begin_if_over(struct crowd *crowd, usec_t now)
{
	if (crowd->next != USEC_NEVER)
		return;
	crowd->named = 0;
	crowd->wait = CROWD_WAIT_USEC;
	crowd->next = usec_add(now, crowd->wait);
	crowd->still = USEC_NEVER;
}

static void
count(struct crowd *crowd, const char *name)
{
	crowd->counted++;
	if (crowd->names.len + strlen(name) > CROWD_NAMES_MAX) {
		crowd->unnamed++;
		return;
	}
	buf_add_str(&crowd->names, crowd->names.len > 0 ? ", " : "");
	buf_add_str(&crowd->names, name);
}

/* ---- all of them ---- */

void
crowds_init(struct crowds *crowds)
{
	list_init(&crowds->all);
	crowds->count = 0;
}

void
crowds_done(struct crowds *crowds)
{
	LIST_EACH(pos, &crowds->all)
	crowd_free(crowds, LIST_ITEM(pos, struct crowd, link));
}

bool
crowd_says(struct crowds *crowds, struct crowd_member *member,
    const struct crowd_words *words, usec_t now)
{
	if (member != NULL)
		crowd_leave(crowds, member);
	struct crowd *crowd = find_or_make(crowds, words);
	if (crowd == NULL)
		return true;
	begin_if_over(crowd, now);
	free(crowd->text);
	crowd->text = xstrdup(words->text);
	if (crowd->named < CROWD_NAMED) {
		crowd->named++;
		return true;
	}
	count(crowd, words->name);
	if (member == NULL)
		return false;
	crowd->members++;
	member->crowd = crowd;
	return false;
}

bool
crowd_repeats(struct crowds *crowds, struct crowd_member *member)
{
	const struct crowd *crowd = member->crowd;

	if (crowd == NULL || crowd->next != USEC_NEVER ||
	    crowd->members > CROWD_NAMED)
		return false;
	crowd_leave(crowds, member);
	return true;
}

void
crowd_leave(struct crowds *crowds, struct crowd_member *member)
{
	struct crowd *crowd = member->crowd;

	if (crowd == NULL)
		return;
	member->crowd = NULL;
	crowd->members--;
	free_if_empty(crowds, crowd);
}

usec_t
crowds_deadline(const struct crowds *crowds)
{
	usec_t deadline = USEC_NEVER;

	LIST_EACH(pos, &crowds->all)
	{
		const struct crowd *crowd = LIST_ITEM(pos, struct crowd, link);
		deadline = usec_min(deadline, crowd->next);
		deadline = usec_min(deadline, crowd->still);
	}
	return deadline;
}

static void
take_summary(struct crowd *crowd, struct crowd_summary *summary_r, usec_t now)
{
	*summary_r = (struct crowd_summary){
	    .kind = crowd->kind,
	    .server = crowd->server,
	    .text = crowd->text,
	    .count = crowd->counted,
	    .names = crowd->names,
	    .unnamed = crowd->unnamed,
	};
	buf_init(&crowd->names);
	crowd->counted = crowd->unnamed = 0;
	crowd->wait = usec_min(crowd->wait * WAIT_GROWS, CROWD_WAIT_MAX_USEC);
	crowd->next = usec_add(now, crowd->wait);
}

/* It is over; who stays in it is not forgotten. */
static void
end(struct crowds *crowds, struct crowd *crowd, usec_t now)
{
	crowd->next = USEC_NEVER;
	if (crowd->members > CROWD_NAMED && now != USEC_NEVER)
		crowd->still = usec_add(now, CROWD_STILL_USEC);
	free_if_empty(crowds, crowd);
}

/* CROWD_NAMED or fewer are named as soon as they say it again. */
static bool
take_still(struct crowd *crowd, struct crowd_summary *summary_r)
{
	crowd->still = USEC_NEVER;
	if (crowd->members <= CROWD_NAMED)
		return false;
	*summary_r = (struct crowd_summary){
	    .kind = crowd->kind,
	    .server = crowd->server,
	    .text = crowd->text,
	    .count = crowd->members,
	    .is_still = true,
	};
	return true;
}

bool
crowds_next(struct crowds *crowds, struct crowd_summary *summary_r, usec_t now)
{
	LIST_EACH(pos, &crowds->all)
	{
		struct crowd *crowd = LIST_ITEM(pos, struct crowd, link);
		if (crowd->still <= now && crowd->still != USEC_NEVER &&
		    take_still(crowd, summary_r))
			return true;
		if (crowd->next > now || crowd->next == USEC_NEVER)
			continue;
		if (crowd->counted > 0) {
			take_summary(crowd, summary_r, now);
			return true;
		}
		end(crowds, crowd, now);
	}
	return false;
}

void
crowd_summary_done(struct crowd_summary *summary)
{
	buf_done(&summary->names);
}
