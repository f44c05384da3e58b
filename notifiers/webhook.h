/*
 * notifiers/webhook: a notification as the body of an HTTP POST.
 */
#ifndef BELFRY_NOTIFIERS_WEBHOOK_H
#define BELFRY_NOTIFIERS_WEBHOOK_H

#include "notifiers/notifier.h"

/* In the order of enum config_webhook_format (daemon/config/config.h), which
 * this layer may not see. */
enum webhook_format {
	WEBHOOK_JSON,	/* an object with all fields */
	WEBHOOK_NTFY,	/* text; title and priority in header fields */
	WEBHOOK_GOTIFY, /* title, message, priority */
};

/*
 * Appends the body, which is never empty of words if the title is not, and
 * adds "Name: value" header fields that are not there yet (the user's own win).
 * An unknown format is WEBHOOK_JSON.
 */
void webhook_format(int format, const struct notification *n,
    struct strv *headers, struct buf *body);

/* Appends `text` as a JSON string (RFC 8259 section 7) with its quotes;
 * malformed UTF-8 becomes U+FFFD. */
void webhook_add_json_string(struct buf *buf, struct span text);

#endif
