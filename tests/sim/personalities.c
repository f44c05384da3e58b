/*
 * personalities [--traits]: whether there is a simulated server for each quirk
 * that the presets know and that shows in an IMAP session, and whether each has
 * a name of its own; or what is odd about each, for personalities.py: its name,
 * its traits as a number, its delimiter, its prefix.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/config/presets.h"
#include "tests/sim/personality.h"

/* Submission and certificates: not a matter of the session. */
#define ELSEWHERE                                                              \
	((uint32_t)(QUIRK_STRICT_CONTENT | QUIRK_SELF_SIGNED |                 \
		    QUIRK_FILES_SENT))
#define QUIRK_BITS 32

static uint32_t
known_to_presets(void)
{
	uint32_t quirks = 0;

	for (size_t i = 0; presets_at(i) != NULL; i++)
		quirks |= presets_at(i)->quirks;
	return quirks;
}

static uint32_t
simulated(void)
{
	uint32_t quirks = 0;

	for (size_t i = 0; i < personality_count(); i++)
		quirks |= personality_at(i)->quirks;
	return quirks;
}

static bool
has_own_name(size_t index)
{
	const char *name = personality_at(index)->name;

	return personality_find(name) == personality_at(index);
}

static int
print_traits(void)
{
	for (size_t i = 0; i < personality_count(); i++) {
		const struct personality *p = personality_at(i);
		printf("%s %" PRIx64 " %c %s\n", p->name, p->traits,
		    p->delimiter != 0 ? p->delimiter : '/',
		    p->prefix != NULL ? p->prefix : "");
	}
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--traits") == 0)
		return print_traits();
	uint32_t missing = known_to_presets() & ~simulated() & ~ELSEWHERE;
	bool is_good = missing == 0;

	for (unsigned bit = 0; bit < QUIRK_BITS; bit++)
		if ((missing >> bit & 1) != 0)
			printf("no personality has the quirk 1 << %u\n", bit);
	for (size_t i = 0; i < personality_count(); i++) {
		if (has_own_name(i))
			continue;
		printf("%s is there twice\n", personality_at(i)->name);
		is_good = false;
	}
	return !is_good;
}
