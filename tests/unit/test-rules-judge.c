/* Whole judgements: rules and a message in, what is done out. Every case is
 * judged, then explained; both must agree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "daemon/base/xalloc.h"
#include "daemon/mail/structure.h"
#include "tests/lib/rules_text.h"

/* So that one run shows all cases that fail. */
static unsigned failures;
#define FAIL(...) (print_error(__VA_ARGS__), print_error("\n"), failures++)

#define NOW 1790000000 /* Monday, 2026-09-21 14:13:20 UTC */
#define RECEIVED (NOW - 7200)

struct rule_case {
	const char *name;
	const char *rules;
	const char *message;
	const char *plan;    /* as rules_plan_show */
	const char *flags;   /* separated by blanks; may be NULL */
	const char *outcome; /* of the first rule; may be NULL */
};

#define R "[rule a]\n"
#define M(condition) R "when = " condition "\nmove = X\n"
#define YES "move to X"
#define NO "nothing"
/* A case that asks one condition of the standard message. */
#define ASK(condition, answer)                                                 \
	{                                                                      \
		.name = condition, M(condition), NULL, answer                  \
	}

static const char standard[] =
    "Return-Path: <bounce@lists.example.org>\n"
    "Delivered-To: ann@example.org\n"
    "Authentication-Results: mx.example.org;\n"
    " spf=pass smtp.mailfrom=bob@work.example (dkim=fail; spf=fail);\n"
    " dkim=fail reason=\"x; dmarc=fail\" header.d=a.example;\n"
    " dkim=pass header.d=work.example; dmarc=pass header.from=work.example\n"
    "Authentication-Results: evil.example; spf=softfail; dmarc=none\n"
    "Authentication-Results: mx.example.org; dmarc=fail\n"
    "From: =?utf-8?q?B=C3=B6b_M=C3=BCller?= <bob+news@Mail.Work.Example>\n"
    "To: Ann <ann+shop@example.org>, carl@other.example\n"
    "Cc: dora@third.example\n"
    "Subject: =?utf-8?q?Rechnung_Nr=2E_12_f=C3=BCr_M=C3=84RZ?=\n"
    "List-Id: The List <Linux-Kernel.vger.example>\n"
    "Message-ID: <m1@work.example>\n"
    "Date: Sun, 20 Sep 2026 14:13:20 +0000\n"
    "X-Spam: no\n"
    "X-Spam: YES, 12\n"
    "X-Empty: \n"
    "Auto-Submitted: auto-generated (by a cron job)\n"
    "X-Raw: =?utf-8?q?caf=C3=A9?=\n"
    "\nbody\n";

/* clang-format off */
static const struct rule_case cases[] = {
	ASK("all", YES),
	ASK("not all", NO),
	/* Addresses. */
	ASK("from is bob+news@mail.work.example", YES),
	ASK("from.addr is BOB+NEWS@MAIL.WORK.EXAMPLE", YES),
	ASK("from.name is \"b\xc3\x96" "b m\xc3\x9cLLER\"", YES),
	ASK("from.name has m\xc3\x9cLL", YES),
	ASK("from.user is bob+news", YES),
	ASK("from.domain is mail.work.example", YES),
	ASK("from.detail is news", YES),
	ASK("from has M\xc3\xbcller", NO),
	ASK("to is nobody@x, carl@other.example", YES),
	ASK("to.detail is shop", YES),
	ASK("cc ~ /^dora@/", YES),
	ASK("bcc", NO),
	ASK("not bcc is x@y", YES),
	ASK("bcc !~ /x/", YES),
	ASK("rcpt is ann@example.org", YES),
	ASK("rcpt is dora@third.example", YES),
	ASK("sender.name", NO),
	/* Text. */
	ASK("subject ~ /\\b(invoice|rechnung)\\b/", YES),
	ASK("subject ~ /RECHNUNG/c", NO),
	ASK("subject ~ /m\xc3\xa4rz$/", YES),
	ASK("subject has f\xc3\x9cR m\xc3\xa4rz", YES),
	ASK("subject is rechnung nr. 12 f\xc3\xbcr m\xc3\xa4rz", YES),
	ASK("subject is rechnung", NO),
	ASK("subject ~ #nr\\. \\s \\d+#x", YES),
	ASK("subject ~ ,^.{3\\,9}nung,", YES),
	ASK("list-id ~ /^<?linux-kernel\\./", YES),
	ASK("list-id is linux-kernel.vger.example", YES),
	ASK("list-id has the list", YES),
	ASK("message-id is m1@work.example", YES),
	ASK("message-id is <m1@work.example>", YES),
	ASK("header(x-spam) ~ /^yes/", YES),
	ASK("header(X-Spam) !~ /^yes/", NO),
	ASK("header(X-Empty)", NO),
	ASK("not header(X-Empty)", YES),
	ASK("header(X-Empty) is \"\"", YES),
	ASK("header(X-None) is \"\"", NO),
	ASK("header(X-Raw) is caf\xc3\x89", YES),
	ASK("raw(X-Raw) has =?utf-8?q?caf", YES),
	ASK("raw(X-Raw) has caf\xc3\xa9", NO),
	ASK("any-header has bounce@lists", YES),
	ASK("any-header has nowhere", NO),
	/* Numbers. */
	ASK("size > 9K", YES),
	ASK("size > 10K", NO),
	ASK("size >= 10K", YES),
	ASK("size is 1, 10K", YES),
	ASK("size < 1M and size <= 10240", YES),
	ASK("age > 1h", YES),
	ASK("age < 2h", NO),
	ASK("age <= 2h", YES),
	ASK("sent is 1d", YES),
	ASK("hour is 9, 16", YES),
	ASK("hour >= 17", NO),
	ASK("weekday is mon", YES),
	ASK("weekday is sat, sun", NO),
	ASK("weekday < tue", YES),
	/* Facts. */
	{.name = "flag", M("flag is read"), NULL, YES, "\\SEEN $Junk"},
	{.name = "flag no", M("flag is flagged"), NULL, NO, "\\Seen"},
	{.name = "no flags", M("not flag"), NULL, YES},
	{.name = "keyword", M("keyword is $junk, b"), NULL, YES, "\\Seen $Junk"},
	{.name = "keyword no flag", M("keyword is \\Seen"), NULL, NO, "\\Seen"},
	ASK("mailbox is inbox and account is work", YES),
	ASK("bulk", YES),
	ASK("auto-submitted", YES),
	ASK("auto-submitted is auto-generated", YES),
	ASK("to-me", YES),
	ASK("cc-me", NO),
	ASK("auth.spf is pass", YES),
	ASK("auth.dkim is pass", YES),
	ASK("auth.dkim is fail", YES),
	ASK("auth.dmarc is pass", YES),
	ASK("auth.dmarc is fail, none", NO),
	{.name = "precedence", M("bulk"), "Precedence: junk\n\n", YES},
	{.name = "not bulk", M("bulk"), "Precedence: high\n\n", NO},
	{.name = "auto no", M("auto-submitted"), "Auto-Submitted: no\n\n", NO},
	{.name = "no results", M("auth.spf"), "X: y\n\n", NO},
	{.name = "untrusted", M("auth.dmarc"),
	    "Authentication-Results: e.example; dmarc=pass\n\n", NO},
	{.name = "no host", M("auth.dmarc"),
	    "Authentication-Results: dmarc=pass\n\n", NO},
	{.name = "smuggled", M("auth.dmarc is pass"),
	    "Authentication-Results: mx.example.org; dmarc=fail "
	    "smtp.mailfrom=a; dmarc=pass\n\n", NO},
	{.name = "comment", M("auth.spf is pass"),
	    "Authentication-Results: (c) mx.example.org (d) 1; "
	    "spf/1 (e) = (f) pass (g)\n\n", YES},
	{.name = "in comment", M("auth.spf is pass"),
	    "Authentication-Results: mx.example.org; (; spf=pass\n\n", NO},
	{.name = "in nested comment", M("auth.spf is pass"),
	    "Authentication-Results: mx.example.org; (a (b) ; spf=pass;)"
	    " dkim=none\n\n", NO},
	{.name = "behind nested comment", M("auth.spf is fail"),
	    "Authentication-Results: mx.example.org (a (b) \\) ; spf=pass);"
	    " spf=fail\n\n", YES},
	{.name = "missing is false", M("sent > 0"), "X: y\n\n", NO},
	{.name = "missing negated", M("not sent > 0"), "X: y\n\n", YES},
	/* Precedence and shape. */
	ASK("all or not all and not all", YES),
	ASK("(all or not all) and not all", NO),
	ASK("not not all", YES),
	ASK("not all or all", YES),
	ASK("not (all or all)", NO),
	ASK("all and(bulk)", YES),
	ASK("(subject has nr. 12)", YES),
	ASK("(subject has (x) or all)", YES),
	{.name = "brackets in a value", M("(subject is a (b) and all)"),
	    "Subject: A (B)\n\n", YES},
	{.name = "smiley", M("subject has :)"), "Subject: hi :)\n\n", YES},
	{.name = "words that begin like and", M("subject is a android orange"),
	    "Subject: a android orange\n\n", YES},
	{.name = "quoted", M("subject is \"salt and \\\"pepper\\\", x\""),
	    "Subject: Salt and \"Pepper\", x\n\n", YES},
	{.name = "quoted list", M("subject is x, \"a,b\" , y"), "Subject: a,b\n\n",
	    YES},
	{.name = "two lines", R "when = bulk\nwhen = from has nobody\nmove = X\n",
	    NULL, NO},
	{.name = "continued", R "when = bulk\n from has nobody\nmove = X\n", NULL, NO},
	{.name = "veto", R "when = all\nunless = from has x\nunless = bulk\nmove = X\n",
	    NULL, NO, NULL, "vetoed"},
	{.name = "no veto", R "when = all\nunless = not bulk\nmove = X\n", NULL, YES},
	/* Lists. */
	{.name = "list", "[list vip]\nmember = boss@x\nmember = Bob+News@mail.work."
	    "example\n" M("from in @vip"), NULL, YES},
	{.name = "subdomain", M("from in @vip") "[list vip]\nmember = @WORK.example\n",
	    NULL, YES},
	{.name = "no suffix", M("from in @vip") "[list vip]\nmember = @ork.example\n",
	    NULL, NO},
	{.name = "domain part", M("from.domain in @vip")
	    "[list vip]\nmember = @work.example\n", NULL, YES},
	{.name = "two lists", M("from in @a, @b") "[list a]\n[list b]\n"
	    "member = @example\n", NULL, YES},
	{.name = "missing in list", M("not bcc in @a") "[list a]\nmember = a@b\n",
	    NULL, YES},
	{.name = "case of a list", M("from.name in @vip")
	    "[list vip]\nmember = B\u00d6B M\u00dcLLER\n", NULL, YES},
	{.name = "domain of a list is no address", M("from in @vip")
	    "[list vip]\nmember = @bob+news@mail.work.example\n", NULL, NO},
	{.name = "label in between", M("from in @vip")
	    "[list vip]\nmember = @mail.example\nmember = @mail.work\n",
	    NULL, NO},
	{.name = "international member", M("from in @vip")
	    "[list vip]\nmember = @M\u00fcnchen.example\n",
	    "From: a@mail.xn--mnchen-3ya.example\n\n", YES},
	{.name = "international message", M("from in @vip")
	    "[list vip]\nmember = a@xn--MNCHEN-3ya.example\n",
	    "From: a@m\u00dcnchen.example\n\n", YES},
	{.name = "international domain", M("from.domain in @vip")
	    "[list vip]\nmember = @xn--mnchen-3ya.example\n",
	    "From: a@m\u00fcnchen.example\n\n", YES},
	{.name = "file", M("from in @file:/vip"), NULL, YES},
	{.name = "file not read", M("from in @file:/other"), NULL, NO},
	/* Actions and their order. */
	{.name = "order", R "when = all\nnotify = critical\nmove = M\nmark = read $a"
	    "\nexec = /bin/x y\nforward = z@example.com\ncopy = C\n"
	    "copy = D\n", NULL, "copy to C; copy to D; forward to "
	    "z@example.com as attachment; run /bin/x y; mark read, $a; move "
	    "to M; notify (critical)"},
	{.name = "order of rules", R "when = all\nmove = M\ncopy = A\n[rule b]\n"
	    "when = all\ncopy = B\n", NULL,
	    "copy to A; copy to B; move to M"},
	{.name = "stop", R "when = all\ncopy = A\nstop = yes\n[rule b]\nwhen = bulk\n"
	    "copy = B\n", NULL, "copy to A"},
	{.name = "no stop without match", R "when = not all\nstop = yes\n[rule b]\n"
	    "when = all\ncopy = B\n", NULL, "copy to B"},
	{.name = "two moves", R "when = bulk\ntrash = yes\n[rule b]\nwhen = all\n"
	    "move = B\n", NULL,
	    "move to the trash! rule b would move the message, but rule a "
	    "does already"},
	{.name = "two moves by rule, not by kind", R "when = bulk\ndelete = forever\n"
	    "[rule b]\nwhen = all\nmove = B\n", NULL, "delete forever! rule b "
	    "would move the message, but rule a does already"},
	{.name = "same move twice", R "when = bulk\nmove = B\n[rule b]\nwhen = all\n"
	    "move = B\n", NULL, "move to B"},
	{.name = "same copy", R "when = bulk\ncopy = B\n[rule b]\nwhen = all\n"
	    "copy = B\n", NULL, "copy to B"},
	{.name = "same forward", R "when = bulk\nforward = a@b.example\n[rule b]\n"
	    "when = all\nforward = A@B.example\n", NULL,
	    "forward to a@b.example as attachment"},
	{.name = "marks of two", R "when = all\nmark = flagged -$b unread\n[rule b]\n"
	    "when = all\nmark = -flagged $c\n", NULL,
	    "mark flagged, not $b, unread; mark $c! rule b would change the "
	    "mark \\Flagged that rule a sets or removes"},
	{.name = "special", R "when = all\nmove = \\Archive\n", NULL,
	    "move to \\Archive"},
	{.name = "archive", R "when = all\narchive = yes\n", NULL,
	    "move to the archive"},
	{.name = "junk", R "when = all\njunk = yes\n", NULL, "move to junk"},
	{.name = "create", R "when = all\nmove = A/B\ncreate = yes\n", NULL,
	    "move to A/B (made if it is missing)"},
	{.name = "observe", R "when = all\nmove = A\nstop = yes\nmode = observe\n"
	    "[rule b]\nwhen = all\nmove = B\n", NULL,
	    "move to B? a: move to A", NULL, "observed"},
	{.name = "over limit", R "when = all\nmove = A\nstop = yes\nlimit = 2/hour\n"
	    "[rule b]\nwhen = all\nmove = B\n", NULL,
	    "move to B? a: move to A, but it is over its limit", NULL,
	    "over limit"},
	{.name = "within limit", R "when = all\nmove = A\nlimit = 3/hour\n", NULL,
	    "move to A"},
	{.name = "disabled", R "when = all\nmove = A\nenabled = no\n", NULL, NO, NULL,
	    "not applicable"},
	{.name = "other account", "[account work]\n[account home]\n" R
	    "when = all\nmove = A\naccounts = home\n", NULL, NO},
	{.name = "account", "[account work]\n[account home]\n" R
	    "when = all\nmove = A\naccounts = home, work\n", NULL,
	    "move to A"},
	{.name = "mailbox", R "when = all\nmove = A\nmailboxes = Lists/*, inbox\n",
	    NULL, "move to A"},
	{.name = "other mailbox", R "when = all\nmove = A\nmailboxes = IN*X/*\n", NULL,
	    NO},
	/* Variables. */
	{.name = "capture", R "when = subject ~ /^\\[(?<project>[a-z0-9-]+)\\]/\n"
	    "move = CI/${project}\nexec = /bin/ci ${project} 'a b${project}'"
	    "\n", "Subject: [big-one] ok\n\n",
	    "run /bin/ci big-one \"a bbig-one\"; move to CI/big-one"},
	{.name = "captures of two lines", R "when = subject ~ /(?<a>x)/\n"
	    "when = from.user ~ /(?<b>.*)/\nmove = ${b}-${a}\n",
	    "Subject: x\nFrom: bob@example.org\n\n", "move to bob-x"},
	{.name = "first capture wins", R "when = subject ~ /(?<a>x)/\n"
	    "when = from.user ~ /(?<a>.*)/\nmove = ${a}\n",
	    "Subject: x\nFrom: bob@example.org\n\n", "move to x"},
	{.name = "unset capture", R "when = subject ~ /(?<a>z)?x/\nmove = A${a}B\n",
	    "Subject: x\n\n", "move to AB"},
	{.name = "empty component", R "when = subject ~ /(?<a>z)?x/\nmove = A/${a}/B\n",
	    "Subject: x\n\n", "move to A/_/B"},
	{.name = "fields", R "when = all\nmove = ${from.domain}/${date.year}-"
	    "${date.month}/${header(X-Spam)}\n", NULL,
	    "move to Mail.Work.Example/2026-09/no"},
	{.name = "date", R "when = all\nmove = ${date}/${date.day}/${date.hour}\n",
	    NULL, "move to 2026-09-21/21/14"},
	{.name = "no variable", R "when = all\nexec = /bin/x $$ $${a} $x\n", NULL,
	    "run /bin/x $$ ${a} $x"},
	{.name = "empty argument", R "when = all\nexec = /bin/x '' \"${bcc}\" a\"b\"'c'"
	    "\n", NULL, "run /bin/x \"\" \"\" abc"},
	{.name = "title", R "when = all\nnotify = yes\ntitle = From ${from.user}!\n"
	    "via = phone\n[notifier phone]\n", NULL,
	    "notify via phone \"From bob+news!\""},
	{.name = "one notification", R "when = all\nnotify = low\n[rule b]\n"
	    "when = all\nnotify = critical\ntitle = B\n", NULL,
	    "notify (critical) \"B\""},
	/* Limits of patterns. */
	{.name = "catastrophe", R "when = subject ~ /^(([a-z])+.)+[A-Z]([a-z])+$/c\n"
	    "move = A\n[rule b]\nwhen = all\nmove = B\n",
	    "Subject: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n\n",
	    "move to B! rule a did not act: one of its patterns met a limit "
	    "on this message", NULL, "failed"},
	{.name = "catastrophe in unless", R "when = all\n"
	    "unless = subject ~ /^(([a-z])+.)+[A-Z]([a-z])+$/c\nmove = A\n",
	    "Subject: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n\n",
	    "nothing! rule a did not act: one of its patterns met a limit on "
	    "this message", NULL, "failed"},
	{.name = "catastrophe in not", R "when = not (subject !~ "
	    "/^(([a-z])+.)+[A-Z]([a-z])+$/c or all)\nmove = A\n",
	    "Subject: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n\n",
	    "nothing! rule a did not act: one of its patterns met a limit on "
	    "this message", NULL, "failed"},
};
/* clang-format on */

static void
check_trace(const struct rule_case *test, const struct rules *rules,
    const struct trace *trace, const struct plan *plan)
{
	size_t matched = 0;

	if (trace->count != rules_count(rules))
		FAIL("%s: trace has not all rules", test->name);
	for (size_t i = 0; i < trace->count; i++)
		matched += trace->rules[i].outcome == TRACE_MATCHED;
	if (matched != plan->matched.len)
		FAIL("%s: trace and plan differ", test->name);
	if (test->outcome != NULL &&
	    strcmp(test->outcome,
		trace_outcome_name(trace->rules[0].outcome)) != 0)
		FAIL("%s: outcome is %s", test->name,
		    trace_outcome_name(trace->rules[0].outcome));
}

static void
show_all(struct buf *buf, const struct plan *plan)
{
	rules_plan_show(buf, plan);
	for (size_t i = 0; i < plan->warnings.len; i++)
		buf_addf(buf, "! %s", plan->warnings.items[i]);
	for (size_t i = 0; i < plan->would.len; i++)
		buf_addf(buf, "? %s", plan->would.items[i]);
}

/* Counting says the same of each rule as explaining. */
static void
check_outcomes(const struct rules *rules, const struct facts *facts,
    const struct trace *trace)
{
	enum trace_outcome *outcomes =
	    xcalloc(rules_count(rules) + 1, sizeof(*outcomes));
	struct plan plan;

	rules_judge_outcomes(rules, facts, &plan, outcomes);
	for (size_t i = 0; i < trace->count; i++)
		if (outcomes[i] != trace->rules[i].outcome)
			FAIL("rule %s is counted as %s, not %s",
			    trace->rules[i].id, trace_outcome_name(outcomes[i]),
			    trace_outcome_name(trace->rules[i].outcome));
	plan_done(&plan);
	free(outcomes);
}

static void
judge_with(const struct rule_case *test, struct rules *rules,
    const struct facts *facts)
{
	BUF_AUTO judged = BUF_INIT, explained = BUF_INIT;
	struct plan plan;
	struct trace trace;

	rules_judge(rules, facts, &plan);
	show_all(&judged, &plan);
	plan_done(&plan);
	rules_explain(rules, facts, &plan, &trace);
	show_all(&explained, &plan);
	if (strcmp(buf_str(&judged), test->plan) != 0)
		FAIL("%s: \"%s\" instead of \"%s\"", test->name,
		    buf_str(&judged), test->plan);
	if (strcmp(buf_str(&explained), buf_str(&judged)) != 0)
		FAIL("%s: explained as %s", test->name, buf_str(&explained));
	check_trace(test, rules, &trace, &plan);
	check_outcomes(rules, facts, &trace);
	trace_done(&trace);
	plan_done(&plan);
}

static void
split_words(struct strv *words, const char *text)
{
	struct span rest = span_from_str(text), word;

	while (span_split(&rest, ' ', &word))
		strv_add_span(words, word);
}

static void
judge_case(const struct rule_case *test)
{
	const char *message = test->message != NULL ? test->message : standard;
	STRV_AUTO flags = STRV_INIT, me = STRV_INIT, hosts = STRV_INIT;
	struct rule_problems problems = {0};
	struct rules *rules = rules_from_text(test->rules, &problems);
	struct limits *limits = limits_new();
	struct facts facts = {.message = message_new(span_from_str(message)),
	    .account = "work",
	    .mailbox = "INBOX",
	    .flags = &flags,
	    .size = 10240,
	    .received_unix = RECEIVED,
	    .now_unix = NOW,
	    .utc_offset = 7200,
	    .identities = &me,
	    .authserv = &hosts,
	    .limits = limits};
	BUF_AUTO shown = BUF_INIT;

	rules_problems_show(&shown, &problems);
	if (rules == NULL) {
		FAIL("%s: %s", test->name, buf_str(&shown));
		rules = rules_new_empty();
	}
	rules_set_list_file(rules, "/vip",
	    SPAN("# people\r\nx@y\r\n\r\n@mail.work.example\r\n"));
	if (test->flags != NULL)
		split_words(&flags, test->flags);
	strv_add(&me, "Ann@example.org");
	strv_add(&hosts, "MX.example.org");
	limits_note(limits, "a", NOW - 3000);
	limits_note(limits, "a", NOW - 10);
	judge_with(test, rules, &facts);
	rule_problems_done(&problems);
	message_free(&facts.message);
	limits_free(&limits);
	rules_free(&rules);
}

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		judge_case(&cases[i]);
	assert_int_equal(failures, 0);
}

static const struct {
	const char *rules, *flags, *plan;
} notifications[] = {
    {"", "", "notify"},
    {"", "\\Seen", "nothing"},
    {R "when = all\nquiet = yes\n", "", "nothing"},
    {R "when = all\nmark = read\n", "", "mark read"},
    {R "when = all\nmark = unread\n", "\\Seen", "mark unread; notify"},
    {R "when = all\nmark = $x\n", "", "mark $x; notify"},
    {R "when = all\nnotify = low\n", "", "notify (low)"},
    {R "when = all\nnotify = low\n", "\\Seen", "notify (low)"},
    {R "when = all\nmove = A\n", "", "move to A; notify"},
    {R "when = all\narchive = yes\n", "", "move to the archive; notify"},
    {R "when = all\ntrash = yes\n", "", "move to the trash"},
    {R "when = all\njunk = yes\n", "", "move to junk"},
    {R "when = all\ndelete = forever\n", "", "delete forever"},
    {R "when = all\nmove = \\Junk\n", "", "move to \\Junk"},
    {R "when = all\nmove = \\Trash\n", "", "move to \\Trash"},
    {R "when = all\nmove = Junk\n", "", "move to Junk; notify"},
    {R "when = all\ncopy = \\Junk\n", "", "copy to \\Junk; notify"},
    {R "when = all\njunk = yes\nnotify = low\n", "",
	"move to junk; notify (low)"},
    {R "when = all\nmode = observe\njunk = yes\n", "", "notify"},
    {R "when = all\nquiet = yes\nmode = observe\n", "", "notify"},
};

static void
test_default_notification(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(notifications) / sizeof(*notifications);
	     i++) {
		struct rule_problems problems = {0};
		struct rules *rules =
		    rules_from_text(notifications[i].rules, &problems);
		STRV_AUTO flags = STRV_INIT;
		BUF_AUTO shown = BUF_INIT;
		struct plan plan;
		struct facts facts = {.message = message_new(SPAN("A: b\n\n")),
		    .account = "work",
		    .mailbox = "INBOX",
		    .flags = &flags,
		    .default_notification = true};

		assert_non_null(rules);
		split_words(&flags, notifications[i].flags);
		rules_judge(rules, &facts, &plan);
		rules_plan_show(&shown, &plan);
		if (strcmp(buf_str(&shown), notifications[i].plan) != 0)
			fail_msg(
			    "%s: %s", notifications[i].rules, buf_str(&shown));
		plan_done(&plan);
		message_free(&facts.message);
		rule_problems_done(&problems);
		rules_free(&rules);
	}
}

/* What a field looks at is fetched. */
static const struct {
	const char *condition, *headers; /* beside those of every message */
} field_needs[] = {
    {"from and subject and message-id and sent > 1s", ""},
    {"sender", " Sender"},
    {"reply-to", " Reply-To"},
    {"to-me", " To"},
    {"cc-me", " Cc"},
    {"cc.detail", " Cc"},
    {"bcc", " Bcc"},
    {"list-id", " List-Id"},
    {"raw(X-Any)", " X-Any"},
    {"bulk", " List-Id List-Post List-Unsubscribe Precedence"},
    {"auto-submitted", " Auto-Submitted"},
    {"auth.spf or auth.dkim or auth.dmarc", " Authentication-Results"},
    {"size > 1 or hour is 1 or flag or keyword or new-sender", ""},
};

static void
test_field_needs(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(field_needs) / sizeof(*field_needs);
	     i++) {
		struct rule_problems problems = {0};
		STR_AUTO text = xasprintf(
		    R "when = %s\nmark = x\n", field_needs[i].condition);
		STR_AUTO want = xasprintf(
		    "From Subject Date Message-ID%s", field_needs[i].headers);
		STR_AUTO names = NULL;
		struct rules *rules = rules_from_text(text, &problems);
		struct rules_needs needs;

		assert_non_null(rules);
		rules_get_needs(rules, NULL, &needs);
		names = strv_join(needs.headers, " ");
		assert_string_equal(names, want);
		rules_free(&rules);
		rule_problems_done(&problems);
	}
}

static bool
needs_whole(const char *text)
{
	struct rule_problems problems = {0};
	struct rules *rules = rules_from_text(text, &problems);
	struct rules_needs needs;

	assert_non_null(rules);
	rules_get_needs(rules, NULL, &needs);
	rules_free(&rules);
	rule_problems_done(&problems);
	return needs.all_headers;
}

static void
test_needs(void **state)
{
	struct rule_problems problems = {0};
	struct rules *rules = rules_from_text(
	    "[account a]\n[account b]\n"
	    "[rule one]\nwhen = rcpt has x and header(X-A)\n"
	    "move = ${list-id}\naccounts = a\n"
	    "[rule two]\nwhen = any-header has x\ntrash = yes\naccounts = b\n",
	    &problems);
	struct rules_needs needs, same;
	STR_AUTO names = NULL;

	(void)state;
	assert_non_null(rules);
	rules_get_needs(rules, "a", &needs);
	rules_get_needs(rules, "a", &same);
	assert_ptr_equal(same.headers, needs.headers);
	names = strv_join(needs.headers, " ");
	assert_string_equal(names,
	    "From Subject Date Message-ID To Cc Bcc Delivered-To "
	    "X-Original-To Envelope-To Resent-To Resent-Cc Resent-Bcc X-A "
	    "List-Id");
	assert_false(needs.all_headers);
	rules_get_needs(rules, NULL, &same);
	assert_ptr_equal(same.headers, needs.headers);
	rules_get_needs(rules, "b", &needs);
	assert_ptr_not_equal(same.headers, needs.headers);
	assert_true(needs.all_headers);
	assert_false(needs.received);
	rules_free(&rules);
	rule_problems_done(&problems);
}

/* Names that no command can hold: the whole header has them, too. */
static void
test_needs_of_odd_names(void **state)
{
	static const char *const odd[] = {
	    "X{1}", "X(", "\"Y\"", "X*", "100%", "X\\", "X]"};
	BUF_AUTO many = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		BUF_AUTO text = BUF_INIT;

		buf_addf(
		    &text, R "when = header(%s) has x\nmark = x\n", odd[i]);
		assert_true(needs_whole(buf_str(&text)));
	}
	assert_false(needs_whole(R "when = header(X-a.b'c_!#$&+,/;<=>?@[^`|~)\n"
				   "mark = x\n"));
	buf_add_str(&many, R "when = header(X-Name-000)");
	for (unsigned i = 1; i < 50; i++)
		buf_addf(&many, " or header(X-Name-%03u)", i);
	buf_add_str(&many, "\nmark = x\n");
	assert_false(needs_whole(buf_str(&many)));
	for (unsigned i = 50; i < 100; i++)
		buf_addf(&many,
		    "[rule b%u]\nwhen = header(X-Name-%03u)\n"
		    "mark = x\n",
		    i, i);
	assert_true(needs_whole(buf_str(&many)));
}

/* What config asks an account for. */
static void
test_reliance(void **state)
{
	struct rule_problems problems = {0};
	struct rules *rules = rules_from_text(
	    "[account a]\n[account b]\n[account c]\n"
	    "[rule one]\nwhen = bulk or not (to-me or auth.spf is pass)\n"
	    "forward = x@example.org\naccounts = a\n"
	    "[rule two]\nwhen = auth.dmarc is pass\nmode = observe\n"
	    "forward = x@example.org\naccounts = b\n"
	    "[rule three]\nwhen = all\nunless = auth.dkim is pass\n"
	    "quiet = yes\naccounts = c\n",
	    &problems);

	(void)state;
	assert_non_null(rules);
	assert_int_equal(rules_find_forward(rules, "a")->line, 4);
	assert_int_equal(rules_find_auth(rules, "a")->line, 5);
	assert_int_equal(rules_find_auth(rules, "a")->column, 30);
	assert_null(rules_find_forward(rules, "b"));
	assert_null(rules_find_auth(rules, "b"));
	assert_null(rules_find_forward(rules, "c"));
	assert_int_equal(rules_find_auth(rules, "c")->line, 15);
	rules_free(&rules);
	rule_problems_done(&problems);
}

static void
test_trace(void **state)
{
	struct rule_problems problems = {0};
	struct rules *rules = rules_from_text(R
	    "when = subject ~ /(?<w>bee)/ and not (bulk or from is x@y)\n"
	    "unless = size > 1K\nmove = ${w}\n",
	    &problems);
	struct facts facts = {
	    .message = message_new(SPAN("Subject: a bee\nFrom: c@d\n\n")),
	    .account = "a",
	    .mailbox = "b",
	    .size = 2048};
	struct trace trace;
	struct plan plan;

	(void)state;
	assert_non_null(rules);
	rules_explain(rules, &facts, &plan, &trace);
	assert_int_equal(trace.count, 1);
	assert_string_equal(trace.rules[0].id, "a");
	assert_int_equal(trace.rules[0].outcome, TRACE_VETOED);
	assert_int_equal(trace.rules[0].count, 4);
	assert_string_equal(
	    trace.rules[0].conditions[0].text, "subject ~ /(?<w>bee)/");
	assert_string_equal(trace.rules[0].conditions[0].values, "a bee");
	assert_true(trace.rules[0].conditions[0].result);
	assert_string_equal(trace.rules[0].conditions[2].text, "from is x@y");
	assert_string_equal(trace.rules[0].conditions[2].values, "c@d");
	assert_int_equal(trace.rules[0].conditions[2].place.line, 2);
	assert_int_equal(trace.rules[0].conditions[2].place.column, 47);
	assert_string_equal(trace.rules[0].conditions[3].values, "2048");
	assert_true(trace.rules[0].conditions[3].decided);
	assert_true(trace.rules[0].conditions[3].is_unless);
	assert_false(trace.rules[0].conditions[2].is_unless);
	assert_false(trace.rules[0].conditions[0].decided);
	assert_int_equal(trace.rules[0].captures.len, 1);
	assert_string_equal(trace.rules[0].captures.items[0], "w=bee");
	trace_done(&trace);
	plan_done(&plan);
	message_free(&facts.message);
	rules_free(&rules);
	rule_problems_done(&problems);
}

/* What the structure and the body are asked for, and what comes out once they
 * are known: a PDF of 2 MB, an image without a name, and some words. */
struct stage_case {
	const char *rules;
	unsigned wants;	  /* while nothing but the header is known */
	unsigned then;	  /* with the structure */
	const char *plan; /* with the body, too */
};
#define WS PLAN_WANTS_STRUCTURE
#define WB PLAN_WANTS_BODY

static const struct stage_case stages[] = {
    {M("attachment"), WS, 0, YES},
    {M("not attachment"), WS, 0, NO},
    {M("attachment.name ~ /\\.pdf$/"), WS, 0, YES},
    {M("attachment.type is image/png, x/y"), WS, 0, YES},
    {M("attachment.type is text/plain"), WS, 0, NO},
    {M("attachment.count is 2"), WS, 0, YES},
    {M("attachment.size > 1M"), WS, 0, YES},
    {M("attachment.size > 3M"), WS, 0, NO},
    {M("body has \"the offer\""), WB, WB, YES},
    {M("body ~ /^regards$/m"), WB, WB, YES},
    {M("body"), WB, WB, YES},
    {M("attachment and body has offer"), WS | WB, WB, YES},
    /* Nothing is fetched where the header settles it. */
    {M("subject has x and body has offer"), 0, 0, NO},
    {M("body has offer and subject has x"), 0, 0, NO},
    {M("subject has bee or body has offer"), 0, 0, YES},
    {M("body has offer or subject has bee"), 0, 0, YES},
    {M("body has offer\nwhen = subject has x"), 0, 0, NO},
    {M("body has offer\nunless = subject has bee"), 0, 0, NO},
    {M("subject has bee\nunless = body has offer"), WB, WB, NO},
    {M("subject has x\nunless = body has offer"), 0, 0, NO},
    {M("body has offer\nmailboxes = Other"), 0, 0, NO},
    {M("body has offer\nenabled = no"), 0, 0, NO},
    /* A capture must not depend on what other rules fetched. */
    {R "when = body ~ /(?<w>offer)/ or subject has bee\nmove = ${w}\n", WB, WB,
	"move to offer"},
    {R "when = subject ~ /(?<w>bee)/ or body ~ /(?<w>offer)/\nmove = ${w}\n", 0,
	0, "move to bee"},
    /* Behind an open rule nothing is certain. */
    {M("body has offer") "stop = yes\n[rule b]\nwhen = attachment\nmove = Y\n",
	WB, WB, YES},
    {M("subject has bee") "stop = yes\n[rule b]\nwhen = body\nmove = Y\n", 0, 0,
	YES},
    {R "when = all\nmove = A\n[rule b]\nwhen = body has offer\nmark = read\n",
	WB, WB, "mark read; move to A"},
    /* What an action needs. */
    {R "when = subject has bee\nmove = ${attachment.name}\n", WS, 0,
	"move to a.pdf"},
    {R "when = subject has x\nmove = ${attachment.name}\n", 0, 0, NO},
    {M("new-sender"), 0, 0, YES},
};

/* A rule is undecided only where a test could not be told, or an action cannot
 * be written yet. */
static void
check_open(const struct trace *trace)
{
	for (size_t i = 0; i < trace->count; i++) {
		const struct trace_rule *rule = &trace->rules[i];
		bool is_open = false;

		for (size_t j = 0; j < rule->count; j++)
			is_open |= rule->conditions[j].is_open;
		if (rule->outcome == TRACE_UNDECIDED && !is_open &&
		    !rule->conditions[rule->count - 1].result)
			FAIL("rule %s is undecided without reason", rule->id);
	}
}

static unsigned
judge_stage(const struct rules *rules, struct facts *facts, char **shown_r)
{
	struct buf shown = BUF_INIT;
	struct plan plan, again;
	struct trace trace;
	unsigned wants;

	rules_judge(rules, facts, &plan);
	rules_explain(rules, facts, &again, &trace);
	rules_plan_show(&shown, &plan);
	*shown_r = buf_take_str(&shown);
	wants = plan.wants;
	check_outcomes(rules, facts, &trace);
	check_open(&trace);
	if (again.wants != wants || again.count != plan.count)
		FAIL("judged and explained differ");
	if (wants != 0 && (plan.count > 0 || plan.matched.len > 0))
		FAIL("an open plan acts");
	plan_done(&plan);
	plan_done(&again);
	trace_done(&trace);
	return wants;
}

static void
check_stage(const struct stage_case *c)
{
	static struct part parts[] = {
	    {.type = (char *)"text/plain", .name = (char *)""},
	    {.type = (char *)"application/pdf",
		.name = (char *)"a.pdf",
		.size = 2 << 20,
		.is_attachment = true},
	    {.type = (char *)"image/png",
		.name = (char *)"",
		.size = 10,
		.is_attachment = true},
	};
	static const struct structure structure = {parts, 3, false};
	struct rule_problems problems = {0};
	struct rules *rules = rules_from_text(c->rules, &problems);
	struct facts facts = {
	    .message = message_new(SPAN("Subject: a bee\nFrom: c@d\n\n")),
	    .account = "a",
	    .mailbox = "b",
	    .is_new_sender = true};
	char *header, *parted, *whole;

	assert_non_null(rules);
	if (judge_stage(rules, &facts, &header) != c->wants)
		FAIL("%s: wants something else", c->rules);
	facts.structure = &structure;
	if (judge_stage(rules, &facts, &parted) != c->then)
		FAIL("%s: wants something else with parts", c->rules);
	facts.body = SPAN("this is the offer\nregards\n");
	if (judge_stage(rules, &facts, &whole) != 0 ||
	    strcmp(whole, c->plan) != 0)
		FAIL("%s: %s, not %s", c->rules, whole, c->plan);
	if (c->wants == 0 && strcmp(header, whole) != 0)
		FAIL("%s: the header alone says %s", c->rules, header);
	free(header);
	free(parted);
	free(whole);
	message_free(&facts.message);
	rules_free(&rules);
	rule_problems_done(&problems);
}

static void
test_stages(void **state)
{
	(void)state;
	failures = 0;
	for (size_t i = 0; i < sizeof(stages) / sizeof(*stages); i++)
		check_stage(&stages[i]);
	assert_int_equal(failures, 0);
}

/* ---- files of lists ---- */

static bool
is_vip(const struct rules *rules, const char *from)
{
	static const struct strv none = STRV_INIT;
	STR_AUTO text = xasprintf("From: %s\n\n", from);
	struct facts facts = {.message = message_new(span_from_str(text)),
	    .account = "work",
	    .mailbox = "INBOX",
	    .flags = &none};
	struct plan plan;

	rules_judge(rules, &facts, &plan);
	bool is = plan.matched.len == 1;
	plan_done(&plan);
	message_free(&facts.message);
	return is;
}

/* A file with too many leaves the members as they were; one that has just as
 * many as may be takes their place. */
static void
test_list_file(void **state)
{
	struct rule_problems problems = {0};
	struct rules *rules =
	    rules_from_text(M("from in @file:/vip"), &problems);
	BUF_AUTO text = BUF_INIT;

	(void)state;
	assert_non_null(rules);
	assert_false(is_vip(rules, "a@b"));
	assert_true(rules_set_list_file(rules, "/vip",
	    SPAN("\xef\xbb\xbf"
		 "a@b\r\n # x\n\n#c@d\n\n")));
	assert_true(is_vip(rules, "A@B"));
	assert_false(is_vip(rules, "c@d"));
	for (unsigned i = 0; i < RULES_LIST_MEMBERS_MAX; i++)
		buf_addf(&text, "%s%u@x\n", i % 2 == 0 ? "" : "@", i);
	buf_add_str(&text, "# no member");
	assert_true(rules_set_list_file(rules, "/vip", buf_span(&text)));
	assert_false(is_vip(rules, "a@b"));
	assert_true(is_vip(rules, "123456@x"));
	buf_add_str(&text, "\na@b");
	assert_false(rules_set_list_file(rules, "/vip", buf_span(&text)));
	assert_true(is_vip(rules, "123456@x"));
	assert_false(is_vip(rules, "a@b"));
	assert_true(rules_set_list_file(rules, "/other", buf_span(&text)));
	rules_free(&rules);
	rule_problems_done(&problems);
}

/* ---- the meter ---- */

/* Each look at this clock takes a microsecond more than the one before. */
static uint64_t
look_at_clock(void *ctx)
{
	uint64_t *clock = ctx;

	clock[1] += 1000;
	return clock[0] += clock[1];
}

static void
show_time(void *ctx, const char *rule, uint64_t messages, uint64_t nanoseconds)
{
	buf_addf(ctx, "%s %llu %llu; ", rule, (unsigned long long)messages,
	    (unsigned long long)nanoseconds);
}

static void
judge_times(const struct rules *rules, struct rules_meter *meter,
    const char *account, unsigned times)
{
	static const struct strv none = STRV_INIT;
	struct facts facts = {.message = message_new(SPAN("Subject: b\n\n")),
	    .account = account,
	    .mailbox = "INBOX",
	    .flags = &none,
	    .meter = meter};
	struct plan plan;

	for (unsigned i = 0; i < times; i++) {
		rules_judge(rules, &facts, &plan);
		plan_done(&plan);
	}
	message_free(&facts.message);
}

/* One judgement in three is measured, and in it the rules that were looked
 * at. */
static void
test_meter(void **state)
{
	struct rule_problems problems = {0};
	struct rules *rules = rules_from_text(
	    "[account a]\n[account b]\n"
	    "[rule one]\nwhen = subject is b\nmark = read\n"
	    "[rule two]\nwhen = all\nmove = A\nstop = yes\naccounts = a\n"
	    "[rule three]\nwhen = all\nmove = B\n",
	    &problems);
	uint64_t clock[2] = {0, 0};
	struct rules_meter *meter = rules_meter_new(look_at_clock, clock, 3);
	struct rules_meter *none = NULL;
	BUF_AUTO shown = BUF_INIT;

	(void)state;
	assert_non_null(rules);
	rules_meter_each(meter, show_time, &shown);
	judge_times(rules, meter, "a", 3);
	rules_meter_each(meter, show_time, &shown);
	assert_string_equal(buf_str(&shown), "one 1 2000; two 1 4000; ");
	judge_times(rules, meter, "b", 4);
	buf_clear(&shown);
	rules_meter_each(meter, show_time, &shown);
	assert_string_equal(
	    buf_str(&shown), "one 3 18000; two 1 4000; three 2 20000; ");
	rules_meter_clear(meter);
	buf_clear(&shown);
	rules_meter_each(meter, show_time, &shown);
	judge_times(rules, meter, "b", 2);
	rules_meter_each(meter, show_time, &shown);
	assert_string_equal(buf_str(&shown), "");
	rules_meter_free(&meter);
	rules_meter_free(&none);
	rules_free(&rules);
	rule_problems_done(&problems);
}

/* More actions than a plan may have: the rest is left out, and it says so. */
static void
test_actions_max(void **state)
{
	struct rule_problems problems = {0};
	struct facts facts = {.message = message_new(SPAN("Subject: x\n\n")),
	    .account = "a",
	    .mailbox = "b"};
	BUF_AUTO text = BUF_INIT;
	struct rules *rules;
	struct plan plan;

	(void)state;
	for (unsigned i = 0; i < PLAN_ACTIONS_MAX + 1; i++)
		buf_addf(
		    &text, "[rule r%u]\nwhen = subject\ncopy = F%u\n", i, i);
	rules = rules_from_text(buf_str(&text), &problems);
	assert_non_null(rules);
	rules_judge(rules, &facts, &plan);
	assert_int_equal(plan.count, PLAN_ACTIONS_MAX);
	assert_true(plan.is_cut);
	assert_int_equal(plan.warnings.len, 1);
	assert_non_null(strstr(plan.warnings.items[0], "more than 200"));
	plan_done(&plan);
	message_free(&facts.message);
	rules_free(&rules);
	rule_problems_done(&problems);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cases),
	    cmocka_unit_test(test_default_notification),
	    cmocka_unit_test(test_needs),
	    cmocka_unit_test(test_needs_of_odd_names),
	    cmocka_unit_test(test_field_needs),
	    cmocka_unit_test(test_reliance),
	    cmocka_unit_test(test_trace),
	    cmocka_unit_test(test_stages),
	    cmocka_unit_test(test_actions_max),
	    cmocka_unit_test(test_list_file),
	    cmocka_unit_test(test_meter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
