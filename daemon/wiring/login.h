/*
 * wiring/login: what a login to an account's servers takes, of the
 * configuration and of the connection. For the daemon and for `doctor`.
 */
#ifndef BELFRY_WIRING_LOGIN_H
#define BELFRY_WIRING_LOGIN_H

#include "daemon/config/config.h"
#include "daemon/loop/tls.h"
#include "daemon/wire/imap/session.h"
#include "daemon/wire/smtp/session.h"

/* Strings are borrowed from the account. */
struct imap_session_config login_imap(const struct config_account *account);
struct smtp_session_config login_smtp(const struct config_account *account);
/* Whom to trust. NULL, with an error. */
struct tls *login_tls(
    const struct config_account *account, struct error *error_r);

/* What is good for one login only; `tls` NULL: a connection without. Wipe it
 * with login_once_done. */
struct login_once {
	struct buf nonce;
	unsigned char binding[TLS_BINDING_MAX], other[TLS_BINDING_MAX];
	struct sasl_once once; /* borrowed from the above */
};
void login_once_init(struct login_once *once, const struct tls_session *tls);
void login_once_done(struct login_once *once);

#endif
