/*
 * test-senders: whose mail was judged before.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/account/senders.h"

static struct span
address_of(unsigned number)
{
	static char text[64];

	snprintf(text, sizeof(text), "user%u@example.org", number);
	return span_from_str(text);
}

static void
test_addresses(void **state)
{
	struct senders *senders = senders_new();

	(void)state;
	assert_false(senders_has(senders, SPAN("a@b")));
	senders_add(senders, SPAN("Ann@Example.org"), 5);
	assert_true(senders_has(senders, SPAN("ann@example.ORG")));
	assert_false(senders_has(senders, SPAN("ann@example.or")));
	assert_false(senders_has(senders, SPAN("ann@example.org.")));
	senders_add(senders, SPAN("ann@example.org"), 6);
	senders_add(senders, SPAN(""), 7);
	assert_false(senders_has(senders, SPAN("")));
	assert_int_equal(senders_count(senders), 1);
	senders_free(&senders);
	assert_null(senders);
	senders_free(&senders);
}

/* The silent ones go, whatever the order in which all were added. */
static void
test_bound(void **state)
{
	struct senders *senders = senders_new();
	unsigned drop = SENDERS_MAX / 10;

	(void)state;
	for (unsigned i = 0; i < SENDERS_MAX; i++)
		senders_add(senders, address_of(i), 1000 + i);
	assert_int_equal(senders_count(senders), SENDERS_MAX);
	senders_add(senders, address_of(0), 999999);   /* heard of again */
	senders_add(senders, address_of(drop + 1), 1); /* no older for that */
	senders_add(senders, SPAN("late@example.org"), 999999);
	assert_int_equal(senders_count(senders), SENDERS_MAX - drop + 1);
	assert_true(senders_has(senders, SPAN("late@example.org")));
	assert_true(senders_has(senders, address_of(0)));
	assert_false(senders_has(senders, address_of(1)));
	assert_false(senders_has(senders, address_of(drop)));
	assert_true(senders_has(senders, address_of(drop + 1)));
	senders_free(&senders);
}

/* All at once: then anybody goes, but no more than a tenth. */
static void
test_bound_in_one_second(void **state)
{
	struct senders *senders = senders_new();

	(void)state;
	for (unsigned i = 0; i <= SENDERS_MAX; i++)
		senders_add(senders, address_of(i), 7);
	assert_int_equal(
	    senders_count(senders), SENDERS_MAX - SENDERS_MAX / 10 + 1);
	senders_free(&senders);
}

static void
test_load(void **state)
{
	struct senders *senders = senders_new();
	struct store *store = store_open_memory();
	struct store_batch *batch = store_batch_new();

	(void)state;
	store_batch_add_sender(batch, "work", "ann@example.org", 5);
	store_batch_add_sender(batch, "home", "bob@example.org", 5);
	assert_true(store_commit(store, batch, NULL));
	assert_true(senders_load(senders, store, "work", NULL));
	assert_int_equal(senders_count(senders), 1);
	assert_true(senders_has(senders, SPAN("ann@example.org")));
	store_batch_free(&batch);
	store_close(&store);
	senders_free(&senders);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_addresses),
	    cmocka_unit_test(test_bound),
	    cmocka_unit_test(test_bound_in_one_second),
	    cmocka_unit_test(test_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
