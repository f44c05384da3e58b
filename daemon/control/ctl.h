/*
 * ctl: what the commands of belfryctl share.
 *
 * A command is a row of the table in belfryctl.c and a file ctl_NAME.c with
 * its function. It gets its options and arguments read, prints to standard
 * output, complains through ctl_fail, and returns the exit code (sysexits.h).
 *
 * Whatever came from outside (messages, servers, the daemon) is printed
 * through ctl_add_clean, so that it can neither move the terminal nor forge a
 * line; in JSON, json_print escapes it.
 */
#ifndef BELFRY_CONTROL_CTL_H
#define BELFRY_CONTROL_CTL_H

#include <poll.h>
#include <sysexits.h>

#include "daemon/base/usec.h"
#include "daemon/config/config.h"
#include "daemon/control/json.h"

#define CTL_OPTIONS_MAX 20 /* of one command */
#define CTL_CELL_MAX 120   /* characters of one outside text on a line */
#define CTL_TEXT_MAX 2000  /* characters of one outside text */
/* The daemon did it, or answered, and there is something to look at. */
#define CTL_EXIT_TROUBLE 1

struct ctl;

/* Values of an option that is given several times are joined by commas. */
#define CTL_LIST "..."

struct ctl_option {
	char letter;	   /* '\0': none */
	const char *name;  /* without the dashes */
	const char *value; /* "FILE" and "PATH" complete to files; NULL: none;
			      "X" CTL_LIST: given again, it adds to a list */
	const char *help;
};

struct ctl_command {
	const char *name, *summary;
	const char *arguments; /* for the usage: "[FILE]"; "" for none */
	int arguments_min, arguments_max; /* max -1: any number */
	const struct ctl_option *options; /* ended by a NULL name; or NULL */
	const char *details;		  /* further help, or NULL */
	int (*run)(struct ctl *ctl);
	bool needs_daemon;
};

struct ctl {
	const struct ctl_command *command;
	const char *config; /* of -c, or NULL */
	const char *socket; /* of --socket, or NULL */
	bool json, color;
	usec_t timeout;	  /* for an answer of the daemon; 0: the standard */
	usec_t silence;	  /* between two lines of a stream; 0: any */
	bool mute;	  /* ctl_fail prints nothing: it is shown otherwise */
	struct buf *said; /* and leaves its words there; or NULL */
	const char *values[CTL_OPTIONS_MAX]; /* as command->options */
	struct strv joined;		     /* values that are lists */
	char **arguments;		     /* ended by NULL */
	int argument_count;
};

extern const struct ctl_option ctl_global_options[];
extern const struct ctl_command ctl_commands[];

/* The value of one of the command's options, "" for one without a value;
 * NULL when it was not given. */
const char *ctl_get(const struct ctl *ctl, const char *name);
bool ctl_has(const struct ctl *ctl, const char *name);

/* ---- ctl_output.c ---- */

enum ctl_color {
	CTL_PLAIN,
	CTL_BOLD,
	CTL_GOOD,
	CTL_BAD,
	CTL_DIM
};

/* Says what is wrong and what to do about it (hint: NULL for nothing): on
 * standard error, or as JSON on standard output. Returns `code`. */
int ctl_fail(const struct ctl *ctl, int code, const char *hint,
    const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The same of what should be a time: `name` stands in front of it (NULL:
 * nothing does). If only its unit is missing, that is said, and what to write
 * instead of it, else `hint`. */
int ctl_fail_time(const struct ctl *ctl, const char *name, const char *text,
    const char *hint);
/* Writes and empties. False: standard output cannot be written, said on
 * standard error. */
bool ctl_write(struct buf *out);
/* Prints the document as the only one (taken), and returns `code`, or
 * EX_IOERR. */
int ctl_finish_json(struct json *document, int code);
/* The same with a text. */
int ctl_finish(struct buf *out, int code);
/* A password comes into this process: it goes into no core, and no other
 * process of the user reads it out of this one. */
void ctl_close_up(void);

void ctl_add_clean(struct buf *out, const char *text, size_t max_chars);
/* A text of ours in colour, when there is colour. */
void ctl_add_colored(const struct ctl *ctl, struct buf *out,
    enum ctl_color color, const char *s);
/* Of the terminal that standard output is, as wide as it is now; 0: it is
 * none. */
size_t ctl_columns(void);
/* The text, cleaned, broken between words where it would be wider than
 * `columns` (0: nowhere). `used` columns stand in front of it; each line but
 * the first begins with `indent` blanks. Without LF at its end. */
void ctl_add_wrapped(struct buf *out, size_t columns, size_t used,
    size_t indent, const char *text);
/* The same with lines of ours, which may have colours: each further line
 * stands four columns behind where its line began. */
void ctl_fold(struct buf *text, size_t columns);
/* "1 rule", "2 rules". */
void ctl_add_count(struct buf *out, size_t count, const char *thing);

/* ---- ctl_config.c ---- */

struct ctl_config {
	char *path;
	struct config *config; /* NULL: there were errors */
	struct config_report report;
};
#define CTL_CONFIG_AUTO                                                        \
	__attribute__((cleanup(ctl_config_done))) struct ctl_config

/* Reads `path`, or what -c says, or the standard place. EX_OK also when the
 * configuration has errors; otherwise the exit code, and it was said why. */
int ctl_config_load(
    const struct ctl *ctl, const char *path, struct ctl_config *loaded_r);
/* The same, and refuses a configuration with errors, showing them. */
int ctl_config_need(
    const struct ctl *ctl, const char *path, struct ctl_config *loaded_r);
/* The standard one, if it is there and right; complains of nothing. */
void ctl_config_try(struct ctl_config *loaded_r);
/* A file of rules and lists, judged beside the accounts and notifiers of the
 * usual configuration (may be NULL); a file with accounts of its own is a
 * configuration. Refuses as ctl_config_need does. */
int ctl_rules_file_load(const struct ctl *ctl, const char *path,
    const struct config *usual, struct ctl_config *loaded_r);
void ctl_config_done(struct ctl_config *loaded);
struct json *ctl_config_problems(const struct config_report *report);
size_t ctl_config_count(const struct config_report *report, bool warnings);

/* ---- ctl_socket.c ---- */

/* That of the system's own daemon. */
#define CTL_SYSTEM_SOCKET "/run/belfry/control"
/* What --socket says, or the configuration, right or wrong, or the
 * environment. Malloc'ed. */
char *ctl_socket_path(const struct ctl *ctl);

/* ---- ctl_client.c ---- */

/* Sends one request (taken) and gives the answer, which the caller frees. On
 * failure, also when the daemon refused, it was said why; returns the exit
 * code. */
int ctl_ask(
    const struct ctl *ctl, struct json *request, struct json **answer_r);
/* A request of the running command's name. */
struct json *ctl_request(const struct ctl *ctl);
/* Of poll(2) on standard output: who read the pipe, or socket, has gone. */
#define CTL_UNREAD (POLLERR | POLLHUP)
/* Reads lines until the daemon ends or `fn` returns an exit code >= 0. */
typedef int ctl_line_fn(void *ctx, const struct json *line);
int ctl_follow(
    const struct ctl *ctl, struct json *request, ctl_line_fn *fn, void *ctx);

/* ---- ctl_time.c ---- */

int64_t ctl_now_unix(void);
/* RFC 3339 in UTC as the daemon writes it; 0 for NULL and anything else. */
int64_t ctl_parse_time(const char *text);
/* "2h" (ago), "today", "yesterday", "2026-11-21", "2026-11-21 10:30[:00]" in
 * local time, or RFC 3339 in UTC. No 31st of February, and no "5". */
bool ctl_parse_since(const char *text, int64_t now_unix, int64_t *unix_r);
/* "2026-11-21 21:43", local time; "" for 0. */
void ctl_add_time(struct buf *out, int64_t unix_seconds);
/* "Mon 16 Nov", with the hour "Mon 16 Nov 10:00"; local time. */
void ctl_add_day(struct buf *out, int64_t unix_seconds, bool has_hour);
/* The midnight before, or so many days later; days have 23 to 25 hours. */
int64_t ctl_midnight(int64_t unix_seconds, int days_later);
/* 0 to 23, local time. */
int ctl_hour_of(int64_t unix_seconds);
/* "21:43:05", local time. */
void ctl_add_clock(struct buf *out, int64_t unix_seconds);
/* "5 min ago", "never" for 0. */
void ctl_add_ago(struct buf *out, int64_t unix_seconds, int64_t now_unix);

/* ---- ctl_when.c ---- */

/* The time that an option gives; *unix_r stays when it was not given. EX_OK,
 * or it was said what is wrong. */
int ctl_get_time(const struct ctl *ctl, const char *option, int64_t *unix_r);
/* --since and --until, those that were given, into the request. The first may
 * not be in the future, nor the second before it. */
int ctl_set_times(const struct ctl *ctl, struct json *request);

/* ---- the commands ---- */

int ctl_apply(struct ctl *ctl);
int ctl_check(struct ctl *ctl);
int ctl_completions(struct ctl *ctl);
int ctl_doctor(struct ctl *ctl);
int ctl_explain(struct ctl *ctl);
/* Of a message on the server: ACCOUNT/MAILBOX/UID. */
int ctl_explain_on_server(struct ctl *ctl);
int ctl_help(struct ctl *ctl);
int ctl_history(struct ctl *ctl);
int ctl_login(struct ctl *ctl);
int ctl_notify(struct ctl *ctl);
int ctl_pause(struct ctl *ctl);
int ctl_probe(struct ctl *ctl);
int ctl_providers(struct ctl *ctl);
int ctl_mailboxes(struct ctl *ctl);
int ctl_queue(struct ctl *ctl);
int ctl_reload(struct ctl *ctl);
int ctl_report(struct ctl *ctl);
int ctl_rules(struct ctl *ctl);
int ctl_setup(struct ctl *ctl);
int ctl_status(struct ctl *ctl);
int ctl_test(struct ctl *ctl);
int ctl_undo(struct ctl *ctl);
int ctl_watch(struct ctl *ctl);

#endif
