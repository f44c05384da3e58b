/*
 * loop/tls: what went wrong, in words, and what to do.
 */
#include <openssl/err.h>
#include <string.h>
#include <time.h>

#include "daemon/base/usec.h"
#include "daemon/loop/tls_private.h"

/* ---- certificates that cannot be trusted ---- */

static void
hint_authority(struct buf *buf, X509 *cert)
{
	(void)cert;
	buf_add_str(buf, "; if you trust that authority, name its certificate "
			 "in tls_ca_file");
}

static void
hint_clock(struct buf *buf, X509 *cert)
{
	buf_add_str(buf, "; it is valid from ");
	unix_format(buf, tls_cert_unix(X509_get0_notBefore(cert)));
	buf_add_str(buf, " to ");
	unix_format(buf, tls_cert_unix(X509_get0_notAfter(cert)));
	buf_add_str(buf, "; is this machine's clock right? it says ");
	unix_format(buf, (int64_t)time(NULL));
}

static void
hint_names(struct buf *buf, X509 *cert)
{
	BUF_AUTO names = BUF_INIT;

	tls_cert_add_names(&names, cert);
	if (names.len == 0)
		buf_add_str(buf, "; it names no host in its subjectAltName, "
				 "and a common name is not enough");
	else
		buf_addf(buf,
		    "; it is for %s; is the host in the "
		    "configuration right?",
		    buf_str(&names));
}

static void
hint_administrator(struct buf *buf, X509 *cert)
{
	(void)cert;
	buf_add_str(buf, "; only the server's administrator can mend this");
}

static const struct trust_hint {
	int why;
	enum tls_flaw flaw;
	void (*add)(struct buf *buf, X509 *cert);
} trust_hints[] = {
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, TLS_FLAW_SELF_SIGNED,
	hint_authority},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, TLS_FLAW_UNKNOWN_ISSUER,
	hint_authority},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, TLS_FLAW_UNKNOWN_ISSUER,
	hint_authority},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, TLS_FLAW_UNKNOWN_ISSUER,
	hint_authority},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, TLS_FLAW_UNKNOWN_ISSUER,
	hint_authority},
    {X509_V_ERR_CERT_UNTRUSTED, TLS_FLAW_UNKNOWN_ISSUER, hint_authority},
    {X509_V_ERR_CERT_HAS_EXPIRED, TLS_FLAW_EXPIRED, hint_clock},
    {X509_V_ERR_CERT_NOT_YET_VALID, TLS_FLAW_NOT_YET_VALID, hint_clock},
    {X509_V_ERR_HOSTNAME_MISMATCH, TLS_FLAW_WRONG_NAME, hint_names},
    {X509_V_ERR_IP_ADDRESS_MISMATCH, TLS_FLAW_WRONG_NAME, hint_names},
    {0, TLS_FLAW_OTHER, hint_administrator},
};

static const struct trust_hint *
find_trust_hint(int why)
{
	const struct trust_hint *hint = trust_hints;

	while (hint->why != 0 && hint->why != why)
		hint++;
	return hint;
}

enum tls_flaw
tls_flaw_of(int why)
{
	return find_trust_hint(why)->flaw;
}

enum tls_result
tls_set_untrusted(struct tls_session *session, struct error *error_r)
{
	int why = session->refused_why;
	X509 *cert = session->refused;
	BUF_AUTO text = BUF_INIT;

	buf_addf(&text, "certificate of %s cannot be trusted: %s",
	    session->host, X509_verify_cert_error_string(why));
	if (cert != NULL) {
		buf_add_str(&text, " (subject \"");
		tls_cert_add_name(&text, X509_get_subject_name(cert));
		buf_add_str(&text, "\", issuer \"");
		tls_cert_add_name(&text, X509_get_issuer_name(cert));
		buf_add_str(&text, "\")");
		find_trust_hint(why)->add(&text, cert);
	}
	error_set(error_r, FAULT_AUTH, "%s", buf_str(&text));
	return TLS_FAILED;
}

/* ---- handshakes and links ---- */

#define NO_TLS "does not speak TLS on this port: is it a STARTTLS port?"
#define NO_UPGRADE                                                             \
	"went on in plaintext after STARTTLS: a broken server, or someone "    \
	"in between"
#define OLD_TLS "offers no TLS version that is allowed here (1.2 at least)"
#define NO_CIPHER "refused every cipher and key type offered"

struct reason {
	int code; /* OpenSSL's; 0 ends a table */
	const char *text;
};

/* What a failed handshake means. */
static const struct reason peer_reasons[] = {
    {SSL_R_WRONG_VERSION_NUMBER, NO_TLS},
    {SSL_R_HTTP_REQUEST, NO_TLS},
    {SSL_R_HTTPS_PROXY_REQUEST, NO_TLS},
    {SSL_R_PACKET_LENGTH_TOO_LONG, NO_TLS},
    {SSL_R_ENCRYPTED_LENGTH_TOO_LONG, NO_TLS},
    {SSL_R_DATA_LENGTH_TOO_LONG, NO_TLS},
    {SSL_R_UNSUPPORTED_PROTOCOL, OLD_TLS},
    {SSL_R_VERSION_TOO_LOW, OLD_TLS},
    {SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, OLD_TLS},
    {SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, NO_CIPHER},
    {SSL_R_TLSV1_ALERT_INSUFFICIENT_SECURITY, NO_CIPHER},
    {0, NULL},
};

/* What a server says of the certificate that it was shown, or was not. */
static const struct reason refusals[] = {
    {SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, "it wants one"},
    {SSL_R_TLSV1_ALERT_UNKNOWN_CA, "it does not know who issued it"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "it has ended"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, "it was revoked"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, "no reason is given"},
    {SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "it is not good"},
    {SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, "it is not of the right kind"},
    {SSL_R_TLSV1_ALERT_ACCESS_DENIED, "it is not let in"},
    {0, NULL},
};

/* NULL: it is not in the table. */
static const char *
find_reason(const struct reason *table, unsigned long code)
{
	while (table->code != 0 && table->code != ERR_GET_REASON(code))
		table++;
	return table->text;
}

static enum tls_result
set_refused(
    struct tls_session *session, const char *reason, struct error *error_r)
{
	if (SSL_get_certificate(session->ssl) == NULL)
		error_set(error_r, FAULT_AUTH,
		    "%s wants a certificate of this machine: set tls_cert and "
		    "tls_key",
		    session->host);
	else
		error_set(error_r, FAULT_AUTH,
		    "%s refuses the certificate in tls_cert: %s", session->host,
		    reason);
	return TLS_FAILED;
}

static enum tls_result
set_protocol_error(struct tls_session *session, struct error *error_r)
{
	unsigned long code = ERR_peek_error();
	const char *known = find_reason(peer_reasons, code);
	const char *refusal = find_reason(refusals, code);
	const char *reason = ERR_reason_error_string(code);

	if (refusal != NULL)
		return set_refused(session, refusal, error_r);
	if (known != NULL && session->upgrade && strcmp(known, NO_TLS) == 0)
		known = NO_UPGRADE;
	if (known != NULL)
		error_set(error_r, FAULT_PEER, "%s %s", session->host, known);
	else
		error_set(error_r, FAULT_PEER, "TLS with %s failed: %s",
		    session->host, reason != NULL ? reason : "no reason given");
	return TLS_FAILED;
}

enum tls_result
tls_set_link_error(
    struct tls_session *session, int number, struct error *error_r)
{
	if (number == 0)
		error_set(error_r, FAULT_RETRY, "%s closed the connection",
		    session->host);
	else
		error_set(error_r, FAULT_RETRY, "connection to %s broke: %s",
		    session->host, strerror(number));
	return TLS_FAILED;
}

enum tls_result
tls_explain(
    struct tls_session *session, int rc, int number, struct error *error_r)
{
	switch (SSL_get_error(session->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		return TLS_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return TLS_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return TLS_EOF;
	case SSL_ERROR_SYSCALL:
		session->broken = true;
		return tls_set_link_error(session, number, error_r);
	default:
		session->broken = true;
		return set_protocol_error(session, error_r);
	}
}
