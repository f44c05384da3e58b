/*
 * config/syntax: host names and addresses as a person may write them into
 * the configuration: strictly, so that a slip is found here and not by a
 * server.
 */
#ifndef BELFRY_CONFIG_SYNTAX_H
#define BELFRY_CONFIG_SYNTAX_H

#include "daemon/base/span.h"

#define HOST_NAME_MAX_BYTES 253 /* RFC 1035 2.3.4, without the final dot */
#define HOST_LABEL_MAX 63
#define ADDRESS_LOCAL_MAX 64 /* RFC 5321 4.5.3.1.1 */
#define ADDRESS_MAX 254	     /* RFC 5321 4.5.3.1.3, without brackets */

/*
 * A host name (RFC 1123 2.1: labels of letters, digits and hyphens) or an
 * IPv4 address. On failure *why_r is a sentence part (a constant) and
 * *offset_r the byte.
 */
bool host_check(struct span host, const char **why_r, size_t *offset_r);
/* An IPv6 address without brackets and zone. */
bool host_is_ipv6(struct span host);
/* "localhost", 127.0.0.0/8 or ::1. */
bool host_is_loopback(struct span host);

/*
 * RFC 5321 4.1.2 Mailbox, with a domain that host_check accepts:
 *
 *   address   = ( dot-atom / quoted ) "@" host
 *   quoted    = DQUOTE *( %x20-21 / %x23-5B / %x5D-7E / "\" %x20-7E ) DQUOTE
 *
 * Letters beyond ASCII are allowed in dot-atom (RFC 6531).
 */
bool address_check(struct span address, const char **why_r, size_t *offset_r);

#endif
