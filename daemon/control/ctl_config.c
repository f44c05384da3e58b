/* The configuration, for the commands that read it themselves. */
#include <stdio.h>

#include "daemon/base/xalloc.h"
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

int
ctl_config_need(
    const struct ctl *ctl, const char *path, struct ctl_config *loaded_r)
{
	BUF_AUTO text = BUF_INIT;
	int code = ctl_config_load(ctl, path, loaded_r);

	if (code != EX_OK || loaded_r->config != NULL)
		return code;
	if (ctl->json) {
		code = refuse_json(loaded_r);
	} else {
		config_print_problems(&loaded_r->report, &text);
		fputs(buf_str(&text), stderr);
		code = EX_CONFIG;
	}
	ctl_config_done(loaded_r);
	return code;
}
