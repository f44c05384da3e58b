/* doctor: an account is walked step by step; what is wrong, and what to do. */
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/config/paths.h"
#include "daemon/control/ctl_doctor.h"
#include "daemon/control/session.h"
#include "daemon/wiring/checkup.h"

/* For the daemon's word on the account. */
#define DAEMON_USEC (3 * USEC_SEC)
#define COLUMNS_MIN 20
#define COLUMNS_NARROW 60 /* then what came back stands below the step */
#define COLUMNS_MAX 100
#define COLUMNS_USUAL 80
#define OUTCOME_INDENT 27 /* behind mark and step */
#define ADVICE_INDENT 12
#define NARROW_INDENT 8

struct doctor {
	const struct ctl *ctl;
	const struct ctl_config *loaded;
	const struct json *status; /* of the running daemon; NULL: none */
	bool is_terminal;
	size_t columns;
	int place; /* enum doctor_place of the last heading; -1: none */
	const struct config_account *account;
};

/* ---- for people at a terminal ---- */

static size_t
terminal_columns(void)
{
	size_t columns = ctl_columns();

	if (columns == 0)
		return COLUMNS_USUAL;
	if (columns < COLUMNS_MIN)
		return COLUMNS_MIN;
	return columns < COLUMNS_MAX ? columns : COLUMNS_MAX;
}

static void
add_wrapped(
    const struct doctor *doctor, struct buf *out, int indent, const char *text)
{
	ctl_add_wrapped(
	    out, doctor->columns, (size_t)indent, (size_t)indent, text);
	buf_add_char(out, '\n');
}

static void
add_heading(struct doctor *doctor, struct buf *out, enum doctor_place place)
{
	static const char *const words[] = {
	    [DOCTOR_HERE] = "this machine",
	    [DOCTOR_IMAP] = "reading mail",
	    [DOCTOR_SMTP] = "sending mail",
	};
	const struct config_server *server = place == DOCTOR_SMTP
						 ? &doctor->account->smtp
						 : &doctor->account->imap;

	if (doctor->place == (int)place)
		return;
	doctor->place = (int)place;
	buf_add_str(out, "  ");
	ctl_add_colored(doctor->ctl, out, CTL_BOLD, words[place]);
	if (place != DOCTOR_HERE && server->host != NULL) {
		buf_add_str(out, ": ");
		ctl_add_clean(out, server->host, CTL_CELL_MAX);
	}
	buf_add_char(out, '\n');
}

static void
add_mark(
    const struct doctor *doctor, struct buf *out, enum doctor_result result)
{
	static const struct {
		const char *word;
		enum ctl_color color;
	} marks[] = {
	    [DOCTOR_GOOD] = {"ok    ", CTL_GOOD},
	    [DOCTOR_WARNING] = {"warn  ", CTL_BOLD},
	    [DOCTOR_FAILED] = {"FAILED", CTL_BAD},
	    [DOCTOR_SKIPPED] = {"-     ", CTL_DIM},
	};

	buf_add_str(out, "    ");
	ctl_add_colored(
	    doctor->ctl, out, marks[result].color, marks[result].word);
}

/* "user ann: let in" */
static void
add_outcome(struct buf *out, const struct doctor_finding *finding)
{
	if (finding->tried != NULL)
		buf_add_str(out, finding->tried);
	if (finding->tried != NULL && finding->got != NULL)
		buf_add_str(out, ": ");
	if (finding->got != NULL)
		buf_add_str(out, finding->got);
}

static void
add_finding(struct doctor *doctor, struct buf *out,
    const struct doctor_finding *finding)
{
	int indent = OUTCOME_INDENT, advice = ADVICE_INDENT;
	BUF_AUTO outcome = BUF_INIT;

	add_heading(doctor, out, finding->place);
	add_mark(doctor, out, finding->result);
	add_outcome(&outcome, finding);
	if (doctor->columns < COLUMNS_NARROW) {
		indent = advice = NARROW_INDENT;
		buf_addf(out, "  %s\n%*s", doctor_step_name(finding->step),
		    NARROW_INDENT, "");
	} else {
		buf_addf(out, "  %-15s", doctor_step_name(finding->step));
	}
	add_wrapped(doctor, out, indent, buf_str(&outcome));
	if (finding->why != NULL) {
		buf_addf(out, "%*s", advice, "");
		add_wrapped(doctor, out, advice, finding->why);
	}
	if (finding->next != NULL) {
		buf_addf(out, "%*s", advice, "-> ");
		add_wrapped(doctor, out, advice, finding->next);
	}
	if (finding->line != NULL) {
		BUF_AUTO line = BUF_INIT;
		buf_addf(&line, "%*s", indent, "");
		ctl_add_clean(&line, finding->line, CTL_TEXT_MAX);
		ctl_add_colored(doctor->ctl, out,
		    finding->result == DOCTOR_GOOD ? CTL_DIM : CTL_BOLD,
		    buf_str(&line));
		buf_add_char(out, '\n');
	}
}

/* ---- for files and pipes: a line for each thing ---- */

static void
add_line(struct buf *out, const struct doctor *doctor,
    const struct doctor_finding *finding, const char *what, const char *text)
{
	if (text == NULL)
		return;
	ctl_add_clean(out, doctor->account->name, CTL_CELL_MAX);
	buf_addf(out, " %s %s: %s: ", doctor_place_name(finding->place),
	    doctor_step_name(finding->step), what);
	ctl_add_clean(out, text, CTL_TEXT_MAX);
	buf_add_char(out, '\n');
}

static void
add_lines(const struct doctor *doctor, struct buf *out,
    const struct doctor_finding *finding)
{
	BUF_AUTO outcome = BUF_INIT;

	add_outcome(&outcome, finding);
	add_line(out, doctor, finding, doctor_result_name(finding->result),
	    buf_str(&outcome));
	add_line(out, doctor, finding, "why", finding->why);
	add_line(out, doctor, finding, "do", finding->next);
	add_line(out, doctor, finding, "line", finding->line);
}

static void
on_found(void *ctx, const struct doctor_finding *finding)
{
	struct doctor *doctor = ctx;
	BUF_AUTO out = BUF_INIT;

	if (doctor->is_terminal)
		add_finding(doctor, &out, finding);
	else
		add_lines(doctor, &out, finding);
	ctl_write(&out);
}

static void
begin_account(struct doctor *doctor)
{
	BUF_AUTO out = BUF_INIT;

	doctor->place = -1;
	if (!doctor->is_terminal)
		return;
	buf_add_str(&out, "account ");
	ctl_add_colored(doctor->ctl, &out, CTL_BOLD, doctor->account->name);
	buf_add_char(&out, '\n');
	ctl_write(&out);
}

/* "home: 1 problem, 2 warnings" */
static void
end_account(const struct doctor *doctor, const struct doctor_report *report)
{
	size_t failed = doctor_count(report, DOCTOR_FAILED);
	size_t warnings = doctor_count(report, DOCTOR_WARNING);
	BUF_AUTO out = BUF_INIT, words = BUF_INIT;

	if (failed > 0)
		ctl_add_count(&words, failed, "problem");
	if (failed > 0 && warnings > 0)
		buf_add_str(&words, ", ");
	if (warnings > 0)
		ctl_add_count(&words, warnings, "warning");
	if (words.len == 0)
		buf_add_str(&words, "all well");
	ctl_add_clean(&out, doctor->account->name, CTL_CELL_MAX);
	buf_add_str(&out, ": ");
	ctl_add_colored(doctor->ctl, &out, failed > 0 ? CTL_BAD : CTL_GOOD,
	    buf_str(&words));
	buf_add_char(&out, '\n');
	ctl_write(&out);
}

/* ---- JSON ---- */

struct json *
ctl_finding_json(const struct doctor_finding *finding)
{
	struct json *json = json_new_object();

	json_set_str(json, "place", doctor_place_name(finding->place));
	json_set_str(json, "step", doctor_step_name(finding->step));
	json_set_str(json, "result", doctor_result_name(finding->result));
	json_set_str(json, "tried", finding->tried);
	json_set_str(json, "got", finding->got);
	json_set_str(json, "cause", finding->cause);
	json_set_str(json, "why", finding->why);
	json_set_str(json, "do", finding->next);
	json_set_str(json, "line", finding->line);
	return json;
}

static struct json *
account_json(
    const struct config_account *account, const struct doctor_report *report)
{
	struct json *json = json_new_object();
	struct json *steps = json_new_array();

	for (size_t i = 0; i < report->count; i++)
		json_add(steps, ctl_finding_json(&report->findings[i]));
	json_set_str(json, "account", account->name);
	json_set_str(json, "email", account->email);
	json_set_str(json, "provider",
	    account->preset != NULL ? account->preset->id : NULL);
	json_set_bool(json, "ok", doctor_first_failure(report) == NULL);
	json_set_int(
	    json, "problems", (int64_t)doctor_count(report, DOCTOR_FAILED));
	json_set_int(
	    json, "warnings", (int64_t)doctor_count(report, DOCTOR_WARNING));
	json_set(json, "steps", steps);
	return json;
}

/* ---- the daemon's word ---- */

static struct json *
ask_daemon(const struct ctl *ctl)
{
	struct ctl mute = *ctl;
	struct json *request = json_new_object(), *answer = NULL;

	mute.mute = true;
	mute.timeout = DAEMON_USEC;
	json_set_int(request, "version", CONTROL_VERSION);
	json_set_str(request, "command", "status");
	ctl_ask(&mute, request, &answer);
	return answer;
}

static const char *
locked_out(const struct json *status, const char *name)
{
	const struct json *accounts =
	    status != NULL ? json_get(status, "accounts") : NULL;

	for (size_t i = 0; i < json_count(accounts); i++) {
		const struct json *account = json_at(accounts, i);
		const char *is = json_get_str(account, "account");
		if (is != NULL && strcmp(is, name) == 0)
			return json_get_str(account, "locked_out");
	}
	return NULL;
}

/* ---- accounts ---- */

static int
fail_account(
    const struct ctl *ctl, const struct config *config, const char *name)
{
	const char **names =
	    xreallocarray(NULL, config->account_count + 1, sizeof(*names));
	BUF_AUTO clean = BUF_INIT;
	const char *nearest;

	for (size_t i = 0; i < config->account_count; i++)
		names[i] = config->accounts[i].name;
	names[config->account_count] = NULL;
	nearest = str_nearest(span_from_str(name), names);
	free(names);
	STR_AUTO hint =
	    nearest != NULL
		? xasprintf("did you mean `%s`?", nearest)
		: xstrdup("`belfryctl check` says what is configured");
	ctl_add_clean(&clean, name, CTL_CELL_MAX);
	return ctl_fail(
	    ctl, EX_USAGE, hint, "there is no account `%s`", buf_str(&clean));
}

/* All arguments, before anything is tried. */
static int
check_arguments(const struct ctl *ctl, const struct config *config)
{
	for (int i = 0; i < ctl->argument_count; i++)
		if (config_find_account(config, ctl->arguments[i]) == NULL)
			return fail_account(ctl, config, ctl->arguments[i]);
	for (size_t i = 0; i < config->account_count; i++)
		if (config->accounts[i].enabled || ctl->argument_count > 0)
			return EX_OK;
	return ctl_fail(ctl, EX_CONFIG, NULL,
	    "the configuration has no account that is switched on");
}

static bool
is_wanted(const struct ctl *ctl, const struct config_account *account)
{
	for (int i = 0; i < ctl->argument_count; i++)
		if (strcmp(ctl->arguments[i], account->name) == 0)
			return true;
	return ctl->argument_count == 0 && account->enabled;
}

/* The exit code; in JSON the account is added to the list. */
static int
look_at(struct doctor *doctor, struct json *list)
{
	STR_AUTO state = config_state_directory(doctor->loaded->config);
	const struct checkup_config config = {
	    .config = doctor->loaded->config,
	    .state_directory = state,
	    .account = doctor->account,
	    .patience = doctor->ctl->timeout,
	    .locked_out = locked_out(doctor->status, doctor->account->name),
	    .found = doctor->ctl->json ? NULL : on_found,
	    .ctx = doctor,
	};
	struct doctor_report report;
	int code;

	if (!doctor->ctl->json)
		begin_account(doctor);
	checkup_run(&config, &report);
	code = checkup_exit_code(&report);
	if (doctor->ctl->json)
		json_add(list, account_json(doctor->account, &report));
	else
		end_account(doctor, &report);
	doctor_report_done(&report);
	return code;
}

static int
look_at_all(struct doctor *doctor, struct json *list)
{
	const struct config *config = doctor->loaded->config;
	int first = EX_OK;

	for (size_t i = 0; i < config->account_count; i++) {
		if (!is_wanted(doctor->ctl, &config->accounts[i]))
			continue;
		doctor->account = &config->accounts[i];
		int code = look_at(doctor, list);
		first = first == EX_OK ? code : first;
	}
	return first;
}

int
ctl_doctor(struct ctl *ctl)
{
	CTL_CONFIG_AUTO loaded = {0};
	struct doctor doctor = {
	    .ctl = ctl,
	    .loaded = &loaded,
	    .is_terminal = isatty(STDOUT_FILENO) == 1,
	    .columns = terminal_columns(),
	};
	int code = ctl_config_need(ctl, NULL, &loaded);

	if (code == EX_OK)
		code = check_arguments(ctl, loaded.config);
	if (code != EX_OK)
		return code;
	ctl_close_up();
	struct json *status = ask_daemon(ctl);
	struct json *list = json_new_array();
	doctor.status = status;
	code = look_at_all(&doctor, list);
	json_free(&status);
	if (!ctl->json) {
		json_free(&list);
		return code;
	}
	struct json *document = json_new_object();
	json_set_bool(document, "ok", code == EX_OK);
	json_set_str(document, "file", loaded.path);
	json_set(document, "accounts", list);
	return ctl_finish_json(document, code);
}
