/*
 * mail/address_same: whether mail to two addresses comes to one mailbox, as far
 * as that can be seen: case counts nowhere, a domain is the same in Unicode and
 * in ASCII (RFC 5890), and a "+detail" (RFC 5233) is only a note beside the
 * user. For brakes, which rather stop one forward too many.
 */
#ifndef BELFRY_MAIL_ADDRESS_SAME_H
#define BELFRY_MAIL_ADDRESS_SAME_H

#include "daemon/base/span.h"
#include "daemon/base/strv.h"

bool address_same(struct span a, struct span b);
/* One of them. NULL: none. */
bool address_same_as_any(const struct strv *addresses, struct span address);

#endif
