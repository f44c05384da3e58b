/* One test in words. */
#include "daemon/base/str.h"
#include "rules/english_parts.h"

/*
 * A test is said of the message ("that is from x") or of one of its things
 * ("whose subject contains x"), each positive or negated.
 */
struct sentence {
	struct buf *buf;
	const struct rules *rules;
	const struct cond *cond;
	const struct test *test;
	bool is_negated;
	enum english_voice voice;
};

/* "that is" or "it is not"; verbs are is, has, was, does. */
static void
say_it(const struct sentence *s, const char *positive, const char *negative)
{
	buf_addf(s->buf, "%s %s", s->voice == VOICE_RELATIVE ? "that" : "it",
	    s->is_negated ? negative : positive);
}

static void
say_its(const struct sentence *s)
{
	buf_add_str(s->buf, s->voice == VOICE_RELATIVE ? "whose " : "its ");
}

/* What the values are compared with. */

static void
add_values(const struct sentence *s, bool is_quoted)
{
	const struct test *test = s->test;

	for (size_t i = 0; i < test->operand_count; i++) {
		english_joint(s->buf, i, test->operand_count, "or");
		if (is_quoted)
			english_quote(s->buf, test->operands[i].text);
		else
			english_add(s->buf, test->operands[i].text);
	}
}

/* As written: "/x/s". */
static void
add_pattern(const struct sentence *s)
{
	const char *tilde = strchr(s->cond->text, '~');
	struct span text = span_from_str(tilde != NULL ? tilde + 1 : "");

	str_sanitize(s->buf, span_trim(text), ENGLISH_TEXT_MAX);
}

static const struct named_list *
find_list(const struct sentence *s, const struct members *members)
{
	const struct lists *lists = &s->rules->lists;

	for (size_t i = 0; i < lists->count; i++)
		if (lists->items[i].members == members)
			return &lists->items[i];
	return NULL;
}

static void
add_list_name(const struct sentence *s, const struct members *members)
{
	const struct named_list *list = find_list(s, members);

	if (list == NULL)
		return;
	buf_addf(s->buf, list->is_file ? "the file " : "the list ");
	english_add(s->buf, list->name);
}

static void
add_list_names(const struct sentence *s)
{
	for (size_t i = 0; i < s->test->operand_count; i++) {
		english_joint(s->buf, i, s->test->operand_count, "or");
		add_list_name(s, s->test->operands[i].members);
	}
}

/* A short list of addresses by its members. */
static void
add_members(const struct sentence *s, const struct members *members)
{
	const struct named_list *list = find_list(s, members);
	size_t exact = members->exact.len, domains = members->domains.len;

	if (list == NULL || list->is_file || exact + domains == 0 ||
	    exact + domains > ENGLISH_LIST_MAX) {
		buf_add_str(s->buf, "anybody in ");
		add_list_name(s, members);
		return;
	}
	for (size_t i = 0; i < exact + domains; i++) {
		english_joint(s->buf, i, exact + domains, "or");
		if (i >= exact)
			buf_add_str(s->buf, "anybody at or below ");
		english_add(s->buf, i < exact
					? members->exact.items[i]
					: members->domains.items[i - exact]);
	}
	buf_addf(s->buf, " (list %s)", list->name);
}

/* "is x", "contains x": of a thing that has been named. */
static void
say_comparison(const struct sentence *s)
{
	bool no = s->is_negated;

	switch (s->test->op) {
	case OP_MATCH:
	case OP_NOT_MATCH:
		buf_add_str(s->buf, no ? "does not match " : "matches ");
		add_pattern(s);
		break;
	case OP_IS:
		buf_add_str(s->buf, no ? "is not " : "is ");
		add_values(s, true);
		break;
	case OP_HAS:
		buf_add_str(s->buf, no ? "does not contain " : "contains ");
		add_values(s, true);
		break;
	default:
		buf_add_str(s->buf, no ? "is not in " : "is in ");
		add_list_names(s);
	}
}

/* "that contains x": the negation is said before. */
static void
say_plain_comparison(const struct sentence *s)
{
	struct sentence plain = *s;

	plain.is_negated = false;
	say_comparison(&plain);
}

/* Addresses. */

static const struct {
	const char *field, *positive, *negative;
} address_verbs[] = {
    {"from", "is from ", "is not from "},
    {"sender", "was sent by ", "was not sent by "},
    {"reply-to", "wants its answers sent to ",
	"does not want its answers sent to "},
    {"to", "is addressed to ", "is not addressed to "},
    {"cc", "is copied to ", "is not copied to "},
    {"bcc", "is blind-copied to ", "is not blind-copied to "},
    {"rcpt", "is delivered to ", "is not delivered to "},
};

/* What is said of each part: where it exists, where it is one of some values,
 * and where it is compared otherwise. */
static const struct {
	const char *exists, *is, *other;
	bool is_quoted;
} address_objects[] = {
    [PART_ADDR] = {"any address", "", "an address that ", false},
    [PART_NAME] = {"somebody with a name", "somebody named ",
	"somebody whose name ", true},
    [PART_USER] = {"an address with a user", "an address of the user ",
	"an address whose user ", true},
    [PART_DOMAIN] = {"an address with a domain", "anybody at ",
	"an address whose domain ", false},
    [PART_DETAIL] = {"an address with a +detail",
	"an address with the +detail ", "an address whose +detail ", true},
};

static void
say_address(const struct sentence *s)
{
	const struct test *test = s->test;
	enum address_part part = test->part;

	for (size_t i = 0; i < sizeof(address_verbs) / sizeof(*address_verbs);
	     i++)
		if (strcmp(address_verbs[i].field, test->field->name) == 0)
			say_it(s, address_verbs[i].positive,
			    address_verbs[i].negative);
	if (test->op == OP_EXISTS) {
		buf_add_str(s->buf, address_objects[part].exists);
	} else if (test->op == OP_IS) {
		buf_add_str(s->buf, address_objects[part].is);
		add_values(s, address_objects[part].is_quoted);
	} else if (test->op == OP_IN && part == PART_ADDR) {
		for (size_t i = 0; i < test->operand_count; i++) {
			english_joint(s->buf, i, test->operand_count, "or");
			add_members(s, test->operands[i].members);
		}
	} else {
		buf_add_str(s->buf, address_objects[part].other);
		say_plain_comparison(s);
	}
}

/* Numbers. */

static void
add_size(struct buf *buf, int64_t n)
{
	static const struct {
		const char *name;
		int64_t bytes;
	} sizes[] = {
	    {"gigabyte", 1024 * 1024 * 1024},
	    {"megabyte", 1024 * 1024},
	    {"kilobyte", 1024},
	    {"byte", 1},
	};
	size_t i = n == 0 ? 3 : 0;

	while (n % sizes[i].bytes != 0)
		i++;
	n /= sizes[i].bytes;
	buf_addf(
	    buf, "%lld %s%s", (long long)n, sizes[i].name, n == 1 ? "" : "s");
}

static void
add_count(struct buf *buf, int64_t n)
{
	buf_addf(buf, "%lld", (long long)n);
}

static void
add_numbers(const struct sentence *s, void (*add)(struct buf *, int64_t))
{
	for (size_t i = 0; i < s->test->operand_count; i++) {
		english_joint(s->buf, i, s->test->operand_count, "or");
		add(s->buf, s->test->operands[i].number);
	}
}

/* "more than ", in words for sizes and for times and counts. */
static const char *
order_words(enum op op, const char *more, const char *less)
{
	switch (op) {
	case OP_GREATER:
		return more;
	case OP_GREATER_EQUAL:
		return "at least ";
	case OP_LESS:
		return less;
	case OP_LESS_EQUAL:
		return "at most ";
	default:
		return "exactly ";
	}
}

static void
say_size(const struct sentence *s)
{
	say_it(s, "is ", "is not ");
	buf_add_str(
	    s->buf, order_words(s->test->op, "bigger than ", "smaller than "));
	add_numbers(s, add_size);
	if (s->test->op != OP_GREATER && s->test->op != OP_LESS)
		buf_add_str(s->buf, " big");
}

static void
say_attachment_size(const struct sentence *s)
{
	say_it(s, "has an attachment, the largest of which is ",
	    "has no attachment, or none the largest of which is ");
	buf_add_str(
	    s->buf, order_words(s->test->op, "bigger than ", "smaller than "));
	add_numbers(s, add_size);
	if (s->test->op != OP_GREATER && s->test->op != OP_LESS)
		buf_add_str(s->buf, " big");
}

static void
say_attachment_count(const struct sentence *s)
{
	const struct test *test = s->test;

	say_it(s, "has ", "does not have ");
	buf_add_str(s->buf, order_words(test->op, "more than ", "fewer than "));
	add_numbers(s, add_count);
	buf_add_str(
	    s->buf, test->operand_count == 1 && test->operands[0].number == 1
			? " attachment"
			: " attachments");
}

static void
say_age(const struct sentence *s)
{
	say_it(s, "was received ", "was not received ");
	buf_add_str(
	    s->buf, order_words(s->test->op, "more than ", "less than "));
	add_numbers(s, english_time);
	buf_add_str(s->buf, " ago");
}

static void
say_sent(const struct sentence *s)
{
	say_it(s, "was, by its Date, sent ", "was not, by its Date, sent ");
	buf_add_str(
	    s->buf, order_words(s->test->op, "more than ", "less than "));
	add_numbers(s, english_time);
	buf_add_str(s->buf, " ago");
}

static void
say_hour(const struct sentence *s)
{
	int64_t n = s->test->operands[0].number;
	enum op op = s->test->op;

	say_it(s, "is judged ", "is not judged ");
	switch (op) {
	case OP_GREATER:
	case OP_GREATER_EQUAL:
		buf_addf(s->buf, "at %lld:00 or later",
		    (long long)(op == OP_GREATER ? n + 1 : n));
		break;
	case OP_LESS:
	case OP_LESS_EQUAL:
		buf_addf(s->buf, "before %lld:00",
		    (long long)(op == OP_LESS ? n : n + 1));
		break;
	default:
		buf_add_str(s->buf, s->test->operand_count == 1
					? "in the hour "
					: "in the hours ");
		add_numbers(s, add_count);
	}
}

static void
add_day(struct buf *buf, int64_t n)
{
	static const char *const days[] = {"Monday", "Tuesday", "Wednesday",
	    "Thursday", "Friday", "Saturday", "Sunday"};

	buf_add_str(buf, days[(n - 1) % 7]);
}

static void
say_weekday(const struct sentence *s)
{
	enum op op = s->test->op;

	say_it(s, "is judged ", "is not judged ");
	if (op == OP_GREATER)
		buf_add_str(s->buf, "later in the week than on ");
	else if (op == OP_LESS)
		buf_add_str(s->buf, "earlier in the week than on ");
	else
		buf_add_str(s->buf, "on ");
	add_numbers(s, add_day);
	if (op == OP_GREATER_EQUAL)
		buf_add_str(s->buf, " or later in the week");
	if (op == OP_LESS_EQUAL)
		buf_add_str(s->buf, " or earlier in the week");
}

/* Texts and words. */

static void
say_flag(const struct sentence *s)
{
	if (s->test->op == OP_IS) {
		say_it(s, "is already ", "is not yet ");
		for (size_t i = 0; i < s->test->operand_count; i++) {
			const char *word = s->test->operands[i].text;

			english_joint(s->buf, i, s->test->operand_count, "or");
			buf_add_str(
			    s->buf, span_is_nocase(span_from_str(word), "draft")
					? "a draft"
					: word);
		}
		return;
	}
	say_it(s, "has a flag that ", "has no flag that ");
	say_plain_comparison(s);
}

/* "has the keyword x", "has an attachment named x". */
static void
say_thing(const struct sentence *s, const char *thing, const char *named,
    const char *other)
{
	if (s->test->op == OP_IS) {
		say_it(s, "has ", "does not have ");
		buf_add_str(s->buf, named);
		add_values(s, true);
		return;
	}
	say_it(s, "has ", "has no ");
	if (!s->is_negated)
		buf_add_str(s->buf, thing[0] == 'a' ? "an " : "a ");
	buf_addf(s->buf, "%s%s", thing, other);
	say_plain_comparison(s);
}

static void
say_place(const struct sentence *s, const char *what)
{
	say_it(s, "is ", "is not ");
	buf_add_str(s->buf, what);
	if (s->test->op == OP_IS) {
		add_values(s, false);
		return;
	}
	buf_add_str(s->buf, "whose name ");
	say_plain_comparison(s);
}

static void
say_mailbox(const struct sentence *s)
{
	say_place(
	    s, s->test->op == OP_IS ? "in the mailbox " : "in a mailbox ");
}

static void
say_account(const struct sentence *s)
{
	say_place(
	    s, s->test->op == OP_IS ? "on the account " : "on an account ");
}

static void
say_any_header(const struct sentence *s)
{
	say_it(s, "has a header field that ", "has no header field that ");
	say_plain_comparison(s);
}

/* The rest: a thing that is named, and compared. */
static const struct {
	const char *field, *thing;
} things[] = {
    {"subject", "subject"},
    {"list-id", "List-Id"},
    {"message-id", "Message-ID"},
    {"body", "text"},
    {"auto-submitted", "Auto-Submitted keyword"},
    {"auth.spf", "SPF result"},
    {"auth.dkim", "DKIM result"},
    {"auth.dmarc", "DMARC result"},
    {"header", "header field "},
    {"raw", "undecoded header field "},
};

static void
add_thing(const struct sentence *s)
{
	const struct slot *slot = &s->rules->slots.items[s->test->slot];

	for (size_t i = 0; i < sizeof(things) / sizeof(*things); i++)
		if (strcmp(things[i].field, s->test->field->name) == 0)
			buf_add_str(s->buf, things[i].thing);
	if (slot->argument != NULL)
		english_add(s->buf, slot->argument);
}

static void
say_text(const struct sentence *s)
{
	say_its(s);
	add_thing(s);
	buf_add_char(s->buf, ' ');
	say_comparison(s);
}

static void
say_keyword(const struct sentence *s)
{
	say_thing(s, "keyword", "the keyword ", " that ");
}

static void
say_attachment_name(const struct sentence *s)
{
	say_thing(s, "attachment", "an attachment named ", " whose name ");
}

static void
say_attachment_type(const struct sentence *s)
{
	say_thing(
	    s, "attachment", "an attachment of the type ", " whose type ");
}

/* Without an operator. */
static const struct {
	const char *field, *positive, *negative;
} bare[] = {
    {"attachment", "has an attachment", "has no attachment"},
    {"attachment.name", "has an attachment with a name",
	"has no attachment with a name"},
    {"attachment.type", "has an attachment of any type",
	"has no attachment of any type"},
    {"attachment.count", "has any number of attachments",
	"has no number of attachments"},
    {"attachment.size", "has an attachment of any size",
	"has no attachment of any size"},
    {"bulk", "is bulk mail", "is not bulk mail"},
    {"to-me", "is addressed to me", "is not addressed to me"},
    {"cc-me", "is copied to me", "is not copied to me"},
    {"new-sender", "is from a new sender", "is not from a new sender"},
    {"flag", "has a flag", "has no flag"},
    {"keyword", "has a keyword", "has no keyword"},
    {"mailbox", "is in a mailbox", "is in no mailbox"},
    {"account", "is on an account", "is on no account"},
    {"any-header", "has a header field", "has no header field"},
    {"size", "has a size", "has no size"},
    {"age", "has an age", "has no age"},
    {"sent", "has a Date", "has no Date"},
    {"hour", "is judged at any hour", "is judged at no hour"},
    {"weekday", "is judged on any day", "is judged on no day"},
    {"auto-submitted", "was sent automatically", "was not sent automatically"},
};

static bool
say_bare(const struct sentence *s)
{
	for (size_t i = 0; i < sizeof(bare) / sizeof(*bare); i++) {
		if (strcmp(bare[i].field, s->test->field->name) != 0)
			continue;
		say_it(s, bare[i].positive, bare[i].negative);
		return true;
	}
	if (s->test->field->type == FIELD_ADDRESS)
		return false;
	say_it(s, "has a ", "has no ");
	add_thing(s);
	return true;
}

static const struct {
	const char *field;
	void (*say)(const struct sentence *s);
} sayers[] = {
    {"size", say_size},
    {"age", say_age},
    {"sent", say_sent},
    {"hour", say_hour},
    {"weekday", say_weekday},
    {"attachment.count", say_attachment_count},
    {"attachment.size", say_attachment_size},
    {"attachment.name", say_attachment_name},
    {"attachment.type", say_attachment_type},
    {"flag", say_flag},
    {"keyword", say_keyword},
    {"mailbox", say_mailbox},
    {"account", say_account},
    {"any-header", say_any_header},
};

static void
say_field(const struct sentence *s)
{
	const char *name = s->test->field->name;

	if (s->test->op == OP_EXISTS && say_bare(s))
		return;
	if (s->test->field->type == FIELD_ADDRESS) {
		say_address(s);
		return;
	}
	for (size_t i = 0; i < sizeof(sayers) / sizeof(*sayers); i++) {
		if (strcmp(sayers[i].field, name) == 0) {
			sayers[i].say(s);
			return;
		}
	}
	say_text(s);
}

void
english_test(struct buf *buf, const struct rules *rules,
    const struct cond *cond, bool is_negated, enum english_voice voice)
{
	struct sentence s = {buf, rules, cond, &cond->test, is_negated, voice};

	if (cond->kind == COND_ALL) {
		say_it(&s, "is any mail", "is no mail at all");
		return;
	}
	s.is_negated ^= cond->test.op == OP_NOT_MATCH;
	say_field(&s);
}
