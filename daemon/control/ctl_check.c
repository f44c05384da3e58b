/* check: is the configuration right? */
#include <stdio.h>

#include "daemon/base/xalloc.h"
#include "daemon/config/echo.h"
#include "daemon/config/paths.h"
#include "daemon/config/problem.h"
#include "daemon/config/settings.h"
#include "daemon/control/ctl.h"
#include "daemon/wiring/token_file.h"

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* ---- --settings ---- */

static struct json *
setting_json(const struct setting *setting)
{
	struct json *json = json_new_object();
	BUF_AUTO type = BUF_INIT;

	setting_describe_type(setting, &type);
	json_set_str(json, "section", section_kind_name(setting->section));
	json_set_str(json, "key", setting->key);
	json_set_str(json, "type", buf_str(&type));
	json_set_str(json, "default", setting->standard);
	json_set_bool(
	    json, "repeatable", (setting->flags & SETTING_REPEATABLE) != 0);
	json_set_bool(json, "supported", true); /* all are, by now */
	json_set_str(json, "help", setting->help);
	return json;
}

static int
list_settings(const struct ctl *ctl)
{
	BUF_AUTO out = BUF_INIT;

	if (!ctl->json) {
		settings_print(&out);
		return ctl_finish(&out, EX_OK);
	}
	struct json *document = json_new_object();
	struct json *list = json_new_array();
	for (size_t i = 0; settings_at(i) != NULL; i++)
		json_add(list, setting_json(settings_at(i)));
	json_set_bool(document, "ok", true);
	json_set(document, "settings", list);
	return ctl_finish_json(document, EX_OK);
}

/* ---- the verdict ---- */

static int
report_json(const struct ctl_config *loaded, bool ok)
{
	struct json *document = json_new_object();
	const struct config *config = loaded->config;

	json_set_bool(document, "ok", ok);
	json_set_str(document, "file", loaded->path);
	if (config != NULL) {
		json_set_int(
		    document, "accounts", (int64_t)config->account_count);
		json_set_int(
		    document, "rules", (int64_t)rules_count(config->rules));
		json_set_int(document, "tests", (int64_t)config->test_count);
	}
	json_set_int(document, "errors",
	    (int64_t)ctl_config_count(&loaded->report, false));
	json_set_int(document, "warnings",
	    (int64_t)ctl_config_count(&loaded->report, true));
	json_set(document, "problems", ctl_config_problems(&loaded->report));
	return ctl_finish_json(document, ok ? EX_OK : EX_CONFIG);
}

/* "belfry.conf: 2 accounts, 6 rules, 1 test: all well" */
static void
add_verdict(const struct ctl *ctl, struct buf *out,
    const struct ctl_config *loaded, bool ok)
{
	size_t errors = ctl_config_count(&loaded->report, false);
	size_t warnings = ctl_config_count(&loaded->report, true);
	BUF_AUTO words = BUF_INIT;

	if (loaded->config != NULL) {
		ctl_add_count(out, loaded->config->account_count, "account");
		buf_add_str(out, ", ");
		ctl_add_count(out, rules_count(loaded->config->rules), "rule");
		buf_add_str(out, ", ");
		ctl_add_count(out, loaded->config->test_count, "test");
		buf_add_str(out, ": ");
	}
	if (!ok)
		ctl_add_count(&words, errors, "error");
	else if (warnings == 0)
		buf_add_str(&words, "all well");
	else
		buf_add_str(&words, "no errors");
	if (warnings > 0) {
		buf_add_str(&words, ", ");
		ctl_add_count(&words, warnings, "warning");
	}
	ctl_add_colored(ctl, out, ok ? CTL_GOOD : CTL_BAD, buf_str(&words));
	buf_add_char(out, '\n');
}

static int
report_text(const struct ctl *ctl, const struct ctl_config *loaded, bool ok)
{
	BUF_AUTO out = BUF_INIT;

	config_print_problems(&loaded->report, &out);
	ctl_add_clean(&out, base_name(loaded->path), CTL_CELL_MAX);
	buf_add_str(&out, ": ");
	add_verdict(ctl, &out, loaded, ok);
	return ctl_finish(&out, ok ? EX_OK : EX_CONFIG);
}

/* An account that signs in, and nobody has. */
static void
look_for_sign_ins(struct ctl_config *loaded)
{
	const struct config *config = loaded->config;
	STR_AUTO state = config_state_directory(config);

	for (size_t i = 0; i < config->account_count; i++) {
		const struct config_account *account = &config->accounts[i];
		struct oauth2_token token = OAUTH2_TOKEN_INIT;
		struct error error = ERROR_INIT;
		STR_AUTO path = token_file_path(state, account->name);
		STR_AUTO hint =
		    xasprintf("run `belfryctl login %s`", account->name);
		if (account->secret.kind == SECRET_SIGN_IN &&
		    !token_file_read(path, account, &token, &error))
			problem_add(&loaded->report.problems, true,
			    account->place, hint, "account %s: %s",
			    account->name, error.text);
		oauth2_token_done(&token);
	}
	echo_problems(&config->files, &loaded->report);
}

int
ctl_check(struct ctl *ctl)
{
	CTL_CONFIG_AUTO loaded = {0};

	if (ctl_has(ctl, "settings"))
		return list_settings(ctl);
	int code = ctl_config_load(ctl, ctl->arguments[0], &loaded);
	if (code != EX_OK)
		return code;
	if (loaded.config != NULL)
		config_run_tests(loaded.config, ctl_now_unix(), &loaded.report);
	if (loaded.config != NULL)
		look_for_sign_ins(&loaded);
	bool ok =
	    loaded.config != NULL && !config_report_has_errors(&loaded.report);
	return ctl->json ? report_json(&loaded, ok)
			 : report_text(ctl, &loaded, ok);
}
