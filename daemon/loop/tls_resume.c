/*
 * loop/tls: sessions that are kept to be resumed.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/xalloc.h"
#include "daemon/loop/tls_private.h"

struct kept_session {
	struct list_link link;
	char *peer;	      /* host and port */
	SSL_SESSION *session; /* ours alone: see on_new_session */
};

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
int
tls_keep_session(SSL *ssl, SSL_SESSION *ssl_session)
{
	struct tls_session *session = SSL_get_ex_data(ssl, tls_session_index());
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

void
tls_resume(struct tls_session *session)
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

void
tls_forget_sessions(struct trust *trust)
{
	LIST_EACH(link, &trust->kept)
	kept_session_free(trust, LIST_ITEM(link, struct kept_session, link));
}
