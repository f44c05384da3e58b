/*
 * account, inside: shared by account.c (its life), account_rove.c (who has
 * which connection) and account_watch.c (which mailboxes there are).
 */
#ifndef BELFRY_ACCOUNT_ACCOUNT_PRIVATE_H
#define BELFRY_ACCOUNT_ACCOUNT_PRIVATE_H

#include "daemon/account/account.h"

enum role {
	ROLE_OWN,   /* has a connection of its own */
	ROLE_HOME,  /* makes the connection that is shared */
	ROLE_GUEST, /* is visited by it */
};

struct watched {
	char *name; /* owned */
	struct mailbox *mailbox;
	enum role role;
	bool started;
	bool by_pattern;
	bool is_gone;	   /* not in the last list of folders */
	bool is_dismissed; /* nor in `watch`: it says LEFT */
	bool is_twin;	   /* is_gone, as another one is the same mailbox */
};

struct visitor {
	char *name; /* owned */
	struct mailbox *mailbox;
	bool is_shared; /* comes with the shared connection */
	bool acts;	/* VISIT_ACT */
};

struct account {
	struct account_config config; /* its `watch` is: */
	struct strv watch;
	const struct rules *rules;
	struct limits *limits;
	struct watched *items; /* owned */
	size_t count;
	struct visitor *visitors; /* owned; NULL while there is none */
	size_t visitor_count;	  /* at most ACCOUNT_VISITORS_MAX */
	size_t next;		  /* whose events are pulled first */
	bool proven;		  /* somebody has logged in since the start */
	usec_t hold;		  /* no login before: one has failed */
	usec_t refused_until;	  /* a visitor's was refused: no other comes */
	char *lockout;		  /* owned; NULL while let in */
	struct strv facts;	  /* "name=value" of account_watch.c */
	bool told_too_many;	  /* of ACCOUNT_MAILBOXES_MAX */
	usec_t next_list;	  /* when the folders are listed again */
	int64_t listed_unix;	  /* when they were; 0: never */
	usec_t listed_at;	  /* the same, in this life; 0: not yet */
	usec_t known_at;	  /* the same, if all that match are watched
				     since then; 0: not known */
	usec_t next_look;	  /* ACCOUNT_LOOK_USEC; 0: not set yet */
	size_t allowed;		  /* connections, as the server said; 0: any */
	int64_t allowed_unix;	  /* when it said so */
	int64_t clock_unix;
	int utc_offset;
	usec_t clock_now;
};

/* account.c */
struct watched *account_find(const struct account *account, const char *name);
/* NULL: there are ACCOUNT_MAILBOXES_MAX. */
struct watched *account_add(
    struct account *account, const char *name, usec_t now);
int64_t account_unix(const struct account *account, usec_t now);

/* account_rove.c */
/* The first one alone, until it is proven; then all that have not started, and
 * with `retries` those that wait, too. */
void account_start_all(struct account *account, bool retries, usec_t now);
/* A visitor may have its own. */
bool account_has_connection_left(const struct account *account);
/* Gives each mailbox its role, and the shared connection its next task. All
 * events must have been pulled. */
void account_arrange(struct account *account, usec_t now);
/* A connection that may go elsewhere goes: HANDED. All events must have been
 * pulled. */
bool account_move_connection(
    struct account *account, struct account_event *event_r, usec_t now);
/* One is about to. */
bool account_is_moving(const struct account *account);
void account_on_told(
    struct account *account, struct account_event *event, usec_t now);
void account_on_lost(
    struct account *account, struct account_event *event, usec_t now);
void account_on_over_limit(
    struct account *account, struct account_event *event, usec_t now);

/* account_watch.c */
/* Adds who is named, and not there; drops who is not wanted. */
void account_add_names(struct account *account, usec_t now);
void account_drop_unwanted(struct account *account, usec_t now);
bool account_has_patterns(const struct account *account);
/* What has two names is watched by one of them: what is named before what
 * matches a pattern, else the first. */
void account_find_twins(
    struct account *account, const struct folders *folders, usec_t now);
void account_on_folders(
    struct account *account, struct account_event *event, usec_t now);

#endif
