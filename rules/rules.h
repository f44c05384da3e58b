/*
 * rules: the rule language, from text to verdict.
 *
 * Life: rules_builder_* takes the sections [rule], [list] in file order and
 * gives an immutable struct rules, or errors with file, line and column.
 * rules_judge is a pure function of rules and facts (the limits table aside);
 * rules_explain is the same with a trace. Nothing here does I/O: lists from
 * files are given as text through rules_set_list_file.
 */
#ifndef BELFRY_RULES_RULES_H
#define BELFRY_RULES_RULES_H

#include "daemon/base/error.h"
#include "daemon/base/list.h"
#include "daemon/base/strv.h"
#include "daemon/mail/message.h"
#include "rules/plan.h"

#define RULES_MAX 10000
#define RULES_LIST_MEMBERS_MAX 200000 /* of one @file: list */
#define RULE_CONDITION_LINES_MAX 200
#define RULE_NESTING_MAX 32
#define RULE_CAPTURES_MAX 50
#define RULE_PATTERN_MAX (16 * 1024) /* bytes of one pattern */
#define RULE_GROUPS_MAX 500	     /* groups of one pattern */
#define RULE_SUBJECT_MAX (8 * 1024)  /* bytes of a value that a pattern sees */
#define PATTERN_MATCH_LIMIT 100000
#define PATTERN_DEPTH_LIMIT 10000
#define PATTERN_HEAP_LIMIT_KIB 4096
/* What patterns may do for one message, and one rule for one message, in
 * units of about a nanosecond (pattern.h). What would go on after that counts
 * as a limit that was met: the rule does not act and the plan warns. */
#define PATTERN_MESSAGE_WORK_MAX 50000000
#define PATTERN_RULE_WORK_MAX 10000000

/* Where a value stands, for messages. `file` is borrowed: it must outlive
 * the rules (config owns the names). Lines and columns count from 1; the
 * column counts characters. */
struct rule_place {
	const char *file;
	unsigned line, column;
};

/* One "key = value" of a section; a continuation line is an own entry with
 * the same key. */
struct rule_line {
	const char *key;
	const char *value;	 /* raw, trimmed */
	struct rule_place place; /* of the value's first character */
};

/* Errors and warnings in the order of the file. */
struct rule_problem {
	bool is_warning;
	struct rule_place place;
	char *text; /* one sentence part; owned by the list */
	char *hint; /* "did you mean `subject`?", or NULL */
};
struct rule_problems {
	struct rule_problem *items;
	size_t count, cap;
};
void rule_problems_done(struct rule_problems *problems);
void rule_problems_add(struct rule_problems *problems, bool is_warning,
    struct rule_place place, const char *hint, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

struct rules;
struct rules_builder;

struct rules_builder *rules_builder_new(void);
void rules_builder_free(struct rules_builder **builder);
/* `lines` are copied. Section-level errors are collected, all of them. */
void rules_builder_add_rule(struct rules_builder *builder, const char *id,
    struct rule_place place, const struct rule_line *lines, size_t count);
void rules_builder_add_list(struct rules_builder *builder, const char *id,
    struct rule_place place, const struct rule_line *lines, size_t count);
/* Names that `accounts =` may use. */
void rules_builder_add_account(struct rules_builder *builder, const char *name);
/* Names that `via =` may use. */
void rules_builder_add_notifier(
    struct rules_builder *builder, const char *name);
/* Compiles. NULL when there was an error; problems_r (initialised by the
 * caller to zero) gets all errors and warnings either way. */
struct rules *rules_builder_finish(
    struct rules_builder *builder, struct rule_problems *problems_r);

void rules_free(struct rules **rules);
/* An empty set, for accounts without rules. */
struct rules *rules_new_empty(void);
size_t rules_count(const struct rules *rules);
const char *rules_id(const struct rules *rules, size_t index);

/* What a message must be fetched with. */
/* Bytes of names, with a blank each, that are asked for by name; for more the
 * whole header is. A command is to be no longer than a thousand (RFC 2683
 * section 3.2.1.5). */
#define RULES_HEADER_NAMES_MAX 800

struct rules_needs {
	/* Field names; always includes From, Subject, Date, Message-ID. The
	 * rules' own, which accounts that need the same share. */
	const struct strv *headers;
	/* Fetch BODY.PEEK[HEADER]: any-header is used, or there are too many
	 * names, or one that is odd. */
	bool all_headers;
	bool structure; /* attachment.* or body: BODYSTRUCTURE, too */
	bool body;	/* body or ${preview}: when plan.wants says so */
	bool sender;	/* new-sender */
	bool received;	/* age, or a date in an action */
	bool command;	/* exec without stdin = message: gets a header */
};
/* Of the rules that apply to this account (NULL: of all). Valid as long as the
 * rules. */
void rules_get_needs(const struct rules *rules, const char *account,
    struct rules_needs *needs_r);
/*
 * What rules count on and an account may lack. Where a rule for this account
 * forwards (its section), and where one asks for auth.* (the condition); the
 * first of them, borrowed; NULL: nowhere. Rules that are disabled, or only
 * observe, do not count.
 */
const struct rule_place *rules_find_forward(
    const struct rules *rules, const char *account);
/* Each forward of such a rule: the place of the rule's section, its id, the
 * address; borrowed. */
typedef void rules_forward_fn(void *ctx, const struct rule_place *place,
    const char *rule, const char *target);
void rules_each_forward(const struct rules *rules, const char *account,
    rules_forward_fn *fn, void *ctx);
/* Each special folder ("\\Trash") that such a rule files into. */
typedef void rules_folder_fn(void *ctx, const char *rule, const char *folder);
void rules_each_special_folder(const struct rules *rules, const char *account,
    rules_folder_fn *fn, void *ctx);
/* The same for `as = redirect`: the place of its value. */
const struct rule_place *rules_find_redirect(
    const struct rules *rules, const char *account);
const struct rule_place *rules_find_auth(
    const struct rules *rules, const char *account);
/* Paths of all @file: lists; the owner reads them and gives the text. */
const struct strv *rules_list_files(const struct rules *rules);
/* Replaces the members; the only thing about rules that changes. False: there
 * are more than RULES_LIST_MEMBERS_MAX, and the old ones stay. */
bool rules_set_list_file(
    struct rules *rules, const char *path, struct span text);

/*
 * Measures how long each rule takes with one judgement in `every`: rules have
 * no clock, so the owner lends one. Each rule is then looked at by itself, also
 * where it is known without looking that it cannot match; what it costs to
 * decode a field is counted for the first rule that looks at it. A meter
 * belongs to one set of rules; with another set it begins anew.
 */
struct rules_meter;
typedef uint64_t rules_clock_fn(void *ctx); /* nanoseconds, never back */
struct rules_meter *rules_meter_new(
    rules_clock_fn *clock, void *ctx, unsigned every);
void rules_meter_free(struct rules_meter **meter);
/* What was measured since the last rules_meter_clear: each rule that was
 * looked at, `messages` times in all. */
typedef void rules_meter_fn(
    void *ctx, const char *rule, uint64_t messages, uint64_t nanoseconds);
void rules_meter_each(
    const struct rules_meter *meter, rules_meter_fn *fn, void *ctx);
/* Also before the rules are freed. */
void rules_meter_clear(struct rules_meter *meter);

/* How often rules acted, for `limit =`. Times are unix seconds. */
struct limits;
struct limits *limits_new(void);
void limits_free(struct limits **limits);
void limits_note(struct limits *limits, const char *rule, int64_t when_unix);
/* Takes back one note of just this time: what it was for did not happen. */
void limits_take_back(
    struct limits *limits, const char *rule, int64_t when_unix);
/* Whether `rule` acted fewer than `count` times within `window` before now. */
bool limits_allow(const struct limits *limits, const char *rule, unsigned count,
    usec_t window, int64_t now_unix);

struct facts {
	struct message *message;
	const char *account;
	const char *mailbox; /* decoded, '/' between levels */
	/* \Seen, $Junk, ...: as the server said; NULL: none */
	const struct strv *flags;
	uint64_t size;	       /* bytes */
	int64_t received_unix; /* INTERNALDATE */
	int64_t now_unix;
	int utc_offset; /* seconds east, of local time at now: for hour, weekday
			 */
	/* The same of another time, for ${date}: of summer in winter; it knows
	 * no more than a table would. NULL: as at now. */
	int (*utc_offset_at)(int64_t unix_time);
	const struct strv *identities; /* addresses that are me; NULL: none */
	/* Hosts whose Authentication-Results are believed; NULL: none, and
	 * then auth.* is never true. */
	const struct strv *authserv;
	/* NULL: not known; then a rule that needs it waits (plan.wants). */
	const struct structure *structure;
	/* The words of the text part (mail/body.h), valid UTF-8; data NULL: not
	 * known; empty but not NULL: there are none. */
	struct span body;
	/* No message from the first address of From was judged before. */
	bool is_new_sender;
	/* Mailboxes where the message was judged before: rules that are for
	 * one of them do not see it again. NULL or empty: none. */
	const struct strv *judged_in;
	/* Only the rules of these ids are judged; NULL or empty: all. */
	const struct strv *only_rules;
	struct limits *limits;	   /* may be NULL; not changed by judging */
	struct rules_meter *meter; /* may be NULL; borrowed */
	bool default_notification; /* the account's `notify = yes` */
	/* Who is rung after it: rules/escalate.h, each; NULL: nobody. */
	const struct strv *escalate;
	/* Names and patterns of the mailboxes that are watched: what a rule
	 * moves elsewhere does not ring by itself. NULL: all are. */
	const struct strv *watch;
};

/* Never fails; problems of single rules are in plan_r->warnings. plan_r is
 * initialised by the function; free with plan_done. Includes the default
 * notification when the message is unread in a watched mailbox and no rule was
 * quiet or notified.
 * With plan_r->wants the plan is no plan: no action, nothing matched; a rule
 * is undecided until the owner has fetched what is wanted and judges again.
 * Facts that are there are never wanted, so two rounds are enough. Does not
 * change `limits`: the owner notes plan.matched once it is durable. */
void rules_judge(
    const struct rules *rules, const struct facts *facts, struct plan *plan_r);

/* The trace of a judgement: one entry for each rule, with each condition
 * that was looked at. */
struct trace_condition {
	char *text;   /* as written */
	char *values; /* the values that were compared, shortened */
	bool result;
	bool is_open;	/* cannot be told yet: result means nothing */
	bool is_unless; /* of an `unless` line, else of a `when` line */
	bool decided;	/* this one settled the rule */
	struct rule_place place;
};
enum trace_outcome {
	TRACE_MATCHED,
	TRACE_NOT_MATCHED,
	TRACE_VETOED,	      /* by an unless line */
	TRACE_NOT_APPLICABLE, /* other account or mailbox, or disabled */
	TRACE_NOT_REACHED,    /* an earlier rule said stop */
	TRACE_OBSERVED,
	TRACE_OVER_LIMIT,
	TRACE_FAILED,	 /* a pattern met its limit: did not act */
	TRACE_UNDECIDED, /* needs the structure or the body, which facts lack */
};
struct trace_rule {
	const char *id;
	enum trace_outcome outcome;
	struct trace_condition *conditions;
	size_t count;
	struct strv captures; /* "name=value" */
};
struct trace {
	struct trace_rule *rules;
	size_t count;
	bool is_unless; /* while judging: where the rule is looked at */
};
void rules_explain(const struct rules *rules, const struct facts *facts,
    struct plan *plan_r, struct trace *trace_r);
void trace_done(struct trace *trace);
/* rules_judge, and the outcome of each rule: rules_count() of them. For
 * counting over many messages: it costs no more than judging. */
void rules_judge_outcomes(const struct rules *rules, const struct facts *facts,
    struct plan *plan_r, enum trace_outcome *outcomes_r);
const char *trace_outcome_name(enum trace_outcome outcome);

#endif
