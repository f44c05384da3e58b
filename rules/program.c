#include "rules/program.h"

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "rules/prefilter.h"
#include "rules/require.h"

#define NAMES_FIRST 64 /* a power of two */

/* Numbers of rules. */
struct numbers {
	uint32_t *items; /* owned */
	size_t count, cap;
};

/* All rules that ask one list. */
struct asked_list {
	const struct members *members;
	bool is_domain;
	struct numbers rules;
};

/* What rules ask of one slot. */
struct filter {
	size_t slot;
	size_t run; /* the last program->run that looked at it */
	struct prefilter *texts;
	struct asked_list *lists; /* owned */
	size_t list_count;
	struct numbers any;	 /* rules that ask for a value */
	struct numbers all;	 /* all rules that ask this slot */
	struct numbers patterns; /* rules that ask it with a pattern */
	size_t seen_max;	 /* bytes that all these patterns look at */
	bool is_raw; /* all header fields, searched before they are decoded */
};

/* A header field's name and the filters of the slots that it fills. */
struct name {
	const char *name; /* borrowed from slots and fields; NULL: free */
	uint32_t hash;
	struct numbers filters;
};

/* Which rules are for this account and mailbox. */
struct place {
	char *account, *mailbox; /* owned; NULL as in struct facts */
	uint64_t *rules;
};

struct program {
	const struct rules *rules;
	size_t words; /* of a set of rules */
	struct filter *filters;
	size_t filter_count, filter_cap;
	struct name *names; /* by hash */
	size_t name_count, name_size;
	struct numbers other; /* filters that no header field fills */
	struct place places[PROGRAM_PLACES_MAX];
	size_t place_count, place_next, place_last;
	uint64_t *always; /* rules that require nothing */
	uint64_t *found;  /* of this run */
	size_t run;
};

static void
numbers_add(struct numbers *numbers, size_t number)
{
	if (numbers->count > 0 && numbers->items[numbers->count - 1] == number)
		return;
	if (numbers->count == numbers->cap) {
		numbers->cap = numbers->cap == 0 ? 4 : 2 * numbers->cap;
		numbers->items = xreallocarray(
		    numbers->items, numbers->cap, sizeof(*numbers->items));
	}
	numbers->items[numbers->count++] = (uint32_t)number;
}

static void
set_all(uint64_t *bits, const struct numbers *numbers)
{
	for (size_t i = 0; i < numbers->count; i++)
		bits_set(bits, numbers->items[i]);
}

/* ---- Building ---- */

static struct filter *
add_filter(struct program *program, size_t slot)
{
	struct filter *filter;

	if (program->filter_count == program->filter_cap) {
		program->filter_cap =
		    program->filter_cap == 0 ? 16 : 2 * program->filter_cap;
		program->filters = xreallocarray(program->filters,
		    program->filter_cap, sizeof(*program->filters));
	}
	filter = &program->filters[program->filter_count++];
	*filter = (struct filter){
	    .slot = slot,
	    .texts = prefilter_new(),
	    .seen_max = SIZE_MAX,
	    .is_raw =
		program->rules->slots.items[slot].field->wants_all_headers,
	};
	return filter;
}

/* The longest word of a text, if it is long enough, else all of it. */
static struct span
longest_word(struct span text)
{
	struct span rest = text, best = SPAN_EMPTY, word;

	while (span_split(&rest, ' ', &word))
		if (word.len > best.len)
			best = word;
	return best.len >= LITERAL_MIN ? best : text;
}

/* A blank of the text may be anything in a raw value. */
static void
ask_text(struct filter *filter, const struct term *term, size_t rule)
{
	struct span text = span_from_str(term->text);

	if (filter->is_raw)
		text = longest_word(text);
	if (span_find(text, ' ') != SIZE_MAX)
		filter->is_raw = false;
	prefilter_add(filter->texts, text, rule);
}

static void
ask_list(struct filter *filter, const struct term *term, size_t rule)
{
	bool is_domain = term->part == PART_DOMAIN;
	struct asked_list *list;

	for (size_t i = 0; i < filter->list_count; i++) {
		list = &filter->lists[i];
		if (list->members == term->members) {
			numbers_add(&list->rules, rule);
			return;
		}
	}
	filter->lists = xreallocarray(
	    filter->lists, filter->list_count + 1, sizeof(*filter->lists));
	list = &filter->lists[filter->list_count++];
	*list = (struct asked_list){term->members, is_domain, {0}};
	numbers_add(&list->rules, rule);
}

static void
ask_term(struct filter *filter, const struct term *term, size_t rule)
{
	numbers_add(&filter->all, rule);
	switch (term->kind) {
	case TERM_ANY:
		numbers_add(&filter->any, rule);
		break;
	case TERM_MEMBERS:
		filter->is_raw = false;
		ask_list(filter, term, rule);
		break;
	case TERM_PATTERN:
		numbers_add(&filter->patterns, rule);
		if (term->seen_max < filter->seen_max)
			filter->seen_max = term->seen_max;
		ask_text(filter, term, rule);
		break;
	case TERM_TEXT:
		ask_text(filter, term, rule);
		break;
	}
}

/* `by_slot`: for each slot the number of its filter + 1. */
static void
add_rule(struct program *program, size_t *by_slot, size_t number)
{
	const struct rule *rule = program->rules->items[number];
	struct terms terms;

	require_of_rule(rule, &terms);
	if (terms.count == 0)
		bits_set(program->always, number);
	for (size_t i = 0; i < terms.count; i++) {
		const struct term *term = &terms.items[i];

		if (by_slot[term->slot] == 0) {
			add_filter(program, term->slot);
			by_slot[term->slot] = program->filter_count;
		}
		ask_term(
		    &program->filters[by_slot[term->slot] - 1], term, number);
	}
	terms_done(&terms);
}

/* ---- Names of header fields ---- */

static struct name *
find_name(const struct program *program, uint32_t hash, struct span name)
{
	for (size_t i = hash;; i++) {
		struct name *found =
		    &program->names[i & (program->name_size - 1)];

		if (found->name == NULL ||
		    (found->hash == hash && span_is_nocase(name, found->name)))
			return found;
	}
}

/* At most half of the table is taken. */
static void
grow_names(struct program *program)
{
	struct name *old = program->names;
	size_t size = program->name_size;

	program->name_size = size == 0 ? NAMES_FIRST : 2 * size;
	program->names = xcalloc(program->name_size, sizeof(*program->names));
	for (size_t i = 0; i < size; i++)
		if (old[i].name != NULL)
			*find_name(program, old[i].hash,
			    span_from_str(old[i].name)) = old[i];
	free(old);
}

static void
add_name(struct program *program, const char *header, size_t filter)
{
	struct span span = span_from_str(header);
	uint32_t hash = message_name_hash(span);
	struct name *name;

	if (2 * (program->name_count + 1) > program->name_size)
		grow_names(program);
	name = find_name(program, hash, span);
	if (name->name == NULL) {
		name->name = header;
		name->hash = hash;
		program->name_count++;
	}
	numbers_add(&name->filters, filter);
}

/* Who fills the filter's slot? */
static void
join_headers(struct program *program, size_t filter)
{
	const struct slot *slot =
	    &program->rules->slots.items[program->filters[filter].slot];
	const char *const *headers = slot->field->headers;

	if (slot->argument == NULL && headers == NULL)
		numbers_add(&program->other, filter);
	if (slot->argument != NULL)
		add_name(program, slot->argument, filter);
	for (size_t i = 0; headers != NULL && headers[i] != NULL; i++)
		add_name(program, headers[i], filter);
}

struct program *
program_new(const struct rules *rules)
{
	struct program *program = NEW(struct program);
	size_t *by_slot = xcalloc(rules->slots.count + 1, sizeof(*by_slot));

	program->rules = rules;
	program->words = rules->count / 64 + 1;
	program->always = xcalloc(program->words, sizeof(uint64_t));
	program->found = xcalloc(program->words, sizeof(uint64_t));
	for (size_t i = 0; i < rules->count; i++)
		if (!rules->items[i]->is_disabled)
			add_rule(program, by_slot, i);
	grow_names(program);
	for (size_t i = 0; i < program->filter_count; i++) {
		prefilter_seal(program->filters[i].texts);
		join_headers(program, i);
	}
	free(by_slot);
	return program;
}

static void
filter_done(struct filter *filter)
{
	prefilter_free(&filter->texts);
	for (size_t i = 0; i < filter->list_count; i++)
		free(filter->lists[i].rules.items);
	free(filter->lists);
	free(filter->any.items);
	free(filter->all.items);
	free(filter->patterns.items);
}

static void
place_done(struct place *place)
{
	free(place->account);
	free(place->mailbox);
	free(place->rules);
}

void
program_free(struct program **program)
{
	struct program *p = *program;

	if (p == NULL)
		return;
	for (size_t i = 0; i < p->filter_count; i++)
		filter_done(&p->filters[i]);
	for (size_t i = 0; i < p->name_size; i++)
		free(p->names[i].filters.items);
	for (size_t i = 0; i < p->place_count; i++)
		place_done(&p->places[i]);
	free(p->filters);
	free(p->names);
	free(p->other.items);
	free(p->always);
	free(p->found);
	free(p);
	*program = NULL;
}

/* ---- Places ---- */

static bool
is_same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
is_place(const struct place *place, const struct facts *facts)
{
	return is_same(place->mailbox, facts->mailbox) &&
	       is_same(place->account, facts->account);
}

static void
add_place(struct program *program, const struct facts *facts)
{
	size_t at = program->place_next;
	struct place *place = &program->places[at];

	program->place_next = (at + 1) % PROGRAM_PLACES_MAX;
	if (program->place_count < PROGRAM_PLACES_MAX)
		program->place_count++;
	else
		place_done(place);
	*place = (struct place){xstrdup(facts->account),
	    xstrdup(facts->mailbox), xcalloc(program->words, sizeof(uint64_t))};
	for (size_t i = 0; i < program->rules->count; i++)
		if (rule_applies(program->rules->items[i], facts->account,
			facts->mailbox))
			bits_set(place->rules, i);
	program->place_last = at;
}

/* The rules for this account and mailbox; mostly those of the message
 * before. */
static const uint64_t *
find_place(struct program *program, const struct facts *facts)
{
	if (program->place_count > 0 &&
	    is_place(&program->places[program->place_last], facts))
		return program->places[program->place_last].rules;
	for (size_t i = 0; i < program->place_count; i++) {
		if (is_place(&program->places[i], facts)) {
			program->place_last = i;
			return program->places[i].rules;
		}
	}
	add_place(program, facts);
	return program->places[program->place_last].rules;
}

/* ---- Running ---- */

static void
search_list(struct program *program, const struct asked_list *list,
    const struct values *values)
{
	for (size_t i = 0; i < values->count; i++) {
		if (members_has(
			list->members, values->items[i], list->is_domain)) {
			set_all(program->found, &list->rules);
			return;
		}
	}
}

/* False: any text could be there. */
static bool
search_texts(struct program *program, const struct filter *filter,
    const struct values *values)
{
	for (size_t i = 0; i < values->count; i++) {
		struct span value = values->items[i];

		if (value.len > filter->seen_max)
			set_all(program->found, &filter->patterns);
		if (!prefilter_search(filter->texts, value, program->found))
			return false;
	}
	return true;
}

/*
 * All header fields, as search_texts does their values. A word that is in a
 * text that was not hard to decode is in the block, and what else is found
 * there makes a rule be looked at in vain. Replacing a control makes three
 * bytes of one.
 */
static bool
search_raw(struct program *program, const struct filter *filter,
    struct message *message)
{
	size_t count = message_field_count(message);
	bool is_sure = prefilter_search(
	    filter->texts, message_block(message), program->found);

	for (size_t i = 0; i < count && is_sure; i++) {
		size_t len_max = 3 * message_field_raw(message, i).len;

		if (message_field_is_hard(message, i)) {
			struct span text = message_field_text(message, i);

			len_max = text.len;
			is_sure = prefilter_search(
			    filter->texts, text, program->found);
		}
		if (len_max > filter->seen_max)
			set_all(program->found, &filter->patterns);
	}
	return is_sure;
}

static void
run_raw_filter(struct program *program, const struct filter *filter,
    struct message *message)
{
	if (message_field_count(message) == 0)
		return;
	set_all(program->found, &filter->any);
	if (!search_raw(program, filter, message))
		set_all(program->found, &filter->all);
}

static void
run_filter(struct program *program, struct filter *filter, struct view *view)
{
	const struct values *values;

	if (filter->run == program->run)
		return;
	filter->run = program->run;
	if (view_missing(view, filter->slot) != 0) {
		set_all(program->found, &filter->all);
		return;
	}
	if (filter->is_raw) {
		run_raw_filter(program, filter, view->facts->message);
		return;
	}
	values = view_get(view, filter->slot);
	if (values->count == 0)
		return;
	set_all(program->found, &filter->any);
	for (size_t i = 0; i < filter->list_count; i++)
		search_list(program, &filter->lists[i], values);
	if (!search_texts(program, filter, values))
		set_all(program->found, &filter->all);
}

static void
run_filters(
    struct program *program, const struct numbers *filters, struct view *view)
{
	for (size_t i = 0; i < filters->count; i++)
		run_filter(program, &program->filters[filters->items[i]], view);
}

void
program_run(struct program *program, struct view *view)
{
	const struct message *message = view->facts->message;
	const uint64_t *here = find_place(program, view->facts);
	size_t count = message_field_count(message);

	program->run++;
	memcpy(
	    program->found, program->always, program->words * sizeof(uint64_t));
	run_filters(program, &program->other, view);
	for (size_t i = 0; i < count; i++)
		run_filters(program,
		    &find_name(program, message_field_hash(message, i),
			message_field_name(message, i))
			 ->filters,
		    view);
	for (size_t i = 0; i < program->words; i++)
		program->found[i] &= here[i];
}

bool
program_applies(const struct program *program, size_t rule)
{
	return bits_has(program->places[program->place_last].rules, rule);
}

size_t
program_next(const struct program *program, size_t rule)
{
	size_t word = rule / 64;
	uint64_t bits;

	if (word >= program->words)
		return SIZE_MAX;
	bits = program->found[word] & UINT64_MAX << rule % 64;
	while (bits == 0) {
		if (++word == program->words)
			return SIZE_MAX;
		bits = program->found[word];
	}
	return word * 64 + (size_t)__builtin_ctzll(bits);
}
