#include "daemon/account/told.h"

#include <string.h>

#include "daemon/base/digest.h"
#include "daemon/base/xalloc.h"

void
told_done(struct told *told)
{
	free(told->items);
	*told = (struct told){0};
}

bool
told_before(struct told *told, struct span text, usec_t now)
{
	unsigned char digest[DIGEST_SIZE];
	uint64_t key;

	digest_sha256(&text, 1, digest);
	memcpy(&key, digest, sizeof(key));
	for (unsigned i = 0; i < told->count; i++) {
		if (told->items[i].digest != key)
			continue;
		if (now < usec_add(told->items[i].at, TOLD_USEC))
			return true;
		told->items[i].at = now;
		return false;
	}
	if (told->items == NULL)
		told->items = xcalloc(TOLD_MAX, sizeof(told->items[0]));
	told->items[told->next].digest = key;
	told->items[told->next].at = now;
	told->next = (told->next + 1) % TOLD_MAX;
	if (told->count < TOLD_MAX)
		told->count++;
	return false;
}
