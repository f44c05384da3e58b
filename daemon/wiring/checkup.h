/*
 * wiring/checkup: one account is walked step by step, and found well or not.
 *
 * For `belfryctl doctor`, and for `setup` ("test this account now"). It
 * needs no daemon and disturbs none: one IMAP connection and, where the
 * account has a submission server, one SMTP connection after it; mailboxes are
 * opened for reading only (EXAMINE), nothing is stored, and no mail is sent.
 * A credential is offered once to each server, and not to the second one after
 * the first refused it; where the provider may want the user name in another
 * form, that form is tried once, too, as the daemon does.
 *
 * What was found is judged by the engine doctor/doctor.h.
 */
#ifndef BELFRY_WIRING_CHECKUP_H
#define BELFRY_WIRING_CHECKUP_H

#include "daemon/config/config.h"
#include "daemon/doctor/doctor.h"

/* Each answer of a server, or of a command. */
#define CHECKUP_STEP_USEC (20 * USEC_SEC)

struct checkup_config {
	/* For rules and notifiers; NULL: neither is looked at. */
	const struct config *config;
	const struct config_account *account;
	usec_t patience; /* 0: CHECKUP_STEP_USEC */
	/* Instead of asking the account's source; NULL: ask it. */
	const struct secret *secret;
	/* Of the running daemon, why it holds the account; NULL: it does not,
	 * or none runs. */
	const char *locked_out;
	/* Where tokens of `belfryctl login` are kept. */
	const char *state_directory;
	/* The account is not in the configuration yet: texts do not send the
	 * person there. */
	bool is_new;
	/* Each finding as it comes; may be NULL. Borrowed for the call. */
	void (*found)(void *ctx, const struct doctor_finding *finding);
	void *ctx;
};

/* Takes as long as it takes, in an event loop of its own; ignores SIGPIPE from
 * then on. Free the report with doctor_report_done. */
void checkup_run(
    const struct checkup_config *config, struct doctor_report *report_r);
/* For sysexits(3): EX_OK, or what the first failure means. */
int checkup_exit_code(const struct doctor_report *report);

#endif
