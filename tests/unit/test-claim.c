/*
 * The claim of one message, step by step: what the server says ("<") and what
 * is to be sent (">"), as a row of lines. Many machines at once are played by
 * tests/sim/sim_claim.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/account/claim.h"
#include "daemon/base/xalloc.h"

#define START (100 * USEC_SEC)
#define UID 7

/*
 * "> fetch"                    what is to be sent
 * "> 9 +words", "> +words"     STORE, with and without UNCHANGEDSINCE
 * "< 9 words"                  FETCH: mod-sequence and flags
 * "< modified", "< no", "< ok" MODIFIED; the end of a command
 * "= won"                      the verdict
 * "@ 60"                       seconds pass, and it is asked for again
 * "+ 60"                       seconds pass while an answer is on its way
 * "mine"                       first: if it is marked, then by us
 * "@ link"                     the connection is another one
 * "hold"                       claim_hold_unsure
 */
struct row {
	const char *name;
	enum claim_step step;
	const char *const *lines;
};
#define LINES(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct row rows[] = {
    {"free", CLAIM_BY_MODSEQ,
	LINES("> fetch", "< 9 \\Seen", "< ok", "> 9 +belfry-c-me", "< ok",
	    "> fetch", "< 10 \\Seen belfry-c-me", "< ok", "= won")},
    {"gone", CLAIM_BY_MODSEQ, LINES("> fetch", "< ok", "= gone")},
    {"done", CLAIM_BY_MODSEQ,
	LINES("> fetch", "< 9 Belfry-F-r belfry-c-you", "< ok", "= done")},
    {"done, and an old claim of ours", CLAIM_BY_MODSEQ,
	LINES("> fetch", "< 9 belfry-f-r belfry-c-me", "< ok",
	    "> 9 -belfry-c-me belfry-t", "< ok", "= done")},
    {"done, and an old claim of ours, changed meanwhile", CLAIM_BY_MODSEQ,
	LINES("> fetch", "< 9 belfry-f-r belfry-c-me", "< ok",
	    "> 9 -belfry-c-me belfry-t", "< modified", "< ok", "= wait", "@ 60",
	    "> fetch", "< 10 belfry-f-r belfry-c-me", "< ok",
	    "> 10 -belfry-c-me belfry-t", "< ok", "= done")},
    {"another's", CLAIM_BY_MODSEQ,
	LINES("> fetch", "< 9 belfry-c-you", "< ok", "= wait", "@ 60",
	    "> fetch", "< 9 belfry-c-you", "< ok", "= wait", "@ 60", "> fetch",
	    "< 12 belfry-f-r", "< ok", "= done")},
    {"changed meanwhile", CLAIM_BY_MODSEQ,
	LINES("> fetch", "< 9 ", "< ok", "> 9 +belfry-c-me", "< modified",
	    "< ok", "= wait")},
    {"two winners", CLAIM_BY_MODSEQ,
	LINES("> fetch", "< 9 ", "< ok", "> 9 +belfry-c-me", "< ok", "> fetch",
	    "< 11 belfry-c-me belfry-c-you", "< ok",
	    "> 11 -belfry-c-me belfry-t", "< ok", "= wait")},
    {"two winners, and the other one withdraws", CLAIM_BY_MODSEQ,
	LINES("> fetch", "< 9 ", "< ok", "> 9 +belfry-c-me", "< ok", "> fetch",
	    "< 11 belfry-c-me belfry-c-you", "< ok",
	    "> 11 -belfry-c-me belfry-t", "< modified", "< ok", "= wait",
	    "@ 60", "> fetch", "< 12 belfry-c-me", "< ok", "> 12 +belfry-t",
	    "< ok", "> fetch", "< 13 belfry-c-me belfry-t", "< ok", "= won")},
    {"expunged before it was verified", CLAIM_BY_MODSEQ,
	LINES("> fetch", "< 9 ", "< ok", "> 9 +belfry-c-me", "< ok", "> fetch",
	    "< ok", "= gone")},
    {"done between reading and verifying", CLAIM_BY_MODSEQ,
	LINES("> fetch", "< 9 ", "< ok", "> 9 +belfry-c-me", "< ok", "> fetch",
	    "< 11 belfry-c-me belfry-f-r", "< ok", "> 11 -belfry-c-me belfry-t",
	    "< ok", "= done")},
    {"the server refuses", CLAIM_BY_MODSEQ,
	LINES("> fetch", "< no", "= wait", "@ 60", "> fetch", "< 9 ", "< ok",
	    "> 9 +belfry-c-me", "< no", "= wait")},
    {"ours, of an earlier life", CLAIM_BY_MODSEQ,
	LINES("> fetch", "< 9 belfry-c-me", "< ok", "> 9 +belfry-t", "< ok",
	    "> fetch", "< 10 belfry-c-me belfry-t", "< ok", "= won")},
    {"ours, and renewed once", CLAIM_BY_MODSEQ,
	LINES("> fetch", "< 9 belfry-c-me belfry-t", "< ok", "> 9 -belfry-t",
	    "< ok", "> fetch", "< 10 belfry-c-me", "< ok", "= won")},
    {"ours, taken over while it was renewed", CLAIM_BY_MODSEQ,
	LINES("> fetch", "< 9 belfry-c-me", "< ok", "> 9 +belfry-t",
	    "< modified", "< ok", "= wait", "@ 60", "> fetch",
	    "< 11 belfry-c-you", "< ok", "= wait")},
    {"young", CLAIM_BY_MODSEQ,
	LINES("> fetch", "< 9 ", "< ok", "> 9 +belfry-c-me", "< ok", "> fetch",
	    "< 10 belfry-c-me", "< ok", "= won", "@ link", "> fetch",
	    "< 10 belfry-c-me", "< ok", "= won", "@ 899", "> fetch",
	    "< 10 belfry-c-me", "< ok", "= won", "@ 2", "> fetch",
	    "< 10 belfry-c-me", "< ok", "> 10 +belfry-t", "< ok", "> fetch",
	    "< 11 belfry-c-me belfry-t", "< ok", "= won")},
    {"old claim", CLAIM_BY_MODSEQ,
	LINES("> fetch", "< 9 belfry-c-you", "< ok", "= wait", "@ 2699",
	    "> fetch", "< 9 belfry-c-you", "< ok", "= wait", "@ 1", "> fetch",
	    "< 9 belfry-c-you", "< ok", "> 9 -belfry-c-you", "< ok", "= wait",
	    "@ 0", "> fetch", "< 10 ", "< ok", "> 10 +belfry-c-me", "< ok",
	    "> fetch", "< 11 belfry-c-me", "< ok", "= won")},
    {"old claim that was renewed", CLAIM_BY_MODSEQ,
	LINES("> fetch", "< 9 belfry-c-you", "< ok", "= wait", "@ 2699",
	    "> fetch", "< 10 belfry-c-you belfry-t", "< ok", "= wait", "@ 2699",
	    "> fetch", "< 10 belfry-c-you belfry-t", "< ok", "= wait")},
    {"old claim of who was sending", CLAIM_BY_MODSEQ,
	LINES("> fetch", "< 9 belfry-c-you belfry-s", "< ok", "= wait",
	    "@ 5399", "> fetch", "< 9 belfry-c-you belfry-s", "< ok", "= wait",
	    "@ 1", "> fetch", "< 9 belfry-c-you belfry-s", "< ok",
	    "> 9 -belfry-c-you belfry-s", "< ok", "= wait")},
    {"old claim of who was sending, and that is asked about", CLAIM_BY_MODSEQ,
	LINES("hold", "> fetch", "< 9 belfry-c-you belfry-s", "< ok", "= wait",
	    "@ 5399", "hold", "> fetch", "< 9 belfry-c-you belfry-s", "< ok",
	    "= wait", "@ 1", "hold", "> fetch", "< 9 belfry-c-you belfry-s",
	    "< ok", "= unsure")},
    {"old claim of who was not sending, and that is asked about",
	CLAIM_BY_MODSEQ,
	LINES("hold", "> fetch", "< 9 belfry-c-you", "< ok", "= wait", "@ 2700",
	    "hold", "> fetch", "< 9 belfry-c-you", "< ok", "> 9 -belfry-c-you",
	    "< ok", "= wait")},
    {"no mod-sequences", CLAIM_BY_KEYWORD,
	LINES("> fetch", "< 0 ", "< ok", "> +belfry-c-me", "< ok", "= wait",
	    "@ 4", "> fetch", "< 0 belfry-c-me", "< ok", "= wait", "@ 1",
	    "> fetch", "< 0 belfry-c-me", "< ok", "= won")},
    {"no mod-sequences, and written over", CLAIM_BY_KEYWORD,
	LINES("> fetch", "< 0 ", "< ok", "> +belfry-c-me", "< ok", "= wait",
	    "@ 5", "> fetch", "< 0 belfry-c-you", "< ok", "= wait", "@ 5",
	    "> fetch", "< 0 belfry-f-r", "< ok", "= done")},
    {"no mod-sequences, and all gone", CLAIM_BY_KEYWORD,
	LINES("> fetch", "< 0 ", "< ok", "> +belfry-c-me", "< ok", "= wait",
	    "@ 5", "> fetch", "< 0 ", "< ok", "> +belfry-c-me", "< ok",
	    "= wait", "@ 5", "> fetch", "< 0 belfry-c-me", "< ok", "= won")},
    {"no mod-sequences, two", CLAIM_BY_KEYWORD,
	LINES("> fetch", "< 0 ", "< ok", "> +belfry-c-me", "< ok", "= wait",
	    "@ 5", "> fetch", "< 0 belfry-c-me belfry-c-you", "< ok",
	    "> -belfry-c-me belfry-t", "< ok", "= wait")},
    {"no mod-sequences, taken back by a connection that is gone",
	CLAIM_BY_KEYWORD,
	LINES("> fetch", "< 0 belfry-c-me belfry-c-you", "< ok",
	    "> -belfry-c-me belfry-t", "@ link", "> fetch", "< 0 ", "< ok",
	    "> +belfry-c-me", "< ok", "= wait", "@ 5", "> fetch",
	    "< 0 belfry-c-me", "< ok", "= won", "@ 1", "> fetch", "< 0 ",
	    "< ok", "> +belfry-c-me", "< ok", "= wait")},
    {"no mod-sequences, against what was proven", CLAIM_BY_MODSEQ,
	LINES("> fetch", "< 0 ", "< ok", "> +belfry-c-me", "< ok", "= wait",
	    "@ 5", "> fetch", "< 0 belfry-c-me", "< ok", "= won")},
    {"no mod-sequences, ours of an earlier life", CLAIM_BY_KEYWORD,
	LINES("> fetch", "< 0 belfry-c-me", "< ok", "> -belfry-c-me belfry-t",
	    "< ok", "= wait")},
    {"no mod-sequences, ours, and perhaps sent: it stays", CLAIM_BY_KEYWORD,
	LINES("> fetch", "< 0 belfry-c-me belfry-s", "< ok", "> +belfry-c-me",
	    "< ok", "= wait", "@ 5", "> fetch", "< 0 belfry-c-me belfry-s",
	    "< ok", "= won")},
    {"a look: left", CLAIM_BY_MODSEQ,
	LINES("look", "> fetch", "< 9 belfry-c-me", "< ok", "= left")},
    {"a look: left beside another's", CLAIM_BY_MODSEQ,
	LINES("look", "> fetch", "< 9 belfry-c-you belfry-c-me", "< ok",
	    "= left")},
    {"a look: marked", CLAIM_BY_MODSEQ,
	LINES("look", "> fetch", "< 9 belfry-c-me belfry-f-r", "< ok",
	    "> 9 -belfry-c-me belfry-t", "< ok", "= done")},
    {"a look: another's", CLAIM_BY_KEYWORD,
	LINES("look", "> fetch", "< 0 belfry-c-you", "< ok", "= foreign")},
    {"a look: nobody's", CLAIM_BY_MODSEQ,
	LINES("look", "> fetch", "< 9 \\Seen", "< ok", "= missing")},
    {"a look: gone", CLAIM_BY_MODSEQ,
	LINES("look", "> fetch", "< ok", "= gone")},
    {"a look: refused; then it is claimed", CLAIM_BY_MODSEQ,
	LINES("look", "> fetch", "< no", "= wait", "@ 60", "> fetch", "< 9 ",
	    "< ok", "> 9 +belfry-c-me", "< ok", "> fetch", "< 10 belfry-c-me",
	    "< ok", "= won")},
    {"no mod-sequences, old claim", CLAIM_BY_KEYWORD,
	LINES("> fetch", "< 0 belfry-c-you", "< ok", "= wait", "@ 86399",
	    "> fetch", "< 0 belfry-c-you", "< ok", "= wait", "@ 1", "> fetch",
	    "< 0 belfry-c-you", "< ok", "> -belfry-c-you", "< ok", "= wait")},
    {"marked by us", CLAIM_BY_MODSEQ,
	LINES(
	    "mine", "> fetch", "< 9 belfry-f-r belfry-c-me", "< ok", "= won")},
    {"marked by us while it is claimed anew", CLAIM_BY_MODSEQ,
	LINES("mine", "> fetch", "< 9 belfry-c-me", "< ok", "> 9 +belfry-t",
	    "< ok", "> fetch", "< 11 belfry-c-me belfry-t belfry-f-r", "< ok",
	    "= won")},
    {"perhaps marked by us, beside another's claim", CLAIM_BY_MODSEQ,
	LINES("mine", "> fetch", "< 9 belfry-c-you belfry-c-me", "< ok",
	    "= wait", "@ 2700", "> fetch", "< 9 belfry-c-you belfry-c-me",
	    "< ok", "> 9 -belfry-c-you", "< ok", "= wait", "@ 60", "> fetch",
	    "< 10 belfry-c-me", "< ok", "> 10 +belfry-t", "< ok", "> fetch",
	    "< 11 belfry-c-me belfry-t", "< ok", "= won")},
    {"marked by another, as our claim is gone", CLAIM_BY_MODSEQ,
	LINES("mine", "> fetch", "< 9 belfry-f-r", "< ok", "= done")},
    {"verified too late", CLAIM_BY_MODSEQ,
	LINES("> fetch", "< 9 ", "< ok", "> 9 +belfry-c-me", "< ok", "> fetch",
	    "+ 901", "< 10 belfry-c-me", "< ok", "= wait", "@ 1", "> fetch",
	    "< 10 belfry-c-me", "< ok", "> 10 +belfry-t", "< ok", "> fetch",
	    "< 11 belfry-c-me belfry-t", "< ok", "= won")},
    {"no mod-sequences, and read too long ago", CLAIM_BY_KEYWORD,
	LINES("> fetch", "+ 4", "< 0 ", "< ok", "> fetch", "< 0 ", "< ok",
	    "> +belfry-c-me", "< ok", "= wait")},
    {"news that nobody asked for", CLAIM_BY_MODSEQ,
	LINES("> fetch", "< 9 belfry-c-you", "< 10 ", "< ok",
	    "> 10 +belfry-c-me", "< 11 belfry-c-you", "< ok", "> fetch",
	    "< 12 belfry-c-me", "< ok", "= won")},
};

struct play {
	const struct row *row;
	struct claim *claim;
	usec_t now;
	bool is_mine;
};

static void
wrong(const struct play *play, const char *line, const char *what)
{
	print_error("%s: at '%s': %s\n", play->row->name, line, what);
	fail();
}

static void
begin(struct play *play)
{
	struct imap_seqset uids = IMAP_SEQSET_INIT;

	imap_seqset_add(&uids, UID);
	claim_begin(play->claim, &uids, "belfry-f-r", play->now);
	if (play->is_mine)
		claim_expect_mark(play->claim);
	imap_seqset_done(&uids);
}

static void
expect_command(struct play *play, const char *line)
{
	struct claim_command command;
	BUF_AUTO text = BUF_INIT;

	buf_add_str(&text, "> ");
	if (!claim_command(play->claim, &command, play->now))
		buf_add_str(&text, "nothing");
	else if (!command.is_store)
		buf_add_str(&text, "fetch");
	else if (command.unchanged_since != 0)
		buf_addf(&text, "%llu %c%s",
		    (unsigned long long)command.unchanged_since,
		    command.add ? '+' : '-', command.keywords);
	else
		buf_addf(
		    &text, "%c%s", command.add ? '+' : '-', command.keywords);
	if (strcmp(buf_str(&text), line) != 0)
		wrong(play, line, buf_str(&text));
}

static void
tell(struct play *play, const char *line)
{
	struct imap_seqset uids = IMAP_SEQSET_INIT;
	struct span flags[10], rest = span_from_str(line), word;
	size_t count = 0;
	uint64_t modseq = strtoull(line, NULL, 10);

	if (strcmp(line, "modified") == 0) {
		imap_seqset_add(&uids, UID);
		claim_on_modified(play->claim, &uids);
		imap_seqset_done(&uids);
	} else if (strcmp(line, "ok") == 0 || strcmp(line, "no") == 0) {
		claim_on_done(play->claim, line[0] == 'o', play->now);
	} else {
		span_split(&rest, ' ', &word);
		while (rest.len > 0) {
			span_split(&rest, ' ', &word);
			flags[count++] = word;
		}
		claim_on_message(play->claim, UID, modseq, flags, count);
	}
}

static void
expect_verdict(struct play *play, const char *line)
{
	struct claim_command command;
	const char *name;

	if (claim_command(play->claim, &command, play->now))
		wrong(play, line, "it is not over");
	name = claim_verdict_name(claim_verdict(play->claim, UID));
	if (strcmp(name, line + 2) != 0)
		wrong(play, line, name);
}

static void
pass(struct play *play, const char *line)
{
	if (strcmp(line, "link") == 0)
		claim_interrupt(play->claim);
	else
		play->now += strtoull(line, NULL, 10) * USEC_SEC;
	begin(play);
}

static void
test_steps(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct play play = {&rows[i], NULL, START, false};
		play.is_mine = strcmp(rows[i].lines[0], "mine") == 0;
		play.claim = claim_new(&(struct claim_config){
		    .keyword = "belfry-c-me", .step = rows[i].step, .seed = 1});
		begin(&play);
		for (size_t n = play.is_mine; rows[i].lines[n] != NULL; n++) {
			const char *line = rows[i].lines[n];
			if (line[0] == '>')
				expect_command(&play, line);
			else if (line[0] == '<')
				tell(&play, line + 2);
			else if (line[0] == '+')
				play.now +=
				    strtoull(line + 2, NULL, 10) * USEC_SEC;
			else if (line[0] == '=')
				expect_verdict(&play, line);
			else if (strcmp(line, "hold") == 0)
				claim_hold_unsure(play.claim);
			else if (strcmp(line, "look") == 0)
				claim_only_look(play.claim);
			else
				pass(&play, line + 2);
		}
		claim_free(&play.claim);
	}
}

/* Of a group each message has its own fate, and each want is one STORE. */
static void
test_group(void **state)
{
	struct claim_command command;
	struct imap_seqset uids = IMAP_SEQSET_INIT, held = IMAP_SEQSET_INIT;
	const struct span mine = SPAN("belfry-c-me"),
			  other = SPAN("belfry-c-x");
	struct claim *claim =
	    claim_new(&(struct claim_config){.keyword = "belfry-c-me"});

	(void)state;
	for (uint32_t uid = 1; uid <= 5; uid++)
		imap_seqset_add(&uids, uid);
	claim_begin(claim, &uids, "", START);
	assert_true(claim_command(claim, &command, START));
	claim_on_message(claim, 1, 5, NULL, 0);
	claim_on_message(claim, 2, 20, NULL, 0);
	claim_on_message(claim, 3, 7, &other, 1);
	claim_on_message(claim, 5, 8, NULL, 0);
	claim_on_message(claim, 6, 99, NULL, 0); /* not of the group */
	claim_on_done(claim, true, START);
	assert_true(claim_command(claim, &command, START));
	assert_int_equal(command.unchanged_since, 20);
	assert_int_equal(imap_seqset_size(command.uids), 3);
	claim_on_done(claim, true, START);
	assert_true(claim_command(claim, &command, START));
	assert_false(command.is_store);
	claim_on_message(claim, 1, 21, &mine, 1);
	claim_on_message(claim, 2, 21, &mine, 1);
	claim_on_done(claim, true, START);
	assert_false(claim_command(claim, &command, START));
	assert_true(claim_is_over(claim));
	assert_int_equal(claim_verdict(claim, 1), CLAIM_WON);
	assert_int_equal(claim_verdict(claim, 2), CLAIM_WON);
	assert_int_equal(claim_verdict(claim, 3), CLAIM_WAIT);
	assert_int_equal(claim_verdict(claim, 4), CLAIM_GONE);
	assert_int_equal(claim_verdict(claim, 5), CLAIM_GONE);
	assert_int_equal(claim_verdict(claim, 6), CLAIM_UNKNOWN);
	claim_get_held(claim, &held);
	assert_int_equal(imap_seqset_size(&held), 2);
	assert_true(claim_is_fresh(claim, 1, START + CLAIM_LEASE_USEC / 3));
	assert_false(claim_is_fresh(claim, 1, START + CLAIM_LEASE_USEC / 2));
	claim_forget(claim, 1);
	assert_int_equal(claim_verdict(claim, 1), CLAIM_UNKNOWN);
	imap_seqset_done(&uids);
	imap_seqset_done(&held);
	claim_free(&claim);
}

/* One of a group is won, and withdrawing from the other takes so long that the
 * claim of the first is old by then: it is renewed before it counts. */
static void
test_group_grows_old(void **state)
{
	const usec_t late = START + CLAIM_LEASE_USEC / 3 + USEC_SEC;
	const struct span mine = SPAN("belfry-c-me");
	const struct span both[] = {mine, SPAN("belfry-c-x")};
	struct claim_command command;
	struct imap_seqset uids = IMAP_SEQSET_INIT;
	struct claim *claim =
	    claim_new(&(struct claim_config){.keyword = "belfry-c-me"});

	(void)state;
	imap_seqset_add(&uids, 1);
	imap_seqset_add(&uids, 2);
	claim_begin(claim, &uids, "", START);
	assert_true(claim_command(claim, &command, START));
	claim_on_message(claim, 1, 5, NULL, 0);
	claim_on_message(claim, 2, 5, NULL, 0);
	claim_on_done(claim, true, START);
	assert_true(claim_command(claim, &command, START));
	claim_on_done(claim, true, START);
	assert_true(claim_command(claim, &command, START));
	claim_on_message(claim, 1, 6, &mine, 1);
	claim_on_message(claim, 2, 7, both, 2);
	claim_on_done(claim, true, START);
	assert_int_equal(claim_verdict(claim, 1), CLAIM_WON);
	assert_true(claim_command(claim, &command, START));
	assert_string_equal(command.keywords, "belfry-c-me belfry-t");
	claim_on_done(claim, true, late);
	assert_false(claim_command(claim, &command, late));
	assert_int_equal(claim_verdict(claim, 1), CLAIM_WAIT);
	assert_int_equal(claim_verdict(claim, 2), CLAIM_WAIT);
	imap_seqset_done(&uids);
	claim_free(&claim);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_steps),
	    cmocka_unit_test(test_group),
	    cmocka_unit_test(test_group_grows_old),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
