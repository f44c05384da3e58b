/*
 * error: what went wrong, and what to do about it.
 */
#include "daemon/base/error.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/xalloc.h"

/* Cuts a half character off the end that the size has left there. */
static void
drop_half_character(char *text)
{
	size_t len = strlen(text), start = len;
	unsigned char lead;
	size_t wanted;

	while (start > 0 && len - start < 4) {
		start--;
		lead = (unsigned char)text[start];
		if ((lead & 0xc0) == 0x80)
			continue;
		wanted = lead >= 0xf0	? 4
			 : lead >= 0xe0 ? 3
			 : lead >= 0xc0 ? 2
					: 1;
		if (len - start < wanted)
			text[start] = '\0';
		return;
	}
}

/* Through a second array, because `args` may borrow from the error's text. */
static __attribute__((format(printf, 2, 0))) void
format_text(char text[static ERROR_TEXT_SIZE], const char *format, va_list args)
{
	int len = vsnprintf(text, ERROR_TEXT_SIZE, format, args);

	assert(len >= 0);
	if (len >= ERROR_TEXT_SIZE)
		drop_half_character(text);
}

bool
error_set(struct error *error, enum fault fault, const char *format, ...)
{
	char text[ERROR_TEXT_SIZE];
	va_list args;

	assert(fault > FAULT_NONE && fault < FAULT_COUNT);
	if (error == NULL)
		return false;
	va_start(args, format);
	format_text(text, format, args);
	va_end(args);
	error->fault = fault;
	memcpy(error->text, text, sizeof(error->text));
	return false;
}

void
error_prefix(struct error *error, const char *format, ...)
{
	char text[ERROR_TEXT_SIZE];
	va_list args;
	size_t used;
	int len;

	if (error == NULL)
		return;
	va_start(args, format);
	format_text(text, format, args);
	va_end(args);
	used = strlen(text);
	len = snprintf(text + used, sizeof(text) - used, ": %s", error->text);
	assert(len >= 0);
	if ((size_t)len >= sizeof(text) - used)
		drop_half_character(text);
	memcpy(error->text, text, sizeof(error->text));
}

/* `error` may be the one that is kept. */
void
error_keep(struct error **kept, const struct error *error)
{
	if (*kept == NULL)
		*kept = NEW(struct error);
	**kept = *error;
}

void
error_forget(struct error **kept)
{
	free(*kept);
	*kept = NULL;
}

enum fault
error_kept_fault(const struct error *kept)
{
	return kept != NULL ? kept->fault : FAULT_NONE;
}

const char *
error_kept_text(const struct error *kept)
{
	return kept != NULL ? kept->text : "";
}

const char *
fault_name(enum fault fault)
{
	static const char *const names[FAULT_COUNT] = {
	    [FAULT_NONE] = "none",
	    [FAULT_RETRY] = "retry",
	    [FAULT_AUTH] = "auth",
	    [FAULT_PEER] = "peer",
	    [FAULT_LIMIT] = "limit",
	    [FAULT_CONFIG] = "config",
	    [FAULT_LOCAL] = "local",
	};

	assert((unsigned)fault < FAULT_COUNT);
	return names[fault];
}
