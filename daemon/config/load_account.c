/*
 * [daemon] and [account NAME].
 */
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/config/account.h"
#include "daemon/config/loader.h"
#include "daemon/config/problem.h"
#include "notifiers/open.h"

/* The last one is cut off. */
static void
add_no_brace(struct loader *l, const struct document_thing *thing)
{
	size_t at = 0;

	for (const char *next = thing->value;
	     (next = strstr(next, "${")) != NULL; next += 2)
		at = (size_t)(next - thing->value);
	problem_add(l->problems, false, document_place(thing, at), NULL,
	    "`${` without its `}`");
}

static void
add_unknown_variable(
    struct loader *l, const struct document_thing *thing, struct span name)
{
	STR_AUTO written = xstrdup_span(name);
	const char *nearest = open_nearest(name);
	bool is_known = nearest != NULL && !span_is(name, nearest);
	STR_AUTO hint = xasprintf("there is ${%s}; belfry.conf(5) lists all",
	    is_known ? nearest : "message-id");
	const char *at = strstr(thing->value, written);
	size_t offset = at != NULL ? (size_t)(at - thing->value) : 0;

	if (name.data == NULL) {
		add_no_brace(l, thing);
		return;
	}
	problem_add(l->problems, false, document_place(thing, offset), hint,
	    "`%s` knows no variable \"%s\"", thing->setting->key, written);
}

/* Its variables. */
static void
check_open_command(struct loader *l, const struct document_section *section,
    const struct strv *command)
{
	const struct document_thing *thing =
	    loader_find_thing(section, "open_command");
	struct span name;

	for (size_t i = 0; thing != NULL && i < command->len; i++) {
		if (open_check(command->items[i], &name))
			continue;
		add_unknown_variable(l, thing, name);
		return;
	}
}

/* ${url} is what is made of it. */
static void
check_webmail(struct loader *l, const struct document_section *section)
{
	const struct document_thing *thing =
	    loader_find_thing(section, "webmail");
	struct span name;

	if (thing == NULL)
		return;
	if (!open_is_webmail(thing->value))
		problem_add(l->problems, false, document_place(thing, 0),
		    "it begins with https:// and has no blanks; write other "
		    "characters than those of ASCII as %XX",
		    "`webmail` is not the address of a page");
	else if (!open_check_webmail(thing->value, &name))
		add_unknown_variable(l, thing, name);
}

void
load_daemon(struct loader *l, const struct document_section *section)
{
	loader_fill(l, SECTION_DAEMON, section, &l->config->daemon);
	check_open_command(l, section, &l->config->daemon.open_command);
}

/* A file that is not there is no error: the other accounts can do without. A
 * secret that others can read is one. */
static void
check_file(struct loader *l, const struct config_account *account,
    const struct document_thing *thing, const char *path,
    bool (*is_well)(const char *path, struct error *error_r))
{
	struct error error = ERROR_INIT;
	STR_AUTO hint = NULL;

	if (!l->may_read || thing == NULL || path == NULL ||
	    is_well(path, &error))
		return;
	if (error.fault == FAULT_AUTH)
		hint = xasprintf("chmod 600 %s", path);
	problem_add(l->problems, hint == NULL, document_place(thing, 0), hint,
	    hint == NULL ? "account %s cannot connect: %s"
			 : "account %s: the key in %s",
	    account->name, error.text);
}

static void
check_certificates(struct loader *l, const struct config_account *account,
    const struct document_section *section)
{
	const struct document_thing *cert =
	    loader_find_thing(section, "tls_cert");
	const struct document_thing *key =
	    loader_find_thing(section, "tls_key");

	check_file(l, account, loader_find_thing(section, "tls_ca_file"),
	    account->tls_ca_file, files_check_readable);
	if (key != NULL)
		check_file(
		    l, account, cert, account->tls_cert, files_check_readable);
	check_file(l, account, key != NULL ? key : cert, account->tls_key,
	    files_check_private);
}

void
load_account(struct loader *l, const struct document_section *section)
{
	struct config *c = l->config;
	struct config_account account = {
	    .name = xstrdup(section->name),
	    .place = section->place,
	};

	loader_fill(l, SECTION_ACCOUNT, section, &account);
	account_finish(&account, section,
	    files_find(&c->files, section->place.file), l->problems);
	check_certificates(l, &account, section);
	check_open_command(l, section, &account.open_command);
	check_webmail(l, section);
	c->accounts =
	    xreallocarray(c->accounts, c->account_count + 1, sizeof(account));
	c->accounts[c->account_count++] = account;
	rules_builder_add_account(l->builder, section->name);
}
