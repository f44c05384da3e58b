/*
 * test-imap-response: what servers say, and what hostile ones may say, each
 * case however it is cut.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "daemon/base/buf.h"
#include "daemon/wire/imap/response.h"
#include "tests/lib/imap-trace.h"
#include "tests/lib/splitter.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))
#define RANDOM_RUNS 8

struct test_case {
	const char *name;
	struct span in;
	const char *out;
};

/* clang-format off */

/* As real servers write. */
static const struct test_case transcripts[] = {
	{"gmail greeting", SPAN_INIT(
	    "* OK Gimap ready for requests from 192.0.2.7 q5mb123\r\n"),
	    "* OK Gimap ready for requests from 192.0.2.7 q5mb123\n"},
	{"gmail capability before the tagged OK", SPAN_INIT(
	    "* CAPABILITY IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST"
	    " CHILDREN X-GM-EXT-1 UIDPLUS COMPRESS=DEFLATE ENABLE MOVE"
	    " APPENDLIMIT=35651584\r\n"
	    "A1 OK me@example.com authenticated (Success)\r\n"),
	    "* CAPABILITY IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST"
	    " CHILDREN X-GM-EXT-1 UIDPLUS COMPRESS=DEFLATE ENABLE MOVE"
	    " APPENDLIMIT=35651584\n"
	    "A1 OK me@example.com authenticated (Success)\n"},
	{"gmail login failure", SPAN_INIT(
	    "* NO [WEBALERT https://accounts.example.com/x?a=b&c=d]"
	    " Web login required.\r\n"
	    "A1 NO [ALERT] Please log in via your web browser:"
	    " https://support.example.com (Failure)\r\n"),
	    "* NO [WEBALERT https://accounts.example.com/x?a=b&c=d]"
	    " Web login required.\n"
	    "A1 NO [ALERT] Please log in via your web browser:"
	    " https://support.example.com (Failure)\n"},
	{"gmail oauth challenge", SPAN_INIT(
	    "+ eyJzdGF0dXMiOiI0MDAifQ==\r\n"
	    "A1 NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)\r\n"),
	    "+ eyJzdGF0dXMiOiI0MDAifQ==\n"
	    "A1 NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)\n"},
	{"gmail list", SPAN_INIT(
	    "* LIST (\\HasNoChildren) \"/\" \"INBOX\"\r\n"
	    "* LIST (\\HasChildren \\NonExistent) \"/\" \"[Gmail]\"\r\n"
	    "* LIST (\\All \\HasNoChildren) \"/\" \"[Gmail]/All Mail\"\r\n"
	    "a2 OK Success\r\n"),
	    "* LIST (\\HasNoChildren) \"/\" \"INBOX\"\n"
	    "* LIST (\\HasChildren \\NonExistent) \"/\" \"[Gmail]\"\n"
	    "* LIST (\\All \\HasNoChildren) \"/\" \"[Gmail]/All Mail\"\n"
	    "a2 OK Success\n"},
	{"gmail select", SPAN_INIT(
	    "* FLAGS (\\Answered \\Flagged \\Draft \\Deleted \\Seen"
	    " $NotPhishing $Phishing)\r\n"
	    "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Draft \\Deleted"
	    " \\Seen $NotPhishing \\*)] Flags permitted.\r\n"
	    "* OK [UIDVALIDITY 1] UIDs valid.\r\n"
	    "* 23 EXISTS\r\n* 0 RECENT\r\n"
	    "* OK [UIDNEXT 1042] Predicted next UID.\r\n"
	    "* OK [HIGHESTMODSEQ 98765]\r\n"
	    "a3 OK [READ-WRITE] INBOX selected. (Success)\r\n"),
	    "* FLAGS (\\Answered \\Flagged \\Draft \\Deleted \\Seen"
	    " $NotPhishing $Phishing)\n"
	    "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Draft \\Deleted"
	    " \\Seen $NotPhishing \\*)] Flags permitted.\n"
	    "* OK [UIDVALIDITY 1] UIDs valid.\n"
	    "* 23 EXISTS\n* 0 RECENT\n"
	    "* OK [UIDNEXT 1042] Predicted next UID.\n"
	    "* OK [HIGHESTMODSEQ 98765]\n"
	    "a3 OK [READ-WRITE] INBOX selected. (Success)\n"},
	{"gmail fetch", SPAN_INIT(
	    "* 3 FETCH (X-GM-LABELS (\"\\\\Inbox\" Work \"a b\") UID 7"
	    " RFC822.SIZE 4321 INTERNALDATE \"17-Jul-1996 02:44:25 -0700\""
	    " FLAGS (\\Seen) BODY[HEADER.FIELDS (SUBJECT FROM)] {23}\r\n"
	    "Subject: x\r\nFrom: y\r\n\r\n)\r\na4 OK Success\r\n"),
	    "* 3 FETCH (X-GM-LABELS (\"\\x5cInbox\" Work \"a b\") UID 7"
	    " RFC822.SIZE 4321 INTERNALDATE \"17-Jul-1996 02:44:25 -0700\""
	    " FLAGS (\\Seen) BODY[HEADER.FIELDS (SUBJECT FROM)]"
	    " \"Subject: x\\x0d\\x0aFrom: y\\x0d\\x0a\\x0d\\x0a\")\n"
	    "a4 OK Success\n"},
	{"exchange greeting: not a code", SPAN_INIT(
	    "* OK The Microsoft Exchange IMAP4 service is ready."
	    " [VwBTADIA]\r\n"),
	    "* OK The Microsoft Exchange IMAP4 service is ready."
	    " [VwBTADIA]\n"},
	{"exchange move: no \"* OK\" before the code", SPAN_INIT(
	    "[COPYUID 55 31 6]\r\n* 1 EXPUNGE\r\n* 0 EXISTS\r\n"
	    "a5 OK MOVE completed.\r\n"),
	    "* OK [COPYUID 55 31 6]\n* 1 EXPUNGE\n* 0 EXISTS\n"
	    "a5 OK MOVE completed.\n"},
	{"exchange status: blank at the end", SPAN_INIT(
	    "* STATUS INBOX (MESSAGES 4 UIDNEXT 9 UIDVALIDITY 14 ) \r\n"),
	    "* STATUS INBOX (MESSAGES 4 UIDNEXT 9 UIDVALIDITY 14)\n"},
	{"exchange copyuid with empty sets", SPAN_INIT(
	    "* OK [COPYUID 55  ] done\r\n"),
	    "* OK [COPYUID 55] done\n"},
	{"exchange throttle", SPAN_INIT(
	    "* BYE Connection is closed. 13\r\n"
	    "a1 BAD User is authenticated but not connected.\r\n"
	    "a2 BAD Request is throttled. Suggested Backoff Time: 57000"
	    " milliseconds\r\n"),
	    "* BYE Connection is closed. 13\n"
	    "a1 BAD User is authenticated but not connected.\n"
	    "a2 BAD Request is throttled. Suggested Backoff Time: 57000"
	    " milliseconds\n"},
	{"icloud greeting and login", SPAN_INIT(
	    "* OK [CAPABILITY XAPPLEPUSHSERVICE IMAP4 IMAP4rev1 SASL-IR"
	    " AUTH=ATOKEN AUTH=PLAIN] (2222B20-abc) example-iscream-2\r\n"
	    "a1 OK user me authenticated\r\n* NAMESPACE ((\"\" \"/\")) NIL"
	    " NIL\r\n* LIST (\\Noinferiors) \"/\" \"INBOX\"\r\n"),
	    "* OK [CAPABILITY XAPPLEPUSHSERVICE IMAP4 IMAP4rev1 SASL-IR"
	    " AUTH=ATOKEN AUTH=PLAIN] (2222B20-abc) example-iscream-2\n"
	    "a1 OK user me authenticated\n* NAMESPACE ((\"\" \"/\")) NIL"
	    " NIL\n* LIST (\\Noinferiors) \"/\" \"INBOX\"\n"},
	{"dovecot login and idle", SPAN_INIT(
	    "a1 OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID IDLE MOVE"
	    " NOTIFY SPECIAL-USE QRESYNC] Logged in\r\n"
	    "+ idling\r\n* OK Still here\r\n* 1 EXISTS\r\n* 1 RECENT\r\n"
	    "* 0 RECENT\r\na2 OK Idle completed (120.001 + 120.000 secs).\r\n"
	    "* BYE Server shutting down.\r\n"),
	    "a1 OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID IDLE MOVE"
	    " NOTIFY SPECIAL-USE QRESYNC] Logged in\n"
	    "+ idling\n* OK Still here\n* 1 EXISTS\n* 1 RECENT\n"
	    "* 0 RECENT\na2 OK Idle completed (120.001 + 120.000 secs).\n"
	    "* BYE Server shutting down.\n"},
	{"dovecot move", SPAN_INIT(
	    "* OK [COPYUID 1700000000 4,7:9 12:15] Moved UIDs.\r\n"
	    "* VANISHED 4,7:9\r\n"
	    "a6 OK [HIGHESTMODSEQ 31] Move completed (0.001 secs).\r\n"),
	    "* OK [COPYUID 1700000000 4,7:9 12:15] Moved UIDs.\n"
	    "* VANISHED 4,7:9\n"
	    "a6 OK [HIGHESTMODSEQ 31] Move completed (0.001 secs).\n"},
	{"dovecot notify pushes a fetch", SPAN_INIT(
	    "* 1 FETCH (UID 1 FLAGS (\\Recent))\r\n"),
	    "* 1 FETCH (UID 1 FLAGS (\\Recent))\n"},
	{"dovecot esearch, vanished earlier, enabled", SPAN_INIT(
	    "* ESEARCH (TAG \"a7\") UID ALL 1:3,9\r\n"
	    "* VANISHED (EARLIER) 41,43:116\r\n"
	    "* ENABLED QRESYNC CONDSTORE\r\n* SEARCH\r\n"),
	    "* ESEARCH (TAG \"a7\") UID ALL 1:3,9\n"
	    "* VANISHED (EARLIER) 41,43:116\n"
	    "* ENABLED QRESYNC CONDSTORE\n* SEARCH\n"},
	{"cyrus: small special-use, no code at failure", SPAN_INIT(
	    "a1 NO Login failed: authentication failure\r\n"
	    "* LIST (\\HasNoChildren \\sent) \"/\" Sent\r\n"
	    "* OK [CLOSED] Ok\r\n"
	    "* OK [MAILBOXID (abc-1)] Ok\r\n"),
	    "a1 NO Login failed: authentication failure\n"
	    "* LIST (\\HasNoChildren \\sent) \"/\" Sent\n"
	    "* OK [CLOSED] Ok\n"
	    "* OK [MAILBOXID (abc-1)] Ok\n"},
	{"cyrus: mailboxid garbage in a list answer", SPAN_INIT(
	    "* STATUS x (MAILBOXID (\xff\x80\xfe))\r\n* 2 EXISTS\r\n"),
	    "* STATUS x (MAILBOXID (\\xff\\x80\\xfe))\n* 2 EXISTS\n"},
	{"courier: quoted header names", SPAN_INIT(
	    "* 1 FETCH (UID 5 BODY[HEADER.FIELDS (\"Subject\" \"From\")]"
	    " {4}\r\nA\r\n\n)\r\n+ entering idle mode\r\n"
	    "a9 NO Error in IMAP command received by server.\r\n"),
	    "* 1 FETCH (UID 5 BODY[HEADER.FIELDS (\"Subject\" \"From\")]"
	    " \"A\\x0d\\x0a\\x0a\")\n+ entering idle mode\n"
	    "a9 NO Error in IMAP command received by server.\n"},
	{"yahoo, zoho, yandex, netease", SPAN_INIT(
	    "* LIST (\\HasNoChildren) \"/\" \"Inbox\"\r\n"
	    "* 5 FETCH (MODSEQ (0) UID 6)\r\n"
	    "* XLIST (\\Spam) \"|\" Spam\r\n"
	    "* XLIST (\\HasNoChildren) \"/\" \"Entw&APw-rfe\"\r\n"
	    "* STATUS \"INBOX\" ()\r\n"
	    "a1 NO SELECT Unsafe Login. Please contact x@example.com\r\n"),
	    "* LIST (\\HasNoChildren) \"/\" \"Inbox\"\n"
	    "* 5 FETCH (MODSEQ (0) UID 6)\n"
	    "* XLIST (\\Spam) \"|\" Spam\n"
	    "* XLIST (\\HasNoChildren) \"/\" \"Entw&APw-rfe\"\n"
	    "* STATUS \"INBOX\" ()\n"
	    "a1 NO SELECT Unsafe Login. Please contact x@example.com\n"},
	{"mail.ru: floats", SPAN_INIT(
	    "* 2 FETCH (BODYSTRUCTURE (\"TEXT\" NIL -1 12.5) UID 3)\r\n"),
	    "* 2 FETCH (BODYSTRUCTURE (\"TEXT\" NIL -1 12.5) UID 3)\n"},
	{"rev2 list with old name", SPAN_INIT(
	    "* LIST () \"/\" \"Ent\xc3\xbc\" (\"OLDNAME\" (\"x\"))\r\n"),
	    "* LIST () \"/\" \"Ent\\xc3\\xbc\" (\"OLDNAME\" (\"x\"))\n"},
	{"inprogress, messagelimit", SPAN_INIT(
	    "* OK [INPROGRESS (\"a9\" 5 NIL)] Still working\r\n"
	    "a9 OK [MESSAGELIMIT 1000 23221] limit\r\n"),
	    "* OK [INPROGRESS (\"a9\" 5 NIL)] Still working\n"
	    "a9 OK [MESSAGELIMIT 1000 23221] limit\n"},
};

/* The grammar's corners, and what is tolerated. */
static const struct test_case shapes[] = {
	{"nothing", SPAN_INIT(""), ""},
	{"half a line", SPAN_INIT("* OK hel"), "rest\n"},
	{"line without its LF", SPAN_INIT("* OK\r"), "rest\n"},
	{"status without text", SPAN_INIT("* OK\r\n* BYE \r\na NO\r\n"),
	    "* OK\n* BYE\na NO\n"},
	{"case", SPAN_INIT("* ok x\r\na1 bAd y\r\n* preauth [Alert] z\r\n"),
	    "* OK x\na1 BAD y\n* PREAUTH [Alert] z\n"},
	{"continuations", SPAN_INIT("+\r\n+ \r\n+ text\r\n+text\r\n+  x\r\n"),
	    "+\n+\n+ text\n+ text\n+  x\n"},
	{"blanks", SPAN_INIT("*  7   EXISTS  \r\na1   OK   x\r\n"),
	    "* 7 EXISTS\na1 OK x\n"},
	{"tabs", SPAN_INIT("*\tSEARCH\t1\t2\r\n"), "* SEARCH 1 2\n"},
	{"no blanks at brackets", SPAN_INIT("* X(a(b)c)(d)\"e\"f\r\n"),
	    "* X (a (b) c) (d) \"e\" f\n"},
	{"bare LF", SPAN_INIT("* 1 EXISTS\n* 2 EXISTS\n"),
	    "* 1 EXISTS\n* 2 EXISTS\n"},
	{"CRCRLF", SPAN_INIT("* 1 EXISTS\r\r\n* OK x\r\r\n"),
	    "* 1 EXISTS\n* OK x\n"},
	{"LFCR", SPAN_INIT("* 1 EXISTS\n\r* 2 EXISTS\n\r"),
	    "* 1 EXISTS\n* 2 EXISTS\n"},
	{"bare CR in text", SPAN_INIT("* OK a\rb\r\n"), "* OK a\\x0db\n"},
	{"NUL in text", SPAN_INIT("* OK a\0b\r\n"), "* OK a\\x00b\n"},
	{"empty lines", SPAN_INIT("\r\n\n* OK\r\n"), "* OK\nskipped 2\n"},
	{"atom characters", SPAN_INIT("* FLAGS (\\* \\ $X] a[b {x} % ~ ' +)\r\n"),
	    "* FLAGS (\\* \\ $X] a[b {x} % ~ ' +)\n"},
	{"8 bits everywhere", SPAN_INIT("* LIST (\xe9) \"\xff\" \xc3\xa9\r\n"),
	    "* LIST (\\xe9) \"\\xff\" \\xc3\\xa9\n"},
	{"quoted", SPAN_INIT("* X \"\" \"a\\\"b\" \"\\\\\" \"(x]\" \"{5}\"\r\n"),
	    "* X \"\" \"a\\x22b\" \"\\x5c\" \"(x]\" \"{5}\"\n"},
	{"unescaped backslash stays", SPAN_INIT("* X \"C:\\dir\" \"a\\\\b\"\r\n"),
	    "* X \"C:\\x5cdir\" \"a\\x5cb\"\n"},
	{"quote inside an atom", SPAN_INIT("* X a\"b c\r\n"),
	    "* X a\"b c\n"},
	{"NIL in any case, NIL quoted", SPAN_INIT("* X NIL nil \"NIL\" NILS\r\n"),
	    "* X NIL NIL \"NIL\" NILS\n"},
	{"numbers", SPAN_INIT("* 0 EXPUNGE\r\n* 01 EXISTS\r\n"
	    "* 4294967296 EXISTS\r\n* 99999999999999999999999 EXISTS\r\n"),
	    "* 0 EXPUNGE\n* 1 EXISTS\n* 4294967296 EXISTS\n"
	    "* 18446744073709551615 EXISTS\n"},
	{"a tag may look odd", SPAN_INIT("\"x\" OK y\r\n* OK\r\n(a NO\r\n"),
	    "\"x\" OK y\n* OK\n(a NO\n"},
	{"section in any spelling", SPAN_INIT(
	    "* 1 FETCH (body[header.fields (\"A]B\" c)]<0> NIL"
	    " BODY[ HEADER ] \"\" BODY[1.MIME] x BODY[]<12> \"y\")\r\n"),
	    "* 1 FETCH (body[header.fields (\"A]B\" c)]<0> NIL"
	    " BODY[ HEADER ] \"\" BODY[1.MIME] x BODY[]<12> \"y\")\n"},
	{"section with a literal", SPAN_INIT(
	    "* 1 FETCH (BODY[HEADER.FIELDS ({3}\r\nA]B)] \"x\" UID 4)\r\n"),
	    "* 1 FETCH (BODY[HEADER.FIELDS ({3}\\x0d\\x0aA]B)] \"x\" UID 4)\n"},
	{"section not closed", SPAN_INIT(
	    "* 1 FETCH (BODY[HEADER (x)\r\n* OK\r\n"), "* OK\nskipped 1\n"},
	{"flag with an open bracket", SPAN_INIT("* FLAGS (x[y BODYx[ z)\r\n"),
	    "* FLAGS (x[y BODYx[ z)\n"},
};

static const struct test_case codes[] = {
	{"flag with ] in a code", SPAN_INIT(
	    "* OK [PERMANENTFLAGS (\\Seen $X] \\*)] Limited\r\n"),
	    "* OK [PERMANENTFLAGS (\\Seen $X] \\*)] Limited\n"},
	{"] in a tag", SPAN_INIT("a] NO [X {2}\r\n] ] text\r\n"),
	    "a] NO [X \"] \"] text\n"},
	{"escaped quote in a code that makes no sense",
	    SPAN_INIT("* NO [X \"a\\\"]b\" (] text\r\n"), "* NO [X] text\n"},
	{"] in a quoted string", SPAN_INIT("* NO [X \"a]b\" c] text ] x\r\n"),
	    "* NO [X \"a]b\" c] text ] x\n"},
	{"unbalanced: name only", SPAN_INIT("* NO [LIMIT (x] text\r\n"),
	    "* NO [LIMIT] text\n"},
	{"unbalanced the other way", SPAN_INIT("* NO [LIMIT )x] text\r\n"),
	    "* NO [LIMIT] text\n"},
	{"without end: all is text", SPAN_INIT("* NO [LIMIT text\r\n"),
	    "* NO [LIMIT text\n"},
	{"quoted without end: all is text", SPAN_INIT("* NO [X \"a] b\r\n"),
	    "* NO [X \"a] b\n"},
	{"empty", SPAN_INIT("* OK [] text\r\n* OK [ ] x\r\n"),
	    "* OK text\n* OK x\n"},
	{"blanks inside", SPAN_INIT("* OK [ ALERT ] text\r\n"),
	    "* OK [ALERT] text\n"},
	{"no blank behind", SPAN_INIT("* OK [ALERT]text\r\n"),
	    "* OK [ALERT] text\n"},
	{"not an atom", SPAN_INIT("* OK [(a) b] text\r\n"), "* OK [(a)] text\n"},
	{"a literal in a code", SPAN_INIT(
	    "a NO [BADCHARSET ({5}\r\nA]\r\nB {3}\r\nC D)] text\r\n* OK\r\n"),
	    "a NO [BADCHARSET (\"A]\\x0d\\x0aB\" \"C D\")] text\n* OK\n"},
	{"no literal in text", SPAN_INIT(
	    "a NO [X] no mailbox {5}\r\n* OK no code {3}\r\n+ {2}\r\n"
	    "* BYE [X {4}\r\nabcd] y {9}\r\n"),
	    "a NO [X] no mailbox {5}\n* OK no code {3}\n+ {2}\n"
	    "* BYE [X \"abcd\"] y {9}\n"},
	{"bare code with text", SPAN_INIT("[ALERT] x\r\n[x\r\n"),
	    "* OK [ALERT] x\n* OK [x\n"},
};

static const struct test_case literals[] = {
	{"everywhere", SPAN_INIT(
	    "* LIST ({3}\r\n\\No) {1}\r\n/ {5}\r\nIN\"X)\r\n"),
	    "* LIST (\"\\x5cNo\") \"/\" \"IN\\x22X)\"\n"},
	{"of no bytes", SPAN_INIT("* X {0}\r\n\r\n* X {0}\r\n a\r\n"),
	    "* X \"\"\n* X \"\" a\n"},
	{"leading zeros, non-synchronising, literal8", SPAN_INIT(
	    "* X {00005}\r\nabcde {2+}\r\nfg ~{1}\r\n\0 ~{1+}\r\nh\r\n"),
	    "* X \"abcde\" \"fg\" \"\\x00\" \"h\"\n"},
	{"with bare LF", SPAN_INIT("* X {2}\nab\n"), "* X \"ab\"\n"},
	{"that ends in CR", SPAN_INIT("* X {3}\r\nab\r\n* Y {1}\r\n\r\r\n"),
	    "* X \"ab\\x0d\"\n* Y \"\\x0d\"\n"},
	{"with responses inside", SPAN_INIT(
	    "* 1 FETCH (BODY[] {34}\r\n* 9 EXISTS\r\na OK x\r\n"
	    "BODY[] {999}\r\n UID 2)\r\n"),
	    "* 1 FETCH (BODY[] \"* 9 EXISTS\\x0d\\x0aa OK x\\x0d\\x0a"
	    "BODY[] {999}\\x0d\\x0a\" UID 2)\n"},
	{"no blank before", SPAN_INIT(
	    "* 1 FETCH (BODY[]{2}\r\nab BODY[]<0>{1}\r\nc \"d\"{1}\r\ne"
	    "{1}\r\nf)\r\n"),
	    "* 1 FETCH (BODY[] \"ab\" BODY[]<0> \"c\" \"d\" \"e\" \"f\")\n"},
	{"not at the line's end", SPAN_INIT("* X {5}x\r\n* X {5} \r\n"),
	    "* X {5}x\n* X {5}\n"},
	{"malformed headers are words", SPAN_INIT(
	    "* X {-1}\r\n* X { 5}\r\n* X {}\r\n* X {5++}\r\n* X {+}\r\n"
	    "* X 5}\r\n* X {x5}\r\n* X a{5}\r\n* X {0x5}\r\n"),
	    "* X {-1}\n* X { 5}\n* X {}\n* X {5++}\n* X {+}\n"
	    "* X 5}\n* X {x5}\n* X a{5}\n* X {0x5}\n"},
	{"cut off", SPAN_INIT("* X {9}\r\nabc"), "rest\n"},
	{"whole but for the line end", SPAN_INIT("* X {3}\r\nabc"), "rest\n"},
};

/* Skipped, and the next response is whole. */
static const struct test_case malformed[] = {
	{"not closed", SPAN_INIT("* X (a\r\n* OK\r\n"), "* OK\nskipped 1\n"},
	{"not opened", SPAN_INIT("* X a)\r\n* OK\r\n"), "* OK\nskipped 1\n"},
	{"quote not closed", SPAN_INIT("* X \"a\r\n* OK\r\n"),
	    "* OK\nskipped 1\n"},
	{"backslash at the end", SPAN_INIT("* X \"a\\\r\n* OK\r\n"),
	    "* OK\nskipped 1\n"},
	{"CR, NUL in quotes", SPAN_INIT("* X \"a\rb\"\r\n* X \"\0\"\r\n* OK\r\n"),
	    "* OK\nskipped 2\n"},
	{"CR, NUL in atoms", SPAN_INIT("* X a\rb\r\n* X \0\r\n* X a\0b\r\n* OK\r\n"),
	    "* OK\nskipped 3\n"},
	{"no tag, no status", SPAN_INIT("hello\r\na1 HELLO\r\n a OK\r\n* OK\r\n"),
	    "* OK\nskipped 3\n"},
	{"untagged status behind a tag", SPAN_INIT("a1 BYE x\r\na PREAUTH\r\n"),
	    "skipped 2\n"},
	{"no name", SPAN_INIT("*\r\n* \r\n* 12\r\n* 12 (a)\r\n* (a)\r\n* \"x\"\r\n"),
	    "skipped 6\n"},
	{"negative and float numbers", SPAN_INIT("* -5 FETCH ()\r\n* 1.5 EXISTS\r\n"),
	    "skipped 2\n"},
	{"literals inside are respected", SPAN_INIT(
	    "* X ) {12}\r\n* 9 EXISTS\r\n \"b {12}\r\n* 8 EXISTS\r\n\r\n"
	    "* OK\r\n"),
	    "* OK\nskipped 1\n"},
	{"behind a literal", SPAN_INIT("* X {3}\r\nabc)\r\n* OK\r\n"),
	    "* OK\nskipped 1\n"},
	{"badly quoted subject, then a literal", SPAN_INIT(
	    "* 1 FETCH (ENVELOPE (\"a \"b\" \"c) BODY[] {12}\r\n* 9 EXISTS\r\n)"
	    "\r\n* OK\r\n"),
	    "* OK\nskipped 1\n"},
	{"deflate without asking", SPAN_INIT("\x78\x9c\x0a\xff\x00\x0a\x01\n"),
	    "skipped 3\n"},
};

static const struct test_case limits[] = {
	{"literal above is cut", SPAN_INIT("* OK\r\n* X {9}\r\n123456789 b\r\n"
	    "* OK\r\n"),
	    "* OK\n* X \"12345678\" b\n* OK\n"},
	{"cut literals beside whole ones", SPAN_INIT("* X ({20}\r\n"
	    "12345678* OK\r\n{9}\r\n {3}\r\nabc {10}\r\n1234567890) {8}\r\n"
	    "abcdefgh\r\n* OK\r\n"),
	    "* X (\"12345678\" \"abc\" \"12345678\") \"abcdefgh\"\n* OK\n"},
	{"the end of a cut literal does not come", SPAN_INIT(
	    "* X {268435456}\r\n12345678\r\n* OK\r\n"),
	    "rest\n"},
	{"literal at", SPAN_INIT("* X {8}\r\n12345678\r\n"),
	    "* X \"12345678\"\n"},
	{"literal of 2^32 - 1", SPAN_INIT("* X {4294967295}\r\n"),
	    "limit: literal of 4294967295 bytes, more than the limit of 8\n"},
	{"literal of 2^64", SPAN_INIT("* X {18446744073709551616}\r\n"),
	    "limit: literal of 18446744073709551615 bytes, more than the limit"
	    " of 8\n"},
	{"literal in a malformed response", SPAN_INIT("* X ) ~{268435457+}\r\n"),
	    "limit: literal of 268435457 bytes, more than the limit of 8\n"},
};
/* clang-format on */

static void
check_case(const struct test_case *c, size_t *literal_max)
{
	struct buf trace = BUF_INIT;

	imap_trace_play(literal_max, &c->in, 1, &trace);
	if (!span_is(buf_span(&trace), c->out)) {
		print_error("case: %s\nwanted:\n%s\ngot:\n%s\n", c->name,
		    c->out, buf_str(&trace));
		fail();
	}
	buf_done(&trace);
	if (!split_run(
		c->name, c->in, RANDOM_RUNS, imap_trace_play, literal_max))
		fail();
}

static void
check_table(const struct test_case *table, size_t count, size_t *literal_max)
{
	for (size_t i = 0; i < count; i++)
		check_case(&table[i], literal_max);
}

static void
test_transcripts(void **state)
{
	(void)state;
	check_table(transcripts, LENGTH(transcripts), NULL);
}

static void
test_shapes(void **state)
{
	(void)state;
	check_table(shapes, LENGTH(shapes), NULL);
}

static void
test_codes(void **state)
{
	(void)state;
	check_table(codes, LENGTH(codes), NULL);
}

static void
test_literals(void **state)
{
	(void)state;
	check_table(literals, LENGTH(literals), NULL);
}

static void
test_malformed(void **state)
{
	(void)state;
	check_table(malformed, LENGTH(malformed), NULL);
}

static void
test_limits(void **state)
{
	size_t literal_max = 8;

	(void)state;
	check_table(limits, LENGTH(limits), &literal_max);
}

/* ---- what is made by repeating ----------------------------------------- */

static void
repeat(struct buf *buf, const char *text, size_t count)
{
	while (count-- > 0)
		buf_add_str(buf, text);
}

/* `front`, then `part` so many times, then `back`. */
struct repeated {
	const char *name;
	const char *front, *part, *back;
	size_t count;
	const char *out; /* NULL: whatever, but one response and no more */
};

#define DEPTH IMAP_NESTING_MAX
#define LITERALS IMAP_RESPONSE_MAX_LITERALS

/* clang-format off */
static const struct repeated repetitions[] = {
	{"line at the limit", "* OK ", "a", "\r\n", IMAP_LINE_MAX - 6, NULL},
	{"line above the limit", "* OK ", "a", "\r\n", IMAP_LINE_MAX - 4,
	    "limit: response line above 65536 bytes\n"},
	{"line without end", "* OK ", "a", "", IMAP_LINE_MAX,
	    "limit: response line above 65536 bytes\n"},
	{"line without end, of blank lines first", "\r\n* OK ", "a", "",
	    IMAP_LINE_MAX,
	    "skipped 1\nlimit: response line above 65536 bytes\n"},
	{"FETCH above the limit", "* 1 FETCH (", "a ", ")\r\n* OK\r\n",
	    IMAP_LINE_MAX, "* OK\ntoo large 1\n"},
	{"FETCH without end", "* 1 FETCH (", "a ", "", IMAP_LINE_MAX,
	    "rest\n"},
	{"FETCH above the limit, with a literal behind", "* 1 FETCH (", "a ",
	    "{9}\r\nx\r\n* 2 OK)\r\n* OK\r\n", IMAP_LINE_MAX,
	    "* OK\ntoo large 1\n"},
	{"FETCH above the limit, with literals in it", "* 1 FETCH (",
	    "a \"{1}\" {2}\r\n\r\n {0}\r\n", ")\r\n* 1 EXISTS\r\n",
	    IMAP_LINE_MAX / 8, "* 1 EXISTS\ntoo large 1\n"},
	{"FETCH with too many literals", "* 1 fetch (", "a {4}\r\n* 2\n ",
	    "{2}\r\nbc)\r\n* OK\r\n", LITERALS, "* OK\ntoo large 1\n"},
	{"10,000 nested lists", "* X ", "(", "\r\n* OK\r\n", 10000,
	    "* OK\ntoo large 1\n"},
	{"10,000 nested lists in a code", "* NO [X ", "(", "] t\r\n* OK\r\n",
	    10000, "* NO [X] t\n* OK\n"},
	{"10,000 lists", "* X ", "()", "\r\n", 10000, NULL},
	{"10,000 flags", "* FLAGS (", "$abc ", ")\r\n", 10000, NULL},
	{"as many values as a line can hold", "* X ", "a(a)", "\r\n",
	    (IMAP_LINE_MAX - 8) / 4, NULL},
	{"a code of 60 KB", "* OK [", "x ", "] y\r\n", 30000, NULL},
	{"literals at the limit", "* X", " {1}\r\na", "\r\n", LITERALS, NULL},
	{"literals above the limit", "* X", " {1}\r\na", "\r\n", LITERALS + 1,
	    "limit: more than 256 literals in one response\n"},
	{"responses", "", "* 1 EXISTS\r\n", "", 1, NULL},
};
/* clang-format on */

static void
test_repetitions(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(repetitions); i++) {
		const struct repeated *r = &repetitions[i];
		struct buf in = BUF_INIT, trace = BUF_INIT;
		struct span whole;

		buf_add_str(&in, r->front);
		repeat(&in, r->part, r->count);
		buf_add_str(&in, r->back);
		whole = buf_span(&in);
		imap_trace_play(NULL, &whole, 1, &trace);
		if (r->out != NULL ? !span_is(buf_span(&trace), r->out)
				   : !span_starts(buf_span(&trace), "* ")) {
			print_error("case: %s\ngot: %.2000s\n", r->name,
			    buf_str(&trace));
			fail();
		}
		if (!split_run(r->name, whole, 2, imap_trace_play, NULL))
			fail();
		buf_done(&in);
		buf_done(&trace);
	}
}

static void
test_nesting_at_the_limit(void **state)
{
	struct buf in = BUF_INIT, wanted = BUF_INIT, trace = BUF_INIT;
	struct span whole;

	(void)state;
	for (size_t i = 0; i <= 1; i++) {
		buf_add_str(&in, "* X ");
		repeat(&in, "(", DEPTH + i);
		repeat(&in, ")", DEPTH + i);
		buf_add_str(&in, "\r\n");
	}
	buf_add_str(&wanted, "* X ");
	repeat(&wanted, "(", DEPTH);
	repeat(&wanted, ")", DEPTH);
	buf_add_str(&wanted, "\ntoo large 1\n");
	whole = buf_span(&in);
	imap_trace_play(NULL, &whole, 1, &trace);
	assert_string_equal(buf_str(&trace), buf_str(&wanted));
	buf_done(&in);
	buf_done(&wanted);
	buf_done(&trace);
}

/* The literals of one response together. */
static void
test_sum_of_literals(void **state)
{
	struct imap_lexer *lexer = imap_lexer_new(IMAP_LITERAL_MAX);
	struct buf in = BUF_INIT;
	struct imap_response response;
	struct error error = ERROR_INIT;

	(void)state;
	buf_add_str(&in, "* X");
	for (size_t i = 0; i < 6; i++) {
		buf_addf(&in, " {%d}\r\n", IMAP_LITERAL_MAX);
		repeat(&in, "x", IMAP_LITERAL_MAX);
	}
	imap_lexer_feed(lexer, buf_span(&in));
	assert_int_equal(imap_lexer_next(lexer, &response, &error), -1);
	assert_int_equal(error.fault, FAULT_LIMIT);
	assert_string_equal(error.text,
	    "literals of one response above 1310720 bytes together");
	imap_lexer_free(&lexer);
	buf_done(&in);
}

/* A FETCH of 64 MiB is dropped as it comes. */
static void
test_large_fetch_costs_no_memory(void **state)
{
	struct imap_lexer *lexer = imap_lexer_new(IMAP_LITERAL_MAX);
	struct imap_response response;
	struct buf piece = BUF_INIT;
	size_t before;

	(void)state;
	repeat(&piece, "(\"a\" NIL) ", 1000);
	imap_lexer_feed(lexer, SPAN("* 1 FETCH (BODYSTRUCTURE ("));
	before = mallinfo2().uordblks;
	for (size_t i = 0; i < 64 * 1024 * 1024; i += piece.len) {
		imap_lexer_feed(lexer, buf_span(&piece));
		assert_int_equal(imap_lexer_next(lexer, &response, NULL), 0);
		assert_true(mallinfo2().uordblks <= before + 1024 * 1024);
		assert_true(imap_lexer_has_rest(lexer));
	}
	imap_lexer_feed(lexer, SPAN("))\r\n* OK\r\n"));
	assert_int_equal(imap_lexer_next(lexer, &response, NULL), 1);
	assert_int_equal(response.status, IMAP_OK);
	assert_int_equal(imap_lexer_too_large(lexer), 1);
	assert_false(imap_lexer_has_rest(lexer));
	imap_lexer_free(&lexer);
	buf_done(&piece);
}

/* There is an end to it. */
static void
test_endless_fetch(void **state)
{
	struct imap_lexer *lexer = imap_lexer_new(IMAP_LITERAL_MAX);
	struct imap_response response;
	struct error error = ERROR_INIT;
	int got = 0;

	(void)state;
	imap_lexer_feed(lexer, SPAN("* 1 FETCH ("));
	for (size_t i = 0; i < 3 * (IMAP_LINE_MAX / 5) && got == 0; i++) {
		imap_lexer_feed(lexer, SPAN(" {1}\r\n"));
		imap_lexer_feed(lexer, SPAN("x"));
		got = imap_lexer_next(lexer, &response, &error);
	}
	assert_int_equal(got, 0);
	for (size_t i = 0; i < 3 && got == 0; i++) {
		struct buf header = BUF_INIT;
		size_t len = IMAP_LITERAL_DROP_MAX / 2;

		buf_addf(&header, " {%zu}\r\n", len);
		imap_lexer_feed(lexer, buf_span(&header));
		got = imap_lexer_next(lexer, &response, &error);
		buf_clear(&header);
		repeat(&header, "0123456789abcdef", 65536);
		for (; len > 0 && got == 0; len -= header.len) {
			imap_lexer_feed(lexer, buf_span(&header));
			got = imap_lexer_next(lexer, &response, &error);
		}
		buf_done(&header);
	}
	assert_int_equal(got, -1);
	assert_int_equal(error.fault, FAULT_LIMIT);
	imap_lexer_free(&lexer);
}

/* Byte by byte through 8 MiB: quadratic work would never end. */
static void
test_long_literal_byte_by_byte(void **state)
{
	const size_t size = 8 * 1024 * 1024;
	struct imap_lexer *lexer = imap_lexer_new(IMAP_LITERAL_MAX);
	struct imap_response response;

	(void)state;
	imap_lexer_set_literal_max(lexer, size);
	imap_lexer_feed(lexer, SPAN("* 1 EXISTS\r\n* X {8388608}\r\n"));
	assert_int_equal(imap_lexer_next(lexer, &response, NULL), 1);
	for (size_t i = 0; i < size; i++) {
		imap_lexer_feed(lexer, SPAN("\n"));
		assert_int_equal(imap_lexer_next(lexer, &response, NULL), 0);
	}
	imap_lexer_feed(lexer, SPAN("\r\n"));
	assert_int_equal(imap_lexer_next(lexer, &response, NULL), 1);
	assert_int_equal(response.values[0].text.len, size);
	assert_false(imap_lexer_has_rest(lexer));
	imap_lexer_free(&lexer);
}

/* 8 MiB of short responses at once, each taken off the front. */
static void
test_many_responses_in_one_piece(void **state)
{
	struct imap_lexer *lexer = imap_lexer_new(IMAP_LITERAL_MAX);
	struct imap_response response;
	struct buf in = BUF_INIT;
	size_t count = 0;

	(void)state;
	repeat(&in, "* 1 EXISTS\r\n", 700000);
	imap_lexer_feed(lexer, buf_span(&in));
	while (imap_lexer_next(lexer, &response, NULL) == 1) {
		count++;
		assert_true(imap_lexer_has_rest(lexer) == (count < 700000));
	}
	assert_int_equal(count, 700000);
	imap_lexer_free(&lexer);
	buf_done(&in);
}

/* A promise of much costs nothing, and a long answer leaves nothing behind. */
static void
test_memory(void **state)
{
	struct imap_lexer *lexer = imap_lexer_new(IMAP_LITERAL_TOP);
	size_t before = mallinfo2().uordblks;
	struct imap_response response;
	struct buf in = BUF_INIT;

	(void)state;
	buf_add_str(&in, "* SEARCH");
	repeat(&in, " 1", 30000);
	buf_add_str(&in, "\r\n");
	imap_lexer_feed(lexer, buf_span(&in));
	buf_done(&in);
	assert_int_equal(imap_lexer_next(lexer, &response, NULL), 1);
	assert_int_equal(response.count, 30000);
	assert_int_equal(imap_lexer_next(lexer, &response, NULL), 0);
	assert_true(mallinfo2().uordblks <= before + 16384);
	imap_lexer_feed(lexer, SPAN("* X {1000000000}\r\nabc"));
	assert_int_equal(imap_lexer_next(lexer, &response, NULL), 0);
	assert_true(mallinfo2().uordblks <= before + 16384);
	imap_lexer_free(&lexer);
}

/* Bytes that go are given back though the lexer is never quite empty. */
static void
test_memory_while_never_empty(void **state)
{
	struct imap_lexer *lexer = imap_lexer_new(IMAP_LITERAL_MAX);
	size_t before = mallinfo2().uordblks;
	struct imap_response response;

	(void)state;
	imap_lexer_feed(lexer, SPAN("* 1 EX"));
	for (size_t i = 0; i < 100000; i++) {
		imap_lexer_feed(lexer, SPAN("ISTS\r\n* 1 EX"));
		assert_int_equal(imap_lexer_next(lexer, &response, NULL), 1);
		assert_int_equal(imap_lexer_next(lexer, &response, NULL), 0);
		assert_true(imap_lexer_has_rest(lexer));
	}
	assert_true(mallinfo2().uordblks <= before + 16384);
	imap_lexer_free(&lexer);
}

static const struct {
	struct imap_value value;
	uint64_t number;
} numbers[] = {
    {{IMAP_ATOM, SPAN_INIT("0"), NULL, 0}, 0},
    {{IMAP_ATOM, SPAN_INIT("12"), NULL, 0}, 12},
    {{IMAP_ATOM, SPAN_INIT("0012"), NULL, 0}, 12},
    {{IMAP_ATOM, SPAN_INIT("+12"), NULL, 0}, 12},
    {{IMAP_ATOM, SPAN_INIT("-12"), NULL, 0}, 0},
    {{IMAP_ATOM, SPAN_INIT("12.75"), NULL, 0}, 12},
    {{IMAP_ATOM, SPAN_INIT("12."), NULL, 0}, 12},
    {{IMAP_ATOM, SPAN_INIT("."), NULL, 0}, 0},
    {{IMAP_ATOM, SPAN_INIT("1.5e9"), NULL, 0}, 0},
    {{IMAP_ATOM, SPAN_INIT("12x"), NULL, 0}, 0},
    {{IMAP_ATOM, SPAN_INIT(""), NULL, 0}, 0},
    {{IMAP_STRING, SPAN_INIT("7"), NULL, 0}, 7},
    {{IMAP_NIL, SPAN_INIT("NIL"), NULL, 0}, 0},
    {{IMAP_LIST, {NULL, 0}, NULL, 0}, 0},
    {{IMAP_ATOM, SPAN_INIT("18446744073709551615"), NULL, 0}, UINT64_MAX},
    {{IMAP_ATOM, SPAN_INIT("18446744073709551616"), NULL, 0}, UINT64_MAX},
    {{IMAP_ATOM, SPAN_INIT("99999999999999999999999999"), NULL, 0}, UINT64_MAX},
};

static void
test_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(numbers); i++) {
		if (imap_value_number(&numbers[i].value) == numbers[i].number)
			continue;
		print_error("case: %.*s\n", SPAN_FMT(numbers[i].value.text));
		fail();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_transcripts),
	    cmocka_unit_test(test_shapes),
	    cmocka_unit_test(test_codes),
	    cmocka_unit_test(test_literals),
	    cmocka_unit_test(test_malformed),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_repetitions),
	    cmocka_unit_test(test_nesting_at_the_limit),
	    cmocka_unit_test(test_sum_of_literals),
	    cmocka_unit_test(test_large_fetch_costs_no_memory),
	    cmocka_unit_test(test_endless_fetch),
	    cmocka_unit_test(test_long_literal_byte_by_byte),
	    cmocka_unit_test(test_many_responses_in_one_piece),
	    cmocka_unit_test(test_memory),
	    cmocka_unit_test(test_memory_while_never_empty),
	    cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
