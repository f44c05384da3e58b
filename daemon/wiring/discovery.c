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
};

static void
on_records(void *ctx, const struct dns_result *result)
{
	struct discovery *d = ctx;
	struct discover_record records[DNS_RECORDS_MAX];

	for (size_t i = 0; i < result->count; i++)
		records[i] = (struct discover_record){
		    .priority = result->records[i].priority,
		    .weight = result->records[i].weight,
		    .port = result->records[i].port,
		    .host = result->records[i].host,
		};
	if (result->error.fault != FAULT_NONE)
		discover_unanswered(d->discover, result->error.text);
	else
		discover_records(d->discover, records, result->count);
	loop_quit(d->loop);
}

static void
on_fetched(void *ctx, const struct http_result *result)
{
	struct discovery *d = ctx;

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

	discover_knocked(d->discover, is_there ? NULL : error->text);
	loop_quit(d->loop);
}

static void
ask(struct discovery *d, const struct discover_step *step)
{
	const struct preset_server server = {
	    .host = step->host, .port = step->port, .tls = step->tls};

	switch (step->kind) {
	case DISCOVER_MX:
		dns_ask(d->loop, DNS_MX, step->name, on_records, d);
		break;
	case DISCOVER_SRV:
		dns_ask(d->loop, DNS_SRV, step->name, on_records, d);
		break;
	case DISCOVER_FETCH:
		http_get(d->loop, step->name, d->config->ca_file,
		    DISCOVERY_FETCH_USEC, on_fetched, d);
		break;
	case DISCOVER_KNOCK:
		knock_start(
		    d->loop, &server, step->is_smtp, d->tls, on_knocked, d);
		break;
	case DISCOVER_CONSENT:
	case DISCOVER_DONE:
		break;
	}
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
	walk(&d);
	loop_free(&d.loop);
	tls_free(&d.tls);
	return d.discover;
}
