/*
 * mail/mime_field: Content-Type, Content-Disposition and their like: a value
 * and parameters (RFC 2045 section 5.1, RFC 2183 section 2).
 *
 * Read as real mail writes it: quotes forgotten at either end, blanks and
 * brackets in values without quotes, semicolons doubled, left out or at the
 * end, comments anywhere, no subtype, the type itself in quotes.
 */
#ifndef BELFRY_MAIL_MIME_FIELD_H
#define BELFRY_MAIL_MIME_FIELD_H

#include "daemon/base/span.h"

#define MIME_PARAMS_MAX 128 /* parameters kept of one field */

/* A parameter as it stands: value unquoted, not decoded. */
struct mime_param {
	struct span name, value;
};

struct mime_field {
	struct span value;	   /* "text", "attachment"; empty: none */
	struct span subtype;	   /* "plain"; empty: none */
	struct mime_param *params; /* owned; in their order */
	size_t param_count;
	char *text; /* owned: what all the spans point into */
};

/* `raw` is the unfolded value of the field; not kept. Never fails. Time is
 * linear in its length. */
void mime_field_parse(struct span raw, struct mime_field *field_r);
void mime_field_done(struct mime_field *field);

#endif
