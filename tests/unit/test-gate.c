#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/wiring/gate.h"
#include "tests/lib/looprun.h"

#define MANY (GATE_FLIGHT_MAX + 10)

struct guest {
	struct gate_pass pass;
	char host[20];
	struct loop *loop;
	unsigned *begun, quit_at;
	bool leaves; /* as soon as it has begun */
};

static void
on_begin(void *ctx)
{
	struct guest *guest = ctx;

	if (++*guest->begun == guest->quit_at)
		loop_quit(guest->loop);
	if (guest->leaves)
		gate_leave(&guest->pass);
}

static void
enter(struct gate *gate, struct guest *guest, struct loop *loop,
    unsigned *begun, unsigned quit_at)
{
	guest->loop = loop;
	guest->begun = begun;
	guest->quit_at = quit_at;
	gate_enter(gate, &guest->pass, guest->host, on_begin, guest);
}

static void
test_flight(void **state)
{
	struct looprun run;
	struct loop *loop = looprun_init(&run);
	struct gate *gate = gate_new(loop);
	struct guest guests[MANY] = {0};
	unsigned begun = 0;

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(guests[i].host, sizeof(guests[i].host), "h%u", i);
		enter(gate, &guests[i], loop, &begun, GATE_FLIGHT_MAX + 3);
	}
	assert_int_equal(begun, GATE_FLIGHT_MAX);
	/* One that waits goes, three that are in flight: three more begin. */
	gate_leave(&guests[MANY - 1].pass);
	gate_leave(&guests[MANY - 1].pass);
	for (unsigned i = 0; i < 3; i++)
		gate_leave(&guests[i].pass);
	loop_run(loop);
	assert_int_equal(begun, GATE_FLIGHT_MAX + 3);
	assert_int_equal(
	    guests[GATE_FLIGHT_MAX + 2].pass.place, GATE_IN_FLIGHT);
	assert_int_equal(guests[GATE_FLIGHT_MAX + 3].pass.place, GATE_WAITING);
	for (unsigned i = 0; i < MANY; i++)
		gate_leave(&guests[i].pass);
	gate_free(&gate);
	looprun_done(&run);
}

/* A host has its pace; others are not kept waiting by it. */
static void
test_host(void **state)
{
	struct looprun run;
	struct loop *loop = looprun_init(&run);
	struct gate *gate = gate_new(loop);
	struct guest guests[GATE_HOST_BURST + 3] = {0}, other = {.host = "b"};
	unsigned begun = 0, begun_other = 0;

	(void)state;
	for (unsigned i = 0; i < GATE_HOST_BURST + 3; i++) {
		snprintf(guests[i].host, sizeof(guests[i].host), "a");
		guests[i].leaves = true;
		enter(gate, &guests[i], loop, &begun, GATE_HOST_BURST + 3);
	}
	assert_int_equal(begun, GATE_HOST_BURST);
	enter(gate, &other, loop, &begun_other, 0);
	assert_int_equal(begun_other, 1);
	loop_run(loop);
	assert_int_equal(begun, GATE_HOST_BURST + 3);
	gate_leave(&other.pass);
	gate_free(&gate);
	looprun_done(&run);
}

/* All places are taken, and one host wants more of them: the next one that is
 * free is for a host that has none, though it came later. */
static void
test_fair(void **state)
{
	struct looprun run;
	struct loop *loop = looprun_init(&run);
	struct gate *gate = gate_new(loop);
	struct guest guests[GATE_FLIGHT_MAX] = {0};
	struct guest dead = {.host = "dead"}, other = {.host = "other"};
	unsigned begun = 0, begun_dead = 0, begun_other = 0;

	(void)state;
	for (unsigned i = 0; i < GATE_FLIGHT_MAX; i++) {
		snprintf(guests[i].host, sizeof(guests[i].host),
		    i < GATE_HOST_BURST ? "dead" : "h%u", i);
		enter(gate, &guests[i], loop, &begun, 0);
	}
	assert_int_equal(begun, GATE_FLIGHT_MAX);
	enter(gate, &dead, loop, &begun_dead, 1);
	enter(gate, &other, loop, &begun_other, 1);
	usleep((useconds_t)(2 * GATE_HOST_USEC)); /* its turn has come, too */
	gate_leave(&guests[GATE_FLIGHT_MAX - 1].pass);
	loop_run(loop);
	assert_int_equal(begun_other, 1);
	assert_int_equal(begun_dead, 0);
	gate_leave(&guests[0].pass);
	loop_run(loop);
	assert_int_equal(begun_dead, 1);
	for (unsigned i = 0; i < GATE_FLIGHT_MAX; i++)
		gate_leave(&guests[i].pass);
	gate_leave(&dead.pass);
	gate_leave(&other.pass);
	gate_free(&gate);
	looprun_done(&run);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_flight),
	    cmocka_unit_test(test_host),
	    cmocka_unit_test(test_fair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
