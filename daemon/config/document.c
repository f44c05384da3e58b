/* Sections, entries and things: see document.h. */
#include "daemon/config/document.h"

#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"
#include "daemon/config/problem.h"
#include "daemon/config/unfinished.h"
#include "rules/foreign.h"

/* ---- memory ---- */

void
document_free_value(char **value)
{
	if (*value == NULL)
		return;
	memory_wipe(*value, strlen(*value));
	free(*value);
	*value = NULL;
}

static void
thing_done(struct document_thing *thing)
{
	document_free_value(&thing->value);
	free(thing->pieces);
}

static void
section_done(struct document_section *section)
{
	for (size_t i = 0; i < section->entry_count; i++) {
		free(section->entries[i].key);
		document_free_value(&section->entries[i].value);
	}
	for (size_t i = 0; i < section->thing_count; i++)
		thing_done(&section->things[i]);
	free(section->entries);
	free(section->things);
	free(section->kind);
	free(section->name);
}

void
document_done(struct document *document)
{
	for (size_t i = 0; i < document->count; i++)
		section_done(&document->sections[i]);
	free(document->sections);
	*document = (struct document)DOCUMENT_INIT;
}

static size_t
grown(size_t cap)
{
	return cap == 0 ? 8 : cap * 2;
}

struct document_section *
document_add_section(struct document *document, struct span kind,
    struct span name, struct rule_place place)
{
	if (document->count == document->cap) {
		document->cap = grown(document->cap);
		document->sections = xreallocarray(document->sections,
		    document->cap, sizeof(*document->sections));
	}
	struct document_section *section =
	    &document->sections[document->count++];
	*section = (struct document_section){
	    .kind = xstrdup_span(kind),
	    .name = xstrdup_span(name),
	    .place = place,
	};
	return section;
}

void
document_add_entry(
    struct document_section *section, const struct document_entry *entry)
{
	if (section->entry_count == section->entry_cap) {
		section->entry_cap = grown(section->entry_cap);
		section->entries = xreallocarray(section->entries,
		    section->entry_cap, sizeof(*section->entries));
	}
	struct document_entry *copy = &section->entries[section->entry_count++];
	*copy = *entry;
	copy->key = xstrdup(entry->key);
	copy->value = xstrdup(entry->value);
}

/* ---- repeated sections ---- */

static int
compare_sections(const void *a, const void *b)
{
	const struct document_section *const *left = a, *const *right = b;
	int order = strcmp((*left)->kind, (*right)->kind);

	if (order == 0)
		order = strcmp((*left)->name, (*right)->name);
	if (order == 0) /* same array: the earlier one first */
		order = *left < *right ? -1 : *left > *right;
	return order;
}

void
document_check_duplicates(
    struct document *document, struct rule_problems *problems)
{
	struct document_section **sorted =
	    xcalloc(document->count + 1, sizeof(struct document_section *));
	const struct document_section *first = NULL;

	for (size_t i = 0; i < document->count; i++)
		sorted[i] = &document->sections[i];
	qsort(sorted, document->count, sizeof(*sorted), compare_sections);
	for (size_t i = 0; i < document->count; i++) {
		struct document_section *section = sorted[i];
		if (first == NULL || strcmp(first->kind, section->kind) != 0 ||
		    strcmp(first->name, section->name) != 0) {
			first = section;
			continue;
		}
		section->is_duplicate = true;
		problem_add(problems, false, section->place, NULL,
		    "section [%s%s%s] is already defined at %s:%u",
		    section->kind, *section->name != '\0' ? " " : "",
		    section->name, first->place.file, first->place.line);
	}
	free(sorted);
}

/* ---- folding ---- */

struct fold {
	struct document_section *section;
	enum section_kind kind;
	struct rule_problems *problems;
	struct document_thing *thing; /* the one above; NULL: drop what
					 continues it */
	struct unfinished unfinished; /* of thing->value */
};

static struct rule_place
entry_place(const struct fold *fold, const struct document_entry *entry)
{
	return (struct rule_place){
	    fold->section->place.file, entry->line, entry->column};
}

static void
add_piece(struct document_thing *thing, size_t offset,
    const struct document_entry *entry)
{
	/* Room grows in powers of two: at 1, 2, 4, ... pieces. */
	if ((thing->piece_count & (thing->piece_count - 1)) == 0)
		thing->pieces = xreallocarray(thing->pieces,
		    thing->piece_count == 0 ? 1 : thing->piece_count * 2,
		    sizeof(*thing->pieces));
	thing->pieces[thing->piece_count++] =
	    (struct document_piece){offset, entry->line, entry->column};
}

static void
start_thing(struct fold *fold, const struct setting *setting,
    const struct document_entry *entry)
{
	struct document_section *section = fold->section;

	if (section->thing_count == section->thing_cap) {
		section->thing_cap = grown(section->thing_cap);
		section->things = xreallocarray(section->things,
		    section->thing_cap, sizeof(*section->things));
	}
	struct document_thing *thing = &section->things[section->thing_count++];
	*thing = (struct document_thing){
	    .setting = setting,
	    .value = xstrdup(entry->value),
	    .key_place = {section->place.file, entry->line, entry->key_column},
	};
	add_piece(thing, 0, entry);
	fold->thing = thing;
	fold->unfinished = (struct unfinished)UNFINISHED_INIT;
	unfinished_feed(&fold->unfinished, span_from_str(entry->value));
}

static void
join(struct fold *fold, const struct document_entry *entry)
{
	struct document_thing *thing = fold->thing;
	size_t len = strlen(thing->value), more = strlen(entry->value);

	if (len == 0) { /* "key =" and the value below it */
		thing->piece_count = 0;
	} else if (len + 1 + more > DOCUMENT_VALUE_MAX) {
		problem_add(fold->problems, false, entry_place(fold, entry),
		    NULL, "the value is longer than %d bytes",
		    DOCUMENT_VALUE_MAX);
		fold->thing = NULL;
		return;
	}
	char *joined = len == 0
			   ? xstrdup(entry->value)
			   : xasprintf("%s %s", thing->value, entry->value);
	document_free_value(&thing->value);
	thing->value = joined;
	add_piece(thing, len == 0 ? 0 : len + 1, entry);
	if (len > 0)
		unfinished_feed(&fold->unfinished, SPAN(" "));
	unfinished_feed(&fold->unfinished, span_from_str(entry->value));
}

/* An indented "key = value" or "[section]" is more likely a slip than the
 * end of the value above: refused rather than swallowed. */
static bool
looks_like_own_line(const struct fold *fold, struct span value)
{
	struct span inner = span_skip(value, 1), word;
	enum section_kind kind;
	const char *nearest;

	if (span_starts(value, "[")) {
		size_t end = span_find(inner, ']');
		inner = span_slice(inner, 0, end == SIZE_MAX ? 0 : end);
		return span_split(&inner, ' ', &word) &&
		       section_kind_parse(word, &kind, &nearest);
	}
	size_t equals = span_find(value, '=');
	if (equals == SIZE_MAX)
		return false;
	word = span_trim(span_slice(value, 0, equals));
	return settings_find(fold->kind, word) != NULL;
}

static void
fold_continuation(struct fold *fold, const struct document_entry *entry)
{
	struct document_thing *thing = fold->thing;

	if (thing == NULL)
		return;
	if (looks_like_own_line(fold, span_from_str(entry->value))) {
		struct rule_place place = entry_place(fold, entry);
		problem_add(fold->problems, false, place,
		    "keys and sections start in the first column",
		    "an indented line continues `%s` above, but this looks "
		    "like a line of its own",
		    thing->setting->key);
		return;
	}
	bool is_own = (thing->setting->flags & SETTING_REPEATABLE) != 0 &&
		      *thing->value != '\0';
	if (is_own && thing->setting->type == SETTING_CONDITION)
		is_own = !unfinished_is_open(&fold->unfinished);
	if (is_own)
		start_thing(fold, thing->setting, entry);
	else
		join(fold, entry);
}

static void
complain_unknown(struct fold *fold, const struct document_entry *entry)
{
	struct rule_place place = entry_place(fold, entry);
	struct span key = span_from_str(entry->key);
	const char *nearest = settings_nearest(fold->kind, key);
	const char *foreign =
	    fold->kind == SECTION_RULE ? foreign_hint(FOREIGN_KEY, key) : NULL;
	STR_AUTO hint = xstrdup(foreign);

	if (hint == NULL && nearest != NULL)
		hint = xasprintf("did you mean `%s`?", nearest);

	place.column = entry->key_column;
	problem_add(fold->problems, false, place, hint,
	    "unknown key `%s` in a section [%s]", entry->key,
	    section_kind_name(fold->kind));
}

/* The line of an earlier thing of the same key, or 0. */
static unsigned
earlier_line(const struct fold *fold, const struct setting *setting)
{
	for (size_t i = 0; i < fold->section->thing_count; i++)
		if (fold->section->things[i].setting == setting)
			return fold->section->things[i].key_place.line;
	return 0;
}

static void
fold_pair(struct fold *fold, const struct document_entry *entry)
{
	const struct setting *setting =
	    settings_find(fold->kind, span_from_str(entry->key));
	struct rule_place place = entry_place(fold, entry);

	place.column = entry->key_column;
	fold->thing = NULL;
	if (setting == NULL) {
		complain_unknown(fold, entry);
	} else if ((setting->flags & SETTING_REPEATABLE) == 0 &&
		   earlier_line(fold, setting) > 0) {
		problem_add(fold->problems, false, place, NULL,
		    "`%s` is already set at line %u", setting->key,
		    earlier_line(fold, setting));
	} else {
		start_thing(fold, setting, entry);
	}
}

/* move = Lists # mine: makes a folder of that name. */
static void
warn_of_comment(struct fold *fold, const struct document_thing *thing)
{
	const struct setting *setting = thing->setting;
	struct span value = span_from_str(thing->value);
	size_t at = span_find_span(value, SPAN(" # "), 0);

	if (at == SIZE_MAX || span_find(value, '"') != SIZE_MAX ||
	    span_find(value, '\'') != SIZE_MAX ||
	    setting->type == SETTING_CONDITION ||
	    setting->type == SETTING_HEADER ||
	    (setting->flags & (SETTING_HIDDEN | SETTING_PROSE)) != 0)
		return;
	problem_add(fold->problems, true, document_place(thing, at + 1),
	    "a comment needs a line of its own",
	    "this is a part of the value of `%s`", setting->key);
}

/* "key =" with nothing below it either. */
static void
drop_empty_things(struct fold *fold)
{
	struct document_section *section = fold->section;
	size_t kept = 0;

	for (size_t i = 0; i < section->thing_count; i++) {
		struct document_thing *thing = &section->things[i];
		if (*thing->value != '\0') {
			warn_of_comment(fold, thing);
			section->things[kept++] = *thing;
			continue;
		}
		problem_add(fold->problems, false, document_place(thing, 0),
		    NULL, "`%s` has no value", thing->setting->key);
		thing_done(thing);
	}
	section->thing_count = kept;
}

void
document_fold(struct document_section *section, enum section_kind kind,
    struct rule_problems *problems)
{
	struct fold fold = {
	    .section = section,
	    .kind = kind,
	    .problems = problems,
	};

	for (size_t i = 0; i < section->entry_count; i++) {
		if (problem_is_full(problems))
			break;
		if (section->entries[i].is_continuation)
			fold_continuation(&fold, &section->entries[i]);
		else
			fold_pair(&fold, &section->entries[i]);
	}
	drop_empty_things(&fold);
}

/* ---- places ---- */

static const struct document_piece *
piece_of(const struct document_thing *thing, size_t offset)
{
	size_t at = 0;

	while (at + 1 < thing->piece_count &&
	       thing->pieces[at + 1].offset <= offset)
		at++;
	return &thing->pieces[at];
}

struct rule_place
document_place(const struct document_thing *thing, size_t offset)
{
	const struct document_piece *piece = piece_of(thing, offset);
	struct span before = span_slice(
	    span_from_str(thing->value), piece->offset, offset - piece->offset);

	return (struct rule_place){thing->key_place.file, piece->line,
	    piece->column + (unsigned)utf8_count(before)};
}

struct rule_place
document_true_place(const struct document_thing *thing, struct rule_place place)
{
	const struct document_piece *first = &thing->pieces[0];
	struct span value = span_from_str(thing->value);
	size_t offset = 0;

	if (place.line != first->line || place.column < first->column)
		return place;
	for (unsigned left = place.column - first->column; left > 0; left--) {
		uint32_t code;
		size_t len = utf8_next(span_skip(value, offset), &code, NULL);
		if (len == 0)
			break;
		offset += len;
	}
	return document_place(thing, offset);
}

/* ---- printing ---- */

void
document_print(struct buf *buf, const struct document *document)
{
	for (size_t i = 0; i < document->count; i++) {
		const struct document_section *section = &document->sections[i];
		buf_addf(buf, "[%s%s%s]\n", section->kind,
		    *section->name != '\0' ? " " : "", section->name);
		for (size_t j = 0; j < section->entry_count; j++) {
			const struct document_entry *entry =
			    &section->entries[j];
			if (entry->is_continuation)
				buf_addf(buf, "  %s\n", entry->value);
			else
				buf_addf(
				    buf, "%s = %s\n", entry->key, entry->value);
		}
	}
}
