/*
 * sasl_private: what a mechanism's file gives to the table in sasl.c.
 */
#ifndef BELFRY_WIRE_SASL_SASL_PRIVATE_H
#define BELFRY_WIRE_SASL_SASL_PRIVATE_H

#include "daemon/wire/sasl/sasl.h"

/* As sasl_start and sasl_step. NULL: never, that is false. */
struct sasl_class {
	const char *name; /* as in AUTH= capabilities */
	bool (*start)(const struct sasl_params *params, struct buf *out);
	bool (*step)(const struct sasl_params *params, unsigned step,
	    struct span challenge, struct buf *out);
};

extern const struct sasl_class sasl_plain;
extern const struct sasl_class sasl_login;
extern const struct sasl_class sasl_xoauth2;
extern const struct sasl_class sasl_oauthbearer;
extern const struct sasl_class sasl_external;

#endif
