/*
 * rule: a rule after compilation, and the set of all of them. Only files of
 * rules/ see this; others see rules.h.
 */
#ifndef BELFRY_RULES_RULE_H
#define BELFRY_RULES_RULE_H

#include "rules/capture.h"
#include "rules/cond.h"
#include "rules/lists.h"
#include "rules/template.h"
#include "rules/view.h"

/* An action before there is a message: `fixed` has all that no message can
 * change, the templates the rest. */
struct blueprint {
	struct action fixed;
	struct template *target;
	struct template **argv;
	size_t argc;
	struct template *title, *text;
};

struct program;

struct rule {
	char id[RULE_ID_MAX + 1];
	struct rule_place place;
	struct rule_place as_place; /* of the value of `as`; file NULL: none */
	bool is_disabled, is_observing, stops, is_quiet;
	struct strv accounts;  /* empty: all */
	struct strv mailboxes; /* patterns with "*"; empty: all */
	struct cond **when, **unless;
	size_t when_count, unless_count;
	struct captures captures;
	unsigned limit_count; /* 0: no limit */
	usec_t limit_window;
	struct blueprint *blueprints; /* in the order of enum action_kind */
	size_t blueprint_count;
	unsigned wants; /* enum plan_want, of its actions' variables */
};

struct rules {
	struct rule **items;
	size_t count, cap;
	struct slots slots;
	struct lists lists;
	/* Working memory, so that a message does not need its own. */
	struct pattern_room *room; /* of all patterns */
	struct view *view;
	struct program *program; /* NULL: all rules are evaluated */
	struct header_lists *header_lists;
};

/* What accounts fetch, as rules_get_needs was asked for it: each list once. */
struct header_lists {
	struct strv **items; /* owned, as each of them */
	size_t count, cap;
};
void header_lists_free(struct header_lists **lists);

void rule_free(struct rule **rule);
/* For this account and mailbox, and enabled? */
bool rule_applies(
    const struct rule *rule, const char *account, const char *mailbox);
/* Adds an empty one of this kind. Valid until the next is added. */
struct blueprint *rule_add_blueprint(struct rule *rule, enum action_kind kind);
/* The first of this kind, or NULL. */
struct blueprint *rule_find_blueprint(
    const struct rule *rule, enum action_kind kind);
/* The one that takes the message out of its mailbox, or NULL. */
struct blueprint *rule_find_move(const struct rule *rule);
/* "*" in the pattern is any text; "INBOX" has no case. */
bool mailbox_matches(const char *pattern, const char *mailbox);

#endif
