/*
 * digest: by OpenSSL.
 */
#include "daemon/base/digest.h"

#include <assert.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdlib.h>

static const char hex_digits[] = "0123456789abcdef";

/* OpenSSL fails here for want of memory only, or without its own default
 * provider: nothing that a caller could do better about. */
static void
require(int ok)
{
	if (ok != 1)
		abort();
}

/*
 * OpenSSL looks an algorithm up among its providers, under locks, each time
 * that one is named: for an address that takes five times as long as the digest
 * itself. So it is fetched once, and never given back.
 */
static const EVP_MD *sha256;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;

static void
fetch(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	require(sha256 != NULL);
}

static EVP_MD_CTX *
start(void)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	require(context != NULL);
	require(pthread_once(&sha256_once, fetch) == 0);
	require(EVP_DigestInit_ex2(context, sha256, NULL));
	return context;
}

static void
add(EVP_MD_CTX *context, const void *data, size_t len)
{
	if (len > 0)
		require(EVP_DigestUpdate(context, data, len));
}

static void
finish(EVP_MD_CTX *context, unsigned char digest_r[static DIGEST_SIZE])
{
	require(EVP_DigestFinal_ex(context, digest_r, NULL));
	EVP_MD_CTX_free(context);
}

void
digest_sha256(const struct span *pieces, size_t count,
    unsigned char digest_r[static DIGEST_SIZE])
{
	EVP_MD_CTX *context = start();

	for (size_t i = 0; i < count; i++)
		add(context, pieces[i].data, pieces[i].len);
	finish(context, digest_r);
}

/* 8 bytes, most significant first: the key is kept on disk and must not
 * depend on the machine. */
static void
add_length(EVP_MD_CTX *context, uint64_t len)
{
	unsigned char bytes[8];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(len >> (56 - 8 * i));
	add(context, bytes, sizeof(bytes));
}

void
digest_key(struct buf *buf, const struct span *pieces, size_t count)
{
	EVP_MD_CTX *context = start();
	unsigned char digest[DIGEST_SIZE];

	for (size_t i = 0; i < count; i++) {
		add_length(context, pieces[i].len);
		add(context, pieces[i].data, pieces[i].len);
	}
	finish(context, digest);
	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		buf_add_char(buf, hex_digits[digest[i] >> 4]);
		buf_add_char(buf, hex_digits[digest[i] & 15]);
	}
}

/* ---- of either kind ---- */

static const EVP_MD *
algorithm(enum digest_kind kind)
{
	return kind == DIGEST_SHA1 ? EVP_sha1() : EVP_sha256();
}

size_t
digest_size(enum digest_kind kind)
{
	return kind == DIGEST_SHA1 ? 20 : 32;
}

void
digest_hash(enum digest_kind kind, struct span data,
    unsigned char digest_r[static DIGEST_SIZE])
{
	require(EVP_Digest(
	    data.data, data.len, digest_r, NULL, algorithm(kind), NULL));
}

/* OpenSSL's lengths are int. */
static int
length(struct span span)
{
	assert(span.len <= INT_MAX);
	return (int)span.len;
}

void
digest_hmac(enum digest_kind kind, struct span key, struct span data,
    unsigned char digest_r[static DIGEST_SIZE])
{
	require(HMAC(algorithm(kind), key.data, length(key),
		    (const unsigned char *)data.data, data.len, digest_r,
		    NULL) != NULL);
}

void
digest_pbkdf2(enum digest_kind kind, struct span password, struct span salt,
    unsigned iterations, unsigned char digest_r[static DIGEST_SIZE])
{
	assert(iterations > 0 && iterations <= INT_MAX);
	require(PKCS5_PBKDF2_HMAC(password.data, length(password),
	    (const unsigned char *)salt.data, length(salt), (int)iterations,
	    algorithm(kind), (int)digest_size(kind), digest_r));
}
