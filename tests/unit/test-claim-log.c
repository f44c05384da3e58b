/*
 * The log of claims: entries and what they leave on messages. Many machines at
 * once are played by tests/sim/sim_claim.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/account/claim_log.h"
#include "daemon/mail/message.h"

#define INBOX SPAN("INBOX")
#define VALIDITY 7
#define DAY (24 * 60 * 60)

/* Writes as `node`, reads what it wrote as entry `uid` of day `day`. */
struct step {
	const char *node;
	uint32_t uid, base;
	char sign;
	const char *set, *words;
	int day;
};

/* ... into the log with this UIDVALIDITY; 0: it was not opened. */
static void
play_in(struct claim_log *log, const struct step *step, uint32_t validity)
{
	struct claim_log *other = claim_log_new(step->node);
	struct imap_seqset uids = IMAP_SEQSET_INIT;
	struct span lines[20];
	size_t count = 0;
	BUF_AUTO text = BUF_INIT;

	assert_true(imap_seqset_parse(span_from_str(step->set), &uids));
	claim_log_open(other, validity, 0);
	claim_log_compose(other,
	    &(struct claim_log_store){.mailbox = INBOX,
		.uidvalidity = VALIDITY,
		.base = step->base,
		.add = step->sign == '+',
		.uids = &uids,
		.words = step->words},
	    &text);
	struct message *message = message_new(buf_span(&text));
	while (count < 20 &&
	       (lines[count] = message_raw(message, CLAIM_LOG_HEADER, count))
		       .data != NULL)
		count++;
	claim_log_read(
	    log, step->uid, 1000 + (int64_t)step->day * DAY, lines, count);
	claim_log_read_end(log);
	message_free(&message);
	imap_seqset_done(&uids);
	claim_log_free(&other);
}

static void
play(struct claim_log *log, const struct step *step)
{
	play_in(log, step, 0);
}

static void
expect(struct claim_log *log, const char *name, uint32_t uid, const char *words,
    uint32_t changed)
{
	struct span found[CLAIM_LOG_WORDS_MAX];
	uint32_t when;
	size_t count = claim_log_words(log, INBOX, VALIDITY, uid, found, &when);
	BUF_AUTO text = BUF_INIT;

	for (size_t i = 0; i < count; i++) {
		buf_add_str(&text, i > 0 ? " " : "");
		buf_add_span(&text, found[i]);
	}
	if (strcmp(buf_str(&text), words) == 0 && when == changed)
		return;
	print_error("%s: message %lu: '%s' since %lu\n", name,
	    (unsigned long)uid, buf_str(&text), (unsigned long)when);
	fail();
}

static const struct row {
	const char *name;
	struct step steps[4];
	const char *words; /* on message 5 */
	uint32_t changed;
} rows[] = {
    {"nothing", {{0}}, "", 1},
    {"added", {{"a", 10, 1, '+', "1:9", "belfry-c-a", 0}}, "belfry-c-a", 10},
    {"another message", {{"a", 10, 1, '+', "1:4,6", "belfry-c-a", 0}}, "", 1},
    {"added and removed",
	{{"a", 10, 1, '+', "5", "belfry-c-a belfry-t", 0},
	    {"a", 11, 0, '-', "5", "belfry-c-a belfry-t", 0}},
	"", 11},
    {"of two the first wins",
	{{"a", 10, 9, '+', "5", "belfry-c-a", 0},
	    {"b", 11, 9, '+', "5", "belfry-c-b", 0}},
	"belfry-c-a", 10},
    {"who read the other's may add",
	{{"a", 10, 9, '+', "5", "belfry-c-a", 0},
	    {"b", 11, 10, '+', "5", "belfry-f-x", 0}},
	"belfry-c-a belfry-f-x", 11},
    {"in any order of reading",
	{{"b", 11, 9, '+', "5", "belfry-c-b", 0},
	    {"a", 10, 9, '+', "5", "belfry-c-a", 0}},
	"belfry-c-a", 10},
    {"what changes nothing is no change",
	{{"a", 10, 1, '+', "5", "belfry-c-a", 0},
	    {"a", 12, 0, '+', "5", "belfry-c-a", 0}},
	"belfry-c-a", 10},
    {"read twice",
	{{"a", 10, 1, '+', "5", "belfry-t", 0},
	    {"a", 11, 0, '-', "5", "belfry-t", 0},
	    {"a", 10, 1, '+', "5", "belfry-t", 0}},
	"", 11},
};

static void
test_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct claim_log *log = claim_log_new("me");
		for (size_t n = 0; n < 4 && rows[i].steps[n].uid != 0; n++)
			play(log, &rows[i].steps[n]);
		expect(log, rows[i].name, 5, rows[i].words, rows[i].changed);
		claim_log_free(&log);
	}
}

/* Sets are cut into lines that mail may have, and whole again. */
static void
test_long(void **state)
{
	struct claim_log *log = claim_log_new("me");
	struct imap_seqset uids = IMAP_SEQSET_INIT;
	BUF_AUTO set = BUF_INIT;

	(void)state;
	for (uint32_t uid = 1000001; uid < 1001000; uid += 2)
		imap_seqset_add(&uids, uid);
	imap_seqset_format(&set, &uids);
	play(
	    log, &(struct step){"me", 3, 1, '+', buf_str(&set), "belfry-t", 0});
	for (uint32_t uid = 1000001; uid < 1001000; uid += 2)
		expect(log, "long", uid, "belfry-t", 3);
	expect(log, "long", 1000002, "", 1);
	imap_seqset_done(&uids);
	claim_log_free(&log);
}

static void
test_rubbish(void **state)
{
	static const char *const bad[] = {"", "a", "a b 1 1 + 5 x",
	    "a 0123456789 x 1 + 5 x", "a 0123456789 1 1 * 5 x",
	    "a 0123456789 1 1 + 5:* x", "a 0123456789 1 1 + 5",
	    "a 0123456789 4294967296 1 + 5 x", "a 01234567890 1 1 + 5 x"};
	struct claim_log *log = claim_log_new("me");

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct span line = span_from_str(bad[i]);
		claim_log_read(log, (uint32_t)i + 1, 0, &line, 1);
	}
	claim_log_read_end(log);
	assert_int_equal(claim_log_position(log), 1);
	claim_log_free(&log);
}

/* Claims are removed after a day, others' a day later, marks after 30. */
static void
test_stale(void **state)
{
	static const struct step steps[] = {
	    {"me", 1, 1, '+', "1", "belfry-c-me", 0},
	    {"you", 2, 1, '+', "2", "belfry-c-you", 0},
	    {"me", 3, 1, '+', "3", "belfry-f-x", 0},
	    {"you", 4, 1, '+', "4", "belfry-c-you", 1},
	    {"you", 5, 1, '+', "5", "belfry-c-you", 2},
	    {"you", 6, 1, '+', "6", "belfry-c-you", 30},
	};
	static const char *const stale[] = {"", "", "", "1", "1:2", "1:5"};
	struct claim_log *log = claim_log_new("me");

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct imap_seqset found = IMAP_SEQSET_INIT;
		BUF_AUTO text = BUF_INIT;
		play(log, &steps[i]);
		claim_log_get_stale(log, &found);
		imap_seqset_format(&text, &found);
		assert_string_equal(buf_str(&text), stale[i]);
		imap_seqset_done(&found);
	}
	claim_log_free(&log);
}

/* What comes in front of what was read shows that there is no order. */
static void
test_disorder(void **state)
{
	struct claim_log *log = claim_log_new("me");

	(void)state;
	play(log, &(struct step){"a", 10, 1, '+', "1", "belfry-t", 3});
	play(log, &(struct step){"a", 11, 1, '-', "1", "belfry-t", 3});
	play(log, &(struct step){"b", 5, 1, '+', "1", "belfry-t", 0});
	assert_false(claim_log_is_disordered(log)); /* it was forgotten */
	play(log, &(struct step){"b", 9, 1, '+', "1", "belfry-t", 3});
	assert_true(claim_log_is_disordered(log));
	claim_log_free(&log);
}

/* A log that was made anew knows no claims: a lease passes first. */
static void
test_void(void **state)
{
	struct claim_log *log = claim_log_new("me");

	(void)state;
	claim_log_open(log, 1, 0);
	assert_false(claim_log_is_void(log, 0));
	play(log, &(struct step){"a", 40, 1, '+', "5", "belfry-c-a", 0});
	assert_int_equal(claim_log_from(log), 10);
	claim_log_open(log, 2, USEC_SEC);
	assert_int_equal(claim_log_from(log), 1);
	expect(log, "void", 5, "", 1);
	assert_true(claim_log_is_void(log, 45 * USEC_MINUTE));
	assert_false(claim_log_is_void(log, 45 * USEC_MINUTE + USEC_SEC));
	claim_log_free(&log);
}

/* Entries of another UIDVALIDITY say nothing: its UIDs mean other messages. Who
 * waits for one of these finds neither claim nor mark on it. */
static void
test_other_validity(void **state)
{
	struct span words[CLAIM_LOG_WORDS_MAX];
	uint32_t changed;
	struct claim_log *log = claim_log_new("me");

	(void)state;
	play(log, &(struct step){"a", 40, 1, '+', "5", "belfry-c-a", 0});
	play(log, &(struct step){"a", 41, 0, '+', "5", "belfry-f-x", 0});
	expect(log, "as it was", 5, "belfry-c-a belfry-f-x", 41);
	assert_int_equal(
	    claim_log_words(log, INBOX, VALIDITY + 1, 5, words, &changed), 0);
	assert_int_equal(changed, 1);
	claim_log_free(&log);
}

/* An entry that was on its way when the log was made anew. */
static void
test_late(void **state)
{
	struct claim_log *log = claim_log_new("me");
	const struct step mine = {"me", 3, 1, '+', "5", "belfry-f-r", 0},
			  others = {"you", 4, 1, '+', "6", "belfry-f-r", 0};

	(void)state;
	claim_log_open(log, 10, USEC_SEC);
	play_in(log, &mine, 9);
	expect(log, "of the log before", 5, "", 1);
	play_in(log, &others, 10);
	expect(log, "of this log", 6, "belfry-f-r", 4);
	claim_log_free(&log);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_words),
	    cmocka_unit_test(test_long),
	    cmocka_unit_test(test_rubbish),
	    cmocka_unit_test(test_stale),
	    cmocka_unit_test(test_disorder),
	    cmocka_unit_test(test_void),
	    cmocka_unit_test(test_other_validity),
	    cmocka_unit_test(test_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
