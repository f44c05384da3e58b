/*
 * testca: a certificate authority for tests, and certificates with every
 * fault that a server's may have. In memory; written as PEM on demand.
 */
#ifndef BELFRY_TESTS_LIB_TESTCA_H
#define BELFRY_TESTS_LIB_TESTCA_H

#include <openssl/ssl.h>
#include <stdbool.h>

struct testca;

/* A fresh authority with an EC key. Ends the test on failure. */
struct testca *testca_new(void);
void testca_free(struct testca **ca);
/* Writes its certificate as PEM; false if it cannot. */
bool testca_write(const struct testca *ca, const char *path);

struct testca_want {
	const char *common_name;
	/* As in openssl.cnf: "DNS:a.example,IP:127.0.0.1"; NULL: none. */
	const char *names;
	/* Days from now; both 0: yesterday to tomorrow. */
	long from_days, to_days;
	bool self_signed;
};

/* A server's context with a certificate as wanted; the caller frees it. */
SSL_CTX *testca_server(const struct testca *ca, const struct testca_want *want);
/* The same as two PEM files. */
bool testca_write_server(const struct testca *ca,
    const struct testca_want *want, const char *cert_path,
    const char *key_path);

#endif
