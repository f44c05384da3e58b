/*
 * config/account: what an account's keys mean together.
 */
#ifndef BELFRY_CONFIG_ACCOUNT_H
#define BELFRY_CONFIG_ACCOUNT_H

#include "daemon/config/config.h"
#include "daemon/config/document.h"

/*
 * Fills in what the preset and the address know, makes one secret source of
 * the keys, and reports what is missing or does not go together. `section`
 * is the folded section that the account was parsed from, `file` the file
 * it stands in.
 */
void account_finish(struct config_account *account,
    const struct document_section *section, const struct config_file *file,
    struct rule_problems *problems);
/* Wipes and frees `written`. */
void account_forget_written(struct config_account *account);

#endif
