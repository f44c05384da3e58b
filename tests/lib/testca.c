#include "tests/lib/testca.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#define DAY (24L * 3600)

struct testca {
	EVP_PKEY *key;
	X509 *cert;
};

struct issued {
	EVP_PKEY *key;
	X509 *cert;
};

static void
must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "testca: %s failed\n", what);
	abort();
}

static void
add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	must(extension != NULL, value);
	must(X509_add_ext(cert, extension, -1) == 1, "X509_add_ext");
	X509_EXTENSION_free(extension);
}

static X509 *
begin(EVP_PKEY *key, const char *common_name, long from, long to)
{
	static long serial;
	X509 *cert = X509_new();
	X509_NAME *name;

	must(cert != NULL, "X509_new");
	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(cert), from);
	X509_gmtime_adj(X509_getm_notAfter(cert), to);
	X509_set_pubkey(cert, key);
	name = X509_get_subject_name(cert);
	must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
		 (const unsigned char *)common_name, -1, -1, 0) == 1,
	    "X509_NAME_add_entry_by_txt");
	return cert;
}

static void
sign(X509 *cert, X509 *issuer, EVP_PKEY *issuer_key)
{
	X509_set_issuer_name(cert, X509_get_subject_name(issuer));
	must(X509_sign(cert, issuer_key, EVP_sha256()) > 0, "X509_sign");
}

struct testca *
testca_new(void)
{
	struct testca *ca = calloc(1, sizeof(*ca));

	must(ca != NULL, "calloc");
	ca->key = EVP_EC_gen("P-256");
	must(ca->key != NULL, "EVP_EC_gen");
	ca->cert = begin(ca->key, "Belfry Test CA", -2 * DAY, 10 * DAY);
	add_extension(
	    ca->cert, ca->cert, NID_basic_constraints, "critical,CA:TRUE");
	add_extension(
	    ca->cert, ca->cert, NID_key_usage, "critical,keyCertSign");
	sign(ca->cert, ca->cert, ca->key);
	return ca;
}

void
testca_free(struct testca **ca)
{
	if (*ca == NULL)
		return;
	EVP_PKEY_free((*ca)->key);
	X509_free((*ca)->cert);
	free(*ca);
	*ca = NULL;
}

static struct issued
issue(const struct testca *ca, const struct testca_want *want)
{
	bool dated = want->from_days != 0 || want->to_days != 0;
	struct issued issued;

	issued.key = EVP_EC_gen("P-256");
	must(issued.key != NULL, "EVP_EC_gen");
	issued.cert = begin(issued.key, want->common_name,
	    dated ? want->from_days * DAY : -DAY,
	    dated ? want->to_days * DAY : DAY);
	if (want->names != NULL)
		add_extension(
		    issued.cert, ca->cert, NID_subject_alt_name, want->names);
	if (want->self_signed)
		sign(issued.cert, issued.cert, issued.key);
	else
		sign(issued.cert, ca->cert, ca->key);
	return issued;
}

static void
issued_done(struct issued *issued)
{
	EVP_PKEY_free(issued->key);
	X509_free(issued->cert);
}

SSL_CTX *
testca_server(const struct testca *ca, const struct testca_want *want)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	struct issued issued = issue(ca, want);

	must(context != NULL, "SSL_CTX_new");
	must(SSL_CTX_use_certificate(context, issued.cert) == 1 &&
		 SSL_CTX_use_PrivateKey(context, issued.key) == 1,
	    "SSL_CTX_use_certificate");
	SSL_CTX_set_session_id_context(
	    context, (const unsigned char *)"test", 4);
	issued_done(&issued);
	return context;
}

static bool
write_cert(X509 *cert, const char *path)
{
	FILE *file = fopen(path, "w");
	bool ok = file != NULL && PEM_write_X509(file, cert) == 1;

	return file != NULL && fclose(file) == 0 && ok;
}

bool
testca_write(const struct testca *ca, const char *path)
{
	return write_cert(ca->cert, path);
}

bool
testca_write_server(const struct testca *ca, const struct testca_want *want,
    const char *cert_path, const char *key_path)
{
	struct issued issued = issue(ca, want);
	FILE *file = fopen(key_path, "w");
	bool ok = file != NULL && PEM_write_PrivateKey(file, issued.key, NULL,
				      NULL, 0, NULL, NULL) == 1;

	ok = file != NULL && fclose(file) == 0 && ok &&
	     write_cert(issued.cert, cert_path);
	issued_done(&issued);
	return ok;
}
