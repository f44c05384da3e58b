/*
 * loop/tls: policies, and what those share that trust the same.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/base/usec.h"
#include "daemon/base/xalloc.h"
#include "daemon/loop/tls_private.h"

/* 112 bits: RSA 2048, SHA-2. */
#define SECURITY_LEVEL 2

static struct list_link trusts = {&trusts, &trusts}; /* struct trust::link */

static bool
set_versions(SSL_CTX *context, const char *min_version, struct error *error_r)
{
	int version = TLS1_2_VERSION;

	if (min_version != NULL && strcmp(min_version, "1.3") == 0)
		version = TLS1_3_VERSION;
	else if (min_version != NULL && strcmp(min_version, "1.2") != 0)
		return error_set(error_r, FAULT_CONFIG,
		    "tls_min is \"1.2\" or \"1.3\", not \"%s\"", min_version);
	if (SSL_CTX_set_min_proto_version(context, version) != 1)
		return error_set(error_r, FAULT_CONFIG,
		    "this OpenSSL cannot do the TLS version asked for");
	return true;
}

static SSL_CTX *
context_new(void)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	if (context == NULL)
		abort();
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION |
					 SSL_OP_NO_COMPRESSION |
					 SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS |
				      SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* A record's head and body, or several records, by one read. */
	SSL_CTX_set_read_ahead(context, 1);
	SSL_CTX_set_security_level(context, SECURITY_LEVEL);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, tls_on_verify);
	SSL_CTX_set_verify_depth(context, TLS_DEPTH_MAX);
	SSL_CTX_set_session_cache_mode(
	    context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(context, tls_keep_session);
	return context;
}

/* The same path may hold another file tomorrow. */
static bool
add_file_key(struct buf *key, const char *path)
{
	struct stat file = {0};

	if (path != NULL && stat(path, &file) != 0)
		return false;
	buf_addf(key, " %llu %llu %lld %lld.%09ld %zu %s",
	    (unsigned long long)file.st_dev, (unsigned long long)file.st_ino,
	    (long long)file.st_size, (long long)file.st_mtim.tv_sec,
	    file.st_mtim.tv_nsec, path != NULL ? strlen(path) : 0,
	    path != NULL ? path : "");
	return true;
}

/* NULL: of one file it is not known. */
static char *
trust_key(const struct tls_policy *policy)
{
	BUF_AUTO key = BUF_INIT;

	if (policy->min_version != NULL)
		buf_add_str(&key, policy->min_version);
	if (!add_file_key(&key, policy->ca_file) ||
	    !add_file_key(&key, policy->cert_file) ||
	    !add_file_key(&key, policy->key_file))
		return NULL;
	return buf_take_str(&key);
}

static struct trust *
find_trust(const char *key)
{
	LIST_EACH(link, &trusts)
	{
		struct trust *trust = LIST_ITEM(link, struct trust, link);

		if (key != NULL && trust->key != NULL &&
		    strcmp(trust->key, key) == 0)
			return trust;
	}
	return NULL;
}

static void
trust_drop(struct trust *trust)
{
	if (--trust->references > 0)
		return;
	tls_forget_sessions(trust);
	tls_store_drop(trust->context);
	SSL_CTX_free(trust->context);
	list_remove(&trust->link);
	free(trust->key);
	free(trust);
}

static struct trust *
trust_hold(const struct tls_policy *policy, struct error *error_r)
{
	STR_AUTO key = trust_key(policy);
	struct trust *trust = find_trust(key);

	if (trust != NULL) {
		trust->references++;
		return trust;
	}
	trust = NEW(struct trust);
	trust->references = 1;
	trust->context = context_new();
	trust->key = key != NULL ? xstrdup(key) : NULL;
	list_init(&trust->kept);
	list_add(&trusts, &trust->link);
	if (set_versions(trust->context, policy->min_version, error_r) &&
	    tls_store_set(trust->context, policy->ca_file, error_r) &&
	    tls_load_own(trust->context, policy, error_r))
		return trust;
	trust_drop(trust);
	return NULL;
}

struct tls *
tls_new(const char *ca_file, const char *min_version, struct error *error_r)
{
	const struct tls_policy policy = {
	    .ca_file = ca_file, .min_version = min_version};

	return tls_new_as(&policy, error_r);
}

struct tls *
tls_new_as(const struct tls_policy *policy, struct error *error_r)
{
	struct trust *trust = trust_hold(policy, error_r);
	struct tls *tls;

	if (trust == NULL)
		return NULL;
	tls = NEW(struct tls);
	tls->references = 1;
	tls->trust = trust;
	return tls;
}

void
tls_drop(struct tls *tls)
{
	if (--tls->references > 0)
		return;
	trust_drop(tls->trust);
	strv_done(&tls->pins);
	free(tls);
}

void
tls_free(struct tls **tls)
{
	if (*tls == NULL)
		return;
	tls_drop(*tls);
	*tls = NULL;
}
