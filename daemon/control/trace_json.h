/*
 * control/trace_json: a judgement as JSON: what `test` and `explain` print,
 * whoever judged. belfryctl(1) has the names.
 */
#ifndef BELFRY_CONTROL_TRACE_JSON_H
#define BELFRY_CONTROL_TRACE_JSON_H

#include "daemon/control/json.h"
#include "rules/rules.h"

/* All of it is borrowed. */
struct trace_document {
	const char *source; /* where the message is */
	unsigned index;	    /* within it, from 1 */
	const char *account, *mailbox;
	struct message *message;
	uint64_t size;
	int64_t received_unix;
	const struct strv *flags;
	const struct plan *plan;
	const struct trace *trace; /* NULL: without the rules */
};

struct json *trace_json(const struct trace_document *document);

#endif
