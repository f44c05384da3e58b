/*
 * imap-reader: a strict server's view of a command, for tests of the writer.
 *
 * Reads the text by the grammar of RFC 9051, without any tolerance: one blank
 * between arguments, none inside brackets, nothing outside of literals but
 * printable ASCII, and literals that wait exactly where the writer says.
 */
#ifndef BELFRY_TESTS_IMAP_READER_H
#define BELFRY_TESTS_IMAP_READER_H

#include "daemon/base/strv.h"
#include "daemon/wire/imap/command.h"

/*
 * Appends a word for each token: "(", ")", "]", "=text" for an atom, "'text"
 * for a string, however it was written. False, with what was read so far: the
 * text breaks the grammar.
 */
bool imap_read_command(const struct imap_command *command, struct strv *tokens);

#endif
