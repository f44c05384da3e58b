#include "daemon/outbox/bans.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/base/xalloc.h"

void
bans_clear(struct bans *bans)
{
	for (unsigned i = 0; i < BANS_TARGETS_MAX; i++)
		free(bans->targets[i].target);
	*bans = (struct bans){0};
}

/* BANS_TARGETS_MAX: it is not there. */
static unsigned
find(const struct bans *bans, const char *target)
{
	unsigned i;

	for (i = 0; i < BANS_TARGETS_MAX; i++)
		if (bans->targets[i].target != NULL &&
		    strcmp(bans->targets[i].target, target) == 0)
			break;
	return i;
}

const char *
bans_reason(const struct bans *bans, const char *target, const char *mode)
{
	unsigned i = find(bans, target);

	if (bans->no_redirect && strcmp(mode, "redirect") == 0)
		return "not tried: the server takes no redirected mail";
	if (i < BANS_TARGETS_MAX &&
	    bans->targets[i].refused >= BANS_REFUSED_MAX)
		return "not tried: this address was refused three times in a "
		       "row";
	return NULL;
}

void
bans_note_refused(struct bans *bans, const char *target)
{
	unsigned i = find(bans, target);

	if (i == BANS_TARGETS_MAX) {
		i = bans->next;
		bans->next = (bans->next + 1) % BANS_TARGETS_MAX;
		free(bans->targets[i].target);
		bans->targets[i].target = xstrdup(target);
		bans->targets[i].refused = 0;
	}
	bans->targets[i].refused++;
}

void
bans_note_accepted(struct bans *bans, const char *target)
{
	unsigned i = find(bans, target);

	if (i < BANS_TARGETS_MAX)
		bans->targets[i].refused = 0;
}
