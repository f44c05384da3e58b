/*
 * account/mailbox, inside: shared by mailbox.c (its life) and its parts: event
 * (what it says), journal (commits), open (login to SELECT), rest (what comes
 * next), proof (whether it lives), mailbox_sweep.c (catch-up), backlog (what is
 * there already), explain (questions), judge (from a message to its plan) and
 * mailbox_act.c (doing what was planned), mailbox_op.c (what is under way),
 * intent (what is on disk before it), resync (what others did meanwhile), chunk
 * (what is written before its window has ended).
 */
#ifndef BELFRY_ACCOUNT_MAILBOX_PRIVATE_H
#define BELFRY_ACCOUNT_MAILBOX_PRIVATE_H

#include "daemon/account/mailbox.h"
#include "daemon/account/told.h"
#include "daemon/base/digest.h"
#include "daemon/base/list.h"
#include "daemon/mail/structure.h"
#include "daemon/wire/imap/resync.h"

enum mailbox_state {
	MAILBOX_RESTING,    /* before start, after stop */
	MAILBOX_PARKED,	    /* without a connection, and asked for */
	MAILBOX_WAITING,    /* backing off until `timer` */
	MAILBOX_LOADING,    /* asked for cursor and open effects */
	MAILBOX_CONNECTING, /* asked for a connection */
	MAILBOX_LOGIN,	    /* the session is on its way to READY */
	MAILBOX_NAMESPACES,
	MAILBOX_LISTING,
	MAILBOX_SELECTING,
	MAILBOX_DATING,	    /* a new mailbox: what is younger than its watch */
	MAILBOX_HIGHEST,    /* no UIDNEXT given: asking for the last UID */
	MAILBOX_RECALLING,  /* rebuilt: asked for what the history knows, */
	MAILBOX_TRACING,    /* for messages that may be news, */
	MAILBOX_MATCHING,   /* and what they are */
	MAILBOX_SWEEPING,   /* fetching a window of new messages */
	MAILBOX_READING,    /* fetching text parts that rules ask for */
	MAILBOX_SEARCHING,  /* a run: which messages are there? */
	MAILBOX_REVIEWING,  /* a run: fetching a group of them */
	MAILBOX_MISSING,    /* a run: what did not come, is it there? */
	MAILBOX_EXPLAINING, /* fetching a message that somebody asks for */
	MAILBOX_FINDING,    /* searching a Message-ID */
	MAILBOX_PREVIEWING, /* how does a message begin? */
	MAILBOX_COMMITTING, /* cursor and plans are on their way to disk */
	MAILBOX_ACTING,	    /* an operation of mailbox_act.c is under way */
	MAILBOX_RESYNCING,  /* what became of messages with work left */
	MAILBOX_FOLLOWING,  /* asking for the flags of what was shown */
	MAILBOX_AUDITING,   /* is there anything below the cursor? */
	MAILBOX_IDLE,	    /* IDLE sent; news end it */
	MAILBOX_IDLE_END,   /* DONE said */
	MAILBOX_POLLING,    /* no IDLE here: resting until the next poll */
	MAILBOX_NOOP,	    /* the poll's NOOP */
	MAILBOX_ASKING,	    /* STATUS of another mailbox */
	MAILBOX_NOTIFYING,  /* NOTIFY: from now on it tells by itself */
	MAILBOX_LEAVING,    /* its connection may go elsewhere */
	MAILBOX_LOGOUT,
	MAILBOX_STATES
};

/* What a commit under way is for. */
enum commit_purpose {
	COMMIT_PLAN,	  /* cursor and plans: then act */
	COMMIT_STARTED,	  /* intents of the operation: then its first command */
	COMMIT_OUTCOME,	  /* outcomes: nothing waits for it */
	COMMIT_FORGOTTEN, /* of a connection that has ended meanwhile */
};

/* What the journal says of a command that was not run, but may be marked as
 * done on the server: by us. And of what was begun under a claim. */
#define MAILBOX_MINE "claimed"

struct job_action {
	struct action action;
	unsigned seq;
	enum effect_state state;
	unsigned attempts;
	bool verify;	/* STARTED in an earlier life: look before repeating */
	bool lost;	/* a command of an earlier life, outcome unknown */
	unsigned looks; /* so many have found nothing */
	uint32_t target_next;  /* the target's UIDNEXT before our copy */
	uint32_t new_uid;      /* in the target, by COPYUID; 0: not told */
	uint32_t new_validity; /* ... and its UIDVALIDITY */
	bool copied;	/* a move without MOVE: its copy is known to be there */
	bool early;	/* its intent went to disk with the plan */
	bool by_other;	/* the message is gone: another machine was first */
	bool mine;	/* if it is marked as done on the server, then by us */
	bool claimed;	/* it was begun under a claim, in an earlier life ... */
	bool left;	/* ... whose claim is looked at now: mailbox_left.c */
	bool by_person; /* DEED_RULE */
	/* A notification of an earlier life that is for whoever has not read
	 * the message: mailbox_is_while_unread. */
	bool while_unread;
	char *before; /* owned: undo_flags_before of a mark, or NULL */
};

/* A message with something left to do. */
struct job {
	struct list_link link;
	struct store_key key; /* account, mailbox: the mailbox's own strings */
	char *message_id, *from;
	char *subject;	     /* as it is kept: one-time codes are hidden */
	char *clear_subject; /* as it came; NULL: so, or nobody knows here */
	struct strv codes;   /* that are hidden in what is kept of it */
	uint64_t size;
	int64_t received_unix, judged_unix;
	unsigned plan;	    /* number of its plan; 0: out of the store */
	bool is_given;	    /* mailbox_give_effect */
	bool is_fresh;	    /* judged in this life ... */
	bool unread;	    /* ... and not read then */
	bool is_junk;	    /* by its keywords, when it was judged */
	unsigned first_seq; /* of a run: its first; live: 0 */
	struct job_action *actions;
	size_t count;
	size_t next;		 /* first action that is not settled */
	bool running;		 /* action `next` is a task outside */
	struct op *op;		 /* that does action `next`; NULL: none */
	usec_t not_before;	 /* refused for the moment */
	int64_t not_before_unix; /* the same, of an earlier life; 0: none */
	struct buf header;	 /* all of it, for a command; empty: fetch it */
	/* How it begins, where that was asked before it is taken away; else
	 * NULL. */
	char *preview, *text;
	/* MODSEQ when it was judged, or as our own last change left it; 0: not
	 * known. `guard`: of an earlier life, flags are set only if nobody
	 * changed them since then (UNCHANGEDSINCE); 0: in any case. */
	uint64_t modseq, guard;
	bool checked; /* of an earlier life, and known to be there ... */
	bool is_read; /* ... and somebody has read it */
	bool read_by_rule; /* in an earlier life: nobody need have */
	bool gone;    /* the server said so */
	bool alone;   /* refused in company: its commands are its own */
	bool waits;   /* for another machine, or for its forward */
};

/* A task handed to the outside, known across reconnects. */
struct task {
	struct list_link link;
	uint32_t uidvalidity, uid;
	unsigned seq;
};

/* An operation: one action for one or several messages. */
enum op_step {
	OP_NONE,
	OP_STATUS, /* the target's UIDNEXT, before a copy into it */
	OP_INTENT, /* STARTED is on its way to disk */
	OP_FETCH,  /* header or message, for exec and forward */
	OP_COPY,
	OP_CREATE,
	OP_SUBSCRIBE, /* so that the person's programs show it */
	OP_MOVE,
	OP_STORE,   /* mark */
	OP_UNSTORE, /* mark: the flags to remove */
	OP_LABEL,
	OP_DELETED, /* \Deleted, for a move without MOVE */
	OP_EXPUNGE,
	OP_LOOK,     /* is it still here? */
	OP_EXAMINE,  /* look into the target ... */
	OP_SEARCH,   /* ... for messages of about the same size ... */
	OP_SIZES,    /* ... of just this size ... */
	OP_COMPARE,  /* ... compare their headers ... */
	OP_RESELECT, /* ... and come back */
	OP_NOOP,     /* after [EXPUNGEISSUED] */

	/* mailbox_claim.c */
	OP_CLAIM_FETCH,
	OP_CLAIM_STORE,
	OP_CLAIM_MARK,	 /* a command's, before it runs */
	OP_COPY_MARK,	 /* a copy's, after it was made */
	OP_CHORE,	 /* marks and claims to store here ... */
	OP_CHORE_SELECT, /* ... or in the target of a move */
	OP_CHORE_STORE,
	OP_CHORE_BACK,

	/* mailbox_forward.c */
	OP_FORWARD_SENDING,   /* CLAIM_SENDING is stored ... */
	OP_FORWARD_UNSENDING, /* ... or removed */

	/* mailbox_seek.c */
	OP_SEEK_STATUS,
	OP_SEEK_CREATE,
	OP_SEEK_SELECT,
	OP_SEEK_READ,
	OP_SEEK_APPEND,
	OP_SEEK_DELETE,
	OP_SEEK_EXPUNGE,
	OP_SEEK_PROVE,
	OP_SEEK_AGAIN,
	OP_SEEK_LOG,	/* the log is proven: APPEND ... */
	OP_SEEK_RELOG,	/* ... SELECT ... */
	OP_SEEK_RELOOK, /* ... and FETCH */
	OP_SEEK_BACK,

	/* mailbox_log.c */
	OP_LOG_SELECT,
	OP_LOG_READ,
	OP_LOG_BACK,
	OP_LOG_PRESENT,
	OP_STEPS
};

struct op {
	struct list_link link;
	enum op_step step;
	unsigned command;     /* id of the one under way; 0: none */
	bool is_crowded;      /* ... which was sent behind others */
	unsigned intent;      /* number of the commit that INTENT waits for */
	struct action action; /* a copy */
	struct job **jobs;    /* owned array; each has this as its op */
	size_t count;
	struct imap_seqset uids; /* theirs */
	struct imap_seqset seen; /* UIDs that answered; SEARCH: candidates */
	bool is_alone;		 /* no other may be under way */
	bool created;		 /* CREATE was tried */
	bool found;		 /* SEARCH found it, FETCH brought it */
	bool verify;		 /* an intent of an earlier life */
	bool absent;		 /* ... whose target is not even there */
	bool blind;		 /* ... and cannot be looked at now: `refusal` */
	bool copied;		 /* of a move: its copy is in the target */
	bool unproven;		 /* COPY said OK and named nothing */
	bool marked;		 /* what was copied is */
	uint32_t target_next;
	uint64_t target_count;	  /* EXAMINE: messages there; 0: not told */
	struct imap_range around; /* SEARCH: the lowest and the highest */
	struct buf target;	  /* wire name */
	struct buf content;	  /* FETCH */
	struct imap_seqset moved; /* source UIDs that COPYUID named */
	struct buf refusal;	  /* MOVE said no: its words, while we LOOK */
	bool refused_for_now;	  /* ... and whether to try again */
	bool is_unknown;	  /* ... and whether it was MOVE itself */
	struct buf not_made;	  /* CREATE said no: its words */
	bool not_made_for_now;	  /* ... and whether to try again */
	struct imap_refusal why;  /* of the last refusal */
	bool elsewhere;	 /* another mailbox is open: its news are not ours */
	bool sought;	 /* other machines were looked for */
	bool is_forward; /* of mailbox_forward.c: it has no jobs */
	uint64_t guard;	 /* of all its jobs */
};

/*
 * A message that was fetched, to be judged. Owned by whoever fetched it. It
 * lives for one call, or waits in a list for its text part.
 */
struct candidate {
	struct list_link link; /* in the list of who keeps it; else alone */
	uint32_t uid;
	uint64_t size;	       /* bytes; 0: not told */
	int64_t received_unix; /* INTERNALDATE; 0: not told */
	uint64_t modseq;       /* 0: not told */
	struct strv flags;
	struct message *message; /* owned: its header */
	/* Of it, as people read it; owned. Given to its job at last, where the
	 * subjects are explained. */
	char *message_id, *from, *subject, *clear_subject;
	struct structure *structure; /* owned; NULL: not known */
	struct buf header;	     /* all of it, for a command; else empty */
	struct buf body;	     /* text, when has_body */
	bool has_body;
	uint64_t sender; /* senders_key */
	bool is_new_sender;
	/* What the server calls it everywhere; "": nothing. Owned. */
	char *identity;
	bool has_home;		   /* it is in a mailbox before this one */
	struct judging *judging;   /* which is told of the end; NULL: none */
	const struct backlog *run; /* that judges it; NULL: live mail */
	size_t bytes;		   /* memory that it takes, about */
};

/* Messages whose text part is asked for before they are judged. There is one
 * only while some wait. */
struct reading {
	struct list_link waiting; /* struct candidate::link */
	size_t bytes;		  /* of them */
	struct imap_seqset asked; /* UIDs of the command under way */
	struct imap_seqset seen;  /* and those that were answered */
	char *section;		  /* that was asked for; NULL: only LOOK */
	/* What goes on when none waits; what is done when the rules changed
	 * meanwhile, so that all that wait must be fetched anew. */
	void (*done)(struct mailbox *, usec_t);
	void (*again)(struct mailbox *, usec_t);
};

/* A run over messages that are there already: mailbox_backlog.c. */
struct backlog {
	bool is_there; /* a run, perhaps over; else all is empty */
	bool is_dry;
	bool has_news;	/* since PROGRESS */
	bool is_ending; /* its end is told once it is written */
	/* As it stands, with the group under way; its strings are those
	 * below. On disk is what was committed last. */
	struct store_apply row;
	struct store_apply before; /* the group under way */
	bool is_judging;	   /* there is one */
	char *rules_text;
	struct strv rules; /* the same, in words */
	struct buf detail;
	bool no_search;		    /* refused: all messages are fetched */
	uint32_t searched;	    /* last UID of the window searched */
	struct imap_seqset found;   /* in the window, not yet in a group */
	struct imap_seqset group;   /* being fetched */
	struct imap_seqset seen;    /* of the group: came */
	struct imap_seqset counted; /* of the group: in the tally */
	uint32_t ignored; /* smallest UID that must come again; 0: none */
	struct missing {  /* mailbox_missing.c */
		enum missing_step {
			MISSING_UNASKED,
			MISSING_LOOK,	  /* which of them are there? */
			MISSING_TOGETHER, /* fetched once more */
			MISSING_ALONE,	  /* the same, `one` */
			MISSING_LAST_LOOK /* still there? */
		} step;
		struct imap_seqset uids;  /* of the group: did not come */
		struct imap_seqset there; /* ... the server says they are */
		struct imap_seqset one;
		unsigned singles; /* asked for alone */
	} missing;
	struct buf left_uids; /* of row */
	uint64_t done, failed;
	struct tally tally;
};

/* Of an answer in two responses: flags, and the rest behind them. */
struct first_half {
	uint32_t uid;
	uint64_t modseq;
	struct strv flags;
};

/* Messages that came below others (mailbox_audit.c). */
struct audit {
	uint32_t validity; /* UIDVALIDITY of all; 0: nobody looked yet */
	uint32_t first;	   /* from here on all are known that were there */
	struct imap_seqset known, found;
	struct imap_seqset late; /* to be judged */
	usec_t due;		 /* the next look; 0: never yet */
	usec_t selected;	 /* the last SELECT that asks for one */
	/* Among the known are some whose judgement was not written: what is in
	 * the store counts. */
	bool is_doubtful;
	uint32_t met; /* the cursor of the first contact; 0: not known */
};

/* The server gave it other UIDs (mailbox_rebuilt.c). */
struct rebuilt {
	struct recall *recall;
	struct imap_seqset found, asked; /* to be compared; being so */
	struct imap_seqset late;	 /* not known: to be judged */
	struct imap_seqset done;	 /* compared; then: judged */
	struct store_batch *batch;	 /* what goes on under another UID */
};

/* How logins went, and why the connection ended (mailbox_login.c). */
struct login {
	struct imap_refusal refusal; /* of the last end; kind NONE: none */
	bool is_bye;		     /* it was the server's BYE */
	bool by_network;	     /* nobody but the network was its cause */
	bool tried;    /* a secret was given, and nobody was let in yet */
	bool again;    /* the one more try is under way, or was */
	bool other;    /* ... with the other name */
	bool by_other; /* this connection's is, whatever became of that */
	bool locked;   /* refused: not tried again with the same secret */
	bool was_good; /* the last secret has opened a session before */
	bool no_scram; /* the server let us in without it, after refusing it */
	bool has_digest;
	unsigned char digest[DIGEST_SIZE]; /* of the last secret */
	usec_t since; /* let in, on this connection; USEC_NEVER: not */
	usec_t even;  /* when the next is due, had all come evenly */
};

/* An action that is not done for now (mailbox_suspend.c). */
struct suspension {
	struct action action;
	char *words;	   /* the server's */
	bool is_forbidden; /* else its target is full */
	usec_t until;
};

struct followed {
	uint32_t uid;
	bool is_unread; /* as far as we know */
	bool by_us;	/* when it is read, a rule has done that: in a run */
};

/* How a comparison is made. */
enum follow_way {
	FOLLOW_PLAIN,	/* the flags of all */
	FOLLOW_CHANGED, /* CONDSTORE: of what changed ... */
	FOLLOW_SEARCH,	/* ... and which of all are there */
	FOLLOW_QRESYNC, /* both at once */
};

/* Messages that the person was notified of (mailbox_follow.c). */
struct follow {
	struct followed *items; /* owned, ascending; NULL while there is none */
	size_t count, cap;
	usec_t due;	   /* of the comparison; USEC_NEVER: none */
	usec_t pause;	   /* after a hint in its own answer; 0: the usual */
	uint64_t modseq;   /* all changes up to it are known; 0: none is */
	uint32_t validity; /* UIDVALIDITY of all */
	struct comparison *comparison; /* owned; NULL: none is under way */
};

/* One command after the other. */
struct comparison {
	enum follow_way way; /* of its command */
	uint32_t next;	     /* where that begins */
	struct imap_seqset asked, seen;
	uint64_t top;	/* the highest MODSEQ that was told */
	bool is_hinted; /* by its own answer, perhaps */
};

/* What other clients did (mailbox_resync.c). */
struct resync {
	uint64_t since;	   /* SELECT was given this (QRESYNC); 0: it was not */
	bool refused;	   /* ... and this connection does not take it */
	bool was_open;	   /* another mailbox is being left */
	struct look *look; /* owned; NULL: not RESYNCING */
};

/* ... to the messages of jobs. */
struct look {
	struct imap_seqset asked, seen;
	struct imap_seqset same;    /* unchanged since they were judged */
	struct imap_seqset marked;  /* ... or only by the mark to be done */
	struct imap_seqset claimed; /* by a machine: that changed them, too */
	uint64_t top;		    /* the highest MODSEQ among those seen */
};

/* Looking for other machines: mailbox_seek.c. */
struct seek {
	struct buf wire; /* of CLAIMS_MAILBOX */
	usec_t began;
	uint32_t validity, uidnext; /* by STATUS */
	uint64_t messages, exists;
	unsigned records, appends;
	bool any_keyword;

	/* the proof */
	size_t step;
	uint64_t modseq;
	bool has_modseqs, has_tick, kept;
	uint32_t proof; /* of the log: what ours is called */
};

/* Messages that people ask about (mailbox_explain.c). */
struct questions {
	uint32_t uids[MAILBOX_QUESTIONS_MAX]; /* the first is next */
	size_t count;
	struct candidate *came; /* EXPLAINING: the message */
	bool reads;		/* ... and its text is asked for */
};

/* What the connection is to learn of other mailboxes: goes with it. */
struct round {
	struct strv names; /* to be asked for */
	size_t next;	   /* of them */
	/* Under way, from `next` on: wire names ("": there is no such folder),
	 * and what was said of each. */
	struct strv wires;
	struct mailbox_news *answers; /* owned */
	unsigned *ids;		      /* owned; of their commands, or 0 */
	size_t wanted, answered;      /* of them */
	size_t pending;		      /* commands */
	bool lists;		      /* one LIST asks for all */
	usec_t listed;		      /* ... and was sent then */
	size_t names_most; /* bytes of names in it; 0: nothing was learned */
	bool was_refused, was_bad;    /* a command */
	/* Refused on this connection. */
	bool no_list, no_modseq, no_several;
	struct strv told, told_wires; /* whose news NOTIFY pushes */
	bool notifies;		      /* ... is to be asked for that */
	enum mailbox_push push;
};

/* mailbox_reopen.c: when SELECT is repeated. */
struct reopen {
	bool is_due;
	bool repeats; /* the SELECT under way does */
	bool looks;   /* one did, and it did not rest since */
	bool told;    /* of news, since one did: without being opened anew */
	bool found;   /* a message, by the one */
	unsigned char finds; /* in a row, each untold */
	usec_t next;	     /* the earliest, without a reason */
	usec_t believe;	     /* ... with one */
	usec_t wait;	     /* between that and the one after it */
};

struct mailbox_commit {
	struct list_link link;
	enum commit_purpose purpose;
	struct store_batch *batch;
};

struct queued_event {
	struct list_link link;
	struct mailbox_event event;
};

/* Of mailbox_proof.c. */
struct proof {
	usec_t hint_at;	  /* a hint waits until then; USEC_NEVER: none */
	usec_t next_hint; /* the next one is acted on from then on */
	usec_t next_try, next_ease;
	bool doubted;	/* by a hint, and did not rest since */
	bool restarted; /* this try to connect began anew */

	usec_t renew;	     /* at most config.renew */
	int64_t renew_since; /* by the wall clock */
	bool grew;	     /* ... it grew then */
	unsigned in_vain;    /* growths that did not stand their time */
	unsigned deaths;     /* of this renewal, in tests */
	usec_t died;	/* a silent connection ended; USEC_NEVER: none did */
	usec_t died_of; /* the renewal then */
	usec_t quiet;	/* how long it had been silent */
	bool was_young; /* ... and it had never stood the test before */
	/* The time of IDLE, or of a poll, is over (after so long a silence that
	 * it says something); so often that went well on this connection. */
	bool is_tested, was_silent;
	unsigned survived;

	bool renewing;		 /* IDLE was ended by its timer */
	unsigned found;		 /* messages judged since */
	unsigned missed;	 /* in all: for status */
	unsigned misses, pushes; /* lately */
	bool deaf;
};

struct mailbox {
	const struct mailbox_config *config; /* borrowed, as `name` is */
	const char *name;
	enum mailbox_visit visit;
	const struct rules *rules;
	struct limits *limits;
	struct rules_needs needs;
	struct imap_session *session; /* NULL while not connected */
	struct random random;
	struct backoff backoff;
	struct login login;
	struct follow follow;
	struct resync resync;
	struct suspension *suspensions; /* owned; at most ..._SUSPENDED_MAX */
	struct audit audit;
	size_t suspension_count;
	bool read_only;	    /* SELECT said so */
	bool uids_pass;	    /* and that UIDs are good for a session only */
	bool no_move;	    /* MOVE is announced, but was found not there */
	bool lists_plainly; /* the server knows nothing but LIST */
	uint32_t cut;	    /* [MESSAGELIMIT] of the window; 0: none */

	enum mailbox_state state;
	usec_t since; /* state entered */
	usec_t timer; /* of the state; USEC_NEVER: none */
	usec_t heard;
	unsigned command; /* id of the state's command; 0: none */
	bool is_idle;	  /* the server said "+" */

	/* the wall clock */
	int64_t clock_unix;
	usec_t clock_now;
	int utc_offset;

	struct folders folders;
	struct buf wire;       /* wire name; empty until known */
	char *permanent_flags; /* a blank behind each; NULL: not told */
	bool any_keyword;      /* PERMANENTFLAGS has \* */

	/* the server's view */
	uint32_t uidvalidity, uidnext; /* 0: not said */
	uint64_t exists;
	uint64_t exists_at_uidnext; /* SELECT: EXISTS when UIDNEXT was said */
	bool newer; /* more came since UIDNEXT was said, whatever went */
	/* HIGHESTMODSEQ of SELECT; 0: mod-sequences are not used here. */
	uint64_t modseq;
	bool dirty; /* there may be news: catch up before resting */

	/* ours */
	bool has_cursor;
	uint32_t cursor_validity, cursor; /* every UID below it is judged */
	uint64_t cursor_modseq; /* HIGHESTMODSEQ of then; 0: none known */
	uint32_t highest;	/* HIGHEST: the largest UID seen */
	uint32_t search_rest;	/* messages that were not searched yet */
	bool fresh;		/* HIGHEST was asked because of SELECT */
	uint32_t far; /* a UID too far away to believe at once; 0: none */
	uint32_t window_end; /* last UID asked for; 0: open */
	uint32_t ignored;    /* smallest UID that did not fit; 0: none */
	uint32_t judged_max;
	unsigned judged;      /* in this window */
	uint32_t window_most; /* messages; 0: MAILBOX_WINDOW */
	uint32_t window_size; /* UIDs; grows over gaps */
	struct imap_seqset window_seen;
	struct imap_seqset above;  /* judged, from the cursor on */
	uint32_t known_max;	   /* the highest of them that came again */
	unsigned unwritten;	   /* judged, and in no commit yet */
	uint64_t swept_exists;	   /* EXISTS at the last catch-up */
	usec_t echo_at, echo_wait; /* mailbox_rest_echo: the next look */
	struct reopen reopen;
	bool expunged;			/* since the last EXISTS */
	bool echo_due;			/* ... is what ends this IDLE */
	struct store_batch *plan;	/* of the window */
	struct senders *window_senders; /* met in it, not in the store yet */
	struct strv unmet_senders;	/* but for these, who come once more */
	struct strv arrival_names;	/* of this mailbox; empty: not known */
	struct reading *reading;  /* owned; NULL: none waits for its text */
	struct imap_seqset retry; /* only these are asked for; empty: all */
	bool is_late;		  /* they are below the cursor, which stays */
	struct rebuilt *rebuilt;  /* owned; NULL: it was not, or it is over */
	struct twins *twins;	  /* owned; NULL: none ever waited */
	unsigned dropped;	  /* answers dropped by the session until now */
	bool bare;		  /* asked for without the structure */
	/* The highest message number that this window's first answer can have
	 * told of, dropped or not, and the drops that this counts. */
	uint64_t answered;
	unsigned answered_dropped;
	struct first_half *first_half; /* owned; NULL: none */
	bool whole;		       /* asked for with the whole header */
	bool is_second_try;	       /* ... after a NO */
	bool no_structure;	       /* this connection refuses it */
	bool no_identity;	       /* ... or this */
	uint64_t told_caps;	       /* what the server offers, in the log */
	bool told_dropped;	       /* that answers could not be read */
	bool shy;	    /* it ended a connection, being malformed */
	bool no_partial;    /* ... or does not give the beginning of a part */
	unsigned group_max; /* [MESSAGELIMIT] of an action; 0: none */
	unsigned alone_refused; /* in a row, of those that were tried alone */
	unsigned
	    put_off; /* times in a row that messages were refused for now */

	struct backlog *backlog;     /* owned; NULL: there never was a run */
	struct questions *questions; /* owned; NULL: nobody has asked */
	struct finds *finds;	     /* owned; NULL: nothing was looked for */
	struct previews *previews;   /* owned; NULL: none was asked for */

	struct proof proof;

	struct list_link jobs; /* struct job::link, in order of judging */
	size_t job_count;
	bool looks_again;	/* a job waits for its next look */
	/* ... while another mailbox has the connection. Owned. */
	struct late_looks *late_looks;
	struct list_link tasks; /* struct task::link */
	struct list_link ops;	/* under way: struct op::link */
	size_t op_count;
	struct op *op;	 /* being served, and sends; NULL: the state does */
	bool is_filling; /* operations are being begun */
	bool is_alone;	 /* the server cannot have several at once */
	unsigned idle_command; /* ended, and another one sent behind DONE */
	bool is_rushed;	       /* the FETCH under way was */
	unsigned rush_losses;  /* connections that were lost so, in a row */

	struct claim *claim;	   /* NULL: nothing was claimed here */
	uint32_t claim_validity;   /* of its UIDs */
	bool claims_by_log;	   /* not by keywords */
	uint32_t log_base;	   /* so far the log was read for the claim */
	struct list_link chores;   /* struct chore::link */
	struct list_link forwards; /* struct forward::link */
	bool says_sending;	   /* CLAIM_SENDING was used here */
	struct seek *seek;	   /* owned; NULL: nobody was looked for */

	struct list_link commits; /* struct mailbox_commit::link */
	bool commit_pending;	  /* the first was handed out */
	bool leaves;		  /* LEFT follows the last of them ... */
	bool has_left;		  /* ... and was said */
	bool outcomes_wait;	  /* ... to be one, when it is written */
	unsigned last_tries;	  /* ... that failed, then */
	unsigned plans_made;	  /* COMMIT_PLAN on this connection, */
	unsigned plans_written;	  /* ... and those in the store */
	unsigned intents_made, intents_written; /* COMMIT_STARTED, the same */
	struct store_batch *outcomes;		/* gathered, not yet a commit */
	struct list_link events;		/* struct queued_event::link */

	struct error *trouble; /* NULL: none */
	unsigned alerts;       /* told on this connection */
	struct told told;      /* and today */
	bool load_asked;
	bool stopping;
	bool again;	      /* started while it was logging out */
	bool dismissed;	      /* it says LEFT when it rests */
	bool stale;	      /* the rules changed after the FETCH was sent */
	bool told_structure;  /* that the server tells none */
	bool has_loaded_rung; /* what an earlier life showed is followed */
	bool proven;	      /* this connection has finished a catch-up */
	bool idle_refused;    /* this server said no to IDLE: poll */

	/* mailbox_rove.c */
	struct round *round; /* owned; NULL: it is to learn of no other */
	bool has_selected;   /* this connection has, any mailbox */
	bool is_open;	     /* SELECTed on this connection */
	bool is_guest;	     /* the connection is another one's */
	bool is_known;	     /* its cursor was read since it was at rest */
	bool is_pushed;	     /* parked: NOTIFY tells of it */
	bool is_due;	     /* parked: to be asked for */
	bool wants;	     /* parked: the connection has to come */
	bool leave;	     /* the connection is wanted elsewhere */
	bool parks;	     /* once it has logged out */
	bool lists;	     /* LIST is to be asked anew */
	bool is_listed;	     /* ... and this is not the login's */
	int64_t early_unix;  /* made after then; 0: it was there before us */
	usec_t looked;	     /* when it looked for news of its own */
	usec_t came;	     /* when the connection came here */
	usec_t interval;     /* parked: of STATUS; 0: as configured */
	usec_t wants_since;
	usec_t jobs_due;		/* parked: there is work from then on */
	size_t jobs_left, running_left; /* parked */
	usec_t retry_at;      /* not to be opened before; 0: at once */
	uint32_t visited_for; /* the UIDNEXT that it was visited for */
};

/* mailbox.c */
void mailbox_enter(struct mailbox *mb, enum mailbox_state state, usec_t now);
int64_t mailbox_unix(const struct mailbox *mb, usec_t now);
usec_t mailbox_renew(const struct mailbox *mb);
usec_t mailbox_poll(const struct mailbox *mb);
/* Ends the connection and backs off by the error's fault. */
void mailbox_fail(struct mailbox *mb, const struct error *error, usec_t now);
void mailbox_report_trouble(
    struct mailbox *mb, const struct error *error, usec_t wait);
/* All that is loaded again when the mailbox is opened the next time. */
void mailbox_forget_work(struct mailbox *mb, usec_t now);
void mailbox_begin_command(
    struct mailbox *mb, struct imap_command *command, const char *name);
/* Sends; the id becomes mb->command. */
void mailbox_send(struct mailbox *mb, struct imap_command *command, usec_t now);

/* What the state does with a hint: called by mailbox_proof.c only. */
void mailbox_act_on_hint(struct mailbox *mb, usec_t now);

/* What begins, continues or ends a state or a step. */
typedef void mailbox_begin_fn(struct mailbox *mb, usec_t now);
typedef void mailbox_response_fn(
    struct mailbox *mb, const struct imap_response *response, usec_t now);

/* mailbox_event.c */
void mailbox_emit(struct mailbox *mb, struct mailbox_event event);
/* A need that carries nothing. */
void mailbox_emit_need(struct mailbox *mb, enum mailbox_event_kind kind);
void mailbox_report(struct mailbox *mb, enum report_kind kind, uint32_t uid,
    const char *format, ...) __attribute__((format(printf, 4, 5)));
/* A warning that deserves a notification. */
void mailbox_report_to_person(struct mailbox *mb, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What a person asked for was not done. */
void mailbox_report_refusal(struct mailbox *mb, uint32_t uid,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* mailbox_brake.c */
/* Whether the forward in hand may be queued; else why not, and where the
 * person should know of it, it is reported. */
bool mailbox_brake_allows(
    struct mailbox *mb, const struct job *job, struct buf *why, usec_t now);
/* It is queued with this batch: it counts. */
void mailbox_brake_note(struct mailbox *mb, const struct job *job,
    struct store_batch *batch, usec_t now);

/* mailbox_suspend.c */
/* After a refusal of one of these kinds: the action, as it stands in the job,
 * is held back. Else nothing. */
void mailbox_suspend(struct mailbox *mb, const struct action *action,
    enum imap_refusal_kind kind, const char *words, usec_t now);
/* It was done. */
void mailbox_suspension_over(struct mailbox *mb, const struct action *action);
/* 0: it may be tried. */
usec_t mailbox_suspended_until(
    const struct mailbox *mb, const struct action *action);
/* Why it is not even tried; NULL: it is. */
const char *mailbox_forbidden(
    const struct mailbox *mb, const struct action *action, usec_t now);
void mailbox_suspensions_clear(struct mailbox *mb);

/* mailbox_follow.c */
/* A notification of this message was handed over. */
void mailbox_follow(struct mailbox *mb, const struct job *job, usec_t now);
/* Says of a notification that is planned that only a person can read, move or
 * delete its message: then it is not needed any more, also after a restart.
 * Adds nothing where that is not so. */
void mailbox_unread_detail(const struct mailbox *mb, const struct job *job,
    const struct action *action, struct buf *detail);
bool mailbox_is_while_unread(enum action_kind kind, const char *detail);
void mailbox_follow_clear(struct mailbox *mb);
/* As far as we know. */
size_t mailbox_follow_unread(const struct mailbox *mb);
/* Nobody is followed yet in this life: mailbox_load_rung for what has rung
 * before, the newest first, as long as it says true. Whether that is unread the
 * first comparison tells. */
bool mailbox_wants_rung(const struct mailbox *mb);
bool mailbox_load_rung(struct mailbox *mb, uint32_t uidvalidity, uint32_t uid);
/* What the server says at any time. */
mailbox_response_fn mailbox_follow_news;
/* A comparison is due, when somebody is followed; mailbox_follow_hint: soon;
 * mailbox_follow_selected: unless SELECT has told everything. */
mailbox_begin_fn mailbox_follow_compare, mailbox_follow_hint,
    mailbox_follow_selected;
/* A rule marks these as read now, or does not after all. */
void mailbox_follow_mark(
    struct mailbox *mb, const struct imap_seqset *uids, bool by_us);
/* The connection is lost: whether a rule's STORE was done is told by the flags
 * of all that are followed, not by what changed. */
void mailbox_follow_interrupted(struct mailbox *mb);
void mailbox_follow_vanished(
    struct mailbox *mb, const struct imap_seqset *uids);
void mailbox_follow_add_uids(
    const struct mailbox *mb, struct imap_seqset *uids);
usec_t mailbox_follow_deadline(const struct mailbox *mb);
/* Begins the comparison; false when none is due. */
bool mailbox_follow_begin(struct mailbox *mb, usec_t now);
mailbox_response_fn mailbox_follow_untagged, mailbox_follow_done;

/* mailbox_resync.c */
/* The parameter of SELECT, where there is somebody to ask for. */
void mailbox_resync_add_select(
    struct mailbox *mb, struct imap_command *command);
/* SELECT was refused: whether it is to be tried without the parameter. */
bool mailbox_resync_retries(struct mailbox *mb);
/* SELECT is done: whether its mod-sequences make sense. */
mailbox_begin_fn mailbox_resync_selected;
/* VANISHED, and what mailbox_follow_news takes, at any time. */
mailbox_response_fn mailbox_resync_news;
/* Before anything of an earlier life is done: skips what is planned for
 * messages that are gone, and looks at those that may be; false: nothing to
 * look at. */
bool mailbox_resync_begin(struct mailbox *mb, usec_t now);
/* This message is looked at first, when nothing else is under way. */
/* Something of it is for who has not read it. */
bool mailbox_job_asks_for_reader(const struct job *job);
bool mailbox_resync_must_look(const struct mailbox *mb, const struct job *job);
mailbox_response_fn mailbox_resync_untagged, mailbox_resync_done;
/* Begins a SEARCH for those of `uids` that are there; imap_search_parse reads
 * its answer. */
void mailbox_resync_search(
    struct mailbox *mb, const struct imap_seqset *uids, usec_t now);
bool mailbox_has_modseq(const struct mailbox *mb);
void mailbox_resync_clear(struct mailbox *mb);
/* It changes flags or labels. */
bool mailbox_is_guarded(enum action_kind kind);
/* For the journal: what mailbox_read_modseq reads. Adds nothing when 0. */
void mailbox_modseq_detail(struct buf *detail, uint64_t modseq);
uint64_t mailbox_read_modseq(const char *detail);
/* STORE of the operation's group: the guard behind its UIDs, the new MODSEQ
 * that the server tells, and those that it left alone, which are settled and
 * taken out of the group; false: nobody is left in it. */
void mailbox_guard_add(const struct mailbox *mb, struct imap_command *command);
mailbox_response_fn mailbox_guard_note_store;
bool mailbox_guard_settle(
    struct mailbox *mb, const struct imap_response *response, usec_t now);

/* mailbox_login.c */
/* A new connection; nothing was said on it. */
void mailbox_login_anew(struct mailbox *mb);
/* A secret goes to the session. */
void mailbox_login_begins(struct mailbox *mb, struct span secret);
void mailbox_login_succeeded(struct mailbox *mb, usec_t now);
/* Before mailbox_fail: what the server said to a command that must not fail. */
void mailbox_login_note(
    struct mailbox *mb, const struct imap_response *response);
/* A session is about to be made: with which name is settled for it. */
void mailbox_login_choose(struct mailbox *mb);
/* What it logs in with. */
struct imap_session_config mailbox_login_config(const struct mailbox *mb);
/* The person, or another secret: what was refused is tried again. */
void mailbox_login_forgive(struct mailbox *mb);
/* After a failure: the wait before the next try, or, when the credentials are
 * locked by it, before the next look at the secret. */
usec_t mailbox_login_wait(
    struct mailbox *mb, const struct error *error, usec_t now);
/* So long, or longer: connections that live, and end again and again, are made
 * MAILBOX_LOGIN_BURST times in a row, and then one in MAILBOX_LOGIN_USEC. */
usec_t mailbox_login_pace(struct mailbox *mb, usec_t wait, usec_t now);
/* While locked: asks for the secret, and goes on if it is another one. */
mailbox_begin_fn mailbox_login_look;
void mailbox_login_looked(struct mailbox *mb, struct span secret, usec_t now);

/* mailbox_journal.c */
/* Takes the batch. */
void mailbox_commit(
    struct mailbox *mb, enum commit_purpose purpose, struct store_batch *batch);
/* Its plan is in the store, ... */
bool mailbox_is_written(const struct mailbox *mb, const struct job *job);
/* ... or may be there, as it was handed out. */
bool mailbox_may_be_written(const struct mailbox *mb, const struct job *job);
/* The batch that gathers outcomes and facts; a new one is lazy. */
struct store_batch *mailbox_outcomes(struct mailbox *mb);
/* Commits what the settling of actions gathered. */
void mailbox_flush_outcomes(struct mailbox *mb);
/* The same, but as soon as what is being written now is on disk. */
void mailbox_flush_outcomes_together(struct mailbox *mb);
/* Too many to wait for the end of what is being done. */
bool mailbox_has_many_outcomes(const struct mailbox *mb);
/* When the connection is lost. */
void mailbox_forget_commits(struct mailbox *mb);
/* Frees a batch that is not in the store, and never will be (NULL-safe):
 * rules did not act, so that their limits have room again. */
void mailbox_drop_batch(struct mailbox *mb, struct store_batch **batch);
/* The batch is in the store: from now on its senders are known. */
void mailbox_know_senders(struct mailbox *mb, const struct store_batch *batch);
/* At the end of its life. */
void mailbox_drop_commits(struct mailbox *mb);
/* A visitor rests: LEFT, once everything is written. */
void mailbox_say_left(struct mailbox *mb);
/* LOADING: the store is asked as soon as everything is written. */
mailbox_begin_fn mailbox_begin_load;

/* mailbox_open.c */
/* What the server said to a command that must not fail; when it did, the
 * connection is over. */
bool mailbox_is_ok_or_fail(struct mailbox *mb,
    const struct imap_response *response, const char *what, usec_t now);
mailbox_begin_fn mailbox_open, mailbox_select, mailbox_open_visit,
    mailbox_open_list;
mailbox_response_fn mailbox_open_names_untagged, mailbox_open_namespaces_done,
    mailbox_open_listing_done, mailbox_open_selecting_untagged,
    mailbox_open_selecting_done;
/* At the end of SELECT: a server that tells no UIDVALIDITY has one for ever. */
void mailbox_assume_validity(struct mailbox *mb);
/* Reads what SELECT and EXAMINE say. */
void mailbox_read_select(
    struct mailbox *mb, const struct imap_response *response);

/* mailbox_reopen.c */
void mailbox_reopen_selected(struct mailbox *mb, usec_t now);
void mailbox_reopen_looks(struct mailbox *mb, usec_t now);
void mailbox_reopen_told(struct mailbox *mb);
/* Only SELECT shows new mail there. */
bool mailbox_is_blind(const struct mailbox *mb);
void mailbox_reopen_found(struct mailbox *mb);
void mailbox_reopen_rests(struct mailbox *mb, usec_t now);
void mailbox_reopen_untagged(
    struct mailbox *mb, const struct imap_response *response, usec_t now);
/* False: there is no need. */
bool mailbox_reopen_begin(struct mailbox *mb, usec_t now);

/* Before the news in it are read. */
void mailbox_sweep_heard(
    struct mailbox *mb, const struct imap_response *response);

/* mailbox_rest.c */
bool mailbox_rest_rush_done(struct mailbox *mb, const struct imap_event *event);
/* After anything that may leave nothing to do: act, sweep, or rest. */
mailbox_begin_fn mailbox_go_on;
/* Leaves the rest when there is something to do. */
mailbox_begin_fn mailbox_wake;
/* EXISTS with the number known already, in IDLE. */
mailbox_begin_fn mailbox_rest_echo;
mailbox_begin_fn mailbox_log_out, mailbox_rest_idle_timer,
    mailbox_rest_polling_timer;
mailbox_response_fn mailbox_rest_idle_untagged, mailbox_rest_idle_done,
    mailbox_rest_noop_done;

/* mailbox_proof.c */
void mailbox_proof_init(struct mailbox *mb);
void mailbox_proof_tick(struct mailbox *mb, usec_t now);
mailbox_begin_fn mailbox_hint_waiting, mailbox_hint_connecting;
/* The connection is about to be dropped with this error. */
void mailbox_proof_lost(
    struct mailbox *mb, const struct error *error, usec_t now);
/* The server told of a new message while it idled. */
void mailbox_proof_pushed(struct mailbox *mb);
/* How long IDLE may last. */
usec_t mailbox_proof_wait(const struct mailbox *mb);
/* How long it may rest without IDLE. */
usec_t mailbox_proof_poll(const struct mailbox *mb);
/* IDLE ends because its time is over. */
void mailbox_proof_renews(struct mailbox *mb, usec_t now);
/* The same of a poll. */
void mailbox_proof_tests(struct mailbox *mb, usec_t now);
/* Nothing is left to do. */
void mailbox_proof_rests(struct mailbox *mb, usec_t now);

/* mailbox_rove.c */
/* Without a connection, from now on. */
mailbox_begin_fn mailbox_rove_park, mailbox_rove_timer, mailbox_rove_tick,
    mailbox_rove_wake, mailbox_rove_loaded, mailbox_rove_task_done;
usec_t mailbox_rove_deadline(const struct mailbox *mb);
/* How often it is asked for now. */
usec_t mailbox_rove_interval(const struct mailbox *mb);
/* Parked: the store has something that is left to do. */
void mailbox_rove_note_work(struct mailbox *mb);
/* Between two operations: it has been here for so long that others go first. */
bool mailbox_rove_must_leave(const struct mailbox *mb, usec_t now);
/* end_visit: logs out, where the connection is its own. */
mailbox_begin_fn mailbox_rove_leave, mailbox_rove_end_visit;
/* Instead of resting: lists, asks for others, leaves; false: nothing of that.
 */
bool mailbox_rove_next(struct mailbox *mb, usec_t now);
/* The latest end of a rest; USEC_NEVER: any. */
usec_t mailbox_rove_limit(const struct mailbox *mb);
mailbox_response_fn mailbox_rove_notifying_done;
/* What NOTIFY pushes, in any state. */
mailbox_response_fn mailbox_rove_pushed;
void mailbox_rove_refused(
    struct mailbox *mb, const struct error *error, usec_t now);
/* Not open: rests until it is tried again. */
mailbox_begin_fn mailbox_rove_wait_outside;
void mailbox_rove_lost(
    struct mailbox *mb, const struct error *error, usec_t now);
void mailbox_round_clear(struct mailbox *mb);
struct round *mailbox_round_of(struct mailbox *mb); /* makes one */
bool mailbox_round_asks(const struct mailbox *mb);
bool mailbox_round_notifies(const struct mailbox *mb);

/* mailbox_audit.c */
mailbox_begin_fn mailbox_audit_selected;
void mailbox_audit_clear(struct mailbox *mb);
/* At first contact: whoever is at the cursor or above has to be judged. Adds
 * that to the batch. */
void mailbox_audit_begin_at_cursor(
    struct mailbox *mb, struct store_batch *batch, usec_t now);
/* Looks, when it is time; false: it is not. */
bool mailbox_audit_begin(struct mailbox *mb, usec_t now);
mailbox_response_fn mailbox_audit_untagged, mailbox_audit_done;
/* These were there, and judged. */
void mailbox_audit_note(struct mailbox *mb, const struct imap_seqset *uids);
/* ... of this UIDVALIDITY, those below `end`. */
void mailbox_audit_note_below(struct mailbox *mb, uint32_t validity,
    const struct imap_seqset *uids, uint32_t end);

/* Adds those of `from` that lie in [first, end) and are not in `but`. */
void mailbox_add_uids(struct imap_seqset *to, const struct imap_seqset *from,
    const struct imap_seqset *but, uint32_t first, uint32_t end);

/* mailbox_twin.c */
void mailbox_twin_free(struct mailbox *mb);
/* What names it, for a FETCH of new messages. */
void mailbox_twin_add_items(struct mailbox *mb, struct imap_command *command);
bool mailbox_twin_has_home(
    const struct mailbox *mb, const struct imap_fetch *fetch);
/* It may be judged here now: the candidate says when that ends. False: it has
 * to wait. */
bool mailbox_twin_begin(
    struct mailbox *mb, struct candidate *candidate, usec_t now);
/* It waits, and the window goes on without it; false: too many do. */
bool mailbox_twin_wait(struct mailbox *mb, uint32_t uid);
/* Before its commit. */
mailbox_begin_fn mailbox_twin_window_ends;
/* Adds who waits, unless the store knows. */
void mailbox_twin_write(struct mailbox *mb, struct store_batch *batch);
/* Of the next look; USEC_NEVER: nobody waits. `deadline`: ... or it is not
 * open. */
usec_t mailbox_twin_due(const struct mailbox *mb);
usec_t mailbox_twin_deadline(const struct mailbox *mb);
/* When it is time: they are to be fetched, as late ones. */
mailbox_begin_fn mailbox_twin_resume;

/* mailbox_rebuilt.c */
mailbox_begin_fn mailbox_rebuilt_begin;
mailbox_response_fn mailbox_rebuilt_note_found, mailbox_rebuilt_searched,
    mailbox_rebuilt_note_message, mailbox_rebuilt_matched;
/* A window of late messages begins: its batch; and they are judged. */
void mailbox_rebuilt_give_batch(struct mailbox *mb);
void mailbox_rebuilt_note_judged(struct mailbox *mb, uint32_t uid);
/* It ends; false: there are more of them (audit.late), and the cursor waits. */
bool mailbox_rebuilt_is_over(struct mailbox *mb);
void mailbox_rebuilt_clear(struct mailbox *mb);

/* mailbox_ask.c */
void mailbox_ask_clear(struct round *round);
bool mailbox_ask_has_questions(const struct mailbox *mb);
/* Asks for the next; false: there is none. */
bool mailbox_ask_next(struct mailbox *mb, usec_t now);
mailbox_response_fn mailbox_ask_untagged;
/* Whether it is the answer to one of the questions. */
bool mailbox_ask_done(struct mailbox *mb, unsigned id,
    const struct imap_response *response, usec_t now);
/* Emits TOLD. */
void mailbox_ask_tell(
    struct mailbox *mb, const char *name, struct mailbox_news news);
/* INBOX in any case. */
bool mailbox_is_same_name(struct span a, struct span b);

/* mailbox_chunk.c */
/* Live mail was judged, and is in mb->plan: writes that, when it is worth
 * while. */
void mailbox_chunk_note(struct mailbox *mb, uint32_t uid);
/* It waits (mailbox_twin.c): the cursor goes on without it. */
void mailbox_chunk_pass(struct mailbox *mb, uint32_t uid);
/* It was judged, maybe in an earlier life, and is not to be judged again. */
bool mailbox_chunk_has(const struct mailbox *mb, uint32_t uid);
/* The cursor was read (NULL: there is none), or set anew. */
void mailbox_chunk_begin(struct mailbox *mb, const struct store_cursor *cursor);
/* The cursor as it is now, into what ends a window or sets it. */
void mailbox_chunk_end(struct mailbox *mb, struct store_batch *batch);

/* mailbox_sweep.c */
void mailbox_sweep_begin(struct mailbox *mb, usec_t now);
/* The connection ends: was it too much malformed structure? */
void mailbox_sweep_lost(struct mailbox *mb);
bool mailbox_sweep_is_due(const struct mailbox *mb);
/* It begins with the question for the last UID. */
bool mailbox_sweep_asks_end(const struct mailbox *mb);
void mailbox_sweep_untagged(
    struct mailbox *mb, const struct imap_response *response, usec_t now);
void mailbox_sweep_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now);
void mailbox_sweep_committed(struct mailbox *mb, usec_t now);
void mailbox_highest_untagged(
    struct mailbox *mb, const struct imap_response *response, usec_t now);
void mailbox_highest_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now);
mailbox_response_fn mailbox_early_untagged, mailbox_early_done;
/* Sets the cursor, in memory, behind all that is there. */
void mailbox_sweep_reset(struct mailbox *mb);
/* Plans and cursor go to disk. Takes the batch. */
void mailbox_sweep_commit(
    struct mailbox *mb, struct store_batch *batch, usec_t now);
/* Asks for what came on that day or later, by UID SEARCH: of many messages the
 * newest first, as one answer is one line. */
void mailbox_sweep_search_since(
    struct mailbox *mb, int64_t day_unix, usec_t now);
/* Of the answer: true: there are more messages, and they are asked for. */
bool mailbox_sweep_search_goes_on(struct mailbox *mb,
    const struct imap_response *response, int64_t day_unix, usec_t now);
/* What was planned under another UIDVALIDITY can never be done. */
void mailbox_give_up_old(struct mailbox *mb, usec_t now);
/* Compares cursor and mailbox after SELECT; may reset the cursor. */
void mailbox_compare(struct mailbox *mb, usec_t now);

/* The items that the loaded rules need, as the end of a UID FETCH. */
void mailbox_add_fetch_items(struct mailbox *mb, struct imap_command *command);
/* An answer was dropped for its structure: from now on that is not asked for
 * (mb->bare), and what did not come is to be fetched once more. */
bool mailbox_fetch_bare(struct mailbox *mb);
/* A refused FETCH: asked again with less, and so on this connection from now
 * on? */
bool mailbox_fetch_less(struct mailbox *mb);

/* mailbox_backlog.c */
/* Goes on with the run; false: there is nothing to send for it now. */
bool mailbox_backlog_begin(struct mailbox *mb, usec_t now);
bool mailbox_backlog_is_unfinished(const struct mailbox *mb);
/* Whether its run is there for what was left open, too, as this was. */
bool mailbox_backlog_has_left(
    const struct mailbox *mb, const struct store_effect *effect);
/* ... and there are messages that it has not looked at. */
bool mailbox_backlog_has_more(const struct mailbox *mb);
mailbox_response_fn mailbox_backlog_note_found, mailbox_backlog_searched,
    mailbox_backlog_untagged, mailbox_backlog_done;
/* A message of the run was judged. */
void mailbox_backlog_note_plan(
    struct mailbox *mb, uint32_t uid, const struct plan *plan);
/* An action was settled; it may be of the run. */
void mailbox_backlog_settled(
    struct mailbox *mb, const struct job *job, enum effect_state state);
/* Emits PROGRESS. */
void mailbox_backlog_tell(struct mailbox *mb);
/* Nothing is on its way to disk any more: tells of the end of a run. */
void mailbox_backlog_written(struct mailbox *mb);
/* There is one that the store remembers: somebody may come for it again. */
bool mailbox_backlog_may_wait(const struct mailbox *mb);
/* Ends the run, if there is one. */
void mailbox_backlog_end(
    struct mailbox *mb, enum apply_state state, const char *detail, usec_t now);
/* The mailbox cannot be opened: what the run had only planned has failed. */
void mailbox_backlog_give_up(struct mailbox *mb, const char *words, usec_t now);
/* Before the state changes, when the connection is lost. */
void mailbox_backlog_interrupted(struct mailbox *mb);
/* Skips what is planned of a run that was cancelled, and ends it when nothing
 * is left. Not while an operation is under way. */
void mailbox_backlog_heed_cancel(struct mailbox *mb, usec_t now);
void mailbox_backlog_free(struct mailbox *mb);

/* FETCH of `uids` with what rules need: the answers are the group's. */
void mailbox_backlog_fetch(
    struct mailbox *mb, const struct imap_seqset *uids, usec_t now);
/* The group has come, as far as it will. */
void mailbox_backlog_group_came(struct mailbox *mb, usec_t now);

/* mailbox_missing.c: what the server leaves out of a group */
/* A FETCH of the group ended. Asks for what did not come, or goes on with
 * mailbox_backlog_group_came. */
void mailbox_missing_ask(struct mailbox *mb, usec_t now);
mailbox_response_fn mailbox_missing_note_there, mailbox_missing_looked;
/* What the FETCH under way asked for. */
const struct imap_seqset *mailbox_missing_asked(const struct backlog *run);
/* Counts and names those that it did not give. */
void mailbox_missing_note_left(struct mailbox *mb);
void mailbox_missing_clear(struct backlog *run);

/* mailbox_explain.c */
/* Asks for the next message; false: there is no question. */
bool mailbox_explain_is_asked(const struct mailbox *mb);
bool mailbox_explain_begin(struct mailbox *mb, usec_t now);
void mailbox_explain_free(struct mailbox *mb);
mailbox_response_fn mailbox_explain_untagged, mailbox_explain_done;
/* Answers all questions with this error. */
void mailbox_explain_fail(struct mailbox *mb, const struct error *error);

/* mailbox_find.c */
/* Looks for the next one; false: there is none. */
bool mailbox_preview_begin(struct mailbox *mb, usec_t now);
/* The same of a message that is about to be taken away; false: of none. */
bool mailbox_preview_begin_early(struct mailbox *mb, usec_t now);
/* Before the state is left: the connection is lost. */
void mailbox_preview_lost(struct mailbox *mb);
mailbox_response_fn mailbox_preview_untagged, mailbox_preview_done;
void mailbox_preview_free(struct mailbox *mb);
bool mailbox_preview_is_asked(const struct mailbox *mb);
bool mailbox_find_begin(struct mailbox *mb, usec_t now);
mailbox_response_fn mailbox_find_untagged, mailbox_find_done;
/* Answers all of them with this error. */
void mailbox_find_fail(struct mailbox *mb, const struct error *error);
void mailbox_find_free(struct mailbox *mb);
/* Somebody waits for an answer: of this, or of mailbox_explain. */
bool mailbox_is_asked(const struct mailbox *mb);

/* mailbox_judge.c */
/* Copies what the answer tells; the answer must have a header. */
/* NULL: not told. */
struct structure *mailbox_read_structure(const struct imap_value *value);
struct candidate *mailbox_candidate_new(const struct imap_fetch *fetch);
/* Takes it out of its list, too. */
void mailbox_candidate_free(struct candidate **candidate);
/* What the rules are told of it. Borrows. */
struct facts mailbox_facts(
    const struct mailbox *mb, const struct candidate *candidate, usec_t now);
/* Fills is_new_sender. Once for each message, in the order of their coming;
 * from then on the sender is known in this window. */
void mailbox_meet_sender(struct mailbox *mb, struct candidate *candidate);
/* Whether a rule put the message here; adds where it was judged before. */
enum arrival mailbox_meet_arrival(struct mailbox *mb,
    const struct candidate *candidate, struct strv *judged_r);
/* The window ends. */
void mailbox_forget_first_half(struct mailbox *mb);
void mailbox_forget_met(struct mailbox *mb);
/* It will be met again. */
void mailbox_unmeet_sender(
    struct mailbox *mb, const struct candidate *candidate);
/*
 * Judges. 0: decided; the plan is in mb->plan (there must be one) as rows and
 * among the jobs, and was reported. Else what is wanted of enum plan_want:
 * nothing has happened, fill the candidate and call it again.
 */
unsigned mailbox_judge(
    struct mailbox *mb, struct candidate *candidate, usec_t now);

/* mailbox_body.c: the second round */
/*
 * Judges with what is there, an empty structure where the server told none,
 * and an empty body where there is no text part. False: the text part has to
 * be fetched first.
 */
bool mailbox_body_judge(
    struct mailbox *mb, struct candidate *candidate, usec_t now);
/* The same without the text, which is not to be had. */
void mailbox_body_judge_without(
    struct mailbox *mb, struct candidate *candidate, usec_t now);
/* Some wait; and the memory of these. */
bool mailbox_body_is_awaited(const struct mailbox *mb);
size_t mailbox_body_bytes(const struct mailbox *mb);
/* Whether one more may wait. */
bool mailbox_body_has_room(
    const struct mailbox *mb, const struct candidate *candidate);
/* Takes one that mailbox_body_judge said false of. */
void mailbox_body_wait(struct mailbox *mb, struct candidate **candidate);
/* Fetches the text parts of all that wait and judges them; then `done`. When
 * the rules change meanwhile, `again` instead, with those that still wait. */
void mailbox_body_begin(struct mailbox *mb, mailbox_begin_fn *done,
    mailbox_begin_fn *again, usec_t now);
/* Forgets all that wait. */
void mailbox_body_clear(struct mailbox *mb);
mailbox_response_fn mailbox_body_untagged, mailbox_body_done;
/* A FETCH refused by what may pass must not be taken for the answer: ends the
 * connection, so that all of it is asked for again, by the ladder of the cause;
 * but not for ever: false, and then it has to go without. `simplest`: nothing
 * simpler can be asked for, so that a server that is broken is put off, too. */
bool mailbox_put_off(struct mailbox *mb, const struct imap_response *response,
    bool simplest, usec_t now);

/* Borrowed from the message. */
struct span mailbox_message_id(struct message *message);
/* A header field as people read it; malloc'ed. */
char *mailbox_decoded(struct message *message, const char *name);
/* The first sender, as `Name <address>`; malloc'ed. */
char *mailbox_sender(struct message *message);

/* mailbox_code.c */
/* The subject as it is kept and messages are compared by it, without a one-time
 * code; malloc'ed. `clear_r`: as it came, or NULL when that is the same. */
char *mailbox_subject(struct message *message, char **clear_r);
/* Of the store; a job has no other yet. */
void mailbox_job_keep_subject(struct job *job, const char *subject);
/* As it came, as far as it is known. */
const char *mailbox_job_subject(const struct job *job);
/* Which codes it has, with those of its text. */
void mailbox_job_note_codes(struct job *job, struct span text);
/* What is made of the message, as it may be kept: malloc'ed. */
char *mailbox_job_hide(const struct job *job, const char *text);
/* The action as the journal keeps it. */
void mailbox_job_format(
    const struct job *job, const struct action *action, struct buf *out);
/* There may have been a code in what was loaded of it. */
bool mailbox_job_is_hidden(const struct job *job, const struct action *action);
/* Shows them again, by the message or its header block. */
void mailbox_task_show_codes(struct mailbox_task *task, struct span content);

/* mailbox_jobs.c */
struct job *mailbox_job_add(
    struct mailbox *mb, uint32_t uidvalidity, uint32_t uid);
struct job *mailbox_job_find(
    const struct mailbox *mb, uint32_t uidvalidity, uint32_t uid);
struct job_action *mailbox_job_add_action(struct job *job);
/* It was given, and is of a message that the server has not told of here: it
 * would do nothing now, and say that it was done. */
bool mailbox_job_is_ahead(const struct mailbox *mb, const struct job *job);
/* The action that is next: there must be one. */
struct job_action *mailbox_job_current(struct job *job);
void mailbox_job_advance(struct job *job);
void mailbox_job_free(struct mailbox *mb, struct job *job);
void mailbox_jobs_clear(struct mailbox *mb);
void mailbox_jobs_free_finished(struct mailbox *mb);
/* The outcome of the job's current action, for the journal; advances. */
void mailbox_settle(struct mailbox *mb, struct job *job,
    struct job_action *action, enum effect_state state, const char *detail,
    usec_t now);
/* The action as it is, for the journal; nothing else changes. */
void mailbox_job_record(struct mailbox *mb, const struct job *job,
    const struct job_action *action, const char *detail, usec_t now);
/* A refusal that may pass: the current action waits, or gives up. */
void mailbox_job_postpone(struct mailbox *mb, struct job *job,
    const struct imap_refusal *why, const char *detail, usec_t now);
void mailbox_act_task_done(struct mailbox *mb, uint32_t uidvalidity,
    uint32_t uid, unsigned seq, enum effect_state state, const char *detail,
    usec_t now);
bool mailbox_has_task(
    struct mailbox *mb, uint32_t uidvalidity, uint32_t uid, unsigned seq);
/* Whether a STARTED one is looked for after doubt. */
bool mailbox_is_verified(enum action_kind kind);
/* After loading: settles lost commands, resumes waits. */
void mailbox_act_resume(struct mailbox *mb, usec_t now);

/* mailbox_act.c: the operation, its group, its table of steps */
/* Begins what can be begun; false when nothing is under way then. */
bool mailbox_act_begin(struct mailbox *mb, usec_t now);
/* Shows it to all that are under way. */
void mailbox_act_untagged(
    struct mailbox *mb, const struct imap_response *response, usec_t now);
/* Whether it is an operation's. */
bool mailbox_act_done(struct mailbox *mb, unsigned id,
    const struct imap_response *response, usec_t now);
void mailbox_act_committed(struct mailbox *mb, usec_t now);
/* When a job may be gone on with; USEC_NEVER: none can. */
usec_t mailbox_act_deadline(const struct mailbox *mb);
bool mailbox_act_is_due(const struct mailbox *mb, usec_t now);

/* mailbox_op.c: operations under way. But for the first three these are of the
 * one that is served: mb->op. */
void mailbox_op_new(struct mailbox *mb);
void mailbox_op_add(struct mailbox *mb, struct job *job);
void mailbox_ops_clear(struct mailbox *mb);
/* One of them has another mailbox open: its news are not ours. */
bool mailbox_is_elsewhere(const struct mailbox *mb);
bool mailbox_op_has(const struct mailbox *mb, const struct job *job);
/* It takes the message away. */
bool mailbox_is_destructive(enum action_kind kind);
/* The job of an operation that serves one. */
struct job *mailbox_op_only(struct mailbox *mb);
/* Goes on with the jobs of op->uids only; the others are settled. */
void mailbox_op_narrow(struct mailbox *mb);
/* Before they are cleared, when the connection is lost. */
void mailbox_ops_take_back(struct mailbox *mb, usec_t now);
/* Ends the operation and goes on with whatever comes next. */
void mailbox_op_finish(struct mailbox *mb, usec_t now);
/* Each of these three settles the whole group and finishes. */
void mailbox_op_settle(struct mailbox *mb, enum effect_state state,
    const char *detail, usec_t now);
/* They were refused together, and nothing tells why: it may be because of one
 * of them, and each is tried alone. False: they were, or that came to nothing
 * for others. */
bool mailbox_op_part(struct mailbox *mb, const char *detail, usec_t now);
/* The same for one of them. */
bool mailbox_op_part_job(
    struct mailbox *mb, struct job *job, const char *detail, usec_t now);
void mailbox_op_postpone(struct mailbox *mb, const char *detail, usec_t now);
void mailbox_op_refuse(
    struct mailbox *mb, const struct imap_response *response, usec_t now);
const struct action *mailbox_op_own_action(struct mailbox *mb);
/* Remembers why, and holds the action back where it makes no sense soon. */
void mailbox_op_note_refusal(
    struct mailbox *mb, const struct imap_response *response, usec_t now);
/* Whether time may cure the refusal. */
/* The operation goes on with these (taken) only: the server left out the others
 * of its group, and their turn comes again. */
void mailbox_op_leave_out(struct mailbox *mb, struct imap_seqset *uids,
    const char *detail, usec_t now);
void mailbox_op_note_limit(
    struct mailbox *mb, const struct imap_response *response);
bool mailbox_is_for_now(const struct imap_response *response);
void mailbox_refusal_words(
    const struct imap_response *response, struct buf *words);
void mailbox_op_send_uids(struct mailbox *mb, enum op_step step,
    const char *name, const char *items, usec_t now);
void mailbox_op_send_to_target(
    struct mailbox *mb, enum op_step step, const char *name, usec_t now);
void mailbox_op_send_target(
    struct mailbox *mb, enum op_step step, const char *name, usec_t now);
bool mailbox_can(const struct mailbox *mb, uint64_t capability);
/* The group is ours: its first step. */
mailbox_begin_fn mailbox_op_begin;
/* What follows once the intent of the operation's group is on disk. */
mailbox_begin_fn mailbox_op_started;

/* Jobs that wait for others than us. */
size_t mailbox_jobs_waiting(const struct mailbox *mb);
/* As many as there may be. */
bool mailbox_jobs_are_full(const struct mailbox *mb);

/* mailbox_claim.c */
/* The group is complete: mailbox_op_begin with what is ours of it, now or
 * later; the others wait or are settled. */
mailbox_begin_fn mailbox_claim_begin;
/* It is done at once, as far as is known. */
bool mailbox_claim_is_free(
    const struct mailbox *mb, enum action_kind kind, usec_t now);
/* What happens twice when two machines do it. */
bool mailbox_claim_is_once(enum action_kind kind);
/* A group of equal copies may be of several rules. */
void mailbox_claim_mark_of(const struct action *action, struct buf *mark);
/* The intent of a command is on disk: true when its mark is stored first. */
bool mailbox_claim_mark_first(struct mailbox *mb, usec_t now);
/* The connection goes before the mark is known to be stored. */
void mailbox_claim_take_back(struct mailbox *mb, struct job *job, usec_t now);
/* It is to be claimed, or that is to be found out: no other operation may be
 * under way. */
bool mailbox_claim_must_be_alone(
    const struct mailbox *mb, const struct job *job, usec_t now);
/* The connection is gone. */
void mailbox_claim_interrupt(struct mailbox *mb);
void mailbox_claim_clear(struct mailbox *mb);
mailbox_response_fn mailbox_claim_note_message, mailbox_claim_done,
    mailbox_claim_mark_done;

/* What a person would call the claims of others, as far as is known. */
enum claims_answer mailbox_claim_ask(const struct mailbox *mb, usec_t now);
/* Begins to claim op->uids. False: the mailbox keeps no keywords. */
bool mailbox_claim_run(
    struct mailbox *mb, const char *mark, bool holds_unsure, usec_t now);
/* What is not marked here was never marked. */
bool mailbox_claim_keeps_marks(struct mailbox *mb);
/* The group was copied: true when its mark is stored before that is settled,
 * so that who dies before it looks for the copy, and marks it then. */
bool mailbox_claim_mark_copies(struct mailbox *mb, usec_t now);

/* mailbox_left.c */
/* Commands that were under way when the daemon died, and whose turn it is:
 * shown, not repeated, but for those whose claim says that they never ran. What
 * stood before one of them may have been done, and not written: then its turn
 * comes when that is found out. */
void mailbox_job_settle_lost(struct mailbox *mb, struct job *job, usec_t now);
/* The mailbox is another one: nothing can be found out about them. */
mailbox_begin_fn mailbox_left_give_up;
/* A copy that was found, and is perhaps not marked. */
bool mailbox_left_is_copy(const struct job_action *action);
/* The claims of the group were looked at; or cannot be. */
mailbox_begin_fn mailbox_left_share_out, mailbox_left_settle;

/* mailbox_chore.c */
/* An action of the group under way was settled. */
void mailbox_claim_settled(struct mailbox *mb, const struct job *job,
    const struct job_action *action, enum effect_state state);
/* To be stored: the mark of what was done to the message, and then, once
 * nothing else needs it, no claim. */
void mailbox_claim_note_done(
    struct mailbox *mb, uint32_t uid, const char *mark);
/* The copy of an earlier life was found in the target: our claim of then goes,
 * where it has gone along. It is of this mailbox, and none there. */
void mailbox_claim_note_copy(
    struct mailbox *mb, const struct imap_fetch *fetch);
/* Before other operations: one that stores marks, where some wait. */
mailbox_begin_fn mailbox_claim_mark;
/* Nothing else is to be done: an operation that stores what is left. */
mailbox_begin_fn mailbox_claim_tidy;
void mailbox_chores_clear(struct mailbox *mb);
/* When one that was refused is tried again. */
usec_t mailbox_chores_deadline(const struct mailbox *mb);
/* The connection is gone. */
void mailbox_chores_interrupt(struct mailbox *mb);
mailbox_response_fn mailbox_claim_chore_done, mailbox_claim_chore_selected,
    mailbox_claim_chore_stored, mailbox_claim_chore_back;

/* mailbox_forward.c */
/* The forward of the operation is in the store's queue. */
void mailbox_forward_queued(struct mailbox *mb, struct job *job, usec_t now);
/* It is to be claimed until it was sent. */
bool mailbox_forward_is_claimed(
    const struct mailbox *mb, const struct job *job);
/* One of this message is in the queue. */
bool mailbox_forward_has(const struct mailbox *mb, uint32_t uid);
/* Of the group, what is to be taken away waits for its forwards. False: all
 * waits, and the operation is over. */
bool mailbox_forward_hold_back(struct mailbox *mb, usec_t now);
/* What is over is to be marked: chores of mailbox_claim.c. */
void mailbox_forward_note_ends(struct mailbox *mb);
/* Begins an operation, where one is due. */
bool mailbox_forward_begin(struct mailbox *mb, usec_t now);
/* ... goes on with it after others were looked for, */
mailbox_begin_fn mailbox_forward_go_on;
/* ... and once the claim is decided. */
mailbox_begin_fn mailbox_forward_share_out;
mailbox_response_fn mailbox_forward_stored;
usec_t mailbox_forward_deadline(const struct mailbox *mb);
void mailbox_forward_interrupt(struct mailbox *mb);
void mailbox_forward_clear(struct mailbox *mb);

/* To be shared out, and the log was read for the claim, or not. */
mailbox_begin_fn mailbox_claim_share_out;
void mailbox_claim_log_read(struct mailbox *mb, bool ok, usec_t now);
/* A STORE of claims and marks, however they are kept here. */
void mailbox_claim_store(struct mailbox *mb, enum op_step step,
    const struct claim_command *wanted, usec_t now);

bool mailbox_claim_is_taken(
    const struct mailbox *mb, const struct imap_fetch *fetch);

/* mailbox_log.c */
bool mailbox_log_is_used(const struct mailbox *mb);
void mailbox_log_append(struct mailbox *mb, enum op_step step,
    const struct claim_log_store *store, usec_t now);
void mailbox_log_store(struct mailbox *mb, enum op_step step,
    const struct claim_command *wanted, usec_t now);
mailbox_begin_fn mailbox_log_fetch, mailbox_log_leave;
void mailbox_log_send_read(struct mailbox *mb, enum op_step step, usec_t now);
void mailbox_log_warn(struct mailbox *mb);
mailbox_response_fn mailbox_log_note_select, mailbox_log_selected,
    mailbox_log_note_entry, mailbox_log_read_done, mailbox_log_back,
    mailbox_log_note_present, mailbox_log_present_done;

/* mailbox_seek.c */
mailbox_response_fn mailbox_seek_logged, mailbox_seek_relogged,
    mailbox_seek_relooked;
/* Looks for other machines, then mailbox_claim_begin again. */
mailbox_begin_fn mailbox_seek_begin;
void mailbox_seek_done(struct mailbox *mb);
mailbox_response_fn mailbox_seek_note_status, mailbox_seek_status_done,
    mailbox_seek_created, mailbox_seek_note_select, mailbox_seek_selected,
    mailbox_seek_note_record, mailbox_seek_read_done, mailbox_seek_appended,
    mailbox_seek_deleted, mailbox_seek_expunged, mailbox_seek_note_proof,
    mailbox_seek_proof_done, mailbox_seek_again_done, mailbox_seek_back;

/* mailbox_label.c */
mailbox_begin_fn mailbox_label_begin;
mailbox_response_fn mailbox_label_done;

/* mailbox_mark.c */
mailbox_begin_fn mailbox_mark_begin;
mailbox_response_fn mailbox_mark_done;

/* mailbox_move.c */
mailbox_begin_fn mailbox_move_begin, mailbox_move_begin_delete,
    mailbox_move_delete,
    mailbox_move_send_status, mailbox_move_send_look, mailbox_move_send_deleted,
    mailbox_move_take_away, mailbox_move_copy;
mailbox_response_fn mailbox_move_note_status, mailbox_move_status_done,
    mailbox_move_note_copyuid, mailbox_move_copy_done, mailbox_move_copy_marked,
    mailbox_move_create_done, mailbox_move_subscribe_done, mailbox_move_done,
    mailbox_move_note_uid, mailbox_move_look_done, mailbox_move_deleted_done,
    mailbox_move_expunge_done;

/* mailbox_task.c */
mailbox_begin_fn mailbox_task_begin, mailbox_task_start_exec,
    mailbox_task_forward_queued;
mailbox_response_fn mailbox_task_note_content, mailbox_task_fetch_done;
struct mailbox_task *mailbox_task_make(
    struct mailbox *mb, const struct job *job, const struct job_action *action);
/* Takes the task. */
void mailbox_task_hand_out(struct mailbox *mb, struct mailbox_task *task,
    enum mailbox_event_kind kind);

/* The plan is about to be written: with it the intents of commands whose
 * header is here. */
void mailbox_task_add_early(
    struct mailbox *mb, struct store_batch *batch, usec_t now);
/* ... and behind their commit: PREPARE. */
void mailbox_task_prepare(struct mailbox *mb);

/* mailbox_intent.c */
/* The plan of this job is being written: marks as STARTED what will be begun
 * without asking the server first, so that its intent is in the plan's own
 * transaction. */
void mailbox_intent_begin_early(
    struct mailbox *mb, struct job *job, usec_t now);
/* Intents that went to disk with their plans, and were not begun: they are
 * planned again. */
mailbox_begin_fn mailbox_intent_take_back;
/* Makes the group STARTED, together with outcomes that wait to be written;
 * then mailbox_op_started: at once, where all of it is on disk already. */
mailbox_begin_fn mailbox_op_intent;
/* Those that mailbox_op_intent has left to be written together. */
mailbox_begin_fn mailbox_write_intents;
uint32_t mailbox_read_intent_detail(const char *detail);
/* It was begun under a claim. */
bool mailbox_is_claimed(const char *detail);
/* The same, written; 0: nothing. */
void mailbox_intent_detail(
    struct buf *detail, bool claimed, uint32_t target_next);

/* mailbox_verify.c */
/* What was looked for in vain is known when the connection is back. */
void mailbox_verify_keep_looks(struct mailbox *mb);
void mailbox_verify_forget_looks(struct mailbox *mb);
/* The effect was loaded again. */
void mailbox_verify_resume_look(
    struct mailbox *mb, struct job *job, struct job_action *action);
/* What would make a copy waits for the looks after one that looks the same:
 * until then; 0: it need not. */
usec_t mailbox_verify_held_until(
    const struct mailbox *mb, const struct job *job);
mailbox_begin_fn mailbox_verify_begin, mailbox_verify_looked;
/* Of what is not a copy: whether its UID alone tells if it was done. */
bool mailbox_verify_by_uid(
    const struct mailbox *mb, const struct job_action *action);
/* SELECT after a visit elsewhere has ended; false: the connection is over. */
bool mailbox_verify_is_back(
    struct mailbox *mb, const struct imap_response *response, usec_t now);
mailbox_response_fn mailbox_verify_note_target, mailbox_verify_examine_done,
    mailbox_verify_note_found, mailbox_verify_search_done,
    mailbox_verify_note_size, mailbox_verify_sizes_done,
    mailbox_verify_note_header, mailbox_verify_compare_done,
    mailbox_verify_reselect_untagged, mailbox_verify_reselect_done;

#endif
