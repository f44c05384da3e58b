/* setup: is the account right? Asked of its servers, before it is written. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/xalloc.h"
#include "daemon/config/paths.h"
#include "daemon/control/ctl_doctor.h"
#include "daemon/control/ctl_setup.h"
#include "daemon/wiring/checkup.h"

/* Of a finding's line for the configuration, if it begins with `key`. */
static const char *
value_of(const struct doctor_finding *finding, const char *key)
{
	size_t len = strlen(key);

	if (finding->line == NULL || strncmp(finding->line, key, len) != 0)
		return NULL;
	return finding->line + len;
}

/* "sha256:..." */
static const char *
pin_of(const struct doctor_finding *finding)
{
	return value_of(finding, "tls_pin = ");
}

/* Without it in the file each start would begin with a refused login. */
static void
take_user(struct setup *setup, const struct doctor_finding *finding)
{
	const char *user = value_of(finding, "user = ");
	const char *smtp_user =
	    config_other_smtp_user(&setup->trial->accounts[0]);

	if (user == NULL || setup->taken_user != NULL)
		return;
	setup->taken_user = xstrdup(user);
	if (smtp_user != NULL)
		setup->taken_smtp_user = xstrdup(smtp_user);
}

/* A bridge of this machine with a certificate of its own: both servers' keys
 * are kept for the question. */
static bool
is_offer(struct setup *setup, const struct doctor_finding *finding)
{
	const char *pin = pin_of(finding);
	char *before = setup->offered_pins;

	if (pin == NULL || finding->cause == NULL ||
	    strcmp(finding->cause, "certificate-local") != 0)
		return false;
	if (before == NULL)
		setup->offered_pins = xstrdup(pin);
	else if (strstr(before, pin) == NULL)
		setup->offered_pins = xasprintf("%s, %s", before, pin);
	if (before != setup->offered_pins)
		free(before);
	return true;
}

static void
say_trouble(
    struct setup *setup, const struct doctor_finding *finding, const char *next)
{
	const char *texts[] = {finding->got, finding->why, next};
	BUF_AUTO out = BUF_INIT;

	ctl_add_colored(setup->ctl, &out,
	    finding->result == DOCTOR_FAILED ? CTL_BAD : CTL_BOLD,
	    doctor_result_name(finding->result));
	buf_addf(&out, ": %s", doctor_step_name(finding->step));
	if (finding->place != DOCTOR_HERE)
		buf_addf(&out, " (%s)", doctor_place_name(finding->place));
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (texts[i] == NULL || *texts[i] == '\0')
			continue;
		buf_add_str(&out, i == 0 ? ": " : "\n    ");
		ctl_add_clean(&out, texts[i], CTL_TEXT_MAX);
	}
	setup_say(setup, "%s", buf_str(&out));
}

/* At a terminal it is asked about. */
static void
offer(struct setup *setup, const struct doctor_finding *finding)
{
	if (setup->is_terminal && !ctl_has(setup->ctl, "yes"))
		return;
	STR_AUTO next = xasprintf(
	    "If you know that program, run this again with --pin %s: Belfry "
	    "trusts this one key then.",
	    pin_of(finding));
	say_trouble(setup, finding, next);
}

/* Nothing has to be done about it: not worth more than a line here. */
static bool
is_without_push(const struct doctor_finding *finding)
{
	return finding->cause != NULL &&
	       strcmp(finding->cause, "idle-missing") == 0;
}

static void
say_push(struct setup *setup, const struct doctor_finding *finding)
{
	const char *how = strstr(finding->got, "asked");

	setup_say(setup, "The server does not push new mail (no IDLE)%s%s.",
	    how != NULL ? ": it is " : "", how != NULL ? how : "");
}

static void
on_found(void *ctx, const struct doctor_finding *finding)
{
	struct setup *setup = ctx;

	json_add(setup->steps, ctl_finding_json(finding));
	take_user(setup, finding);
	if (is_offer(setup, finding))
		offer(setup, finding);
	else if (is_without_push(finding))
		say_push(setup, finding);
	else if (finding->result == DOCTOR_FAILED ||
		 finding->result == DOCTOR_WARNING)
		say_trouble(setup, finding, finding->next);
}

static bool
is_good(const struct doctor_report *report, enum doctor_place place)
{
	for (size_t i = 0; i < report->count; i++)
		if (report->findings[i].place == place &&
		    report->findings[i].step == DOCTOR_LOGIN)
			return report->findings[i].result == DOCTOR_GOOD;
	return false;
}

static void
say_verdict(struct setup *setup, const struct doctor_report *report)
{
	if (doctor_first_failure(report) != NULL)
		return;
	if (setup->is_line_open)
		putchar(' ');
	setup->is_line_open = false;
	setup_say(setup, "It works: logged in to %s.",
	    is_good(report, DOCTOR_SMTP)
		? "read mail (IMAP) and to send it (SMTP)"
		: "read mail (IMAP)");
}

char *
setup_state_directory(const struct setup *setup)
{
	return config_state_directory(
	    setup->loaded.config != NULL ? setup->loaded.config : setup->trial);
}

int
setup_test(struct setup *setup)
{
	struct doctor_report report;
	STR_AUTO state = setup_state_directory(setup);
	const struct checkup_config config = {
	    .account = &setup->trial->accounts[0],
	    .state_directory = state,
	    .secret = setup->secret.len > 0 ? &setup->secret : NULL,
	    .is_new = true,
	    .found = on_found,
	    .ctx = setup,
	};

	bool is_first = setup->steps == NULL;

	json_free(&setup->steps);
	setup->steps = json_new_array();
	if (is_first && !setup->ctl->json) {
		fputs("Testing ...", stdout);
		fflush(stdout);
		setup->is_line_open = true;
	}
	checkup_run(&config, &report);
	int code = checkup_exit_code(&report);
	say_verdict(setup, &report);
	doctor_report_done(&report);
	setup->is_tested = code == EX_OK;
	return code;
}
