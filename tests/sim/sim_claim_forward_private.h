/*
 * sim/sim_claim_forward, inside: the world, and what its files say to each
 * other.
 */
#ifndef BELFRY_SIM_CLAIM_FORWARD_PRIVATE_H
#define BELFRY_SIM_CLAIM_FORWARD_PRIVATE_H

#include "daemon/account/claim_log.h"
#include "tests/sim/claim_lab.h"

#define MESSAGES_MAX 16
#define FAULTS_USEC (8 * USEC_HOUR)
#define ENDS_USEC (14 * USEC_DAY)
#define CLOSE_USEC (100 * USEC_MSEC) /* two at once */
#define STEPS_MAX 3000000
/* As long as two clocks may disagree about a lease. */
#define ALMOST(usec) ((usec) / 100 * 96)

/* What a machine has on disk of a message. */
enum ledger {
	PLANNED,
	QUEUED,
	SENDING,  /* the dot may have been said */
	ACCEPTED, /* heard of; the mark may be missing */
	OVER
};

/* What is done at the mailbox. */
enum errand {
	ERRAND_NONE,
	ERRAND_CLAIM, /* what is planned, or the engine's renewal */
	ERRAND_ASK,   /* the same, before a try */
	ERRAND_SAY,   /* +belfry-s */
	ERRAND_MARK,
	ERRAND_RELEASE
};

/* What is done with the message in hand. */
enum stage {
	STAGE_IDLE,
	STAGE_ASKING,
	STAGE_TEXT, /* on its way, up to the dot */
	STAGE_RENEWING,
	STAGE_DOT
};

struct command {
	bool is_store, add;
	struct imap_seqset uids;
	uint64_t unchanged_since;
	char keywords[100];
	usec_t run_at, answer_at; /* USEC_NEVER: it has, or nothing is */
	bool ok;
};

struct message {
	bool is_there, taken; /* by a person */
	struct lab_keywords now;
	uint64_t modseq;
	usec_t stored;
	usec_t touched[LAB_NODES_MAX]; /* the last STORE of each machine */
	/* the last time that it was accepted */
	unsigned accepted;
	size_t by;
	bool heard; /* on the disk of who sent it */
	/* Its claim was taken away by another after so long a silence that it
	 * counts as gone, whatever it does when it is back. */
	bool orphaned;
};

struct node {
	bool alive, for_ever;
	usec_t comes_back, stopped_until, cut_until;
	unsigned rate; /* of its clock, percent */
	struct claim *claim;
	uint32_t log_base;			/* so far it had read the log */
	struct lab_keywords view[MESSAGES_MAX]; /* as its session was told */
	enum errand errand;
	struct imap_seqset group;
	struct command command;
	struct imap_seqset modified;
	enum ledger ledger[MESSAGES_MAX];
	usec_t due[MESSAGES_MAX], renew[MESSAGES_MAX];
	bool gone_is_ours[MESSAGES_MAX];
	/* the queue */
	enum stage stage;
	size_t item;
	usec_t stage_at;
	usec_t fresh_until; /* by its clock */
	usec_t said;	    /* by nobody's: when it went on to the dot */
	bool was_marked;    /* then */
};

struct world {
	struct lab lab;
	bool faulty;
	bool modseqs; /* else a STORE writes all that its session knows */
	bool by_log;  /* no keywords: what a log says stands for them */
	struct claim_log *log;
	uint32_t log_uid; /* given away last */
	uint64_t modseq;
	struct message messages[MESSAGES_MAX];
	size_t message_count;
	struct node nodes[LAB_NODES_MAX];
	size_t node_count;
	unsigned doubles;
	unsigned deaths, twice[4], held;
};

/* sim_claim_forward_box.c */
usec_t lease_of(const struct world *w);
void run_command(struct world *w, struct node *node);
void send_command(
    struct world *w, struct node *node, const struct imap_seqset *uids);
void send_store(
    struct world *w, struct node *node, const char *words, bool add);
void start(struct world *w, struct node *node);
void die(struct world *w, struct node *node);
void lose_link(struct world *w, struct node *node);

/* sim_claim_forward_queue.c */
void set_stage(struct node *node, enum stage stage, usec_t at);
void put_back(struct world *w, struct node *node, usec_t wait);
void end_dot(struct world *w, struct node *node);
void end_text(struct world *w, struct node *node);
void note_ours(struct world *w, struct node *node, usec_t fresh_until);
void on_asked(struct world *w, struct node *node);
void on_said(struct world *w, struct node *node);

/* sim_claim_forward.c */
bool chance(struct world *w, unsigned permille);
size_t number_of(const struct world *w, const struct node *node);
usec_t clock_of(const struct world *w, const struct node *node);

#endif
