/*
 * Whether we live, and whether our connections do: sleep, a set clock and
 * another network make every mailbox prove itself; and systemd hears of us
 * only while no engine is stuck.
 */
#include "daemon/base/xalloc.h"
#include "daemon/loop/log.h"
#include "daemon/loop/netwatch.h"
#include "daemon/loop/sd_notify.h"
#include "daemon/wiring/belfry.h"
#include "daemon/wiring/tokens.h"
#include "daemon/wiring/transport.h"

/* Many accounts prove themselves one after the other, all within this. */
#define SPREAD_USEC (3 * USEC_SEC)
#define STEP_USEC (20 * USEC_MSEC)
/* A resume sets the clock, too: that is told once. */
#define RESUME_USEC USEC_SEC
/* Something is stuck: perhaps its timer comes in the same round, as after a
 * sleep, when all are late. It is told at the second look. */
#define AGAIN_USEC USEC_SEC

struct alive {
	struct belfry *belfry;
	struct netwatch *netwatch;
	struct loop_timer *hints, *watchdog;
	usec_t resumed;	 /* when that was told last */
	usec_t interval; /* of the watchdog; USEC_NEVER: there is none */
	unsigned stuck;	 /* looks in a row that found somebody so */
	bool told_stuck;
};

/* ---- hints ---- */

/* After the hint: what ends now did not die of silence. */
static void
heed_addresses(struct running_account *account)
{
	LIST_EACH(pos, &account->lines)
	{
		struct line *line = LIST_ITEM(pos, struct line, link);
		if (line->transport != NULL)
			transport_heed_addresses(
			    line->transport, account->belfry->alive->netwatch);
	}
}

static usec_t
give_due_hints(struct belfry *belfry, usec_t now)
{
	usec_t next = USEC_NEVER;

	LIST_EACH(pos, &belfry->accounts)
	{
		struct running_account *account =
		    LIST_ITEM(pos, struct running_account, link);
		if (account->hint_at == 0)
			continue;
		if (account->hint_at > now) {
			next = usec_min(next, account->hint_at);
			continue;
		}
		account->hint_at = 0;
		account_hint(account->account, now);
		heed_addresses(account);
		if (account->sender != NULL)
			sender_hint(account->sender);
		tokens_hint(account->tokens);
		accounts_pump(account);
	}
	return next;
}

static void
on_hints(void *ctx)
{
	struct alive *alive = ctx;

	loop_timer_set(alive->hints, give_due_hints(alive->belfry, loop_now()));
}

void
alive_hint(struct belfry *belfry)
{
	usec_t now = loop_now(), step = STEP_USEC;
	size_t count = 0;

	LIST_EACH(pos, &belfry->accounts)
	count++;
	if (count * step > SPREAD_USEC)
		step = SPREAD_USEC / count;
	usec_t at = now;
	LIST_EACH(pos, &belfry->accounts)
	{
		LIST_ITEM(pos, struct running_account, link)->hint_at = at;
		at = usec_add(at, step);
	}
	loop_timer_set(belfry->alive->hints, now);
}

static void
on_news(void *ctx, enum netwatch_news news)
{
	struct alive *alive = ctx;
	usec_t now = loop_now();

	if (alive->belfry->leaving)
		return;
	accounts_set_clock(alive->belfry);
	if (news == NETWATCH_SUSPENDED)
		alive->resumed = now;
	else if (news == NETWATCH_CLOCK_CHANGED &&
		 now < usec_add(alive->resumed, RESUME_USEC))
		return;
	log_event(LOG_LEVEL_INFO, "checking", "what", netwatch_news_words(news),
	    NULL);
	alive_hint(alive->belfry);
}

/* ---- the watchdog ---- */

/* NULL: nobody. */
static struct running_account *
stuck_account(const struct belfry *belfry, usec_t now, const char **what_r)
{
	LIST_EACH(pos, &belfry->accounts)
	{
		struct running_account *running =
		    LIST_ITEM(pos, struct running_account, link);
		for (size_t i = 0; i < account_count(running->account); i++) {
			struct mailbox *mailbox =
			    account_mailbox(running->account, i);
			*what_r = mailbox_name(mailbox);
			if (mailbox_is_stuck(mailbox, now))
				return running;
		}
		*what_r = "forwards";
		if (running->sender != NULL &&
		    usec_add(outbox_deadline(sender_outbox(running->sender)),
			MAILBOX_STUCK_USEC) < now)
			return running;
	}
	return NULL;
}

static void
tell_stuck(
    struct alive *alive, struct running_account *account, const char *what)
{
	if (what != NULL && !alive->told_stuck)
		report_note(alive->belfry, true, "stuck",
		    account != NULL ? account->config->name : NULL,
		    "%s should have done something a minute ago: the "
		    "watchdog is not fed, and systemd starts belfryd anew; "
		    "without it, do so",
		    what);
	alive->told_stuck = what != NULL;
}

static void
on_watchdog(void *ctx)
{
	struct alive *alive = ctx;
	usec_t now = loop_now();
	const char *what = NULL;
	struct running_account *account =
	    stuck_account(alive->belfry, now, &what);
	bool is_stuck = account != NULL;

	if (journal_is_stuck(alive->belfry->journal, now)) {
		is_stuck = true;
		account = NULL;
		what = "the disk";
	}
	if (!is_stuck || alive->belfry->leaving)
		sd_notify_watchdog();
	alive->stuck = is_stuck ? alive->stuck + 1 : 0;
	tell_stuck(alive, account, alive->stuck > 1 ? what : NULL);
	loop_timer_set(alive->watchdog,
	    usec_add(now, is_stuck ? usec_min(alive->interval, AGAIN_USEC)
				   : alive->interval));
}

/* ---- life ---- */

void
alive_start(struct belfry *belfry)
{
	struct alive *alive = NEW(struct alive);
	const struct netwatch_config config = {
	    .loop = belfry->loop, .fn = on_news, .ctx = alive};

	alive->belfry = belfry;
	alive->hints = loop_timer_new(belfry->loop, on_hints, alive);
	alive->watchdog = loop_timer_new(belfry->loop, on_watchdog, alive);
	alive->netwatch = netwatch_new(&config);
	alive->interval = sd_notify_watchdog_interval();
	belfry->alive = alive;
	if (alive->interval != USEC_NEVER)
		loop_timer_set(alive->watchdog, loop_now());
}

void
alive_free(struct alive **alive)
{
	struct alive *a = *alive;

	if (a == NULL)
		return;
	netwatch_free(&a->netwatch);
	loop_timer_free(&a->hints);
	loop_timer_free(&a->watchdog);
	free(a);
	*alive = NULL;
}
