/*
 * wiring/opens: the programs that a notification starts: what opens the
 * message, and what copies a one-time code.
 *
 * As a service of systemd, the daemon has systemd-run start them: they get the
 * environment of the desktop, which came up after it, none of its
 * restrictions, and outlive it.
 */
#include <stdlib.h>
#include <unistd.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/loop/spawn.h"
#include "daemon/wiring/deeds.h"
#include "notifiers/open.h"

/* A clipboard program that does not come back; a mail program may run on. */
#define COPY_USEC (10 * USEC_SEC)
#define WORDS_MAX 200 /* characters of a program's complaint */

struct opened {
	struct list_link link; /* in belfry::opens */
	struct belfry *belfry;
	struct child *child;
	const char *title; /* of what the person is told when it fails */
	char *account, *program;
	char *instead; /* an address to open if that fails; NULL: none */
};

static void
opened_free(struct opened *opened)
{
	list_remove(&opened->link);
	free(opened->account);
	free(opened->program);
	free(opened->instead);
	free(opened);
}

static void
tell(struct belfry *belfry, const char *account, const char *title,
    const char *why)
{
	report_note(belfry, true, "button", account, "%s: %s", title, why);
	notify_say(belfry, account, URGENCY_NORMAL, title, why);
}

/* ---- the program ---- */

static bool
is_service(void)
{
	const char *pid = getenv("SYSTEMD_EXEC_PID");

	return pid != NULL && strtol(pid, NULL, 10) == (long)getpid() &&
	       getenv("XDG_RUNTIME_DIR") != NULL && spawn_finds("systemd-run");
}

static void
add_systemd_run(struct strv *argv, const struct strv *environment, bool copies)
{
	strv_add(argv, "systemd-run");
	strv_add(argv, "--user");
	strv_add(argv, "--quiet");
	strv_add(argv, "--collect");
	strv_add(argv, copies ? "--pipe" : "--wait");
	if (copies) /* it serves the clipboard from the background */
		strv_add(argv, "--property=KillMode=process");
	for (size_t i = 0; i < environment->len; i++)
		strv_take(
		    argv, xasprintf("--setenv=%s", environment->items[i]));
	strv_add(argv, "--");
}

static void open_address(
    struct belfry *belfry, const char *account, const char *address);

static void
on_end(void *ctx, const struct child_result *result)
{
	struct opened *opened = ctx;
	BUF_AUTO why = BUF_INIT;

	opened->child = NULL;
	if (opened->instead != NULL && result->started && result->status != 0) {
		open_address(opened->belfry, opened->account, opened->instead);
	} else if (!result->started || result->timed_out ||
		   result->status != 0) {
		buf_addf(&why, "%s: ", opened->program);
		child_describe(result, &why);
		if (result->started && result->errors.len > 0) {
			buf_add_str(&why, ": ");
			str_sanitize(&why, result->errors, WORDS_MAX);
		}
		tell(opened->belfry, opened->account, opened->title,
		    buf_str(&why));
	}
	opened_free(opened);
}

static bool
has_room(const struct belfry *belfry)
{
	size_t count = 0;

	LIST_EACH(pos, &belfry->opens)
	count++;
	return count < OPENS_MAX;
}

/* What a desktop's programs look at, and others do not need. */
static void
add_desktop(struct strv *environment)
{
	static const char *const names[] = {"XDG_CURRENT_DESKTOP",
	    "XDG_SESSION_TYPE", "XDG_DATA_DIRS", "XDG_CONFIG_DIRS",
	    "DESKTOP_SESSION", "BROWSER"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (getenv(names[i]) != NULL)
			strv_take(environment,
			    xasprintf("%s=%s", names[i], getenv(names[i])));
}

struct program {
	const char *title; /* when it fails */
	const struct strv *command;
	struct strv environment; /* taken */
	struct span input;
	usec_t limit;
	bool copies;
	const char *instead; /* as in struct opened */
};

static void
start(struct belfry *belfry, const char *account, struct program *program)
{
	struct opened *opened = NEW(struct opened);
	STRV_AUTO argv = STRV_INIT;

	if (is_service())
		add_systemd_run(&argv, &program->environment, program->copies);
	else
		add_desktop(&program->environment);
	for (size_t i = 0; i < program->command->len; i++)
		strv_add(&argv, program->command->items[i]);
	opened->belfry = belfry;
	opened->title = program->title;
	opened->account = xstrdup(account);
	opened->program = xstrdup(program->command->items[0]);
	if (program->instead != NULL)
		opened->instead = xstrdup(program->instead);
	list_add(&belfry->opens, &opened->link);
	const struct child_config config = {
	    .argv = &argv,
	    .environment = &program->environment,
	    .input = program->input,
	    .limit = program->limit,
	    .secret = program->copies,
	};
	opened->child = child_run(belfry->loop, &config, on_end, opened);
	strv_done(&program->environment);
}

/* ---- opening ---- */

static const char not_opened[] = "Belfry: the message was not opened";
static const char opener[] = "xdg-open";

static const struct config_account *
account_of(const struct belfry *belfry, const struct notification *n)
{
	return config_find_account(belfry->config, n->account);
}

/* NULL: none for this message. */
static const char *
webmail_of(const struct config_account *account, const struct notification *n)
{
	const char *form = account->webmail;

	if (form == NULL && account->preset != NULL)
		form = account->preset->webmail;
	return form != NULL && n->is_moved && open_names_place(form) ? NULL
								     : form;
}

static struct open_message
open_message_of(
    const struct config_account *account, const struct notification *n)
{
	return (struct open_message){
	    .message_id = n->message_id != NULL ? n->message_id : "",
	    .account = n->account,
	    .email = account->email,
	    .mailbox = n->mailbox,
	    .uid = n->uid,
	    .webmail = webmail_of(account, n),
	};
}

/* NULL: that of everybody. */
static const struct strv *
command_of(const struct belfry *belfry, const struct config_account *account)
{
	if (account->open_command.len > 0)
		return &account->open_command;
	if (belfry->config->daemon.open_command.len > 0)
		return &belfry->config->daemon.open_command;
	return NULL;
}

/* What is opened where no mail program takes a mid: address. */
static const char *
inbox_of(const struct belfry *belfry, const struct config_account *account)
{
	if (account == NULL || account->preset == NULL ||
	    command_of(belfry, account) != NULL)
		return NULL;
	return account->preset->webmail_inbox;
}

static void
open_address(struct belfry *belfry, const char *account, const char *address)
{
	STRV_AUTO argv = STRV_INIT;
	struct program program = {
	    .title = not_opened, .command = &argv, .limit = USEC_NEVER};

	strv_add(&argv, opener);
	strv_add(&argv, address);
	start(belfry, account, &program);
}

static bool
expand(const struct belfry *belfry, const struct notification *n,
    struct strv *argv, struct error *error_r)
{
	const struct config_account *account = account_of(belfry, n);
	STRV_AUTO usual = STRV_INIT;
	const struct strv *command;

	if (account == NULL)
		return error_set(error_r, FAULT_CONFIG,
		    "the account is not in the configuration any more");
	const struct open_message message = open_message_of(account, n);
	const char *inbox = inbox_of(belfry, account);
	bool has_url = open_url(&message, NULL);
	strv_add(&usual, opener);
	strv_add(&usual, inbox != NULL && !has_url ? inbox : "${url}");
	command = command_of(belfry, account);
	return open_expand(
	    command != NULL ? command : &usual, &message, argv, error_r);
}

void
open_add_url(const struct config_account *account, const struct notification *n,
    struct buf *url)
{
	const struct open_message message = open_message_of(account, n);
	const char *inbox =
	    account->preset != NULL ? account->preset->webmail_inbox : NULL;

	if (message.webmail != NULL ? open_url(&message, url)
				    : inbox == NULL && open_url(&message, url))
		return;
	if (inbox != NULL)
		buf_add_str(url, inbox);
}

bool
open_can(const struct belfry *belfry, const struct notification *n)
{
	const struct config_account *account = account_of(belfry, n);
	STRV_AUTO argv = STRV_INIT;

	return account != NULL &&
	       (command_of(belfry, account) != NULL || spawn_finds(opener)) &&
	       expand(belfry, n, &argv, NULL);
}

void
open_message(
    struct belfry *belfry, const struct notification *n, const char *token)
{
	struct error error = ERROR_INIT;
	STRV_AUTO argv = STRV_INIT;
	struct program program = {.title = not_opened,
	    .command = &argv,
	    .limit = USEC_NEVER,
	    .instead = inbox_of(belfry, account_of(belfry, n))};

	if (!expand(belfry, n, &argv, &error)) {
		tell(belfry, n->account, not_opened, error.text);
		return;
	}
	if (!has_room(belfry)) {
		tell(belfry, n->account, not_opened,
		    "the programs that were started before have not ended");
		return;
	}
	if (token != NULL && token[0] != '\0') {
		strv_take(&program.environment,
		    xasprintf("XDG_ACTIVATION_TOKEN=%s", token));
		strv_take(&program.environment,
		    xasprintf("DESKTOP_STARTUP_ID=%s", token));
	}
	start(belfry, n->account, &program);
}

/* ---- one-time codes ---- */

/* What is there on most desktops, and copies its standard input. */
static const struct {
	const char *needs; /* in the environment; a service asks later */
	const char *argv[5];
} clipboards[] = {
    {"WAYLAND_DISPLAY", {"wl-copy", NULL}},
    {"DISPLAY", {"xclip", "-selection", "clipboard", "-in", NULL}},
    {"DISPLAY", {"xsel", "--clipboard", "--input", NULL}},
};

static bool
find_clipboard(const struct belfry *belfry, struct strv *argv)
{
	const struct strv *own = &belfry->config->daemon.copy_command;

	if (own->len > 0) {
		strv_copy(argv, own);
		return true;
	}
	for (size_t i = 0; i < sizeof(clipboards) / sizeof(clipboards[0]);
	     i++) {
		if ((getenv(clipboards[i].needs) == NULL && !is_service()) ||
		    !spawn_finds(clipboards[i].argv[0]))
			continue;
		for (size_t j = 0; clipboards[i].argv[j] != NULL; j++)
			strv_add(argv, clipboards[i].argv[j]);
		return true;
	}
	return false;
}

bool
copy_can(const struct belfry *belfry)
{
	STRV_AUTO argv = STRV_INIT;

	return find_clipboard(belfry, &argv);
}

void
copy_code(struct belfry *belfry, const struct notification *n)
{
	static const char title[] = "Belfry: the code was not copied";
	STRV_AUTO argv = STRV_INIT;
	struct program program = {
	    .title = title,
	    .command = &argv,
	    .limit = COPY_USEC,
	    .copies = true,
	};

	if (n->code == NULL || n->code[0] == '\0')
		return;
	program.input = span_from_str(n->code);
	if (!find_clipboard(belfry, &argv))
		tell(belfry, n->account, title,
		    "there is no program that copies: see copy_command in "
		    "belfry.conf(5)");
	else if (!has_room(belfry))
		tell(belfry, n->account, title,
		    "the programs that were started before have not ended");
	else
		start(belfry, n->account, &program);
}

void
opens_free_all(struct belfry *belfry)
{
	LIST_EACH(pos, &belfry->opens)
	{
		struct opened *opened = LIST_ITEM(pos, struct opened, link);
		child_forget(&opened->child);
		opened_free(opened);
	}
}
