#include "daemon/wiring/gate.h"

#include <limits.h>
#include <string.h>

#include "daemon/base/xalloc.h"

/* When the next one to this host may begin, had all come evenly. */
struct host {
	char *name; /* owned */
	usec_t even;
	unsigned in_flight;
};

struct gate {
	struct loop_timer *timer;
	struct list_link row; /* struct gate_pass::link */
	struct host *hosts;   /* of those lately connected to */
	size_t host_count, host_cap;
	unsigned in_flight;
	bool serving;
};

/* ---- the pace of a host ---- */

static void
forget_hosts(struct gate *gate, usec_t now)
{
	size_t kept = 0;

	for (size_t i = 0; i < gate->host_count; i++) {
		if (gate->hosts[i].even > now || gate->hosts[i].in_flight > 0)
			gate->hosts[kept++] = gate->hosts[i];
		else
			free(gate->hosts[i].name);
	}
	gate->host_count = kept;
}

static struct host *
host_of(struct gate *gate, const char *name)
{
	for (size_t i = 0; i < gate->host_count; i++)
		if (strcmp(gate->hosts[i].name, name) == 0)
			return &gate->hosts[i];
	if (gate->host_count == gate->host_cap) {
		gate->host_cap = gate->host_cap == 0 ? 8 : 2 * gate->host_cap;
		gate->hosts = xreallocarray(
		    gate->hosts, gate->host_cap, sizeof(*gate->hosts));
	}
	struct host *host = &gate->hosts[gate->host_count++];
	*host = (struct host){.name = xstrdup(name)};
	return host;
}

/* When it may begin. */
static usec_t
turn_of(struct gate *gate, const char *name)
{
	const usec_t ahead = (GATE_HOST_BURST - 1) * GATE_HOST_USEC;
	usec_t even = host_of(gate, name)->even;

	return even > ahead ? even - ahead : 0;
}

static void
note_begin(struct gate *gate, const char *name, usec_t now)
{
	struct host *host = host_of(gate, name);
	usec_t from = host->even > now ? host->even : now;

	host->even = usec_add(from, GATE_HOST_USEC);
	host->in_flight++;
}

/* ---- the row ---- */

static void
begin(struct gate *gate, struct gate_pass *pass, usec_t now)
{
	list_remove(&pass->link);
	pass->place = GATE_IN_FLIGHT;
	gate->in_flight++;
	note_begin(gate, pass->host, now);
	pass->fn(pass->ctx);
}

/* Of those whose turn has come the first to a host with the fewest in flight:
 * a thousand to a dead host, each of whose tries lasts, must not take every
 * place that becomes free. Else NULL and when the turn of one comes. */
static struct gate_pass *
next_of(struct gate *gate, usec_t now, usec_t *next_r)
{
	struct gate_pass *found = NULL;
	unsigned fewest = UINT_MAX;

	LIST_EACH(pos, &gate->row)
	{
		struct gate_pass *pass = LIST_ITEM(pos, struct gate_pass, link);
		usec_t turn = turn_of(gate, pass->host);
		unsigned in_flight = host_of(gate, pass->host)->in_flight;
		if (turn > now) {
			*next_r = usec_min(*next_r, turn);
		} else if (in_flight < fewest) {
			found = pass;
			fewest = in_flight;
		}
	}
	return found;
}

static void
serve(struct gate *gate)
{
	usec_t next = USEC_NEVER, now = loop_now();
	struct gate_pass *pass;

	if (gate->serving)
		return; /* the loop below will see it */
	gate->serving = true;
	forget_hosts(gate, now);
	while (gate->in_flight < GATE_FLIGHT_MAX &&
	       (pass = next_of(gate, now, &next)) != NULL) {
		begin(gate, pass, now);
		next = USEC_NEVER;
	}
	gate->serving = false;
	loop_timer_set(gate->timer, next);
}

static void
on_timer(void *ctx)
{
	serve(ctx);
}

struct gate *
gate_new(struct loop *loop)
{
	struct gate *gate = NEW(struct gate);

	list_init(&gate->row);
	gate->timer = loop_timer_new(loop, on_timer, gate);
	return gate;
}

void
gate_free(struct gate **gate)
{
	struct gate *g = *gate;

	if (g == NULL)
		return;
	for (size_t i = 0; i < g->host_count; i++)
		free(g->hosts[i].name);
	free(g->hosts);
	loop_timer_free(&g->timer);
	free(g);
	*gate = NULL;
}

void
gate_enter(struct gate *gate, struct gate_pass *pass, const char *host,
    loop_fn *fn, void *ctx)
{
	gate_leave(pass);
	*pass = (struct gate_pass){.place = GATE_WAITING,
	    .gate = gate,
	    .host = host,
	    .fn = fn,
	    .ctx = ctx};
	list_add(&gate->row, &pass->link);
	serve(gate);
}

static void
leave_flight(struct gate *gate, const char *host)
{
	gate->in_flight--;
	host_of(gate, host)->in_flight--;
}

void
gate_leave(struct gate_pass *pass)
{
	struct gate *gate = pass->gate;

	if (pass->place == GATE_WAITING)
		list_remove(&pass->link);
	else if (pass->place == GATE_IN_FLIGHT)
		leave_flight(gate, pass->host);
	else
		return;
	pass->place = GATE_OUTSIDE;
	/* From the loop: whoever leaves is in the middle of something. */
	if (!list_is_empty(&gate->row))
		loop_timer_set(gate->timer, 0);
}
