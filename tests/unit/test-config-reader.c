/*
 * The reader in front of inih: what is refused, where, and that what is
 * accepted arrives as it was written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/xalloc.h"
#include "daemon/config/document.h"
#include "daemon/config/problem.h"
#include "daemon/config/reader.h"

#define LONGEST READER_LINE_MAX

struct parsed {
	struct document document;
	struct rule_problems problems;
};

static void
parse(struct parsed *p, struct span text)
{
	*p = (struct parsed){.document = DOCUMENT_INIT};
	reader_parse("f", text, &p->document, &p->problems);
	document_check_duplicates(&p->document, &p->problems);
}

static void
parsed_done(struct parsed *p)
{
	document_done(&p->document);
	rule_problems_done(&p->problems);
}

/* "line:column text; ..." */
static char *
list_problems(const struct rule_problems *problems)
{
	BUF_AUTO buf = BUF_INIT;

	for (size_t i = 0; i < problems->count; i++)
		buf_addf(&buf, "%s%u:%u %s", i > 0 ? "; " : "",
		    problems->items[i].place.line,
		    problems->items[i].place.column, problems->items[i].text);
	return buf_take_str(&buf);
}

/* "[kind name] key=value@line:column +value ..." */
static char *
list_document(const struct document *document)
{
	BUF_AUTO buf = BUF_INIT;

	for (size_t i = 0; i < document->count; i++) {
		const struct document_section *section = &document->sections[i];
		buf_addf(&buf, "%s[%s|%s]", i > 0 ? " " : "", section->kind,
		    section->name);
		for (size_t j = 0; j < section->entry_count; j++) {
			const struct document_entry *e = &section->entries[j];
			buf_addf(&buf, " %s%s=%s@%u:%u",
			    e->is_continuation ? "+" : "", e->key, e->value,
			    e->line, e->column);
		}
	}
	return buf_take_str(&buf);
}

struct accepted_case {
	const char *name;
	const char *text;
	const char *document;
};

static const struct accepted_case accepted_cases[] = {
    {"empty", "", ""},
    {"plain", "[a b]\nk = v\n", "[a|b] k=v@2:5"},
    {"no newline at the end", "[a b]\nk = v", "[a|b] k=v@2:5"},
    {"BOM", "\xef\xbb\xbf[a b]\nk=v\n", "[a|b] k=v@2:3"},
    {"CRLF", "[a b]\r\nk = v\r\n\r\n", "[a|b] k=v@2:5"},
    {"tabs and blanks around", "[ a \t b ] \t\nk\t =\t v \t\n",
	"[a|b] k=v@2:7"},
    {"inline semicolon stays", "[a b]\nk = ab ;cd\n", "[a|b] k=ab ;cd@2:5"},
    {"inline hash stays", "[a b]\nk = ab #cd\n", "[a|b] k=ab #cd@2:5"},
    {"colon does not separate", "[a b]\nk = imaps://h:993/ = x\n",
	"[a|b] k=imaps://h:993/ = x@2:5"},
    {"equals in the value", "[a b]\nk = a=b\n", "[a|b] k=a=b@2:5"},
    {"quotes are raw", "[a b]\nk = \"x \n", "[a|b] k=\"x@2:5"},
    {"backslash at the end is raw", "[a b]\nk = x\\\nl = y\n",
	"[a|b] k=x\\@2:5 l=y@3:5"},
    {"bracket in a value", "[a b]\nk = [x]\n", "[a|b] k=[x]@2:5"},
    {"comments", "# x\n; y\n[a b]\n#k = v\n;l = w\n", "[a|b]"},
    {"empty section", "[a]\n[b c]\n", "[a|] [b|c]"},
    {"continuation", "[a b]\nk = v\n  w ;x\n", "[a|b] k=v@2:5 +k=w ;x@3:3"},
    {"continuation behind comment and empty line", "[a b]\nk = v\n# c\n\n\tw\n",
	"[a|b] k=v@2:5 +k=w@5:2"},
    {"empty value", "[a b]\nk =\n  w\n", "[a|b] k=@2:4 +k=w@3:3"},
    {"repeated keys are the document's business", "[a b]\nk = 1\nk = 2\n",
	"[a|b] k=1@2:5 k=2@3:5"},
    {"columns count characters", "[a b]\nk = \xc3\xbc\n \xc2\xa0x\n",
	"[a|b] k=\xc3\xbc@2:5 +k=\xc2\xa0x@3:2"},
    {"form of the value of inih's own making", "[a b]\nv = v\nk = k=v\n",
	"[a|b] v=v@2:5 k=k=v@3:5"},
    {"name at the limit",
	"[account aaaaaaaaaabbbbbbbbbbccccccccccddddddddddd]\nk=v\n",
	"[account|aaaaaaaaaabbbbbbbbbbccccccccccddddddddddd] k=v@2:3"},
};

static void
test_accepted(void **state)
{
	(void)state;
	for (size_t i = 0;
	     i < sizeof(accepted_cases) / sizeof(accepted_cases[0]); i++) {
		const struct accepted_case *c = &accepted_cases[i];
		struct parsed p;
		parse(&p, span_from_str(c->text));
		STR_AUTO problems = list_problems(&p.problems);
		STR_AUTO document = list_document(&p.document);
		if (*problems != '\0' || strcmp(document, c->document) != 0) {
			print_error("%s: got %s, problems %s\n", c->name,
			    document, problems);
			fail();
		}
		parsed_done(&p);
	}
}

struct refused_case {
	const char *name;
	struct span text;
	const char *problems;
	const char *document; /* what is left; NULL: any */
};

#define T(literal) SPAN_INIT(literal)

static const struct refused_case refused_cases[] = {
    {"NUL", T("[a b]\nk = x\0y\n"), "2:6 a NUL byte is not allowed", "[a|b]"},
    {"NUL in a comment", T("#\0\n"), "1:2 a NUL byte is not allowed", ""},
    {"CR alone", T("[a b]\rk = v\rl = w\r"),
	"1:6 a carriage return inside a line is not allowed", ""},
    {"form feed", T("[a b]\n\fk = v\n"), "2:1 a form feed is not allowed",
	"[a|b]"},
    {"escape", T("[a b]\nk = \033[0m\n"),
	"2:5 a control character is not allowed", NULL},
    {"C1 control", T("[a b]\nk = \xc2\x85\n"),
	"2:5 a control character is not allowed", NULL},
    {"invalid UTF-8", T("[a b]\nk = \xc3\xbc\xff\n"),
	"2:6 byte 0xff is not valid UTF-8", NULL},
    {"overlong UTF-8", T("[a b]\nk = \xc0\xaf\n"),
	"2:5 byte 0xc0 is not valid UTF-8", NULL},
    {"surrogate", T("[a b]\nk = \xed\xa0\x80\n"),
	"2:5 byte 0xed is not valid UTF-8", NULL},
    {"BOM on the second line", T("[a b]\n\xef\xbb\xbfk = v\n"),
	"2:1 this character is not allowed in a key", "[a|b]"},
    {"no-break space before a key", T("[a b]\n\xc2\xa0k = v\n"),
	"2:1 this character is not allowed in a key", "[a|b]"},
    {"colon in place of equals", T("[a b]\nkey: v\n"),
	"2:1 no `=`: expected `key = value`", "[a|b]"},
    {"colon in a key", T("[a b]\nk:x = v\n"),
	"2:2 this character is not allowed in a key", "[a|b]"},
    {"blank in a key", T("[a b]\nk x = v\n"),
	"2:2 this character is not allowed in a key", "[a|b]"},
    {"no key", T("[a b]\n= v\n"), "2:1 no key in front of `=`", "[a|b]"},
    {"no separator", T("[a b]\nhunter2\n"),
	"2:1 no `=`: expected `key = value`", "[a|b]"},
    {"key of digits", T("[a b]\n1 = v\n"), "2:1 a key starts with a letter",
	"[a|b]"},
    {"long key", T("[a b]\naaaaaaaaaabbbbbbbbbbccccccccccddddddddddd = v\n"),
	"2:1 the key is longer than 40 bytes", "[a|b]"},
    {"key before a section", T("k = v\nl = w\n[a b]\nm = x\n"),
	"1:1 a key before the first section", "[a|b] m=x@4:5"},
    {"section not closed", T("[a b\nk = v\n"),
	"1:5 the section is not closed by `]`", ""},
    {"text behind the bracket", T("[a b] c\nk = v\n[d e]\n"),
	"1:7 text behind the section's `]`", "[d|e]"},
    {"comment behind the bracket", T("[a b] ; c\n"),
	"1:7 text behind the section's `]`", ""},
    {"semicolon in a section", T("[a 'q' ; c]\nk = v\n"),
	"1:4 this character is not allowed in a section's name", ""},
    {"quoted section", T("[a \"x\"]\nk = v\n"),
	"1:4 this character is not allowed in a section's name", ""},
    {"no section name", T("[ ]\n"), "1:1 the section has no name", ""},
    {"long section",
	T("[accounts aaaaaaaaaabbbbbbbbbbccccccccccdddddddddde]\nk=v\n"),
	"1:1 the section's name is longer than 49 bytes", ""},
    {"keys of a refused section go nowhere", T("[a b]\nk=v\n[c d\nk=w\n l\n"),
	"3:5 the section is not closed by `]`", "[a|b] k=v@2:3"},
    {"section twice", T("[a b]\nk=1\n[c]\n[a\tb]\nk=2\n"),
	"4:1 section [a b] is already defined at f:1", NULL},
    {"section three times", T("[a]\n[a]\n[a]\n"),
	"2:1 section [a] is already defined at f:1; 3:1 section [a] is "
	"already defined at f:1",
	NULL},
    {"nothing to continue", T("[a b]\n  k = v\n  l = w\n"),
	"2:3 an indented line, but there is no value above it to continue",
	"[a|b]"},
    {"a section ends the value above", T("[a b]\nk = v\n[c d]\n w\n"),
	"4:2 an indented line, but there is no value above it to continue",
	NULL},
    {"indented comment", T("[a b]\nk = v\n  # c\n  ; d\n"),
	"3:3 an indented line continues the value above and cannot start "
	"with `#`; 4:3 an indented line continues the value above and cannot "
	"start with `;`",
	"[a|b] k=v@2:5"},
    {"what continues a refused key is not blamed", T("[a b]\nk!=v\n w\n"),
	"2:2 this character is not allowed in a key", "[a|b]"},
    {"two at once", T("[a b]\nx\nk = \xff\n"),
	"2:1 no `=`: expected `key = value`; 3:5 byte 0xff is not valid UTF-8",
	"[a|b]"},
};

static void
test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused_cases) / sizeof(refused_cases[0]);
	     i++) {
		const struct refused_case *c = &refused_cases[i];
		struct parsed p;
		parse(&p, c->text);
		STR_AUTO problems = list_problems(&p.problems);
		STR_AUTO document = list_document(&p.document);
		if (strcmp(problems, c->problems) != 0 ||
		    (c->document != NULL &&
			strcmp(document, c->document) != 0)) {
			print_error("%s:\n got %s\n and %s\n", c->name,
			    problems, document);
			fail();
		}
		parsed_done(&p);
	}
}

/* "[a b]\nk = xxx...TAIL\n" with a line of `len` bytes. */
static char *
long_line(size_t len, const char *tail)
{
	BUF_AUTO buf = BUF_INIT;

	buf_add_str(&buf, "[a b]\nk = ");
	while (buf.len - 6 + strlen(tail) < len)
		buf_add_char(&buf, 'x');
	buf_add_str(&buf, tail);
	buf_add_char(&buf, '\n');
	return buf_take_str(&buf);
}

/* inih cuts at 199 bytes and reads the rest as a line of its own. */
static void
test_long_lines_are_one_line(void **state)
{
	static const char *const tails[] = {
	    "action = delete", " more", ";comment", "[section]", "k:v", "\\"};

	(void)state;
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		for (size_t len = 190; len < 230; len++) {
			STR_AUTO text = long_line(len, tails[i]);
			struct parsed p;
			parse(&p, span_from_str(text));
			const struct document_section *s =
			    &p.document.sections[0];
			if (p.problems.count != 0 || p.document.count != 1 ||
			    s->entry_count != 1 ||
			    strlen(s->entries[0].value) != len - 4) {
				print_error(
				    "tail %s, %zu bytes\n", tails[i], len);
				fail();
			}
			parsed_done(&p);
		}
	}
}

static void
test_longest_line(void **state)
{
	STR_AUTO fits = long_line(LONGEST, "delete = forever");
	STR_AUTO over = long_line(LONGEST + 1, "delete = forever");
	struct parsed p;

	(void)state;
	parse(&p, span_from_str(fits));
	assert_int_equal(p.problems.count, 0);
	assert_int_equal(
	    strlen(p.document.sections[0].entries[0].value), LONGEST - 4);
	parsed_done(&p);
	parse(&p, span_from_str(over));
	assert_int_equal(p.problems.count, 1);
	assert_int_equal(p.problems.items[0].place.line, 2);
	assert_int_equal(p.problems.items[0].place.column, LONGEST + 1);
	assert_int_equal(p.document.sections[0].entry_count, 0);
	parsed_done(&p);
}

static void
test_largest_file(void **state)
{
	BUF_AUTO text = BUF_INIT;
	struct parsed p;

	(void)state;
	while (text.len < READER_FILE_MAX)
		buf_add_str(&text, "#2345678\n");
	buf_truncate(&text, READER_FILE_MAX);
	parse(&p, buf_span(&text));
	assert_int_equal(p.problems.count, 0);
	parsed_done(&p);
	buf_add_str(&text, "\n");
	parse(&p, buf_span(&text));
	assert_int_equal(p.problems.count, 1);
	assert_string_equal(
	    p.problems.items[0].text, "the file is larger than 4 MiB");
	parsed_done(&p);
}

/* A file of rubbish does not become a heap of complaints. */
static void
test_rubbish_is_bounded(void **state)
{
	BUF_AUTO text = BUF_INIT;
	struct parsed p;

	(void)state;
	for (int i = 0; i < 100000; i++)
		buf_add_str(&text, "x\n[\n");
	parse(&p, buf_span(&text));
	assert_true(p.problems.count <= PROBLEMS_MAX + 1);
	assert_string_equal(p.problems.items[p.problems.count - 1].text,
	    "too many problems; more are not shown");
	parsed_done(&p);
}

static void
test_many_pairs_all_arrive(void **state)
{
	BUF_AUTO text = BUF_INIT;
	struct parsed p;
	size_t entries = 0;

	(void)state;
	for (int i = 0; i < 10000; i++)
		buf_addf(&text, "[rule r%d]\na = %d\nb = x\n  y\n", i, i);
	parse(&p, buf_span(&text));
	assert_int_equal(p.problems.count, 0);
	assert_int_equal(p.document.count, 10000);
	for (size_t i = 0; i < p.document.count; i++)
		entries += p.document.sections[i].entry_count;
	assert_int_equal(entries, 30000);
	parsed_done(&p);
}

/* ---- folding ---- */

struct fold_case {
	const char *name;
	const char *lines;  /* of a [rule r] */
	const char *things; /* "key=value@line:column" */
	const char *problems;
};

static const struct fold_case fold_cases[] = {
    {"one thing for each line", "when = a\n  b\n c\n",
	"when=a@2:8 when=b@3:3 when=c@4:2", ""},
    {"other keys are joined by one blank", "exec = a\n   b\n\tc\n",
	"exec=a b c@2:8", ""},
    {"an open parenthesis goes on", "when = (a or\n  b)\n  c\n",
	"when=(a or b)@2:8 when=c@4:3", ""},
    {"an open pattern goes on", "when = s ~ /a\n  b/\n  c\n",
	"when=s ~ /a b/@2:8 when=c@4:3", ""},
    {"other delimiters", "when = s ~ #a\n  b#\n  c\n",
	"when=s ~ #a b#@2:8 when=c@4:3", ""},
    {"an escaped delimiter does not close", "when = s ~ /a\\/\n  b/\n",
	"when=s ~ /a\\/ b/@2:8", ""},
    {"a parenthesis in a pattern is no parenthesis", "when = s ~ /\\(/\n  b\n",
	"when=s ~ /\\(/@2:8 when=b@3:3", ""},
    {"an open quote goes on", "when = s is \"a\n  b\"\n  c\n",
	"when=s is \"a b\"@2:8 when=c@4:3", ""},
    {"a joint goes on", "when = a or\n  not\n  b\n  c and\n  d\n",
	"when=a or not b@2:8 when=c and d@5:3", ""},
    {"a list goes on", "when = s is a,\n  b,\n  c\n  d\n",
	"when=s is a, b, c@2:8 when=d@5:3", ""},
    {"a comma that ends a pattern", "when = s ~ ,a,\n  b\n",
	"when=s ~ ,a,@2:8 when=b@3:3", ""},
    {"no joint", "when = s is \"a or\"\n  b\nwhen = door\n  b\n",
	"when=s is \"a or\"@2:8 when=b@3:3 when=door@4:8 when=b@5:3", ""},
    {"inches are no quote", "when = s is 5\" disk\n  b\n",
	"when=s is 5\" disk@2:8 when=b@3:3", ""},
    {"only conditions can be unfinished", "mark = (a\n  b\n",
	"mark=(a@2:8 mark=b@3:3", ""},
    {"nothing on the key's line", "when =\n  a\n  b\n", "when=a@3:3 when=b@4:3",
	""},
    {"no value at all", "move =\n", "", "2:7 `move` has no value"},
    {"a repeated key", "move = a\nmark = b\nmove = c\n",
	"move=a@2:8 mark=b@3:8", "4:1 `move` is already set at line 2"},
    {"repeatable keys", "when = a\nwhen = b\n", "when=a@2:8 when=b@3:8", ""},
    {"an unknown key and its continuation", "wehn = a\n  b\nmove = c\n",
	"move=c@4:8", "2:1 unknown key `wehn` in a section [rule]"},
    {"an indented key", "exec = a\n  move = b\n", "exec=a@2:8",
	"3:3 an indented line continues `exec` above, but this looks like a "
	"line of its own"},
    {"an indented section", "exec = a\n  [rule q]\n", "exec=a@2:8",
	"3:3 an indented line continues `exec` above, but this looks like a "
	"line of its own"},
    {"a character class is no section", "exec = a\n  [a-z]\n",
	"exec=a [a-z]@2:8", ""},
    {"an equals sign is no key", "exec = a\n  x = y\n", "exec=a x = y@2:8", ""},
};

static char *
list_things(const struct document_section *section)
{
	BUF_AUTO buf = BUF_INIT;

	for (size_t i = 0; i < section->thing_count; i++) {
		struct rule_place place =
		    document_place(&section->things[i], 0);
		buf_addf(&buf, "%s%s=%s@%u:%u", i > 0 ? " " : "",
		    section->things[i].setting->key, section->things[i].value,
		    place.line, place.column);
	}
	return buf_take_str(&buf);
}

static void
test_fold(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(fold_cases) / sizeof(fold_cases[0]);
	     i++) {
		const struct fold_case *c = &fold_cases[i];
		STR_AUTO text = xasprintf("[rule r]\n%s", c->lines);
		struct parsed p;
		parse(&p, span_from_str(text));
		document_fold(
		    &p.document.sections[0], SECTION_RULE, &p.problems);
		STR_AUTO problems = list_problems(&p.problems);
		STR_AUTO things = list_things(&p.document.sections[0]);
		if (strcmp(things, c->things) != 0 ||
		    strcmp(problems, c->problems) != 0) {
			print_error("%s:\n got %s\n and %s\n", c->name, things,
			    problems);
			fail();
		}
		parsed_done(&p);
	}
}

/* Each byte of a joined value knows its true line and column. */
static void
test_places_of_joined_values(void **state)
{
	struct parsed p;

	(void)state;
	parse(&p, SPAN("[rule r]\nwhen = (\xc3\xbc"
		       "bc\n   d or\n e)\n"));
	document_fold(&p.document.sections[0], SECTION_RULE, &p.problems);
	const struct document_thing *thing = &p.document.sections[0].things[0];
	assert_string_equal(thing->value, "(\xc3\xbc"
					  "bc d or e)");
	struct rule_place place = document_place(thing, 3); /* b */
	assert_int_equal(place.line * 100 + place.column, 210);
	place = document_place(thing, 6); /* d */
	assert_int_equal(place.line * 100 + place.column, 304);
	place = document_place(thing, 11); /* e */
	assert_int_equal(place.line * 100 + place.column, 402);
	/* d is the sixth character of the value, which begins in column 8. */
	place = document_true_place(thing, (struct rule_place){"f", 2, 13});
	assert_int_equal(place.line * 100 + place.column, 304);
	parsed_done(&p);
}

static void
test_print_reads_back(void **state)
{
	BUF_AUTO printed = BUF_INIT;
	BUF_AUTO again = BUF_INIT;
	struct parsed p, q;

	(void)state;
	parse(&p, SPAN("[a b]\nk =  v;#=\n\t w \n\nl=[x]\n[c]\nm=\n n\n"));
	document_print(&printed, &p.document);
	parse(&q, buf_span(&printed));
	document_print(&again, &q.document);
	assert_int_equal(q.problems.count, 0);
	assert_string_equal(buf_str(&printed), buf_str(&again));
	assert_string_equal(buf_str(&printed),
	    "[a b]\nk = v;#=\n  w\nl = [x]\n[c]\nm = \n  n\n");
	parsed_done(&p);
	parsed_done(&q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_accepted),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_long_lines_are_one_line),
	    cmocka_unit_test(test_longest_line),
	    cmocka_unit_test(test_largest_file),
	    cmocka_unit_test(test_rubbish_is_bounded),
	    cmocka_unit_test(test_many_pairs_all_arrive),
	    cmocka_unit_test(test_fold),
	    cmocka_unit_test(test_places_of_joined_values),
	    cmocka_unit_test(test_print_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
