/*
 * Causes at the login: where the secret comes from, and what the server says
 * to it. Refusals come in the words of many servers; limits that are dressed
 * up as wrong passwords are known by imap/refusal already.
 */
#include "daemon/base/str.h"
#include "daemon/doctor/doctor_private.h"

/* ---- conditions ---- */

static bool
is_about_credentials(const struct doctor_facts *facts)
{
	return facts->fault == FAULT_AUTH;
}

static bool
takes(const struct doctor_facts *facts, unsigned auth)
{
	return facts->preset != NULL && (facts->preset->auth & auth) != 0;
}

/* No password at all, of whatever kind. */
static bool
wants_token_only(const struct doctor_facts *facts)
{
	return !facts->by_token && facts->preset != NULL &&
	       !takes(facts, PRESET_PASSWORD | PRESET_APP_PASSWORD);
}

static bool
server_wants_token(const struct doctor_facts *facts)
{
	return !facts->by_token && facts->wants_oauth;
}

static bool
is_login_disabled(const struct doctor_facts *facts)
{
	return !facts->by_token && facts->login_disabled;
}

static bool
wants_app_password(const struct doctor_facts *facts)
{
	return !facts->by_token && is_about_credentials(facts) &&
	       takes(facts, PRESET_APP_PASSWORD) &&
	       !takes(facts, PRESET_PASSWORD);
}

static bool
has_typical_shape(const struct doctor_facts *facts)
{
	const struct doctor_provider *provider =
	    doctor_provider_of(facts->preset);

	return provider != NULL && provider->shape != SHAPE_UNKNOWN &&
	       facts->shape == provider->shape;
}

/* It does not look like one that the provider made. */
static bool
is_ordinary_password(const struct doctor_facts *facts)
{
	const struct doctor_provider *provider =
	    doctor_provider_of(facts->preset);

	return wants_app_password(facts) && provider != NULL &&
	       provider->shape != SHAPE_UNKNOWN &&
	       facts->shape != SHAPE_UNKNOWN && !has_typical_shape(facts);
}

static bool
is_dead_app_password(const struct doctor_facts *facts)
{
	return wants_app_password(facts) && has_typical_shape(facts);
}

static bool
may_want_app_password(const struct doctor_facts *facts)
{
	return !facts->by_token && is_about_credentials(facts) &&
	       takes(facts, PRESET_APP_PASSWORD);
}

static bool
is_token(const struct doctor_facts *facts)
{
	return facts->by_token;
}

static bool
signs_in(const struct doctor_facts *facts)
{
	return facts->signs_in;
}

static bool
is_refused_token(const struct doctor_facts *facts)
{
	return facts->by_token && is_about_credentials(facts);
}

static bool
is_refused_certificate(const struct doctor_facts *facts)
{
	return facts->by_certificate && is_about_credentials(facts);
}

static bool
is_refused_password(const struct doctor_facts *facts)
{
	return !facts->by_token && is_about_credentials(facts);
}

#define IS_REFUSAL(name, value)                                                \
	static bool name(const struct doctor_facts *facts)                     \
	{                                                                      \
		return facts->refusal == (value);                              \
	}
IS_REFUSAL(is_account, IMAP_REFUSAL_ACCOUNT)
IS_REFUSAL(is_quota, IMAP_REFUSAL_QUOTA)

static bool
is_limit(const struct doctor_facts *facts)
{
	return facts->refusal == IMAP_REFUSAL_LIMIT ||
	       facts->fault == FAULT_LIMIT;
}

static bool
is_passing(const struct doctor_facts *facts)
{
	return facts->refusal == IMAP_REFUSAL_UNAVAILABLE ||
	       facts->refusal == IMAP_REFUSAL_GOODBYE ||
	       facts->refusal == IMAP_REFUSAL_SERVER ||
	       facts->fault == FAULT_RETRY;
}

static bool
is_port_25(const struct doctor_facts *facts)
{
	return facts->port == 25;
}

static bool
is_about_sender(const struct doctor_facts *facts)
{
	return facts->is_about_sender;
}

/* ---- the table ---- */

#define LOGIN (STEP(DOCTOR_LOGIN) | STEP(DOCTOR_GREETING))
#define SECRET STEP(DOCTOR_SECRET)
#define IMAP PLACE(DOCTOR_IMAP)
#define SMTP PLACE(DOCTOR_SMTP)
#define SENDER STEP(DOCTOR_SENDER)
#define MAKE_ONE                                                               \
	"Make one{ at ${help}}, store it in place of the old one, then "       \
	"${again}."
#define SIGN_IN "${sign-in}, then ${again}."
#define USE_OAUTH2                                                             \
	"Get a client id of your own, write it as `oauth2_client_id`, and "    \
	"run "                                                                 \
	"`belfryctl login ${account}`; or name a `token_command` that prints " \
	"a "                                                                   \
	"token (belfry.conf(5) has both, under OAUTH2). Then ${again}."

/* clang-format off */
const struct doctor_row doctor_login_rows[] = {
	/* ---- the sign-in ---- */
	{"sign-in-missing", SECRET, ANY_PLACE,
	    "nobody has signed in|was changed since the sign-in|is damaged",
	    signs_in,
	    "There is no token yet that is for this account: ${text}.",
	    "Run `belfryctl login ${account}`, then ${again}.", NULL, false},
	{"client-refused", SECRET, ANY_PLACE,
	    "invalid_client|unauthorized_client|invalid_scope|"
	    "aadsts7000218|aadsts700016|the provider refuses", signs_in,
	    "The provider does not take what the configuration says of your "
	    "client id, its secret or the scope: ${text}.",
	    "Compare the lines oauth2_... with what the provider shows of your "
	    "client id. Then ${again}.", NULL, false},
	{"scope-missing", SECRET, ANY_PLACE, "not granted", signs_in,
	    "You, or the provider, did not permit all that mail needs: "
	    "${text}.",
	    "Run `belfryctl login ${account}` and permit all that is asked, "
	    "then ${again}.", NULL, true},
	{"sign-in-ended", SECRET, ANY_PLACE,
	    "sign in again|your consent again|permission has ended|"
	    "the token has ended", signs_in,
	    "Your permission for Belfry has ended: it ran out, was taken back, "
	    "or the password of the account was changed. (With Google, a "
	    "permission ends after 7 days as long as the consent screen is in "
	    "testing.) The provider says: ${text}.", SIGN_IN, NULL, false},
	{"sign-in-unsafe", SECRET, ANY_PLACE, "chmod|belongs to user",
	    signs_in, "The token is not kept safely: ${text}.",
	    "Put that right, then ${again}.", NULL, false},
	{"renewal-failed", SECRET, ANY_PLACE, NULL, signs_in,
	    "The token could not be renewed just now: ${text}.",
	    "belfryd tries it again by itself. If it stays so, ${again}.",
	    NULL, true},
	/* ---- where the secret comes from ---- */
	{"sign-in-ended", SECRET, ANY_PLACE,
	    "invalid_grant|aadsts70008|aadsts700082|aadsts50173|"
	    "aadsts50076|aadsts50079|interaction_required", NULL,
	    "Your permission for Belfry has ended (the provider says "
	    "invalid_grant or the like): it ran out, or the password of the "
	    "account was changed.", SIGN_IN, NULL, false},
	{"consent-missing", SECRET, ANY_PLACE, "aadsts65001", NULL,
	    "You, or your organisation's administrator, have not permitted "
	    "this program to read mail.", SIGN_IN, NULL, false},
	{"keyring-empty", SECRET, ANY_PLACE,
	    "secret-tool failed with status 1|secret-tool printed nothing|"
	    "secret-tool gave nothing", NULL,
	    "The keyring has no such password, or is locked: ${text}.",
	    "Store it: `secret-tool store --label=Belfry service belfry "
	    "account ${account}`, and compare those words with the "
	    "configuration. Then ${again}.", NULL, false},
	{"command-missing", SECRET, ANY_PLACE,
	    "no such file|not found|permission denied", NULL,
	    "The command for the password cannot be run: ${text}.",
	    "Install ${command}, or correct the line in the configuration; "
	    "Belfry runs it without a shell. Then ${again}.", NULL, false},
	{"command-slow", SECRET, ANY_PLACE, "did not end in time|did not end within", NULL,
	    "${command} gave no password in time: perhaps it waits for you "
	    "to type something, as the password of a password manager.",
	    "Run it in this terminal and unlock what it asks for; Belfry "
	    "cannot answer its questions. Then ${again}.", NULL, false},
	{"command-prints-json", SECRET, ANY_PLACE, "json", is_token,
	    "${command} printed a JSON document, and not a token.",
	    "Let it print the value of `access_token` alone: a script with "
	    "`... | jq -r .access_token` does that. Then ${again}.",
	    NULL, false},
	{"command-talks", SECRET, ANY_PLACE, "more than one line|several words",
	    is_token,
	    "${command} printed more than a token.",
	    "Let it print the token and nothing else, without the word Bearer. "
	    "Then ${again}.", NULL, false},
	{"command-talks", SECRET, ANY_PLACE, "more than one line", NULL,
	    "${command} printed more than a password.",
	    "Let it print the password and nothing else (with `pass`: the "
	    "first line only, as `pass show` prints the whole entry). Then "
	    "${again}.", NULL, false},
	{"credential-elsewhere", SECRET, ANY_PLACE,
	    "$credentials_directory is not set", NULL,
	    "The password is a credential of the systemd service, which only "
	    "the service itself can read; here it cannot be tried.",
	    "That is well if belfryd runs as the service: `belfryctl status` "
	    "shows whether it is let in.", NULL, true},
	{"command-failed", SECRET, ANY_PLACE, NULL, is_token,
	    "There is no token: ${text}.",
	    "Run the command of the configuration yourself: it must print an "
	    "access token, and nothing else. If it says that you are not "
	    "signed in: " SIGN_IN, NULL, false},
	{"command-failed", SECRET, ANY_PLACE, NULL, NULL,
	    "There is no password: ${text}.",
	    "Run the command of the configuration yourself: it must print "
	    "the password, and nothing else. Then ${again}.", NULL, false},

	/* ---- limits and passing trouble, also in a greeting ---- */
	{"quota-full", LOGIN, ANY_PLACE,
	    "overquota|over quota|quota exceeded|mailbox full", NULL,
	    "The mailbox is full: \"${said}\".",
	    "Delete mail, or buy space{ (${help})}. Then ${again}.",
	    NULL, false},
	{"quota-full", LOGIN, ANY_PLACE, NULL, is_quota,
	    "The mailbox is full: \"${said}\".",
	    "Delete mail, or buy space. Then ${again}.", NULL, false},
	{"throttled", LOGIN, ANY_PLACE,
	    "throttl|backoff|rate limit|bandwidth|too fast|unusual activity|"
	    "too many login|command error. 1|432 ", NULL,
	    "${host} slows this account down, as it was asked too much or too "
	    "often: \"${said}\".",
	    "Wait a quarter of an hour; belfryd does so by itself. Are there "
	    "other programs that fetch this mail very often?", NULL, false},
	{"too-many-connections", LOGIN, ANY_PLACE, NULL, is_limit,
	    "Too many programs are connected to this account at the same "
	    "time: \"${said}\". The password may be right.",
	    "Close mail programs on other devices, or wait some minutes. "
	    "With `connections = 1` in the account Belfry itself uses one.",
	    NULL, false},
	{"account-without-mailbox", LOGIN, IMAP, NULL, is_account,
	    "The login was accepted, but no mailbox opened: IMAP is switched "
	    "off for it, it has no licence, the token is another user's, or "
	    "too many programs are connected.",
	    "Check{ that ${enable}, and} that `user` is the mailbox's own "
	    "address. Then ${again}.", NULL, false},

	/* ---- what has to be switched on ---- */
	{"imap-switched-off", LOGIN, ANY_PLACE,
	    "not enabled for imap|enable imap|imap is disabled|"
	    "imap access is disabled|imap disabled|imap access disabled|"
	    "not allowed to use imap|protocol disabled|imap is not enabled",
	    NULL,
	    "The password may be right, but IMAP is switched off for this "
	    "account: \"${said}\".",
	    "Switch it on in the provider's web mail settings{: ${enable}}"
	    "{ (${help})}. Then ${again}.", NULL, false},
	{"smtp-switched-off", LOGIN, SMTP,
	    "5.7.139|smtpclientauthentication is disabled|"
	    "smtp auth is disabled|switched off sending", NULL,
	    "Sending by SMTP is switched off for this account: \"${said}\".",
	    "Switch it on{: ${enable}}, or ask the administrator. Reading "
	    "mail is not affected.", NULL, false},

	/* ---- by certificate ---- */
	{"no-certificate-login", LOGIN, ANY_PLACE,
	    "no login by certificate", NULL,
	    "${host} offers no login by certificate (EXTERNAL): it does not "
	    "know who issued yours, or takes passwords only.",
	    "Ask who runs ${host}. If it wants a password as well, write "
	    "`auth = password` and a `password_command`, and leave "
	    "`tls_cert` where it is. Then ${again}.", NULL, false},
	{"certificate-login-refused", LOGIN, ANY_PLACE, NULL,
	    is_refused_certificate,
	    "${host} does not let in who shows your certificate: \"${said}\".",
	    "Is it the certificate that was made for this account? Ask who "
	    "runs ${host} which user it belongs to; `user = NAME` asks for "
	    "another one. Then ${again}.", NULL, false},

	/* ---- how it is proven ---- */
	{"bound-login-refused", LOGIN, ANY_PLACE, "bound to this connection",
	    NULL,
	    "${host} refuses a login that cannot be passed on through another "
	    "connection (SCRAM with channel binding): the password is wrong; "
	    "or somebody stands in between; or its software announces this "
	    "way and cannot do it.",
	    "Can you log in to the web mail with this password? Then compare "
	    "the key above (tls_pin) with what somebody sees in another "
	    "network; if it is the same, write `auth = plain`, which sends "
	    "the password inside TLS as most mail programs do. Then ${again}.",
	    NULL, false},

	/* ---- which kind of secret ---- */
	{"password-not-taken", LOGIN, ANY_PLACE,
	    "basicauthblocked|5.7.30|basic authentication is disabled", NULL,
	    "The provider takes no passwords any more, only a "
	    "sign-in through the browser (OAuth2).",
	    USE_OAUTH2, NULL, false},
	{"password-not-taken", LOGIN, ANY_PLACE, NULL, wants_token_only,
	    "${provider} takes no passwords any more, only a sign-in through "
	    "the browser (OAuth2).",
	    USE_OAUTH2, NULL, false},
	{"browser-login-wanted", LOGIN, ANY_PLACE,
	    "web browser|webalert|web login|suspicious|verify it's you|"
	    "verify your account", NULL,
	    "The provider doubts that it is you, and "
	    "wants to see you in a browser first: \"${said}\".",
	    "Log in to the provider's web mail in a browser and confirm what "
	    "it asks. Then ${again}.", NULL, false},
	{"app-password-wanted", LOGIN, ANY_PLACE,
	    "application-specific password|app-specific|app password|"
	    "5.7.9|invalidsecondfactor", NULL,
	    "This looks like your ordinary password{ (your ${own})}: "
	    "\"${said}\". The provider wants one that it makes for this "
	    "program{: ${a-wanted}}{ (${likeness})}.", MAKE_ONE, NULL, false},
	{"ordinary-password", LOGIN, ANY_PLACE, NULL, is_ordinary_password,
	    "This looks like your ${own}; ${provider} wants ${a-wanted} "
	    "(${likeness}).", MAKE_ONE, NULL, false},
	{"app-password-dead", LOGIN, ANY_PLACE, NULL, is_dead_app_password,
	    "The password has the form of ${a-wanted}, and ${provider} "
	    "refuses it: it was taken back (which a change of your ${own} "
	    "does to all of them), belongs to another account, or has a "
	    "letter wrong.",
	    "Make a new one{ at ${help}}, store it in place of the old one, "
	    "then ${again}. The user name tried was ${user}.", NULL, false},
	{"app-password-wanted", LOGIN, ANY_PLACE, NULL, wants_app_password,
	    "${provider} refuses the password. It wants one that was made for "
	    "this program{ (${wanted})}, and not the one you log in to its "
	    "web page with.", MAKE_ONE, NULL, false},

	/* ---- tokens ---- */
	{"no-token-login", LOGIN, ANY_PLACE,
	    "no oauth2|takes no oauth2", NULL,
	    "${host} offers no login by token (OAuth2).",
	    "Take `auth = oauth2` out of the account and use a "
	    "`password_command`, or check `${key} = ...`.", NULL, false},
	{"token-scope", LOGIN, ANY_PLACE, "status 403|insufficient|scope",
	    is_token,
	    "The token is good, but not for reading mail over IMAP: it was "
	    "asked for with the wrong scope.",
	    "The scope must be that for IMAP and SMTP (`oauth2_scope`, or that "
	    "of the program behind `token_command`). ${sign-in}, then "
	    "${again}.", NULL, false},
	{"token-expired", LOGIN, ANY_PLACE, "status 400|status 401|expired",
	    is_token,
	    "${host} does not take the token: it has run out, or was made "
	    "for somebody else than ${user}.", SIGN_IN, NULL, false},
	{"token-refused", LOGIN, ANY_PLACE, NULL, is_refused_token,
	    "${host} does not take the token: it has run out, is another "
	    "user's than ${user}, or is not for mail.",
	    SIGN_IN, NULL, false},
	/* ---- logins that are not offered ---- */
	{"scram-not-offered", LOGIN, ANY_PLACE, "offers no scram", NULL,
	    "${host} offers no login that keeps the password here (SCRAM), "
	    "and `auth = scram` allows no other. If it offered one before, "
	    "somebody may stand in between.",
	    "Try another network. If the server never offered it, take "
	    "`auth = scram` out. Then ${again}.", NULL, false},
	{"password-not-offered", LOGIN, ANY_PLACE,
	    "accepts no password|takes no password", server_wants_token,
	    "${host} takes no passwords, only a sign-in through the browser "
	    "(OAuth2).",
	    USE_OAUTH2, NULL, false},
	{"login-disabled", LOGIN, ANY_PLACE,
	    "accepts no password|takes no password", is_login_disabled,
	    "${host} forbids logging in with a password (LOGINDISABLED), "
	    "though the connection is encrypted.",
	    "Try `${key} = ...` with ${usual-ways}. If it stays so, ask who "
	    "runs ${host} how to log in.", NULL, false},
	{"login-not-offered", LOGIN, IMAP, "accepts no password", NULL,
	    "${host} offers no way to log in with a password that is safe.",
	    "Ask who runs ${host} how to log in.", NULL, false},
	{"port-25-relay", LOGIN, SMTP, "no login|takes no password|relay",
	    is_port_25,
	    "The server lets nobody log in on port 25, which is for mail "
	    "between servers: it would take no mail of yours for others "
	    "(relaying).",
	    "Write `smtp = ...` with ${usual-ways}.", NULL, false},
	{"smtp-login-not-offered", LOGIN, SMTP, "no login|takes no password",
	    NULL,
	    "${host} lets nobody log in on port ${port}, so it takes no mail "
	    "of yours for others (relaying).",
	    "Write `smtp = ...` with ${usual-ways}.", NULL, false},
	{"relay-refused", LOGIN, SMTP, "relay", NULL,
	    "${host} takes no mail from here for other domains: \"${said}\".",
	    "Is it the server for sending, of the same provider as your "
	    "address? Usual are ${usual-ways}.", NULL, false},

	/* ---- what it would take, behind the login ---- */
	{"sender-relay-refused", SENDER, SMTP, "relay", NULL,
	    "${host} let you log in, and takes no mail from you for others "
	    "(relaying): \"${said}\".",
	    "Is it the server for sending, of the same provider as your "
	    "address? Usual are ${usual-ways}. If it is, ask who runs it. "
	    "Forwards would fail; reading mail is not affected.",
	    NULL, false},
	{"sender-refused", SENDER, SMTP, NULL, is_about_sender,
	    "${host} let you log in as ${user}, and takes no mail from "
	    "${sender}: \"${said}\".",
	    "Write an address that belongs to this login: `from = ...` in the "
	    "account; or let the provider allow ${sender} (as an alias or "
	    "identity). Forwards would fail; reading mail is not affected.",
	    NULL, false},
	{"sender-not-now", SENDER, SMTP, NULL, NULL,
	    "${host} let you log in, and does not take mail from ${sender} to "
	    "${sender} now: \"${said}\".",
	    "Forwards may have to wait. If it stays so, ask who runs "
	    "${host}.", NULL, true},

	/* ---- wrong, as far as can be told ---- */
	{"password-expired", LOGIN, ANY_PLACE,
	    "password has expired|password expired|[expired]|"
	    "change your password", NULL,
	    "The password has run out: \"${said}\".",
	    "Set a new one with the provider, store it, then ${again}.",
	    NULL, false},
	{"password-or-app-password", LOGIN, ANY_PLACE, NULL,
	    may_want_app_password,
	    "${host} does not take this password for ${user}{, nor for "
	    "${other-user}}. If the account "
	    "has two-factor login, ${provider} wants a password made for "
	    "this program.",
	    "Is it the right password, and of this account? With two-factor "
	    "login make one for Belfry{ (${help})}. Then ${again}.",
	    NULL, false},
	{"password-refused-to-send", LOGIN, SMTP, NULL, is_refused_password,
	    "${host} does not take this password for ${user} to send mail: "
	    "\"${said}\".",
	    "Is sending allowed for the account, and is its user name "
	    "another one there (`smtp_user = ...`)? Then ${again}.",
	    NULL, false},
	{"password-wrong", LOGIN, ANY_PLACE, NULL, is_refused_password,
	    "${host} does not take this password for the user ${user}{, nor "
	    "for ${other-user}}.",
	    "Can you log in to the web mail with them? If so, is the user "
	    "name another one for mail programs (`user = ...`: often the "
	    "whole address, or what stands before the @)? Then ${again}.",
	    NULL, false},
	{"goodbye", LOGIN, ANY_PLACE, NULL, is_passing,
	    "${host} ended the conversation: \"${said}\". That usually "
	    "passes.",
	    "Try again in a few minutes; belfryd does so by itself.",
	    NULL, false},
	{NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, false},
};
/* clang-format on */
