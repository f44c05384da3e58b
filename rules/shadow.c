#include "rules/shadow.h"

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"

#define BUCKETS 65536 /* pages that are not touched cost nothing */

void
shadows_init(struct shadows *shadows)
{
	*shadows = (struct shadows){.bucket_count = BUCKETS};
	shadows->buckets = xcalloc(BUCKETS, sizeof(size_t));
}

void
shadows_done(struct shadows *shadows)
{
	for (size_t i = 0; i < shadows->count; i++) {
		free(shadows->entries[i].when);
		free(shadows->entries[i].unless);
	}
	free(shadows->entries);
	free(shadows->links);
	free(shadows->buckets);
	*shadows = (struct shadows){0};
}

/* Keys. A key is a hash: what stands under it is looked at anyway. */

struct keys {
	size_t items[SHADOW_KEYS_MAX];
	size_t count;
	bool is_full;
};

static void
add_key(struct keys *keys, const char *kind, size_t number, const char *text)
{
	BUF_AUTO key = BUF_INIT;

	if (keys->count == SHADOW_KEYS_MAX) {
		keys->is_full = true;
		return;
	}
	buf_addf(&key, "%s %zu ", kind, number);
	for (; text != NULL && *text != '\0'; text++)
		buf_add_char(&key, char_to_lower(*text));
	keys->items[keys->count++] = expr_hash(buf_span(&key));
}

/* Tests on one address field, and on rcpt, may imply each other. */
static size_t
group_of(const struct test *test)
{
	static const char *const names[] = {"to", "cc", "bcc", "rcpt"};

	for (size_t i = 0; i < 4; i++)
		if (strcmp(test->field->name, names[i]) == 0)
			return 1;
	return 2 + (size_t)(test->field - field_table);
}

static bool
is_text_is(const struct test *test)
{
	return test->op == OP_IS && test->field->type != FIELD_NUMBER;
}

/* Under what a condition is found: any that implies it must look there. */
static void
keep_under(const struct exprs *exprs, unsigned literal, struct keys *keys)
{
	const struct expr_node *node = expr_node(exprs, literal);
	const struct test *test;

	add_key(keys, "literal", literal, NULL);
	for (size_t i = 0; i < node->kid_count && EXPR_IS_NEGATED(literal); i++)
		keep_under(exprs, EXPR_NOT(node->kids[i]), keys);
	if (node->cond == NULL)
		return;
	test = &node->cond->test;
	if (!EXPR_IS_NEGATED(literal) && is_text_is(test))
		for (size_t i = 0; i < test->operand_count; i++)
			add_key(
			    keys, "is", group_of(test), test->operands[i].text);
	else
		add_key(keys, "field", group_of(test), NULL);
}

/* Where a fact looks for conditions that it may imply. */
static void
look_under(const struct exprs *exprs, unsigned literal, struct keys *keys)
{
	const struct expr_node *node = expr_node(exprs, literal);
	const struct test *test;
	const char *at;

	add_key(keys, "literal", literal, NULL);
	/* All branches must imply it: so must the first. */
	if (node->kid_count > 0 && EXPR_IS_NEGATED(literal))
		look_under(exprs, EXPR_NOT(node->kids[0]), keys);
	if (node->cond == NULL)
		return;
	test = &node->cond->test;
	add_key(keys, "field", group_of(test), NULL);
	if (EXPR_IS_NEGATED(literal) || !is_text_is(test))
		return;
	add_key(keys, "is", group_of(test), test->operands[0].text);
	at = strchr(test->operands[0].text, '@');
	if (at != NULL && test->field->type == FIELD_ADDRESS)
		add_key(keys, "is", group_of(test), at + 1);
}

/* The table. */

static size_t
count_links(const struct shadows *shadows, size_t hash)
{
	size_t count = 0;

	for (size_t i = shadows->buckets[hash % shadows->bucket_count]; i != 0;
	     i = shadows->links[i - 1].next)
		count += shadows->links[i - 1].hash == hash;
	return count;
}

static void
add_link(struct shadows *shadows, size_t hash, size_t entry)
{
	size_t *bucket = &shadows->buckets[hash % shadows->bucket_count];

	if (count_links(shadows, hash) >= SHADOW_KEY_RULES_MAX)
		return;
	if (shadows->link_count == shadows->link_cap) {
		shadows->link_cap =
		    shadows->link_cap == 0 ? 64 : 2 * shadows->link_cap;
		shadows->links = xreallocarray(
		    shadows->links, shadows->link_cap, sizeof(*shadows->links));
	}
	shadows->links[shadows->link_count++] =
	    (struct shadow_link){hash, entry, *bucket};
	*bucket = shadows->link_count;
}

static unsigned *
literals_of(struct exprs *exprs, struct cond *const *conds, size_t count)
{
	unsigned *literals = xcalloc(count + 1, sizeof(*literals));

	for (size_t i = 0; i < count; i++)
		literals[i] = expr_of(exprs, conds[i]);
	return literals;
}

static size_t
add_entry(
    struct shadows *shadows, struct prover *prover, const struct rule *rule)
{
	if (shadows->count == shadows->cap) {
		shadows->cap = shadows->cap == 0 ? 64 : 2 * shadows->cap;
		shadows->entries = xreallocarray(
		    shadows->entries, shadows->cap, sizeof(*shadows->entries));
	}
	shadows->entries[shadows->count] = (struct shadow_entry){.rule = rule,
	    .when = literals_of(&prover->exprs, rule->when, rule->when_count),
	    .unless =
		literals_of(&prover->exprs, rule->unless, rule->unless_count)};
	return shadows->count++;
}

/* The condition of the rule with the fewest keys: it stands under these. */
static void
find_keys(struct prover *prover, struct keys *best)
{
	for (size_t i = 0; i < prover->count; i++) {
		struct keys keys = {.count = 0};

		if (prover->facts[i].literal == EXPR_TRUE)
			continue;
		keep_under(&prover->exprs, prover->facts[i].literal, &keys);
		if (!keys.is_full &&
		    (best->count == 0 || keys.count < best->count))
			*best = keys;
	}
}

void
shadows_add(
    struct shadows *shadows, struct prover *prover, const struct rule *rule)
{
	struct keys keys = {.count = 0};
	size_t entry;

	if (rule->is_observing || rule->limit_count > 0 ||
	    (!rule->stops && rule_find_move(rule) == NULL))
		return;
	find_keys(prover, &keys);
	if (keys.count == 0 && prover->count == 0)
		add_key(&keys, "all", 0, NULL);
	if (keys.count == 0)
		return;
	entry = add_entry(shadows, prover, rule);
	for (size_t i = 0; i < keys.count; i++)
		add_link(shadows, keys.items[i], entry);
}

/* Comparing. */

static bool
is_fact(const struct prover *prover, unsigned literal)
{
	for (size_t i = 0; i < prover->count; i++)
		if (prover->facts[i].literal == literal)
			return true;
	return false;
}

/*
 * Holds, and no pattern that is looked at on the way can meet a limit, which
 * would keep the earlier rule from acting.
 */
static bool
surely_holds(struct prover *prover, unsigned literal, unsigned depth)
{
	const struct expr_node *node = expr_node(&prover->exprs, literal);
	bool is_or = EXPR_IS_NEGATED(literal);

	if (is_fact(prover, literal))
		return true;
	if (!node->has_pattern)
		return prover_ask(prover, literal, NULL) == CERTAIN_YES;
	if (node->kid_count == 0 || depth == 0)
		return false;
	for (size_t i = 0; i < node->kid_count; i++) {
		unsigned kid = node->kids[i] ^ (unsigned)is_or;

		if (surely_holds(prover, kid, depth - 1))
			continue;
		if (!is_or || expr_node(&prover->exprs, kid)->has_pattern)
			return false;
	}
	return !is_or || prover_ask(prover, literal, NULL) == CERTAIN_YES;
}

static bool
covers_names(const struct strv *wide, const struct strv *narrow)
{
	if (wide->len > 0 && narrow->len == 0)
		return false;
	for (size_t i = 0; wide->len > 0 && i < narrow->len; i++)
		if (!strv_has_nocase(wide, span_from_str(narrow->items[i])))
			return false;
	return true;
}

/* A "*" of the narrow pattern can only be met by one of the wide. */
static bool
covers_mailboxes(const struct strv *wide, const struct strv *narrow)
{
	if (wide->len > 0 && narrow->len == 0)
		return false;
	for (size_t i = 0; wide->len > 0 && i < narrow->len; i++) {
		bool found = false;

		for (size_t j = 0; j < wide->len && !found; j++)
			found =
			    mailbox_matches(wide->items[j], narrow->items[i]);
		if (!found)
			return false;
	}
	return true;
}

/* Acts on every message that the prover's facts describe. */
static bool
acts_on_all(struct prover *prover, const struct shadow_entry *entry)
{
	const struct rule *early = entry->rule, *late = prover->rule;

	if (!covers_names(&early->accounts, &late->accounts) ||
	    !covers_mailboxes(&early->mailboxes, &late->mailboxes))
		return false;
	for (size_t i = 0; i < early->when_count; i++)
		if (!surely_holds(prover, entry->when[i], RULE_NESTING_MAX))
			return false;
	for (size_t i = 0; i < early->unless_count; i++)
		if (!surely_holds(
			prover, EXPR_NOT(entry->unless[i]), RULE_NESTING_MAX))
			return false;
	return true;
}

/* The later move would do just the same. */
static bool
is_same_move(const struct rule *a, const struct rule *b)
{
	const struct blueprint *one = rule_find_move(a);
	const struct blueprint *two = rule_find_move(b);
	BUF_AUTO first = BUF_INIT;
	BUF_AUTO second = BUF_INIT;

	if (one->fixed.kind != two->fixed.kind)
		return false;
	if (one->target == NULL || two->target == NULL)
		return true;
	return template_get_fixed(one->target, &first) &&
	       template_get_fixed(two->target, &second) &&
	       span_equal(buf_span(&first), buf_span(&second));
}

static bool
is_shadow(struct prover *prover, const struct shadow_entry *entry,
    struct shadow *shadow)
{
	const struct rule *early = entry->rule, *late = prover->rule;

	if (!early->stops &&
	    (rule_find_move(late) == NULL || is_same_move(early, late)))
		return false;
	if (!acts_on_all(prover, entry))
		return false;
	*shadow = (struct shadow){early, early->stops};
	return true;
}

static void
find_all_keys(const struct prover *prover, struct keys *keys)
{
	add_key(keys, "all", 0, NULL);
	for (size_t i = 0; i < prover->count; i++)
		if (prover->facts[i].literal != EXPR_TRUE)
			look_under(
			    &prover->exprs, prover->facts[i].literal, keys);
}

/* The first rule that stops, else the first that moves. */
bool
shadows_find(struct shadows *shadows, struct prover *prover,
    const struct rule *rule, struct shadow *shadow_r)
{
	struct shadow found, best = {0};
	struct keys keys = {.count = 0};
	size_t looked = 0;

	(void)rule;
	shadows->searches++;
	find_all_keys(prover, &keys);
	for (size_t k = 0; k < keys.count; k++) {
		size_t i =
		    shadows->buckets[keys.items[k] % shadows->bucket_count];

		for (; i != 0; i = shadows->links[i - 1].next) {
			const struct shadow_link *link = &shadows->links[i - 1];
			struct shadow_entry *entry =
			    &shadows->entries[link->entry];

			if (link->hash != keys.items[k] ||
			    entry->seen == shadows->searches ||
			    looked == SHADOW_CANDIDATES_MAX)
				continue;
			entry->seen = shadows->searches;
			looked++;
			if (!is_shadow(prover, entry, &found))
				continue;
			if (best.rule == NULL || (found.stops && !best.stops) ||
			    (found.stops == best.stops &&
				found.rule->place.line < best.rule->place.line))
				best = found;
		}
	}
	if (best.rule == NULL)
		return false;
	*shadow_r = best;
	return true;
}
