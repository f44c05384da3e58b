/*
 * test-imap-fetch: FETCH, LIST, STATUS, COPYUID, dates and capabilities, as
 * plain structs from what servers say.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/buf.h"
#include "daemon/wire/imap/capability.h"
#include "daemon/wire/imap/fetch.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

/* Lexes one line; the lexer keeps what the response borrows. */
static struct imap_lexer *
lex(const char *name, const char *line, struct imap_response *response_r)
{
	struct imap_lexer *lexer = imap_lexer_new(IMAP_LITERAL_MAX);

	imap_lexer_feed(lexer, span_from_str(line));
	imap_lexer_feed(lexer, SPAN("\r\n"));
	if (imap_lexer_next(lexer, response_r, NULL) != 1) {
		print_error("case: %s: no response\n", name);
		fail();
	}
	return lexer;
}

/* "a=b" pieces of what is known, to compare: what is absent is left out. */
typedef void describe(struct buf *, const struct imap_response *);

struct test_case {
	const char *name, *line, *out;
};

static void
check(const struct test_case *c, describe *say)
{
	struct imap_response response;
	struct imap_lexer *lexer = lex(c->name, c->line, &response);
	struct buf out = BUF_INIT;

	say(&out, &response);
	if (!span_is(buf_span(&out), c->out)) {
		print_error("case: %s\nwanted: %s\ngot:    %s\n", c->name,
		    c->out, buf_str(&out));
		fail();
	}
	buf_done(&out);
	imap_lexer_free(&lexer);
}

static void
describe_fetch(struct buf *out, const struct imap_response *response)
{
	struct imap_fetch f;

	if (!imap_fetch_parse(response, &f)) {
		buf_add_str(out, "no fetch");
		return;
	}
	buf_addf(out, "seq=%" PRIu32 " uid=%" PRIu32, f.seq, f.uid);
	if (f.has_flags) {
		buf_add_str(out, " flags=");
		for (size_t i = 0; i < f.flag_count; i++)
			buf_addf(out, "%.*s,", SPAN_FMT(f.flags[i].text));
	}
	if (f.has_internaldate)
		buf_addf(out, " date=%" PRId64, f.internaldate_unix);
	if (f.has_size)
		buf_addf(out, " size=%" PRIu64, f.size);
	if (f.modseq != 0)
		buf_addf(out, " modseq=%" PRIu64, f.modseq);
	if (f.has_header)
		buf_addf(out, " header=%.*s", SPAN_FMT(f.header));
	if (f.has_body)
		buf_addf(out, " body=%.*s", SPAN_FMT(f.body));
	if (f.structure != NULL)
		buf_addf(out, " structure=%.*s",
		    SPAN_FMT(f.structure->items[0].text));
	if (f.has_preview)
		buf_addf(out, " preview=%.*s.", SPAN_FMT(f.preview));
	if (f.has_part)
		buf_addf(out, " part %.*s at %" PRIu64 "=%.*s",
		    SPAN_FMT(f.part_section), f.part_origin, SPAN_FMT(f.part));
}

/* clang-format off */
static const struct test_case fetches[] = {
	{"all of it", "* 3 FETCH (UID 7 FLAGS (\\Seen $Junk) RFC822.SIZE 4321"
	    " INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" MODSEQ (99)"
	    " BODY[HEADER.FIELDS (TO)] {5}\r\nTo: a)",
	    "seq=3 uid=7 flags=\\Seen,$Junk, date=837596665 size=4321"
	    " modseq=99 header=To: a"},
	{"nothing of it", "* 3 FETCH ()", "seq=3 uid=0"},
	{"no list", "* 3 FETCH", "seq=3 uid=0"},
	{"no number", "* FETCH (UID 4)", "no fetch"},
	{"no fetch", "* 3 EXISTS", "no fetch"},
	{"tagged", "a OK [FETCH 4]", "no fetch"},
	{"names in any case", "* 1 fetch (uid 4 Flags (\\sEEN) body[] \"x\")",
	    "seq=1 uid=4 flags=\\sEEN, body=x"},
	{"courier's quoted names, odd blanks", "* 1 FETCH (UID 2 BODY[ HEADER.Fields"
	    "  (\"To\" \"X]\") ] \"h\" FLAGS ())", "seq=1 uid=2 flags= header=h"},
	{"whole header", "* 1 FETCH (BODY[HEADER] \"h\" UID 2)",
	    "seq=1 uid=2 header=h"},
	{"old items", "* 1 FETCH (RFC822.HEADER \"h\" RFC822 \"b\")",
	    "seq=1 uid=0 header=h body=b"},
	{"partial", "* 1 FETCH (BODY[]<0> \"b\" BODY[HEADER]<0> \"h\")",
	    "seq=1 uid=0 header=h body=b"},
	{"other sections are not ours", "* 1 FETCH (BODY[1.MIME] \"a\" BODY[TEXT]"
	    " \"b\" BODY[1.HEADER] \"c\" BODY[HEADER.FIELDS.NOT (A)] \"d\""
	    " BINARY[] \"e\" UID 3)", "seq=1 uid=3"},
	{"part", "* 1 FETCH (BODY[1.2] \"a\" UID 3)",
	    "seq=1 uid=3 part 1.2 at 0=a"},
	{"part, its beginning", "* 1 FETCH (BODY[ 1]<0> {1}\r\na UID 3)",
	    "seq=1 uid=3 part 1 at 0=a"},
	{"part, from the middle", "* 1 FETCH (BODY[1]<70000> NIL UID 3)",
	    "seq=1 uid=3 part 1 at 70000="},
	{"part, bogus origin", "* 1 FETCH (BODY[1]<-7> \"a\" BODY[2]< \"b\")",
	    "seq=1 uid=0 part 2 at 0=b"},
	{"part without a value", "* 1 FETCH (BODY[1] UID 3)", "seq=1 uid=3"},
	{"structure", "* 1 FETCH (BODYSTRUCTURE (\"TEXT\") BODY (\"OLD\") UID 3)",
	    "seq=1 uid=3 structure=TEXT"},
	{"old structure", "* 1 FETCH (BODY (\"OLD\") UID 3)",
	    "seq=1 uid=3 structure=OLD"},
	{"structure NIL", "* 1 FETCH (BODYSTRUCTURE NIL UID 3)", "seq=1 uid=3"},
	{"structure of the wrong kind", "* 1 FETCH (BODYSTRUCTURE \"x\" UID 3)",
	    "seq=1 uid=3"},
	{"structure left out", "* 1 FETCH (BODYSTRUCTURE UID 3)",
	    "seq=1 uid=3"},
	{"NIL and empty headers", "* 1 FETCH (BODY[HEADER.FIELDS (A)] NIL"
	    " BODY[] \"\")", "seq=1 uid=0 header= body="},
	{"section of the wrong kind", "* 1 FETCH (BODY[] (x) BODY[HEADER] 5"
	    " UID 4)", "seq=1 uid=4"},
	{"numbers beyond", "* 4294967296 FETCH (UID 4294967296)",
	    "seq=0 uid=0"},
	{"largest", "* 4294967295 FETCH (UID 4294967295 RFC822.SIZE"
	    " 18446744073709551616 MODSEQ (9223372036854775807))",
	    "seq=4294967295 uid=4294967295 size=18446744073709551615"
	    " modseq=9223372036854775807"},
	{"number zero", "* 0 FETCH (UID 0 MODSEQ (0) RFC822.SIZE 0)",
	    "seq=0 uid=0 size=0"},
	{"bogus numbers", "* 1 FETCH (UID -5 MODSEQ (-1) RFC822.SIZE -1)",
	    "seq=1 uid=0"},
	{"float numbers", "* 1 FETCH (UID 5.0 RFC822.SIZE 12.75 MODSEQ (1.5))",
	    "seq=1 uid=0 size=12"},
	{"modseq above 63 bits", "* 1 FETCH (MODSEQ (9223372036854775808))",
	    "seq=1 uid=0"},
	{"two UIDs", "* 1 FETCH (UID 4 UID 5 FLAGS (a))",
	    "seq=1 uid=0 flags=a,"},
	{"one UID twice", "* 1 FETCH (UID 4 UID 4)", "seq=1 uid=4"},
	{"flags NIL", "* 1 FETCH (FLAGS NIL UID 2)", "seq=1 uid=2 flags="},
	{"flags with a literal", "* 1 FETCH (FLAGS (\\Seen {1}\r\na) UID 2)",
	    "seq=1 uid=2"},
	{"odd flags", "* 1 FETCH (FLAGS (\\* \\ $X] a\"b \xe9))",
	    "seq=1 uid=0 flags=\\*,\\,$X],a\"b,\xe9,"},
	{"value left out", "* 1 FETCH (FLAGS UID 4)", "seq=1 uid=4"},
	{"unknown item without value", "* 1 FETCH (X-ODD UID 4)",
	    "seq=1 uid=4"},
	{"unknown items", "* 1 FETCH (X-GM-MSGID 12 EMAILID (M1) X-ODD NIL"
	    " ENVELOPE (\"UID 9\" (\"UID\" NIL)) THREADID NIL UID 4)",
	    "seq=1 uid=4"},
	{"a preview", "* 1 FETCH (UID 4 PREVIEW \"Hello, UID 9\")",
	    "seq=1 uid=4 preview=Hello, UID 9."},
	{"no preview", "* 1 FETCH (PREVIEW NIL UID 4)",
	    "seq=1 uid=4 preview=."},
	{"strings are no items", "* 1 FETCH (\"UID\" 9 UID 4)", "seq=1 uid=4"},
	{"a string that looks like an item", "* 1 FETCH (BODY[] \"UID\" FLAGS"
	    " (x))", "seq=1 uid=0 flags=x, body=UID"},
	{"junk in between", "* 1 FETCH (\"x\" (UID 9) UID 4 NIL FLAGS (a))",
	    "seq=1 uid=4 flags=a,"},
	{"item at the end", "* 1 FETCH (FLAGS (a) UID)",
	    "seq=1 uid=0 flags=a,"},
	{"bad date", "* 1 FETCH (INTERNALDATE \"yesterday\" UID 4)",
	    "seq=1 uid=4"},
	{"date NIL", "* 1 FETCH (INTERNALDATE NIL UID 4)", "seq=1 uid=4"},
};
/* clang-format on */

static void
test_fetch(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(fetches); i++)
		check(&fetches[i], describe_fetch);
}

static void
test_flags_above_the_limit(void **state)
{
	struct buf line = BUF_INIT;
	struct imap_response response;
	struct imap_fetch fetch;
	struct imap_lexer *lexer;

	(void)state;
	buf_add_str(&line, "* 1 FETCH (FLAGS (");
	for (int i = 0; i < 10000; i++)
		buf_addf(&line, "%s%d", i > 0 ? " " : "", i);
	buf_add_str(&line, "))");
	lexer = lex("10,000 flags", buf_str(&line), &response);
	assert_true(imap_fetch_parse(&response, &fetch));
	assert_true(fetch.has_flags);
	assert_int_equal(fetch.flag_count, IMAP_FLAGS_MAX);
	imap_lexer_free(&lexer);
	buf_done(&line);
}

static const struct {
	const char *text;
	bool good;
	int64_t unix_time;
} dates[] = {
    {"17-Jul-1996 02:44:25 -0700", true, 837596665},
    {" 7-Jul-1996 02:44:25 -0700", true, 836732665},
    {"7-Jul-1996 02:44:25 -0700", true, 836732665},
    {"07-JUL-1996 02:44:25 -0700", true, 836732665},
    {"01-Jan-1970 00:00:00 +0000", true, 0},
    {"31-Dec-1969 23:59:59 +0000", true, -1},
    {"01-Jan-1970 00:00:00 +0530", true, -19800},
    {"29-Feb-2024 12:00:00 +0000", true, 1709208000},
    {"01-Mar-2024 12:00:00 +0000", true, 1709294400},
    {"29-Feb-2000 00:00:00 +0000", true, 951782400},
    {"31-Dec-2099 23:59:59 +0000", true, 4102444799},
    {"01-Jan-0001 00:00:00 +0000", true, -62135596800},
    {"31-Dec-9999 23:59:59 +0000", true, 253402300799},
    {"31-Dec-2016 23:59:60 +0000", true, 1483228800},
    {"00-Jul-1996 02:44:25 -0700", false, 0},
    {"32-Jul-1996 02:44:25 -0700", false, 0},
    {"31-Jun-1996 02:44:25 -0700", false, 0},
    {"17-Jux-1996 02:44:25 -0700", false, 0},
    {"17-anf-1996 02:44:25 -0700", false, 0},
    {"17-Jul-0000 02:44:25 -0700", false, 0},
    {"17-Jul-1996 24:44:25 -0700", false, 0},
    {"17-Jul-1996 02:60:25 -0700", false, 0},
    {"17-Jul-1996 02:44:61 -0700", false, 0},
    {"17-Jul-1996 02:44:25 -0760", false, 0},
    {"17-Jul-1996 02:44:25  0700", false, 0},
    {"17-Jul-1996 02:44:25 GMT", false, 0},
    {"17-Jul-1996 02:44:25", false, 0},
    {"17 Jul 1996 02:44:25 -0700", false, 0},
    {"-1-Jul-1996 02:44:25 -0700", false, 0},
    {"17-Jul-1996 02:44:25 -0700 x", false, 0},
    {"", false, 0},
};

static void
test_dates(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(dates); i++) {
		int64_t got = 42;
		bool good = imap_date_parse(span_from_str(dates[i].text), &got);

		if (good == dates[i].good &&
		    got == (good ? dates[i].unix_time : 42))
			continue;
		print_error("case: '%s': %" PRId64 "\n", dates[i].text, got);
		fail();
	}
}

static void
describe_list(struct buf *out, const struct imap_response *response)
{
	struct imap_list_entry entry;

	if (!imap_list_parse(response, &entry)) {
		buf_add_str(out, "no list");
		return;
	}
	buf_addf(out, "%.*s", SPAN_FMT(entry.name));
	if (entry.delimiter != '\0')
		buf_addf(out, " by %c", entry.delimiter);
	buf_addf(out, " with %zu", entry.attribute_count);
	if (imap_list_has_attribute(&entry, "\\Sent"))
		buf_add_str(out, " sent");
}

/* clang-format off */
static const struct test_case lists[] = {
	{"plain", "* LIST (\\HasNoChildren) \"/\" \"INBOX\"",
	    "INBOX by / with 1"},
	{"small special-use", "* LIST (\\x \\sent) \"/\" Sent",
	    "Sent by / with 2 sent"},
	{"xlist", "* XLIST (\\Sent) \"|\" \"Entw&APw-rfe\"",
	    "Entw&APw-rfe by | with 1 sent"},
	{"lsub in any case", "* lsub () \".\" a.b", "a.b by . with 0"},
	{"flat", "* LIST () NIL x", "x with 0"},
	{"flat, as an empty string", "* LIST () \"\" x", "x with 0"},
	{"backslash", "* LIST () \"\\\\\" \"a\\\\b\"", "a\\b by \\ with 0"},
	{"delimiter as an atom", "* LIST () / x", "x by / with 0"},
	{"literal name", "* LIST () \"/\" {5}\r\na\"\r\nb", "a\"\r\nb by / with 0"},
	{"empty name", "* LIST (\\Noselect) \"/\" \"\"", " by / with 1"},
	{"mailbox NIL", "* LIST () \"/\" NIL", "NIL by / with 0"},
	{"attributes NIL", "* LIST NIL \"/\" x", "x by / with 0"},
	{"attribute as a string", "* LIST (\"\\\\Sent\") \"/\" x",
	    "x by / with 1"},
	{"extended", "* LIST () \"/\" x (\"CHILDINFO\" (\"SUBSCRIBED\"))",
	    "x by / with 0"},
	{"path", "* LIST () \"/\" \"../../etc/passwd\"",
	    "../../etc/passwd by / with 0"},
	{"brackets in an atom", "* LIST () \"/\" [Gmail]/Spam",
	    "[Gmail]/Spam by / with 0"},
	{"long delimiter", "* LIST () \"//\" x", "no list"},
	{"too short", "* LIST () \"/\"", "no list"},
	{"name is a list", "* LIST () \"/\" (x)", "no list"},
	{"no attributes", "* LIST x \"/\" y", "no list"},
	{"numbered", "* 5 LIST () \"/\" y", "no list"},
	{"another", "* STATUS x ()", "no list"},
	{"status", "* OK x", "no list"},
};
/* clang-format on */

static void
test_list(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(lists); i++)
		check(&lists[i], describe_list);
}

static void
describe_status(struct buf *out, const struct imap_response *response)
{
	struct imap_mailbox_status s;

	if (!imap_status_parse(response, &s)) {
		buf_add_str(out, "no status");
		return;
	}
	buf_addf(out, "%.*s", SPAN_FMT(s.name));
	if (s.has_messages)
		buf_addf(out, " messages=%" PRIu64, s.messages);
	buf_addf(out, " next=%" PRIu32 " validity=%" PRIu32 " modseq=%" PRIu64,
	    s.uidnext, s.uidvalidity, s.highestmodseq);
}

/* clang-format off */
static const struct test_case statuses[] = {
	{"exchange", "* STATUS INBOX (MESSAGES 4 UIDNEXT 9 UIDVALIDITY 14 ) ",
	    "INBOX messages=4 next=9 validity=14 modseq=0"},
	{"netease", "* STATUS \"INBOX\" ()",
	    "INBOX next=0 validity=0 modseq=0"},
	{"any case, others between", "* status x (uidNext 5 RECENT 1 MAILBOXID"
	    " (a) HIGHESTMODSEQ 7)", "x next=5 validity=0 modseq=7"},
	{"bogus", "* STATUS x (UIDNEXT 4294967296 MESSAGES -1 UIDVALIDITY 1.5"
	    " HIGHESTMODSEQ 9223372036854775808)",
	    "x next=0 validity=0 modseq=0"},
	{"cut short", "* STATUS x (MESSAGES 3 UIDNEXT)",
	    "x messages=3 next=0 validity=0 modseq=0"},
	{"no name", "* STATUS (MESSAGES 3)", "no status"},
	{"no list", "* STATUS x y", "no status"},
	{"another", "* LIST () \"/\" x", "no status"},
};
/* clang-format on */

static void
test_status(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(statuses); i++)
		check(&statuses[i], describe_status);
}

static const uint32_t looked_up[] = {1, 2, 3, 4, 7, 8, 9, 4294967295u};

static void
describe_copyuid(struct buf *out, const struct imap_response *response)
{
	struct imap_copyuid copyuid;

	if (!imap_copyuid_parse(response, &copyuid)) {
		buf_add_str(out, "none");
		return;
	}
	buf_addf(out, "%" PRIu32, copyuid.uidvalidity);
	for (size_t i = 0; i < LENGTH(looked_up); i++) {
		uint32_t uid = imap_copyuid_lookup(&copyuid, looked_up[i]);

		if (uid != 0)
			buf_addf(
			    out, " %" PRIu32 ">%" PRIu32, looked_up[i], uid);
	}
}

/* clang-format off */
static const struct test_case copyuids[] = {
	{"one", "* OK [COPYUID 55 3 6] x", "55 3>6"},
	{"exchange", "[COPYUID 55 3 6]", "55 3>6"},
	{"tagged", "a1 OK [copyuid 55 3 6] done", "55 3>6"},
	{"sets and ranges", "* OK [COPYUID 5 4,7:9 12:15] x",
	    "5 4>12 7>13 8>14 9>15"},
	{"ranges in front", "* OK [COPYUID 5 1:3,7:9 20:21,30,40:42] x",
	    "5 1>20 2>21 3>30 7>40 8>41 9>42"},
	{"ranges to numbers", "* OK [COPYUID 5 1:3 30,10,20] x",
	    "5 1>30 2>10 3>20"},
	{"not ascending", "* OK [COPYUID 5 9,4,1 1,2,3] x", "5 1>3 4>2 9>1"},
	{"turned ranges", "* OK [COPYUID 5 3:1 7:5] x", "5 1>5 2>6 3>7"},
	{"all there are", "* OK [COPYUID 5 1:4294967295 1:4294967295] x",
	    "5 1>1 2>2 3>3 4>4 7>7 8>8 9>9 4294967295>4294967295"},
	{"all there are, twice", "* OK [COPYUID 5 1:4294967295,1:4294967295"
	    " 1:4294967295,1:4294967295] x",
	    "5 1>1 2>2 3>3 4>4 7>7 8>8 9>9 4294967295>4294967295"},
	{"all against two", "* OK [COPYUID 5 1:4294967295 1:2] x", "none"},
	{"two against all", "* OK [COPYUID 5 1:2 1:4294967295] x", "none"},
	{"different sizes", "* OK [COPYUID 5 1:3 1,2] x", "none"},
	{"zero", "* OK [COPYUID 5 0 0] x", "none"},
	{"zero in a range", "* OK [COPYUID 5 0:1 1:2] x", "none"},
	{"star", "* OK [COPYUID 5 1:* 1:*] x", "none"},
	{"above 32 bits", "* OK [COPYUID 5 4294967296 1] x", "none"},
	{"uidvalidity above 32 bits", "* OK [COPYUID 4294967296 1 1] x", "none"},
	{"empty pieces", "* OK [COPYUID 5 1,,2 1,,2] x", "none"},
	{"comma at the end", "* OK [COPYUID 5 1, 1,] x", "none"},
	{"empty sets", "* OK [COPYUID 5  ] x", "none"},
	{"quoted empty sets", "* OK [COPYUID 5 \"\" \"\"] x", "none"},
	{"lists", "* OK [COPYUID 5 (1) (1)] x", "none"},
	{"one too many", "* OK [COPYUID 5 1 1 1] x", "none"},
	{"malformed", "* OK [COPYUID (5 1 1] x", "none"},
	{"another code", "* OK [APPENDUID 5 1] x", "none"},
	{"no code", "* OK COPYUID 5 1 1", "none"},
};
/* clang-format on */

static void
test_copyuid(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(copyuids); i++)
		check(&copyuids[i], describe_copyuid);
}

/* Upwards, downwards, and where nothing is. */
static void
check_walk(const struct imap_copyuid *copyuid)
{
	struct imap_copyuid_walk walk;
	struct imap_seqset uids = IMAP_SEQSET_INIT;

	imap_copyuid_begin(copyuid, &walk);
	for (uint32_t i = 1; i <= 5000; i++)
		assert_int_equal(imap_copyuid_next(&walk, 2 * i), i);
	assert_int_equal(imap_copyuid_next(&walk, 3), 0);
	assert_int_equal(imap_copyuid_next(&walk, 4), 2);
	for (uint32_t i = 5000; i > 4900; i--)
		assert_int_equal(imap_copyuid_next(&walk, 2 * i), i);
	imap_seqset_add(&uids, 10001);
	imap_seqset_add(&uids, 3);
	assert_false(imap_copyuid_touches(copyuid, &uids));
	imap_seqset_add(&uids, 10000);
	assert_true(imap_copyuid_touches(copyuid, &uids));
	imap_seqset_done(&uids);
}

/* Nearly the longest line: sets of thousands of ranges. */
static void
test_long_copyuid(void **state)
{
	struct buf line = BUF_INIT;
	struct imap_response response;
	struct imap_copyuid copyuid;
	struct imap_lexer *lexer;

	(void)state;
	buf_add_str(&line, "* OK [COPYUID 5 ");
	for (uint32_t i = 1; i < 5000; i++)
		buf_addf(&line, "%" PRIu32 ",", 2 * i);
	buf_add_str(&line, "10000 1:5000] x");
	lexer = lex("long", buf_str(&line), &response);
	assert_true(imap_copyuid_parse(&response, &copyuid));
	for (uint32_t i = 1; i <= 5000; i++) {
		assert_int_equal(imap_copyuid_lookup(&copyuid, 2 * i), i);
		assert_int_equal(imap_copyuid_lookup(&copyuid, 2 * i - 1), 0);
	}
	check_walk(&copyuid);
	imap_lexer_free(&lexer);
	buf_done(&line);
}

static void
describe_capabilities(struct buf *out, const struct imap_response *response)
{
	uint64_t capabilities = 1ull << 63;

	if (imap_capability_update(response, &capabilities))
		imap_capability_format(out, capabilities);
	else if (capabilities == 1ull << 63)
		buf_add_str(out, "none");
}

/* clang-format off */
static const struct test_case capabilities[] = {
	{"untagged", "* CAPABILITY IMAP4rev1 idle XYZZY Auth=Plain",
	    "IMAP4rev1 AUTH=PLAIN IDLE"},
	{"greeting", "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] x",
	    "IMAP4rev1 STARTTLS LOGINDISABLED"},
	{"preauth", "* PREAUTH [CAPABILITY IMAP4rev1] x", "IMAP4rev1"},
	{"tagged", "a1 OK [capability MOVE UIDPLUS] x", "MOVE UIDPLUS"},
	{"qresync", "* CAPABILITY QRESYNC", "CONDSTORE QRESYNC"},
	{"rev2", "* CAPABILITY IMAP4rev2", "IMAP4rev2 SASL-IR ENABLE IDLE MOVE"
	    " UIDPLUS NAMESPACE SPECIAL-USE LIST-EXTENDED LITERAL- UNSELECT ESEARCH"
	    " LIST-STATUS"},
	{"empty", "* CAPABILITY", ""},
	{"strings do not count", "* CAPABILITY \"IDLE\" (MOVE) NIL", ""},
	{"longer and shorter words", "* CAPABILITY IDLEX IDL ID", "ID"},
	{"all we know", "* CAPABILITY IMAP4rev1 SASL-IR AUTH=LOGIN AUTH=XOAUTH2"
	    " AUTH=OAUTHBEARER AUTH=EXTERNAL ENABLE LIST-EXTENDED XLIST"
	    " LITERAL+ CONDSTORE X-GM-EXT-1", "IMAP4rev1 SASL-IR AUTH=LOGIN"
	    " AUTH=XOAUTH2 AUTH=OAUTHBEARER AUTH=EXTERNAL ENABLE LIST-EXTENDED"
	    " XLIST LITERAL+ CONDSTORE X-GM-EXT-1"},
	{"in a refusal", "a1 NO [CAPABILITY IDLE] x", "none"},
	{"none", "* OK x", "none"},
	{"in text", "* OK CAPABILITY IDLE", "none"},
	{"numbered", "* 5 CAPABILITY IDLE", "none"},
	{"continuation", "+ CAPABILITY IDLE", "none"},
};
/* clang-format on */

static void
test_capabilities(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(capabilities); i++)
		check(&capabilities[i], describe_capabilities);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_fetch),
	    cmocka_unit_test(test_flags_above_the_limit),
	    cmocka_unit_test(test_dates),
	    cmocka_unit_test(test_list),
	    cmocka_unit_test(test_status),
	    cmocka_unit_test(test_copyuid),
	    cmocka_unit_test(test_long_copyuid),
	    cmocka_unit_test(test_capabilities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
