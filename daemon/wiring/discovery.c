#include "daemon/wiring/discovery.h"

#include "daemon/base/xalloc.h"
#include "daemon/loop/dns.h"
#include "daemon/loop/http.h"
#include "daemon/loop/loop.h"
#include "daemon/wiring/knock.h"

struct discovery {
	const struct discovery_config *config;
	struct loop *loop;
	struct tls *tls;
	struct discover *discover;
	struct loop_timer *timer; /* when all has to be known */
	/* What is asked now; the others are NULL. */
	struct dns *dns;
	struct http *http;
	struct knock *knock;
};

/* Any name server that is alive has an answer about the root. */
static void
on_root(void *ctx, const struct dns_result *result)
{
	struct discovery *d = ctx;

	d->dns = NULL;
	if (result->error.fault != FAULT_NONE)
		discover_stop(d->discover, "no name server answers");
	else
		discover_unanswered(
		    d->discover, "no name server has an answer");
	loop_quit(d->loop);
}

static void
on_records(void *ctx, const struct dns_result *result)
{
	struct discovery *d = ctx;
	struct discover_record records[DNS_RECORDS_MAX];

	d->dns = NULL;
	if (result->error.fault != FAULT_NONE) {
		d->dns = dns_ask(d->loop, DNS_MX, ".", on_root, d);
		return;
	}
	for (size_t i = 0; i < result->count; i++)
		records[i] = (struct discover_record){
		    .priority = result->records[i].priority,
		    .weight = result->records[i].weight,
		    .port = result->records[i].port,
		    .host = result->records[i].host,
		};
	discover_records(d->discover, records, result->count);
	loop_quit(d->loop);
}

static void
on_fetched(void *ctx, const struct http_result *result)
{
	struct discovery *d = ctx;

	d->http = NULL;
	if (result->status == 0)
		discover_fetched(d->discover, 0, SPAN_EMPTY,
		    span_from_str(result->error.text));
	else if (result->is_cut)
		discover_fetched(d->discover, 0, SPAN_EMPTY,
		    SPAN("its answer has more than 64 KB"));
	else
		discover_fetched(d->discover, result->status, result->location,
		    result->body);
	loop_quit(d->loop);
}

static void
on_knocked(void *ctx, bool is_there, const struct error *error)
{
	struct discovery *d = ctx;

	d->knock = NULL;
	discover_knocked(d->discover, is_there ? NULL : error->text);
	loop_quit(d->loop);
}

static void
on_too_late(void *ctx)
{
	struct discovery *d = ctx;

	dns_cancel(&d->dns);
	http_cancel(&d->http);
	knock_cancel(&d->knock);
	discover_stop(d->discover, "too many answers are late; not all was "
				   "asked");
	loop_quit(d->loop);
}

static void
ask(struct discovery *d, const struct discover_step *step)
{
	const struct preset_server server = {
	    .host = step->host, .port = step->port, .tls = step->tls};

	switch (step->kind) {
	case DISCOVER_MX:
		d->dns = dns_ask(d->loop, DNS_MX, step->name, on_records, d);
		break;
	case DISCOVER_SRV:
		d->dns = dns_ask(d->loop, DNS_SRV, step->name, on_records, d);
		break;
	case DISCOVER_FETCH:
		d->http = http_get(d->loop, step->name, d->config->ca_file,
		    DISCOVERY_FETCH_USEC, on_fetched, d);
		break;
	case DISCOVER_KNOCK:
		d->knock = knock_start(
		    d->loop, &server, step->is_smtp, d->tls, on_knocked, d);
		break;
	case DISCOVER_CONSENT:
	case DISCOVER_DONE:
		break;
	}
}

static void
set_deadline(struct discovery *d)
{
	loop_timer_set(d->timer, usec_add(loop_now(), DISCOVERY_USEC));
}

static void
walk(struct discovery *d)
{
	const struct discovery_config *config = d->config;
	const struct discover_step *step;

	while ((step = discover_step(d->discover))->kind != DISCOVER_DONE) {
		if (step->kind == DISCOVER_CONSENT) {
			discover_consented(
			    d->discover, config->consent != NULL &&
					     config->consent(config->ctx,
						 step->host, step->name));
			/* What the person took is not counted. */
			set_deadline(d);
			continue;
		}
		if (config->asking != NULL)
			config->asking(config->ctx, step);
		ask(d, step);
		loop_run(d->loop);
	}
}

struct discover *
discovery_run(const struct discovery_config *config, struct error *error_r)
{
	struct discovery d = {.config = config};

	d.discover = discover_new(config->address, config->ask_list, error_r);
	if (d.discover == NULL)
		return NULL;
	d.tls = tls_new(config->ca_file, NULL, error_r);
	if (d.tls == NULL) {
		discover_free(&d.discover);
		return NULL;
	}
	d.loop = loop_new();
	d.timer = loop_timer_new(d.loop, on_too_late, &d);
	set_deadline(&d);
	walk(&d);
	loop_timer_free(&d.timer);
	loop_free(&d.loop);
	tls_free(&d.tls);
	return d.discover;
}
