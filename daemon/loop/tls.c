#include "daemon/loop/tls.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "daemon/base/base64.h"
#include "daemon/base/digest.h"
#include "daemon/base/list.h"
#include "daemon/base/str.h"
#include "daemon/base/strv.h"
#include "daemon/base/usec.h"
#include "daemon/base/xalloc.h"

/* 112 bits: RSA 2048, SHA-2. */
#define SECURITY_LEVEL 2
#define NAME_CHARS_MAX 90 /* of a certificate's name in an error */
#define NAMES_SHOWN_MAX 4
#define EXPORTER_SIZE 32 /* RFC 9266 section 2 */
#define PIN_PREFIX "sha256:"

struct kept_session {
	struct list_link link;
	char *peer;	      /* host and port */
	SSL_SESSION *session; /* ours alone: see on_new_session */
};

/*
 * What all policies that trust the same share: a context has 14 KB without
 * its store, and a session resumed by another account of the same server
 * saves as much again, and most of the handshake.
 */
struct trust {
	struct list_link link; /* in `trusts` */
	unsigned references;
	char *key; /* what it was made of: see trust_key */
	SSL_CTX *context;
	struct list_link kept; /* struct kept_session::link, oldest first */
	size_t kept_count;
};

struct tls {
	unsigned references; /* the owner's and one per session */
	struct trust *trust;
	struct strv pins; /* base64 */
};

struct tls_session {
	struct tls *tls;
	SSL *ssl;
	char *host;
	char *peer;    /* key in trust::kept */
	X509 *refused; /* the certificate that verification stumbled over */
	X509 *refused_leaf;
	int refused_why; /* X509_V_ERR_... */
	bool upgrade;	 /* after STARTTLS */
	bool broken;	 /* OpenSSL allows no further call */
	bool loopback;	 /* the other end is on this machine */
	bool wrong_pin;
};

/* The system's trust store has 880 KB and takes 55 ms to parse: one for
 * all. NULL while no struct tls holds it. */
static X509_STORE *system_store;
static unsigned system_store_users;

static struct list_link trusts = {&trusts, &trusts}; /* struct trust::link */

static int session_index = -1; /* SSL -> struct tls_session */

/* Errors. */

static void
add_name(struct buf *buf, X509_NAME *name)
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

/* Host names and addresses that the certificate is for; at most `max`. */
static void
add_names(struct buf *buf, X509 *cert, int max)
{
	GENERAL_NAMES *names =
	    X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	int shown = 0;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type != GEN_DNS && name->type != GEN_IPADD)
			continue;
		if (shown++ == max) {
			buf_add_str(buf, ", …");
			break;
		}
		if (shown > 1)
			buf_add_str(buf, ", ");
		add_general_name(buf, name);
	}
	GENERAL_NAMES_free(names);
}

static int64_t
asn1_to_unix(const ASN1_TIME *when)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(when, &tm) != 1)
		return 0;
	return (int64_t)timegm(&tm);
}

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
	unix_format(buf, asn1_to_unix(X509_get0_notBefore(cert)));
	buf_add_str(buf, " to ");
	unix_format(buf, asn1_to_unix(X509_get0_notAfter(cert)));
	buf_add_str(buf, "; is this machine's clock right? it says ");
	unix_format(buf, (int64_t)time(NULL));
}

static void
hint_names(struct buf *buf, X509 *cert)
{
	BUF_AUTO names = BUF_INIT;

	add_names(&names, cert, NAMES_SHOWN_MAX);
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

/* The certificate was refused: who, by whom, why, and what to do. */
static enum tls_result
set_untrusted(
    struct tls_session *session, int why, X509 *cert, struct error *error_r)
{
	BUF_AUTO text = BUF_INIT;

	buf_addf(&text, "certificate of %s cannot be trusted: %s",
	    session->host, X509_verify_cert_error_string(why));
	if (cert != NULL) {
		buf_add_str(&text, " (subject \"");
		add_name(&text, X509_get_subject_name(cert));
		buf_add_str(&text, "\", issuer \"");
		add_name(&text, X509_get_issuer_name(cert));
		buf_add_str(&text, "\")");
		find_trust_hint(why)->add(&text, cert);
	}
	error_set(error_r, FAULT_AUTH, "%s", buf_str(&text));
	return TLS_FAILED;
}

#define NO_TLS "does not speak TLS on this port: is it a STARTTLS port?"
#define NO_UPGRADE                                                             \
	"went on in plaintext after STARTTLS: a broken server, or someone "    \
	"in between"
#define OLD_TLS "offers no TLS version that is allowed here (1.2 at least)"
#define NO_CIPHER "refused every cipher and key type offered"

/* What a failed handshake means, by OpenSSL's reason. */
static const struct {
	int reason;
	const char *text;
} peer_reasons[] = {
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

static const char *
find_peer_reason(unsigned long code)
{
	size_t i = 0;

	while (peer_reasons[i].reason != 0 &&
	       peer_reasons[i].reason != ERR_GET_REASON(code))
		i++;
	return peer_reasons[i].text;
}

/* What a server says of the certificate that it was shown, or was not. */
static const struct {
	int reason;
	const char *text;
} refusals[] = {
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

static const char *
find_refusal(unsigned long code)
{
	size_t i = 0;

	while (refusals[i].reason != 0 &&
	       refusals[i].reason != ERR_GET_REASON(code))
		i++;
	return refusals[i].text;
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
	const char *known = find_peer_reason(code);
	const char *reason = ERR_reason_error_string(code);

	if (find_refusal(code) != NULL)
		return set_refused(session, find_refusal(code), error_r);
	if (known != NULL && session->upgrade && strcmp(known, NO_TLS) == 0)
		known = NO_UPGRADE;
	if (known != NULL)
		error_set(error_r, FAULT_PEER, "%s %s", session->host, known);
	else
		error_set(error_r, FAULT_PEER, "TLS with %s failed: %s",
		    session->host, reason != NULL ? reason : "no reason given");
	return TLS_FAILED;
}

static enum tls_result
set_link_error(struct tls_session *session, int number, struct error *error_r)
{
	if (number == 0)
		error_set(error_r, FAULT_RETRY, "%s closed the connection",
		    session->host);
	else
		error_set(error_r, FAULT_RETRY, "connection to %s broke: %s",
		    session->host, strerror(number));
	return TLS_FAILED;
}

/* The result of an SSL_... call that returned `rc` <= 0. `number` is errno
 * as the call left it. */
static enum tls_result
explain(struct tls_session *session, int rc, int number, struct error *error_r)
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
		return set_link_error(session, number, error_r);
	default:
		session->broken = true;
		return set_protocol_error(session, error_r);
	}
}

/* The trust store. */

static bool
directory_has_files(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry = NULL;

	if (dir == NULL)
		return false;
	while ((entry = readdir(dir)) != NULL && entry->d_name[0] == '.')
		continue;
	closedir(dir);
	return entry != NULL;
}

static const char *
environment_or(const char *name, const char *otherwise)
{
	const char *value = secure_getenv(name);

	return value != NULL ? value : otherwise;
}

/* A store that trusts nobody would fail every login with a strange text. */
static bool
store_is_empty(X509_STORE *store)
{
	const char *dir = environment_or(
	    X509_get_default_cert_dir_env(), X509_get_default_cert_dir());

	return sk_X509_OBJECT_num(X509_STORE_get0_objects(store)) == 0 &&
	       !directory_has_files(dir);
}

static bool
system_store_hold(struct error *error_r)
{
	X509_STORE *store;

	if (system_store_users > 0) {
		system_store_users++;
		return true;
	}
	store = X509_STORE_new();
	if (store == NULL)
		abort();
	if (X509_STORE_set_default_paths(store) != 1 || store_is_empty(store)) {
		X509_STORE_free(store);
		ERR_clear_error();
		return error_set(error_r, FAULT_CONFIG,
		    "this system has no trusted certificates (%s is empty): "
		    "install ca-certificates or set tls_ca_file",
		    X509_get_default_cert_dir());
	}
	system_store = store;
	system_store_users = 1;
	return true;
}

static void
system_store_drop(void)
{
	if (--system_store_users > 0)
		return;
	X509_STORE_free(system_store);
	system_store = NULL;
}

static bool
load_ca_file(SSL_CTX *context, const char *ca_file, struct error *error_r)
{
	X509_STORE *store = SSL_CTX_get_cert_store(context);

	errno = 0;
	if (X509_STORE_load_file(store, ca_file) != 1) {
		error_set(error_r, FAULT_CONFIG, "tls_ca_file %s: %s", ca_file,
		    errno == ENOENT || errno == EACCES
			? strerror(errno)
			: "holds no certificate in PEM form");
		ERR_clear_error();
		return false;
	}
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	return true;
}

/* Sessions to resume. */

static void
kept_session_free(struct trust *trust, struct kept_session *kept)
{
	list_remove(&kept->link);
	trust->kept_count--;
	SSL_SESSION_free(kept->session);
	free(kept->peer);
	free(kept);
}

static struct kept_session *
find_kept(struct trust *trust, const char *peer)
{
	LIST_EACH(link, &trust->kept)
	{
		struct kept_session *kept =
		    LIST_ITEM(link, struct kept_session, link);

		if (strcmp(kept->peer, peer) == 0)
			return kept;
	}
	return NULL;
}

/*
 * Keeps a copy, not the session itself: OpenSSL marks a session as not
 * resumable when its connection ends without close_notify, which most mail
 * servers do. One that a pin alone made good is not kept: who resumes it may
 * have no pin.
 */
static int
on_new_session(SSL *ssl, SSL_SESSION *ssl_session)
{
	struct tls_session *session = SSL_get_ex_data(ssl, session_index);
	struct trust *trust = session->tls->trust;
	struct kept_session *kept = find_kept(trust, session->peer);
	SSL_SESSION *copy = session->refused_why == X509_V_OK
				? SSL_SESSION_dup(ssl_session)
				: NULL;

	if (copy == NULL)
		return 0;
	if (kept != NULL)
		kept_session_free(trust, kept);
	else if (trust->kept_count == TLS_SESSIONS_MAX)
		kept_session_free(trust,
		    LIST_ITEM(trust->kept.next, struct kept_session, link));
	kept = NEW(struct kept_session);
	kept->peer = xstrdup(session->peer);
	kept->session = copy;
	list_add(&trust->kept, &kept->link);
	trust->kept_count++;
	return 0;
}

/* A resumed handshake shows no certificate; the one of the first must still
 * be in time. */
static bool
can_resume(const struct kept_session *kept)
{
	X509 *cert = SSL_SESSION_get0_peer(kept->session);

	return SSL_SESSION_is_resumable(kept->session) && cert != NULL &&
	       X509_cmp_current_time(X509_get0_notAfter(cert)) > 0;
}

static void
resume(struct tls_session *session)
{
	struct trust *trust = session->tls->trust;
	struct kept_session *kept = find_kept(trust, session->peer);
	SSL_SESSION *copy;

	if (kept == NULL)
		return;
	if (!can_resume(kept)) {
		kept_session_free(trust, kept);
		return;
	}
	/* A TLS 1.3 session is marked as used up by its first use; the copy
	 * is used, the original stays good until a newer ticket comes. */
	copy = SSL_SESSION_dup(kept->session);
	if (copy == NULL)
		return;
	SSL_set_session(session->ssl, copy);
	SSL_SESSION_free(copy);
}

/* Verification. */

/* On this machine a pin stands for all other checks: see the header. */
static bool
trusts_pin(const struct tls_session *session)
{
	return session->loopback && session->tls->pins.len > 0;
}

/* Remembers what it stumbled over, for the error text. Overrides only where
 * check_pin will have the last word. */
static int
on_verify(int ok, X509_STORE_CTX *store_context)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(
	    store_context, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_session *session = SSL_get_ex_data(ssl, session_index);
	X509 *cert = X509_STORE_CTX_get_current_cert(store_context);

	if (ok || session->refused_why != X509_V_OK)
		return ok || trusts_pin(session);
	session->refused_why = X509_STORE_CTX_get_error(store_context);
	if (cert == NULL)
		cert = X509_STORE_CTX_get0_cert(store_context);
	if (cert != NULL && X509_up_ref(cert) == 1)
		session->refused = cert;
	cert = X509_STORE_CTX_get0_cert(store_context);
	if (cert != NULL && X509_up_ref(cert) == 1)
		session->refused_leaf = cert;
	return trusts_pin(session);
}

/* RFC 7469 section 2.4: the digest of the DER of SubjectPublicKeyInfo. */
static void
add_pin(struct buf *buf, X509 *cert)
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

static enum tls_result
check_pin(struct tls_session *session, struct error *error_r)
{
	X509 *cert = SSL_get0_peer_certificate(session->ssl);
	BUF_AUTO pin = BUF_INIT;

	if (session->tls->pins.len == 0)
		return TLS_DONE;
	if (cert != NULL)
		add_pin(&pin, cert);
	if (strv_has(&session->tls->pins, buf_str(&pin)))
		return TLS_DONE;
	session->wrong_pin = true;
	error_set(error_r, FAULT_AUTH,
	    "the key of %s is " PIN_PREFIX "%s, but tls_pin wants " PIN_PREFIX
	    "%s: if the server changed its key, change tls_pin",
	    session->host, buf_str(&pin), session->tls->pins.items[0]);
	return TLS_FAILED;
}

/* The policy. */

static bool
set_versions(SSL_CTX *context, const char *min_version, struct error *error_r)
{
	int version = TLS1_2_VERSION;

	if (min_version != NULL && strcmp(min_version, "1.3") == 0)
		version = TLS1_3_VERSION;
	else if (min_version != NULL && strcmp(min_version, "1.2") != 0)
		return error_set(error_r, FAULT_CONFIG,
		    "tls_min is \"1.2\" or \"1.3\", not \"%s\"", min_version);
	if (SSL_CTX_set_min_proto_version(context, version) != 1)
		return error_set(error_r, FAULT_CONFIG,
		    "this OpenSSL cannot do the TLS version asked for");
	return true;
}

static SSL_CTX *
context_new(void)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	if (context == NULL)
		abort();
	if (session_index < 0)
		session_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION |
					 SSL_OP_NO_COMPRESSION |
					 SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS |
				      SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* A record's head and body, or several records, by one read. */
	SSL_CTX_set_read_ahead(context, 1);
	SSL_CTX_set_security_level(context, SECURITY_LEVEL);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, on_verify);
	SSL_CTX_set_verify_depth(context, TLS_DEPTH_MAX);
	SSL_CTX_set_session_cache_mode(
	    context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(context, on_new_session);
	return context;
}

/* The same path may hold another file tomorrow. */
static bool
add_file_key(struct buf *key, const char *path)
{
	struct stat file = {0};

	if (path != NULL && stat(path, &file) != 0)
		return false;
	buf_addf(key, " %llu %llu %lld %lld.%09ld %zu %s",
	    (unsigned long long)file.st_dev, (unsigned long long)file.st_ino,
	    (long long)file.st_size, (long long)file.st_mtim.tv_sec,
	    file.st_mtim.tv_nsec, path != NULL ? strlen(path) : 0,
	    path != NULL ? path : "");
	return true;
}

/* NULL: of one file it is not known. */
static char *
trust_key(const struct tls_policy *policy)
{
	BUF_AUTO key = BUF_INIT;

	if (policy->min_version != NULL)
		buf_add_str(&key, policy->min_version);
	if (!add_file_key(&key, policy->ca_file) ||
	    !add_file_key(&key, policy->cert_file) ||
	    !add_file_key(&key, policy->key_file))
		return NULL;
	return buf_take_str(&key);
}

static struct trust *
find_trust(const char *key)
{
	LIST_EACH(link, &trusts)
	{
		struct trust *trust = LIST_ITEM(link, struct trust, link);

		if (key != NULL && trust->key != NULL &&
		    strcmp(trust->key, key) == 0)
			return trust;
	}
	return NULL;
}

static void
trust_drop(struct trust *trust)
{
	if (--trust->references > 0)
		return;
	LIST_EACH(link, &trust->kept)
	kept_session_free(trust, LIST_ITEM(link, struct kept_session, link));
	if (system_store != NULL &&
	    SSL_CTX_get_cert_store(trust->context) == system_store)
		system_store_drop();
	SSL_CTX_free(trust->context);
	list_remove(&trust->link);
	free(trust->key);
	free(trust);
}

static void
tls_drop(struct tls *tls)
{
	if (--tls->references > 0)
		return;
	trust_drop(tls->trust);
	strv_done(&tls->pins);
	free(tls);
}

static bool
set_trust(SSL_CTX *context, const char *ca_file, struct error *error_r)
{
	if (ca_file != NULL)
		return load_ca_file(context, ca_file, error_r);
	if (!system_store_hold(error_r))
		return false;
	SSL_CTX_set1_cert_store(context, system_store);
	return true;
}

/* Our own certificate. */

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

static bool
load_own(
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

static struct trust *
trust_hold(const struct tls_policy *policy, struct error *error_r)
{
	STR_AUTO key = trust_key(policy);
	struct trust *trust = find_trust(key);

	if (trust != NULL) {
		trust->references++;
		return trust;
	}
	trust = NEW(struct trust);
	trust->references = 1;
	trust->context = context_new();
	trust->key = key != NULL ? xstrdup(key) : NULL;
	list_init(&trust->kept);
	list_add(&trusts, &trust->link);
	if (set_versions(trust->context, policy->min_version, error_r) &&
	    set_trust(trust->context, policy->ca_file, error_r) &&
	    load_own(trust->context, policy, error_r))
		return trust;
	trust_drop(trust);
	return NULL;
}

struct tls *
tls_new(const char *ca_file, const char *min_version, struct error *error_r)
{
	const struct tls_policy policy = {
	    .ca_file = ca_file, .min_version = min_version};

	return tls_new_as(&policy, error_r);
}

struct tls *
tls_new_as(const struct tls_policy *policy, struct error *error_r)
{
	struct trust *trust = trust_hold(policy, error_r);
	struct tls *tls;

	if (trust == NULL)
		return NULL;
	tls = NEW(struct tls);
	tls->references = 1;
	tls->trust = trust;
	return tls;
}

void
tls_get_own_validity(
    const struct tls *tls, int64_t *from_unix_r, int64_t *until_unix_r)
{
	X509 *cert = SSL_CTX_get0_certificate(tls->trust->context);

	*from_unix_r = *until_unix_r = 0;
	if (cert == NULL)
		return;
	*from_unix_r = asn1_to_unix(X509_get0_notBefore(cert));
	*until_unix_r = asn1_to_unix(X509_get0_notAfter(cert));
}

void
tls_free(struct tls **tls)
{
	if (*tls == NULL)
		return;
	tls_drop(*tls);
	*tls = NULL;
}

bool
tls_add_pin(struct tls *tls, const char *pin, struct error *error_r)
{
	BUF_AUTO digest = BUF_INIT;
	struct span text = span_from_str(pin);

	if (!span_starts(text, PIN_PREFIX) ||
	    !base64_decode(&digest, span_skip(text, sizeof(PIN_PREFIX) - 1)) ||
	    digest.len != DIGEST_SIZE)
		return error_set(error_r, FAULT_CONFIG,
		    "tls_pin is " PIN_PREFIX "and 44 characters of base64, "
		    "as the message of another key names it");
	if (tls->pins.len == TLS_PINS_MAX)
		return error_set(error_r, FAULT_CONFIG,
		    "tls_pin holds at most %d keys", TLS_PINS_MAX);
	strv_add_span(&tls->pins, span_skip(text, sizeof(PIN_PREFIX) - 1));
	return true;
}

/* Sessions. */

#define LOOPBACK_NET 127

/* The port, and whether the address is one of this machine's own. Sockets
 * that are no network's are in tests. */
static unsigned
look_at_peer(int fd, bool *is_loopback_r)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_storage storage;
	} peer;
	socklen_t len = sizeof(peer);

	*is_loopback_r = false;
	if (getpeername(fd, &peer.any, &len) != 0)
		return 0;
	if (peer.any.sa_family == AF_INET) {
		*is_loopback_r =
		    ntohl(peer.in.sin_addr.s_addr) >> 24 == LOOPBACK_NET;
		return ntohs(peer.in.sin_port);
	}
	if (peer.any.sa_family == AF_INET6) {
		*is_loopback_r = IN6_IS_ADDR_LOOPBACK(&peer.in6.sin6_addr);
		return ntohs(peer.in6.sin6_port);
	}
	return 0;
}

/* A name of RFC 9525: ASCII (A-labels), no NUL, not empty. */
static bool
host_is_valid(struct span host)
{
	for (size_t i = 0; i < host.len; i++)
		if (!char_is_alnum(host.data[i]) &&
		    strchr("-._:", host.data[i]) == NULL)
			return false;
	return host.len > 0;
}

/* Whom the certificate must be for. An address has no SNI (RFC 6066). */
static bool
set_host(struct tls_session *session)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(session->ssl);

	X509_VERIFY_PARAM_set_hostflags(
	    param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
		       X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (X509_VERIFY_PARAM_set1_ip_asc(param, session->host) == 1)
		return true;
	ERR_clear_error();
	return X509_VERIFY_PARAM_set1_host(
		   param, session->host, strlen(session->host)) == 1 &&
	       SSL_set_tlsext_host_name(session->ssl, session->host) == 1;
}

struct tls_session *
tls_session_new(
    struct tls *tls, int fd, const char *host, struct error *error_r)
{
	struct span name = span_from_str(host);
	struct tls_session *session;

	if (name.len > 1 && name.data[name.len - 1] == '.')
		name = span_slice(name, 0, name.len - 1);
	if (!host_is_valid(name)) {
		error_set(error_r, FAULT_CONFIG,
		    "the server's name has a character that no host name has: "
		    "write international names in their xn-- form");
		return NULL;
	}
	session = NEW(struct tls_session);
	session->tls = tls;
	tls->references++;
	session->host = xstrdup_span(name);
	session->peer = xasprintf(
	    "%s %u", session->host, look_at_peer(fd, &session->loopback));
	session->ssl = SSL_new(tls->trust->context);
	if (session->ssl == NULL ||
	    SSL_set_ex_data(session->ssl, session_index, session) != 1 ||
	    SSL_set_fd(session->ssl, fd) != 1)
		abort();
	if (!set_host(session)) {
		error_set(error_r, FAULT_CONFIG,
		    "\"%s\" is not a name that a certificate can have", host);
		tls_session_free(&session);
		return NULL;
	}
	SSL_set_connect_state(session->ssl);
	resume(session);
	return session;
}

void
tls_session_set_upgrade(struct tls_session *session)
{
	session->upgrade = true;
}

void
tls_session_free(struct tls_session **session_ptr)
{
	struct tls_session *session = *session_ptr;

	if (session == NULL)
		return;
	SSL_free(session->ssl);
	X509_free(session->refused);
	X509_free(session->refused_leaf);
	tls_drop(session->tls);
	free(session->host);
	free(session->peer);
	free(session);
	*session_ptr = NULL;
}

enum tls_result
tls_handshake(struct tls_session *session, struct error *error_r)
{
	enum tls_result result;
	int rc;

	if (session->broken)
		return set_link_error(session, 0, error_r);
	ERR_clear_error();
	errno = 0;
	rc = SSL_do_handshake(session->ssl);
	if (rc == 1)
		return check_pin(session, error_r);
	if (session->refused_why != X509_V_OK) {
		session->broken = true;
		return set_untrusted(
		    session, session->refused_why, session->refused, error_r);
	}
	result = explain(session, rc, errno, error_r);
	if (result != TLS_EOF && !(result == TLS_FAILED && error_r != NULL &&
				     error_r->fault == FAULT_RETRY))
		return result;
	if (result == TLS_EOF)
		error_set(error_r, FAULT_RETRY, "%s closed the connection",
		    session->host);
	error_prefix(error_r, "TLS handshake");
	session->broken = true;
	return TLS_FAILED;
}

enum tls_result
tls_read(struct tls_session *session, void *data, size_t size, size_t *len_r,
    struct error *error_r)
{
	int rc;

	if (session->broken)
		return set_link_error(session, 0, error_r);
	ERR_clear_error();
	errno = 0;
	rc = SSL_read_ex(session->ssl, data, size, len_r);
	return rc == 1 ? TLS_DONE : explain(session, rc, errno, error_r);
}

bool
tls_has_pending(const struct tls_session *session)
{
	return SSL_has_pending(session->ssl) == 1;
}

enum tls_result
tls_write(struct tls_session *session, const void *data, size_t len,
    size_t *written_r, struct error *error_r)
{
	int rc;

	if (session->broken)
		return set_link_error(session, 0, error_r);
	ERR_clear_error();
	errno = 0;
	rc = SSL_write_ex(session->ssl, data, len, written_r);
	return rc == 1 ? TLS_DONE : explain(session, rc, errno, error_r);
}

void
tls_close(struct tls_session *session)
{
	if (session->broken || !SSL_is_init_finished(session->ssl))
		return;
	ERR_clear_error();
	SSL_shutdown(session->ssl);
	ERR_clear_error();
}

bool
tls_is_resumed(const struct tls_session *session)
{
	return SSL_session_reused(session->ssl) == 1;
}

void
tls_get_validity(const struct tls_session *session, int64_t *from_unix_r,
    int64_t *until_unix_r)
{
	X509 *cert = SSL_get0_peer_certificate(session->ssl);

	*from_unix_r = *until_unix_r = 0;
	if (cert == NULL)
		return;
	*from_unix_r = asn1_to_unix(X509_get0_notBefore(cert));
	*until_unix_r = asn1_to_unix(X509_get0_notAfter(cert));
}

bool
tls_ends_soon(int64_t from_unix, int64_t until_unix, int64_t now_unix)
{
	int64_t third = (until_unix - from_unix) / 3;

	return until_unix - now_unix <
	       (third < TLS_EXPIRY_SEC ? third : TLS_EXPIRY_SEC);
}

/* The first Finished of the handshake: the client's, but in a resumed one. */
static size_t
unique_binding(const struct tls_session *session,
    unsigned char data_r[static TLS_BINDING_MAX])
{
	/* TLS 1.3 binds the whole handshake by itself. */
	if (SSL_version(session->ssl) < TLS1_3_VERSION &&
	    SSL_get_extms_support(session->ssl) != 1)
		return 0;
	return tls_is_resumed(session)
		   ? SSL_get_peer_finished(
			 session->ssl, data_r, TLS_BINDING_MAX)
		   : SSL_get_finished(session->ssl, data_r, TLS_BINDING_MAX);
}

size_t
tls_binding(const struct tls_session *session,
    unsigned char data_r[static TLS_BINDING_MAX], const char **name_r)
{
	static const char label[] = "EXPORTER-Channel-Binding";

	if (SSL_version(session->ssl) < TLS1_3_VERSION) {
		*name_r = "tls-unique";
		return unique_binding(session, data_r);
	}
	*name_r = "tls-exporter";
	return SSL_export_keying_material(session->ssl, data_r, EXPORTER_SIZE,
		   label, sizeof(label) - 1, NULL, 0, 1) == 1
		   ? EXPORTER_SIZE
		   : 0;
}

size_t
tls_other_binding(const struct tls_session *session,
    unsigned char data_r[static TLS_BINDING_MAX], const char **name_r)
{
	if (SSL_version(session->ssl) < TLS1_3_VERSION)
		return 0;
	*name_r = "tls-unique";
	return unique_binding(session, data_r);
}

void
tls_describe(struct tls_session *session, struct buf *buf)
{
	buf_addf(buf, "%s %s%s", SSL_get_version(session->ssl),
	    SSL_get_cipher_name(session->ssl),
	    tls_is_resumed(session) ? ", resumed" : "");
}

static enum tls_flaw
flaw_of(const struct tls_session *session)
{
	if (session->wrong_pin)
		return TLS_FLAW_WRONG_PIN;
	if (session->refused_why == X509_V_OK || trusts_pin(session))
		return TLS_FLAW_NONE;
	return find_trust_hint(session->refused_why)->flaw;
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
	add_name(&peer.subject, X509_get_subject_name(cert));
	add_name(&peer.issuer, X509_get_issuer_name(cert));
	add_names(&peer.names, cert, NAMES_SHOWN_MAX);
	buf_add_str(&peer.pin, PIN_PREFIX);
	add_pin(&peer.pin, cert);
	peer.not_before_unix = asn1_to_unix(X509_get0_notBefore(cert));
	peer.not_after_unix = asn1_to_unix(X509_get0_notAfter(cert));
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
