/*
 * ctl_setup: what the parts of `belfryctl setup` share.
 *
 * First everything is asked and tested, and only then, in one go and with
 * signals held back, the secret is stored and the file replaced: whoever ends
 * it before that has changed nothing, and after it everything.
 */
#ifndef BELFRY_CONTROL_CTL_SETUP_H
#define BELFRY_CONTROL_CTL_SETUP_H

#include "daemon/control/ctl.h"
#include "daemon/setup/section.h"

/* Keys of an account that setup writes. */
#define SETUP_CHANGES_MAX 32

enum setup_secret {
	SETUP_SECRET_KEPT, /* what the account has already */
	SETUP_SECRET_KEYRING,
	SETUP_SECRET_COMMAND,
	SETUP_SECRET_TOKEN,   /* a command that prints an access token */
	SETUP_SECRET_SIGN_IN, /* a client id, and a sign-in */
	SETUP_SECRET_CREDENTIAL,
	SETUP_SECRET_FILE, /* in the configuration */
};

/* The configuration file, as it was read. */
struct setup_file {
	char *name; /* as the configuration is asked for */
	char *path; /* where it is, or will be; symbolic links followed */
	struct buf text;
	bool is_there;
	unsigned mode;
};

struct setup {
	struct ctl *ctl;
	bool is_terminal; /* somebody can be asked */
	char *email;
	char *name; /* of the account */
	struct ctl_config loaded;
	const struct config_account *old; /* NULL: it is a new one */
	struct setup_file file;
	/* The servers: of the preset, or as URLs. */
	const struct preset *preset;
	bool keeps_servers; /* those that the account has already */
	char *provider;	    /* to be written; NULL: the domain says it */
	char *imap, *smtp, *user;
	/* The form of the name that the server took, if it was not the usual
	 * one; and then the one that the other server takes. */
	char *taken_user, *taken_smtp_user;
	char *found_by;	  /* for people; NULL: given */
	bool wants_token; /* it takes OAuth2 tokens only */
	/* The secret. */
	enum setup_secret kind;
	bool may_choose; /* where the password is kept is not said */
	char *command;	 /* or the credential's name, or the client id */
	char *client_secret_command; /* NULL: none, or as it was */
	bool is_signed_in;	     /* just now; the account is not written */
	struct secret secret; /* that was typed, or came by standard input */
	struct secret before; /* what the keyring had; empty: none */
	bool is_stored;	      /* the keyring has the new one */
	/* The keys of bridges on this machine: met in the test, and trusted. */
	char *offered_pins, *pins;
	bool is_line_open; /* "Testing ..." waits for more on its line */
	/* The account as it will be, alone in a configuration. */
	struct config *trial;
	struct config_report trial_report;
	struct json *steps; /* of the test; NULL: none */
	bool is_tested;
};

/* ---- ctl_setup_ask.c ---- */

/* Reads one line of standard input, without its end. False: there is none. */
bool setup_read_line(struct buf *line_r);
/* Asks for a line; an empty one is an answer. False: the input ended. */
bool setup_ask(const char *question, struct buf *answer_r);
/* The same without an echo, at a terminal; the terminal is as it was in any
 * case. */
bool setup_ask_secret(const char *question, struct secret *answer_r);
/* "[Y/n]" or "[y/N]". With --yes it is `standard` where nobody is at a
 * terminal; otherwise the input's end is no. */
bool setup_agree(
    const struct setup *setup, const char *question, bool standard);
/* A line for people: not where the answer is JSON. */
void setup_say(struct setup *setup, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- ctl_setup_find.c ---- */

/* Finds the servers. EX_OK, or it was said why not. */
int setup_find(struct setup *setup);

/* ---- ctl_setup_secret.c ---- */

/* Takes what the options say, or asks. */
int setup_take_secret(struct setup *setup);
/* Stores the typed secret where it is to be kept outside the file. */
int setup_store_secret(struct setup *setup);
/* As it was before: the old one, or none. */
void setup_take_secret_back(struct setup *setup);

/* ---- ctl_setup_file.c ---- */

/* Where the configuration is or will be, and what it says. */
int setup_read_file(struct setup *setup);
/* Writes beside the file and gives the name, so that only a rename is left. */
bool setup_prepare_file(const struct setup *setup, struct span text,
    char **temporary_r, struct error *error_r);
bool setup_replace_file(
    const struct setup *setup, const char *temporary, struct error *error_r);

/* ---- ctl_setup_write.c ---- */

/* The account as it will be: setup->trial. */
int setup_try(struct setup *setup);
/* Stores, writes, and looks whether the whole is right. */
int setup_write(struct setup *setup);

/* ---- ctl_setup_test.c ---- */

/* Logs in everywhere. EX_OK, or what is wrong was said; the exit code. */
int setup_test(struct setup *setup);

/* Where belfryd will keep its state. Malloc'ed. */
char *setup_state_directory(const struct setup *setup);

/* ---- ctl_setup_start.c ---- */

/* Offers to reload the running daemon, or the service. Says what happened; the
 * word for JSON: "reloaded", "started" or NULL. */
const char *setup_start(struct setup *setup);

#endif
