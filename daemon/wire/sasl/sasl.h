/*
 * sasl: client mechanisms, used by IMAP and SMTP alike (RFC 4422).
 *
 * sasl_start gives the initial response; sasl_step the answer to a
 * challenge. Both work on decoded bytes; the caller does base64 and the
 * framing. What they append is secret: wipe it.
 */
#ifndef BELFRY_WIRE_SASL_SASL_H
#define BELFRY_WIRE_SASL_SASL_H

#include "daemon/base/buf.h"
#include "daemon/base/span.h"

#define SASL_CHALLENGE_MAX 16384 /* decoded bytes */

enum sasl_mechanism {
	SASL_NONE,
	SASL_PLAIN,	  /* RFC 4616 */
	SASL_LOGIN,	  /* draft-murchison-sasl-login: two challenges */
	SASL_XOAUTH2,	  /* Google, Microsoft */
	SASL_OAUTHBEARER, /* RFC 7628 */
	SASL_EXTERNAL,	  /* RFC 4422 appendix A */
	SASL_SCRAM_SHA_256_PLUS, /* RFC 7677, bound to the TLS channel */
	SASL_SCRAM_SHA_256,
	SASL_SCRAM_SHA_1_PLUS, /* RFC 5802 */
	SASL_SCRAM_SHA_1,
};

/*
 * What is good for one login only, from whoever has random bytes and the TLS
 * connection; SCRAM needs it.
 */
#define SASL_NONCE_MAX 64   /* bytes */
#define SASL_BINDING_MAX 64 /* bytes */
struct sasl_once {
	struct span nonce; /* printable ASCII but ",", not to be guessed */
	/* The channel binding (RFC 5056): its IANA name, such as
	 * "tls-exporter" (RFC 9266), and its data; both empty: there is
	 * none. */
	struct span binding_name, binding;
	/* Another one, for servers that know only that, or empty. */
	struct span other_name, other_binding;
};

/* What SCRAM remembers during one login. */
struct sasl_scram;
/* Copies. NULL when `once` is not as it should be. */
struct sasl_scram *sasl_scram_new(const struct sasl_once *once);
void sasl_scram_free(struct sasl_scram **scram);
/* After a refusal in these words: whether to begin once more, bound in the
 * other way. Only when nothing was signed yet, or the words are of the binding
 * (RFC 5802 section 7; "bad protocol" is Cyrus's), so that a wrong password
 * counts once. */
bool sasl_scram_rebind(struct sasl_scram *scram, struct span words);
/* More hold up all other accounts: a million are a third of a second. How few
 * there may be is the server's affair: they protect the password from those
 * who see the exchange, and that is inside TLS. */
#define SCRAM_ITERATIONS_MAX 1000000
#define SCRAM_SALT_MAX 1024 /* bytes, decoded */
/* The server's part of the nonce, added to ours. */
#define SCRAM_NONCE_MAX 512
/* Why sasl_step returned false: a whole clause for the person; NULL: for no
 * reason of SCRAM's. */
const char *sasl_scram_flaw(const struct sasl_scram *scram);

struct sasl_params {
	struct span user, secret, host;
	unsigned port;
	struct sasl_scram *scram; /* borrowed; SCRAM only, see sasl_can */
};

const char *sasl_name(enum sasl_mechanism mechanism);
/* Whether there is what the mechanism needs: for SCRAM `scram`, for its PLUS
 * forms one that has a binding. The others can always. */
bool sasl_can(enum sasl_mechanism mechanism, const struct sasl_scram *scram);
/* Whether the login holds for this TLS connection alone (PLUS). Refused, it
 * must not be tried in a weaker way: somebody may stand in between. */
bool sasl_is_bound(enum sasl_mechanism mechanism);
/* What was refused then, for the person. */
#define SASL_BOUND                                                             \
	"the login that is bound to this connection (is the password right? "  \
	"then somebody may stand in between)"
/* Why there is no login where nothing but SCRAM is allowed. */
#define SASL_ONLY_SCRAM                                                        \
	"the server offers no SCRAM that can be used: the password was not "   \
	"sent (auth = scram)"
/* Whether the server, which says that the login succeeded, has done what the
 * mechanism asks of it: in SCRAM it proves that it knows the password, too. */
bool sasl_is_proven(
    enum sasl_mechanism mechanism, const struct sasl_scram *scram);
/* True: the mechanism has an initial response, appended to `out`. LOGIN has
 * none. */
bool sasl_start(enum sasl_mechanism mechanism, const struct sasl_params *params,
    struct buf *out);
/*
 * The `step`-th challenge (from 0). True: send what was appended (may be
 * empty). False: this mechanism expects no such challenge; cancel with "*".
 * For XOAUTH2 and OAUTHBEARER a challenge is the error: the answer is empty,
 * or one ^A; what it said comes from sasl_oauth_error.
 */
bool sasl_step(enum sasl_mechanism mechanism, const struct sasl_params *params,
    unsigned step, struct span challenge, struct buf *out);
/* The "status" member of an OAuth error challenge, such as "401"; false when
 * there is none. Not a JSON parser: finds one string member. */
bool sasl_oauth_error(struct span challenge, struct span *status_r);

#endif
