/*
 * loop/tls: whom to trust: the system's store, or a file.
 */
#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/loop/tls_private.h"

/* The system's trust store has 880 KB and takes 55 ms to parse: one for
 * all. NULL while no struct tls holds it. */
static X509_STORE *system_store;
static unsigned system_store_users;

static bool
directory_has_files(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry = NULL;

	if (dir == NULL)
		return false;
	while ((entry = readdir(dir)) != NULL && entry->d_name[0] == '.')
		continue;
	closedir(dir);
	return entry != NULL;
}

static const char *
environment_or(const char *name, const char *otherwise)
{
	const char *value = secure_getenv(name);

	return value != NULL ? value : otherwise;
}

/* A store that trusts nobody would fail every login with a strange text. */
static bool
store_is_empty(X509_STORE *store)
{
	const char *dir = environment_or(
	    X509_get_default_cert_dir_env(), X509_get_default_cert_dir());

	return sk_X509_OBJECT_num(X509_STORE_get0_objects(store)) == 0 &&
	       !directory_has_files(dir);
}

static bool
system_store_hold(struct error *error_r)
{
	X509_STORE *store;

	if (system_store_users > 0) {
		system_store_users++;
		return true;
	}
	store = X509_STORE_new();
	if (store == NULL)
		abort();
	if (X509_STORE_set_default_paths(store) != 1 || store_is_empty(store)) {
		X509_STORE_free(store);
		ERR_clear_error();
		return error_set(error_r, FAULT_CONFIG,
		    "this system has no trusted certificates (%s is empty): "
		    "install ca-certificates or set tls_ca_file",
		    X509_get_default_cert_dir());
	}
	system_store = store;
	system_store_users = 1;
	return true;
}

static void
system_store_drop(void)
{
	if (--system_store_users > 0)
		return;
	X509_STORE_free(system_store);
	system_store = NULL;
}

static bool
load_ca_file(SSL_CTX *context, const char *ca_file, struct error *error_r)
{
	X509_STORE *store = SSL_CTX_get_cert_store(context);

	errno = 0;
	if (X509_STORE_load_file(store, ca_file) != 1) {
		error_set(error_r, FAULT_CONFIG, "tls_ca_file %s: %s", ca_file,
		    errno == ENOENT || errno == EACCES
			? strerror(errno)
			: "holds no certificate in PEM form");
		ERR_clear_error();
		return false;
	}
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	return true;
}

bool
tls_store_set(SSL_CTX *context, const char *ca_file, struct error *error_r)
{
	if (ca_file != NULL)
		return load_ca_file(context, ca_file, error_r);
	if (!system_store_hold(error_r))
		return false;
	SSL_CTX_set1_cert_store(context, system_store);
	return true;
}

void
tls_store_drop(SSL_CTX *context)
{
	if (system_store != NULL &&
	    SSL_CTX_get_cert_store(context) == system_store)
		system_store_drop();
}
