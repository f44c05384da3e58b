#include "daemon/wiring/checkup.h"

#include <stdarg.h>
#include <stdlib.h>
#include <sysexits.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/mail/date.h"
#include "daemon/wiring/checkup_private.h"

/* ---- waiting ---- */

static void
on_late(void *ctx)
{
	struct checkup *checkup = ctx;

	loop_quit(checkup->loop);
}

usec_t
checkup_patience(const struct checkup *checkup)
{
	return checkup->config->patience != 0 ? checkup->config->patience
					      : CHECKUP_STEP_USEC;
}

bool
checkup_wait(struct checkup *checkup, const bool *done)
{
	usec_t end = usec_add(loop_now(), checkup_patience(checkup));

	while (!*done && loop_now() < end) {
		loop_timer_set(checkup->timer, end);
		loop_run(checkup->loop);
	}
	loop_timer_set(checkup->timer, USEC_NEVER);
	return *done;
}

void
checkup_wake(struct checkup *checkup)
{
	loop_quit(checkup->loop);
}

/* ---- findings ---- */

char *
checkup_clean(struct span text)
{
	struct buf clean = BUF_INIT;

	str_sanitize(&clean, span_trim(text), CHECKUP_TEXT_MAX);
	return clean.len > 0 ? buf_take_str(&clean) : xstrdup("");
}

char *
checkup_user(const char *user)
{
	return *user != '\0' ? xasprintf("user %s", user)
			     : xstrdup("the user of the certificate");
}

struct doctor_facts
checkup_facts(const struct checkup *checkup, enum doctor_place place,
    enum doctor_step step)
{
	const struct config_account *account = checkup->account;
	const struct config_server *server =
	    place == DOCTOR_SMTP ? &account->smtp : &account->imap;
	struct doctor_facts facts = {
	    .place = place,
	    .step = step,
	    .account = account->name,
	    .email = account->email,
	    .user = place == DOCTOR_SMTP ? account->smtp_user : account->user,
	    .other_user = place == DOCTOR_IMAP ? account->other_user : NULL,
	    .preset = account->preset,
	    .by_token = account->auth == CONFIG_AUTH_OAUTH2,
	    .signs_in = account->secret.kind == SECRET_SIGN_IN,
	    .by_certificate = account->auth == CONFIG_AUTH_EXTERNAL,
	    .is_throwaway = checkup->config->is_new,
	    .now_unix = loop_now_unix(),
	};

	if (checkup->has_secret && !facts.by_token)
		facts.shape = doctor_shape_of(secret_span(&checkup->secret));
	if (place == DOCTOR_HERE)
		return facts;
	facts.host = server->host;
	facts.port = server->port;
	facts.tls = server->tls;
	return facts;
}

void
checkup_tell(struct checkup *checkup)
{
	for (; checkup->told < checkup->report->count; checkup->told++)
		if (checkup->config->found != NULL)
			checkup->config->found(checkup->config->ctx,
			    &checkup->report->findings[checkup->told]);
}

void
checkup_good(struct checkup *checkup, enum doctor_place place,
    enum doctor_step step, const char *tried, const char *format, ...)
{
	BUF_AUTO got = BUF_INIT;
	va_list args;

	va_start(args, format);
	buf_vaddf(&got, format, args);
	va_end(args);
	doctor_add(checkup->report, place, step, DOCTOR_GOOD, tried, "%s",
	    buf_str(&got));
	checkup_tell(checkup);
}

void
checkup_skip(struct checkup *checkup, enum doctor_place place,
    enum doctor_step step, const char *why)
{
	doctor_add(
	    checkup->report, place, step, DOCTOR_SKIPPED, NULL, "%s", why);
	checkup_tell(checkup);
}

void
checkup_bad(struct checkup *checkup, const struct doctor_facts *facts,
    const char *tried, const char *got)
{
	struct doctor_finding *finding =
	    doctor_add(checkup->report, facts->place, facts->step,
		DOCTOR_FAILED, tried, got != NULL ? "%s" : NULL, got);

	doctor_judge(facts, finding);
	checkup_tell(checkup);
}

/* ---- what time it is elsewhere ---- */

/* "220 mx.example.org ESMTP; Sun, 22 Nov 2026 10:50:30 +0000" */
void
checkup_look_for_time(
    struct checkup *checkup, struct span line, const char *source)
{
	static const char *const days[] = {
	    "Mon, ", "Tue, ", "Wed, ", "Thu, ", "Fri, ", "Sat, ", "Sun, "};
	struct span text = span_slice(line, 0, span_find(line, '\n'));
	int64_t unix_seconds;

	for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
		size_t at = span_find_span(text, span_from_str(days[i]), 0);
		if (at == SIZE_MAX ||
		    !date_parse(span_trim(span_skip(text, at)), &unix_seconds))
			continue;
		checkup->server_unix = unix_seconds;
		checkup->local_unix = loop_now_unix();
		checkup->is_at_least = false;
		free(checkup->clock_source);
		checkup->clock_source = xstrdup(source);
	}
}

/* ---- the whole ---- */

static void
walk(struct checkup *checkup)
{
	checkup_configuration(checkup);
	checkup_secret(checkup);
	checkup_imap(checkup);
	checkup_smtp(checkup);
	checkup_notifications(checkup);
	checkup_clock(checkup);
}

void
checkup_run(const struct checkup_config *config, struct doctor_report *report_r)
{
	struct checkup checkup = {
	    .config = config,
	    .account = config->account,
	    .report = report_r,
	    .loop = loop_new(),
	    .secret = SECRET_INIT,
	};

	*report_r = (struct doctor_report){0};
	checkup.timer = loop_timer_new(checkup.loop, on_late, &checkup);
	walk(&checkup);
	loop_timer_free(&checkup.timer);
	loop_free(&checkup.loop);
	secret_wipe(&checkup.secret);
	free(checkup.clock_source);
}

int
checkup_exit_code(const struct doctor_report *report)
{
	static const int codes[DOCTOR_STEPS] = {
	    [DOCTOR_CONFIGURATION] = EX_CONFIG,
	    [DOCTOR_DAEMON] = EX_UNAVAILABLE,
	    [DOCTOR_SECRET] = EX_NOPERM,
	    [DOCTOR_NAME] = EX_NOHOST,
	    [DOCTOR_CONNECTION] = EX_UNAVAILABLE,
	    [DOCTOR_ENCRYPTION] = EX_PROTOCOL,
	    [DOCTOR_GREETING] = EX_PROTOCOL,
	    [DOCTOR_CAPABILITIES] = EX_PROTOCOL,
	    [DOCTOR_LOGIN] = EX_NOPERM,
	    [DOCTOR_SENDER] = EX_NOPERM,
	    [DOCTOR_MAILBOXES] = EX_CONFIG,
	    [DOCTOR_PUSH] = EX_PROTOCOL,
	    [DOCTOR_FOLDERS] = EX_CONFIG,
	    [DOCTOR_SPACE] = EX_UNAVAILABLE,
	    [DOCTOR_NOTIFICATIONS] = EX_UNAVAILABLE,
	    [DOCTOR_CLOCK] = EX_OSERR,
	};
	const struct doctor_finding *first = doctor_first_failure(report);

	return first != NULL ? codes[first->step] : EX_OK;
}
