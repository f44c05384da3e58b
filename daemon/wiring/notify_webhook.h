/*
 * wiring/notify_webhook: what the files of the webhook share.
 *
 *   notify_webhook.c   posting, one at a time
 *   notify_token.c     what is sent along to be let in
 *   notify_posted.c    what was posted, and taking it back
 */
#ifndef BELFRY_WIRING_NOTIFY_WEBHOOK_H
#define BELFRY_WIRING_NOTIFY_WEBHOOK_H

#include "daemon/wiring/notify.h"
#include "notifiers/webhook.h"

struct token {
	struct notifier *notifier;
	struct strv argv; /* empty: none is needed */
	struct secret secret;
	bool is_fresh; /* not refused yet, nor accepted */
	struct child *child;
	/* The error is NULL when the token is there. */
	void (*go_on)(struct notifier *notifier, const struct error *error);
};

struct webhook {
	struct config_notifier config; /* url, body, ...: copies */
	struct token post, cancel;
	struct notifier_line line; /* being posted */
	struct buf key;
	uint64_t run;
	size_t rung; /* of the ladder */
	bool told_refused;
	struct list_link posted; /* of notify_posted.c, the oldest first */
	size_t posted_count;
	struct list_link cancels; /* the same, to be taken back */
	size_t cancel_count;
	struct http *cancelling;
	struct loop_timer *cancel_again;
	bool cancel_waits; /* for it */
};

/* notify_token.c */
/* Goes on at once, or when the command has printed it. */
void token_ask(struct token *token);
/* Another one may do: this was an old one. */
bool token_is_worth_another(struct token *token, unsigned status);
/* Adds its header field, in place of one that the person wrote. */
void token_add(const struct notifier *notifier, const struct token *token,
    struct strv *headers);
void token_wipe_headers(struct strv *headers);
void token_init(struct token *token, struct notifier *notifier,
    const struct strv *argv,
    void (*go_on)(struct notifier *, const struct error *));
void token_done(struct token *token);

/* notify_webhook.c */
/* Trouble that time may cure. */
bool webhook_is_passing(const struct http_result *result);

/* notify_posted.c */
void posted_init(struct notifier *notifier);
void posted_done(struct webhook *webhook);
/* The request that is under way was taken. */
void posted_note(struct notifier *notifier, const struct http_result *result);
/* What was asked for as `request` has no use any more. */
void posted_take_back(struct notifier *notifier, uint64_t request);

#endif
