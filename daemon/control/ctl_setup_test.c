/* setup: is the account right? Asked of its servers, before it is written. */
#include <stdio.h>

#include "daemon/control/ctl_doctor.h"
#include "daemon/control/ctl_setup.h"
#include "daemon/wiring/checkup.h"

static void
say_trouble(struct setup *setup, const struct doctor_finding *finding)
{
	const char *texts[] = {finding->got, finding->why, finding->next};
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

static void
on_found(void *ctx, const struct doctor_finding *finding)
{
	struct setup *setup = ctx;

	json_add(setup->steps, ctl_finding_json(finding));
	if (finding->result == DOCTOR_FAILED ||
	    finding->result == DOCTOR_WARNING)
		say_trouble(setup, finding);
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
say_verdict(const struct setup *setup, const struct doctor_report *report)
{
	if (doctor_first_failure(report) == NULL)
		setup_say(setup, "It works: logged in to %s.",
		    is_good(report, DOCTOR_SMTP)
			? "read mail (IMAP) and to send it (SMTP)"
			: "read mail (IMAP)");
}

int
setup_test(struct setup *setup)
{
	struct doctor_report report;
	const struct checkup_config config = {
	    .account = &setup->trial->accounts[0],
	    .secret = setup->secret.len > 0 ? &setup->secret : NULL,
	    .is_new = true,
	    .found = on_found,
	    .ctx = setup,
	};

	setup->steps = json_new_array();
	setup_say(setup, "Testing ...");
	checkup_run(&config, &report);
	int code = checkup_exit_code(&report);
	say_verdict(setup, &report);
	doctor_report_done(&report);
	setup->is_tested = code == EX_OK;
	return code;
}
