/*
 * sim/sim_claim, inside: the world, and what its files say to each other.
 */
#ifndef BELFRY_SIM_CLAIM_PRIVATE_H
#define BELFRY_SIM_CLAIM_PRIVATE_H

#include "daemon/account/claim_log.h"
#include "tests/sim/claim_lab.h"

#define MESSAGES_MAX 40
#define CLOSE_USEC (100 * USEC_MSEC) /* two at once */
#define FAULTS_USEC (4 * USEC_HOUR)
#define STEPS_MAX 2000000
/* How long a machine stands still at most: two thirds of a lease, but for what
 * clocks are wrong. */
#define STILL_USEC (CLAIM_LEASE_USEC * 6 / 10)
/* A clock goes so much too fast or too slow, in millionths. */
#define DRIFT_MAX 5000
/* What is left of a dead connection comes so late at most. */
#define GHOST_USEC USEC_MINUTE
/* Without faults all is done so soon. */
#define SOON_USEC (10 * USEC_MINUTE)

enum kind {
	KIND_MOVE,
	KIND_COPY,
	KIND_EXEC,
	KINDS
};

/* What a machine has on disk of a message. */
enum ledger {
	PLANNED,
	STARTED,
	DONE,
	UNKNOWN
};

/* What a machine is doing. */
enum stage {
	STAGE_REST,
	STAGE_CLAIM,  /* a command of the engine */
	STAGE_LOOK,   /* after a crash: was it done? */
	STAGE_MARK,   /* +mark: before a command, after a copy */
	STAGE_EFFECT, /* MOVE, COPY */
	STAGE_RELEASE,
};

enum verb {
	VERB_FETCH,
	VERB_STORE,
	VERB_MOVE,
	VERB_COPY
};

struct command {
	enum verb verb;
	struct imap_seqset uids;
	uint64_t unchanged_since;
	bool add;
	char keywords[100];
	usec_t run_at, answer_at; /* USEC_NEVER: it has, or nothing is */
	bool ok;
	struct buf entry;      /* of the log, as it was sent */
	uint32_t validity;     /* of the mailbox, then */
	uint32_t log_validity; /* of the log, as its writer knew it; 0: not */
};

struct mail {
	enum kind kind;
	bool is_there;
	usec_t leaves_at; /* of a MOVE under way; USEC_NEVER: none */
	struct lab_keywords now;
	bool seen;
	uint64_t modseq;
	usec_t stored;
	unsigned effects; /* since marks and claims were lost last */
	unsigned before;  /* ... before that */
	usec_t owned;	  /* who acted on it last had its claim from then */
	usec_t marked;	  /* USEC_NEVER: not yet */
	usec_t broken;	  /* another's claim was taken away then */
	bool unknown;
	bool taken;	 /* by a person */
	bool was_marked; /* before marks were lost */
};

/* Of the log, where there are no keywords. */
struct entry {
	uint32_t uid;
	int64_t received_unix;
	struct buf text;
	bool is_gone;
};

struct node {
	struct claim_log *log;
	uint32_t log_base;
	uint32_t log_opened; /* its UIDVALIDITY; 0: not in this life */
	size_t log_seen;     /* entries that were there when the FETCH ran */
	struct lab_keywords view[MESSAGES_MAX]; /* as its session was told */
	bool alive, for_ever;			/* dead, and stays so */
	usec_t comes_back;
	struct claim *claim;
	enum stage stage;
	enum kind kind; /* of the group */
	bool is_mine;
	struct imap_seqset group;
	struct command command;
	struct imap_seqset modified;
	enum ledger ledger[MESSAGES_MAX];
	bool mine[MESSAGES_MAX]; /* on disk: if it is marked, then by us */
	bool looks;		 /* at what an earlier life left of commands */
	usec_t not_before[MESSAGES_MAX];
	bool late; /* its last life's command still runs at `command.run_at` */
	/* The last STORE of a connection that is dead, on its way while the
	 * next one acts; as that connection saw the keywords. */
	struct command ghost;
	struct lab_keywords ghost_view[MESSAGES_MAX];
	usec_t still_until;	      /* it stands still */
	usec_t claimed[MESSAGES_MAX]; /* its claim was stored or renewed then */
	usec_t ahead;		      /* its clock */
	int64_t drift;
};

struct world {
	struct lab lab;
	bool faulty, modseqs;
	bool calm;	       /* it was never faulty */
	unsigned slow, sleepy; /* percent of the commands */
	unsigned haunted;      /* percent of the commands of lost links go on */
	unsigned loose;	       /* links: lost in so many of 1000 steps */
	bool by_log;	       /* no keywords */
	struct entry *entries;
	size_t entry_count;
	bool overwrites; /* a STORE writes all keywords its session knows */
	usec_t ends;
	/* UIDVALIDITY of the mailbox, and of the log */
	uint32_t validity, log_validity;
	uint32_t log_uid; /* given away last */
	usec_t lost;	  /* claims and marks were, last */
	unsigned anew;	  /* how often one of both was made so */
	uint64_t modseq;
	struct mail messages[MESSAGES_MAX];
	size_t message_count;
	struct node nodes[LAB_NODES_MAX];
	size_t node_count;
	unsigned deaths, doubles, ghosts;
	unsigned again, unknown; /* commands that a death left: not run; perhaps
				  */
};

/* sim_claim_server.c */
void touch(struct world *w, struct mail *m);
void compose_entry(const struct world *w, struct node *node);
void run_command(struct world *w, struct node *node);
void run_ghost(struct world *w, struct node *node);
uint32_t log_uid_of(const struct world *w, size_t i);
void make_mailbox_anew(struct world *w);
void make_log_anew(struct world *w);

/* sim_claim_node.c */
void send_command(struct world *w, struct node *node, enum verb verb,
    const struct imap_seqset *uids);
void send_store(
    struct world *w, struct node *node, const char *keywords, bool add);
void start(struct world *w, struct node *node);
void die(struct world *w, struct node *node);
void lose_link(struct world *w, struct node *node);
void forget_claims(struct world *w, struct node *node);
void note_effect(struct world *w, struct node *node, size_t i);
void begin_effect(struct world *w, struct node *node);
void looked(struct world *w, struct node *node);
void marked(struct world *w, struct node *node);
void effected(struct world *w, struct node *node);
void released(struct world *w, struct node *node);

/* sim_claim_turn.c */
void settle_unknown(struct world *w, struct node *node, size_t i);
void on_answer(struct world *w, struct node *node);
void act(struct world *w, struct node *node);

/* sim_claim.c */
bool chance(struct world *w, unsigned percent);
usec_t clock_of(const struct world *w, const struct node *node);
usec_t world_time(const struct world *w, const struct node *node, usec_t then);
usec_t still(struct world *w);
usec_t absence(struct world *w);
size_t number_of(const struct world *w, const struct node *node);

#endif
