#include "daemon/config/forwards.h"

#include "daemon/base/xalloc.h"
#include "daemon/config/problem.h"
#include "daemon/config/syntax.h"
#include "daemon/mail/address_same.h"

/* ---- a server ------------------------------------------------------ */

static void
check_server(const struct config_account *account, const struct rules *rules,
    struct rule_problems *problems)
{
	const struct rule_place *forward =
	    rules_find_forward(rules, account->name);
	STR_AUTO smtp = xasprintf("add `smtp = submission://HOST` to [account "
				  "%s], or `accounts =` to the rule",
	    account->name);

	if (forward != NULL && account->smtp.host == NULL)
		problem_add(problems, false, *forward, smtp,
		    "the rule forwards, but account %s has no `smtp`",
		    account->name);
}

/* ---- redirect ------------------------------------------------------ */

/* Whose server it is, not whose address: a server of one's own takes what it
 * is told to take. A bridge on this machine is told by the address. */
static const struct preset *
find_submission(const struct config_account *account)
{
	struct span host = span_from_str(account->smtp.host);
	const struct preset *own = account->preset;

	if (own != NULL && own->smtp.host != NULL &&
	    span_is_nocase(host, own->smtp.host))
		return own;
	return host_is_loopback(host) ? NULL : presets_find_smtp(host);
}

/* A redirected message has the From of its author. */
static void
check_redirect(const struct config_account *account, const struct rules *rules,
    struct rule_problems *problems)
{
	static const char hint[] =
	    "write `as = attach`, or leave it out: that is the standard";
	const struct rule_place *as = rules_find_redirect(rules, account->name);
	const struct preset *preset = find_submission(account);

	if (as == NULL || preset == NULL)
		return;
	if (preset->from == PRESET_FROM_REFUSED)
		problem_add(problems, false, *as, hint,
		    "%s, which sends for account %s, refuses mail from the "
		    "address of somebody else",
		    preset->name, account->name);
	else if (preset->from == PRESET_FROM_REWRITTEN)
		problem_add(problems, true, *as, hint,
		    "%s, which sends for account %s, writes your own address "
		    "in From",
		    preset->name, account->name);
	else if (preset->from == PRESET_FROM_UNKNOWN)
		problem_add(problems, true, *as, hint,
		    "it is not known whether %s, which sends for account %s, "
		    "takes mail from the address of somebody else",
		    preset->name, account->name);
}

/* ---- circles ------------------------------------------------------- */

/* What a rule does for one account reaches another, or itself. */
struct edge {
	size_t from, to; /* accounts */
	const struct rule_place *place;
	const char *rule;
};

struct graph {
	const struct config *config;
	struct rule_problems *problems;
	size_t from; /* the account that is looked at */
	struct edge *edges;
	size_t count, cap;
};

/* `email` and `from` are among its identities. */
static bool
is_address_of(const struct config_account *account, const char *target)
{
	return address_same_as_any(&account->identity, span_from_str(target));
}

static bool
has_edge(const struct graph *g, size_t from, size_t to)
{
	for (size_t i = 0; i < g->count; i++)
		if (g->edges[i].from == from && g->edges[i].to == to)
			return true;
	return false;
}

static void
add_edge(struct graph *g, size_t to, const struct rule_place *place,
    const char *rule)
{
	if (has_edge(g, g->from, to))
		return;
	if (g->count == g->cap) {
		g->cap = g->cap > 0 ? 2 * g->cap : 8;
		g->edges = xreallocarray(g->edges, g->cap, sizeof(*g->edges));
	}
	g->edges[g->count++] = (struct edge){g->from, to, place, rule};
}

static void
add_forward(void *ctx, const struct rule_place *place, const char *rule,
    const char *target)
{
	struct graph *g = ctx;

	for (size_t i = 0; i < g->config->account_count; i++)
		if (g->config->accounts[i].enabled &&
		    is_address_of(&g->config->accounts[i], target))
			add_edge(g, i, place, rule);
}

/* Whether `to` can be reached by the first `count` edges. Each round marks
 * at least one account more, or is the last. */
static bool
is_reachable(const struct graph *g, size_t count, size_t from, size_t to)
{
	bool *seen = xcalloc(g->config->account_count, sizeof(bool));
	bool more = true, found;

	seen[from] = true;
	while (more) {
		more = false;
		for (size_t i = 0; i < count; i++) {
			const struct edge *edge = &g->edges[i];
			if (!seen[edge->from] || seen[edge->to])
				continue;
			seen[edge->to] = more = true;
		}
	}
	found = seen[to];
	free(seen);
	return found;
}

/* For another account the rule makes sense. */
static bool
serves_others(const struct graph *g, const struct edge *self)
{
	for (size_t i = 0; i < g->count; i++)
		if (g->edges[i].to == self->to &&
		    g->edges[i].from != self->from &&
		    strcmp(g->edges[i].rule, self->rule) == 0)
			return true;
	return false;
}

static void
check_edge(const struct graph *g, size_t index)
{
	const struct edge *edge = &g->edges[index];
	const char *from = g->config->accounts[edge->from].name;
	const char *to = g->config->accounts[edge->to].name;

	if (edge->from == edge->to && !serves_others(g, edge))
		problem_add(g->problems, true, *edge->place,
		    "let the rule be for other accounts, by `accounts =`",
		    "rule %s forwards to an address of account %s itself: "
		    "its own mail is not forwarded there",
		    edge->rule, from);
	else if (edge->from != edge->to &&
		 is_reachable(g, index, edge->to, edge->from))
		problem_add(g->problems, false, *edge->place,
		    "leave one of the forwards out, or let each rule be for "
		    "one account, by `accounts =`",
		    "forwards go in a circle: rule %s forwards from account "
		    "%s to account %s, whose mail is forwarded back",
		    edge->rule, from, to);
}

static void
check_circles(const struct config *config, struct rule_problems *problems)
{
	struct graph g = {.config = config, .problems = problems};

	for (g.from = 0; g.from < config->account_count; g.from++)
		if (config->accounts[g.from].enabled)
			rules_each_forward(config->rules,
			    config->accounts[g.from].name, add_forward, &g);
	for (size_t i = 0; i < g.count; i++)
		check_edge(&g, i);
	free(g.edges);
}

void
forwards_check(const struct config *config, struct rule_problems *problems)
{
	for (size_t i = 0; i < config->account_count; i++) {
		const struct config_account *account = &config->accounts[i];
		if (!account->enabled)
			continue;
		check_server(account, config->rules, problems);
		check_redirect(account, config->rules, problems);
	}
	check_circles(config, problems);
}
