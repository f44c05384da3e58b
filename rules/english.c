#include "rules/english_parts.h"

#include <assert.h>

#include "daemon/base/str.h"

void
english_add(struct buf *buf, const char *text)
{
	str_sanitize(buf, span_from_str(text), ENGLISH_TEXT_MAX);
}

void
english_quote(struct buf *buf, const char *text)
{
	BUF_AUTO clean = BUF_INIT;

	english_add(&clean, text);
	buf_add_char(buf, '"');
	for (size_t i = 0; i < clean.len; i++) {
		if (clean.data[i] == '"' || clean.data[i] == '\\')
			buf_add_char(buf, '\\');
		buf_add_char(buf, clean.data[i]);
	}
	buf_add_char(buf, '"');
}

void
english_joint(struct buf *buf, size_t index, size_t count, const char *word)
{
	if (index == 0)
		return;
	if (index + 1 < count)
		buf_add_str(buf, ", ");
	else
		buf_addf(buf, " %s ", word);
}

static const struct {
	const char *name;
	int64_t seconds;
} times[] = {
    {"week", 604800},
    {"day", 86400},
    {"hour", 3600},
    {"minute", 60},
    {"second", 1},
};

void
english_time(struct buf *buf, int64_t seconds)
{
	size_t i = 0;

	while (seconds == 0 ? times[i].seconds > 1
			    : seconds % times[i].seconds != 0)
		i++;
	buf_addf(buf, "%lld %s%s", (long long)(seconds / times[i].seconds),
	    times[i].name, seconds == times[i].seconds ? "" : "s");
}

/* The expression. */

struct expression {
	struct buf *buf;
	const struct rules *rules;
	enum english_voice voice;
};

static bool
is_group(const struct cond *cond)
{
	while (cond->kind == COND_NOT)
		cond = cond->kids[0];
	return cond->kind == COND_AND || cond->kind == COND_OR;
}

static bool
has_group(const struct cond *cond)
{
	while (cond->kind == COND_NOT)
		cond = cond->kids[0];
	for (size_t i = 0; i < cond->kid_count; i++)
		if (is_group(cond->kids[i]))
			return true;
	return false;
}

static void add_cond(const struct expression *e, const struct cond *cond,
    bool is_negated, unsigned depth);

/* Depth 0 stands at the top; 1 ends with a comma or the sentence; what is
 * deeper needs parentheses. */
static void
add_group(const struct expression *e, const struct cond *cond, bool is_or,
    bool is_negated, unsigned depth)
{
	const char *comma = depth == 0 && has_group(cond) ? "," : "";

	if (depth > 1)
		buf_add_char(e->buf, '(');
	if (depth > 0)
		buf_add_str(e->buf, is_or		   ? "either "
				    : cond->kid_count == 2 ? "both "
							   : "all of: ");
	for (size_t i = 0; i < cond->kid_count; i++) {
		if (i > 0)
			buf_addf(e->buf, "%s %s ", comma, is_or ? "or" : "and");
		add_cond(e, cond->kids[i], is_negated, depth + 1);
	}
	if (depth > 1)
		buf_add_char(e->buf, ')');
}

static void
add_cond(const struct expression *e, const struct cond *cond, bool is_negated,
    unsigned depth)
{
	switch (cond->kind) {
	case COND_NOT:
		add_cond(e, cond->kids[0], !is_negated, depth);
		return;
	case COND_AND:
	case COND_OR:
		add_group(e, cond, (cond->kind == COND_OR) != is_negated,
		    is_negated, depth);
		return;
	case COND_ALL:
	case COND_TEST:
		break;
	}
	english_test(e->buf, e->rules, cond, is_negated, e->voice);
}

/* One line is the whole; several are joined as if they were one condition. */
void
english_conditions(struct buf *buf, const struct rules *rules,
    struct cond *const *conds, size_t count, bool is_or,
    enum english_voice voice)
{
	const struct expression e = {buf, rules, voice};
	bool any_group = false;

	if (count == 1) {
		add_cond(&e, conds[0], false, 0);
		return;
	}
	for (size_t i = 0; i < count; i++)
		any_group |= is_group(conds[i]);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_addf(buf, "%s %s ", any_group ? "," : "",
			    is_or ? "or" : "and");
		add_cond(&e, conds[i], false, 1);
	}
}

/* The rule. */

static void
add_accounts(struct buf *buf, const struct strv *accounts)
{
	if (accounts->len > 0)
		buf_add_str(buf, accounts->len == 1 ? " on the account "
						    : " on the accounts ");
	for (size_t i = 0; i < accounts->len; i++) {
		english_joint(buf, i, accounts->len, "or");
		english_add(buf, accounts->items[i]);
	}
}

static void
add_mailboxes(struct buf *buf, const struct strv *mailboxes)
{
	if (mailboxes->len > 0)
		buf_add_str(buf, mailboxes->len == 1 ? " in the mailbox "
						     : " in the mailboxes ");
	for (size_t i = 0; i < mailboxes->len; i++) {
		english_joint(buf, i, mailboxes->len, "or");
		english_add(buf, mailboxes->items[i]);
	}
}

static bool
is_for_all(const struct rule *rule)
{
	for (size_t i = 0; i < rule->when_count; i++)
		if (rule->when[i]->kind != COND_ALL)
			return false;
	return true;
}

/* "mail that is ..." reads well: nothing stands between the two, and no group
 * begins with a "both that". */
static bool
is_plain(const struct rule *rule)
{
	bool any_group = false;

	for (size_t i = 0; i < rule->when_count; i++)
		any_group |=
		    (rule->when_count > 1 && is_group(rule->when[i])) ||
		    has_group(rule->when[i]);
	return !any_group && rule->accounts.len == 0 &&
	       rule->mailboxes.len == 0;
}

static void
add_limit(struct buf *buf, const struct rule *rule)
{
	if (rule->limit_count == 0)
		return;
	buf_add_str(buf, ", but at most ");
	if (rule->limit_count == 1)
		buf_add_str(buf, "once");
	else
		buf_addf(buf, "%u times", rule->limit_count);
	buf_add_str(
	    buf, rule->limit_window == USEC_DAY ? " a day" : " an hour");
}

static void
add_when(struct buf *buf, const struct rules *rules, const struct rule *rule)
{
	buf_add_str(
	    buf, is_for_all(rule) ? "any mail arrives" : "mail arrives");
	add_accounts(buf, &rule->accounts);
	add_mailboxes(buf, &rule->mailboxes);
	if (!is_for_all(rule)) {
		bool is_simple = is_plain(rule);

		buf_add_str(buf, is_simple ? " " : ", if ");
		english_conditions(buf, rules, rule->when, rule->when_count,
		    false, is_simple ? VOICE_RELATIVE : VOICE_PRONOUN);
	}
	if (rule->unless_count > 0) {
		buf_add_str(buf, ", unless ");
		english_conditions(buf, rules, rule->unless, rule->unless_count,
		    true, VOICE_PRONOUN);
	}
	add_limit(buf, rule);
}

void
rule_english(struct buf *buf, const struct rules *rules, size_t index)
{
	const struct rule *rule;

	assert(index < rules->count);
	rule = rules->items[index];
	if (rule->is_disabled)
		buf_add_str(buf, "Switched off: when ");
	else if (rule->is_observing)
		buf_add_str(buf, "Only noted in the history, not done: when ");
	else
		buf_add_str(buf, "When ");
	add_when(buf, rules, rule);
	buf_add_str(buf, ": ");
	english_actions(buf, rules, rule);
	buf_add_char(buf, '.');
}
