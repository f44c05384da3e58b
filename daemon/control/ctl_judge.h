/*
 * ctl_judge: what the rules say of a message in a file.
 *
 * As the daemon judges: by the header first, and where that settles not
 * everything, again with the parts and the text of the message.
 */
#ifndef BELFRY_CONTROL_CTL_JUDGE_H
#define BELFRY_CONTROL_CTL_JUDGE_H

#include "daemon/config/config.h"
#include "daemon/control/ctl_messages.h"
#include "daemon/mail/structure.h"

/* All of it is borrowed. */
struct ctl_judge {
	const struct rules *rules;
	const struct config_account *account;
	const char *mailbox;	  /* NULL: that of the folder, or INBOX */
	const struct strv *flags; /* NULL: those of the file */
	bool is_new_sender;
	int64_t now_unix;
	int utc_offset; /* at now_unix */
	/* Nobody looks at when messages were received: it costs a date to
	 * read. */
	bool skips_received;
};

struct ctl_judgement {
	const struct ctl_message *from;
	struct message *message;
	struct facts facts;
	struct strv flags;
	struct structure structure;
	struct buf body;
	struct plan plan;
	struct trace trace; /* empty when outcomes were wanted */
};

/* Whether rules may ask for more than headers, or for the time. */
bool ctl_judge_needs_whole(const struct ctl_judge *judge);
bool ctl_judge_needs_received(const struct ctl_judge *judge);
/* With `outcomes` (rules_count() of them) instead of a trace; NULL: with one.
 * False, and nothing to free: it is no message. */
bool ctl_judge_message(const struct ctl_judge *judge,
    const struct ctl_message *from, enum trace_outcome *outcomes,
    struct ctl_judgement *judgement_r, struct error *error_r);
void ctl_judgement_done(struct ctl_judgement *judgement);

#endif
