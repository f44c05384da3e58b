/* Who is there, and who acts: machines and the messages that they leave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/account/claims.h"
#include "daemon/base/xalloc.h"

#define NOW 1800000000
#define START (100 * USEC_SEC)
#define DAY (24 * 60 * 60)

static const char *const answers[] = {
    [CLAIMS_FREE] = "free",
    [CLAIMS_SHARED] = "shared",
    [CLAIMS_ASK] = "ask",
    [CLAIMS_JOINING] = "joining",
    [CLAIMS_STANDS_BY] = "stands by",
};

struct record {
	uint32_t uid;
	int64_t received; /* before NOW, seconds */
	const char *value;
};
struct row {
	const char *name;
	enum claim_mode mode;
	enum claims_ladder ladder;
	struct record records[4];
	bool is_good; /* the own message needs no renewal */
	const char *answer, *stale;
	bool is_first;
};

static const struct row rows[] = {
    {"nobody", CLAIM_AUTO, 0, {{0}}, false, "free", "", true},
    {"alone", CLAIM_AUTO, 0, {{1, 5, "me 1799999995 0"}}, true, "free", "",
	true},
    {"alone, for a week", CLAIM_AUTO, 0,
	{{1, 8 * DAY, "me 1799308800 1790000000"}}, false, "free", "", true},
    {"alone, twice", CLAIM_AUTO, 0,
	{{1, 9, "me 1799999991 0"}, {4, 5, "me 1799999995 0"}}, true, "free",
	"1", true},
    {"rubbish", CLAIM_AUTO, 0,
	{{1, 5, "me 1799999995 0"}, {2, 5, "hello"}, {3, 5, "a b c"}}, true,
	"free", "", true},
    {"another, not proven", CLAIM_AUTO, LADDER_UNPROVEN,
	{{1, 900, "you 1799999100 0"}, {2, 600, "me 1799999400 0"}}, true,
	"ask", "", false},
    {"another", CLAIM_AUTO, LADDER_MODSEQ,
	{{1, 900, "you 1799999100 0"}, {2, 600, "me 1799999400 0"}}, true,
	"shared", "", false},
    {"joining", CLAIM_AUTO, LADDER_MODSEQ,
	{{1, 900, "you 1799999100 0"}, {2, 5, "me 1799999995 0"}}, true,
	"joining", "", false},
    {"at the same moment, first", CLAIM_AUTO, LADDER_MODSEQ,
	{{1, 5, "me 1799999995 0"}, {2, 5, "you 1799999995 0"}}, true,
	"joining", "", true},
    {"its clock is wrong", CLAIM_AUTO, LADDER_MODSEQ,
	{{1, 6, "you 1999999999 0"}, {2, 5, "me 1799999995 0"}}, true,
	"joining", "", false},
    {"renewed: joined long ago", CLAIM_AUTO, LADDER_MODSEQ,
	{{1, 900, "you 1799999100 0"}, {2, 5, "me 1799999995 1790000000"}},
	true, "shared", "", true},
    {"another that is dead", CLAIM_AUTO, LADDER_MODSEQ,
	{{1, 31 * DAY, "you 1797321600 0"}, {2, 600, "me 1799999400 0"}}, true,
	"free", "1", true},
    {"no keywords, first", CLAIM_AUTO, LADDER_FIRST,
	{{1, 900, "me 1799999100 0"}, {2, 600, "you 1799999400 0"}}, true,
	"free", "", true},
    {"no keywords, second", CLAIM_AUTO, LADDER_FIRST,
	{{1, 900, "you 1799999100 0"}, {2, 600, "me 1799999400 0"}}, true,
	"stands by", "", false},
    {"leader", CLAIM_LEADER, 0, {{0}}, false, "free", "", true},
    {"standby", CLAIM_STANDBY, 0, {{0}}, false, "stands by", "", true},
};

static void
check(const struct row *row, const char *what, const char *got,
    const char *wanted)
{
	if (strcmp(got, wanted) == 0)
		return;
	print_error("%s: %s: %s, not %s\n", row->name, what, got, wanted);
	fail();
}

static void
test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct claims *claims = claims_new(row->mode, "me");
		BUF_AUTO stale = BUF_INIT;
		claims_set_ladder(claims, row->ladder);
		claims_read_begin(claims, START);
		for (size_t n = 0; n < 4 && row->records[n].uid != 0; n++)
			claims_read(claims, row->records[n].uid,
			    NOW - row->records[n].received,
			    span_from_str(row->records[n].value));
		check(row, "good", claims_read_end(claims, NOW) ? "yes" : "no",
		    row->is_good ? "yes" : "no");
		imap_seqset_format(&stale, claims_stale(claims));
		check(row, "stale", stale.len > 0 ? buf_str(&stale) : "",
		    row->stale);
		check(row, "answer", answers[claims_ask(claims, NOW, START)],
		    row->answer);
		check(row, "first", claims_is_first(claims) ? "yes" : "no",
		    row->is_first ? "yes" : "no");
		claims_free(&claims);
	}
}

/* What came before this machine joined is the others'; what was judged by a
 * clock that was days behind is not, if it came later. */
static void
test_clock_was_behind(void **state)
{
	static const struct {
		int64_t judged, received; /* seconds after it joined */
		bool is_others;
	} cases[] = {
	    {-600, -700, true},
	    {CLAIMS_JOIN_SEC - 1, -700, true},
	    {CLAIMS_JOIN_SEC, -700, false},
	    {-2 * DAY, -700, true},
	    {-2 * DAY, CLAIMS_JOIN_SEC, false},
	    {-2 * DAY, CLAIMS_JOIN_SEC - 1, true},
	};
	struct claims *claims = claims_new(CLAIM_AUTO, "me");

	(void)state;
	claims_set_ladder(claims, LADDER_MODSEQ);
	claims_read_begin(claims, START);
	claims_read(claims, 1, NOW - 3 * DAY, SPAN("you 1799999100 0"));
	claims_read(claims, 2, NOW - DAY, SPAN("me 1799999400 0"));
	claims_read_end(claims, NOW);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (claims_is_others(claims, NOW - DAY + cases[i].judged,
			NOW - DAY + cases[i].received) != cases[i].is_others)
			fail_msg("case %zu", i);
	assert_true(claims_is_others(claims, NOW - 2 * DAY, 0));
	claims_free(&claims);
}

/* The clock of a machine that is just started is put right by hours: others
 * still have the time to look. */
static void
test_clock_is_put_right(void **state)
{
	struct claims *claims = claims_new(CLAIM_AUTO, "me");
	const usec_t joined = START + 7 * USEC_SEC;

	(void)state;
	claims_set_ladder(claims, LADDER_MODSEQ);
	claims_read_begin(claims, START);
	claims_read(claims, 1, NOW - 900, SPAN("you 1799999100 0"));
	assert_false(claims_read_end(claims, NOW - DAY));
	claims_read_begin(claims, joined);
	claims_read(claims, 1, NOW - 900, SPAN("you 1799999100 0"));
	claims_read(claims, 2, NOW, SPAN("me 1799913600 0"));
	claims_read_end(claims, NOW - DAY);
	assert_int_equal(
	    claims_ask(claims, NOW, joined + USEC_MINUTE), CLAIMS_JOINING);
	assert_int_equal(claims_join_wait(claims, NOW, joined + USEC_MINUTE),
	    4 * USEC_MINUTE);
	assert_int_equal(claims_join_wait(claims, NOW - DAY,
			     joined + CLAIMS_JOIN_SEC * USEC_SEC),
	    0);
	claims_free(&claims);
}

/* The folder is refused to who knows of others: nothing is done that they might
 * do, too, and it is looked for again. */
static void
test_refused_with_others(void **state)
{
	struct claims *claims = claims_new(CLAIM_AUTO, "me");
	BUF_AUTO words = BUF_INIT;

	(void)state;
	claims_set_ladder(claims, LADDER_MODSEQ);
	claims_read_begin(claims, START);
	claims_read(claims, 1, NOW - 900, SPAN("you 1799999100 0"));
	claims_read(claims, 2, NOW - 600, SPAN("me 1799999400 0"));
	claims_read_end(claims, NOW);
	assert_int_equal(claims_ask(claims, NOW, START), CLAIMS_SHARED);
	claims_refuse(claims, SPAN("no room"), START);
	assert_int_equal(claims_ask(claims, NOW, START), CLAIMS_ASK);
	claims_describe(claims, NOW, START, &words);
	assert_string_equal(
	    buf_str(&words), "waits, as belfry-claims is refused: no room");
	claims_read_begin(claims, START);
	claims_refuse(claims, SPAN("no room"), START);
	assert_int_equal(claims_ask(claims, NOW, START), CLAIMS_ASK);
	claims_free(&claims);
}

/* It is read each minute, and then what is put there is refused: told once a
 * day, and other words once an hour. */
static void
test_refusal_is_told_rarely(void **state)
{
	struct claims *claims = claims_new(CLAIM_AUTO, "me");
	usec_t now = START;
	unsigned told = 0;

	(void)state;
	for (unsigned i = 0; i < 24 * 60; i++, now += USEC_MINUTE) {
		claims_read_begin(claims, now);
		claims_read_end(claims, NOW);
		told += claims_refuse(claims, SPAN("no room"), now);
	}
	assert_int_equal(told, 1);
	for (unsigned i = 0; i < 3 * 60; i++, now += USEC_MINUTE) {
		claims_read_begin(claims, now);
		told += claims_refuse(
		    claims, i % 2 == 0 ? SPAN("no") : SPAN("no room"), now);
	}
	assert_in_range(told, 2, 5);
	claims_free(&claims);
}

/* What a person is told of who acts. */
static void
test_words(void **state)
{
	static const struct {
		enum claims_ladder ladder;
		const char *own, *words;
	} cases[] = {
	    {LADDER_MODSEQ, "me 1799999400 0",
		"1 other machine: claims by keywords and mod-sequences"},
	    {LADDER_MODSEQ, "me 1799999880 0",
		"1 other machine: claims by keywords and mod-sequences; this "
		"one is new here, and acts in 3 min"},
	    {LADDER_FIRST, "me 1799999400 1799990000",
		"1 other machine: the server keeps no keywords; this one was "
		"here first, and acts"},
	    {LADDER_FIRST, "me 1799999400 1799999300",
		"1 other machine: the server keeps no keywords; another one "
		"was here first, and acts"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct claims *claims = claims_new(CLAIM_AUTO, "me");
		BUF_AUTO words = BUF_INIT;
		claims_set_ladder(claims, cases[i].ladder);
		claims_read_begin(claims, START);
		claims_read(
		    claims, 1, NOW - 900, SPAN("you 1799999100 1799999100"));
		claims_read(claims, 2, NOW - 600, span_from_str(cases[i].own));
		claims_read_end(claims, NOW);
		claims_describe(claims, NOW, START, &words);
		assert_string_equal(buf_str(&words), cases[i].words);
		claims_free(&claims);
	}
}

/* What is known is good for two minutes, and as long as STATUS is the same. */
static void
test_looking_again(void **state)
{
	struct claims *claims = claims_new(CLAIM_AUTO, "me");
	usec_t now = START;

	(void)state;
	assert_int_equal(claims_ask(claims, NOW, now), CLAIMS_ASK);
	claims_read_begin(claims, now);
	claims_read(claims, 3, NOW - 5, SPAN("me 1799999995 0"));
	assert_true(claims_read_end(claims, NOW));
	claims_read_as(claims, 7, 4, 1);
	assert_int_equal(claims_ask(claims, NOW, now), CLAIMS_FREE);
	now += CLAIMS_ALONE_USEC;
	assert_int_equal(claims_ask(claims, NOW, now), CLAIMS_ASK);
	assert_true(claims_note_status(claims, 7, 4, 1, now));
	assert_int_equal(claims_ask(claims, NOW, now), CLAIMS_FREE);
	assert_false(claims_note_status(claims, 7, 5, 2, now));
	assert_false(claims_note_status(claims, 8, 4, 1, now));
	assert_false(claims_note_status(claims, 0, 0, 0, now));
	/* Refused: alone, for an hour. */
	assert_true(claims_refuse(claims, SPAN("no"), now));
	assert_false(claims_refuse(claims, SPAN("no"), now));
	assert_int_equal(claims_ask(claims, NOW, now), CLAIMS_FREE);
	now += CLAIMS_REFUSED_USEC;
	assert_int_equal(claims_ask(claims, NOW, now), CLAIMS_ASK);
	/* That nothing has changed there does not end it: a look does. */
	assert_false(claims_note_status(claims, 7, 4, 1, now));
	claims_free(&claims);
}

/* A server that falls silent, or ends the connection, when it is asked. */
static void
test_look_never_ends(void **state)
{
	struct claims *claims = claims_new(CLAIM_AUTO, "me");
	usec_t now = START;

	(void)state;
	for (unsigned i = 0; i < CLAIMS_LOOKS_MAX; i++) {
		assert_int_equal(claims_ask(claims, NOW, now), CLAIMS_ASK);
		assert_true(claims_look_begin(claims, now));
	}
	assert_false(claims_look_begin(claims, now));
	assert_int_equal(claims_ask(claims, NOW, now), CLAIMS_FREE);
	now += CLAIMS_REFUSED_USEC;
	assert_int_equal(claims_ask(claims, NOW, now), CLAIMS_ASK);
	/* One that ends begins the row anew. */
	for (unsigned i = 0; i < CLAIMS_LOOKS_MAX + 1; i++) {
		assert_true(claims_look_begin(claims, now));
		claims_look_end(claims);
	}
	/* Who knows of others waits for as long as it takes. */
	claims_read_begin(claims, now);
	claims_read(claims, 1, NOW, SPAN("other 1800000000 0"));
	claims_read_end(claims, NOW);
	for (unsigned i = 0; i < CLAIMS_LOOKS_MAX + 1; i++)
		assert_true(claims_look_begin(claims, now));
	claims_free(&claims);
}

/* What is written is read; the time of joining is kept. */
static void
test_round_trip(void **state)
{
	struct claims *claims = claims_new(CLAIM_AUTO, "me");
	BUF_AUTO text = BUF_INIT;

	(void)state;
	claims_compose(claims, NOW, &text);
	assert_non_null(strstr(buf_str(&text), ": me 1800000000 0\r\n"));
	claims_read_begin(claims, START);
	claims_read(claims, 1, NOW - 8 * DAY, SPAN("me 1799308800 0"));
	assert_false(claims_read_end(claims, NOW));
	buf_clear(&text);
	claims_compose(claims, NOW, &text);
	assert_non_null(
	    strstr(buf_str(&text), ": me 1800000000 1799308800\r\n"));
	claims_free(&claims);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_answers),
	    cmocka_unit_test(test_looking_again),
	    cmocka_unit_test(test_clock_was_behind),
	    cmocka_unit_test(test_clock_is_put_right),
	    cmocka_unit_test(test_refused_with_others),
	    cmocka_unit_test(test_refusal_is_told_rarely),
	    cmocka_unit_test(test_words),
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_look_never_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
