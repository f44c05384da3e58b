/*
 * belfryctl: the hand. The table of commands, and the reading of the command
 * line; each command has its own file (ctl.h).
 */
#include "config.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/control/ctl_again.h"

enum global {
	GLOBAL_CONFIG,
	GLOBAL_JSON,
	GLOBAL_SOCKET,
	GLOBAL_TIMEOUT,
	GLOBAL_NO_COLOR,
	GLOBAL_HELP,
	GLOBAL_VERSION,
	GLOBAL_COUNT
};

const struct ctl_option ctl_global_options[] = {
    [GLOBAL_CONFIG] = {'c', "config", "FILE", "the configuration"},
    [GLOBAL_JSON] = {'\0', "json", NULL, "answer in JSON"},
    [GLOBAL_SOCKET] = {'\0', "socket", "PATH", "the daemon's control socket"},
    [GLOBAL_TIMEOUT] = {'\0', "timeout", "TIME",
	"wait so long for an answer (30s)"},
    [GLOBAL_NO_COLOR] = {'\0', "no-color", NULL, "no colours"},
    [GLOBAL_HELP] = {'h', "help", NULL, "print the help and exit"},
    [GLOBAL_VERSION] = {'\0', "version", NULL, "print the version and exit"},
    [GLOBAL_COUNT] = {'\0', NULL, NULL, NULL},
};

#define OPTIONS_END                                                            \
	{                                                                      \
		'\0', NULL, NULL, NULL                                         \
	}

static const struct ctl_option setup_options[] = {
    {'\0', "email", "ADDRESS", "the address, as the argument"},
    {'\0', "name", "ACCOUNT", "what the account is called"},
    {'\0', "provider", "PROVIDER", "one that belfryctl providers lists"},
    {'\0', "imap", "URL", "imaps://HOST, or imap://HOST for STARTTLS"},
    {'\0', "smtp", "URL", "smtps://HOST, or submission://HOST"},
    {'\0', "user", "NAME", "what to log in with, if not the address"},
    {'\0', "keyring", NULL, "keep the password in the keyring"},
    {'\0', "in-file", NULL, "keep it in the configuration, for you alone"},
    {'\0', "password-command", "CMD", "a command prints it"},
    {'\0', "token-command", "CMD", "a command prints an OAuth2 token"},
    {'\0', "client-id", "ID", "sign in (OAuth2) with this client id of yours"},
    {'\0', "client-secret-command", "CMD", "a command prints its secret"},
    {'\0', "credential", "NAME", "systemd has it, by this name"},
    {'\0', "ca-file", "FILE", "certificates that the servers' are signed by"},
    {'\0', "pin", "PIN", "trust this key (tls_pin), as of a bridge here"},
    {'\0', "ask-list", NULL, "ask Thunderbird's list about the domain, too"},
    {'\0', "no-test", NULL, "write it without logging in"},
    {'\0', "start", NULL, "start the service, now and at each login"},
    {'y', "yes", NULL, "do not ask"},
    OPTIONS_END,
};
static const struct ctl_option login_options[] = {
    {'\0', "browser", NULL, "sign in with the browser of this machine"},
    {'\0', "device", NULL, "by a code, with a browser anywhere"},
    {'\0', "no-open", NULL, "do not start the browser, only say where to go"},
    {'\0', "port", "PORT", "where the browser brings the answer (any free)"},
    {'\0', "forget", NULL, "forget the token that is kept"},
    OPTIONS_END,
};
static const struct ctl_option check_options[] = {
    {'\0', "settings", NULL, "list every key that a configuration may have"},
    OPTIONS_END,
};
static const struct ctl_option test_options[] = {
    {'\0', "rules", "FILE", "judge by this file instead"},
    {'\0', "account", "ACCOUNT", "as if they came to it (the first)"},
    {'\0', "mailbox", "MAILBOX", "as if they lay in it (that of the folder)"},
    {'\0', "now", "TIME", "as if it were this time"},
    {'\0', "flags", "WORDS", "as if they were: read, flagged, a keyword ..."},
    {'\0', "new-sender", NULL, "as if their senders had never written"},
    {'\0', "expect", "RULES", "exit with 1 unless just these rules match"},
    {'\0', "brief", NULL, "print what would be done, without the why"},
    {'\0', "summary", NULL, "print counts only"},
    {'v', "verbose", NULL, "show all conditions of all rules"},
    OPTIONS_END,
};
static const struct ctl_option explain_options[] = {
    {'\0', "rules", "FILE", "judge by this file instead"},
    {'\0', "account", "ACCOUNT", "as if it came to it (the first)"},
    {'\0', "mailbox", "MAILBOX", "as if it lay in it (that of the folder)"},
    {'\0', "now", "TIME", "as if it were this time"},
    {'\0', "flags", "WORDS", "as if it were: read, flagged, a keyword ..."},
    {'\0', "new-sender", NULL, "as if its sender had never written"},
    {'\0', "expect", "RULES", "exit with 1 unless just these rules match"},
    {'v', "verbose", NULL, "show all conditions of all rules"},
    OPTIONS_END,
};
static const struct ctl_option probe_options[] = {
    {'\0', "mailbox", "MAILBOX", "made for it and deleted (Belfry-Probe)"},
    OPTIONS_END,
};
static const struct ctl_option status_options[] = {
    {'f', "follow", NULL, "show it again whenever it changes"},
    {'\0', "format", "BAR", "for a bar: waybar, i3blocks or polybar"},
    {'\0', CTL_NO_RECONNECT, NULL, "with -f: end when belfryd ends"},
    OPTIONS_END,
};
static const struct ctl_option watch_options[] = {
    {'\0', CTL_NO_RECONNECT, NULL, "end when belfryd ends"},
    OPTIONS_END,
};
static const struct ctl_option history_options[] = {
    {'\0', "account", "ACCOUNT", "only of this account"},
    {'\0', "mailbox", "MAILBOX", "only of this mailbox"},
    {'\0', "rule", "RULE", "only where this rule matched"},
    {'\0', "since", "TIME", "2h, 3d, or a date such as 2026-11-21"},
    {'\0', "until", "TIME", "judged before"},
    {'\0', "outcome", "OUTCOME" CTL_LIST,
	"done, failed, skipped, unknown, open or observed"},
    {'n', "limit", "N", "at most so many messages (20)"},
    OPTIONS_END,
};
static const struct ctl_option apply_options[] = {
    {'\0', "since", "TIME", "received since: 3d, yesterday, 2026-11-21"},
    {'\0', "until", "TIME", "received before"},
    {'\0', "rule", "RULE" CTL_LIST, "by this rule only; again for more"},
    {'n', "dry-run", NULL, "count what would be done, and do nothing"},
    {'\0', "notify", NULL, "let `notify` of rules ring"},
    {'y', "yes", NULL, "do not count first, do not ask"},
    {'\0', "cancel", NULL, "end the run that is under way"},
    OPTIONS_END,
};
static const struct ctl_option undo_options[] = {
    {'\0', "rule", "RULE", "only what this rule did"},
    {'\0', "since", "TIME", "judged since: 2h, yesterday, 2026-11-21"},
    {'n', "dry-run", NULL, "say what can be taken back, and do nothing"},
    OPTIONS_END,
};
static const struct ctl_option queue_options[] = {
    {'\0', "account", "ACCOUNT", "only of this account"},
    {'\0', "anyway", NULL, "retry, though the server refused the password"},
    OPTIONS_END,
};

static const struct ctl_option report_options[] = {
    {'\0', "since", "TIME", "from then on: 2d, 4w, 2026-11-21 (7d)"},
    OPTIONS_END,
};
static const struct ctl_option rules_options[] = {
    {'\0', "english", NULL, "say each rule as a sentence"},
    {'\0', "sort", "ORDER", "by hits, last or time; else as in the files"},
    OPTIONS_END,
};

/* clang-format off */
const struct ctl_command ctl_commands[] = {
    {.name = "setup", .summary = "make an account from an address",
     .arguments = "[ADDRESS]", .arguments_max = 1, .options = setup_options,
     .run = ctl_setup,
     .details = "Finds the servers, tells which password is wanted, tests it, "
                "and writes the\naccount into the configuration, whose other "
                "lines stay as they are. Again for an\naccount that is there, "
                "it changes that. At a terminal it asks for what is\nmissing; "
                "else say --yes, and give a password as the first line of "
                "standard\ninput."},
    {.name = "login", .summary = "sign in to an account (OAuth2)",
     .arguments = "ACCOUNT", .arguments_min = 1, .arguments_max = 1,
     .options = login_options, .run = ctl_login,
     .details = "For an account with oauth2_client_id. The token is kept for "
                "belfryd, which\nrenews it from then on. Waits five minutes "
                "for the person, or as long as\n--timeout says."},
    {.name = "check", .summary = "is the configuration right?",
     .arguments = "[FILE]", .arguments_max = 1, .options = check_options,
     .run = ctl_check},
    {.name = "test", .summary = "what would the rules do with these messages?",
     .arguments = "FILE|DIR|-...", .arguments_min = 1, .arguments_max = -1,
     .options = test_options, .run = ctl_test,
     .details = "A FILE is a message or an mbox; a DIR is a Maildir or a "
                "folder of messages;\n- is standard input."},
    {.name = "explain", .summary = "why does this message go where it goes?",
     .arguments = "FILE|ACCOUNT/MAILBOX/UID", .arguments_min = 1,
     .arguments_max = 1, .options = explain_options, .run = ctl_explain,
     .details = "With ACCOUNT/MAILBOX/UID the running daemon fetches the "
                "message, and changes\nnothing."},
    {.name = "rules", .summary = "list the rules, and what they did",
     .arguments = "[FILE]", .arguments_max = 1, .options = rules_options,
     .run = ctl_rules},
    {.name = "providers", .summary = "list the mail providers that are known",
     .arguments = "[NAME|DOMAIN]", .arguments_max = 1, .run = ctl_providers,
     .details = "With a name or a domain, all that is known of this one."},
    {.name = "doctor", .summary = "what is wrong, and what to do about it?",
     .arguments = "[ACCOUNT...]", .arguments_max = -1, .run = ctl_doctor,
     .details = "Walks each account (or all) step by step, from its password "
                "to its mailboxes and\nto the server for sending. Changes "
                "nothing, sends no mail, needs no daemon. Each\nstep may "
                "take as long as --timeout says (20s)."},
    {.name = "status", .summary = "how is everything?",
     .arguments = "", .options = status_options, .run = ctl_status,
     .needs_daemon = true,
     .details = "Exits with 1 when an account, mailbox or forward is in "
                "trouble. For a bar it\nprints one line: how many messages "
                "rang and are not read yet."},
    {.name = "mailboxes", .summary = "list the mailboxes of an account",
     .arguments = "[ACCOUNT]", .arguments_max = 1, .run = ctl_mailboxes,
     .needs_daemon = true,
     .details = "With what rules call them, what they are for, and which are "
                "watched."},
    {.name = "watch", .summary = "show what happens, as it happens",
     .arguments = "", .options = watch_options, .run = ctl_watch,
     .needs_daemon = true,
     .details = "When belfryd ends it waits for the next one, and then says "
                "what was judged\nmeanwhile."},
    {.name = "history", .summary = "what was done, and by which rule",
     .arguments = "", .options = history_options, .run = ctl_history,
     .needs_daemon = true},
    {.name = "report", .summary = "write a page with plots of what happened",
     .arguments = "[FILE]", .arguments_max = 1, .options = report_options,
     .run = ctl_report, .needs_daemon = true,
     .details = "HTML that needs nothing else; to belfry-report.html, or - for "
                "standard output."},
    {.name = "queue", .summary = "list the forwards, or do something to them",
     .arguments = "[show|retry|release|drop|resume ID...|all]",
     .arguments_max = -1,
     .options = queue_options, .run = ctl_queue, .needs_daemon = true,
     .details = "show     all that is known of it\n"
                "retry    try it now; one that failed begins anew\n"
                "release  send one that is held, though it may have arrived\n"
                "drop     give it up\n"
                "resume   let forwards go on that were stopped, as too many had "
                "the same\n         subject; of an ACCOUNT, or of all"},
    {.name = "reload", .summary = "read the configuration again",
     .arguments = "", .run = ctl_reload, .needs_daemon = true},
    {.name = "notify", .summary = "send a test notification",
     .arguments = "[TEXT...]", .arguments_max = -1, .run = ctl_notify,
     .needs_daemon = true},
    {.name = "apply", .summary = "judge the messages that are there already",
     .arguments = "ACCOUNT/MAILBOX", .arguments_min = 1, .arguments_max = 1,
     .options = apply_options, .run = ctl_apply, .needs_daemon = true,
     .details = "Counts first, and asks on a terminal. The daemon does it: a "
                "run goes on when\nbelfryctl is ended; the same command "
                "joins it, --cancel ends it."},
    {.name = "undo", .summary = "take back what rules did",
     .arguments = "ACCOUNT[/MAILBOX[/UID]]", .arguments_min = 1,
     .arguments_max = 1, .options = undo_options, .run = ctl_undo,
     .needs_daemon = true,
     .details = "Moves back what was moved, and marks as before; says what "
                "stays as it is.\nExits with 1 when anything does."},
    {.name = "pause", .summary = "hang up: one account, or all",
     .arguments = "[ACCOUNT] [TIME]", .arguments_max = 2, .run = ctl_pause,
     .needs_daemon = true,
     .details = "For a TIME such as 2h, or until `belfryctl resume`. It "
                "outlives the daemon."},
    {.name = "resume", .summary = "connect again",
     .arguments = "[ACCOUNT]", .arguments_max = 1, .run = ctl_pause,
     .needs_daemon = true},
    {.name = "completions", .summary = "print completions for a shell",
     .arguments = "bash|zsh|fish", .arguments_min = 1, .arguments_max = 1,
     .run = ctl_completions,
     .details = "They complete names, too: those of the configuration, and of "
                "mailboxes and\nforwards, which the running daemon is asked "
                "for."},
    {.name = "help", .summary = "explain a command",
     .arguments = "[COMMAND]", .arguments_max = 1, .run = ctl_help},
    {.name = "probe", .summary = "how long does a message take?",
     .arguments = "ACCOUNT", .arguments_min = 1, .arguments_max = 1,
     .options = probe_options, .run = ctl_probe, .needs_daemon = true,
     .details = "Makes a mailbox, puts a message into it, hears of it on "
                "another connection,\nand deletes the mailbox. Exits with 1 "
                "when the message did not come."},
    {.name = NULL},
};
/* clang-format on */

/* ---- help ---- */

static void
add_options(struct buf *out, const struct ctl_option *options)
{
	for (size_t i = 0; options != NULL && options[i].name != NULL; i++) {
		const struct ctl_option *option = &options[i];
		BUF_AUTO words = BUF_INIT;
		if (option->letter != '\0')
			buf_addf(&words, "-%c, ", option->letter);
		else
			buf_add_str(&words, "    ");
		buf_addf(&words, "--%s", option->name);
		if (option->value != NULL)
			buf_addf(&words, " %s", option->value);
		buf_addf(out, "  %-24s %s\n", buf_str(&words), option->help);
	}
}

static void
add_command_help(struct buf *out, const struct ctl_command *command)
{
	buf_addf(out, "usage: belfryctl %s%s%s%s\n\n%s\n", command->name,
	    command->options != NULL ? " [OPTIONS]" : "",
	    *command->arguments != '\0' ? " " : "", command->arguments,
	    command->summary);
	if (command->details != NULL)
		buf_addf(out, "%s\n", command->details);
	buf_add_char(out, '\n');
	add_options(out, command->options);
	add_options(out, ctl_global_options);
}

static void
add_commands(struct buf *out, const char *title, bool daemon)
{
	buf_addf(out, "%s\n", title);
	for (size_t i = 0; ctl_commands[i].name != NULL; i++)
		if (ctl_commands[i].needs_daemon == daemon)
			buf_addf(out, "  %-12s %s\n", ctl_commands[i].name,
			    ctl_commands[i].summary);
	buf_add_char(out, '\n');
}

static void
add_help(struct buf *out)
{
	buf_add_str(out, "usage: belfryctl [OPTIONS] COMMAND ...\n\n");
	add_commands(out, "By itself:", false);
	add_commands(out, "With the running daemon:", true);
	buf_add_str(out, "Options of every command:\n");
	add_options(out, ctl_global_options);
	buf_add_str(out, "\n`belfryctl help COMMAND` has more; so has "
			 "belfryctl(1).\n");
}

static const struct ctl_command *
find_command(const char *name)
{
	for (size_t i = 0; ctl_commands[i].name != NULL; i++)
		if (strcmp(ctl_commands[i].name, name) == 0)
			return &ctl_commands[i];
	return NULL;
}

static int
fail_unknown(const struct ctl *ctl, const char *name)
{
	const char *names[64] = {NULL};
	BUF_AUTO clean = BUF_INIT;

	for (size_t i = 0; ctl_commands[i].name != NULL; i++)
		names[i] = ctl_commands[i].name;
	const char *nearest = str_nearest(span_from_str(name), names);
	STR_AUTO hint = nearest != NULL
			    ? xasprintf("did you mean `%s`?", nearest)
			    : xstrdup("`belfryctl help` lists the commands");
	ctl_add_clean(&clean, name, 40);
	return ctl_fail(
	    ctl, EX_USAGE, hint, "there is no command `%s`", buf_str(&clean));
}

int
ctl_help(struct ctl *ctl)
{
	BUF_AUTO out = BUF_INIT;
	const struct ctl_command *command;

	if (ctl->argument_count == 0) {
		add_help(&out);
		return ctl_finish(&out, EX_OK);
	}
	command = find_command(ctl->arguments[0]);
	if (command == NULL)
		return fail_unknown(ctl, ctl->arguments[0]);
	add_command_help(&out, command);
	return ctl_finish(&out, EX_OK);
}

/* ---- options ---- */

const char *
ctl_get(const struct ctl *ctl, const char *name)
{
	const struct ctl_option *options = ctl->command->options;

	for (size_t i = 0; options != NULL && options[i].name != NULL; i++)
		if (strcmp(options[i].name, name) == 0)
			return ctl->values[i];
	return NULL;
}

bool
ctl_has(const struct ctl *ctl, const char *name)
{
	return ctl_get(ctl, name) != NULL;
}

/* What getopt_long wants: global options are numbered from 1, the command's
 * from COMMAND_BASE. */
#define LONGS_MAX (GLOBAL_COUNT + CTL_OPTIONS_MAX + 1)
#define GLOBAL_BASE 1000
#define COMMAND_BASE 2000

struct grammar {
	struct option longs[LONGS_MAX];
	size_t count;
	struct buf letters;
};

static void
add_grammar(struct grammar *grammar, const struct ctl_option *options, int base)
{
	for (int i = 0; options != NULL && options[i].name != NULL; i++) {
		bool has_value = options[i].value != NULL;
		grammar->longs[grammar->count++] = (struct option){
		    .name = options[i].name,
		    .has_arg = has_value ? required_argument : no_argument,
		    .val = base + i,
		};
		if (options[i].letter != '\0')
			buf_addf(&grammar->letters, "%c%s", options[i].letter,
			    has_value ? ":" : "");
	}
}

/* Letters come back as themselves. */
static int
number_of(int option, const struct ctl_option *options, int base)
{
	for (int i = 0; options != NULL && options[i].name != NULL; i++)
		if (option == base + i ||
		    (options[i].letter != '\0' && option == options[i].letter))
			return i;
	return -1;
}

struct wishes {
	bool help, version;
};

static int
set_global(struct ctl *ctl, struct wishes *wishes, int number)
{
	switch ((enum global)number) {
	case GLOBAL_CONFIG:
		ctl->config = optarg;
		break;
	case GLOBAL_JSON:
		ctl->json = true;
		break;
	case GLOBAL_SOCKET:
		ctl->socket = optarg;
		break;
	case GLOBAL_TIMEOUT:
		if (!usec_parse(span_from_str(optarg), &ctl->timeout) ||
		    ctl->timeout == 0 || ctl->timeout > USEC_DAY)
			return ctl_fail_time(
			    ctl, "--timeout", optarg, "such as 5s or 2m");
		break;
	case GLOBAL_NO_COLOR:
		ctl->color = false;
		break;
	case GLOBAL_HELP:
		wishes->help = true;
		break;
	case GLOBAL_VERSION:
		wishes->version = true;
		break;
	case GLOBAL_COUNT:
		break;
	}
	return EX_OK;
}

static void
set_value(struct ctl *ctl, int number, const char *value)
{
	const struct ctl_option *option = &ctl->command->options[number];
	const char *before = ctl->values[number];

	if (value == NULL)
		value = "";
	if (before != NULL && option->value != NULL &&
	    strstr(option->value, CTL_LIST) != NULL) {
		strv_take(&ctl->joined, xasprintf("%s,%s", before, value));
		value = ctl->joined.items[ctl->joined.len - 1];
	}
	ctl->values[number] = value;
}

/* A program that asks for JSON gets it of what is wrong before --json, too. */
static void
look_for_json(struct ctl *ctl, char *const *words)
{
	for (; *words != NULL && strcmp(*words, "--") != 0; words++)
		if (strcmp(*words, "--json") == 0)
			ctl->json = true;
}

/* In place of getopt's own words. */
static int
refuse_option(const struct ctl *ctl, bool is_bare, const char *word)
{
	const char *name = ctl->command != NULL ? ctl->command->name : "";
	STR_AUTO hint = xasprintf("`belfryctl%s%s --help` lists the options",
	    *name != '\0' ? " " : "", name);
	STR_AUTO letter = xasprintf("-%c", optopt);

	if (optopt > 0 && optopt < GLOBAL_BASE)
		word = letter;
	if (is_bare)
		return ctl_fail(ctl, EX_USAGE, hint, "%s needs a value", word);
	return ctl_fail(ctl, EX_USAGE, hint, "there is no option %s", word);
}

/* Reads options; those of the command when there is one, mixed with its
 * arguments. EX_OK, or it was said what is wrong. */
static int
read_options(struct ctl *ctl, struct wishes *wishes, int argc, char **argv)
{
	const struct ctl_option *own =
	    ctl->command != NULL ? ctl->command->options : NULL;
	struct grammar grammar = {0};
	int option, code = EX_OK;

	buf_add_str(&grammar.letters, ctl->command != NULL ? ":" : "+:");
	add_grammar(&grammar, ctl_global_options, GLOBAL_BASE);
	add_grammar(&grammar, own, COMMAND_BASE);
	optind = 0;
	while (code == EX_OK &&
	       (option = getopt_long(argc, argv, buf_str(&grammar.letters),
		    grammar.longs, NULL)) != -1) {
		int number = number_of(option, own, COMMAND_BASE);
		if (number >= 0) {
			set_value(ctl, number, optarg);
			continue;
		}
		number = number_of(option, ctl_global_options, GLOBAL_BASE);
		if (number < 0 || number == GLOBAL_TIMEOUT)
			look_for_json(ctl, argv + optind);
		code = number < 0
			   ? refuse_option(ctl, option == ':', argv[optind - 1])
			   : set_global(ctl, wishes, number);
	}
	buf_done(&grammar.letters);
	return code;
}

static bool
wants_color(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return (no_color == NULL || *no_color == '\0') && term != NULL &&
	       strcmp(term, "dumb") != 0 && isatty(STDOUT_FILENO);
}

/* ---- the run ---- */

static int
print_version(void)
{
	BUF_AUTO out = BUF_INIT;

	buf_add_str(&out, "belfryctl " PACKAGE_VERSION "\n");
	return ctl_finish(&out, EX_OK);
}

static int
fail_usage(const struct ctl *ctl)
{
	STR_AUTO usage = xasprintf("usage: belfryctl %s%s%s",
	    ctl->command->name, *ctl->command->arguments != '\0' ? " " : "",
	    ctl->command->arguments);

	return ctl_fail(ctl, EX_USAGE, usage, "%s: %s", ctl->command->name,
	    ctl->argument_count < ctl->command->arguments_min
		? "an argument is missing"
		: "too many arguments");
}

static int
run_command(struct ctl *ctl, int argc, char **argv)
{
	const struct ctl_command *command = ctl->command;
	struct wishes wishes = {false, false};
	BUF_AUTO out = BUF_INIT;
	int code = read_options(ctl, &wishes, argc, argv);

	if (code != EX_OK)
		return code;
	if (wishes.version)
		return print_version();
	if (wishes.help) {
		add_command_help(&out, command);
		return ctl_finish(&out, EX_OK);
	}
	ctl->arguments = argv + optind;
	ctl->argument_count = argc - optind;
	if (ctl->argument_count < command->arguments_min ||
	    (command->arguments_max >= 0 &&
		ctl->argument_count > command->arguments_max))
		return fail_usage(ctl);
	return command->run(ctl);
}

int
main(int argc, char **argv)
{
	struct ctl ctl = {.color = wants_color()};
	struct wishes wishes = {false, false};
	int code = read_options(&ctl, &wishes, argc, argv);
	BUF_AUTO out = BUF_INIT;

	if (code != EX_OK)
		return code;
	if (wishes.version)
		return print_version();
	if (wishes.help || optind == argc) {
		add_help(&out);
		if (wishes.help)
			return ctl_finish(&out, EX_OK);
		fputs(buf_str(&out), stderr);
		return EX_USAGE;
	}
	ctl.command = find_command(argv[optind]);
	if (ctl.command == NULL) {
		look_for_json(&ctl, argv + optind);
		return fail_unknown(&ctl, argv[optind]);
	}
	code = run_command(&ctl, argc - optind, argv + optind);
	strv_done(&ctl.joined);
	return code;
}
