/*
 * loop/tls: sessions: whom they are with, handshake, bytes, channel bindings.
 */
#include <errno.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/loop/tls_private.h"

#define EXPORTER_SIZE 32 /* RFC 9266 section 2 */
#define LOOPBACK_NET 127

int
tls_session_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	return index;
}

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
	} peer = {0};
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
	    SSL_set_ex_data(session->ssl, tls_session_index(), session) != 1 ||
	    SSL_set_fd(session->ssl, fd) != 1)
		abort();
	if (!set_host(session)) {
		error_set(error_r, FAULT_CONFIG,
		    "\"%s\" is not a name that a certificate can have", host);
		tls_session_free(&session);
		return NULL;
	}
	SSL_set_connect_state(session->ssl);
	tls_resume(session);
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

/* ---- bytes ---- */

enum tls_result
tls_handshake(struct tls_session *session, struct error *error_r)
{
	enum tls_result result;
	int rc;

	if (session->broken)
		return tls_set_link_error(session, 0, error_r);
	ERR_clear_error();
	errno = 0;
	rc = SSL_do_handshake(session->ssl);
	if (rc == 1)
		return tls_check_pin(session, error_r);
	if (session->refused_why != X509_V_OK) {
		session->broken = true;
		return tls_set_untrusted(session, error_r);
	}
	result = tls_explain(session, rc, errno, error_r);
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
		return tls_set_link_error(session, 0, error_r);
	ERR_clear_error();
	errno = 0;
	rc = SSL_read_ex(session->ssl, data, size, len_r);
	return rc == 1 ? TLS_DONE : tls_explain(session, rc, errno, error_r);
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
		return tls_set_link_error(session, 0, error_r);
	ERR_clear_error();
	errno = 0;
	rc = SSL_write_ex(session->ssl, data, len, written_r);
	return rc == 1 ? TLS_DONE : tls_explain(session, rc, errno, error_r);
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

/* ---- what it is ---- */

bool
tls_is_resumed(const struct tls_session *session)
{
	return SSL_session_reused(session->ssl) == 1;
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
