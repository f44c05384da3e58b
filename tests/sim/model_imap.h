/*
 * sim/model_imap: an IMAP server that is a model: mailboxes in memory, and
 * sessions that take bytes and give bytes. It knows what really happened, so
 * that invariants can be checked against it; it can be told to behave as the
 * odd servers do.
 */
#ifndef BELFRY_SIM_MODEL_IMAP_H
#define BELFRY_SIM_MODEL_IMAP_H

#include "daemon/base/buf.h"
#include "daemon/base/list.h"
#include "daemon/base/strv.h"

/* What it offers and how it misbehaves: bits. */
enum model_trait {
	MODEL_MOVE = 1 << 0,
	MODEL_UIDPLUS = 1 << 1,
	MODEL_IDLE = 1 << 2,
	MODEL_NAMESPACE = 1 << 3,
	MODEL_NO_UIDNEXT = 1 << 4,   /* SELECT does not say it (Courier) */
	MODEL_NO_COPYUID = 1 << 5,   /* although UIDPLUS is offered */
	MODEL_SILENT_IDLE = 1 << 6,  /* accepts IDLE, pushes nothing */
	MODEL_CHATTY = 1 << 7,	     /* unsolicited data in odd places */
	MODEL_DOT_PREFIX = 1 << 8,   /* delimiter '.', prefix INBOX. */
	MODEL_BARE_COPYUID = 1 << 9, /* "[COPYUID ...]" without "* OK" */
	MODEL_LAX_MOVE = 1 << 10, /* every third MOVE says OK, does nothing */
	MODEL_NO_STRUCTURE = 1 << 11,	  /* tells no BODYSTRUCTURE */
	MODEL_STINGY = 1 << 12,		  /* every fourth part is refused */
	MODEL_WHOLE_PARTS = 1 << 13,	  /* no answer to ranges of a part */
	MODEL_BEYOND_HANGS = 1 << 14,	  /* no answer above the last UID */
	MODEL_TORN_STRUCTURE = 1 << 15,	  /* CR and LF inside of a string */
	MODEL_STRUCTURE_IS_BAD = 1 << 16, /* asking for it is BAD */
	MODEL_TRAITS = 17
};

/* Those of them that keep a client from seeing parts. */
#define MODEL_BLIND                                                            \
	(MODEL_NO_STRUCTURE | MODEL_TORN_STRUCTURE | MODEL_STRUCTURE_IS_BAD)

struct model_message {
	uint32_t uid;
	unsigned id; /* the world's number of the message: the same in copies */
	struct strv flags;
	char *text; /* whole message */
};

struct model_mailbox {
	struct list_link link;
	bool is_gone; /* deleted */
	char *name;   /* on the wire */
	uint32_t uidvalidity, uidnext;
	struct model_message *messages; /* ascending UIDs */
	size_t count, cap;
	unsigned changes; /* of what is in it, so far */
};

struct model {
	struct list_link mailboxes; /* struct model_mailbox::link */
	unsigned traits;
	bool refuse_logins;  /* NO [AUTHENTICATIONFAILED] */
	bool overquota;	     /* COPY and MOVE say NO [OVERQUOTA] */
	unsigned logins;     /* tries so far */
	unsigned logged_in;  /* sessions now */
	bool notifies;	     /* offers NOTIFY, and gives up now and then */
	unsigned pushes;     /* STATUS that nobody asked for, so far */
	unsigned logins_max; /* of them; 0: any: NO [LIMIT] */
	unsigned moves, parts;
};

/* Messages of several parts have this boundary; each part has a header of its
 * own. */
#define MODEL_BOUNDARY "--sim"

struct model_session;

void model_init(struct model *model, unsigned traits);
void model_done(struct model *model);
struct model_mailbox *model_find(struct model *model, const char *name);
struct model_mailbox *model_add(struct model *model, const char *name);
/* Returns the UID. `id` is the world's number. */
uint32_t model_deliver(
    struct model *model, const char *mailbox, unsigned id, const char *text);
/* How many messages of this number are in the mailbox; `deleted`: with (or
 * without) the flag \Deleted. */
unsigned model_count(
    struct model *model, const char *mailbox, unsigned id, bool deleted);
/* Removes every message of this number from the mailbox, as another client
 * would. */
void model_remove(struct model *model, const char *mailbox, unsigned id);
bool model_has_flag(
    struct model *model, const char *mailbox, unsigned id, const char *flag);
/* Its messages are gone, and whoever has it open hears BYE. Added again it has
 * another UIDVALIDITY. */
void model_delete(struct model *model, const char *mailbox);
/* Deletes the mailbox and makes it again: a new UIDVALIDITY. */
void model_rebuild(struct model *model, const char *mailbox);

struct model_session *model_session_new(struct model *model);
void model_session_free(struct model_session **session);
void model_session_feed(struct model_session *session, struct span bytes);
/* Tells an idling session what is new. */
void model_session_poll(struct model_session *session);
struct buf *model_session_output(struct model_session *session);
/* It said BYE, or the client logged out: the link ends after the output. */
bool model_session_is_over(const struct model_session *session);
void model_session_bye(struct model_session *session);

#endif
