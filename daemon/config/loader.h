/*
 * config/loader: a configuration while it is read. Of load.c and load_*.c.
 */
#ifndef BELFRY_CONFIG_LOADER_H
#define BELFRY_CONFIG_LOADER_H

#include "daemon/config/config.h"
#include "daemon/config/document.h"
#include "daemon/config/files.h"

/* Said only where nothing else is wrong. */
extern const char loader_no_account[];

struct loader {
	struct config *config;
	struct document document;
	struct rule_problems *problems;
	struct rules_builder *builder;
	bool may_read; /* other files than those of the configuration */
};

/* What the section does not set; NULL: all of it. */
void loader_set_standards(
    enum section_kind kind, const struct document_section *section, void *base);
/* Those, and what the section sets. */
void loader_fill(struct loader *l, enum section_kind kind,
    const struct document_section *section, void *base);
/* NULL: the section does not set it. */
const struct document_thing *loader_find_thing(
    const struct document_section *section, const char *key);

/* Each takes one section. */
typedef void load_fn(struct loader *l, const struct document_section *section);
load_fn load_daemon, load_account; /* load_account.c */
load_fn load_notifier;		   /* load_notifier.c */
load_fn load_test;		   /* load_test.c */
load_fn load_list, load_rule;	   /* load_rules.c */

/* When all sections were read, as they may come in any order. */

/* A phone does not silence the desktop: that one is there unless a section
 * says what becomes of it. */
void load_default_notifier(struct loader *l);
void load_quiet_hours(struct config *config);
/* A notifier may be written behind the account. */
void load_check_escalations(struct loader *l);
void load_check_test_accounts(struct loader *l);
void load_finish_rules(struct loader *l);
void load_list_files(struct loader *l);

#endif
