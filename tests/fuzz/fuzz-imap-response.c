/*
 * IMAP responses. The first byte seeds the cuts, the second sets the limit for
 * literals. Oracle: the trace does not depend on the cuts, and all that is
 * read from a response (FETCH, LIST, STATUS, COPYUID, VANISHED, MODIFIED,
 * SEARCH, capabilities) keeps its promises.
 */
#include <assert.h>

#include "daemon/base/random.h"
#include "daemon/wire/imap/bodystructure.h"
#include "daemon/wire/imap/capability.h"
#include "daemon/wire/imap/fetch.h"
#include "daemon/wire/imap/response.h"
#include "daemon/wire/imap/resync.h"
#include "daemon/wire/imap/seqset.h"
#include "tests/lib/imap-trace.h"

#define CHUNKS_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t
cut(struct span input, uint8_t seed, struct span *chunks)
{
	struct random random;
	size_t count = 0;
	uint64_t longest;

	random_init(&random, seed);
	longest = UINT64_C(1) << random_below(&random, 8);
	while (input.len > 0 && count < CHUNKS_MAX - 1) {
		size_t len = (size_t)random_below(&random, longest + 1);

		chunks[count++] = span_slice(input, 0, len);
		input = span_skip(input, len);
	}
	chunks[count++] = input;
	return count;
}

static void
check_copyuid(const struct imap_response *response)
{
	struct imap_copyuid copyuid;
	struct imap_range range;
	struct span source;

	if (!imap_copyuid_parse(response, &copyuid))
		return;
	source = copyuid.source;
	assert(imap_range_next(&source, &range) == 1);
	assert(imap_copyuid_lookup(&copyuid, range.first) != 0);
	assert(imap_copyuid_lookup(&copyuid, range.last) != 0);
	assert(imap_copyuid_lookup(&copyuid, 0) == 0);
}

/* Touches every byte, so that the sanitizer sees it. */
static size_t
sum(struct span s)
{
	size_t total = 0;

	for (size_t i = 0; i < s.len; i++)
		total += (unsigned char)s.data[i];
	return total;
}

static size_t
check_params(const struct imap_value *params, size_t count)
{
	struct span name, value;
	size_t total = 0;

	while (imap_param_next(&params, &count, &name, &value))
		total += sum(name) + sum(value);
	return total;
}

/* Every leaf has a section that can be fetched, and no two the same. */
static size_t
check_structure(const struct imap_value *value)
{
	struct imap_bodystructure walk;
	struct imap_leaf leaf;
	char last[IMAP_SECTION_SIZE] = "";
	size_t total = 0;

	if (!imap_bodystructure_begin(&walk, value))
		return 0;
	while (imap_bodystructure_next(&walk, &leaf)) {
		assert(leaf.section[0] != '\0');
		assert(strlen(leaf.section) < sizeof(leaf.section));
		assert(strcmp(last, leaf.section) != 0);
		memcpy(last, leaf.section, sizeof(last));
		total += sum(leaf.type) + sum(leaf.subtype);
		total += sum(leaf.disposition) + sum(leaf.encoding);
		total += check_params(leaf.params, leaf.param_count);
		total += check_params(
		    leaf.disposition_params, leaf.disposition_param_count);
	}
	assert(!imap_bodystructure_next(&walk, &leaf));
	return total;
}

static void
check_resync(const struct imap_response *response)
{
	struct imap_seqset uids, found = IMAP_SEQSET_INIT;
	struct imap_vanished vanished;

	if (imap_vanished_parse(response, &vanished)) {
		assert(imap_seqset_size(&vanished.uids) > 0);
		imap_seqset_done(&vanished.uids);
	}
	if (imap_modified_parse(response, &uids)) {
		assert(imap_seqset_size(&uids) > 0);
		imap_seqset_done(&uids);
	}
	(void)imap_search_parse(response, &found);
	imap_seqset_done(&found);
}

static size_t
check_views(const struct imap_response *response)
{
	struct imap_mailbox_status status;
	struct imap_list_entry entry;
	struct imap_fetch fetch;
	uint64_t capabilities;
	size_t total = 0;

	if (imap_fetch_parse(response, &fetch)) {
		total += sum(fetch.header) + sum(fetch.body);
		assert(fetch.flag_count <= IMAP_FLAGS_MAX);
		for (size_t i = 0; i < fetch.flag_count; i++)
			assert(fetch.flags[i].kind == IMAP_ATOM);
		assert(fetch.modseq <= INT64_MAX);
		total += sum(fetch.part) + sum(fetch.part_section);
		total += check_structure(fetch.structure);
	}
	if (imap_list_parse(response, &entry)) {
		total += sum(entry.name);
		total += imap_list_has_attribute(&entry, "\\Junk");
	}
	if (imap_status_parse(response, &status))
		total += sum(status.name);
	(void)imap_capability_update(response, &capabilities);
	check_copyuid(response);
	check_resync(response);
	return total;
}

static size_t
check_all_views(struct span input, size_t literal_max)
{
	struct imap_lexer *lexer = imap_lexer_new(literal_max);
	struct imap_response response;
	size_t total = 0;

	imap_lexer_feed(lexer, input);
	while (imap_lexer_next(lexer, &response, NULL) == 1)
		total += check_views(&response);
	imap_lexer_free(&lexer);
	return total;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct span chunks[CHUNKS_MAX];
	struct buf whole = BUF_INIT, pieces = BUF_INIT;
	struct span input;
	size_t literal_max;

	if (size < 2)
		return 0;
	literal_max = (size_t)data[1] * 16;
	input = span_from(data + 2, size - 2);
	imap_trace_play(&literal_max, &input, 1, &whole);
	imap_trace_play(
	    &literal_max, chunks, cut(input, data[0], chunks), &pieces);
	assert(span_equal(buf_span(&whole), buf_span(&pieces)));
	(void)check_all_views(input, literal_max);
	buf_done(&whole);
	buf_done(&pieces);
	return 0;
}
