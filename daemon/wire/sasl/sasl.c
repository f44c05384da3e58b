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
