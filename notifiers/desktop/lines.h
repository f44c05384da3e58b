/*
 * desktop/lines: the daemon's lines in, ours out.
 */
#ifndef BELFRY_NOTIFIERS_DESKTOP_LINES_H
#define BELFRY_NOTIFIERS_DESKTOP_LINES_H

#include "notifiers/notifier.h"

/* Standard input in lines. Zeroed is empty. */
struct lines {
	struct buf bytes;
	size_t taken;	  /* of bytes, by lines_next */
	bool is_skipping; /* a line that is too long */
};

void lines_done(struct lines *lines);
/* One read; blocks if there is nothing. False at the end and on errors. */
bool lines_fill(struct lines *lines, int fd);
/* The next whole line, without its LF; borrowed until lines_fill. Lines above
 * NOTIFIER_LINE_MAX bytes are passed over. False: read more. */
bool lines_next(struct lines *lines, struct span *line_r);

/* Writes a line to standard output; from any thread. What others say in it is
 * cut, a token that is too long left out. Ends the process when nobody reads
 * there any more. */
void lines_say(const struct notifier_line *line);
/* The same for a line of one verb with an id (0: none) and a text, which is
 * the verb's reason or key (NULL: none). */
void lines_tell(enum notifier_verb verb, uint64_t id, const char *text);

#endif
