#include "daemon/wiring/login.h"

#include <stdlib.h>
#include <sys/random.h>

#include "daemon/base/base64.h"
#include "daemon/base/secret.h"
#include "daemon/config/files.h"

#define NONCE_BYTES 18 /* 144 bits, 24 characters */

/* ---- IMAP ---- */

static enum imap_security
imap_security_of(enum server_tls tls)
{
	static const enum imap_security securities[] = {
	    [SERVER_TLS] = IMAP_SECURITY_TLS,
	    [SERVER_STARTTLS] = IMAP_SECURITY_STARTTLS,
	    [SERVER_PLAINTEXT] = IMAP_SECURITY_NONE,
	};

	return securities[tls];
}

static enum imap_auth
imap_auth_of(int auth)
{
	switch (auth) {
	case CONFIG_AUTH_OAUTH2:
		return IMAP_AUTH_OAUTH2;
	case CONFIG_AUTH_EXTERNAL:
		return IMAP_AUTH_EXTERNAL;
	default:
		return IMAP_AUTH_PASSWORD;
	}
}

static bool
has_quirk(const struct config_account *account, enum preset_quirk quirk)
{
	return account->preset != NULL &&
	       (account->preset->quirks & quirk) != 0;
}

/* `user` is not what the preset begins with, but the form that is tried after
 * it, by LOGIN (belfryctl setup writes it where the server took that one):
 * iCloud was seen to refuse AUTHENTICATE PLAIN and to take LOGIN. */
static bool
is_other_form(const struct config_account *account)
{
	return account->other_user != NULL &&
	       account->preset->user == PRESET_USER_ADDRESS &&
	       strchr(account->user, '@') == NULL;
}

struct imap_session_config
login_imap(const struct config_account *account)
{
	return (struct imap_session_config){
	    .security = imap_security_of(account->imap.tls),
	    .auth = imap_auth_of(account->auth),
	    .user = account->user,
	    .no_scram = account->auth == CONFIG_AUTH_PLAIN,
	    .prefer_login = is_other_form(account),
	    .only_scram = account->auth == CONFIG_AUTH_SCRAM,
	    /* The certificate is the login; only where nobody can have taken
	     * STARTTLS away. */
	    .allow_preauth = account->auth == CONFIG_AUTH_EXTERNAL &&
			     account->imap.tls == SERVER_TLS,
	    .host = account->imap.host,
	    .port = account->imap.port,
	    .client_version = PACKAGE_VERSION,
	    .id_before_select = has_quirk(account, QUIRK_ID_FIRST),
	    .enable_condstore = !has_quirk(account, QUIRK_BAD_MODSEQ),
	};
}

/* ---- SMTP ---- */

static enum smtp_security
smtp_security_of(enum server_tls tls)
{
	static const enum smtp_security securities[] = {
	    [SERVER_TLS] = SMTP_SECURITY_TLS,
	    [SERVER_STARTTLS] = SMTP_SECURITY_STARTTLS,
	    [SERVER_PLAINTEXT] = SMTP_SECURITY_NONE,
	};

	return securities[tls];
}

/* The name to say in EHLO: the domain of the person's own address, which is a
 * name and no literal, and tells nobody about this machine. */
static const char *
ehlo_name(const struct config_account *account)
{
	return account->domain != NULL ? account->domain : "localhost";
}

static enum smtp_auth
smtp_auth_of(int auth)
{
	switch (auth) {
	case CONFIG_AUTH_OAUTH2:
		return SMTP_AUTH_OAUTH2;
	case CONFIG_AUTH_EXTERNAL:
		return SMTP_AUTH_EXTERNAL;
	default:
		return SMTP_AUTH_PASSWORD;
	}
}

struct smtp_session_config
login_smtp(const struct config_account *account)
{
	return (struct smtp_session_config){
	    .security = smtp_security_of(account->smtp.tls),
	    .auth = smtp_auth_of(account->auth),
	    .user = account->smtp_user,
	    .no_scram = account->auth == CONFIG_AUTH_PLAIN,
	    .only_scram = account->auth == CONFIG_AUTH_SCRAM,
	    .host = account->smtp.host,
	    .port = account->smtp.port,
	    .ehlo_name = ehlo_name(account),
	};
}

/* ---- both ---- */

struct tls *
login_tls(const struct config_account *account, struct error *error_r)
{
	const struct tls_policy policy = {
	    .ca_file = account->tls_ca_file,
	    .min_version = config_tls_version(account),
	    .cert_file = account->tls_cert,
	    .key_file = account->tls_key,
	};
	struct tls *tls = NULL;

	/* Its mode may have changed since the configuration was read. */
	if (account->tls_key == NULL ||
	    files_check_private(account->tls_key, error_r))
		tls = tls_new_as(&policy, error_r);
	for (size_t i = 0; tls != NULL && i < account->tls_pin.len; i++)
		if (!tls_add_pin(tls, account->tls_pin.items[i], error_r))
			tls_free(&tls);
	return tls;
}

static void
add_nonce(struct buf *nonce)
{
	unsigned char bytes[NONCE_BYTES];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		abort(); /* so few bytes are never refused */
	base64_encode(nonce, span_from(bytes, sizeof(bytes)));
}

void
login_once_init(struct login_once *once, const struct tls_session *tls)
{
	const char *name = "", *other_name = "";
	size_t len = 0, other_len = 0;

	*once = (struct login_once){.nonce = BUF_INIT};
	add_nonce(&once->nonce);
	if (tls != NULL) {
		len = tls_binding(tls, once->binding, &name);
		other_len = tls_other_binding(tls, once->other, &other_name);
	}
	once->once = (struct sasl_once){
	    .nonce = buf_span(&once->nonce),
	    .binding_name = span_from_str(name),
	    .binding = span_from(once->binding, len),
	    .other_name = span_from_str(other_name),
	    .other_binding = span_from(once->other, other_len),
	};
}

void
login_once_done(struct login_once *once)
{
	memory_wipe(once->binding, sizeof(once->binding));
	memory_wipe(once->other, sizeof(once->other));
	buf_wipe(&once->nonce);
}
