/*
 * foreign: what people write who know other languages of this kind, and what
 * it is called here. Only for hints: nothing is accepted that is not in the
 * manual.
 */
#ifndef BELFRY_RULES_FOREIGN_H
#define BELFRY_RULES_FOREIGN_H

#include "daemon/base/span.h"
#include "rules/field.h"

enum foreign_kind {
	FOREIGN_OPERATOR,
	FOREIGN_FIELD,
	FOREIGN_VARIABLE,
	FOREIGN_MARK, /* also of `flag is` */
	FOREIGN_BOOL,
	FOREIGN_FLAG,	/* of `flag is`, before FOREIGN_MARK */
	FOREIGN_NOTIFY, /* urgencies */
	FOREIGN_KEY,	/* keys of a rule */
};

/* A hint for whoever wrote `word`, as "write `has`"; NULL: none. Ignores
 * case. Static. */
const char *foreign_hint(enum foreign_kind kind, struct span word);

/* For a number that could not be read, as "did you mean `10M`?" for "10MB";
 * to be freed; NULL: none. */
char *foreign_number_hint(enum field_unit unit, struct span text);

#endif
