/*
 * doctor_private: the shape of the tables of causes.
 */
#ifndef BELFRY_DOCTOR_DOCTOR_PRIVATE_H
#define BELFRY_DOCTOR_DOCTOR_PRIVATE_H

#include "daemon/doctor/doctor.h"

#define STEP(step) (1u << (step))
#define ANY_STEP 0u
#define PLACE(place) (1u << (place))
#define ANY_PLACE 0u

typedef bool doctor_fits_fn(const struct doctor_facts *facts);

/*
 * One cause. `why` and `next` are texts with ${words} (doctor_words.c); a
 * sentence in {braces} is left out when one of its words is not known.
 */
struct doctor_row {
	const char *cause;
	unsigned steps;	 /* bits STEP(); ANY_STEP */
	unsigned places; /* bits PLACE(); ANY_PLACE */
	/* One of them, parted by "|", is in the text, in any case; NULL: any
	 * text. */
	const char *words;
	doctor_fits_fn *fits; /* NULL: nothing more is asked */
	const char *why, *next;
	const char *line; /* for the configuration, or NULL */
	bool is_warning;
};

/* Ended by a row without a cause. */
extern const struct doctor_row doctor_connect_rows[];
extern const struct doctor_row doctor_login_rows[];
extern const struct doctor_row doctor_mail_rows[];

/* Malloc'ed; NULL for NULL, and for what is empty then. */
char *doctor_fill(const char *text, const struct doctor_facts *facts);

/* What a provider calls the password that it wants, and its own. */
struct doctor_provider {
	const char *id;		 /* the preset's, or the beginning of it */
	const char *name;	 /* for a sentence: "iCloud" */
	const char *own;	 /* "Apple ID password" */
	const char *wanted;	 /* "app-specific password" */
	const char *likeness;	 /* "16 letters, xxxx-xxxx-xxxx-xxxx" */
	enum doctor_shape shape; /* SHAPE_UNKNOWN: it has no typical one */
};
/* NULL: the provider is not in the table. */
const struct doctor_provider *doctor_provider_of(const struct preset *preset);

#endif
