/*
 * many [-v] [-s FIRST_SEED] [-n SEEDS]: an account of many mailboxes on few
 * connections, in a simulated world with faults, for a row of seeds: a tenth
 * of $SIM_SEEDS, else 12 (tests/sim/seeds.h).
 *
 * By the seed: one to four connections are configured, the server has NOTIFY or
 * not, and the server may allow
 * fewer, now and then; it has folders of its own, whose names and attributes
 * are as its kind has them; mailboxes are made, deleted and made again while
 * their pattern is watched; in a third of the worlds a person changes what is
 * watched, for a while; messages come to any of them; links break or fall
 * silent, the server says BYE, commits fail, the daemon is killed and starts
 * again on its store.
 *
 * Then the faults stop. Each message that arrived in a mailbox that was there,
 * and stayed, must have been judged, once, and its command run once or known
 * to be lost, also when a rule moved it into another watched mailbox; what was
 * archived, is junk or trash must be in the folder that this server has for
 * that; in calm weather nothing waits longer than the mailbox's turn.
 */
#include "tests/sim/many_private.h"

#include <stdarg.h>

#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/xalloc.h"

void
note(struct world *w, const char *format, ...)
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

/* How it stands. */
static void
show(struct world *w)
{
	for (size_t i = 0; i < account_count(w->account); i++) {
		struct mailbox_status status;
		mailbox_get_status(account_mailbox(w->account, i), &status);
		note(w, "  %s is %s: %s", status.name, status.state,
		    status.trouble);
	}
}

void
fail(struct world *w, const char *format, ...)
{
	va_list args;

	if (!w->ok)
		return;
	w->ok = false;
	va_start(args, format);
	vsnprintf(w->why, sizeof(w->why), format, args);
	va_end(args);
	note(w, "BROKEN: %s", w->why);
	show(w);
}

bool
chance(struct world *w, unsigned percent)
{
	return random_below(&w->random, 100) < percent;
}

usec_t
delay(struct world *w)
{
	return USEC_MSEC + random_below(&w->random, 200 * USEC_MSEC);
}

static usec_t
next_time(struct world *w)
{
	usec_t next = w->next_happening;

	for (size_t i = 0; i < account_count(w->account); i++) {
		struct mailbox *mailbox = account_mailbox(w->account, i);
		const struct link *link = link_near(w, mailbox, i);
		next = usec_min(next, mailbox_deadline(mailbox));
		next = usec_min(next, link->connect_at);
		next = usec_min(next, link->up.next);
		next = usec_min(next, link->down.next);
	}
	LIST_EACH(pos, &w->outsides)
	next = usec_min(next, LIST_ITEM(pos, struct outside, link)->at);
	return next > w->now ? next : w->now;
}

static void
serve_outsides(struct world *w)
{
	LIST_EACH(pos, &w->outsides)
	{
		struct outside *outside = LIST_ITEM(pos, struct outside, link);
		if (outside->at > w->now)
			continue;
		list_remove(&outside->link);
		mailbox_task_done(outside->mailbox, outside->uidvalidity,
		    outside->uid, outside->seq, EFFECT_DONE, "exit 0", w->now);
		free(outside);
	}
}

static void
check_step(struct world *w)
{
	for (size_t i = 0; i < account_count(w->account); i++) {
		struct mailbox *mailbox = account_mailbox(w->account, i);
		if (mailbox_deadline(mailbox) == USEC_NEVER &&
		    !mailbox_is_resting(mailbox) &&
		    link_near(w, mailbox, i)->connect_at == USEC_NEVER)
			fail(w, "%s has no deadline", mailbox_name(mailbox));
	}
	/* While roles change one may still say goodbye. */
	if (connections(w) > w->budget + 1)
		fail(w, "%u connections, of %u", connections(w), w->budget);
	if (w->model.broken != NULL)
		fail(w, "%s", w->model.broken);
}

/* An open session may have something to say at any time. */
static bool
is_due(const struct world *w, const struct link *link)
{
	return link->session != NULL || link->connect_at <= w->now ||
	       mailbox_deadline(link->mailbox) <= w->now;
}

static void
step(struct world *w)
{
	usec_t next = next_time(w);

	if (next == USEC_NEVER) {
		fail(w, "nothing will ever happen again");
		return;
	}
	w->now = w->model.now = next;
	account_set_clock(w->account, now_unix(w), 0, w->now);
	if (w->next_happening <= w->now)
		happen(w);
	pump(w);
	for (size_t i = 0; i < account_count(w->account); i++) {
		struct mailbox *mailbox = account_mailbox(w->account, i);
		struct link *link = link_near(w, mailbox, i);
		unsigned lives = w->kills;
		if (!is_due(w, link))
			continue;
		serve_link(w, link);
		pump(w);
		if (w->kills != lives || i >= account_count(w->account) ||
		    account_mailbox(w->account, i) != mailbox)
			break; /* it was killed, or this one has left */
		if (mailbox_deadline(mailbox) <= w->now)
			mailbox_tick(mailbox, w->now);
		pump(w);
	}
	serve_outsides(w);
	pump(w);
	check_step(w);
	w->steps++;
}

void
run_until(struct world *w, usec_t when)
{
	usec_t before = w->next_happening;

	while (w->ok && w->now < when && w->steps < STEPS_MAX) {
		if (!w->faulty)
			w->next_happening = USEC_NEVER;
		if (next_time(w) > when)
			break;
		step(w);
	}
	if (w->now < when && w->ok)
		w->now = when;
	w->next_happening = w->faulty ? before : USEC_NEVER;
	if (w->steps >= STEPS_MAX)
		fail(w, "too many steps: something spins");
}

static void
run_faulty(struct world *w, usec_t when)
{
	while (w->ok && w->now < when && w->steps < STEPS_MAX)
		step(w);
	if (w->steps >= STEPS_MAX)
		fail(w, "too many steps: something spins");
}

const struct kind_row many_kinds[KINDS] = {
    [KIND_EXEC] = {"toexec", "exec = /bin/run\n", NULL, true},
    [KIND_HOP] = {"tohop", "exec = /bin/run\nmove = Kept\n", "Kept", true},
    [KIND_MOVE] = {"tomove", "move = Target\n", "Target", false},
    [KIND_ARCHIVE] = {"toarchive", "archive = yes\n", "\\Archive", false},
    [KIND_JUNK] = {"tojunk", "junk = yes\n", "\\Junk", false},
    [KIND_TRASH] = {"totrash", "trash = yes\n", "\\Trash", false},
    [KIND_NAMED] = {"toname", "move = R & D\n", "R & D", false},
    [KIND_DELETE] = {"todelete", "delete = forever\n", NULL, false},
};

static struct rules *
make_rules(void)
{
	struct rule_problems problems = {0};
	BUF_AUTO text = BUF_INIT;

	for (enum kind kind = 0; kind < KINDS; kind++)
		buf_addf(&text, "[rule %s]\nwhen = subject has %s\n%s",
		    many_kinds[kind].word, many_kinds[kind].word,
		    many_kinds[kind].rule);
	struct rules *rules = rules_from_text(buf_str(&text), &problems);
	for (size_t i = 0; i < problems.count; i++)
		fprintf(stderr, "rule: %s\n", problems.items[i].text);
	rule_problems_done(&problems);
	return rules;
}

static void
choose_server(struct world *w, const struct personality *personality)
{
	uint64_t traits = MODEL_MOVE | MODEL_UIDPLUS;

	if (chance(w, 80))
		traits |= MODEL_IDLE;
	if (chance(w, 20))
		traits |= MODEL_NO_UIDNEXT;
	if (chance(w, 20))
		traits |= MODEL_CHATTY;
	model_init(&w->model, traits);
	if (personality == NULL && chance(w, 20))
		personality = personality_find("gmail");
	else if (personality == NULL && chance(w, 50))
		personality = personality_at(
		    random_below(&w->random, personality_count()));
	if (personality != NULL)
		model_become(&w->model, personality);
	w->model.view_most = VIEW_MOST;
	note(w, "the server is %s",
	    w->model.personality != NULL ? w->model.personality->name
					 : "of its own kind");
	w->model.notifies = chance(w, 40);
}

/* What the daemon knows of the server before it meets it. */
static void
prepare(struct world *w)
{
	const struct personality *personality = w->model.personality;
	uint32_t quirks = personality != NULL ? personality->quirks : 0;
	struct mailbox_config *config = &w->config.mailbox;

	config->chunk = 1 + w->model.traits / 7 % 4;
	config->check_noop = (quirks & QUIRK_IDLE_SILENT) != 0;
	config->await_idle_end =
	    (quirks & (QUIRK_IDLE_SILENT | QUIRK_SHORT_PIPELINE)) != 0;
	config->ask_end_first = (quirks & QUIRK_FETCH_BEYOND_HANGS) != 0;
	config->imap.id_before_select = (quirks & QUIRK_ID_FIRST) != 0;
	config->imap.enable_condstore = (quirks & QUIRK_BAD_MODSEQ) == 0;
	if ((w->model.traits & MODEL_STARTTLS) != 0)
		config->imap.security = IMAP_SECURITY_STARTTLS;
	w->other.user = config->imap.user;
	if ((w->model.traits & MODEL_PLAIN_FAILS) != 0)
		config->other = &w->other;
	if ((quirks & QUIRK_FEW_CONNECTIONS) != 0)
		w->config.connections = w->budget = 1;
}

/* What people watch, and what each kind of server has besides. */
static void
make_boxes(struct world *w)
{
	static const char *const own[] = {"INBOX", "Kept", "\\Junk", "R & D"};
	static const char *const odd[] = {"Unbekannt", MODEL_ALL_MAIL};
	bool is_short = (w->model.traits & MODEL_SHORT_PIPELINE) != 0;
	unsigned lists = is_short ? LISTS_MANY : LISTS;
	char name[40];

	if (w->model.personality == NULL)
		model_furnish(&w->model);
	model_add(&w->model, model_wire(&w->model, "Target"));
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		add_box(w, own[i]);
		strv_add(&w->watch, own[i]);
	}
	strv_add(&w->watch, "Lists/*");
	for (unsigned i = 0; i < lists; i++) {
		snprintf(name, sizeof(name), "Lists/l%u", i);
		add_box(w, name);
	}
	add_box(w, "Lists/Gr\xc3\xb6\xc3\x9f"
		   "e & mehr");
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		if (model_find(&w->model, odd[i]) == NULL)
			continue;
		strv_add(&w->watch, odd[i]);
		if (strcmp(odd[i], MODEL_ALL_MAIL) != 0)
			add_box(w, odd[i]);
	}
}

#define CHANGES_OF 3 /* seeds: who changes what is watched, now and then */

static void
set_up(struct world *w, const struct seeds_run *run)
{
	random_init(&w->random, run->seed);
	random_init(&w->changes, run->seed);
	w->changes_watch = run->seed % CHANGES_OF == 0;
	w->now = START_USEC;
	w->ok = true;
	w->is_stingy = chance(w, 20);
	w->is_patient = chance(w, PATIENT_PERCENT);
	w->budget = 1 + (unsigned)random_below(&w->random, 4);
	choose_server(w, run->personality);
	make_boxes(w);
	deliver_old(w);
	list_init(&w->outsides);
	w->store = store_open_memory();
	w->rules = make_rules();
	strv_add(&w->identities, "ann@example.com");
	w->config = (struct account_config){
	    .mailbox = {.account = "sim",
		.imap = {.security = IMAP_SECURITY_TLS,
		    .auth = IMAP_AUTH_PASSWORD,
		    .user = "ann",
		    .host = "mail.example.com",
		    .port = 993,
		    .client_version = "0"},
		.identities = &w->identities,
		.authserv = &w->authserv,
		.watch = &w->watch,
		.poll = POLL_USEC,
		.email = "ann@example.com"},
	    .watch = &w->watch,
	    .connections = w->budget,
	};
	w->next_happening = USEC_NEVER;
	prepare(w);
	be_born(w);
}

static void
tear_down(struct world *w)
{
	die(w);
	rules_free(&w->rules);
	store_close(&w->store);
	model_done(&w->model);
	strv_done(&w->watch);
	strv_done(&w->identities);
	strv_done(&w->authserv);
}

static bool
notes_open(void *ctx, const struct store_effect *effect,
    const struct store_message *message)
{
	(void)effect;
	(void)message;
	*(bool *)ctx = true;
	return false;
}

static void
settle(struct world *w)
{
	usec_t end = w->now + CALM_USEC;
	bool is_open = true;

	while (w->ok && w->now < end && (is_open || w->is_patient)) {
		run_until(w, usec_min(end, w->now + LOOK_USEC));
		is_open = false;
		for (unsigned i = 0; i < w->box_count && !is_open; i++)
			store_each_open_effect(w->store, "sim", w->names[i],
			    notes_open, &is_open, NULL);
	}
}

#define LIMITED_OF 4 /* seeds: whose server refuses connections */

struct totals {
	unsigned long steps, messages, moves, kills;
};

static void
add_up(struct totals *totals, const struct world *w)
{
	totals->steps += w->steps;
	totals->messages += w->message_count;
	totals->moves += w->moves;
	totals->kills += w->kills;
}

static bool
run(void *ctx, const struct seeds_run *run)
{
	struct world *w = NEW(struct world);
	bool is_good;

	w->verbose = run->verbose;
	set_up(w, run);
	pump(w);
	run_until(w, w->now + 20 * USEC_MINUTE); /* first contact */
	check_watched(w);
	w->faulty = w->model.moody = w->model.overflows = true;
	w->next_happening = w->now + USEC_SEC;
	run_faulty(w, w->now + RUN_USEC);
	note(w, "calm");
	w->faulty = false;
	w->kill_in = 0;
	restore_watch(w);
	w->model.logins_max =
	    w->model.personality != NULL ? w->model.personality->logins_max : 0;
	w->model.moody = w->model.overflows = false;
	if (w->model.in_a_row > 0 || account_lockout(w->account) != NULL)
		start_again(w);
	pump(w);
	settle(w);
	if (w->ok)
		check_all(w);
	if (w->ok)
		check_watched(w);
	if (w->ok)
		check_turns(w);
	if (w->ok)
		check_pushes(w);
	if (w->ok && run->seed % LIMITED_OF == 0)
		check_limit(w);
	tear_down(w);
	is_good = w->ok;
	if (!is_good)
		printf(
		    "seed %llu: %s\n", (unsigned long long)run->seed, w->why);
	add_up(ctx, w);
	free(w);
	return is_good;
}

static void
sum_up(const void *ctx)
{
	const struct totals *totals = ctx;

	printf("; %lu steps, %lu messages, %lu kills, the connection moved %lu "
	       "times",
	    totals->steps, totals->messages, totals->kills, totals->moves);
}

int
main(int argc, char **argv)
{
	struct totals totals = {0};
	const struct seeds_program program = {.name = "many",
	    .scale = 10,
	    .seeds = 12,
	    .run = run,
	    .sum_up = sum_up,
	    .ctx = &totals};

	return seeds_main(&program, argc, argv);
}
