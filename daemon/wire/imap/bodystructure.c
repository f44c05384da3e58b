/*
 * imap/bodystructure: RFC 9051 section 9, in short:
 *
 *   body      = "(" (multipart / part) ")"
 *   multipart = 1*body SP subtype [SP params [SP dsp *(SP extension)]]
 *   part      = type SP subtype SP params SP id SP desc SP enc SP octets
 *               [SP lines]                            ; type is "text"
 *               [SP envelope SP body SP lines]        ; "message/rfc822"
 *               [SP md5 [SP dsp *(SP extension)]]     ; not with BODY
 *   params    = "(" string SP string *(SP string SP string) ")" / "NIL"
 *   dsp       = "(" string SP params ")" / "NIL"
 *
 * Servers leave the lines of a text out, send NIL where a list is due, lists
 * without any child, negative and float numbers, and end a part early. So a
 * part is what begins with two words and has parameters or NIL behind them,
 * and a disposition that is not at its place is known by its shape.
 */
#include "daemon/wire/imap/bodystructure.h"

#include <stdio.h>

#include "daemon/base/str.h"

enum part_item {
	ITEM_TYPE,
	ITEM_SUBTYPE,
	ITEM_PARAMS,
	ITEM_ID,
	ITEM_DESCRIPTION,
	ITEM_ENCODING,
	ITEM_OCTETS,
	ITEM_REST,
};

/* A part without this many items must at least say what it is: a multipart
 * without children looks like one that does not. */
#define PART_ITEMS 7

/* ---- values ------------------------------------------------------------ */

static bool
is_word(const struct imap_value *value)
{
	return value->kind == IMAP_STRING || value->kind == IMAP_ATOM;
}

/* Empty for NIL, lists, and what is not there. */
static struct span
word_at(const struct imap_value *list, size_t at)
{
	if (at >= list->count || !is_word(&list->items[at]))
		return SPAN_EMPTY;
	return list->items[at].text;
}

static const struct imap_value *
list_at(const struct imap_value *list, size_t at)
{
	if (at >= list->count || list->items[at].kind != IMAP_LIST)
		return NULL;
	return &list->items[at];
}

bool
imap_param_next(const struct imap_value **params, size_t *count,
    struct span *name_r, struct span *value_r)
{
	while (*count >= 2) {
		const struct imap_value *pair = *params;

		*params += 2;
		*count -= 2;
		if (!is_word(&pair[0]))
			continue;
		*name_r = pair[0].text;
		*value_r = is_word(&pair[1]) ? pair[1].text : SPAN_EMPTY;
		return true;
	}
	return false;
}

/* ---- dispositions ------------------------------------------------------ */

/* Nothing else among the extensions is a list of a word and a list, or a word
 * and NIL: a list of languages has words only, an envelope ten items. */
static bool
is_disposition(const struct imap_value *value)
{
	return value->kind == IMAP_LIST && value->count == 2 &&
	       is_word(&value->items[0]) && !is_word(&value->items[1]);
}

/* Where it stands in a part of this type. */
static size_t
disposition_place(const struct imap_leaf *leaf)
{
	if (span_is_nocase(leaf->type, "text"))
		return ITEM_REST + 2;
	if (span_is_nocase(leaf->type, "message") &&
	    (span_is_nocase(leaf->subtype, "rfc822") ||
		span_is_nocase(leaf->subtype, "global")))
		return ITEM_REST + 4;
	return ITEM_REST + 1;
}

static void
read_disposition(const struct imap_value *part, struct imap_leaf *leaf)
{
	const struct imap_value *found = NULL, *params;
	size_t place = disposition_place(leaf);

	/* At its place, it may lack its parameters. */
	if (list_at(part, place) != NULL &&
	    word_at(&part->items[place], 0).len > 0)
		found = &part->items[place];
	for (size_t i = ITEM_REST; i < part->count && found == NULL; i++) {
		if (is_disposition(&part->items[i]))
			found = &part->items[i];
	}
	if (found == NULL)
		return;
	leaf->disposition = word_at(found, 0);
	params = list_at(found, 1);
	if (params == NULL)
		return;
	leaf->disposition_params = params->items;
	leaf->disposition_param_count = params->count;
}

/* ---- parts ------------------------------------------------------------- */

static bool
is_multipart(const struct imap_value *value)
{
	return value->kind == IMAP_LIST && value->count > 0 &&
	       value->items[0].kind == IMAP_LIST;
}

static bool
is_part(const struct imap_value *value)
{
	const struct imap_value *items = value->items;

	if (value->kind != IMAP_LIST || value->count <= ITEM_PARAMS ||
	    items[ITEM_TYPE].kind == IMAP_LIST ||
	    items[ITEM_SUBTYPE].kind == IMAP_LIST ||
	    is_word(&items[ITEM_PARAMS]))
		return false;
	return value->count >= PART_ITEMS || is_word(&items[ITEM_TYPE]);
}

static void
read_part(const struct imap_value *part, struct imap_leaf *leaf)
{
	const struct imap_value *params = list_at(part, ITEM_PARAMS);

	leaf->type = word_at(part, ITEM_TYPE);
	leaf->subtype = word_at(part, ITEM_SUBTYPE);
	if (params != NULL) {
		leaf->params = params->items;
		leaf->param_count = params->count;
	}
	leaf->has_id = word_at(part, ITEM_ID).len > 0;
	leaf->encoding = word_at(part, ITEM_ENCODING);
	if (part->count > ITEM_OCTETS)
		leaf->size = imap_value_number(&part->items[ITEM_OCTETS]);
	read_disposition(part, leaf);
}

/* ---- the walk ---------------------------------------------------------- */

static bool
is_related(const struct imap_value *multipart)
{
	for (size_t i = 0; i < multipart->count; i++) {
		if (multipart->items[i].kind != IMAP_LIST)
			return span_is_nocase(word_at(multipart, i), "related");
	}
	return false;
}

static void
descend(struct imap_bodystructure *walk, const struct imap_value *multipart)
{
	bool inherited =
	    walk->depth > 0 && walk->levels[walk->depth - 1].is_related;

	if (walk->depth == IMAP_STRUCTURE_DEPTH_MAX) {
		walk->is_cut = true;
		return;
	}
	walk->levels[walk->depth].list = multipart;
	walk->levels[walk->depth].next = 0;
	walk->levels[walk->depth].is_related =
	    inherited || is_related(multipart);
	walk->depth++;
}

bool
imap_bodystructure_begin(
    struct imap_bodystructure *walk, const struct imap_value *value)
{
	walk->single = NULL;
	walk->depth = 0;
	walk->is_cut = false;
	if (value == NULL || value->kind != IMAP_LIST || value->count == 0)
		return false;
	if (is_multipart(value))
		descend(walk, value);
	else if (is_part(value))
		walk->single = value;
	return true;
}

/* `next` of each level counts the child that was taken last. */
static void
write_section(const struct imap_bodystructure *walk, char *section)
{
	char *at = section;

	for (size_t i = 0; i < walk->depth; i++)
		at += snprintf(at, IMAP_SECTION_SIZE - (size_t)(at - section),
		    "%s%zu", i > 0 ? "." : "", walk->levels[i].next);
}

/* The next child of the deepest multipart; NULL: it has no more. */
static const struct imap_value *
next_child(struct imap_bodystructure *walk)
{
	size_t top = walk->depth - 1;
	const struct imap_value *list = walk->levels[top].list;

	if (list_at(list, walk->levels[top].next) == NULL)
		return NULL;
	return &list->items[walk->levels[top].next++];
}

static bool
next_of_multipart(struct imap_bodystructure *walk, struct imap_leaf *leaf)
{
	while (walk->depth > 0) {
		const struct imap_value *child = next_child(walk);

		if (child == NULL) {
			walk->depth--;
		} else if (is_multipart(child)) {
			descend(walk, child);
		} else if (is_part(child)) {
			read_part(child, leaf);
			leaf->is_related =
			    walk->levels[walk->depth - 1].is_related;
			write_section(walk, leaf->section);
			return true;
		}
	}
	return false;
}

bool
imap_bodystructure_next(
    struct imap_bodystructure *walk, struct imap_leaf *leaf_r)
{
	struct imap_leaf leaf = {.section = "1"};

	if (walk->single != NULL) {
		read_part(walk->single, &leaf);
		walk->single = NULL;
	} else if (!next_of_multipart(walk, &leaf)) {
		return false;
	}
	*leaf_r = leaf;
	return true;
}
