/*
 * plan: what the rules want done with one message.
 *
 * A plan is data: strings are expanded, nothing refers back to the rules or
 * the message. Its actions stand in the order in which they must be done
 * (copy, forward, exec, mark, label, then one of move, archive, trash, junk,
 * delete, then notify). Each action can be written as one line of text and
 * read back (for the journal): action_format and action_parse are inverse.
 */
#ifndef BELFRY_RULES_PLAN_H
#define BELFRY_RULES_PLAN_H

#include "daemon/base/buf.h"
#include "daemon/base/strv.h"
#include "daemon/base/usec.h"

#define RULE_ID_MAX 40
#define PLAN_ACTIONS_MAX                                                       \
	200 /* of one message; more: the rest is dropped and                   \
	       is_cut is set */

/* In the order of doing. */
enum action_kind {
	ACTION_COPY,
	ACTION_FORWARD,
	ACTION_EXEC,
	ACTION_MARK,
	ACTION_LABEL,
	ACTION_MOVE,
	ACTION_ARCHIVE,
	ACTION_TRASH,
	ACTION_JUNK,
	ACTION_DELETE,
	ACTION_NOTIFY,
	ACTION_KINDS
};

enum urgency {
	URGENCY_LOW,
	URGENCY_NORMAL,
	URGENCY_CRITICAL
};
enum forward_mode {
	FORWARD_ATTACH,
	FORWARD_REDIRECT,
	FORWARD_INLINE
};
/* What to do when a forward's outcome is unknown. */
enum forward_unknown {
	UNKNOWN_RESEND,
	UNKNOWN_HOLD,
	UNKNOWN_DROP
};

struct action {
	enum action_kind kind;
	char rule[RULE_ID_MAX + 1]; /* "" for the default notification */
	/* copy, move: folder, '/' between levels, or "\Trash" and so on;
	 * forward: the address; label: the label. Owned, else NULL. */
	char *target;
	bool create; /* copy, move: make a missing folder */
	/* forward */
	enum forward_mode mode;
	enum forward_unknown unknown;
	bool allow_list, allow_auto, allow_junk;
	/* exec */
	struct strv argv;
	bool stdin_message; /* whole message, else the header block */
	unsigned retry;	    /* times a failure is repeated */
	bool repeat_safe;   /* may run again when its outcome is unknown */
	/* mark: system flags as \Seen, keywords as they are */
	struct strv add, remove;
	/* notify; title, text, sound, icon NULL: the default */
	enum urgency urgency;
	char *title, *text, *sound, *icon;
	struct strv via;    /* notifier names; empty: all */
	struct strv except; /* with an empty via: not these */
	/* escalate: so many seconds after it was judged; 0: at once */
	unsigned after;
	bool unless_read; /* nor moved, nor deleted */
};

/* Seconds of `after`. */
#define ESCALATE_MIN_SEC 10
#define ESCALATE_MAX_SEC (7 * 24 * 60 * 60)

/* What a rule is undecided for the lack of. */
enum plan_want {
	PLAN_WANTS_STRUCTURE = 1,
	PLAN_WANTS_BODY = 2,
};

struct plan {
	unsigned wants;		/* enum plan_want; else 0 */
	struct action *actions; /* owned */
	size_t count;
	struct strv matched;	/* ids of the rules that matched and acted */
	struct strv observed;	/* ids of rules in observe mode that matched */
	struct strv over_limit; /* ids that matched but are over their limit */
	struct strv would;	/* what both would do: "archive: move to Old" */
	struct strv warnings;	/* sentences: a second move ignored, a pattern
				   that met a match limit, ... */
	bool quiet;		/* a rule asked for no default notification */
	bool is_cut;
};

void plan_init(struct plan *plan);
void plan_done(struct plan *plan);
void action_init(struct action *action, enum action_kind kind);
void action_done(struct action *action);
void action_copy(struct action *dst, const struct action *src);
/* Same effect, so that one command may serve both messages (rule ids and
 * notification texts apart). */
bool action_equal(const struct action *a, const struct action *b);
/* "copy", "forward", ... */
const char *action_name(enum action_kind kind);
/* One line without control characters; inverse of action_parse. */
void action_format(struct buf *buf, const struct action *action);
bool action_parse(struct span text, struct action *action_r);
/* For people: "move to Lists/lkml", "forward to x@y as attachment". */
void action_describe(struct buf *buf, const struct action *action);

#endif
