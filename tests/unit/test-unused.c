/*
 * account/unused: what is gone for long enough is forgotten, and nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/account/account_private.h"
#include "daemon/account/unused.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "tests/lib/rules_text.h"

#define NOW 1800000000
#define DAY (24 * 60 * 60)
#define KEEP (90 * DAY)

struct fixture {
	struct store *store;
	struct strv watch, none;
	struct rules *rules;
	struct limits *limits;
	struct account_config config;
	struct account *account; /* NULL: it does not run */
	bool is_configured;
	usec_t now;
	int64_t now_unix;
	struct buf all; /* what the store knows */
};

static void
make_account(struct fixture *f, const char *watch)
{
	struct span rest = span_from_str(watch), name;

	account_free(&f->account);
	strv_done(&f->watch);
	while (span_split(&rest, '|', &name))
		strv_take(&f->watch, xstrdup_span(name));
	f->account = account_new(&f->config, f->rules, f->limits, f->now);
}

static int
set_up(void **state)
{
	static struct fixture f;
	struct rule_problems problems = {0};

	f = (struct fixture){.now = USEC_HOUR,
	    .now_unix = NOW,
	    .is_configured = true,
	    .store = store_open_memory()};
	f.rules = rules_from_text("", &problems);
	f.limits = limits_new();
	f.config = (struct account_config){
	    .mailbox = {.account = "work",
		.imap = {.security = IMAP_SECURITY_TLS,
		    .user = "ann",
		    .host = "mail.example.org"},
		.identities = &f.none,
		.authserv = &f.none,
		.email = "ann@example.org"},
	    .watch = &f.watch,
	};
	make_account(&f, "INBOX|Lists/a");
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	account_free(&f->account);
	rules_free(&f->rules);
	limits_free(&f->limits);
	strv_done(&f->watch);
	store_close(&f->store);
	buf_done(&f->all);
	return 0;
}

static void
commit(struct fixture *f, struct store_batch *batch)
{
	assert_true(store_commit(f->store, batch, NULL));
	store_batch_free(&batch);
}

static void
add_cursor(struct fixture *f, const char *mailbox)
{
	struct store_batch *batch = store_batch_new();

	store_batch_set_cursor(batch, &(const struct store_cursor){
					  .account = "work",
					  .mailbox = mailbox,
					  .uidvalidity = 7,
					  .next_uid = 9,
				      });
	commit(f, batch);
}

static void
add_fact(struct fixture *f, const char *name)
{
	struct store_batch *batch = store_batch_new();

	store_batch_set_fact(batch, "work", name, "5");
	commit(f, batch);
}

static void
add_message(struct fixture *f, const char *mailbox)
{
	struct store_batch *batch = store_batch_new();

	store_batch_add_message(batch, &(const struct store_message){
					   .key = {"work", mailbox, 7, 5},
					   .judged_unix = f->now_unix,
				       });
	commit(f, batch);
}

/* Whatever there is to be done; how often it took. */
static unsigned
look(struct fixture *f)
{
	unsigned looks = 0;
	bool more = true;

	while (more) {
		const struct unused_look look = {
		    .store = f->store,
		    .name = "work",
		    .is_configured = f->is_configured,
		    .account = f->account,
		    .now_unix = f->now_unix,
		    .before_unix = f->now_unix - KEEP,
		    .now = f->now,
		};
		struct store_batch *batch = store_batch_new();
		STR_AUTO name = NULL;
		assert_true(unused_look(&look, batch, &more, NULL));
		commit(f, batch);
		assert_true(++looks < 1000);
		assert_true(store_next_account(f->store, "", &name, NULL));
		more = more && name != NULL;
	}
	return looks;
}

static void
pass(struct fixture *f, int64_t days)
{
	f->now_unix += days * DAY;
	f->now = usec_add(f->now, (usec_t)days * USEC_DAY);
}

static bool
say_cursor(void *ctx, const struct store_cursor *cursor)
{
	struct fixture *f = ctx;

	buf_addf(&f->all, "%s;", cursor->mailbox);
	return true;
}

static bool
say_fact(void *ctx, const char *name, const char *value)
{
	struct fixture *f = ctx;

	(void)value;
	buf_addf(&f->all, "%s;", name);
	return true;
}

static void
expect(struct fixture *f, const char *cursors, const char *facts)
{
	buf_clear(&f->all);
	assert_true(store_each_cursor(f->store, "work", say_cursor, f, NULL));
	assert_string_equal(buf_str(&f->all), cursors);
	buf_clear(&f->all);
	assert_true(store_each_fact(f->store, "work", say_fact, f, NULL));
	assert_string_equal(buf_str(&f->all), facts);
}

/* All kinds of facts go with their mailbox, and no others. */
static void
test_mailbox(void **state)
{
	struct fixture *f = *state;
	static const char *const facts[] = {"contact Lists/b",
	    "waiting Lists/b", "audit Lists/b", "pattern Lists/b",
	    "old Lists/b", "shown desktop Lists/b", "old Lists/a",
	    "contact INBOX", "contact Lists/b c", "paused", "renew"};

	add_cursor(f, "INBOX");
	add_cursor(f, "Lists/a");
	add_cursor(f, "Lists/b");
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		add_fact(f, facts[i]);
	look(f);
	expect(f, "INBOX;Lists/a;Lists/b;",
	    "audit Lists/b;contact INBOX;contact Lists/b;contact Lists/b c;"
	    "old Lists/a;old Lists/b;pattern Lists/b;paused;renew;"
	    "shown desktop Lists/b;unused Lists/b;unused Lists/b c;"
	    "waiting Lists/b;");
	make_account(f, "INBOX|Lists/a|Lists/b c");
	pass(f, 90);
	look(f);
	make_account(f, "INBOX|Lists/a");
	add_fact(f, "unused Lists/b c"); /* in 1970 */
	pass(f, 1);
	look(f);
	expect(f, "INBOX;Lists/a;", "contact INBOX;old Lists/a;paused;renew;");
}

/* Not a day sooner, and not at all where it came back in between. */
static void
test_comes_back(void **state)
{
	struct fixture *f = *state;

	add_cursor(f, "Lists/b");
	look(f);
	pass(f, 89);
	look(f);
	make_account(f, "INBOX|Lists/b");
	pass(f, 1);
	look(f);
	expect(f, "Lists/b;", "");
	make_account(f, "INBOX");
	pass(f, 200);
	look(f);
	pass(f, 90);
	look(f);
	expect(f, "Lists/b;", "unused Lists/b;");
	pass(f, 1);
	look(f);
	expect(f, "", "");
}

static void
test_history_keeps(void **state)
{
	struct fixture *f = *state;

	add_cursor(f, "Lists/b");
	look(f);
	pass(f, 100);
	add_message(f, "Lists/b"); /* as an undo would */
	look(f);
	expect(f, "Lists/b;", "unused Lists/b;");
	assert_true(store_prune(f->store, f->now_unix + 1, NULL));
	look(f);
	expect(f, "", "");
}

/* What is marked since long may have had a run yesterday. */
static void
test_run_keeps(void **state)
{
	struct fixture *f = *state;
	struct store_batch *batch;

	add_cursor(f, "Lists/b");
	look(f);
	pass(f, 100);
	batch = store_batch_new();
	store_batch_set_apply(batch, &(const struct store_apply){
					 .account = "work",
					 .mailbox = "Lists/b",
					 .run = 1,
					 .state = APPLY_ENDED,
					 .changed_unix = f->now_unix - DAY,
				     });
	commit(f, batch);
	look(f);
	expect(f, "Lists/b;", "unused Lists/b;");
	pass(f, 90);
	look(f);
	expect(f, "", "");
}

/* The list of folders is as old as that. */
static void
list_folders(struct fixture *f)
{
	f->account->known_at = f->now;
}

/* It is watched again, and nobody has listed the folders since: who knows what
 * matches? */
static void
test_pattern_is_back(void **state)
{
	struct fixture *f = *state;

	make_account(f, "INBOX|Lists/*");
	add_cursor(f, "Other/b");
	list_folders(f);
	look(f);
	expect(f, "Other/b;", "unused Other/b;");
	pass(f, 100);
	list_folders(f);
	struct strv watch = STRV_INIT;
	strv_add(&watch, "INBOX");
	strv_add(&watch, "Lists/*");
	strv_add(&watch, "Other/*");
	account_set_watch(f->account, &watch, f->now);
	strv_done(&watch);
	look(f);
	expect(f, "Other/b;", "unused Other/b;");
	list_folders(f);
	look(f);
	expect(f, "", "");
}

/* What matches a pattern is known when the folders were listed. */
static void
test_pattern(void **state)
{
	struct fixture *f = *state;

	make_account(f, "INBOX|Lists/*");
	add_cursor(f, "Lists/b");
	add_fact(f, "pattern Lists/*");
	add_fact(f, "pattern Other/*");
	for (unsigned i = 0; i < 3; i++) {
		look(f);
		pass(f, 100);
	}
	expect(f, "Lists/b;", "pattern Lists/*;pattern Other/*;");
	make_account(f, "INBOX");
	look(f);
	pass(f, 100);
	look(f);
	expect(f, "", "");
}

static void
test_account(void **state)
{
	struct fixture *f = *state;

	add_cursor(f, "INBOX");
	add_fact(f, "paused");
	account_free(&f->account);
	/* It cannot run: nothing is known. */
	look(f);
	pass(f, 200);
	look(f);
	expect(f, "INBOX;", "paused;");
	/* Gone, and back within a week. */
	f->is_configured = false;
	look(f);
	expect(f, "INBOX;", "paused;unused;");
	pass(f, 7);
	f->is_configured = true;
	look(f);
	expect(f, "INBOX;", "paused;");
	/* For good. */
	f->is_configured = false;
	pass(f, 200);
	look(f);
	pass(f, 90);
	look(f);
	expect(f, "INBOX;", "paused;unused;");
	pass(f, 1);
	add_message(f, "INBOX");
	look(f);
	expect(f, "INBOX;", "paused;unused;");
	assert_true(store_prune(f->store, f->now_unix + 1, NULL));
	look(f);
	expect(f, "", "");
}

/* However many there are. */
static void
test_bounded(void **state)
{
	struct fixture *f = *state;
	const unsigned count = 2 * UNUSED_STEPS_MAX + 1;

	for (unsigned i = 0; i < count; i++) {
		STR_AUTO name = xasprintf("Lists/x%04u", i);
		add_cursor(f, name);
	}
	assert_int_equal(look(f), 3);
	pass(f, 91);
	assert_int_equal(look(f), 3);
	expect(f, "", "");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_mailbox, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_comes_back, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_history_keeps, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_pattern, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_run_keeps, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_pattern_is_back, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_account, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_bounded, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
