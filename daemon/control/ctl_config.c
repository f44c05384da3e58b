/* The configuration, for the commands that read it themselves. */
#include <stdio.h>

#include "daemon/base/xalloc.h"
#include "daemon/config/files.h"
#include "daemon/config/reader.h"
#include "daemon/control/ctl.h"

int
ctl_config_load(
    const struct ctl *ctl, const char *path, struct ctl_config *loaded_r)
{
	struct error error = ERROR_INIT;

	*loaded_r = (struct ctl_config){0};
	loaded_r->path =
	    config_find_path(path != NULL ? path : ctl->config, &error);
	if (loaded_r->path == NULL)
		return ctl_fail(ctl, EX_CONFIG, NULL, "%s", error.text);
	loaded_r->config = config_load(loaded_r->path, &loaded_r->report);
	return EX_OK;
}

void
ctl_config_try(struct ctl_config *loaded_r)
{
	*loaded_r = (struct ctl_config){0};
	loaded_r->path = config_find_path(NULL, NULL);
	if (loaded_r->path != NULL)
		loaded_r->config =
		    config_load(loaded_r->path, &loaded_r->report);
}

/* The report borrows from the configuration. */
void
ctl_config_done(struct ctl_config *loaded)
{
	config_report_done(&loaded->report);
	config_free(&loaded->config);
	free(loaded->path);
	*loaded = (struct ctl_config){0};
}

struct json *
ctl_config_problems(const struct config_report *report)
{
	struct json *list = json_new_array();

	for (size_t i = 0; i < report->problems.count; i++) {
		const struct rule_problem *problem = &report->problems.items[i];
		struct json *json = json_new_object();
		json_set_str(json, "severity",
		    problem->is_warning ? "warning" : "error");
		json_set_str(json, "file", problem->place.file);
		json_set_int(json, "line", problem->place.line);
		json_set_int(json, "column", problem->place.column);
		json_set_str(json, "text", problem->text);
		json_set_str(json, "hint", problem->hint);
		json_add(list, json);
	}
	return list;
}

size_t
ctl_config_count(const struct config_report *report, bool warnings)
{
	size_t count = 0;

	for (size_t i = 0; i < report->problems.count; i++)
		if (report->problems.items[i].is_warning == warnings)
			count++;
	return count;
}

static int
refuse_json(const struct ctl_config *loaded)
{
	struct json *document = json_new_object();

	json_set_bool(document, "ok", false);
	json_set_str(document, "error", "the configuration has errors");
	json_set_str(document, "hint", "belfryctl check shows them");
	json_set(document, "problems", ctl_config_problems(&loaded->report));
	return ctl_finish_json(document, EX_CONFIG);
}

/* A configuration with errors is shown and given back. */
static int
refuse(const struct ctl *ctl, struct ctl_config *loaded)
{
	BUF_AUTO text = BUF_INIT;
	int code = EX_CONFIG;

	if (ctl->json) {
		code = refuse_json(loaded);
	} else {
		config_print_problems(&loaded->report, &text);
		fputs(buf_str(&text), stderr);
	}
	ctl_config_done(loaded);
	return code;
}

int
ctl_config_need(
    const struct ctl *ctl, const char *path, struct ctl_config *loaded_r)
{
	int code = ctl_config_load(ctl, path, loaded_r);

	if (code != EX_OK || loaded_r->config != NULL)
		return code;
	return refuse(ctl, loaded_r);
}

/* ---- a file of rules ---- */

static bool
has_account(const char *path, struct span text)
{
	DOCUMENT_AUTO document = DOCUMENT_INIT;
	struct rule_problems problems = {0};
	bool found = false;

	reader_parse(path, text, &document, &problems);
	for (size_t i = 0; i < document.count; i++)
		found = found || strcmp(document.sections[i].kind,
				     section_kind_name(SECTION_ACCOUNT)) == 0;
	rule_problems_done(&problems);
	return found;
}

/* Behind the file's own lines, so that their numbers stay: what the rules may
 * name, with nothing in it that could be reached. */
static void
add_stand_ins(struct buf *text, const struct config *usual)
{
	static const char account[] = "email = nobody@belfry.invalid\n"
				      "imap = imaps://imap.belfry.invalid\n"
				      "smtp = smtps://smtp.belfry.invalid\n"
				      "password_command = false\n";

	if (usual == NULL || usual->account_count == 0)
		buf_addf(text, "\n[account test]\n%s", account);
	for (size_t i = 0; usual != NULL && i < usual->account_count; i++)
		buf_addf(text, "\n[account %s]\n%s", usual->accounts[i].name,
		    account);
	for (size_t i = 0; usual != NULL && i < usual->notifier_count; i++)
		buf_addf(text, "\n[notifier %s]\ntype = journal\n",
		    usual->notifiers[i].name);
}

int
ctl_rules_file_load(const struct ctl *ctl, const char *path,
    const struct config *usual, struct ctl_config *loaded_r)
{
	struct error error = ERROR_INIT;
	BUF_AUTO text = BUF_INIT;

	*loaded_r = (struct ctl_config){0};
	if (!files_read_text(path, &text, &error))
		return ctl_fail(ctl, EX_NOINPUT, NULL, "%s", error.text);
	loaded_r->path = xstrdup(path);
	if (has_account(path, buf_span(&text))) {
		loaded_r->config = config_load(path, &loaded_r->report);
	} else {
		add_stand_ins(&text, usual);
		loaded_r->config =
		    config_parse(path, buf_span(&text), &loaded_r->report);
	}
	if (loaded_r->config == NULL)
		return refuse(ctl, loaded_r);
	if (!config_read_lists(loaded_r->config, &error))
		return ctl_fail(ctl, EX_CONFIG, NULL, "%s", error.text);
	return EX_OK;
}
