/*
 * imap/capability: what the server offers. Only commands whose capability
 * was seen are ever sent.
 */
#ifndef BELFRY_WIRE_IMAP_CAPABILITY_H
#define BELFRY_WIRE_IMAP_CAPABILITY_H

#include "daemon/base/buf.h"
#include "daemon/wire/imap/response.h"

/* Bits of 64; IMAP4rev2 sets those that it implies (RFC 9051 appendix E). */
enum imap_capability {
	IMAP_CAP_IMAP4REV1 = 1 << 0,
	IMAP_CAP_IMAP4REV2 = 1 << 1,
	IMAP_CAP_STARTTLS = 1 << 2,
	IMAP_CAP_LOGINDISABLED = 1 << 3,
	IMAP_CAP_SASL_IR = 1 << 4,
	IMAP_CAP_AUTH_PLAIN = 1 << 5,
	IMAP_CAP_AUTH_LOGIN = 1 << 6,
	IMAP_CAP_AUTH_XOAUTH2 = 1 << 7,
	IMAP_CAP_AUTH_OAUTHBEARER = 1 << 8,
	IMAP_CAP_AUTH_EXTERNAL = 1 << 9,
	IMAP_CAP_ID = 1 << 10,
	IMAP_CAP_ENABLE = 1 << 11,
	IMAP_CAP_IDLE = 1 << 12,
	IMAP_CAP_MOVE = 1 << 13,
	IMAP_CAP_UIDPLUS = 1 << 14,
	IMAP_CAP_NAMESPACE = 1 << 15,
	IMAP_CAP_SPECIAL_USE = 1 << 16,
	IMAP_CAP_LIST_EXTENDED = 1 << 17,
	IMAP_CAP_XLIST = 1 << 18,
	IMAP_CAP_LITERAL_PLUS = 1 << 19,
	IMAP_CAP_LITERAL_MINUS = 1 << 20,
	IMAP_CAP_CONDSTORE = 1 << 21,
	IMAP_CAP_QRESYNC = 1 << 22,
	IMAP_CAP_UNSELECT = 1 << 23,
	IMAP_CAP_X_GM_EXT_1 = 1 << 24,
	IMAP_CAP_NOTIFY = 1 << 25,
	IMAP_CAP_ESEARCH = 1 << 26,
	IMAP_CAP_LIST_STATUS = 1 << 27,
	IMAP_CAP_AUTH_SCRAM_SHA_256 = 1 << 28,
	IMAP_CAP_AUTH_SCRAM_SHA_256_PLUS = 1 << 29,
	IMAP_CAP_AUTH_SCRAM_SHA_1 = 1 << 30,
	IMAP_CAP_AUTH_SCRAM_SHA_1_PLUS = 1ll << 31,
	IMAP_CAP_OBJECTID = 1ll << 32,
	IMAP_CAP_PREVIEW = 1ll << 33,
};

/* Bits for a list of atoms, as in CAPABILITY responses and codes. Unknown
 * atoms are ignored. */
uint64_t imap_capability_parse(const struct imap_value *values, size_t count);
/* If the response carries capabilities (untagged CAPABILITY, or the code in
 * a greeting or tagged OK), sets them and returns true. */
bool imap_capability_update(
    const struct imap_response *response, uint64_t *capabilities);
/* Known names, blank-separated, for logs. */
void imap_capability_format(struct buf *buf, uint64_t capabilities);

#endif
