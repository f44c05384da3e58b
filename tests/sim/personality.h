/*
 * sim/personality: what servers the model can be: one row for each big
 * service, as clients of all kinds have met it, and one for each thing that is
 * known to be odd somewhere. tests/lib/replica_kinds.py has the same names and
 * plays the same over TLS; tests/sim/personalities.py compares them.
 */
#ifndef BELFRY_SIM_PERSONALITY_H
#define BELFRY_SIM_PERSONALITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the capabilities after the login are told. */
enum personality_offers {
	OFFERS_CODE,	 /* in the tagged OK */
	OFFERS_UNTAGGED, /* in a line before it */
	OFFERS_ASKED,	 /* on CAPABILITY only */
};

/* One that is there before the client comes. */
struct personality_folder {
	const char *name, *attributes; /* as LIST or XLIST shows them */
};

/* Static, all of it. */
struct personality {
	const char *name;
	const char *greeting;	/* NULL: a plain one */
	const char *pre, *post; /* capabilities; NULL: those of a good server */
	enum personality_offers offers;
	char delimiter;	    /* 0: a slash */
	const char *prefix; /* of all names but INBOX; NULL: none */
	/* To one without a name; NULL: Archive, Junk, Trash and Sent, which
	 * show what they are for where SPECIAL-USE is offered. */
	const struct personality_folder *folders;
	/* Which of them are meant by `archive`, `junk` and `trash`; NULL: those
	 * that are called so. */
	const char *archive, *junk, *trash;
	uint64_t traits; /* enum model_trait, but for what `post` tells */
	uint32_t quirks; /* enum preset_quirk: what the daemon knows of it */
	/* What logins are answered now and then, with $tag; NULL: nothing. */
	const char *refusal;
	bool locks;	       /* ... and no more login is made until a person
				  starts the account */
	unsigned refusal_wait; /* seconds that it asks for; 0: none */
	unsigned logins_max;   /* sessions at a time; 0: any */
};

/* The table: NULL behind its end. */
const struct personality *personality_at(size_t index);
size_t personality_count(void);
/* Those of `folders`, or those that stand for them. */
const struct personality_folder *personality_folders(
    const struct personality *personality);
/* The capabilities after the login. */
const char *personality_post(const struct personality *personality);
bool personality_offers(
    const struct personality *personality, const char *capability);
/* NULL: there is none. */
const struct personality *personality_find(const char *name);

#endif
