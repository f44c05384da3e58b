/*
 * sasl: the table of mechanisms. A mechanism is a file and a row here.
 */
#include <assert.h>

#include "daemon/wire/sasl/sasl_private.h"

static const struct sasl_class *const classes[] = {
    [SASL_NONE] = NULL,
    [SASL_PLAIN] = &sasl_plain,
    [SASL_LOGIN] = &sasl_login,
    [SASL_XOAUTH2] = &sasl_xoauth2,
    [SASL_OAUTHBEARER] = &sasl_oauthbearer,
    [SASL_EXTERNAL] = &sasl_external,
    [SASL_SCRAM_SHA_256_PLUS] = &sasl_scram_sha_256_plus,
    [SASL_SCRAM_SHA_256] = &sasl_scram_sha_256,
    [SASL_SCRAM_SHA_1_PLUS] = &sasl_scram_sha_1_plus,
    [SASL_SCRAM_SHA_1] = &sasl_scram_sha_1,
};

static const struct sasl_class *
class_of(enum sasl_mechanism mechanism)
{
	assert((size_t)mechanism < sizeof(classes) / sizeof(classes[0]));
	assert(classes[mechanism] != NULL);
	return classes[mechanism];
}

const char *
sasl_name(enum sasl_mechanism mechanism)
{
	return class_of(mechanism)->name;
}

bool
sasl_can(enum sasl_mechanism mechanism, const struct sasl_scram *scram)
{
	const struct sasl_class *class = class_of(mechanism);

	return !class->is_scram ||
	       (scram != NULL &&
		   (!class->is_bound || scram_has_binding(scram)));
}

bool
sasl_is_bound(enum sasl_mechanism mechanism)
{
	return mechanism == SASL_SCRAM_SHA_256_PLUS ||
	       mechanism == SASL_SCRAM_SHA_1_PLUS;
}

bool
sasl_is_proven(enum sasl_mechanism mechanism, const struct sasl_scram *scram)
{
	return !class_of(mechanism)->is_scram || scram_is_proven(scram);
}

void
sasl_add_name(struct buf *out, struct span user)
{
	for (size_t i = 0; i < user.len; i++) {
		if (user.data[i] == '=')
			buf_add_str(out, "=3D");
		else if (user.data[i] == ',')
			buf_add_str(out, "=2C");
		else
			buf_add_char(out, user.data[i]);
	}
}

bool
sasl_start(enum sasl_mechanism mechanism, const struct sasl_params *params,
    struct buf *out)
{
	const struct sasl_class *class = class_of(mechanism);

	return class->start != NULL && class->start(params, out);
}

bool
sasl_step(enum sasl_mechanism mechanism, const struct sasl_params *params,
    unsigned step, struct span challenge, struct buf *out)
{
	const struct sasl_class *class = class_of(mechanism);

	return class->step != NULL && class->step(params, step, challenge, out);
}
