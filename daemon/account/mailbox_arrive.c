/*
 * Messages that rules put into this mailbox, or that another one has, too: see
 * account/arrivals.h.
 */
#include "daemon/account/mailbox_private.h"

/* What this mailbox is called in rules. */
static void
list_names(const struct mailbox *mb, struct strv *names)
{
	static const char *const uses[] = {"\\Archive", "\\Junk", "\\Trash"};

	strv_add(names, mb->name);
	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		BUF_AUTO wire = BUF_INIT;
		if (folders_wire_name(&mb->folders, uses[i], &wire, NULL) &&
		    span_equal(buf_span(&wire), buf_span(&mb->wire)))
			strv_add(names, uses[i]);
	}
}

enum arrival
mailbox_meet_arrival(struct mailbox *mb, const struct candidate *candidate,
    struct strv *judged_r)
{
	if (mb->config->arrivals == NULL || candidate->run != NULL)
		return ARRIVAL_NEWS;
	if (mb->arrival_names.len == 0)
		list_names(mb, &mb->arrival_names);
	return arrivals_meet(mb->config->arrivals,
	    &(struct store_message){
		.key = {.mailbox = mb->name},
		.message_id = candidate->message_id,
		.from = candidate->from,
		.subject = candidate->subject,
		.size = candidate->size,
		.identity = candidate->identity,
	    },
	    &mb->arrival_names, judged_r);
}
