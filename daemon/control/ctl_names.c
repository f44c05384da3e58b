/*
 * The names that there are, one to a line, for the completions of shells. Who
 * is completing a line wants no errors: what cannot be told is left out.
 */
#include "daemon/control/ctl_names.h"
#include "daemon/base/xalloc.h"
#include "daemon/config/files.h"
#include "daemon/config/presets.h"
#include "daemon/config/reader.h"

/* A person waits. */
#define NAMES_USEC (2 * USEC_SEC)

/* One to a line, and as it is: what a terminal would not show as it is, or a
 * line cannot hold, is no name to complete. */
static void
add_name(struct buf *out, const char *account, const char *name)
{
	STR_AUTO whole =
	    account != NULL ? xasprintf("%s/%s", account, name) : xstrdup(name);
	BUF_AUTO clean = BUF_INIT;

	ctl_add_clean(&clean, whole, CTL_TEXT_MAX);
	if (strcmp(buf_str(&clean), whole) == 0)
		buf_addf(out, "%s\n", whole);
}

/* ---- of the configuration, right or wrong: it is being written ---- */

static void
add_sections(const struct ctl *ctl, struct buf *out, enum section_kind kind)
{
	DOCUMENT_AUTO document = DOCUMENT_INIT;
	struct rule_problems problems = {0};
	struct config_files files = {0};
	STR_AUTO path = config_find_path(ctl->config, NULL);

	if (path != NULL)
		files_read(&files, path, &problems);
	for (size_t i = 0; i < files.count; i++)
		reader_parse(files.items[i]->path,
		    buf_span(&files.items[i]->text), &document, &problems);
	for (size_t i = 0; i < document.count; i++)
		if (strcmp(document.sections[i].kind,
			section_kind_name(kind)) == 0)
			add_name(out, NULL, document.sections[i].name);
	rule_problems_done(&problems);
	files_done(&files);
}

static void
add_accounts(const struct ctl *ctl, struct buf *out)
{
	add_sections(ctl, out, SECTION_ACCOUNT);
}

static void
add_rules(const struct ctl *ctl, struct buf *out)
{
	add_sections(ctl, out, SECTION_RULE);
}

/* ---- of the daemon ---- */

static struct json *
ask(const struct ctl *ctl, const char *command)
{
	struct ctl asking = *ctl;
	struct json *answer = NULL, *request = ctl_request(ctl);

	asking.mute = true;
	if (asking.timeout == 0)
		asking.timeout = NAMES_USEC;
	json_set_str(request, "command", command);
	ctl_ask(&asking, request, &answer);
	return answer;
}

static void
add_listed(const struct ctl *ctl, struct buf *out, bool with_account)
{
	struct json *answer = ask(ctl, "mailboxes");
	const struct json *accounts = json_get(answer, "accounts");

	for (size_t i = 0; i < json_count(accounts); i++) {
		const struct json *account = json_at(accounts, i);
		const struct json *list = json_get(account, "mailboxes");
		const char *owner = json_get_str(account, "account");
		for (size_t k = 0; owner != NULL && k < json_count(list); k++) {
			const char *name =
			    json_get_str(json_at(list, k), "mailbox");
			if (name != NULL)
				add_name(
				    out, with_account ? owner : NULL, name);
		}
	}
	json_free(&answer);
}

static void
add_mailboxes(const struct ctl *ctl, struct buf *out)
{
	add_listed(ctl, out, false);
}

static void
add_places(const struct ctl *ctl, struct buf *out)
{
	add_listed(ctl, out, true);
}

static void
add_forwards(const struct ctl *ctl, struct buf *out)
{
	struct json *answer = ask(ctl, "queue");
	const struct json *items = json_get(answer, "items");

	for (size_t i = 0; i < json_count(items); i++)
		buf_addf(out, "%lld\n",
		    (long long)json_get_int(json_at(items, i), "id", 0));
	json_free(&answer);
}

/* ---- of this program ---- */

static void
add_providers(const struct ctl *ctl, struct buf *out)
{
	(void)ctl;
	for (size_t i = 0; presets_at(i) != NULL; i++)
		add_name(out, NULL, presets_at(i)->id);
}

static const struct {
	const char *kind;
	void (*add)(const struct ctl *ctl, struct buf *out);
} kinds[] = {
    {"accounts", add_accounts},
    {"rules", add_rules},
    {"mailboxes", add_mailboxes},
    {"places", add_places},
    {"forwards", add_forwards},
    {"providers", add_providers},
};

bool
ctl_names_add(const struct ctl *ctl, const char *kind, struct buf *out)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(kinds[i].kind, kind) == 0) {
			kinds[i].add(ctl, out);
			return true;
		}
	}
	return false;
}
