/*
 * loop/tls: verification, and pins.
 */
#include "daemon/base/base64.h"
#include "daemon/base/digest.h"
#include "daemon/loop/tls_private.h"

bool
tls_trusts_pin(const struct tls_session *session)
{
	return session->loopback && session->tls->pins.len > 0;
}

/* Remembers what it stumbled over, for the error text. Overrides only where
 * check_pin will have the last word. */
int
tls_on_verify(int ok, X509_STORE_CTX *store_context)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(
	    store_context, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_session *session = SSL_get_ex_data(ssl, tls_session_index());
	X509 *cert = X509_STORE_CTX_get_current_cert(store_context);

	if (ok || session->refused_why != X509_V_OK)
		return ok || tls_trusts_pin(session);
	session->refused_why = X509_STORE_CTX_get_error(store_context);
	if (cert == NULL)
		cert = X509_STORE_CTX_get0_cert(store_context);
	if (cert != NULL && X509_up_ref(cert) == 1)
		session->refused = cert;
	cert = X509_STORE_CTX_get0_cert(store_context);
	if (cert != NULL && X509_up_ref(cert) == 1)
		session->refused_leaf = cert;
	return tls_trusts_pin(session);
}

enum tls_result
tls_check_pin(struct tls_session *session, struct error *error_r)
{
	X509 *cert = SSL_get0_peer_certificate(session->ssl);
	BUF_AUTO pin = BUF_INIT;

	if (session->tls->pins.len == 0)
		return TLS_DONE;
	if (cert != NULL)
		tls_cert_add_pin(&pin, cert);
	if (strv_has(&session->tls->pins, buf_str(&pin)))
		return TLS_DONE;
	session->wrong_pin = true;
	error_set(error_r, FAULT_AUTH,
	    "the key of %s is " TLS_PIN_PREFIX
	    "%s, but tls_pin wants " TLS_PIN_PREFIX
	    "%s: if the server changed its key, change tls_pin",
	    session->host, buf_str(&pin), session->tls->pins.items[0]);
	return TLS_FAILED;
}

bool
tls_add_pin(struct tls *tls, const char *pin, struct error *error_r)
{
	BUF_AUTO digest = BUF_INIT;
	struct span text = span_from_str(pin);

	if (!span_starts(text, TLS_PIN_PREFIX) ||
	    !base64_decode(
		&digest, span_skip(text, sizeof(TLS_PIN_PREFIX) - 1)) ||
	    digest.len != DIGEST_SIZE)
		return error_set(error_r, FAULT_CONFIG,
		    "tls_pin is " TLS_PIN_PREFIX "and 44 characters of base64, "
		    "as the message of another key names it");
	if (tls->pins.len == TLS_PINS_MAX)
		return error_set(error_r, FAULT_CONFIG,
		    "tls_pin holds at most %d keys", TLS_PINS_MAX);
	strv_add_span(&tls->pins, span_skip(text, sizeof(TLS_PIN_PREFIX) - 1));
	return true;
}
