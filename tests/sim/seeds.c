#include "tests/sim/seeds.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * What a seed means changes with every change of a world: then it is one more
 * run like any other. What keeps the fault out for good is named behind it.
 */
static const struct {
	const char *program; /* and its weather, or the server's kind */
	uint64_t seed;
	const char *what;
} regressions[] = {
    /* A mailbox that lost its own connection to a limit, and was watched over
     * the shared one, was "waiting" until its next message. */
    {"many", 62, "waiting in calm weather"},
    {"many", 221, "waiting in calm weather"},
    /* Where NOTIFY is on and STATUS tells nothing, each visit led to the next:
     * without end, and without a pause. */
    {"many", 1000227, "something spins"},
    /* What rests in an IDLE that pushes nothing has its turn later. */
    {"many", 214, "judged too late"},
    /* Where sizes cannot be read, no copy was found again. */
    {"sim", 56, "moved twice"},
    {"sim", 83, "copied twice"},
    {"sim", 232, "copied twice"},
    {"sim", 236, "moved twice"},
    /* What was planned under another UIDVALIDITY was given up before a death,
     * and the cursor was written, and it was not. */
    {"sim", 593, "due for ever, and never begun"},
    {"sim", 1095, "due for ever, and never begun"},
    /* A visitor's last outcome was lost, and its run was over all the same. */
    {"sim", 631, "started for ever"},
    {"sim", 1099, "planned by a visitor that was locked out"},
    {"sim", 13861, "a command's outcome was lost by who left"},
    {"sim", 14397, "a visitor left before its command ended"},
    /* The rules were read again within a window: what was judged of it before
     * was taken for late. */
    {"sim", 14373, "judged twice"},
    /* A copy was done and not written, and the command behind it was. */
    {"sim", 1022430, "executed twice"},
    /* It waited for a commit of its own, and went with an intent's, which
     * failed. */
    {"sim", 74025165, "a command's outcome was lost"},
    /* Other machines could not be looked for once; later STATUS alone said that
     * nothing had changed, and the refusal stayed. */
    {"sim", 84002527, "still planned"},
    /* The server said BYE to a login just after the network had changed: that
     * was no login that the change killed. */
    {"sim", 1136335, "logs in too soon"},
    /* A window broke after its first chunk, and the next look below the cursor
     * took what was in that for late. */
    {"sim", 20031253, "executed twice"},
    {"sim", 20085337, "executed twice"},
    /* A copy's outcome could not be written, and that of the command behind it
     * came while the copy was looked for. */
    {"sim", 20051168, "a command's outcome was lost"},
    /* Connections died of every sixth renewal, and nothing was learned of it,
     * as none died of its first. */
    {"sim", 30008006, "silent links die"},
    {"sim", 30022084, "silent links die"},
    {"sim", 30031091, "silent links die"},
    {"sim", 30031636, "silent links die"},
    /* It was seen in All Mail first, as INBOX could not write its plan. */
    {"many", 50001142, "was not moved, or not once"},
    /* A mailbox was pushed while NOTIFY was about to name fewer. */
    {"many", 50001175, "the daemon crashed"},
    /* Its other mailbox was deleted after it had been judged there. */
    {"many", 50000183, "was not moved"},
    /* What had grown to half a second was another renewal in the store. */
    {"sim", 50305587, "silent links die"},
    /* A person starts an account that was locked out by its second mailbox. */
    {"many", 30, "never started"},
    {"many", 54, "never started"},
    /* A person starts an account while its login with the other name is under
     * way (tests/scripts/mailbox/login-other-started.mailbox). */
    {"sim", 61005092, "due for ever, and never begun"},
    /* A FETCH without a UID in each answer: it was asked again every second
     * (tests/scripts/mailbox/followed-hinted-by-answer.mailbox). */
    {"sim chaos", 24, "something spins"},
    {"sim chaos", 57, "something spins"},
    /* NO after a part of a MOVE (grouped-move-rest.mailbox). */
    {"sim chaos", 3, "was not moved"},
    /* NO behind a copy (move-copied-look-refused.mailbox). */
    {"sim chaos", 131, "moved twice"},
    /* The server copied when the link was gone, and the disk had been slow. */
    {"sim chaos", 16, "copied twice"},
    {"sim chaos", 103, "copied twice"},
    /* A NO, and nobody asked for the structure any more
     * (structure-refused-once.mailbox). */
    {"sim chaos", 165, "was not copied"},
    /* Left out of an answer before the first audit (audit-left-out.mailbox). */
    {"sim chaos", 22, "was never judged"},
    {"sim chaos", 141, "was never judged"},
    /* The clock was put right by days: nothing was tried again. */
    {"sim chaos", 1514, "given up"},
    {"sim chaos", 1684, "given up"},
    /* The first message of a mailbox that had been empty was left out of the
     * answer, and was then below all that was ever seen there. */
    {"sim chaos", 406, "was never judged"},
    /* The disk was full when it was judged, and then it was left out. */
    {"sim chaos", 29, "was never judged"},
    /* The rules changed while it waited for its text, then it was left out. */
    {"sim chaos", 2381, "was never judged"},
    /* Its flags came in a response of their own (news-in-halves.mailbox). */
    {"sim chaos", 1334, "rang, and was dealt with"},
    {"sim chaos", 2224, "rang, and was dealt with"},
    /* Without MOVE, and on a connection that is shared: each visit began to
     * look for the copy anew. */
    {"many courier", 86, "something spins"},
    /* The answers to what was sent behind DONE were waited for on the next
     * connection, when that came from another mailbox. */
    {"many courier", 64, "was judged 0 times"},
    /* STATUS said another UIDNEXT than SELECT, and each visit led to the next.
     */
    {"many uidnext-rewind", 212, "something spins"},
    /* Old mail that the server did not show at first was late mail
     * (tests/scripts/mailbox/audit-hidden.mailbox). */
    {"many partial-view", 2, "was there before, and was judged"},
    {"many yahoo", 21, "was there before, and was judged"},
    /* A claim of an earlier life seemed to be a person's change
     * (tests/scripts/mailbox/replay-claimed.mailbox). */
    {"sim", 566, "was not marked"},
};

struct row {
	struct seeds_run run; /* the first one */
	unsigned long count;
	bool is_alone, is_short, is_each, lists;
};

static unsigned long
default_count(const struct seeds_program *program)
{
	const char *wanted = getenv("SIM_SEEDS");
	unsigned long count;

	if (wanted == NULL)
		return program->seeds;
	count = strtoul(wanted, NULL, 10) / program->scale;
	return count > 0 ? count : 1;
}

static bool
take_option(struct row *row, int option)
{
	switch (option) {
	case 'v':
		row->run.verbose = true;
		return true;
	case 's':
		row->run.seed = strtoull(optarg, NULL, 10);
		row->is_alone = true;
		return true;
	case 'f':
		row->is_short = true;
		return true;
	case 'n':
		row->count = strtoul(optarg, NULL, 10);
		return true;
	case 'p':
		row->run.personality = personality_find(optarg);
		return row->run.personality != NULL;
	case 'e':
		row->is_alone = row->is_each = true;
		return true;
	case 'w':
		row->run.weather = optarg;
		return true;
	case 'l':
		row->lists = true;
		return true;
	default:
		return false;
	}
}

static bool
read_options(struct row *row, int argc, char **argv)
{
	static const struct option names[] = {
	    {"personality", required_argument, NULL, 'p'},
	    {"each", no_argument, NULL, 'e'},
	    {"list", no_argument, NULL, 'l'},
	    {"weather", required_argument, NULL, 'w'},
	    {0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "vfs:n:", names, NULL)) != -1)
		if (!take_option(row, option))
			return false;
	return true;
}

static unsigned long
play(const struct seeds_program *program, const struct seeds_run *run)
{
	bool is_good = program->run(program->ctx, run);

	fflush(stdout);
	return !is_good;
}

/* Whether it is of this program; then its server, or its weather, is set where
 * it has one. */
static bool
is_of(const char *name, const struct seeds_program *program,
    struct seeds_run *run)
{
	size_t len = strlen(program->name);

	if (strncmp(name, program->name, len) != 0 ||
	    (name[len] != '\0' && name[len] != ' '))
		return false;
	if (name[len] == '\0')
		return true;
	run->personality = personality_find(name + len + 1);
	if (run->personality == NULL)
		run->weather = name + len + 1;
	return true;
}

static unsigned long
play_regressions(const struct seeds_program *program, bool verbose)
{
	unsigned long failed = 0;

	for (size_t i = 0; i < COUNT(regressions); i++) {
		struct seeds_run run = {
		    .seed = regressions[i].seed, .verbose = verbose};
		if (!is_of(regressions[i].program, program, &run) ||
		    play(program, &run) == 0)
			continue;
		printf("again: %s\n", regressions[i].what);
		failed++;
	}
	return failed;
}

static int
list_personalities(void)
{
	for (size_t i = 0; i < personality_count(); i++)
		puts(personality_at(i)->name);
	return 0;
}

/* Returns how many failed. */
static unsigned long
play_row(const struct seeds_program *program, const struct row *row)
{
	unsigned long failed = 0;

	for (unsigned long i = 0; i < row->count; i++) {
		struct seeds_run run = row->run;
		if (row->is_short && failed > 0)
			break;
		run.seed += i;
		failed += play(program, &run);
	}
	return failed;
}

static unsigned long
play_each(const struct seeds_program *program, const struct row *row)
{
	unsigned long failed = 0;

	for (size_t i = 0; i < personality_count(); i++) {
		struct row one = *row;
		one.run.personality = personality_at(i);
		unsigned long bad = play_row(program, &one);
		if (bad > 0)
			printf("... of %s\n", one.run.personality->name);
		failed += bad;
	}
	return failed;
}

int
seeds_main(const struct seeds_program *program, int argc, char **argv)
{
	struct row row = {.run.seed = 1, .count = default_count(program)};
	unsigned long failed = 0;

	if (!read_options(&row, argc, argv))
		return 2;
	if (row.lists)
		return list_personalities();
	if (!row.is_alone)
		failed += play_regressions(program, row.run.verbose);
	failed +=
	    row.is_each ? play_each(program, &row) : play_row(program, &row);
	printf("%lu seeds from %llu%s: %lu failed", row.count,
	    (unsigned long long)row.run.seed,
	    row.is_each ? " of each kind" : "", failed);
	if (program->sum_up != NULL)
		program->sum_up(program->ctx);
	putchar('\n');
	return failed > 0;
}
