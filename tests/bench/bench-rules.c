/*
 * bench-rules: what it costs to parse, decode and judge a message.
 *
 *	bench-rules [messages] [rounds [rules]]
 *
 * Generates messages (a seed, so always the same) as mailing lists, shops and
 * people send them, and rules as people write them: 60 % patterns, 25 %
 * `is` and `has`, domains, lists, facts and a few any-header; some in a
 * hundred match. Beside each result stands a floor measured in the same run,
 * which no judge can beat by much: the same bytes searched for line ends and
 * colons once, and, for the rules, the same patterns run over values that
 * are ready, grouped by field, with nothing around them.
 *
 * Then one size is made larger at a time, alone, and the cost of one unit of
 * it must stay where it was. The best of the rounds counts, for the machine
 * is not alone. Nothing passes or fails. With a number of rules, only those
 * are run, for a profiler.
 */
#include <stdio.h>
#include <time.h>

#include "daemon/base/random.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/mail/rfc2047.h"
#include "rules/pattern.h"
#include "tests/lib/rules_text.h"

#define MESSAGES 10000
#define ROUNDS 5
#define SEED 20261122
#define NOW 1790000000
#define WORDS 3000	    /* that messages are made of */
#define WORDS_OF_RULES 9000 /* most of them stand in no message */
#define RULE_MIX 20
#define FEWER_FROM 10000 /* so many rules see a tenth of the messages */

struct corpus {
	struct buf *messages;
	size_t count;
};

static double
now(void)
{
	struct timespec ts;

	/* Of the processor, which may be busy with others, too. */
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* ---- Messages ---- */

/* A word that is the same for the same number. */
static void
add_word(struct buf *buf, uint64_t number)
{
	static const char *const onsets[] = {"b", "d", "f", "g", "k", "l", "m",
	    "n", "p", "r", "s", "t", "st", "tr", "ch", "v"};
	static const char *const rhymes[] = {
	    "a", "e", "i", "o", "u", "an", "er", "in", "on", "al"};

	for (number += 160; number > 0; number /= 160) {
		buf_add_str(buf, onsets[number % 16]);
		buf_add_str(buf, rhymes[number / 16 % 10]);
	}
}

/* Few words are used often. */
static uint64_t
pick_word(struct random *random)
{
	uint64_t bound = 1 + random_below(random, WORDS);

	return random_below(random, 1 + random_below(random, bound));
}

static void
add_words(struct buf *buf, struct random *random, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		if (i > 0)
			buf_add_char(buf, ' ');
		add_word(buf, pick_word(random));
	}
}

static void
add_noise(struct buf *buf, struct random *random, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmn"
				     "opqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i++)
		buf_add_char(buf, digits[random_below(random, 64)]);
}

static void
add_domain(struct buf *buf, struct random *random)
{
	static const char *const ends[] = {
	    ".com", ".org", ".example.net", ".co.uk", ".de"};

	add_word(buf, pick_word(random) / 4);
	buf_add_str(buf, ends[random_below(random, 5)]);
}

static void
add_address(struct buf *buf, struct random *random)
{
	BUF_AUTO name = BUF_INIT;

	add_words(&name, random, 2);
	if (random_below(random, 100) < 20)
		buf_add_str(&name, " M\xc3\xbcller");
	rfc2047_encode(buf, buf_span(&name), 6);
	buf_add_str(buf, " <");
	add_word(buf, pick_word(random));
	buf_add_char(buf, '@');
	add_domain(buf, random);
	buf_add_char(buf, '>');
}

static void
add_subject(struct buf *buf, struct random *random)
{
	BUF_AUTO text = BUF_INIT;
	uint64_t kind = random_below(random, 100);

	if (kind < 20) {
		buf_add_char(&text, '[');
		add_word(&text, pick_word(random));
		buf_add_str(&text, "] ");
	}
	if (kind % 10 == 0)
		buf_add_str(&text, "Re: ");
	add_words(&text, random, 3 + random_below(random, 7));
	if (kind % 4 == 1)
		buf_addf(
		    &text, " #%u", (unsigned)random_below(random, 1000000));
	if (kind % 100 < 42)
		buf_add_str(&text, kind % 2 ? " \xe2\x80\x93 f\xc3\xbcr Sie"
					    : " \xe2\x82\xac 12,50");
	buf_add_str(buf, "Subject: ");
	rfc2047_encode(buf, buf_span(&text), 9);
	buf_add_str(buf, "\r\n");
}

static void
add_received(struct buf *buf, struct random *random)
{
	buf_add_str(buf, "Received: from ");
	add_domain(buf, random);
	buf_addf(buf,
	    " (mail-%u.outbound.example.net [192.0.2.%u])\r\n"
	    "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 "
	    "bits))\r\n\tby mx",
	    (unsigned)random_below(random, 90),
	    (unsigned)random_below(random, 256));
	add_domain(buf, random);
	buf_add_str(buf, " (Postfix) with ESMTPS id ");
	add_noise(buf, random, 12);
	buf_add_str(buf, "\r\n\tfor <ann@example.org>; Sun, 20 Sep 2026 "
			 "14:13:20 +0000 (UTC)\r\n");
}

static void
add_folded_noise(struct buf *buf, struct random *random, size_t lines)
{
	for (size_t i = 0; i < lines; i++) {
		add_noise(buf, random, 72);
		buf_add_str(buf, i + 1 < lines ? "\r\n\t" : "\r\n");
	}
}

static void
add_signature(struct buf *buf, struct random *random, const char *name)
{
	buf_addf(
	    buf, "%s: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n\td=", name);
	add_domain(buf, random);
	buf_add_str(buf, "; s=s1; t=1789999999;\r\n\th=from:to:subject:date:"
			 "message-id:mime-version;\r\n\tbh=");
	add_noise(buf, random, 44);
	buf_add_str(buf, ";\r\n\tb=");
	add_folded_noise(buf, random, 8);
}

static void
add_list_fields(struct buf *buf, struct random *random)
{
	BUF_AUTO list = BUF_INIT;

	add_word(&list, pick_word(random));
	buf_addf(buf, "List-Id: The %s list <%s.lists.example.org>\r\n",
	    buf_str(&list), buf_str(&list));
	buf_addf(buf, "List-Post: <mailto:%s@lists.example.org>\r\n",
	    buf_str(&list));
	buf_addf(buf,
	    "List-Unsubscribe: <https://lists.example.org/u/%s>,\r\n"
	    "\t<mailto:%s-leave@lists.example.org>\r\n",
	    buf_str(&list), buf_str(&list));
	buf_add_str(buf, "Precedence: bulk\r\n");
}

static void
add_trace(struct buf *buf, struct random *random)
{
	uint64_t hops = 3 + random_below(random, 3);

	buf_add_str(buf, "Return-Path: <bounce-12@");
	add_domain(buf, random);
	buf_add_str(buf, ">\r\nDelivered-To: ann@example.org\r\n");
	for (uint64_t i = 0; i < hops; i++)
		add_received(buf, random);
	buf_add_str(buf, "Authentication-Results: mx.example.org;\r\n"
			 "\tspf=pass smtp.mailfrom=bounce.example.net;\r\n"
			 "\tdkim=pass header.d=example.net; dmarc=pass\r\n");
	add_signature(buf, random, "DKIM-Signature");
	add_signature(buf, random, "ARC-Message-Signature");
}

static void
add_people(struct buf *buf, struct random *random)
{
	buf_add_str(buf, "From: ");
	add_address(buf, random);
	buf_add_str(buf, "\r\nTo: Ann Example <ann@example.org>");
	for (uint64_t i = random_below(random, 3); i > 0; i--) {
		buf_add_str(buf, ",\r\n ");
		add_word(buf, pick_word(random));
		buf_add_char(buf, '@');
		add_domain(buf, random);
	}
	buf_add_str(buf, "\r\nReply-To: ");
	add_word(buf, pick_word(random));
	buf_add_str(buf, "@example.net\r\nMessage-ID: <");
	add_noise(buf, random, 24);
	buf_add_str(buf, "@example.net>\r\nDate: Sun, 20 Sep 2026 14:13:20 "
			 "+0000\r\n");
}

static void
add_extras(struct buf *buf, struct random *random)
{
	static const char *const names[] = {"X-Mailer", "X-Campaign",
	    "Feedback-ID", "X-Report-Abuse", "X-Entity-Ref", "X-Spam-Status"};

	buf_add_str(buf, "MIME-Version: 1.0\r\nContent-Type: "
			 "multipart/alternative;\r\n\tboundary=\"");
	add_noise(buf, random, 32);
	buf_add_str(buf, "\"\r\n");
	for (size_t i = 0; i < 6; i++) {
		buf_addf(buf, "%s: ", names[i]);
		add_words(buf, random, 4 + random_below(random, 8));
		buf_add_str(buf, "\r\n");
	}
	buf_add_str(buf, "References: ");
	for (uint64_t i = 1 + random_below(random, 4); i > 0; i--) {
		buf_add_char(buf, '<');
		add_noise(buf, random, 28);
		buf_add_str(
		    buf, i > 1 ? "@example.net>\r\n " : "@example.net>\r\n");
	}
}

static void
add_message(struct buf *buf, struct random *random)
{
	add_trace(buf, random);
	add_people(buf, random);
	add_subject(buf, random);
	if (random_below(random, 3) == 0)
		add_list_fields(buf, random);
	add_extras(buf, random);
	buf_add_str(buf, "\r\n");
}

static struct corpus
make_corpus(size_t count)
{
	struct corpus corpus = {xcalloc(count, sizeof(struct buf)), count};
	struct random random;

	random_init(&random, SEED);
	for (size_t i = 0; i < count; i++)
		add_message(&corpus.messages[i], &random);
	return corpus;
}

static void
corpus_done(struct corpus *corpus)
{
	for (size_t i = 0; i < corpus->count; i++)
		buf_done(&corpus->messages[i]);
	free(corpus->messages);
}

static void
print_corpus(const struct corpus *corpus)
{
	size_t bytes = 0, fields = 0, words = 0;

	for (size_t i = 0; i < corpus->count; i++) {
		struct span text = buf_span(&corpus->messages[i]);
		struct message *message = message_new(text);

		bytes += text.len;
		fields += message_field_count(message);
		for (size_t at = 0;
		     (at = span_find_span(text, SPAN("=?utf"), at)) != SIZE_MAX;
		     at++)
			words++;
		message_free(&message);
	}
	printf("%zu messages; mean %zu bytes, %.1f fields, %.2f encoded "
	       "words\n\n",
	    corpus->count, bytes / corpus->count,
	    (double)fields / (double)corpus->count,
	    (double)words / (double)corpus->count);
}

/* ---- Rules ---- */

/* Twenty kinds in turn; a number in a hundred is read as "%s" once for a
 * word, twice for two. */
/* clang-format off */
static const char *const rule_mix[RULE_MIX] = {
	"subject ~ /\\b%s\\b/",
	"from ~ /%s@/",
	"list-id ~ /^%s\\./",
	"subject ~ /^\\[%s\\]/",
	"header(X-Mailer) ~ /%s/",
	"subject ~ /%s (\\w+)/",
	"to ~ /^%s\\+(?<tag>[^@]+)@/",
	"subject ~ /(%s|re:.*%s)/",
	"header(X-Campaign) ~ /^%s/",
	"from.name ~ /%s/",
	"subject ~ /\\b\\d{3,}-%s/",
	"from ~ /^[^@]+@%s\\.(com|org)$/",
	"subject has %s",
	"from is %s@example.net",
	"list-id is %s.lists.example.org",
	"header(X-Spam-Status) has %s",
	"subject has \"%s %s\"",
	"from.domain is %s.com, %s.org",
	"from in @vip",
	NULL,
};
static const char *const rare_mix[] = {
	"any-header ~ /%s-%s/",
	"subject ~ /^[A-Z]{2,}-\\d+:/c",
	"bulk and subject ~ /%s/",
	"size > 10M or not to-me and subject has %s",
	"subject !~ /[a-z]/ and from ~ /%s/",
};
/* clang-format on */

static const char *
condition_of(size_t index)
{
	const char *condition = rule_mix[index % RULE_MIX];

	return condition != NULL ? condition : rare_mix[index / RULE_MIX % 5];
}

static void
add_condition(struct buf *buf, struct random *random, const char *format)
{
	for (; *format != '\0'; format++) {
		if (*format == '%') {
			add_word(
			    buf, random_below(random,
				     1 + random_below(random, WORDS_OF_RULES)));
			format++;
		} else {
			buf_add_char(buf, *format);
		}
	}
}

static struct rules *
compile(const char *text)
{
	struct rule_problems problems = {0};
	struct rules *rules = rules_from_text(text, &problems);

	if (rules == NULL) {
		BUF_AUTO shown = BUF_INIT;
		rules_problems_show(&shown, &problems);
		fprintf(stderr, "bench-rules: %s", buf_str(&shown));
		exit(1);
	}
	rule_problems_done(&problems);
	return rules;
}

static void
add_rules(struct buf *text, size_t count)
{
	struct random random;

	random_init(&random, SEED + 1);
	buf_add_str(text, "[list vip]\n");
	for (size_t i = 0; i < 200; i++) {
		buf_add_str(text, "member = ");
		add_word(text, random_below(&random, WORDS));
		buf_add_str(text, "@example.com\n");
	}
	for (size_t i = 0; i < count; i++) {
		buf_addf(text, "[rule r%zu]\nwhen = ", i);
		add_condition(text, &random, condition_of(i));
		buf_addf(text, "\nlabel = l%zu\n", i % 50);
	}
}

static struct rules *
make_rules(size_t count)
{
	BUF_AUTO text = BUF_INIT;

	add_rules(&text, count);
	return compile(buf_str(&text));
}

/* ---- Measuring ---- */

static size_t matched;

static void
judge_one(const struct rules *rules, struct span bytes)
{
	struct facts facts = {.message = message_new(bytes),
	    .account = "work",
	    .mailbox = "INBOX",
	    .size = bytes.len,
	    .received_unix = NOW - 7200,
	    .now_unix = NOW,
	    .default_notification = true};
	struct plan plan;

	rules_judge(rules, &facts, &plan);
	matched += plan.matched.len;
	plan_done(&plan);
	message_free(&facts.message);
}

/* Seconds for all messages. */
static double
run_judge(const struct rules *rules, const struct corpus *corpus)
{
	double start = now();

	for (size_t i = 0; i < corpus->count; i++)
		judge_one(rules, buf_span(&corpus->messages[i]));
	return now() - start;
}

static double
best_judge(
    const struct rules *rules, const struct corpus *corpus, unsigned rounds)
{
	double best = run_judge(rules, corpus);

	for (unsigned i = 1; i < rounds; i++) {
		double seconds = run_judge(rules, corpus);

		best = seconds < best ? seconds : best;
	}
	return best;
}

static size_t found;

/* Line ends, then the first colon of each line. */
static double
run_scan(const struct corpus *corpus)
{
	double start = now();

	for (size_t i = 0; i < corpus->count; i++) {
		struct span rest = buf_span(&corpus->messages[i]), line;

		while (span_split(&rest, '\n', &line))
			found += span_find(line, ':') != SIZE_MAX;
	}
	return now() - start;
}

/* The bare patterns: what the rules' patterns ask, over ready values. */
static const char *const grouped_fields[] = {
    "Subject", "From", "List-Id", "To", "X-Mailer", "X-Campaign"};
#define GROUPS 6

struct group {
	struct pattern **patterns;
	size_t count;
};

static void
add_pattern(struct group groups[], size_t index, struct span condition)
{
	/* In the order of rule_mix. */
	static const size_t group_of[] = {0, 1, 2, 0, 4, 0, 3, 0, 5, 1, 0, 1};
	struct group *group = &groups[group_of[index % RULE_MIX]];
	size_t start = span_find(condition, '/') + 1, offset;
	struct span text =
	    span_slice(condition, start, condition.len - start - 1);
	struct error error;

	group->patterns = xreallocarray(
	    group->patterns, group->count + 1, sizeof(*group->patterns));
	group->patterns[group->count] =
	    pattern_compile(text, 0, &offset, &error);
	if (group->patterns[group->count] != NULL)
		group->count++;
}

static void
make_groups(struct group groups[], size_t rules)
{
	struct random random;

	random_init(&random, SEED + 1);
	for (size_t i = 0; i < rules; i++) {
		BUF_AUTO condition = BUF_INIT;

		add_condition(&condition, &random, condition_of(i));
		if (i % RULE_MIX < 12)
			add_pattern(groups, i, buf_span(&condition));
	}
}

static void
groups_done(struct group groups[])
{
	for (size_t i = 0; i < GROUPS; i++) {
		for (size_t j = 0; j < groups[i].count; j++)
			pattern_free(&groups[i].patterns[j]);
		free(groups[i].patterns);
	}
}

static double
run_group(const struct group *group, const char *name,
    struct message **messages, size_t count)
{
	struct pattern_room *room = pattern_room_new();
	double start = now();

	for (size_t i = 0; i < count; i++) {
		struct span value = message_text(messages[i], name, 0);

		for (size_t j = 0; value.len > 0 && j < group->count; j++)
			found += pattern_match(group->patterns[j], room,
				     value) == PATTERN_YES;
	}
	start = now() - start;
	pattern_room_free(&room);
	return start;
}

static double
run_groups(size_t rules, const struct corpus *corpus)
{
	size_t count = corpus->count < 1000 ? corpus->count : 1000;
	struct message **messages = xcalloc(count, sizeof(*messages));
	struct group groups[GROUPS] = {{0}};
	double seconds = 0;

	make_groups(groups, rules);
	for (size_t i = 0; i < count; i++) {
		messages[i] = message_new(buf_span(&corpus->messages[i]));
		for (size_t j = 0; j < GROUPS; j++)
			message_text(messages[i], grouped_fields[j], 0);
	}
	for (size_t j = 0; j < GROUPS; j++)
		seconds +=
		    run_group(&groups[j], grouped_fields[j], messages, count);
	for (size_t i = 0; i < count; i++)
		message_free(&messages[i]);
	free(messages);
	groups_done(groups);
	return seconds / (double)count;
}

/* Compiling included: seconds. */
static struct rules *
compile_timed(size_t count, double *seconds_r)
{
	double start = now();
	struct rules *rules = make_rules(count);

	*seconds_r = now() - start;
	return rules;
}

static void
print_rules(const struct corpus *corpus, unsigned rounds)
{
	static const size_t counts[] = {0, 10, 100, 1000, 10000};
	double scan = run_scan(corpus);

	for (unsigned i = 1; i < rounds; i++) {
		double seconds = run_scan(corpus);

		scan = seconds < scan ? seconds : scan;
	}
	printf("floor: %.0f messages a second searched for line ends and "
	       "colons\n\n",
	    (double)corpus->count / scan);
	printf("%6s %11s %8s %12s %11s %8s %9s\n", "rules", "judged/s",
	    "to floor", "bare match/s", "us/message", "matched", "compile ms");
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct corpus part = *corpus;
		double compiling, seconds, bare, n;
		struct rules *rules = compile_timed(counts[i], &compiling);

		if (counts[i] >= FEWER_FROM && part.count >= 10)
			part.count /= 10;
		n = (double)part.count;
		matched = 0;
		seconds = best_judge(rules, &part, rounds);
		bare = run_groups(counts[i], &part);
		printf("%6zu %11.0f %8.3f %12.0f %11.2f %8.3f %9.1f\n",
		    counts[i], n / seconds,
		    scan / (double)corpus->count * n / seconds,
		    counts[i] > 0 ? 1 / bare : 0, seconds / n * 1e6,
		    (double)matched / n / rounds, compiling * 1e3);
		rules_free(&rules);
	}
}

/* ---- One size at a time ---- */

static double
time_one(const struct rules *rules, const struct buf *message)
{
	double best = 1e9, start = now(), since;
	unsigned rounds = 0;

	do {
		since = now();
		judge_one(rules, buf_span(message));
		since = now() - since;
		best = since < best ? since : best;
	} while (++rounds < 5 || (now() - start < 0.05 && rounds < 1000));
	return best;
}

static void
grow_fields(struct buf *message, struct random *random, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buf_addf(message, i % 2 ? "X-Mailer: " : "X-Other-%zu: ", i);
		add_words(message, random, 6);
		buf_add_str(message, "\r\n");
	}
}

static void
grow_value(struct buf *message, struct random *random, size_t count)
{
	size_t start = message->len;

	buf_add_str(message, "Subject: ");
	while (message->len - start < count) {
		add_words(message, random, 8);
		buf_add_str(message, "\r\n ");
	}
	buf_add_str(message, "\r\n");
}

static void
grow_encoded(struct buf *message, struct random *random, size_t count)
{
	size_t start = message->len;

	buf_add_str(message, "Subject:");
	while (message->len - start < count) {
		buf_add_str(message, " =?utf-8?q?f=C3=BCr_");
		add_word(message, pick_word(random));
		buf_add_str(message, "?=\r\n");
	}
}

static void
grow_recipients(struct buf *message, struct random *random, size_t count)
{
	buf_add_str(message, "To: ");
	for (size_t i = 0; i < count; i++) {
		add_address(message, random);
		buf_add_str(message, i + 1 < count ? ",\r\n " : "\r\n");
	}
}

static const struct growth {
	const char *name, *unit;
	void (*grow)(struct buf *message, struct random *random, size_t count);
	size_t sizes[5];
} growths[] = {
    {"fields", "field", grow_fields, {10, 100, 990, 0}},
    {"one value", "byte", grow_value, {1000, 10000, 100000, 1000000, 0}},
    {"encoded value", "byte", grow_encoded, {1000, 10000, 100000, 1000000, 0}},
    {"recipients", "recipient", grow_recipients, {10, 100, 1000, 10000, 0}},
};

static void
print_growth(const struct rules *rules, const struct growth *growth)
{
	for (size_t i = 0; growth->sizes[i] > 0; i++) {
		size_t size = growth->sizes[i];
		BUF_AUTO message = BUF_INIT;
		struct random random;
		double seconds;

		random_init(&random, SEED + 2);
		growth->grow(&message, &random, size);
		buf_add_str(&message, "From: a@example.org\r\n\r\n");
		seconds = time_one(rules, &message);
		printf("%-14s %8zu %10.3f ms %10.1f ns/%s\n", growth->name,
		    size, seconds * 1e3, seconds * 1e9 / (double)size,
		    growth->unit);
	}
}

/* Rules that each ask a header field of their own. */
static void
print_headers(const struct corpus *corpus)
{
	static const size_t counts[] = {100, 1000, 10000};

	for (size_t i = 0; i < 3; i++) {
		BUF_AUTO text = BUF_INIT;
		double start, compiling, needing;
		struct rules_needs needs;
		struct rules *rules;

		for (size_t j = 0; j < counts[i]; j++)
			buf_addf(&text,
			    "[rule r%zu]\nwhen = header(X-%zu) ~ /v%zu/\n"
			    "move = A\n",
			    j, j, j);
		start = now();
		rules = compile(buf_str(&text));
		compiling = now() - start;
		start = now();
		rules_get_needs(rules, "work", &needs);
		needing = now() - start;
		printf("%-14s %8zu %10.3f ms %10.1f ns/rule, compiled in "
		       "%.1f ms, needs known in %.1f\n",
		    "own headers", counts[i],
		    time_one(rules, &corpus->messages[0]) * 1e3,
		    time_one(rules, &corpus->messages[0]) * 1e9 /
			(double)counts[i],
		    compiling * 1e3, needing * 1e3);
		rules_free(&rules);
	}
}

/* Patterns that a hostile value makes slow. */
static void
print_bad(void)
{
	static const char *const bad[] = {"^(a+)+$", "(a|aa)+b", "(.*)*x$",
	    "^(([a-z])+.)+[A-Z]([a-z])+$", "\\s+$"};
	static const size_t counts[] = {5, 50, 500, 5000};

	for (size_t i = 0; i < 4; i++) {
		BUF_AUTO text = BUF_INIT, message = BUF_INIT;
		struct rules *rules;

		for (size_t j = 0; j < counts[i]; j++)
			buf_addf(&text,
			    "[rule r%zu]\nwhen = subject ~ /%s/\nmove = A\n", j,
			    bad[j % 5]);
		rules = compile(buf_str(&text));
		buf_add_str(&message, "Subject: ");
		for (size_t j = 0; j < 8000; j++)
			buf_add_char(&message, 'a');
		buf_add_str(&message, "!\r\n\r\n");
		printf("%-14s %8zu %10.3f ms\n", "bad patterns", counts[i],
		    time_one(rules, &message) * 1e3);
		rules_free(&rules);
	}
}

int
main(int argc, char **argv)
{
	size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : MESSAGES;
	unsigned rounds =
	    argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : ROUNDS;
	struct corpus corpus = make_corpus(count > 0 ? count : 1);
	struct rules *rules =
	    make_rules(argc > 3 ? strtoul(argv[3], NULL, 10) : 100);

	if (argc > 3) {
		printf("%.0f messages a second\n",
		    (double)corpus.count / best_judge(rules, &corpus, rounds));
		return 0;
	}
	print_corpus(&corpus);
	print_rules(&corpus, rounds > 0 ? rounds : 1);
	printf("\nwith 100 rules, one message:\n");
	for (size_t i = 0; i < sizeof(growths) / sizeof(growths[0]); i++)
		print_growth(rules, &growths[i]);
	rules_free(&rules);
	printf("\n");
	print_headers(&corpus);
	print_bad();
	corpus_done(&corpus);
	return found == 1; /* so that it is used */
}
