#include <strings.h>
/* What an account's keys mean together: see account.h. */
#include "daemon/config/account.h"

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/config/account_private.h"
#include "daemon/config/syntax.h"

const struct document_thing *
account_find_thing(const struct finish *f, const char *key)
{
	for (size_t i = 0; i < f->section->thing_count; i++)
		if (strcmp(f->section->things[i].setting->key, key) == 0)
			return &f->section->things[i];
	return NULL;
}

struct rule_place
account_place_of(const struct finish *f, const char *key)
{
	const struct document_thing *thing = account_find_thing(f, key);

	return thing == NULL ? f->section->place : document_place(thing, 0);
}

/* ---- address and preset ---- */

static void
take_domain(struct config_account *account)
{
	const char *at = strrchr(account->email, '@');

	account->domain = xstrdup(at == NULL ? "" : at + 1);
	for (char *c = account->domain; *c != '\0'; c++)
		*c = char_to_lower(*c);
}

static void
find_provider(struct finish *f)
{
	struct config_account *account = f->account;
	struct span id = span_from_str(account->provider);

	if (span_is(id, "none"))
		return;
	account->preset = presets_find(id);
	if (account->preset != NULL)
		return;
	const char *nearest = presets_nearest(id);
	STR_AUTO hint = nearest == NULL
			    ? xstrdup("leave it out and set `imap` and `smtp`")
			    : xasprintf("did you mean `%s`?", nearest);
	complain(f, "provider", hint, "unknown provider");
}

static void
find_preset(struct finish *f)
{
	struct config_account *account = f->account;

	if (account->provider != NULL)
		find_provider(f);
	else
		account->preset =
		    presets_find_domain(span_from_str(account->domain));
	if (account->preset == NULL || account->preset->refusal == NULL)
		return;
	if (account_find_thing(f, "imap") == NULL)
		complain(f, "email", NULL, "%s cannot be used: %s",
		    account->preset->name, account->preset->refusal);
	account->preset = NULL;
}

static bool
is_refused(const struct finish *f)
{
	const struct preset *preset =
	    presets_find_domain(span_from_str(f->account->domain));

	return f->account->preset == NULL && preset != NULL &&
	       preset->refusal != NULL;
}

/* ---- servers ---- */

static void
take_server(struct config_server *server, const struct preset_server *preset)
{
	if (server->host != NULL || preset->host == NULL)
		return;
	server->host = xstrdup(preset->host);
	server->port = preset->port;
	server->tls = preset->tls;
}

static void
find_servers(struct finish *f)
{
	struct config_account *account = f->account;

	/* A server of one's own is not the preset's: nor is its SMTP side. */
	if (account->preset != NULL && account_find_thing(f, "imap") == NULL)
		take_server(&account->smtp, &account->preset->smtp);
	if (account->preset != NULL)
		take_server(&account->imap, &account->preset->imap);
	if (account->imap.host != NULL ||
	    account_find_thing(f, "imap") != NULL ||
	    account->provider != NULL || is_refused(f))
		return;
	complain(f, "email",
	    "add `imap = imaps://HOST`, and `smtp = submission://HOST` for "
	    "forwards",
	    "no provider is known for %s", account->domain);
}

static bool
drop_tls(struct config_server *server)
{
	if (server->host == NULL ||
	    !host_is_loopback(span_from_str(server->host)))
		return false;
	if (server->tls == SERVER_STARTTLS)
		server->tls = SERVER_PLAINTEXT;
	return true;
}

static void
apply_plaintext(struct finish *f)
{
	struct config_account *account = f->account;

	if (account->plaintext != CONFIG_PLAINTEXT_LOOPBACK)
		return;
	bool imap = drop_tls(&account->imap), smtp = drop_tls(&account->smtp);
	if (!imap && !smtp)
		complain(f, "plaintext",
		    "loopback is localhost, 127.0.0.1 and so on, or [::1]",
		    "no server of this account is on loopback");
}

/* ---- names ---- */

static char *
user_of(const struct config_account *account, enum preset_user kind)
{
	struct span email = span_from_str(account->email);
	const char *at = strrchr(account->email, '@');

	if (kind == PRESET_USER_LOCAL && at != NULL)
		email.len = (size_t)(at - account->email);
	return xstrdup_span(email);
}

/* Some providers take one of both, for some of their customers. */
static void
find_other_user(struct config_account *account)
{
	char *whole = user_of(account, PRESET_USER_ADDRESS);
	char *local = user_of(account, PRESET_USER_LOCAL);

	if (strcmp(account->user, whole) == 0 && strcmp(whole, local) != 0)
		account->other_user = xstrdup(local);
	else if (strcmp(account->user, local) == 0)
		account->other_user = xstrdup(whole);
	free(whole);
	free(local);
}

static void
find_users(struct config_account *account)
{
	enum preset_user imap = PRESET_USER_ADDRESS, smtp = PRESET_USER_ADDRESS;
	bool is_own = account->user != NULL;

	if (account->preset != NULL) {
		imap = account->preset->user;
		smtp = account->preset->smtp_user;
	}
	/* A certificate has a user of its own. */
	if (account->auth == CONFIG_AUTH_EXTERNAL && !is_own)
		account->user = xstrdup("");
	is_own = account->user != NULL;
	if (!is_own)
		account->user = user_of(account, imap);
	if (account->preset != NULL && account->preset->retry_other_user &&
	    *account->user != '\0')
		find_other_user(account);
	if (account->smtp_user == NULL)
		account->smtp_user =
		    is_own ? xstrdup(account->user) : user_of(account, smtp);
	if (account->from == NULL)
		account->from = xstrdup(account->email);
	/* What it sends as is its own, too: nothing is forwarded to it. */
	if (!strv_has_nocase(&account->identity, span_from_str(account->from)))
		strv_add(&account->identity, account->from);
	if (!strv_has_nocase(&account->identity, span_from_str(account->email)))
		strv_add(&account->identity, account->email);
}

static void
take_hints(struct finish *f)
{
	struct config_account *account = f->account;
	const struct preset *preset = account->preset;

	if (preset == NULL)
		return;
	if (preset->idle_renew_s > 0 &&
	    account_find_thing(f, "idle_renew") == NULL)
		account->idle_renew = preset->idle_renew_s * USEC_SEC;
	if (preset->poll_s > 0 && account_find_thing(f, "poll") == NULL)
		account->poll = preset->poll_s * USEC_SEC;
	if (account_find_thing(f, "sent_copy") == NULL)
		account->sent_copy = (preset->quirks & QUIRK_FILES_SENT) != 0;
	if (account_find_thing(f, "connections") != NULL)
		return;
	if ((preset->quirks & QUIRK_FEW_CONNECTIONS) != 0)
		account->connections = 1;
	else if (preset->connections > 0 &&
		 preset->connections < account->connections)
		account->connections = preset->connections;
}

/* Blanks are parts of names: where one stands for a comma, nothing of that name
 * is there to be watched. */
static bool
looks_like_two(const char *name)
{
	return strchr(name, ' ') != NULL &&
	       (strncasecmp(name, "INBOX ", strlen("INBOX ")) == 0 ||
		   strpbrk(name, "*%") != NULL);
}

static void
check_watch(struct finish *f)
{
	const struct strv *watch = &f->account->watch;

	for (size_t i = 0; i < watch->len; i++)
		if (looks_like_two(watch->items[i]))
			warn(f, "watch", "separate several with commas",
			    "\"%s\" is one name with a blank in it",
			    watch->items[i]);
}

/* ---- the secret ---- */

static const char *const secret_keys[] = {"password_command", "token_command",
    "oauth2_client_id", "keyring", "credential", "password"};
#define SECRET_KEY_COUNT (sizeof(secret_keys) / sizeof(secret_keys[0]))

static bool
has_secret(const struct finish *f, const char *key)
{
	if (strcmp(key, "keyring") == 0 && !f->account->keyring)
		return false;
	return account_find_thing(f, key) != NULL;
}

/* The one key that names the secret; NULL when there is none or several. */
static const char *
find_secret_key(struct finish *f)
{
	const char *found = NULL;

	for (size_t i = 0; i < SECRET_KEY_COUNT; i++) {
		if (!has_secret(f, secret_keys[i]))
			continue;
		if (found != NULL) {
			struct rule_place place =
			    account_find_thing(f, secret_keys[i])->key_place;
			problem_add(f->problems, false, place, NULL,
			    "`%s` and `%s`: an account has one secret", found,
			    secret_keys[i]);
			return NULL;
		}
		found = secret_keys[i];
	}
	if (found == NULL)
		problem_add(f->problems, false, f->section->place,
		    f->account->tls_cert != NULL
			? "add one of password_command, token_command, "
			  "oauth2_client_id, keyring = yes, credential, or "
			  "auth = external"
			: "add one of password_command, token_command, "
			  "oauth2_client_id, keyring = yes, credential",
		    "account %s has no secret", f->account->name);
	return found;
}

static bool
is_token_key(const char *key)
{
	return strcmp(key, "token_command") == 0 ||
	       strcmp(key, "oauth2_client_id") == 0;
}

static void
take_argv(
    struct secret_source *source, enum secret_kind kind, struct strv *argv)
{
	source->kind = kind;
	source->argv = *argv;
	*argv = (struct strv)STRV_INIT;
}

/* What is written into the file itself, only where nobody else can read it. */
bool
account_check_private(struct finish *f, const char *key, const char *what)
{
	STR_AUTO hint = xasprintf("chmod 600 %s", f->file->path);

	if (!f->file->is_mine)
		complain(f, key, "use a file of your own",
		    "a %s in a file that belongs to another user", what);
	else if (!f->file->is_private)
		complain(f, key, hint,
		    "a %s in a file that others can read (mode %04o)", what,
		    f->file->mode);
	else if (f->file->is_folder_open)
		complain(f, key, "chmod go-w the folder",
		    "a %s in a folder that others can write", what);
	else
		return true;
	return false;
}

static void
take_literal(struct finish *f)
{
	struct config_account *account = f->account;

	account->secret.kind = SECRET_LITERAL;
	account->secret.literal = account->written->password;
	account->written->password = (struct secret)SECRET_INIT;
	if (account_check_private(f, "password", "password"))
		warn(f, "password",
		    "password_command or keyring = yes keep it out of files",
		    "the password lies open in a file");
}

/* Keys that bring a token: they make the login one of oauth2. */
static void
take_token_source(struct finish *f, const char *key)
{
	struct config_account *account = f->account;

	if (strcmp(key, "token_command") == 0)
		take_argv(&account->secret, SECRET_COMMAND,
		    &account->written->token_command);
	else
		account->secret.kind = SECRET_SIGN_IN;
	if (account->auth == CONFIG_AUTH_DEFAULT)
		account->auth = CONFIG_AUTH_OAUTH2;
	if (account->auth != CONFIG_AUTH_OAUTH2)
		complain(f, "auth", "write `auth = oauth2`",
		    "`%s` goes with oauth2", key);
}

/* The certificate is all. */
static void
check_external(struct finish *f)
{
	const struct config_account *account = f->account;

	for (size_t i = 0; i < SECRET_KEY_COUNT; i++)
		if (has_secret(f, secret_keys[i]))
			problem_add(f->problems, false,
			    account_find_thing(f, secret_keys[i])->key_place,
			    "leave it out, or write `auth = password`",
			    "`auth = external` takes no `%s`: the certificate "
			    "is the login",
			    secret_keys[i]);
	if (account->tls_cert == NULL &&
	    account_find_thing(f, "tls_cert") == NULL)
		complain(f, "auth",
		    "add `tls_cert = FILE` and `tls_key = FILE`",
		    "`auth = external` needs a certificate");
	if (account->imap.tls == SERVER_PLAINTEXT ||
	    account->smtp.tls == SERVER_PLAINTEXT)
		complain(f, "plaintext", NULL,
		    "`auth = external` needs TLS, and `plaintext = loopback` "
		    "does without");
}

/* The file of the certificate may hold the key, too. */
static void
take_key(struct finish *f)
{
	struct config_account *account = f->account;

	if (account->tls_key != NULL && account->tls_cert == NULL &&
	    account_find_thing(f, "tls_cert") == NULL)
		complain(f, "tls_key", "add `tls_cert = FILE`",
		    "a key without a certificate");
	if (account->tls_key == NULL && account->tls_cert != NULL &&
	    account_find_thing(f, "tls_key") == NULL)
		account->tls_key = xstrdup(account->tls_cert);
}

static void
take_secret(struct finish *f)
{
	struct config_account *account = f->account;

	if (account->auth == CONFIG_AUTH_EXTERNAL) {
		check_external(f);
		return;
	}
	struct secret_source *source = &account->secret;
	const char *key = find_secret_key(f);

	if (key == NULL)
		return;
	if (strcmp(key, "password_command") == 0) {
		take_argv(source, SECRET_COMMAND,
		    &account->written->password_command);
	} else if (is_token_key(key)) {
		take_token_source(f, key);
	} else if (strcmp(key, "keyring") == 0) {
		source->kind = SECRET_KEYRING;
		secret_keyring_argv(account->name, &source->argv);
	} else if (strcmp(key, "credential") == 0) {
		source->kind = SECRET_CREDENTIAL;
		source->credential = account->written->credential;
		account->written->credential = NULL;
	} else {
		take_literal(f);
	}
	if (account->auth == CONFIG_AUTH_OAUTH2 && !is_token_key(key))
		complain(f, "auth",
		    "add `oauth2_client_id` for `belfryctl login`, or a "
		    "`token_command`",
		    "oauth2 needs your client id, or a command that prints an "
		    "access token");
}

static void
check_auth(struct finish *f)
{
	struct config_account *account = f->account;
	const struct preset *preset = account->preset;

	if (account->auth == CONFIG_AUTH_DEFAULT)
		account->auth = CONFIG_AUTH_PASSWORD;
	if (preset == NULL || account_find_thing(f, "imap") != NULL)
		return;
	if (config_by_password(account) &&
	    (preset->auth & (PRESET_PASSWORD | PRESET_APP_PASSWORD)) == 0)
		warn(f, "auth",
		    "use `oauth2_client_id` and `belfryctl login`, or a "
		    "`token_command`",
		    "%s takes no passwords, only OAuth", preset->name);
}

void
account_forget_written(struct config_account *account)
{
	struct config_written *written = account->written;

	if (written == NULL)
		return;
	account->written = NULL;
	strv_done(&written->password_command);
	strv_done(&written->token_command);
	free(written->credential);
	secret_wipe(&written->password);
	free(written);
}

void
account_finish(struct config_account *account,
    const struct document_section *section, const struct config_file *file,
    struct rule_problems *problems)
{
	struct finish f = {account, section, file, problems};

	if (account->email == NULL) {
		if (account_find_thing(&f, "email") == NULL)
			problem_add(problems, false, section->place, NULL,
			    "account %s has no `email`", account->name);
		return;
	}
	take_domain(account);
	find_preset(&f);
	find_servers(&f);
	apply_plaintext(&f);
	find_users(account);
	take_hints(&f);
	if (account_find_thing(&f, "forward_target_limit") == NULL)
		account->forward_target_limit = account->forward_limit;
	check_watch(&f);
	take_key(&f);
	take_secret(&f);
	account_forget_written(account);
	account_finish_oauth2(&f);
	check_auth(&f);
}
