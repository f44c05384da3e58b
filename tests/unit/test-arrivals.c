/*
 * test-arrivals: what rules put into mailboxes, told at once and out of the
 * history.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/account/arrivals.h"
#include "daemon/base/xalloc.h"

#define NOW_UNIX 1800000000

/* A message that was judged: where, as which UID, and what was planned. */
struct judged {
	const char *mailbox;
	uint32_t uid;
	const char *message_id, *action;
};

/* The way of <a> from INBOX to Lists/x and back; <b> goes to the archive, and
 * <d> to Lists/z, where no rule moves it. */
static const struct judged past[] = {
    {"INBOX", 1, "<a@x>", "move rule=r target=Lists/x"},
    {"INBOX", 2, "<b@x>", "archive rule=r"},
    {"INBOX", 3, "", "move rule=r target=Lists/x"},
    {"INBOX", 4, "<c@x>", "mark rule=r add=\\Seen"},
    {"Lists/x", 5, "<a@x>", "move rule=r target=inbox"},
    {"INBOX", 6, "<d@x>", "copy rule=r target=Lists/z"},
    {"Lists/z", 7, "<d@x>", "notify rule=r"},
};

static struct store_message
message_of(const char *mailbox, uint32_t uid, const char *id)
{
	return (struct store_message){
	    .key = {"work", mailbox, 7, uid},
	    .message_id = id,
	    .from = "Bob <bob@example.org>",
	    .subject = "hello",
	    .size = 100,
	    .judged_unix = NOW_UNIX + uid,
	    .rules = "r",
	    .observed = "",
	    .warnings = "",
	};
}

static struct store_batch *
make_batch(void)
{
	struct store_batch *batch = store_batch_new();

	for (size_t i = 0; i < sizeof(past) / sizeof(past[0]); i++) {
		const struct store_message message = message_of(
		    past[i].mailbox, past[i].uid, past[i].message_id);
		store_batch_add_message(batch, &message);
		store_batch_add_effect(
		    batch, &(struct store_effect){.key = message.key,
			       .rule = "r",
			       .kind = "any",
			       .action = past[i].action,
			       .detail = ""});
	}
	return batch;
}

static const struct {
	const char *mailbox, *use, *message_id;
	enum arrival arrival;
	const char *judged; /* blank-separated */
} cases[] = {
    {"Lists/y", NULL, "<a@x>", ARRIVAL_NEWS, ""},
    {"Lists/x", NULL, "<a@x>", ARRIVAL_KNOWN, ""},
    {"INBOX", NULL, "<a@x>", ARRIVAL_KNOWN, ""},
    {"Old", "\\Archive", "<b@x>", ARRIVAL_FORWARDED, "INBOX"},
    {"Old", NULL, "<b@x>", ARRIVAL_NEWS, ""},
    {"INBOX", NULL, "<b@x>", ARRIVAL_NEWS, ""},
    {"Lists/x", NULL, "", ARRIVAL_NEWS, ""},
    {"INBOX", NULL, "<c@x>", ARRIVAL_NEWS, ""},
    {"Lists/x", NULL, "<other@x>", ARRIVAL_NEWS, ""},
    {"Lists/z", NULL, "<d@x>", ARRIVAL_KNOWN, ""},
};

static void
check_all(const struct arrivals *arrivals)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		STRV_AUTO names = STRV_INIT;
		STRV_AUTO judged = STRV_INIT;
		struct store_message message =
		    message_of(cases[i].mailbox, 99, cases[i].message_id);

		strv_add(&names, cases[i].mailbox);
		if (cases[i].use != NULL)
			strv_add(&names, cases[i].use);
		enum arrival arrival =
		    arrivals_meet(arrivals, &message, &names, &judged);
		STR_AUTO places = strv_join(&judged, " ");
		if (arrival != cases[i].arrival ||
		    strcmp(places, cases[i].judged) != 0)
			fail_msg("case %zu: %d, judged in \"%s\"", i,
			    (int)arrival, places);
		/* Another size is another message. */
		message.size++;
		assert_int_equal(
		    arrivals_meet(arrivals, &message, &names, &judged),
		    ARRIVAL_NEWS);
	}
}

static void
test_told_at_once(void **state)
{
	struct arrivals *arrivals = arrivals_new();
	struct store_batch *batch = make_batch();

	(void)state;
	arrivals_note(arrivals, batch);
	check_all(arrivals);
	store_batch_free(&batch);
	arrivals_free(&arrivals);
}

/* As the store has had it before codes were hidden, and as it is now. */
static void
test_code_of_before(void **state)
{
	struct arrivals *arrivals = arrivals_new();
	struct store_batch *batch = store_batch_new();
	STRV_AUTO names = STRV_INIT;
	STRV_AUTO places = STRV_INIT;
	struct store_message message = message_of("INBOX", 1, "<a@x>");

	(void)state;
	message.subject = "Your code is 482913";
	store_batch_add_message(batch, &message);
	store_batch_add_effect(
	    batch, &(struct store_effect){.key = message.key,
		       .rule = "r",
		       .kind = "any",
		       .action = "move rule=r target=Lists/x",
		       .detail = ""});
	arrivals_note(arrivals, batch);
	message = message_of("Lists/x", 2, "<a@x>");
	message.subject = "Your code is ******";
	strv_add(&names, "Lists/x");
	assert_int_equal(arrivals_meet(arrivals, &message, &names, &places),
	    ARRIVAL_FORWARDED);
	store_batch_free(&batch);
	arrivals_free(&arrivals);
}

static void
test_out_of_history(void **state)
{
	struct arrivals *arrivals = arrivals_new();
	struct store *store = store_open_memory();
	struct store_batch *batch = make_batch();
	struct error error = ERROR_INIT;

	(void)state;
	assert_true(store_commit(store, batch, &error));
	assert_true(
	    arrivals_load(arrivals, store, "work", NOW_UNIX + 10, &error));
	check_all(arrivals);
	arrivals_free(&arrivals);
	arrivals = arrivals_new();
	assert_true(arrivals_load(arrivals, store, "work",
	    NOW_UNIX + ARRIVALS_KEEP_SEC + 100, &error));
	const struct store_message message = message_of("INBOX", 9, "<a@x>");
	STRV_AUTO names = STRV_INIT;
	STRV_AUTO judged = STRV_INIT;
	strv_add(&names, "INBOX");
	assert_int_equal(
	    arrivals_meet(arrivals, &message, &names, &judged), ARRIVAL_NEWS);
	store_batch_free(&batch);
	store_close(&store);
	arrivals_free(&arrivals);
}

/* One message after the other comes to a mailbox; then it was judged there. */
static const struct {
	const char *mailbox, *identity;
	enum arrival arrival;
	const char *judged; /* blank-separated */
} met[] = {
    {"INBOX", "g17", ARRIVAL_NEWS, ""},
    {"Work", "g17", ARRIVAL_FORWARDED, "INBOX"},
    {"Family", "g17", ARRIVAL_FORWARDED, "INBOX Work"},
    {"INBOX", "g17", ARRIVAL_KNOWN, ""}, /* it left, and came back */
    {"Work", "g170", ARRIVAL_NEWS, ""},
    {"Work", "", ARRIVAL_NEWS, ""},
    {"Family", "", ARRIVAL_NEWS, ""}, /* the server does not say */
    {"INBOX", "e17", ARRIVAL_NEWS, ""},
    {"INBOX", "e17", ARRIVAL_NEWS, ""}, /* two with the same content */
    {"Work", "e17", ARRIVAL_FORWARDED, "INBOX"},
};

static enum arrival
meet(const struct arrivals *arrivals, const struct store_message *message,
    char **judged_r)
{
	STRV_AUTO names = STRV_INIT;
	STRV_AUTO judged = STRV_INIT;

	strv_add(&names, message->key.mailbox);
	enum arrival arrival =
	    arrivals_meet(arrivals, message, &names, &judged);
	*judged_r = strv_join(&judged, " ");
	return arrival;
}

/* In this life; or (`store`) each time in another one. */
static void
meet_all(struct arrivals *arrivals, struct store *store)
{
	for (size_t i = 0; i < sizeof(met) / sizeof(met[0]); i++) {
		struct store_batch *batch = store_batch_new();
		struct store_message message =
		    message_of(met[i].mailbox, (uint32_t)i + 1, "");
		STR_AUTO judged = NULL;
		message.identity = met[i].identity;
		if (store != NULL) {
			arrivals_free(&arrivals);
			arrivals = arrivals_new();
			assert_true(arrivals_load(
			    arrivals, store, "work", NOW_UNIX + 20, NULL));
		}
		enum arrival arrival = meet(arrivals, &message, &judged);
		if (arrival != met[i].arrival ||
		    (arrival == ARRIVAL_FORWARDED &&
			strlen(judged) != strlen(met[i].judged)))
			fail_msg("case %zu: %d, judged in \"%s\"", i,
			    (int)arrival, judged);
		store_batch_add_message(batch, &message);
		if (store != NULL)
			assert_true(store_commit(store, batch, NULL));
		else
			arrivals_note(arrivals, batch);
		store_batch_free(&batch);
	}
	arrivals_free(&arrivals);
}

static void
test_identity(void **state)
{
	struct store *store = store_open_memory();

	(void)state;
	meet_all(arrivals_new(), NULL);
	meet_all(arrivals_new(), store);
	store_close(&store);
}

static void
test_identity_is_kept(void **state)
{
	static const struct {
		int64_t later;
		enum arrival arrival;
	} cases_of_age[] = {
	    {ARRIVALS_KEEP_SEC + 100, ARRIVAL_FORWARDED},
	    {ARRIVALS_IDENTITY_KEEP_SEC - 100, ARRIVAL_FORWARDED},
	    {ARRIVALS_IDENTITY_KEEP_SEC + 100, ARRIVAL_NEWS},
	};
	struct store *store = store_open_memory();
	struct store_batch *batch = store_batch_new();
	struct store_message message = message_of("INBOX", 1, "<a@x>");

	(void)state;
	message.identity = "g17";
	store_batch_add_message(batch, &message);
	assert_true(store_commit(store, batch, NULL));
	store_batch_free(&batch);
	message.key.mailbox = "Work";
	for (size_t i = 0; i < 3; i++) {
		struct arrivals *arrivals = arrivals_new();
		STR_AUTO judged = NULL;
		assert_true(arrivals_load(arrivals, store, "work",
		    NOW_UNIX + cases_of_age[i].later, NULL));
		assert_int_equal(
		    meet(arrivals, &message, &judged), cases_of_age[i].arrival);
		arrivals_free(&arrivals);
	}
	store_close(&store);
}

/* Of two who see it the second waits, until the plan of the first is durable,
 * or was dropped. */
static void
test_judging(void **state)
{
	struct arrivals *arrivals = arrivals_new();
	struct judging *judging = arrivals_judging(arrivals);
	struct store_batch *batch = store_batch_new();
	struct store_message message = message_of("INBOX", 1, "<a@x>");
	int one, other;

	(void)state;
	message.identity = "g17";
	store_batch_add_message(batch, &message);
	assert_true(judging_begin(judging, SPAN_EMPTY, &one));
	assert_true(judging_begin(judging, SPAN_EMPTY, &other));
	assert_false(judging_is_by_other(judging, SPAN("g17"), &other));
	assert_true(judging_begin(judging, SPAN("g17"), &one));
	assert_true(judging_is_by_other(judging, SPAN("g17"), &other));
	assert_false(judging_is_by_other(judging, SPAN("g17"), &one));
	assert_false(judging_begin(judging, SPAN("g17"), &other));
	assert_true(judging_begin(judging, SPAN("g17"), &one));
	assert_true(judging_begin(judging, SPAN("g18"), &other));
	assert_int_equal(judging_count(judging), 2);
	arrivals_note(arrivals, batch);
	assert_true(judging_is_by_other(judging, SPAN("g17"), &other));
	assert_true(arrivals_was_judged(arrivals, "g17"));
	arrivals_drop(arrivals, batch); /* the second of `one` */
	assert_false(judging_is_by_other(judging, SPAN("g17"), &other));
	arrivals_drop(arrivals, batch); /* nobody's */
	assert_int_equal(judging_count(judging), 1);
	store_batch_free(&batch);
	arrivals_free(&arrivals);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_told_at_once),
	    cmocka_unit_test(test_code_of_before),
	    cmocka_unit_test(test_out_of_history),
	    cmocka_unit_test(test_identity),
	    cmocka_unit_test(test_identity_is_kept),
	    cmocka_unit_test(test_judging),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
