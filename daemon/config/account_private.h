/*
 * config/account_private: the parts of account_finish.
 */
#ifndef BELFRY_CONFIG_ACCOUNT_PRIVATE_H
#define BELFRY_CONFIG_ACCOUNT_PRIVATE_H

#include "daemon/config/account.h"
#include "daemon/config/problem.h"

struct finish {
	struct config_account *account;
	const struct document_section *section;
	const struct config_file *file;
	struct rule_problems *problems;
};

/* NULL: the key is not set. */
const struct document_thing *account_find_thing(
    const struct finish *f, const char *key);
/* Of the key's value; of the section when the key is not set. */
struct rule_place account_place_of(const struct finish *f, const char *key);

#define complain(f, key, hint, ...)                                            \
	problem_add((f)->problems, false, account_place_of((f), (key)),        \
	    (hint), __VA_ARGS__)
#define warn(f, key, hint, ...)                                                \
	problem_add((f)->problems, true, account_place_of((f), (key)), (hint), \
	    __VA_ARGS__)

/* False: others can read, or exchange, a secret that stands in the file; it
 * was said. `what`: "password". */
bool account_check_private(struct finish *f, const char *key, const char *what);

/* ---- account_oauth2.c ---- */

/* The built-in sign-in: fills in what the provider's row knows. */
void account_finish_oauth2(struct finish *f);

#endif
