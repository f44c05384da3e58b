/*
 * config/document: what the files say, before anybody asks what it means.
 *
 * A document is a list of sections in the order of the files; a section is a
 * list of entries in the order of its lines. Entries are lines: a
 * continuation line is an entry of its own. document_fold turns entries into
 * things, one for each value:
 *
 *   - a key that may be repeated has one thing for each line, continuation
 *     lines included, unless the thing above is unfinished (a condition with
 *     an open parenthesis, pattern or quote), which the line then continues;
 *   - any other key has one thing, its continuation lines joined by a blank.
 *
 * Each thing remembers where its pieces stood, so that an error at a byte of
 * the joined value has the true line and column.
 */
#ifndef BELFRY_CONFIG_DOCUMENT_H
#define BELFRY_CONFIG_DOCUMENT_H

#include "daemon/base/buf.h"
#include "daemon/config/settings.h"
#include "rules/rules.h"

/* Bytes of a value after joining; as long as one line may be. */
#define DOCUMENT_VALUE_MAX (64 * 1024)

struct document_entry {
	char *key, *value; /* owned; valid UTF-8, trimmed, no controls */
	unsigned line;
	unsigned key_column; /* of the key, or of a continuation's text */
	unsigned column;     /* of the value */
	bool is_continuation;
};

/* A piece of a thing's value: from `offset` on it stood at this place. */
struct document_piece {
	size_t offset;
	unsigned line, column;
};

struct document_thing {
	const struct setting *setting; /* of the table: static */
	char *value;		       /* owned, never empty */
	struct rule_place key_place;
	struct document_piece *pieces; /* owned, at least one */
	size_t piece_count;
};

struct document_section {
	char *kind;		 /* owned: "account" */
	char *name;		 /* owned: "work"; "" when there is none */
	struct rule_place place; /* of the opening bracket */
	struct document_entry *entries; /* owned */
	size_t entry_count, entry_cap;
	struct document_thing *things; /* owned; set by document_fold */
	size_t thing_count, thing_cap;
	bool is_duplicate; /* set by document_check_duplicates */
};

struct document {
	struct document_section *sections; /* owned */
	size_t count, cap;
};

#define DOCUMENT_INIT                                                          \
	{                                                                      \
		NULL, 0, 0                                                     \
	}
#define DOCUMENT_AUTO __attribute__((cleanup(document_done))) struct document

void document_done(struct document *document);
/* Overwrites, frees, clears: any value may be a password. NULL-safe. */
void document_free_value(char **value);
/* The new section; valid until the next one is added. `place.file` is
 * borrowed for the document's life. */
struct document_section *document_add_section(struct document *document,
    struct span kind, struct span name, struct rule_place place);
/* Copies the strings. */
void document_add_entry(
    struct document_section *section, const struct document_entry *entry);

/* Reports and marks sections that stand for the second time. */
void document_check_duplicates(
    struct document *document, struct rule_problems *problems);
/* Fills the section's things. Reports unknown keys with the nearest spelling,
 * repeated ones, empty values, and indented lines that look like a key or a
 * section. `kind` is what section->kind names. */
void document_fold(struct document_section *section, enum section_kind kind,
    struct rule_problems *problems);

/* Where the byte `offset` of the thing's value stands. */
struct rule_place document_place(
    const struct document_thing *thing, size_t offset);
/* The line and column that a place counted from the value's first character
 * really means, when the value was joined from several lines. */
struct rule_place document_true_place(
    const struct document_thing *thing, struct rule_place place);

/* As a file that reads back as an equal document. */
void document_print(struct buf *buf, const struct document *document);

#endif
