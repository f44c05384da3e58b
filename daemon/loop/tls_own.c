/*
 * loop/tls: our own certificate, and its key.
 */
#include <errno.h>
#include <openssl/err.h>
#include <string.h>

#include "daemon/loop/tls_private.h"

#define OTHER_KEY "is not the key of the certificate in tls_cert"

/* What OpenSSL's last error means; `otherwise` when it says no more than
 * where it stumbled. */
static const char *
own_flaw(int number, unsigned long code, const char *otherwise)
{
	const char *reason = NULL;

	if (number == ENOENT || number == EACCES)
		return strerror(number);
	if (ERR_GET_LIB(code) == ERR_LIB_X509 &&
	    ERR_GET_REASON(code) == X509_R_KEY_VALUES_MISMATCH)
		return OTHER_KEY;
	if (ERR_GET_LIB(code) == ERR_LIB_SSL &&
	    (ERR_GET_REASON(code) & ERR_RFLAG_COMMON) == 0)
		reason = ERR_reason_error_string(code);
	return reason != NULL ? reason : otherwise;
}

static bool
fail_own(const char *setting, const char *path, const char *otherwise,
    struct error *error_r)
{
	const char *flaw = own_flaw(errno, ERR_peek_last_error(), otherwise);

	ERR_clear_error();
	return error_set(
	    error_r, FAULT_CONFIG, "%s %s: %s", setting, path, flaw);
}

/* Nobody is there to type a password: without this OpenSSL would ask the
 * terminal. */
static int
on_locked_key(char *buf, int size, int rwflag, void *ctx)
{
	bool *is_locked = ctx;

	(void)buf;
	(void)size;
	(void)rwflag;
	*is_locked = true;
	return -1;
}

static bool
load_key(SSL_CTX *context, const char *path, struct error *error_r)
{
	bool is_locked = false, ok;

	SSL_CTX_set_default_passwd_cb(context, on_locked_key);
	SSL_CTX_set_default_passwd_cb_userdata(context, &is_locked);
	errno = 0;
	ok = SSL_CTX_use_PrivateKey_file(context, path, SSL_FILETYPE_PEM) == 1;
	SSL_CTX_set_default_passwd_cb_userdata(context, NULL);
	if (ok)
		return true;
	if (!is_locked)
		return fail_own("tls_key", path,
		    "holds no private key in PEM "
		    "form",
		    error_r);
	ERR_clear_error();
	return error_set(error_r, FAULT_CONFIG,
	    "tls_key %s: the key is locked by a password, which nobody can "
	    "type here: store it without one (openssl pkey -in %s -out NEW), "
	    "in a file of mode 0600",
	    path, path);
}

bool
tls_load_own(
    SSL_CTX *context, const struct tls_policy *policy, struct error *error_r)
{
	if (policy->cert_file == NULL)
		return true;
	errno = 0;
	if (SSL_CTX_use_certificate_chain_file(context, policy->cert_file) != 1)
		return fail_own("tls_cert", policy->cert_file,
		    "holds no certificate in PEM form", error_r);
	if (!load_key(context, policy->key_file, error_r))
		return false;
	if (SSL_CTX_check_private_key(context) == 1)
		return true;
	/* Of another kind than the certificate's. */
	ERR_clear_error();
	return error_set(
	    error_r, FAULT_CONFIG, "tls_key %s: " OTHER_KEY, policy->key_file);
}
