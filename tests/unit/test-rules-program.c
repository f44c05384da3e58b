/*
 * test-rules-program: rules that are left out would not have matched.
 *
 * What patterns need is a table; whether nothing is left out in vain is
 * asked of random rules and random messages: rules_judge, which leaves out,
 * and rules_explain, which evaluates all, come to the same plan, warnings
 * included.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "daemon/base/random.h"
#include "daemon/base/xalloc.h"
#include "rules/literals.h"
#include "rules/pattern.h"
#include "rules/prefilter.h"
#include "tests/lib/rules_text.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))
#define ROUNDS 4000
#define RULES 12
#define NOW 1790000000

/* ---- What patterns need ---- */

static const struct {
	const char *pattern;
	const char *literals; /* joined by a blank; "": none */
} needs[] = {
    {"invoice", "invoice"},
    {"Invoice", "invoice"},
    {"^invoice$", "invoice"},
    {"\\binvoice\\b", "invoice"},
    {"in", ""},
    {"inv", "inv"},
    {"", ""},
    {"a.bcd", "bcd"},
    {"abcd.efg", "abcd"},
    {"abc.defg", "defg"},
    {"colou?r", "colo"},
    {"colou*r", "colo"},
    {"colou+r", "colou"},
    {"colou{0,3}r", "colo"},
    {"colou{0}r", "colo"},
    {"colou{2}r", "colou"},
    {"colou{10,}r", "colou"},
    {"colou{,3}r", ""},
    {"colou{r", ""},
    {"ab?c", ""},
    {"abcd?", "abc"},
    {"abcd??", "abc"},
    {"abcd+?ef", "abcd"},
    {"abcd++ef", "abcd"},
    {"invoice|receipt", "invoice receipt"},
    {"invoice|invoice", "invoice"},
    {"invoice|re", ""},
    {"invoice|", ""},
    {"(invoice|receipt) no", "invoice receipt"},
    {"(invoice|receipt)? number", " number"},
    {"(invoice|receipt)* number", " number"},
    {"(invoice|receipt){0,2} number", " number"},
    {"(invoice|receipt)+", "invoice receipt"},
    {"(invoice|receipt|[a-z]) number", " number"},
    {"(?:invoice)", "invoice"},
    {"(?>invoice)", "invoice"},
    {"(?<kind>invoice)", "invoice"},
    {"(?P<kind>invoice)", "invoice"},
    {"(?'kind'invoice)", "invoice"},
    {"(?=invoice)abc", "abc"},
    {"(?!invoice)abc", "abc"},
    {"(?<=invoice)abc", "abc"},
    {"(?<!invoice)abc", "abc"},
    {"(?!invoice)", ""},
    {"((((invoice))))", "invoice"},
    {"(a|(bcd|efg))", ""},
    {"(abc|(bcd|efg))", "abc bcd efg"},
    {"(?i)invoice", ""},
    {"(?i:invoice)", ""},
    {"(?-i)invoice", ""},
    {"(?#invoice)abc", ""},
    {"(?(1)invoice)abc", ""},
    {"(?|(invoice)|(receipt))", ""},
    {"(a)(?1)invoice", ""},
    {"(*UTF)invoice", ""},
    {"invoice(*ACCEPT)receipt", ""},
    {"\\Qinvoice\\E", ""},
    {"example\\.org", "example.org"},
    {"example[.]org", "example.org"},
    {"example[\\.]org", "example.org"},
    {"example.org", "example"},
    {"[invoice]", ""},
    {"[^i]nvoice", "nvoice"},
    {"[^x]invoice", "invoice"},
    {"[]invoice]abc", "abc"},
    {"[^]invoice]abc", "abc"},
    {"[[:alpha:]]invoice", "invoice"},
    {"[[:^alpha:]x]invoice", "invoice"},
    {"[[.x.]]invoice", ""},
    {"[a\\]b]invoice", "invoice"},
    {"[\\Qx]y\\E]invoice", ""},
    {"[i]?nvoice", "nvoice"},
    {"\\d{4}-invoice", "-invoice"},
    {"\\w+invoice", "invoice"},
    {"\\p{Lu}invoice", "invoice"},
    {"\\pLinvoice", "invoice"},
    {"\\N{U+69}nvoice", ""},
    {"\\x69nvoice", ""},
    {"\\1invoice", ""},
    {"\\cinvoice", ""},
    {"\\R*invoice", "invoice"},
    {"foo\\Kinvoice", ""},
    {"\303\234berpr\303\274fung", "berpr"},
    {"abc\xc3\xbc?", "abc"},
    {"abcdefghijklmnopqrstuvwxyz0123456789",
	"abcdefghijklmnopqrstuvwxyz012345"},
};

static void
test_literals(void **state)
{
	unsigned failures = 0;

	(void)state;
	for (size_t i = 0; i < LENGTH(needs); i++) {
		STRV_AUTO literals = STRV_INIT;
		STR_AUTO shown = NULL;

		literals_of_pattern(
		    &literals, span_from_str(needs[i].pattern), 0);
		shown = strv_join(&literals, " ");
		if (strcmp(shown, needs[i].literals) == 0)
			continue;
		print_error("%s: [%s] instead of [%s]\n", needs[i].pattern,
		    shown, needs[i].literals);
		failures++;
	}
	assert_int_equal(failures, 0);
}

static void
test_extended(void **state)
{
	STRV_AUTO literals = STRV_INIT;

	(void)state;
	literals_of_pattern(&literals, SPAN("in voice"), PATTERN_EXTENDED);
	assert_int_equal(literals.len, 0);
}

/* ---- Many needles ---- */

static void
add_letters(struct buf *buf, struct random *random, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_add_char(buf, "abAB-@`[{\xc3"[random_below(random, 9)]);
}

static void
add_needle(struct random *random, struct strv *needles)
{
	BUF_AUTO needle = BUF_INIT;
	size_t len =
	    LITERAL_MIN + random_below(random, LITERAL_MAX - LITERAL_MIN + 1);

	while (needle.len < len)
		buf_add_char(&needle, "ab-@`[{"[random_below(random, 7)]);
	if (random_below(random, 3) > 0)
		buf_truncate(&needle, LITERAL_MIN);
	strv_add_span(needles, buf_span(&needle));
}

static void
check_search(const struct strv *needles, const struct prefilter *prefilter,
    struct span value)
{
	uint64_t found = 0;

	assert_true(prefilter_search(prefilter, value, &found));
	for (size_t i = 0; i < needles->len; i++)
		if (bits_has(&found, i) !=
		    span_contains_nocase(
			value, span_from_str(needles->items[i])))
			fail_msg(
			    "%s in %.*s", needles->items[i], SPAN_FMT(value));
}

static void
test_search(void **state)
{
	struct random random;

	(void)state;
	random_init(&random, 1);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct prefilter *prefilter = prefilter_new();
		STRV_AUTO needles = STRV_INIT;
		BUF_AUTO value = BUF_INIT;

		for (size_t n = random_below(&random, 10); n > 0; n--)
			add_needle(&random, &needles);
		for (size_t j = 0; j < needles.len; j++)
			prefilter_add(
			    prefilter, span_from_str(needles.items[j]), j);
		prefilter_seal(prefilter);
		add_letters(&value, &random, random_below(&random, 60));
		if (needles.len > 0)
			buf_add_str(&value, needles.items[0]);
		check_search(&needles, prefilter, buf_span(&value));
		prefilter_free(&prefilter);
	}
}

/* Wherever it stands, at each stride. */
static void
test_other_case(void **state)
{
	static const char *const needles[] = {"abc", "abcdef", "abcdefghij"};

	(void)state;
	for (size_t i = 0; i < LENGTH(needles) * 40; i++) {
		struct prefilter *prefilter = prefilter_new();
		BUF_AUTO value = BUF_INIT;
		uint64_t found = 0;

		prefilter_add(
		    prefilter, span_from_str(needles[i % LENGTH(needles)]), 0);
		prefilter_seal(prefilter);
		for (size_t n = i / LENGTH(needles); n > 0; n--)
			buf_add_char(&value, '-');
		assert_true(
		    prefilter_search(prefilter, buf_span(&value), &found));
		buf_add_str(&value, "\xc5\xbf");
		assert_false(
		    prefilter_search(prefilter, buf_span(&value), &found));
		prefilter_free(&prefilter);
	}
}

static void
test_gives_up(void **state)
{
	struct prefilter *prefilter = prefilter_new();
	BUF_AUTO value = BUF_INIT;
	uint64_t found[2] = {0};

	(void)state;
	/* All begin with the same letters, and the value ends too early. */
	for (size_t i = 0; i < 100; i++) {
		STR_AUTO needle = xasprintf("zzzzzzzzzz%zu", 100 + i);
		prefilter_add(prefilter, span_from_str(needle), i);
	}
	prefilter_seal(prefilter);
	for (size_t i = 0; i < 100000; i++)
		buf_add_str(&value, i % 2 ? "zzz" : "zzzz");
	assert_false(prefilter_search(prefilter, buf_span(&value), found));
	prefilter_free(&prefilter);
}

/* ---- Random rules, random messages ---- */

static const char *const words[] = {"kiss", "SKY", "abc", "abcd", "Rechnung",
    "task", "k", "s", "sss", "a.b", "x-y", "1234", "foo", "bar", "invoice",
    "aaaaaaaaaa", "ko", "shop"};
static const char *const odd_words[] = {"\xe2\x84\xaa", "\xc5\xbf", "\xc3\xbc",
    "\xc3\x9c", "\xe2\x84\xaaiss", "ta\xc5\xbfk", "\xc5\xbf\xc5\xbf",
    "\303\274ber", "\303\234BER"};
static const char *const pattern_pieces[] = {"kiss", "abc", "sky", "foo", "bar",
    "\\.", "[.]", "[a-k]", "[^x]", "(?:foo|bar)", "(abc|kiss|ss)", "(abc)?",
    "(invoice)*", "b{0,2}", "c{2}", ".*", ".", "^", "$", "\\b", "\\d+", "\\s",
    "(?=abc)", "(?!abc)", "(?i)", "\\Qa.b\\E", "(a|)", "\\x61bc", "(a+)+$",
    "shop", "\303\274ber", "task", "|", "[[:alpha:]]", "x-y", "1234", "k", "s",
    "(?i:SKY)", "Rechnung", "invoice", "(?-i)s", "(?>ab)", "\\w+", "\\p{L}",
    "s+", "sk?y", "\xc5\xbf"};
static const char *const fields[] = {"subject", "from", "from.name",
    "from.domain", "to", "rcpt", "list-id", "message-id", "header(X-A)",
    "header(X-B)", "raw(X-A)", "any-header", "body", "attachment.name",
    "keyword", "mailbox", "account", "auto-submitted"};
static const char *const headers[] = {"Subject", "From", "To", "Cc", "List-Id",
    "Message-ID", "X-A", "x-a", "X-B", "X-C", "Auto-Submitted"};
static const char *const lists[] = {"@one", "@two", "@one, @two"};

#define PICK(random, table) ((table)[random_below((random), LENGTH(table))])

static void
add_word(struct buf *buf, struct random *random)
{
	const char *word = random_below(random, 5) == 0
			       ? PICK(random, odd_words)
			       : PICK(random, words);

	for (; *word != '\0'; word++) {
		bool swap = random_below(random, 6) == 0;
		bool is_letter = (*word >= 'a' && *word <= 'z') ||
				 (*word >= 'A' && *word <= 'Z');

		buf_add_char(buf, swap && is_letter ? *word ^ 0x20 : *word);
	}
}

static void
add_pattern(struct buf *buf, struct random *random)
{
	buf_add_char(buf, '/');
	for (uint64_t n = 1 + random_below(random, 4); n > 0; n--)
		buf_add_str(buf, PICK(random, pattern_pieces));
	buf_add_str(buf, "/");
	if (random_below(random, 6) == 0)
		buf_add_str(buf, "c");
	if (random_below(random, 20) == 0)
		buf_add_str(buf, "x");
}

static void
add_quoted(struct buf *buf, struct random *random)
{
	buf_add_char(buf, '"');
	add_word(buf, random);
	if (random_below(random, 3) == 0) {
		buf_add_char(buf, ' ');
		add_word(buf, random);
	}
	buf_add_char(buf, '"');
}

static void
add_test(struct buf *buf, struct random *random)
{
	buf_add_str(buf, PICK(random, fields));
	switch (random_below(random, 8)) {
	case 0:
		break;
	case 1:
		buf_add_str(buf, " !~ ");
		add_pattern(buf, random);
		break;
	case 2:
		buf_add_str(buf, " is ");
		add_quoted(buf, random);
		if (random_below(random, 2) == 0) {
			buf_add_str(buf, ", ");
			add_quoted(buf, random);
		}
		break;
	case 3:
		buf_add_str(buf, " has ");
		add_quoted(buf, random);
		break;
	case 4:
		buf_addf(buf, " in %s", PICK(random, lists));
		break;
	default:
		buf_add_str(buf, " ~ ");
		add_pattern(buf, random);
	}
}

static void
add_condition(struct buf *buf, struct random *random, unsigned depth)
{
	uint64_t kind = depth == 0 ? 9 : random_below(random, 10);

	if (kind < 3) {
		buf_add_char(buf, '(');
		add_condition(buf, random, depth - 1);
		buf_add_str(buf, kind == 0 ? " and " : " or ");
		add_condition(buf, random, depth - 1);
		buf_add_char(buf, ')');
	} else if (kind == 3) {
		buf_add_str(buf, "not (");
		add_condition(buf, random, depth - 1);
		buf_add_char(buf, ')');
	} else {
		add_test(buf, random);
	}
}

static void
add_rule(struct buf *buf, struct random *random, unsigned number)
{
	buf_addf(buf, "[rule r%u]\n", number);
	if (random_below(random, 8) == 0)
		buf_add_str(buf, "accounts = home\n");
	if (random_below(random, 8) == 0)
		buf_add_str(buf, "mailboxes = INBOX, Lists/*\n");
	for (uint64_t n = 1 + random_below(random, 2); n > 0; n--) {
		buf_add_str(buf, "when = ");
		add_condition(buf, random, 2);
		buf_add_char(buf, '\n');
	}
	if (random_below(random, 5) == 0) {
		buf_add_str(buf, "unless = ");
		add_condition(buf, random, 1);
		buf_add_char(buf, '\n');
	}
	buf_addf(buf, "label = l%u\n", number);
	if (random_below(random, 10) == 0)
		buf_add_str(buf, "stop = yes\n");
}

/* NULL when a pattern is none. */
static struct rules *
make_rules(struct random *random, struct buf *text)
{
	struct rule_problems problems = {0};
	struct rules *rules;

	buf_add_str(text, "[account home]\n[account work]\n"
			  "[list one]\nmember = kiss\nmember = foo@bar\n"
			  "[list two]\nmember = SKY\nmember = @abc\n");
	for (unsigned i = 0; i < RULES; i++)
		add_rule(text, random, i);
	rules = rules_from_text(buf_str(text), &problems);
	rule_problems_done(&problems);
	return rules;
}

static void
add_long(struct buf *buf, struct random *random)
{
	static const size_t lengths[] = {8000, 8300, 65500, 65600};
	size_t len = PICK(random, lengths);

	if (random_below(random, 2) == 0)
		add_word(buf, random);
	for (size_t i = 0; i < len; i++)
		buf_add_char(buf, 'a');
}

/* Only decoding shows what it says. */
static void
add_encoded(struct buf *buf, struct random *random)
{
	BUF_AUTO word = BUF_INIT;

	add_word(&word, random);
	buf_add_str(buf, "=?utf-8?q?");
	for (size_t i = 0; i < word.len; i++)
		buf_addf(buf, "=%02X", (unsigned char)word.data[i]);
	buf_add_str(buf, "?=");
}

static void
add_value(struct buf *buf, struct random *random)
{
	static const char *const between[] = {
	    "", " ", "@", ", ", " ", "\t", "\n\t", "\r\n ", "\x01", "\x1b(J"};

	if (random_below(random, 60) == 0)
		add_long(buf, random);
	if (random_below(random, 30) == 0)
		buf_add_str(buf, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!");
	for (uint64_t n = random_below(random, 5); n > 0; n--) {
		if (random_below(random, 8) == 0)
			add_encoded(buf, random);
		else
			add_word(buf, random);
		buf_add_str(buf, PICK(random, between));
	}
}

static void
make_message(struct random *random, struct buf *text)
{
	for (uint64_t n = random_below(random, 8); n > 0; n--) {
		buf_addf(text, "%s: ", PICK(random, headers));
		add_value(text, random);
		buf_add_char(text, '\n');
	}
	buf_add_char(text, '\n');
}

static void
show(struct buf *buf, const struct plan *plan)
{
	buf_addf(buf, "wants %u: ", plan->wants);
	rules_plan_show(buf, plan);
	for (size_t i = 0; i < plan->matched.len; i++)
		buf_addf(buf, " %s", plan->matched.items[i]);
	for (size_t i = 0; i < plan->warnings.len; i++)
		buf_addf(buf, "\n%s", plan->warnings.items[i]);
}

/* How often there was something to be seen. */
struct seen {
	unsigned judged, matched, warned, wanted;
};

static void
judge(const struct rules *rules, const struct facts *facts, struct buf *left,
    struct buf *all, struct seen *seen)
{
	struct trace trace;
	struct plan plan;

	rules_judge(rules, facts, &plan);
	show(left, &plan);
	plan_done(&plan);
	rules_explain(rules, facts, &plan, &trace);
	show(all, &plan);
	seen->judged++;
	seen->matched += plan.matched.len > 0;
	seen->warned += plan.warnings.len > 0;
	seen->wanted += plan.wants != 0;
	plan_done(&plan);
	trace_done(&trace);
}

static void
judge_random(struct random *random, const struct rules *rules,
    const struct buf *text, struct seen *seen)
{
	static const char *const mailboxes[] = {"INBOX", "Lists/kiss", "abc"};
	STRV_AUTO flags = STRV_INIT;
	BUF_AUTO header = BUF_INIT, body = BUF_INIT;
	BUF_AUTO left = BUF_INIT, all = BUF_INIT;
	struct facts facts = {.flags = &flags, .now_unix = NOW};

	make_message(random, &header);
	add_value(&body, random);
	strv_add(&flags, PICK(random, words));
	facts.message = message_new(buf_span(&header));
	facts.account = random_below(random, 2) == 0 ? "home" : "work";
	facts.mailbox = PICK(random, mailboxes);
	if (random_below(random, 3) > 0)
		facts.body = span_from(buf_str(&body), body.len);
	judge(rules, &facts, &left, &all, seen);
	message_free(&facts.message);
	if (strcmp(buf_str(&left), buf_str(&all)) != 0)
		fail_msg("%s\n%s\nleaving out: %s\nevaluating all: %s",
		    buf_str(text), buf_str(&header), buf_str(&left),
		    buf_str(&all));
}

static void
test_same_plans(void **state)
{
	struct seen seen = {0};
	struct random random;

	(void)state;
	random_init(&random, 20261122);
	for (unsigned i = 0; i < ROUNDS; i++) {
		BUF_AUTO text = BUF_INIT;
		struct rules *rules = make_rules(&random, &text);

		for (unsigned j = 0; rules != NULL && j < 4; j++)
			judge_random(&random, rules, &text, &seen);
		rules_free(&rules);
	}
	/* Else the test says little. */
	assert_in_range(seen.judged, ROUNDS / 4, 4 * ROUNDS);
	assert_in_range(seen.matched, seen.judged / 10, seen.judged);
	assert_in_range(seen.warned, 10, seen.judged);
	assert_in_range(seen.wanted, 10, seen.judged);
}

static struct pattern *
compile(const struct buf *text, unsigned flags)
{
	struct error error;
	size_t offset;

	return pattern_compile(buf_span(text), flags, &offset, &error);
}

/* ---- The budget ---- */

static void
add_bad_rules(struct buf *text, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		buf_addf(text,
		    "[rule bad%u]\nwhen = subject ~ /^(a+)+%u?$/\n"
		    "label = bad\n",
		    i, i % 10);
	buf_add_str(text, "[rule good]\nwhen = subject ~ /^a+!$/\n"
			  "label = good\n[rule other]\nwhen = subject has a!\n"
			  "label = other\n");
}

/* The plan with `count` rules in front whose patterns meet their limits. */
static void
judge_behind(unsigned count, struct buf *plan_r)
{
	static const char message[] =
	    "Subject: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\n\n";
	struct facts facts = {.message = message_new(SPAN(message)),
	    .account = "a",
	    .mailbox = "INBOX"};
	struct rule_problems problems = {0};
	BUF_AUTO text = BUF_INIT;
	struct rules *rules;
	struct plan plan;

	add_bad_rules(&text, count);
	rules = rules_from_text(buf_str(&text), &problems);
	assert_non_null(rules);
	rules_judge(rules, &facts, &plan);
	rules_plan_show(plan_r, &plan);
	assert_in_range(plan.warnings.len, count, count + 1);
	plan_done(&plan);
	rules_free(&rules);
	rule_problems_done(&problems);
	message_free(&facts.message);
}

static void
test_budget(void **state)
{
	BUF_AUTO few = BUF_INIT, many = BUF_INIT;

	(void)state;
	judge_behind(10, &few);
	assert_string_equal(buf_str(&few), "label as good; label as other");
	/* What runs no pattern goes on. */
	judge_behind(1000, &many);
	assert_string_equal(buf_str(&many), "label as other");
}

/* One rule with values that each cost nearly a limit leaves work for others. */
static void
test_budget_of_rule(void **state)
{
	struct pattern_room *room = pattern_room_new();
	BUF_AUTO text = BUF_INIT, subject = BUF_INIT;
	struct pattern *pattern;
	unsigned tried = 0;

	(void)state;
	buf_add_str(&text, "^(a+)+$");
	buf_add_str(&subject, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!");
	pattern = compile(&text, 0);
	pattern_room_begin_message(room);
	for (; tried < 1000; tried++)
		pattern_match(pattern, room, buf_span(&subject));
	assert_int_equal(
	    pattern_match(pattern, room, SPAN("a")), PATTERN_LIMIT);
	pattern_room_begin_rule(room);
	assert_int_equal(pattern_match(pattern, room, SPAN("a")), PATTERN_YES);
	pattern_room_end_message(room);
	pattern_free(&pattern);
	pattern_room_free(&room);
}

/* ---- Patterns with and without ---- */

/* A comment says nothing to PCRE2, and enough to whoever looks for literals:
 * such a pattern has none. */
static struct pattern *
compile_without(const struct buf *text, unsigned flags)
{
	BUF_AUTO commented = BUF_INIT;
	struct pattern *pattern;

	buf_add_str(&commented, "(?#)");
	buf_add_span(&commented, buf_span(text));
	pattern = compile(&commented, flags);
	assert_true(pattern == NULL || pattern_literals(pattern)->len == 0);
	return pattern;
}

static bool
is_same_answer(const struct pattern *pattern, enum pattern_result with,
    enum pattern_result without)
{
	/* Who knows that there is no match need not run into a limit, nor who
	 * sees all of a value. */
	return with == without ||
	       (with == PATTERN_NO && without == PATTERN_LIMIT) ||
	       (pattern_subject_max(pattern) == SIZE_MAX &&
		   without == PATTERN_LIMIT);
}

static unsigned
compare_patterns(struct random *random, const struct pattern *with,
    const struct pattern *without, const char *shown)
{
	struct pattern_room *room = pattern_room_new();
	unsigned matches = 0;

	for (unsigned i = 0; i < 10; i++) {
		enum pattern_result a, b;
		BUF_AUTO value = BUF_INIT;

		add_value(&value, random);
		a = pattern_match(with, room, buf_span(&value));
		b = pattern_match(without, room, buf_span(&value));
		if (!is_same_answer(with, a, b))
			fail_msg("/%s/ on \"%s\": %d with literals, %d "
				 "without",
			    shown, buf_str(&value), (int)a, (int)b);
		matches += a == PATTERN_YES;
	}
	pattern_room_free(&room);
	return matches;
}

static void
test_same_matches(void **state)
{
	unsigned matches = 0, used = 0;
	struct random random;

	(void)state;
	random_init(&random, 2);
	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned flags =
		    random_below(&random, 4) == 0 ? PATTERN_CASE : 0;
		BUF_AUTO text = BUF_INIT;
		struct pattern *with, *without;

		for (uint64_t n = 1 + random_below(&random, 5); n > 0; n--)
			buf_add_str(&text, PICK(&random, pattern_pieces));
		with = compile(&text, flags);
		without = compile_without(&text, flags);
		if (with != NULL && without != NULL) {
			used += pattern_literals(with)->len > 0;
			matches += compare_patterns(
			    &random, with, without, buf_str(&text));
		}
		pattern_free(&with);
		pattern_free(&without);
	}
	assert_in_range(used, ROUNDS / 4, ROUNDS);
	assert_in_range(matches, ROUNDS / 4, 10 * ROUNDS);
}

static void
test_same_texts(void **state)
{
	unsigned matches = 0;
	struct random random;

	(void)state;
	random_init(&random, 3);
	for (unsigned i = 0; i < ROUNDS; i++) {
		BUF_AUTO text = BUF_INIT, quoted = BUF_INIT;
		struct pattern *with, *without;

		for (uint64_t n = 1 + random_below(&random, 2); n > 0; n--)
			add_word(&text, &random);
		buf_addf(&quoted, "\\Q%s\\E", buf_str(&text));
		with = pattern_compile_literal(buf_span(&text), false);
		without = compile_without(&quoted, 0);
		matches +=
		    compare_patterns(&random, with, without, buf_str(&text));
		pattern_free(&with);
		pattern_free(&without);
	}
	assert_in_range(matches, ROUNDS / 4, 10 * ROUNDS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_literals),
	    cmocka_unit_test(test_extended),
	    cmocka_unit_test(test_search),
	    cmocka_unit_test(test_other_case),
	    cmocka_unit_test(test_gives_up),
	    cmocka_unit_test(test_budget),
	    cmocka_unit_test(test_budget_of_rule),
	    cmocka_unit_test(test_same_matches),
	    cmocka_unit_test(test_same_texts),
	    cmocka_unit_test(test_same_plans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
