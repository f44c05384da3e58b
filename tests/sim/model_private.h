/*
 * sim/model_imap, inside: model_imap.c (the mail), model_session.c (what a
 * session says), model_uid.c (UID commands).
 */
#ifndef BELFRY_SIM_MODEL_PRIVATE_H
#define BELFRY_SIM_MODEL_PRIVATE_H

#include "daemon/wire/imap/seqset.h"
#include "tests/sim/model_imap.h"

#define TOLD_MAX 100 /* mailboxes that NOTIFY tells of */

struct model_session {
	struct model *model;
	struct model_mailbox *selected;
	bool read_only, logged_in, idle, over;
	bool identified, secured, refused;
	bool qresync; /* ENABLEd */
	usec_t idle_since;
	uint32_t view_validity;
	unsigned view_changes; /* of the mailbox, as the client was told */
	uint32_t floor;	       /* what is below it is hidden */
	uint32_t *view;	       /* UIDs, the same */
	size_t view_count, view_cap;
	struct buf input, output;
	bool notify;
	struct {
		struct model_mailbox *mailbox;
		uint32_t uidnext;
	} told[TOLD_MAX];
	size_t told_count;
	char idle_tag[32];
	bool idle_ended, awaits_secret;
	bool is_busy;	    /* with a command that ends later */
	unsigned under_way; /* commands that the client waits for */
	struct buf heard;   /* the beginning of a line */
	char secret_tag[32];
	struct buf command;   /* of which a literal is not there: the rest */
	size_t literal_bytes; /* ... so long; 0: it is */
};

/* One parsed command: tag, name in capitals, arguments as strings; lists and
 * sections stay as they were written. */
struct command {
	char tag[32];
	char name[32];
	struct strv arguments;
};

#define MODEL_RANGES_MAX 600

/* UIDs, as a command gives them: "3:7,9", "5:*", "*". */
struct model_set {
	struct {
		uint32_t low, high;
	} ranges[MODEL_RANGES_MAX];
	size_t count;
};

/* model_imap.c */
struct model_message *model_append(
    struct model_mailbox *mailbox, unsigned id, const char *text);
void model_remove_at(struct model_mailbox *mailbox, size_t i);
/* The first one that has this UID or a higher one. */
size_t model_lower_bound(const struct model_mailbox *mailbox, uint32_t uid);

/* Whether LIST says that it is for this. */
bool model_is_for(const struct model_mailbox *mailbox, const char *attribute);
/* Takes it out of all mailboxes but these. */
void model_unlabel(struct model *model, unsigned id,
    const struct model_mailbox *but, const struct model_mailbox *nor);
/* The message of this number; 0: there is none. */
uint32_t model_uid_of(const struct model_mailbox *mailbox, unsigned id);
const char *model_prefix(const struct model *model);
char model_delimiter(const struct model *model);
bool model_has_uid(const struct model_mailbox *mailbox, uint32_t uid);

typedef void model_command_fn(struct model_session *, const struct command *);

/* model_login.c */
void model_greet(struct model_session *s);
/* After the login. */
bool model_offers(const struct model_session *s, const char *capability);
/* LITERAL+ or LITERAL-. */
bool model_offers_literals(const struct model_session *s);
model_command_fn model_do_capability, model_do_login, model_do_id,
    model_do_enable, model_do_starttls;

/* model_names.c */
model_command_fn model_do_namespace, model_do_list, model_do_xlist,
    model_do_create, model_do_status;
/* INBOX, as the server spells it. */
const char *model_spelling(
    const struct model_session *s, const struct model_mailbox *mailbox);

/* model_append.c */
model_command_fn model_do_append;
/* A line that ends in a literal's size: what comes next is its bytes. */
bool model_awaits_literal(struct model_session *s, struct span line);
/* False: it is not there yet. */
bool model_take_literal(struct model_session *s);

/* model_watch.c */
model_command_fn model_do_select, model_do_examine, model_do_noop,
    model_do_idle, model_do_notify;
/* The line that ends IDLE. */
void model_end_idle(struct model_session *s, struct span line);

/* model_session.c */
bool model_has(const struct model_session *s, uint64_t trait);
/* The answer to a command that is not known, or not allowed now. */
void model_refuse(struct model_session *s, const struct command *c);
void model_say(
    struct model_session *s, const struct command *c, const char *text);
/* Text, and a number behind it: what is said of every message. */
void model_put(struct buf *out, const char *text, uint64_t number);
/* Brings the client's view up to date: EXPUNGE for what went, EXISTS for what
 * came. */
void model_tell_news(struct model_session *s);
/* 0: the client was not told of it. */
size_t model_seq_of(const struct model_session *s, uint32_t uid);

/* model_uid.c */
/* Of the selected mailbox as it is now, as far as it is shown. */
void model_read_set(
    struct model_set *set, const struct model_session *s, const char *text);
bool model_set_has(const struct model_set *set, uint32_t uid);
/* Where one may look for its members. */
size_t model_set_begin(
    const struct model_set *set, const struct model_mailbox *mailbox);
model_command_fn model_do_uid;
/* What was taken before. */
model_command_fn model_do_uid_now;

/* model_modseq.c */
void model_touch(struct model_mailbox *mailbox, struct model_message *message);
/* It has just gone. */
void model_note_vanished(struct model_mailbox *mailbox, uint32_t uid);
/* It tells mod-sequences. */
bool model_counts(const struct model_session *s);
/* The number behind the name; 0: it is not there. */
unsigned model_read_modifier(const char *text, const char *name);
void model_say_vanished(
    struct model_session *s, const struct model_set *known, unsigned since);
/* The parameter of SELECT. */
void model_resync(struct model_session *s, const char *parameter);
/* Whether UNCHANGEDSINCE forbids it. */
bool model_is_modified(const struct model_message *message, unsigned since);
void model_say_stored(
    struct model_session *s, const struct model_message *message);

/* model_chaos.c */
/* Whether it happens now. */
bool model_attacks(
    const struct model_session *s, unsigned attack, unsigned percent);
/* The same, but not in calm weather. */
bool model_breaks(
    const struct model_session *s, unsigned attack, unsigned percent);
void model_echo(struct model_session *s, const struct model_message *message);
/* Others act, and it is told. */
void model_midway(struct model_session *s);
/* In an answer to any UID command. */
void model_tell_anywhere(struct model_session *s);
/* How many of so many are told before it ends; the same number: all of them. */
size_t model_tear(
    const struct model_session *s, const struct command *c, size_t count);
/* How it ends then. */
void model_end_torn(struct model_session *s, const struct command *c);
/* True: it was taken, and is done later, by model_do_uid again. */
bool model_is_belated(struct model_session *s, const struct command *c);
void model_forget_session(struct model_session *s);
void model_forget_belated(struct model *model);
void model_add_odd_copyuid(struct model_session *s, struct buf *code,
    const struct imap_seqset *from, const struct imap_seqset *to);

/* model_fetch.c */
void model_add_flags(struct buf *out, const struct strv *flags);
model_command_fn model_uid_fetch;

#endif
