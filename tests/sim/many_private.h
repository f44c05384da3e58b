/*
 * sim/many, inside: the world, and what its files say to each other.
 */
#ifndef BELFRY_SIM_MANY_PRIVATE_H
#define BELFRY_SIM_MANY_PRIVATE_H

#include "daemon/account/account.h"
#include "daemon/base/random.h"
#include "daemon/config/presets.h"
#include "tests/lib/rules_text.h"
#include "tests/sim/model_imap.h"
#include "tests/sim/seeds.h"

#define LINKS_MAX (ACCOUNT_MAILBOXES_MAX + ACCOUNT_VISITORS_MAX)
#define BOXES_MAX 40
#define LISTS 8	      /* mailboxes of the pattern, and one more */
#define LISTS_MANY 30 /* ... where many questions at once are too many */
/* Where a server shows the newest only. */
#define VIEW_MOST 12
/* ... so many are there before anybody comes. */
#define OLD_HIDDEN 30
#define OLD 3
#define MESSAGES_MAX 200
#define RUN_USEC (8 * USEC_HOUR)
/* A day until a connection more is tried; the others have settled sooner. */
#define CALM_USEC (30 * USEC_HOUR)
#define LOOK_USEC (3 * USEC_HOUR)
#define PATIENT_PERCENT 5
#define STEPS_MAX 600000
#define START_UNIX 1800000000
#define START_USEC (100 * USEC_SEC)
#define POLL_USEC (3 * USEC_MINUTE)
/* Until a mailbox that is made is watched. */
#define FOUND_USEC (20 * USEC_MINUTE)
/* Besides its interval: a round of the others, each for a minute at most. */
#define BOUND_USEC (5 * USEC_MINUTE)
/* What a server tells of is seen so soon, with a visit before that. */
#define PUSHED_USEC (90 * USEC_SEC)

/* By which rule a message is met. */
enum kind {
	KIND_EXEC,
	KIND_HOP, /* the same, and into a watched mailbox */
	KIND_MOVE,
	KIND_ARCHIVE,
	KIND_JUNK, /* is watched, too */
	KIND_TRASH,
	KIND_NAMED, /* ... and this, whose name has an & */
	KIND_DELETE,
	KINDS
};

struct kind_row {
	const char *word;
	const char *rule;   /* lines */
	const char *target; /* where it is then; NULL: where it came */
	bool executes;
};
extern const struct kind_row many_kinds[KINDS];

struct message {
	enum kind kind;
	unsigned box;
	uint32_t uid, uidvalidity;
	bool is_old;	 /* was there before: nobody may touch it */
	bool is_emptied; /* by the server, from its trash */
	bool is_twin;	 /* in another mailbox, too (labels) */
	unsigned other;	 /* ... in that one */
	bool lost;	 /* its mailbox was deleted: anything may be true */
	unsigned executed;
};

struct pipe {
	struct buf bytes;
	usec_t next;
};

struct link {
	struct mailbox *mailbox;
	struct model_session *session;
	struct pipe up, down;
	usec_t connect_at;
	bool silent;
};

struct outside {
	struct list_link link;
	struct mailbox *mailbox;
	uint32_t uidvalidity, uid;
	unsigned seq;
	usec_t at;
};

struct world {
	struct random random;
	bool verbose, faulty, ok, in_contact;
	bool is_stingy, is_patient; /* what this seed's world does */
	char why[500];
	usec_t now, next_happening;
	unsigned steps, kills, budget, happened;
	struct model model;
	struct store *store;
	struct rules *rules;
	struct limits *limits;
	struct senders *senders;
	struct arrivals *arrivals;
	struct strv watch, identities, authserv;
	struct random changes; /* dice of their own: see change_watch */
	bool changes_watch, is_changed;
	struct account_config config;
	struct mailbox_other_login other; /* where LOGIN is the way */
	struct account *account;
	struct link links[LINKS_MAX];
	struct list_link outsides;
	char names[BOXES_MAX][40];
	bool there[BOXES_MAX], remade[BOXES_MAX];
	unsigned box_count;
	struct message messages[MESSAGES_MAX];
	unsigned message_count, kill_in, moves;
	int64_t clock_off; /* seconds that the wall clock is wrong */
};

/* many_link.c */
struct link *link_near(struct world *w, struct mailbox *mailbox, size_t hint);
struct link *link_of(struct world *w, struct mailbox *mailbox);
void drop_link(struct link *link);
/* Its mailbox goes. */
void forget_link(struct world *w, struct mailbox *mailbox);
void collect(struct world *w, struct link *link);
void end_link(struct world *w, struct link *link);
void serve_link(struct world *w, struct link *link);

/* many_daemon.c */
int64_t now_unix(const struct world *w);
void be_born(struct world *w);
void die(struct world *w);
void pump(struct world *w);

/* many_happen.c */
const char *wire(const struct world *w, unsigned box);
/* Where it is in the end. */
const char *target_of(const struct world *w, const struct message *message);
unsigned connections(const struct world *w);
void deliver(struct world *w);
void deliver_old(struct world *w);
/* The server says it to all. */
void bye(struct world *w);
void add_box(struct world *w, const char *name);
void make_box(struct world *w);
void start_again(struct world *w);
void happen(struct world *w);
/* A person has put `watch` back as it was. */
void restore_watch(struct world *w);

/* many_check.c */
void check_all(struct world *w);
void check_watched(struct world *w);
void check_turns(struct world *w);
void check_pushes(struct world *w);
void check_limit(struct world *w);

/* many.c */
void note(struct world *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void fail(struct world *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool chance(struct world *w, unsigned percent);
usec_t delay(struct world *w);
void run_until(struct world *w, usec_t when);

#endif
