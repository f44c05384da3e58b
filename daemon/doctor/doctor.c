#include "daemon/doctor/doctor.h"

#include <assert.h>
#include <stdio.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/doctor/doctor_private.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- names ---- */

const char *
doctor_place_name(enum doctor_place place)
{
	static const char *const names[] = {
	    [DOCTOR_HERE] = "here",
	    [DOCTOR_IMAP] = "imap",
	    [DOCTOR_SMTP] = "smtp",
	};
	_Static_assert(COUNT(names) == DOCTOR_PLACES, "one name each");

	return names[place];
}

const char *
doctor_step_name(enum doctor_step step)
{
	static const char *const names[] = {
	    [DOCTOR_CONFIGURATION] = "configuration",
	    [DOCTOR_DAEMON] = "daemon",
	    [DOCTOR_SECRET] = "secret",
	    [DOCTOR_NAME] = "name",
	    [DOCTOR_CONNECTION] = "connection",
	    [DOCTOR_ENCRYPTION] = "encryption",
	    [DOCTOR_GREETING] = "greeting",
	    [DOCTOR_CAPABILITIES] = "capabilities",
	    [DOCTOR_LOGIN] = "login",
	    [DOCTOR_SENDER] = "sender",
	    [DOCTOR_MAILBOXES] = "mailbox",
	    [DOCTOR_PUSH] = "push",
	    [DOCTOR_FOLDERS] = "folders",
	    [DOCTOR_SPACE] = "space",
	    [DOCTOR_NOTIFICATIONS] = "notifications",
	    [DOCTOR_CLOCK] = "clock",
	};
	_Static_assert(COUNT(names) == DOCTOR_STEPS, "one name each");

	return names[step];
}

const char *
doctor_result_name(enum doctor_result result)
{
	static const char *const names[] = {
	    [DOCTOR_GOOD] = "ok",
	    [DOCTOR_WARNING] = "warning",
	    [DOCTOR_FAILED] = "failed",
	    [DOCTOR_SKIPPED] = "skipped",
	};
	_Static_assert(COUNT(names) == DOCTOR_RESULTS, "one name each");

	return names[result];
}

/* ---- the report ---- */

static void
forget_advice(struct doctor_finding *finding)
{
	free(finding->why);
	free(finding->next);
	free(finding->line);
	finding->why = finding->next = finding->line = NULL;
	finding->cause = NULL;
}

static void
finding_done(struct doctor_finding *finding)
{
	forget_advice(finding);
	free(finding->tried);
	free(finding->got);
}

void
doctor_report_done(struct doctor_report *report)
{
	for (size_t i = 0; i < report->count; i++)
		finding_done(&report->findings[i]);
	free(report->findings);
	*report = (struct doctor_report){0};
}

/* When the report is full, the last place is used again. */
static struct doctor_finding *
new_finding(struct doctor_report *report)
{
	if (report->count == DOCTOR_FINDINGS_MAX) {
		finding_done(&report->findings[--report->count]);
	} else {
		report->findings = xreallocarray(report->findings,
		    report->count + 1, sizeof(*report->findings));
	}
	return &report->findings[report->count++];
}

struct doctor_finding *
doctor_add(struct doctor_report *report, enum doctor_place place,
    enum doctor_step step, enum doctor_result result, const char *tried,
    const char *format, ...)
{
	struct doctor_finding *finding = new_finding(report);
	BUF_AUTO got = BUF_INIT;
	va_list args;

	*finding = (struct doctor_finding){
	    .place = place, .step = step, .result = result};
	if (tried != NULL)
		finding->tried = xstrdup(tried);
	if (format == NULL)
		return finding;
	va_start(args, format);
	buf_vaddf(&got, format, args);
	va_end(args);
	finding->got = xstrdup(buf_str(&got));
	return finding;
}

size_t
doctor_count(const struct doctor_report *report, enum doctor_result result)
{
	size_t count = 0;

	for (size_t i = 0; i < report->count; i++)
		count += report->findings[i].result == result;
	return count;
}

const struct doctor_finding *
doctor_first_failure(const struct doctor_report *report)
{
	for (size_t i = 0; i < report->count; i++)
		if (report->findings[i].result == DOCTOR_FAILED)
			return &report->findings[i];
	return NULL;
}

/* ---- causes ---- */

static bool
has_words(const char *words, const char *text)
{
	struct span rest = span_from_str(words), word;

	while (span_split(&rest, '|', &word))
		if (span_contains_nocase(span_from_str(text), word))
			return true;
	return false;
}

static bool
row_fits(const struct doctor_row *row, const struct doctor_facts *facts)
{
	return (row->steps == ANY_STEP || row->steps & STEP(facts->step)) &&
	       (row->places == ANY_PLACE ||
		   row->places & PLACE(facts->place)) &&
	       (row->words == NULL || has_words(row->words, facts->text) ||
		   has_words(row->words, facts->said)) &&
	       (row->fits == NULL || row->fits(facts));
}

static const struct doctor_row last_row = {
    .cause = "other",
    .why = "{${text}.}",
    .next = "Try again in a few minutes. If it stays so, ask who runs "
	    "${host}.",
};

static const struct doctor_row *
find_row(const struct doctor_facts *facts)
{
	static const struct doctor_row *const tables[] = {
	    doctor_connect_rows, doctor_login_rows, doctor_mail_rows};

	for (size_t i = 0; i < COUNT(tables); i++)
		for (const struct doctor_row *row = tables[i];
		     row->cause != NULL; row++)
			if (row_fits(row, facts))
				return row;
	return &last_row;
}

void
doctor_judge(const struct doctor_facts *facts, struct doctor_finding *finding)
{
	const struct doctor_row *row = find_row(facts);

	forget_advice(finding);
	finding->cause = row->cause;
	finding->why = doctor_fill(row->why, facts);
	finding->next = doctor_fill(row->next, facts);
	finding->line = doctor_fill(row->line, facts);
	finding->result = row->is_warning ? DOCTOR_WARNING : DOCTOR_FAILED;
}
