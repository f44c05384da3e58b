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
	bool is_scram, is_bound; /* needs sasl_params.scram; and its binding */
};

/* saslname (RFC 5801 section 4). */
void sasl_add_name(struct buf *out, struct span user);

extern const struct sasl_class sasl_plain;
extern const struct sasl_class sasl_login;
extern const struct sasl_class sasl_xoauth2;
extern const struct sasl_class sasl_oauthbearer;
extern const struct sasl_class sasl_external;
extern const struct sasl_class sasl_scram_sha_256_plus;
extern const struct sasl_class sasl_scram_sha_256;
extern const struct sasl_class sasl_scram_sha_1_plus;
extern const struct sasl_class sasl_scram_sha_1;

/* scram.c */
bool scram_has_binding(const struct sasl_scram *scram);
bool scram_is_proven(const struct sasl_scram *scram);

#endif
