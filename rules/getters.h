/*
 * getters: how each field gets its values from the facts of one message.
 * Only the table in field.c refers to them.
 */
#ifndef BELFRY_RULES_GETTERS_H
#define BELFRY_RULES_GETTERS_H

struct view;
struct slot;
struct values;

#define GETTER(name)                                                           \
	void name(                                                             \
	    struct view *view, const struct slot *slot, struct values *values)

GETTER(get_addresses);	/* of the header fields in the field's row */
GETTER(get_headers);	/* texts of the header fields in the row */
GETTER(get_bracketed);	/* List-Id: inside the brackets, then the whole */
GETTER(get_message_id); /* with the brackets, then without */
GETTER(get_argument);	/* header(X) */
GETTER(get_raw);	/* raw(X) */
GETTER(get_any_header);
GETTER(get_body);
GETTER(get_preview);
GETTER(get_attachment);
GETTER(get_attachment_names);
GETTER(get_attachment_types);
GETTER(get_attachment_count);
GETTER(get_attachment_size);
GETTER(get_new_sender);
GETTER(get_size);
GETTER(get_age);
GETTER(get_sent);
GETTER(get_hour);
GETTER(get_weekday);
GETTER(get_flags);
GETTER(get_keywords);
GETTER(get_mailbox);
GETTER(get_account);
GETTER(get_bulk);
GETTER(get_auto_submitted);
GETTER(get_to_me); /* also cc-me: the row names the header fields */
GETTER(get_spf);
GETTER(get_dkim);
GETTER(get_dmarc);
GETTER(get_date);
GETTER(get_date_year);
GETTER(get_date_month);
GETTER(get_date_day);
GETTER(get_date_hour);

#endif
