#include "tests/lib/plan-check.h"

#include <assert.h>
#include <stdio.h>

#include "daemon/account/folders.h"
#include "daemon/base/str.h"
#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"
#include "daemon/mail/forward.h"
#include "daemon/mail/structure.h"
#include "daemon/wire/imap/command.h"
#include "notifiers/notifier.h"
#include "rules/field.h"
#include "rules/template.h"
#include "tests/lib/forward-check.h"
#include "tests/lib/imap-reader.h"
#include "tests/lib/rules_text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define WRONG_SIZE 500

/* Names of folders: what the person wrote, around what the mail says. */
static const char *const folders[] = {
    "${x}",
    "${y}",
    "${x}${y}",
    "${x} ${y}",
    "${x}.${y}",
    "${x}/${y}",
    "IN${x}/a",
    "INBOX/${x}",
    "${x}/INBOX",
    "Lists/${x}",
    "Lists/ ${x}",
    "Lists/${x}/${y}/end",
    "a/b/c/d/e/f/g/h/i/${x}",
    "#news/${x}",
    "\xc3\xa4&${x}&/~${y}",
    "${x}${y}${x}${y}${x}${y}${x}${y}",
    "${date.year}/${from.domain}/${subject}",
};

/* A command line, and how many words it has. */
static const struct {
	const char *line;
	size_t argc;
} commands[] = {
    {"/bin/x ${x}", 2},
    {"/bin/x -- ${x} ${y}", 4},
    {"/bin/x ${x}${y} '${x} ${y}' \"${x}\"", 4},
    {"/bin/x --a=${x} ''${y}''", 3},
};

/* ---- the rules ----------------------------------------------------- */

struct item {
	char *id;     /* of the rule; owned */
	char *folder; /* template of copy, label and move; NULL: none; owned */
	size_t argc;  /* of exec; 0: none */
};

struct plan_check {
	struct rules *rules;
	struct item *items;
	size_t count;
	char wrong[WRONG_SIZE];
};

/* Matches always; the captures are what stands there, if anything does. */
#define CAPTURES                                                               \
	"when = subject ~ /(?<x>.*)/s or all\n"                                \
	"when = header(X-Y) ~ /(?<y>.*)/s or all\n"

static struct item *
add_item(struct plan_check *c)
{
	struct item *item;

	c->items = xreallocarray(c->items, c->count + 1, sizeof(*c->items));
	item = &c->items[c->count++];
	*item = (struct item){.id = xasprintf("r%zu", c->count)};
	return item;
}

static void
add_folder(struct plan_check *c, struct buf *text, const char *folder)
{
	struct item *item = add_item(c);

	item->folder = xstrdup(folder);
	buf_addf(text,
	    "[rule %s]\n" CAPTURES "copy = %s\nlabel = %s\nmove = %s\n",
	    item->id, folder, folder, folder);
}

static void
add_command(struct plan_check *c, struct buf *text, size_t index)
{
	struct item *item = add_item(c);

	item->argc = commands[index].argc;
	buf_addf(text,
	    "[rule %s]\n" CAPTURES "exec = %s\nnotify = yes\ntitle = ${x}\n"
	    "text = a ${y}\n",
	    item->id, commands[index].line);
}

static void
add_variable(struct plan_check *c, struct buf *text, const char *name)
{
	struct item *item;
	STR_AUTO variable = NULL;
	const struct field *field = field_find(span_from_str(name));

	if (field != NULL && field->type == FIELD_FACT)
		return;
	variable = field != NULL && field->has_argument
		       ? xasprintf("%s(X-Y)", name)
		       : xstrdup(name);
	item = add_item(c);
	item->folder = xasprintf("V/${%s}/e", variable);
	item->argc = 3;
	buf_addf(text,
	    "[rule %s]\nwhen = all\ncopy = %s\nexec = /bin/x ${%s} -${%s}\n"
	    "notify = yes\ntitle = ${%s}\ntext = <${%s}>\n",
	    item->id, item->folder, variable, variable, variable, variable);
}

/* All of a field through a pattern: what is no UTF-8 there, would be none
 * here, either, as the pattern looks at it without checking. */
static void
add_capture(struct plan_check *c, struct buf *text, const char *name)
{
	struct item *item;
	const struct field *field = field_find(span_from_str(name));

	if (field == NULL || field->is_variable_only ||
	    (field->type != FIELD_TEXT && field->type != FIELD_ADDRESS))
		return;
	item = add_item(c);
	item->folder = xstrdup("C/${z}/e");
	item->argc = 2;
	buf_addf(text,
	    "[rule %s]\nwhen = %s%s ~ /(?<z>.*)/s or all\ncopy = %s\n"
	    "exec = /bin/x ${z}\nnotify = yes\ntitle = ${z}\ntext = ${z}\n",
	    item->id, name, field->has_argument ? "(X-Y)" : "", item->folder);
}

struct plan_check *
plan_check_new(void)
{
	struct plan_check *c = NEW(struct plan_check);
	struct rule_problems problems = {0};
	BUF_AUTO text = BUF_INIT;

	for (size_t i = 0; i < COUNT(folders); i++)
		add_folder(c, &text, folders[i]);
	for (size_t i = 0; i < COUNT(commands); i++)
		add_command(c, &text, i);
	for (const char *const *name = field_names(true); *name != NULL; name++)
		add_variable(c, &text, *name);
	for (const char *const *name = field_names(false); *name != NULL;
	     name++)
		add_capture(c, &text, *name);
	c->rules = rules_from_text(buf_str(&text), &problems);
	if (c->rules == NULL) {
		buf_clear(&text);
		rules_problems_show(&text, &problems);
		fprintf(stderr, "%s", buf_str(&text));
		abort();
	}
	rule_problems_done(&problems);
	return c;
}

void
plan_check_free(struct plan_check **check)
{
	struct plan_check *c = *check;

	if (c == NULL)
		return;
	for (size_t i = 0; i < c->count; i++) {
		free(c->items[i].id);
		free(c->items[i].folder);
	}
	free(c->items);
	rules_free(&c->rules);
	free(c);
	*check = NULL;
}

size_t
plan_check_count(const struct plan_check *check)
{
	return check->count;
}

/* ---- folders ------------------------------------------------------- */

static bool
is_fit_to_be_shown(const char *text)
{
	BUF_AUTO clean = BUF_INIT;

	str_sanitize(&clean, span_from_str(text), SIZE_MAX);
	return span_is(buf_span(&clean), text);
}

static size_t
count_char(struct span text, char c)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += text.data[i] == c;
	return count;
}

static bool
is_literal(struct span component)
{
	return span_find_span(component, SPAN("${"), 0) == SIZE_MAX;
}

static const char *
check_component(struct span wanted, struct span got)
{
	if (got.len == 0)
		return "an empty component";
	if (span_is(got, ".") || span_is(got, ".."))
		return "a component of dots";
	if (is_literal(wanted) && !span_equal(span_trim(wanted), got))
		return "the person's own component changed";
	return NULL;
}

static const char *
check_first(struct span wanted, struct span got)
{
	if (is_literal(wanted))
		return NULL;
	if (span_is_nocase(got, "INBOX"))
		return "a value made it the INBOX";
	if (wanted.data[0] == '$' && (got.data[0] == '~' || got.data[0] == '#'))
		return "a value made it a namespace";
	return NULL;
}

static const char *
check_components(struct span wanted, struct span got)
{
	const char *wrong = NULL;
	struct span w, g;

	for (bool is_first = true;
	     wrong == NULL && span_split(&wanted, '/', &w); is_first = false) {
		if (!span_split(&got, '/', &g))
			return "too few components";
		wrong = check_component(w, g);
		if (wrong == NULL && is_first)
			wrong = check_first(w, g);
	}
	return wrong == NULL && got.len > 0 ? "too many components" : wrong;
}

static const char *
check_folder(const char *wanted, const char *got)
{
	struct span name = span_from_str(got);

	if (name.len > TEMPLATE_FOLDER_MAX)
		return "too long";
	if (!utf8_is_valid(name) || !is_fit_to_be_shown(got))
		return "characters that cannot be seen";
	if (strpbrk(got, "\\*%") != NULL)
		return "a special character";
	if (folder_use_of(got) != FOLDER_NONE)
		return "a special folder";
	return check_components(span_from_str(wanted), name);
}

/* ---- on the wire --------------------------------------------------- */

static const struct {
	char delimiter;
	const char *prefix;
} servers[] = {{'/', ""}, {'.', ""}, {'.', "INBOX."}, {'|', ""}, {'_', ""}};

static const char *
check_command(struct span wire)
{
	struct imap_command command;
	STRV_AUTO tokens = STRV_INIT;
	STR_AUTO wanted = xasprintf("%s%.*s",
	    span_is_nocase(wire, "INBOX") ? "=" : "'", SPAN_FMT(wire));
	bool right;

	imap_command_init(&command, "CREATE");
	imap_command_mailbox(&command, wire);
	right = !command.invalid && imap_read_command(&command, &tokens) &&
		tokens.len == 2 && strcmp(tokens.items[0], "=CREATE") == 0 &&
		strcmp(tokens.items[1], wanted) == 0;
	imap_command_done(&command);
	return right ? NULL : "not one command with one name";
}

static const char *
check_wire(const struct folders *known, const char *name)
{
	struct span display = span_from_str(name);
	BUF_AUTO wire = BUF_INIT;
	size_t levels = count_char(display, '/');

	if (!folders_wire_name(known, name, &wire, NULL))
		return "a name that cannot be written";
	for (size_t i = 0; i < wire.len; i++)
		if (wire.data[i] < ' ' || wire.data[i] > '~')
			return "a byte that is not ASCII";
	/* The prefix is a level, unless the person wrote it. */
	if (known->prefix[0] != '\0' && !span_starts_nocase(display, "INBOX/"))
		levels++;
	if (count_char(buf_span(&wire), known->delimiter) != levels)
		return "levels on the wire";
	return check_command(buf_span(&wire));
}

static const char *
check_wires(const char *name)
{
	const char *wrong = NULL;

	for (size_t i = 0; wrong == NULL && i < COUNT(servers); i++) {
		struct folders known;

		folders_init(&known);
		known.delimiter = servers[i].delimiter;
		free(known.prefix);
		known.prefix = xstrdup(servers[i].prefix);
		wrong = check_wire(&known, name);
		folders_done(&known);
	}
	return wrong;
}

/* ---- the other borders --------------------------------------------- */

static const char *
check_journal(const struct action *action)
{
	BUF_AUTO line = BUF_INIT;
	BUF_AUTO again = BUF_INIT;
	struct action read;
	bool is_same;

	action_format(&line, action);
	for (size_t i = 0; i < line.len; i++)
		if (line.data[i] < ' ' || line.data[i] > '~')
			return "a journal line with another byte";
	if (!action_parse(buf_span(&line), &read))
		return "a journal line that cannot be read";
	action_format(&again, &read);
	is_same = action_equal(action, &read) &&
		  span_equal(buf_span(&line), buf_span(&again));
	action_done(&read);
	return is_same ? NULL : "another action in the journal";
}

static const char *
check_arguments(const struct strv *argv, size_t argc)
{
	if (argv->len != argc)
		return "the number of arguments";
	if (strcmp(argv->items[0], "/bin/x") != 0)
		return "another command";
	for (size_t i = 0; i < argc; i++)
		if (!utf8_is_valid(span_from_str(argv->items[i])))
			return "an argument of invalid UTF-8";
	return NULL;
}

static const char *
check_line(const struct notification *n)
{
	struct notifier_line line = {.verb = NOTIFIER_NOTIFY, .n = *n}, read;
	BUF_AUTO text = BUF_INIT;
	bool is_same;

	notifier_line_format(&text, &line);
	if (text.len > NOTIFIER_LINE_MAX || text.data[text.len - 1] != '\n' ||
	    count_char(buf_span(&text), '\n') != 1 ||
	    span_find(buf_span(&text), '\r') != SIZE_MAX)
		return "not one line for the notifier";
	if (!notifier_line_parse(buf_span(&text), &read))
		return "a notifier's line that cannot be read";
	is_same = read.verb == NOTIFIER_NOTIFY && read.n.id == n->id &&
		  strcmp(read.n.title, n->title) == 0 &&
		  strcmp(read.n.body, n->body) == 0 &&
		  strcmp(read.n.message_id, n->message_id) == 0;
	notifier_line_done(&read);
	return is_same ? NULL : "another notification behind the line";
}

static const char *
check_notification(const struct action *action)
{
	struct notification raw = {.id = 1,
	    .title = action->title,
	    .body = action->text,
	    .message_id = action->title};
	struct notification n;
	const char *wrong;

	if (!is_fit_to_be_shown(action->title) ||
	    !is_fit_to_be_shown(action->text))
		return "a notification with hidden characters";
	notification_init(&n);
	notification_copy_sanitized(&n, &raw);
	wrong = check_line(&n);
	notification_done(&n);
	return wrong;
}

static const char *
check_forward(struct span message)
{
	static const struct forward_request request = {
	    .from = "ann@example.org",
	    .to = "to@example.net",
	    .message_id = "<1@example.org>",
	    .account = "a",
	    .hop = 1,
	    .key = "key",
	};
	BUF_AUTO out = BUF_INIT;

	if (!forward_compose_attach(&request, message, true, &out, NULL))
		return "a forward that cannot be composed";
	return forward_check(buf_span(&out), message, true);
}

/* ---- all of it ------------------------------------------------------ */

static const char *
check_action(const struct item *item, const struct action *action)
{
	const char *wrong = check_journal(action);

	if (wrong != NULL)
		return wrong;
	switch (action->kind) {
	case ACTION_COPY:
	case ACTION_LABEL:
	case ACTION_MOVE:
		wrong = check_folder(item->folder, action->target);
		return wrong == NULL ? check_wires(action->target) : wrong;
	case ACTION_EXEC:
		return check_arguments(&action->argv, item->argc);
	case ACTION_NOTIFY:
		return check_notification(action);
	default:
		return "an action that nobody wrote";
	}
}

/* "wrong: the action", cut. */
static const char *
say(struct plan_check *c, const char *wrong, const struct action *action)
{
	BUF_AUTO line = BUF_INIT;

	action_format(&line, action);
	snprintf(c->wrong, sizeof(c->wrong), "%s: %s", wrong, buf_str(&line));
	return c->wrong;
}

static const char *
check_plan(
    struct plan_check *c, const struct item *item, const struct plan *plan)
{
	size_t folders_count = item->argc == 0 ? 3 : 1;
	size_t expected = (item->folder == NULL ? 0 : folders_count) +
			  (item->argc == 0 ? 0U : 2U);

	if (plan->matched.len != 1 || plan->wants != 0)
		return NULL;
	for (size_t i = 0; i < plan->count; i++) {
		const char *wrong = check_action(item, &plan->actions[i]);

		if (wrong != NULL)
			return say(c, wrong, &plan->actions[i]);
	}
	return plan->count == expected ? NULL : "the number of actions";
}

const char *
plan_check_run(
    struct plan_check *check, size_t index, struct span message, bool *acted_r)
{
	const struct item *item = &check->items[index];
	BUF_AUTO body = BUF_INIT;
	/* What a server could say. */
	STR_AUTO raw =
	    xstrdup_span(span_slice(message, 0, span_find(message, '\0')));
	STR_AUTO name = NULL;
	STRV_AUTO flags = STRV_INIT;
	STRV_AUTO only = STRV_INIT;
	struct plan plan;
	struct part part = {.section = (char[]){"2"},
	    .type = (char[]){"image/png"},
	    .charset = (char[]){""},
	    .encoding = (char[]){"7bit"},
	    .is_attachment = true};
	const struct structure structure = {.parts = &part, .count = 1};
	struct facts facts = {.account = "a",
	    .mailbox = raw,
	    .flags = &flags,
	    .size = message.len,
	    .now_unix = 1790000000,
	    .received_unix = 1790000000,
	    .structure = &structure,
	    .only_rules = &only};
	const char *wrong;

	strv_add(&flags, raw);
	strv_add(&only, item->id);
	utf8_add_valid(&body, message);
	facts.body = buf_span(&body);
	part.name = name = xstrdup_span(
	    span_slice(buf_span(&body), 0, span_find(buf_span(&body), '\0')));
	facts.message = message_new(message);
	rules_judge(check->rules, &facts, &plan);
	*acted_r = plan.matched.len == 1;
	wrong = check_plan(check, item, &plan);
	if (wrong == NULL && index == 0)
		wrong = check_forward(message);
	plan_done(&plan);
	message_free(&facts.message);
	return wrong;
}
