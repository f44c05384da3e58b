/*
 * notifiers/webhook: a notification as the body of an HTTP POST, and what
 * takes it back.
 *
 * Each has a key, made of the message alone, so that it is the same after a
 * restart: [a-z0-9-], at most 64. ntfy takes it as the sequence id by which a
 * later request replaces or deletes a notification (server 2.16 or newer);
 * templates may use it. Gotify gives a number of its own in its reply.
 *
 * Templates are text with ${variables}: title, body, preview, urgency, account,
 * mailbox, uid, message-id, url, key, and in the URL that cancels also id,
 * which is the reply's. What a value may do depends on where it stands
 * (webhook_escape): nothing but be text.
 */
#ifndef BELFRY_NOTIFIERS_WEBHOOK_H
#define BELFRY_NOTIFIERS_WEBHOOK_H

#include "daemon/base/error.h"
#include "notifiers/notifier.h"

/* In the order of enum config_webhook_format (daemon/config/config.h), which
 * this layer may not see. */
enum webhook_format {
	WEBHOOK_JSON,	/* an object with all fields */
	WEBHOOK_NTFY,	/* text; title and priority in header fields */
	WEBHOOK_GOTIFY, /* title, message, priority */
};

/* How values enter a template. */
enum webhook_escape {
	WEBHOOK_IN_JSON, /* inside the quotes of a string */
	WEBHOOK_IN_FORM, /* percent-encoded (RFC 3986), also in URLs */
	WEBHOOK_AS_IS,
};

/* Appends the key. `run` is for what is about no single message. */
void webhook_key(const struct notification *n, uint64_t run, struct buf *key);
/* Of a body, or of a `cancel_url`, which has ${id} and ${key} only. False:
 * *offset_r is the variable that nobody knows, or that does not end. */
bool webhook_check_template(
    struct span text, bool is_cancel, size_t *offset_r, struct error *error_r);
/* Appends it with its values; `id` NULL: there is none. */
void webhook_expand(struct span text, enum webhook_escape escape,
    const struct notification *n, const char *key, const char *id,
    struct buf *out);
/* By the user's Content-Type; without one it is JSON. */
enum webhook_escape webhook_escape_of(const struct strv *headers);
/* Appends the URL to DELETE; false: this service has none for it. `key` and
 * `id` may be NULL. */
bool webhook_cancel_url(int format, const char *url, const char *cancel_url,
    const char *key, const char *id, struct buf *out);
/* The header field that carries a token, as this service takes it. Malloc'ed;
 * wipe it. */
char *webhook_token_header(int format, struct span token);

/*
 * Appends the body, which is never empty of words if the title is not, and
 * adds "Name: value" header fields that are not there yet (the user's own win).
 * An unknown format is WEBHOOK_JSON.
 */
void webhook_format(int format, const struct notification *n, const char *key,
    struct strv *headers, struct buf *body);
/* The same of a template, with a Content-Type if there is none. */
void webhook_format_template(const char *text, const struct notification *n,
    const char *key, struct strv *headers, struct buf *body);

/* Appends `text` as a JSON string (RFC 8259 section 7) with its quotes;
 * malformed UTF-8 becomes U+FFFD. */
void webhook_add_json_string(struct buf *buf, struct span text);

#endif
