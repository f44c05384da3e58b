/* providers [NAME|DOMAIN]: what is known of mail providers. */
#include "daemon/base/xalloc.h"
#include "daemon/config/preset_words.h"
#include "daemon/control/ctl_table.h"

static const struct {
	unsigned auth;
	const char *name;
} auth_names[] = {
    {PRESET_PASSWORD, "password"},
    {PRESET_APP_PASSWORD, "app-password"},
    {PRESET_OAUTH2, "oauth2"},
};

static const struct {
	enum preset_from from;
	const char *name, *words;
} from_names[] = {
    {PRESET_FROM_UNKNOWN, "unknown", NULL},
    {PRESET_FROM_REFUSED, "refused", "no other than your own in From"},
    {PRESET_FROM_REWRITTEN, "rewritten",
	"what is not your own in From is replaced"},
    {PRESET_FROM_ALLOWED, "allowed", "any in From"},
};

static const struct {
	uint32_t quirk;
	const char *name;
} quirk_names[] = {
    {QUIRK_NO_IDLE, "no-idle"},
    {QUIRK_IDLE_SILENT, "idle-silent"},
    {QUIRK_FEW_CONNECTIONS, "few-connections"},
    {QUIRK_LIMIT_AS_AUTH, "limit-as-wrong-password"},
    {QUIRK_AUTHED_NOT_CONNECTED, "login-then-not-connected"},
    {QUIRK_LABELS, "labels"},
    {QUIRK_NO_KEYWORDS, "no-keywords"},
    {QUIRK_BAD_MODSEQ, "no-condstore"},
    {QUIRK_NO_UIDNEXT, "no-uidnext"},
    {QUIRK_ID_FIRST, "id-first"},
    {QUIRK_NO_ID_NIL, "no-empty-id"},
    {QUIRK_UIDNEXT_REWINDS, "uidnext-rewinds"},
    {QUIRK_UIDS_CHANGE, "uids-change"},
    {QUIRK_STRICT_CONTENT, "strict-content"},
    {QUIRK_IMAP_IS_OFF, "imap-off-at-first"},
    {QUIRK_SHORT_PIPELINE, "short-pipeline"},
    {QUIRK_FETCH_BEYOND_HANGS, "fetch-beyond-hangs"},
    {QUIRK_THROTTLES, "throttles"},
    {QUIRK_SELF_SIGNED, "self-signed"},
    {QUIRK_FILES_SENT, "files-sent"},
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct {
	const char *name, *words;
	size_t offset;
} numbers[] = {
    {"connections", "connections at once",
	offsetof(struct preset, connections)},
    {"day_messages", "messages sent a day",
	offsetof(struct preset, day_messages)},
    {"day_recipients", "recipients a day",
	offsetof(struct preset, day_recipients)},
    {"message_recipients", "recipients of a message",
	offsetof(struct preset, message_recipients)},
    {"message_max", "bytes of a message sent",
	offsetof(struct preset, message_max)},
    {"smtp_size", "bytes that the server takes",
	offsetof(struct preset, smtp_size)},
    {"max_folders", "folders", offsetof(struct preset, max_folders)},
};

static const struct {
	const char *name, *words;
	size_t offset;
} texts[] = {
    {"enable", "first", offsetof(struct preset, enable)},
    {"note", "note", offsetof(struct preset, note)},
    {"help", "help", offsetof(struct preset, help)},
    {"settings_help", "settings", offsetof(struct preset, settings_help)},
    {"status_page", "status", offsetof(struct preset, status_page)},
};

static const struct {
	const char *name;
	size_t offset;
} folders[] = {
    {"sent", offsetof(struct preset_folders, sent)},
    {"trash", offsetof(struct preset_folders, trash)},
    {"junk", offsetof(struct preset_folders, junk)},
    {"archive", offsetof(struct preset_folders, archive)},
    {"drafts", offsetof(struct preset_folders, drafts)},
};

static unsigned
number_at(const struct preset *preset, size_t i)
{
	return *(const unsigned *)(const void *)((const char *)preset +
						 numbers[i].offset);
}

static const char *
string_at(const void *row, size_t offset)
{
	return *(const char *const *)(const void *)((const char *)row + offset);
}

/* ---- JSON ---- */

static void
set_server(
    struct json *json, const char *name, const struct preset_server *server)
{
	struct json *object;

	if (server->host == NULL)
		return;
	object = json_new_object();
	json_set_str(object, "host", server->host);
	json_set_int(object, "port", server->port);
	json_set_str(
	    object, "tls", server->tls == SERVER_TLS ? "tls" : "starttls");
	json_set(json, name, object);
}

static struct json *
words_of(const char *text, char separator)
{
	struct json *list = json_new_array();
	struct span rest = span_from_str(text), word;

	while (span_split(&rest, separator, &word)) {
		STR_AUTO copy = xstrdup_span(word);
		if (word.len > 0)
			json_add_str(list, copy);
	}
	return list;
}

static struct json *
auth_of(const struct preset *preset)
{
	struct json *list = json_new_array();

	for (size_t i = 0; i < COUNT(auth_names); i++)
		if ((preset->auth & auth_names[i].auth) != 0)
			json_add_str(list, auth_names[i].name);
	return list;
}

static struct json *
quirks_of(const struct preset *preset)
{
	struct json *list = json_new_array();

	for (size_t i = 0; i < COUNT(quirk_names); i++)
		if ((preset->quirks & quirk_names[i].quirk) != 0)
			json_add_str(list, quirk_names[i].name);
	return list;
}

static struct json *
folders_of(const struct preset *preset)
{
	struct json *object = json_new_object();

	for (size_t i = 0; i < COUNT(folders); i++) {
		const char *names =
		    string_at(&preset->folders, folders[i].offset);
		if (names != NULL)
			json_set(object, folders[i].name, words_of(names, '|'));
	}
	return object;
}

static void
set_access(struct json *json, const struct preset *preset)
{
	set_server(json, "imap", &preset->imap);
	set_server(json, "imap_alt", &preset->imap_alt);
	set_server(json, "smtp", &preset->smtp);
	set_server(json, "smtp_alt", &preset->smtp_alt);
	json_set_str(json, "user",
	    preset->user == PRESET_USER_LOCAL ? "local" : "address");
	json_set_str(json, "smtp_user",
	    preset->smtp_user == PRESET_USER_LOCAL ? "local" : "address");
	json_set_bool(json, "retry_other_user", preset->retry_other_user);
	json_set(json, "auth", auth_of(preset));
	json_set_str(json, "oauth", preset->oauth);
	json_set_str(json, "from", from_names[preset->from].name);
}

static struct json *
preset_json(const struct preset *preset)
{
	struct json *json = json_new_object();

	json_set_str(json, "id", preset->id);
	json_set_str(json, "name", preset->name);
	json_set(json, "domains", words_of(preset->domains, ' '));
	json_set(json, "mx", words_of(preset->mx, ' '));
	json_set_str(json, "refusal", preset->refusal);
	if (preset->refusal != NULL)
		return json;
	set_access(json, preset);
	json_set_int(json, "idle_renew_s", preset->idle_renew_s);
	json_set_int(json, "poll_s", preset->poll_s);
	for (size_t i = 0; i < COUNT(numbers); i++)
		json_set_int(json, numbers[i].name, number_at(preset, i));
	json_set(json, "folders", folders_of(preset));
	json_set(json, "quirks", quirks_of(preset));
	for (size_t i = 0; i < COUNT(texts); i++)
		json_set_str(
		    json, texts[i].name, string_at(preset, texts[i].offset));
	return json;
}

/* ---- for people ---- */

static void
add_row(struct buf *out, const char *name, const char *text)
{
	if (text != NULL && *text != '\0')
		buf_addf(out, "  %-10s %s\n", name, text);
}

static void
add_server_row(struct buf *out, const char *name,
    const struct preset_server *server, const struct preset_server *other)
{
	BUF_AUTO text = BUF_INIT;

	preset_add_server(&text, server);
	if (other->host != NULL) {
		buf_add_str(&text, ", or ");
		preset_add_server(&text, other);
	}
	add_row(out, name, buf_str(&text));
}

static void
add_user_row(struct buf *out, const struct preset *preset)
{
	const char *words = preset->user == PRESET_USER_LOCAL
				? "what stands before the @ of the address"
				: "the whole address";
	STR_AUTO text = xasprintf("%s%s", words,
	    preset->retry_other_user ? "; where that is refused, the other form"
				     : "");

	add_row(out, "user", text);
}

static void
add_folder_row(struct buf *out, const struct preset *preset)
{
	BUF_AUTO text = BUF_INIT;

	for (size_t i = 0; i < COUNT(folders); i++) {
		struct span rest = span_from_str(
				string_at(&preset->folders, folders[i].offset)),
			    name;
		while (span_split(&rest, '|', &name))
			buf_addf(&text, "%s%.*s", text.len > 0 ? ", " : "",
			    SPAN_FMT(name));
	}
	add_row(out, "folders", buf_str(&text));
}

static void
add_limit_row(struct buf *out, const struct preset *preset)
{
	BUF_AUTO text = BUF_INIT;

	for (size_t i = 0; i < COUNT(numbers); i++)
		if (number_at(preset, i) > 0)
			buf_addf(&text, "%s%u %s", text.len > 0 ? ", " : "",
			    number_at(preset, i), numbers[i].words);
	add_row(out, "limits", buf_str(&text));
}

static void
add_quirk_row(struct buf *out, const struct preset *preset)
{
	BUF_AUTO text = BUF_INIT;

	for (size_t i = 0; i < COUNT(quirk_names); i++)
		if ((preset->quirks & quirk_names[i].quirk) != 0)
			buf_addf(&text, "%s%s", text.len > 0 ? ", " : "",
			    quirk_names[i].name);
	add_row(out, "known for", buf_str(&text));
}

static void
add_news_row(struct buf *out, const struct preset *preset)
{
	BUF_AUTO text = BUF_INIT;

	if ((preset->quirks & QUIRK_NO_IDLE) != 0 && preset->poll_s > 0)
		buf_addf(&text, "asked for every %u s: it has no push",
		    preset->poll_s);
	else if (preset->idle_renew_s > 0)
		buf_addf(
		    &text, "pushed; renewed every %u s", preset->idle_renew_s);
	add_row(out, "news", buf_str(&text));
}

static void
add_preset(const struct ctl *ctl, struct buf *out, const struct preset *preset)
{
	BUF_AUTO words = BUF_INIT;

	ctl_add_colored(ctl, out, CTL_BOLD, preset->id);
	buf_addf(out, ": %s\n", preset->name);
	add_row(out, "domains", preset->domains);
	add_row(out, "MX", preset->mx);
	if (preset->refusal != NULL) {
		add_row(out, "unusable", preset->refusal);
		return;
	}
	add_server_row(out, "IMAP", &preset->imap, &preset->imap_alt);
	add_server_row(out, "SMTP", &preset->smtp, &preset->smtp_alt);
	add_user_row(out, preset);
	preset_add_password_words(&words, preset);
	add_row(out, "password", buf_str(&words));
	add_row(out, "sending", from_names[preset->from].words);
	add_news_row(out, preset);
	add_folder_row(out, preset);
	add_limit_row(out, preset);
	add_quirk_row(out, preset);
	for (size_t i = 0; i < COUNT(texts); i++)
		if (strcmp(texts[i].name, "help") != 0)
			add_row(out, texts[i].words,
			    string_at(preset, texts[i].offset));
}

static void
add_list(struct buf *out)
{
	static const char *const heads[] = {"PROVIDER", "NAME", "IMAP"};
	struct ctl_table table;

	ctl_table_init(&table, COUNT(heads));
	table.has_heads = true;
	for (size_t i = 0; i < COUNT(heads); i++)
		ctl_table_add(&table, heads[i]);
	for (size_t i = 0; presets_at(i) != NULL; i++) {
		const struct preset *preset = presets_at(i);
		ctl_table_add(&table, preset->id);
		ctl_table_add(&table, preset->name);
		ctl_table_add(&table, preset->refusal == NULL
					  ? preset->imap.host
					  : preset->refusal);
	}
	ctl_table_print(&table, out, "");
	ctl_table_done(&table);
}

static int
fail_unknown(const struct ctl *ctl, const char *word)
{
	BUF_AUTO clean = BUF_INIT;
	const char *nearest = presets_nearest(span_from_str(word));
	STR_AUTO hint =
	    nearest != NULL
		? xasprintf("did you mean `%s`?", nearest)
		: xstrdup("`belfryctl setup ADDRESS` asks the domain itself");

	ctl_add_clean(&clean, word, CTL_CELL_MAX);
	return ctl_fail(ctl, CTL_EXIT_TROUBLE, hint,
	    "no provider is known by the name or domain %s", buf_str(&clean));
}

static int
print_json(const struct preset *only)
{
	struct json *document = json_new_object(), *list = json_new_array();

	for (size_t i = 0; presets_at(i) != NULL; i++)
		if (only == NULL || only == presets_at(i))
			json_add(list, preset_json(presets_at(i)));
	json_set_bool(document, "ok", true);
	json_set(document, "providers", list);
	return ctl_finish_json(document, EX_OK);
}

int
ctl_providers(struct ctl *ctl)
{
	BUF_AUTO out = BUF_INIT;
	const struct preset *only = NULL;

	if (ctl->arguments[0] != NULL) {
		only = presets_find_any(span_from_str(ctl->arguments[0]));
		if (only == NULL)
			return fail_unknown(ctl, ctl->arguments[0]);
	}
	if (ctl->json)
		return print_json(only);
	if (only != NULL)
		add_preset(ctl, &out, only);
	else
		add_list(&out);
	ctl_fold(&out, ctl_columns());
	return ctl_finish(&out, EX_OK);
}
