/*
 * members: the contents of a [list] or of a file of names: a sorted set of
 * texts in which case is ignored (base/fold.h). A member "@domain" stands for
 * the domain and all its subdomains. Labels of a domain are the same in their
 * xn-- form and in Unicode.
 */
#ifndef BELFRY_RULES_MEMBERS_H
#define BELFRY_RULES_MEMBERS_H

#include "daemon/base/strv.h"

struct members {
	struct strv exact;   /* folded; sorted once sealed */
	struct strv domains; /* the same, without the "@" */
};

void members_done(struct members *members);
/* Blanks around it are trimmed; an empty member is ignored. */
void members_add(struct members *members, struct span member);
/* Sorts; after the last members_add, before the first members_has. */
void members_seal(struct members *members);
/* Replaces all by the lines of `text`: one member a line; empty lines and
 * lines that begin with "#" do not count. Sealed afterwards. The owner of the
 * text bounds its size. False: there are more than `max`, and nothing has
 * changed. */
bool members_set_text(struct members *members, struct span text, size_t max);
/* `is_domain`: the value is a bare domain; otherwise its domain is what
 * follows the last "@", if there is one. */
bool members_has(
    const struct members *members, struct span value, bool is_domain);

#endif
