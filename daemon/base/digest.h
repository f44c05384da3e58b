/*
 * digest: SHA-256 and SHA-1 (FIPS 180-4), and what SCRAM makes of them. The
 * only user of OpenSSL below loop/.
 */
#ifndef BELFRY_BASE_DIGEST_H
#define BELFRY_BASE_DIGEST_H

#include "daemon/base/buf.h"
#include "daemon/base/span.h"

#define DIGEST_SIZE 32 /* of SHA-256, and room for any of them */

/* SHA-1 only where a protocol has no other: as a MAC it still holds. */
enum digest_kind {
	DIGEST_SHA256,
	DIGEST_SHA1
};

void digest_sha256(const struct span *pieces, size_t count,
    unsigned char digest_r[static DIGEST_SIZE]);
/*
 * A stable key of several fields: SHA-256 over each piece with its length in
 * front (so that no two different lists collide), as 64 hexadecimal digits.
 */
void digest_key(struct buf *buf, const struct span *pieces, size_t count);

/* Bytes: 32, 20. */
size_t digest_size(enum digest_kind kind);
void digest_hash(enum digest_kind kind, struct span data,
    unsigned char digest_r[static DIGEST_SIZE]);
/* RFC 2104. */
void digest_hmac(enum digest_kind kind, struct span key, struct span data,
    unsigned char digest_r[static DIGEST_SIZE]);
/*
 * PBKDF2 (RFC 8018 section 5.2) with that HMAC, one block long, which is Hi()
 * of RFC 5802. Takes processor time in proportion to `iterations`, at least 1:
 * the caller limits them.
 */
void digest_pbkdf2(enum digest_kind kind, struct span password,
    struct span salt, unsigned iterations,
    unsigned char digest_r[static DIGEST_SIZE]);

#endif
