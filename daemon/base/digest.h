/*
 * digest: SHA-256 (FIPS 180-4). The only user of OpenSSL below loop/.
 */
#ifndef BELFRY_BASE_DIGEST_H
#define BELFRY_BASE_DIGEST_H

#include "daemon/base/buf.h"
#include "daemon/base/span.h"

#define DIGEST_SIZE 32

void digest_sha256(const struct span *pieces, size_t count,
    unsigned char digest_r[static DIGEST_SIZE]);
/*
 * A stable key of several fields: SHA-256 over each piece with its length in
 * front (so that no two different lists collide), as 64 hexadecimal digits.
 */
void digest_key(struct buf *buf, const struct span *pieces, size_t count);

#endif
