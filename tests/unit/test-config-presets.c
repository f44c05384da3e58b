/* The table of providers, and how it is searched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/account/folders.h"
#include "daemon/base/xalloc.h"
#include "daemon/config/preset_words.h"
#include "daemon/config/presets.h"
#include "daemon/config/syntax.h"

struct lookup_case {
	const char *word;
	const char *id; /* NULL: none */
};

static const struct lookup_case domains[] = {
    {"icloud.com", "icloud"},
    {"ME.com", "icloud"},
    {"gmail.com", "gmail"},
    {"googlemail.com", "gmail"},
    {"hotmail.co.uk", "outlook-com"},
    {"gmx.de", "gmx-net"},
    {"proton.me", "proton-bridge"},
    {"tuta.com", "tuta"},
    {"", NULL},
    {"com", NULL},
    {"xgmail.com", NULL},
    {"mail.gmail.com", NULL},
    {"gmail.com ", NULL},
};

static const struct lookup_case anything[] = {
    {"icloud", "icloud"},
    {"Fastmail", "fastmail"},
    {"web.de", "webde"},
    {"Ann@GMX.at", "gmx-net"},
    {"ann@icloud", NULL},
    {"nothing", NULL},
};

static const struct lookup_case mx_hosts[] = {
    {"aspmx.l.google.com", "google-workspace"},
    {"aspmx.l.google.com.", "google-workspace"},
    {"example-org.mail.protection.outlook.com", "microsoft-365"},
    {"x.olc.protection.outlook.com", "outlook-com"},
    {"in1-smtp.messagingengine.com", "fastmail"},
    {"mx-aol.mail.gm0.yahoodns.net", "aol"},
    {"mta5.am0.yahoodns.net", "yahoo"},
    {"mx01.mail.icloud.com", "icloud"},
    {"notgoogle.com", NULL},
    {"google.com.evil.example", NULL},
    {"", NULL},
};

static void
check(const struct lookup_case *c, const struct preset *got)
{
	const char *id = got == NULL ? NULL : got->id;

	if ((id == NULL) == (c->id == NULL) &&
	    (id == NULL || strcmp(id, c->id) == 0))
		return;
	print_error("%s: got %s\n", c->word, id == NULL ? "none" : id);
	fail();
}

static void
test_find(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++)
		check(&domains[i],
		    presets_find_domain(span_from_str(domains[i].word)));
	for (size_t i = 0; i < sizeof(mx_hosts) / sizeof(mx_hosts[0]); i++)
		check(&mx_hosts[i],
		    presets_find_mx(span_from_str(mx_hosts[i].word)));
	for (size_t i = 0; i < sizeof(anything) / sizeof(anything[0]); i++)
		check(&anything[i],
		    presets_find_any(span_from_str(anything[i].word)));
	assert_string_equal(presets_find(SPAN("FastMail"))->id, "fastmail");
	assert_string_equal(
	    presets_find_smtp(SPAN("smtp.GMail.com"))->id, "gmail");
	assert_null(presets_find_smtp(SPAN("gmail.com")));
	assert_null(presets_find_smtp(SPAN("")));
	assert_string_equal(presets_nearest(SPAN("fastmial")), "fastmail");
	assert_null(presets_find(SPAN("none")));
}

static bool
is_host(const struct preset_server *server)
{
	const char *why;
	size_t offset;

	return host_check(span_from_str(server->host), &why, &offset) &&
	       server->port > 0 && server->port < 65536 &&
	       server->tls != SERVER_PLAINTEXT;
}

/* One domain, one provider; hosts that are hosts; lower case. */
static void
test_table_is_sound(void **state)
{
	(void)state;
	for (size_t i = 0; presets_at(i) != NULL; i++) {
		const struct preset *p = presets_at(i);
		const char *inbox = p->webmail_inbox;
		assert_true(inbox == NULL || p->webmail == NULL);
		assert_true(
		    inbox == NULL || strncmp(inbox, "https://", 8) == 0);
		struct span rest = span_from_str(p->domains), domain;
		bool is_sound = presets_find(span_from_str(p->id)) == p &&
				p->name != NULL &&
				(p->domains != NULL || p->mx != NULL);
		while (span_split(&rest, ' ', &domain))
			is_sound = is_sound &&
				   presets_find_domain(domain) == p &&
				   !isupper((unsigned char)domain.data[0]);
		if (p->refusal == NULL)
			is_sound = is_sound && is_host(&p->imap) &&
				   is_host(&p->smtp) && p->auth != 0 &&
				   p->idle_renew_s <= 28 * 60;
		if (p->help != NULL)
			is_sound = is_sound && strncmp(p->help, "http", 4) == 0;
		if (!is_sound) {
			print_error("preset %s\n", p->id);
			fail();
		}
	}
}

/* ---- each row beside tests/data/providers.ini ---- */

/* The facts of one provider, as the file has them. */
struct facts {
	struct buf id;
	struct strv keys, values;
};

static const char *
fact(const struct facts *facts, const char *key)
{
	for (size_t i = 0; i < facts->keys.len; i++)
		if (strcmp(facts->keys.items[i], key) == 0)
			return facts->values.items[i];
	return NULL;
}

static void
differs(const struct facts *facts, const char *key, const char *got)
{
	const char *want = fact(facts, key);

	print_error("%s: %s: the table has %s, providers.ini %s\n",
	    buf_str((struct buf *)(uintptr_t)&facts->id), key,
	    got == NULL ? "nothing" : got, want == NULL ? "nothing" : want);
	fail();
}

static void
check_text(const struct facts *facts, const char *key, const char *got)
{
	const char *want = fact(facts, key);

	if ((want == NULL) != (got == NULL) ||
	    (want != NULL && strcmp(want, got) != 0))
		differs(facts, key, got);
}

static void
check_server(const struct facts *facts, const char *key,
    const struct preset_server *server)
{
	STR_AUTO got =
	    server->host == NULL
		? NULL
		: xasprintf("%s %u %s", server->host, server->port,
		      server->tls == SERVER_TLS ? "implicit" : "starttls");

	check_text(facts, key, got);
}

static void
check_number(const struct facts *facts, const char *key, unsigned number)
{
	STR_AUTO got = number == 0 ? NULL : xasprintf("%u", number);

	check_text(facts, key, got);
}

static void
check_auth(const struct facts *facts, const struct preset *preset)
{
	static const struct {
		const char *word;
		unsigned auth;
	} words[] = {
	    {"oauth2", PRESET_OAUTH2},
	    {"app-password", PRESET_APP_PASSWORD},
	    {"bridge-password", PRESET_APP_PASSWORD},
	    {"password", PRESET_PASSWORD},
	};
	struct span rest = span_from_str(fact(facts, "auth")), word;
	unsigned auth = 0;

	while (span_split(&rest, ' ', &word))
		for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
			if (span_is(word, words[i].word))
				auth |= words[i].auth;
	if (auth != preset->auth)
		differs(facts, "auth", "others");
}

static void
check_users(const struct facts *facts, const struct preset *preset)
{
	static const char *const names[] = {
	    [PRESET_USER_ADDRESS] = "address", [PRESET_USER_LOCAL] = "local"};

	check_text(facts, "imap_user", names[preset->user]);
	if (fact(facts, "smtp_user") != NULL)
		check_text(facts, "smtp_user", names[preset->smtp_user]);
	if ((fact(facts, "imap_user_retry") != NULL) !=
	    preset->retry_other_user)
		differs(facts, "imap_user_retry", "another");
}

static void
check_from(const struct facts *facts, const struct preset *preset)
{
	static const char *const names[] = {
	    [PRESET_FROM_UNKNOWN] = "unknown",
	    [PRESET_FROM_REFUSED] = "refuse",
	    [PRESET_FROM_REWRITTEN] = "rewrite",
	    [PRESET_FROM_ALLOWED] = "allow",
	};

	check_text(facts, "foreign_from", names[preset->from]);
}

/* Names that the file has in two lines, the table in one string. */
static void
check_folder(const struct facts *facts, const char *key, const char *got)
{
	STR_AUTO other_key = xasprintf("%s_alt", key);
	const char *want = fact(facts, key), *other = fact(facts, other_key);
	STR_AUTO both =
	    want == NULL ? NULL
			 : xasprintf("%s%s%s", want, other == NULL ? "" : "|",
			       other == NULL ? "" : other);

	if ((both == NULL) != (got == NULL) ||
	    (both != NULL && strcmp(both, got) != 0))
		differs(facts, key, got);
}

/* What a word of the file means here. Words that are no bit are what every
 * server is treated to: the engines need not be told. */
static const struct {
	const char *word;
	uint32_t quirk;
} quirks[] = {
    {"admin-may-disable-imap", QUIRK_IMAP_IS_OFF},
    {"all-mail-duplicates", QUIRK_LABELS},
    {"append-needs-crlf", 0},
    {"authed-not-connected", QUIRK_AUTHED_NOT_CONNECTED},
    {"bad-quoted", 0},
    {"bodystructure-broken", 0},
    {"bye-loop", 0},
    {"caps-untagged", 0},
    {"conn-limit-as-auth-fail", QUIRK_LIMIT_AS_AUTH},
    {"copyuid-bare", 0},
    {"copyuid-empty", 0},
    {"cyrus", 0},
    {"delimiter-dot", 0},
    {"delimiter-pipe", 0},
    {"empty-body-part", 0},
    {"enable-silent", 0},
    {"exists-before-plus", 0},
    {"expunge-archives", QUIRK_LABELS},
    {"fetch-beyond-max-hangs", QUIRK_FETCH_BEYOND_HANGS},
    {"few-connections", QUIRK_FEW_CONNECTIONS},
    {"float-numbers", 0},
    {"folder-count-limit", 0},
    {"folder-names-fixed", 0},
    {"header-names-atoms-only", 0},
    {"helo-literal-refused", 0},
    {"id-may-fail", 0},
    {"id-required", QUIRK_ID_FIRST},
    {"idle-dies", QUIRK_IDLE_SILENT},
    {"idle-silent", QUIRK_IDLE_SILENT},
    {"idle-stray-line-bad", 0},
    {"imap-disabled-by-default", QUIRK_IMAP_IS_OFF},
    {"inbox-cased", 0},
    {"labels", QUIRK_LABELS},
    {"labels-as-folders", QUIRK_LABELS},
    {"list-specialuse-bad", 0},
    {"list-specialuse-unadvertised", 0},
    {"localised-folders", 0},
    {"max-cmd-1000", QUIRK_SHORT_PIPELINE},
    {"modseq-bogus", QUIRK_BAD_MODSEQ},
    {"mutf7-bug", 0},
    {"no-annotate", 0},
    {"no-id-nil", QUIRK_NO_ID_NIL},
    {"no-idle", QUIRK_NO_IDLE},
    {"no-keywords", QUIRK_NO_KEYWORDS},
    {"no-partial", 0},
    {"no-uidnext", QUIRK_NO_UIDNEXT},
    {"noop-poll", QUIRK_IDLE_SILENT},
    {"partial-view", 0},
    {"pipeline-25", QUIRK_SHORT_PIPELINE},
    {"plain-may-fail", 0},
    {"policy-554", QUIRK_STRICT_CONTENT},
    {"protection-option-blocks-imap", QUIRK_IMAP_IS_OFF},
    {"raw-bytes", 0},
    {"raw-deflate-only", 0},
    {"refresh-token-rotates", 0},
    {"rfc822-empty", 0},
    {"search-not-ignored", 0},
    {"self-signed-pin", QUIRK_SELF_SIGNED},
    {"smtp-auth-off-by-default", 0},
    {"starttls-mandatory", 0},
    {"status-empty", 0},
    {"temporary-block-on-activity", QUIRK_THROTTLES},
    {"three-way-spam", 0},
    {"throttle-hint", QUIRK_THROTTLES},
    {"throttled-logins", QUIRK_THROTTLES},
    {"tls12-max", 0},
    {"uid-fetch-params-bad", 0},
    {"uidnext-rewind", QUIRK_UIDNEXT_REWINDS},
    {"uids-may-change", QUIRK_UIDS_CHANGE},
    {"xlist", 0},
};

static void
check_quirks(const struct facts *facts, const struct preset *preset)
{
	struct span rest = span_from_str(fact(facts, "quirks")), word;

	while (span_split(&rest, ' ', &word)) {
		size_t i = 0;
		while (i < sizeof(quirks) / sizeof(*quirks) &&
		       !span_is(word, quirks[i].word))
			i++;
		/* The person is told which folder that is. */
		if (span_is(word, "three-way-spam") &&
		    (preset->note == NULL ||
			strstr(preset->note, "watch = INBOX, ") == NULL))
			differs(facts, "quirks", "no word of another folder");
		if (i == sizeof(quirks) / sizeof(*quirks) ||
		    (preset->quirks & quirks[i].quirk) != quirks[i].quirk) {
			print_error("%.*s: ", SPAN_FMT(word));
			differs(facts, "quirks", "no such bit");
		}
	}
}

static void
check_limits(const struct facts *facts, const struct preset *preset)
{
	check_number(facts, "idle_refresh_s", preset->idle_renew_s);
	check_number(facts, "poll_s", preset->poll_s);
	check_number(facts, "max_connections", preset->connections);
	check_number(facts, "day_messages", preset->day_messages);
	check_number(facts, "day_recipients", preset->day_recipients);
	check_number(facts, "message_recipients", preset->message_recipients);
	check_number(facts, "max_message", preset->message_max);
	check_number(facts, "smtp_size", preset->smtp_size);
	check_number(facts, "max_folders", preset->max_folders);
}

static void
check_usable(const struct facts *facts, const struct preset *preset)
{
	check_server(facts, "imap", &preset->imap);
	check_server(facts, "imap_alt", &preset->imap_alt);
	check_server(facts, "smtp", &preset->smtp);
	check_server(facts, "smtp_alt", &preset->smtp_alt);
	check_auth(facts, preset);
	check_text(facts, "oauth", preset->oauth);
	check_users(facts, preset);
	check_from(facts, preset);
	check_quirks(facts, preset);
	check_limits(facts, preset);
	check_folder(facts, "sent", preset->folders.sent);
	check_folder(facts, "trash", preset->folders.trash);
	check_folder(facts, "junk", preset->folders.junk);
	check_folder(facts, "archive", preset->folders.archive);
	check_folder(facts, "drafts", preset->folders.drafts);
	check_text(facts, "help", preset->help);
	check_text(facts, "settings_help", preset->settings_help);
	check_text(facts, "status_page", preset->status_page);
	/* In our words, but not forgotten. */
	if ((fact(facts, "needs_enable") != NULL ||
		fact(facts, "note") != NULL) &&
	    preset->enable == NULL && preset->note == NULL)
		differs(facts, "note", NULL);
}

static void
check_preset(const struct facts *facts)
{
	struct span id = buf_span(&facts->id);
	const struct preset *preset = presets_find(id);

	if (preset == NULL) {
		print_error("%.*s: not in the table\n", SPAN_FMT(id));
		fail();
		return;
	}
	check_text(facts, "domains", preset->domains);
	check_text(facts, "mx", preset->mx);
	if ((fact(facts, "unsupported") != NULL) != (preset->refusal != NULL))
		differs(facts, "unsupported", preset->refusal);
	if (preset->refusal == NULL)
		check_usable(facts, preset);
}

static void
forget_facts(struct facts *facts)
{
	buf_done(&facts->id);
	strv_done(&facts->keys);
	strv_done(&facts->values);
}

/* A line that goes the one above on, or "key = value". */
static void
take_fact(struct facts *facts, struct span line)
{
	size_t at = span_find(line, '=');

	if (line.data[0] == ' ') {
		char **last = &facts->values.items[facts->values.len - 1];
		char *longer = xasprintf("%s%s%.*s", *last,
		    **last == '\0' ? "" : " ", SPAN_FMT(span_trim(line)));
		free(*last);
		*last = longer;
		return;
	}
	assert_true(at != SIZE_MAX);
	strv_add_span(&facts->keys, span_trim(span_slice(line, 0, at)));
	strv_add_span(&facts->values, span_trim(span_skip(line, at + 1)));
}

/* Checks each provider of the file; how many there are. */
static size_t
check_all(struct span text)
{
	struct facts facts = {.id = BUF_INIT};
	struct span line;
	size_t count = 0;

	while (span_split(&text, '\n', &line)) {
		if (line.len == 0 || line.data[0] == ';')
			continue;
		if (line.data[0] != '[') {
			take_fact(&facts, line);
			continue;
		}
		if (count++ > 0)
			check_preset(&facts);
		forget_facts(&facts);
		buf_add_span(&facts.id, span_slice(line, 1, line.len - 2));
	}
	check_preset(&facts);
	forget_facts(&facts);
	return count;
}

static void
test_facts(void **state)
{
	const char *top = getenv("srcdir");
	STR_AUTO path =
	    xasprintf("%s/tests/data/providers.ini", top == NULL ? "." : top);
	BUF_AUTO text = BUF_INIT;
	char block[4096];
	size_t len, count = 0;

	(void)state;
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	while ((len = fread(block, 1, sizeof(block), file)) > 0)
		buf_add(&text, block, len);
	fclose(file);
	while (presets_at(count) != NULL)
		count++;
	assert_int_equal(check_all(buf_span(&text)), count);
}

/* ---- names of folders ---- */

static void
check_found(const struct preset *preset, const char *use, const char *names)
{
	struct span rest = span_from_str(names), name;

	while (span_split(&rest, '|', &name)) {
		struct imap_list_entry entry = {.name = name, .delimiter = '/'};
		BUF_AUTO wire = BUF_INIT;
		struct folders folders;

		folders_init(&folders);
		folders_add(&folders, &entry);
		if (!folders_wire_name(&folders, use, &wire, NULL)) {
			print_error("%s: %.*s is not found as %s\n", preset->id,
			    SPAN_FMT(name), use);
			fail();
		}
		folders_done(&folders);
	}
}

/* Where a server does not tell its folders' uses, its names do. */
static void
test_folder_names(void **state)
{
	(void)state;
	for (size_t i = 0; presets_at(i) != NULL; i++) {
		const struct preset *preset = presets_at(i);
		check_found(preset, "\\Sent", preset->folders.sent);
		check_found(preset, "\\Trash", preset->folders.trash);
		check_found(preset, "\\Junk", preset->folders.junk);
		check_found(preset, "\\Archive", preset->folders.archive);
	}
}

/* ---- words ---- */

/* One sentence for each, with the page where there is one. */
static void
test_password_words(void **state)
{
	(void)state;
	for (size_t i = 0; presets_at(i) != NULL; i++) {
		const struct preset *preset = presets_at(i);
		BUF_AUTO words = BUF_INIT;
		if (preset->refusal != NULL)
			continue;
		preset_add_password_words(&words, preset);
		if (words.len == 0 ||
		    (preset->help != NULL &&
			(preset->quirks & QUIRK_SELF_SIGNED) == 0 &&
			strstr(buf_str(&words), preset->help) == NULL)) {
			print_error("%s: %s\n", preset->id, buf_str(&words));
			fail();
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_find),
	    cmocka_unit_test(test_table_is_sound),
	    cmocka_unit_test(test_facts),
	    cmocka_unit_test(test_folder_names),
	    cmocka_unit_test(test_password_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
