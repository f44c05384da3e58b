/*
 * Rule text: whatever it is, it is taken or refused with a place; what is
 * taken judges a message, twice with the same plan, and explains it so.
 */
#include <assert.h>

#include "daemon/base/xalloc.h"
#include "tests/lib/rules_text.h"

static const char message[] =
    "Authentication-Results: mx.example.org; spf=pass; dkim=fail; dmarc=pass\n"
    "From: =?utf-8?q?B=C3=B6b?= <bob+news@mail.example>\n"
    "To: Ann <ann@example.org>, carl@other.example\n"
    "Subject: [belfry-1] Rechnung Nr. 12 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
    "List-Id: The List <list.example.org>\n"
    "Message-ID: <m1@mail.example>\n"
    "Date: Sun, 20 Sep 2026 14:13:20 +0000\n\n";

static void
show(struct buf *buf, const struct plan *plan)
{
	rules_plan_show(buf, plan);
	for (size_t i = 0; i < plan->warnings.len; i++)
		buf_addf(buf, "! %s", plan->warnings.items[i]);
}

static void
judge(struct rules *rules, const struct facts *facts)
{
	BUF_AUTO judged = BUF_INIT, explained = BUF_INIT;
	struct trace trace;
	struct plan plan;

	rules_judge(rules, facts, &plan);
	show(&judged, &plan);
	plan_done(&plan);
	rules_explain(rules, facts, &plan, &trace);
	show(&explained, &plan);
	assert(strcmp(buf_str(&judged), buf_str(&explained)) == 0);
	assert(trace.count == rules_count(rules));
	trace_done(&trace);
	plan_done(&plan);
}

static void
judge_message(struct rules *rules)
{
	STRV_AUTO flags = STRV_INIT, me = STRV_INIT, hosts = STRV_INIT;
	struct rules_needs needs;
	struct facts facts = {.message = message_new(SPAN(message)),
	    .account = "work",
	    .mailbox = "INBOX",
	    .flags = &flags,
	    .size = 10240,
	    .received_unix = 1790000000 - 7200,
	    .now_unix = 1790000000,
	    .identities = &me,
	    .authserv = &hosts,
	    .default_notification = true};

	strv_add(&flags, "$Junk");
	strv_add(&me, "ann@example.org");
	strv_add(&hosts, "mx.example.org");
	judge(rules, &facts);
	rules_get_needs(rules, "work", &needs);
	message_free(&facts.message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	STR_AUTO text = xstrdup_span(span_from(data, size));
	struct rule_problems problems = {0};
	struct rules *rules = rules_from_text(text, &problems);
	size_t errors = 0;

	for (size_t i = 0; i < problems.count; i++) {
		assert(problems.items[i].place.line > 0);
		assert(problems.items[i].place.column > 0);
		errors += !problems.items[i].is_warning;
	}
	assert((rules == NULL) == (errors > 0));
	if (rules != NULL)
		judge_message(rules);
	rules_free(&rules);
	rule_problems_done(&problems);
	return 0;
}
