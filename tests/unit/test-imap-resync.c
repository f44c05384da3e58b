/*
 * test-imap-resync: VANISHED, MODIFIED and what SEARCH found.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/buf.h"
#include "daemon/wire/imap/resync.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

typedef void describe(struct buf *, const struct imap_response *);

static void
vanished(struct buf *out, const struct imap_response *response)
{
	struct imap_vanished v;

	buf_add_str(out, imap_is_vanished(response) ? "vanished" : "another");
	if (!imap_vanished_parse(response, &v))
		return;
	buf_add_str(out, v.earlier ? " earlier " : " now ");
	imap_seqset_format(out, &v.uids);
	imap_seqset_done(&v.uids);
}

static void
modified(struct buf *out, const struct imap_response *response)
{
	struct imap_seqset uids;

	if (!imap_modified_parse(response, &uids))
		return;
	imap_seqset_format(out, &uids);
	imap_seqset_done(&uids);
}

/* Upon 77, which was found before. */
static void
searched(struct buf *out, const struct imap_response *response)
{
	struct imap_seqset found = IMAP_SEQSET_INIT;

	imap_seqset_add(&found, 77);
	if (imap_search_parse(response, &found))
		imap_seqset_format(out, &found);
	imap_seqset_done(&found);
}

static const struct {
	describe *describe;
	const char *line, *out;
} cases[] = {
    {vanished, "* VANISHED 405,407:410", "vanished now 405,407:410"},
    {vanished, "* VANISHED (EARLIER) 300:310", "vanished earlier 300:310"},
    {vanished, "* vanished (earlier) 9", "vanished earlier 9"},
    {vanished, "* VANISHED (EARLIER) 1:4294967295",
	"vanished earlier 1:4294967295"},
    {vanished, "* VANISHED", "vanished"},
    {vanished, "* VANISHED (EARLIER)", "vanished"},
    {vanished, "* VANISHED (LATER) 5", "vanished"},
    {vanished, "* VANISHED 5 6", "vanished"},
    {vanished, "* VANISHED 5:*", "vanished"},
    {vanished, "* VANISHED \"5\"", "vanished"},
    {vanished, "* VANISHED 0", "vanished"},
    {vanished, "* 5 VANISHED", "another"},
    {vanished, "* 5 EXPUNGE", "another"},
    {vanished, "* OK VANISHED 5", "another"},
    {vanished, "a1 OK VANISHED 5", "another"},
    {modified, "a1 OK [MODIFIED 7,9] no", "7,9"},
    {modified, "a1 NO [modified 7:9] no", "7:9"},
    {modified, "a1 OK [MODIFIED] no", ""},
    {modified, "a1 OK [MODIFIED 7 9] no", ""},
    {modified, "a1 OK [MODIFIED (7)] no", ""},
    {modified, "a1 OK [HIGHESTMODSEQ 7] no", ""},
    {modified, "a1 OK MODIFIED 7", ""},
    {searched, "* SEARCH 5 7 6", "5:7,77"},
    {searched, "* SEARCH", "77"},
    {searched, "* SEARCH 5 (MODSEQ 917162500)", "5,77"},
    {searched, "* SEARCH 0 -1 4294967295 4294967296", "77"},
    {searched, "* ESEARCH (TAG \"a7\") UID ALL 1:3,9", "1:3,9"},
    {searched, "* ESEARCH (TAG \"a7\") UID COUNT 4 all 5", "5"},
    {searched, "* ESEARCH (TAG \"a7\") UID", "77"},
    {searched, "* ESEARCH (TAG \"a7\") UID ALL", "77"},
    {searched, "* ESEARCH (TAG \"a7\") UID ALL x", "77"},
    {searched, "* 5 SEARCH 5", ""},
    {searched, "* OK SEARCH 5", ""},
};

static void
test_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct imap_lexer *lexer = imap_lexer_new(IMAP_LITERAL_MAX);
		struct imap_response response;
		BUF_AUTO out = BUF_INIT;

		imap_lexer_feed(lexer, span_from_str(cases[i].line));
		imap_lexer_feed(lexer, SPAN("\r\n"));
		assert_int_equal(imap_lexer_next(lexer, &response, NULL), 1);
		cases[i].describe(&out, &response);
		if (!span_is(buf_span(&out), cases[i].out)) {
			print_error("case: %s\nwanted: %s\ngot:    %s\n",
			    cases[i].line, cases[i].out, buf_str(&out));
			fail();
		}
		imap_lexer_free(&lexer);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_all)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
