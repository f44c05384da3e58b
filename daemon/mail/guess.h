/*
 * mail/guess: the charset of bytes that do not say it, neither UTF-8 nor
 * windows-1252, as old programs in the East write them into headers.
 *
 * Told only where it is nearly sure: all bytes strictly valid and most
 * characters typical for one charset, and nothing like Western text, where
 * letters above ASCII stand among ASCII letters. Not told, and so read as
 * windows-1252: fewer than three characters (six of Korean, six letters of
 * Cyrillic), Turkish, Central European, most Arabic and Thai. Told wrongly,
 * though never readable before: Japanese without kana (as Chinese), some
 * Greek and Hebrew (as Cyrillic).
 */
#ifndef BELFRY_MAIL_GUESS_H
#define BELFRY_MAIL_GUESS_H

#include "daemon/base/span.h"

#define GUESS_LOOK_MAX 4096 /* bytes looked at */

/* The charset's name, for charset_find: iso-2022-jp (by its escapes), koi8-u,
 * windows-1251, euc-jp, euc-kr, gb18030, big5, shift_jis; NULL: none of
 * these. Whether it is UTF-8 is to be asked before. */
const char *guess_charset(struct span bytes);

#endif
