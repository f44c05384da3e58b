/*
 * config/value_private: one value on its way into a member, among value.c
 * (single values, and the table of types), value_list.c and value_net.c.
 */
#ifndef BELFRY_CONFIG_VALUE_PRIVATE_H
#define BELFRY_CONFIG_VALUE_PRIVATE_H

#include "daemon/config/value.h"

struct value {
	const struct setting *setting;
	const struct document_thing *thing; /* NULL: the default */
	const char *text;		    /* all of it */
	struct rule_problems *problems;
};

/* Parses into the member, whose type the setting's type says. False after
 * reporting why not. */
typedef bool value_fn(struct value *value, struct span text, void *member);

/* Reports what is wrong `at` this byte of the value's text. */
void value_complain(const struct value *value, const char *at, const char *hint,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* For `return fail(...)`. */
#define fail(value, at, hint, ...)                                             \
	(value_complain((value), (at), (hint), __VA_ARGS__), false)

/* Frees what was there. */
void value_replace(char **member, struct span text);

/* value_list.c */

/* False after reporting what is wrong with the item. */
typedef bool value_item_fn(struct value *value, struct span item);

/*   list = item *( *WSP "," *WSP item ) [ *WSP "," ]
 *
 * Adds each item to `member`, up to the first that fails. */
bool value_parse_items(struct value *value, struct span text,
    struct strv *member, value_item_fn *check);

value_fn value_parse_words;
value_fn value_parse_mailboxes;
value_fn value_parse_header;
value_fn value_parse_escalation;
value_fn value_parse_line;
value_fn value_parse_attachment;

/* value_net.c: what is known by the network's names. */
value_fn value_parse_address;
value_fn value_parse_addresses;
value_fn value_parse_hosts;
value_fn value_parse_pins;
value_fn value_parse_imap_url;
value_fn value_parse_smtp_url;
value_fn value_parse_http_url;
value_fn value_parse_https_url;

#endif
