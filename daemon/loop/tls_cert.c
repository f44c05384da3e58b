/*
 * loop/tls: what a certificate says.
 */
#include <openssl/x509v3.h>
#include <time.h>

#include "daemon/base/base64.h"
#include "daemon/base/digest.h"
#include "daemon/base/str.h"
#include "daemon/base/usec.h"
#include "daemon/loop/tls_private.h"

#define NAME_CHARS_MAX 90 /* of a certificate's name in an error */

void
tls_cert_add_name(struct buf *buf, X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	if (bio == NULL)
		abort();
	X509_NAME_print_ex(bio, name, 0,
	    XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
	len = BIO_get_mem_data(bio, &text);
	str_sanitize(
	    buf, span_from(text, len > 0 ? (size_t)len : 0), NAME_CHARS_MAX);
	BIO_free(bio);
}

static void
add_general_name(struct buf *buf, const GENERAL_NAME *name)
{
	const unsigned char *data;
	int len;

	if (name->type == GEN_DNS) {
		data = ASN1_STRING_get0_data(name->d.dNSName);
		len = ASN1_STRING_length(name->d.dNSName);
		str_sanitize(buf, span_from(data, (size_t)len), NAME_CHARS_MAX);
	} else if (name->type == GEN_IPADD) {
		data = ASN1_STRING_get0_data(name->d.iPAddress);
		len = ASN1_STRING_length(name->d.iPAddress);
		if (len == 4)
			buf_addf(buf, "%u.%u.%u.%u", data[0], data[1], data[2],
			    data[3]);
		else
			for (int i = 0; i < len && i < 16; i += 2)
				buf_addf(buf, "%s%x", i > 0 ? ":" : "",
				    (unsigned)(data[i] << 8 | data[i + 1]));
	}
}

void
tls_cert_add_names(struct buf *buf, X509 *cert)
{
	GENERAL_NAMES *names =
	    X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	int shown = 0;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type != GEN_DNS && name->type != GEN_IPADD)
			continue;
		if (shown++ == TLS_NAMES_SHOWN_MAX) {
			buf_add_str(buf, ", …");
			break;
		}
		if (shown > 1)
			buf_add_str(buf, ", ");
		add_general_name(buf, name);
	}
	GENERAL_NAMES_free(names);
}

int64_t
tls_cert_unix(const ASN1_TIME *when)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(when, &tm) != 1)
		return 0;
	return (int64_t)timegm(&tm);
}

/* RFC 7469 section 2.4: the digest of the DER of SubjectPublicKeyInfo. */
void
tls_cert_add_pin(struct buf *buf, X509 *cert)
{
	unsigned char *der = NULL;
	unsigned char digest[DIGEST_SIZE];
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	struct span piece;

	if (len < 0)
		return;
	piece = span_from(der, (size_t)len);
	digest_sha256(&piece, 1, digest);
	base64_encode(buf, span_from(digest, sizeof(digest)));
	OPENSSL_free(der);
}

/* ---- its time ---- */

static void
get_validity(X509 *cert, int64_t *from_unix_r, int64_t *until_unix_r)
{
	*from_unix_r = *until_unix_r = 0;
	if (cert == NULL)
		return;
	*from_unix_r = tls_cert_unix(X509_get0_notBefore(cert));
	*until_unix_r = tls_cert_unix(X509_get0_notAfter(cert));
}

void
tls_get_own_validity(
    const struct tls *tls, int64_t *from_unix_r, int64_t *until_unix_r)
{
	get_validity(SSL_CTX_get0_certificate(tls->trust->context), from_unix_r,
	    until_unix_r);
}

void
tls_get_validity(const struct tls_session *session, int64_t *from_unix_r,
    int64_t *until_unix_r)
{
	get_validity(
	    SSL_get0_peer_certificate(session->ssl), from_unix_r, until_unix_r);
}

bool
tls_ends_soon(int64_t from_unix, int64_t until_unix, int64_t now_unix)
{
	int64_t third = (until_unix - from_unix) / 3;

	return until_unix - now_unix <
	       (third < TLS_EXPIRY_SEC ? third : TLS_EXPIRY_SEC);
}

/* ---- all of it, for a person ---- */

static enum tls_flaw
flaw_of(const struct tls_session *session)
{
	if (session->wrong_pin)
		return TLS_FLAW_WRONG_PIN;
	if (session->refused_why == X509_V_OK || tls_trusts_pin(session))
		return TLS_FLAW_NONE;
	return tls_flaw_of(session->refused_why);
}

bool
tls_peer_get(const struct tls_session *session, struct tls_peer *peer_r)
{
	X509 *cert = SSL_get0_peer_certificate(session->ssl);
	struct tls_peer peer = {.is_loopback = session->loopback};

	if (cert == NULL)
		cert = session->refused_leaf;
	if (cert == NULL)
		return false;
	tls_cert_add_name(&peer.subject, X509_get_subject_name(cert));
	tls_cert_add_name(&peer.issuer, X509_get_issuer_name(cert));
	tls_cert_add_names(&peer.names, cert);
	buf_add_str(&peer.pin, TLS_PIN_PREFIX);
	tls_cert_add_pin(&peer.pin, cert);
	peer.not_before_unix = tls_cert_unix(X509_get0_notBefore(cert));
	peer.not_after_unix = tls_cert_unix(X509_get0_notAfter(cert));
	peer.flaw = flaw_of(session);
	*peer_r = peer;
	return true;
}

void
tls_peer_done(struct tls_peer *peer)
{
	buf_done(&peer->subject);
	buf_done(&peer->issuer);
	buf_done(&peer->names);
	buf_done(&peer->pin);
}
