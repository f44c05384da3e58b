/*
 * config/reader: the door to inih.
 *
 *   file         = [BOM] *line                 ; UTF-8, LF or CRLF
 *   line         = ( empty / comment / section / pair / continuation ) EOL
 *   empty        = *WSP
 *   comment      = ( "#" / ";" ) *char
 *   section      = "[" *WSP kind [ 1*WSP name ] *WSP "]" *WSP
 *   pair         = key *WSP "=" *WSP value
 *   continuation = 1*WSP value                 ; of the pair above
 *   kind         = 1*( a-z )
 *   name         = 1*( ALPHA / DIGIT / "_" / "-" / "." / "@" / "+" )
 *   key          = ALPHA *( ALPHA / DIGIT / "_" / "-" )
 *   value        = *char                       ; raw, blanks trimmed
 *
 * inih cuts long lines, strips what it takes for comments, takes ':' for '='
 * and never says where. So this reader judges each physical line itself and
 * gives inih only "[kind name]" and "key=v", which fit any build of it; the
 * true value and its place travel beside, and inih must deliver exactly what
 * was approved, or the file is refused. No symbol is used that only some
 * builds of inih have.
 *
 * All problems of a file are collected (see config/problem.h for the cap);
 * lines that follow a broken section header or key are not blamed for it. An
 * error's text never contains a value.
 */
#ifndef BELFRY_CONFIG_READER_H
#define BELFRY_CONFIG_READER_H

#include "daemon/config/document.h"

#define READER_FILE_MAX (4 * 1024 * 1024) /* bytes */
#define READER_LINE_MAX (64 * 1024)	  /* bytes, without the line end */
#define READER_SECTION_MAX 49		  /* bytes between the brackets */
#define READER_KEY_MAX 40		  /* bytes */

/* `file` names the text in places and must outlive document and problems.
 * Adds to the document what was read, also when there were errors. */
void reader_parse(const char *file, struct span text, struct document *document,
    struct rule_problems *problems);

#endif
