/*
 * loop/tls: the door to OpenSSL.
 *
 * TLS 1.2 at least; the chain is verified and the host name too (RFC 9525:
 * subjectAltName only, no partial wildcards; an IP address against
 * iPAddress); SNI; no renegotiation, no compression, no early data; sessions
 * are resumed (SSL_SESSION_dup) per host and port;
 * SSL_MODE_RELEASE_BUFFERS; one shared trust store for all without their own
 * CA file. Policies with the same files (or none) and the same oldest version
 * share all but their pins, the sessions to resume included; so a session in
 * which somebody showed a certificate is resumed by nobody else. Nothing here
 * can switch verification off. On loopback alone, where programs such as mail
 * bridges make their own certificates, a pinned key is trusted for what it is:
 * chain, name and dates do not count there.
 *
 * OpenSSL writes with write(2): the process must ignore SIGPIPE, which
 * loop_new sees to. All calls from one thread.
 */
#ifndef BELFRY_LOOP_TLS_H
#define BELFRY_LOOP_TLS_H

#include "daemon/base/buf.h"
#include "daemon/base/error.h"

/* Certificates between the server's own and the root. */
#define TLS_DEPTH_MAX 10
/* Hosts and ports whose last session is kept, per CA file; the oldest
 * goes. */
#define TLS_SESSIONS_MAX 64
/* Pins of one account: the key in use and those it may change to. */
#define TLS_PINS_MAX 8

struct tls; /* a policy: whom to trust, for one account */
struct tls_session;

/* `ca_file` NULL: the system's store. `ca_file` replaces it for this
 * account; what it names is trusted as it stands, so that it may hold a
 * self-signed server certificate. `min_version` "1.2" or "1.3", NULL: 1.2.
 * Fails with FAULT_CONFIG. */
struct tls *tls_new(
    const char *ca_file, const char *min_version, struct error *error_r);
struct tls_policy {
	const char *ca_file, *min_version; /* as above */
	/* The certificate that the server is shown when it asks for one, and
	 * what stands between it and its root; its key: PEM. NULL: none. */
	const char *cert_file, *key_file;
};
/* As tls_new. FAULT_CONFIG also where the key is locked by a password, or not
 * the certificate's. */
struct tls *tls_new_as(const struct tls_policy *policy, struct error *error_r);
/* From when and until when the certificate is valid that is shown; 0 and 0:
 * there is none. */
void tls_get_own_validity(
    const struct tls *tls, int64_t *from_unix_r, int64_t *until_unix_r);
/* Sessions may still be open; they keep what they need. */
void tls_free(struct tls **tls);
/*
 * Accepts only servers whose public key has this digest, on top of all other
 * checks, and on loopback instead of them. `pin` is "sha256:" and the base64 of
 * the SHA-256 of the SubjectPublicKeyInfo (RFC 7469 section 2.4), as
 * tls_peer_get gives it; several calls allow several keys. FAULT_CONFIG for
 * anything else.
 */
bool tls_add_pin(struct tls *tls, const char *pin, struct error *error_r);

/* Borrows `fd` until freed. `host` is a name (ASCII; a final dot is cut) or
 * an IP address; copied. */
struct tls_session *tls_session_new(
    struct tls *tls, int fd, const char *host, struct error *error_r);
/* The handshake follows plaintext on the same socket (STARTTLS): "is it a
 * STARTTLS port?" would be the wrong hint. */
void tls_session_set_upgrade(struct tls_session *session);
void tls_session_free(struct tls_session **session);

enum tls_result {
	TLS_DONE,
	TLS_WANT_READ,
	TLS_WANT_WRITE,
	TLS_EOF,
	TLS_FAILED
};
/* TLS_FAILED sets error_r: FAULT_AUTH for a certificate that cannot be
 * trusted (subject, issuer, reason, what to do), or when the server refuses
 * ours (with TLS 1.3 known only by the first tls_read), FAULT_RETRY for a
 * broken link, FAULT_PEER for no TLS at all or none that is good enough. Not
 * TLS_EOF: an end inside the handshake is FAULT_RETRY. */
enum tls_result tls_handshake(
    struct tls_session *session, struct error *error_r);
/* TLS_EOF: the other side closed, with close_notify or without: protocols
 * with an end of their own (LOGOUT, QUIT) do not need it. */
enum tls_result tls_read(struct tls_session *session, void *data, size_t size,
    size_t *len_r, struct error *error_r);
/* Whether tls_read has something to begin with; if not, and only then, the
 * descriptor tells when there is. */
bool tls_has_pending(const struct tls_session *session);
/* May write less than `len`. After TLS_WANT_... call again with bytes that
 * begin with the same ones; they may lie elsewhere. */
enum tls_result tls_write(struct tls_session *session, const void *data,
    size_t len, size_t *written_r, struct error *error_r);
/* close_notify, best effort. */
void tls_close(struct tls_session *session);
bool tls_is_resumed(const struct tls_session *session);
/* From when and until when the server's certificate is valid; 0 and 0: not
 * known. */
void tls_get_validity(const struct tls_session *session, int64_t *from_unix_r,
    int64_t *until_unix_r);
/* Within TLS_EXPIRY_SEC; of one that lives shortly by design, within a third of
 * its life, as those are renewed late. */
#define TLS_EXPIRY_SEC (14 * 24 * 60 * 60)
bool tls_ends_soon(int64_t from_unix, int64_t until_unix, int64_t now_unix);
/*
 * The channel binding (RFC 5056) of this connection: "tls-exporter" (RFC 9266)
 * with TLS 1.3, "tls-unique" (RFC 5929) before it. `name_r` is static. 0: there
 * is none that could be trusted, as with TLS 1.2 without the extended master
 * secret (RFC 7627).
 */
#define TLS_BINDING_MAX 64
size_t tls_binding(const struct tls_session *session,
    unsigned char data_r[static TLS_BINDING_MAX], const char **name_r);
/* With TLS 1.3 "tls-unique" all the same, for servers that know nothing else
 * (Cyrus 3.6): RFC 9266 has left it undefined there, and it still is the
 * Finished message of this handshake alone. 0: there is no other. */
size_t tls_other_binding(const struct tls_session *session,
    unsigned char data_r[static TLS_BINDING_MAX], const char **name_r);
/* "TLSv1.3 TLS_AES_256_GCM_SHA384, resumed": for logs. */
void tls_describe(struct tls_session *session, struct buf *buf);

/* Why a certificate was refused. */
enum tls_flaw {
	TLS_FLAW_NONE,
	TLS_FLAW_SELF_SIGNED,
	TLS_FLAW_UNKNOWN_ISSUER,
	TLS_FLAW_EXPIRED,
	TLS_FLAW_NOT_YET_VALID,
	TLS_FLAW_WRONG_NAME,
	TLS_FLAW_WRONG_PIN,
	TLS_FLAW_OTHER,
};

/* What the server's certificate says, sanitised; for `doctor`. */
struct tls_peer {
	struct buf subject, issuer; /* owned, see tls_peer_done */
	struct buf names;	    /* subjectAltName, joined by ", " */
	struct buf pin;		    /* as tls_add_pin takes it */
	int64_t not_before_unix, not_after_unix;
	enum tls_flaw flaw;
	bool is_loopback; /* the address at the other end */
};
/* False before the handshake is done. Also after one that failed because of
 * the certificate. */
bool tls_peer_get(const struct tls_session *session, struct tls_peer *peer_r);
void tls_peer_done(struct tls_peer *peer);

#endif
