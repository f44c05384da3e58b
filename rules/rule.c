#include "rules/rule.h"

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"

static void
blueprint_done(struct blueprint *blueprint)
{
	action_done(&blueprint->fixed);
	template_free(&blueprint->target);
	for (size_t i = 0; i < blueprint->argc; i++)
		template_free(&blueprint->argv[i]);
	free(blueprint->argv);
	template_free(&blueprint->title);
	template_free(&blueprint->text);
}

static void
conds_free(struct cond **conds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		cond_free(&conds[i]);
	free(conds);
}

void
rule_free(struct rule **rule)
{
	struct rule *r = *rule;

	if (r == NULL)
		return;
	strv_done(&r->accounts);
	strv_done(&r->mailboxes);
	conds_free(r->when, r->when_count);
	conds_free(r->unless, r->unless_count);
	captures_done(&r->captures);
	for (size_t i = 0; i < r->blueprint_count; i++)
		blueprint_done(&r->blueprints[i]);
	free(r->blueprints);
	free(r);
	*rule = NULL;
}

struct blueprint *
rule_add_blueprint(struct rule *rule, enum action_kind kind)
{
	struct blueprint *blueprint;

	rule->blueprints = xreallocarray(rule->blueprints,
	    rule->blueprint_count + 1, sizeof(*rule->blueprints));
	blueprint = &rule->blueprints[rule->blueprint_count++];
	*blueprint = (struct blueprint){0};
	action_init(&blueprint->fixed, kind);
	memcpy(blueprint->fixed.rule, rule->id, sizeof(rule->id));
	return blueprint;
}

struct blueprint *
rule_find_blueprint(const struct rule *rule, enum action_kind kind)
{
	for (size_t i = 0; i < rule->blueprint_count; i++)
		if (rule->blueprints[i].fixed.kind == kind)
			return &rule->blueprints[i];
	return NULL;
}

struct blueprint *
rule_find_move(const struct rule *rule)
{
	for (size_t i = 0; i < rule->blueprint_count; i++) {
		enum action_kind kind = rule->blueprints[i].fixed.kind;

		if (kind >= ACTION_MOVE && kind <= ACTION_DELETE)
			return &rule->blueprints[i];
	}
	return NULL;
}

/* Greedy with one step back: linear but for the last "*". */
static bool
glob_matches(const char *pattern, const char *text)
{
	const char *star = NULL, *mark = NULL;

	while (*text != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			mark = text;
		} else if (*pattern == *text) {
			pattern++;
			text++;
		} else if (star != NULL) {
			pattern = star;
			text = ++mark;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

bool
mailbox_matches(const char *pattern, const char *mailbox)
{
	if (span_is_nocase(span_from_str(pattern), "INBOX"))
		return span_is_nocase(span_from_str(mailbox), "INBOX");
	return glob_matches(pattern, mailbox);
}

static bool
is_mailbox_of(const struct rule *rule, const char *mailbox)
{
	for (size_t i = 0; i < rule->mailboxes.len; i++)
		if (mailbox_matches(rule->mailboxes.items[i], mailbox))
			return true;
	return rule->mailboxes.len == 0;
}

bool
rule_applies(const struct rule *rule, const char *account, const char *mailbox)
{
	if (rule->is_disabled)
		return false;
	if (account != NULL && rule->accounts.len > 0 &&
	    !strv_has(&rule->accounts, account))
		return false;
	return mailbox == NULL || is_mailbox_of(rule, mailbox);
}
