/*
 * Commands. The first byte says whether LITERAL+ may be used; then come
 * operations: a letter, a length, and so many bytes. Oracle: a strict reader
 * gets exactly the words that were added, unless the command says that it is
 * invalid; and it says so whenever a word could not be written.
 */
#include <assert.h>

#include "tests/lib/imap-reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
	struct imap_command command;
	struct strv wanted;
	bool refused; /* something cannot be written */
};

static void
want(struct run *run, const char *kind, struct span text)
{
	struct buf token = BUF_INIT;

	buf_add_str(&token, kind);
	buf_add_span(&token, text);
	strv_add_span(&run->wanted, buf_span(&token));
	buf_done(&token);
}

static void
add_string(struct run *run, struct span bytes)
{
	imap_command_string(&run->command, bytes);
	if (span_find(bytes, '\0') != SIZE_MAX)
		run->refused = true;
	want(run, "'", bytes);
}

static void
add_mailbox(struct run *run, struct span bytes)
{
	imap_command_mailbox(&run->command, bytes);
	if (span_find(bytes, '\0') != SIZE_MAX)
		run->refused = true;
	if (span_is_nocase(bytes, "INBOX"))
		want(run, "=", SPAN("INBOX"));
	else
		want(run, "'", bytes);
}

/* The words between blanks; no C string holds a NUL. */
static void
split(struct span bytes, struct strv *words)
{
	struct span word;

	if (bytes.len == 0)
		return;
	while (span_split(&bytes, ' ', &word))
		strv_add_span(
		    words, span_slice(word, 0, span_find(word, '\0')));
}

static void
want_list(struct run *run, const struct strv *words)
{
	want(run, "(", SPAN_EMPTY);
	for (size_t i = 0; i < words->len; i++)
		want(run, "=", span_from_str(words->items[i]));
	want(run, ")", SPAN_EMPTY);
}

static void
add_flags(struct run *run, struct span bytes)
{
	struct strv words = STRV_INIT;

	split(bytes, &words);
	imap_command_flags(&run->command, &words);
	want_list(run, &words);
	strv_done(&words);
}

static void
add_fields(struct run *run, struct span bytes)
{
	struct strv words = STRV_INIT;

	split(bytes, &words);
	imap_command_raw(&run->command, "(BODY.PEEK[HEADER.FIELDS");
	imap_command_header_fields(&run->command, &words);
	imap_command_raw(&run->command, "])");
	want(run, "(", SPAN_EMPTY);
	want(run, "=BODY.PEEK[HEADER.FIELDS", SPAN_EMPTY);
	want_list(run, &words);
	want(run, "]", SPAN_EMPTY);
	want(run, ")", SPAN_EMPTY);
	if (words.len == 0)
		run->refused = true;
	strv_done(&words);
}

static void
add_set(struct run *run, struct span bytes)
{
	struct imap_seqset set = IMAP_SEQSET_INIT;
	struct buf text = BUF_INIT;

	if (imap_seqset_parse(bytes, &set)) {
		imap_command_seqset(&run->command, &set);
		imap_seqset_format(&text, &set);
		want(run, "=", buf_span(&text));
	}
	imap_seqset_done(&set);
	buf_done(&text);
}

static void
add_nothing(struct run *run, struct span bytes)
{
	(void)bytes;
	imap_command_number(&run->command, 7);
	want(run, "=", SPAN("7"));
}

static void (*const operations[])(struct run *, struct span) = {
    add_string, add_mailbox, add_flags, add_fields, add_set, add_nothing};

#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))

static void
check(struct run *run)
{
	struct strv got = STRV_INIT;

	if (run->refused)
		assert(run->command.invalid);
	if (!run->command.invalid) {
		assert(imap_read_command(&run->command, &got));
		assert(strv_equal(&got, &run->wanted));
		assert(run->command.text.len - run->command.literal_bytes <=
		       IMAP_COMMAND_LINE_MAX);
	}
	strv_done(&got);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run run = {.wanted = STRV_INIT};
	struct span rest = span_from(data, size);

	imap_command_init(&run.command, "X");
	want(&run, "=X", SPAN_EMPTY);
	run.command.literal_plus = size > 0 && data[0] % 2 == 1;
	rest = span_skip(rest, 1);
	while (rest.len >= 2) {
		unsigned char op = (unsigned char)rest.data[0];
		size_t len = (unsigned char)rest.data[1];

		rest = span_skip(rest, 2);
		operations[op % OPERATIONS](&run, span_slice(rest, 0, len));
		rest = span_skip(rest, len);
		check(&run);
	}
	imap_command_done(&run.command);
	strv_done(&run.wanted);
	return 0;
}
