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
};

struct sasl_params {
	struct span user, secret, host;
	unsigned port;
};

const char *sasl_name(enum sasl_mechanism mechanism);
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
