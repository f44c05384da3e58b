/*
 * account/mailbox: a store that can be read half. What it knows of a mailbox is
 * all there or not at all: of half of it, nobody who was judged may be taken
 * for a message that came late.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/account/mailbox_private.h"
#include "daemon/base/xalloc.h"
#include "daemon/store/store_private.h"
#include "tests/lib/rules_text.h"

#define NOW_UNIX INT64_C(1800000000)
#define VALIDITY 7
#define JUDGED 6 /* UIDs from 1 on */

/* ---- a store that fails in the middle ---- */

static const struct store_class *sound;
static unsigned readable; /* rows; then it fails */

struct half {
	store_uid_fn *fn;
	void *ctx;
};

static bool
tell_some(void *ctx, uint32_t uid)
{
	const struct half *half = ctx;

	return readable > 0 && readable-- > 0 && half->fn(half->ctx, uid);
}

static bool
each_judged(struct store *store, const struct store_key *from, store_uid_fn *fn,
    void *ctx, struct error *error_r)
{
	struct half half = {fn, ctx};

	if (!sound->each_judged(store, from, tell_some, &half, error_r))
		return false;
	return readable > 0 ||
	       error_set(error_r, FAULT_LOCAL, "the disk cannot be read");
}

/* ---- a mailbox ---- */

struct world {
	struct store *store;
	struct store_class class;
	struct strv none;
	struct rules *rules;
	struct limits *limits;
	struct mailbox_config config;
	struct mailbox *mailbox;
};

static void
add_judged(struct world *w)
{
	struct store_batch *batch = store_batch_new();
	STR_AUTO fact =
	    xasprintf("%u 1 %lld ", (unsigned)VALIDITY, (long long)NOW_UNIX);

	for (uint32_t uid = 1; uid <= JUDGED; uid++)
		store_batch_add_message(
		    batch, &(const struct store_message){
			       .key = {"work", "INBOX", VALIDITY, uid},
			       .message_id = "<m@x>",
			       .judged_unix = NOW_UNIX,
			   });
	store_batch_set_fact(batch, "work", MAILBOX_AUDIT_FACT " INBOX", fact);
	assert_true(store_commit(w->store, batch, NULL));
	store_batch_free(&batch);
}

static int
set_up(void **state)
{
	static struct world w;
	struct rule_problems problems = {0};

	w = (struct world){.store = store_open_memory()};
	sound = w.store->class;
	w.class = *sound;
	w.class.each_judged = each_judged;
	w.store->class = &w.class;
	w.rules = rules_from_text("", &problems);
	w.limits = limits_new();
	w.config = (struct mailbox_config){
	    .account = "work",
	    .imap = {.security = IMAP_SECURITY_TLS,
		.user = "ann",
		.host = "mail.example.org"},
	    .identities = &w.none,
	    .authserv = &w.none,
	    .email = "ann@example.org",
	};
	w.mailbox = mailbox_new(&w.config,
	    &(const struct mailbox_which){.name = "INBOX"}, w.rules, w.limits,
	    USEC_HOUR);
	mailbox_set_clock(w.mailbox, NOW_UNIX, 0, USEC_HOUR);
	add_judged(&w);
	*state = &w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	mailbox_free(&w->mailbox);
	limits_free(&w->limits);
	rules_free(&w->rules);
	store_close(&w->store);
	return 0;
}

static bool
load(struct world *w, unsigned rows)
{
	const struct store_cursor cursor = {.account = "work",
	    .mailbox = "INBOX",
	    .uidvalidity = VALIDITY,
	    .next_uid = JUDGED + 1};
	struct error error = ERROR_INIT;

	readable = rows;
	return mailbox_load_facts(
	    w->mailbox, w->store, &cursor, NOW_UNIX - 1000, USEC_HOUR, &error);
}

/* ---- the tests ---- */

static void
test_whole(void **state)
{
	struct world *w = *state;

	assert_true(load(w, JUDGED + 1));
	assert_int_equal(imap_seqset_size(&w->mailbox->audit.known), JUDGED);
}

/* However much could be read, the next time all of it is known. */
static void
test_half(void **state)
{
	struct world *w = *state;

	for (unsigned rows = 0; rows <= JUDGED; rows++) {
		assert_false(load(w, rows));
		assert_int_equal(w->mailbox->audit.validity, 0);
		assert_int_equal(imap_seqset_size(&w->mailbox->audit.known), 0);
	}
	assert_true(load(w, JUDGED + 1));
	assert_int_equal(imap_seqset_size(&w->mailbox->audit.known), JUDGED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_whole, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_half, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
