/*
 * The sentences of belfry-rules(5), one by one.
 *
 *	test-rules-manual FILE...
 *
 * A file has cases. A case quotes the sentences that it is about and then
 * says what must be so; tests/manual/check-sentences.py sees to it that every
 * sentence of the manual is quoted. Lines:
 *
 *   = sentence              quoted; the first behind a check begins a case
 *   rules:                  the rules; indented lines follow
 *   mail:                   the message; the default is `standard`
 *   facts: key=value ...    account, mailbox, flags (commas), size, age (s),
 *                           now (unix), east (s), then-east (s, when it was
 *                           received), identity, authserv,
 *                           new-sender, notify, acted (rules, for limits),
 *                           watch, judged-in (mailboxes, commas)
 *   file: path text,text    members of a @file: list
 *   yes: condition          a rule with this one condition acts
 *   no: condition           it does not
 *   plan: text              the whole plan, as rules_plan_show
 *   does: text              a line of the plan (action_format) contains it
 *   acted: ids              the rules that acted
 *   would: text             what an observing rule would do contains it
 *   warns: text             a warning of the judgement contains it; "none"
 *   wants: text             header, structure or body: what must be known
 *   argv: a|b               the arguments of the command
 *   title: text, text: text of the notification
 *   error: 2:8: text        the rules are refused there, with these words
 *   warning: 2:8: text      they are taken with this warning
 *   clean:                  they are taken without any
 * In all of it "@{x*N}" stands for N times x, where "\n" is a line end.
 *
 *   seen: path "text"       tested elsewhere (check-sentences.py looks)
 *   prose: why              says nothing that could be tested
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/mail/body.h"
#include "daemon/mail/structure.h"
#include "tests/lib/rules_text.h"

#define NOW 1790000000 /* Monday, 2026-09-21 14:13:20 UTC */

static const char standard[] = "From: Ann Example <ann@example.org>\n"
			       "To: Bob <bob@example.net>\n"
			       "Subject: The invoice of March\n"
			       "Date: Mon, 21 Sep 2026 14:03:20 +0000\n"
			       "Message-ID: <1@example.org>\n"
			       "\n"
			       "Dear Bob,\n"
			       "here it is.\n";

struct check {
	const char *file;
	unsigned line; /* of the check */
	char *rules, *mail;
	struct strv files; /* path, text, path, text ... */
	char *facts;
	bool is_checked; /* the next sentence begins a case */
};

static unsigned checks, failures;

#define FAIL(check, ...)                                                       \
	(fprintf(stderr, "%s:%u: ", (check)->file, (check)->line),             \
	    fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), failures++)

/* ---- what a case is judged with ---- */

struct world {
	struct rules *rules;
	struct rule_problems problems;
	struct facts facts;
	struct structure structure;
	struct buf body;
	struct strv flags, identities, authserv, watch, judged_in;
	struct limits *limits;
	char *account, *mailbox;
	bool is_header_only;
};

static void
set_strings(struct strv *v, struct span text)
{
	struct span item;

	while (span_split(&text, ',', &item))
		strv_add_span(v, item);
}

static int64_t
to_number(struct span text)
{
	STR_AUTO digits = xstrdup_span(text);

	return strtoll(digits, NULL, 10);
}

static void
note_acted(struct world *w, struct span ids)
{
	struct span id;

	while (span_split(&ids, ',', &id)) {
		STR_AUTO name = xstrdup_span(id);

		limits_note(w->limits, name, w->facts.now_unix - 60);
	}
}

static int then_east;

static int
get_then_east(int64_t unix_time)
{
	(void)unix_time;
	return then_east;
}

static void
set_then_east(struct facts *facts, int east)
{
	then_east = east;
	facts->utc_offset_at = get_then_east;
}

static void
set_fact(const struct check *check, struct world *w, struct span key,
    struct span value)
{
	struct facts *f = &w->facts;

	if (span_is(key, "account"))
		f->account = w->account = xstrdup_span(value);
	else if (span_is(key, "mailbox"))
		f->mailbox = w->mailbox = xstrdup_span(value);
	else if (span_is(key, "flags"))
		set_strings(&w->flags, value);
	else if (span_is(key, "identity"))
		set_strings(&w->identities, value);
	else if (span_is(key, "authserv"))
		set_strings(&w->authserv, value);
	else if (span_is(key, "watch"))
		set_strings(&w->watch, value);
	else if (span_is(key, "judged-in"))
		set_strings(&w->judged_in, value);
	else if (span_is(key, "size"))
		f->size = (uint64_t)to_number(value);
	else if (span_is(key, "age"))
		f->received_unix = f->now_unix - to_number(value);
	else if (span_is(key, "now"))
		f->now_unix = to_number(value);
	else if (span_is(key, "then-east"))
		set_then_east(f, (int)to_number(value));
	else if (span_is(key, "east"))
		f->utc_offset = (int)to_number(value);
	else if (span_is(key, "new-sender"))
		f->is_new_sender = span_is(value, "yes");
	else if (span_is(key, "notify"))
		f->default_notification = span_is(value, "yes");
	else if (span_is(key, "header-only"))
		w->is_header_only = span_is(value, "yes");
	else if (span_is(key, "acted"))
		note_acted(w, value);
	else
		FAIL(check, "unknown fact %.*s", SPAN_FMT(key));
}

static void
set_facts(const struct check *check, struct world *w)
{
	struct span rest =
	    span_from_str(check->facts != NULL ? check->facts : "");
	struct span fact;

	while (span_split(&rest, ' ', &fact)) {
		size_t equals = span_find(fact, '=');

		if (equals != SIZE_MAX)
			set_fact(check, w, span_slice(fact, 0, equals),
			    span_skip(fact, equals + 1));
	}
}

static void
set_message(struct world *w, struct span mail)
{
	const struct part *part;

	w->facts.message = message_new(mail);
	if (w->is_header_only)
		return;
	structure_parse(&w->structure, mail);
	part = structure_find_text(&w->structure);
	if (part != NULL)
		body_add_text(
		    &w->body, body_find_part(mail, part->section), part);
	w->facts.structure = &w->structure;
	w->facts.body = span_from(buf_str(&w->body), w->body.len);
}

static void
world_init(const struct check *check, struct world *w, const char *rules)
{
	*w = (struct world){
	    .facts = {.account = "home", .mailbox = "INBOX", .now_unix = NOW}};
	structure_init(&w->structure);
	w->limits = limits_new();
	w->facts.limits = w->limits;
	w->facts.received_unix = NOW - 600;
	w->facts.size = 3000;
	w->facts.flags = &w->flags;
	w->facts.identities = &w->identities;
	w->facts.authserv = &w->authserv;
	set_facts(check, w);
	w->facts.watch = w->watch.len > 0 ? &w->watch : NULL;
	w->facts.judged_in = &w->judged_in;
	set_message(
	    w, span_from_str(check->mail != NULL ? check->mail : standard));
	w->rules = rules_from_text(rules, &w->problems);
	for (size_t i = 0; w->rules != NULL && i + 1 < check->files.len; i += 2)
		rules_set_list_file(w->rules, check->files.items[i],
		    span_from_str(check->files.items[i + 1]));
}

static void
world_done(struct world *w)
{
	message_free(&w->facts.message);
	structure_done(&w->structure);
	buf_done(&w->body);
	strv_done(&w->watch);
	strv_done(&w->judged_in);
	strv_done(&w->flags);
	strv_done(&w->identities);
	strv_done(&w->authserv);
	limits_free(&w->limits);
	free(w->account);
	free(w->mailbox);
	rules_free(&w->rules);
	rule_problems_done(&w->problems);
}

/* ---- checks ---- */

static const char *
rules_of(const struct check *check)
{
	return check->rules != NULL ? check->rules : "";
}

static void
fail_problems(const struct check *check, const struct world *w,
    const char *what, const char *wanted)
{
	BUF_AUTO text = BUF_INIT;

	rules_problems_show(&text, &w->problems);
	FAIL(check, "%s: %s\nbut: %s", what, wanted,
	    text.len > 0 ? buf_str(&text) : "no problem");
}

static void
check_condition(const struct check *check, const char *condition, bool is_yes)
{
	BUF_AUTO rules = BUF_INIT;
	struct world w;
	struct plan plan;

	buf_addf(&rules, "[rule a]\nwhen = %s\nmove = X\n%s", condition,
	    rules_of(check));
	world_init(check, &w, buf_str(&rules));
	if (w.rules == NULL) {
		fail_problems(check, &w, "must be taken", condition);
	} else {
		rules_judge(w.rules, &w.facts, &plan);
		if ((plan.matched.len > 0) != is_yes)
			FAIL(check, "must be %s: %s", is_yes ? "true" : "false",
			    condition);
		plan_done(&plan);
	}
	world_done(&w);
}

static void
check_yes(const struct check *check, const char *text)
{
	check_condition(check, text, true);
}

static void
check_no(const struct check *check, const char *text)
{
	check_condition(check, text, false);
}

typedef bool plan_fn(const struct plan *plan, const char *text, struct buf *is);

static void
check_judged(
    const struct check *check, const char *text, const char *what, plan_fn *fn)
{
	BUF_AUTO is = BUF_INIT;
	struct world w;
	struct plan plan;

	world_init(check, &w, rules_of(check));
	if (w.rules == NULL) {
		fail_problems(check, &w, "must be taken for", text);
	} else {
		rules_judge(w.rules, &w.facts, &plan);
		if (!fn(&plan, text, &is))
			FAIL(
			    check, "%s: %s\nbut: %s", what, text, buf_str(&is));
		plan_done(&plan);
	}
	world_done(&w);
}

static bool
is_plan(const struct plan *plan, const char *text, struct buf *is)
{
	rules_plan_show(is, plan);
	return span_is(buf_span(is), text);
}

static bool
does(const struct plan *plan, const char *text, struct buf *is)
{
	for (size_t i = 0; i < plan->count; i++) {
		action_format(is, &plan->actions[i]);
		buf_add_char(is, '\n');
	}
	return span_find_span(buf_span(is), span_from_str(text), 0) != SIZE_MAX;
}

static bool
add_joined(const struct strv *v, const char *separator, struct buf *is)
{
	STR_AUTO joined = strv_join(v, separator);

	buf_add_str(is, joined);
	return true;
}

static bool
has_acted(const struct plan *plan, const char *text, struct buf *is)
{
	return add_joined(&plan->matched, " ", is) &&
	       span_is(buf_span(is), text);
}

static bool
would(const struct plan *plan, const char *text, struct buf *is)
{
	return add_joined(&plan->would, "\n", is) &&
	       span_find_span(buf_span(is), span_from_str(text), 0) != SIZE_MAX;
}

static bool
warns(const struct plan *plan, const char *text, struct buf *is)
{
	if (strcmp(text, "none") == 0)
		return plan->warnings.len == 0;
	return add_joined(&plan->warnings, "\n", is) &&
	       span_find_span(buf_span(is), span_from_str(text), 0) != SIZE_MAX;
}

static bool
wants(const struct plan *plan, const char *text, struct buf *is)
{
	if ((plan->wants & PLAN_WANTS_STRUCTURE) != 0)
		buf_add_str(is, "structure ");
	if ((plan->wants & PLAN_WANTS_BODY) != 0)
		buf_add_str(is, "body ");
	if (plan->wants == 0)
		buf_add_str(is, "header ");
	return span_is(span_trim(buf_span(is)), text);
}

static const struct action *
find_action(const struct plan *plan, enum action_kind kind)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->actions[i].kind == kind)
			return &plan->actions[i];
	return NULL;
}

static bool
has_argv(const struct plan *plan, const char *text, struct buf *is)
{
	const struct action *exec = find_action(plan, ACTION_EXEC);

	return exec != NULL && add_joined(&exec->argv, "|", is) &&
	       span_is(buf_span(is), text);
}

static bool
has_title(const struct plan *plan, const char *text, struct buf *is)
{
	const struct action *notify = find_action(plan, ACTION_NOTIFY);

	if (notify != NULL && notify->title != NULL)
		buf_add_str(is, notify->title);
	return span_is(buf_span(is), text);
}

static bool
has_text(const struct plan *plan, const char *text, struct buf *is)
{
	const struct action *notify = find_action(plan, ACTION_NOTIFY);

	if (notify != NULL && notify->text != NULL)
		buf_add_str(is, notify->text);
	return span_is(buf_span(is), text);
}

#define JUDGED(name, fn)                                                       \
	static void check_##name(const struct check *check, const char *text)  \
	{                                                                      \
		check_judged(check, text, #name, fn);                          \
	}
JUDGED(plan, is_plan)
JUDGED(does, does)
JUDGED(acted, has_acted)
JUDGED(would, would)
JUDGED(warns, warns)
JUDGED(wants, wants)
JUDGED(argv, has_argv)
JUDGED(title, has_title)
JUDGED(text, has_text)

/* "2:8: words": there is such a problem. */
static bool
has_problem(const struct world *w, const char *text, bool is_warning)
{
	for (size_t i = 0; i < w->problems.count; i++) {
		const struct rule_problem *problem = &w->problems.items[i];
		BUF_AUTO line = BUF_INIT;
		struct span words = span_from_str(text);
		size_t place = span_find(words, ' ');

		if (problem->is_warning != is_warning || place == SIZE_MAX)
			continue;
		buf_addf(&line, "%u:%u: ", problem->place.line,
		    problem->place.column);
		if (!span_equal(
			buf_span(&line), span_slice(words, 0, place + 1)))
			continue;
		buf_addf(&line, "%s %s", problem->text,
		    problem->hint != NULL ? problem->hint : "");
		if (span_find_span(buf_span(&line), span_skip(words, place + 1),
			0) != SIZE_MAX)
			return true;
	}
	return false;
}

static void
check_error(const struct check *check, const char *text)
{
	struct world w;

	world_init(check, &w, rules_of(check));
	if (w.rules != NULL || !has_problem(&w, text, false))
		fail_problems(check, &w, "error", text);
	world_done(&w);
}

static void
check_warning(const struct check *check, const char *text)
{
	struct world w;

	world_init(check, &w, rules_of(check));
	if (w.rules == NULL || !has_problem(&w, text, true))
		fail_problems(check, &w, "warning", text);
	world_done(&w);
}

static void
check_clean(const struct check *check, const char *text)
{
	struct world w;

	world_init(check, &w, rules_of(check));
	if (w.rules == NULL || w.problems.count > 0)
		fail_problems(check, &w, "clean", text);
	world_done(&w);
}

/* Not here: check-sentences.py. */
static void
check_elsewhere(const struct check *check, const char *text)
{
	if (text[0] == '\0')
		FAIL(check, "words are expected");
}

static const struct {
	const char *name;
	void (*check)(const struct check *check, const char *text);
} kinds[] = {
    {"yes", check_yes},
    {"no", check_no},
    {"plan", check_plan},
    {"does", check_does},
    {"acted", check_acted},
    {"would", check_would},
    {"warns", check_warns},
    {"wants", check_wants},
    {"argv", check_argv},
    {"title", check_title},
    {"text", check_text},
    {"error", check_error},
    {"warning", check_warning},
    {"clean", check_clean},
    {"seen", check_elsewhere},
    {"prose", check_elsewhere},
};

/* ---- reading ---- */

static void
check_reset(struct check *check)
{
	free(check->rules);
	free(check->mail);
	free(check->facts);
	strv_done(&check->files);
	check->rules = check->mail = check->facts = NULL;
	check->is_checked = false;
}

/* x of "@{x*N}", N times. */
static void
add_repeated(struct buf *buf, struct span text, int64_t count)
{
	for (int64_t i = 0; i < count; i++) {
		for (size_t j = 0; j < text.len; j++) {
			bool is_end = span_starts(span_skip(text, j), "\\n");

			buf_add_char(buf, is_end ? '\n' : text.data[j]);
			j += is_end;
		}
	}
}

static char *
expand(struct span text)
{
	struct buf buf = BUF_INIT;
	size_t at;

	while ((at = span_find_span(text, SPAN("@{"), 0)) != SIZE_MAX) {
		struct span inner = span_skip(text, at + 2);
		size_t star = span_find(inner, '*');
		size_t end = span_find(inner, '}');

		buf_add_span(&buf, span_slice(text, 0, at));
		add_repeated(&buf, span_slice(inner, 0, star),
		    to_number(span_slice(inner, star + 1, end - star - 1)));
		text = span_skip(inner, end + 1);
	}
	buf_add_span(&buf, text);
	return buf_take_str(&buf);
}

/* The indented lines that follow, one tab less. */
static char *
take_block(struct span *rest, unsigned *line)
{
	struct buf block = BUF_INIT;
	char *expanded;

	while (
	    rest->len > 0 && (rest->data[0] == '\t' || rest->data[0] == '\n')) {
		struct span text;

		span_split(rest, '\n', &text);
		(*line)++;
		buf_add_span(&block, span_skip(text, text.len > 0));
		buf_add_char(&block, '\n');
	}
	expanded = expand(buf_span(&block));
	buf_done(&block);
	return expanded;
}

static void
add_file(struct check *check, struct span text)
{
	size_t blank = span_find(text, ' ');
	char *members;

	if (blank == SIZE_MAX) {
		FAIL(check, "file: path members");
		return;
	}
	strv_add_span(&check->files, span_slice(text, 0, blank));
	members = xstrdup_span(span_skip(text, blank + 1));
	for (char *c = members; *c != '\0'; c++)
		if (*c == ',')
			*c = '\n';
	strv_take(&check->files, members);
}

static void
run_check(struct check *check, struct span name, struct span text)
{
	STR_AUTO words = expand(text);

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!span_is(name, kinds[i].name))
			continue;
		kinds[i].check(check, words);
		check->is_checked = true;
		checks++;
		return;
	}
	FAIL(check, "what is `%.*s`?", SPAN_FMT(name));
}

static void
read_line(
    struct check *check, struct span line, struct span *rest, unsigned *number)
{
	size_t colon = span_find(line, ':');
	struct span name = span_slice(line, 0, colon);
	struct span text = SPAN_EMPTY;

	if (line.len == 0 || line.data[0] == '#')
		return;
	if (line.data[0] == '=') {
		if (check->is_checked)
			check_reset(check);
		return;
	}
	if (colon != SIZE_MAX)
		text = span_trim(span_skip(line, colon + 1));
	if (span_is(name, "rules")) {
		free(check->rules);
		check->rules = take_block(rest, number);
	} else if (span_is(name, "mail")) {
		free(check->mail);
		check->mail = take_block(rest, number);
	} else if (span_is(name, "facts")) {
		free(check->facts);
		check->facts = xstrdup_span(text);
	} else if (span_is(name, "file")) {
		add_file(check, text);
	} else {
		run_check(check, name, text);
	}
}

static bool
read_file(const char *path, struct buf *text)
{
	FILE *file = fopen(path, "re");
	char block[4096];
	size_t len;

	if (file == NULL)
		return false;
	while ((len = fread(block, 1, sizeof(block), file)) > 0)
		buf_add_span(text, span_from(block, len));
	fclose(file);
	return true;
}

static void
run_file(const char *path)
{
	struct check check = {.file = path};
	BUF_AUTO text = BUF_INIT;
	struct span rest, line;
	unsigned number = 0;

	if (!read_file(path, &text)) {
		FAIL(&check, "cannot be read");
		return;
	}
	rest = buf_span(&text);
	while (span_split(&rest, '\n', &line)) {
		check.line = ++number;
		read_line(&check, line, &rest, &number);
	}
	check_reset(&check);
}

int
main(int argc, char **argv)
{
	const char *folder = getenv("srcdir");

	for (int i = 1; i < argc; i++)
		run_file(argv[i]);
	if (argc == 1) {
		STR_AUTO path = xasprintf("%s/tests/manual/belfry-rules.cases",
		    folder != NULL ? folder : ".");

		run_file(path);
	}
	printf("%u checks, %u failures\n", checks, failures);
	return checks == 0 || failures > 0;
}
