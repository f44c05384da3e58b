/*
 * loop/tls, inside: what its parts share. tls.c (sessions), tls_policy.c (what
 * an account wants), tls_store.c (whom to trust), tls_own.c (our certificate),
 * tls_verify.c (the server's, and pins), tls_cert.c (what it says),
 * tls_resume.c (sessions that are kept), tls_error.c (words). These are the
 * door to OpenSSL: nobody else includes this.
 */
#ifndef BELFRY_LOOP_TLS_PRIVATE_H
#define BELFRY_LOOP_TLS_PRIVATE_H

#include <openssl/ssl.h>

#include "daemon/base/list.h"
#include "daemon/base/strv.h"
#include "daemon/loop/tls.h"

#define TLS_PIN_PREFIX "sha256:"

/*
 * What all policies that trust the same share: a context has 14 KB without
 * its store, and a session resumed by another account of the same server
 * saves as much again, and most of the handshake.
 */
struct trust {
	struct list_link link; /* in tls_policy.c: all of them */
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

/* tls.c: where an SSL keeps its struct tls_session. */
int tls_session_index(void);

/* tls_policy.c: one reference less. */
void tls_drop(struct tls *tls);

/* tls_store.c. `ca_file` NULL: the system's store; tls_store_drop when the
 * context goes, whatever became of this. */
bool tls_store_set(
    SSL_CTX *context, const char *ca_file, struct error *error_r);
void tls_store_drop(SSL_CTX *context);

/* tls_own.c: what the policy names, if anything. */
bool tls_load_own(
    SSL_CTX *context, const struct tls_policy *policy, struct error *error_r);

/* tls_verify.c */
/* On this machine a pin stands for all other checks: see tls.h. */
bool tls_trusts_pin(const struct tls_session *session);
/* OpenSSL's, for SSL_CTX_set_verify. */
int tls_on_verify(int ok, X509_STORE_CTX *store_context);
/* After the handshake. */
enum tls_result tls_check_pin(
    struct tls_session *session, struct error *error_r);

/* tls_resume.c */
/* OpenSSL's, for SSL_CTX_sess_set_new_cb. */
int tls_keep_session(SSL *ssl, SSL_SESSION *ssl_session);
/* Before the handshake: as it was the last time, if it can be. */
void tls_resume(struct tls_session *session);
void tls_forget_sessions(struct trust *trust);

/* tls_cert.c: appends, sanitised. */
void tls_cert_add_name(struct buf *buf, X509_NAME *name);
/* Host names and addresses that the certificate is for, and "…" behind
 * TLS_NAMES_SHOWN_MAX. */
#define TLS_NAMES_SHOWN_MAX 4
void tls_cert_add_names(struct buf *buf, X509 *cert);
/* Base64, as a pin has it; nothing where OpenSSL cannot say it. */
void tls_cert_add_pin(struct buf *buf, X509 *cert);
/* 0: no time that makes sense. */
int64_t tls_cert_unix(const ASN1_TIME *when);

/* tls_error.c. Those that return a result return TLS_FAILED. */
enum tls_flaw tls_flaw_of(int why); /* X509_V_ERR_... */
/* The certificate was refused: who, by whom, why, and what to do. */
enum tls_result tls_set_untrusted(
    struct tls_session *session, struct error *error_r);
/* `number`: errno; 0: it was closed. */
enum tls_result tls_set_link_error(
    struct tls_session *session, int number, struct error *error_r);
/* The result of an SSL_... call that returned `rc` <= 0. `number` is errno
 * as the call left it. */
enum tls_result tls_explain(
    struct tls_session *session, int rc, int number, struct error *error_r);

#endif
