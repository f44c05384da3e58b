/*
 * account/recall: messages are known again under other UIDs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "daemon/account/recall.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"

#define NOW 1800000000
#define DAY (24 * 60 * 60)

static const struct store_message judged = {
    .key = {.account = "work", .mailbox = "INBOX", .uidvalidity = 1, .uid = 5},
    .message_id = "<a@example.com>",
    .from = "Ann",
    .subject = "hello",
    .size = 300,
    .received_unix = NOW - 3 * DAY,
    .judged_unix = NOW - 3 * DAY + 60,
    .rules = "",
    .observed = "",
    .warnings = "",
};
/* The same without a Message-ID. */
static const struct store_message nameless = {
    .key = {.account = "work", .mailbox = "INBOX", .uidvalidity = 1, .uid = 6},
    .message_id = "",
    .from = "Ann",
    .subject = "hello",
    .size = 300,
    .received_unix = NOW - 3 * DAY,
    .judged_unix = NOW - 3 * DAY,
    .rules = "",
    .observed = "",
    .warnings = "",
};

static const struct {
	const char *name;
	const char *message_id, *from, *subject;
	uint64_t size;
	int64_t received_unix;
	bool is_known;
} cases[] = {
    {"as it was", "<a@example.com>", "Ann", "hello", 300, NOW - 3 * DAY, true},
    {"moved, its date lost", "<a@example.com>", "Ann", "hello", 300, NOW, true},
    {"moved, and rewritten", "<a@example.com>", "Ann", "hello", 333,
	NOW - 3 * DAY, true},
    {"a twin that came later", "<a@example.com>", "Ann", "hello", 333, NOW,
	false},
    {"another Message-ID", "<b@example.com>", "Ann", "hello", 300,
	NOW - 3 * DAY, false},
    {"another sender", "<a@example.com>", "Bob", "hello", 300, NOW - 3 * DAY,
	false},
    {"another subject", "<a@example.com>", "Ann", "hell", 300, NOW - 3 * DAY,
	false},
    {"nameless", "", "Ann", "hello", 300, NOW - 3 * DAY, true},
    {"nameless, its date lost", "", "Ann", "hello", 300, NOW, false},
    {"nameless, rewritten", "", "Ann", "hello", 333, NOW - 3 * DAY, false},
};

static void
test_same(void **state)
{
	struct recall *recall = recall_new();

	(void)state;
	recall_note(recall, &judged, true);
	recall_note(recall, &nameless, false);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct store_message message = {
		    .message_id = cases[i].message_id,
		    .from = cases[i].from,
		    .subject = cases[i].subject,
		    .size = cases[i].size,
		    .received_unix = cases[i].received_unix,
		};
		if (recall_has(recall, &message) != cases[i].is_known)
			fail_msg("%s", cases[i].name);
	}
	recall_free(&recall);
	assert_null(recall);
}

/* As the store has had it before codes were hidden, and as it is now. */
static void
test_code_of_before(void **state)
{
	struct recall *recall = recall_new();
	struct store_message message = judged;

	(void)state;
	message.subject = "Your code is 482913";
	recall_note(recall, &message, true);
	message.subject = "Your code is ******";
	assert_true(recall_has(recall, &message));
	message.subject = "Your code is";
	assert_false(recall_has(recall, &message));
	recall_free(&recall);
}

/* What the store has, loaded. */
static int64_t
since(
    const char *contact, const struct store_message *message, int64_t keep_sec)
{
	struct store *store = store_open_memory();
	struct store_batch *batch = store_batch_new();
	struct recall *recall;

	if (contact != NULL)
		store_batch_set_fact(batch, "work", "contact INBOX", contact);
	if (message != NULL)
		store_batch_add_message(batch, message);
	assert_true(store_commit(store, batch, NULL));
	store_batch_free(&batch);
	recall = recall_load(store, "work", "INBOX", NOW, keep_sec, NULL);
	assert_non_null(recall);
	int64_t found = recall_since(recall);
	recall_free(&recall);
	store_close(&store);
	return found;
}

static void
test_since(void **state)
{
	struct store_message early = judged, elsewhere = judged;

	(void)state;
	early.received_unix = 0; /* not told */
	elsewhere.key.mailbox = "Lists";
	/* Nothing to go by. */
	assert_true(since(NULL, NULL, 90 * DAY) == RECALL_NEVER);
	assert_true(since(NULL, &elsewhere, 90 * DAY) == RECALL_NEVER);
	/* From the first contact on, ... */
	assert_true(since("1799990000", NULL, 90 * DAY) == 1799990000);
	assert_true(since("1799990000", &judged, 90 * DAY) == 1799990000);
	/* ... or from the first that was judged, where that is not known; */
	assert_true(since(NULL, &judged, 90 * DAY) == NOW - 3 * DAY);
	assert_true(since(NULL, &early, 90 * DAY) == NOW - 3 * DAY + 60);
	/* but not before that contact, however soon after it one was judged; */
	STR_AUTO contact = xasprintf("%lld", (long long)(NOW - 3 * DAY - 60));
	assert_true(since(contact, &judged, 90 * DAY) == NOW - 3 * DAY - 60);
	/* a day before the last one; */
	assert_true(since("1000000000", &judged, 90 * DAY) == NOW - 4 * DAY);
	/* and no longer than is remembered. */
	assert_true(since("1000000000", NULL, 90 * DAY) == NOW - 30 * DAY);
	assert_true(since("1000000000", NULL, 2 * DAY) == NOW - 2 * DAY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_same),
	    cmocka_unit_test(test_code_of_before),
	    cmocka_unit_test(test_since),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
