/*
 * sweep [-v] [-t TRAITS] [-k KIND -n POINT [-K KIND -N POINT]]: one fixed
 * story, a message of each kind, interrupted once at each place where it can
 * be, and twice at many.
 *
 * The story is played once without interruption, and what can be interrupted
 * is counted: commits, lines from the server, events that the owner answers.
 * Then it is played anew for each of them and each kind of interruption; and
 * for pairs, drawn with a fixed seed: what looks after the first is met by the
 * second.
 * However it was interrupted, in the end everything is done, and once. For
 * servers of several kinds; prints how many points were run, and each that
 * broke something, with the options that play it again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/base/random.h"
#include "daemon/base/xalloc.h"
#include "tests/lib/rules_text.h"
#include "tests/sim/sweep_private.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PAIRS 700 /* stories with two, for each server */

struct total {
	unsigned points, pairs, failed;
};

static const uint64_t servers[] = {
    MODEL_MOVE | MODEL_UIDPLUS | MODEL_IDLE,
    MODEL_UIDPLUS | MODEL_IDLE,
    MODEL_IDLE,
    MODEL_MOVE | MODEL_UIDPLUS | MODEL_NO_COPYUID | MODEL_IDLE,
    MODEL_MOVE | MODEL_UIDPLUS | MODEL_BARE_COPYUID | MODEL_CHATTY | MODEL_IDLE,
    MODEL_UIDPLUS | MODEL_NO_COPYUID | MODEL_NO_UIDNEXT | MODEL_NAMESPACE |
	MODEL_DOT_PREFIX,
};

struct options {
	uint64_t traits;
	bool verbose, single;
	struct place places[PLACES];
};

static const char rules_text[] =
    "[rule m]\nwhen = subject has tomove\nmove = A\n"
    "[rule c]\nwhen = subject has tocopy\ncopy = B\n"
    "[rule f]\nwhen = subject has tomark\nmark = flagged\n"
    "[rule e]\nwhen = subject has toexec\nexec = /bin/run\n"
    "[rule w]\nwhen = subject has toforward\nforward = boss@example.net\n"
    "[rule a]\nwhen = subject has toall\ncopy = B\nexec = /bin/run\n"
    "mark = answered\nmove = A\n"
    "[rule n]\nwhen = subject has tocreate\nmove = New\ncreate = yes\n"
    "[rule d]\nwhen = subject has todelete\ndelete = forever\n"
    "[rule x]\nwhen = subject has tomissing\nmove = Nowhere\n"
    "[rule t]\nwhen = attachment.name is report.pdf\ncopy = B\n"
    "[rule s]\nwhen = new-sender and from has stranger\nmark = answered\n";
static const char every_text[] = "[rule b]\nwhen = body has needle\nmove = A\n";
/* What is judged at once is written in chunks. */
static const char one_text[] =
    "[rule b]\nwhen = subject has toread and body has needle\nmove = A\n";

static void
set_up(struct world *w, uint64_t traits)
{
	struct rule_problems problems = {0};
	BUF_AUTO text = BUF_INIT;

	w->now = START_USEC;
	model_init(&w->model, traits);
	buf_addf(&text, "%s%s", rules_text,
	    w->model.any_order ? one_text : every_text);
	model_add(&w->model, sweep_wire(w, "A"));
	model_add(&w->model, sweep_wire(w, "B"));
	w->store = store_open_memory();
	w->rules = rules_from_text(buf_str(&text), &problems);
	rule_problems_done(&problems);
	if (w->rules == NULL) {
		fprintf(stderr, "the rules do not compile\n");
		exit(2);
	}
	strv_add(&w->identities, "ann@example.com");
	w->config = (struct mailbox_config){
	    .account = "sweep",
	    .imap = {.security = IMAP_SECURITY_TLS,
		.auth = IMAP_AUTH_PASSWORD,
		.user = "ann",
		.host = "mail.example.com",
		.port = 993,
		.client_version = "0"},
	    .identities = &w->identities,
	    .default_notification = true,
	    .notify = true,
	    .email = "ann@example.com",
	    .seed = 1,
	};
	for (size_t i = 0; i < TASKS_MAX; i++)
		w->outsides[i].at = USEC_NEVER;
	sweep_be_born(w);
}

static void
tear_down(struct world *w)
{
	sweep_die(w);
	rules_free(&w->rules);
	store_close(&w->store);
	model_done(&w->model);
	strv_done(&w->identities);
}

/* One story; `counts_r` is what could have been interrupted. */
static bool
run(uint64_t traits, const struct place *places, bool verbose,
    unsigned *counts_r)
{
	struct world *w = NEW(struct world);

	w->verbose = verbose;
	memcpy(w->places, places, sizeof(w->places));
	set_up(w, traits);
	sweep_play(w);
	if (w->why[0] == '\0')
		sweep_check(w);
	bool good = w->why[0] == '\0';
	if (!good)
		printf(
		    "sweep -v -t %llu -k %d -n %u -K %d -N %u (%s, %s): %s\n",
		    (unsigned long long)traits, (int)places[0].interruption,
		    places[0].point, (int)places[1].interruption,
		    places[1].point,
		    sweep_interruptions[places[0].interruption].name,
		    sweep_interruptions[places[1].interruption].name, w->why);
	memcpy(counts_r, w->counts, sizeof(w->counts));
	tear_down(w);
	free(w);
	return good;
}

/* A place anywhere in a story that has so much to interrupt. */
static struct place
any_place(struct random *random, const unsigned *counts)
{
	struct place place;

	place.interruption =
	    (enum interruption)(1 + random_below(random, INTERRUPTIONS - 1));
	place.point =
	    1 + (unsigned)random_below(random,
		    counts[sweep_interruptions[place.interruption].counter]);
	return place;
}

static void
sweep_once(uint64_t traits, const unsigned *counts, struct total *total)
{
	unsigned ignored[COUNTERS];

	for (enum interruption kind = NOTHING + 1; kind < INTERRUPTIONS; kind++)
		for (unsigned n = 1;
		     n <= counts[sweep_interruptions[kind].counter]; n++) {
			const struct place places[PLACES] = {{kind, n}};
			total->failed += !run(traits, places, false, ignored);
			total->points++;
		}
}

/* The second one soon after the first, or anywhere. */
static void
sweep_pairs(uint64_t traits, const unsigned *counts, struct total *total)
{
	unsigned after[COUNTERS];
	struct random random;

	random_init(&random, traits);
	for (unsigned i = 0; i < PAIRS; i++) {
		struct place places[PLACES] = {any_place(&random, counts)};
		if (!run(traits, places, false, after))
			continue; /* that was said already */
		places[1] = any_place(&random, after);
		if (random_below(&random, 2) == 0) {
			places[1].interruption = places[0].interruption;
			places[1].point = places[0].point + 1 +
					  (unsigned)random_below(&random, 40);
		}
		total->failed += !run(traits, places, false, after);
		total->pairs++;
	}
}

static void
sweep(uint64_t traits, struct total *total)
{
	static const struct place none[PLACES];
	unsigned counts[COUNTERS];

	total->failed += !run(traits, none, false, counts);
	sweep_once(traits, counts, total);
	sweep_pairs(traits, counts, total);
}

static bool
read_options(struct options *options, int argc, char **argv)
{
	struct place *places = options->places;
	int option;

	while ((option = getopt(argc, argv, "vt:k:n:K:N:")) != -1) {
		unsigned value =
		    optarg != NULL ? (unsigned)strtoul(optarg, NULL, 10) : 0;
		options->single = true;
		if (option == 'v')
			options->verbose = true;
		else if (option == 't')
			options->traits = strtoull(optarg, NULL, 10);
		else if (option == 'k' || option == 'K')
			places[option == 'K'].interruption =
			    value % INTERRUPTIONS;
		else if (option == 'n' || option == 'N')
			places[option == 'N'].point = value;
		else
			return false;
	}
	return true;
}

int
main(int argc, char **argv)
{
	struct options options = {.traits = servers[0]};
	unsigned counts[COUNTERS];
	struct total total = {0};

	if (!read_options(&options, argc, argv))
		return 2;
	if (options.single)
		return !run(
		    options.traits, options.places, options.verbose, counts);
	for (size_t i = 0; i < COUNT(servers); i++)
		sweep(servers[i], &total);
	printf("%u interruption points, %u pairs, %u failed\n", total.points,
	    total.pairs, total.failed);
	return total.failed > 0;
}
