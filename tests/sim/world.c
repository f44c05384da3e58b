#include "tests/sim/world_private.h"

#include <stdarg.h>
#include <stdio.h>

#include "daemon/base/xalloc.h"
#include "daemon/config/presets.h"

#define CALM_USEC (60 * USEC_HOUR)     /* without: the slowest ladder ends */
#define REMADE_USEC (40 * USEC_MINUTE) /* until a mailbox is opened again */
#define LEARN_USEC (3 * USEC_HOUR)
#define LEARNED_USEC (5 * USEC_HOUR)
#define LEARNED_AFTER 4		  /* messages */
#define LOOK_USEC (1 * USEC_HOUR) /* the calm ends when all is settled */
#define TRIED_OF 4		  /* seeds: how often the server is tried */
#define PATIENT_PERCENT 15	  /* ... and in these seeds never sooner */

void
world_note(struct world *w, const char *format, ...)
{
	va_list args;

	if (!w->verbose)
		return;
	printf("%10.3f  ", (double)(w->now - START_USEC) / 1e6);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

void
world_fail(struct world *w, const char *format, ...)
{
	va_list args;

	if (!w->result->ok)
		return; /* the first reason counts */
	w->result->ok = false;
	va_start(args, format);
	vsnprintf(w->result->why, sizeof(w->result->why), format, args);
	va_end(args);
	world_note(w, "BROKEN: %s", w->result->why);
}

bool
world_chance(struct world *w, unsigned percent)
{
	return random_below(&w->random, 100) < percent;
}

usec_t
world_delay(struct world *w)
{
	return USEC_MSEC + random_below(&w->random, 400 * USEC_MSEC);
}

/* Half of them count changes, half of these have QRESYNC: not by the dice, so
 * that all else stays as it was. */
static uint64_t
counting(uint64_t traits)
{
	uint64_t dice = traits * UINT64_C(0x9e3779b97f4a7c15) >> 40;
	uint64_t found = (dice & 4) != 0 ? MODEL_LIST_STATUS : 0;

	if ((dice & 1) != 0)
		found |= MODEL_CONDSTORE;
	if ((dice & 3) == 3)
		found |= MODEL_QRESYNC;
	return found;
}

static uint64_t
choose_traits(struct world *w)
{
	uint64_t traits = random_below(&w->random, 1u << MODEL_TRAITS);

	if (world_chance(w, 30)) /* a good server, often */
		traits = MODEL_MOVE | MODEL_UIDPLUS | MODEL_IDLE;
	if ((traits & MODEL_DOT_PREFIX) != 0)
		traits |= MODEL_NAMESPACE;
	if (world_chance(w, 60)) /* each of them blinds half of all servers */
		traits &= ~MODEL_BLIND;
	for (unsigned i = 0; i < 3; i++)
		if (world_chance(w, 30))
			traits |=
			    MODEL_BIT(MODEL_TRAITS +
				      random_below(&w->random,
					  MODEL_ODD_TRAITS - MODEL_TRAITS));
	return traits | counting(traits);
}

/* A server that somebody has met, or one of all kinds of oddities. */
static void
choose_server(struct world *w, const struct world_options *options)
{
	const struct personality *personality = options->personality;

	model_init(&w->model, choose_traits(w));
	if (w->weather->is_chaos)
		world_choose_attacks(w, options->seed);
	if (personality == NULL && world_chance(w, 50))
		personality = personality_at(
		    random_below(&w->random, personality_count()));
	if (personality != NULL)
		model_become(&w->model, personality);
	world_note(w, "the server is %s (%llx)",
	    personality != NULL ? personality->name : "of its own kind",
	    (unsigned long long)w->model.traits);
	w->model.logins_max = 0; /* a visitor is the second one */
	w->rebuilds =
	    (w->model.traits & MODEL_UIDS_CHANGE) != 0 || world_chance(w, 8);
	if (w->rebuilds)
		w->model.remade = random_below(&w->random, REMADE_KINDS);
}

/* Where it matters how a message is appended, and in a quarter of the others:
 * not by the dice, either. */
static void
choose_machines(struct world *w, uint64_t seed)
{
	uint64_t dice = seed * UINT64_C(0x9e3779b97f4a7c15) >> 40;

	w->asks = (w->model.traits & MODEL_ENDED_LINES) != 0 || dice % 4 == 0;
	w->is_tried = dice / 8 % TRIED_OF == 0;
	w->joins = USEC_NEVER;
	/* Of what is judged while the clock is behind by days, the other
	 * machine is thought to have done it. */
	if (w->asks && dice / 4 % 2 == 0 && !w->weather->is_chaos)
		w->joins = usec_add(w->now, dice % (12 * 60) * USEC_MINUTE);
}

/* What the daemon knows of the server before it meets it. */
static void
prepare(struct world *w)
{
	const struct personality *personality = w->model.personality;
	uint32_t quirks = personality != NULL ? personality->quirks : 0;
	struct mailbox_config *config = &w->config.mailbox;

	config->check_noop = (quirks & QUIRK_IDLE_SILENT) != 0;
	config->imap.id_before_select = (quirks & QUIRK_ID_FIRST) != 0 ||
					(w->model.traits & MODEL_ID_FIRST) != 0;
	config->imap.enable_condstore = (quirks & QUIRK_BAD_MODSEQ) == 0;
	if ((w->model.traits & MODEL_STARTTLS) != 0)
		config->imap.security = IMAP_SECURITY_STARTTLS;
	w->other.user = config->imap.user;
	if ((w->model.traits & MODEL_PLAIN_FAILS) != 0)
		config->other = &w->other;
}

static void
set_up(struct world *w, const struct world_options *options)
{
	random_init(&w->random, options->seed);
	w->immortal = world_chance(w, 20);
	w->is_patient = world_chance(w, PATIENT_PERCENT);
	w->verbose = options->verbose;
	w->weather = options->weather != NULL ? options->weather
					      : world_weather_default();
	w->messages = xcalloc(w->weather->messages, sizeof(*w->messages));
	w->now = START_USEC;
	choose_server(w, options);
	model_add(&w->model, world_wire(w, "A"));
	model_add(&w->model, world_wire(w, "B"));
	model_add(&w->model, world_wire(w, OLD_MAILBOX));
	model_add(&w->model, world_wire(w, OTHERS_MAILBOX));
	w->visits = world_chance(w, 50);
	world_deliver_old(w);
	list_init(&w->outsides);
	list_init(&w->writings);
	w->slow_disk = world_chance(w, 50);
	if (world_chance(w, w->weather->forgets))
		w->memory =
		    40 * USEC_SEC + random_below(&w->random, 5 * USEC_MINUTE);
	w->store = store_open_memory();
	w->rules = world_make_rules();
	strv_add(&w->watch, "INBOX");
	strv_add(&w->identities, "ann@example.com");
	w->config = (struct account_config){
	    .mailbox =
		{
		    .account = "sim",
		    .imap = {.security = IMAP_SECURITY_TLS,
			.auth = IMAP_AUTH_PASSWORD,
			.user = "ann",
			.host = "mail.example.com",
			.port = 993,
			.client_version = "0"},
		    .identities = &w->identities,
		    .authserv = &w->authserv,
		    .default_notification = true,
		    .notify = true,
		    .email = "ann@example.com",
		},
	    .watch = &w->watch,
	};
	w->quiet_until = w->next_happening = USEC_NEVER;
	w->next_night = usec_add(w->now, 15 * USEC_HOUR);
	prepare(w);
	choose_machines(w, options->seed);
	world_be_born(w);
}

static void
tear_down(struct world *w)
{
	world_die(w);
	rules_free(&w->rules);
	store_close(&w->store);
	model_done(&w->model);
	strv_done(&w->watch);
	strv_done(&w->identities);
	strv_done(&w->authserv);
	free(w->messages);
}

/* Until the daemon knows the mailbox: what is there before stays as it is. */
static void
wait_for_contact(struct world *w)
{
	world_pump(w);
	while (!w->in_contact && w->result->ok && w->result->steps < 10000)
		world_step(w);
	if (!w->in_contact)
		world_fail(w, "no first contact");
}

void
world_rest(struct world *w, usec_t time)
{
	w->quiet_until = usec_add(w->now, time);
	while (w->result->ok && w->now < w->quiet_until &&
	       w->result->steps < w->weather->steps)
		world_step(w);
}

/* In calm weather a push is heard at once, and what no server pushes is found
 * at the next renewal or poll. */
static usec_t
hearing_bound(const struct world *w)
{
	const uint64_t mute = MODEL_SILENT_IDLE | MODEL_IDLE_DIES;
	usec_t writes = w->slow_disk ? 2 * USEC_MINUTE : 0;

	if ((w->model.traits & MODEL_STINGY) != 0)
		return USEC_HOUR;
	if ((w->model.traits & MODEL_IDLE) == 0 ||
	    (w->model.traits & mute) != 0)
		return 10 * USEC_MINUTE;
	return USEC_MINUTE + writes;
}

/* A server that was caught twice at not pushing is asked besides. Not so where
 * other machines are asked for, or it attacks: what is found by the way when
 * IDLE was ended for that tells nothing of the server. */
static usec_t
learned_bound(const struct world *w)
{
	const uint64_t other = MODEL_STINGY | MODEL_IDLE_DIES;
	usec_t writes = w->slow_disk ? 2 * USEC_MINUTE : 0;

	if ((w->model.traits & other) != 0 || w->asks ||
	    w->model.attacks != 0 || (w->model.traits & MODEL_SILENT_IDLE) == 0)
		return hearing_bound(w);
	return MAILBOX_POLL_USEC + USEC_MINUTE + writes;
}

static void
check_heard(struct world *w, unsigned first)
{
	struct mailbox_status status;

	mailbox_get_status(account_mailbox(w->account, 0), &status);
	for (unsigned id = first; id < w->message_count; id++)
		if (status.next_uid <= w->messages[id].uid &&
		    !world_was_judged(w, id)) /* UIDNEXT went back */
			world_fail(w,
			    "#%u came in calm weather and was not heard", id);
}

/* Pairs: one that comes while nothing happens, and is worked on for a while, so
 * that IDLE ends for no new message; and one in the middle of that. Nothing
 * comes behind it that would be heard for both. */
static void
check_push(struct world *w)
{
	unsigned first = w->message_count;

	for (unsigned i = 0; i < MESSAGES_PUSHED; i += 2) {
		world_deliver_kind(w, KIND_ALL);
		world_rest(w, random_below(&w->random, 25 * USEC_SEC));
		world_deliver(w);
		world_rest(
		    w, i < LEARNED_AFTER ? hearing_bound(w) : learned_bound(w));
		check_heard(w, first);
	}
	world_rest(w, 2 * USEC_HOUR); /* let it settle */
}

/* ... and a row of them while a new connection is made. */
static void
check_row(struct world *w)
{
	unsigned first = w->message_count;

	world_say_bye(w);
	for (unsigned i = 0; i < MESSAGES_PUSHED; i++) {
		world_deliver(w);
		world_rest(w, random_below(&w->random, 2 * USEC_SEC));
	}
	world_rest(w, hearing_bound(w));
	check_heard(w, first);
	world_rest(w, 2 * USEC_HOUR);
}

static bool
notes_open(void *ctx, const struct store_effect *effect,
    const struct store_message *message)
{
	(void)message;
	if (strcmp(effect->kind, "forward") != 0)
		*(bool *)ctx = true;
	return true;
}

static bool
is_settled(struct world *w)
{
	bool is_open = account_visitor_count(w->account) > 0 ||
		       !list_is_empty(&w->outsides);

	store_each_open_effect(
	    w->store, "sim", "INBOX", notes_open, &is_open, NULL);
	store_each_open_effect(
	    w->store, "sim", OLD_MAILBOX, notes_open, &is_open, NULL);
	if (!is_open)
		store_each_apply(
		    w->store, "sim", world_is_unfinished, &is_open, NULL);
	return !is_open;
}

/* Most worlds do not wait for the slowest ladder when nobody stands on it. */
static void
settle(struct world *w)
{
	usec_t end = usec_add(w->now, CALM_USEC);

	while (w->result->ok && w->now < end &&
	       w->result->steps < w->weather->steps) {
		w->quiet_until = usec_min(end, usec_add(w->now, LOOK_USEC));
		world_resume_run(w); /* as the wiring does now and then */
		world_pump(w);
		while (w->result->ok && w->now < w->quiet_until &&
		       w->result->steps < w->weather->steps)
			world_step(w);
		if (!w->is_patient && is_settled(w))
			return;
	}
}

/* How long a message may be unheard where its push was lost: a renewal later
 * the link is found dead, and it is there when another one is made. */
static usec_t
deaf_bound(const struct world *w)
{
	struct mailbox_status status;

	mailbox_get_status(account_mailbox(w->account, 0), &status);
	return hearing_bound(w) + 2 * status.renew + 2 * USEC_MINUTE;
}

/* Where links are forgotten, it was learned how often they have to be used: of
 * 200 renewals one may die, until then two, and nobody is deaf for longer. */
static void
check_learned(struct world *w)
{
	struct mailbox_status status;

	world_rest(w, LEARN_USEC);
	unsigned before = w->forgotten;
	usec_t end = usec_add(w->now, LEARNED_USEC);
	mailbox_get_status(account_mailbox(w->account, 0), &status);
	for (unsigned i = 0; i < MESSAGES_UNHEARD; i++) {
		unsigned first = w->message_count;
		world_rest(w, random_below(&w->random, USEC_HOUR));
		world_deliver(w);
		world_rest(w, deaf_bound(w));
		check_heard(w, first);
	}
	world_rest(w, usec_since(w->now, end));
	/* What dies before the next connection rests, as where the server gives
	 * no messages for a while, was perhaps not the silence's doing. */
	bool is_stingy = (w->model.traits & MODEL_STINGY) != 0;
	if (w->forgotten >
	    before + 2 + is_stingy + LEARNED_USEC / status.renew / 200)
		world_fail(w, "silent links die, and nothing is learned");
}

/* Deleted and made again, and nothing is said of it. When too many are not
 * known again, they are no news. */
static void
check_remade(struct world *w)
{
	unsigned first = w->message_count;

	w->left_alone = false;
	world_make_anew(w);
	world_deliver(w);
	world_rest(w, hearing_bound(w) + REMADE_USEC);
	if (!w->left_alone && !world_was_judged(w, first))
		world_fail(w,
		    "#%u came to a mailbox made again, and was not heard",
		    first);
	world_rest(w, 2 * USEC_HOUR);
}

/* ... and what comes then is heard as ever. */
static void
check_tries(struct world *w)
{
	unsigned first = w->message_count;

	world_check_tries(w);
	world_deliver(w);
	world_rest(w, hearing_bound(w));
	check_heard(w, first);
	world_rest(w, 2 * USEC_HOUR);
}

/* One that is seen a day after another that came later: only who looks below
 * the cursor finds it, an hour after the next SELECT or the next day. Before,
 * it must be known who is there. */
static void
check_late(struct world *w)
{
	world_rest(w, USEC_DAY + 2 * USEC_HOUR);
	uint32_t uid = model_reserve(&w->model, "INBOX");
	world_deliver(w);
	world_rest(w, USEC_HOUR);
	if (world_chance(w, 50)) {
		world_note(w, "the daemon is started anew");
		world_die(w);
		world_be_born(w);
		world_pump(w);
	}
	world_deliver_late(w, uid);
	world_say_bye(w);
	world_rest(w, USEC_DAY + 2 * USEC_HOUR);
}

void
world_run(const struct world_options *options, struct world_result *result_r)
{
	struct world *w = NEW(struct world);

	*result_r = (struct world_result){.ok = true};
	w->result = result_r;
	set_up(w, options);
	if (w->rules == NULL)
		world_fail(w, "the rules do not compile");
	else
		wait_for_contact(w);
	w->faulty = w->model.moody = true;
	w->next_happening = w->now + USEC_SEC;
	usec_t end = w->now + w->weather->run;
	while (
	    result_r->ok && w->now < end && result_r->steps < w->weather->steps)
		world_step(w);
	world_become_calm(w);
	settle(w);
	if (result_r->ok)
		check_push(w);
	if (result_r->ok)
		check_row(w);
	if (result_r->ok && w->rebuilds)
		check_remade(w);
	if (result_r->ok && w->memory != 0)
		check_learned(w);
	if (result_r->ok && w->is_tried)
		check_tries(w);
	if (result_r->ok && (w->is_patient || w->weather->is_chaos))
		check_late(w);
	if (result_r->ok && result_r->steps >= w->weather->steps)
		world_fail(w, "too many steps: something spins");
	if (result_r->ok)
		world_check_all(w);
	result_r->messages = w->message_count;
	result_r->logins = w->model.logins;
	tear_down(w);
	free(w);
}
