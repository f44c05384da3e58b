/*
 * test-imap-sets: sequence sets.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/buf.h"
#include "daemon/base/random.h"
#include "daemon/wire/imap/seqset.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))
#define SET_AUTO __attribute__((cleanup(imap_seqset_done))) struct imap_seqset

static const struct {
	const char *in;
	const char *out; /* NULL: not a set */
	uint64_t size;
} sets[] = {
    {"1", "1", 1},
    {"1:3", "1:3", 3},
    {"3:1", "1:3", 3},
    {"7:7", "7", 1},
    {"1,2,3", "1:3", 3},
    {"3,1,2", "1:3", 3},
    {"1:3,7", "1:3,7", 4},
    {"9,1:3,7,8", "1:3,7:9", 6},
    {"1:5,3:9", "1:9", 9},
    {"1:9,3:5", "1:9", 9},
    {"5,5,5", "5", 1},
    {"007", "7", 1},
    {"1:4294967295", "1:4294967295", 4294967295},
    {"4294967295:1,5", "1:4294967295", 4294967295},
    {"4294967295,4294967294", "4294967294:4294967295", 2},
    {"4294967295,1", "1,4294967295", 2},
    {"", NULL, 0},
    {"0", NULL, 0},
    {"0:1", NULL, 0},
    {"*", NULL, 0},
    {"1:*", NULL, 0},
    {"1:", NULL, 0},
    {":1", NULL, 0},
    {":", NULL, 0},
    {"1:2:3", NULL, 0},
    {"1,", NULL, 0},
    {",1", NULL, 0},
    {"1,,2", NULL, 0},
    {"1 2", NULL, 0},
    {" 1", NULL, 0},
    {"-1", NULL, 0},
    {"1.0", NULL, 0},
    {"4294967296", NULL, 0},
    {"1:99999999999999999999999", NULL, 0},
    {"$", NULL, 0},
};

static void
check_set(const char *name, const struct imap_seqset *set, const char *out,
    uint64_t size)
{
	BUF_AUTO text = BUF_INIT;

	imap_seqset_format(&text, set);
	if (span_is(buf_span(&text), out) && imap_seqset_size(set) == size)
		return;
	print_error("case: '%s': '%s', size %" PRIu64 "\n", name,
	    buf_str(&text), imap_seqset_size(set));
	fail();
}

static void
test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(sets); i++) {
		SET_AUTO set = IMAP_SEQSET_INIT;
		bool good = imap_seqset_parse(span_from_str(sets[i].in), &set);

		if (good != (sets[i].out != NULL)) {
			print_error("case: '%s'\n", sets[i].in);
			fail();
		}
		check_set(
		    sets[i].in, &set, good ? sets[i].out : "", sets[i].size);
	}
}

static const struct {
	uint32_t uids[8]; /* up to 0 */
	const char *out;
} added[] = {
    {{0}, ""},
    {{5, 0}, "5"},
    {{5, 5, 0}, "5"},
    {{1, 2, 3, 0}, "1:3"},
    {{3, 2, 1, 0}, "1:3"},
    {{1, 3, 2, 0}, "1:3"},
    {{1, 3, 5, 2, 4, 0}, "1:5"},
    {{1, 5, 3, 0}, "1,3,5"},
    {{1, 2, 9, 8, 5, 0}, "1:2,5,8:9"},
    {{4294967295, 4294967294, 1, 0}, "1,4294967294:4294967295"},
    {{4294967294, 4294967295, 0}, "4294967294:4294967295"},
};

static void
test_add(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(added); i++) {
		SET_AUTO set = IMAP_SEQSET_INIT;
		uint64_t size;

		for (size_t j = 0; added[i].uids[j] != 0; j++)
			imap_seqset_add(&set, added[i].uids[j]);
		size = imap_seqset_size(&set);
		check_set(added[i].out, &set, added[i].out, size);
	}
}

#define UNIVERSE 300

/* Against an array of booleans. */
static void
test_add_and_has_at_random(void **state)
{
	struct random random;

	(void)state;
	random_init(&random, 1);
	for (int round = 0; round < 200; round++) {
		SET_AUTO set = IMAP_SEQSET_INIT, again = IMAP_SEQSET_INIT;
		bool model[UNIVERSE + 2] = {false};
		uint64_t size = 0, adds = random_below(&random, UNIVERSE) + 1;
		BUF_AUTO text = BUF_INIT;

		while (adds-- > 0) {
			uint32_t uid =
			    (uint32_t)random_below(&random, UNIVERSE) + 1;

			size += model[uid] ? 0 : 1;
			model[uid] = true;
			imap_seqset_add(&set, uid);
		}
		assert_int_equal(imap_seqset_size(&set), size);
		imap_seqset_format(&text, &set);
		assert_true(imap_seqset_parse(buf_span(&text), &again));
		assert_int_equal(again.count, set.count);
		for (uint32_t uid = 0; uid <= UNIVERSE + 1; uid++) {
			assert_int_equal(
			    imap_seqset_has(&set, uid), model[uid]);
			assert_int_equal(
			    imap_seqset_has(&again, uid), model[uid]);
		}
	}
}

static void
test_drop_below(void **state)
{
	static const struct {
		const char *in;
		uint32_t uid;
		const char *out;
		uint64_t size;
	} cases[] = {
	    {"2:4,7", 1, "2:4,7", 4},
	    {"2:4,7", 2, "2:4,7", 4},
	    {"2:4,7", 3, "3:4,7", 3},
	    {"2:4,7", 4, "4,7", 2},
	    {"2:4,7", 5, "7", 1},
	    {"2:4,7", 7, "7", 1},
	    {"2:4,7", 8, "", 0},
	    {"1,4294967295", 4294967295, "4294967295", 1},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		SET_AUTO set = IMAP_SEQSET_INIT;

		assert_true(
		    imap_seqset_parse(span_from_str(cases[i].in), &set));
		imap_seqset_drop_below(&set, cases[i].uid);
		check_set(cases[i].in, &set, cases[i].out, cases[i].size);
	}
}

static void
test_limit(void **state)
{
	BUF_AUTO text = BUF_INIT;
	SET_AUTO set = IMAP_SEQSET_INIT;

	(void)state;
	for (unsigned i = IMAP_SEQSET_RANGES_MAX; i > 0; i--)
		buf_addf(&text, "%s%u", text.len > 0 ? "," : "", 2 * i);
	assert_true(imap_seqset_parse(buf_span(&text), &set));
	assert_int_equal(set.count, IMAP_SEQSET_RANGES_MAX);
	imap_seqset_done(&set);
	buf_add_str(&text, ",1");
	assert_false(imap_seqset_parse(buf_span(&text), &set));
	assert_int_equal(set.count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parse),
	    cmocka_unit_test(test_add),
	    cmocka_unit_test(test_add_and_has_at_random),
	    cmocka_unit_test(test_drop_below),
	    cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
