/*
 * sim/model_imap: an IMAP server that is a model: mailboxes in memory, and
 * sessions that take bytes and give bytes. It knows what really happened, so
 * that invariants can be checked against it; it can be told to behave as the
 * odd servers do.
 */
#ifndef BELFRY_SIM_MODEL_IMAP_H
#define BELFRY_SIM_MODEL_IMAP_H

#include <limits.h>

#include "daemon/base/buf.h"
#include "daemon/base/list.h"
#include "daemon/base/random.h"
#include "daemon/base/strv.h"
#include "daemon/base/usec.h"
#include "tests/sim/personality.h"

/* What it offers and how it misbehaves: bits. */
#define MODEL_BIT(n) (UINT64_C(1) << (n))
/* clang-format off */
#define MODEL_MOVE MODEL_BIT(0)
#define MODEL_UIDPLUS MODEL_BIT(1)
#define MODEL_IDLE MODEL_BIT(2)
#define MODEL_NAMESPACE MODEL_BIT(3)
#define MODEL_NO_UIDNEXT MODEL_BIT(4)        /* SELECT does not say it, and SEARCH
					      * takes the sizes of files (Courier) */
#define MODEL_NO_COPYUID MODEL_BIT(5)        /* although UIDPLUS is offered */
#define MODEL_SILENT_IDLE MODEL_BIT(6)       /* accepts IDLE, pushes nothing */
#define MODEL_CHATTY MODEL_BIT(7)            /* unsolicited data in odd places */
#define MODEL_DOT_PREFIX MODEL_BIT(8)        /* delimiter '.', prefix INBOX. */
#define MODEL_BARE_COPYUID MODEL_BIT(9)      /* "[COPYUID ...]" without "* OK" */
#define MODEL_LAX_MOVE MODEL_BIT(10)         /* every third MOVE says OK, does nothing */
#define MODEL_NO_STRUCTURE MODEL_BIT(11)     /* tells no BODYSTRUCTURE */
#define MODEL_STINGY MODEL_BIT(12)           /* every fourth part is refused */
#define MODEL_WHOLE_PARTS MODEL_BIT(13)      /* no answer to ranges of a part */
#define MODEL_BEYOND_HANGS MODEL_BIT(14)     /* no answer above the last UID */
#define MODEL_TORN_STRUCTURE MODEL_BIT(15)   /* CR and LF inside of a string */
#define MODEL_STRUCTURE_IS_BAD MODEL_BIT(16) /* asking for it is BAD */
/* Before this one: chosen by chance, all together. */
#define MODEL_TRAITS 17
#define MODEL_EMPTY_COPYUID MODEL_BIT(17)    /* COPYUID with empty sets */
#define MODEL_STATUS_EMPTY MODEL_BIT(18)     /* STATUS answers with an empty list */
#define MODEL_FLOAT_SIZE MODEL_BIT(19)       /* RFC822.SIZE 9.37e+06 */
#define MODEL_RAW_BYTES MODEL_BIT(20)        /* 8-bit bytes and NUL where none may be */
#define MODEL_LITERALS MODEL_BIT(21)         /* literals where atoms should be */
#define MODEL_BAD_MODSEQ MODEL_BIT(22)       /* MODSEQ (-1), HIGHESTMODSEQ 0 */
#define MODEL_ODD_CODE MODEL_BIT(23)         /* 8-bit bytes in a response code */
#define MODEL_EARLY_EXISTS MODEL_BIT(24)     /* EXISTS before the "+" of IDLE */
#define MODEL_STILL_HERE MODEL_BIT(25)       /* "* OK Still here", all the time */
#define MODEL_KEEPALIVE MODEL_BIT(26)        /* malformed ones */
#define MODEL_IDLE_ENDS MODEL_BIT(27)        /* ... by itself, when there is news */
#define MODEL_EXISTS_AFTER_MOVE MODEL_BIT(28) /* EXISTS with each EXPUNGE */
#define MODEL_UIDNEXT_REWINDS MODEL_BIT(29)  /* SELECT says one above the last message */
#define MODEL_SHORT_LINES MODEL_BIT(30)      /* longer commands than 1000 are BAD */
#define MODEL_NOT_IGNORED MODEL_BIT(31)      /* NOT in SEARCH is */
#define MODEL_NO_KEYWORDS MODEL_BIT(32)      /* PERMANENTFLAGS without \* */
#define MODEL_INBOX_CASED MODEL_BIT(33)      /* LIST and STATUS say Inbox */
#define MODEL_ALREADY_UNSAID MODEL_BIT(34)   /* CREATE: NO without ALREADYEXISTS */
#define MODEL_NO_FOR_BAD MODEL_BIT(35)       /* NO to unknown commands */
#define MODEL_QUOTED_NAMES MODEL_BIT(36)     /* header names come back quoted */
#define MODEL_ATOM_NAMES MODEL_BIT(37)       /* quoted header names end the link */
#define MODEL_SILENT_ENABLE MODEL_BIT(38)    /* OK without ENABLED */
#define MODEL_ID_FAILS MODEL_BIT(39)         /* ID is BAD */
#define MODEL_NO_ID_NIL MODEL_BIT(40)        /* ID NIL and ID () are BAD */
#define MODEL_ALERT_FIRST MODEL_BIT(41)      /* an ALERT before the greeting */
#define MODEL_BYE_LOOP MODEL_BIT(42)         /* BYE three times, and an answer behind it */
#define MODEL_IDLE_DIES MODEL_BIT(43)        /* the link ends in IDLE without a word */
#define MODEL_EMPTY_PART MODEL_BIT(44)       /* a part of NIL and nothing else */
#define MODEL_BROKEN_STRUCTURE MODEL_BIT(45) /* BODYSTRUCTURE ends too early */
#define MODEL_ID_FIRST MODEL_BIT(46)         /* SELECT is refused before ID */
#define MODEL_NO_MORE_FOLDERS MODEL_BIT(47)  /* CREATE is refused */
#define MODEL_STARTTLS MODEL_BIT(48)         /* in the clear nothing else is allowed */
#define MODEL_LABELS MODEL_BIT(49)           /* what is in INBOX is in All Mail, too */
#define MODEL_UIDS_CHANGE MODEL_BIT(50)      /* UIDVALIDITY does, now and then */
#define MODEL_CONDSTORE MODEL_BIT(51)
#define MODEL_QRESYNC MODEL_BIT(52)          /* with CONDSTORE */
#define MODEL_LIST_STATUS MODEL_BIT(53)
#define MODEL_PLAIN_FAILS MODEL_BIT(54)      /* AUTHENTICATE is refused, LOGIN is not */
#define MODEL_ENDED_LINES MODEL_BIT(55)      /* APPEND: the last line must end */
#define MODEL_ONLY_XLIST MODEL_BIT(56)       /* LIST does not say what is for what */
#define MODEL_BARE_NAMES MODEL_BIT(57)       /* & in a name is not encoded */
#define MODEL_COPIES MODEL_BIT(58)           /* INBOX is in other folders, too, under
					      * no common name */
#define MODEL_SHORT_PIPELINE MODEL_BIT(60)   /* more commands under way than 25 are
					      * BAD */
#define MODEL_PARTIAL_VIEW MODEL_BIT(61)     /* SELECT shows the newest: view_most */
#define MODEL_NO_RFC822 MODEL_BIT(62)        /* RFC822 is answered without it */
#define MODEL_EMPTIES_TRASH MODEL_BIT(59)    /* of what is a week old */
/* From MODEL_TRAITS to before this one: any few of them go together. */
#define MODEL_ODD_TRAITS 44
/* clang-format on */

/* What happens now and then: model.attacks; the dice are the model's own. What
 * no server may do ends with model.moody. */
/* clang-format off */
#define MODEL_TORN_FETCH (1u << 0)    /* NO, or the link's end, in the middle */
#define MODEL_LEFT_OUT (1u << 1)      /* OK, and some messages were not told */
#define MODEL_ECHO (1u << 2)          /* FETCH with UID and FLAGS before, behind */
#define MODEL_TWICE (1u << 3)         /* the whole answer twice */
#define MODEL_SPLIT (1u << 4)         /* one answer in two responses */
#define MODEL_MIDWAY (1u << 5)        /* others act between two responses */
#define MODEL_NEWS_ANYWHERE (1u << 6) /* EXPUNGE and EXISTS in any UID command */
#define MODEL_PART_MOVED (1u << 7)    /* MOVE of some, then NO */
#define MODEL_ODD_COPYUID (1u << 8)   /* downwards, or not all of it */
#define MODEL_NO_SEARCH_LINE (1u << 9) /* nothing was found: nothing is said */
#define MODEL_FLAGS_OF_NOBODY (1u << 10) /* FETCH for numbers that are not there */
#define MODEL_LATE (1u << 11)         /* COPY and MOVE end after the link did */
#define MODEL_ATTACKS 12
/* clang-format on */

/* Lines that nobody can read: after one, less is asked for. */
#define MODEL_NONSENSE (MODEL_RAW_BYTES | MODEL_LITERALS | MODEL_KEEPALIVE)

/* Those of them that keep a client from seeing parts. */
#define MODEL_BLIND                                                            \
	(MODEL_NO_STRUCTURE | MODEL_TORN_STRUCTURE | MODEL_STRUCTURE_IS_BAD |  \
	    MODEL_BROKEN_STRUCTURE | MODEL_EMPTY_PART)

/* When what came without a clock came: 17-Nov-2026 10:00:00 +0000. */
#define MODEL_CAME_UNIX 1794909600

struct model_message {
	uint32_t uid;
	unsigned id; /* the world's number of the message: the same in copies */
	struct strv flags;
	int64_t came_unix;
	char *text;	  /* whole message */
	size_t size;	  /* ... of so many bytes */
	unsigned flagged; /* by another client: `changes` of the mailbox then */
	unsigned modseq;  /* ... at its last change */
	bool was_hidden;  /* from a client who had it opened, once at least */
};

struct model_mailbox {
	struct list_link link;
	bool is_gone; /* deleted */
	char *name;   /* on the wire */
	/* As LIST shows them; NULL: \HasNoChildren. Static. */
	const char *attributes;
	uint32_t uidvalidity, uidnext;
	struct model_message *messages; /* ascending UIDs */
	size_t count, cap;
	unsigned changes; /* of what is in it, so far */
	struct {
		uint32_t uid;
		unsigned modseq;
	} * vanished; /* owned */
	size_t vanished_count;
};

/* When the server says BYE to whoever came to stay. */
enum model_hangs_up {
	HANGS_UP_NEVER,
	HANGS_UP_AT_SELECT,
	HANGS_UP_AT_REST,
};

/* What a session hears whose mailbox was made anew behind it, and which cannot
 * see the new one before SELECT. */
enum model_remade {
	REMADE_BYE,
	REMADE_SILENT, /* Cyrus */
	REMADE_NO,     /* Dovecot: "* NO", all the time */
	REMADE_KINDS,
};

struct model {
	struct list_link mailboxes; /* struct model_mailbox::link */
	uint64_t traits;
	const struct personality *personality; /* NULL: none */
	usec_t now;	     /* the world's clock; 0: there is none */
	int64_t unix_now;    /* ... as it says the time; 0: there is none */
	bool moody;	     /* logins are refused as the personality says */
	bool overquota;	     /* COPY and MOVE say NO [OVERQUOTA] */
	unsigned logins;     /* tries so far */
	unsigned refused;    /* ... of these, by the personality */
	usec_t refused_at;   /* the last one; 0: none, or a start since */
	usec_t told_wait;    /* ... which said so; 0: it said nothing */
	unsigned in_a_row;   /* refusals, since a person started the account */
	const char *broken;  /* what no client may do was done; else NULL */
	unsigned logged_in;  /* sessions now */
	bool notifies;	     /* offers NOTIFY */
	unsigned pushes;     /* STATUS that nobody asked for, so far */
	unsigned appends;    /* that were taken, so far */
	unsigned logins_max; /* of them; 0: any: NO [LIMIT] */
	size_t view_most;    /* with MODEL_PARTIAL_VIEW; 0: all */
	unsigned moves, parts;
	enum model_remade remade;
	enum model_hangs_up hangs_up;
	unsigned limited; /* logins that were one too many, so far */
	bool overflows;	  /* NOTIFY gives up now and then */
	bool any_order;	  /* the answers to UID FETCH do not go upwards */
	unsigned attacks;
	struct random dice;	   /* where there are attacks */
	void (*others)(void *ctx); /* with MODEL_MIDWAY: somebody acts */
	void *ctx;		   /* ... for it */
	struct list_link belated;  /* struct model_belated::link */
};

/* Messages of several parts have this boundary; each part has a header of its
 * own. */
#define MODEL_BOUNDARY "--sim"

/* With MODEL_LABELS. */
#define MODEL_ALL_MAIL "[Gmail]/All Mail"

/* The world's number of what was appended. */
#define MODEL_APPENDED UINT_MAX

struct model_session;

void model_init(struct model *model, uint64_t traits);
/* From now on it is this one. */
void model_become(struct model *model, const struct personality *personality);
/* The folders that are there before anybody comes. */
void model_furnish(struct model *model);
/* A name as people write it, on the wire, or that of \Archive, \Junk or \Trash;
 * until the fourth call from now. */
const char *model_wire(const struct model *model, const char *name);
void model_done(struct model *model);
struct model_mailbox *model_find(struct model *model, const char *name);
/* NULL also for one that holds only folders. */
struct model_mailbox *model_find_open(struct model *model, const char *name);
struct model_mailbox *model_add(struct model *model, const char *name);
/* Spam, or trash: at Gmail what is there is nowhere else. */
bool model_is_outcast(const struct model_mailbox *mailbox);
/* Returns the UID. `id` is the world's number. */
uint32_t model_deliver(
    struct model *model, const char *mailbox, unsigned id, const char *text);
/* Shows a message of one mailbox in another one, too. */
void model_label(
    struct model *model, const char *from, unsigned id, const char *to);
/* As of a store that is kept in several places: a UID is given away, and what
 * has it is seen later, below others; whoever has the mailbox open hears BYE.
 */
uint32_t model_reserve(struct model *model, const char *mailbox);
void model_deliver_late(struct model *model, const char *mailbox, uint32_t uid,
    unsigned id, const char *text);
/* How many messages of this number are in the mailbox; `deleted`: with (or
 * without) the flag \Deleted. */
unsigned model_count(
    struct model *model, const char *mailbox, unsigned id, bool deleted);
/* It is there, and it was hidden. */
bool model_was_hidden(struct model *model, const char *mailbox, unsigned id);
/* Removes every message of this number from the mailbox, as another client
 * would. */
void model_remove(struct model *model, const char *mailbox, unsigned id);
/* ... and where to, as another client would. */
void model_move(
    struct model *model, const char *mailbox, unsigned id, const char *target);
/* As another client would. */
void model_flag(
    struct model *model, const char *mailbox, unsigned id, const char *flag);
bool model_has_flag(
    struct model *model, const char *mailbox, unsigned id, const char *flag);
/* Its messages are gone, and whoever has it open hears BYE. Added again it has
 * another UIDVALIDITY. */
void model_delete(struct model *model, const char *mailbox);
/* Deletes the mailbox and makes it again: a new UIDVALIDITY. Who has it open
 * hears what model.remade says. */
void model_rebuild(struct model *model, const char *mailbox);

struct model_session *model_session_new(struct model *model);
void model_session_free(struct model_session **session);
void model_session_feed(struct model_session *session, struct span bytes);
/* Tells an idling session what is new. */
void model_session_poll(struct model_session *session);
struct buf *model_session_output(struct model_session *session);
/* What the client has heard, so that it is known which commands are under
 * way. */
void model_session_heard(struct model_session *session, struct span bytes);
/* It said BYE, or the client logged out: the link ends after the output. */
bool model_session_is_over(const struct model_session *session);
/* Its last words never came: what it asked for is not known over there. */
void model_session_unheard(struct model_session *session);
void model_session_bye(struct model_session *session);
/* Does what is due of the commands that were taken and not done yet. */
void model_do_belated(struct model *model);
/* When the next one is; USEC_NEVER: there is none. */
usec_t model_next_belated(const struct model *model);
bool model_session_is_logged_in(const struct model_session *session);
/* The answer to STARTTLS was heard, and the handshake made. */
void model_session_secured(struct model_session *session);

#endif
