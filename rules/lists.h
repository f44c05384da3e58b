/*
 * lists: all lists of a rule set by name: the [list] sections, and the files
 * that conditions name with @file:.
 */
#ifndef BELFRY_RULES_LISTS_H
#define BELFRY_RULES_LISTS_H

#include "rules/members.h"

struct named_list {
	char *name; /* a section's id, or a path */
	bool is_file;
	struct members *members; /* stays where it is */
};

struct lists {
	struct named_list *items;
	size_t count, cap;
	struct strv files; /* the paths again */
};

void lists_done(struct lists *lists);
/* NULL when there is none of this name and kind. */
struct members *lists_find(
    const struct lists *lists, struct span name, bool is_file);
/* Adds, or finds the one that is there; borrowed. */
struct members *lists_add(struct lists *lists, struct span name, bool is_file);
/* The section names, for str_nearest; free with strv_done. */
void lists_names(const struct lists *lists, struct strv *names_r);

#endif
