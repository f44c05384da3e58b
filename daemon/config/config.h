/*
 * config/config: the configuration, read and checked.
 *
 * config_load reads the main file and conf.d beside it, collects every
 * problem, and gives either a whole configuration or none: one error rejects
 * all of it. A configuration is immutable; a reload loads a new one, swaps,
 * and frees the old. What is wrong is in `problems`, also the warnings of a
 * configuration that was accepted.
 *
 * Secrets (the `password` key) are wiped by config_free. No problem's text
 * and no printed source line contains the value of a hidden key.
 */
#ifndef BELFRY_CONFIG_CONFIG_H
#define BELFRY_CONFIG_CONFIG_H

#include "daemon/base/error.h"
#include "daemon/base/strv.h"
#include "daemon/base/usec.h"
#include "daemon/config/presets.h"
#include "daemon/config/secrets.h"
#include "daemon/oauth2/provider.h"
#include "notifiers/quiet_hours.h"
#include "rules/rules.h"

#define CONFIG_FILES_MAX 1000	  /* in conf.d */
#define CONFIG_SECTIONS_MAX 25000 /* of all kinds and files */
#define CONFIG_CONNECTIONS_MAX 32
#define CONFIG_PINS_MAX 8 /* no more than TLS_PINS_MAX */

enum config_log_level {
	CONFIG_LOG_DEBUG,
	CONFIG_LOG_INFO,
	CONFIG_LOG_NOTICE,
	CONFIG_LOG_WARNING,
	CONFIG_LOG_ERROR,
};
enum config_auth {
	CONFIG_AUTH_DEFAULT, /* never after loading */
	CONFIG_AUTH_PASSWORD,
	CONFIG_AUTH_PLAIN, /* a password, and never by SCRAM */
	CONFIG_AUTH_SCRAM, /* a password, and never but by SCRAM */
	CONFIG_AUTH_OAUTH2,
	CONFIG_AUTH_EXTERNAL,
};
enum config_notify {
	CONFIG_NOTIFY_YES, /* also for messages that no rule spoke about */
	CONFIG_NOTIFY_NO,  /* never, whatever a rule says */
	CONFIG_NOTIFY_RULES_ONLY,
};
/* What a notification says of a message. */
/* What a command of a notifier gets on standard input. */
enum config_notifier_input {
	CONFIG_INPUT_HEADER,
	CONFIG_INPUT_MESSAGE,
	CONFIG_INPUT_TEXT,
};
enum config_privacy {
	CONFIG_PRIVACY_NONE,  /* sender, subject, and what the text begins with
			       */
	CONFIG_PRIVACY_COUNT, /* how many there are */
};
enum config_plaintext {
	CONFIG_PLAINTEXT_NO,
	CONFIG_PLAINTEXT_LOOPBACK
};
enum config_notifier_type {
	CONFIG_NOTIFIER_NONE, /* never after loading */
	CONFIG_NOTIFIER_DESKTOP,
	CONFIG_NOTIFIER_EXEC,
	CONFIG_NOTIFIER_PROGRAM,
	CONFIG_NOTIFIER_WEBHOOK,
	CONFIG_NOTIFIER_JOURNAL,
};
enum config_webhook_format {
	CONFIG_WEBHOOK_JSON,
	CONFIG_WEBHOOK_NTFY,
	CONFIG_WEBHOOK_GOTIFY,
};

struct config_server {
	char *host; /* owned; no brackets; NULL: not set */
	unsigned port;
	enum server_tls tls;
};

/* At most so many in any hour, and in any day; 0: any number. */
struct config_rates {
	unsigned hour, day;
};

/* All strings and vectors below are owned by the config. NULL or empty: not
 * set. */
struct config_daemon {
	int log_level; /* enum config_log_level */
	char *state_directory, *control_socket;
	usec_t history;
	struct quiet_hours quiet_hours; /* of notifiers that have none */
	struct strv open_command, copy_command;
};

/* The built-in sign-in of an account with `auth = oauth2`. */
struct config_oauth2 {
	char *client_id; /* after loading: never NULL */
	/* At most one of them; none is a public client. */
	struct secret client_secret;
	struct strv client_secret_command;
	char *provider_id, *tenant; /* as written */
	/* After loading: never NULL but for what the provider has not. */
	const struct oauth2_provider *provider; /* static */
	char *authorize_url, *token_url, *device_url, *scope;
};

/* Where an account's secret comes from, as written. */
struct config_written {
	struct strv password_command, token_command;
	char *credential;
	struct secret password;
};

struct config_account {
	char *name;
	struct rule_place place; /* of its section */
	bool enabled;
	bool keyring; /* as written; see `secret` */
	char *email;  /* never NULL */
	char *domain; /* of email, lower case */
	char *provider;
	const struct preset *preset; /* static; NULL: none */
	struct config_server imap;   /* host never NULL */
	struct config_server smtp;   /* host NULL: cannot forward */
	char *user, *smtp_user;	     /* never NULL */
	/* What the server may want instead of `user`, by the provider's
	 * preset: the address, or what stands before its @. NULL: nothing. */
	char *other_user;
	int auth;      /* enum config_auth */
	int plaintext; /* enum config_plaintext; already in imap.tls, smtp.tls
			*/
	struct secret_source secret;
	struct config_oauth2 *oauth2; /* owned; NULL: no key of it is set */
	char *tls_ca_file;
	char *tls_cert, *tls_key; /* both or none */
	struct strv tls_pin;	  /* as tls_add_pin takes them */
	int tls_min; /* 2: TLS 1.2, 3: TLS 1.3; see config_tls_version */
	struct strv authserv;
	struct strv watch; /* patterns; `*` matches within and across levels */
	struct strv identity; /* addresses that are me; has email */
	char *from;	      /* for forwards; never NULL */
	bool sent_copy;	      /* the service puts one into \Sent itself */
	int notify;	      /* enum config_notify */
	struct strv escalate; /* as written: rules/escalate.h */
	bool preview;
	int privacy;		  /* enum config_privacy */
	struct strv open_command; /* variables not expanded */
	char *webmail;		  /* the same; before the preset's */
	int claim;		  /* enum claim_mode */
	unsigned connections;
	usec_t idle_renew, poll;
	struct config_rates forward_limit, forward_target_limit;
	/* Owned; only while loading, which makes `secret` of it. */
	struct config_written *written;
};

struct config_notifier {
	char *name;
	struct rule_place place;
	int type; /* enum config_notifier_type */
	bool enabled;
	struct strv command;	 /* exec, program */
	usec_t timeout;		 /* exec */
	int input;		 /* exec: enum config_notifier_input */
	char *url;		 /* webhook; may hold a token: never log it */
	int format;		 /* webhook: enum config_webhook_format */
	struct strv headers;	 /* webhook: "Name: value"; secret */
	char *body, *cancel_url; /* webhook: templates */
	struct strv token_command, cancel_token_command; /* webhook */
	char *tls_ca_file;				 /* webhook */
	bool click;  /* webhook: says where the message can be opened */
	int privacy; /* enum config_privacy */
	int urgency; /* enum urgency: the least that it is told about */
	struct quiet_hours quiet_hours; /* its own, or the daemon's */
};

/* "2h" (ago), or a time: unix seconds; 0: not set. */
struct config_time {
	bool is_ago;
	int64_t seconds;
};

struct config_test {
	char *name;
	struct rule_place place, expect_place, message_place;
	char *account; /* NULL: the first */
	char *mailbox;
	struct strv headers;	       /* "Name: value" */
	char *message;		       /* path of a file, absolute */
	struct strv body, attachments; /* with headers only; as written */
	struct strv flags;	       /* "read", or keywords */
	struct config_time received, now;
	bool is_new_sender;
	char *expect;
};

/* One file that was read. */
struct config_file {
	char *path;
	struct buf text;     /* wiped by config_free, or before */
	bool is_private;     /* no other user can read it */
	bool is_mine;	     /* owned by this user */
	bool is_folder_open; /* others may put another file in its place */
	unsigned mode;
};

struct config_files {
	struct config_file **items; /* owned; in the order of reading */
	size_t count;
	struct strv paths; /* the same paths, for sorting */
};

struct config {
	struct config_files files;
	struct config_daemon daemon;
	struct config_account *accounts;
	size_t account_count;
	struct config_notifier *notifiers;
	size_t notifier_count;
	struct config_test *tests;
	size_t test_count;
	struct rules *rules; /* never NULL; also when there is no rule */
};

/*
 * What was read, and what is wrong with it. Keep it as long as the problems:
 * it owns the file names in their places, and the texts that
 * config_print_problems quotes.
 */
struct config_report {
	struct rule_problems problems; /* sorted by place */
	struct config_files files;     /* empty when config_load succeeded: the
					  config has them then */
	struct strv echoes; /* source lines, by problem; "" where a line must
			       not be shown */
};

/* The file to read: `argument` (the value of -c; NULL: none), else the first
 * that exists of $XDG_CONFIG_HOME/belfry/belfry.conf (or ~/.config/...) and
 * /etc/belfry/belfry.conf. Malloc'ed; NULL and an error that names the places
 * when there is none. */
char *config_find_path(const char *argument, struct error *error_r);

/* NULL when there is an error. The report is set either way and must be freed
 * before the config. */
struct config *config_load(const char *path, struct config_report *report_r);
/* The same from a text instead of files, for tests and `belfryctl setup`:
 * nothing is read from disk. `path` names it. */
struct config *config_parse(
    const char *path, struct span text, struct config_report *report_r);
void config_free(struct config **config);
/* Wipes the texts of the files, which may have passwords in them: when its
 * tests were run and all its problems are printed. */
void config_forget_texts(struct config *config);
void config_report_done(struct config_report *report);

bool config_report_has_errors(const struct config_report *report);
/* Nothing is wrong but that there is no account yet. */
bool config_report_lacks_only_account(const struct config_report *report);
/* All problems with their source lines, a caret, and hints. */
void config_print_problems(const struct config_report *report, struct buf *buf);

/* NULL when there is none of that name. */
const struct config_account *config_find_account(
    const struct config *config, const char *name);
const struct config_notifier *config_find_notifier(
    const struct config *config, const char *name);

/* What `smtp_user` must be said to be where `user = ` the other user is:
 * without it, it is that, too. NULL: that is right, or nothing is sent. */
const char *config_other_smtp_user(const struct config_account *account);
/* "1.2" or "1.3", as tls_new takes it; a constant. */
const char *config_tls_version(const struct config_account *account);
/* Logs in with a password, however it is proven. */
bool config_by_password(const struct config_account *account);

/* Reads the files of `in @file:...` lists again and gives them to the rules;
 * config_load has done it once. False: one cannot be read; the list keeps its
 * members. */
bool config_read_lists(struct config *config, struct error *error_r);
/* One of them, by its path in the rules (rules_list_files). */
bool config_read_list(
    struct config *config, const char *path, struct error *error_r);

/* Runs the [test] sections. Each that fails adds an error to the report.
 * Returns how many failed. `now_unix` is the time the tests take for now. */
size_t config_run_tests(const struct config *config, int64_t now_unix,
    struct config_report *report);

#endif
