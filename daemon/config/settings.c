/* The one table of all keys: see settings.h. */
#include "daemon/config/settings.h"

#include <assert.h>

#include "daemon/account/claims.h"
#include "daemon/base/str.h"
#include "daemon/base/usec.h"
#include "daemon/base/xalloc.h"
#include "daemon/config/config.h"

/* ---- sections ---- */

static const struct section_row {
	const char *name;
	bool has_name;
	const char *help;
} sections[SECTION_KINDS] = {
    [SECTION_DAEMON] = {"daemon", false,
	"The daemon as a whole. May be left out."},
    [SECTION_ACCOUNT] = {"account", true,
	"One mail account. The name is yours to choose; rules, commands and "
	"the log use it."},
    [SECTION_NOTIFIER] = {"notifier", true,
	"One way to tell you. Without any such section there is one of type "
	"desktop."},
    [SECTION_LIST] = {"list", true,
	"A list of addresses for the operator `in`."},
    [SECTION_RULE] = {"rule", true,
	"One rule. Rules run in the order of the files until one says "
	"`stop = yes`."},
    [SECTION_TEST] = {"test", true,
	"A message and what the rules must do with it. A test that fails "
	"rejects the configuration."},
};

const char *
section_kind_name(enum section_kind kind)
{
	assert(kind < SECTION_KINDS);
	return sections[kind].name;
}

bool
section_kind_has_name(enum section_kind kind)
{
	return sections[kind].has_name;
}

const char *
section_kind_help(enum section_kind kind)
{
	return sections[kind].help;
}

bool
section_kind_parse(
    struct span text, enum section_kind *kind_r, const char **nearest_r)
{
	const char *names[SECTION_KINDS + 1];

	for (int i = 0; i < SECTION_KINDS; i++) {
		names[i] = sections[i].name;
		if (span_is(text, names[i])) {
			*kind_r = (enum section_kind)i;
			return true;
		}
	}
	names[SECTION_KINDS] = NULL;
	*nearest_r = str_nearest(text, names);
	return false;
}

/* ---- choices ---- */

static const struct setting_choice log_levels[] = {
    {"debug", CONFIG_LOG_DEBUG, NULL},
    {"info", CONFIG_LOG_INFO, NULL},
    {"notice", CONFIG_LOG_NOTICE, NULL},
    {"warning", CONFIG_LOG_WARNING, NULL},
    {"error", CONFIG_LOG_ERROR, NULL},
    {NULL, 0, NULL},
};
static const struct setting_choice auth_kinds[] = {
    {"password", CONFIG_AUTH_PASSWORD, NULL},
    {"plain", CONFIG_AUTH_PLAIN, NULL},
    {"scram", CONFIG_AUTH_SCRAM, NULL},
    {"oauth2", CONFIG_AUTH_OAUTH2, NULL},
    {"external", CONFIG_AUTH_EXTERNAL, NULL},
    {NULL, 0, NULL},
};
static const struct setting_choice plaintext_kinds[] = {
    {"no", CONFIG_PLAINTEXT_NO, NULL},
    {"loopback", CONFIG_PLAINTEXT_LOOPBACK, NULL},
    {NULL, 0, NULL},
};
static const struct setting_choice tls_versions[] = {
    {"1.2", 2, NULL},
    {"1.3", 3, NULL},
    {NULL, 0, NULL},
};
static const struct setting_choice notify_kinds[] = {
    {"yes", CONFIG_NOTIFY_YES, NULL},
    {"no", CONFIG_NOTIFY_NO, NULL},
    {"rules-only", CONFIG_NOTIFY_RULES_ONLY, NULL},
    {NULL, 0, NULL},
};
static const struct setting_choice privacies[] = {
    {"none", CONFIG_PRIVACY_NONE, NULL},
    {"count", CONFIG_PRIVACY_COUNT, NULL},
    {NULL, 0, NULL},
};
static const struct setting_choice claim_modes[] = {
    {"auto", CLAIM_AUTO, NULL},
    {"no", CLAIM_NO, NULL},
    {"leader", CLAIM_LEADER, NULL},
    {"standby", CLAIM_STANDBY, NULL},
    {NULL, 0, NULL},
};
static const struct setting_choice notifier_types[] = {
    {"desktop", CONFIG_NOTIFIER_DESKTOP, NULL},
    {"exec", CONFIG_NOTIFIER_EXEC, NULL},
    {"program", CONFIG_NOTIFIER_PROGRAM, NULL},
    {"webhook", CONFIG_NOTIFIER_WEBHOOK, NULL},
    {"journal", CONFIG_NOTIFIER_JOURNAL, NULL},
    {NULL, 0, NULL},
};
static const struct setting_choice notifier_inputs[] = {
    {"header", CONFIG_INPUT_HEADER, NULL},
    {"message", CONFIG_INPUT_MESSAGE, NULL},
    {"text", CONFIG_INPUT_TEXT, NULL},
    {NULL, 0, NULL},
};
static const struct setting_choice webhook_formats[] = {
    {"json", CONFIG_WEBHOOK_JSON, NULL},
    {"ntfy", CONFIG_WEBHOOK_NTFY, NULL},
    {"gotify", CONFIG_WEBHOOK_GOTIFY, NULL},
    {NULL, 0, NULL},
};
static const struct setting_choice urgencies[] = {
    {"low", URGENCY_LOW, NULL},
    {"normal", URGENCY_NORMAL, NULL},
    {"critical", URGENCY_CRITICAL, NULL},
    {NULL, 0, NULL},
};

/* ---- the table ---- */

#define DAEMON(member)                                                         \
	.section = SECTION_DAEMON,                                             \
	.offset = offsetof(struct config_daemon, member)
#define ACCOUNT(member)                                                        \
	.section = SECTION_ACCOUNT,                                            \
	.offset = offsetof(struct config_account, member)
#define ACCOUNT_PART(part, member)                                             \
	.section = SECTION_ACCOUNT,                                            \
	.offset = offsetof(struct config_##part, member),                      \
	.part_size = sizeof(struct config_##part),                             \
	.part_offset = offsetof(struct config_account, part)
#define NOTIFIER(member)                                                       \
	.section = SECTION_NOTIFIER,                                           \
	.offset = offsetof(struct config_notifier, member)
#define TEST(member)                                                           \
	.section = SECTION_TEST, .offset = offsetof(struct config_test, member)
#define RULE .section = SECTION_RULE, .offset = SETTING_NO_OFFSET
#define LIST .section = SECTION_LIST, .offset = SETTING_NO_OFFSET

/* clang-format off */
static const struct setting settings[] = {
#include "daemon/config/settings_table.h"
};
/* clang-format on */

#define SETTING_COUNT (sizeof(settings) / sizeof(settings[0]))

const struct setting *
settings_at(size_t index)
{
	return index < SETTING_COUNT ? &settings[index] : NULL;
}

size_t
settings_count(void)
{
	return SETTING_COUNT;
}

const struct setting *
settings_find(enum section_kind section, struct span key)
{
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (settings[i].section == section &&
		    span_is(key, settings[i].key))
			return &settings[i];
	return NULL;
}

const char *
settings_nearest(enum section_kind section, struct span key)
{
	const char *keys[SETTING_COUNT + 1];
	size_t count = 0;

	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (settings[i].section == section)
			keys[count++] = settings[i].key;
	keys[count] = NULL;
	return str_nearest(key, keys);
}

/* ---- words about choices and types ---- */

#define CHOICES_MAX 16

static const struct setting_choice bool_choices[] = {
    {"yes", 1, NULL},
    {"no", 0, NULL},
    {NULL, 0, NULL},
};

static const struct setting_choice *
choices_of(const struct setting *setting)
{
	return setting->type == SETTING_BOOL ? bool_choices : setting->choices;
}

const char *
setting_choice_nearest(const struct setting *setting, struct span word)
{
	const struct setting_choice *choices = choices_of(setting);
	const char *words[CHOICES_MAX + 1];
	size_t count = 0;

	for (; choices[count].word != NULL; count++) {
		assert(count < CHOICES_MAX);
		words[count] = choices[count].word;
	}
	words[count] = NULL;
	return str_nearest(word, words);
}

void
setting_choice_list(const struct setting *setting, struct buf *buf)
{
	const struct setting_choice *choice = choices_of(setting);

	for (bool is_first = true; choice->word != NULL; choice++) {
		bool is_last = choice[1].word == NULL;
		if (!is_first)
			buf_add_str(buf, is_last ? " or " : ", ");
		buf_add_str(buf, choice->word);
		is_first = false;
	}
}

static const char *const type_names[SETTING_TYPES] = {
    [SETTING_TEXT] = "text",
    [SETTING_BOOL] = "",
    [SETTING_NUMBER] = "number",
    [SETTING_DURATION] = "duration",
    [SETTING_CHOICE] = "",
    [SETTING_ADDRESS] = "address",
    [SETTING_ADDRESSES] = "addresses",
    [SETTING_WORDS] = "words",
    [SETTING_HOSTS] = "host names",
    [SETTING_PINS] = "keys",
    [SETTING_MAILBOXES] = "mailboxes",
    [SETTING_HEADER] = "Name: value",
    [SETTING_LINE] = "text",
    [SETTING_ATTACHMENT] = "name type size",
    [SETTING_TIME] = "2026-11-21 10:30, or 2h for ago",
    [SETTING_IMAP_URL] = "imaps://HOST or imap://HOST",
    [SETTING_SMTP_URL] = "submission://HOST or smtps://HOST",
    [SETTING_HTTP_URL] = "https://...",
    [SETTING_HTTPS_URL] = "https://...",
    [SETTING_PATH] = "path",
    [SETTING_ARGV] = "command",
    [SETTING_RATES] = "N/hour, N/day",
    [SETTING_HOURS] = "days and hours",
    [SETTING_ESCALATION] = "NOTIFIER after TIME [unless read]",
    [SETTING_NAME] = "name",
    [SETTING_SECRET] = "secret",
    [SETTING_CONDITION] = "condition",
    [SETTING_RULE_TEXT] = "text",
};

static void
add_duration(struct buf *buf, uint64_t usec)
{
	static const struct {
		usec_t unit;
		char letter;
	} units[] = {{7 * USEC_DAY, 'w'}, {USEC_DAY, 'd'}, {USEC_HOUR, 'h'},
	    {USEC_MINUTE, 'm'}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (usec < units[i].unit || usec % units[i].unit != 0)
			continue;
		buf_addf(buf, "%llu%c",
		    (unsigned long long)(usec / units[i].unit),
		    units[i].letter);
		return;
	}
	buf_addf(buf, "%llus", (unsigned long long)(usec / USEC_SEC));
}

void
setting_describe_type(const struct setting *setting, struct buf *buf)
{
	buf_add_str(buf,
	    setting->form != NULL ? setting->form : type_names[setting->type]);
	switch (setting->type) {
	case SETTING_BOOL:
	case SETTING_CHOICE:
		setting_choice_list(setting, buf);
		break;
	case SETTING_NUMBER:
		buf_addf(buf, ", %llu to %llu",
		    (unsigned long long)setting->min,
		    (unsigned long long)setting->max);
		break;
	case SETTING_DURATION:
		buf_add_str(buf, ", ");
		add_duration(buf, setting->min);
		buf_add_str(buf, " to ");
		add_duration(buf, setting->max);
		break;
	default:
		break;
	}
}

/* ---- listings ---- */

static void
print_setting(struct buf *buf, const struct setting *setting)
{
	buf_addf(buf, "  %s = ", setting->key);
	setting_describe_type(setting, buf);
	if (setting->standard != NULL)
		buf_addf(buf, "; default: %s", setting->standard);
	if ((setting->flags & SETTING_REPEATABLE) != 0)
		buf_add_str(buf, "; may be repeated");
	buf_addf(buf, "\n      %s\n", setting->help);
}

void
settings_print(struct buf *buf)
{
	for (int kind = 0; kind < SECTION_KINDS; kind++) {
		buf_addf(buf, "%s[%s%s]\n", kind > 0 ? "\n" : "",
		    sections[kind].name,
		    sections[kind].has_name ? " NAME" : "");
		for (size_t i = 0; i < SETTING_COUNT; i++)
			if (settings[i].section == (enum section_kind)kind)
				print_setting(buf, &settings[i]);
	}
}

#define ROFF_LINE 50 /* input lines are broken at the blank behind it */

/* What roff would not print as it is. */
static const char *
roff_escape(char c)
{
	switch (c) {
	case '\\':
		return "\\e";
	case '"':
		return "\\(dq";
	case '~':
		return "\\(ti";
	case '\'':
		return "\\(aq";
	default:
		return NULL;
	}
}

/* `code` becomes “code”; *is_open remembers the mark across calls. */
static void
add_roff_part(struct buf *buf, const char *text, bool *is_open)
{
	for (; *text != '\0'; text++) {
		const char *escape = roff_escape(*text);
		if (*text == '`') {
			escape = *is_open ? "\\(rq" : "\\(lq";
			*is_open = !*is_open;
		}
		if (escape != NULL)
			buf_add_str(buf, escape);
		else
			buf_add_char(buf, *text);
	}
}

static void
add_roff(struct buf *buf, const char *text)
{
	bool is_open = false;

	add_roff_part(buf, text, &is_open);
}

/* In lines: a sentence begins on a new one, as mdoc wants it, and none is
 * very long. A line that begins with a dot would be a request. */
static void
add_roff_sentences(struct buf *buf, const char *text)
{
	BUF_AUTO line = BUF_INIT;
	bool is_open = false;

	for (const char *at = text; *at != '\0'; at++) {
		bool is_end = at > text && at[-1] == '.';
		if (*at == ' ' && (is_end || line.len > ROFF_LINE)) {
			buf_add_char(&line, '\n');
			add_roff_part(buf, buf_str(&line), &is_open);
			buf_truncate(&line, 0);
			if (at[1] == '.')
				buf_add_str(buf, "\\&");
		} else {
			buf_add_char(&line, *at);
		}
	}
	buf_add_char(&line, '\n');
	add_roff_part(buf, buf_str(&line), &is_open);
}

static void
print_setting_roff(struct buf *buf, const struct setting *setting)
{
	BUF_AUTO type = BUF_INIT;

	setting_describe_type(setting, &type);
	buf_addf(buf, ".It Ic %s No = Ar ", setting->key);
	buf_add_str(buf, "\"");
	add_roff(buf, buf_str(&type));
	buf_add_str(buf, "\"\n");
	add_roff_sentences(buf, setting->help);
	if (setting->more != NULL)
		add_roff_sentences(buf, setting->more);
	if ((setting->flags & SETTING_REPEATABLE) != 0)
		buf_add_str(buf, "May be repeated.\n");
	if (setting->standard != NULL) {
		buf_add_str(buf, "The default is\n.Ql ");
		add_roff(buf, setting->standard);
		buf_add_str(buf, " .\n");
	}
}

void
settings_print_roff(struct buf *buf, enum section_kind section)
{
	buf_add_str(buf, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (settings[i].section == section)
			print_setting_roff(buf, &settings[i]);
	buf_add_str(buf, ".El\n");
}
